"""Opposing signals: published numbers, laws of the flow, and the network itself in plain NumPy."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import OpposingSignals
from tsphys.odes.opposing_signals import catapult

LONG = range(4001)


@pytest.mark.parametrize(
    "lr, crossing, end, peak, at", [(0.25, 13, 7.354168, 0.165139, 50), (0.3, 10, 6.011393, 0.49615, 29)]
)
def test_catapult(lr, crossing, end, peak, at):
    """To the digits of these numbers."""
    found = tsphys.solve(OpposingSignals(lr=lr), t=LONG)
    assert np.flatnonzero(found["curvature"] > 2 / lr)[0] == crossing
    assert found["curvature"][-1] == pytest.approx(end, abs=1e-5)
    late = found["loss"][20:]
    assert (late.max(), late.argmax() + 20) == (pytest.approx(peak, abs=1e-5), at)


def test_the_state_behind_it():
    found = tsphys.solve(OpposingSignals(), t=LONG)
    assert (found["c"][-1], found["b"][-1]) == (pytest.approx(0.857562, abs=1e-5), pytest.approx(1.166095, abs=1e-5))
    # Group losses at rest are those of the answers that no student gives; between steps they change places.
    assert found["loss_up"][-1] == pytest.approx(12.5, abs=1e-9)
    spike = (found["loss_up"] - found["loss_down"])[40:60]
    assert (spike[1:] * spike[:-1] < 0).all()


def test_no_crossing_below_the_edge():
    found = tsphys.solve(OpposingSignals(lr=0.15), t=LONG)
    assert found["curvature"].max() == pytest.approx(9.999995, abs=1e-5)


@pytest.mark.parametrize("lr, end, law, peak, most", [
    (0.202, 0.980765, 0.980393, 9.457e-5, 9.803e-5),
    (0.205, 0.954489, 0.952390, 5.510e-4, 5.950e-4),
    (0.21, 0.916320, 0.909154, 2.017e-3, 2.269e-3),
])  # fmt: skip
def test_small_excess(lr, end, law, peak, most):
    model = OpposingSignals(lr=lr, c=1, b=1, b_o=1e-6)
    found = tsphys.solve(model, t=LONG)
    assert found["c"][-1] ** 2 == pytest.approx(end, abs=1e-6)
    assert (found["b_o"] ** 2).max() == pytest.approx(peak, rel=2e-4)
    # To the digits in which they are given.
    assert catapult(model) == (pytest.approx(law, abs=1e-6), pytest.approx(most, rel=1e-4))
    assert catapult(model)[0] == pytest.approx(found["c"][-1] ** 2, rel=0.01)


def test_the_law_of_catapults_follows_slow_descent():
    """From any start its c² at the edge is what is conserved; below the edge it stays; too far beyond there is none."""
    early = OpposingSignals(lr=0.205, c=0.3, b=0.3, b_o=1e-9)
    assert catapult(early) == catapult(OpposingSignals(lr=0.205, c=1, b=1))
    slow = OpposingSignals(lr=0.01, c=0.6, b=0.2, b_o=1e-9)
    assert catapult(slow)[1] == 0
    # Steps change what is conserved by order η.
    assert catapult(slow)[0] == pytest.approx(tsphys.solve(slow, t=[3000])["c"][0] ** 2, abs=0.01)
    refuses(lambda: catapult(OpposingSignals(beta=0.01, c=2, b=0, lr=0.2)), "lr")


def test_sampled_network():
    """n = 2·10⁴: to 1 % of the map where it comes to rest."""
    sim = tsphys.simulate(OpposingSignals(), t=[200, 3000], replicas=8, seed=1)
    assert sim.mean("c")[1] == pytest.approx(0.85756, rel=0.01)
    assert sim.mean("b")[1] == pytest.approx(1.1661, rel=0.01)
    assert sim.mean("loss_up")[1] == pytest.approx(12.5, rel=0.01)
    assert (sim["curvature"][:, 1] < 8).all()
    # Sharpness there is the curvature: that of the rest is c² + b².
    np.testing.assert_allclose(sim["sharpness"][:, 1], sim["curvature"][:, 1], rtol=0.01)


def test_moments_are_all_of_the_examples():
    """The kernel on moments against descent over the examples in plain NumPy; to rounding."""
    model, n, d, t = OpposingSignals(lr=0.2, b_o=0.05), 200, 3, [0, 1, 40]
    sim = tsphys.simulate(model, n=n, d=d, t=t, replicas=1, seed=4)
    rng = tsphys.numerics.random.generator(4, 0, "examples")
    sign = rng.choice([1, 0, -1], n, p=[0.05, 0.9, 0.05])
    x = np.column_stack([rng.standard_normal((n, d)), 10 * sign])
    y = x[:, 0] + 5 * np.abs(sign)
    c, b = 0.1, np.array([0.1, 0, 0, 0.05])
    best = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    for step in range(41):
        off = y - c * (x @ b)
        if step in t:
            found = {k: v[0, t.index(step)] for k, v in sim.data.items() if k in sim.observables}
            assert (found["c"], found["b"], found["b_o"]) == pytest.approx((c, b[0], b[-1]), abs=1e-12)
            assert found["loss"] == pytest.approx(0.5 * np.mean(off**2 - (y - best) ** 2), abs=1e-12)
            ups = [0.5 * np.mean(off[sign == s] ** 2) for s in (1, -1)]
            assert (found["loss_up"], found["loss_down"]) == pytest.approx(ups, abs=1e-11)
        c, b = c + 0.2 * (x @ b) @ off / n, b + 0.2 * c * x.T @ off / n


def test_flow_is_logistic():
    """u = cb of balanced gradient flow; the steps' error is of order η."""
    t, lr, u0 = np.arange(0, 6001, 500), 1e-3, 0.01
    found = tsphys.solve(OpposingSignals(lr=lr, b_o=0.0), t=t)
    growth = np.exp(2 * lr * t)
    assert np.abs(found["c"] * found["b"] - growth / (growth - 1 + 1 / u0)).max() < 2 * lr


