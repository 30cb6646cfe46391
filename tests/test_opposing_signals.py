"""Opposing signals: published numbers, laws of the flow, and the network itself in plain NumPy."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.refusal import refuses
from tsphys import OpposingSignals
from tsphys.odes.opposing_signals import catapult
from tsphys.sims.opposing_signals import descended, summed
from tsphys.validation.checks import gradient

LONG = range(4001)


def close(found, expected, size):
    np.testing.assert_allclose(found, expected, rtol=0, atol=size)


@pytest.mark.parametrize(
    "lr, crossing, end, peak, at", [(0.25, 13, 7.354168, 0.165139, 50), (0.3, 10, 6.011393, 0.49615, 29)]
)
def test_catapult(lr, crossing, end, peak, at):
    """To the digits of these numbers."""
    found = tsphys.solve(OpposingSignals(lr=lr), t=LONG)
    late = found["loss"][20:]
    assert (np.flatnonzero(found["curvature"] > 2 / lr)[0], late.argmax() + 20) == (crossing, at)
    close([found["curvature"][-1], late.max()], [end, peak], 1e-5)


def test_the_state_behind_it():
    found = tsphys.solve(OpposingSignals(), t=LONG)
    # Group losses at rest are those of the answers that no student gives; between steps they change places.
    close([found[k][-1] for k in ("c", "b", "loss_up")], [0.857562, 1.166095, 12.5], 1e-5)
    spike = (found["loss_up"] - found["loss_down"])[40:60]
    assert (spike[1:] * spike[:-1] < 0).all()
    close(tsphys.solve(OpposingSignals(lr=0.15), t=LONG)["curvature"].max(), 9.999995, 1e-5)


@pytest.mark.parametrize("lr, end, law, peak, most", [
    (0.202, 0.980765, 0.980393, 9.457e-5, 9.803e-5),
    (0.205, 0.954489, 0.952390, 5.510e-4, 5.950e-4),
    (0.21, 0.916320, 0.909154, 2.017e-3, 2.269e-3),
])  # fmt: skip
def test_small_excess(lr, end, law, peak, most):
    """To the digits in which they are given."""
    model = OpposingSignals(lr=lr, c=1, b=1, b_o=1e-6)
    found = tsphys.solve(model, t=LONG)
    close([found["c"][-1] ** 2, catapult(model)[0]], [end, law], 1e-6)
    np.testing.assert_allclose([(found["b_o"] ** 2).max(), catapult(model)[1]], [peak, most], rtol=2e-4)


def test_the_law_of_catapults_follows_slow_descent():
    """From any start its c² at the edge is what is conserved; below the edge it stays; too far beyond there is none."""
    early = OpposingSignals(lr=0.205, c=0.3, b=0.3, b_o=1e-9)
    assert catapult(early) == catapult(OpposingSignals(lr=0.205, c=1, b=1))
    slow = OpposingSignals(lr=0.01, c=0.6, b=0.2, b_o=1e-9)
    assert catapult(slow)[1] == 0
    # Steps change what is conserved by order η.
    close(catapult(slow)[0], tsphys.solve(slow, t=[3000])["c"][0] ** 2, 0.01)
    refuses(lambda: catapult(OpposingSignals(beta=0.01, c=2, b=0, lr=0.2)), "lr")


def test_sampled_network():
    """n = 2·10⁴: to 1 % of the map where it comes to rest, where sharpness is the curvature: the rest has c² + b²."""
    sim = tsphys.simulate(OpposingSignals(), n=20_000, t=[3000], replicas=8, seed=1)
    found = [sim.mean(k)[0] for k in ("c", "b", "loss_up")]
    np.testing.assert_allclose(found, [0.85756, 1.1661, 12.5], rtol=0.01)
    assert (sim["curvature"] < 8).all()
    np.testing.assert_allclose(sim["sharpness"], sim["curvature"], rtol=0.01)


def test_many_examples_follow_the_map_through_a_catapult():
    t = range(0, 101, 3)
    sim = tsphys.simulate(OpposingSignals(), t=t, replicas=8)
    found = tsphys.compare(sim, tsphys.solve(OpposingSignals(), t=t))
    assert found.ok, found
    wrong = tsphys.solve(OpposingSignals(lr=0.25001), t=t)
    assert tsphys.compare(sim, wrong).verdict == "disagree"


def drawn(rng, n, d, model):
    """Inputs x_s and x_o of n examples, and their answers."""
    sign = rng.choice([1, 0, -1], n, p=[0.5 * model.share, 1 - model.share, 0.5 * model.share])
    x = np.column_stack([rng.standard_normal((n, d)), model.outlier * sign])
    return sign, x, model.beta * x[:, 0] + model.kappa * np.abs(x[:, -1])


def moments(z):
    return z.T @ z / len(z)


@pytest.mark.parametrize("n", [3, 12])
def test_moments_are_drawn_by_the_law_of_examples(n):
    """Of n vectors (x, 1) in four dimensions: every entry, their squares, products of two, and the determinant."""
    rng, many, d = np.random.default_rng(n), 4000, 3
    draws = rng.standard_normal((many, n, d))
    u = np.concatenate([draws, np.ones((many, n, 1))], axis=2)
    sums = [np.einsum("rni,rnj->rij", u, u), np.array([summed(rng, n, d) for _ in range(many)])]
    entries = [np.column_stack([a.reshape(many, -1)[:, np.tril(np.ones((4, 4))).ravel() > 0][:, :-1],
                                a[:, 0, 1] * a[:, 1, 2], a[:, 0, 0] * a[:, 0, 3], np.linalg.det(a)])
               for a in sums]  # fmt: skip
    p = [stats.ks_2samp(a, b).pvalue for a, b in zip(*(e.T for e in entries), strict=True)]
    # Σx is normal of variance n; 3 · 4000 of its squares know that to 1.3 %, and this is the tail of 1e-4.
    assert abs((sums[1][:, :d, d] ** 2).mean() / n - 1) < 3.9 * np.sqrt(2 / (d * many))
    # Bonferroni; the determinant of too few vectors is rounding.
    assert min(p[: -1 if n < 4 else None]) * len(p) > 1e-3, p


def test_runs_have_the_law_of_those_on_examples():
    n = 60
    model, d, t = OpposingSignals(share=0.5, outlier=2.0, kappa=0.7, beta=0.8, b_o=0.1, lr=0.3), 3, [5, 30]
    rng, own = np.random.default_rng(1), []
    for _ in range(400):
        sign, x, y = drawn(rng, n, d, model)
        whole, up, down = (moments(np.column_stack([x, y])[at]) for at in (slice(None), sign > 0, sign < 0))
        own.append(descended(model, whole, up, down, np.array(t)))
    sim = tsphys.simulate(model, n=n, d=d, t=t, replicas=400, seed=2)
    p = [stats.ks_2samp(sim[k][:, i], [run[k][i] for run in own]).pvalue for k in sim.observables for i in range(2)]
    # Bonferroni: a true pair fails with probability 1e-3.
    assert min(p) * len(p) > 1e-3, p


def test_moments_are_all_of_the_examples():
    """The kernel on moments against descent along numerical slopes of the loss over the examples themselves."""
    model, t = OpposingSignals(lr=0.2, b_o=0.05), [0, 1, 40]
    sign, x, y = drawn(np.random.default_rng(4), 200, 3, model)
    whole, up, down = (moments(np.column_stack([x, y])[at]) for at in (slice(None), sign > 0, sign < 0))
    run = descended(model, whole, up, down, np.array(t))
    best = np.mean((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2)

    def loss(*w, of=slice(None)):
        return 0.5 * np.mean((y[of] - w[0] * x[of] @ w[1:]) ** 2)

    w = np.array([0.1, 0.1, 0, 0, 0.05])
    for step in range(41):
        if step in t:
            found = [run[k][t.index(step)] for k in ("sharpness", "c", "b", "b_o", "loss", "loss_up", "loss_down")]
            top = np.linalg.eigvalsh(gradient(lambda *near: gradient(loss, near), w))[-1]
            # Slopes of a polynomial of fourth order have rounding alone, over the step 0.01 or its square.
            close(found[0], top, 1e-9)
            losses = [loss(*w) - 0.5 * best, loss(*w, of=sign > 0), loss(*w, of=sign < 0)]
            close(found[1:], [w[0], w[1], w[-1], *losses], 1e-11)
        w = w - 0.2 * gradient(loss, w)


def test_flow_is_logistic():
    """u = cb of balanced gradient flow; the steps' error is of order η."""
    t, lr, u0 = np.arange(0, 6001, 500), 1e-3, 0.01
    found = tsphys.solve(OpposingSignals(lr=lr, b_o=0.0), t=t)
    growth = np.exp(2 * lr * t)
    close(found["c"] * found["b"], growth / (growth - 1 + 1 / u0), 2 * lr)


def test_without_outliers_of_either_sign_there_is_no_run():
    refuses(lambda: tsphys.simulate(OpposingSignals(share=1e-6), n=100, t=[1]), "n")
