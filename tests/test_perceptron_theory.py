"""Sign perceptron: closed forms against quadrature of the rule, published numbers, limits, and the simulation."""

import math

import numpy as np
import pytest
from scipy import integrate

import tsphys
from tests.wide import each
from tsphys.models.perceptron import RULES
from tsphys.odes import learning_rule, perceptron
from tsphys.rules import perceptron as rules

T_AXIS = [0.0, 0.5, 1.0, 4.0, 10.0]


def start(rho, q=1.0, t=1.0):
    return tsphys.OrderParameters(R=[[rho * math.sqrt(q * t)]], Q=[[q]], T=[[t]])


def state(rho, q=1.3):
    """The variables (a, d) of the equations."""
    return rho * math.sqrt(q), (1 - rho * rho) * q


@pytest.mark.parametrize(
    ("rule", "at_1", "at_10"),
    [("hebb", 0.334788, 0.125256), ("rosenblatt", 0.381465, 0.125098), ("adatron", 0.407994, 0.128686)],
)
def test_reference_numbers(rule, at_1, at_10):
    """Values of an independent integration in (R, Q), given to six decimals."""
    theory = tsphys.solve(tsphys.Perceptron(rule=rule), start=start(0.01), t=[1, 10])
    assert np.abs(theory["eps_g"] - [at_1, at_10]).max() < 6e-7


@pytest.mark.parametrize(
    ("rule", "lr", "minibatch"),
    [
        ("hebb", 1, 1),
        ("hebb", 0.3, 4),
        ("rosenblatt", 1, 1),
        ("rosenblatt", 0.4, 3),
        ("adatron", 1, 1),
        ("adatron", 1.5, 1),
        ("adatron", 2.5, 2),
        ("optimal", 1, 1),
        pytest.param("optimal", 1, 3, marks=pytest.mark.wide),
    ],
)
def test_closed_form_equals_quadrature_of_the_rule(rule, lr, minibatch):
    model = tsphys.Perceptron(rule=rule, lr=lr, minibatch=minibatch)
    # The norm of the teacher is nothing to a sign; only the optimal rule takes it as known.
    begin = start(0.2, 1.3, 1.0 if rule == "optimal" else 1.7)
    closed = perceptron.solve(model, start=begin, t=T_AXIS)
    generic = learning_rule.solve(model, start=begin, t=T_AXIS, rtol=1e-10, atol=1e-12)
    assert generic.meta["quadrature"]["kind"] == "polar"
    for name in ("eps_g", "R", "Q"):
        scale = np.abs(closed[name]).max()
        # A solution is off by up to a hundred times its local tolerance of 1e-10; eps_g is a root of the overlaps.
        allowed = 2e-8 * scale + generic.meta["quadrature_error"][name]
        assert np.abs(closed[name] - generic[name]).max() <= allowed, name


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rho", [-0.4, 0.3, 0.97])
def test_drift_against_the_rule_on_drawn_examples(rule, rho):
    """Monte Carlo of the rule itself: three averages, each within 4.5 standard errors."""
    q, b, lr, n = 1.3, 2, 0.7, 20000
    rng = np.random.default_rng([RULES.index(rule), int(100 * rho + 100)])
    nu = rng.standard_normal(n)
    lam = math.sqrt(q) * (rho * nu + math.sqrt(1 - rho**2) * rng.standard_normal(n))
    p, none = rules.Params(RULES.index(rule), lr), np.empty(0)
    known = (np.array([[rho * math.sqrt(q)]]), np.array([[q]])) if rule == "optimal" else ()
    step = rules.optimal_rule if rule == "optimal" else rules.rule
    c = np.empty((n, 1))
    for i in range(n):
        step(lam[i : i + 1], nu[i : i + 1], none, none, none, *known, p, c[i], none)
    c = c[:, 0]
    da, dd = perceptron.drift(rule, lr, b, *state(rho, q))
    for sample, exact in ((c * nu, da), (2 * c * lam + c * c / b - 2 * rho * math.sqrt(q) * c * nu, dd)):
        assert abs(sample.mean() - exact) < 4.5 * sample.std() / math.sqrt(n)


