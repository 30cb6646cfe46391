"""The eigenframework: published numbers and equations, limits, monotonicity."""

import dataclasses

import numpy as np
import pytest
from naive.ridge import eigenframework, ridge_regression

import tsphys
from tests.refusal import refuses
from tsphys import KernelRidge
from tsphys.physics.kernels.eigenframework import Modes, effective_ridges, errors, student
from tsphys.replica.kernel_ridge import optimal_ridge, solve

POWER = KernelRidge(modes=1500)
#: (n, k, δ, σ): test error, with noise, and train error for i^(−3/2), i^(−2) and 1500 modes; None if not known.
REFERENCE = {
    (100, 200, 0.01, 0.3): (0.24721, 8.44e-4),
    (200, 80, 1e-3, 0.2): (0.12336, None),
    (60, 400, 0.1, 0.5): (0.41081, None),
    (100, None, 0.01, 0.3): (0.159893, None),
}


@pytest.mark.parametrize("point", REFERENCE)
def test_reference_numbers(point):
    n, k, ridge, noise = point
    found = solve(dataclasses.replace(POWER, n=n, k=k, ridge=ridge, noise=noise))
    test, train = REFERENCE[point]
    assert 2 * found["eps_g"][0] + noise**2 == pytest.approx(test, abs=6e-6)
    if train is not None:
        assert 2 * found["train_loss"][0] == pytest.approx(train, abs=6e-7)


@pytest.mark.parametrize("n, k, ridge", [(50, 20, 0.1), (20, 50, 1e-3), (30, 30, 1.0), (300, 7, 1e-4), (5, 2000, 10.0)])
def test_equations_as_printed(n, k, ridge):
    model = KernelRidge(n=n, k=k, ridge=ridge, noise=0.2, modes=200)
    test, train = eigenframework(*model.spectrum(), n, k, ridge, 0.2)
    found = solve(model)
    # Bisection is good to rounding, and what is printed loses digits of κ where z is close to k.
    assert 2 * found["eps_g"][0] + 0.04 == pytest.approx(test, rel=1e-9)
    assert 2 * found["train_loss"][0] == pytest.approx(train, rel=1e-7)


@pytest.mark.parametrize("n, k", [(40, 100), (100, 40), (400, 90), (400, 1000), (100, np.inf), (400, np.inf)])
@pytest.mark.parametrize("ridge", [0.0, 1e-9, 1e-2, 1e4])
def test_effective_ridges_solve_both_equations(n, k, ridge):
    s = np.arange(1.0, 301) ** -1.5
    gamma, kappa = effective_ridges(s, n, k, ridge)
    z = np.sum(s / (s + gamma))
    # Rounding of sums of up to 300 modes.
    if ridge > 0:
        assert z + ridge / kappa == pytest.approx(n, rel=1e-11)
    else:
        assert z == pytest.approx(min(n, k, 300), rel=1e-12)
    if np.isfinite(k) and gamma > 0:
        assert z + k * kappa / gamma == pytest.approx(k, rel=1e-12)
    elif gamma > 0:
        assert kappa == gamma


def test_infinitely_many_features_are_the_kernel():
    model = dataclasses.replace(POWER, noise=0.3)
    # The difference is of order n/k.
    many, kernel = solve(model, k=10**12, n=100), solve(model, n=[100])
    for name in ("eps_g", "train_loss", "kappa", "gamma"):
        assert many[name][0] == pytest.approx(kernel[name][0], rel=1e-9)


@pytest.mark.parametrize("n", [100, 700])
def test_a_flat_spectrum_is_ridge_regression(n):
    """400 modes of eigenvalue 1/400 and N(0, 1) features, against Marchenko and Pastur in closed form."""
    M = 400
    flat = {"eigenvalues": np.full(M, 1 / M), "target": np.full(M, M**-0.5)}
    found = solve(KernelRidge(n=n, ridge=0.2, noise=0.5, **flat))["eps_g"][0]
    assert 2 * found == pytest.approx(ridge_regression(M / n, 0.2 * M / n, 0.5), rel=1e-12)


def test_best_ridge_of_a_flat_spectrum_is_that_of_bayes():
    """With a Gaussian prior of variance v² on each coefficient the best δ is σ²λ/v²."""
    M = 300
    model = KernelRidge(n=150, noise=0.5, eigenvalues=np.full(M, 0.02), target=np.full(M, M**-0.5))
    # A minimum is found to the root of the rounding of its value.
    assert optimal_ridge(model) == pytest.approx(0.25 * 0.02 * M, rel=1e-6)


@pytest.mark.parametrize("n, k", [(40, 100), (100, 40), (400, None), (40, None), (400, 100)])
def test_a_vanishing_ridge_is_none(n, k):
    model = KernelRidge(n=n, k=k, noise=0.3, modes=300)
    tiny, none = solve(model, ridge=1e-14), solve(model, ridge=0)
    for name in ("eps_g", "train_loss"):
        np.testing.assert_allclose(tiny[name], none[name], rtol=1e-8, atol=1e-12)


def test_the_error_is_infinite_where_examples_just_fix_the_rest():
    for n, k in ((50, 50), (300, None), (300, 1000)):
        with pytest.raises(tsphys.ModelError, match="the error is infinite"):
            solve(KernelRidge(n=n, k=k, ridge=0, modes=300))


