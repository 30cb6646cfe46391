"""Risks with λ₁|w|₁: minima by their conditions, averages over weights by plain sums, both ends, runs on theory."""

import numpy as np
import pytest

import tsphys
from tests.test_glm import agrees
from tsphys import GLM
from tsphys.errors import ModelError
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.losses import slope
from tsphys.physics.inference.priors import gauss_bernoulli, gaussian, rademacher
from tsphys.replica.saddles import lasso
from tsphys.replica.saddles.penalised import Cut, penalised
from tsphys.sims.engines.inference import sparse
from tsphys.sims.engines.inference.minimise import minimise

NET = {"prior": "gauss_bernoulli", "density": 0.2, "channel": "linear", "noise": 0.1, "estimator": "ridge"}


@pytest.mark.parametrize("name", ["square", "logistic"])
@pytest.mark.parametrize("shape", [(30, 60), (60, 30), (300, 10)])
def test_minima_at_every_regularization(name, shape):
    """g + λ₁ sign(w) = 0 where w ≠ 0 and |g| ≤ λ₁ elsewhere, to the rounding of the sums in g."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=shape) / np.sqrt(shape[1])
    y = X @ rng.normal(size=shape[1]) + 0.3 * rng.normal(size=shape[0])
    y = np.sign(y) if name == "logistic" else y
    for lam in (1e-12, 1e-6, 0.1, 1e9):
        for l1 in (1e-6, 1e-3, 0.3, 3.0, 1e9):
            w, step = minimise(name, X, y, lam, l1=l1)
            g = lam * w + X.T @ slope(name, y, X @ w)
            off = np.where(w != 0, np.abs(g + l1 * np.sign(w)), np.maximum(np.abs(g) - l1, 0))
            assert off.max() < 1e-9 * (l1 + np.abs(X).sum(axis=0).max())
            assert np.linalg.norm(step) < 1e-12 * np.linalg.norm(w) + 1e-300
            assert (w == 0).all() or l1 < 1e9


def test_its_ends_on_instances():
    """With next to no λ the lasso, by another solver; with next to no λ₁ the ridge."""
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(40, 60)) / np.sqrt(60), rng.normal(size=40)
    np.testing.assert_allclose(minimise("square", X, y, 1e-12, l1=0.2)[0], sparse.lasso(X, y, 0.2), atol=1e-9)
    for name, labels in (("square", y), ("logistic", np.sign(y))):
        plain = minimise(name, X, labels, 0.1)[0]
        # To first order in λ₁/λ, of signs.
        np.testing.assert_allclose(minimise(name, X, labels, 0.1, l1=1e-6)[0], plain, atol=1e-6 / 0.1 * 8)


def test_its_ends_in_theory():
    for alpha, l1 in ((0.5, 0.1), (2.0, 0.5)):
        found = tsphys.solve(GLM(**{**NET, "alpha": alpha, "regularization": 1e-12, "l1": l1}))
        told = lasso.minimum(alpha, 0.2, 0.1, l1)
        assert found["mse"][0] == pytest.approx(told.mse, rel=1e-8)
        assert found["active"][0] == pytest.approx(told.active, rel=1e-8)
    for given in (NET, {"estimator": "logistic", "noise": 0.2}, {"estimator": "ridge"}):
        plain, soft = (tsphys.solve(GLM(**{**given, "l1": l1})) for l1 in (0.0, 1e-6))
        for name in ("m", "q", "eps_g", "train_loss"):
            assert soft[name][0] == pytest.approx(plain[name][0], rel=1e-4)
    nothing = tsphys.solve(GLM(estimator="logistic"), l1=[1e3, 1e100])
    assert (nothing["q"] == 0).all()
    assert (nothing["eps_g"] == 0.5).all()
    assert nothing["train_loss"] == pytest.approx(np.log(2))


@pytest.mark.parametrize("prior", [gaussian(), rademacher(), gauss_bernoulli(0.3)], ids=["normal", "binary", "sparse"])
def test_averages_over_weights_are_plain_sums(prior):
    """Over w* and z apart from each other; of jumps in sums of steps 5e-3 half a step is left."""
    z = np.linspace(-8, 8, 3201)
    dense = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    for q_hat, m_hat, l1, lam, V_hat in ((0.7, 0.5, 0.4, 0.1, 0.6), (0.02, 2.0, 0.1, 0.2, 2.0)):
        V = q = m = norm = 0.0
        for p, mean, s in zip(prior.weights, prior.means, prior.variances, strict=True):
            for w, weight in (
                [(mean, 1.0)] if s == 0 else zip(mean + np.sqrt(s) * z[::20], 20 * dense[::20], strict=True)
            ):
                b = m_hat * w + np.sqrt(q_hat) * z
                cut = np.sign(b) * np.maximum(np.abs(b) - l1, 0) / (lam + V_hat)
                V += p * weight * dense @ (np.abs(b) > l1) / (lam + V_hat)
                q, m, norm = q + p * weight * dense @ cut**2, m + p * weight * w * dense @ cut, norm + p * weight
        told = Cut(prior, l1).primal(lam, V_hat, q_hat, m_hat)
        assert told == pytest.approx((V, q - m * m, m), abs=3e-3 * V)
        assert Cut(prior, l1).norm(lam, V_hat, q_hat, m_hat) == pytest.approx(q, rel=1e-4)


def test_what_is_left_of_a_good_student_has_its_digits():
    """q − m²/ρ as a sum of positive terms and as the difference that it is, on both sides of where they change."""
    for q_hat in (1e-4, 1e-3, 1e-2):
        cut = Cut(gauss_bernoulli(0.3), 0.01)
        _, square, overlap = cut.moments(q_hat, 3.0)
        assert cut._off(q_hat, 3.0, overlap) == pytest.approx(square - overlap**2, rel=1e-9)


def test_the_least_square_risk_is_stationary():
    """Its own equations, V̂(1 + V) = α and α·2·loss = q̂, at a point that two crossings have found."""
    found, active = penalised("square", channel("sign", 0.3), gauss_bernoulli(0.2), 0.3, 1.5, 0.2)
    assert found.V_hat * (1 + found.V) == pytest.approx(1.5, rel=1e-12)
    assert found.V * (0.2 + found.V_hat) == pytest.approx(active, rel=1e-12)
    c = np.sqrt(2 / np.pi / 1.3)
    assert 2 * found.train_loss * 1.5 == pytest.approx(found.q_hat, rel=1e-12)
    assert found.q_hat * (1 + found.V) ** 2 == pytest.approx(1.5 * (1 - 2 * c * found.m + found.q), rel=1e-10)
    assert Cut(gauss_bernoulli(0.2), 0.3).primal(0.2, found.V_hat, found.q_hat, found.m_hat) == pytest.approx(
        (found.V, found.rest, found.m), rel=1e-9
    )


RUNS = {
    "sparse": GLM(**NET, l1=0.2),
    "labels": GLM(estimator="ridge", l1=0.5),
    "logistic": GLM(estimator="logistic", noise=0.1, prior="rademacher", l1=0.4),
}


@pytest.mark.parametrize("model", RUNS.values(), ids=RUNS)
def test_runs_on_theory(model):
    sim, theory = (
        tsphys.simulate(model, N=150, alpha=[0.7, 2.0], replicas=24, seed=3),
        tsphys.solve(model, alpha=[0.7, 2.0]),
    )
    assert agrees(sim, theory, allowance=4.0)
    for name in ("train_loss", "active"):
        assert (np.abs(sim.mean(name) - theory[name]) < 5 * sim.sem(name) + 4 / 150).all()


def test_a_sparse_teacher_gains():
    """The best λ₁ beats the best ridge, and next to it a little λ does not harm."""
    ridge = tsphys.solve(GLM(**NET), regularization=np.geomspace(0.01, 3, 12))["mse"].min()
    net = tsphys.solve(GLM(**{**NET, "regularization": 0.01}), l1=np.geomspace(0.02, 1, 12))["mse"].min()
    assert net < 0.7 * ridge


@pytest.mark.parametrize("given", [{"estimator": "hinge", "l1": 0.1}, {"l1": 0.1}, {"estimator": "ridge", "l1": 1e-9},
                                   {"estimator": "ridge", "l1": -1.0}])  # fmt: skip
def test_bad_input(given):
    with pytest.raises(ModelError) as error:
        GLM(**given)
    assert error.value.name == "l1"
