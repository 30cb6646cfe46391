"""Weight theft: published numbers of each law of queries, symmetries, runs."""

import numpy as np
import pytest
from scipy.special import erf

import tsphys
from tests.refusal import refuses
from tests.wide import each
from tsphys import OrderParameters, WeightTheft
from tsphys.numerics.random import generator
from tsphys.odes import weight_theft as odes
from tsphys.runs import memory
from tsphys.sims import weight_theft as sims

PAIR = {"R": [[0.12, 0.02], [-0.05, 0.1]], "Q": [[0.3, 0.05], [0.05, 0.25]], "T": [[1, 0.2], [0.2, 1]]}
PAIR |= {"v_star": (1, 1.2)}
T = [1, 4, 15]


def raw(**given):
    return WeightTheft(K=1, M=1, queries="raw", **given)


@pytest.mark.parametrize("tau, eps_query, eps_g, R11", [
    (0.5, (0.2302421, 0.0660031, 0.0157061), (0.3172438, 0.1077774, 0.0180507), (0.6454678, 0.6229743)),
    (0.8, (0.1506704, 0.0669312, 0.0214763), (0.3918270, 0.2334973, 0.0686580), (0.7257680, 0.5404072)),
])  # fmt: skip
def test_published_numbers_of_chains(tau, eps_query, eps_g, R11):
    theory = tsphys.solve(WeightTheft(tau=tau, **PAIR), t=T)
    np.testing.assert_allclose(theory["eps_query"], eps_query, rtol=0, atol=1e-6)
    np.testing.assert_allclose(theory["eps_g"], eps_g, rtol=0, atol=1e-6)
    np.testing.assert_allclose([theory["R_query"][2, 0, 0], theory["R"][2, 0, 0]], R11, rtol=0, atol=1e-6)
    other = tsphys.solve(WeightTheft(tau=-tau, **PAIR), t=T)
    for name in ("eps_query", "eps_g"):
        np.testing.assert_allclose(other[name], theory[name], rtol=1e-8)


def test_independent_queries_are_natural_inputs():
    """To 1e-7 as published; the same for all laws, and as two-layer networks learn."""
    start = OrderParameters(**{k: PAIR[k] for k in "RQT"}, v_star=PAIR["v_star"])
    plain = tsphys.solve(tsphys.TwoLayer(lr=0.5, noise=0.1, v_star=PAIR["v_star"]), start=start, t=T)["eps_g"]
    np.testing.assert_allclose(plain, (0.2813754, 0.0528681, 0.0144829), rtol=0, atol=1e-7)
    for given in ({"queries": "signs"}, {"queries": "bernoulli", "p": 0.1}, {"tau": 0.0}):
        theory = tsphys.solve(WeightTheft(**given, **PAIR), t=T)
        np.testing.assert_allclose(theory["eps_query"], plain, rtol=1e-7)
        np.testing.assert_array_equal(theory["eps_g"], theory["eps_query"])


@pytest.mark.parametrize("p, lr, noise, E, offset", [
    (0.5, 0.8, 0.3, (0.8641, 0.4472, 0.1130), (0.136, 0.090, 0.053)),
    (0.8, 1.0, 0.3, (0.9336, 0.5632, 0.1940), (0.176, 0.132, 0.089)),
    (0.2, 2.0, 0.1, (0.7172, 0.2550, 0.0294), (0.130, 0.053, 0.015)),
    (0.5, 2.5, 0.0, (0.6138, 0.1570, 0.0052), (0.279, 0.071, 0.0024)),
])  # fmt: skip
def test_published_numbers_of_a_linear_thief(p, lr, noise, E, offset):
    """From E = 1.2138 at t = 0, which the drawn weights had that the numbers were made with."""
    model = raw(activation="linear", p=p, lr=lr, noise=noise, R=[[0.0]], Q=[[0.2138]])
    theory = tsphys.solve(model, t=[1, 3, 8])
    np.testing.assert_allclose(theory["Q"][:, 0, 0] - 2 * theory["R"][:, 0, 0] + 1, E, rtol=0, atol=1.1e-4)
    np.testing.assert_allclose(theory["offset"], offset, rtol=0, atol=6e-4)