def test_modes_without_an_eigenvalue_are_never_learned():
    model = KernelRidge(n=50, ridge=0, eigenvalues=[1.0, 0.5, 0.0], target=[1.0, 2.0, 3.0])
    # The third is noise of variance 9 for the regression on the others, and is missed itself.
    assert 2 * solve(model)["eps_g"][0] == pytest.approx(9 / (1 - 2 / 50), rel=1e-12)


def test_more_is_better_at_the_best_ridge():
    def best(**change):
        here = KernelRidge(**{"n": 60, "k": 60, "noise": 0.4, "modes": 500, **change})
        ridge = optimal_ridge(here)
        around = solve(here, ridge=ridge * np.array([0.9, 1.0, 1.1]))["eps_g"]
        assert around[1] < min(around[0], around[2])
        return around[1]

    assert (np.diff([best(k=k) for k in (10, 30, 60, 100, 1000, None)]) < 0).all()
    assert (np.diff([best(n=n) for n in (10, 30, 60, 100, 1000)]) < 0).all()
    small = solve(KernelRidge(n=60, noise=0.4, modes=500, ridge=1e-4), k=[20, 60, 500])["eps_g"]
    assert small[1] > max(small[0], small[2])


def test_held_out_error_is_what_is_left_of_the_whole():
    model = KernelRidge(n=80, ridge=0, noise=0.0, modes=300)
    found = solve(model, inputs=100)
    # Without noise and ridge the examples are learned without error.
    assert found["eps_held"][0] == pytest.approx(found["eps_g"][0] * 100 / 20, rel=1e-9)
    noisy = solve(dataclasses.replace(model, noise=0.5), inputs=100)
    # With noise they are fitted exactly, and wrong by σ²/2.
    assert noisy["eps_held"][0] == pytest.approx((noisy["eps_g"][0] * 100 - 80 * 0.125) / 20, rel=1e-9)


def test_error_at_the_examples_themselves():
    """What the held-out error leaves to the examples, against instances solved by their Gram matrix."""
    model = KernelRidge(n=200, ridge=0.3, noise=0.5, modes=100)
    eigenvalues, target = model.spectrum()
    rng = np.random.default_rng(0)
    measured = []
    for _ in range(60):
        phi = rng.standard_normal((200, 100))
        f = phi @ target
        K = (phi * eigenvalues) @ phi.T
        fitted = K @ np.linalg.solve(K + 0.3 * np.eye(200), f + 0.5 * rng.standard_normal(200))
        measured.append(np.mean((fitted - f) ** 2))
    found = solve(model, inputs=1000)
    expected = 2 * (1000 * found["eps_g"][0] - 800 * found["eps_held"][0]) / 200
    # Four standard errors, and a correction of order 1/n.
    assert np.mean(measured) == pytest.approx(expected, abs=4 * np.std(measured) / np.sqrt(60), rel=1 / 200)


@pytest.mark.parametrize("k", [None, 300])
def test_alike_modes_are_one_entry(k):
    """A hundred thousand modes of a thousand eigenvalues, by their multiplicities and one by one."""
    values, count = np.arange(1.0, 1001) ** -2.0, np.arange(1, 1001) % 200 + 1
    power = count * np.arange(1.0, 1001) ** -3.0
    one = Modes(np.repeat(values, count), np.repeat(power / count, count))
    assert len(one.eigenvalues) > 1e5
    for n in (30, 5000):
        short, long = (errors(modes, n, 1e-3, 0.2, k) for modes in (Modes(values, power, count), one))
        for name, value in long.items():
            # Rounding of sums of 1e5 terms.
            assert short[name] == pytest.approx(value, rel=1e-11)


def test_a_million_modes_of_any_steepness():
    """Mode i of eigenvalue 10^(−i/4000): from 1 to 1e-250, without a ridge, is the same in any units."""
    i = np.arange(1_000_000)
    modes = Modes(10.0 ** (-i / 4000), np.full(10**6, 1e-6))
    found = errors(modes, 300, 0.0, 0.1)
    # Geometric: Σ λ/(λ + γ) = 4000 log_10(1 + 1/γ)-like, the integral, to the half of its first term.
    assert 4000 * np.log10(1 + 1 / found["gamma"]) + 0.5 / (1 + found["gamma"]) == pytest.approx(300, rel=1e-6)
    other = errors(Modes(1e40 * modes.eigenvalues, modes.power), 300, 0.0, 0.1)
    assert other["eps_g"] == pytest.approx(found["eps_g"], rel=1e-12)
    assert other["kappa"] == pytest.approx(1e40 * found["kappa"], rel=1e-12)


def test_as_many_features_as_modes_without_a_ridge():
    """They span all modes: least squares in ten dimensions, σ²M/(n − M) but for 1/n; and their weights are infinite."""
    found = tsphys.solve(KernelRidge(n=40, k=10, modes=10, ridge=0.0, noise=0.5))
    assert found["eps_g"][0] == pytest.approx(0.5 * 0.25 * (10 / 40) / (1 - 10 / 40), rel=1e-12)
    modes = Modes(np.ones(10), np.ones(10))
    refuses(lambda: student(modes, 40, 0.0, 0.25, 10), "ridge")
    assert student(modes, 40, 0.0, 0.25, 20).norm > 0
