"""Bounded frequencies: the prolate spectrum, published errors, floors, and medians of instances."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import BandlimitedFeatures
from tsphys.replica.bandlimited_features import bounded, floor, spectrum


@pytest.mark.parametrize("band, counts", [(5, (3, 6, 8, 11)), (20, (13, 16, 19, 24)), (40, (25, 30, 33, 39))])
def test_published_spectrum(band, counts):
    """μ = 2Ωλ/π above ½, 1e-3, 1e-6 and 1e-12; their sum is the trace."""
    modes = spectrum(band, 3.0)
    mu = 2 * band / np.pi * modes.eigenvalues
    assert tuple(int((mu > least).sum()) for least in (0.5, 1e-3, 1e-6, 1e-12)) == counts
    assert modes.eigenvalues.sum() == pytest.approx(1, abs=1e-12)
    assert modes.power.sum() == pytest.approx(1, abs=1e-12)


def test_published_eigenvalues():
    np.testing.assert_allclose(spectrum(5, 1.0).eigenvalues[:3], [0.3139558, 0.3078335, 0.2513029], atol=6e-8)
    found = spectrum(20, 1.0).eigenvalues[[0, 8, 13, 16]]
    np.testing.assert_allclose(found, [0.07853982, 0.07852045, 0.01798473, 6.753157e-5], rtol=3e-7)


TABLE = {
    5: (0.006841, 0.000939, 0.0), 19: (0.006928, 0.000944, 0.0), 21: (0.032129, 0.004773, 4.8e-5),
    24: (0.846590, 0.413260, 0.045681), 30: (1.52835, 0.960056, 0.815608),
}  # fmt: skip


@pytest.mark.parametrize("frequency", TABLE)
def test_published_errors(frequency):
    """Mean squared errors, twice eps_g, at Ω = 20."""
    rough = BandlimitedFeatures(frequency=frequency)
    points = (rough, [40]), (rough, [200]), (BandlimitedFeatures(frequency=frequency, ridge=1e-6, noise=0), [200])
    for (model, n), expected in zip(points, TABLE[frequency], strict=True):
        assert 2 * tsphys.solve(model, n=n)["eps_g"][0] == pytest.approx(expected, abs=1e-6, rel=5e-6)


@pytest.mark.parametrize("k, frequency, expected", [(10, 15, 0.30861), (30, 15, 0.00199), (100, 15, 0.00201),
                                                    (100, 24, 0.51397)])  # fmt: skip
def test_published_features(k, frequency, expected):
    found = tsphys.solve(BandlimitedFeatures(n=100, k=k, frequency=frequency))["eps_g"][0]
    assert 2 * found == pytest.approx(expected, abs=6e-6)


@pytest.mark.parametrize("frequency, by_ridge, by_norm", [
    (15, (0.02026, 2e-6, 2.5e-9), (0.02531, 0, 0)), (19, (0.02564, 1.1e-5, 6e-9), (0.06403, 0, 0)),
    (21, (0.38855, 0.004602, 5.926e-5), (0.47336, 0.00480, 0)),
    (24, (0.90883, 0.408141, 0.053650), (0.88046, 0.61989, 0.06553)),
    (30, (0.94959, 0.888889, 0.7379), (0.92685, 0.88983, 0.7349)),
])  # fmt: skip
def test_published_floors(frequency, by_ridge, by_norm):
    model = BandlimitedFeatures(frequency=frequency)
    # To the digits that are given.
    np.testing.assert_allclose([2 * floor(model, r) for r in (1e-2, 1e-5, 1e-8)], by_ridge, rtol=2e-4, atol=5.1e-7)
    np.testing.assert_allclose([2 * bounded(model, b) for b in (10, 1e3, 1e6)], by_norm, rtol=1e-4, atol=5.1e-6)


def test_without_a_bound_there_is_no_floor():
    """The kernel is universal on an interval: whatever the frequency, to what eigenvalues of 1e-15 leave."""
    for frequency in (5, 21, 24):
        assert floor(BandlimitedFeatures(frequency=frequency), 1e-15) < 1e-4
    assert floor(BandlimitedFeatures(), 1e9) == pytest.approx(0.5, rel=1e-8)
    # What is wanted of a large band from few examples is nothing: K is diagonal.
    wide = BandlimitedFeatures(n=10, band=500, frequency=400, noise=0)
    assert 2 * tsphys.solve(wide)["eps_g"][0] == pytest.approx(1, abs=0.05)


def test_infinitely_many_features_are_the_kernel():
    model = BandlimitedFeatures(frequency=22)
    many = tsphys.solve(model, k=[10**9])["eps_g"]
    np.testing.assert_allclose(many, tsphys.solve(model)["eps_g"], rtol=1e-5)
    sims = [np.median(tsphys.simulate(model, k=k, n=[100], replicas=16)["eps_g"]) for k in (None, 1000)]
    assert sims[1] == pytest.approx(sims[0], rel=0.25)


@pytest.mark.parametrize("frequency, published", [(5, 0.00090), (21, 0.00481), (24, 0.4250), (30, 0.962)])
def test_medians_near_theory(frequency, published):
    """At n = 200, ten times the modes in the band: within 10 % in it and 15 % beyond, and the published medians."""
    model = BandlimitedFeatures(frequency=frequency)
    runs = 2 * tsphys.simulate(model, n=[200], replicas=36, seed=3)["eps_g"][:, 0]
    # The error of a median of normal numbers.
    error = 1.25 * runs.std() / 6
    median, theory = np.median(runs), TABLE[frequency][1]
    assert abs(median - published) < 4 * error
    assert abs(median - theory) < (0.1 if frequency < 20 else 0.15) * theory + 3 * error


def test_noise_in_the_band_fills_its_modes():
    """σ² n_eff/(n − n_eff) with the n_eff eigenvalues above δ/n."""
    model = BandlimitedFeatures(frequency=5)
    modes = int((spectrum(20, 5).eigenvalues > 1e-3 / 200).sum())
    # The eighteenth is just at it.
    assert modes in (17, 18)
    assert 2 * tsphys.solve(model)["eps_g"][0] == pytest.approx(0.01 * modes / (200 - modes), rel=0.07)


def test_refusals():
    refuses(lambda: BandlimitedFeatures(band=0), "band")
    refuses(lambda: BandlimitedFeatures(ridge=0), "ridge")
    refuses(lambda: bounded(BandlimitedFeatures(), 0), "norm")
    refuses(lambda: floor(BandlimitedFeatures(), -1.0), "ridge")
    refuses(lambda: tsphys.simulate(BandlimitedFeatures(n=10**8)), "n")
