"""Ridge regression on instances: against fractions, on steep spectra, without a ridge, and what is said of rounding."""

import numpy as np
import pytest
from naive.ridge import exact_minimiser, minimiser

import tsphys
from tsphys import KernelRidge, RandomFeatures
from tsphys.sims.engines.inference.ridge import least_squares


@pytest.mark.parametrize("n, p", [(12, 20), (20, 12)])
@pytest.mark.parametrize("ridges", [[0.3], [0.0], [1e-14], [0.0, 1e-3, 5.0]])
def test_ridge_is_least_squares(n, p, ridges):
    """At a condition number of about 10."""
    rng = np.random.default_rng(1)
    A, y = rng.standard_normal((n, p)), rng.standard_normal(n)
    found, error = least_squares(A, y, ridges)
    expected = np.array([exact_minimiser(A, y, r) for r in ridges]).T
    assert np.abs(found - expected).max() < 10 * np.abs(error).max() < 1e-13


@pytest.mark.parametrize("n, p", [(6, 9), (9, 6)])
@pytest.mark.parametrize("decay", [0, 4, 12, 40])
@pytest.mark.parametrize("ridge", [0.0, 1e-30, 1e-12, 1e-3])
def test_steep_spectra_keep_all_digits(n, p, decay, ridge):
    """Eigenvalues i^(−a) down to 1e-38, whose squares no Gram matrix holds beside 1; what counts is the predictor.

    Rounding moves it by 1e-16 of the sums Σ|A_μi w_i| of which labels are made, Cholesky's factor by 1e-16 λ_1/δ.
    """
    rng = np.random.default_rng(2)
    scale = np.arange(1.0, p + 1) ** (-decay / 2)
    A = rng.standard_normal((n, p)) * scale
    y = rng.standard_normal(n)
    exact = exact_minimiser(A, y, ridge)
    w, error = least_squares(A, y, [ridge], rank=min(n, p))
    off = np.linalg.norm(scale * (w[:, 0] - exact))
    assert off < (1e-12 if ridge == 1e-3 else 1e-14) * (np.abs(A) @ np.abs(exact)).max()
    assert off < 10 * np.linalg.norm(scale * error[:, 0])


@pytest.mark.parametrize("n, p", [(30, 25), (20, 60)])
@pytest.mark.parametrize("ridge", [0.0, 1e-320, 1e-13])
def test_features_that_depend_on_each_other_have_the_least_norm(n, p, ridge):
    """Rounding makes further directions of them, of size 1e-16, into which a tiny ridge would let the labels leak."""
    rng = np.random.default_rng(3)
    A = rng.standard_normal((n, 8)) @ rng.standard_normal((8, p))
    y = rng.standard_normal(n)
    for rank in (None, 8):
        w = least_squares(A, y, [ridge], rank)[0][:, 0]
        np.testing.assert_allclose(w, minimiser(A, y, 0.0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("decay, target_decay", [(4, 8), (8, 10), (20, 20)])
def test_simulations_reach_down_to_errors_far_below_rounding_of_the_gram_matrix(decay, target_decay):
    """eps_g from 1e-8 to 1e-25, within a factor of two of the theory, whose correction is of order 1/n."""
    model = KernelRidge(n=20, decay=decay, target_decay=target_decay, ridge=0.0, modes=200)
    sim, theory = tsphys.simulate(model, replicas=24), tsphys.solve(model)
    assert 0.5 < sim.mean("eps_g")[0] / theory["eps_g"][0] < 2
    # Without numbers of more digits the rounding of some processors leaves 2e-3 of the worst conditioned instance.
    more_digits = np.finfo(np.longdouble).eps < 1e-18
    assert (sim["floor"] < (1e-4 if more_digits else 1e-2) * theory["eps_g"]).all()


def test_without_noise_nothing_is_left_of_linear_features():
    """The theory says zero, the simulation what rounding leaves, which it knows."""
    model = RandomFeatures(activation="linear", width=2.0, alpha=3.0, ridge=0.0)
    sim = tsphys.simulate(model, N=40, replicas=2, covariates="gaussian")
    assert tsphys.solve(model)["eps_g"][0] == 0
    assert (sim["eps_g"] < 1e-28).all()
    assert (sim["eps_g"] < 100 * sim["floor"]).all()


def test_more_precise_than_the_theory_needs():
    """A tiny ridge leaves g² of the teacher, with both g and the error far below 1e-16."""
    model = RandomFeatures(activation="linear", width=2.0, alpha=3.0)
    found = tsphys.solve(model, ridge=[1e-10, 1e-11])["eps_g"]
    assert found[0] == pytest.approx(100 * found[1], rel=1e-9)
    sim = tsphys.simulate(model, N=60, ridge=[1e-10, 1e-11], replicas=8, covariates="gaussian")
    np.testing.assert_allclose(sim.mean("eps_g"), found, rtol=0.3)
