"""Grokking of quadratic features: published numbers, networks of any width, Monte Carlo, and limits."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import tsphys
from tests.refusal import refuses
from tsphys import QuadraticFeature
from tsphys.odes.quadratic_feature import answers, lazy, observed, rich
from tsphys.sims.engines.gradient import TwoLayer, flow


def data(seed, D, P):
    """As published."""
    rng = np.random.default_rng(seed)
    beta = rng.normal(size=D)
    beta *= np.sqrt(D) / np.linalg.norm(beta)
    return beta, rng.normal(size=(P, D))


def at(model, t, seed=1, state=rich):
    beta, X = data(seed, model.inputs, model.examples)
    found = state(model, beta, X, np.array(t, float), np.zeros(model.inputs), np.eye(model.inputs))
    return [observed(beta, X, *one) for one in zip(*found)]


def test_population():
    found = tsphys.solve(QuadraticFeature(examples=None), t=[1, 4])
    np.testing.assert_allclose(found["mse"], [0.4179975, 0.007817496], atol=1e-6)
    np.testing.assert_allclose(1 + found["learned"] * 20 / 0.25, [14.78831, 74.86456], atol=1e-4)
    found = tsphys.solve(QuadraticFeature(alpha=10, examples=None), t=[8])
    assert found["mse"][0] == pytest.approx(0.2438920, abs=1e-6)
    assert 1 + found["learned"][0] * 20 / 5 == pytest.approx(2.271276, abs=1e-5)
    assert tsphys.solve(QuadraticFeature(examples=None), t=[0])["mse"][0] == pytest.approx(0.75 + 0.0, abs=1e-12)


def test_many_examples_are_the_population():
    """Single sets are off by some D/√P, their average by D²/P; each within 7 % at 20 D² examples."""
    s, spread = np.array([1.0]), []
    limit = tsphys.solve(QuadraticFeature(inputs=6, examples=None), t=s)["mse"]
    for P in (720, 2880):
        found = tsphys.solve(QuadraticFeature(inputs=6, examples=P), t=s * 6 / P, sets=24)
        assert found["mse"] == pytest.approx(limit, abs=0.07 * limit[0] + 3 * found.sem("mse")[0])
        spread.append(found.sem("mse")[0])
    # A ratio of standard deviations of 24 has a standard error of a fifth.
    assert spread[0] / spread[1] == pytest.approx(2, abs=0.9)


def test_network_of_a_large_scale():
    """Weights move by 1/α, far less than a tolerance of their own size would see; lazy but for O(1/α), same data."""
    small = {"inputs": 4, "examples": 12}
    sim = tsphys.simulate(QuadraticFeature(alpha=1e5, **small), t=[0.5, 5, 50], replicas=2)
    limit = tsphys.solve(QuadraticFeature(alpha=None, **small), t=[0.5, 5, 50], sets=2)
    for name in ("mse", "train_mse", "learned"):
        np.testing.assert_allclose(sim.mean(name), limit[name], rtol=1e-3)


def test_network_of_any_width_on_its_own_statistics():
    """Thirty hidden units drawn at random, to the flow's tolerance."""
    model, N = QuadraticFeature(alpha=2, eps=0.7, examples=120), 30
    beta, X = data(0, 20, 120)
    W, x, t = np.random.default_rng(5).standard_normal((N, 20)), X / np.sqrt(20), np.array([0.5, 2.0])
    h = x @ W.T
    first = 2 / N * (h + 0.35 * h**2).sum(axis=1)
    y = 0.5 * (X @ beta) ** 2 / 20
    net = TwoLayer(x, y + first, N, phi="quadratic", eps=0.7, rates=(120 * N / 4, 0.0))
    mean, moved = rich(model, beta, X, t, W.mean(axis=0), W.T @ W / N)
    for k, w in enumerate(flow(net, net.pack(W, np.full((1, N), 2 / N)), t, 1e-10)):
        V = net.layers(w)[0]
        np.testing.assert_allclose(2 * (V - W).mean(axis=0), mean[k], atol=1e-5)
        np.testing.assert_allclose(1.4 * (V.T @ V - W.T @ W) / N, moved[k], atol=1e-5)
    # Fresh inputs, by sampling.
    z = np.random.default_rng(6).standard_normal((40_000, 20))
    square = (0.5 * (z @ beta) ** 2 / 20 - answers(z, mean[1], moved[1])) ** 2
    exact = observed(beta, X, mean[1], moved[1])["mse"]
    assert square.mean() == pytest.approx(exact, abs=4 * square.std() / 200)


@pytest.mark.parametrize(
    "model", [QuadraticFeature(inputs=8, examples=30), QuadraticFeature(alpha=None, inputs=8, examples=30)]
)
def test_simulation_on_theory(model):
    """On the same data networks as good as infinitely wide ones are off by tolerances; wider ones are the same."""
    t = [0, 0.3, 2, 10]
    theory = tsphys.solve(model, t=t, sets=3)
    for width in (None, 32):
        sim = tsphys.simulate(model, t=t, replicas=3, width=width)
        for name in theory.observables:
            np.testing.assert_allclose(sim.mean(name), theory[name], atol=1e-6)
            np.testing.assert_allclose(sim.sem(name), theory.sem(name), atol=1e-6)
    # Three sets of data know nothing of their mean, on which there is no verdict; on these sets there is no difference.
    found = tsphys.compare(sim, theory)
    assert found.max_abs_z < 0.01
    assert found.verdict == "undecided"
    others = tsphys.simulate(model, t=t, replicas=3, seed=1, start="gaussian", width=3)
    assert np.abs(others.mean("mse") - theory["mse"]).max() > 1e-3


