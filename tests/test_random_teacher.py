"""Random teachers: published numbers, the flow of a student in closed form, limits, and simulations on theory."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import KernelRidge, RandomTeacher
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.replica.random_teacher import filtered
from tsphys.sims.engines.gradient import DeepLinear, flow
from tsphys.sims.random_teacher import Options, course

PUBLISHED = RandomTeacher(noise=0.1**0.5)
SMALL = RandomTeacher(inputs=100, n=60, features=40)


@pytest.mark.parametrize("features, t, excess", [
    (60, 1, 0.110461), (60, 10, 0.126035), (60, None, 0.294162),
    (300, 1, 0.101373), (300, 10, 0.118265), (300, None, 0.291487),
])  # fmt: skip
def test_published_numbers(features, t, excess):
    """Excess risks, which are twice eps_g."""
    found = tsphys.solve(replace(PUBLISHED, t=t, features=features), n=[150])
    assert 2 * found["eps_g"][0] == pytest.approx(excess, abs=6e-7)


@pytest.mark.slow
@pytest.mark.parametrize("features, t, excess", [
    (60, 1, 0.110461), (60, 10, 0.126035), (60, None, 0.294162),
    (300, 1, 0.101373), (300, 10, 0.118265), (300, None, 0.291487),
])  # fmt: skip
def test_published_numbers_are_those_of_students(features, t, excess):
    """Within 3 s.e. of 32 students, and a hundredth: what is of order 1/n."""
    found = tsphys.simulate(replace(PUBLISHED, t=t, features=features), n=[150], replicas=32, seed=1)
    assert 2 * found.mean("eps_g")[0] == pytest.approx(excess, abs=6 * found.sem("eps_g")[0] + 0.01 * excess)


def test_many_features_are_a_kernel():
    """To order 1/p, with the spectrum λ(1 − e^{−λt})²."""
    many, i = replace(SMALL, features=10**7), np.arange(1.0, 101)
    values, power = i**-1.2, i**-1.6
    kernel = KernelRidge(n=60, ridge=1e-3, noise=0.3, eigenvalues=values * (1 - np.exp(-values)) ** 2,
                         target=np.sqrt(power / power.sum()))  # fmt: skip
    for name in ("eps_g", "train_loss"):
        found, limit = tsphys.solve(many, n=[60])[name], tsphys.solve(kernel, n=[60])[name]
        np.testing.assert_allclose(found, limit, rtol=1e-4)


def test_white_inputs_are_not_filtered():
    """All directions grow alike: flat in time but for what the ridge is in units of the features."""
    white = RandomTeacher(decay=0, inputs=100, n=60, features=40, ridge=1e-9)
    found = tsphys.solve(white, t=[0.1, 1, 100])
    np.testing.assert_allclose(found["eps_g"], found["eps_g"][0], rtol=1e-6)
    np.testing.assert_allclose(found["distance"], np.exp(-2 * np.array([0.1, 1, 100])), rtol=1e-9)


def test_a_young_student_is_better_where_large_components_matter():
    t = np.geomspace(0.05, 1e3, 40)
    for target_decay, better in ((1.6, True), (0.0, False)):
        model = replace(RandomTeacher(), target_decay=target_decay)
        teacher = tsphys.solve(replace(model, t=None), n=[150])["eps_g"][0]
        least = tsphys.solve(model, t=t)["eps_g"].min()
        assert bool(least < 0.6 * teacher) is better
    # So does a decay of the weights, for ever.
    decay = tsphys.solve(replace(RandomTeacher(), t=None), weight_decay=[0, 0.03, 0.3])["eps_g"]
    assert (np.diff(decay) < 0).all()


def test_nothing_at_first():
    """From W = 0 nothing is learned at t = 0, in theory and simulation; every spectrum may be nothing."""
    theory, sim = tsphys.solve(SMALL, t=[0, 1e-30]), tsphys.simulate(SMALL, t=[0, 1e-30], replicas=2)
    np.testing.assert_allclose(theory["eps_g"], 0.5, rtol=1e-9)
    np.testing.assert_allclose(sim["eps_g"], 0.5, rtol=1e-9)
    np.testing.assert_allclose(theory["train_loss"], 0.5 * 1.09, rtol=1e-9)
    np.testing.assert_allclose(theory["distance"], 1, rtol=1e-9)
    nothing = eigenframework.errors(Modes(np.zeros(3), np.full(3, 2.0)), 5, 0.1, 0.5)
    assert nothing == {"eps_g": 3.0, "train_loss": 3.25, "gamma": 0.02, "kappa": 0.02}


@pytest.mark.parametrize("model", [
    RandomTeacher(inputs=12, features=900, n=5, t=3.0, scale=0.7, overlap=0.4),
    RandomTeacher(inputs=12, features=900, n=5, t=8.0, weight_decay=0.2, scale=2.0, overlap=-0.5),
])  # fmt: skip
def test_students_are_nets_that_descend(model):
    """All weights of a net by gradient flow, to its tolerance; variances of 900 rows to four errors √(2/900)."""
    (eigenvalues, _), shape = model.spectrum(), (900, 12)
    teacher, other = np.random.default_rng(0).standard_normal((2, *shape))
    start = model.scale * (model.overlap * teacher + np.sqrt(1 - model.overlap**2) * other)
    net = DeepLinear((12, 900), np.diag(eigenvalues), teacher * eigenvalues, "l2", model.weight_decay)
    (w,) = flow(net, start.ravel(), np.array([model.t]), 1e-9)
    a, b = course(model, [model], Options())[model.t]
    np.testing.assert_allclose(w.reshape(shape), a * teacher + b * start, atol=1e-6)
    variances, off = filtered(model, eigenvalues)
    np.testing.assert_allclose(np.mean(w.reshape(shape) ** 2, axis=0), variances, rtol=4 * np.sqrt(2 / 900))
    np.testing.assert_allclose(np.mean((w.reshape(shape) - teacher) ** 2, axis=0), off, rtol=4 * np.sqrt(2 / 900))


@pytest.mark.parametrize("model, along", [
    (SMALL, {"t": [0.5, 5, 50]}), (replace(SMALL, scale=0.5, overlap=0.4), {"t": [0, 1, 10]}),
    (replace(SMALL, t=None, weight_decay=0.03), {"n": [30, 120]}),
])  # fmt: skip
def test_simulation_on_theory(model, along):
    sim, theory = tsphys.simulate(model, replicas=24, seed=1, **along), tsphys.solve(model, **along)
    found = tsphys.compare(sim, theory)
    assert found.max_abs_z < found.threshold, found
    assert tsphys.compare(sim, tsphys.solve(replace(model, decay=0.9), **along)).verdict == "disagree"


def test_refusals():
    refuses(lambda: RandomTeacher(overlap=1.1), "overlap")
    refuses(lambda: RandomTeacher(t=-1.0), "t")
    refuses(lambda: RandomTeacher(ridge=0.0), "ridge")
    refuses(lambda: tsphys.simulate(RandomTeacher(inputs=10**5, features=10**6)), "features")


def test_what_is_known_by_hand():
    passes("random_teacher", "by hand", "course of a student")
