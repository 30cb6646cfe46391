"""The cache of compiled kernels: right after a change of any file, silent where nothing can be written."""

import os
import shutil
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pytest
from numba import float64
from numba.core.caching import IndexDataCacheFile

from tsphys import _jit
from tsphys._jit import njit

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("sims", "odes", "replica", "figures", "benchmarks", "validation")

PROGRAM = """
from tsphys.physics.activations import g

print(g(0, 1.0))
print(sum(g.stats.cache_hits.values()), sum(g.stats.cache_misses.values()))
"""


def run(tree, cache, program=PROGRAM, *arguments):
    env = {**os.environ, "PYTHONPATH": str(tree), "NUMBA_CACHE_DIR": str(cache)}
    call = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(call, capture_output=True, text=True, env=env, cwd=tree)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


def copied(folder, linked):
    """A copy of the package that may be changed, with symlinks or, as git has it on Windows, files in their place."""
    ignore = shutil.ignore_patterns("__pycache__", *ROOMS)
    shutil.copytree(ROOT / "tsphys", folder / "tsphys", ignore=ignore)
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
        link = folder / "tsphys" / room
        if linked:
            link.symlink_to(Path("..") / room)
        else:
            link.write_text(f"../{room}")
    return folder


@pytest.fixture
def tree(tmp_path):
    return copied(tmp_path / "copy", linked=True)


def test_a_change_in_another_file_is_seen(tree, tmp_path):
    cache = tmp_path / "cache"
    first, _ = run(tree, cache)
    again, _ = run(tree, cache)
    assert first[1:] == ["0", "1"]
    assert again == [first[0], "1", "0"]
    (tree / "tsphys" / "rules" / "unrelated.py").write_text("x = 1\n")
    assert run(tree, cache)[0] == [first[0], "0", "1"]


OF_A_ROOM = """
import numpy as np
from tsphys.sims.engines.spins.stored import mean_overlaps as kernel

print(kernel(np.ones((2, 1), np.int8), 1, np.ones(2))[0])
print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
"""


@pytest.mark.parametrize(
    "linked", [pytest.param(True, id="symlinks"), pytest.param(False, id="files", marks=pytest.mark.wide)]
)
def test_a_kernel_of_a_room_sees_a_change_elsewhere(tmp_path, linked):
    tree, cache = copied(tmp_path / "copy", linked), tmp_path / "cache"
    assert run(tree, cache, OF_A_ROOM)[0] == ["2.0", "0", "1"]
    assert run(tree, cache, OF_A_ROOM)[0] == ["2.0", "1", "0"]
    with open(tree / "tsphys" / "numerics" / "random.py", "a") as file:
        file.write("# changed\n")
    assert run(tree, cache, OF_A_ROOM)[0] == ["2.0", "0", "1"]


def test_every_room_is_there_without_symlinks(tmp_path):
    tree = copied(tmp_path / "copy", linked=False)
    modules = (f"tsphys.{room}" for room in ROOMS)
    program = f"import {', '.join(modules)}, tsphys._jit as j\nprint(*j._ROOTS, *tsphys.figures.__path__)"
    found = [Path(p) for p in run(tree, tmp_path / "cache", program)[0]]
    assert found == [*(tree / room for room in ("tsphys", *ROOMS)), tree / "figures"]


BOUND = """
from tsphys.rules import perceptron
from tsphys.sims.engines.online import exact
import numpy as np, tsphys

tsphys.simulate(tsphys.Perceptron(), N=10, t=[0.1])
from tsphys.sims.engines.online.local import bind
kernel = bind(exact.advance, perceptron.rule)
print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
"""


@pytest.mark.wide
def test_kernels_with_a_rule_of_ours_are_cached(tree, tmp_path):
    assert run(tree, tmp_path / "cache", BOUND)[0] == ["0", "1"]
    assert run(tree, tmp_path / "cache", BOUND)[0] == ["1", "0"]