@pytest.mark.parametrize("p, lr, noise, mean_star, R, Q, S", each([
    (0.3, 1, 0.1, 0.7, (0.2812, 0.6858, 0.9761), (0.2809, 0.5154, 0.9584), (0.699, 0.077)),
    (0.5, 2, 0.0, 1.5, (0.3626, 0.8184, 0.9957), (0.3163, 0.6901, 0.9914), (1.498, 0.001)),
    (0.1, 3, 0.1, -0.5, (0.3475, 0.8061, 0.9990), (0.3092, 0.6883, 1.0146), (-0.506, 0.14)),
], fast=[0.1, 0.5]))  # fmt: skip
def test_published_numbers_of_the_chain_of_overlaps(p, lr, noise, mean_star, R, Q, S):
    """The exact chain at N = 40 000, 24 runs: five standard errors of 2e-4, which those of Q are given by too."""
    model = raw(p=p, lr=lr, noise=noise, mean=0.2, mean_star=mean_star, R=[[0.1]], Q=[[0.3]])
    theory = tsphys.solve(model, t=[2, 10, 40])
    np.testing.assert_allclose(theory["R"][:, 0, 0], R, rtol=0, atol=1e-3)
    np.testing.assert_allclose(theory["Q"][:, 0, 0], Q, rtol=0, atol=1e-3)
    # Of 24 runs the mean has a fifth of the deviation as its error, the deviation a seventh of itself.
    assert abs(theory["S"][-1, 0] - S[0]) < 4 * S[1] / 24**0.5 + 3e-3
    assert abs(theory["offset"][-1] ** 0.5 - S[1]) < 4 * S[1] / 48**0.5 + 2e-3


def test_a_mean_that_runs_away_at_once_is_refused_and_one_that_takes_its_time_runs():
    """ηp² < 2 is needed by the fast mode, ηp < 2 by the error."""
    errors = [
        tsphys.solve(raw(activation="linear", p=0.8, lr=lr, R=[[0]], Q=[[0.25]]), t=[0, 12])["eps_g"]
        for lr in (2.3, 2.7)
    ]
    assert errors[0][1] < errors[0][0]
    assert errors[1][1] > 10 * errors[1][0]
    refuses(lambda: tsphys.solve(raw(activation="linear", p=0.8, lr=3.2), t=[1]), "lr")


@pytest.mark.parametrize("queries, given", [
    ("signs", {}), ("bernoulli", {"p": 0.3}), ("raw", {"p": 0.3, "K": 1, "M": 1}), ("chain", {"tau": -0.6}),
])  # fmt: skip
def test_queries_have_their_law(queries, given):
    """Means and covariances of neighbours of 2000 queries of 50 sites, to five standard errors."""
    model, x = WeightTheft(queries=queries, **given), np.empty((2000, 50))
    sims.drawn(model, np.ones((1, 50)))(None, generator(1, 0, "test"), x)
    p = given.get("p", 0.5)
    mean, power = (p, p) if queries == "raw" else (0, 1)
    pair = {"chain": -0.6, "raw": p * p}.get(queries, 0.0)
    assert abs(x.mean() - mean) < 5 / 1e5**0.5
    assert abs((x**2).mean() - power) < 5 * (3 / 1e5) ** 0.5
    assert abs((x[:, :-1] * x[:, 1:]).mean() - pair) < 5 * (3 / 1e5) ** 0.5


def test_overlaps_along_the_chain_are_those_of_its_covariance():
    W = np.random.default_rng(0).standard_normal((3, 20))
    i = np.arange(20)
    np.testing.assert_allclose(sims.along_chain(W, -0.7), W @ (-0.7) ** np.abs(i[:, None] - i), atol=1e-12)


@pytest.mark.parametrize("model", [
    WeightTheft(tau=0.7, **PAIR),
    raw(p=0.4, lr=1.5, R=[[0.1]], Q=[[0.3]], mean=0.2, mean_star=0.7),
])  # fmt: skip
def test_runs_lie_on_the_theory(model):
    t = [1.0, 3.0, 8.0]
    sim, theory = tsphys.simulate(model, t=t, N=600, replicas=16, seed=2, n_test=500), tsphys.solve(model, t=t)
    # Of 16 runs the error is a quarter of their spread, which is of order one at most; a bias is some 1/600.
    found = tsphys.compare(sim, theory, finite_size=False)
    assert found.ok, found
    # What is measured on queries is what is told of the same runs, to 5 errors of 8000 of them.
    np.testing.assert_allclose(sim.mean("eps_test"), sim.mean("eps_query"), rtol=5 * (4 / 8000) ** 0.5)
    begun = tsphys.simulate(model, t=[0.0], N=30, replicas=2)
    np.testing.assert_allclose(begun["R"][:, 0], np.broadcast_to(model.R, begun["R"][:, 0].shape), atol=1e-12)


