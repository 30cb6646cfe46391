"""Votes of many clients: published numbers, the bias of majorities, limits, averages drawn plainly, runs."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import Votes
from tsphys.odes.votes import decided, gain, rates, steady
from tsphys.sims.votes import learn


@pytest.mark.parametrize("clients, malicious, lr, noise, vote, mean", [
    (1, 0, 0.2, 0.3, (0.404719, 0.252954, 0.113151), (0.350350, 0.173100, 0.062086)),
    (5, 0, 0.3, 0.3, (0.256081, 0.048718, 0.023446), (0.280004, 0.088384, 0.016569)),
    (5, 1, 0.3, 0.3, (0.356772, 0.167719, 0.063054), (0.355860, 0.180738, 0.066303)),
    (11, 3, 0.3, 0.0, (0.331958, 0.118798, 0.024506), (0.383777, 0.226099, 0.102241)),
])  # fmt: skip
def test_published_numbers(clients, malicious, lr, noise, vote, mean):
    """To 1e-6, as they were integrated."""
    for server, expected in (("vote", vote), ("mean", mean)):
        model = Votes(clients=clients, malicious=malicious, server=server, lr=lr, noise=noise)
        np.testing.assert_allclose(tsphys.solve(model, t=[1, 3, 6])["eps_g"], expected, rtol=0, atol=1.1e-6)


@pytest.mark.parametrize("malicious, expected", [
    (0, (0.28236, 0.22391, 0.67108, 0.51455, 0.93513, 0.92307)),
    (1, (0.21133, 0.22042, 0.49144, 0.37317, 0.80243, 0.73497)),
])  # fmt: skip
def test_published_numbers_of_erf_units(malicious, expected):
    theory = tsphys.solve(Votes(malicious=malicious, lr=0.2, activation="erf", R=0.1, Q=0.2), t=[1, 4, 10])
    np.testing.assert_allclose(np.stack([theory["R"], theory["Q"]], 1).ravel(), expected, rtol=0, atol=6e-6)


def test_published_steady_states():
    expected = {(1, 0): 0.051850, (5, 0): 0.023206, (5, 1): 0.044241, (11, 0): 0.015087, (11, 3): 0.039317}
    for (clients, malicious), value in expected.items():
        model = Votes(clients=clients, malicious=malicious)
        assert abs(steady(model) - value) < 1e-6
        assert tsphys.solve(model, t=[200])["eps_g"][0] == pytest.approx(value, abs=1e-6)


def test_loud_clients_break_the_mean_and_not_the_vote():
    """Drift (M − 1 − c)/M: at c = M − 1 it is gone."""
    for loudness, finite in ((3.0, True), (4.0, False)):
        assert np.isfinite(steady(Votes(malicious=1, server="mean", loudness=loudness, lr=0.01))) is np.bool_(finite)
    model = Votes(malicious=1, server="mean", loudness=3.0, lr=0.1)
    assert tsphys.solve(model, t=[2000])["eps_g"][0] == pytest.approx(steady(model), rel=1e-6)
    assert steady(Votes(clients=4, malicious=2)) == steady(Votes(clients=4, malicious=2, server="mean")) == np.inf
    assert not np.diff(tsphys.solve(Votes(clients=2, malicious=1, noise=0), t=[0, 1])["R"]).any()


@pytest.mark.parametrize("clients", range(1, 8))
def test_majorities_of_coins_by_enumeration(clients):
    """Bias to first order in δ, and how often there is a majority."""
    delta, bias, moved = 1e-4, 0.0, 0.0
    for coins in product((-1, 1), repeat=clients):
        bias += np.prod([(1 + c * delta) / 2 for c in coins]) * np.sign(sum(coins))
        moved += 0.5**clients * abs(np.sign(sum(coins)))
    # The third order is δ³ times some units.
    assert gain(clients) == pytest.approx(bias / delta, rel=1e-6)
    assert decided(clients) == pytest.approx(moved, abs=1e-12)


def test_many_clients():
    assert gain(10_001) == pytest.approx(np.sqrt(2 * 10_001 / np.pi), rel=1e-4)
    assert decided(10_000) == pytest.approx(1 - np.sqrt(2 / np.pi / 10_000), rel=1e-4)


@pytest.mark.parametrize("server", ["vote", "mean"])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.5])
def test_rates_of_erf_units_by_quadrature(server, noise):
    """Over ν and what λ has beside it, by a trapezoidal rule of many points."""
    from scipy.special import erf

    R, Q, eta = 0.4, 0.5, 0.7
    x = np.linspace(-8, 8, 1601)
    w = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    nu, z = np.meshgrid(x, x, indexing="ij")
    lam, weight = R * nu + np.sqrt(Q - R**2) * z, np.outer(w, w)
    e, slope = erf(nu / 2**0.5) - erf(lam / 2**0.5), np.sqrt(2 / np.pi) * np.exp(-0.5 * lam**2)
    model = Votes(clients=3, malicious=1, server=server, activation="erf", lr=eta, noise=noise)
    if server == "vote":
        c = gain(3) / 3 * np.sqrt(2 / np.pi) * (erf(e / 2**0.5 / noise) if noise else np.sign(e))
        square = 1.0
    else:
        c, square = e * slope / 3, np.sum(weight * slope**2 * (e**2 + noise**2)) / 3
    expected = eta * np.sum(weight * c * nu), 2 * eta * np.sum(weight * c * lam) + eta**2 * square
    # Signs that jump cost the rule a step of 0.01 squared.
    np.testing.assert_allclose(rates(model, R, Q), expected, rtol=0, atol=1e-8 if noise > 0.1 else 2e-4)


@pytest.mark.parametrize("model", [
    Votes(malicious=1),
    Votes(clients=4),
    Votes(server="mean", malicious=1, loudness=2, activation="erf", R=0.1, Q=0.2),
])  # fmt: skip
def test_runs_lie_on_the_theory(model):
    t = [0.5, 1.0, 3.0]
    sim = tsphys.simulate(model, t=t, N=300, replicas=12, seed=2)
    found = tsphys.compare(sim, tsphys.solve(model, t=t))
    assert found.ok, found
    assert sim["R"].shape == (12, 3)


@pytest.mark.parametrize("server", ["vote", "mean"])
@pytest.mark.parametrize("linear", [True, False])
def test_steps_are_those_of_the_definition(server, linear):
    """An input 0 has no vote, nor has a client that is right to the last digit."""
    N, M, rng = 7, 4, np.random.default_rng(0)
    w, teacher, drawn = rng.standard_normal(N), rng.standard_normal(N), rng.standard_normal((5, M * (N + 1)))
    drawn[1, :3], drawn[2, N : 2 * N], drawn[2, M * N + 1] = 0.0, 0.0, 0.0
    honest, weight, slow = np.array([-1.0, 1.0, 1.0, 1.0]), np.array([-2.0, 1.0, 1.0, 1.0]) / M, w.copy()
    g, slope = (lambda x: x, np.ones_like) if linear else (lambda x: 2 * stats.norm.cdf(x) - 1,
                                                           lambda x: 2 * stats.norm.pdf(x))  # fmt: skip
    for row in drawn:
        x, zeta = row[: M * N].reshape(M, N), row[M * N :]
        lam = x @ slow / np.sqrt(N)
        e = g(x @ teacher / np.sqrt(N)) + 0.3 * zeta - g(lam)
        step = np.sign((honest * np.sign(e)) @ np.sign(x)) if server == "vote" else (weight * e * slope(lam)) @ x
        slow += 0.2 / np.sqrt(N) * step
    learn(w, teacher, drawn, honest, weight, server == "vote", linear, 0.3, 0.2)
    np.testing.assert_allclose(w, slow, rtol=0, atol=1e-13)


def test_starts_have_exactly_their_overlaps():
    sim = tsphys.simulate(Votes(R=0.3, Q=0.5), t=[0.0], N=20, replicas=2)
    np.testing.assert_allclose(sim["R"], 0.3, atol=1e-12)
    np.testing.assert_allclose(sim["Q"], 0.5, atol=1e-12)


def test_what_runs_away_says_when():
    model = Votes(server="mean", malicious=4, loudness=30, lr=2)
    for call in (
        lambda: tsphys.simulate(model, t=[1.0, 50.0], N=20, replicas=1),
        lambda: tsphys.solve(model, t=[50.0]),
    ):
        with pytest.raises(tsphys.DivergedError) as caught:
            call()
        assert 0 < caught.value.t <= 50
    for server in ("vote", "mean"):
        with pytest.raises(tsphys.DivergedError):
            tsphys.simulate(Votes(server=server, lr=1e300), t=[1.0], N=20, replicas=1)


@pytest.mark.parametrize("given, name", [
    ({"malicious": 6}, "malicious"),
    ({"loudness": 2}, "loudness"),
    ({"R": 0.5}, "R"),
    ({"clients": 0}, "clients"),
])  # fmt: skip
def test_bad_parameters(given, name):
    refuses(lambda: Votes(**given), name)
    refuses(lambda: steady(Votes(activation="erf")), "activation")
    for clients in (0, 2.5, [1, 3]):
        refuses(lambda clients=clients: gain(clients), "clients")


def test_what_is_known_by_hand():
    passes("votes", "by hand")
