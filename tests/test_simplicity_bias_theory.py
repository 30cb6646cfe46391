"""Classes and their clones: the equations against quadrature of the rule, reference numbers, and what must hold."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.refusal import refuses
from tests.wide import each
from tsphys.models.simplicity_bias import DATA
from tsphys.odes import learning_rule
from tsphys.odes.simplicity_bias import divergence_times, drift, early_drift
from tsphys.physics.classes import Classes, accuracy, half_square, nodes, pair
from tsphys.validation.simplicity_bias import START, TWO

#: (a_1, a_2, q) at t = 1, 5, 20 and eps_g, accuracy at 20, from an independent integration; given to six digits.
REFERENCE = {
    "original": ([[0.197679, 0.076177, 0.266027], [0.617812, 0.162145, 0.237066], [1.171877, -0.079535, 0.226528]],
                 0.317177, 0.757964),
    "gaussian": ([[0.197804, 0.076334, 0.266002], [0.627776, 0.176137, 0.231692], [1.214239, -0.009235, 0.210869]],
                 0.316213, 0.756009),
    "isotropic": ([[0.197939, 0.085844, 0.265532], [0.617574, 0.301127, 0.221523], [1.083472, 0.540010, 0.216065]],
                  0.366592, 0.717049),
}  # fmt: skip
FLOW = {
    "original": ([0.80842, 0.02507, 0.00148], 0.298005),
    "gaussian": ([0.83575, 0.06693, 0.00146], 0.298470),
    "isotropic": ([0.77503, 0.38430, 0.00154], 0.329944),
}


def on(data, **options):
    return tsphys.SimplicityBias(trained_on=data, **options)


def state(result, at):
    a = result["R"][at, 0]
    return [*a, result["Q"][at, 0, 0] - a @ a]


@pytest.mark.parametrize("data", DATA)
def test_reference_numbers(data):
    result = tsphys.solve(on(data), start=START, t=[1, 5, 20])
    states, eps_g, share = REFERENCE[data]
    np.testing.assert_allclose([state(result, i) for i in range(3)], states, atol=6e-7)
    np.testing.assert_allclose([result["eps_g"][-1], result["accuracy"][-1]], [eps_g, share], atol=6e-7)
    assert result.meta["quadrature_error"] < 1e-7
    flow = tsphys.solve(on(data, lr=1.0), start=START, t=[5], gradient_flow=True)
    np.testing.assert_allclose(state(flow, 0), FLOW[data][0], atol=6e-6)
    np.testing.assert_allclose(flow["eps_g"], FLOW[data][1], atol=6e-7)


def test_too_few_nodes_are_seen_in_the_estimate(monkeypatch):
    """Four and two nodes an axis are exact at a = 0, where the drift is linear in s, and not where a has grown."""
    start, fine = tsphys.OrderParameters(R=[[0.0, 0.0]], Q=[[0.25]], T=np.eye(2)), on("original").density()
    monkeypatch.setattr("tsphys.physics.classes.AXIS", 4)
    few = tsphys.solve(on("original"), start=start, t=[0.0, 5.0])
    assert tsphys.solve(on("original"), start=start, t=[0.0]).meta["quadrature_error"] < 1e-14
    A = few["R"][1]
    state = A, few["Q"][1] - A @ A.T, np.ones(1), True
    model = on("original")
    wrong = max(np.abs(a - b).max() for a, b in zip(drift(model, model.density(), *state), drift(model, fine, *state)))
    assert 1e-6 < wrong < few.meta["quadrature_error"]


def test_clones_depart_one_after_the_other():
    for threshold, isotropic, gaussian in ((1e-4, 0.277, 1.14), (1e-3, 0.80, 2.78)):
        found = divergence_times(tsphys.SimplicityBias(), threshold, start=START, end=5.0)
        # The reference is known to 1 %.
        np.testing.assert_allclose([found["isotropic"], found["gaussian"]], [isotropic, gaussian], rtol=0.01)
    never = divergence_times(tsphys.SimplicityBias(), 0.5, start=START, end=1.0)
    assert never == {"gaussian": np.inf, "isotropic": np.inf}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("activation", each(["erf", "linear"], fast=["erf"]))
def test_equations_are_averages_of_the_rule(data, activation):
    """Two units with a readout, minibatches: scrambled Sobol points know no integrals, and tell their own error."""
    model = on(data, K=2, activation=activation, v=(1.0, -0.6), minibatch=3, lr=0.7)
    t = [0.5, 2.0]
    theory = tsphys.solve(model, start=TWO, t=t)
    other = learning_rule.solve(model.learning_rule(), start=TWO, t=t, points=2**17)
    for name in "RQ":
        bound = 5 * other.meta["quadrature_error"][name] + 1e-6
        np.testing.assert_allclose(theory[name], other[name], atol=bound)
        assert bound < 2e-3


@pytest.mark.parametrize("C", [[[0.3, 0.1], [0.1, 0.4]], [[2.0, -1.5], [-1.5, 3.0]], [[0.5, 0.5], [0.5, 0.5]]])
def test_product_of_two_units(C):
    """4 Φ₂(h, k; ρ) − 2Φ(h) − 2Φ(k) + 1 with the library's distribution of two normal variables, good to 1e-8."""
    C = np.array(C)
    root = np.sqrt(1 + np.diag(C))
    for m in ([0.0, 0.0], [0.7, -1.2], [2.5, 2.0]):
        h = m / root
        rho = C[0, 1] / root.prod()
        both = stats.multivariate_normal.cdf(h, cov=[[1, rho], [rho, 1]], abseps=1e-10, releps=1e-10)
        expected = 4 * both - 2 * stats.norm.cdf(h).sum() + 1
        assert abs(pair(m[0], m[1], C[0, 0], C[0, 1], C[1, 1]) - expected) < 1e-8


