"""Plasticity: published numbers, floors and slopes, closed forms, and nets by steps, on batches, off balance."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import Plasticity
from tsphys.odes.plasticity import after, crossing, growth, in_closed_form
from tsphys.sims.engines.gradient import DeepLinear, descend, flow

PUBLISHED = [
    ("none", 10, (2.2976, 1.4979, 1.4979)), ("none", 40, (2.2976, 2.1910, 2.1910)),
    ("l2", 10, (2.4467, 1.9171, 1.9171)), ("l2", 40, (2.4467, 3.7277, 3.7277)),
    ("spectral", 10, (2.1882, 1.2081, 1.2081)), ("spectral", 40, (2.1882, 1.4177, 1.4177)),
]  # fmt: skip


@pytest.mark.parametrize("penalty, T, expected", PUBLISHED)
def test_published_numbers(penalty, T, expected):
    found = tsphys.solve(Plasticity(penalty=penalty, duration=T), t=[0, 2, 4])
    np.testing.assert_allclose(found["relearning"], expected, atol=1e-4)


@pytest.mark.parametrize("penalty, T, expected", PUBLISHED[:1] + PUBLISHED[2:3] + PUBLISHED[4:5])
def test_descent_by_small_steps(penalty, T, expected):
    """A net of 8 inputs and 5 answers, by steps dt = 2e-3 on all moments: crossings to 2dt."""
    rng, dt = np.random.default_rng(0), 2e-3
    V, U, R = (np.linalg.qr(rng.standard_normal((d, 3)))[0] for d in (8, 5, 3))
    w, times = np.concatenate([(0.1 * R @ V.T).ravel(), (0.1 * U @ R.T).ravel()]), []
    for task in range(3):
        on = DeepLinear((8, 3, 5), np.eye(8), (task % 2 == 0) * U @ V.T, penalty, 0.05)
        steps = np.arange(1, round(T / dt) + 1) if task % 2 == 0 else np.array([round(T / dt)])
        path = list(descend(on, w, steps, dt))
        w = path[-1]
        if task % 2 == 0:
            x = [U[:, 0] @ np.linalg.multi_dot([on.layers(v)[1], on.layers(v)[0], V[:, 0]]) for v in path]
            times.append(dt * (1 + np.flatnonzero(np.array(x) >= 0.5)[0]))
    np.testing.assert_allclose(times, expected[:2], atol=2 * dt)


@pytest.mark.parametrize("model", [
    Plasticity(penalty="none", modes=3, duration=6), Plasticity(strength=0.2, duration=15),
    Plasticity(penalty="spectral", depth=3, duration=4), Plasticity(penalty="init", duration=4),
    Plasticity(penalty="init", depth=3, start=0.1, duration=4), Plasticity(depth=4, start=0.05, duration=20),
])  # fmt: skip
def test_nets_on_theory(model):
    """Gradient flow of the net itself; each step to 1e-10, and some hundred of them."""
    t = range(2 * model.modes)
    sim, theory = tsphys.simulate(model, t=t, replicas=2, inputs=4, seed=1), tsphys.solve(model, t=t)
    for name in ("relearning", "strength", "rank"):
        np.testing.assert_allclose(sim[name], np.broadcast_to(theory[name], sim[name].shape), atol=1e-8)
    assert tsphys.compare(sim, theory).ok


@pytest.mark.parametrize("penalty", ["none", "spectral"])
def test_batches(penalty):
    """50 fresh examples a step of 2e-3, to 2 %."""
    model = Plasticity(penalty=penalty, duration=6)
    sim = tsphys.simulate(model, t=[0, 2], batch=50, steps=500, replicas=2)
    np.testing.assert_allclose(sim.mean("relearning"), tsphys.solve(model, t=[0, 2])["relearning"], rtol=0.02)
    # What is seen does not depend on how often.
    again = tsphys.simulate(model, t=[2], batch=50, steps=500, replicas=1)
    assert again["relearning"][0, 0] == sim["relearning"][0, 1]


def test_floors_and_fixed_points():
    """Spectral: x = λ/(1 + λ) where nothing is asked for, (s + λ)/(1 + λ) where it is; l2: 0 and s − λ."""
    found = tsphys.solve(Plasticity(penalty="spectral", duration=1000), t=[1, 2, 3])["strength"]
    np.testing.assert_allclose(found, np.array([[1.05, 0.05], [0.05, 1.05], [1.05, 0.05]]) / 1.05, rtol=1e-10)
    found = tsphys.solve(Plasticity(duration=200), t=[3])["strength"]
    np.testing.assert_allclose(found, [[0.95, 0.0]], atol=1e-8)
    found = tsphys.solve(Plasticity(penalty="none", duration=40), t=[2])["strength"]
    assert found[0, 0] == pytest.approx(1 / (1 + 2 * 40), rel=1e-8)


def test_how_relearning_grows():
    """Against the time off: linear with slope λ/(s − λ) under l2, logarithmic without, bounded under spectral."""
    at = {
        p: [tsphys.solve(Plasticity(penalty=p, duration=T), t=[2])["relearning"][0] for T in (100, 200, 400)]
        for p in ("none", "l2", "spectral")
    }
    np.testing.assert_allclose(np.diff(at["l2"]) / [100, 200], 0.05 / 0.95, rtol=1e-4)
    np.testing.assert_allclose(np.diff(at["none"]), 0.5 * np.log(2), rtol=0.01)
    bound = np.log(0.5 * 1.05 / (0.05 * (1.05 - 1.05 * 0.5))) / (2 * 1.05)
    np.testing.assert_allclose(at["spectral"][1:], bound, rtol=1e-8)
    assert at["spectral"][0] < bound


def test_what_is_dead_is_not_learned():
    """l2 with λ ≥ s, or after too long: the whole task."""
    found = tsphys.solve(Plasticity(strength=1.5, duration=5), t=[0, 2, 4])
    assert found["relearning"].tolist() == [5.0, 5.0, 5.0]
    waiting = tsphys.solve(Plasticity(strength=0.15, modes=8), t=range(16))["relearning"]
    assert waiting[0] < 10
    assert waiting[-1] == 10
    # A sixth of the time, and what stands at A = 0 of l2 and of none.
    assert after(Plasticity(strength=1, duration=2), 0.1, 1.0) == pytest.approx(0.1 / (1 + 2 * 0.1 * 2), rel=1e-12)
    sim = tsphys.simulate(Plasticity(strength=1.5, duration=5), t=[0, 2], replicas=1)
    assert sim["relearning"].tolist() == [[5.0, 5.0]]


def test_a_level_that_is_the_end():
    """λ = 1 − φ of l2: of nets whether it is reached is for rounding to say, and no reason to stop."""
    assert (tsphys.solve(Plasticity(fraction=0.95, duration=40), t=[0, 1, 2])["relearning"] == 40).all()
    sim = tsphys.simulate(Plasticity(fraction=0.95, duration=40), t=[0, 2], replicas=3)
    assert (sim["relearning"] > 5).all()
    assert (sim["relearning"] <= 40).all()


def test_what_decays_is_followed_to_its_own_size():
    """A strength of 1e-22, beside one of 0.6 that tolerances are for: to 1e-5, a layer's rounding."""
    model = Plasticity(strength=0.4, duration=60)
    sim, theory = (
        run(model, t=[0, 1, 2], **more) for run, more in ((tsphys.simulate, {"replicas": 2}), (tsphys.solve, {}))
    )
    np.testing.assert_allclose(sim.mean("relearning"), theory["relearning"], rtol=1e-5)


