"""Two students of one teacher: published numbers, closed forms of linear ones, symmetries, runs."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import OrderParameters, TwoStudents
from tsphys.physics.matching import correlations, matched

Q_A, Q_B = np.array([[0.3, 0.05], [0.05, 0.25]]), np.diag([0.25, 0.35])
R = np.array([[0.12, 0.02], [-0.05, 0.1], [0.05, 0.15], [0.1, 0]])
Q = np.kron([[1, 0], [0, 0]], Q_A) + np.kron([[0, 0], [0, 1]], Q_B)
V = {"v": [0.9, 1.1, 1.1, 0.9], "v_star": [1, 1.2]}
START = OrderParameters(R=R, Q=Q, T=[[1, 0.2], [0.2, 1]], **V)
PLAIN = OrderParameters(R=R, Q=Q, T=np.eye(2))


@pytest.mark.parametrize("f, lr_v, noise, t, expected", [
    (0, 0.3, 0.1, 1, (0.110679, 0.077168, 0.119384, 0.080734, 0.276797)),
    (0, 0.3, 0.1, 4, (0.390647, 0.299955, 0.441002, 0.331608, 0.695857)),
    (0, 0.3, 0.1, 60, (0.490248, 0.589966, 0.743205, 0.457428, 0.925179)),
    (0.5, 0.3, 0.1, 4, (0.397677, 0.306152, 0.449596, 0.339165, 0.710089)),
    (1, 0.3, 0.1, 1, (0.151764, 0.110163, 0.170654, 0.121919, 0.395897)),
    (1, 0.3, 0.1, 4, (0.408421, 0.315167, 0.462817, 0.350213, 0.731484)),
    (1, 0.3, 0.1, 60, (0.490625, 0.595647, 0.749071, 0.457553, 0.933729)),
    (1, 0, 0.3, 15, (0.637562, 0.540274, 0.737521, 0.592379, 0.849449)),
    (1, 0, 0.3, 60, (0.574729, 0.701439, 0.894434, 0.556755, 0.915591)),
])  # fmt: skip
def test_published_overlaps_and_scores(f, lr_v, noise, t, expected):
    """To their digits: they were integrated to 2e-6."""
    theory = tsphys.solve(TwoStudents(shared=f, lr_v=lr_v, noise=noise), start=START, t=[t])
    np.testing.assert_allclose([*theory["Q"][0, :2, 2:].ravel(), theory["score"][0]], expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("f", [0, 0.5, 1])
def test_what_they_share_changes_neither_of_them(f):
    theory = tsphys.solve(TwoStudents(shared=f, lr_v=0.3), start=START, t=[1, 4, 15, 60])
    expected = [[0.282037, 0.250297], [0.051465, 0.048923], [0.014846, 0.015916], [0.008351, 0.010678]]
    np.testing.assert_allclose(theory["eps_g"], expected, rtol=0, atol=2e-6)
    model = tsphys.TwoLayer(lr=0.5, lr_v=0.3, noise=0.1)
    alone = tsphys.solve(model, start=OrderParameters(R=R[:2], Q=Q_A, T=START.T, v=[0.9, 1.1], v_star=[1, 1.2]), t=[15])
    np.testing.assert_allclose(theory["Q"][2, :2, :2], alone["Q"][0], atol=1e-8)


@pytest.mark.parametrize("f, scores, distance, U", [
    (0, (0.917449, 0.969665, 0.971041), 0.061607, 1.161677),
    (0.5, (0.932957, 0.982607, 0.983719), 0.034557, 1.175202),
    (1, (0.952866, 0.999269, 1.000000), 3.5e-7, 1.192480),
])  # fmt: skip
def test_published_ends(f, scores, distance, U):
    theory = tsphys.solve(TwoStudents(shared=f, noise=0.3), start=PLAIN, t=[100, 200, 400])
    np.testing.assert_allclose(theory["score"], scores, rtol=0, atol=1e-6)
    np.testing.assert_allclose(theory["distance"][-1], distance, rtol=1e-2 if f == 1 else 2e-5)
    R_A, R_B, block = theory["R"][-1, :2], theory["R"][-1, 2:], theory["Q"][-1, :2, 2:]
    assert abs(block[0, 1] - U) < 1e-6
    assert abs(theory["Q"][-1, 0, 0] - 1.192615) < 1e-6
    if f == 0:
        # Their noises have nothing in common: T = 1.
        np.testing.assert_allclose(block, R_A @ R_B.T, atol=1e-5)


@pytest.mark.parametrize("lr, q, r, overlaps", [
    (0.5, 1.103846, 1.038088, {0: 1.077590, 0.5: 1.089796, 1: 1.103809}),
    (1.5, 1.474083, 1.166987, {0: 1.361859, 0.5: 1.405196, 1: 1.474083}),
])  # fmt: skip
def test_published_numbers_of_single_units(lr, q, r, overlaps):
    start = OrderParameters(R=[[0.1], [0.05]], Q=np.diag([0.3, 0.2]), T=[[1]])
    for f, U in overlaps.items():
        theory = tsphys.solve(TwoStudents(K=1, M=1, lr=lr, noise=0.3, shared=f), start=start, t=[100])
        found = theory["Q"][0, 0, 0], theory["R"][0, 0, 0], theory["Q"][0, 0, 1]
        np.testing.assert_allclose(found, (q, r, U), rtol=0, atol=1e-6)


def test_on_the_plateau_all_units_are_alike():
    start = OrderParameters(R=0.05 * R, Q=Q, T=np.eye(2))
    theory = tsphys.solve(TwoStudents(lr=0.2, noise=0, shared=0), start=start, t=[20, 60, 200, 300])
    np.testing.assert_allclose(theory["score"], (0.7442, 0.8036, 0.8690, 0.8968), rtol=0, atol=1e-4)
    mean = correlations("erf", theory["Q"], 2).mean(axis=(1, 2))
    np.testing.assert_allclose(mean, (0.7442, 0.8036, 0.8673, 0.8804), rtol=0, atol=1e-4)


@pytest.mark.parametrize("lr, f, distance", [(1, 0, 0.5), (1, 0.5, 1 / 3), (1, 1, 0), (0.4, 0.5, 0.0694444)])
def test_linear_students_are_known_in_closed_form(lr, f, distance):
    """|w − w'|²/N → 4ησ²(1 − f)/((2 − η)(2 − fη)), U − T → fησ²/(2 − fη)."""
    start = OrderParameters(R=[[0.1], [0.05]], Q=np.diag([0.3, 0.2]), T=[[1]])
    model = TwoStudents(K=1, M=1, activation="linear", lr=lr, noise=0.5, shared=f)
    theory = tsphys.solve(model, start=start, t=[200])
    np.testing.assert_allclose(theory["distance"][0], distance, rtol=0, atol=1e-6)
    np.testing.assert_allclose(theory["Q"][0, 0, 1] - 1, f * lr * 0.25 / (2 - f * lr), atol=1e-8)