def test_bad_parameters():
    refuses(lambda: WeightTheft(p=0.3), "p")
    refuses(lambda: WeightTheft(queries="signs", tau=0.2), "tau")
    refuses(lambda: WeightTheft(queries="raw"), "K")
    refuses(lambda: raw(activation="relu"), "activation")
    refuses(lambda: WeightTheft(R=[[1.0]]), "R")
    refuses(lambda: WeightTheft(**{**PAIR, "Q": [[0.0, 0], [0, 0]]}), "R")


@pytest.mark.parametrize("tau", [5e-324, -1e-300, 1e-17])
def test_a_chain_of_correlations_below_rounding_is_one_of_signs(tau):
    chain, signs = (
        tsphys.solve(WeightTheft(**given), t=[0, 2]) for given in ({"tau": tau, **PAIR}, {"queries": "signs", **PAIR})
    )
    for name in signs.observables:
        np.testing.assert_allclose(chain[name], signs[name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "given, name", [({"tau": np.nextafter(1, 0)}, "tau"), ({"K": 10_000}, "K"), ({"M": 10_000}, "M")]
)
def test_what_does_not_fit_is_refused_before_any_work(given, name, monkeypatch):
    monkeypatch.setattr(memory, "memory", lambda: 2.0**33)
    monkeypatch.setattr(
        OrderParameters, "__post_init__", lambda _: pytest.fail("eigenvalues of all units take minutes")
    )
    refuses(lambda: tsphys.solve(WeightTheft(**given), t=[0, 1]), name)
    if name != "tau":
        refuses(lambda: tsphys.simulate(WeightTheft(**given), N=24, t=[0, 1]), "N")


def frozen(p, lr, noise, mean_star, R, Q, walkers=2000, steps=900):
    """⟨S⟩, ⟨(S − S*)²⟩, dR/dt, dQ/dt at fixed overlaps by plain iteration of the mean, and their standard errors."""
    rng, v, S = np.random.default_rng(0), p * (1 - p), np.full(walkers, mean_star)
    sums, first = np.zeros((4, walkers)), steps // 3
    for step in range(steps):
        eta = np.sqrt(v) * rng.standard_normal(walkers)
        own = R * eta + np.sqrt((Q - R * R) * v) * rng.standard_normal(walkers)
        delta = erf((p * S + own) / np.sqrt(2)) - erf((p * mean_star + eta) / np.sqrt(2))
        slope = np.sqrt(2 / np.pi) * np.exp(-0.5 * (p * S + own) ** 2)
        c = -lr * slope * (delta - noise * rng.standard_normal(walkers))
        if step >= first:
            sums += [S, (S - mean_star) ** 2, c * eta, 2 * c * own + v * c * c]
        S = S + p * c
    sums /= steps - first
    return sums.mean(axis=1), sums.std(axis=1, ddof=1) / walkers**0.5


@pytest.mark.parametrize(
    ("p", "lr", "noise", "mean_star"),
    [(0.7, 2.0, 0.3, 1.0), (0.9, 1.0, 0.1, 2.0), (0.7, 1.0, 0.1, 2.5), (0.7, 2.6, 0.1, 0.0), (0.95, 1.8, 0.3, 0.0)],
)
def test_the_law_of_the_mean_is_that_of_its_chain(p, lr, noise, mean_star):
    """Where steps are large, or units almost saturated at the mean of the victim."""
    model = raw(p=p, lr=lr, noise=noise, mean_star=mean_star, R=[[0.1]], Q=[[0.3]])
    found = np.array(odes.fast(model, 0.1, 0.3))
    expected, error = frozen(p, lr, noise, mean_star, 0.1, 0.3)
    # Twenty numbers.
    assert np.abs((found[:4] - expected) / error).max() < 4.5
    np.testing.assert_allclose(odes.fast(model, 0.1, 0.3, 2 * odes.VALUES), found, rtol=0, atol=3e-7)


@pytest.mark.parametrize("mean_star", [7.0, 15.0, 30.0, 45.0])
def test_a_mean_that_hardly_returns_raises(mean_star):
    with pytest.raises(tsphys.ConvergenceError, match="lr = 5"):
        odes.fast(raw(p=0.95, lr=5.0, noise=0.3, R=[[0.1]], Q=[[0.3]]), 0.1, 0.3)
    with pytest.raises(tsphys.ConvergenceError, match=f"mean_star = {mean_star:g}"):
        odes.fast(raw(p=0.7, lr=0.5, noise=0.1, mean_star=mean_star, R=[[0.1]], Q=[[0.3]]), 0.1, 0.3)