def test_a_gaussian_class_is_one_gaussian():
    """Averages over the plane of a normal density are those of fields with its mean and its whole covariance."""
    model = on("gaussian", K=2, v=(1.0, -0.6))
    R, C = np.array([[0.3, -0.1], [0.2, 0.35]]), np.array([[0.4, 0.1], [0.1, 0.3]])
    by_plane = half_square("erf", model.density(), R, R @ R.T + C, model.v)
    whole = 0.0
    for y, M in zip((1, -1), model.roots(), strict=True):
        m, S = R @ (y * np.array(model.mu)), R @ M @ M.T @ R.T + C
        # The class as a single point: its fields sit in means and covariance.
        point = Classes(np.zeros((1, 2)), np.array([float(y)]), np.ones(1))
        shifted = [m[k] * np.ones(1) for k in (0, 1)]
        from scipy.special import erf

        mean = sum(v * erf(x / np.sqrt(2 * (1 + s))) for v, x, s in zip(model.v, m, np.diag(S), strict=True))
        square = sum(
            model.v[a] * model.v[b] * pair(shifted[a], shifted[b], S[a, a], S[a, b], S[b, b])
            for a in (0, 1)
            for b in (0, 1)
        )
        whole += 0.25 * float((square - 2 * point.y * mean + 1)[0])
    assert abs(by_plane - whole) < 1e-10


def test_error_and_accuracy_by_sampling():
    model = on("gaussian", K=2, v=(0.8, 0.8))
    rng = np.random.default_rng(0)
    n = 400_000
    y = rng.choice([-1.0, 1.0], n)
    u = rng.uniform(-np.sqrt(3), np.sqrt(3), (n, 2))
    M = model.roots()[(y < 0).astype(int)]
    s = y[:, None] * np.array(model.mu) + np.einsum("nij,nj->ni", M, u)
    C = TWO.Q - TWO.R @ TWO.R.T
    lam = s @ TWO.R.T + rng.standard_normal((n, 2)) @ np.linalg.cholesky(C).T
    from scipy.special import erf

    out = 0.8 * erf(lam / np.sqrt(2)).sum(axis=1)
    for sample, value in ((0.5 * (out - y) ** 2, model.eps_g(TWO.R, TWO.Q, TWO.T, model.v, None)),
                          (out * y > 0, model.accuracy(TWO.R, TWO.Q, model.v))):  # fmt: skip
        assert abs(sample.mean() - value) < 4 * sample.std() / np.sqrt(n)


def test_a_linear_student_tells_no_gaussian_clone_from_the_original():
    """It sees means and covariances only."""
    t = [1.0, 10.0]
    theory = [tsphys.solve(on(d, activation="linear", lr=0.3), start=START, t=t) for d in DATA]
    np.testing.assert_allclose(theory[0]["R"], theory[1]["R"], atol=1e-9)
    np.testing.assert_allclose(theory[0]["Q"], theory[1]["Q"], atol=1e-9)
    assert np.abs(theory[0]["R"] - theory[2]["R"]).max() > 0.1


