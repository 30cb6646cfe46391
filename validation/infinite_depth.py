"""Classifiers of infinitely wide and deep nets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tsphys
from tsphys.physics.kernels import Layer, stack
from tsphys.physics.kernels.depths import exponent, koenigs, tangent_kernel
from tsphys.physics.kernels.layers import kernels_of
from tsphys.sims.infinite_depth import classified
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

SINGULAR, NEAREST, MAJORITY = (0.0, 0.5, 0.0, 0.5), (0.0, 0.0, 0.5, 0.5), (0.2, 0.3, 0.0, 0.5)


def drawn(model: Any, n: list[int], replicas: int = 24) -> Any:
    """A check of the limit's errors on drawn examples on the exact ones, which hold at every n."""
    return agrees(model, "limit_error", replicas, finite_size=False, sim={"depth": 1, "n_test": 200}, n=n)


def koenigs_function(setting: Setting) -> Finding:
    """ψ(φ̌(ξ)) = B²ψ(ξ), its exponent, and ψ from differences of the NTK over depth."""
    off = []
    for c in (SINGULAR, (0.0, 0.3, 0.7), (0.0, 0.8, 0.0, 0.0, 0.0, 0.2)):
        xi = np.array([-0.9, -0.3, 0.2, 0.5, 0.9, 0.99])
        mapped = np.polynomial.polynomial.polyval(xi, c)
        off.append(np.abs(koenigs(c, mapped) / koenigs(c, xi) - c[1]).max())
        close = np.array([1e-7, 1e-8])
        psi = koenigs(c, 1 - close)
        # The power law has corrections of order 1 − ξ, or its power, and ξ is rounded.
        off.append(1e-4 * abs(np.diff(np.log(psi))[0] / np.diff(np.log(close))[0] + exponent(c)))
    c, L, xi = SINGULAR, 300, np.array([0.5, 0.9])
    scaled = [np.exp(tangent_kernel(c, xi, l).log - l * np.log(c[1])) for l in (L, 2 * L)]
    off.append(np.abs((scaled[1] - scaled[0]) / L - koenigs(c, xi)).max())
    return within(off, 1e-9, "ψ")


def layers(setting: Setting) -> Finding:
    """Correlations and NTK against layers whose activation is Σ c_k h_k."""
    off = []
    for c in (SINGULAR, NEAREST, MAJORITY):
        roots = np.sqrt(c) / np.sqrt([1.0, 1.0, 2.0, 6.0])
        net = stack(5, Layer(lambda u, a=roots: np.polynomial.hermite_e.hermeval(u, a)))
        xi = np.array([[1, 0.6, -0.4], [0.6, 1, 0.3], [-0.4, 0.3, 1]])
        found, kernel = kernels_of(net, xi, np.ones(3)), tangent_kernel(c, xi, 4)
        off.append(np.abs(found.ntk - kernel.sign * np.exp(kernel.log)).max())
    return within(off, 1e-9, "layers")


def few(setting: Setting) -> Finding:
    """One example decides alone, three by their majority: with labels that are + with probability a where b are."""
    from scipy.special import betainc

    off, p, D, z = [], 0.3, 4, 0.2
    b = 0.5 * (1 - betainc(0.5, 0.5 * D, z * z))
    a = b * (1 - p) + (1 - b) * p
    for c, n, yes in ((NEAREST, 1, a), (MAJORITY, 1, a), (MAJORITY, 3, a**3 + 3 * a * a * (1 - a))):
        model = tsphys.InfiniteDepth(weights=c, n=n, noise=p, sphere=D, threshold=z)
        off.append(tsphys.solve(model)["limit_error"][0] - yes * (1 - b) - (1 - yes) * b)
    # Nodes of the sphere and of its cells.
    return within(off, 1e-5, "one example and three")


def by_hand(setting: Setting) -> Finding:
    """Instances: labels one by one, kernels of layers by quadrature, and votes of all examples or of the nearest."""
    off, n, m = [], 60, 40
    for c, noise in ((SINGULAR, 0.3), (NEAREST, 0.2), (MAJORITY, 0.4)):
        model = tsphys.InfiniteDepth(weights=c, n=n, noise=noise, sphere=3, threshold=0.1)
        found = classified(model, [3], m, np.random.default_rng(setting.seed))[0]
        rng = np.random.default_rng(setting.seed)
        x = rng.standard_normal((n + m, 4))
        x /= np.sqrt(np.sum(x**2, axis=1))[:, None]
        truth, flipped = np.where(x[:, 0] > 0.1, 1, -1), rng.random(n) < noise
        y = np.where(flipped, -1, 1) * truth[:n]
        roots = np.sqrt(model.squares()) / np.sqrt([math.factorial(k) for k in range(len(c))])
        net = stack(4, Layer(lambda u, a=roots: np.polynomial.hermite_e.hermeval(u, a)))
        K = kernels_of(net, x @ x.T, np.ones(n + m)).ntk
        deep = np.sign(K[n:, :n] @ np.linalg.solve(K[:n, :n], y))
        seen = x[n:] @ x[:n].T
        if c is MAJORITY:
            end = np.sign(np.full(m, y.sum()))
        elif c is NEAREST:
            # Correlations after a layer are ½ξ²(1 + ξ) ≥ 0.
            end = y[(seen**2 + seen**3).argmax(axis=1)]
        else:
            end = np.sign(koenigs(model.squares(), seen) @ y)
        told = {"error": np.mean(deep != truth[n:]), "limit_error": np.mean(0.5 - 0.5 * end * truth[n:]),
                "agreement": np.mean(0.5 + 0.5 * deep * end)}  # fmt: skip
        off += [found[name] - value for name, value in told.items()]
    return within(off, 1e-12, "instances by hand")


def checks(quick: bool) -> list[Check]:
    """What is checked of infinite depth: errors of all three limits, ψ, and its layers."""
    model = tsphys.InfiniteDepth
    return [
        Check("simulation", "singular, a = 1", drawn(model(weights=SINGULAR, noise=0.25), [10, 60], 48)),
        Check(
            "simulation",
            "singular on a circle",
            drawn(model(weights=(0.0, 0.8, 0.0, 0.2), sphere=1, noise=0.0), [4, 16], 36),
        ),
        Check("simulation", "nearest neighbour", drawn(model(weights=NEAREST, noise=0.2), [10, 60])),
        Check("simulation", "majority", drawn(model(weights=MAJORITY, threshold=-0.1, noise=0.3), [20, 60])),
        Check("identity", "Kœnigs' function", koenigs_function),
        Check("integral", "layers by quadrature", layers),
        Check("integral", "few examples", few),
        Check("step", "instances by hand", by_hand),
    ]
