"""Comparison: the right false-alarm rate, the power to see a wrong curve, the finite-size allowance."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tsphys.runs.result import Result

T = np.linspace(0, 1, 6)
CURVE = np.exp(-3 * T)


def pair(rng, *, n=8, N=10**6, shift=0.0, noise=0.01):
    rows = CURVE + shift + noise * rng.standard_normal((n, len(T)))
    sim = Result("simulation", "x", {}, "t", {"t": T, "y": rows}, meta={"replicas": n, "N": N})
    return sim, Result("theory", "x", {}, "t", {"t": T, "y": CURVE})


def test_scores_are_standard_normal_for_few_replicas():
    rng = np.random.default_rng(0)
    z = np.concatenate([tsphys.compare(*pair(rng, n=3), finite_size=False).z["y"] for _ in range(1500)])
    # Independent points by construction; the p-value of a true hypothesis is below 1e-4 once in 10^4.
    assert stats.kstest(z, "norm").pvalue > 1e-4


def test_false_alarms_come_at_the_stated_level():
    rng = np.random.default_rng(1)
    level, trials = 0.05, 2000
    alarms = sum(not tsphys.compare(*pair(rng), finite_size=False, level=level).ok for _ in range(trials))
    assert abs(alarms - level * trials) < 4 * np.sqrt(trials * level * (1 - level))


def test_a_wrong_curve_is_seen_and_a_bias_of_order_one_over_n_is_allowed():
    rng = np.random.default_rng(2)
    n, s = 400, 0.1
    wrong = tsphys.compare(*pair(rng, n=n, shift=0.06, noise=s))
    assert not wrong.ok
    assert "DISAGREE" in str(wrong)
    bias = s**2 / np.ptp(CURVE)
    assert tsphys.compare(*pair(rng, n=n, shift=bias, noise=s)).ok
    many = pair(rng, n=400000, shift=bias, noise=s)
    assert tsphys.compare(*many).ok
    assert not tsphys.compare(*many, finite_size=False).ok


def test_the_table_names_the_worst_point():
    sim, theory = pair(np.random.default_rng(3))
    sim["y"][:, 4] += 1
    text = str(tsphys.compare(sim, theory))
    assert f"{T[4]:.4g}" in text
    assert "y" in text


def test_exact_agreement_has_zero_scores():
    sim, theory = pair(np.random.default_rng(4), noise=0.0)
    comparison = tsphys.compare(sim, theory)
    assert comparison.ok
    np.testing.assert_allclose(comparison.z["y"], 0, atol=1e-5)


def test_missing_numbers_are_refused():
    sim, theory = pair(np.random.default_rng(5))
    sim["y"][0, 0] = np.nan
    with pytest.raises(tsphys.ModelError, match="must be finite"):
        tsphys.compare(sim, theory)


def test_what_is_zero_in_both_agrees():
    for value, agrees in ((0.0, True), (1e-12, False)):
        rows = np.full((3, len(T)), value)
        sim = Result("simulation", "x", {}, "t", {"t": T, "y": rows}, meta={"replicas": 3, "N": 10})
        found = tsphys.compare(sim, Result("theory", "x", {}, "t", {"t": T, "y": 0 * T}))
        assert found.ok == agrees


def test_it_says_when_the_two_are_not_of_the_same_system():
    t, seed = [0, 1], 2**63 - 1
    sim = tsphys.simulate(tsphys.TwoLayer(), N=100, t=t, replicas=2, seed=seed)
    theory = tsphys.solve(tsphys.TwoLayer(lr=0.3), t=t)
    found = tsphys.compare(sim, theory)
    assert found.differ == ("lr", "start (each replica has its own)")
    assert "differ in: lr, start" in str(found)
    start = tsphys.OrderParameters(R=np.zeros((2, 2)), Q=np.eye(2), T=np.eye(2))
    sim = tsphys.simulate(tsphys.TwoLayer(), N=100, t=t, replicas=2, start=start)
    assert tsphys.compare(sim, tsphys.solve(tsphys.TwoLayer(), t=t, start=start)).differ == ()
