"""Linear networks that are pretrained or guided."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.guidance import escape_rate, learning_times, starved
from tsphys.physics.flows.linear_layers import Blocks, blocks, motion
from tsphys.sims.engines.gradient import DeepLinear
from tsphys.sims.guidance import Guided
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

TIMES = [0.5, 1.0, 2.0, 5.0]


def trained(**model: Any) -> Any:
    """A check of a network on the equations of its modes."""
    here = tsphys.Guidance(**model)
    return agrees(here, "loss", 4, sim={"width": 6}, t=TIMES)


def of_blocks(setting: Setting) -> Finding:
    """The motion of A, B and C is that of layers of any width and start, one after the other by the product rule."""
    rng = np.random.default_rng(setting.seed)
    off = []
    for h in (3, 8):
        W1, W2, S = rng.standard_normal((h, 5)), rng.standard_normal((4, h)), rng.standard_normal((4, 5))
        gram = np.cov(rng.standard_normal((5, 9)))
        net = DeepLinear((5, h, 4), np.eye(5), S)
        d1, d2 = net.layers(Guided(net, gram, 0.7).force(net.pack(W1, W2)))
        told: Blocks = motion(blocks(W1, W2), S, gram, 0.7)
        off += [told.A - (d1.T @ W1 + W1.T @ d1), told.B - (d2 @ W1 + W2 @ d1), told.C - (d2 @ W2.T + W2 @ d2.T)]
    # Rounding of products of 9 numbers, up to 100 in size.
    return within(np.concatenate([x.ravel() for x in off]), 1e-11, "motion of blocks")


def waiting(setting: Setting) -> Finding:
    """Times at which half of a mode is learned, by quadrature or by an event, against the modes at those times."""
    off: list[float] = []
    cases: list[dict[str, Any]] = [{"pretraining": 3.0}, {"strength": 5.0, "until": 0.7}, {"strength": 1.0}]
    for more in cases:
        model = tsphys.Guidance((1.0, 0.3), (2.0, 1.0), 1e-3, **more)
        half = learning_times(model)
        off += list(
            np.diag(tsphys.solve(model, t=np.sort(half))["strength"][np.argsort(np.argsort(half))]) - (0.5, 0.15)
        )
    # Local errors of 1e-11 grow over some time constants.
    return within(off, 1e-7, "modes when half is learned")


def plainly(setting: Setting) -> Finding:
    """Layers of each mode from their equations, an autoencoder's first, by a plain integrator."""
    from scipy.integrate import solve_ivp

    target, variance, guide, start, T, strength, until = 0.6, 1.7, 0.8, 2e-3, 1.1, 2.0, 0.7

    def moved(pull: float, goal: float, g: float, y: np.ndarray, t: float) -> np.ndarray:
        def rates(_: float, y: np.ndarray) -> list[float]:
            left = variance * (goal - y[0] * y[1])
            return [y[1] * left - pull * y[0] * (y[0] ** 2 - g), y[0] * left]

        return np.asarray(solve_ivp(rates, (0, t), y, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1])

    root = np.sqrt(start)
    coder = moved(0.0, 1.0, 0.0, np.array([root, root]), T)[0]
    helped = moved(strength, target, guide, np.array([coder, root]), until)
    a, b = moved(0.0, target, guide, helped, 0.5)
    model = tsphys.Guidance((target,), (variance,), start, T, strength, (guide,), until)
    found = tsphys.solve(model, t=[until, until + 0.5])
    off = [found["strength"][:, 0] - [helped[0] * helped[1], a * b], found["gram"][:, 0] - [helped[0] ** 2, a * a],
           found["loss"][1:] - 0.5 * variance * (target - a * b) ** 2]  # fmt: skip
    return within(np.concatenate(off), 1e-9, "layers by a plain integrator")


def leaving(setting: Setting) -> Finding:
    """From a start of 1e-12 products of layers grow at twice the rate of the linear equations.

    Their cubes are 1e-6 and what falls has fallen by e⁻¹⁰.
    """
    model = tsphys.Guidance((1.0, 0.3), (1.0, 2.0), 1e-12, strength=2.0, guide=(0.5, 0.1))
    found = tsphys.solve(model, t=[4.5, 5.5])["strength"]
    return within(0.5 * np.log(found[1] / found[0]) / escape_rate(model) - 1, 1e-3, "rates of growth")


def late(setting: Setting) -> Finding:
    """The power law of what a guide has not: corrections are of the order of the residual itself."""
    model = tsphys.Guidance((1.0,), None, 0.25, strength=0.5, guide=(0.0,))
    t = [1e4, 1e6]
    ratio = (1 - tsphys.solve(model, t=t)["strength"]) / starved(model, t)
    return within(ratio[:, 0] - 1, [0.01, 5e-4], "the law of late times")


def checks(quick: bool) -> list[Check]:
    """What is checked of helped networks: pretraining, guides that end or lack a mode, exact identities."""
    some = {"target": (1.0, 0.5, 1.5), "variance": (2.0, 1.0, 0.4), "start": 1e-3}
    return [
        Check("simulation", "pretrained", trained(**some, pretraining=4.0)),
        Check("simulation", "guided", trained(**some, strength=1.0, guide=(1.0, 0.5, 0.0))),
        Check("simulation", "guided at first", trained(**some, pretraining=1.0, strength=3.0, until=1.5)),
        Check("identity", "motion of blocks", of_blocks),
        Check("identity", "times of learning", waiting),
        Check("identity", "late times", late),
        Check("identity", "small starts", leaving),
        Check("integral", "modes by a plain integrator", plainly),
    ]
