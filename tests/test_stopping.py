"""Signals: the first ends a command in order, whatever it is at, the second at once; what is finished is kept."""

import os
import signal
import time

import numpy as np
import pytest

import tsphys
from tests.gates import THIRD, all_gone, at_the_gate, begun, stopped
from tests.wide import each

MODEL = ("kernel_ridge", "-n", "10", "--modes", "20", "-r", "5", "-j", "1")
pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups")


def whole():
    return tsphys.simulate(tsphys.KernelRidge(n=10, modes=20), replicas=5)


@pytest.mark.parametrize(
    ("name", "verb"),
    each(
        [("SIGINT", "simulate"), ("SIGTERM", "simulate"), ("SIGHUP", "simulate"), ("SIGTERM", "compare")],
        fast=("SIGINT",),
    ),
)
def test_what_is_finished_is_kept_by_the_first_signal(tmp_path, verb, name):
    number = getattr(signal, name)
    run = begun(tmp_path, THIRD, "-m", "tsphys", verb, *MODEL, "-o", "run.npz")
    at_the_gate(tmp_path, run)
    code, _, err = stopped(run, number)
    assert code == 128 + number
    assert err.strip() == "tsphys: error: " + ("interrupted" if number == signal.SIGINT else "terminated")
    (file,) = tmp_path.glob("*.npz")
    found = tsphys.load(file)
    assert found.meta["replica_ids"] == [0, 1]
    np.testing.assert_array_equal(found["eps_g"], whole()["eps_g"][:2])
    again = begun(tmp_path, "", "-m", "tsphys", verb, *MODEL, "-o", "run.npz")
    assert "going on from 2 finished replicas" in again.communicate()[1]
    (file,) = tmp_path.glob("run*.npz") if verb == "simulate" else tmp_path.glob("run-simulation*.npz")
    np.testing.assert_array_equal(tsphys.load(file)["eps_g"], whole()["eps_g"])


def test_what_was_finished_before_is_kept_without_warning(tmp_path):
    run = begun(tmp_path, THIRD, "-m", "tsphys", "simulate", *MODEL, "-o", "run.npz")
    while not (tmp_path / "run.partial.npz").exists() or len(tsphys.load(tmp_path / "run.partial.npz")["eps_g"]) < 2:
        assert run.poll() is None
        time.sleep(0.01)
    assert stopped(run, signal.SIGKILL)[0] == -signal.SIGKILL
    assert tsphys.load(tmp_path / "run.partial.npz").meta["replica_ids"] == [0, 1]


#: In the main thread, and in the workers of a study.
EVERYWHERE = """
from tsphys import registry
from tsphys.benchmarks import timing
registry._run = timing.seconds_of = lambda *arguments: gate()
"""
COMMANDS = {
    "simulate": ("simulate", "hopfield"),
    "solve": ("solve", "hopfield"),
    "compare": ("compare", "two_layer"),
    "figure": ("figure", "two_layer", "--quick"),
    "validate": ("validate", "hopfield", "--quick"),
    "bench": ("bench", "--only", "ode"),
    "sweep": ("sweep", "study.toml", "-p", "2"),
    "phase-diagram": ("phase-diagram", "hopfield", "--x", "alpha", "0.1:0.2:2", "--y", "T", "0:1:2", "-p", "2"),
}


@pytest.mark.parametrize("name", each(COMMANDS, fast=("simulate", "sweep")))
def test_every_command_ends_by_the_first_signal(tmp_path, name):
    (tmp_path / "study.toml").write_text('model = "hopfield"\ncompute = "solve"\n[axes]\nalpha = "0.01:0.1:3"')
    run = begun(tmp_path, EVERYWHERE, "-m", "tsphys", *COMMANDS[name])
    at_the_gate(tmp_path, run)
    code, _, err = stopped(run, signal.SIGINT)
    assert code == 130
    assert "tsphys: error: " in err
    assert all_gone(run)


def repeatedly(run, number):
    """Exit code after as many signals as it takes; those that come too fast are one to the system."""
    while run.poll() is None:
        os.killpg(run.pid, number)
        time.sleep(0.1)
    return run.returncode, *run.communicate()


def test_the_second_signal_ends_at_once(tmp_path):
    forever = EVERYWHERE + "from tsphys.runs import stopping\nstopping.GRACE = 1e9\n"
    run = begun(tmp_path, forever, "-m", "tsphys", "solve", "hopfield")
    at_the_gate(tmp_path, run)
    code, _, err = repeatedly(run, signal.SIGTERM)
    assert code == 143
    assert err == "tsphys: error: stopped at once\n"


def test_a_script_is_not_ended_under_a_kernel(tmp_path):
    """After the interruption its end waits for the threads, and the next signal ends it."""
    script = (
        "import tsphys\n"
        "try:\n"
        "    tsphys.simulate(tsphys.KernelRidge(n=10, modes=20), replicas=5, threads=1)\n"
        "except KeyboardInterrupt:\n"
        "    print('caught', flush=True)\n"
    )
    run = begun(tmp_path, THIRD, "-c", script)
    at_the_gate(tmp_path, run)
    os.killpg(run.pid, signal.SIGINT)
    assert run.stdout.readline() == "caught\n"
    # Those that come before it waits print a line of Python's own.
    assert repeatedly(run, signal.SIGINT)[0] == 130
