"""Equations of zeroth-order SGD: reference numbers, limits, closed forms of linear students, quadrature."""

import dataclasses

import numpy as np
import pytest
from scipy.special import erf

import tsphys
from tsphys.odes import learning_rule
from tsphys.odes.equations.motion import Motion
from tsphys.odes.zeroth_order import right_hand_side
from tsphys.physics.estimation import estimation_noise
from tsphys.validation.pruned import START

MODEL = tsphys.ZerothOrder(lr=0.5, noise=0.1)
LINEAR = tsphys.ZerothOrder(K=1, M=1, activation="linear")
ONE = tsphys.OrderParameters(R=[[0.3]], Q=[[0.5]], T=[[1.0]])


@pytest.mark.parametrize(
    "estimator, expected",
    [
        ("cge", [0.2769635, 0.1501797, 0.02539824, 0.01360744, 0.008275725]),
        ("rge", [0.2769635, 0.1832487, 0.05443832, 0.02684983, 0.02377854]),
    ],
)
def test_reference_numbers(estimator, expected):
    """An integration by Runge and Kutta's formula with steps 0.05, its own error 1e-6."""
    theory = tsphys.solve(dataclasses.replace(MODEL, estimator=estimator), start=START, t=[0, 1, 5, 20, 50])
    np.testing.assert_allclose(theory["eps_g"], expected, rtol=2e-6)


@pytest.mark.parametrize("g", ["erf", "relu"])
def test_many_queries_and_all_coordinates_are_sgd(g):
    """1e-9: ten times what tolerances of 1e-10 leave."""
    t, model = [0.5, 2, 10], dataclasses.replace(MODEL, activation=g, lr=0.2)
    plain = tsphys.solve(model.first_order(), start=START, t=t)
    for change in ({"kappa": 1e13}, {"estimator": "cge"}, {"estimator": "sparse", "fraction": 1.0}):
        theory = tsphys.solve(dataclasses.replace(model, **change), start=START, t=t)
        for name in ("eps_g", "R", "Q"):
            np.testing.assert_allclose(theory[name], plain[name], atol=1e-9)


def test_trace_of_the_noise():
    """d Tr Q/dt at the start: K/κ Σ⟨c_k²⟩ more than SGD's, and (1/s − 1) Σ⟨c_k²⟩; averages by quadrature."""
    x, w = np.polynomial.hermite_e.hermegauss(24)
    grid = np.array(np.meshgrid(x, x, x, x, indexing="ij")).reshape(4, -1)
    weight = np.prod(np.meshgrid(*[w / w.sum()] * 4, indexing="ij"), axis=0).ravel()
    C = np.block([[START.Q, START.R], [START.R.T, START.T]])
    y = np.linalg.cholesky(C) @ grid
    delta = erf(y / np.sqrt(2)).T @ [1, 1, -1, -1]
    slope = np.sqrt(2 / np.pi) * np.exp(-(y[:2] ** 2) / 2)
    spread = MODEL.lr**2 * (slope**2 * (delta**2 + MODEL.noise**2) * weight).sum()
    motion = Motion(MODEL.first_order(), np.eye(2), np.ones(2))
    first = tsphys.OrderParameters(R=START.R, Q=START.Q, T=START.T, v=[1, 1], v_star=[1, 1])
    state = motion.state(first)

    def trace(**change):
        dy = right_hand_side(dataclasses.replace(MODEL, **change), motion)(0.0, state)
        return dy[4] + dy[6]

    # 24 nodes know these averages to 1e-9.
    assert abs(trace(kappa=0.5) - trace(estimator="cge") - 2 / 0.5 * spread) < 1e-8
    assert abs(trace(estimator="sparse", fraction=0.2) - trace(estimator="cge") - 4 * spread) < 1e-8


@pytest.mark.parametrize("change", [{"kappa": 0.7}, {"estimator": "sparse", "fraction": 0.4}])
def test_closed_equations_are_those_of_the_rule(change):
    model, t = dataclasses.replace(MODEL, **change), [0.5, 2.0]
    closed, averaged = tsphys.solve(model, start=START, t=t), learning_rule.solve(model, start=START, t=t)
    for name in ("eps_g", "R", "Q"):
        bound = 4 * averaged.meta["quadrature_error"][name] + 1e-7
        assert np.abs(closed[name] - averaged[name]).max() < bound


