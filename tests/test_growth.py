"""Growing students: published numbers, what changes at once and what does not, smaller students, engines."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tests.test_engine_law import p_values, sample
from tsphys import Growth, OrderParameters
from tsphys.rules.phases import Phase, Units
from tsphys.sims.engines.online import direct, exact

START = OrderParameters(R=[[0.1, 0.04]], Q=[[0.2]], T=np.eye(2), v=[0.4])
AFTER = np.array([1, 5, 20, 60, 200.0])
ALONE = tsphys.TwoLayer(K=1, M=2, lr=0.5, lr_v=0.5, noise=0.1)


def errors(model, start, after):
    """eps_g just after t_g, and some time later."""
    theory = tsphys.solve(model, start=start, t=model.at + np.asarray(after))
    begun = theory.meta["phases"][0][1]
    R, Q, v = (np.array(begun[name]) for name in "RQv")
    return [float(model.eps_g(R, Q, start.T, v, theory["v_star"])), *theory["eps_g"]]


@pytest.mark.parametrize("at, given, expected", [
    (5, {"spread": 1e-4}, (0.157247, 0.11999, 0.040035, 0.015341, 0.01487, 0.014707)),
    (5, {"spread": 0.1}, (0.161272, 0.124092, 0.041807, 0.015448, 0.015005, 0.014735)),
    (5, {"spread": 0.5}, (0.176034, 0.140992, 0.053487, 0.0187, 0.016317, 0.014851)),
    (5, {"spread": 0, "share": 0.7}, (0.157243, 0.118917, 0.039191, 0.015446, 0.014905, 0.003513)),
    (5, {"way": "random"}, (0.157776, 0.12352, 0.043414, 0.018696, 0.017415, 0.016794)),
    (5, {"way": "random", "new_v": 0.5}, (0.170568, 0.12162, 0.034497, 0.016467, 0.015594, 0.010437)),
    (50, {"spread": 0.01}, (0.017904, 0.017383, 0.016334, 0.015586, 0.014966, 0.014682)),
    (50, {"spread": 0.1}, (0.018215, 0.017548, 0.0164, 0.015761, 0.015208, 0.014752)),
])  # fmt: skip
def test_published_numbers(at, given, expected):
    """To their digits: they were integrated to 2e-6."""
    np.testing.assert_allclose(errors(Growth(at=at, **given), START, AFTER), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("given, expected", [
    ({"spread": 0.05, "share": 0.6}, (0.0585, 0.047768, 0.041169, 0.038957)),
    ({"way": "random", "new_v": 0.2}, (0.060904, 0.050507, 0.045534, 0.043478)),
])  # fmt: skip
def test_published_numbers_of_two_units_that_learn_four(given, expected):
    start = OrderParameters(
        Q=[[0.2, 0.02], [0.02, 0.25]], R=[[0.1, 0.04, 0.02, 0.05], [0.03, 0.02, 0.09, 0.06]], T=np.eye(4), v=[0.5, 0.4]
    )
    model = Growth(K=2, M=4, lr=0.4, lr_v=0.4, at=10, **given)
    np.testing.assert_allclose(errors(model, start, (2, 10, 40)), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("given", [{"spread": 0, "share": 0.3}, {"way": "random", "new_v": 0}])
@pytest.mark.parametrize("activation", ["erf", "relu", "linear"])
def test_what_preserves_the_function_preserves_the_error(given, activation):
    model = Growth(activation=activation, lr=0.2, lr_v=0.2, **given)
    theory = tsphys.solve(model, start=START, t=[5.0, 5.0 + 1e-9])
    # The motion in a time of 1e-9; ReLU's integrals lose some digits of units that are equal.
    np.testing.assert_allclose(np.diff(theory["eps_g"]), 0, atol=1e-8)


def test_before_it_is_a_smaller_student():
    t = [0.0, 1.0, 5.0]
    theory = tsphys.solve(Growth(), start=START, t=t)
    other = tsphys.solve(ALONE, start=START, t=t)
    np.testing.assert_allclose(theory["eps_g"], other["eps_g"], rtol=1e-9)
    assert not theory["R"][:, 1:].any() and not theory["v"][:, 1:].any()


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_after_units_are_gone_it_is_one(activation):
    given = {"M": 2, "activation": activation, "lr": 0.2, "lr_v": 0.2, "noise": 0.1}
    start = OrderParameters(R=[[0.3, 0.1], [0.05, 0.35]], Q=[[0.4, 0.1], [0.1, 0.5]], T=np.eye(2), v=[0.8, 0.9])
    before = tsphys.solve(tsphys.TwoLayer(K=2, **given), start=start, t=[3.0])
    R, Q, v = (before[name][0] for name in "RQv")
    rest = OrderParameters(R=R[:1], Q=Q[:1, :1], T=np.eye(2), v=v[:1])
    other = tsphys.solve(tsphys.TwoLayer(K=1, **given), start=rest, t=[1.0, 5.0])
    theory = tsphys.solve(Growth(K=2, way="remove", at=3, **given), start=start, t=[4.0, 8.0])
    # Both are solved to 1e-11 or better.
    np.testing.assert_allclose(theory["eps_g"], other["eps_g"], rtol=1e-8)


def test_equal_halves_stay_equal():
    """R and v of the two; what tells them apart at finite N are fluctuations."""
    theory = tsphys.solve(Growth(), start=START, t=[6.0, 50.0])
    np.testing.assert_allclose(theory["R"][:, 0], theory["R"][:, 1], atol=1e-10)
    np.testing.assert_allclose(theory["v"][:, 0], theory["v"][:, 1], atol=1e-10)


def schedule(i, state):
    """Anchors, then units that are made of two others and something new, then a rest."""
    if i == 0:
        return Phase({}, until=0.5, pull=[0.5, 1.0])
    if i == 1:
        units = Units([[0.5, 0.5], [-0.3, 1.0]], [[0.3, -0.1], [-0.1, 0.2]])
        return Phase({}, until=1.0, v=state.v[::-1], units=units, pull=[0.3, 0.0])
    return Phase({})


def anew(schedule=schedule):
    from dataclasses import replace

    return replace(tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2).learning_rule(), schedule=schedule)


PAIR = OrderParameters(R=[[0.3, 0.1], [0.05, 0.35]], Q=[[0.4, 0.1], [0.1, 0.5]], T=[[1, 0.2], [0.2, 1]], v=[0.8, 0.9])


def test_units_made_anew_have_one_law_in_both_engines():
    a, b = (sample(engine, anew(), 16, (0.75, 1.5), 600, start=PAIR) for engine in (direct, exact))
    p = p_values(a, b)
    # Bonferroni: a true pair fails with probability 1e-3.
    assert p.min() * p.size > 1e-3


@pytest.mark.parametrize("engine", ["direct", "exact"])
def test_units_made_anew_have_exactly_their_overlaps(engine):
    sim = tsphys.simulate(anew(), N=20, start=PAIR, t=[0.5, 1.0], replicas=2, engine=engine)
    units = schedule(1, PAIR).units
    G, fresh = (np.array(a) for a in units)
    for i, begins in enumerate(sim.meta["phases"]):
        before = (sim[name][i, 0] for name in ("R", "Q"))
        np.testing.assert_allclose(begins[1]["R"], G @ next(before), atol=1e-12)
        np.testing.assert_allclose(begins[1]["Q"], G @ next(before) @ G.T + fresh, atol=1e-12)
        np.testing.assert_allclose(begins[1]["v"], sim["v"][i, 0, ::-1])


@pytest.mark.parametrize("units, name", [
    ([[1, 0], [0, 1]], "units"),
    (Units(np.eye(3), np.eye(2)), "mix"),
    (Units(np.eye(2), [[1, 2], [2, 1]]), "fresh"),
])  # fmt: skip
def test_units_that_cannot_be_are_refused(units, name):
    rule = anew(lambda i, state: Phase({}, units=units))
    refuses(lambda: tsphys.simulate(rule, N=20, start=PAIR, t=[1.0]), name)
    refuses(lambda: tsphys.solve(rule, start=PAIR, t=[1.0]), name)


def test_units_need_room():
    rule = anew(lambda i, state: Phase({}, units=Units(np.eye(2), np.eye(2))))
    refuses(lambda: tsphys.simulate(rule, N=5, start=PAIR, t=[1.0]), "N")


@pytest.mark.parametrize("given, name", [
    ({"way": "random", "spread": 0.2}, "spread"),
    ({"new_v": 0.3}, "new_v"),
    ({"way": "remove"}, "removed"),
    ({"at": 0}, "at"),
    ({"spread": -1}, "spread"),
])  # fmt: skip
def test_what_has_no_meaning_is_refused(given, name):
    refuses(lambda: Growth(**given), name)


def test_starts_have_the_units_before_or_all():
    sims = [
        tsphys.simulate(Growth(at=1), N=50, start=start, t=[0, 2.0], replicas=2)
        for start in (START, Growth().completed(START))
    ]
    np.testing.assert_array_equal(sims[0]["R"], sims[1]["R"])


@pytest.mark.parametrize("norm, along, v", [(0.1, 0.0, 0.0), (0.1, 0.1, 0.0), (0.0, 0.0, 0.1)])
def test_starts_of_units_that_are_still_to_come_are_refused(norm, along, v):
    """Theory has none of them before t_g, runs had them."""
    start = OrderParameters(R=[[0.1, 0.04], [0, along]], Q=np.diag([0.2, norm]), T=np.eye(2), v=[0.4, v])
    for run in (tsphys.solve, tsphys.simulate):
        refuses(lambda run=run: run(Growth(), start=start, t=[1.0]), "start")


@pytest.mark.slow
def test_runs_have_the_bias_and_spread_of_theory():
    model, t = Growth(at=2, share=0.6), [1.0, 2.0, 3.0, 6.0, 12.0]
    theory = tsphys.solve(model, start=START, t=t, fluctuations=True)
    sim = tsphys.simulate(model, start=START, t=t, N=200, replicas=400, seed=5)
    found = tsphys.compare(sim, theory)
    assert found.ok, found


@pytest.mark.parametrize("way", ["split", "random", "remove"])
def test_drawn_starts_are_of_the_units_that_there_are(way):
    model, t = tsphys.Growth(K=2, way=way, at=1.0), [0, 1, 1.5]
    given = tsphys.OrderParameters(R=np.zeros((2, 2)), Q=0.09 * np.eye(2), T=np.eye(2))
    drawn = tsphys.solve(model, start="drawn", t=t, fluctuations=True, N=400)
    np.testing.assert_allclose(drawn["Q"], tsphys.solve(model, start=given, t=t)["Q"], rtol=1e-9, atol=1e-12)
    # Weights that are not there do not fluctuate; of those that are the overlaps do, by init⁴(1 + δ_kl)/N to order M/N.
    spread = drawn.std("Q")[0]
    np.testing.assert_allclose(spread[:2, :2], 0.09 * np.sqrt((1 + np.eye(2)) / 400), rtol=2 * 2 / 400)
    assert (spread[2:] == 0).all()
    sim = tsphys.simulate(model, N=400, t=t[1:], replicas=200)
    mean, off = sim.mean("eps_g"), drawn.mean("eps_g")[1:]
    # Two scores; what is of second order in 1/N is below their errors.
    assert (np.abs(mean - off) < 4 * sim.sem("eps_g")).all()
