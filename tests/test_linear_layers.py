"""Blocks of two linear layers: the exact solution against the flow, laws and limits, and tangent kernels."""

import numpy as np
import pytest

from tests.refusal import refuses
from tsphys.physics.flows.linear_layers import (
    Blocks,
    balanced,
    blocks,
    effective_rank,
    imbalance,
    learned_alignment,
    logistic,
    motion,
    ntk_alignment,
    ntk_product,
)
from tsphys.solvers.ode import integrate


def flowed(W1, W2, S, t):
    """The equations of motion, to some ten times 1e-12."""
    first = blocks(W1, W2)
    cuts = np.cumsum([x.size for x in first])[:-1]

    def unpacked(y):
        return Blocks(*(part.reshape(x.shape) for part, x in zip(np.split(y, cuts), first)))

    y, _ = integrate(
        lambda _, y: np.concatenate([x.ravel() for x in motion(unpacked(y), S)]),
        np.concatenate([x.ravel() for x in first]), t, rtol=1e-12, atol=1e-14, method="DOP853",
    )  # fmt: skip
    return [unpacked(row) for row in y]


def start(lam, h, d, c, seed=0):
    """A balanced start, otherwise at random."""
    rng = np.random.default_rng(seed)
    O, U, V = (np.linalg.qr(rng.standard_normal((n, n)))[0] for n in (h, c, d))
    s2 = np.zeros(h)
    s2[: min(h, c)] = rng.uniform(0.2, 1, min(h, c))
    if lam > 0:
        s2 = np.sqrt(rng.uniform(0.2, 1, h) ** 2 + lam)
    s1 = np.sqrt(s2**2 - lam)
    W1, W2 = np.zeros((h, d)), np.zeros((c, h))
    np.fill_diagonal(W1, s1)
    np.fill_diagonal(W2, s2)
    return O @ W1 @ V, U @ W2 @ O.T, rng.standard_normal((c, d))


@pytest.mark.parametrize("lam, h, d, c", [(0, 3, 5, 4), (1.5, 3, 5, 4), (-1, 4, 6, 3), (-1, 5, 5, 1), (0, 2, 2, 2)])
def test_exact_solution_and_flow(lam, h, d, c):
    W1, W2, S = start(lam, h, d, c)
    assert imbalance(W1, W2) == pytest.approx(lam, abs=1e-12)
    t = np.array([0.0, 0.7, 3.0])
    exact, rest = balanced(W1, W2, S, t), W2.T @ W2 - W1 @ W1.T
    for k, expected in enumerate(flowed(W1, W2, S, t)):
        for a, b in zip(exact, expected):
            np.testing.assert_allclose(a[k], b, atol=1e-10)
    assert np.abs(rest - lam * np.eye(h)).max() < 1e-12


def test_many_starts_at_once_and_long_times():
    """All singular values of S are learned; what is more than the rest is the law of conservation."""
    starts = [start(0.5, 3, 4, 3, seed) for seed in range(5)]
    many = balanced(*(np.stack(part) for part in zip(*starts)), np.array([1.0, 1e9]))
    for k, one in enumerate(starts):
        np.testing.assert_allclose(many.B[0, k], balanced(*one, np.array([1.0])).B[0], atol=1e-12)
        S = one[2]
        np.testing.assert_allclose(many.B[1, k], S, atol=1e-8)
        s = np.linalg.svd(S, compute_uv=False)
        np.testing.assert_allclose(np.linalg.eigvalsh(many.C[1, k])[::-1], 0.25 + np.hypot(0.25, s), atol=1e-8)


def test_the_law_of_conservation_in_blocks():
    """tr (C² + A²) − 2 tr BᵀB, which is tr (W₂ᵀW₂ − W₁W₁ᵀ)², and tr C − tr A, from a start that is not balanced."""
    rng = np.random.default_rng(1)
    W1, W2, S = rng.standard_normal((4, 5)), rng.standard_normal((3, 4)), rng.standard_normal((3, 5))
    kept = [
        (np.sum(X.C**2) + np.sum(X.A**2) - 2 * np.sum(X.B**2), np.trace(X.C) - np.trace(X.A))
        for X in flowed(W1, W2, S, [0, 0.5, 2, 10])
    ]
    np.testing.assert_allclose(kept, np.broadcast_to(kept[0], (4, 2)), rtol=1e-10)
    refuses(lambda: balanced(W1, W2, S, [1]), "start")
    refuses(lambda: balanced(W1.tolist(), W2.tolist(), S.tolist(), [1]), "start")


def test_modes_are_logistic():
    """Balanced and aligned layers, several modes at once."""
    s, b0, t = np.array([3.0, 1.0]), 0.01, np.linspace(0, 6, 7)
    X = balanced(np.sqrt(b0) * np.eye(2, 4), np.sqrt(b0) * np.eye(2), np.diag(s) @ np.eye(2, 4), t)
    for k in range(2):
        np.testing.assert_allclose(X.B[:, k, k], logistic(s[k], b0, t), atol=1e-12)


def test_one_unit_from_a_silent_readout():
    """|w| = σ cosh θ, |a| = σ sinh θ with dθ/dt = |β| − ½σ² sinh 2θ, where all of the teacher is seen."""
    sigma, beta, t = 1.3, 2.0, np.array([0.0, 0.1, 0.4, 2.0])
    theta, _ = integrate(lambda _, y: beta - 0.5 * sigma**2 * np.sinh(2 * y), [0.0], t, rtol=1e-12, atol=1e-13)
    X = balanced(np.array([[sigma, 0, 0]]), np.zeros((1, 1)), np.array([[beta, 0, 0]]), t)
    np.testing.assert_allclose(X.C[:, 0, 0], (sigma * np.sinh(theta[:, 0])) ** 2, atol=1e-10)
    np.testing.assert_allclose(X.A[:, 0, 0], (sigma * np.cosh(theta[:, 0])) ** 2, atol=1e-10)


def test_tangent_kernels():
    """Against Jacobians of the outputs by all weights, over inputs that are white."""
    rng = np.random.default_rng(2)
    h, d, c = 3, 4, 2
    layers = [(rng.standard_normal((h, d)), rng.standard_normal((c, h))) for _ in range(2)]
    kernels = []
    for W1, W2 in layers:
        # White on the whole: √d times each unit vector, once each.
        J = [
            np.concatenate([np.kron(np.eye(c)[o], W1 @ x), np.kron(W2[o], x)])
            for x in np.sqrt(d) * np.eye(d)
            for o in range(c)
        ]
        kernels.append(np.array(J) @ np.array(J).T)
    X, Y = (blocks(*pair) for pair in layers)
    assert ntk_product(X, Y) == pytest.approx(np.sum(kernels[0] * kernels[1]) / d**2, rel=1e-12)
    assert ntk_alignment(X, X) == pytest.approx(1)
    assert effective_rank(np.diag([1.0, 1, 0])) == pytest.approx(2)


@pytest.mark.parametrize("scale, rank, expected", [
    (4, 1, 0.842904), (4, 5, 0.688570), (4, 10, 0.784554), (4, 20, 0.982662),
    (40, 1, 0.999942), (40, 5, 0.995235), (40, 10, 0.984845), (40, 20, 0.996680),
])  # fmt: skip
def test_numbers_of_aligned_teachers(scale, rank, expected):
    assert learned_alignment(rank, 20, scale, 2.0, 1.0) == pytest.approx(expected, abs=1e-6)
