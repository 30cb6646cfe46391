"""Posteriors of a neuron's components in several patterns: exact, and in mean field."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

from tests.naive import memory_reconstruction as naive
from tsphys.physics.inference import pattern_priors
from tsphys.physics.inference.pattern_priors import exact, mean_field, pattern_prior

KINDS = [("binary", 1.0), ("sparse", 0.3), ("tsodyks", 0.3), ("gauss", 0.2), ("gauss", 1.0)]


def fields(seed, n, P, size=0.4):
    rng = np.random.default_rng(seed)
    G = rng.standard_normal((P, P))
    return size * G @ G.T, 2 * rng.standard_normal((n, P))


@pytest.mark.parametrize("kind, rho", KINDS[:3])
def test_exact_posterior_is_that_of_a_loop_over_configurations(kind, rho, monkeypatch):
    """Also in blocks of neurons that do not divide their number."""
    monkeypatch.setattr(pattern_priors, "_AT_ONCE", 3 * 27)
    A, B = fields(1, 7, 3)
    found = exact(pattern_prior(kind, rho), A, B)
    plain = [naive.posterior(naive.ATOMS[kind](rho), A, b) for b in B]
    np.testing.assert_allclose(found.log_z, [p[0] for p in plain], rtol=1e-12)
    np.testing.assert_allclose(found.mean, [p[1] for p in plain], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.covariance, np.mean([p[2] for p in plain], axis=0), rtol=1e-10, atol=1e-12)


def test_gaussian_mixture_in_two_dimensions_by_a_plain_sum():
    """Zero with probability 1 − ρ, else N(0, 1), in each of two components: point, two lines and the plane.

    The trapezoidal rule converges exponentially for Gaussians; its step here is a tenth of their width.
    """
    A, B = fields(2, 1, 2)
    b, rho = B[0], 0.4
    grid = np.linspace(-14, 14, 561)
    step = grid[1] - grid[0]

    def part(x, y, density):
        v = np.stack(np.broadcast_arrays(x, y))
        field = np.tensordot(b, v, 1) - 0.5 * np.einsum("k...,kl,l...->...", v, A, v)
        return np.sum(density * np.exp(field))

    normal = stats.norm.pdf(grid) * step
    Z = (1 - rho) ** 2 + rho * (1 - rho) * (part(grid, 0.0, normal) + part(0.0, grid, normal))
    Z += rho**2 * part(grid[:, None], grid[None, :], np.outer(normal, normal))
    assert exact(pattern_prior("gauss", rho), A, B).log_z[0] == pytest.approx(np.log(Z), rel=1e-12)


@pytest.mark.parametrize("kind, rho", KINDS)
@pytest.mark.parametrize("denoiser", [exact, partial(mean_field, sweeps=500, tol=1e-14)])
def test_mean_is_the_gradient_of_the_log_partition_function(kind, rho, denoiser):
    """Central differences of step 1e-4: error of order 1e-8 from the third derivative; covariance likewise (exact)."""
    prior = pattern_prior(kind, rho)
    A, B = fields(3, 5, 3, size=0.15)
    found, h = denoiser(prior, A, B), 1e-4
    for k, e in enumerate(h * np.eye(3)):
        up, down = denoiser(prior, A, B + e), denoiser(prior, A, B - e)
        np.testing.assert_allclose((up.log_z - down.log_z) / (2 * h), found.mean[:, k], atol=1e-7)
        if denoiser is exact:
            slope = (up.mean - down.mean).mean(axis=0) / (2 * h)
            np.testing.assert_allclose(slope, found.covariance[k], atol=1e-7)


@pytest.mark.parametrize("kind, rho", KINDS)
def test_mean_field_is_a_lower_bound_exact_for_independent_patterns(kind, rho):
    prior = pattern_prior(kind, rho)
    A, B = fields(4, 20, 3)
    true, bound = exact(prior, A, B), mean_field(prior, A, B, sweeps=500)
    assert (bound.log_z < true.log_z + 1e-12).all()
    alone = np.diag(np.diag(A))
    true, bound = exact(prior, alone, B), mean_field(prior, alone, B)
    for one, other in zip(true, bound):
        np.testing.assert_allclose(other, one, atol=1e-12)


def test_mean_field_errs_by_the_square_of_the_off_diagonal_precision():
    """Halving A_kl (k ≠ l) divides errors of second order in it, of means and covariances, by four; at third, 4 ± 1."""
    prior = pattern_prior("binary", 1.0)
    _, B = fields(5, 50, 4)
    off = 0.02 * (np.ones((4, 4)) - np.eye(4))
    error = []
    for A in (np.eye(4) + off, np.eye(4) + 2 * off):
        found, true = mean_field(prior, A, B, sweeps=200, tol=1e-14), exact(prior, A, B)
        gap = found.covariance - true.covariance
        error.append([np.abs(found.mean - true.mean).max(), np.abs(gap[off > 0]).max()])
    np.testing.assert_allclose(np.divide(*error[::-1]), 4, atol=1)


@pytest.mark.parametrize("kind, rho", KINDS)
def test_posteriors_of_strong_fields_stay_finite(kind, rho):
    prior = pattern_prior(kind, rho)
    A, B = 1e6 * np.eye(2), 1e6 * np.array([[1.0, -1.0], [0.3, 0.0]])
    for found in (exact(prior, A, B), mean_field(prior, A, B)):
        assert all(np.isfinite(part).all() for part in found)
