"""Equations of sparse students: their limit, a slow reference class by class, linear students in closed form."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tests.naive import variants
from tsphys.odes.pruned import attainable_error
from tsphys.validation.pruned import START

WIDE = tsphys.OrderParameters(R=[[0.3, 0.1], [0.05, 0.35], [0.1, 0.1]], Q=np.diag([0.4, 0.5, 0.3]), T=np.eye(2))
ONE = tsphys.OrderParameters(R=[[0.1]], Q=[[0.5]], T=[[1.0]])
LINEAR = tsphys.Pruned(K=1, M=1, activation="linear", lr=0.5, noise=0.3, density=0.4)


@pytest.mark.parametrize("g", ["erf", "relu", "linear"])
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


def test_another_formula_gives_the_same():
    model = tsphys.Pruned(lr=0.5, noise=0.1)
    usual, other = (tsphys.solve(model, start=START, t=[5.0], method=m, rtol=1e-8) for m in ("auto", "Radau"))
    # A hundred times the tolerance.
    np.testing.assert_allclose(usual["Q"], other["Q"], atol=1e-6)