def test_a_cache_that_names_a_class_that_is_no_more_is_written_anew(tmp_path, monkeypatch):
    """Parameters of a rule that another version, or a script of the user's, called differently."""
    (tmp_path / "kernel.py").write_text("from tsphys._jit import njit\n@njit\ndef f(p):\n    return p.lr\n")
    (tmp_path / "early.py").write_text("from collections import namedtuple\nParams = namedtuple('Params', 'lr')\n")
    (tmp_path / "late.py").write_text("from collections import namedtuple\nParams = namedtuple('Params', 'lr')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    for name in ("early", "late"):
        kernel, params = import_module("kernel"), import_module(name)
        assert kernel.f(params.Params(0.5)) == 0.5
        assert list(tmp_path.rglob("*.nbi"))
        for module in ("kernel", name):
            del sys.modules[module]
        (tmp_path / f"{name}.py").unlink()


def test_a_kernel_of_other_arguments_in_its_file_is_not_taken(tmp_path, monkeypatch):
    """What two processes can leave that write at the same time."""
    (tmp_path / "halves.py").write_text("from tsphys._jit import njit\n@njit\ndef f(x):\n    return x / 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    kernel = import_module("halves")
    assert (kernel.f(5), kernel.f(5.0)) == (2.5, 2.5)
    del sys.modules["halves"]
    first, second = sorted(tmp_path.rglob("*.nbc"))
    shutil.copy(first, second)
    kernel = import_module("halves")
    assert (kernel.f(5), kernel.f(5.0)) == (2.5, 2.5)
    assert (sum(kernel.f.stats.cache_hits.values()), sum(kernel.f.stats.cache_misses.values())) == (1, 1)
    del sys.modules["halves"]


def halves(folder, monkeypatch):
    """A kernel whose cache is in the folder, as a new process finds it."""
    (folder / "halves.py").write_text("from tsphys._jit import njit\n@njit\ndef f(x):\n    return x / 2\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delitem(sys.modules, "halves", raising=False)
    return import_module("halves").f


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_what_is_damaged_in_the_cache_is_compiled_anew(tmp_path, monkeypatch, kind):
    assert halves(tmp_path, monkeypatch)(5.0) == 2.5
    (file,) = tmp_path.rglob(f"*.{kind}")
    whole = file.read_bytes()
    # In the code itself, of which nothing else would tell; it is not run before it is known to be new.
    flipped = [whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in (len(whole) // 2, len(whole) - 9)]
    for content in (b"", whole[: len(whole) // 2], *flipped, bytes(len(whole))):
        file.write_bytes(content)
        kernel = halves(tmp_path, monkeypatch)
        kernel.compile((float64,))
        assert sum(kernel.stats.cache_misses.values()) == 1
        assert kernel(5.0) == 2.5
    kernel = halves(tmp_path, monkeypatch)
    assert (kernel(5.0), sum(kernel.stats.cache_hits.values())) == (2.5, 1)


def test_a_cache_without_room_is_told_once_and_loses_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "_open_for_write", full)
    _jit._warn_uncached.cache_clear()
    kernel = halves(tmp_path, monkeypatch)
    with pytest.warns(UserWarning, match="compiled anew in each process") as told:
        assert (kernel(5), kernel(5.0)) == (2.5, 2.5)
    (one,) = told
    assert warnings.formatwarning(one.message, one.category, one.filename, one.lineno).count("\n") == 1


def entry(kernel):
    """Where Python enters its only overload; 0 if nowhere."""
    (made,) = kernel.overloads.values()
    return made.library.get_pointer_to_function(made.fndesc.llvm_cpython_wrapper_name)


def test_what_kernels_call_has_an_entry_for_python_once_python_calls_it():
    @njit(cached=False)
    def helper(x):
        return x + 0.5

    callers = [njit(cached=False)(lambda x: 2 * helper(x)) for _ in range(3)]
    assert callers[0](1.0) == 3.0
    assert entry(helper) == 0 != entry(callers[0])
    assert helper(1.0) == 1.5
    assert entry(helper) != 0
    # What was compiled before, and what is compiled after.
    assert [caller(2.0) for caller in callers] == [5.0] * 3
    assert helper(2.0) == 2.5


INNER = """
import sys
from tsphys.physics.activations import g
from tsphys._jit import njit

outer = njit(cached=False)(lambda x: g(0, x))
print(outer(1.0) if "outer" in sys.argv else g(0, 1.0))
print(sum(g.stats.cache_hits.values()), sum(g.stats.cache_misses.values()))
"""


def test_the_cache_has_a_kernel_with_and_without_an_entry(tmp_path):
    first, *others = ("outer", "python", "outer", "python")
    value, *counts = run(ROOT, tmp_path, INNER, first)[0]
    assert counts == ["0", "1"]
    for whose, missed in zip(others, (True, False, False)):
        assert run(ROOT, tmp_path, INNER, whose)[0] == [value, "0" if missed else "1", "1" if missed else "0"]


RAISING = """
import numba
from tsphys._jit import njit

def told(x):
    # Made at run time, of a Python object that the function keeps.
    if x > 1.0:
        raise ValueError(x, "is too large")
    return x

told.__module__ = "tsphys.told"
told = njit(cached=False)(told)

def outer(x):
    return told(x) + 1.0

for compiled in (njit(cached=False)(outer), numba.njit(outer)):
    print(compiled(0.5))
    try:
        compiled(3.0)
    except ValueError as error:
        print(*error.args)
(library,) = {x.library for x in told.overloads.values()}
print(library._compiled_object)
print(told(0.5))
"""


def test_what_only_kernels_take_in_has_no_machine_code_until_python_calls_it(tmp_path):
    said = ["1.5", "3.0", "is", "too", "large"]
    assert run(ROOT, tmp_path, RAISING)[0] == [*said, *said, "b''", "0.5"]


def test_sums_are_reordered_where_it_is_said_and_not_where_a_caller_may():
    @njit(cached=False)
    def helper(x, y, z):
        return x * y + z

    @njit(fast=True, cached=False)
    def caller(x):
        return helper(x, x, x) + 1.0

    assert caller(2.0) == 7.0
    for kernel, allowed in ((helper, False), (caller, True)):
        assert ("contract" in kernel.inspect_llvm(kernel.signatures[0])) == allowed


DERIVATIVES = """
import hashlib, sys
import numpy as np
from tsphys.numerics.random import stream
from tsphys.sims.engines.quantum.reconfiguration import Chain, Network, Walkers

chain, network = Chain(80, (-1.0, 0.0), (0,), (-1.0,)), Network(80, 80, 3)
rng = np.random.default_rng(0)
theta = 3 * network.drawn(rng)
walkers = Walkers(chain, network, chain.drawn(2, rng), stream(0, 0, "x") if sys.argv[1:] else None)
walkers.go(theta, 1)
print(*(hashlib.sha256(x.tobytes()).hexdigest() for x in walkers.see(theta)[1:]))
"""


@pytest.mark.wide
def test_code_is_the_same_whatever_else_is_there(tmp_path):
    """Kernels that were compiled here, that come from the cache, and beside another one that calls the same functions.

    Sums over 80 numbers, which may be reordered, in functions that are too long to be inlined: bound to other copies of
    them, derivatives by the biases had other last bits in the process that compiled them.
    """
    found = [run(ROOT, tmp_path, DERIVATIVES, *given)[0] for given in ((), (), ("moved before",))]
    assert found[0] == found[1]
    # Chains that moved are others; their code was compiled beside that of the first ones, and is cached now.
    assert run(ROOT, tmp_path, DERIVATIVES, "moved before")[0] == found[2]


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
