"""Gaussian integrals and the generalisation error against quadrature, published numbers and limits."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.naive import two_layer as naive
from tests.wide import each
from tsphys.physics.activations import code
from tsphys.physics.committee.deviations import close as near
from tsphys.physics.committee.gaussian import I2, I3, I4, J2, closed, generalisation_error
from tsphys.physics.committee.tanh_integrals import I2_tanh

C4 = np.array([[1, 0.3, 0.2, 0.1], [0.3, 0.8, 0.25, 0.15], [0.2, 0.25, 0.9, 0.2], [0.1, 0.15, 0.2, 1.1]])
SMOOTH = ("erf", "linear", "quad", "he2")
PAIRS = [(s, t) for s, t in itertools.product(naive.NAMES, naive.NAMES) if s != "sign" and closed(s, t)]


def i2(a, b, C, i, j):
    return I2(code(a), code(b), C[i, i], C[i, j], C[j, j])


def i3(s, t, C, k, b, a):
    return I3(code(s), code(t), C[k, k], C[k, b], C[k, a], C[b, a], C[a, a])


def i4(s, a_name, b_name, C, k, l, a, b):
    return I4(code(s), code(a_name), code(b_name), C, k, l, a, b)


def average(names, C, f):
    """Quadrature with an error below 2e-11 for variances of order one (doubling the nodes changes less)."""
    if {"relu", "sign", "tanh"} & set(names):
        return naive.piecewise_average(C, f, 20 if len(C) == 4 else 30)
    return naive.hermite_average(C, f, 30 if len(C) == 4 else 60)


def test_published_numbers():
    # Reference values with ten digits; the last may be off by a few.
    values = {
        i4("relu", "relu", "relu", C4, 0, 1, 2, 3): 0.1032387693,
        i2("relu", "relu", C4, 0, 1): 0.2254375752,
        i3("relu", "relu", C4, 0, 1, 2): 0.1152298802,
        i4("relu", "relu", "relu", C4, 0, 0, 1, 2): 0.1483064715,
        i4("relu", "relu", "relu", C4, 0, 1, 2, 2): 0.2146500877,
        i4("erf", "erf", "erf", C4, 0, 1, 2, 3): 0.0190777019,
        i3("erf", "erf", C4, 0, 1, 2): 0.0722285475,
        i4("quad", "quad", "quad", C4, 0, 1, 2, 3): 2.008,
    }
    for value, expected in values.items():
        assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(naive.NAMES, 2)))
def test_I2(a, b):
    C = np.array([[1.3, -0.6], [-0.6, 0.8]])
    expected = average((a, b), C, lambda x: naive.g(a, x[0]) * naive.g(b, x[1]))
    assert I2_tanh(code(a), code(b), C[0, 0], C[0, 1], C[1, 1]) == pytest.approx(expected, abs=2e-11)
    assert I2_tanh(code(b), code(a), C[1, 1], C[0, 1], C[0, 0]) == pytest.approx(expected, abs=2e-11)
    if "tanh" not in (a, b):
        assert i2(a, b, C, 0, 1) == pytest.approx(expected, abs=2e-11)


@pytest.mark.parametrize(("s", "t"), PAIRS)
def test_I3_and_J2(s, t):
    C = C4[:3, :3].copy()
    C[0, 2] = C[2, 0] = -0.35
    expected = average((s, t), C, lambda x: naive.dg(s, x[0]) * x[1] * naive.g(t, x[2]))
    assert i3(s, t, C, 0, 1, 2) == pytest.approx(expected, abs=2e-11)
    # x_b may be one of the two others.
    two = C[np.ix_([0, 2], [0, 2])]
    expected = average((s, t), two, lambda x: naive.dg(s, x[0]) * x[0] * naive.g(t, x[1]))
    assert i3(s, t, C, 0, 0, 2) == pytest.approx(expected, abs=2e-11)
    expected = average((s,), two, lambda x: naive.dg(s, x[0]) * naive.dg(s, x[1]))
    assert J2(code(s), C, 0, 2) == pytest.approx(expected, abs=2e-11)


# Which of four fields coincide.
PATTERNS = [(0, 1, 2, 2), (0, 0, 1, 2), (0, 1, 0, 2), (0, 1, 2, 0), (0, 1, 1, 2), (0, 1, 1, 1), (0, 1, 0, 0)]
PATTERNS += [(0, 0, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 0), (0, 1, 0, 1), (0, 1, 1, 0), (1, 0, 2, 1)]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("s", ["erf", "relu", "he2"])
def test_I4_with_coinciding_fields(s, pattern):
    C = C4[:3, :3].copy()
    C[0, 2] = C[2, 0] = -0.35
    n = 1 + max(pattern)
    k, l, a, b = pattern

    def f(x):
        return naive.dg(s, x[k]) * naive.dg(s, x[l]) * naive.g(s, x[a]) * naive.g(s, x[b])

    assert i4(s, s, s, C, *pattern) == pytest.approx(average((s,), C[:n, :n], f), abs=2e-11)


@pytest.mark.parametrize(
    ("s", "a", "b"),
    each([("relu",) * 3, ("erf",) * 3, ("quad", "he2", "quad"), ("erf", "sign", "erf")], fast=["relu", "quad"]),
)
def test_I4_of_four_fields(s, a, b):
    C = C4.copy()
    C[1, 2] = C[2, 1] = -0.3

    def f(x):
        return naive.dg(s, x[0]) * naive.dg(s, x[1]) * naive.g(a, x[2]) * naive.g(b, x[3])

    # 40 nodes a field on the pieces, 30 otherwise: 1e-10 in four dimensions.
    assert i4(s, a, b, C, 0, 1, 2, 3) == pytest.approx(average((s, a, b), C, f), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(-6, 0))
def test_relu_I4_does_not_lose_digits_near_a_copy(seed, exponent):
    """Σ α α I4 over student − teacher pairs is ⟨1 1 (δ₊)(δ'₊)⟩, of second order; rotations of the weights leave it."""
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((2, 4))
    F = np.vstack([B + 10**exponent * rng.standard_normal((2, 4)), B])
    alpha = np.array([1, 1, -1, -1])
    values = []
    for _ in range(2):
        G = F @ np.linalg.qr(rng.standard_normal((4, 4)))[0]
        C = G @ G.T
        r = range(4)
        values.append(sum(alpha[a] * alpha[b] * i4("relu", "relu", "relu", C, 0, 1, a, b) for a in r for b in r))
    scale = np.abs(C).max()
    # C is given to 1e-16, and the sum has 16 terms of that order; below D ~ 1e-14 the angles between fields are lost.
    assert abs(values[0] - values[1]) < 1e-13 * scale
    # |⟨1 1 Δ²⟩| ≤ ⟨Δ²⟩ ≤ (Σ|δ|)².
    assert -1e-13 * scale < values[0] <= np.sum(np.linalg.norm(F[:2] - F[2:], axis=1)) ** 2 + 1e-13 * scale


def test_zero_norms():
    C = np.zeros((3, 3))
    C[2, 2] = 1.0
    for s, t in PAIRS:
        assert i3(s, t, C, 0, 2, 2) == pytest.approx(
            # g'(0) ⟨x g(x)⟩, with the derivative of relu at zero counted as zero.
            (0 if s == "relu" else naive.dg(s, np.zeros(1))[0])
            * naive.piecewise_average(np.eye(1), lambda x, t=t: x[0] * naive.g(t, x[0]), 40),
            abs=1e-12,
        )
        assert math.isfinite(i4(s, t, t, C, 0, 1, 2, 2)) and math.isfinite(i4(s, s, t, C, 0, 1, 0, 2))
    for s, t in itertools.product(naive.NAMES, naive.NAMES):
        empty = generalisation_error(s, t, np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)), [1.0], [1.0])
        assert empty == pytest.approx(0.5 * float(naive.g(s, np.zeros(1))[0] - naive.g(t, np.zeros(1))[0]) ** 2)


