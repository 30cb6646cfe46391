"""ReLUs with biases: published numbers, closed forms against quadrature, limits, runs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import tsphys
from tests.refusal import refuses
from tsphys import ActiveFraction, OrderParameters
from tsphys.odes import learning_rule
from tsphys.physics.committee.biased import both, outputs_product

ONE = OrderParameters(R=[[0.0]], Q=[[1.0]], T=[[1.0]])
PAIR = OrderParameters(R=[[0.2], [0.1]], Q=[[1, 0.1], [0.1, 0.8]], T=[[1]])


@pytest.mark.parametrize("lr, lr_b, noise, states, late", [
    (0.5, 0.5, 1.0, [(0.79857, -0.1672, 0.425777), (0.37213, -0.6556, 0.141258), (0.27185, -1.0903, 0.018255),
                     (0.26151, -1.4679, 0.002049), (0.25631, -2.0763, 2.05e-5)], (1.0246, 1.0334, 1.0273)),
    (0.2, 1.0, 1.0, [(0.87055, -0.3085, 0.370442), (0.53577, -1.0169, 0.082371), (0.32819, -1.4348, 0.00613),
                     (0.24136, -1.6244, 0.000473), (0.16644, -1.8239, 3.9e-6)], (0.4726, 0.4126, 0.3898)),
    (1.0, 0.2, 0.5, [(0.70215, -0.0694, 0.466978), (0.1973, -0.3074, 0.244461), (0.14865, -0.6455, 0.047045),
                     (0.13812, -0.9555, 0.005068), (0.13179, -1.4118, 5.04e-5)], (1.0137, 1.0112, 1.0070)),
])  # fmt: skip
def test_published_numbers_of_one_unit(lr, lr_b, noise, states, late):
    model = ActiveFraction(K=1, M=1, labels="random", lr=lr, lr_b=lr_b, noise=noise)
    theory = tsphys.solve(model, start=ONE, t=[1, 10, 100, 1e3, 1e4, 1e5])
    found = np.column_stack([theory["Q"][:, 0, 0], theory["bias"], theory["active"]])[[0, 1, 2, 3, 5]]
    expected = np.array(states)
    # Half of the last digit that was printed.
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=0, atol=6e-6)
    np.testing.assert_allclose(found[:, 1], expected[:, 1], rtol=0, atol=6e-5)
    np.testing.assert_allclose(found[:4, 2], expected[:4, 2], rtol=0, atol=6e-7)
    np.testing.assert_allclose(theory["active"][3:, 0] * lr_b * np.array([1e3, 1e4, 1e5]), late, rtol=0, atol=6e-5)


@pytest.mark.parametrize("given, p, b, Q", [
    ({"labels": "random", "v": (1, -1)}, [(0.477, 0.482), (0.353, 0.367)], [(-0.054, -0.038), (-0.295, -0.255)],
     [(0.898, 0.745), (0.606, 0.563)]),
    ({"b_star": (-1,), "noise": 0.1}, [(0.440, 0.435), (0.202, 0.186)], [(-0.132, -0.128), (-0.427, -0.400)],
     [(0.769, 0.610), (0.261, 0.201)]),
    ({}, [(0.463, 0.458), (0.365, 0.351)], [(-0.088, -0.087), (-0.293, -0.297)], [(0.871, 0.697), (0.727, 0.601)]),
])  # fmt: skip
def test_published_numbers_of_two_units(given, p, b, Q):
    """To 2e-3, the error of both quadratures together as published, and what three digits leave."""
    theory = tsphys.solve(ActiveFraction(K=2, M=1, **given), start=PAIR, t=[1, 10], points=2**13)
    np.testing.assert_allclose(theory["active"], p, rtol=0, atol=3e-3)
    np.testing.assert_allclose(theory["bias"], b, rtol=0, atol=5e-3)
    np.testing.assert_allclose(np.diagonal(theory["Q"], axis1=1, axis2=2), Q, rtol=0, atol=5e-3)
    if "b_star" in given:
        np.testing.assert_allclose(theory["eps_g"], [0.31461, 0.03834], rtol=0, atol=1e-3)


def test_published_error():
    theory = tsphys.solve(ActiveFraction(K=2, M=1, b_star=(-1,), noise=0.1), start=PAIR, t=[1], points=2**13)
    assert theory["eps_g"][0] == pytest.approx(0.31461, abs=1e-3)


def test_averages_of_two_units_with_biases():
    """Against the two-dimensional distribution function, and a Gauss rule on either side of both thresholds."""
    for h, k, rho in ((0.7, -0.4, 0.3), (0.0, 0.5, -0.8), (0.0, 0.0, 0.4), (-1.2, -2.0, 0.95), (1.0, 0.0, 0.0)):
        told = multivariate_normal(cov=[[1, rho], [rho, 1]], abseps=1e-9).cdf([h, k])
        assert float(both(h, k, rho)) == pytest.approx(told, abs=1e-7)
    assert float(both(0.4, 0.4, 1.0)) == pytest.approx(0.655421741610, abs=1e-8)
    C, b = np.array([[1.3, -0.4], [-0.4, 0.6]]), np.array([0.3, -0.5])
    x, w = np.polynomial.legendre.leggauss(60)
    # Where (u + h)₊ begins, in units of its deviation; beyond nine deviations there is nothing.
    u = -b[0] / 1.3**0.5
    u = u + (9 - u) * (x + 1) / 2
    wu = w * (9 + b[0] / 1.3**0.5) / 2 * np.exp(-(u**2) / 2) / (2 * np.pi) ** 0.5
    mean, s = -0.4 / 1.3**0.5 * u + b[1], (0.6 - 0.16 / 1.3) ** 0.5
    from scipy.special import ndtr

    inner = mean * ndtr(mean / s) + s * np.exp(-((mean / s) ** 2) / 2) / (2 * np.pi) ** 0.5
    assert outputs_product(C, b)[0, 1] == pytest.approx(wu @ ((1.3**0.5 * u + b[0]) * inner), abs=1e-12)


def test_without_biases_it_is_the_two_layer_network():
    """The closed equations of ReLUs, to the quadrature's own estimate of its error, four times."""
    plain = tsphys.TwoLayer(K=2, M=1, activation="relu", lr=0.3, lr_v=0.2, noise=0.3)
    own = ActiveFraction(K=2, M=1, lr=0.3, lr_v=0.2, lr_b=0.0, noise=0.3)
    t = [0.5, 2.0]
    first, other = tsphys.solve(plain, start=PAIR, t=t), tsphys.solve(own, start=PAIR, t=t, points=2**13)
    np.testing.assert_allclose(other["active"], 0.5)
    for name in ("R", "Q", "eps_g"):
        assert np.abs(first[name] - other[name]).max() < 4 * other.meta["quadrature_error"][name] + 1e-4
    one = [replace(m, K=1) for m in (plain, own)]
    first, other = (tsphys.solve(m, start=OrderParameters(R=[[0.2]], Q=[[0.8]], T=[[1]]), t=t) for m in one)
    for name in ("R", "Q", "eps_g"):
        np.testing.assert_allclose(first[name], other[name], rtol=0, atol=1e-8)


