"""Equations of sparse students: their limit, a slow reference class by class, linear students in closed form."""

import dataclasses
from statistics import NormalDist

import numpy as np
import pytest
from scipy.optimize import brentq

import tsphys
from tests.naive import variants
from tests.refusal import refuses
from tests.wide import each
from tsphys.figures.tickets import START as TINY
from tsphys.figures.tickets import normal_teacher as quantiles
from tsphys.odes.pruned import attainable_error
from tsphys.physics import masks
from tsphys.physics.committee import tickets
from tsphys.validation.pruned import START

WIDE = tsphys.OrderParameters(R=[[0.3, 0.1], [0.05, 0.35], [0.1, 0.1]], Q=np.diag([0.4, 0.5, 0.3]), T=np.eye(2))
ONE = tsphys.OrderParameters(R=[[0.1]], Q=[[0.5]], T=[[1.0]])
LINEAR = tsphys.Pruned(K=1, M=1, activation="linear", lr=0.5, noise=0.3, density=0.4)


@pytest.mark.parametrize("g", each(["erf", "relu", "linear"], fast=["relu"]))
def test_students_with_all_coordinates_are_those_of_two_layer(g):
    model = tsphys.Pruned(activation=g, lr=0.3, lr_v=0.2, noise=0.1, density=1.0)
    t = [0.5, 2.0, 10.0]
    start = dataclasses.replace(START, T=[[1.0, 0.2], [0.2, 0.8]], v=[1.2, 0.7], v_star=[0.8, 1.1])
    sparse, dense = tsphys.solve(model, start=start, t=t), tsphys.solve(model.dense(), start=start, t=t)
    for name in ("eps_g", "R", "Q", "v"):
        np.testing.assert_allclose(sparse[name], dense[name], atol=1e-9)


def test_equations_are_those_of_the_slow_reference():
    """Averages by quadrature, derivatives by hand, every class on its own; 10 steps of Runge and Kutta err by 1e-7."""
    densities = [0.4, 0.8]
    model = tsphys.Pruned(lr=0.5, noise=0.2, densities=densities)
    theory = tsphys.solve(model, start=START, t=[1.0])
    one = np.ones(2)
    R, Q = variants.pruned(model, densities, START.R, START.Q, START.T, one, one, 1.0, 10)
    np.testing.assert_allclose(theory["R"][0], R, atol=1e-6)
    np.testing.assert_allclose(theory["Q"][0], Q, atol=1e-6)


@pytest.mark.parametrize("density", [0.1, 0.4, 1.0])
def test_linear_student_and_its_floor(density):
    """What is out of reach, ½(1 − ρ), acts as noise on what is learned: ε∞ = ½(1 − ρ + ηρ(1 − ρ + σ²)/(2 − ηρ))."""
    model = dataclasses.replace(LINEAR, density=density)
    last = tsphys.solve(model, start=ONE, t=[400.0])["eps_g"][0]
    spread = model.lr * density * (1 - density + model.noise**2) / (2 - model.lr * density)
    np.testing.assert_allclose(last, 0.5 * (1 - density + spread), rtol=1e-8)
    assert abs(attainable_error(model, ONE) - 0.5 * (1 - density)) < 1e-8


def test_linear_units_with_masks_of_their_own_reach_the_union():
    start = tsphys.OrderParameters(R=[[0.1], [0.0]], Q=[[0.5, 0], [0, 0.3]], T=[[1.0]])
    model = dataclasses.replace(LINEAR, K=2, densities=(0.3, 0.6))
    assert abs(attainable_error(model, start) - 0.5 * 0.7 * 0.4) < 1e-8
    nested = dataclasses.replace(model, masks="common")
    assert abs(attainable_error(nested, start) - 0.5 * 0.4) < 1e-8


def test_flow_that_still_moves_gives_no_number():
    with pytest.raises(tsphys.ConvergenceError):
        attainable_error(LINEAR, ONE, until=1.0)
    for change in ({"until": 0}, {"rtol": float("nan")}):
        with pytest.raises(tsphys.ModelError) as caught:
            attainable_error(LINEAR, ONE, **change)
        assert str(caught.value).startswith(f"{next(iter(change))} = ")