def test_nothing_is_learned_of_classes_with_one_symmetric_density():
    """Without means, a = 0 stays and half of the answers are right, whatever the covariances do."""
    options = {"mu": (0.0, 0.0), "lr": 1.0}
    zero = tsphys.OrderParameters(R=[[0.0, 0.0]], Q=[[0.5]], T=np.eye(2))
    result = tsphys.solve(on("original", **options), start=zero, t=[3.0])
    np.testing.assert_allclose(result["R"], 0, atol=1e-12)
    np.testing.assert_allclose(result["accuracy"], 0.5, atol=1e-12)
    same = {"h_plus": (1.2, 0.3), "h_minus": (1.2, 0.3), "theta_plus": 0.5, "theta_minus": 0.5}
    result = tsphys.solve(on("original", **options, **same), start=START, t=[0.0, 3.0, 30.0])
    np.testing.assert_allclose(result["accuracy"], 0.5, atol=1e-12)


def slope(model, a, q):
    C = np.array([[q]])
    return drift(model, model.density(), np.array([a]), C, np.ones(1), True)[0][0]


def test_what_drives_a_small_student():
    """Each term against the drift itself, by symmetric differences that leave only orders of a as it has."""
    q, direction = 0.4, np.array([0.6, -0.8])
    centred = {"mu": (0.0, 0.0)}
    for data in DATA:
        model = on(data)
        means, covariances, _ = early_drift(model, direction, q)
        np.testing.assert_allclose(slope(model, 0 * direction, q), means, rtol=1e-12)
        # Odd part; the rest is of order h² of it.
        h = 1e-4
        linear = (slope(model, h * direction, q) - slope(model, -h * direction, q)) / (2 * h)
        np.testing.assert_allclose(linear, covariances, rtol=1e-6)
    # Original against its clone: all that differs is of third order, with corrections of relative order h (means).
    for options, orders in (({}, 1), (centred, 2)):
        original, clone = on("original", **options), on("gaussian", **options)
        wrong = []
        for h in (0.1, 0.05):
            gap = slope(original, h * direction, q) - slope(clone, h * direction, q)
            wrong.append(np.abs(gap / early_drift(original, h * direction, q)[2] - 1).max())
        assert wrong[1] < 0.2
        assert abs(np.log2(wrong[0] / wrong[1]) - orders) < 0.3


def test_axes_of_the_plane_have_unit_weights():
    for uniform in (True, False):
        model = on("original" if uniform else "gaussian")
        s, y, w = nodes(uniform, model.mu, model.roots())
        assert abs(w.sum() - 1) < 1e-14
        np.testing.assert_allclose((w * y) @ s, model.mu, atol=1e-14)
        M = model.roots()[0]
        up = y > 0
        z = s[up] - model.mu
        np.testing.assert_allclose(2 * (w[up] * z.T) @ z, M @ M.T, atol=1e-13)


def test_a_student_in_the_plane_is_sure_of_itself():
    R = np.array([[1.0, 0.0]])
    model = on("original", mu=(2.0, 0.0), theta_plus=0, theta_minus=0, h_plus=(0.5, 0.5), h_minus=(0.5, 0.5))
    assert accuracy(model.density(), R, R @ R.T, (1.0,)) == pytest.approx(1.0, abs=1e-14)


BAD = {
    "another data set": (lambda: on("wishart"), "trained_on"),
    "mean of three": (lambda: on("original", mu=(1, 2, 3)), "mu"),
    "negative edge": (lambda: on("original", h_plus=(1, -1)), "h_plus"),
    "relu": (lambda: on("original", activation="relu"), "activation"),
    "readout of another K": (lambda: on("original", v=(1, 1)), "v"),
    "a of another K": (lambda: on("original", a=[[0, 0], [0, 0]]), "a"),
    "no start at all": (lambda: on("original", init=0), "init"),
    "lr = 0": (lambda: on("original", lr=0), "lr"),
    "start with stretched axes": (
        lambda: tsphys.solve(on("original"), start=dataclasses.replace(START, T=2 * np.eye(2)), t=[1]),
        "start",
    ),
    "flow that is neither": (
        lambda: tsphys.solve(on("original"), start=START, t=[1], gradient_flow=2),
        "gradient_flow",
    ),
    "threshold 0": (lambda: divergence_times(on("original"), 0, start=START), "threshold"),
    "early drift of two": (lambda: early_drift(on("original", K=2), [0, 0], 1.0), "model"),
    "early drift along a line": (lambda: early_drift(on("original"), [0], 1.0), "a"),
    "early drift of less than nothing": (lambda: early_drift(on("original"), [0, 0], -0.5), "q"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])
