"""Equations of motion of continual learning: known numbers, slow references, limits, symmetries, closed forms."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.naive import continual as naive
from tsphys.odes.continual import Motion, error_rates
from tsphys.physics import forgetting as measures
from tsphys.physics.activations import code, dg
from tsphys.physics.similarity import cosines, readouts, unit_vectors
from tsphys.rules.phases import Phase, State
from tsphys.solvers.ode import integrate

BASE = tsphys.Continual(similarity=0.5, durations=[300])


def start(model, U=((2e-4,), (1e-4,)), v=(0.01, 0.02, 0.01, -0.02)):
    R = np.hstack([[[1e-4], [-5e-5]], U])
    return tsphys.OrderParameters(R=R, Q=1e-4 * np.eye(2), T=model.teacher_overlaps(), v=v)


# Independent integration: eps_g of task 2 at the switch, F at 1, 5, 20, 100, 300, T at 1, 5, 20, 100 after it.
REFERENCE = {
    0.0: (0.166705, [0.000003, 0.000015, 0.006002, 0.012690, 0.013302], [0.000075, 0.001321, 0.162688, 0.166676]),
    0.3: (0.168133, [0.000055, 0.009854, 0.076122, 0.080668, 0.080220], [0.010221, 0.044194, 0.167490, 0.168092]),
    0.5: (0.169108, [0.000157, 0.018744, 0.102737, 0.125529, 0.140605], [0.027436, 0.089023, 0.168298, 0.168985]),
    0.7: (0.170122, [0.000258, 0.020217, 0.084954, 0.098885, 0.107751], [0.053281, 0.128588, 0.169724, 0.170048]),
}


@pytest.mark.parametrize("V", REFERENCE)
def test_reference_numbers(V):
    model = replace(BASE, similarity=V)
    theory = tsphys.solve(model, start=start(model), t=[300, 301, 305, 320, 400, 600])
    assert abs(theory["eps_g"][0, 0] - 8.548e-6) < 1e-9
    found = theory["eps_g"][0, 1], measures.forgetting(theory)[1:], measures.transfer(theory)[1:5]
    for value, expected in zip(found, REFERENCE[V], strict=True):
        np.testing.assert_allclose(value, expected, rtol=0, atol=2e-6)


def test_reference_numbers_of_replay_and_penalty():
    for change, F, eps_2 in (
        ({"replay": 0.1}, [0.050072, 0.000353], None),
        ({"replay": 0.5}, [0.009827], 0.029317),
        ({"regulariser": "ewc", "strength": 0.5}, [0.012074, 0.004714], None),
        ({"regulariser": "ewc", "strength": 5}, [0.003564], 0.033312),
    ):
        model = replace(BASE, **change)
        theory = tsphys.solve(model, start=start(model), t=[320, 600])
        np.testing.assert_allclose(measures.forgetting(theory)[: len(F)], F, rtol=0, atol=2e-6)
        assert eps_2 is None or abs(theory["eps_g"][0, 1] - eps_2) < 2e-6


@pytest.mark.parametrize(
    ("readout", "F"),
    [
        (-1, [0.09644, 0.22031, 0.23551]),
        (0, [0.00888, 0.02528, 0.18332]),
        (1, [0.06856, 0.12733, 0.23757]),
    ],
)
def test_reference_numbers_of_two_units_a_teacher(readout, F):
    model = tsphys.Continual(K=3, M=2, similarity=0.5, readout_similarity=readout, durations=[200])
    begin = tsphys.OrderParameters(
        Q=[[0.03, 0.005, 0], [0.005, 0.02, 0], [0, 0, 0.01]],
        R=[[0.1, 0.02, 0.03, -0.02], [-0.02, 0.08, 0.01, 0.05], [0.01, -0.03, 0.04, 0.02]],
        T=model.teacher_overlaps(),
        v=[0.3, 0.2, 0.1, 0.1, -0.1, 0.2],
    )
    theory = tsphys.solve(model, start=begin, t=[205, 220, 300])
    np.testing.assert_allclose(measures.forgetting(theory), F, rtol=0, atol=1e-5)


def random_state(model, seed=0):
    rng = np.random.default_rng(seed)
    drawn = replace(model, init=0.7, init_v=0.8).start(model.K + model.tasks * model.M + 2, rng)
    return drawn


@pytest.mark.parametrize(
    ("K", "M", "S", "pull"), [(2, 1, 2, False), (3, 2, 2, True), (2, 2, 3, True), (3, 3, 2, False)]
)
def test_motion_is_that_of_the_slow_reference(K, M, S, pull):
    """dR, dQ and the heads in the second block with replay and anchors elsewhere than the weights."""
    model = tsphys.Continual(
        K=K, M=M, tasks=S, similarity=0.4, readout_similarity=1.0, noise=0.3, lr=0.7, lr_v=0.4, replay=0.25,
        regulariser="l2" if pull else "none", strength=0.8,
    )  # fmt: skip
    state = random_state(model)
    motion = Motion(model, np.array(state.T), np.array(state.v_star))
    y, seen = motion.state(state), motion.at(state.v_star)
    phase = model.phase(1, seen(0.0, y))
    leg = motion.leg(1, phase, y, 1e-10, 1e-12)
    rng = np.random.default_rng(1)
    # Away from the anchors: the weights' coordinates in teachers and anchors, and what is outside.
    z = leg.start.copy()
    if pull:
        shared = K * (S * M + K)
        z[:shared] += 0.2 * rng.standard_normal(shared)
        root = np.tril(0.3 * rng.standard_normal((K, K)))
        z[shared : shared + K * (K + 1) // 2] = (root @ root.T)[np.tril_indices(K)]
    dz = leg.rhs(0.0, z)

    def overlaps(z):
        now = seen(0.0, leg.back(z[None])[0])
        return now.R, now.Q, now.v

    h = 1e-4
    # R, Q and v are at most quadratic in z, so that the central difference is exact to rounding, 1e-16/h.
    found = [(a - b) / (2 * h) for a, b in zip(overlaps(z + h * dz), overlaps(z - h * dz), strict=True)]
    R, Q, v = overlaps(z)
    heads, expected = v.reshape(S, K), [np.zeros_like(R), np.zeros_like(Q), np.zeros(S * K)]
    for s, p in ((0, 0.25), (1, 0.75)):
        dR, dQ, dh = naive.motion(model, s, R, Q, state.T, heads[s], state.v_star)
        expected[0] += p * dR
        expected[1] += p * dQ
        expected[2][s * K : (s + 1) * K] += p * dh
    if pull:
        ext = z[:shared].reshape(K, S * M + K)
        anchor = leg.start[:shared].reshape(K, S * M + K)
        metric = np.eye(S * M + K)
        metric[: S * M, : S * M] = np.linalg.pinv(state.T)
        dR, dQ, _ = naive.penalty(
            model.lr, np.full(K, 0.8), R, Q, state.R, anchor @ metric @ anchor.T, ext @ metric @ anchor.T
        )
        expected[0] += dR
        expected[1] += dQ
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)


def test_one_task_is_a_two_layer_network():
    two = tsphys.TwoLayer(K=3, M=2, lr=0.8, lr_v=0.3, noise=0.2)
    one = tsphys.Continual(K=3, M=2, tasks=1, lr=0.8, lr_v=0.3, noise=0.2)
    begin = two.start(100, np.random.default_rng(0))
    begin = tsphys.OrderParameters(R=begin.R, Q=begin.Q, T=begin.T, v=[0.9, 1.0, 1.1], v_star=[1.0, 1.2])
    t = [0, 1, 10, 200]
    a, b = (tsphys.solve(m, start=begin, t=t) for m in (two, one))
    np.testing.assert_allclose(b["eps_g"][:, 0], a["eps_g"], rtol=0, atol=1e-9)
    for name in ("R", "Q"):
        np.testing.assert_allclose(b[name], a[name], rtol=0, atol=1e-9)
    np.testing.assert_allclose(b["v"][:, 0], a["v"], rtol=0, atol=1e-9)


def test_linear_networks_forget_by_their_closed_form():
    """K = M = 1, head and readout 1: d = w − b² relaxes, ⟨|d|²⟩ at the rate η(2 − η), its mean at the rate η."""
    eta, V = 0.4, 0.3
    model = tsphys.Continual(K=1, M=1, activation="linear", lr=eta, lr_v=0.0, similarity=V, durations=[2])
    begin = tsphys.OrderParameters(R=[[0.2, 0.1]], Q=[[0.3]], T=model.teacher_overlaps(), v=[1, 1])
    t = np.array([2.0, 2.5, 4.0, 10.0])
    theory = tsphys.solve(model, start=begin, t=t)
    R, U, Q = theory["R"][0, 0, 0], theory["R"][0, 0, 1], theory["Q"][0, 0, 0]
    eps_2 = 0.5 * (Q - 2 * U + 1)
    cross = R - U - V + 1
    tau = t - 2
    # |w − b¹|² = |d|² − 2 d·(b¹ − b²) + |b¹ − b²|².
    fast, slow = np.exp(-eta * (2 - eta) * tau), np.exp(-eta * tau)
    eps_1 = eps_2 * fast - cross * slow + (1 - V)
    np.testing.assert_allclose(theory["eps_g"][:, 1], eps_2 * fast, rtol=0, atol=1e-10)
    np.testing.assert_allclose(theory["eps_g"][:, 0], eps_1, rtol=0, atol=1e-10)


def test_initial_slopes_are_those_of_the_curves():
    theory = tsphys.solve(BASE, start=start(BASE), t=[300, 300.001, 300.002])
    at = {k: theory[k][0] for k in ("R", "Q")}
    state = tsphys.OrderParameters(**at, T=theory["T"], v=theory["v"][0].ravel(), v_star=theory["v_star"])
    e = theory["eps_g"]
    # Second order in 1e-3, times the third derivative, of order one.
    np.testing.assert_allclose(error_rates(BASE, state), (4 * e[1] - 3 * e[0] - e[2]) / 0.002, rtol=0, atol=1e-5)


def test_the_same_task_with_its_head_goes_on_as_if_nothing_had_happened():
    model = replace(BASE, similarity=1.0, head="copy")
    same, t = ((1e-4,), (-5e-5,)), np.linspace(290, 400, 12)
    theory = tsphys.solve(model, start=start(model, U=same), t=t)
    alone = tsphys.solve(replace(model, durations=[1000]), start=start(model, U=same), t=t)
    np.testing.assert_allclose(theory["eps_g"][2:, 1], alone["eps_g"][2:, 0], rtol=0, atol=1e-9)
    # The first head stays behind while the weights go on with the copy, which costs it little.
    assert measures.peak(measures.forgetting(theory)) < 0.1 * theory["eps_g"][1, 0]
    fresh = replace(model, head="fresh")
    theory = tsphys.solve(fresh, start=start(model, U=((1e-4,), (-5e-5,))), t=[320, 400])
    assert (np.abs(measures.forgetting(theory)) < 2e-3).all()
    assert (measures.transfer(theory) > 0.17).all()


def test_intermediate_similarity_forgets_most_and_transfer_grows():
    grid = [0.0, 0.25, 0.5, 0.75, 0.95]
    found = []
    for V in grid:
        model = replace(BASE, similarity=V)
        theory = tsphys.solve(model, start=start(model), t=[301, 320])
        found.append((measures.forgetting(theory)[1], measures.transfer(theory)[0], measures.reuse(theory)[0][1]))
    F, T, rho = np.array(found).T
    assert F.argmax() == 2
    assert (np.diff(T) > 0).all()
    # Another unit learns the second task if it has nothing in common with the first, otherwise the same one.
    assert rho[0] < 0.1 < rho[2]


def test_opposite_features_with_opposite_heads_are_the_same():
    model, other = replace(BASE, similarity=0.4), replace(BASE, similarity=-0.4)
    a = tsphys.solve(model, start=start(model), t=[310, 350])
    b = tsphys.solve(other, start=start(other, U=((-2e-4,), (-1e-4,)), v=(0.01, 0.02, -0.01, 0.02)), t=[310, 350])
    np.testing.assert_allclose(b["eps_g"], a["eps_g"], rtol=0, atol=1e-9)


def test_replay_and_penalty_cure_forgetting():
    F = {}
    for name, change in (("none", {}), ("replay", {"replay": 0.1}), ("l2", {"regulariser": "l2", "strength": 20})):
        model = replace(BASE, **change)
        theory = tsphys.solve(model, start=start(model), t=[600])
        F[name] = measures.forgetting(theory)[0], theory["eps_g"][0, 1]
    assert F["replay"][0] < 0.01 * F["none"][0]
    assert F["l2"][0] < 0.1 * F["none"][0]
    assert F["l2"][1] > 100 * F["none"][1]


@pytest.mark.parametrize("activation", ["erf", "relu", "linear", "quad", "he2"])
def test_fisher_rates_are_the_diagonal_of_the_information(activation):
    """η ξ (h_k)² ⟨g'(λ_k)²⟩, the average by Gauss–Legendre on each half of the line, good to rounding."""
    model = tsphys.Continual(activation=activation, regulariser="fisher", strength=0.7, lr=0.3)
    heads, Q = np.array([[0.5, 0.3], [0.2, -0.1]]), np.diag([0.5, 2.0])
    x, w = np.polynomial.legendre.leggauss(100)
    z = np.concatenate([-5 * (x + 1), 5 * (x + 1)])
    weight = 5 * np.tile(w, 2) * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    square = [weight @ [dg(code(activation), y) ** 2 for y in np.sqrt(q) * z] for q in np.diag(Q)]
    np.testing.assert_allclose(model.pull(1, heads, Q), 0.3 * 0.7 * heads[0] ** 2 * square, rtol=1e-10)


