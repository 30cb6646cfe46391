"""Wrong labels: published numbers, limits, sum rules, and plain gradient descent."""

import numpy as np
import pytest
from scipy.special import ndtr

import tsphys
from tests.refusal import refuses
from tsphys import LabelNoise
from tsphys.odes.label_noise import onset, state

NAMES = ("m", "q", "accuracy", "train_loss", "clean", "flipped")
HARD = LabelNoise(alpha=1 / 1.2, distance=2**0.5, flips=0.4)


@pytest.mark.parametrize("model, t, expected", [
    (LabelNoise(), 0.1, (0.1848, 0.0124, 0.9516, 0.7474, 0.9816, 0.8909)),
    (LabelNoise(), 1, (0.4510, 0.1674, 0.8648, 0.4522, 0.9709, 0.5844)),
    (LabelNoise(), 10, (0.4782, 0.6389, 0.7252, 0.3583, 0.9560, 0.2912)),
    (HARD, 0.1, (0.0327, 0.0102, 0.6270, 0.7948, 0.9275, 0.2088)),
    (HARD, 1, (0.1025, 0.2799, 0.5768, 0.3052, 0.9693, 0.0641)),
    (HARD, 10, (0.1206, 1.5929, 0.5381, 0.0538, 1.0, 0.0)),
])  # fmt: skip
def test_published_numbers(model, t, expected):
    """To their digits; the mean squared error is twice the training loss."""
    found = tsphys.solve(model, t=[t])
    values = [found[name][0] * (2 if name == "train_loss" else 1) for name in NAMES]
    np.testing.assert_allclose(values, expected, atol=6e-5)


@pytest.mark.parametrize("model", [LabelNoise(), HARD, LabelNoise(alpha=1)])
def test_first_and_last(model):
    early = tsphys.solve(model, t=[0, 1e-6])
    rho, nu2 = 1 - 2 * model.flips, model.distance**2
    assert (early["accuracy"][0], early["clean"][0], early["train_loss"][0]) == (0.5, 0.5, 0.5)
    assert early["accuracy"][1] == pytest.approx(ndtr(rho * nu2 / np.sqrt(rho**2 * nu2 + 1 / model.alpha)), abs=1e-5)
    late = tsphys.solve(model, t=[1e3, 1e5])
    # Least squares; it fits all labels where dimensions are no fewer than examples.
    if model.alpha <= 1:
        assert late["train_loss"][1] < 1e-3
        assert (late["clean"][1], late["flipped"][1]) == (pytest.approx(1, abs=1e-6), pytest.approx(0, abs=1e-6))
    else:
        np.testing.assert_allclose(late["q"][0], late["q"][1], rtol=1e-6)
        # The least loss is that of α > 1 Gaussian inputs, (1 − 1/α) of what the best student leaves of the labels.
        best = 1 - rho**2 * nu2 / (1 + nu2)
        assert late["train_loss"][1] == pytest.approx(0.5 * best * (1 - 1 / model.alpha), rel=1e-8)


@pytest.mark.parametrize("alpha, distance, flips, t", [
    (0.5, 2.0, 0.2, [85, 100, 1e3, 1e300]), (0.2, 2.0, 0.2, [15, 50]), (0.1, 2.0, 0.2, [10, 20, 50, 100]),
    (0.1, 1.5, 0.3, [5, 10, 20, 30]), (0.9, 1.5, 0.3, [1e5]), (0.5, 2.0, 0.5, [100]), (0.2, 2.0, 0.0, [15, 50]),
])  # fmt: skip
def test_all_labels_are_known_by_heart(alpha, distance, flips, t):
    """Next to nothing is left of the slowest mode, so that answers are labels, with a variance that rounding hides."""
    assert np.exp(-((1 - alpha**-0.5) ** 2) * min(t)) < 1e-6
    found = tsphys.solve(LabelNoise(alpha=alpha, distance=distance, flips=flips), t=t)
    assert (found["clean"] == 1).all()
    assert flips == 0 or (found["flipped"] == 0).all()
    sim = tsphys.simulate(LabelNoise(alpha=alpha, distance=distance, flips=flips), N=100, t=t, replicas=2)
    assert (sim["clean"] == 1).all()
    assert flips == 0 or (sim["flipped"] == 0).all()


def test_times_whose_squares_are_none():
    """Of the first step only the direction counts, however short it is."""
    found = tsphys.solve(LabelNoise(), t=[1e-300, 1e-160, 1e-9])
    for name in ("accuracy", "clean", "flipped"):
        np.testing.assert_allclose(found[name], found[name][-1], atol=1e-8)


