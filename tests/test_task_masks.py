"""A mask for each task: published numbers, closed forms of one linear unit, what isolation keeps, runs."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import TaskMasks
from tsphys.odes.task_masks import forgotten
from tsphys.validation.task_masks import LINEAR, MODELS, TASKS, T

TOLD = TaskMasks(R=[[0.1, 0.05], [0.02, -0.05]], Q=[[0.2, 0.05], [0.05, 0.1]], v=[[0.5, 0.3], [0.2, -0.1]])


@pytest.mark.parametrize("density, overlap, expected", [
    (0.5, 0.5, ((0.091923, 0.159327), (0.092985, 0.131988), (0.099574, 0.091688), (0.102326, 0.090282))),
    (0.5, 1.0, ((0.091923, 0.155097), (0.094604, 0.127941), (0.113884, 0.092331), (0.118794, 0.091297))),
    (0.8, 0.75, ((0.041169, 0.1528), (0.046085, 0.103393), (0.070086, 0.041933), (0.076098, 0.040842))),
])  # fmt: skip
def test_published_numbers(density, overlap, expected):
    """To their digits; they were integrated to 1e-6."""
    theory = tsphys.solve(replace(TOLD, density=density, overlap=overlap), t=[20, 25, 40, 120])
    np.testing.assert_allclose(theory["eps_g"], expected, rtol=0, atol=1.6e-6)


@pytest.mark.parametrize("lr, noise", [(0.02, 0.0), (0.4, 0.5)])
def test_one_linear_unit(lr, noise):
    """Over time for small η, to its first order; at the end for any."""
    model = replace(LINEAR, lr=lr, noise=noise, overlap=0.5, switch=80 / lr)
    rates = np.array([0.4, 1.2, 4.0, 80.0])
    theory = tsphys.solve(model, t=np.append(0, rates / lr) + 80 / lr)["eps_g"]
    F, told = theory[1:, 0] - theory[0, 0], forgotten(model, rates / lr)
    np.testing.assert_allclose(F[-1], told[-1], rtol=1e-8)
    if lr < 0.1:
        np.testing.assert_allclose(F, told, atol=lr * told[-1])
    rho = model.density
    last = 0.5 * (1 - rho + lr * rho * (1 - rho + noise**2) / (2 - lr * rho))
    np.testing.assert_allclose([theory[-1, 1], theory[0, 0]], last, rtol=1e-8)


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_without_common_coordinates_nothing_is_forgotten(activation):
    model = replace(TOLD, overlap=0.0, activation=activation, lr=0.5)
    eps_g = tsphys.solve(model, t=[20, 30, 100])["eps_g"]
    np.testing.assert_array_equal(eps_g[1:, 0], eps_g[0, 0])
    assert eps_g[2, 1] < eps_g[0, 1]
    sim = tsphys.simulate(replace(model, switch=1), N=40, t=[1, 2], replicas=2)["eps_g"]
    np.testing.assert_allclose(sim[:, 1, 0], sim[:, 0, 0], rtol=1e-12)


def test_all_coordinates_in_common_are_continual_learning():
    """ρ = o = 1 and no masks: `Continual` with the same heads."""
    given = {"K": 2, "M": 1, "lr": 0.8, "lr_v": 0.5, "noise": 0.1, "similarity": 0.5}
    mine = TaskMasks(density=1, overlap=1, switch=5, R=TOLD.R, Q=TOLD.Q, v=TOLD.v, **given)
    other = tsphys.Continual(durations=[5], **given)
    start = tsphys.OrderParameters(R=TOLD.R, Q=TOLD.Q, T=other.teacher_overlaps(), v=np.ravel(TOLD.v))
    t = [2.0, 5.0, 6.0, 20.0]
    one, two = tsphys.solve(mine, t=t), tsphys.solve(other, start=start, t=t)
    np.testing.assert_allclose(one["eps_g"], two["eps_g"], atol=1e-8)
    np.testing.assert_allclose(one["R"][:, 0], two["R"], atol=1e-8)
    np.testing.assert_allclose(one["v"], two["v"], atol=1e-8)


@pytest.mark.parametrize("name", MODELS)
def test_runs_lie_on_the_theory(name):
    sim = tsphys.simulate(MODELS[name], N=300, t=T, replicas=16, seed=3)
    found = tsphys.compare(sim, tsphys.solve(MODELS[name], t=T))
    assert found.ok, found


@pytest.mark.parametrize("change", [{"overlap": 0.7}, {"density": 0.6}, {"switch": 3.5}, {"similarity": 0.2}])
def test_the_comparison_sees_other_masks(change):
    sim = tsphys.simulate(TASKS, N=400, t=T, replicas=24, seed=3)
    assert not tsphys.compare(sim, tsphys.solve(replace(TASKS, **change), t=T)).ok


@pytest.mark.parametrize("density, overlap", [(0.5, 0.0), (0.3, 0.5), (0.8, 0.75), (0.55, 1.0)])
def test_masks_have_their_sizes(density, overlap):
    masks = TaskMasks(density=density, overlap=overlap).draw_masks(40, np.random.default_rng(0))
    size = round(density * 40)
    assert (masks.sum(axis=1) == size).all()
    assert masks.prod(axis=0).sum() == round(overlap * size)


def test_a_switch_between_steps_and_times_before_it_are_right():
    """What is seen does not depend on when one looks."""
    model = replace(TASKS, switch=1.013)
    many = tsphys.simulate(model, N=50, t=[0, 0.5, 1.0, 1.02, 1.04, 2.0], replicas=2)
    few = tsphys.simulate(model, N=50, t=[0, 2.0], replicas=2)
    np.testing.assert_allclose(few["R"][:, 1], many["R"][:, -1], rtol=1e-12)


@pytest.mark.parametrize("given, name", [
    ({"density": 0.8, "overlap": 0.5}, "overlap"),
    ({"R": [[0.1, 0.05], [0.02, -0.05]]}, "Q"),
    ({"Q": [[0.2, 0.0], [0.0, 0.1]]}, "R"),
    ({"R": [[0.9, 0.0], [0.0, 0.0]], "Q": [[0.2, 0.0], [0.0, 0.1]]}, "R"),
    ({"v": [[0.5, 0.3]]}, "v"),
    ({"switch": 0}, "switch"),
    ({"similarity": 1.5}, "similarity"),
])  # fmt: skip
def test_what_cannot_be_is_refused(given, name):
    refuses(lambda: tsphys.solve(TaskMasks(**given), t=[1]), name)


def test_masks_need_a_coordinate():
    refuses(lambda: tsphys.simulate(TaskMasks(density=0.01), N=20, t=[1]), "density")


def test_a_switch_beyond_the_end_may_be_any_number():
    far, near = (tsphys.simulate(TaskMasks(switch=s), N=24, t=[0, 1], replicas=1, threads=1) for s in (1e308, 5.0))
    np.testing.assert_array_equal(far["R"], near["R"])


@pytest.mark.parametrize("change", [{"lr_v": 0.1}, {"activation": "erf"}, {"v": [[0.5], [1.0]]}])
def test_what_is_forgotten_is_known_of_one_linear_unit(change):
    refuses(lambda: forgotten(replace(LINEAR, **change), 1.0), "model")