def test_lazy_limit():
    """Published numbers, and a difference of order 1/α."""
    model = QuadraticFeature(alpha=None, eps=0.5, inputs=30, examples=150)
    (found,) = at(model, [10], state=lazy)
    assert found["train_mse"] == pytest.approx(8.689e-3, abs=1e-6)
    assert found["mse"] == pytest.approx(0.44138, abs=1e-5)
    small = QuadraticFeature(alpha=None, inputs=8, examples=30)
    limit = at(small, [5], state=lazy)[0]["mse"]
    off = [at(QuadraticFeature(alpha=alpha, inputs=8, examples=30), [5])[0]["mse"] - limit for alpha in (200, 400)]
    assert off[0] / off[1] == pytest.approx(2, abs=0.05)


@pytest.mark.slow
def test_published_grokking():
    """To 1e-3 of themselves, of the recipe's data."""
    for alpha, train, test in ((1000, 8.555e-3, 0.43981), (100, 7.49e-3, 0.4262)):
        (found,) = at(QuadraticFeature(alpha=alpha, eps=0.5, inputs=30, examples=150), [10])
        assert found["train_mse"] == pytest.approx(train, rel=1e-3)
        assert found["mse"] == pytest.approx(test, rel=1e-3)
    model = QuadraticFeature(alpha=0.1, eps=0.1, inputs=50, examples=200)
    early, late = at(model, [3, 100])
    assert early["train_mse"] == pytest.approx(0.01, rel=0.2)
    assert early["mse"] == pytest.approx(0.296, abs=0.02)
    assert late["mse"] == pytest.approx(0.0095, abs=6e-5)
    lazily = QuadraticFeature(alpha=None, eps=0.1, inputs=50, examples=200)
    assert at(lazily, [1e6], state=lazy)[0]["mse"] == pytest.approx(0.6285, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("alpha, at_times", [(0.1, {3: 0.296, 100: 0.0095, 3000: 0.0021}), (2.0, {3000: 0.1022})])
def test_published_ends_of_grokking(alpha, at_times):
    """By an implicit formula, which is not held up by what has been learned, on entries that are not the same."""
    D, P, eps, times = 50, 200, 0.1, np.array([*at_times], float)
    beta, X = data(1, D, P)
    y, upper = 0.5 * (X @ beta) ** 2 / D, np.triu_indices(D)

    def parts(state):
        moved = np.zeros((D, D))
        moved[upper] = state[D:]
        return state[:D], moved + moved.T - np.diag(np.diag(moved))

    def rates(_, state):
        mean, moved = parts(state)
        error = y - answers(X, mean, eps * moved)
        g, G, w, M = X.T @ error / np.sqrt(D), (X.T * error) @ X / D, mean / alpha, np.eye(D) + moved / alpha
        half = np.outer(g, w) + eps * G @ M
        return np.concatenate([g + eps * G @ w, (half + half.T)[upper]])

    course = solve_ivp(rates, (0, 3000), np.zeros(D + len(upper[0])), method="BDF", t_eval=times, rtol=1e-4, atol=1e-6)
    for t, state in zip(times, course.y.T):
        mean, moved = parts(state)
        found = observed(beta, X, mean, eps * moved)
        assert found["mse"] == pytest.approx(at_times[int(t)], abs=6e-5 if t > 3 else 6e-4)
        assert t > 3 or found["train_mse"] == pytest.approx(0.011, abs=6e-4)


def test_worse_alignment_is_later_and_lazier_is_worse():
    t = np.geomspace(0.1, 40, 49)
    delays = []
    for eps in (0.2, 0.5):
        found = tsphys.solve(QuadraticFeature(alpha=0.3, eps=eps, inputs=10, examples=45), t=t, sets=2)
        delays.append(t[np.argmax(found["mse"] < 0.1)] - t[np.argmax(found["train_mse"] < 0.01)])
    assert delays[0] > delays[1] > 0
    ends = [
        tsphys.solve(QuadraticFeature(alpha=alpha, inputs=10, examples=45), t=[40], sets=2)["mse"][0]
        for alpha in (0.3, 3, None)
    ]
    assert (np.diff(ends) > 0).all()


def test_fast_rates_take_few_steps(monkeypatch):
    """Rates of ε²(1 + 1/αε) limit the steps of explicit formulas: 1000 here."""
    from tsphys.odes import quadratic_feature as module

    steps, integrate = [], module.integrate

    def counted(*arguments, **options):
        found = integrate(*arguments, **options)
        steps.append(found[1]["steps"])
        return found

    monkeypatch.setattr(module, "integrate", counted)
    model = QuadraticFeature(alpha=0.01, inputs=4, examples=20)
    (implicit,) = at(model, [20])
    monkeypatch.setattr(module, "STIFF", np.inf)
    (explicit,) = at(model, [20])
    assert 1.5 * steps[0] < steps[1], steps
    # Both keep 1e-7 of a step's error.
    for key, value in explicit.items():
        np.testing.assert_allclose(implicit[key], value, rtol=1e-4, atol=1e-8)


def test_refusals():
    refuses(lambda: tsphys.simulate(QuadraticFeature(examples=None), t=[1]), "examples")
    refuses(lambda: tsphys.simulate(QuadraticFeature(), t=[1], width=50), "width")
    refuses(lambda: tsphys.solve(QuadraticFeature(examples=None, alpha=None), t=[1]), "alpha")
    refuses(lambda: QuadraticFeature(alpha=0.0), "alpha")