def test_the_floor_falls_with_the_density():
    floors = [attainable_error(tsphys.Pruned(density=rho), START) for rho in (0.25, 0.5, 0.75, 1.0)]
    assert (np.diff(floors) < 0).all()
    assert floors[-1] < 1e-6


def test_default_start_is_that_of_replica_zero_before_it_is_pruned():
    model = tsphys.Pruned(init=0.5)
    theory = tsphys.solve(model, t=[0.0], N=200, seed=3)
    dense = tsphys.solve(model.dense(), t=[0.0], N=200, seed=3)
    np.testing.assert_allclose(theory["R"], 0.5 * dense["R"], rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(theory["Q"][0]), 0.5 * np.diagonal(dense["Q"][0]), rtol=1e-12)
    np.testing.assert_allclose(theory["Q"][0, 0, 1], 0.25 * dense["Q"][0, 0, 1], rtol=1e-12)


#: θ_1, τ_1 and eps_g just after pruning and some time later, for erf units at η = 0.5, σ = 0.1.
TICKETS = {
    (1, 0.5, 0, 0): (0.3016, 0.5077, 0.381293, 0.25832, 0.109705, 0.106644, 0.106529),
    (1, 0.5, 0, 20): (0.4496, 0.6964, 0.29046, 0.13778, 0.02771, 0.026477, 0.026173),
    (1, 0.5, 0, 100): (0.4717, 0.8363, 0.303745, 0.149028, 0.026003, 0.022786, 0.021025),
    (1, 0.5, 20, 100): (0.4717, 0.8363, 0.037282, 0.033299, 0.024278, 0.022613, 0.02102),
    (1, 0.5, 100, 100): (0.4717, 0.8363, 0.02817, 0.026589, 0.022539, 0.021553, 0.021003),
    (0.1, 0.2, 0, 20): (0.4898, 0.9735, 0.290096, 0.112171, 0.014151, 0.013501, 0.00381),
    (0.1, 0.2, 0, 100): (0.3792, 0.9946, 0.290432, 0.112576, 0.013259, 0.011703, 0.001254),
    (0.1, 0.2, 100, 100): (0.3792, 0.9946, 0.012237, 0.010935, 0.007495, 0.002783, 0.001195),
}


def begun(model, theory):
    """eps_g just after pruning."""
    R, Q, v = (np.array(theory.meta["phases"][0][-1][name]) for name in ("R", "Q", "v"))
    return float(model.eps_g(R, Q, theory["T"], v, theory["v_star"]))


@pytest.mark.parametrize("case", TICKETS)
def test_published_tickets(case):
    """To their digits; they were integrated to 1e-6."""
    sparse, density, to, at = case
    model = tsphys.Pruned(
        lr=0.5, noise=0.1, density=density, masks="magnitude", prune_at=at, rewind_to=to, teacher_density=sparse
    )
    theory = tsphys.solve(model, start=TINY, t=at + np.array([1, 10, 50, 200.0]))
    classes = theory.meta["classes"]
    found = [classes["threshold"][0], classes["kept_power"][0][0], begun(model, theory), *theory["eps_g"]]
    assert (np.abs(np.array(found) - TICKETS[case]) < [6e-5, 6e-5, *[1.6e-6] * 5]).all()


@pytest.mark.parametrize("density, expected", [
    (0.5, (0.244419, 0.111456, 0.108592, 0.10857)), (0.2, (0.292973, 0.232434, 0.231747, 0.231733)),
])  # fmt: skip
def test_published_random_masks(density, expected):
    theory = tsphys.solve(tsphys.Pruned(lr=0.5, noise=0.1, density=density), start=TINY, t=[1, 10, 50, 200])
    np.testing.assert_allclose(theory["eps_g"], expected, rtol=0, atol=1.6e-6)


@pytest.mark.parametrize("K, rho, expected", [
    (2, 0.5, 0.1086), (3, 1 / 3, 0.1212), (4, 0.25, 0.1275), (3, 2 / 3, 0.0308), (4, 0.5, 0.0420),
])  # fmt: skip
def test_published_errors_of_random_masks_over_the_width(K, rho, expected):
    """At t = 300, where they stand still."""
    Q = 0.2 * np.eye(K) + 0.02 * (1 - np.eye(K))
    start = tsphys.OrderParameters(
        R=0.1 + 0.05 * np.random.default_rng(K).standard_normal((K, 2)), Q=Q, T=np.eye(2), v=np.full(K, 2 / K)
    )
    theory = tsphys.solve(tsphys.Pruned(K=K, lr=0.25 * K, noise=0.1, density=rho), start=start, t=[300.0], rtol=1e-7)
    assert abs(theory["eps_g"][0] - expected) < 6e-5


