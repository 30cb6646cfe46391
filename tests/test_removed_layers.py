"""Removed layers: published times and modes, networks on them, jumps."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import RemovedLayers
from tsphys.odes.removed_layers import waiting


@pytest.mark.parametrize("start, expected", [
    (1e-3, (0.6921, 3.4534, 9.1447, 15.5292, 25.022)), (1 / 64, (0.6774, 2.0716, 3.1183, 3.6708, 3.9465)),
])  # fmt: skip
def test_published_times(start, expected):
    found = [waiting(layers, start, 0.5) for layers in (1, 2, 3, 4, 6)]
    np.testing.assert_allclose(found, expected, atol=6e-5)


def test_removal_before_training_is_faster():
    """At a fixed gain of ½ a layer, as published; and so is a late start of small modes, s₀^(2/L − 1)/(L − 2)y."""
    found = [waiting(layers, 0.5**layers, 0.5) for layers in (1, 2, 3, 4, 6)]
    np.testing.assert_allclose(found, (0, 0.5493, 1.018, 1.6059, 3.9465), atol=6e-5)
    assert waiting(4, 1e-12, 0.5) == pytest.approx(1e6 / 2, rel=1e-4)


@pytest.mark.parametrize("layers, expected", [
    (2, (1.9742, 1.3994, 0.7418, 0.2254)), (3, (1.9986, 1.4519, 0.6242, 0.1475)), (5, (2.0, 1.498, 0.664, 0.1234)),
])  # fmt: skip
def test_published_modes(layers, expected):
    found = tsphys.solve(RemovedLayers(layers=layers), t=[2.0])["strength"][0]
    np.testing.assert_allclose(found, expected, atol=6e-5)


@pytest.mark.parametrize("given", [
    {"left": 2, "at": 0.5, "start": 0.2}, {"left": 3}, {"layers": 1}, {"layers": 4, "left": 1, "at": 1.0, "start": 0.5},
])  # fmt: skip
def test_networks_on_their_modes(given):
    model, t = RemovedLayers(**given), [0.0, 0.5, 1.0, 2.5]
    sim, theory = tsphys.simulate(model, t=t, replicas=2, seed=2), tsphys.solve(model, t=t)
    # Steps have relative errors of 1e-10 of weights of order one.
    np.testing.assert_allclose(sim["strength"], np.broadcast_to(theory["strength"], sim["strength"].shape), atol=1e-7)
    np.testing.assert_allclose(sim["loss"], np.broadcast_to(theory["loss"], sim["loss"].shape), atol=1e-7)
    assert tsphys.compare(sim, theory).ok


def test_modes_jump_when_layers_go():
    """From s to s^(L'/L), which at s = y = 1 is nothing."""
    before, after = (
        tsphys.solve(RemovedLayers((2.0, 1.0), 4, left, 40.0), t=[40.0, 40.0 + 1e-9])["strength"] for left in (None, 1)
    )
    np.testing.assert_allclose(before[1], (2, 1), atol=1e-6)
    np.testing.assert_allclose(after[1], (2**0.25, 1), atol=1e-6)


def test_rotated_layers_are_the_same_until_some_go():
    model, t = RemovedLayers(layers=3, left=2, at=1.0, start=0.2), [0.5, 1.0, 1.01]
    sim, theory = tsphys.simulate(model, t=t, rotated=True, replicas=1), tsphys.solve(model, t=t)
    off = np.abs(sim["loss"][0] - theory["loss"])
    assert off[:2].max() < 1e-7
    assert off[2] > 0.1


def test_bad_parameters():
    refuses(lambda: RemovedLayers(left=6), "left")
    refuses(lambda: RemovedLayers(target=(-1.0,)), "target")
    refuses(lambda: waiting(2, 0.5, 0.2), "start")
    refuses(lambda: tsphys.simulate(RemovedLayers(), t=[1.0], N=3), "N")
