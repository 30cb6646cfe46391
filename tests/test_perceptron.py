"""Sign perceptron: simulation on theory for every rule, and the default starts."""

import numpy as np
import pytest

import tsphys
from tsphys.models.perceptron import RULES

START = tsphys.OrderParameters(R=[[0.3]], Q=[[1.0]], T=[[1.0]])


@pytest.mark.parametrize("minibatch", [1, 3])
@pytest.mark.parametrize("rule", RULES)
def test_simulation_lies_on_theory(rule, minibatch):
    model, t = tsphys.Perceptron(rule=rule, minibatch=minibatch), np.geomspace(0.1, 20, 15)
    t = np.rint(t * 1000) / 1000
    sim = tsphys.simulate(model, N=1000, start=START, t=t, replicas=32)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=START, t=t))
    assert comparison.ok, comparison


@pytest.mark.parametrize("rule", RULES)
def test_weights_and_the_chain_agree_on_theory(rule):
    model, t = tsphys.Perceptron(rule=rule, lr=0.8), np.array([0.5, 2.0, 6.0])
    sim = tsphys.simulate(model, N=400, start=START, t=t, replicas=24, engine="direct")
    comparison = tsphys.compare(sim, tsphys.solve(model, start=START, t=t))
    assert comparison.ok, comparison


def test_the_optimal_rule_is_the_best():
    t = [5.0, 20.0]
    final = {r: tsphys.solve(tsphys.Perceptron(rule=r), start=START, t=t)["eps_g"] for r in RULES}
    for rule in RULES[:-1]:
        assert (final["optimal"] < final[rule]).all()


def test_rosenblatt_learns_from_zero_weights():
    zero = tsphys.OrderParameters(R=[[0.0]], Q=[[0.0]], T=[[1.0]])
    for engine in ("direct", "exact"):
        sim = tsphys.simulate(
            tsphys.Perceptron(rule="rosenblatt"), N=100, start=zero, t=[0, 5], replicas=4, engine=engine
        )
        assert (sim["eps_g"][:, 1] < 0.35).all()
