"""Averages over the spectrum of data against quadrature, exact identities, and sampled matrices."""

import numpy as np
import pytest

import tsphys
from tests.wide import each
from tsphys.physics.flows.resolvents import Spectrum
from tsphys.physics.kernels.spectra import marchenko_pastur


@pytest.mark.parametrize("ratio", each([0.3, 1.0, 2.0], fast=[0.3]))
def test_white_data_are_marchenko_and_pasturs(ratio):
    """Against Gauss' quadrature of the same law, which has an atom where dimensions outnumber samples."""
    data = Spectrum.white(ratio)
    low, high = data.edges()
    edges = (1 - ratio**0.5) ** 2, (1 + ratio**0.5) ** 2
    assert [float(data.z(np.array(k))) for k in (low, high)] == pytest.approx(edges, abs=1e-12)

    def integrand(z, kappa):
        return np.stack([1 / (z + 0.01), np.exp(-z)]) * (kappa / (z * (1 - kappa)))

    s, weights = marchenko_pastur(ratio, 4000)
    expected = [weights @ (1 / (s + 0.01)), weights @ np.exp(-s)]
    np.testing.assert_allclose(data.average(integrand, data.kappa(-0.005), 2 * high), expected, rtol=1e-8)


@pytest.mark.parametrize("D", [20, 60, 90])
def test_inverse_of_coloured_data(D):
    """⟨Ŝ⁻¹⟩ = S⁻¹/(1 − D/n) to leading order, whatever S is."""
    s = np.arange(1, D + 1) ** -1.5
    data = Spectrum.sampled(s, 100)
    low, high = data.edges()
    left = data.kappa(0.5 * float(data.z(np.array(low))))
    found = data.average(lambda z, kappa: kappa / (z**2 * (s[:, None] - kappa)), left, 1.1 * high)
    np.testing.assert_allclose(found * s, 1 / (1 - D / 100), rtol=1e-8)


@pytest.mark.parametrize("n", [40, 150])
def test_sampled_matrices(n):
    """e^(−Ŝt) in the directions of S, with and without modes at 0; 40 matrices, to four errors."""
    s, rng, t = np.arange(1, 81) ** -1.0, np.random.default_rng(1), 20.0
    data = Spectrum.sampled(s, n)
    left, high = data.kappa(-1 / t), 1.1 * data.edges()[1]
    theory = data.average(lambda z, kappa: np.exp(-z * t) * kappa / (z * (s[:, None] - kappa)), left, high)
    sums = []
    for _ in range(40):
        X = rng.standard_normal((n, 80)) * np.sqrt(s)
        rates, vectors = np.linalg.eigh(X.T @ X / n)
        found = (vectors**2 @ np.exp(-rates * t)) - theory
        sums.append([found[:5].sum(), found[5:20].sum(), found[20:].sum()])
    # The bias, of order 1/n like the spread of a sum, is of the size of the error of some 40 matrices.
    error = np.std(sums, axis=0, ddof=1)
    assert (np.abs(np.mean(sums, axis=0)) < (4 / np.sqrt(40) + 0.3) * error).all()


@pytest.mark.parametrize("z", [-3.0, -1e-6, 0.01, 7.0])
def test_kappa_inverts_z(z):
    data = Spectrum.white(0.5)
    assert float(data.z(np.array(data.kappa(z)))) == pytest.approx(z, rel=1e-9)


def test_what_does_not_converge_is_an_error():
    data = Spectrum.white(0.5)
    with pytest.raises(tsphys.ConvergenceError, match="average over the spectrum"):
        # Poles a hair beside the contour, where it is farthest from the real axis.
        pole = np.exp(0.5 * np.log(0.3) + (1 + 1e-7) * 1j)
        data.average(lambda z, kappa: 1 / (kappa - pole) + 1 / (kappa - pole.conjugate()), 0.1, 3.0)


def test_scales_next_to_an_end():
    """Of as many samples as dimensions the density of eigenvalues is 1/π√λ at 0: ⟨e^(−2λt)⟩ = 1/√(2πt) for long t."""
    t = np.array([1e12, 1e40])
    flow = tsphys.solve(tsphys.LinearEstimator(alpha=1.0), t=t)
    np.testing.assert_allclose(flow["mse"] * np.sqrt(2 * np.pi * t), 1.0, rtol=1e-9)
    # Along the classes, ρ² of the square of labels, it is 1/(1 + ν²) of that.
    model = tsphys.LabelNoise(alpha=1.0)
    left = tsphys.solve(model, t=t[:1])["train_loss"] * 2 * np.sqrt(2 * np.pi * t[:1])
    rho = 1 - 2 * model.flips
    np.testing.assert_allclose(left, 1 - rho**2 + rho**2 / (1 + model.distance**2), rtol=1e-4)
    # z = −κ²/(1 − κ).
    assert Spectrum.white(1.0).kappa(-1e-100) == pytest.approx(-1e-50)


@pytest.mark.parametrize("unit", [1.0, 1e-300, 1e150])
@pytest.mark.parametrize("n", [10, 2**53 + 1])
def test_edges_of_one_eigenvalue_among_many_in_any_unit(unit, n):
    """One far below the other sees one sample less."""
    data = Spectrum.sampled(unit * np.array([1.0, 1e-9]), n)
    low, high = (float(data.z(np.array(edge))) / unit for edge in data.edges())
    assert high == pytest.approx((1 + n**-0.5) ** 2, rel=1e-7)
    assert low == pytest.approx(1e-9 * (1 - 1 / n) * (1 - (n - 1) ** -0.5) ** 2, rel=1e-6)
    assert data.kappa(2 * unit) / unit == pytest.approx(
        Spectrum.sampled(np.array([1.0, 1e-9]), n).kappa(2.0), rel=1e-12
    )
