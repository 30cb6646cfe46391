"""Order parameters: roots of overlaps, coordinates, the law of random starts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import tsphys
from tsphys.physics.order_parameters import coordinates, microscopic, random_overlaps, triangular_root


def random_state(seed, K, M, rank):
    """Overlaps of random vectors that span only `rank` dimensions."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((K + M, rank)) / np.sqrt(rank)
    S = X @ X.T
    return tsphys.OrderParameters(R=S[:K, K:], Q=S[:K, :K], T=S[K:, K:])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 4), st.integers(1, 9))
def test_coordinates_give_the_overlaps_back(seed, K, M, rank):
    state = random_state(seed, K, M, rank)
    A, L, LT = coordinates(state)
    # A singular T is cut at 1e-10 of its largest singular value, so that R is good to the root of rounding.
    np.testing.assert_allclose(A @ LT.T, state.R, atol=1e-7)
    np.testing.assert_allclose(A @ A.T + L @ L.T, state.Q, atol=1e-7)
    np.testing.assert_allclose(LT @ LT.T, state.T, atol=1e-12)
    for lower in (L, LT):
        np.testing.assert_array_equal(np.triu(lower, 1), 0)
    if rank >= K + M:
        np.testing.assert_allclose(A @ LT.T, state.R, atol=1e-10)


def test_triangular_root_of_singular_matrices():
    for S in (np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 0.0, 2.0])):
        L = triangular_root(S)
        np.testing.assert_allclose(L @ L.T, S, atol=1e-14)
        np.testing.assert_array_equal(np.triu(L, 1), 0)
        assert (np.diag(L) >= 0).all()


def test_random_starts_have_the_law_of_random_weights():
    K, M, N, n, scale = 2, 2, 8, 4000, 0.7
    T = np.array([[1.0, 0.3], [0.3, 0.5]])
    rng = np.random.default_rng(3)
    B = triangular_root(T) @ np.linalg.qr(rng.standard_normal((N, M)))[0].T * np.sqrt(N)
    drawn, made = [], []
    for _ in range(n):
        R, Q = random_overlaps(K, T, N, scale, rng)
        drawn.append([*R.ravel(), *Q[np.tril_indices(K)]])
        W = scale * rng.standard_normal((K, N))
        made.append([*(W @ B.T / N).ravel(), *(W @ W.T / N)[np.tril_indices(K)]])
    drawn, made = np.array(drawn), np.array(made)
    p = [stats.ks_2samp(a, b).pvalue for a, b in zip(drawn.T, made.T, strict=True)]
    products = [np.einsum("ni,nj->nij", x, x).reshape(n, -1) for x in (drawn, made)]
    p += stats.ttest_ind(*products, equal_var=False).pvalue.tolist()
    # Bonferroni: a true pair fails with probability 1e-3.
    assert min(p) * len(p) > 1e-3


def test_random_starts_have_the_variance_of_random_weights():
    """To a sixth of 2 %, in the teachers' span and outside of it."""
    K, M, N, n, scale = 8, 8, 60, 3000, 0.7
    rng = np.random.default_rng(4)
    R, Q = (np.array(drawn) for drawn in zip(*(random_overlaps(K, np.eye(M), N, scale, rng) for _ in range(n))))
    inside = np.sum(R**2, axis=-1)
    for squares, number in ((inside, M), (np.diagonal(Q, axis1=1, axis2=2) - inside, N - M)):
        right = scale**2 * number / N
        assert abs(squares.mean() / right - 1) < 4 * np.sqrt(2 / (number * n * K))


def test_overlaps_are_kept_from_being_changed():
    state = random_state(0, 2, 2, 6)
    with pytest.raises(ValueError, match="read-only"):
        state.Q[0, 0] = 3


def test_lists_are_taken_and_rounding_is_forgiven():
    state = tsphys.OrderParameters(R=[[1.0]], Q=[[1.0 - 1e-14]], T=[[1.0]])
    W, B = microscopic(state, 5, np.random.default_rng(0))
    assert abs((W @ B.T / 5).item() - 1) < 1e-7


def test_equality():
    given = {"R": [[0.1]], "Q": [[0.2]], "T": [[1.0]]}
    assert tsphys.OrderParameters(**given) == tsphys.OrderParameters(**given)
    assert tsphys.OrderParameters(**given) != tsphys.OrderParameters(**given, v=[1.0])
    assert tsphys.OrderParameters(**given) != tsphys.OrderParameters(**{**given, "Q": [[0.3]]})
