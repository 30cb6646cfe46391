"""Theory of a rule of one's own: exact solutions, closed forms and published numbers, drawn examples, the manual."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate

import tsphys
from tests.wide import each
from tsphys._jit import njit
from tsphys.odes import learning_rule
from tsphys.odes.learning_rule import drift, solve
from tsphys.rules.field_average import node_sets
from tsphys.validation.two_layer import START

MANUAL = Path(__file__).resolve().parents[1] / "docs" / "learning_rule.md"

#: Activation, (η, η_v, σ, κ, b), eps_g at t = 1, 4 and Q_11 at t = 4 of an integration to nine digits.
REFERENCE = [
    ("erf", (0.8, 0.5, 0.2, 0.1, 1), (0.2431627995, 0.0809985565), 0.4579962938),
    ("relu", (0.4, 0.3, 0.1, 0.05, 1), (0.4959944779, 0.2413233144), 0.5999326859),
    ("quad", (0.05, 0.03, 0.1, 0.0, 1), (3.7794027321, 3.2940705972), 0.6081687283),
]


def two_layer(activation, lr, lr_v, noise, decay, minibatch):
    return tsphys.TwoLayer(
        K=2, M=2, activation=activation, lr=lr, lr_v=lr_v, noise=noise, weight_decay=decay, minibatch=minibatch
    )


@njit(cached=False)
def linear(lam, nu, v, v_star, noise, p, c, dv):
    """Linear regression on a noisy teacher, p = [η, σ]."""
    c[0] = -p[0] * (lam[0] - nu[0] - p[1] * noise[0])


@njit(cached=False)
def half_square(lam, nu, v, v_star, p):
    """Half the squared difference of student and teacher."""
    return 0.5 * (lam[0] - nu[0]) ** 2


def hebb_in_scale(lam, nu, v, v_star, noise, R, Q, p, c, dv):
    """Hebb's rule in units of the student's norm."""
    c[0] = math.sqrt(Q[0, 0]) * (1.0 if nu[0] > 0.0 else -1.0)


def adatron_with_margin(lam, nu, v, v_star, noise, p, c, dv):
    """Push examples with yλ < κ to the margin, p = [η, κ]; its kinks are not on the rays λ = 0, ν = 0."""
    y = 1.0 if nu[0] > 0.0 else -1.0
    c[0] = p[0] * (p[1] - y * lam[0]) * y if y * lam[0] < p[1] else 0.0


@pytest.mark.parametrize(
    ("activation", "numbers", "eps_g", "q_11"), each(REFERENCE, fast=["erf"]), ids=[r[0] for r in REFERENCE]
)
def test_two_layer_through_the_generic_route(activation, numbers, eps_g, q_11):
    """Closed forms integrated to nine digits against averages of the rule alone: within the estimate."""
    theory = solve(two_layer(activation, *numbers), start=START, t=[1, 4])
    estimate = theory.meta["quadrature_error"]
    # Four standard errors where there are four scramblings; 1e-7 for the integration at rtol = 1e-8.
    assert np.abs(theory["eps_g"] - eps_g).max() <= 4 * estimate["eps_g"] + 1e-7
    assert abs(theory["Q"][1, 0, 0] - q_11) <= 4 * estimate["Q"] + 1e-7
    assert max(estimate.values()) < 2e-3
    assert theory.meta["quadrature"]["kind"] == ("sobol" if activation == "relu" else "gauss")


def test_more_points_come_closer():
    """The estimate falls with the number of nodes, and the truth is within it."""
    model = two_layer("erf", *REFERENCE[0][1])
    runs = [solve(model, start=START, t=[1, 4], points=n) for n in (2**12, 2**15)]
    wrong = [np.abs(r["eps_g"] - REFERENCE[0][2]).max() for r in runs]
    assert wrong[1] < wrong[0] / 3
    assert runs[1].meta["quadrature_error"]["eps_g"] < runs[0].meta["quadrature_error"]["eps_g"] / 3


@pytest.mark.parametrize("minibatch", [1, 3])
def test_linear_regression_has_an_exact_solution(minibatch):
    """dε/dt = −(2η − η²/b) ε + η²σ²/(2b): one exponential."""
    eta, sigma = 0.4, 0.3
    rule = tsphys.LearningRule(
        linear, params=(eta, sigma), error=half_square, n_noise=1, smooth=True, minibatch=minibatch
    )
    start = tsphys.OrderParameters(R=[[0.2]], Q=[[0.7]], T=[[1.0]])
    t = np.array([0, 1, 5, 30.0])
    theory = tsphys.solve(rule, start=start, t=t)
    rate, source = 2 * eta - eta**2 / minibatch, eta**2 * sigma**2 / (2 * minibatch)
    exact = source / rate + (0.65 - source / rate) * np.exp(-rate * t)
    # Gauss-Hermite is exact for polynomials; up to a hundred times the local tolerance of 1e-8.
    assert np.abs(theory["eps_g"] - exact).max() < 1e-6
    assert max(theory.meta["quadrature_error"].values()) < 1e-10
    assert theory.meta["quadrature"]["kind"] == "gauss"


def test_weight_decay():
    """A rule that does nothing but forget: R ∝ exp(−κt), Q ∝ exp(−2κt), v ∝ exp(−κ_v t)."""

    def idle(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = 0.0
        c[1] = 0.0

    rule = tsphys.LearningRule(idle, K=2, M=2, weight_decay=0.3, weight_decay_v=0.7, smooth=True)
    theory = solve(rule, start=START, t=[2.0], points=2**10)
    assert theory["R"][0] == pytest.approx(START.R * math.exp(-0.6), rel=1e-6)
    assert theory["Q"][0] == pytest.approx(START.Q * math.exp(-1.2), rel=1e-6)
    assert theory["v"][0] == pytest.approx(START.v * math.exp(-1.4), rel=1e-6)
    assert "eps_g" not in theory


def test_a_rule_that_sees_the_overlaps():
    """dρ/dt = α(1 − ρ²) − ρ/2 with α = √(2/π), a Riccati equation, whose two fixed points solve it."""
    rule = tsphys.LearningRule(hebb_in_scale, uses_overlaps=True)
    t = np.array([0, 0.5, 2, 8.0])
    theory = solve(rule, start=tsphys.OrderParameters(R=[[0.1]], Q=[[1.0]], T=[[1.0]]), t=t)
    alpha = math.sqrt(2 / math.pi)
    low, high = np.sort(np.roots([-alpha, -0.5, alpha]))
    ratio = (0.1 - high) / (0.1 - low) * np.exp(-alpha * (high - low) * t)
    rho = theory["R"][:, 0, 0] / np.sqrt(theory["Q"][:, 0, 0])
    assert np.abs(rho - (high - low * ratio) / (1 - ratio)).max() < 1e-6


def test_overlaps_come_as_they_are():
    """c = (R_1 + 10 R_2, …) ν: what the rule reads of them decides ⟨c ν⟩ = c/ν · T."""

    def reads(lam, nu, v, v_star, noise, R, Q, p, c, dv):
        c[0] = (R[0, 0] + 10.0 * R[1, 0]) * nu[0]
        c[1] = (Q[0, 0] + 10.0 * Q[0, 1] + 100.0 * Q[1, 0] + 1000.0 * Q[1, 1]) * nu[0]

    rule = tsphys.LearningRule(reads, K=2, params=(7.0,), uses_overlaps=True, smooth=True)
    R, Q = np.array([[0.2], [0.3]]), np.array([[1.0, 0.4], [0.4, 2.0]])
    dR, _, _ = drift(rule, node_sets("gauss", 2, 1, 0, 2**12)[0], np.array([[1.5]]), np.zeros(0))(R, Q, np.zeros(0))
    assert dR[:, 0] == pytest.approx([1.5 * 3.2, 1.5 * (1.0 + 4.0 + 40.0 + 2000.0)], rel=1e-12)


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_drift_against_the_rule_on_drawn_examples(activation):
    """Monte Carlo of the rule itself: every entry of dR, dQ, dv within 4.5 standard errors."""
    model = two_layer(activation, 0.6, 0.4, 0.3, 0.1, 2)
    rule = model.learning_rule()
    n = 20000
    C = np.block([[START.Q, START.R], [START.R.T, START.T]])
    rng = np.random.default_rng(11)
    x = rng.multivariate_normal(np.zeros(4), C, size=n, method="cholesky")
    zeta = rng.standard_normal((n, 1))
    c, dv = np.empty((n, 2)), np.empty((n, 2))
    p = rule.seen_params()
    for i in range(n):
        rule.function(x[i, :2], x[i, 2:], START.v, START.v_star, zeta[i], p, c[i], dv[i])
    lam, nu = x[:, :2], x[:, 2:]
    cl = c[:, :, None] * lam[:, None, :]
    samples = (
        c[:, :, None] * nu[:, None, :] - 0.1 * START.R,
        cl + cl.transpose(0, 2, 1) + c[:, :, None] * c[:, None, :] / 2 - 0.2 * START.Q,
        dv - rule.weight_decay_v * START.v,
    )
    sets = node_sets("sobol", 2, 2, 1, 2**16)
    rates = [drift(rule, nodes, START.T, START.v_star)(START.R, START.Q, START.v) for nodes in sets]
    for sample, exact in zip(samples, zip(*rates)):
        z = (sample.mean(axis=0) - np.mean(exact, axis=0)) / (sample.std(axis=0) / math.sqrt(n))
        # Sobol points of four times the number have an error some ten times below that of the drawn examples.
        assert np.abs(z).max() < 4.5


@pytest.mark.parametrize("rule", ["hebb", "rosenblatt", "adatron"])
def test_sobol_estimate_of_a_jumping_rule_is_honest(rule):
    model = tsphys.Perceptron(rule=rule)
    start = tsphys.OrderParameters(R=[[0.3]], Q=[[1.0]], T=[[1.0]])
    options = {"start": start, "t": [1, 4, 10]}
    rough = solve(model, quadrature="sobol", points=2**14, **options)
    exact = tsphys.solve(model, **options)
    for name, estimate in rough.meta["quadrature_error"].items():
        if rough[name].size:
            # Four scramblings know their standard error to a factor of two; rtol is 1/points = 2.4e-4.
            scale = np.abs(exact[name]).max()
            assert np.abs(rough[name] - exact[name]).max() <= 5 * estimate + 1e-4 * scale
            assert 0 < estimate < 1e-2 * scale
    assert rough.meta["rtol"] == 2.0**-12


def test_kinks_off_the_rays_are_noticed():
    """`auto` leaves the polar nodes for Sobol points; the drift against adaptive integration in the plane."""
    rule = tsphys.LearningRule(adatron_with_margin, params=(0.8, 0.5))
    start = tsphys.OrderParameters(R=[[0.4]], Q=[[1.2]], T=[[1.0]], v=(), v_star=())
    theory = solve(rule, start=start, t=[0, 1])
    assert theory.meta["quadrature"]["kind"] == "sobol"
    sets = node_sets("sobol", 1, 1, 0, 2**16)
    dR = [drift(rule, nodes, start.T, start.v_star)(start.R, start.Q, start.v)[0][0, 0] for nodes in sets]

    # For y = 1 and given λ: ⟨ν; ν > 0⟩ of a normal law; y = −1 gives the same.
    def of_lambda(lam):
        mean, s = 0.4 * lam / 1.2, math.sqrt(1 - 0.16 / 1.2)
        tail = 0.5 * math.erfc(-mean / s / math.sqrt(2))
        first = mean * tail + s * math.exp(-0.5 * (mean / s) ** 2) / math.sqrt(2 * math.pi)
        return 0.8 * (0.5 - lam) * first * math.exp(-lam * lam / 2.4) / math.sqrt(2.4 * math.pi)

    exact = 2 * integrate.quad(of_lambda, -12, 0.5, epsabs=1e-12)[0]
    assert abs(np.mean(dR) - exact) < 6 * np.std(dR, ddof=1) / 2
    assert np.std(dR, ddof=1) < 1e-3


def test_divergence_keeps_what_came_before():
    rule = tsphys.LearningRule(linear, params=(3.0, 0.0), error=half_square, n_noise=1, smooth=True)
    start = tsphys.OrderParameters(R=[[0.0]], Q=[[1.0]], T=[[1.0]])
    with pytest.raises(tsphys.DivergedError) as caught:
        solve(rule, start=start, t=[0.1, 1000.0])
    # ε grows like exp(3t) and counts as infinite at 1e16.
    assert caught.value.t == pytest.approx(math.log(1e16) / 3, rel=0.1)
    partial = caught.value.partial
    assert np.isfinite(partial["eps_g"][0])
    assert np.isnan(partial["eps_g"][1])


def test_default_start_is_that_of_the_first_replica():
    rule = tsphys.LearningRule(linear, params=(0.4, 0.1), n_noise=1, smooth=True)
    theory = tsphys.solve(rule, t=[0, 1], N=100, seed=3)
    sim = tsphys.simulate(rule, t=[0, 1], N=100, seed=3, replicas=1)
    assert np.abs(theory["Q"][0] - sim["Q"][0, 0]).max() < 1e-14
    assert set(theory) == set(sim)
    assert theory.dims == sim.dims


def test_result_can_be_kept(tmp_path):
    rule = tsphys.LearningRule(linear, params=(0.4, 0.1), error=half_square, n_noise=1, smooth=True)
    theory = tsphys.solve(rule, t=[0, 1], N=100)
    assert tsphys.load(theory.save(tmp_path / "theory")).meta == theory.meta


@pytest.mark.parametrize(
    ("model", "options", "name"),
    [
        ({"alpha": 2.0}, {"lump": 0}, "lump"),
        ({}, {"quadrature": "none"}, "quadrature"),
        ({}, {"points": 3}, "points"),
        ({}, {"method": "Euler"}, "method"),
        ({}, {"start": "here"}, "start"),
        ({}, {"N": 1}, "N"),
        ({}, {"seed": -1}, "seed"),
        ({}, {"rtol": "small"}, "rtol"),
        ({}, {"atol": -1.0}, "atol"),
        ({}, {"t": [1, 1]}, "t"),
    ],
)
def test_what_cannot_be_is_refused(model, options, name):
    rule = tsphys.LearningRule(linear, params=(0.4, 0.1), n_noise=1, smooth=True, **model)
    with pytest.raises(tsphys.ModelError) as caught:
        solve(rule, **{"t": [1.0], **options})
    assert caught.value.name == name


def test_rough_averages_at_too_small_a_tolerance_end_with_a_verdict(monkeypatch):
    monkeypatch.setattr(learning_rule, "MAX_STEPS", 20)
    start = tsphys.OrderParameters(R=[[0.3]], Q=[[1.0]], T=[[1.0]])
    with pytest.raises(tsphys.ConvergenceError, match="steps"):
        solve(tsphys.Perceptron(rule="rosenblatt"), start=start, t=[100.0], quadrature="sobol", points=2**10)


@pytest.mark.slow
def test_the_example_of_the_manual_agrees_with_its_theory():
    """The first of docs/learning_rule.md; the fast tests run it with all examples of the pages."""
    block = re.search(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict = {}
    exec(compile(block[1], str(MANUAL), "exec"), names)
    assert names["verdict"].ok, str(names["verdict"])
    assert names["theory"].meta["quadrature_error"]["eps_g"] < 1e-2


def test_the_first_order_in_1_over_N_is_not_asked_of_jumps_at_points():
    """Rates of rectified students jump at λ = 0, averages over points at each; on two fields nodes lie on the rays."""
    start = tsphys.OrderParameters(R=[[0.1, 0.05]], Q=[[0.2]], T=np.eye(2), v=[1.0], v_star=[1.0, 1.0])
    units = {"K": 1, "M": 2, "activation": "relu", "teacher_activation": "erf"}
    with pytest.raises(tsphys.ModelError, match="rules with jumps on two Gaussian fields only"):
        learning_rule.chain(tsphys.TwoLayer(**units), start)
    for activation, teacher in (("erf", "relu"), ("tanh", "sign"), ("tanh", "erf")):
        smooth = tsphys.TwoLayer(**{**units, "activation": activation, "teacher_activation": teacher})
        assert learning_rule.chain(smooth, start).start.shape == (4,)
    one = tsphys.OrderParameters(R=[[0.1]], Q=[[0.2]], T=[[1.0]], v=[1.0], v_star=[1.0])
    assert learning_rule.chain(tsphys.TwoLayer(**{**units, "M": 1}), one).start.shape == (3,)
