"""Linear students: published numbers, ends, slopes, accuracy, the delay, and plain gradient descent."""

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import LinearEstimator
from tsphys.odes.linear_estimator import delay


@pytest.mark.parametrize("gamma, t, train, fresh", [
    (0.9, 10, 3.20586e-3, 8.77239e-2), (0.5, 2, 3.91003e-2, 0.130313),
])  # fmt: skip
def test_published_numbers(gamma, t, train, fresh):
    found = tsphys.solve(LinearEstimator(alpha=1 / gamma), t=[t])
    assert found["train_mse"][0] == pytest.approx(train, rel=2e-6)
    assert found["mse"][0] == pytest.approx(fresh, rel=4e-6)


def test_published_delay():
    """At γ = 0.95 and a threshold of 1e-6, and what it tends to."""
    model = LinearEstimator(alpha=1 / 0.95)
    assert delay(model, 1e-6) == pytest.approx(3728, abs=0.6)
    least = (1 - 0.95**0.5) ** 2
    limit = np.log(1 / least) / (2 * least)
    assert limit == pytest.approx(5734, abs=0.6)
    later = [delay(model, 10.0**-k) for k in (3, 6, 12, 24)]
    assert (np.diff(later) > 0).all()
    assert later[-1] < limit


def test_ends():
    """Nothing known at first; at last least squares, and what fewer examples than dimensions do not see."""
    for alpha, noise in ((2.0, 0.5), (0.4, 0.5)):
        found = tsphys.solve(LinearEstimator(alpha=alpha, noise=noise), t=[0, 1e5])
        assert (found["mse"][0], found["train_mse"][0]) == pytest.approx((1, 1 + noise**2), rel=1e-9)
        spread = 1 / (alpha - 1) if alpha > 1 else alpha / (1 - alpha)
        assert found["mse"][1] == pytest.approx(max(1 - alpha, 0) + noise**2 * spread, rel=1e-9)
        assert found["train_mse"][1] == pytest.approx(noise**2 * max(1 - 1 / alpha, 0), abs=1e-12)
    found = tsphys.solve(LinearEstimator(alpha=2), t=[0, 1e3])
    assert found["accuracy"][1] == found["train_accuracy"][1] == 1
    # At α = 1 there is no smallest eigenvalue: 1/√(π·8t)… of directions are slower than t.
    late = tsphys.solve(LinearEstimator(alpha=1), t=[1e4, 4e4])["mse"]
    assert late[0] / late[1] == pytest.approx(2, rel=1e-3)


def test_accuracy_rises_late():
    """When 95 % of fresh answers are right the examples' have been for long, and the longer the nearer α is to 1."""
    t, ratios = np.geomspace(1, 1e4, 200), []
    for alpha in (1.1, 1.5):
        found = tsphys.solve(LinearEstimator(alpha=alpha), t=t)
        ratios.append(t[np.argmax(found["accuracy"] > 0.95)] / t[np.argmax(found["train_accuracy"] > 0.95)])
    assert ratios[0] > 10 > ratios[1] > 1


@pytest.mark.parametrize("model, more", [
    (LinearEstimator(), {}), (LinearEstimator(alpha=2, noise=0.5, tolerance=0.1), {}),
    (LinearEstimator(alpha=0.6, noise=0.3, tolerance=0.1), {}), (LinearEstimator(alpha=1.5), {"lr": 0.005}),
])  # fmt: skip
def test_simulation_on_theory(model, more):
    t = [0.5, 3, 10]
    sim, theory = tsphys.simulate(model, t=t, N=200, replicas=24, seed=1, **more), tsphys.solve(model, t=t)
    found = tsphys.compare(sim, theory)
    assert found.max_abs_z < found.threshold, found
    faster = tsphys.solve(model, t=1.5 * np.array(t))
    off = tsphys.Result(theory.kind, theory.model, theory.parameters, "t", {**faster.data, "t": theory["t"]})
    assert tsphys.compare(sim, off).verdict == "disagree"


def test_steps_are_those_of_plain_descent():
    """And times that are no multiples of the step are met."""
    model, t = LinearEstimator(alpha=1.5, noise=0.4), [0.33, 1.0]
    sim = tsphys.simulate(model, t=t, N=20, lr=0.1, replicas=1, seed=3)
    rng = tsphys.numerics.random.generator(3, 0, "examples")
    X = rng.standard_normal((30, 20))
    noise = 0.4 * rng.standard_normal(30)
    star = np.zeros(20)
    w, seen = star - np.eye(20)[0], []
    for steps, lr in ((4, 0.33 / 4), (7, 0.67 / 7)):
        for _ in range(steps):
            w = w - lr * X.T @ (X @ (w - star) - noise) / 30
        seen.append((np.sum((w - star) ** 2), np.mean((X @ (w - star) - noise) ** 2)))
    np.testing.assert_allclose(np.stack([sim["mse"][0], sim["train_mse"][0]], axis=1), seen, rtol=1e-10)
    small = tsphys.simulate(model, t=t, N=20, lr=1e-4, replicas=1, seed=3)
    flow = tsphys.simulate(model, t=t, N=20, replicas=1, seed=3)
    np.testing.assert_allclose(small["mse"], flow["mse"], rtol=1e-3)


def test_refusals():
    refuses(lambda: tsphys.simulate(LinearEstimator(alpha=1), t=[1], lr=0.6), "lr")
    refuses(lambda: tsphys.simulate(LinearEstimator(alpha=1e-3), t=[1], N=20), "alpha")
    refuses(lambda: LinearEstimator(tolerance=0.0), "tolerance")
    refuses(lambda: delay(LinearEstimator(noise=0.1), 1e-3), "noise")
    refuses(lambda: delay(LinearEstimator(alpha=0.5), 1e-3), "alpha")
    refuses(lambda: delay(LinearEstimator(), 0.0), "threshold")
    refuses(lambda: delay(LinearEstimator(), 1.0), "threshold")


def test_what_is_known_by_hand():
    passes("linear_estimator", "the first step")
