"""Self-distillation: published numbers, ends of rounds and ridges, the best mixing, and descent to every fit."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import SelfDistillation
from tsphys.physics.flows.resolvents import Spectrum
from tsphys.replica.self_distillation import best_mixing, errors, for_ever
from tsphys.sims.engines.gradient import DeepLinear, flow


def model(gamma, variance, ridge, **more):
    return SelfDistillation(alpha=1 / gamma, noise=variance**0.5, ridge=ridge, **more)


@pytest.mark.parametrize("here, expected", [
    (model(0.5, 0.5, 0.05, mixing=1), (0.3731, 0.3121, 0.2872, 0.2823)),
    (model(1.5, 0.3, 0.1, mixing=0.5), (0.6552, 0.6107, 0.5992)),
    (model(1.5, 0.3, 0.1, mixing=-0.5), (0.6552, 0.7163)),
])  # fmt: skip
def test_published_numbers(here, expected):
    """Excess risks, which are twice eps_g, of round after round."""
    found = 2 * tsphys.solve(here, rounds=range(len(expected)))["eps_g"]
    np.testing.assert_allclose(found, expected, atol=6e-5)


@pytest.mark.parametrize("ridge, xi, excess", [
    (0.1, 1.59281, 0.571065), (0.3, 0.407080, 0.564692), (1, -0.794798, 0.565356), (0.45, 0, 0.564643),
])  # fmt: skip
def test_published_best_mixing(ridge, xi, excess):
    found = best_mixing(model(1.5, 0.3, ridge))
    assert found[0] == pytest.approx(xi, abs=6e-6)
    assert 2 * found[1] == pytest.approx(excess, abs=6e-7)


def test_mixing_never_beats_the_best_ridge():
    """That is λ* = γσ², where there is nothing to mix; below it the best mixing is positive, above it negative."""
    for gamma, variance in ((0.5, 0.5), (1.5, 0.3), (1, 1)):
        least = errors(model(gamma, variance, gamma * variance), [])["eps_g"]
        for ridge in gamma * variance * np.geomspace(1e-3, 1e3, 9):
            xi, found = best_mixing(model(gamma, variance, ridge))
            assert found >= least * (1 - 1e-9)
            assert np.sign(xi) == np.sign(gamma * variance - ridge) or abs(ridge / (gamma * variance) - 1) < 1e-9
            assert errors(model(gamma, variance, ridge), [xi])["eps_g"] == pytest.approx(found, rel=1e-8)
        for xi in (-0.5, 0.5, 2):
            two = best_mixing(model(gamma, variance, 0.2, rounds=2, mixing=xi))[1]
            assert two >= least * (1 - 1e-9)


def test_best_mixing_where_it_hardly_matters():
    """For λ → ∞ all l stand for themselves: ξ = (σ²γ − λ)⟨l⟩/⟨l(l + σ²γ)⟩ = (σ²γ − λ)/(1 + γ + σ²γ)."""
    found = best_mixing(model(0.5, 0.5, 1e8))
    assert found[0] == pytest.approx(-1e8 / 1.75, rel=1e-6)
    # It is the least there is: what one step of descent from w = 0 along the gradient reaches.
    assert 2 * found[1] == pytest.approx(1 - 1 / 1.75, rel=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_rounds_for_ever_are_a_ridge(alpha):
    here = SelfDistillation(alpha=alpha, mixing=0.6)
    last = tsphys.solve(here, rounds=[400])
    for name, value in for_ever(here).items():
        assert last[name][0] == pytest.approx(value, rel=1e-9)
    # Of its own answers alone nothing stays in the end: every round shrinks them by l/(l + λ).
    gone = tsphys.solve(SelfDistillation(alpha=alpha, mixing=1, ridge=10), rounds=[1000])
    assert gone["q"][0] < 1e-30
    assert gone["eps_g"][0] == pytest.approx(0.5)


def test_least_squares_and_nothing_at_ends_of_the_ridge():
    """σ²/(α − 1) and (1 − α) + σ²α/(1 − α), twice eps_g, to first order in the least λ; nothing at the largest."""
    for alpha, excess in ((3.0, 0.25 / 2), (0.5, 0.5 + 0.25)):
        ends = tsphys.solve(SelfDistillation(alpha=alpha, rounds=2), ridge=[1e-8, 1e8])
        np.testing.assert_allclose(2 * ends["eps_g"], [excess, 1], rtol=1e-6)
    assert ends["train_loss"][0] < 1e-12


@pytest.mark.parametrize("gamma", [0.4, 1.0, 2.5])
def test_average_around_the_spectrum(gamma):
    """The same by Cauchy's formula from the resolvent κ/(z(1 − κ)), on a contour that passes −λ at −λ/2."""
    here, data = model(gamma, 0.3, 0.2), Spectrum.white(gamma)

    def integrand(z, kappa):
        g = 1 / (z + 0.2)
        for xi in (0.7, -1.5):
            g = (1 - xi + xi * z * g) / (z + 0.2)
        return np.stack([(1 - z * g) ** 2, 0.3 * gamma * z * g**2]) * kappa / (z * (1 - kappa))

    found = data.average(integrand, data.kappa(-0.1), 1.5 * data.edges()[1]).sum()
    assert found == pytest.approx(2 * errors(here, [0.7, -1.5])["eps_g"], rel=1e-9)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_simulation_on_theory(alpha):
    here = SelfDistillation(alpha=alpha, mixing=0.8)
    sim = tsphys.simulate(here, rounds=[0, 1, 4], N=200, replicas=24, seed=1)
    found = tsphys.compare(sim, tsphys.solve(here, rounds=[0, 1, 4]))
    assert found.max_abs_z < found.threshold, found
    assert tsphys.compare(sim, tsphys.solve(SelfDistillation(alpha=alpha, mixing=0.3), rounds=[0, 1, 4])).verdict == (
        "disagree"
    )