def test_onset_is_where_half_are_known_by_heart():
    at = onset(LabelNoise())
    assert tsphys.solve(LabelNoise(), t=[at])["flipped"][0] == pytest.approx(0.5, abs=1e-6)
    assert onset(HARD) == 0
    assert onset(LabelNoise(alpha=100, distance=3)) == np.inf
    refuses(lambda: onset(LabelNoise(flips=0)), "flips")


def test_answers_add_up():
    """Means of clean and flipped answers give ⟨uy⟩, which with ⟨u²⟩ gives the loss by another way."""
    at = state(LabelNoise(), 2.0)
    rho = 0.6
    clean, flipped = at["true"] + at["own"] * (1 - rho), at["true"] - at["own"] * (1 + rho)
    square = at["spread"] + 0.8 * clean**2 + 0.2 * flipped**2
    assert 0.5 * (1 - 2 * (0.8 * clean - 0.2 * flipped) + square) == pytest.approx(at["train_loss"], abs=1e-10)


def test_simulation_is_gradient_descent():
    """Small steps on the same examples; the error of Euler's steps is of order η."""
    model, N, t, lr = LabelNoise(alpha=1.5, flips=0.1), 40, [0.5, 2.0], 1e-3
    sim = tsphys.simulate(model, N=N, t=t, replicas=1, seed=3)
    rng = tsphys.numerics.random.generator(3, 0, "examples")
    truth = rng.choice([-1.0, 1.0], 60)
    X = rng.standard_normal((60, N))
    X[:, 0] += 2 * truth
    y, w, wrong = truth.copy(), np.zeros(N), rng.permutation(60)[:6]
    y[wrong] *= -1
    for step in range(2001):
        if step * lr in t:
            k, u = t.index(step * lr), X @ w
            assert sim["m"][0, k] == pytest.approx(2 * w[0], abs=3 * lr)
            assert sim["q"][0, k] == pytest.approx(w @ w, abs=3 * lr)
            assert sim["train_loss"][0, k] == pytest.approx(0.5 * np.mean((y - u) ** 2), abs=3 * lr)
            assert sim["flipped"][0, k] == pytest.approx(np.mean(u[wrong] * truth[wrong] > 0), abs=1e-12)
        w = w + lr * X.T @ (y - X @ w) / 60


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_simulation_on_theory(alpha):
    """Also where the examples that are told wrong, or right, are one in all runs, or none."""
    model, t = LabelNoise(alpha=alpha), [0.2, 1.0, 4.0]
    theory = tsphys.solve(model, t=t)
    for seed in range(2, 6):
        sim = tsphys.simulate(model, N=300, t=t, replicas=16, seed=seed)
        found = tsphys.compare(sim, theory)
        assert found.max_abs_z < found.threshold, found
    wrong = tsphys.solve(LabelNoise(alpha=alpha, flips=0.3), t=t)
    assert tsphys.compare(sim, wrong).verdict == "disagree"
    if alpha == 3:
        for name in ("clean", "flipped"):
            assert tsphys.compare(sim, wrong, observables=[name]).verdict == "disagree"


def test_answers_are_normal_in_a_class():
    """Of one instance, by Kolmogorov and Smirnov, at the theory's moments up to what an instance fluctuates by."""
    from scipy.stats import kstest

    rng, n, N, t = np.random.default_rng(0), 1200, 600, 1.0
    truth = rng.choice([-1.0, 1.0], n)
    X = rng.standard_normal((n, N))
    X[:, 0] += 2 * truth
    y = np.where(np.arange(n) < 240, -truth, truth)
    rates, vectors = np.linalg.eigh(X @ X.T / n)
    u = (vectors @ ((1 - np.exp(-rates * t)) * (vectors.T @ y)) * truth)[240:]
    assert kstest((u - u.mean()) / u.std(), "norm").pvalue > 1e-3
    at = state(LabelNoise(), t)
    assert u.mean() == pytest.approx(at["true"] + 0.4 * at["own"], abs=0.05)
    assert u.var() == pytest.approx(at["spread"], rel=0.25)


def test_without_wrong_labels_nothing_is_flipped():
    model = LabelNoise(flips=0)
    assert "flipped" not in tsphys.solve(model, t=[1]).observables
    assert "flipped" not in tsphys.simulate(model, N=20, t=[1], replicas=1).observables


def test_refusals():
    refuses(lambda: LabelNoise(flips=0.6), "flips")
    refuses(lambda: tsphys.simulate(LabelNoise(flips=1e-4), N=20, t=[1]), "flips")
    refuses(lambda: tsphys.simulate(LabelNoise(alpha=1e-3), N=20, t=[1]), "alpha")
    refuses(lambda: tsphys.simulate(LabelNoise(), N=10**9, t=[1]), "N")
