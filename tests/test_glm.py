"""Simulation of generalised linear models: against loops, optima, their theory, and what is refused."""

import numpy as np
import pytest
from scipy import optimize, special, stats

import tsphys
from tests.checking import passes
from tests.naive import glm as naive
from tsphys import GLM
from tsphys.errors import ConvergenceError, ModelError
from tsphys.physics.inference.channels import Interval, Logistic
from tsphys.physics.inference.losses import loss, slope
from tsphys.physics.inference.priors import gaussian, rademacher, sparse_rademacher
from tsphys.sims.engines.inference.message_passing import Estimate, message_passing
from tsphys.sims.engines.inference.minimise import max_margin, minimise


@pytest.mark.parametrize("prior", [rademacher(), sparse_rademacher(0.4)], ids=["binary", "sparse"])
def test_message_passing_is_the_plain_loop(prior):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 20)) / np.sqrt(20)
    channel = Logistic()
    y = channel.draw(rng, X @ prior.draw(rng, 20))
    slow = naive.message_passing(X, y, naive.logistic_likelihood, prior.means, prior.weights, 5)
    fast = list(message_passing(X, y, prior, channel, Estimate(np.zeros(20), np.ones(20)), 5, tol=0.0))
    assert len(fast) == 6
    for a, b in zip(fast[1:], slow):
        assert a.w == pytest.approx(b, abs=1e-9)


def test_message_passing_of_signs():
    """One step for the sign channel, whose naive sum over a step is good to half its spacing."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(12, 8)) / np.sqrt(8)
    y = np.sign(X @ np.ones(8))
    slow = naive.message_passing(X, y, naive.sign_likelihood, (1.0, -1.0), (0.5, 0.5), 1)[0]
    fast = list(message_passing(X, y, rademacher(), Interval(), Estimate(np.zeros(8), np.ones(8)), 1, tol=0.0))[1]
    assert fast.w == pytest.approx(slow, abs=0.02)


@pytest.mark.parametrize("name", ["square", "logistic", "hinge"])
@pytest.mark.parametrize("shape", [(30, 50), (80, 20)])
def test_minima_of_risks(name, shape):
    """Against a general optimiser, and the value of the risk, which is what a minimum is."""
    rng = np.random.default_rng(3)
    n, N = shape
    X = rng.normal(size=shape) / np.sqrt(N)
    y = np.sign(X @ rng.normal(size=N) + 0.3 * rng.normal(size=n))
    lam = 0.2
    w, step = minimise(name, X, y, lam)
    assert np.linalg.norm(step) < 1e-14 * np.linalg.norm(w)

    def risk(w):
        return loss(name, y, X @ w).sum() + 0.5 * lam * w @ w

    if name != "hinge":
        jac = lambda w: X.T @ slope(name, y, X @ w) + lam * w  # noqa: E731
        assert np.abs(jac(w)).max() < 1e-7
        other = optimize.minimize(risk, np.zeros(N), jac=jac, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 1e-15})
        assert w == pytest.approx(other.x, abs=1e-5)
        return
    # As a quadratic programme with slacks.
    start = np.concatenate([np.zeros(N), np.ones(n)])
    other = optimize.minimize(
        lambda v: v[N:].sum() + 0.5 * lam * v[:N] @ v[:N], start,
        jac=lambda v: np.concatenate([lam * v[:N], np.ones(n)]), bounds=[(None, None)] * N + [(0, None)] * n,
        constraints={"type": "ineq", "fun": lambda v: y * (X @ v[:N]) - 1 + v[N:],
                     "jac": lambda v: np.hstack([y[:, None] * X, np.eye(n)])},
        method="SLSQP", options={"maxiter": 500, "ftol": 1e-12},
    )  # fmt: skip
    assert risk(w) == pytest.approx(other.fun, rel=1e-6)
    assert w == pytest.approx(other.x[:N], abs=1e-3)


@pytest.mark.parametrize("name", ["logistic", "hinge"])
@pytest.mark.parametrize("shape", [(30, 60), (60, 30), (300, 10)])
@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("lam", [1e-12, 1e-8, 1.0, 1e9, 1e100])
def test_risks_have_a_minimum_at_every_regularization(name, shape, noise, lam):
    """λw = Σ b y x with b = −yℓ′(yXw), and of the hinge 0 ≤ b ≤ 1, b = 0 beyond the margin and 1 within.

    The step that is left is below 1e-12 of w, the condition of the support vectors times rounding.
    """
    rng = np.random.default_rng(6)
    n, N = shape
    X = rng.normal(size=shape) / np.sqrt(N)
    y = np.where(X @ rng.normal(size=N) + noise * rng.normal(size=n) > 0, 1.0, -1.0)
    w, step = minimise(name, X, y, lam)
    assert np.linalg.norm(step) <= 1e-12 * np.linalg.norm(w)
    h = y * (X @ w)
    if name == "logistic":
        b = special.expit(-h)
    else:
        edge = 1e-9 * max(1.0, np.abs(h).max())
        lost, on = h < 1 - edge, np.abs(h - 1) <= edge
        assert on.sum() <= N
        b = np.where(lost, 1.0, 0.0)
        Z = (y[:, None] * X)[on].T
        b[on] = np.linalg.lstsq(Z, lam * w - X.T @ (b * y), rcond=None)[0]
        assert ((b > -1e-9 * b.max()) & (b < 1 + 1e-9)).all()
    # Rounding of the sum, and for the logistic loss of h in its exponent.
    sizes = np.abs(X).T @ b
    assert (np.abs(lam * w - X.T @ (b * y)) < 1e-13 * (1 + np.abs(h).max()) * sizes.max()).all()


def test_examples_that_occur_twice_count_twice():
    """Their multipliers are not unique, their weights are."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(40, 20)) / np.sqrt(20)
    y = np.where(X @ rng.normal(size=20) + 0.3 * rng.normal(size=40) > 0, 1.0, -1.0)
    for name in ("logistic", "hinge"):
        once, (twice, step) = minimise(name, X, y, 0.1)[0], minimise(name, np.vstack([X, X]), np.append(y, y), 0.2)
        assert np.linalg.norm(twice - once) <= 2 * np.linalg.norm(step) + 1e-14 * np.linalg.norm(once)
        assert np.linalg.norm(step) < 1e-8 * np.linalg.norm(once)


