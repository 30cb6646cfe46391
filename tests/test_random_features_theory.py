"""Random features in theory: published numbers, limits, and two other ways to the same errors."""

import dataclasses

import numpy as np
import pytest
from naive.ridge import ridge_regression
from scipy import special

import tsphys
from tsphys import KernelRidge, RandomFeatures
from tsphys.physics.inference.channels import channel
from tsphys.physics.kernels.hermite import activate, parts
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.replica import kernel_ridge
from tsphys.replica.random_features import effective_ridge, law, optimal_ridge, solve, surplus
from tsphys.replica.saddles.gaussian_covariates import Covariates, minimum
from tsphys.validation.free_energies import square_loss

#: (p/N, n/N, λ): mean squared error of tanh features with σ = 0.3, without noise.
REFERENCE = {(1.5, 3, 1e-3): 0.2977, (3, 3, 0.1): 0.1195, (6, 3, 1e-3): 0.1473}


@pytest.mark.parametrize("point", REFERENCE)
def test_reference_numbers(point):
    width, alpha, ridge = point
    found = solve(RandomFeatures(width=width, alpha=alpha, ridge=ridge, noise=0.3))
    assert 2 * found["eps_g"][0] == pytest.approx(REFERENCE[point], abs=6e-5)


@pytest.mark.parametrize("width, wrong", [(2, 0.1823), (5, 0.1515)])
def test_reference_numbers_of_the_logistic_loss(width, wrong):
    found = solve(RandomFeatures(width=width, alpha=3, ridge=0.01, teacher="sign", loss="logistic"))
    assert found["eps_g"][0] == pytest.approx(wrong, abs=6e-5)


@pytest.mark.parametrize("width", [0.5, 4.0])
def test_a_large_ridge_makes_all_losses_alike(width):
    """Both are linear in a vanishing h, the logistic one with the slope ½: it is the square loss at 2λ."""
    model = RandomFeatures(width=width, noise=0.3, teacher="sign")
    square = solve(model, ridge=2e5)
    logistic = solve(dataclasses.replace(model, loss="logistic"), ridge=1e5)
    # The next terms are of order 1/λ.
    for name in ("eps_g", "m"):
        assert logistic[name][0] == pytest.approx(square[name][0], rel=1e-4)


CLOSED = {
    "erf": (0.0, 1 / np.sqrt(np.pi), 1 / 3 - 1 / np.pi),
    "relu": (1 / np.sqrt(2 * np.pi), 0.5, 0.25 - 1 / (2 * np.pi)),
    "linear": (0.0, 1.0, 0.0),
    "sign": (0.0, np.sqrt(2 / np.pi), 1 - 2 / np.pi),
    "quad": (1.0, 0.0, 2.0),
    "he2": (0.0, 0.0, 1.0),
}


@pytest.mark.parametrize("name", CLOSED)
def test_parts_of_activations_are_those_in_closed_form(name):
    # 1040 nodes, each with the rounding of values up to 10 at weights up to 0.01.
    np.testing.assert_allclose(parts(name), CLOSED[name], atol=1e-14)


def test_parts_of_tanh_by_another_quadrature():
    z, w = special.roots_hermitenorm(200)
    w = w / w.sum()
    slope = w @ (z * np.tanh(z))
    # Gauss–Hermite with 200 nodes is limited by the poles at iπ/2.
    np.testing.assert_allclose(parts("tanh")[1:], (slope, w @ np.tanh(z) ** 2 - slope**2), atol=1e-9)


def test_activate_is_the_activation():
    x = np.linspace(-2, 2, 9).reshape(3, 3)
    for name, expected in {"relu": np.maximum(x, 0), "erf": special.erf(x / np.sqrt(2)), "tanh": np.tanh(x)}.items():
        np.testing.assert_allclose(activate(name, x.copy()), expected, rtol=1e-15)


