"""Averages over the fields: nodes against exact moments, errors against closed forms, estimates against the truth."""

import math

import numpy as np
import pytest

import tsphys
from tsphys.physics.committee.gaussian import generalisation_error
from tsphys.rules import field_average
from tsphys.rules.field_average import factors, mean_error, mean_error_with_estimate, radial, teacher_factors

R = np.array([[0.12, 0.02], [-0.05, 0.1]])
Q = np.array([[0.3, 0.05], [0.05, 0.25]])
T = np.array([[1.0, 0.2], [0.2, 1.0]])
V, V_STAR = np.array([0.9, 1.1]), np.array([1.0, 1.2])


def states(count, seed):
    """Overlaps of random students and teachers: any covariance that is possible."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(count, 4, 5)) / math.sqrt(5)
    C = W @ W.transpose(0, 2, 1)
    return C[:, :2, 2:], C[:, :2, :2], C[:, 2:, 2:]


def test_radial_rule_is_exact_for_polynomials():
    r, w = radial(24)
    for k in range(0, 48):
        exact = 2 ** (k / 2) * math.gamma(1 + k / 2)
        # 24 nodes are exact up to degree 47; rounding of the nodes is amplified by the power.
        assert abs(w @ r**k / exact - 1) < 1e-14 * (k + 10)
    assert abs(w @ r**48 / (2**24 * math.gamma(25)) - 1) > 1e-14


@pytest.mark.parametrize("kind", ["gauss", "polar", "sobol"])
def test_node_sets_have_the_moments_of_standard_normals(kind):
    # 1024 Sobol points have cells of 1e-3 in each coordinate; the others are exact up to degree 3.
    allowed = 1e-2 if kind == "sobol" else 1e-12
    for nodes in field_average.node_sets(kind, 1, 1, 1, 2**12):
        moments = {"mean": [], "square": []}
        A, L, LT = np.array([[0.6]]), np.array([[0.8]]), np.eye(1)
        x, lam, nu = np.zeros(4), np.zeros(1), np.zeros(1)
        total = 0.0
        for z, w in zip(nodes.z, nodes.w):
            weight = field_average.fields(kind == "polar", z, w, A, L, LT, x, lam, nu)
            total += weight
            moments["mean"].append(weight * np.array([lam[0], nu[0], x[2]]))
            moments["square"].append(weight * np.array([lam[0] ** 2, nu[0] ** 2, lam[0] * nu[0], x[2] ** 2]))
        assert abs(total - 1) < 1e-12
        assert np.abs(np.sum(moments["mean"], axis=0)).max() < allowed
        assert np.abs(np.sum(moments["square"], axis=0) - [1, 1, 0.6, 1]).max() < allowed


def test_factors_give_the_covariance_back():
    for r, q, t in zip(*states(20, 1)):
        LT, G = teacher_factors(t)
        A, L = np.full((2, 2), np.nan), np.full((2, 2), np.nan)
        factors(r, q, G, A, L)
        # Rounding of the inverse of L_T, whose condition number stays below 100 here.
        assert np.abs(A @ LT.T - r).max() < 1e-13
        assert np.abs(A @ A.T + L @ L.T - q).max() < 1e-13
        assert L[0, 1] == 0


@pytest.mark.parametrize("case", ["copies", "zero", "teacher"])
def test_factors_of_singular_covariances(case):
    r = {"copies": [[0.3, 0.1]] * 2, "zero": np.zeros((2, 2)), "teacher": T}[case]
    q = {"copies": np.full((2, 2), 0.7), "zero": np.zeros((2, 2)), "teacher": T}[case]
    LT, G = teacher_factors(T)
    A, L = np.empty((2, 2)), np.empty((2, 2))
    factors(np.array(r, float), np.array(q, float), G, A, L)
    # What is dropped from the diagonal is below 1e-15, and so are the products that it makes.
    assert np.abs(A @ A.T + L @ L.T - q).max() < 2e-15
    assert np.abs(A @ LT.T - r).max() < 2e-15


def test_error_of_a_sign_perceptron_is_an_angle():
    rule = tsphys.Perceptron().learning_rule()
    rho = np.array([-1, -0.99, -0.3, 0, 1e-3, 0.5, 0.999999, 1.0])
    q = np.linspace(0.1, 3, len(rho))
    mean, estimate = mean_error_with_estimate(
        rule, (rho * np.sqrt(1.7 * q))[:, None, None], q[:, None, None], [[1.7]], [], []
    )
    # The angle itself is known to the root of rounding where the overlaps say ρ = ±1.
    exact = np.arccos(rho) / math.pi
    assert np.abs(mean - exact)[1:-1].max() < 1e-9
    assert np.abs(mean - exact)[[0, -1]].max() < 3e-8
    assert estimate.max() < 1e-12


@pytest.mark.parametrize(("activation", "points", "floor"), [("erf", 2**16, 1e-9), ("quad", 2**12, 1e-10)])
def test_smooth_error_against_closed_form(activation, points, floor):
    rule = tsphys.TwoLayer(activation=activation).learning_rule()
    mean, estimate = mean_error_with_estimate(rule, R, Q, T, V, V_STAR, points=points)
    exact = generalisation_error(activation, activation, R, Q, T, V, V_STAR)
    # `floor` is the rounding of a sum over all nodes; the estimate is the error of the smaller set.
    assert abs(mean - exact) <= estimate + floor
    assert estimate < 1e-5


def test_more_nodes_make_a_smooth_average_better():
    rule = tsphys.TwoLayer().learning_rule()
    exact = generalisation_error("erf", "erf", R, Q, T, V, V_STAR)
    wrong = [
        abs(mean_error_with_estimate(rule, R, Q, T, V, V_STAR, quadrature="gauss", points=n**4)[0] - exact)
        for n in (6, 10, 16)
    ]
    assert wrong[1] < wrong[0] / 10
    assert wrong[2] < wrong[1] / 10


def test_sobol_estimate_is_honest():
    """Over random states: neither is the error above what four scramblings can tell, nor is the estimate idle."""
    rule = tsphys.TwoLayer(activation="relu").learning_rule()
    r, q, t = states(40, 2)
    mean, estimate = mean_error_with_estimate(rule, r, q, t, V, V_STAR, points=2**12)
    exact = np.array([generalisation_error("relu", "relu", *s, V, V_STAR) for s in zip(r, q, t)])
    wrong = mean - exact
    # The squared ratio is that of Student's t with 3 degrees of freedom, whose mean is 3; states share their points.
    ratio = np.sqrt(np.mean(wrong**2) / np.mean(estimate**2))
    assert 0.2 < ratio < 3
    assert np.abs(wrong).max() < 4 * estimate.max()
    assert estimate.max() < 2e-2 * exact.max()


def test_a_jumping_error_of_a_smooth_rule_is_noticed():
    """Classification error of a rule declared smooth: Gauss-Hermite is tried and turned down."""

    def rule(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = nu[0] - lam[0]

    def error(lam, nu, v, v_star, p):
        return 1.0 if lam[0] * nu[0] < 0.0 else 0.0

    def error_of_two(lam, nu, v, v_star, p):
        return 1.0 if lam[0] * (nu[0] + nu[1]) < 0.0 else 0.0

    one = tsphys.LearningRule(rule, error=error, smooth=True)
    assert abs(mean_error(one, [[0.5]], [[1.0]], [[1.0]], [], []) - 1 / 3) < 1e-12
    two = tsphys.LearningRule(rule, error=error_of_two, M=2, smooth=True)
    mean, estimate = mean_error_with_estimate(two, [[0.5, 0.5]], [[1.0]], np.eye(2), [], [])
    # ν_1 + ν_2 has variance 2 and covariance 1 with λ: an angle of 45 degrees.
    assert abs(mean - 0.25) < 4 * estimate
    assert 1e-6 < estimate < 2e-3


def test_leading_axes_and_missing_states():
    rule = tsphys.TwoLayer().learning_rule()
    r, q, t = states(6, 3)
    r[4] = np.nan
    whole = mean_error_with_estimate(
        rule, r.reshape(2, 3, 2, 2), q.reshape(2, 3, 2, 2), t.reshape(2, 3, 2, 2), V, V_STAR
    )
    assert whole[0].shape == whole[1].shape == (2, 3)
    assert np.isnan(whole[0][1, 1])
    for i in (0, 5):
        alone, estimate = mean_error_with_estimate(rule, r[i], q[i], t[i], V, V_STAR)
        # The trial states differ, so that another family may have been taken.
        assert abs(alone - whole[0].ravel()[i]) <= 4 * (estimate + whole[1].ravel()[i]) + 1e-14


def test_copies_of_a_student_are_one_student():
    two = tsphys.TwoLayer(K=2, M=1).learning_rule()
    one = tsphys.TwoLayer(K=1, M=1).learning_rule()
    pair, estimate = mean_error_with_estimate(two, [[0.4]] * 2, np.full((2, 2), 0.7), [[1.0]], [0.5, 0.5], [1.0])
    single, _ = mean_error_with_estimate(one, [[0.4]], [[0.7]], [[1.0]], [1.0], [1.0])
    assert abs(pair - single) <= estimate + 1e-12


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"quadrature": "simpson"}, "quadrature"),
        ({"quadrature": "polar"}, "quadrature"),
        ({"quadrature": "gauss", "points": 64}, "quadrature"),
        ({"points": 10}, "points"),
        ({"points": 1.5}, "points"),
    ],
)
def test_what_cannot_be_is_refused(options, name):
    rule = tsphys.TwoLayer().learning_rule()
    with pytest.raises(tsphys.ModelError) as caught:
        mean_error_with_estimate(rule, R, Q, T, V, V_STAR, **options)
    assert caught.value.name == name