def test_progress_does_not_go_back():
    told = []
    tsphys.simulate(Plasticity(duration=1), t=[0, 2, 4], replicas=1, threads=1, progress=told.append)
    assert np.all(np.diff(told) >= 0)
    assert told[-1] == 1


def test_rank():
    """l2 forgets all directions but one, spectral keeps each at λ/(1 + λ) or more."""
    t = [24]
    l2, spectral = (tsphys.solve(Plasticity(penalty=p, modes=6, strength=0.1), t=t) for p in ("l2", "spectral"))
    assert l2["rank"][0] < 1.5
    assert spectral["rank"][0] > 3
    assert spectral["strength"].min() > 0.1 / 1.1


@pytest.mark.parametrize("penalty", ["none", "l2", "spectral", "init"])
def test_every_penalty_by_quadrature(penalty):
    """Of two layers, and of three: the time to where a task leads, over ln a, is its length."""
    from scipy.integrate import quad

    for L in (2, 3):
        model = Plasticity(penalty=penalty, depth=L, duration=1.5, strength=0.1)
        assert in_closed_form(model) == (L == 2 and penalty != "init")
        for x, s in ((0.05, 1.0), (0.9, 0.0)):
            ends = np.log([x, after(model, x, s)]) / L
            time = quad(lambda y: 1 / growth(model, np.array(y), s), *ends, epsabs=1e-12)[0]  # noqa: B023
            assert time == pytest.approx(1.5, abs=1e-8)
    assert crossing(model, 0.6) == 0


def test_a_change_of_sign_needs_an_imbalance():
    """From ab = s to −s with a − b = δ in about (1/s) ln(2√s/δ); the imbalance a² − b² is conserved."""
    net = DeepLinear((1, 1, 1), np.eye(1), -np.eye(1))
    times = []
    for delta in (1e-2, 1e-4):
        t = np.linspace(0, 20, 401)
        w = np.array(list(flow(net, np.array([1 + delta / 2, 1 - delta / 2]), t)))
        np.testing.assert_allclose(w[:, 0] ** 2 - w[:, 1] ** 2, 2 * delta, rtol=1e-5)
        times.append(t[np.flatnonzero(w.prod(axis=1) < -0.5)[0]])
    assert np.diff(times)[0] == pytest.approx(np.log(100), abs=0.1)
    assert times[1] == pytest.approx(np.log(2 / 1e-4), abs=1)


def test_refusals():
    refuses(lambda: Plasticity(penalty="dropout"), "penalty")
    refuses(lambda: Plasticity(fraction=1), "fraction")
    refuses(lambda: tsphys.simulate(Plasticity(modes=9), t=[1]), "inputs")
    with pytest.raises(tsphys.ModelError, match=r"steps = 1: must be > 1\.\d+: longer ones, of 2/curvature, diverge"):
        tsphys.simulate(Plasticity(), t=[1], batch=50, steps=1)
    refuses(lambda: tsphys.solve(Plasticity(), t=[0.5]), "t")
    refuses(lambda: tsphys.simulate(Plasticity(duration=1e-3), t=[1], batch=50), "steps")
    refuses(lambda: tsphys.simulate(Plasticity(duration=1e6), t=[1], batch=50, steps=10**6), "steps")