@pytest.mark.parametrize("eta, K, rho", [(0.3, 4, 0.3), (0.5, 2, 0.6)])
def test_linear_units_under_random_masks(eta, K, rho):
    """ε∞ = ½[(1 − ρ)^K + ηKρσ²/2]/(1 − ηKρ/2): what no unit has, and noise in all that they have."""
    model = tsphys.Pruned(K=K, M=1, activation="linear", lr=eta, noise=0.3, density=rho)
    start = tsphys.OrderParameters(R=np.zeros((K, 1)), Q=0.1 * np.eye(K), T=[[1.0]])
    last = tsphys.solve(model, start=start, t=[300.0])["eps_g"][0]
    expected = 0.5 * ((1 - rho) ** K + eta * K * rho * 0.09 / 2) / (1 - eta * K * rho / 2)
    np.testing.assert_allclose(last, expected, rtol=1e-7)


def test_all_weights_kept_is_the_student_with_all_weights():
    """Pruned of nothing, without going back, at any time, or put back to the start, by any masks."""
    dense = tsphys.solve(tsphys.TwoLayer(lr=0.5, lr_v=0.2, noise=0.1), start=TINY, t=[1.0, 4.0])
    for which in ("magnitude", "global", "common"):
        given = {"lr": 0.5, "lr_v": 0.2, "noise": 0.1, "density": 1.0, "masks": which, "prune_at": 3.0}
        on = tsphys.solve(tsphys.Pruned(**given), start=TINY, t=[1.0, 4.0])
        again = tsphys.solve(tsphys.Pruned(**given, rewind_to=0.0), start=TINY, t=[1.0, 7.0])
        for name in ("eps_g", "R", "Q", "v"):
            np.testing.assert_allclose(on[name], dense[name], atol=1e-8)
            np.testing.assert_allclose(again[name], dense[name], atol=1e-8)


