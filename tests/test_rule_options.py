"""Options of a learning rule together: schedule, whole minibatch, overlaps, noise, decay, and a law of the inputs."""

import numpy as np
import pytest

import tsphys
from tests.test_engine_law import p_values, sample
from tsphys._jit import njit
from tsphys.numerics.random import generator, normals, stream
from tsphys.physics.order_parameters import OrderParameters, microscopic
from tsphys.rules.phases import Phase
from tsphys.rules.starts import checked_start
from tsphys.sims.engines.online import direct, exact

START = OrderParameters(R=[[0.12, 0.02], [-0.05, 0.1]], Q=[[0.3, 0.05], [0.05, 0.25]], T=np.eye(2), v=[0.3, -0.2])
OPTIONS = {
    "K": 2, "M": 2, "n_noise": 1, "v": (0.0, 0.0), "minibatch": 3, "weight_decay": 0.3, "weight_decay_v": 0.2,
    "whole_batch": True, "uses_overlaps": True, "smooth": True,
}  # fmt: skip


@njit(cached=False)
def mixing(lam, nu, v, v_star, noise, gram, R, Q, p, c, dv):
    """Reads everything: p = [rate, strength]."""
    for i in range(lam.shape[0]):
        for k in range(2):
            c[i, k] = p[0] * (nu[i, k] + 0.2 * noise[i, 0] - (Q[k, k] + v[k]) * lam[i, k])
            for j in range(lam.shape[0]):
                if j != i:
                    c[i, k] += p[1] * gram[i, j] * (lam[j, 1 - k] + nu[j, k])
            dv[i, k] = p[0] * (R[0, 1 - k] + 0.1 * lam[i, k] * nu[i, k])


@njit(cached=False)
def skewed(s, noise, p):
    s[1] = 1.0 if s[0] + s[1] > 0.0 else -1.0
    s[0] = 0.5 * (s[0] * s[0] - 1.0)
    noise[0] += s[1]


def schedule(i, state, every=0.2):
    """By time, by a threshold, and for ever."""
    if i == 0:
        return Phase([1.0, 0.4], until=0.5)
    if i == 1:
        return Phase([0.5, -0.3], v=state.v[::-1] + 0.1, stop=lambda now: 0.6 - now.R[0, 0], every=every)
    return Phase([0.2, 0.0])


def rule(**change):
    return tsphys.LearningRule(mixing, params=(1.0, 0.4), **{**OPTIONS, **change})


def plain(N, stops, alpha=None):
    """R, Q and v after so many steps on the numbers that engine `direct` draws, and the steps at which phases began."""
    W, B = microscopic(START, N, generator(3, 1, "direct start"))
    rng, scalars = stream(3, 1, "direct inputs"), generator(3, 1, "direct scalars")
    v, b, step, begins, phase = np.array(START.v), 3, 0, [], None
    if alpha:
        size = round(alpha * N)
        labels, inputs = scalars.standard_normal((size, 1)), np.empty((size, N))
        for x in inputs:
            normals(rng, x)
    for stop in stops:
        while step < stop:
            R, Q = W @ B.T / N, W @ W.T / N
            over = phase is None or (len(begins) == 1 and step == N // 2)
            if len(begins) == 2 and (step - begins[1]) % (N // 5) == 0 and step > begins[1]:
                over = R[0, 0] >= 0.6
            if over:
                phase = schedule(len(begins), type("State", (), {"R": R, "v": v}))
                begins.append(step)
                v = v if phase.v is None else phase.v
            if alpha:
                rows = scalars.integers(size, size=b)
                X, noise = inputs[rows], labels[rows]
            else:
                X, noise = np.empty((b, N)), scalars.standard_normal((b, 1))
                for x in X:
                    normals(rng, x)
            lam, nu, c, dv = X @ W.T / np.sqrt(N), X @ B.T / np.sqrt(N), np.zeros((b, 2)), np.zeros((b, 2))
            mixing.py_func(lam, nu, v, None, noise, X @ X.T / N, R, Q, np.array(phase.params), c, dv)
            W = (1 - 0.3 / N) * W + c.T @ X / (b * np.sqrt(N))
            v = (1 - 0.2 / N) * v + dv.sum(axis=0) / (b * N)
            step += 1
        yield W @ B.T / N, W @ W.T / N, v, list(begins)


@pytest.mark.parametrize("alpha", [None, 0.8])
def test_direct_takes_the_steps_of_a_plain_loop(alpha):
    N, stops, model = 50, (1, 25, 26, 40, 150), rule(schedule=schedule, alpha=alpha)
    run = direct.start_replica(model, N, checked_start(model, START), 3, 1, np.dtype(float))
    step = 0
    for stop, (*expected, begins) in zip(stops, plain(N, stops, alpha), strict=True):
        step, *found = run(step, stop)
        for a, b in zip(found, expected, strict=True):
            # 150 steps with sums of 50 terms of order one.
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
        assert [round(begin["t"] * N) for begin in run.record] == begins
    assert len(begins) == (3 if alpha is None else 2)


@pytest.mark.parametrize("change", [{"schedule": schedule}, {"law": skewed}], ids=lambda change: next(iter(change)))
def test_direct_and_exact_have_one_law(change):
    a, b = (sample(engine, rule(**change), 16, (0.5, 1.5), 600, start=START) for engine in (direct, exact))
    p = p_values(a, b)
    # Bonferroni: a true pair fails with probability 1e-3.
    assert p.min() * p.size > 1e-3


def test_simulation_lies_on_theory():
    model, t = rule(schedule=lambda i, state: schedule(i, state, 0.005)), [0.5, 1.0, 3.0]
    sim = tsphys.simulate(model, N=2000, start=START, t=t, replicas=16)
    theory = tsphys.solve(model, start=START, t=t, points=2**13, rtol=1e-6)
    verdict = tsphys.compare(sim, theory)
    for name, error in theory.meta["quadrature_error"].items():
        assert error < verdict.error[name].max()
    assert verdict.ok, verdict


def test_a_schedule_that_ends_before_it_begins_says_so():
    model = rule(schedule=lambda i, state: Phase([1.0, 0.4], until=0.5))
    for call in (tsphys.simulate, tsphys.solve):
        with pytest.raises(tsphys.ModelError) as caught:
            call(model, N=20, start=START, t=[2.0])
        assert caught.value.name == "until"
    for wrong in ([1.0], [1.0, np.nan]):
        model = rule(schedule=lambda i, state, wrong=wrong: Phase(wrong))
        with pytest.raises(tsphys.ModelError) as caught:
            tsphys.simulate(model, N=20, start=START, t=[2.0])
        assert caught.value.name == "params"
