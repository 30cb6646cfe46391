"""Equations of motion of the two-layer network: against the rule, other formulas, limits, symmetries."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import tsphys
from tests.naive import two_layer as naive
from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.odes import learning_rule
from tsphys.odes.two_layer import Motion, has_closed_equations, solve
from tsphys.odes.two_layer_limits import (
    critical_learning_rate,
    escape_rate,
    noise_floor,
    noise_floor_end,
    noise_floor_small_lr,
    plateau,
    plateau_small_lr,
)
from tsphys.rules.starts import drawn_start
from tsphys.solvers.ode import integrate
from tsphys.validation.two_layer import START


def random_start(seed, K, M, v=None):
    rng = np.random.default_rng(seed)
    B, W = rng.standard_normal((M, M + K)), 0.6 * rng.standard_normal((K, M + K))
    B, W = B / math.sqrt(M + K), W / math.sqrt(M + K)
    v = rng.uniform(0.5, 1.5, K) if v is None else v
    return tsphys.OrderParameters(R=W @ B.T, Q=W @ W.T, T=B @ B.T, v=v, v_star=rng.uniform(0.5, 1.5, M))


def rates(model, start):
    """dR/dt, dQ/dt, dv/dt of the theory; dQ = dS + dR A' + A dR'."""
    motion = Motion(model, np.array(start.T), np.array(start.v_star))
    dy = motion.rhs()(0.0, motion.state(start))
    K, M = start.R.shape
    dR, row, column = dy[: K * M].reshape(K, M), *np.tril_indices(K)
    dQ = np.zeros((K, K))
    dQ[row, column] = dQ[column, row] = dy[K * M : -K]
    cross = dR @ motion.T_inv @ start.R.T
    return dR, dQ + cross + cross.T, dy[-K:]


# Published to ten digits: eps_g at t = 0, 1, 4, then entries at t = 4.
REFERENCE = [
    (
        {"activation": "erf", "lr": 0.8, "lr_v": 0.5, "noise": 0.2, "weight_decay": 0.1},
        [0.5632682252, 0.2431627995, 0.0809985565],
        {("Q", 0, 0): 0.4579962938, ("R", 0, 0): 0.4907036945, ("v", 0): 0.6946749315, ("v", 1): 0.8335400413},
    ),
    (
        {"activation": "erf", "lr": 1.5, "noise": 0.1, "minibatch": 3},
        [0.5632682252, 0.0845101226, 0.0150816686],
        {("Q", 0, 1): 0.4787078866, ("R", 1, 1): 0.7139027266},
    ),
    (
        {"activation": "relu", "lr": 0.4, "lr_v": 0.3, "noise": 0.1, "weight_decay": 0.05},
        [0.636111392, 0.4959944779, 0.2413233144],
        {("Q", 0, 0): 0.5999326859, ("R", 0, 0): 0.4814400102, ("v", 0): 0.8345214663, ("v", 1): 0.9866596514},
    ),
    (
        {"activation": "quad", "lr": 0.05, "lr_v": 0.03, "noise": 0.1},
        [4.0003035, 3.7794027321, 3.2940705972],
        {("Q", 0, 0): 0.6081687283, ("R", 1, 0): -0.0911155528},
    ),
]


@pytest.mark.parametrize(("parameters", "eps_g", "entries"), REFERENCE)
def test_published_trajectories(parameters, eps_g, entries):
    theory = solve(tsphys.TwoLayer(**parameters), t=[0, 1, 4], start=START)
    # Half a unit of the last published digit.
    assert theory["eps_g"] == pytest.approx(eps_g, abs=1e-10)
    for (name, *index), value in entries.items():
        assert theory[name][(2, *index)] == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize(
    ("student", "teacher", "nodes"),
    [
        ("erf", "erf", 26),
        ("he2", "quad", 8),
        ("linear", "erf", 26),
        pytest.param("erf", "he2", 26, marks=pytest.mark.wide),
    ],
)
def test_rates_are_averages_of_the_rule(student, teacher, nodes):
    """dR = ⟨cν⟩ − κR, dQ = ⟨cλ + λc + cc/b⟩ − 2κQ, dv = ⟨dv⟩ − κ_v v, over fields and noise on a tensor grid."""
    K, M = 2, 1
    model = tsphys.TwoLayer(
        K=K, M=M, activation=student, teacher_activation=teacher, lr=0.7, lr_v=0.4, noise=0.3, weight_decay=0.1,
        weight_decay_v=0.2, minibatch=3,
    )  # fmt: skip
    start = random_start(1, K, M)
    rule = model.learning_rule()
    c, dv = np.empty(K), np.empty(K)

    def moments(x):
        out = np.empty((K * M + 2 * K * K + K, x.shape[1]))
        for i, fields in enumerate(x.T.copy()):
            lam, nu, noise = fields[:K], fields[K : K + M], fields[K + M :]
            rule.function(lam, nu, start.v, start.v_star, noise, rule.seen_params(), c, dv)
            blocks = (np.outer(c, nu), np.outer(c, lam), np.outer(c, c), dv)
            out[:, i] = np.concatenate([block.ravel() for block in blocks])
        return out

    grid, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / weight.sum()
    C = np.block([[start.Q, start.R], [start.R.T, start.T]])
    z = np.array(list(itertools.product(grid, repeat=3))).T
    w = np.prod(np.array(list(itertools.product(weight, repeat=3))), axis=1)
    x = np.linalg.cholesky(C) @ z
    # c is linear in the noise, so two points of ±1 average it exactly.
    both = np.hstack([np.vstack([x, np.full(x.shape[1], s)]) for s in (-1.0, 1.0)])
    mean = moments(both) @ np.r_[w, w] / 2
    c_nu, c_lam, c_c, change = np.split(mean, [K * M, K * M + K * K, K * M + 2 * K * K])
    dR, dQ, dv_ = rates(model, start)
    c_lam = c_lam.reshape(K, K)
    # 26 nodes: 1e-10 for erf of fields with variances below one.
    assert dR == pytest.approx(c_nu.reshape(K, M) - 0.1 * start.R, abs=2e-9)
    assert dQ == pytest.approx(c_lam + c_lam.T + c_c.reshape(K, K) / 3 - 0.2 * start.Q, abs=2e-9)
    assert dv_ == pytest.approx(change - 0.2 * start.v, abs=2e-9)


def test_relu_rates_are_averages_of_the_rule():
    model = tsphys.TwoLayer(K=1, M=1, activation="relu", lr=0.7, noise=0.3)
    start = random_start(2, 1, 1)
    C = np.block([[start.Q, start.R], [start.R.T, start.T]])

    def c(x):
        return (
            -0.7
            * start.v[0]
            * naive.dg("relu", x[0])
            * (start.v[0] * naive.g("relu", x[0]) - start.v_star[0] * naive.g("relu", x[1]))
        )

    dR, dQ, _ = rates(model, start)
    of_noise = (0.7 * 0.3 * start.v[0]) ** 2 / 2
    assert dR[0, 0] == pytest.approx(naive.piecewise_average(C, lambda x: c(x) * x[1], 40), abs=1e-11)
    expected = naive.piecewise_average(C, lambda x: 2 * c(x) * x[0] + c(x) ** 2, 40) + of_noise
    assert dQ[0, 0] == pytest.approx(expected, abs=1e-11)


def copy_start(K, M, distance, seed=0):
    """Students near teacher units, the rest near zero."""
    rng = np.random.default_rng(seed)
    B = np.hstack([np.eye(M), np.zeros((M, K))])
    W = np.vstack([B, np.zeros((K - M, M + K))]) + distance * rng.standard_normal((K, M + K)) / math.sqrt(M + K)
    return tsphys.OrderParameters(R=W @ B.T, Q=W @ W.T, T=np.eye(M))


@pytest.mark.parametrize(("K", "lr", "noise"), [(2, 1.2, 0.0), (2, 0.5, 0.1), (1, 2.0, 0.0)])
def test_agrees_with_an_independent_integration_down_to_1e_8(K, lr, noise):
    start = copy_start(K, K, 0.9)
    t = np.linspace(0, 160, 17) if K == 2 else np.linspace(0, 60, 17)

    def rhs(_, y):
        R, Q = y[: K * K].reshape(K, K), y[K * K :].reshape(K, K)
        dR, dQ = naive.erf_motion(R, Q, np.eye(K), np.ones(K), np.ones(K), lr, noise, 1)
        return np.r_[dR.ravel(), dQ.ravel()]

    y0 = np.r_[start.R.ravel(), start.Q.ravel()]
    slow = solve_ivp(rhs, (0, t[-1]), y0, method="DOP853", t_eval=t, rtol=1e-13, atol=1e-15)
    alpha = np.r_[np.ones(K), -np.ones(K)]
    expected = []
    for y in slow.y.T:
        R, Q = y[: K * K].reshape(K, K), y[K * K :].reshape(K, K)
        expected.append(naive.eps_g(np.block([[Q, R], [R.T, np.eye(K)]]), alpha))
    theory = solve(tsphys.TwoLayer(K=K, M=K, lr=lr, noise=noise), t=t, start=start)
    expected = np.array(expected)
    seen = expected > 1e-8
    assert seen.all() if noise else 0 < expected[seen].min() < 1e-7
    # Rounding of Q in the slow integration, 1e-16, is 1e-8 of the smallest eps_g.
    assert theory["eps_g"][seen] == pytest.approx(expected[seen], rel=1e-6)
    assert theory["Q"] == pytest.approx(slow.y[K * K :].T.reshape(-1, K, K), abs=1e-9)


def test_tighter_tolerances_change_nothing_at_1e_12():
    t = [150.0, 250.0, 330.0]
    model, start = tsphys.TwoLayer(lr=1.0), copy_start(2, 2, 0.9)
    theory = solve(model, t=t, start=start)
    other = solve(model, t=t, start=start, rtol=1e-13, atol=1e-15, method="DOP853")
    assert other["eps_g"][-1] < 1e-11
    assert theory["eps_g"] == pytest.approx(other["eps_g"], rel=1e-6)


@pytest.mark.parametrize(("K", "M", "b"), [(1, 1, 1), (3, 2, 1), (2, 4, 3)])
def test_linear_network_is_one_exponential(K, M, b):
    """eps_g' = −ηs(2 − ηs/b) eps_g + η²s²σ²/2b with s = |v|²."""
    start = random_start(5, K, M)
    model = tsphys.TwoLayer(K=K, M=M, activation="linear", lr=0.3, noise=0.2, minibatch=b)
    t = np.array([0, 0.5, 2.0, 8.0, 40.0])
    theory = solve(model, t=t, start=start)
    eta_s = 0.3 * float(start.v @ start.v)
    rate, last = eta_s * (2 - eta_s / b), eta_s * 0.04 / (2 * (2 * b - eta_s))
    expected = last + (theory["eps_g"][0] - last) * np.exp(-rate * t)
    assert theory["eps_g"] == pytest.approx(expected, rel=1e-9)