def test_global_thresholds_are_one_and_keep_the_density():
    model = tsphys.Pruned(lr=0.5, density=0.3, masks="global", prune_at=5.0, teacher_density=0.4)
    start = dataclasses.replace(TINY, Q=[[0.2, 0.02], [0.02, 0.9]])
    classes = tsphys.solve(model, start=start, t=[6.0]).meta["classes"]
    assert len(set(classes["threshold"])) == 1
    kept = np.array(classes["fraction"]) @ np.array(classes["seen"])
    assert abs(kept.mean() - 0.3) < 1e-9
    assert kept[1] > 1.2 * kept[0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("masks", ["magnitude", "global"])
def test_of_weights_that_are_zero_chance_keeps_what_the_density_leaves(masks):
    """In the theory, and in masks that are drawn: more weights are kept than there are, or there are none at all."""
    eye, rng = np.eye(2), np.random.default_rng(0)
    for norm in (0.16, 0.0):
        model = tsphys.Pruned(density=0.5, masks=masks, teacher_density=0.1)
        start = tsphys.OrderParameters(R=norm**0.5 * eye, Q=norm * eye, T=eye)
        classes = tsphys.solve(model, start=start, t=[0.01]).meta["classes"]
        own = 1.0 if norm else 0.5
        np.testing.assert_allclose(classes["kept_power"], 0.5 + (own - 0.5) * eye, atol=1e-7)
        np.testing.assert_allclose(np.array(classes["fraction"]) @ np.array(classes["seen"]), 0.5, atol=1e-7)
        weights = norm**0.5 * model.draw_teachers(4000, rng)
        seen = model.draw_masks(4000, rng, weights)
        assert seen.sum() == 4000
        assert seen[weights != 0].all()
        # Each half of the coordinates has its part, and units have those of their own.
        np.testing.assert_allclose([seen[:, :2000].mean(), np.mean(seen[0] * seen[1])], [0.5, 0.25], atol=0.03)


@pytest.mark.parametrize("W", [[[1.0, 0.3], [0.3, 0.5]], [[1.0, 0.99], [0.99, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
def test_moments_of_boxes_are_those_of_draws(W):
    """Also of units that are almost the same, or have no weights."""
    theta, n = np.array([0.4, 0.7]), 400_000
    w = np.random.default_rng(0).multivariate_normal(np.zeros(2), W, n)
    f, moments = tickets.kept_moments(np.array(W), theta)
    for i, kept in enumerate(tickets.classes(2)):
        inside = ((np.abs(w) > theta) == (kept > 0)).all(axis=1)
        parts = inside[:, None, None] * w[:, :, None] * w[:, None, :]
        assert abs(inside.mean() - f[i]) < 5 * np.sqrt(f[i] / n) + 1e-12
        assert (np.abs(parts.mean(0) - moments[i]) < 5 * parts.std(0) / np.sqrt(n) + 1e-12).all()


def test_units_that_are_the_same_are_known_where_they_are_kept_alike():
    ones = np.ones((2, 2))
    f, moments = tickets.kept_moments(ones, np.array([0.5, 0.5]))
    np.testing.assert_allclose(f[[1, 2]], 0, atol=1e-12)
    np.testing.assert_allclose(moments.sum(0), ones, atol=1e-10)
    with pytest.raises(tsphys.ConvergenceError):
        tickets.kept_moments(ones, np.array([0.5, 0.7]))


def test_published_best_of_many_masks():
    for N, expected in (
        (100, (0.4116, 0.4702, 0.5147, 0.5502, 0.6046)),
        (200, (0.3789, 0.4210, 0.4540, 0.4812, 0.5248)),
    ):
        b = quantiles(N)
        np.testing.assert_allclose([masks.best_of(m, b, 0.3) for m in (10, 100, 1e3, 1e4, 1e6)], expected, atol=6e-5)
    assert abs(masks.oracle(quantiles(100_000), 0.3) - 0.7833) < 6e-5
    assert abs(masks.entropy(0.3) - 0.610864) < 6e-7


def test_searches_find_the_best_of_many_masks():
    """The formula leaves out 1/x² of the tail at x = 3 standard deviations: 2 % of τ − ρ or less."""
    b, rng = quantiles(100), np.random.default_rng(1)
    found = [masks.searched(1000, b, 0.3, rng) for _ in range(40)]
    told = masks.best_of(1000, b, 0.3)
    assert abs(np.mean(found) - told) < 3.5 * np.std(found) / np.sqrt(40) + 0.02 * (told - 0.3)


def test_the_best_of_few_masks_of_many_weights():
    """What a mask keeps is normal then, and its skewness moves the maximum by less than 0.02 of its width."""
    b, normal = quantiles(5000), NormalDist()
    squares = b**2 / np.mean(b**2)
    width = np.sqrt(0.3 * 0.7 * squares.var() / len(b))
    z = brentq(lambda z: normal.pdf(z) / z - np.exp(-np.euler_gamma) / 10, 0.5, 5)
    assert abs((masks.best_of(10, b, 0.3) - 0.3) / width - z) < 0.02


@pytest.mark.parametrize("call, name", [
    (lambda: masks.best_of(2, [1, 2, 3], 0.5), "m"),
    (lambda: masks.best_of(100, np.r_[3, np.ones(199)], 0.1), "m"),
    (lambda: masks.best_of(1e30, quantiles(100), 0.3), "m"),
    (lambda: masks.best_of(100, [0, 0], 0.5), "b"),
    (lambda: masks.best_of(100, quantiles(100), 1), "density"),
])  # fmt: skip
def test_masks_that_cannot_be_sought(call, name):
    refuses(call, name)


def test_another_formula_gives_the_same():
    model = tsphys.Pruned(lr=0.5, noise=0.1)
    usual, other = (tsphys.solve(model, start=START, t=[5.0], method=m, rtol=1e-8) for m in ("auto", "Radau"))
    # A hundred times the tolerance.
    np.testing.assert_allclose(usual["Q"], other["Q"], atol=1e-6)


def test_masks_of_equal_weights_keep_the_same():
    signs = np.where(np.arange(50) % 3, 1.0, -1.0)
    assert masks.best_of(1000, signs, 0.3) == pytest.approx(0.3, rel=1e-12)
    assert masks.searched(20, signs, 0.3, np.random.default_rng(0)) == pytest.approx(0.3, rel=1e-12)
