"""A perceptron under attack: published numbers, limits, the collapse of training, and runs on theory."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import AdversarialPerceptron
from tsphys.physics.inference.attacks import adversarial_error, boundary_error, perfect_error
from tsphys.replica.adversarial_perceptron import collapse, floor, learned, minimiser
from tsphys.sims.adversarial_perceptron import hardened, shifted


def errors(attacks, **more):
    return tsphys.solve(AdversarialPerceptron(**more), attack=attacks)["adversarial"]


@pytest.mark.parametrize("rho, attack, fixed, moving", [
    (0.3, 0.2, 0.4842546, 0.5522990), (0.8, 0.05, 0.2253016, 0.2444453), (0.8, 0.2, 0.2924471, 0.3591517),
    (0.99, 0.05, 0.0677545, 0.0848746), (0.99, 1, 0.6826895, 0.7099930),
])  # fmt: skip
def test_published_errors(rho, attack, fixed, moving):
    assert adversarial_error(math.acos(rho), attack) == pytest.approx(fixed, abs=6e-8)
    assert boundary_error(math.acos(rho), attack) == pytest.approx(moving, abs=1.2e-7)


def test_errors_at_their_ends():
    for angle in (1e-8, 0.3, 1.5, 3.0):
        assert adversarial_error(angle, 0.0) == pytest.approx(angle / math.pi, abs=1e-15)
        assert boundary_error(angle, 0.0) == pytest.approx(angle / math.pi, abs=1e-15)
        assert boundary_error(angle, 0.7) >= adversarial_error(angle, 0.7)
        # ε/√(2π) to first order where ε is less than the angle's sine.
        slope = (adversarial_error(angle, 1e-4 * angle) - angle / math.pi) / (1e-4 * angle)
        assert slope == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-3)
    assert adversarial_error(0.0, 0.6) == pytest.approx(perfect_error(0.6), rel=1e-14)


@pytest.mark.parametrize("model, early, late", [
    ({"learner": "hebb"}, (0.334788, 0.375522, 0.547476), (0.088961, 0.134265, 0.386062)),
    ({"learner": "rosenblatt"}, (0.381465, 0.421913, 0.587492), (0.099197, 0.143914, 0.388407)),
    ({"learner": "adatron"}, (0.407994, 0.448294, 0.610559), (0.069925, 0.116747, 0.383585)),
    ({"training": 0.3}, (0.355857, 0.396458, 0.565431), (0.134517, 0.177860, 0.401686)),
    ({"training": 1.0}, (0.315069, 0.355939, 0.530875), (0.273296, 0.314494, 0.496569)),
])  # fmt: skip
def test_published_online_rules(model, early, late):
    for t, expected in ((1.0, early), (20.0, late)):
        np.testing.assert_allclose(errors([0, 0.1, 0.5], alpha=t, **model), expected, atol=6e-7)


@pytest.mark.parametrize("training, rho, q, eps_g", [
    (0.1, 0.992998, 25.15126, 0.037691), (0.3, 0.942395, 2.917001, 0.108568), (0.5, 0.862430, 1.119922, 0.168941),
    (1, 0.653508, 0.319476, 0.273296), (1.5, 0.497725, 0.146630, 0.334169),
])  # fmt: skip
def test_published_floors(training, rho, q, eps_g):
    found = floor(training)
    assert (found[0], found[1] ** 2) == (pytest.approx(rho, abs=6e-7), pytest.approx(q, rel=3e-6))
    assert math.acos(found[0]) / math.pi == pytest.approx(eps_g, abs=6e-7)
    # Where the rule ends, at any rate.
    for lr in (0.3, 1e3):
        end = tsphys.solve(AdversarialPerceptron(training=training, alpha=1e4, lr=lr))["overlap"][0]
        assert end == pytest.approx(rho, abs=1e-5)


@pytest.mark.parametrize("model, expected", [
    ({"learner": "bayes", "alpha": 2}, (0.174534, 0.216956, 0.314931)),
    ({"learner": "bayes", "alpha": 5}, (0.083935, 0.129577, 0.249015)),
    ({"learner": "max_margin", "alpha": 2}, (0.188478, 0.230662, 0.326877)),
    ({"learner": "max_margin", "alpha": 5}, (0.093827, 0.138837, 0.254479)),
])  # fmt: skip
def test_published_statics(model, expected):
    np.testing.assert_allclose(errors([0, 0.1, 0.3], **model), expected, atol=1.5e-6)


@pytest.mark.parametrize("alpha, overlap, error", [(2, 0.831011, 0.326258), (5, 0.936666, 0.267392)])
def test_published_ridge(alpha, overlap, error):
    found = tsphys.solve(AdversarialPerceptron(learner="ridge", alpha=alpha, regularization=1), attack=[0.3])
    assert found["overlap"][0] == pytest.approx(overlap, abs=6e-7)
    assert found["adversarial"][0] == pytest.approx(error, abs=6e-7)


@pytest.mark.parametrize("alpha, lam, training, m, q, ridge, trained", [
    (2, 0.1, 0, 1.720313, 4.145804, 0.1, (0.0070, 0.0167, 0.0674, 0.2588)),
    (2, 0.1, 0.5, 1.306309, 2.483771, 0.313044, (0.0248, 0.0419, 0.0947, 0.2448)),
    (5, 0.01, 0.3, 4.882742, 25.99605, 0.068757, (0.0138, 0.0329, 0.1355, 0.4038)),
])  # fmt: skip
def test_published_adversarial_logistic_regression(alpha, lam, training, m, q, ridge, trained):
    model = AdversarialPerceptron(learner="logistic", alpha=alpha, regularization=lam, training=training)
    found = minimiser("logistic", model)
    assert found.m == pytest.approx(m, rel=1e-6)
    assert found.rest + found.m**2 == pytest.approx(q, rel=1e-6)
    assert found.ridge == pytest.approx(ridge, abs=1e-6)
    # Sixteen runs of 800 examples and more, errors 7e-4 … 4.3e-3; |z| < 3.
    told = [learned(replace(model, attack=attack))[1] for attack in (0, 0.1, 0.3, 0.6)]
    assert (np.abs(np.array(told) - trained) < 3 * np.array([0.0008, 0.0017, 0.0026, 0.0043])).all()


@pytest.mark.parametrize("training, q, overlap", [
    (1.0, 0.0476276, None), (1.04, 0.0066578, None), (1.06, 0.0003465, 0.75021),
])  # fmt: skip
def test_published_collapse(training, q, overlap):
    model = AdversarialPerceptron(learner="logistic", regularization=0.01, training=training)
    found = minimiser("logistic", model)
    assert found.rest + found.m**2 == pytest.approx(q, rel=1e-4)
    if overlap:
        assert math.cos(learned(model)[0]) == pytest.approx(overlap, abs=6e-6)


def test_collapse():
    """From ε_c on nothing is learned, of finite data as well; just below, the student is Hebb's."""
    for alpha in (0.01, 2.0, 1e3):
        end = collapse(alpha)
        model = AdversarialPerceptron(learner="logistic", alpha=alpha)
        nearly = math.cos(learned(replace(model, training=(1 - 1e-6) * end))[0])
        assert nearly == pytest.approx(math.sqrt(2 / math.pi) / end, abs=1e-4)
    # There every student guesses, attacked or not.
    along = {"training": [1.5]}
    theory = tsphys.solve(replace(model, alpha=2.0), **along)
    sim = tsphys.simulate(replace(model, alpha=2.0), N=50, replicas=2, **along)
    for name in sim.observables:
        value = 0.0 if name == "overlap" else 0.5
        assert (sim[name] == value).all()
        assert theory[name][0] == value


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 100.0, 1e4])
def test_all_loads_and_regularizations_are_solved(alpha):
    for lam in (1e-4, 1.0, 1e4):
        model = AdversarialPerceptron(learner="logistic", alpha=alpha, regularization=lam)
        for share in (0.01, 0.5, 0.99):
            found = minimiser("logistic", replace(model, training=share * collapse(alpha)))
            assert found.ridge >= lam