@pytest.mark.parametrize("width", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("rest, g", [(0.1, 1e-6), (0.03, 0.2), (0.0, 0.5), (0.4, 300.0)])
def test_closed_averages_are_those_over_the_spectrum(width, rest, g):
    s, weight = marchenko_pastur(width)
    slope = 0.7
    omega, T = slope**2 * s + rest, width * slope**2 * s
    f = omega / (omega + g)
    signal, kept = T / (omega + g), T * omega / (omega + g) ** 2
    expected = [f, f**2, signal, kept, 1 - f, 1 - f**2, 1 - 2 * signal + kept]
    np.testing.assert_allclose(law(width, slope, rest, g), [weight @ e for e in expected], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("teacher", ["linear", "sign"])
@pytest.mark.parametrize("width, alpha, ridge", [(0.5, 2, 0.1), (3, 2, 1e-3), (2, 2, 0.5)])
def test_the_state_is_stationary_for_its_free_energy(teacher, width, alpha, ridge):
    model = RandomFeatures(width=width, alpha=alpha, ridge=ridge, noise=0.4, teacher=teacher)
    found = {k: v[0] for k, v in solve(model).items()}
    ratio, g = alpha / width, effective_ridge(model)
    c = 1.0 if teacher == "linear" else np.sqrt(2 / np.pi / 1.16)
    s, weight = marchenko_pastur(width)
    _, slope, rest = parts(model.activation)
    law = (slope**2 * s + rest, c**2 * width * slope**2 * s, weight)
    V_hat = ridge / g
    x = np.array([ratio / V_hat - 1, found["q"], c * found["m"], V_hat, 2 * ratio * found["train_loss"], V_hat])
    slopes = []
    for step in np.diag(1e-4 * np.abs(x)):
        values = [
            square_loss(x + a * step, ratio, ridge, 1.16 if teacher == "linear" else 1.0, law) for a in (1, -1, 2, -2)
        ]
        slopes.append((8 * (values[0] - values[1]) - (values[2] - values[3])) / 12 / step.max())
    # The relative step of 1e-4 leaves 1e-16 from the fourth order, and rounding 1e-16/1e-4 of each term.
    size = np.array([x[4], x[3], x[5], x[1], x[0], x[2]])
    np.testing.assert_allclose(slopes / size, 0, atol=1e-9)


@pytest.mark.parametrize("width, alpha, ridge", [(0.5, 3, 0.01), (2, 3, 0.0), (4, 3, 0.1), (10, 3, 0.0)])
def test_the_rest_of_the_features_acts_as_infinitely_many_modes(width, alpha, ridge):
    """Simon's equations for N modes κ_1²/N that carry the target, and M modes κ_*²/M with M → ∞ that do not."""
    N, model = 20, RandomFeatures(width=width, alpha=alpha, ridge=ridge, noise=0.3)
    _, slope, rest = parts(model.activation)
    found = []
    for M in (50_000, 100_000):
        eigenvalues = np.concatenate([np.full(N, slope**2 / N), np.full(M, rest / M)])
        target = np.concatenate([np.full(N, N**-0.5), np.zeros(M)])
        finite = KernelRidge(
            n=round(alpha * N), k=round(width * N), ridge=ridge, noise=0.3, eigenvalues=eigenvalues, target=target
        )
        found.append(kernel_ridge.solve(finite))
    expected = solve(model)
    for name in ("eps_g", "train_loss"):
        # What is left after extrapolation in 1/M is of order (n/M)², 1e-6 of the number.
        assert 2 * found[1][name][0] - found[0][name][0] == pytest.approx(expected[name][0], rel=1e-5, abs=1e-15)


@pytest.mark.parametrize("alpha", [0.5, 3.0])
def test_infinitely_many_features_are_ridge_regression(alpha):
    """Their kernel is κ_1² x·x'/N and, on the diagonal, κ_*²."""
    model = RandomFeatures(alpha=alpha, ridge=0.05, noise=0.5)
    _, slope, rest = parts(model.activation)
    expected = ridge_regression(1 / alpha, (model.ridge + rest) / slope**2 / alpha, model.noise)
    found = solve(model, width=[1e5, 1e6])["eps_g"]
    # The difference is of first order in N/p; once extrapolated, of second.
    assert 2 * (10 * found[1] - found[0]) / 9 == pytest.approx(expected, rel=1e-8)


def test_without_a_ridge_the_error_peaks_where_features_and_examples_are_equally_many():
    model = RandomFeatures(alpha=3, ridge=0.0, noise=0.2)
    near = solve(model, width=[2.7, 2.97, 2.997, 3.003, 3.03, 3.3])["eps_g"]
    # It diverges like 1/|p − n|.
    np.testing.assert_allclose(near[1:3] / near[:2], 10, rtol=0.3)
    np.testing.assert_allclose(near[3:5] / near[4:], 10, rtol=0.3)
    with pytest.raises(tsphys.ModelError, match="the error is infinite"):
        solve(model, width=3)
    train = solve(model, width=[1, 2.9, 3.1, 30])["train_loss"]
    assert (train[:2] > 0).all()
    assert (train[2:] < 1e-30).all()


@pytest.mark.parametrize("width", [0.5, 5.0])
@pytest.mark.parametrize("activation", ["tanh", "linear", "he2"])
def test_a_vanishing_ridge_is_none(activation, width):
    model = RandomFeatures(activation=activation, width=width, alpha=2, noise=0.3)
    tiny, none = solve(model, ridge=1e-13), solve(model, ridge=0)
    for name in ("eps_g", "m", "q", "train_loss"):
        np.testing.assert_allclose(tiny[name], none[name], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("teacher", ["linear", "sign"])
def test_a_large_ridge_leaves_the_hebbian_overlap(teacher):
    """w → (1/λ) Σ_μ y v/√p, whose overlap with the teacher is κ_1² ⟨yν⟩ α/λ."""
    model = RandomFeatures(ridge=1e9, noise=0.3, teacher=teacher)
    c = 1.0 if teacher == "linear" else np.sqrt(2 / np.pi / 1.09)
    found = solve(model)
    assert found["m"][0] * 1e9 == pytest.approx(parts("tanh").slope ** 2 * c * model.alpha, rel=1e-8)
    if teacher == "linear":
        assert found["eps_g"][0] == pytest.approx(0.5, rel=1e-8)
    else:
        # q λ² → ⟨Tω⟩ (n/p)² c² + ⟨ω²⟩ n/p of the moments of Marchenko and Pastur's law.
        _, a, b = parts("tanh")
        psi = model.width
        signal = psi * a**2 * (a**2 * (1 + psi) + b)
        noise = a**4 * (1 + psi) + 2 * a**2 * b + b**2
        q = (c * model.alpha / psi) ** 2 * signal + model.alpha / psi * noise
        overlap = a**2 * c * model.alpha / np.sqrt(q)
        assert found["eps_g"][0] == pytest.approx(np.arccos(overlap) / np.pi, rel=1e-6)


@pytest.mark.parametrize("width, ridge", [(0.5, 1e-3), (2, 0.1), (6, 1e-2)])
def test_the_square_loss_by_the_general_saddle_point(width, ridge):
    model = RandomFeatures(width=width, ridge=ridge, noise=0.3, teacher="sign")
    _, slope, rest = parts(model.activation)
    s, weights = marchenko_pastur(width)
    covariates = Covariates(slope**2 * s + rest, width * slope**2 * s, weights, 1.0)
    found = minimum("square", channel("sign", 0.09), covariates, model.alpha / width, ridge)
    expected = solve(model)
    for name in ("m", "q", "train_loss"):
        # The residual of its iteration is 1e-10.
        assert getattr(found, name) == pytest.approx(expected[name][0], rel=1e-8)


def test_what_is_left_of_equal_numbers_keeps_its_digits():
    """Of as many examples as features all but a tiny share is used up; it must not drown in 1 − 1."""
    assert surplus(1.0, 1.0, 1e-20) == 1e-20
    assert surplus(1e-20, 0.3e-20, 1.0) == pytest.approx(0.7e-20, rel=1e-15)


@pytest.mark.parametrize("teacher", ["linear", "sign"])
def test_more_is_better_at_the_best_ridge(teacher):
    model = RandomFeatures(noise=0.5, alpha=2, teacher=teacher)
    errors = []
    for width in (0.5, 1, 2, 4, 8):
        here = dataclasses.replace(model, width=width)
        best = optimal_ridge(here)
        around = solve(here, ridge=best * np.array([0.9, 1.0, 1.1]))["eps_g"]
        assert around[1] < min(around[0], around[2])
        errors.append(around[1])
    assert (np.diff(errors) < 0).all()
