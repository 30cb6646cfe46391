"""The clairvoyant attack: its actions against a plain quadratic program, and against attackers that know less."""

import numpy as np
import pytest

import tsphys
from tsphys import OnlineAttack
from tsphys.sims import clairvoyant

FREE = {"a_min": None, "a_max": None}


def stream(N=6, P=2, steps=40, seed=0):
    """u, Δ and X of a student that is not quite the teacher."""
    rng = np.random.default_rng(seed)
    return 0.3 * rng.standard_normal(N), -2 * rng.standard_normal(N), rng.standard_normal((steps, P, N))


def test_the_cost_is_that_of_a_plain_loop():
    """Step i weighs exp(−bηi/N)."""
    u, delta, X = stream()
    steps, P, N = X.shape
    model = OnlineAttack(strategy="clairvoyant", minibatch=P, lr=0.7, cost=0.4, discount=0.9, overlap=0.3, **FREE)
    kappa, actions = X @ delta / np.sqrt(N), np.linspace(-1, 2, steps)
    expected, now = 0.0, u.copy()
    for i, (x, a) in enumerate(zip(X, actions, strict=True)):
        s = x @ now / np.sqrt(N)
        stage = 0.5 * 0.4 * 2 * (1 - 0.3) * a**2 + 0.5 * np.mean((s - kappa[i]) ** 2)
        expected += np.exp(-0.9 * 0.7 * i / N) * stage
        now = now - 0.7 / (P * np.sqrt(N)) * x.T @ (s - a * kappa[i])
    assert clairvoyant.total_cost(model, u, X, kappa, actions)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_the_plan_is_the_minimum_of_the_quadratic_cost(discount):
    """The cost is a parabola in the actions, whose matrix is found from its values alone."""
    u, delta, X = stream()
    model = OnlineAttack(strategy="clairvoyant", minibatch=2, lr=0.7, cost=0.4, discount=discount, **FREE)
    kappa = X @ delta / np.sqrt(X.shape[2])
    n = len(X)

    def cost(a):
        return clairvoyant.total_cost(model, u, X, kappa, a)[0]

    unit, zero = np.eye(n), cost(np.zeros(n))
    single = np.array([cost(e) - zero for e in unit])
    H = np.array([[cost(e + f) - zero for f in unit] for e in unit]) - single[:, None] - single
    gradient = single - 0.5 * np.diag(H)
    best = np.linalg.solve(H, -gradient)
    # The parabola is known to the rounding of its values, over its smallest curvature.
    np.testing.assert_allclose(clairvoyant.plan(model, u, delta, X), best, atol=1e-9)
    a = np.linspace(-1, 1, n)
    np.testing.assert_allclose(clairvoyant.total_cost(model, u, X, kappa, a)[1], H @ a + gradient, atol=1e-10)


def test_a_plan_within_bounds_is_stationary_in_the_box():
    u, delta, X = stream()
    model = OnlineAttack(strategy="clairvoyant", minibatch=2, lr=0.7, cost=0.1, a_min=0.0, a_max=0.6)
    a = clairvoyant.plan(model, u, delta, X)
    slope = clairvoyant.total_cost(model, u, X, X @ delta / np.sqrt(6), a)[1]
    assert a.min() == 0.0
    assert a.max() == 0.6
    inside = (a > 1e-6) & (a < 0.6 - 1e-6)
    assert inside.any()
    # A thousand times the tolerance of the search, on slopes of order one.
    assert np.abs(slope[inside]).max() < 1e-4
    assert (slope[a == 0.0] > -1e-4).all()
    assert (slope[a == 0.6] < 1e-4).all()


def test_who_knows_the_future_pays_least():
    """On the whole time, over the same number of runs; the others are compared within their errors."""
    N, t = 10, [0.0, 10.0]
    paid = {}
    for strategy in ("constant", "greedy", "optimal", "clairvoyant"):
        model = OnlineAttack(strategy=strategy, lr=0.5, horizon=10.0, **FREE)
        sim = tsphys.simulate(model, N=N, t=t, replicas=48)
        paid[strategy] = sim.mean("cost")[1], sim.sem("cost")[1]
    best, error = paid.pop("clairvoyant")
    for cost, other in paid.values():
        assert best < cost - 3 * np.hypot(error, other)


def test_runs_repeat_and_are_taken_up_again():
    model = OnlineAttack(strategy="clairvoyant", horizon=2.0)
    whole = tsphys.simulate(model, N=8, t=[0.5, 1.0], replicas=3, threads=1)
    part = tsphys.simulate(model, N=8, t=[0.5, 1.0], replicas=2, threads=2)
    again = tsphys.simulate(model, N=8, t=[0.5, 1.0], replicas=3, resume=part)
    for name in whole.observables:
        np.testing.assert_array_equal(again[name], whole[name])
        np.testing.assert_array_equal(part[name], whole[name][:2])


@pytest.mark.parametrize(
    ("options", "name"), [({"t": [3.0]}, "t"), ({"engine": "exact"}, "engine"), ({"dtype": "float32"}, "dtype")]
)
def test_bad_calls_say_so(options, name):
    model = OnlineAttack(strategy="clairvoyant", horizon=2.0)
    with pytest.raises(tsphys.ModelError) as caught:
        tsphys.simulate(model, **{"N": 8, "t": [1.0], **options})
    assert caught.value.name == name
