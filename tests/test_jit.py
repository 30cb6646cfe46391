"""The cache of compiled kernels: right after a change of any file, silent where nothing can be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
from tsphys.physics.activations import g

print(g(0, 1.0))
print(sum(g.stats.cache_hits.values()), sum(g.stats.cache_misses.values()))
"""


def run(tree, cache, program=PROGRAM, **environment):
    env = {**os.environ, "PYTHONPATH": str(tree), "NUMBA_CACHE_DIR": str(cache), **environment}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, cwd=tree)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


@pytest.fixture
def tree(tmp_path):
    """A copy of the package that may be changed."""
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copytree(ROOT / "tsphys", copy / "tsphys", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for room in ("sims", "odes", "replica", "figures"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_a_change_in_another_file_is_seen(tree, tmp_path):
    cache = tmp_path / "cache"
    first, _ = run(tree, cache)
    again, _ = run(tree, cache)
    assert first[1:] == ["0", "1"]
    assert again == [first[0], "1", "0"]
    (tree / "tsphys" / "rules" / "unrelated.py").write_text("x = 1\n")
    assert run(tree, cache)[0] == [first[0], "0", "1"]


BOUND = """
from tsphys.rules import perceptron
from tsphys.sims.engines import exact
import numpy as np, tsphys

tsphys.simulate(tsphys.Perceptron(), N=10, t=[0.1])
from tsphys.sims.engines.local import bind
kernel = bind(exact.advance, perceptron.rule)
print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
"""


def test_kernels_with_a_rule_of_ours_are_cached(tree, tmp_path):
    assert run(tree, tmp_path / "cache", BOUND)[0] == ["0", "1"]
    assert run(tree, tmp_path / "cache", BOUND)[0] == ["1", "0"]


def test_two_rules_do_not_share_a_kernel(tmp_path):
    import tsphys

    hebb, erf = tsphys.Perceptron(), tsphys.TwoLayer(K=1, M=1)
    start = tsphys.OrderParameters(R=[[0.1]], Q=[[1.0]], T=[[1.0]])
    a = tsphys.simulate(hebb, N=50, t=[1], start=start)
    b = tsphys.simulate(erf, N=50, t=[1], start=start)
    assert abs(a["Q"] - b["Q"]).min() > 0.1


def test_without_a_place_for_the_cache_kernels_are_compiled_in_memory(tree, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    program = PROGRAM.replace("print(sum", "0 and print(sum")
    program = "import numba.core.caching as c\nc._CacheLocator.ensure_cache_path = lambda self: 1/0\n" + program
    program = program.replace("lambda self: 1/0", "_refuse").replace(
        "import numba.core", "def _refuse(self):\n    raise OSError('read-only')\nimport numba.core"
    )
    out, err = run(tree, tmp_path / "cache", program)
    assert abs(float(out[0]) - 0.6826894921370859) < 1e-15
    assert err.count("compiled anew in each process") == 1