def random_state(rng, K=3, M=2, scale=0.5):
    F = scale * rng.standard_normal((K + M, K + M))
    C = F @ F.T
    return C[:K, K:], C[:K, :K], C[K:, K:], rng.standard_normal(K), rng.standard_normal(M)


@pytest.mark.parametrize(
    ("s", "t"), [("erf", "erf"), ("relu", "relu"), ("he2", "quad"), ("tanh", "relu"), ("erf", "sign")]
)
def test_generalisation_error_is_half_the_mean_square(s, t):
    R, Q, T, v, v_star = random_state(np.random.default_rng(3))
    n = 400_000
    x = np.random.default_rng(4).multivariate_normal(np.zeros(5), np.block([[Q, R], [R.T, T]]), n)
    half = 0.5 * (naive.g(s, x[:, :3]) @ v - naive.g(t, x[:, 3:]) @ v_star) ** 2
    error = half.std() / math.sqrt(n)
    assert abs(generalisation_error(s, t, R, Q, T, v, v_star) - half.mean()) < 4 * error


def test_leading_axes():
    rng = np.random.default_rng(0)
    states = [random_state(rng) for _ in range(6)]
    T, v_star = states[0][2], states[0][4]
    one = [generalisation_error("relu", "relu", R, Q, T, v, v_star) for R, Q, _, v, _ in states]
    R, Q, _, v, _ = (np.array(x).reshape(2, 3, *x[0].shape) for x in zip(*states))
    many = generalisation_error("relu", "relu", R, Q, T, v, v_star)
    assert many.shape == (2, 3)
    assert many.ravel().tolist() == one
    assert generalisation_error("relu", "relu", R, Q, T, v[0, 0], v_star).shape == (2, 3)