def test_one_unit_and_a_teacher_against_quadrature():
    model = ActiveFraction(
        K=1, M=1, lr_v=0.2, lr_b=0.6, noise=0.5, minibatch=2, v=(0.8,), b=(0.3,), v_star=(1.2,), b_star=(-0.6,)
    )
    start = OrderParameters(R=[[0.3]], Q=[[0.7]], T=[[1.2]])
    t = [0.5, 4.0]
    closed, other = tsphys.solve(model, start=start, t=t), learning_rule.solve(model, start=start, t=t, points=2**13)
    for name in ("R", "Q", "v", "eps_g"):
        assert np.abs(closed[name] - other[name]).max() < 4 * other.meta["quadrature_error"][name] + 1e-4
    # Without noise a unit that is its teacher stays it.
    same = replace(model, noise=0.0, v=(1.2,), b=(-0.6,))
    rest = tsphys.solve(same, start=OrderParameters(R=[[1.0]], Q=[[1.0]], T=[[1.0]]), t=[10.0])
    np.testing.assert_allclose(rest["bias"], -0.6, atol=1e-7)
    assert rest["eps_g"][0] < 1e-10


@pytest.mark.parametrize("engine", ["exact", pytest.param("direct", marks=pytest.mark.slow)])
def test_runs_lie_on_the_theory(engine):
    model = ActiveFraction(K=1, M=1, labels="random", lr=0.5, lr_b=0.5)
    t = [1.0, 3.0, 10.0]
    start = OrderParameters(R=[[0.6]], Q=[[1.0]], T=[[1.0]])
    sim = tsphys.simulate(model, N=300, start=start, t=t, engine=engine, replicas=16, seed=1)
    found = tsphys.compare(sim, tsphys.solve(model, start=start, t=t))
    assert found.ok, found
    assert {"active", "bias", "eps_g"} <= set(found.z)


def test_starts_may_have_biases_or_not():
    model = ActiveFraction(K=2, M=1, b=(0.1, 0.2), b_star=(-0.5,))
    given = OrderParameters(R=PAIR.R, Q=PAIR.Q, T=PAIR.T, v=[1.0, 2.0], v_star=[3.0])
    whole = OrderParameters(R=PAIR.R, Q=PAIR.Q, T=PAIR.T, v=[1.0, 2.0, 0.1, 0.2], v_star=[3.0, -0.5])
    assert model.completed(given) == whole
    sim = tsphys.simulate(model, N=50, start=given, t=[0.0], replicas=1)
    np.testing.assert_array_equal(sim["v"][0, 0], [[1.0, 2.0], [0.1, 0.2]])


def test_bad_parameters():
    refuses(lambda: ActiveFraction(b=(1.0,)), "b")
    refuses(lambda: ActiveFraction(b_star=(1.0,)), "b_star")
    refuses(lambda: ActiveFraction(labels="random", v_star=(1.0, 1.0)), "v_star")
    heard = OrderParameters(R=PAIR.R, Q=PAIR.Q, T=PAIR.T, v_star=[1.0])
    for run in (tsphys.solve, lambda *model, **given: tsphys.simulate(*model, N=50, **given)):
        refuses(lambda run=run: run(ActiveFraction(K=2, M=1, labels="random"), start=heard, t=[0.0]), "start")
    refuses(lambda: tsphys.solve(ActiveFraction(K=1, M=1), start=ONE, t=[1], points=2**10), "points")


def test_steps_are_no_finer_than_averages_are_known():
    given = {"N": 24, "t": [0, 1], "points": 2**12}
    found, fine = (tsphys.solve(ActiveFraction(), **given, **more) for more in ({}, {"rtol": 1e-4, "atol": 1e-10}))
    assert found.meta["steps"] < fine.meta["steps"] / 2
    for name, error in fine.meta["quadrature_error"].items():
        assert np.abs(found[name] - fine[name]).max() < error / 2