@pytest.mark.parametrize("rho", [0.0, 0.2, 0.7, 0.99])
def test_information_is_the_variance_of_the_posterior_mean(rho):
    """F from its definition, the label's posterior of ν − ρh taken by quadrature of the density of ν given h."""
    s = math.sqrt(1 - rho * rho)

    def conditional(h):
        total = 0.0
        # The label cuts the law of u = ν − ρh at −ρh.
        for low, high in ((max(-rho * h, -12 * s), 12 * s), (-12 * s, min(-rho * h, 12 * s))):
            mass, first = (
                integrate.quad(lambda u, k=k: u**k * math.exp(-0.5 * (u / s) ** 2), low, high)[0] for k in (0, 1)
            )
            total += first**2 / mass / (s * math.sqrt(2 * math.pi)) if mass > 1e-30 else 0.0
        return total * math.exp(-0.5 * h * h) / math.sqrt(2 * math.pi)

    width = min(9.0, 9.0 * s / max(rho, 1e-9))
    exact, error = integrate.quad(conditional, -width, width, points=[0.0], epsabs=1e-10, limit=200)
    assert abs(s**3 * perceptron.information(rho) - exact) < 10 * error + 1e-9


def test_information_limits():
    assert abs(perceptron.information(0.0) - 2 / math.pi) < 1e-14
    assert perceptron.information(0.6) == pytest.approx(perceptron.information(-0.6), rel=1e-14)


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.9, 0.99])
def test_optimal_rule_gains_most(rho):
    """dρ/dt = (da − ρ dQ/(2q))/q of the optimal rule against the others, each at its best learning rate."""
    q = 1.3

    def gain(rule, lr):
        a, d = state(rho, q)
        da, dd = perceptron.drift(rule, lr, 1, a, d)
        return da / math.sqrt(q) - rho * (dd + 2 * a * da) / (2 * q)

    best = gain("optimal", 1.0)
    assert best == pytest.approx((1 - rho**2) ** 1.5 * perceptron.information(rho) / (2 * rho), rel=1e-12)
    for rule in ("hebb", "rosenblatt", "adatron"):
        for lr in np.geomspace(1e-3, 1e3, 400):
            assert gain(rule, lr) < best


@pytest.mark.parametrize(
    ("rule", "lr", "minibatch", "power", "constant"),
    [
        ("hebb", 1, 1, -0.5, 1 / math.sqrt(2 * math.pi)),
        ("hebb", 2, 4, -0.5, 1 / math.sqrt(8 * math.pi)),
        ("rosenblatt", 1, 1, -1 / 3, 0.278),
        ("adatron", 1, 1, -1, 3 / 2),
        ("adatron", 1.5, 1, -1, 4 / 3),
        ("adatron", 2, 2, -1, 3 / 4),
        ("optimal", 1, 1, -1, 0.88),
    ],
)
def test_asymptotes(rule, lr, minibatch, power, constant):
    model = tsphys.Perceptron(rule=rule, lr=lr, minibatch=minibatch)
    t = np.array([1e2, 1e4, 1e6])
    law = perceptron.asymptote(model, t)
    # The published constants have three digits, or are exact.
    assert law * t**-power == pytest.approx(constant, rel=5e-3)
    off = np.abs(perceptron.solve(model, start=start(0.1), t=t)["eps_g"] / law - 1)
    assert off[2] < 2e-4
    # The slowest correction is that of Rosenblatt's norm, of relative order t^(−2/3).
    assert off[2] < off[1] / 4 < off[0] / 16


def test_adatron_beyond_its_largest_learning_rate():
    model = tsphys.Perceptron(rule="adatron", lr=3.2)
    with pytest.raises(tsphys.ModelError, match="lr"):
        perceptron.asymptote(model, 1.0)
    with pytest.raises(tsphys.ModelError, match="alpha"):
        perceptron.asymptote(tsphys.Perceptron(alpha=2), 1.0)
    inside = tsphys.solve(tsphys.Perceptron(rule="adatron", lr=2.8), start=start(0.5), t=[20, 400])["eps_g"]
    assert inside[1] < inside[0] / 5
    try:
        beyond = tsphys.solve(model, start=start(0.5), t=[2, 20])["eps_g"]
    except tsphys.DivergedError as error:
        beyond = error.partial["eps_g"][:1]
    assert beyond[-1] > 0.1