def test_noiseless_linear_network_stays_exponential_down_to_1e_8():
    start = random_start(6, 2, 2)
    eta_s = 0.3 * float(start.v @ start.v)
    t = np.linspace(0, 19 / (eta_s * (2 - eta_s)), 5)
    theory = solve(tsphys.TwoLayer(activation="linear", lr=0.3), t=t, start=start)
    assert theory["eps_g"][-1] < 1e-7
    expected = theory["eps_g"][0] * np.exp(-eta_s * (2 - eta_s) * t)
    assert theory["eps_g"] == pytest.approx(expected, rel=1e-6)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.permutations(range(3)), st.permutations(range(2)), st.sampled_from(["erf", "relu"]))
def test_permuted_units_move_permuted(seed, p, q, activation):
    start = random_start(seed, 3, 2)
    p, q = list(p), list(q)
    other = tsphys.OrderParameters(
        R=start.R[p][:, q], Q=start.Q[p][:, p], T=start.T[q][:, q], v=start.v[p], v_star=start.v_star[q]
    )
    model = tsphys.TwoLayer(K=3, M=2, activation=activation, lr=0.5, lr_v=0.3, noise=0.1)
    for got, expected in zip(
        rates(model, other), (lambda a, b, c: (a[p][:, q], b[p][:, p], c[p]))(*rates(model, start))
    ):
        # Rounding of sums of some hundred terms of order one.
        assert got == pytest.approx(expected, abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_erf_units_may_change_sign(seed):
    start = random_start(seed, 2, 2)
    s = np.array([-1.0, 1.0])
    other = tsphys.OrderParameters(
        R=s[:, None] * start.R, Q=np.outer(s, s) * start.Q, T=start.T, v=s * start.v, v_star=start.v_star
    )
    model = tsphys.TwoLayer(lr=0.5, lr_v=0.3, noise=0.1)
    a, b = (solve(model, t=[0, 1.0, 5.0], start=x) for x in (start, other))
    assert a["eps_g"] == pytest.approx(b["eps_g"], rel=1e-9)
    assert a["R"] == pytest.approx(s[:, None] * b["R"], abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_relu_units_may_trade_norm_for_readout(seed, a):
    start = random_start(seed, 2, 3)
    scale = np.array([a, 1.0])
    model = tsphys.TwoLayer(K=2, M=3, activation="relu")
    eps = model.eps_g(start.R, start.Q, start.T, start.v, start.v_star)
    other = model.eps_g(
        scale[:, None] * start.R, np.outer(scale, scale) * start.Q, start.T, start.v / scale, start.v_star
    )
    assert other == pytest.approx(eps, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("activation", ["erf", "relu", "quad"])
def test_identical_units_stay_identical(activation):
    R, q = np.array([0.2, -0.1, 0.05]), 0.3
    start = tsphys.OrderParameters(R=[R, R, -R], Q=np.array([[q, q, -q], [q, q, -q], [-q, -q, 2 * q]]), T=np.eye(3))
    model = tsphys.TwoLayer(K=3, M=3, activation=activation, lr=0.1, lr_v=0.05, noise=0.1)
    theory = solve(model, t=[0, 1, 5, 20], start=start)
    # The tolerance of the integration, a hundredfold.
    assert theory["R"][:, 0] == pytest.approx(theory["R"][:, 1], abs=1e-10)
    assert theory["Q"][:, 0, 0] == pytest.approx(theory["Q"][:, 0, 1], abs=1e-10)
    assert theory["v"][:, 0] == pytest.approx(theory["v"][:, 1], abs=1e-10)


def test_dependent_teachers():
    """Two equal teachers are one of twice the readout, although T has no inverse."""
    one = tsphys.OrderParameters(R=[[0.2], [0.1]], Q=[[0.3, 0.1], [0.1, 0.4]], T=[[1.0]], v_star=[2.0])
    two = tsphys.OrderParameters(R=[[0.2, 0.2], [0.1, 0.1]], Q=one.Q, T=np.ones((2, 2)), v_star=[1.0, 1.0])
    a = solve(tsphys.TwoLayer(K=2, M=1, lr=0.4, v_star=(2.0,)), t=[1, 10, 50], start=one)
    b = solve(tsphys.TwoLayer(K=2, M=2, lr=0.4), t=[1, 10, 50], start=two)
    assert b["eps_g"] == pytest.approx(a["eps_g"], rel=1e-9)
    assert b["R"][:, :, 0] == pytest.approx(a["R"][:, :, 0], abs=1e-9)


def test_only_the_readout_trains():
    """v follows a linear equation, here solved by its eigenvalues; sign has no gradient, and needs none."""
    start = random_start(3, 2, 2)
    for activation in ("relu", "sign"):
        model = tsphys.TwoLayer(activation=activation, train="second", lr=0.5, lr_v=0.3)
        theory = solve(model, t=[0, 1.0, 4.0], start=start)
        eps = lambda v, m=model: m.eps_g(start.R, start.Q, start.T, v, start.v_star)  # noqa: E731
        # eps_g is quadratic in v: gradient and curvature by exact differences.
        zero, e = np.zeros(2), np.eye(2)
        gradient = np.array([eps(e[i]) - eps(-e[i]) for i in range(2)]) / 2
        H = np.array([[eps(e[i] + e[j]) - eps(e[i]) - eps(e[j]) + eps(zero) for j in range(2)] for i in range(2)])
        best = np.linalg.solve(H, -gradient)
        values, vectors = np.linalg.eigh(H)
        for t, v in zip(theory["t"], theory["v"]):
            decay = (vectors * np.exp(-0.3 * values * t)) @ vectors.T
            assert v == pytest.approx(best + decay @ (start.v - best), abs=1e-9)
        assert theory["R"][-1] == pytest.approx(start.R) and theory["Q"][-1] == pytest.approx(start.Q)


def test_students_of_zero_weight():
    start = tsphys.OrderParameters(R=np.zeros((2, 2)), Q=np.zeros((2, 2)), T=np.eye(2))
    for activation in ("erf", "relu", "linear", "quad"):
        theory = solve(tsphys.TwoLayer(activation=activation, lr=0.1), t=[0, 1.0], start=start)
        assert np.isfinite(theory["eps_g"]).all()


def test_default_start_is_that_of_replica_0():
    model = tsphys.TwoLayer(K=3, M=2)
    first = drawn_start(model, 500, 7)
    theory = tsphys.solve(model, t=[0, 1], N=500, seed=7)
    assert theory["R"][0] == pytest.approx(first.R, abs=1e-15)
    assert theory["Q"][0] == pytest.approx(first.Q, abs=1e-15)
    assert theory.meta["N"] == 500 and theory.meta["seed"] == 7
    assert theory.kind == "theory" and set(theory.constants) == {"T", "v_star"}


def test_pairs_without_closed_form_go_to_the_quadrature():
    model = tsphys.TwoLayer(K=1, M=1, activation="tanh", lr=0.5)
    assert not has_closed_equations(model)
    theory = solve(model, t=[0, 1e-4], start=tsphys.OrderParameters(R=[[0.1]], Q=[[0.3]], T=[[1.0]]))
    assert theory.meta["quadrature_error"]["R"] < 1e-8
    # dR/dt = −η ⟨g'(λ) ν (g(λ) − g(ν))⟩ at the start; the second order in t is below 1e-8.
    C = np.array([[0.3, 0.1], [0.1, 1.0]])

    def c(x):
        return -0.5 * naive.dg("tanh", x[0]) * x[1] * (np.tanh(x[0]) - np.tanh(x[1]))

    change = (theory["R"][1, 0, 0] - 0.1) / 1e-4
    assert change == pytest.approx(naive.piecewise_average(C, c, 40), abs=1e-4)


def test_closed_form_agrees_with_the_quadrature_of_the_rule():
    start = random_start(8, 2, 1)
    model = tsphys.TwoLayer(K=2, M=1, lr=0.6, lr_v=0.3, noise=0.1, weight_decay=0.05)
    a, b = solve(model, t=[0, 1.0, 5.0], start=start), learning_rule.solve(model, t=[0, 1.0, 5.0], start=start)
    # Its own estimate, and the tolerance 1e-8 of its integration.
    for name in ("R", "Q", "v"):
        assert a[name] == pytest.approx(b[name], abs=2 * b.meta["quadrature_error"][name] + 1e-6)


def test_divergence_keeps_what_was_computed():
    with pytest.raises(DivergedError) as caught:
        solve(tsphys.TwoLayer(K=1, M=1, activation="linear", lr=3.0), t=[0, 0.1, 1e3], start=copy_start(1, 1, 0.5))
    partial = caught.value.partial
    assert np.isfinite(partial["eps_g"][:2]).all() and np.isnan(partial["eps_g"][2])
    assert 0.1 < caught.value.t < 1e3


@pytest.mark.parametrize("K", [2, 3])
def test_plateau(K):
    small, state = plateau_small_lr(K)
    assert small == pytest.approx({2: 0.0116108, 3: 0.0202966}[K], abs=5e-8)
    # The correction is linear in η.
    near, at = plateau(tsphys.TwoLayer(K=K, M=K, lr=1e-6))
    assert near == pytest.approx(small, rel=1e-5)
    assert pytest.approx(state.R, abs=1e-5) == at.R and pytest.approx(state.Q, abs=1e-5) == at.Q
    # Students that treat all teachers alike relax to it and, while they do, never leave; copies of each other do not.
    model = tsphys.TwoLayer(K=K, M=K, lr=1.0, noise=0.05)
    eps, at = plateau(model)
    start = tsphys.OrderParameters(R=np.full((K, K), 0.2), Q=np.full((K, K), 0.2) + 0.1 * np.eye(K), T=np.eye(K))
    assert solve(model, t=[300.0], start=start)["eps_g"][0] == pytest.approx(eps, rel=1e-5)


@pytest.mark.parametrize(("K", "lr"), [(2, 0.5), (2, 1.5), (3, 0.5)])
def test_the_plateau_is_left_at_the_escape_rate(K, lr):
    model = tsphys.TwoLayer(K=K, M=K, lr=lr)
    _, at = plateau(model)
    rate = escape_rate(model)
    tilt = 1e-9 * (K * np.eye(K) - 1)
    start = tsphys.OrderParameters(R=at.R + tilt, Q=at.Q, T=np.eye(K))
    t = np.array([0.0, 40.0, 80.0])
    R = solve(model, t=t, start=start)["R"]
    grown = np.log(np.abs(R[1:, 0, 0] - R[1:, 0, 1]))
    # Two modes at least take part in the tilt; the faster has outgrown the others by then, to a few per cent.
    assert np.diff(grown)[0] / 40 == pytest.approx(rate, rel=0.05)


def test_plateau_is_higher_at_finite_learning_rate():
    # Read off published trajectories to four digits.
    assert plateau(tsphys.TwoLayer(K=2, M=2, lr=0.1))[0] == pytest.approx(0.01210, abs=2e-5)
    assert plateau(tsphys.TwoLayer(K=3, M=3, lr=0.1))[0] == pytest.approx(0.02190, abs=2e-5)


@pytest.mark.parametrize(("K", "expected"), [(1, 4.05578), (2, 2.30683), (3, 1.62067), (4, 1.24939), (8, 0.651685)])
def test_critical_learning_rate(K, expected):
    found = critical_learning_rate(tsphys.TwoLayer(K=K, M=K))
    # Half a unit of the last published digit.
    assert found == pytest.approx(expected, abs=5e-6)
    if K == 1:
        assert found == pytest.approx(math.pi * math.sqrt(5 / 3), rel=1e-8)


def test_dynamics_on_both_sides_of_the_critical_learning_rate():
    start, t = copy_start(2, 2, 1e-3), [100.0, 800.0]
    critical = critical_learning_rate(tsphys.TwoLayer())
    for factor in (0.95, 1.05):
        eps = solve(tsphys.TwoLayer(lr=factor * critical), t=t, start=start)["eps_g"]
        assert (eps[1] < 0.1 * eps[0]) == (factor < 1)


FLOOR = [(1, 1, 0.05, 1.0124), (2, 2, 0.05, 1.0218), (2, 1, 0.05, 1.0269), (2, 1, 0.2, 1.1169)]
FLOOR += [(3, 1, 0.05, 1.0435), (4, 2, 0.05, 1.0541), (4, 2, 0.02, 1.0209)]


@pytest.mark.parametrize(("K", "M", "lr", "ratio"), FLOOR)
def test_noise_floor(K, M, lr, ratio):
    model = tsphys.TwoLayer(K=K, M=M, lr=lr, noise=0.1)
    eps = noise_floor(model).eps_g
    assert eps / noise_floor_small_lr(model) == pytest.approx(ratio, abs=6e-5)


def test_noise_floor_is_where_the_dynamics_ends():
    model = tsphys.TwoLayer(K=3, M=2, lr=0.5, noise=0.1)
    eps = noise_floor(model).eps_g
    assert solve(model, t=[4000.0], start=copy_start(3, 2, 0.3))["eps_g"][0] == pytest.approx(eps, rel=1e-6)


def test_superfluous_students_make_the_noise_floor_a_saddle():
    model = tsphys.TwoLayer(K=3, M=1, lr=0.1, noise=0.3)
    floor, end = noise_floor(model), noise_floor_end(model)
    assert floor.eps_g == pytest.approx(0.00402293, abs=5e-9)
    # The rate at which a pair grows, (2/π)η²σ², has corrections of order η.
    assert floor.eigenvalues[0].real == pytest.approx(2 / math.pi * 0.1**2 * 0.3**2, rel=0.1)
    assert noise_floor(tsphys.TwoLayer(K=2, M=1, lr=0.1, noise=0.3)).eigenvalues[0].real < 0
    assert end.eps_g == noise_floor(tsphys.TwoLayer(K=1, M=1, lr=0.1, noise=0.3)).eps_g
    assert (end.eigenvalues.real < 0).all()
    # A student and its readout may change their signs together.
    assert noise_floor_end(tsphys.TwoLayer(K=3, M=1, lr=0.1, noise=0.3, v=(1, 1, -1))).eps_g == end.eps_g
    mixed = [
        noise_floor_end(tsphys.TwoLayer(K=len(v), M=1, lr=0.1, noise=0.3, v=v)) for v in ((1, 1, 0.5, 1), (1, 0.5))
    ]
    assert mixed[0].eps_g == mixed[1].eps_g


def test_pairs_grow_out_of_the_saddle_without_end():
    model = tsphys.TwoLayer(K=3, M=1, lr=0.1, noise=0.3)
    copy = np.eye(3, 1)
    start = tsphys.OrderParameters(R=copy, Q=copy @ copy.T + np.diag([0, 0.01, 0.01]), T=[[1.0]])
    theory = solve(model, start=start, t=[1e4, 1e5, 1e7])
    P = theory["Q"][:, 1, 1]
    # dP/dt = (2/π)η²σ²P/(1 + 2P)^{3/2} from t = 1e4 on; order η.
    grown = integrate(lambda t, y: 2 / math.pi * 9e-4 * y / (1 + 2 * y) ** 1.5, P[:1], [9e4, 1e7 - 1e4])[0][:, 0]
    assert P[1:] == pytest.approx(grown, rel=0.1)
    left = 0.1 * 0.3**2 / (math.pi * np.sqrt(1 + 2 * P))
    assert theory["eps_g"] - noise_floor_end(model).eps_g == pytest.approx(left, rel=0.2)


@pytest.mark.parametrize("changes", [{"weight_decay": 1e-4}, {"v": (1.0, 1.0, 0.5)}])
def test_noise_floor_end_is_where_the_dynamics_ends(changes):
    model = tsphys.TwoLayer(K=3, M=1, lr=0.1, noise=0.3, **changes)
    copy = np.eye(3, 1)
    start = tsphys.OrderParameters(R=copy, Q=copy @ copy.T + np.diag([0, 0.01, 0.02]), T=[[1.0]])
    assert solve(model, start=start, t=[3e6])["eps_g"][0] == pytest.approx(noise_floor_end(model).eps_g, rel=1e-6)


def test_noise_floor_refuses_what_has_none():
    with pytest.raises((ConvergenceError, DivergedError)):
        noise_floor(tsphys.TwoLayer(K=2, M=2, lr=4.0, noise=0.1))
    for wrong in (
        {"noise": 0.0},
        {"K": 1, "noise": 0.1},
        {"activation": "relu", "noise": 0.1},
        {"lr_v": 0.1, "noise": 1},
    ):
        with pytest.raises(ModelError):
            noise_floor(tsphys.TwoLayer(**{"K": 2, "M": 2, "noise": 0.1, **wrong}))
    for wrong in ({"teacher": "graded"}, {"v_star": [1, 2]}, {"v": [2, 1]}, {"weight_decay": 0.1}):
        with pytest.raises(ModelError):
            noise_floor_small_lr(tsphys.TwoLayer(**{"K": 2, "M": 2, "noise": 0.1, **wrong}))
