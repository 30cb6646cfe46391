"""Clones: groups, participation, the floor of noise of published numbers, merging."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys.odes.two_layer_limits import clone_floor
from tsphys.physics.committee.clones import answers, cosines, effective, groups, merged, shares, teachers


def copies(K, M, v):
    R = np.repeat(np.eye(M), K // M, axis=0)
    return tsphys.OrderParameters(R=R, Q=R @ R.T, T=np.eye(M), v=v, v_star=np.ones(M))


@pytest.mark.parametrize("K, M, v, lr, exact, formula", [
    (1, 1, (1,), 0.05, 1.86036e-4, 1.83776e-4), (2, 1, (0.5, 0.5), 0.05, 9.24500e-5, 9.18881e-5),
    (3, 1, (0.5, 0.3, 0.2), 0.05, 7.01362e-5, 6.98350e-5), (4, 2, (0.5,) * 4, 0.05, 1.857179e-4, 1.837763e-4),
    (2, 1, (0.5, 0.5), 0.02, 3.68449e-5, 3.67553e-5),
])  # fmt: skip
def test_published_floors(K, M, v, lr, exact, formula):
    """The equations to 10⁻⁴ and the first order in η to its digits; of another teacher by ⟨g'²⟩."""
    model, start = tsphys.TwoLayer(K=K, M=M, v=v, lr=lr, noise=0.2), copies(K, M, v)
    found = tsphys.solve(model, start=start, t=[400 / lr])["eps_g"][0]
    # What clones of several units come to rest in ends at a rate of order η².
    assert found == pytest.approx(exact, rel=5e-4 if M > 1 else 1.1e-4)
    assert clone_floor(model, start) == pytest.approx(formula, rel=6e-6)
    assert found / formula == pytest.approx(1, abs=0.015)


def test_floor_of_minibatches_and_of_a_longer_teacher():
    long = tsphys.OrderParameters(R=[[2.0], [2.0]], Q=np.full((2, 2), 2.0), T=[[2.0]], v=[0.5, 0.5], v_star=[1.0])
    model = tsphys.TwoLayer(K=2, M=1, v=(0.5, 0.5), lr=0.02, noise=0.2, minibatch=2, T=[[2.0]], teacher="given")
    found = tsphys.solve(model, start=long, t=[8000])["eps_g"][0]
    # To first order in η.
    assert clone_floor(model, long) == pytest.approx(found, rel=0.02)


def test_runs_stay_at_the_floor():
    """SGD from clones, averaged over late times, on the stationary state: four standard errors and 1/N."""
    v = (0.5, 0.3, 0.2)
    model, start = tsphys.TwoLayer(K=3, M=1, v=v, lr=0.2, noise=0.2), copies(3, 1, v)
    sim = tsphys.simulate(model, N=1000, start=start, t=np.linspace(100, 200, 6), replicas=24)
    each = sim["eps_g"].mean(axis=1)
    still = tsphys.solve(model, start=start, t=[200])["eps_g"][0]
    assert each.mean() == pytest.approx(still, abs=4 * each.std(ddof=1) / np.sqrt(24) + still / 200)


def test_groups():
    Q = np.array([[1, 0.95, 0.85, 0], [0.95, 1, 0.95, 0], [0.85, 0.95, 1, 0], [0, 0, 0, 4.0]])
    # The first and third are joined by the second; signs and lengths are no matter.
    signs = np.array([1, -2, 3, 1.0])
    assert groups(Q) == groups(Q * np.outer(signs, signs)) == 2
    assert groups(Q, 0.97) == 4
    assert groups(np.stack([Q, np.eye(4)])).tolist() == [2, 4]
    assert groups(np.zeros((3, 3))) == 3
    assert cosines(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert groups([[2.0]]) == 1
    chain = 0.95 ** np.abs(np.subtract.outer(np.arange(9), np.arange(9)))
    assert groups(chain) == 1


def test_participation():
    R, T = np.array([[1, 0], [-1, 0], [0.1, 0.9], [0, 0]]), np.eye(2)
    Q = np.eye(4)
    v = np.array([0.5, -0.5, 0.7, 0.2])
    assert teachers(R, Q, T)[:3].tolist() == [0, 0, 1]
    np.testing.assert_allclose(shares(R, Q, T, v), [[0.5, 0], [0.5, 0], [0, 0.7], [0, 0]])
    np.testing.assert_allclose(effective(R, Q, T, v), [2, 1])
    # Of opposite contributions nothing is left; a unit of none has none.
    np.testing.assert_allclose(effective(R, Q, T, [0.5, 0.5, 0, 0]), [0, 0])


def test_merging_clones_leaves_the_answers():
    v = (0.5, 0.3, 0.2, 0.6, 0.1, 0.3)
    whole = copies(6, 2, v)
    less = merged(whole)
    np.testing.assert_allclose(less.v, [1, 1], rtol=1e-12)
    assert tsphys.TwoLayer(K=2).eps_g(less.R, less.Q, less.T, less.v, less.v_star) == pytest.approx(0, abs=1e-15)
    # Signs go along.
    turned = np.diag([1, -1, 1, 1, 1, -1])
    R, Q = turned @ np.array(whole.R), turned @ np.array(whole.Q) @ turned
    less = merged(tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2), v=turned @ v, v_star=np.ones(2)))
    np.testing.assert_allclose(less.v, [1, 1], rtol=1e-12)
    np.testing.assert_allclose(answers(np.array([[1, 0.5], [0.5, 3]]), "linear"), [[1, 0.5], [0.5, 3]], rtol=1e-12)


def test_a_wide_student_makes_clones_and_a_narrow_one_none():
    """Both layers trained: an error below that of as many units as the teacher, at the floor of its readouts."""
    base = {"M": 1, "lr": 0.3, "lr_v": 0.3, "noise": 0.2}
    ends = {}
    for K in (1, 4):
        v = tuple(0.1 * np.random.default_rng(9).standard_normal(K))
        model = tsphys.TwoLayer(K=K, v=v, **base)
        found = tsphys.solve(model, t=[3000])
        state = tsphys.OrderParameters(R=found["R"][0], Q=found["Q"][0], T=[[1.0]], v=found["v"][0], v_star=[1.0])
        ends[K] = found["eps_g"][0]
        # First order in η, and what the readouts' own noise adds.
        assert clone_floor(model, state) == pytest.approx(ends[K], rel=0.15)
    assert ends[1] == pytest.approx(0.0011, abs=6e-5)
    assert 0.0004 < ends[4] < 0.0006
    less = merged(state)
    assert model.eps_g(less.R, less.Q, less.T, less.v, less.v_star) < 5 * ends[4]
    narrow = tsphys.TwoLayer(K=2, M=4, lr=0.3, lr_v=0.3, noise=0.2, v=(0.1, -0.05))
    assert groups(tsphys.solve(narrow, t=[1000])["Q"])[0] == 2


def test_refusals():
    relu = tsphys.TwoLayer(activation="relu", noise=0.1)
    refuses(lambda: clone_floor(relu, copies(2, 2, (1, 1))), "activation")
    narrow = tsphys.OrderParameters(R=[[1.0, 0]], Q=[[1.0]], T=np.eye(2))
    refuses(lambda: clone_floor(tsphys.TwoLayer(K=1, noise=0.1), narrow), "K")
    nothing = tsphys.OrderParameters(R=[[0.0]], Q=[[0.0]], T=[[1.0]], v=[1.0], v_star=[1.0])
    refuses(lambda: merged(nothing), "Q")
