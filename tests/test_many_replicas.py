"""Many short replicas: done many at once, to the bits of one by one, at a cost that does not grow with their number."""

import sys
import threading

import numpy as np
import pytest

import tsphys
from tsphys.numerics.random import LANES
from tsphys.rules.starts import drawn_start, drawn_starts
from tsphys.sims.engines.online import direct, exact, simulation

GRADED = tsphys.TwoLayer(K=3, M=2, teacher="graded")
RUNS = {
    "two_layer": (tsphys.TwoLayer(), "exact"),
    "graded teacher": (GRADED, "exact"),
    "weights": (GRADED, "direct"),
    "minibatch": (tsphys.TwoLayer(K=2, M=1, minibatch=3, train="both"), "exact"),
    "training set": (tsphys.TwoLayer(inputs="binary", alpha=0.5), "direct"),
    "perceptron": (tsphys.Perceptron(rule="optimal"), "exact"),
    "phases": (tsphys.Continual(durations=(0.2,)), "exact"),
    "phases of weights": (tsphys.Continual(durations=(0.2,), v=None), "direct"),
    "attack": (tsphys.OnlineAttack(strategy="greedy", minibatch=2), "exact"),
    "law": (tsphys.SimplicityBias(K=2), "exact"),
    "law of weights": (tsphys.SimplicityBias(K=2), "direct"),
    "sphere": (tsphys.SpikedCumulant(), "exact"),
    "sphere of weights": (tsphys.SpikedCumulant(), "direct"),
    "queries": (tsphys.ZerothOrder(), "exact"),
    "masks": (tsphys.Pruned(), "direct"),
}


@pytest.mark.parametrize("name", RUNS)
def test_one_by_one_and_many_at_once_have_the_same_bits(name, monkeypatch):
    model, engine = RUNS[name]
    options = {"N": 40, "t": [0, 0.1, 0.5], "seed": 3, "engine": engine}
    monkeypatch.setattr(simulation, "MOST_AT_ONCE", 1)
    one = tsphys.simulate(model, replicas=6, threads=1, **options)
    monkeypatch.setattr(simulation, "MOST_AT_ONCE", 4)
    # Directions of two replicas are drawn at once, and those of the third alone.
    monkeypatch.setattr(direct, "NUMBERS_AT_ONCE", 2 * 40 * (model.learning_rule().K + model.learning_rule().M))
    many = tsphys.simulate(model, replicas=6, threads=1, **options)
    for observable in one.observables:
        np.testing.assert_array_equal(many[observable], one[observable], err_msg=observable)
    assert len(np.unique(one["R"][:, -1].reshape(6, -1), axis=0)) == 6


@pytest.mark.parametrize("name", RUNS)
def test_starts_of_many_are_those_of_each(name):
    model = RUNS[name][0]
    for replica, start in zip((2, 5, 7), drawn_starts(model, 40, 3, (2, 5, 7)), strict=True):
        alone = drawn_start(model, 40, 3, replica)
        assert start == alone
        for mine, other in zip(start.coordinates, alone.coordinates, strict=True):
            np.testing.assert_array_equal(mine, other)


class Own(tsphys.TwoLayer):
    """A start that draws for one replica alone."""

    def start(self, N, rng):
        close = 0.9 if rng.random() < 0.5 else 0.1
        return tsphys.OrderParameters(R=close * np.eye(2), Q=np.eye(2), T=np.eye(2))


def test_a_start_of_ones_own_draws_for_each_replica():
    R = tsphys.simulate(Own(), N=40, t=[0], replicas=20)["R"][:, 0, 0, 0]
    assert set(R.round(12)) == {0.1, 0.9}


@pytest.mark.parametrize("model", [tsphys.TwoLayer(K=3), tsphys.TwoLayer(K=3, minibatch=5), tsphys.SimplicityBias()])
def test_numbers_drawn_for_a_short_run_are_the_first_of_a_long_one(model):
    rule = model.learning_rule()
    few, many = exact.Draws(rule, 90, 10), exact.Draws(rule, 90, exact.SCALARS)
    assert few.ahead == 2 * LANES < many.ahead
    for draws in (few, many):
        draws.begin(next(exact.seeded(1, [2])))
    for steps in (3, 40, 30):
        taken = []
        for draws in (few, many):
            z, F = [], []
            while sum(map(len, z)) < steps:
                for kept, part in zip((z, F), draws.take(steps - sum(map(len, z))), strict=True):
                    kept.append(part.copy())
            taken.append((np.concatenate(z), np.concatenate(F)))
        np.testing.assert_array_equal(taken[0][0], taken[1][0])
        lower = np.tril_indices(F[0].shape[1])
        np.testing.assert_array_equal(taken[0][1][:, lower[0], lower[1]], taken[1][1][:, lower[0], lower[1]])


def calls(run):
    """Calls of functions in all threads, which tell the cost without a clock."""
    count = [0]

    def see(frame, event, argument):
        count[0] += event in ("call", "c_call")

    threading.setprofile(see)
    sys.setprofile(see)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return count[0]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (tsphys.TwoLayer(), {"N": 100, "t": [0.01], "engine": "exact"}),
        (tsphys.TwoLayer(), {"N": 10, "t": [0.1], "engine": "direct"}),
        (tsphys.Perceptron(), {"N": 100, "t": [0.01]}),
    ],
)
def test_the_cost_of_a_replica_is_small_and_does_not_grow_with_their_number(model, options):
    def of(replicas):
        return calls(lambda: tsphys.simulate(model, replicas=replicas, threads=2, **options))

    # What is done once in a process is no cost of a replica.
    of(1)
    few, more, most = (of(n) for n in (50, 562, 1586))
    # About 70 of some 0.3 µs each.
    assert (most - more) / 1024 < 120
    assert (most - more) / 1024 < 1.2 * (more - few) / 512 + 5