def test_training_is_gradient_descent_on_the_loss():
    """One step against the numerical gradient of the loss on the same examples, to rounding over the increment."""
    model, n, d = OpposingSignals(c=0.7, b=0.4, b_o=0.02, lr=0.1), 500, 3
    sim = tsphys.simulate(model, n=n, d=d, t=[0, 1], replicas=1)
    rng = tsphys.numerics.random.generator(0, 0, "examples")
    sign = rng.choice([1, 0, -1], n, p=[0.05, 0.9, 0.05])
    x_s = rng.standard_normal((n, d))

    def loss(c, b, b_o):
        f = c * (b * x_s[:, 0] + b_o * 10 * sign)
        return 0.5 * np.mean((x_s[:, 0] + 5 * np.abs(sign) - f) ** 2)

    at, h = np.array([0.7, 0.4, 0.02]), 1e-5
    slopes = [(loss(*(at + h * e)) - loss(*(at - h * e))) / (2 * h) for e in np.eye(3)]
    after = [sim[k][0, 1] for k in ("c", "b", "b_o")]
    np.testing.assert_allclose(after, at - 0.1 * np.array(slopes), atol=1e-8)


def test_what_is_too_fast_diverges_and_what_was_is_kept():
    with pytest.raises(tsphys.DivergedError) as error:
        tsphys.solve(OpposingSignals(lr=5), t=[0, 2, 100])
    assert np.isfinite(error.value.partial["c"]).tolist() == [True, True, False]
    with pytest.raises(tsphys.DivergedError):
        tsphys.simulate(OpposingSignals(lr=5), n=100, replicas=2)
    refuses(lambda: tsphys.simulate(OpposingSignals(), n=10**12), "n")
    refuses(lambda: tsphys.solve(OpposingSignals(), t=[0.5]), "t")


def test_no_outliers_no_opposing_signals():
    refuses(lambda: OpposingSignals(share=0), "share")
    refuses(lambda: OpposingSignals(outlier=0), "outlier")
    refuses(lambda: tsphys.simulate(OpposingSignals(share=1e-6), n=100, t=[1]), "n")
