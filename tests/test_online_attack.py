"""Attacks on online learners: the rule against search, simulation on theory, engines against each other."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import special

import tsphys
from tests.naive import attack as naive
from tests.test_engine_law import p_values, sample
from tests.wide import each
from tsphys import OnlineAttack
from tsphys.models.online_attack import STRATEGIES
from tsphys.physics.committee.gaussian import generalisation_error
from tsphys.physics.order_parameters import microscopic
from tsphys.rules import online_attack as rules
from tsphys.sims.engines.online import direct, exact
from tsphys.sims.online_attack import on_inputs

FREE = {"a_min": None, "a_max": None}
MODELS = {
    "greedy": OnlineAttack(**FREE),
    "greedy, clipped, batch": OnlineAttack(minibatch=5, lr=1.0, rho=0.7, a_min=0, a_max=1),
    "greedy, part of a batch, oblique target": OnlineAttack(minibatch=4, poisoned=2, lr=1.0, overlap=-0.4),
    "an action for each example": OnlineAttack(minibatch=4, poisoned=3, lr=1.0, control="example", overlap=0.3),
    "optimal": OnlineAttack(minibatch=3, lr=1.0, strategy="optimal", discount=0.3),
    "constant": OnlineAttack(minibatch=3, lr=0.5, cost=0.5, strategy="constant", overlap=0.2),
    "constant, part of a batch": OnlineAttack(minibatch=3, poisoned=2, lr=0.5, strategy="constant", action=0.8),
}
#: A student that is neither teacher nor target, with a part outside of both.
START = {c: tsphys.OrderParameters(R=[[0.5, 0.2]], Q=[[1.4]], T=[[1, c], [c, 1]]) for c in (-0.4, 0.3, 0.2)}
START[-1.0] = tsphys.OrderParameters(R=[[0.3, -0.3]], Q=[[0.8]], T=[[1, -1], [-1, 1]])


@pytest.mark.parametrize("name", each(MODELS, fast=[name for name in MODELS if name != "constant, part of a batch"]))
def test_simulation_lies_on_theory(name):
    model, t = MODELS[name], np.linspace(0, 8, 9)
    start = START[model.overlap]
    sim = tsphys.simulate(model, N=1000, start=start, t=t, replicas=24)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=start, t=t))
    assert sim.meta["engine"] == "exact"
    assert comparison.ok, comparison


@pytest.mark.parametrize("inputs", ["gaussian", pytest.param("binary", marks=pytest.mark.slow)])
def test_weights_lie_on_theory(inputs):
    model, t = OnlineAttack(minibatch=2, lr=0.6, inputs=inputs), np.linspace(0, 10, 6)
    sim = tsphys.simulate(model, N=400, t=t, replicas=16, engine="direct")
    comparison = tsphys.compare(sim, tsphys.solve(model, t=t))
    assert comparison.ok, comparison


ERF = {
    "minibatch": OnlineAttack(activation="erf", minibatch=3, lr=1.0, cost=0.5, overlap=-0.4),
    "two layers": OnlineAttack(K=2, activation="erf", lr=0.5, cost=0.5, overlap=0.2),
}


@pytest.mark.parametrize("name", ["minibatch", pytest.param("two layers", marks=pytest.mark.slow)])
def test_erf_students_lie_on_averages_of_the_rule(name):
    model, t = ERF[name], np.linspace(0, 6, 4)
    sim = tsphys.simulate(model, N=1000, t=t, replicas=16)
    theory = tsphys.solve(model, t=t, points=2**13)
    comparison = tsphys.compare(sim, theory)
    # What the quadrature is wrong by must not matter beside the errors of the simulation.
    for observable, error in theory.meta["quadrature_error"].items():
        assert error < comparison.error[observable][1:].max()
    assert comparison.ok, comparison


def test_the_comparison_sees_a_price_that_is_five_per_cent_off():
    t = np.linspace(0, 12, 7)
    sim = tsphys.simulate(OnlineAttack(**FREE), N=1000, t=t, replicas=32)
    assert not tsphys.compare(sim, tsphys.solve(OnlineAttack(cost=1.05, **FREE), t=t)).ok


def rule_action(model, W, teacher, target, X):
    """Mean action of the rule on a minibatch, and the weights after the step."""
    b, N = X.shape
    rule = model.learning_rule()
    lam, nu = X @ W.T / np.sqrt(N), X @ np.vstack([teacher, target]).T / np.sqrt(N)
    B = np.vstack([teacher, target])
    known = (W @ B.T / N, W @ W.T / N) if rule.uses_overlaps else ()
    c, dv = np.zeros(lam.shape), np.zeros((b, len(rule.v)))
    arrays = [np.ascontiguousarray(a) for a in (lam, nu, rule.v, rule.v_star, np.zeros((b, 0)), X @ X.T / N)]
    rule.function(*arrays, *known, rule.seen_params(), c, dv)
    return dv.mean(axis=0)[model.K], W + c.T @ X / (b * np.sqrt(N))


@pytest.mark.parametrize(
    ("model", "tolerance"),
    [
        # Quadratic in the weights, so exact at any N; the search finds a minimum to the root of rounding.
        (OnlineAttack(minibatch=4, lr=1.0, cost=0.7, rho=0.6, overlap=-0.3, a_min=-50, a_max=50), 1e-6),
        (OnlineAttack(minibatch=5, poisoned=3, lr=2.0, cost=0.2, a_min=-0.1, a_max=0.4), 1e-6),
        # The rule keeps the leading order in 1/N.
        (OnlineAttack(activation="erf", minibatch=3, lr=0.8, cost=0.5), 20 / 3000),
        (OnlineAttack(K=2, activation="erf", minibatch=2, lr=0.8, cost=0.5, overlap=0.4), 20 / 3000),
    ],
)  # fmt: skip
def test_the_greedy_action_is_what_a_search_finds(model, tolerance):
    N, rng = (10 if model.activation == "linear" else 3000), np.random.default_rng(3)
    for _ in range(6):
        T = model.teacher_overlaps()
        start = model.start(N, rng)
        W, B = microscopic(dataclasses.replace(start, R=0.6 * start.R, Q=0.8 * start.Q), N, rng)
        teacher, target = B[: model.K], B[model.K :]
        X = rng.standard_normal((model.minibatch, N))
        a, after = rule_action(model, W, teacher, target, X)
        omega = naive.mean_square(model.activation, teacher, target)
        assert omega == pytest.approx(model.distance(), rel=1e-12)
        assert a == pytest.approx(naive.best_action(model, W, teacher, target, X, omega), abs=tolerance)
        under = a * (np.arange(model.minibatch) < model.examples)
        np.testing.assert_allclose(after, naive.learned(model, W, teacher, target, X, under), rtol=1e-12, atol=1e-13)
        assert T.shape == (2 * model.K, 2 * model.K)


@pytest.mark.parametrize("activation", ["linear", "erf"])
def test_slopes_are_derivatives_of_the_error(activation):
    rng = np.random.default_rng(0)
    K, h = 3, 1e-6
    A = rng.standard_normal((K, 2 * K)) * 0.5
    Q, R = A @ A.T, 0.6 * A[:, :K]
    D, E = np.empty((K, K)), np.empty((K, K))
    rules.slopes(0 if activation == "erf" else 2, R, Q, D, E)

    def error(R, Q):
        return generalisation_error(activation, activation, R, Q, np.eye(K), np.ones(K), np.ones(K))

    for k in range(K):
        for l in range(K):
            step = np.zeros((K, K))
            step[k, l] = h
            # Central differences are wrong by h² and by rounding over h.
            assert E[k, l] == pytest.approx((error(R + step, Q) - error(R - step, Q)) / (2 * h), abs=1e-8)
            step = 0.5 * (step + step.T)
            assert D[k, l] == pytest.approx((error(R, Q + step) - error(R, Q - step)) / (2 * h), abs=1e-8)


@pytest.mark.parametrize(("strategy", "a"), [("none", 0.0), ("constant", 0.3)])
def test_a_constant_attack_is_plain_sgd_on_a_larger_teacher(strategy, a):
    """Teacher and target together are a teacher with readouts 1 − a and a; the cost is that of its formula."""
    from tsphys.rules import two_layer

    rng, T = np.random.default_rng(1), np.ones(2)
    for activation in ("linear", "erf"):
        model = OnlineAttack(K=2, activation=activation, strategy=strategy, action=0.3, cost=0.7, overlap=0.2)
        attack, v_star = model.learning_rule(), np.repeat([1 - a, a], 2)
        plain = tsphys.TwoLayer(K=2, M=4, activation=activation, lr=0.2).learning_rule()
        g = {"linear": float, "erf": lambda x: math.erf(x / math.sqrt(2))}[activation]
        for _ in range(20):
            lam, nu = rng.standard_normal(2), rng.standard_normal(4)
            c, d, dv = np.zeros(2), np.zeros(2), np.zeros(5)
            attack.function(lam, nu, np.ones(5), T, np.zeros(0), attack.seen_params(), c, dv)
            two_layer.rule(lam, nu, T, v_star, np.zeros(1), plain.seen_params(), d, np.zeros(2))
            np.testing.assert_allclose(c, d, rtol=1e-12, atol=1e-14)
            miss = sum(g(x) for x in lam) - sum(g(x) for x in nu[2:])
            paid = 0.5 * 0.7 * model.distance() * a * a + 0.5 * miss**2
            np.testing.assert_allclose(dv, [0, 0, a, a * a, paid], rtol=1e-12)


def test_without_an_attack_a_student_that_is_the_teacher_stays_it():
    for engine in ("direct", "exact"):
        still = tsphys.simulate(OnlineAttack(strategy="none"), N=20, t=[0, 5], engine=engine)
        np.testing.assert_allclose(still["R"][0, :, 0], [[1, -1], [1, -1]], atol=1e-9)


def test_a_constant_attack_is_learned_exactly():
    """At any size: its labels are those of a linear network, without noise."""
    model = OnlineAttack(strategy="constant", cost=0.6, lr=0.5, minibatch=2)
    sim = tsphys.simulate(model, N=10, t=[0, 200], replicas=3)
    p = 0.5 * (1 - sim["R"][:, 1, 0, 0])
    a = 1 / 1.6
    np.testing.assert_allclose(p, a, atol=1e-12)
    np.testing.assert_allclose(sim["Q"][:, 1, 0, 0], (1 - 2 * a) ** 2, atol=1e-12)
    np.testing.assert_allclose(sim["action"][:, 1], a, rtol=1e-12)


@pytest.mark.parametrize("activation", ["linear", "erf"])
def test_what_is_measured_is_what_sampling_finds(activation):
    """At a state that teacher and target are not symmetric in; at t = 4 with the integrals 2, 1.2 and 8."""
    model, n = OnlineAttack(activation=activation, overlap=-0.4), 400_000
    R, Q, T = np.array([[0.5, 0.2]]), np.array([[0.9]]), np.array([[1, -0.4], [-0.4, 1]])
    root = np.linalg.cholesky(np.block([[Q, R], [R.T, T]]))
    lam, nu, target = root @ np.random.default_rng(0).standard_normal((3, n))
    student, teacher, target = (special.erf(x / np.sqrt(2)) if activation == "erf" else x for x in (lam, nu, target))
    found = model.measured(4.0, R, Q, np.array([1.0, 2.0, 1.2, 8.0]))
    for value, draws in (
        (model.eps_g(R, Q, T, None, None), 0.5 * (student - teacher) ** 2),
        (found["eps_target"], 0.5 * (student - target) ** 2),
        (found["distance"] ** 2 * model.distance(), (student - teacher) ** 2),
        (model.distance(), (target - teacher) ** 2),
        (found["accuracy"], student * teacher > 0),
    ):
        assert abs(draws.mean() - value) < 4.5 * draws.std() / np.sqrt(n)
    assert [found[name] for name in ("action", "action_square", "cost")] == [0.5, 0.3, 2.0]


@pytest.mark.parametrize("name", ["greedy, part of a batch, oblique target", "an action for each example"])
def test_direct_and_exact_have_one_law(name):
    model = MODELS[name]
    start = START[model.overlap]
    a, b = (sample(engine, model, 12, (0.5, 2.0), 700, start=start) for engine in (direct, exact))
    p = p_values(a, b)
    # Bonferroni: a true pair fails with probability 1e-3.
    assert p.min() * p.size > 1e-3


def test_a_run_is_taken_up_again():
    model, t = OnlineAttack(minibatch=2), [0.5, 1.0]
    whole = tsphys.simulate(model, N=30, t=t, replicas=4)
    part = tsphys.simulate(model, N=30, t=t, replicas=2)
    again = tsphys.simulate(model, N=30, t=t, replicas=4, resume=part)
    for name in whole.observables:
        np.testing.assert_array_equal(again[name], whole[name])


BAD = {
    "cost": {"cost": 0},
    "lr": {"lr": -1},
    "strategy": {"strategy": "kind"},
    "poisoned": {"minibatch": 2, "poisoned": 3},
    "a_min": {"a_min": 1.0, "a_max": 0.5},
    "action": {"strategy": "constant", "action": 5.0},
    "overlap": {"overlap": 1.0},
    "rho": {"rho": 0},
    "discount": {"discount": -0.1},
    "control": {"control": "none"},
    "activation": {"activation": "relu"},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_raise_one_clear_line(name):
    with pytest.raises(tsphys.ModelError) as caught:
        OnlineAttack(**BAD[name])
    assert caught.value.name == name
    assert "\n" not in str(caught.value)


def test_strategies_that_need_a_linear_student_say_so():
    for strategy in ("optimal", "clairvoyant"):
        with pytest.raises(tsphys.ModelError, match="needs activation"):
            OnlineAttack(strategy=strategy, activation="erf")
    with pytest.raises(tsphys.ModelError, match="must be given"):
        OnlineAttack(activation="erf", **FREE)
    with pytest.raises(tsphys.ModelError, match="must be exact or direct"):
        tsphys.simulate(OnlineAttack(), N=10, t=[1], engine="cuda")
    with pytest.raises(tsphys.ModelError, match="the teacher that this rule is for"):
        tsphys.simulate(OnlineAttack(), N=10, t=[1], start=START[0.3])
    assert set(STRATEGIES) == {"none", "constant", "greedy", "optimal", "clairvoyant"}


def test_the_command_line_runs_it(capsys, tmp_path, monkeypatch):
    from tsphys.cli import main

    monkeypatch.chdir(tmp_path)
    for verb, options in (("simulate", ["-N", "20", "-r", "2"]), ("solve", []), ("compare", ["-N", "400", "-r", "8"])):
        with pytest.raises(SystemExit) as done:
            main([verb, "online_attack", "-C", "0.5", "-t", "0:4:5:lin", *options, "-o", verb])
        assert done.value.code == 0
    with pytest.raises(SystemExit) as done:
        main(["solve", "online_attack", "--strategy", "clairvoyant"])
    assert done.value.code == 2
    assert "clairvoyant" in capsys.readouterr().err


def test_given_inputs_are_learned_as_the_reference_does():
    """Two steps on an input that is given, from the weights of the teacher."""
    rng = np.random.default_rng(2)
    X, teacher = rng.standard_normal((1, 8)), rng.standard_normal(8)
    model = OnlineAttack(cost=0.3, lr=0.4)
    W = on_inputs(model, X, teacher, t=[0, 1 / 8, 2 / 8])[0]
    target = -W[:1]
    np.testing.assert_allclose(W[0], teacher * np.sqrt(8 / (teacher @ teacher)), rtol=1e-14)
    now = W[:1].copy()
    for step in (1, 2):
        a = naive.best_action(model, now, W[:1], target, X, model.distance())
        now = naive.learned(model, now, W[:1], target, X, a)
        # The search finds a to the root of rounding.
        np.testing.assert_allclose(W[step : step + 1], now, atol=1e-6)


def test_inputs_of_constant_strength_leave_nothing_to_exploit():
    """κ² is the same for all inputs: m = 1 in p = 1/(1 + C/m), where Gaussian inputs have 3."""
    N, C = 20, 0.7
    X = np.random.default_rng(0).choice([-1.0, 1.0], (4000, N))
    W = on_inputs(OnlineAttack(cost=C, lr=0.02), X, np.eye(N)[0], t=np.linspace(300, 400, 21), replicas=4)
    p = 0.5 * (1 - W[..., 0] / np.sqrt(N))
    # The correction is of order η, and the scatter of a run √η.
    assert p.mean() == pytest.approx(1 / (1 + C), abs=0.02)


@pytest.mark.parametrize(
    ("change", "name"), [({"teacher": np.ones(3)}, "teacher"), ({"inputs": np.ones(4)}, "inputs"), ({}, "model")]
)
def test_bad_inputs_say_so(change, name):
    model = OnlineAttack(overlap=0.0) if name == "model" else OnlineAttack()
    with pytest.raises(tsphys.ModelError) as caught:
        on_inputs(model, **{"inputs": np.ones((2, 4)), "teacher": np.ones(4), "t": [1.0], **change})
    assert caught.value.name == name
