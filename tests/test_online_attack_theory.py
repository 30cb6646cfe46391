"""Theory of attacks on online learners: closed forms, reference numbers, quadratures against each other."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import special

import tsphys
from tests.checking import passes
from tsphys import OnlineAttack
from tsphys.odes import online_attack as theory
from tsphys.odes.online_attack import averages, bellman, critical_cost, small_lr, steady_state

FREE = {"a_min": None, "a_max": None}

#: Steady states (p, accuracy) at C = 0.1, 0.3, 1, 3, 10, from averages by Gauss–Laguerre and Gauss–Hermite rules.
STEADY = {
    (1, 0.02): [(0.96046, 0.0133), (0.90056, 0.0248), (0.74320, 0.0527), (0.49679, 0.5295), (0.23007, 0.9790)],
    (1, 0.2): [(0.94447, 0.0336), (0.87150, 0.0638), (0.70837, 0.1444), (0.47523, 0.5816), (0.22445, 0.9381)],
    (1, 1.0): [(0.93133, 0.0631), (0.83970, 0.1259), (0.65568, 0.2837), (0.43021, 0.6125), (0.20785, 0.8711)],
    (10, 0.02): [(0.92280, 0.0062), (0.79979, 0.0094), (0.54536, 0.0467), (0.28569, 0.9946), (0.10714, 0.9989)],
    (10, 0.2): [(0.92083, 0.0174), (0.79805, 0.0282), (0.54449, 0.1391), (0.28544, 0.9831), (0.10710, 0.9965)],
}


@pytest.mark.parametrize(("P", "lr"), STEADY)
def test_steady_states_of_the_greedy_attack(P, lr):
    for C, (p, accuracy) in zip((0.1, 0.3, 1, 3, 10), STEADY[P, lr], strict=True):
        found = steady_state(OnlineAttack(minibatch=P, lr=lr, cost=C, **FREE))
        # Half of the last digit given.
        assert found["p"] == pytest.approx(p, abs=0.6e-5)
        assert found["accuracy"] == pytest.approx(accuracy, abs=0.6e-4)


def test_what_else_is_seen_in_the_steady_state():
    found = steady_state(OnlineAttack(**FREE))
    expected = {"q": 4 * 0.51211, "action": 0.2916, "action_square": 0.1836, "cost": 0.5579}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=6e-5), name
    clipped = steady_state(OnlineAttack(a_min=0, a_max=1))
    assert clipped["p"] == pytest.approx(0.68032, abs=3e-5)
    assert clipped["q"] / 4 == pytest.approx(0.46992, abs=3e-5)
    assert clipped["cost"] == pytest.approx(0.5783, abs=6e-5)


def test_the_way_there():
    found = tsphys.solve(OnlineAttack(**FREE), t=[0.5, 1, 2, 5])
    np.testing.assert_allclose(0.5 * (1 - found["R"][:, 0, 0]), [0.145988, 0.261890, 0.426957, 0.637906], atol=6e-7)


@pytest.mark.parametrize("bounds", [(None, None), (0.0, 1.0), (-0.1, 0.4), (0.2, None)])
@pytest.mark.parametrize(("strategy", "P", "c"), [("greedy", 1, 0.5), ("greedy", 7, 1e-7), ("optimal", 3, 1.2)])
def test_averages_of_an_action_against_plain_quadrature(bounds, strategy, P, c):
    """Against a tensor rule: Gauss–Laguerre in A, the trapezoidal rule in z."""
    low, high = bounds
    model = OnlineAttack(strategy=strategy, minibatch=P, lr=0.8, cost=0.7, a_min=low, a_max=high)
    p, V = 0.4, 4.0
    g0, g0p, g1, g2, price = policy = theory._policy(model)
    x, w = special.roots_genlaguerre(150, P / 2 - 1)
    A = 2 * V * x[:, None]
    z = np.linspace(-9, 9, 20001)
    B = p * A + np.sqrt(A * c) * z
    low, high = np.clip(model.bounds, -1e9, 1e9)
    a = np.clip(((g0 + g0p * p) * A + g1 * B) / (price + g2 * A), low, high)
    weight = (w / w.sum())[:, None] * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    found = averages(model, policy, p, c)
    for name, value in {
        "action": a,
        "square": a * a,
        "along": a * A,
        "across": a * (B - p * A),
        "power": a * a * A,
    }.items():
        # A kink between two of the 150 nodes costs the plain rule about the square of their distance.
        kinked = 1e-8 if bounds[0] is None else 3e-3
        assert getattr(found, name) == pytest.approx(np.sum(weight * value), rel=kinked, abs=kinked * 0.1), name


@pytest.mark.parametrize("strategy", ["constant", "greedy", "optimal"])
@pytest.mark.parametrize(("control", "P", "n"), [("batch", 1, 1), ("batch", 4, 2), ("example", 4, 3)])
def test_small_learning_rates_have_closed_forms(strategy, control, P, n):
    limits, rho = {}, 1.3 if strategy == "greedy" else 1.0
    for lr in (1e-4, 2e-4):
        model = OnlineAttack(
            strategy=strategy, control=control, minibatch=P, poisoned=n, lr=lr, cost=0.8, rho=rho, discount=0.4, **FREE
        )  # fmt: skip
        limits[lr] = steady_state(model)
    expected = small_lr(model)
    for name in ("p", "action", "action_square", "cost"):
        # Extrapolated to η = 0; what is left is of second order.
        assert 2 * limits[1e-4][name] - limits[2e-4][name] == pytest.approx(expected[name], rel=2e-6), name
    t = np.array([200.0, 400.0])
    x = expected["p"] - 0.5 * (1 - tsphys.solve(dataclasses.replace(model, lr=1e-3), t=t)["R"][:, 0, 0])
    assert math.log(x[0] / x[1]) / 0.2 == pytest.approx(expected["rate"], rel=0.02)


@pytest.mark.parametrize("control", ["batch", "example"])
def test_the_best_constant_action_is_the_best(control):
    """Also where it meets two examples of four; its critical price leaves the student half way."""
    model = OnlineAttack(strategy="constant", control=control, minibatch=4, poisoned=2, cost=0.7)
    best, a = small_lr(model)["cost"], model.fixed_action
    for other in (0.99 * a, 1.01 * a):
        assert small_lr(dataclasses.replace(model, action=other))["cost"] > best
    assert small_lr(dataclasses.replace(model, cost=critical_cost(model)))["p"] == pytest.approx(0.5, abs=1e-14)


def test_critical_prices():
    assert critical_cost(OnlineAttack()) == 3
    assert critical_cost(OnlineAttack(minibatch=10)) == pytest.approx(1.2)
    assert critical_cost(OnlineAttack(minibatch=10, rho=0.5)) == pytest.approx(0.6)
    assert critical_cost(OnlineAttack(minibatch=10, control="example")) == pytest.approx(3)
    assert critical_cost(OnlineAttack(minibatch=4, poisoned=2)) == pytest.approx(0.5)
    assert critical_cost(OnlineAttack(minibatch=2, strategy="optimal", discount=1.0)) == pytest.approx(1)
    assert critical_cost(OnlineAttack(strategy="constant")) == 1
    with pytest.raises(tsphys.ModelError, match="strategy"):
        critical_cost(OnlineAttack(strategy="none"))


@pytest.mark.parametrize(
    ("P", "lr", "C"), [(1, 0.02, 2.96127), (1, 0.2, 2.69378), (1, 1.0, 2.15496), (10, 0.2, 1.19609)]
)
def test_where_half_of_the_accuracy_is_left(P, lr, C):
    found = steady_state(OnlineAttack(minibatch=P, lr=lr, cost=C, **FREE))
    assert found["p"] == pytest.approx(0.5, abs=2e-6)
    assert found["accuracy"] == pytest.approx(0.5, abs=1e-4)


def test_the_jump_sharpens_with_the_learning_rate():
    def drop(lr):
        above, below = (steady_state(OnlineAttack(lr=lr, cost=C, **FREE))["accuracy"] for C in (3.3, 2.7))
        return above - below

    drops = [drop(lr) for lr in (1.0, 0.1, 0.01, 1e-4)]
    assert np.all(np.diff(drops) > 0)
    assert drops[-1] > 0.9


def test_strong_and_weak_attackers():
    assert steady_state(OnlineAttack(cost=1e4, **FREE))["accuracy"] > 0.999
    assert steady_state(OnlineAttack(cost=1e-4, **FREE))["p"] == pytest.approx(1, abs=5e-3)
    for a in (0.2, 0.49, 0.51, 1.4):
        found = steady_state(OnlineAttack(strategy="constant", action=a, cost=0.3))
        assert found["p"] == pytest.approx(a, abs=1e-12)
        assert found["distance"] == pytest.approx(a, abs=1e-12)
        assert found["cost"] == pytest.approx(0.5 * 4 * (0.3 * a * a + (1 - a) ** 2), abs=1e-12)


def test_rho_scales_the_price_in_the_action_but_not_in_the_cost():
    one, other = steady_state(OnlineAttack(cost=2.0, rho=2.0, **FREE)), steady_state(OnlineAttack(cost=1.0, **FREE))
    assert one["p"] == pytest.approx(other["p"], abs=1e-10)
    paid = 0.5 * 4 * other["action_square"]
    assert one["cost"] == pytest.approx(other["cost"] + paid, abs=1e-9)


def test_greedy_attacks_are_cheaper_than_constant_ones_and_optimal_ones_are_the_cheapest():
    for P, lr, C in ((1, 0.2, 1.0), (4, 1.0, 0.5), (10, 0.2, 2.0)):
        cost = {
            s: steady_state(OnlineAttack(strategy=s, minibatch=P, lr=lr, cost=C, **FREE))["cost"]
            for s in ("constant", "greedy", "optimal")
        }
        assert cost["optimal"] < cost["greedy"] < cost["constant"]


def test_no_other_feedback_is_cheaper_than_the_optimal_one(monkeypatch):
    """The undiscounted cost is stationary in each gain, and rises to both sides."""
    model = OnlineAttack(strategy="optimal", minibatch=2, lr=0.8, cost=0.7, **FREE)
    best, gains = steady_state(model)["cost"], theory._policy(model)
    for i in range(4):
        h = 0.02 * abs(gains[i])
        around = []
        for sign in (-1, 1):
            changed = list(gains)
            changed[i] += sign * h
            monkeypatch.setattr(theory, "_policy", lambda m, changed=changed: tuple(changed))
            around.append(steady_state(model)["cost"])
        monkeypatch.undo()
        rise = 0.5 * (around[0] + around[1]) - best
        assert rise > 0
        # A linear part of the change would be ten times this if the gain were 5 % off.
        assert abs(around[1] - around[0]) < 0.1 * rise


def test_bellman_for_small_learning_rates_is_the_known_feedback():
    b, C, P = 0.25, 0.8, 3
    h, k2, k1 = bellman(OnlineAttack(strategy="optimal", lr=1e-9, cost=C, minibatch=P, discount=b))
    priced = C / (1 + 2 / P)
    known = 0.5 * priced * (-(2 + b) + math.sqrt((2 + b) ** 2 + 4 / priced))
    assert k2 == pytest.approx(known, rel=1e-7)
    assert k1 == pytest.approx(2 * known / (1 + b + known / priced), rel=1e-7)
    assert b * h == pytest.approx(0.5 - 2 * h - 2 * h * h / (P * C), abs=1e-7)


@pytest.mark.parametrize("gamma", [0.995, 0.9])
def test_large_batches_have_the_gains_of_discrete_control(gamma):
    """For P → ∞ the student is x ← (1 − e)x + e − ea; its Riccati recursion is iterated here, for a small step e."""
    C, e = 1.0, 0.02
    k2, k1 = 0.0, 0.0
    for _ in range(20_000):
        ax, a0 = (
            gamma * e * k2 * (1 - e) / (C + gamma * k2 * e**2),
            gamma * e * (k2 * e + k1 / 2) / (C + gamma * k2 * e**2),
        )
        yx, y0 = 1 - e - e * ax, e - e * a0
        k2, k1 = C * ax**2 + 1 + gamma * k2 * yx**2, 2 * (C * ax * a0 + gamma * (k2 * yx * y0 + k1 * yx / 2))
    p = 1 - y0 / (1 - yx)
    assert p == pytest.approx(1 / (1 + C * (1 - gamma * (1 - e)) / (gamma * e)), abs=1e-12)
    if gamma == 0.995:
        assert p == pytest.approx(0.4441964286, abs=1e-10)
    model = OnlineAttack(strategy="optimal", minibatch=10**6, lr=e, cost=C, discount=-math.log(gamma) / e)
    # Continuous time leaves out what is of order e.
    assert small_lr(model)["p"] == pytest.approx(p, rel=3 * e * (1 + model.discount))


def test_an_action_for_each_example_is_a_batch_of_one_with_a_smaller_learning_rate():
    one = steady_state(OnlineAttack(lr=0.1, **FREE))
    each = steady_state(OnlineAttack(lr=0.4, minibatch=4, control="example", **FREE))
    assert each["p"] == pytest.approx(one["p"], abs=1e-10)
    assert each["cost"] == pytest.approx(one["cost"], abs=1e-10)
    assert steady_state(OnlineAttack(lr=0.1, minibatch=4, control="example", **FREE))["p"] == pytest.approx(
        0.741, abs=1e-3
    )


def test_without_an_attack_the_student_relaxes_to_the_teacher():
    """u = w − w_t decays like exp(−ηt) along any direction, |u|² like exp(−η(2 − η/P)t)."""
    eta, P, t = 0.7, 3, np.array([0.0, 1, 5, 20])
    start = tsphys.OrderParameters(R=[[0.3, -0.2]], Q=[[0.8]], T=[[1, 0.4], [0.4, 1]])
    found = tsphys.solve(OnlineAttack(strategy="none", lr=eta, minibatch=P, overlap=0.4), start=start, t=t)
    slow = np.exp(-eta * t)[:, None]
    np.testing.assert_allclose(found["R"][:, 0], [1, 0.4] + slow * [-0.7, -0.6], atol=1e-9)
    square = (0.8 - 2 * 0.3 + 1) * np.exp(-eta * (2 - eta / P) * t)
    np.testing.assert_allclose(found["eps_g"], 0.5 * square, atol=1e-9)


def test_what_has_no_theory_says_so():
    with pytest.raises(tsphys.ModelError, match="clairvoyant"):
        tsphys.solve(OnlineAttack(strategy="clairvoyant"), t=[1])
    for function in (steady_state, small_lr):
        with pytest.raises(tsphys.ModelError, match="one linear unit"):
            function(OnlineAttack(activation="erf"))
    with pytest.raises(tsphys.DivergedError):
        tsphys.solve(OnlineAttack(strategy="constant", lr=2.5), t=[100], start=tsphys.OrderParameters(
            R=[[0.3, -0.3]], Q=[[0.8]], T=[[1, -1], [-1, 1]]))  # fmt: skip


def test_averages_of_the_rule_are_the_closed_equations():
    """Minibatches of three: Sobol points in nine fields, whose scatter tells their error."""
    from tsphys.odes import learning_rule

    model, t = OnlineAttack(minibatch=3, lr=1.0), [0, 1, 4]
    by_rule, closed = learning_rule.solve(model, t=t, rtol=1e-6, points=2**14), tsphys.solve(model, t=t)
    estimate = by_rule.meta["quadrature_error"]
    for name in ("R", "Q", "v"):
        difference = np.abs(by_rule[name] - closed[name]).max()
        assert 0 < difference < 5 * estimate[name] < 0.02


@pytest.mark.parametrize(
    ("C", "rho", "R", "Q", "action", "distance"),
    [
        (1, 1, -0.08307, 0.01377, 0.2672, 0.5588),
        (3, 1, 0.71299, 0.50875, 0.0638, 0.1017),
        (1, 2, -0.25780, 0.07165, None, 0.6716),
    ],
)
def test_steady_states_of_an_erf_student(C, rho, R, Q, action, distance):
    start = tsphys.OrderParameters(R=[[R, -R]], Q=[[Q]], T=[[1, -1], [-1, 1]])
    model = OnlineAttack(activation="erf", cost=C, rho=rho)
    found = tsphys.solve(model, start=start, t=[10, 20], points=2**14)
    # Half of the last digits given, and the quadrature's own error of 1e-5.
    assert found["R"][1, 0, 0] == pytest.approx(R, abs=3e-5)
    assert found["Q"][1, 0, 0] == pytest.approx(Q, abs=3e-5)
    assert found["distance"][1] == pytest.approx(distance, abs=1e-4)
    if action is not None:
        assert np.diff(found["v"][:, 1])[0] / 10 == pytest.approx(action, abs=1e-4)


@pytest.mark.slow
def test_a_constant_attack_on_erf_units_is_a_teacher_of_twice_as_many():
    """Teacher and target together are a teacher with readouts 1 − a and a, whose equations are closed."""
    a, chi, lr = 0.3, -0.5, 0.6
    model = OnlineAttack(activation="erf", strategy="constant", action=a, overlap=chi, lr=lr)
    two = tsphys.TwoLayer(
        K=1, M=2, lr=lr, teacher="given", T=[[1, chi], [chi, 1]], v_star=[1 - a, a]
    )  # fmt: skip
    start = tsphys.OrderParameters(R=[[1, chi]], Q=[[1]], T=[[1, chi], [chi, 1]])
    t = [0, 1, 5, 20]
    found, closed = tsphys.solve(model, t=t, points=2**13), tsphys.solve(two, start=start, t=t)
    for name in ("R", "Q"):
        np.testing.assert_allclose(found[name], closed[name], atol=1e-5)


def test_what_is_known_by_hand():
    passes("online_attack", "optimal control")