@pytest.mark.parametrize("shape", [(20, 40), (40, 40), (60, 40)])
def test_tiny_ridges_keep_their_digits(shape):
    """Without noise w = Xᵀa with a of order one, and y − Xw = λa; the worst condition is that of 40 × 40, ~1e4."""
    rng = np.random.default_rng(13)
    X = rng.normal(size=shape) / np.sqrt(40)
    y = X @ rng.normal(size=40)
    assert np.abs(y - X @ minimise("square", X, y, 1e-12)[0]).max() < 1e-10


def test_margin_is_maximal():
    """No direction improves it: the optimum is a positive combination of support vectors, here by least squares."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 30)) / np.sqrt(30)
    y = np.sign(X @ rng.normal(size=30))
    w, margin, step = max_margin(X, y)
    assert np.linalg.norm(step) < 1e-13 * np.linalg.norm(w)
    assert w @ w == pytest.approx(30)
    h = y * (X @ w)
    assert h.min() == pytest.approx(margin, rel=1e-12)
    support = h < margin * (1 + 1e-9)
    a, left = optimize.nnls((y[support, None] * X[support]).T, w)
    assert left < 1e-12 * np.linalg.norm(w)
    assert (a > 0).sum() >= 2
    hinge = minimise("hinge", X, y, 1e-5)[0]
    assert hinge / np.linalg.norm(hinge) == pytest.approx(w / np.linalg.norm(w), abs=1e-12)


def test_labels_that_cannot_be_separated_are_refused():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 5))
    with pytest.raises(ConvergenceError):
        max_margin(X, rng.choice([-1.0, 1.0], 60))


def agrees(sim, theory, allowance, level=1e-4):
    """z-scores of all observables, with an allowance for the bias of order 1/N, `allowance`/N."""
    n = len(sim["m"])
    worst = 0.0
    for name in ("m", "q", "mse", "overlap", "eps_g"):
        gap = np.abs(sim.mean(name) - theory[name])
        error = np.hypot(sim.sem(name), allowance / sim.meta["N"]) + 1e-9
        worst = max(worst, float((gap / error).max()))
    count = 5 * len(theory["m"])
    return worst < stats.t.isf(level / 2 / count, n - 1)


STEPS = {
    "sign": GLM(alpha=1.5),
    "binary": GLM(prior="rademacher", alpha=1.1),
    "sparse": GLM(prior="gauss_bernoulli", density=0.3, channel="linear", noise=0.05, alpha=0.6),
    "relu": GLM(channel="relu", noise=0.1, alpha=1.5),
    "noiseless relu": GLM(channel="relu", alpha=1.0),
    "logistic": GLM(channel="logistic", alpha=3.0),
    "threshold": GLM(channel="threshold", prior="sparse_rademacher", density=0.5, alpha=2.0),
}


@pytest.mark.parametrize("model", STEPS.values(), ids=STEPS)
def test_message_passing_follows_state_evolution(model):
    """Step by step, from a known overlap of 0.3; a wrong factor anywhere in either moves it by 0.1."""
    at = {"t": [0, 1, 2, 3, 5, 8], "start": 0.3}
    sim = tsphys.simulate(model, N=600, replicas=12, seed=1, **at)
    assert agrees(sim, tsphys.solve(model, **at), allowance=3.0)


@pytest.mark.slow
@pytest.mark.parametrize("model", [STEPS["binary"], GLM(channel="abs", alpha=1.5)], ids=["binary", "abs"])
def test_message_passing_follows_state_evolution_at_large_size(model):
    at = {"t": np.arange(11), "start": 0.1}
    sim = tsphys.simulate(model, N=10_000, replicas=4, seed=2, dtype="float32", threads=1, **at)
    theory = tsphys.solve(model, **at)
    assert agrees(sim, theory, allowance=10.0)
    assert np.abs(sim.mean("overlap") - theory["overlap"]).max() < 5 / np.sqrt(10_000)


@pytest.mark.parametrize(
    "estimator", ["ridge", pytest.param("logistic", marks=pytest.mark.slow), "hinge", "max_margin"]
)
def test_minima_follow_the_theory(estimator):
    model = GLM(estimator=estimator)
    sim = tsphys.simulate(model, N=150, alpha=[0.5, 2.0], replicas=16, seed=3)
    theory = tsphys.solve(model, alpha=[0.5, 2.0])
    assert agrees(sim, theory, allowance=4.0)
    for name in ("train_loss", "margin"):
        if name in theory:
            gap = np.abs(sim.mean(name) - theory[name])
            assert (gap < 5 * sim.sem(name) + 4 / 150).all()


@pytest.mark.parametrize("shape", [(30, 60), (60, 30), (600, 12)])
@pytest.mark.parametrize("lam", [1e-10, 0.1, 1e9])
def test_robust_risks_have_a_minimum_at_every_regularization(shape, lam):
    """λw = Σ b x with |b| at most c, b = y − h of Huber's loss within and sign(y − h) of the absolute one.

    Where forces are small the rounding of y − h, 1e-16 of its size, stands against λw.
    """
    rng = np.random.default_rng(9)
    n, N = shape
    X = rng.normal(size=shape) / np.sqrt(N)
    y = X @ rng.normal(size=N) + np.where(rng.random(n) < 0.2, 5, 0.5) * rng.normal(size=n)
    w, step = minimise("huber", X, y, lam, 0.7)
    assert np.linalg.norm(step) < 1e-12 * np.linalg.norm(w)
    off = lam * w - X.T @ np.clip(y - X @ w, -0.7, 0.7)
    assert np.abs(off).max() < 1e-13 * (np.abs(y).max() * np.abs(X).sum(axis=0).max() + lam * np.abs(w).max())
    w, step = minimise("absolute", X, y, lam)
    assert np.linalg.norm(step) < 1e-8 * np.linalg.norm(w)
    h = y - X @ w
    on = np.abs(h) < 1e-8
    b = np.sign(h)
    b[on] = np.linalg.lstsq(X[on].T, lam * w - X.T @ np.where(on, 0, b), rcond=None)[0]
    assert np.abs(b).max() < 1 + 1e-7
    assert np.abs(lam * w - X.T @ b).max() < 1e-13 * np.abs(X).sum(axis=0).max() + 1e-9 * lam * np.abs(w).max()


@pytest.mark.parametrize("estimator", ["huber", "absolute", "bayes"])
def test_outliers_follow_the_theory(estimator):
    model = GLM(estimator=estimator, channel="linear", noise=0.25, outliers=0.2, alpha=2.0)
    sim, theory = tsphys.simulate(model, N=150, replicas=24, seed=3), tsphys.solve(model)
    assert agrees(sim, theory, allowance=4.0)
    if "train_loss" in theory:
        assert (np.abs(sim.mean("train_loss") - theory["train_loss"]) < 5 * sim.sem("train_loss") + 4 / 150).all()


@pytest.mark.parametrize("model", [
    GLM(alpha=3.0), GLM(alpha=3.0, estimator="logistic"),
    GLM(alpha=3.0, channel="linear", noise=0.25, outliers=0.2, estimator="huber"),
], ids=["bayes", "logistic", "huber"])  # fmt: skip
def test_your_own_data(model):
    """Drawn as the model has it they give what the model gives, on examples that are held out."""
    rng = np.random.default_rng(4)
    X, w = rng.normal(size=(4000, 100)), rng.normal(size=100)
    y = model.objects()[1].draw(rng, X @ w / np.linalg.norm(w))
    sim, theory = tsphys.simulate(model, X=X, y=y, replicas=8), tsphys.solve(model)
    noise = 0.0 if model.channel == "sign" else 0.5 * (0.8 * 0.25 + 0.2 * 25)
    # Of 3700 outputs, and of one teacher in a hundred dimensions.
    assert sim.mean("eps_g")[0] == pytest.approx(theory["eps_g"][0] + noise, abs=0.02 if noise == 0 else 0.35)
    assert "m" not in sim


@pytest.mark.slow
def test_bayes_optimal_errors():
    """p = 1000: .2544 and .1299 at loads 1 and 3 of Gaussian weights, .2306 and .1754 at 1 and 1.3 of ±1."""
    for model, alpha, errors in (
        (GLM(), [1.0, 3.0], [0.2544, 0.1299]),
        (GLM(prior="rademacher"), [1.0, 1.3], [0.2306, 0.1754]),
    ):
        sim = tsphys.simulate(model, N=1000, alpha=alpha, replicas=8, seed=4)
        assert (np.abs(sim.mean("eps_g") - errors) < 5 * sim.sem("eps_g") + 1e-3).all()
        assert (sim["converged"] == 1).all()
        # Nishimori: |ŵ|² = ŵ·w* on average.
        assert (np.abs(sim.mean("m") - sim.mean("q")) < 5 * np.hypot(sim.sem("m"), sim.sem("q"))).all()


def test_first_order_transition_on_instances():
    """Between the thresholds a start near the truth recovers it and one from nothing does not; beyond, both do."""
    model = GLM(prior="rademacher")
    cold = tsphys.simulate(model, N=1000, alpha=[1.3, 1.8], replicas=4, seed=5)
    warm = tsphys.simulate(model, N=1000, alpha=[1.3], start=0.995, replicas=4, seed=5)
    assert (cold["mse"][:, 0] > 0.1).all()
    # What is left to be decided when it ends is 0.1 weight.
    assert (cold["mse"][:, 1] < 1e-3).all()
    assert (warm["mse"] < 1e-3).all()


def test_threads_and_resumption_do_not_change_a_bit():
    model = GLM(prior="rademacher")
    at = {"N": 100, "alpha": [0.5, 1.0], "seed": 6}
    one, two = (tsphys.simulate(model, replicas=4, threads=n, **at) for n in (1, 2))
    part = tsphys.simulate(model, replicas=2, **at)
    more = tsphys.simulate(model, replicas=4, resume=part, **at)
    for name in one.observables:
        assert np.array_equal(one[name], two[name])
        assert np.array_equal(one[name], more[name])
    assert len(np.unique(one["m"])) == 8


def test_damping_changes_the_path_and_not_its_end():
    a, b = (tsphys.simulate(GLM(), N=200, replicas=2, seed=7, damping=d) for d in (0.0, 0.3))
    assert a["m"] == pytest.approx(b["m"], abs=1e-4)
    assert (b["iterations"] > a["iterations"]).all()


def test_damping_mixes_old_and_new():
    """Of means and variances alike, in one step, which starts from the same messages."""
    rng = np.random.default_rng(12)
    X, y = rng.normal(size=(60, 40)) / np.sqrt(40), rng.choice([-1.0, 1.0], 60)
    first = Estimate(0.1 * rng.normal(size=40), 0.5 + rng.random(40))
    plain, mixed = (list(message_passing(X, y, gaussian(), Interval(), first, 1, d))[1] for d in (0.0, 0.3))
    np.testing.assert_allclose(mixed.w, 0.3 * first.w + 0.7 * plain.w, rtol=1e-14)
    np.testing.assert_allclose(mixed.c, 0.3 * first.c + 0.7 * plain.c, rtol=1e-14)


def test_single_precision():
    a, b = (tsphys.simulate(GLM(), N=200, replicas=2, seed=7, dtype=d) for d in ("float64", "float32"))
    assert not np.array_equal(a["m"], b["m"])
    assert b["eps_g"].mean() == pytest.approx(a["eps_g"].mean(), abs=0.05)


def test_prior_of_the_wrong_size_would_be_seen():
    """A prior of twice the variance does worse, so that the agreement with the theory is no accident."""
    rng = np.random.default_rng(8)
    errors = []
    for variance in (1.0, 8.0):
        total = 0.0
        for _ in range(6):
            w = rng.normal(size=300)
            X = rng.normal(size=(300, 300)) / np.sqrt(300)
            y = Logistic().draw(rng, X @ w)
            first = Estimate(np.zeros(300), np.full(300, variance))
            total += np.mean((list(message_passing(X, y, gaussian(variance), Logistic(), first, 60))[-1].w - w) ** 2)
        errors.append(total / 6)
    assert errors[1] > 1.2 * errors[0]


BAD = {
    "N": {"N": 1},
    "alpha": {"alpha": 1e-9},
    "start": {"start": 1.0},
    "damping": {"damping": 1.0},
    "most": {"most": 0},
    "dtype": {"dtype": "float16"},
    "t": {"t": [0.5]},
    "replicas": {"replicas": 0},
    "seed": {"seed": -1},
    "density": {"density": 0.5},
    "X": {"y": np.ones(5)},
    "y": {"X": np.ones((30, 3)), "y": 2 * np.ones(30), "alpha": 2.0},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_line(name):
    with pytest.raises(ModelError) as error:
        tsphys.simulate(GLM(), **{"N": 50, **BAD[name]})
    assert error.value.name == name
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name, model, options",
    [
        ("t", GLM(estimator="ridge"), {"t": [0, 1]}),
        ("axis", GLM(), {"t": [0, 1], "alpha": [1, 2]}),
        ("damping", GLM(), {"t": [0, 1], "damping": 0.5}),
        ("N", GLM(), {"N": 10**7}),
    ],
)
def test_what_cannot_be_simulated_is_refused(name, model, options):
    with pytest.raises(ModelError) as error:
        tsphys.simulate(model, **{"N": 50, **options})
    assert error.value.name == name


def test_what_is_known_by_hand():
    passes("glm", "minima of risks")