def test_largest_margin_on_its_own_examples():
    """None is taken by an attack below the margin 0.454578; at it all support vectors are."""
    sim = tsphys.solve(AdversarialPerceptron(learner="max_margin"), attack=[0.45, 0.4546, 0.6, 1])
    np.testing.assert_allclose(sim["train_adversarial"], [0, 0.40856, 0.48753, 0.69014], atol=2e-5)


def test_minimum_by_another_method():
    """L-BFGS on the risk itself, from the same side of the kink at w = 0."""
    rng = np.random.default_rng(0)
    X, teacher = rng.standard_normal((60, 20)) / math.sqrt(20), rng.standard_normal(20)
    y = np.sign(X @ teacher)
    w = hardened("logistic", X, y, 0.1, 0.4)

    def risk(w):
        z = y * (X @ w) - 0.4 * np.linalg.norm(w) / math.sqrt(20)
        return np.logaddexp(0, -z).sum() + 0.05 * w @ w

    found = minimize(risk, y @ X, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-7, "maxfun": 10**5})
    np.testing.assert_allclose(w, found.x, atol=1e-3)
    assert risk(w) <= found.fun + 1e-10


@pytest.mark.parametrize("model", [
    {"training": 0.5, "alpha": 3.0}, {"learner": "adatron", "alpha": 3.0}, {"learner": "bayes"}, {"learner": "ridge"},
    {"learner": "logistic", "training": 0.4},
], ids=str)  # fmt: skip
def test_simulation_on_theory(model):
    here = AdversarialPerceptron(**model)
    sim = tsphys.simulate(here, attack=[0.1, 0.6], N=120, n_test=1000, replicas=12, seed=1)
    found = tsphys.compare(sim, tsphys.solve(here, attack=[0.1, 0.6]))
    assert found.max_abs_z < found.threshold, found