@pytest.mark.parametrize("f, same", [(1, True), (0, False)])
def test_equal_starts_stay_equal_if_all_is_shared(f, same):
    start = OrderParameters(R=np.vstack([R[:2]] * 2), Q=np.kron(np.ones((2, 2)), Q_A), T=np.eye(2))
    theory = tsphys.solve(TwoStudents(shared=f), start=start, t=[2.0])
    assert np.allclose(theory["Q"][0, :2, 2:], theory["Q"][0, :2, :2], atol=1e-9) is same


def test_matches_know_neither_order_nor_sign():
    turned = np.diag([1, 1, -1, 1])[:, [0, 1, 3, 2]]
    C = R @ R.T + 0.1 * np.eye(4)
    for name, value in matched("erf", C, 2).items():
        assert matched("erf", turned.T @ C @ turned, 2)[name] == pytest.approx(value), name
    alone = matched("erf", np.diag([1.0, 1.0, 0.0]), 1)
    assert alone["score"] == 0


def test_one_may_have_more_units():
    model = TwoStudents(K=2, other=3, shared=1)
    theory = tsphys.solve(model, t=[1.0, 3.0], N=500)
    assert theory["Q"].shape == (2, 5, 5)
    assert theory["eps_g"].shape == (2, 2)
    refuses(lambda: replace(model, v=[1, 1]), "v")


def test_runs_lie_on_the_theory():
    model, t = TwoStudents(lr_v=0.3), [1.0, 4.0, 15.0]
    sim = tsphys.simulate(model, N=300, start=START, t=t, replicas=24, seed=1)
    theory = tsphys.solve(model, start=START, t=t)
    found = tsphys.compare(sim, theory)
    assert found.ok, found
    for f in (0.0, 1.0):
        assert not tsphys.compare(sim, tsphys.solve(replace(model, shared=f), start=START, t=t)).ok


def test_matching_takes_lists_and_says_what_it_has_not():
    Q = np.array([[1.0, 0.2, 0.5], [0.2, 0.8, -0.1], [0.5, -0.1, 1.2]])
    np.testing.assert_array_equal(correlations("erf", Q.tolist(), 2), correlations("erf", Q, 2))
    assert matched("erf", Q.tolist(), 1) == matched("erf", Q, 1)
    for first in (0, 3):
        refuses(lambda first=first: matched("linear", Q, first), "first")
    refuses(lambda: correlations("relu", Q, 1), "activation")
    refuses(lambda: matched("linear", Q[0], 1), "Q")
