"""What another process compiles while this one solves."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tsphys import ahead
from tsphys._jit import njit
from tsphys.odes.equations import one_step

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
def test_there_is_none_without_need(model, options, work):
    with ahead.compiling(model, **options) as other:
        work()
    assert other.process is None


def test_there_is_none_on_one_core(monkeypatch):
    monkeypatch.setattr(ahead, "available_threads", lambda: 1)
    with ahead.compiling(MODEL, **RUN) as other:
        compiled()
    assert other.process is None


def test_bits_do_not_depend_on_it():
    alone = tsphys.simulate(MODEL, **RUN)
    with ahead.compiling(MODEL, **RUN):
        compiled()
    np.testing.assert_array_equal(tsphys.simulate(MODEL, **RUN)["R"], alone["R"])
