"""What another process compiles while this one solves or simulates."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tsphys import ahead
from tsphys._jit import njit
from tsphys.odes.equations import one_step

ROOT = str(Path(tsphys.__file__).resolve().parents[1])
MODEL = tsphys.Perceptron()
RUN = {"N": 20, "t": [0.5, 1.0], "start": {"R": [[0.1]], "Q": [[1.0]], "T": [[1.0]]}, "seed": 0}


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(ahead, "available_threads", lambda: 2)


def compiled():
    """Compile something."""
    return njit(cached=False)(lambda x: x + 1)(1)


def test_the_other_process_simulates_and_is_waited_for():
    with ahead.compiling(MODEL, **RUN, progress=print) as other:
        assert compiled() == 2
    assert other.process.returncode == 0


def test_a_simulation_that_got_somewhere_is_left(monkeypatch):
    seen = []

    def simulate(model, progress, **options):
        for fraction in (0.0, 0.3, 1.0):
            seen.append(fraction)
            progress(fraction)

    monkeypatch.setattr("tsphys.registry.simulate", simulate)
    ahead.begin(MODEL, {})
    assert seen == [0.0, 0.3]


@pytest.mark.parametrize("start", [RUN["start"], tsphys.OrderParameters(**RUN["start"])], ids=["mapping", "parameters"])
def test_the_other_asks_for_the_noise_and_this_one_for_errors(monkeypatch, start):
    asked, root, observables = [], one_step.root, tsphys.TwoLayer.observables

    def observed(self, R, Q, *more):
        asked.append(Q[0, 0, 0])
        return observables(self, R, Q, *more)

    monkeypatch.setattr(one_step, "root", lambda S, L: asked.append(S[0, 0]) or root(S, L))
    monkeypatch.setattr(tsphys.TwoLayer, "observables", observed)
    monkeypatch.setattr("tsphys.registry.simulate", lambda *_, **__: asked.append("simulated"))
    start = {**start, "Q": [[0.7]]} if isinstance(start, dict) else dataclasses.replace(start, Q=[[0.7]])
    model = tsphys.TwoLayer(K=1, M=1)
    ahead.begin(model, {**RUN, "start": start})
    assert asked == [pytest.approx(0.7 - 0.1**2), "simulated"]
    with ahead.compiling(model, **{**RUN, "start": start}):
        compiled()
    assert asked[2:] == [0.7, 1.0]


def test_it_does_not_outlive_an_error_here(monkeypatch):
    monkeypatch.setattr(ahead, "PROGRAM", "import time; time.sleep(60)")
    with pytest.raises(ZeroDivisionError), ahead.compiling(MODEL, **RUN) as other:
        compiled()
        raise ZeroDivisionError
    assert other.process.returncode != 0


@pytest.mark.parametrize(
    ("model", "options", "work"),
    [
        (MODEL, RUN, lambda: None),
        (tsphys.Hopfield(), {"alpha": 0.1}, compiled),
        (MODEL, {**RUN, "start": lambda: None}, compiled),
    ],
    ids=["nothing compiled", "not online", "nothing to send"],
)
@pytest.mark.parametrize("beside", [ahead.compiling, ahead.simulating])
def test_there_is_none_without_need(model, options, work, beside):
    with beside(model, **options) as other:
        work()
    assert other.process is None


@pytest.mark.parametrize("beside", [ahead.compiling, ahead.simulating])
@pytest.mark.parametrize(("cores", "threads"), [(1, None), (2, 1)])
def test_there_is_none_on_one_core(monkeypatch, beside, cores, threads):
    monkeypatch.setattr(ahead, "available_threads", lambda: cores)
    with beside(MODEL, **RUN, threads=threads) as other:
        compiled()
    assert other.process is None


LATE = """
from collections import Counter
from numba.core import event
import tsphys
from tsphys import ahead

compiled = Counter()

class Listener(event.Listener):
    def on_start(self, event):
        pass

    def on_end(self, event):
        kernel = event.data["dispatcher"]
        compiled[kernel.py_func.__qualname__] += not kernel.stats.cache_hits