def test_every_fit_is_where_descent_ends():
    """Linear nets with a decay, by gradient flow: after t = 60/λ nothing moves, to the flow's tolerance."""
    here, N = SelfDistillation(alpha=1.5, rounds=2, mixing=0.7, ridge=0.5), 20
    sim = tsphys.simulate(here, N=N, replicas=1, seed=2)
    rng = tsphys.numerics.random.generator(2, 0, "examples")
    X = rng.standard_normal((30, N))
    y = X[:, 0] + 0.5 * rng.standard_normal(30)
    labels = y
    for _ in range(3):
        net = DeepLinear((N, 1), X.T @ X / 30, labels[None] @ X / 30, "l2", 0.5)
        (w,) = flow(net, np.zeros(N), np.array([120.0]), rtol=1e-9)
        labels = 0.3 * y + 0.7 * X @ w
    assert sim["m"][0, 0] == pytest.approx(w[0], abs=1e-7)
    assert sim["q"][0, 0] == pytest.approx(w @ w, abs=1e-7)
    assert sim["eps_g"][0, 0] == pytest.approx(0.5 * (w @ w - 2 * w[0] + 1), abs=1e-7)
    assert sim["train_loss"][0, 0] == pytest.approx(0.5 * np.mean((y - X @ w) ** 2), abs=1e-7)


def test_refusals():
    refuses(lambda: SelfDistillation(mixing=10.0, rounds=101), "rounds")
    refuses(lambda: SelfDistillation(ridge=0.0), "ridge")
    refuses(lambda: best_mixing(SelfDistillation(rounds=0)), "rounds")
    refuses(lambda: for_ever(SelfDistillation(mixing=1.0)), "mixing")
    refuses(lambda: tsphys.simulate(SelfDistillation(alpha=1e-3), N=20), "alpha")
    refuses(lambda: tsphys.simulate(SelfDistillation(), N=10**9), "N")