def linear_error(kappa, lr, noise, t):
    """dε/dt = −2ηε + ½η²F(2ε + σ²), F = 1 + 1/κ, from ε = ½(Q − 2R + T)."""
    F, first = 1 + 1 / kappa, 0.5 * (0.5 - 0.6 + 1)
    rate, last = 2 * lr - lr * lr * F, 0.5 * lr * F * noise**2 / (2 - lr * F)
    return last + (first - last) * np.exp(-rate * np.asarray(t))


@pytest.mark.parametrize("kappa, lr", [(0.5, 0.3), (1.0, 0.9), (4.0, 1.5)])
def test_linear_student(kappa, lr):
    t = np.array([0.0, 1, 3, 10, 200])
    model = dataclasses.replace(LINEAR, kappa=kappa, lr=lr, noise=0.4)
    theory = tsphys.solve(model, start=ONE, t=t)
    np.testing.assert_allclose(theory["eps_g"], linear_error(kappa, lr, 0.4, t), rtol=1e-7)
    sim = tsphys.simulate(model, N=2000, start=ONE, t=t[1:4], replicas=32, seed=5)
    assert tsphys.compare(sim, tsphys.solve(model, start=ONE, t=t[1:4])).ok


def test_linear_student_diverges_beyond_its_threshold():
    kappa = 0.5
    threshold = 2 / (1 + 1 / kappa)
    model = dataclasses.replace(LINEAR, kappa=kappa, noise=0.1)
    below = tsphys.solve(dataclasses.replace(model, lr=0.98 * threshold), start=ONE, t=[2000])["eps_g"][0]
    np.testing.assert_allclose(below, linear_error(kappa, 0.98 * threshold, 0.1, 2000), rtol=1e-6)
    above = dataclasses.replace(model, lr=1.02 * threshold)
    with pytest.raises(tsphys.DivergedError):
        tsphys.solve(above, start=ONE, t=[4000])
    with pytest.raises(tsphys.DivergedError):
        tsphys.simulate(dataclasses.replace(model, lr=2 * threshold), N=200, start=ONE, t=[100])


def test_differences_of_the_loss():
    """Over N in a step, for K = 3."""
    models = [tsphys.ZerothOrder(K=3, estimator=e, kappa=0.7, fraction=0.2) for e in ("rge", "cge", "sparse")]
    np.testing.assert_allclose([model.budget for model in models], [0.7, 3.0, 0.6])


def test_at_equal_budgets_random_directions_lose():
    """A linear student at its best rate, η = 1/F: log ε falls by 1/((1 + κ)N²) a query, for coordinates by 1/N²."""
    budget = 4.0

    def gain(model):
        t = budget / model.budget
        theory = tsphys.solve(model, start=ONE, t=[0, t])["eps_g"]
        return -np.log(theory[1] / theory[0]) / budget

    by_coordinates = gain(dataclasses.replace(LINEAR, lr=1.0, estimator="cge"))
    assert abs(by_coordinates - 1) < 1e-8
    for kappa in (0.01, 0.5, 4.0):
        along = gain(dataclasses.replace(LINEAR, lr=kappa / (1 + kappa), kappa=kappa))
        assert abs(along - 1 / (1 + kappa)) < 1e-8
        assert along < by_coordinates
    partial = gain(dataclasses.replace(LINEAR, lr=0.25, estimator="sparse", fraction=0.25))
    assert abs(partial - 1) < 1e-8


def test_noise_of_estimates_takes_lists():
    np.testing.assert_allclose(estimation_noise([1, 2], 4, None), 0.75)
    np.testing.assert_allclose(estimation_noise([1, 2], None, 0.5), [1, 2])


def test_tanh_goes_by_quadrature():
    model, t = dataclasses.replace(MODEL, activation="tanh", kappa=1.0), [0.5, 1.0, 2.0]
    theory = tsphys.solve(model, start=START, t=t)
    assert "quadrature_error" in theory.meta
    sim = tsphys.simulate(model, N=500, start=START, t=t, replicas=24, seed=7)
    assert tsphys.compare(sim, theory).ok
    assert not tsphys.compare(sim, tsphys.solve(dataclasses.replace(model, kappa=1.5), start=START, t=t)).ok
