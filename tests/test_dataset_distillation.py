"""Distilled data: published numbers, what is exact, and students of both sets on theory."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import DatasetDistillation
from tsphys.replica.dataset_distillation import points_for
from tsphys.sims.dataset_distillation import distilled, flown, moments, single


@pytest.mark.parametrize("T, mismatch, real, synthetic", [
    (1, (0.596085, 0.143087, 0.005747), 0.287761, (0.903022, 0.545316, 0.313015)),
    (3, (1.337048, 0.541653, 0.038068), 0.131541, (0.902606, 0.521395, 0.185149)),
    (10, (1.880578, 1.041564, 0.168833), 0.108708, (0.902611, 0.522140, 0.178094)),
])  # fmt: skip
def test_published_trajectories(T, mismatch, real, synthetic):
    found = tsphys.solve(DatasetDistillation(time=T), points=[0.1, 0.5, 0.9])
    np.testing.assert_allclose(found["mismatch"], mismatch, atol=2e-6)
    np.testing.assert_allclose(found["eps_real"], real, atol=2e-6)
    np.testing.assert_allclose(found["eps_g"], synthetic, atol=2e-6)


@pytest.mark.parametrize("point, mismatch, real, synthetic", [
    ((0.5, 0.3, 5, 0.25, 0), 0.277989, 0.288411, 0.382970), ((4, 0.5, 1, 0.5, 0.5), 0.158198, 0.163181, 0.408320),
    ((2, 0.5, 3, 0.3, 1), 0.928483, 0.131541, 0.710075),
])  # fmt: skip
def test_more_published_trajectories(point, mismatch, real, synthetic):
    alpha, sigma, T, mu, q0 = point
    found = tsphys.solve(DatasetDistillation(alpha=alpha, noise=sigma, time=T, points=mu, spread=q0))
    assert [found[k][0] for k in ("mismatch", "eps_real", "eps_g")] == pytest.approx(
        [mismatch, real, synthetic], abs=2e-6
    )


def test_published_moments():
    model = DatasetDistillation(task="classes", alpha=3, way="subset")
    found = tsphys.solve(model, points=np.array([1, 5, 20, 50, 100]) / 100)
    np.testing.assert_allclose(found["eps_g"], (0.42188, 0.33610, 0.22835, 0.16444, 0.13133), atol=1e-5)
    np.testing.assert_allclose(found["eps_real"], 0.10368, atol=6e-6)
    np.testing.assert_allclose(
        tsphys.solve(replace(model, way="distilled"), points=[0.01, 1])["eps_g"], 0.10368, atol=6e-6
    )


def test_ends():
    """Untrained students match; what all directions hold is exact; at T → ∞ all is least squares, σ²/(α − 1)."""
    none = tsphys.solve(DatasetDistillation(time=0, points=0.3))
    assert none["mismatch"][0] == 0
    assert none["eps_g"][0] == pytest.approx(1) == none["eps_real"][0]
    for alpha in (0.5, 2.0):
        found = tsphys.solve(DatasetDistillation(alpha=alpha), points=[min(1, alpha), 5])
        np.testing.assert_allclose(found["mismatch"], 0, atol=1e-12)
        np.testing.assert_allclose(found["eps_g"], found["eps_real"], rtol=1e-12)
    late = tsphys.solve(DatasetDistillation(alpha=3, time=1e4, points=1))
    assert 2 * late["eps_real"][0] == pytest.approx(0.25 / 2, rel=1e-6)
    assert points_for(DatasetDistillation(), 10.0) == 0
    # Fewer for short times, for which no more than fast directions matter.
    fewest = [points_for(DatasetDistillation(time=T), 0.05) for T in (0.3, 1, 3, 10)]
    assert sorted(fewest) == fewest
    for T, mu in zip((0.3, 10), (fewest[0], fewest[-1]), strict=True):
        assert tsphys.solve(DatasetDistillation(time=T, points=mu))["mismatch"][0] == pytest.approx(0.05, rel=1e-9)


def test_one_point_is_enough_for_one_start():
    """By plain descent of many small steps, whose end is the flow's to the size of a step; and by the flow itself."""
    rng = np.random.default_rng(0)
    X, y, first = rng.standard_normal((30, 12)), rng.standard_normal(30), rng.standard_normal(12)
    last = flown(X, y, first, 2.0)
    x, answer = single(first, last, 2.0, 0.8)
    np.testing.assert_allclose(flown(x[None], np.array([answer]), first, 2.0), last, atol=1e-13)
    w = first.copy()
    for _ in range(20000):
        w += 1e-4 * x * (answer - x @ w)
    np.testing.assert_allclose(w, last, atol=1e-4)