def test_not_finite_stays_visible():
    for s in ("erf", "relu", "linear", "quad", "tanh"):
        eps = generalisation_error(s, s, [[[np.nan]], [[0.5]]], [[[1.0]], [[1.0]]], [[1.0]], [1.0], [1.0])
        assert np.isnan(eps[0]) and np.isfinite(eps[1])


def test_sign_teacher_is_the_sharp_limit():
    # acos(ρ)/π is the probability of a wrong sign, and half of 2² the error of one.
    assert generalisation_error("sign", "sign", [[0.6]], [[1.0]], [[1.0]], [1.0], [1.0]) == pytest.approx(
        2 * math.acos(0.6) / math.pi, rel=1e-14
    )


@pytest.mark.parametrize("exponent", [-2, -5, -9])
def test_relative_precision_near_a_copy(exponent):
    """δ on a dyadic grid, so that the overlaps are exact; the truth is the second-order expansion in δ."""
    h = 2.0 ** (3 * exponent)
    a, b = 3 * h, 2 * h
    R, Q, T = np.array([[1 + a]]), np.array([[(1 + a) ** 2 + b**2]]), np.array([[1.0]])
    # ½⟨(g'(ν) δ)²⟩ with δ = aν + bz: (1/π) [a² ⟨ν² e^(−ν²)⟩ + b² ⟨e^(−ν²)⟩].
    expected = (a**2 / 3**1.5 + b**2 / 3**0.5) / math.pi
    # Next order: relative δ. Rounding of Q: 1e-16/δ².
    allowed = 5 * h + 1e-16 / h**2
    if exponent > -9:
        assert generalisation_error("erf", "erf", R, Q, T, [1.0], [1.0]) == pytest.approx(expected, rel=allowed)
        sign = generalisation_error("erf", "erf", -R, Q, T, [-1.0], [1.0])
        assert sign == generalisation_error("erf", "erf", R, Q, T, [1.0], [1.0])
    assert abs(generalisation_error("erf", "erf", R, Q, T, [1.0], [1.0]) - expected) < 1e-16 + allowed * expected


def test_exact_copy_has_no_error():
    T = np.array([[1.3, 0.2], [0.2, 0.7]])
    R, Q = np.vstack([T[1], -T[0], [0, 0]]), np.zeros((3, 3))
    Q[:2, :2] = [[0.7, -0.2], [-0.2, 1.3]]
    for name in ("erf", "linear"):
        assert generalisation_error(name, name, R, Q, T, [1.2, -1.0, 5.0], [1.0, 1.2]) == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(-4, -0.4))
def test_deviations_agree_with_the_plain_sum(seed, exponent):
    """On both sides of the threshold where students count as close, and near it."""
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((3, 6))
    W = np.vstack([B[1], -B[0], np.zeros(6), B[1]]) + 10**exponent * rng.standard_normal((4, 6))
    C = np.vstack([W, B]) @ np.vstack([W, B]).T
    v, v_star = rng.standard_normal(4), rng.standard_normal(3)
    eps = generalisation_error("erf", "erf", C[:4, 4:], C[:4, :4], C[4:, 4:], v, v_star)
    # The sum of 49 terms of order |α|² each, with the rounding of each.
    assert eps == pytest.approx(naive.eps_g(C, np.r_[v, -v_star]), abs=1e-14 * np.sum(np.abs(np.r_[v, v_star])) ** 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(-4, -0.9))
def test_deviations_of_readouts_agree_with_the_plain_sum(seed, exponent):
    """Students close to units that they make up but for a tenth of their readout."""
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((3, 6))
    W = np.vstack([B[1], -B[0], np.zeros(6), B[1], B[2]]) + 10**exponent * rng.standard_normal((5, 6)) / np.sqrt(6)
    C = np.vstack([W, B]) @ np.vstack([W, B]).T
    v, left = rng.standard_normal(5), 1 + 0.1 * rng.uniform(-1, 1, 3)
    v_star = np.array([-v[1], v[0] + v[3], v[4]]) * left
    R, Q, T = C[:5, 5:], C[:5, :5], C[5:, 5:]
    assume(np.min(np.abs(v_star)) > 0.01 and near(R[None], Q[None], T, v[None], v_star).all())
    eps = generalisation_error("erf", "erf", R, Q, T, v, v_star)
    assert eps == pytest.approx(naive.eps_g(C, np.r_[v, -v_star]), abs=1e-14 * np.sum(np.abs(np.r_[v, v_star])) ** 2)