@pytest.mark.parametrize("theta", [1e-2, 1e-5, 1e-8])
def test_drift_keeps_its_digits_near_the_teacher(theta):
    """Leading order in θ, whose relative error is of order θ²; AdaTron's ∝ θ³ would be lost to rounding in (R, Q)."""
    q = 1.4
    a, d = q * math.cos(theta), (q * math.sin(theta)) ** 2
    leading = {
        "adatron": (0.7 * q * theta**3 / (3 * math.pi), q * q * theta**3 * (2 * 0.49 / 3 - 1.4) / math.pi),
        "rosenblatt": (0.7 * theta**2 / (2 * math.sqrt(2 * math.pi)), None),
        "optimal": (q * perceptron.information(1.0) * theta**3, -(q * q) * perceptron.information(1.0) * theta**3),
    }
    for rule, expected in leading.items():
        for value, exact in zip(perceptron.drift(rule, 0.7, 1, a, d), expected):
            assert exact is None or abs(value / exact - 1) < 4 * theta**2 + 1e-12, rule


def test_hebb_has_an_exact_solution():
    model = tsphys.Perceptron(rule="hebb", lr=0.6, minibatch=3)
    theory = tsphys.solve(model, start=start(-0.3, 0.5, 2.0), t=T_AXIS)
    t = np.array(T_AXIS)
    a = -0.3 * math.sqrt(0.5) + 0.6 * math.sqrt(2 / math.pi) * t
    d = 0.5 * (1 - 0.09) + 0.36 / 3 * t
    # Ten to a hundred times the local tolerance of 1e-10.
    assert np.abs(theory["R"][:, 0, 0] - math.sqrt(2.0) * a).max() < 1e-8
    assert np.abs(theory["Q"][:, 0, 0] - a * a - d).max() < 1e-8
    assert np.abs(theory["eps_g"] - np.arctan2(np.sqrt(d), a) / math.pi).max() < 1e-8


@pytest.mark.parametrize("rule", ["hebb", "rosenblatt"])
def test_start_from_nothing_is_the_limit_of_small_students(rule):
    model = tsphys.Perceptron(rule=rule)
    nothing = tsphys.solve(model, start=tsphys.OrderParameters(R=[[0.0]], Q=[[0.0]], T=[[1.0]]), t=[0.1, 1, 5])
    small = tsphys.solve(model, start=start(0.0, 1e-10), t=[0.1, 1, 5])
    # The student's first norm, 1e-5, against one of order √t.
    assert np.abs(nothing["eps_g"] - small["eps_g"]).max() < 1e-4
    assert np.isfinite(nothing["Q"]).all()


@pytest.mark.parametrize("rule", each(RULES, fast=[rule for rule in RULES if rule != "optimal"]))
def test_simulation_agrees(rule):
    model = tsphys.Perceptron(rule=rule, lr=0.8)
    options = {"start": start(0.3), "t": [0.5, 2, 5]}
    sim = tsphys.simulate(model, N=1000, replicas=24, seed=1, **options)
    verdict = tsphys.compare(sim, tsphys.solve(model, **options))
    assert verdict.ok, str(verdict)


def test_default_start_is_that_of_the_first_replica():
    model = tsphys.Perceptron(rule="adatron")
    theory = tsphys.solve(model, t=[0, 1], N=200, seed=5)
    sim = tsphys.simulate(model, N=200, t=[0, 1], replicas=1, seed=5)
    # The overlaps go through their root and back.
    assert np.abs(theory["R"][0] - sim["R"][0, 0]).max() < 1e-14
    assert np.abs(theory["Q"][0] - sim["Q"][0, 0]).max() < 1e-14
    assert theory.meta["N"] == 200
    assert theory.meta["seed"] == 5


def test_what_the_equations_do_not_hold_for_is_refused():
    with pytest.raises(tsphys.ModelError, match="uses_overlaps"):
        tsphys.solve(tsphys.Perceptron(rule="optimal", alpha=2.0), t=[1])
    with pytest.raises(tsphys.ModelError, match=r"T = \[\[2"):
        tsphys.solve(tsphys.Perceptron(rule="optimal"), start=start(0.1, 1.0, 2.0), t=[1])
