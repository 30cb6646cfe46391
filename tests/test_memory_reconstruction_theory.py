"""Theory of the reconstruction of patterns: published numbers, potentials, transitions, limits."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tests.naive import memory_reconstruction as naive
from tests.wide import each
from tsphys import MemoryReconstruction
from tsphys.replica import memory_reconstruction as theory

REFERENCE = [
    # Bayes-optimal errors, computed once by independent adaptive quadrature to 1e-8.
    ("binary", 1.0, 0.25, 0.08348899),
    ("binary", 1.0, 0.49, 0.36813533),
    ("binary", 1.0, 0.81, 0.78840875),
    ("sparse", 0.3, 0.04, 0.11980243),
    ("tsodyks", 0.3, 0.0144, 0.02449771),
    ("gauss", 0.2, 0.02, 0.04461255),
]


@pytest.mark.parametrize("kind, rho, Delta, value", REFERENCE)
def test_errors_of_reference(kind, rho, Delta, value):
    model = MemoryReconstruction(patterns=kind, rho=rho, noise=np.sqrt(Delta))
    assert tsphys.solve(model)["mse"][0] == pytest.approx(value, abs=1e-7)


def test_free_energies_of_reference():
    found = -tsphys.solve(MemoryReconstruction(), noise=np.sqrt([0.25, 0.49, 0.81]))["free_energy"]
    np.testing.assert_allclose(found, [0.3729643, 0.0452740, 0.000926680], atol=1e-6)


@pytest.mark.parametrize(
    "kind, rho, spinodal, information",
    [
        ("sparse", 0.02, 2.72964, 2.54677),
        ("sparse", 0.05, 1.38616, 1.33813),
        ("sparse", 0.08, 1.04086, 1.02942),
        ("tsodyks", 0.05, 1.72212, 1.66652),
        ("tsodyks", 0.1, 1.19568, 1.17995),
        ("tsodyks", 0.2, 1.00120, 1.00107),
    ],
)
def test_thresholds_of_reference(kind, rho, spinodal, information):
    found = theory.thresholds(MemoryReconstruction(patterns=kind, rho=rho))
    assert found.spinodal / found.algorithmic == pytest.approx(spinodal, abs=1e-4)
    assert found.information / found.algorithmic == pytest.approx(information, abs=1e-4)


@pytest.mark.parametrize("kind, rho", [("binary", 1.0), ("sparse", 0.1), ("tsodyks", 0.22), ("gauss", 0.5)])
def test_continuous_transitions_end_at_the_fourth_power_of_sigma(kind, rho):
    """Tsodyks' patterns are of first order below ρ = ½ − 1/√12 = 0.2113."""
    model = MemoryReconstruction(patterns=kind, rho=rho)
    assert len(set(theory.thresholds(model))) == 1
    assert theory.thresholds(model).algorithmic == pytest.approx(model.prior.second_moment**2, rel=1e-14)


@pytest.mark.parametrize("kind, rho", [("binary", 1.0), ("sparse", 0.05), ("tsodyks", 0.1)])
def test_fixed_points_are_stationary_for_the_potential(kind, rho):
    """The potential by a plain sum, its slope by fourth-order differences: error ~ 1e-10 of its own scale σ⁴/Δ."""
    model = MemoryReconstruction(patterns=kind, rho=rho)
    prior, atoms = model.prior, naive.ATOMS[kind](rho)
    at = theory.thresholds(model)
    for ratio in (0.4, 0.9, 1.05):
        Delta = ratio * at.algorithmic
        found = theory.fixed_points(prior, Delta)
        assert len(found) == (2 if at.spinodal > Delta > at.algorithmic else 1 if ratio < 1 else 0)
        for g in found:
            M, h = g * Delta, 1e-3 * g * Delta
            f = [naive.potential(atoms, Delta, M + k * h) for k in (-2, -1, 1, 2)]
            slope = (8 * (f[2] - f[1]) - f[3] + f[0]) / (12 * h)
            assert abs(slope) * prior.second_moment < 1e-9 * prior.second_moment**2 / Delta
            assert theory.potential(prior, Delta, M) == pytest.approx(naive.potential(atoms, Delta, M), abs=1e-11)


