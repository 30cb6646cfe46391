"""Pretraining and guidance: published times and modes, laws of late times, the motion of blocks, and networks."""

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import Guidance
from tsphys.odes.guidance import encoder, escape_rate, learning_times, starved
from tsphys.physics.flows.linear_layers import Blocks, blocks, motion
from tsphys.sims.engines.gradient import DeepLinear, flow
from tsphys.sims.guidance import Guided

VARIANCES = (2, 1, 0.4)


def pretrained(T):
    return Guidance((1, 1, 1), VARIANCES, 1e-3, T)


@pytest.mark.parametrize("T, half", [
    (0, (1.7267, 3.4534, 8.6334)), (1, (1.0149, 2.8340, 8.0839)), (2, (0.3510, 2.0299, 7.4395)),
    (4, (0.2832, 0.7021, 5.9163)), (10, (0.2832, 0.5663, 1.7551)),
])  # fmt: skip
def test_published_times_after_pretraining(T, half):
    np.testing.assert_allclose(learning_times(pretrained(T)), half, atol=6e-5)


def test_published_modes_after_pretraining():
    np.testing.assert_allclose(encoder(pretrained(4)) ** 2, (0.99989, 0.74899, 0.02397), atol=6e-6)
    for T, modes in (
        (0, [(0.0518, 0.0073, 0.0022), (0.9939, 0.2877, 0.0109), (1, 0.9939, 0.1084)]),
        (4, [(0.9679, 0.6700, 0.0175), (1, 0.9936, 0.0880), (1, 1, 0.5167)]),
    ):
        np.testing.assert_allclose(tsphys.solve(pretrained(T), t=[1, 3, 6])["strength"], modes, atol=6e-5)


@pytest.mark.parametrize("target, strength, g, until, half", [
    (1, 0, 1, None, 4.606), (1, 1, 1, None, 2.965), (1, 5, 1, None, 1.369), (1, 5, 1, 1, 1.387), (1, 1, 0, None, 4.886),
    (0.3, 0, 1, None, 13.344), (0.3, 1, 1, None, 4.137), (0.3, 5, 1, None, 1.407), (0.3, 1, 0.3, None, 8.638),
    (0.3, 5, 0.3, None, 4.155), (0.3, 1, 1, 3, 6.321), (0.3, 5, 1, 1, 1.598), (0.3, 1, 0, None, 14.279),
])  # fmt: skip
def test_published_times_under_guides(target, strength, g, until, half):
    """They are the first on a grid of 0.001 at which half is passed."""
    found = learning_times(Guidance((target,), strength=strength, guide=(g,), until=until))[0]
    assert half - 0.00101 < found <= half + 1e-5


def test_what_the_guide_lacks_is_learned_by_a_power_law():
    model = Guidance((1,), start=0.25, strength=0.5, guide=(0,))
    t = [1e2, 1e4, 1e6]
    found = tsphys.solve(model, t=t)
    np.testing.assert_allclose(
        (found["strength"] / np.sqrt(found["gram"]))[:, 0], (2.51431, 5.56592, 12.00851), atol=6e-6
    )
    np.testing.assert_allclose(1 - found["strength"][:, 0], (1.1798e-2, 5.1963e-4, 2.40415e-5), rtol=5e-5)
    np.testing.assert_allclose(starved(model, t)[:, 0], (1.1157e-2, 5.1787e-4, 2.40375e-5), rtol=5e-5)
    # Of any target and variance: the law within 1 % as soon as less than 1e-3 is left.
    model = Guidance((2, 0.5), (0.5, 3), 0.25, strength=1.5, guide=(0, 0))
    found = tsphys.solve(model, t=[1e5])["strength"]
    np.testing.assert_allclose((2, 0.5) - found, starved(model, [1e5]), rtol=0.01)
    refuses(lambda: starved(Guidance(), 1.0), "strength")


def test_small_starts_are_left_at_the_rate_of_the_linear_equations():
    model = Guidance((1, 0.3), (1, 2), 1e-10, strength=2, guide=(0.5, 0.1))
    found = tsphys.solve(model, t=[2, 2.5])["strength"]
    # Products of layers grow twice as fast; the other rate has died out up to e^(−2·2.2), the cubes are 1e-8.
    np.testing.assert_allclose(np.log(found[1] / found[0]) / 1.0, escape_rate(model), rtol=0.05)
    assert escape_rate(Guidance((1,)))[0] == pytest.approx(1)


def test_without_a_guide_the_difference_of_squares_is_conserved():
    found = tsphys.solve(pretrained(2), t=[0, 1, 5, 40])
    a2 = found["gram"]
    difference = a2 - found["strength"] ** 2 / a2
    np.testing.assert_allclose(difference, np.tile(difference[0], (4, 1)), atol=1e-9)