def test_refusals():
    for learner in ("adatron", "bayes", "max_margin"):
        refuses(lambda learner=learner: AdversarialPerceptron(learner=learner, training=0.1), "training")
    refuses(lambda: AdversarialPerceptron(attack=-0.1), "attack")
    refuses(lambda: floor(0.0), "training")
    for alpha in (0, -3.0, [1.0, 2.0]):
        refuses(lambda alpha=alpha: collapse(alpha), "alpha")
    refuses(lambda: tsphys.simulate(AdversarialPerceptron(alpha=1e-3), N=20), "alpha")


def test_what_is_known_by_hand():
    passes("adversarial_perceptron", "by hand", "rates of the rules", "over the student")


@pytest.mark.parametrize("alpha, lam, training, m, q, overlap, ridge", [
    (3, 0.1, 0, 2.025051, 5.011106, 0.904626, 0.1), (3, 0.1, 0.2, 2.091808, 5.456450, 0.895502, 0.189348),
    (2, 0.2, 0.6, 1.033325, 1.705357, 0.791278, 0.876387),
])  # fmt: skip
def test_published_adversarial_hinge(alpha, lam, training, m, q, overlap, ridge):
    model = AdversarialPerceptron(learner="hinge", alpha=alpha, regularization=lam, training=training)
    found = minimiser("hinge", model)
    assert (found.m, found.rest + found.m**2) == (pytest.approx(m, abs=6e-7), pytest.approx(q, abs=6e-7))
    assert found.ridge == pytest.approx(ridge, abs=6e-7)
    assert math.cos(learned(model)[0]) == pytest.approx(overlap, abs=6e-7)


def test_published_shifted_square():
    model = AdversarialPerceptron(learner="ridge", alpha=2, regularization=0.3, training=0.5)
    found = minimiser("square", model)
    told = found.m, found.rest + found.m**2, math.cos(learned(model)[0]), found.ridge
    assert told == pytest.approx((0.594838, 0.515135, 0.828778, 1.194051), abs=6e-7)
    # Only rescaled: the angle is that of the ridge λ_eff.
    plain = minimiser("square", replace(model, training=0.0, regularization=found.ridge))
    assert math.sqrt(found.rest) / found.m == pytest.approx(math.sqrt(plain.rest) / plain.m, rel=1e-9)


def test_published_attacks_on_coordinates():
    """e = 0.02 at N = 400 is ε = 0.4."""
    for given, error in (
        ({"training": 0.0}, 0.32931), ({"training": 0.5}, 0.33717),
        ({"alpha": 5, "regularization": 0.01, "training": 0.3}, 0.26633),
    ):  # fmt: skip
        found = errors([0.4], learner="logistic", norm="linf", **given)
        assert found[0] == pytest.approx(error, abs=6e-6)


@pytest.mark.parametrize("learner, name", [("ridge", "square"), ("hinge", "hinge")])
def test_all_loads_have_an_attacked_minimum(learner, name):
    for alpha, lam in ((1e-2, 1.0), (2.0, 1e-4), (100.0, 1e4), (1e4, 1e-4)):
        for share in (0.01, 0.5, 0.99):
            model = AdversarialPerceptron(learner=learner, alpha=alpha, regularization=lam)
            found = minimiser(name, replace(model, training=share * collapse(alpha)))
            assert found.ridge >= lam


@pytest.mark.parametrize("name", ["square", "hinge"])
def test_shifted_minima(name):
    """Stationary in every direction, of which differences of the risk are left with rounding; the hinge's is least."""
    rng = np.random.default_rng(1)
    X, teacher = rng.standard_normal((60, 20)) / math.sqrt(20), rng.standard_normal(20)
    y = np.sign(X @ teacher)
    eps = 0.4
    w = shifted(name, X, y, 0.1, eps)

    def risk(w):
        off = 1 - y * (X @ w) + eps * np.linalg.norm(w) / math.sqrt(20)
        return (0.5 * off**2 if name == "square" else np.maximum(off, 0)).sum() + 0.05 * w @ w

    steps = rng.standard_normal((30, 20))
    if name == "square":
        slopes = [(risk(w + 1e-5 * d) - risk(w - 1e-5 * d)) / 2e-5 for d in steps]
        assert np.abs(slopes).max() < 1e-6
    else:
        assert min(risk(w + size * d) for d in steps for size in (1e-6, 1e-4, 1e-2, 1.0)) > risk(w)
    # From ε_c of these examples on there is no student.
    end = math.sqrt(20) * np.linalg.norm(y @ X) / 60
    assert not shifted(name, X, y, 0.1, 1.001 * end).any()
    assert shifted(name, X, y, 0.1, 0.99 * end).any()


@pytest.mark.parametrize("model", [
    {"learner": "hinge", "training": 0.3}, {"learner": "ridge", "training": 0.5, "regularization": 0.3},
    {"norm": "linf", "training": 0.3, "alpha": 4.0}, {"norm": "linf", "learner": "max_margin"},
], ids=str)  # fmt: skip
def test_more_simulation_on_theory(model):
    here = AdversarialPerceptron(**model)
    sim = tsphys.simulate(here, attack=[0.1, 0.6], N=100, n_test=500, replicas=16, seed=2)
    found = tsphys.compare(sim, tsphys.solve(here, attack=[0.1, 0.6]))
    assert found.max_abs_z < found.threshold, found