event.register("numba:compile", Listener())
model, options = tsphys.TwoLayer(), {"N": 20, "seed": 0, "engine": ENGINE, "dtype": DTYPE}
ahead.late(model, options)
late = compiled.copy()
tsphys.simulate(model, **options, t=[0.1], replicas=1)
for name in NAMES:
    assert (late[name], compiled[name]) == (1, 1), (name, late[name], compiled[name])
assert any(name.startswith("advance") for name in {*compiled} - {*late})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "dtype", "names"),
    [
        ("exact", "float64", ["normals", "_plain_errors_erf"]),
        ("direct", "float64", ["together", "coefficients_tsphys_rules_two_layer_rule", "_plain_errors_erf"]),
        ("direct", "float32", ["together", "coefficients_tsphys_rules_two_layer_rule", "_plain_errors_erf"]),
    ],
)
def test_what_comes_late_is_compiled_once(tmp_path, engine, dtype, names):
    program = LATE.replace("ENGINE", repr(engine)).replace("DTYPE", repr(dtype)).replace("NAMES", repr(names))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


@pytest.mark.parametrize("start", [None, RUN["start"]], ids=["drawn", "given"])
@pytest.mark.parametrize("engine", ["exact", "direct"])
def test_beside_a_simulation_comes_what_it_wants_late(monkeypatch, engine, start):
    asked, observables = [], tsphys.Perceptron.observables
    monkeypatch.setattr(f"tsphys.sims.engines.online.{engine}.late", lambda *given: asked.append(given))
    monkeypatch.setattr(tsphys.Perceptron, "observables", lambda *given: asked.append(given[1]) or observables(*given))
    dtype = "float32" if engine == "direct" else "float64"
    ahead.late(MODEL, {**RUN, "start": start, "engine": engine, "dtype": dtype})
    (rule, *given), R = asked
    assert (rule.K, *given, R.shape) == (1, 20, 0, np.dtype(dtype), (1, 1, 1))


def test_the_process_beside_a_simulation_does_not_outlive_it(monkeypatch):
    monkeypatch.setattr(ahead, "PROGRAM", "import sys, time; assert sys.argv[1] == 'late'; time.sleep(60)")
    with ahead.simulating(MODEL, **RUN) as other:
        compiled()
        assert other.process.poll() is None
    assert other.process.returncode < 0


def test_it_ends_with_the_process_that_began_it(tmp_path):
    """Which may be killed in the midst of it: the other finds that nobody holds its input any more."""
    ends = tmp_path / "told"
    work = f"import time\ndef late(*_):\n    open({str(ends)!r}, 'w').write('begun')\n    time.sleep(60)\n"
    (tmp_path / "late.py").write_text(work)
    program = ahead.PROGRAM.replace("import tsphys.ahead", "import late").replace("tsphys.ahead", "late")
    code = (
        "import os, signal, sys, time, tsphys\nfrom pathlib import Path\nfrom tsphys import ahead\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\nahead.PROGRAM = {program!r}\n"
        "other = ahead.Other('late', tsphys.Perceptron(), {})\nother.start()\nprint(other.process.pid, flush=True)\n"
        f"while not Path({str(ends)!r}).exists():\n    time.sleep(0.01)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid, until = int(done.stdout), time.monotonic() + 30
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        # Ended, and not yet waited for by whoever has it now.
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("it runs on")


def test_nothing_is_imported_from_the_folder_that_it_is_started_in(tmp_path, monkeypatch):
    (tmp_path / "pickle.py").write_text("raise SystemExit(17)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", ".")] + [ROOT])
    with ahead.compiling(MODEL, **RUN) as other:
        compiled()
    assert other.process.returncode == 0


def test_bits_do_not_depend_on_it():
    alone = tsphys.simulate(MODEL, **RUN)
    with ahead.compiling(MODEL, **RUN):
        compiled()
    np.testing.assert_array_equal(tsphys.simulate(MODEL, **RUN)["R"], alone["R"])
