"""Nested dropout in a linear autoencoder."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.nested_dropout import ordering, rates
from tsphys.sims.engines.gradient import flow
from tsphys.sims.nested_dropout import Nested
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

TIMES = [0.5, 1.0, 2.0, 5.0]


def trained(**given: Any) -> Any:
    """A check of an autoencoder on its modes."""
    model = tsphys.NestedDropout(**given)
    return agrees(model, "loss", 2, sim={"N": 8}, t=TIMES)


def at_rest(setting: Setting) -> Finding:
    """All rates of the ordered autoencoder, against the slopes of the force on its weights by differences."""
    off: list[np.ndarray] = []
    for keep in ((0.5, 0.3, 0.2), (0.2, 0.0, 0.8), (0.0, 1.0)):
        model = tsphys.NestedDropout(keep=keep)
        N, K = len(model.variance), len(keep)
        net = Nested(np.diag(model.variance), np.array(keep))
        w, h = net.pack(np.eye(N, K), np.eye(K, N)), 1e-4
        slopes = np.array([(net.force(w + h * e) - net.force(w - h * e)) / (2 * h) for e in np.eye(len(w))])
        off.append(np.sort(np.linalg.eigvalsh(-slopes)) - rates(model))
    # The force is a cubic, of which differences leave h² times a third derivative of order ten.
    return within(np.concatenate(off), 1e-6, "rates of coming to rest")


def descends(setting: Setting) -> Finding:
    """The force is minus the gradient of the loss, by differences."""
    rng = np.random.default_rng(setting.seed)
    net = Nested(np.cov(rng.standard_normal((5, 9))), np.array([0.5, 0.2, 0.3]))
    w, h = rng.standard_normal(30), 1e-5
    slopes = [(net.loss(w + h * e) - net.loss(w - h * e)) / (2 * h) for e in np.eye(30)]
    # Rounding of losses up to 1000 over the step.
    return within(net.force(w) + slopes, 1e-6, "gradient of the loss")


def ordered(setting: Setting) -> Finding:
    """What disturbs the order of units of equal weights decays at the slowest rate; as does the order of random ones.

    Of random units weights end unequal, and rates by some tens of per cent others: they are in order to 1e-3.
    """
    model = tsphys.NestedDropout((3.0, 1.5, 0.7), (0.6, 0.4), 0.1)
    net, rng = Nested(np.diag(model.variance), np.array(model.keep)), np.random.default_rng(setting.seed)
    w = net.pack(np.eye(3, 2), np.eye(2, 3))
    w += 1e-4 * rng.standard_normal(w.shape)
    # Scales of weights are free and stay where they are put: what is seen is how decoders lean out of their modes.
    first, last = (net.layers(x)[0] for x in flow(net, w, np.array([30.0, 40.0])))
    ends = tsphys.simulate(model, t=[150.0], units="random", replicas=2, N=3, seed=setting.seed)["order"]
    slope = np.log(np.abs(first[1, 0] / last[1, 0])) / 10
    # Rates change by 1e-4 with the weights.
    return within([slope / ordering(model) - 1, 1 - ends.min()], [1e-2, 1e-3], "the rate of ordering")


def checks(quick: bool) -> list[Check]:
    """What is checked of nested dropout: modes, the force, all rates, and that units find their order."""
    return [
        Check("simulation", "three units", trained()),
        Check("simulation", "some numbers never kept", trained(keep=(0.2, 0.0, 0.5, 0.3), start=0.1)),
        Check("simulation", "without dropout", trained(keep=(0.0, 1.0), variance=(2.0, 1.0, 0.3))),
        Check("identity", "rates", at_rest),
        Check("identity", "force", descends),
        Check("identity", "order", ordered),
    ]
