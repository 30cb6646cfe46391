"""Inputs with a covariance: sizes that do not matter, eigenvalues and matrices, and runs on theory for every risk."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tsphys import GLM
from tsphys.errors import ModelError
from tsphys.physics.inference.losses import loss

#: Each with its channel.
RISKS = {
    "ridge": {"channel": "linear", "noise": 0.2},
    "logistic": {"noise": 0.2},
    "hinge": {"regularization": 0.3},
    "max_margin": {},
    "huber": {"channel": "linear", "noise": 0.2, "outliers": 0.1},
    "absolute": {"channel": "linear", "noise": 0.2, "outliers": 0.1},
}
VALUES = [3.0, 1.0, 0.2]


@pytest.mark.parametrize("estimator", RISKS)
def test_a_size_of_all_inputs_is_one_of_the_weights(estimator):
    """√c x is x with √c w, for which λ is λ/c; of real outputs a teacher of the field √c z."""
    given = {**RISKS[estimator], "estimator": estimator, "alpha": 1.5}
    c, lam = 4.0, given.get("regularization", 0.1)
    large = tsphys.solve(GLM(**{**given, "covariance": [c], "regularization": lam}))
    if given.get("channel") != "linear":
        own = {"noise": given.get("noise", 0.0) / c, "regularization": lam / c}
        if estimator == "max_margin":
            own = {}
        small = tsphys.solve(GLM(**{**given, **own}))
        assert large["eps_g"][0] == pytest.approx(small["eps_g"][0], rel=1e-8)
    elif estimator == "ridge":
        small = tsphys.solve(GLM(**{**given, "noise": 0.2 / c, "regularization": lam / c}))
        assert large["mse"][0] == pytest.approx(c * small["mse"][0], rel=1e-9)
    one = tsphys.solve(GLM(**given))
    none = tsphys.solve(GLM(**{**given, "covariance": [1.0, 1.0, 1.0]}))
    for name in one.observables:
        assert none[name][0] == pytest.approx(one[name][0], rel=1e-8)


def test_a_matrix_is_its_eigenvalues():
    rng = np.random.default_rng(2)
    Q = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    values = np.repeat(VALUES, 10)
    matrix = (Q * values) @ Q.T
    matrix = 0.5 * (matrix + matrix.T)
    for estimator in ("logistic", "huber"):
        given = {**RISKS[estimator], "estimator": estimator}
        one, other = (tsphys.solve(GLM(**given, covariance=C)) for C in (VALUES, matrix))
        assert other["eps_g"][0] == pytest.approx(one["eps_g"][0], rel=1e-9)
    sim = tsphys.simulate(GLM(estimator="ridge", covariance=matrix), replicas=2)
    assert sim.meta["N"] == 30


@pytest.mark.parametrize("estimator", RISKS)
def test_runs_on_theory(estimator):
    model = GLM(**{**RISKS[estimator], "estimator": estimator, "alpha": 2.0, "covariance": VALUES})
    sim, theory = tsphys.simulate(model, N=150, replicas=24, seed=3), tsphys.solve(model)
    for name in theory.observables:
        error = np.hypot(sim.sem(name)[0], 5 / 150)
        assert abs(sim.mean(name)[0] - theory[name][0]) < stats.t.isf(1e-5, 23) * error, name


@pytest.mark.parametrize("estimator, channel", [("ridge", "sign"), ("logistic", "sign")])
def test_inputs_without_variance_have_no_weight(estimator, channel):
    """The ridge takes theirs to 0; a full matrix of few directions still moves all weights."""
    given = {"estimator": estimator, "channel": channel, "alpha": 2.0}
    few = np.ones((4, 4))
    few[3] = few[:, 3] = 0.0
    for covariance, share in (((1.0, 0.0), 0.5), ((4.0, 1.0, 0.1, 0.0), 0.75), ((4.0, 1.0), 1.0), (few, 0.75)):
        model = GLM(**given, covariance=covariance)
        assert tsphys.solve(model)["active"][0] == share
        assert (tsphys.simulate(model, N=80, replicas=2)["active"] == share).all()


def test_bags_and_a_full_matrix_on_theory():
    """A chain of inputs, each like its neighbours, and students of resampled examples of them."""
    at = np.arange(120)
    chain = 0.7 ** np.abs(at[:, None] - at)
    model = GLM(estimator="logistic", resampling="bootstrap", covariance=chain, noise=0.1)
    sim, theory = tsphys.simulate(model, replicas=24, seed=4), tsphys.solve(model)
    for name in theory.observables:
        error = np.hypot(sim.sem(name)[0], 5 / 120)
        assert abs(sim.mean(name)[0] - theory[name][0]) < stats.t.isf(1e-5, 23) * error, name


def test_instances_have_the_covariance():
    """eps_g of the field is that on fresh inputs drawn here, and the least risk is that of the examples."""
    from tsphys.sims import glm

    model = GLM(estimator="ridge", channel="linear", noise=0.1, covariance=[4.0, 0.25], alpha=1.0)
    options = glm.Options(N=40).suited([model])
    instance = glm.drawn(model, options, np.random.default_rng(3))
    variance = 40 * (glm.drawn(model, glm.Options(N=40).suited([model]), np.random.default_rng(4)).X ** 2).mean(axis=0)
    # A variance from 40 numbers, of twenty directions, twice.
    assert variance[:20].mean() == pytest.approx(4.0, rel=5 * np.sqrt(2 / 800))
    assert variance[20:].mean() == pytest.approx(0.25, rel=5 * np.sqrt(2 / 800))
    w = np.linalg.solve(instance.X.T @ instance.X + 0.1 * np.eye(40), instance.X.T @ instance.y)
    seen = glm.observables(model, instance, instance.seen(w), None)
    x = np.random.default_rng(5).normal(size=(20_000, 40)) * np.sqrt(np.repeat([4.0, 0.25], 20))
    off = x @ (instance.teacher / np.sqrt(np.repeat([4.0, 0.25], 20)) - w) / np.sqrt(40)
    assert 0.5 * np.mean(off**2) == pytest.approx(seen["eps_g"], rel=0.05)
    assert loss("square", instance.y, instance.X @ w).mean() < loss("square", instance.y, 0 * instance.y).mean()


BAD = {
    "bayes": {"covariance": [1.0, 2.0]},
    "negative": {"estimator": "ridge", "covariance": [1.0, -1.0]},
    "nothing": {"estimator": "ridge", "covariance": [0.0, 0.0]},
    "oblong": {"estimator": "ridge", "covariance": np.ones((2, 3))},
    "skew": {"estimator": "ridge", "covariance": [[1.0, 0.2], [0.1, 1.0]]},
}


@pytest.mark.parametrize("given", BAD.values(), ids=BAD)
def test_bad_input(given):
    with pytest.raises(ModelError) as error:
        GLM(**given)
    assert error.value.name == "covariance"
    assert "\n" not in str(error.value)


def test_what_does_not_go_together():
    for run in (
        lambda: tsphys.simulate(GLM(estimator="ridge", covariance=VALUES), N=2),
        lambda: tsphys.solve(GLM(estimator="ridge", covariance=VALUES, l1=0.1)),
        lambda: tsphys.simulate(GLM(estimator="ridge", covariance=VALUES), X=np.ones((30, 3)), y=np.ones(30)),
    ):
        with pytest.raises(ModelError, match="covariance"):
            run()
