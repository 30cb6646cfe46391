"""Stitching by relative representations: published numbers, limits, a student by its moments, drawn nets on theory."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import Stitching
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.physics.kernels.relative import arcs, cosine_variance, gram_variance
from tsphys.physics.kernels.sphere import on_sphere
from tsphys.replica.stitching import optimal_ridge
from tsphys.sims.stitching import coordinates


def test_published_variances():
    r = np.array([-0.5, 0, 0.3, 0.8, 1])
    np.testing.assert_allclose(arcs(r).products, (0.05450, 0.15915, 0.24137, 0.41356, 0.5), atol=5e-6)
    np.testing.assert_allclose(gram_variance(r), (0.04028, 0.22467, 0.43060, 0.96464, 1.25), atol=5e-6)
    np.testing.assert_allclose(gram_variance(r, "step"), (0.13889, 0.18750, 0.20940, 0.23951, 0.25), atol=5e-6)
    np.testing.assert_allclose(cosine_variance(r[1:]), (0.54405, 0.61950, 0.16692, 0), atol=5e-6)
    # The relative error of kernels of random features.
    relative = np.sqrt(gram_variance(r) / arcs(r).products ** 2)
    np.testing.assert_allclose(relative[[1, 4]], (3.0, 2.24), atol=0.03)


@pytest.mark.parametrize("p", [50, 800])
def test_two_nets_differ_as_published(p):
    """The mean square difference of their products, 2(κ_2 − κ_1²)/p over all pairs, at N = 100: within 4 %."""
    rng, ratios = np.random.default_rng(p), []
    for _ in range(30):
        x = on_sphere(rng, 60, 100)
        nets = [coordinates(Stitching(coordinates="gram"), rng.standard_normal((p, 100)), x[:30], x) for _ in range(2)]
        r = np.clip(x @ x[:30].T / 100, -1, 1)
        ratios.append(np.mean((nets[0] - nets[1]) ** 2) / (2 * gram_variance(r).mean() / p))
    # Pairs share nets: the spread of the thirty is their own.
    assert abs(np.mean(ratios) - 1) < max(4 * np.std(ratios) / 30**0.5, 0.04), np.mean(ratios)


@pytest.mark.parametrize("width, own, stitched, half", [
    (2, 0.327, 0.539, 0.258), (8, 0.289, 0.344, 0.085), (32, 0.266, 0.281, 0.023),
])  # fmt: skip
def test_published_stitching(width, own, stitched, half):
    """Five draws at N = 100, with errors of 5 to 15 %; products with their mean are slow to forget N.

    The own error to 8 %, the other to 10 %, differences to two of their errors.
    """
    found = tsphys.solve(Stitching(coordinates="gram", anchors=0.6), width=[width])
    assert found["eps_g"][0] == pytest.approx(own, rel=0.08)
    assert found["eps_stitched"][0] == pytest.approx(stitched, rel=0.1)
    assert found["mismatch"][0] == pytest.approx(half, rel=0.3)


@pytest.mark.slow
def test_published_stitching_at_its_size():
    model = Stitching(coordinates="gram", anchors=0.6)
    sim = tsphys.simulate(model, width=[2, 8, 32], N=100, replicas=40, seed=5)
    published = {
        "eps_g": (0.327, 0.289, 0.266),
        "eps_stitched": (0.539, 0.344, 0.281),
        "mismatch": (0.258, 0.085, 0.023),
    }
    for name, values in published.items():
        np.testing.assert_allclose(sim.mean(name), values, rtol=0.2)


def test_many_features_agree():
    """As p → ∞ nets are the same, whatever the coordinates; the rest falls as 1/p."""
    for kind in ("centred", "gram", "cosine"):
        found = tsphys.solve(Stitching(coordinates=kind, noise=0.2), width=[1e4, 1e5])
        np.testing.assert_allclose(found["mismatch"][0] / found["mismatch"][1], 10, rtol=2e-3)
        np.testing.assert_allclose(found["eps_stitched"], found["eps_g"], rtol=1e-2)
    # One net, and no anchors between: the target in all its N directions, each with the eigenvalue κ_1⁴ m/N.
    many = tsphys.solve(Stitching(activation="linear", width=1e6, anchors=500), ridge=[0.1])
    alone = eigenframework.errors(Modes(np.array([500.0]), np.array([1.0]), np.array([1.0])), 4.0, 0.1, 0.0, 500)
    assert many["eps_g"][0] == pytest.approx(alone["eps_g"], rel=3e-3)


def test_a_ridge_above_all_learns_nothing():
    found = tsphys.solve(Stitching(), ridge=[1e9])
    np.testing.assert_allclose(
        [found["eps_g"][0], found["eps_stitched"][0], found["mismatch"][0]], [0.5, 0.5, 0], atol=1e-6
    )


def test_features_without_a_mean_have_one_kind_of_products():
    found = [tsphys.solve(Stitching(activation="erf", coordinates=kind)) for kind in ("centred", "gram")]
    assert all(found[0][name] == found[1][name] for name in ("eps_g", "eps_stitched", "mismatch"))


def test_students_by_plain_ridge_regression():
    """Power by modes and norm of the weights, against 400 instances, to five standard errors."""
    rng = np.random.default_rng(4)
    eigenvalues, v = np.repeat([1.0, 0.2, 0.02], [10, 40, 150]), np.zeros(200)
    v[[3, 12]] = 0.8, 0.5
    n, k, ridge, noise = 80, 120, 0.3, 0.4
    told = eigenframework.student(Modes(eigenvalues, v**2), n, ridge, noise**2, k)
    rows = []
    for _ in range(400):
        R = np.sqrt(eigenvalues)[:, None] * rng.standard_normal((200, k)) / np.sqrt(k)
        phi = rng.standard_normal((n, 200))
        A, y = phi @ R, phi @ v + noise * rng.standard_normal(n)
        w = np.linalg.solve(A.T @ A + ridge * np.eye(k), A.T @ y)
        f = R @ w
        rows.append([w @ w, f @ v, (f[:10] ** 2).sum(), (f[10:50] ** 2).sum(), (f[50:] ** 2).sum()])
    rows = np.array(rows)
    power = [told.power[:10].sum(), told.power[10:50].sum(), told.power[50:].sum()]
    expected = np.array([told.norm, told.learned @ v**2, *power])
    # And what finite n and k leave, 1 in 80.
    np.testing.assert_array_less(np.abs(rows.mean(axis=0) - expected), 5 * rows.std(axis=0) / 20 + expected / 80)


@pytest.mark.parametrize("given, axis", [
    ({}, {"width": [1, 8]}),
    ({"coordinates": "cosine", "noise": 0.3}, {"anchors": [0.3, 2]}),
    ({"coordinates": "gram", "width": 2}, {"alpha": [2, 6]}),
    ({"activation": "tanh", "noise": 0.5, "width": 2}, {"ridge": [0.01, 1]}),
    ({"activation": "linear", "width": 2, "anchors": 0.5, "ridge": 0.0}, {"noise": [0.1, 1]}),
])  # fmt: skip
def test_drawn_nets_on_theory(given, axis):
    model = Stitching(**given)
    sim = tsphys.simulate(model, N=60, replicas=12, seed=3, **axis)
    found = tsphys.compare(sim, tsphys.solve(model, **axis))
    assert found.ok, found
    assert set(found.z) == {"eps_g", "eps_stitched", "mismatch"}


def test_what_is_best_for_one_net_is_too_little_for_two():
    """The ridge that is best for a stitched net is larger, and there it is no worse than at the own one's."""
    model = Stitching(noise=0.3, width=2)
    own, other = optimal_ridge(model, "eps_g"), optimal_ridge(model)
    assert other > 1.5 * own
    errors = tsphys.solve(model, ridge=[own, other])["eps_stitched"]
    assert errors[1] < errors[0]


def test_bad_parameters():
    refuses(lambda: Stitching(coordinates="relative"), "coordinates")
    refuses(lambda: Stitching(anchors=0), "anchors")
    refuses(lambda: gram_variance([0.5], "erf"), "units")
    refuses(lambda: optimal_ridge(Stitching(), "mse"), "observable")
    # As many examples as anchors, and no ridge.
    refuses(lambda: tsphys.solve(Stitching(ridge=0, alpha=1, width=4)), "ridge")
    refuses(lambda: tsphys.simulate(replace(Stitching(), anchors=0.001), N=10), "anchors")


def test_what_is_known_by_hand():
    passes("stitching", "by hand")