def test_a_new_head_is_a_copy_of_that_of_the_last_block():
    """Of no other, of a new task only, and the errors right after the switch are those of the copy."""
    model = tsphys.Continual(tasks=3, head="copy", cyclic=True)
    heads = np.arange(6.0)
    state = State(0.0, np.zeros((2, 3)), np.eye(2), np.eye(3), heads, np.ones(3))
    np.testing.assert_array_equal(model.phase(2, state).v, [0, 1, 2, 3, 2, 3])
    np.testing.assert_array_equal(model.phase(3, state).v, heads)
    same = replace(BASE, similarity=1.0, head="copy", durations=[2])
    begin = start(same, U=((1e-4,), (-5e-5,)), v=(0.5, 0.2, 0.1, -0.3))
    for result in (tsphys.solve(same, start=begin, t=[3]), tsphys.simulate(same, start=begin, N=50, t=[3])):
        eps_g = measures.at_switch(result)[1]
        np.testing.assert_allclose(eps_g[..., 0], eps_g[..., 1], rtol=1e-10)


def test_similar_vectors_have_their_cosines():
    C = cosines("c", 0.3, None, 4)
    F = unit_vectors(C)
    np.testing.assert_allclose(F @ F.T, C, rtol=0, atol=1e-14)
    repeated = np.array([[1, 1, 0.2], [1, 1, 0.2], [0.2, 0.2, 1]])
    assert unit_vectors(repeated).shape == (3, 2)
    phi, theta = 0.3, 1.1
    found = readouts(cosines("c", np.cos(theta), None, 2), 3, phi, "c")
    expected = np.sqrt(3) * np.array([[np.cos(x), np.sin(x), 0] for x in (phi, phi + theta)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    T = tsphys.Continual(M=2, shared=1, similarity=0.3).teacher_overlaps()
    np.testing.assert_array_equal(T, [[1, 0, 1, 0], [0, 1, 0, 0.3], [1, 0, 1, 0], [0, 0.3, 0, 1]])


def test_a_schedule_changes_a_users_rule():
    """Hebb's rule with the rate halved at t = 1 and, once Q exceeds 3, off: in closed form."""

    def hebb(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = p[0] * nu[0]

    def schedule(i, state):
        if i == 1:
            return Phase([0.5], stop=lambda now: 3.0 - now.Q[0, 0])
        return Phase([1.0 if i == 0 else 0.0], until=1.0 if i == 0 else np.inf)

    rule = tsphys.LearningRule(hebb, params=[1.0], smooth=True, schedule=schedule)
    begin = tsphys.OrderParameters(R=[[0.0]], Q=[[0.0]], T=[[1.0]])
    theory = tsphys.solve(rule, start=begin, t=[1, 1.2, 30])
    # R grows by η, Q by 2ηR + η² per time; Q = 2 at t = 1.
    after = 0.5 * 0.2
    np.testing.assert_allclose(theory["R"][:2, 0, 0], [1.0, 1.0 + after], rtol=1e-7)
    np.testing.assert_allclose(theory["Q"][:2, 0, 0], [2.0, 2.0 + 2 * after + after**2 + 0.05], rtol=1e-7)
    assert theory["Q"][2, 0, 0] == pytest.approx(3.0, rel=1e-7)


def test_events_are_found_where_they_come():
    y, info = integrate(lambda t, y: -y, [1.0], [0.5, 2.0], event=lambda t, y: y[0] - np.exp(-1.25))
    assert info["event"] == pytest.approx(1.25, abs=1e-8)
    assert np.isnan(y[1, 0])
    assert y[0, 0] == pytest.approx(np.exp(-0.5), rel=1e-9)
    late = integrate(lambda t, y: -y, [1.0], [3.0], event=lambda t, y: y[0] - 0.9, event_from=1.0)[1]
    assert late["event"] == 1.0
    assert "event" not in integrate(lambda t, y: -y, [1.0], [1.0], event=lambda t, y: y[0] - 0.1)[1]