@pytest.mark.parametrize("kind, rho", [("binary", 1.0), ("sparse", 0.1), ("tsodyks", 0.3), ("gauss", 0.2)])
@pytest.mark.parametrize("g", [1e-3, 0.7, 30.0, 900.0])
def test_averages_obey_nishimori_and_do_not_depend_on_the_nodes(kind, rho, g):
    prior = MemoryReconstruction(patterns=kind, rho=rho).prior
    full = theory.averages(prior, g)
    np.testing.assert_allclose(full.M, full.Q, rtol=1e-11, atol=1e-14)
    assert full.mse == pytest.approx(prior.second_moment - full.Q, abs=1e-12)
    general = theory.averages(prior, g, g)
    np.testing.assert_allclose(general, full, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(theory.averages(prior, g, nodes=601), full, atol=1e-12 * max(1.0, g))


def test_a_start_with_too_small_a_norm_by_a_plain_sum():
    """⟨x⟩ = tanh B, B = m x⁰ + √q z, for ±1 patterns: averages at m ≠ q."""
    m, q = 0.8, 0.3
    f = np.tanh(m + np.sqrt(q) * naive.Z)
    found = theory.averages(MemoryReconstruction().prior, q, m)
    plain = [np.sum(naive.WEIGHT * y) for y in (f, f**2, (1 - f) ** 2)]
    np.testing.assert_allclose(found[:3], plain, atol=1e-12)


def test_gaussian_patterns_have_the_error_of_principal_components():
    noise = np.sqrt([0.1, 0.5, 0.9, 1.0, 1.4])
    found = tsphys.solve(MemoryReconstruction(patterns="gauss"), noise=noise)
    np.testing.assert_allclose(found["mse"], np.minimum(noise**2, 1), atol=1e-10)
    np.testing.assert_allclose(found["mse_pca"], found["mse"], atol=1e-10)


@pytest.mark.parametrize("kind, rho", [("binary", 1.0), ("sparse", 0.05), ("tsodyks", 0.1), ("gauss", 0.3)])
def test_the_error_grows_with_noise_below_that_of_principal_components(kind, rho):
    model = MemoryReconstruction(patterns=kind, rho=rho)
    sigma2 = model.prior.second_moment
    found = tsphys.solve(model, noise=sigma2 * np.sqrt(np.linspace(0.05, 1.6, 25)), branch="optimal")
    assert (np.diff(found["mse"]) >= 0).all()
    assert (found["mse"] <= found["mse_pca"] + 1e-12).all()
    assert (found["mse"] <= sigma2 * (1 + 1e-12)).all()


def test_hysteresis_of_the_hard_phase():
    """Uninformed and informed starts part at Δ_c and meet at Δ_sp; the optimal error jumps in between, at Δ_IT."""
    model = MemoryReconstruction(patterns="sparse", rho=0.05)
    at = theory.thresholds(model)
    edges = np.array([at.algorithmic, at.information, at.spinodal])
    noise = np.sqrt(np.sort(np.concatenate([0.999 * edges, 1.001 * edges])))
    ends = {k: tsphys.solve(model, noise=noise, **o)["overlap"] > 0 for k, o in {
        "uninformed": {}, "informed": {"overlap": 1.0}, "optimal": {"branch": "optimal"}}.items()}  # fmt: skip
    assert ends["uninformed"].tolist() == [True] + 5 * [False]
    assert ends["optimal"].tolist() == 3 * [True] + 3 * [False]
    assert ends["informed"].tolist() == 5 * [True] + [False]


@pytest.mark.parametrize("rho, jump", each([(0.085, True), (0.086, False), (0.0865, False)], fast=[0.085, 0.0865]))
def test_something_can_be_found_below_the_information_threshold_and_nothing_above_it(rho, jump):
    """By the largest value of the potential, a plain sum, on a grid of overlaps."""
    model, atoms = MemoryReconstruction(patterns="sparse", rho=rho), naive.ATOMS["sparse"](rho)
    at = theory.thresholds(model)
    assert at.algorithmic <= at.information <= at.spinodal
    assert (at.information > at.algorithmic) == jump
    below, above = (max(naive.potential(atoms, s * at.information, M) for M in rho * np.geomspace(3e-4, 1, 400))
                    for s in (0.9985, 1.0005))  # fmt: skip
    assert below > 0 > above


def test_iteration_ends_where_the_fixed_points_say():
    model = MemoryReconstruction(patterns="sparse", rho=0.05)
    Delta = 1.2 * theory.thresholds(model).algorithmic
    unstable = theory.fixed_points(model.prior, Delta)[0] * Delta / 0.05
    for overlap in (0.9 * unstable, 1.1 * unstable, 1.0):
        noise = np.sqrt(Delta)
        last = tsphys.solve(model, noise=noise, t=[300], overlap=overlap)["overlap"][0]
        end = tsphys.solve(model, noise=noise, overlap=overlap)["overlap"][0]
        assert (end > 0) == (overlap > unstable)
        assert last == pytest.approx(end, abs=1e-9)


def test_noise_at_an_effective_noise():
    for model in (
        MemoryReconstruction(),
        MemoryReconstruction(channel="clipped"),
        MemoryReconstruction(channel="diluted", connectivity=0.3),
        MemoryReconstruction(channel="rectified", threshold=0.5),
        MemoryReconstruction(channel="rectified", threshold=-2.0),
    ):
        noise = theory.noise_at(model, 0.9)
        assert dataclasses.replace(model, noise=noise).Delta == pytest.approx(0.9, rel=1e-9)
    with pytest.raises(tsphys.ModelError, match="out of reach"):
        theory.noise_at(MemoryReconstruction(channel="rectified", threshold=2.0), 0.5)


def test_lines_of_the_phase_diagram():
    rho = np.array([0.05, 0.2])
    found = theory.lines(MemoryReconstruction(patterns="sparse", rho=0.1), rho)
    np.testing.assert_allclose(found["message passing"], rho, rtol=1e-12)
    assert found["spinodal"][0] > found["information"][0] > rho[0]
    assert found["spinodal"][1] == pytest.approx(rho[1])