@pytest.mark.parametrize("h", [9])
def test_blocks_move_as_networks_of_any_width_do(h):
    """A random guide and start (published: to 1.3e-10); of fewer units blocks leave the rank, and are unstable."""
    rng = np.random.default_rng(h)
    d, c, strength = 6, 3, 0.7
    W1, W2, S = 0.3 * rng.standard_normal((h, d)), 0.3 * rng.standard_normal((c, h)), rng.standard_normal((c, d))
    guide = np.cov(rng.standard_normal((d, 10)))
    net = DeepLinear((d, h, c), np.eye(d), S)
    (w,) = flow(Guided(net, guide, strength), net.pack(W1, W2), np.array([3.0]), 1e-11)
    X, dt = blocks(W1, W2), 0.01
    for _ in range(300):
        k1 = motion(X, S, guide, strength)
        k2, k3 = (
            motion(moved(X, k, dt / 2), S, guide, strength)
            for k in (k1, motion(moved(X, k1, dt / 2), S, guide, strength))
        )
        k4 = motion(moved(X, k3, dt), S, guide, strength)
        X = Blocks(*(x + dt / 6 * (p + 2 * q + 2 * r + s) for x, p, q, r, s in zip(X, k1, k2, k3, k4, strict=True)))
    # Of the fourth order, with rates up to 5: (5·0.01)⁴ of what moves a unit of time.
    for x, y in zip(X, blocks(*net.layers(w)), strict=True):
        np.testing.assert_allclose(x, y, atol=2e-6)


def moved(X, rate, dt):
    return Blocks(*(x + dt * y for x, y in zip(X, rate, strict=True)))


@pytest.mark.parametrize("more", [
    {"pretraining": 3}, {"strength": 2, "guide": (1, 0.5, 0)}, {"strength": 5, "until": 1, "pretraining": 1}
])  # fmt: skip
def test_networks_lie_on_the_equations_of_their_modes(more):
    model, t = Guidance((1, 0.5, 1.5), VARIANCES, 1e-2, **more), [0, 0.5, 1, 2, 8]
    theory = tsphys.solve(model, t=t)
    for width in (3, 7):
        sim = tsphys.simulate(model, t=t, width=width, replicas=2, seed=width)
        for name in theory.observables:
            # A hundred times the tolerance of a step.
            np.testing.assert_allclose(sim[name], np.broadcast_to(theory[name], sim[name].shape), atol=1e-8)


def test_random_layers_are_later():
    """Published means of three networks (h = 20); of four here, whose scatter is a few hundredths."""
    for T, modes in ((0, (0.987, 0.191, 0.005)), (4, (1, 0.993, 0.063))):
        sim = tsphys.simulate(pretrained(T), t=[3], layers="random", width=20, replicas=4, seed=3)
        np.testing.assert_allclose(sim.mean("strength")[0], modes, atol=0.08)
        assert (sim.mean("strength")[0] < tsphys.solve(pretrained(T), t=[3])["strength"][0] + 1e-6).all()


@pytest.mark.slow
def test_guided_networks_from_random_entries():
    """Published: half of the loss is gone at 4.56, 2.90 and 1.13 without a guide and with γ = 1, 5 (4 networks)."""
    for strength, half in ((0, 4.56), (1, 2.90), (5, 1.13)):
        passed, t = [], np.arange(0.5, 6, 0.01)
        for seed in range(4):
            rng = np.random.default_rng(seed)
            net = DeepLinear((4, 50, 4), np.eye(4), np.eye(4))
            w = net.pack(*(0.01 / 50**0.5 * rng.standard_normal(shape) for shape in ((50, 4), (4, 50))))
            course = flow(Guided(net, np.eye(4), strength), w, t)
            loss = [np.sum((np.eye(4) - np.matmul(*net.layers(w)[::-1])) ** 2) for w in course]
            passed.append(t[np.argmax(np.array(loss) < 0.5 * 4)])
        # Random entries leave by 0.2 earlier or later.
        assert np.mean(passed) == pytest.approx(half, abs=0.35)


@pytest.mark.parametrize("given, named", [
    ({"target": (1, -1)}, "target"), ({"variance": (1,)}, "variance"), ({"guide": (1, -1)}, "guide"),
    ({"target": ()}, "target"),
])  # fmt: skip
def test_what_is_no_network_is_refused(given, named):
    refuses(lambda: Guidance(**given), named)


def test_ends_of_the_guide():
    """Off from the start is no guide; times may be those of switching."""
    t = [0, 1, 2, 5]
    none, off = tsphys.solve(Guidance(), t=t), tsphys.solve(Guidance(strength=3, until=0), t=t)
    np.testing.assert_array_equal(none["strength"], off["strength"])
    at, never = (tsphys.solve(Guidance(strength=3, until=u), t=t)["strength"] for u in (2, None))
    np.testing.assert_allclose(at[:3], never[:3], rtol=1e-8)
    assert tsphys.simulate(Guidance(strength=3, until=2), t=t, width=2, replicas=1)["strength"].shape == (1, 4, 2)
    refuses(lambda: tsphys.simulate(Guidance(), t=t, width=1), "width")


def test_what_is_known_by_hand():
    passes("guidance", "plain integrator", "small starts")