def test_students_of_distilled_points_descend():
    """Plain descent on real and synthetic points: the kept directions end alike, the others have not moved."""
    rng = np.random.default_rng(1)
    X, y, first = rng.standard_normal((40, 10)), rng.standard_normal(40), rng.standard_normal(10)
    right = np.linalg.svd(X)[2]
    points, answers = distilled(X, y, 4)
    ends = []
    for inputs, labels in ((X, y), (points, answers)):
        w = first.copy()
        for _ in range(3000):
            w += 1e-3 * inputs.T @ (labels - inputs @ w) / len(inputs)
        ends.append(right @ w)
    np.testing.assert_allclose(ends[1][:4], ends[0][:4], atol=1e-9)
    np.testing.assert_allclose(ends[1][4:], (right @ first)[4:], atol=1e-12)


def test_points_have_the_moments_of_the_classes():
    rng = np.random.default_rng(2)
    sets = [s + rng.standard_normal((50, 8)) * np.linspace(2, 0.5, 8) for s in (1, -1)]
    whole = np.concatenate([x - x.mean(axis=0) for x in sets])
    C = whole.T @ whole / 100
    for m, kept in ((1, 0), (3, 4), (5, 8), (9, 8)):
        made = moments(sets, m, True)
        off = np.concatenate([x - x.mean(axis=0) for x in made])
        values, vectors = np.linalg.eigh(C)
        held = (vectors[:, 8 - kept :] * values[8 - kept :]) @ vectors[:, 8 - kept :].T
        np.testing.assert_allclose(off.T @ off / (2 * m), held, atol=1e-12)
        for x, y in zip(made, sets, strict=True):
            assert x.shape == (m, 8)
            np.testing.assert_allclose(x.mean(axis=0), y.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("given, points", [
    ({}, [0.1, 0.5, 0.9]), ({"alpha": 0.5, "noise": 0.3, "time": 5, "spread": 0}, [0.25]),
    ({"way": "subset"}, [0.3, 1]),
    ({"task": "classes"}, [0.1]), ({"task": "classes", "way": "subset"}, [0.1, 1]),
])  # fmt: skip
def test_students_on_theory(given, points):
    model = DatasetDistillation(**given)
    sim = tsphys.simulate(model, points=points, N=60, replicas=8, seed=1)
    found = tsphys.compare(sim, tsphys.solve(model, points=points))
    assert found.ok, found


@pytest.mark.slow
def test_published_classifiers():
    """Means of 20 draws, ±0.007: Fisher's classifier on a random subset, and on means and components."""
    model, points = DatasetDistillation(task="classes", alpha=3, covariance=True), [0.01, 0.05, 0.2, 0.5, 1]
    published = {"subset": (0.410, 0.344, 0.197, 0.077, 0.030), "distilled": (0.102, 0.102, 0.070, 0.015, 0.012)}
    for way, errors in published.items():
        sim = tsphys.simulate(replace(model, way=way), points=points, N=100, replicas=40, seed=0)
        np.testing.assert_allclose(sim.mean("eps_g"), errors, atol=4 * 0.007)


@pytest.mark.parametrize("given, named", [
    ({"way": "subset", "points": 3}, "points"), ({"covariance": True}, "covariance"),
])  # fmt: skip
def test_what_does_not_go_together(given, named):
    refuses(lambda: DatasetDistillation(**given), named)


def test_components_have_no_theory():
    refuses(lambda: tsphys.solve(DatasetDistillation(task="classes", covariance=True)), "covariance")


def test_what_is_known_by_hand():
    passes("dataset_distillation", "by hand", "many dimensions")
