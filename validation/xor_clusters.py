"""XOR clusters with flipped labels."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.physics.flows.xor import composition
from tsphys.sims.engines.gradient import TwoLayer, descend, reduced
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within


def learned(model: Any, t: Any, replicas: int, draws: int) -> Any:
    """A check of nets on the motion of fields, whose draws make errors that are small beside those of the nets."""

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        sim = tsphys.simulate(model, t=t, replicas=many, seed=setting.seed, threads=setting.threads)
        return on_theory(sim, tsphys.solve(model, t=t, draws=setting.replicas(draws)), "accuracy")

    return run


def gram(setting: Setting) -> Finding:
    """Fields of a net that moves by its Gram matrix, C += B and h += BG, against its weights in all dimensions."""
    n, N, K, steps, lr = 24, 100, 10, 20, 0.3
    rng = np.random.default_rng(setting.seed)
    drawn = composition(n, K, 0.1, rng)
    X, W = rng.standard_normal((n, N)), 0.05 * rng.standard_normal((K, N))
    X[:, :2] += 4 * drawn.centres
    Z, Q = reduced(X)
    net = TwoLayer(Z, drawn.labels, K, phi="relu", loss="logistic", rates=(1.0, 0.0))
    (w,) = descend(net, net.pack(W @ Q, drawn.readout), np.array([steps]), lr)
    h, C, G, y = W @ X.T, np.zeros((K, n)), X @ X.T, drawn.labels
    for _ in range(steps):
        g = y / (1 + np.exp(y * (drawn.readout @ np.maximum(h, 0))))
        B = lr / n * drawn.readout[:, None] * (h > 0) * g
        C, h = C + B, h + B @ G
    off = np.concatenate([(net.layers(w)[0] @ Z.T - h).ravel(), ((W + C @ X) @ X.T - h).ravel()])
    # Rounding of fields of order ten in as many steps.
    return within(off, 1e-10, "fields by the Gram matrix")


def checks(quick: bool) -> list[Check]:
    """What is checked of XOR clusters: nets on the motion of their fields, with flips or without, the Gram form."""
    small: Any = {"n": 80, "N": 3200, "K": 80}
    return [
        Check("simulation", "a tenth flipped", learned(tsphys.XorClusters(**small, distance=9.0), [1, 4, 16], 64, 256)),
        Check(
            "simulation", "none flipped, fewer dimensions",
            learned(tsphys.XorClusters(n=60, N=1200, K=60, distance=7.0, flips=0.0), [2, 8], 64, 256),
        ),
        Check("identity", "the Gram form is the net", gram),
    ]  # fmt: skip
