"""Deep wide nets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.physics.kernels import Kernel, Layer, kernels, posterior, stack, student
from tsphys.physics.kernels.averages import moments, values
from tsphys.replica.deep_kernels import depth_scales, edge_of_chaos, layer_by_layer, lazily_trained
from tsphys.sims.deep_kernels import train
from tsphys.validation.checks import Check, Finding, Setting, agrees, threshold, within


def drawn(model: Any, replicas: int, nets: int = 64, ntk: bool = False) -> Any:
    """A check of nets on the recursion and its first order in 1/n."""
    return agrees(model, "V", replicas, sim={"nets": nets, "ntk": ntk}, depth=[2, 4, 6])


def trained(setting: Setting) -> Finding:
    """Outputs of nets, trained without any linearisation, over steps; n = 128 leaves some 1/n of their variance."""
    rng = generator(setting.seed, 0, "data")
    X, new, layers = rng.standard_normal((5, 4)), rng.standard_normal((3, 4)), stack(2, Layer("erf", 1.5, 0.2))
    y, nets, t, both = np.sin(2 * X[:, 0]), setting.replicas(48), [0, 2, 8], np.concatenate([X[:3], new])
    found = train(layers, X, y, both, width=128, lr=0.15, t=t, nets=nets, rng=rng).new
    theory = lazily_trained(layers, X, y, both, lr=0.15, t=t)
    mean, variance = found.mean(axis=1), found.var(axis=1, ddof=1)
    z = np.concatenate([
        (mean - theory.mean) / np.sqrt(variance / nets),
        np.log(variance / theory.variance) / np.sqrt(2 / (nets - 1) + (8 / 128) ** 2),
    ])  # fmt: skip
    return Finding(float(np.abs(z).max()), threshold(z.size), f"mean and variance of {nets} trained nets")


def closed(setting: Setting) -> Finding:
    """Kernels of activations with closed forms, and of the same as functions by Hermite series, over five layers."""
    rng = generator(setting.seed, 0, "inputs")
    X, off = rng.standard_normal((12, 30)) * rng.uniform(0.5, 2, (12, 1)), []
    for name in ("erf", "relu", "linear", "he2"):
        layers = [Layer(phi, 1.3, 0.1) for phi in ("linear", name, "erf", name)]
        summed = [replace(layer, activation=lambda u, g=layer.activation: values(g, u)) for layer in layers]
        one, other = kernels(layers, X), kernels(summed, X)
        scale = np.abs(one.ntk).max()
        off += [np.abs(one.nngp - other.nngp).max() / scale, np.abs(one.ntk - other.ntk).max() / scale]
    # ReLU leaves some 1e-6 |c|^1024 of its series; the rest is rounding.
    return within(off, 1e-10, "closed forms and series")


def exact(setting: Setting) -> Finding:
    """ReLU at σ_w² = 2: V/K² = 5(l − 1) and no K1. Linear Haar nets: −2 at every depth. χ_1 = 1 at the edge."""
    off = []
    rows = list(layer_by_layer(tsphys.DeepKernels(activation="relu", weight_variance=2, bias_variance=0), 8))
    off += [row["V"] / row["K11"] ** 2 - 5 * l for l, row in enumerate(rows)] + [row["q"] - row["K11"] for row in rows]
    haar = tsphys.DeepKernels(activation="linear", weight_variance=0.8, bias_variance=0, ensemble="orthogonal")
    off += [row["V"] / row["K11"] ** 2 + 2 for row in layer_by_layer(haar, 8)]
    for phi, b in (("tanh", 0.05), ("erf", 0.3)):
        edge = edge_of_chaos(phi, b)
        model = tsphys.DeepKernels(activation=phi, bias_variance=b, weight_variance=edge.weight_variance)
        off += [depth_scales(model).chi - 1, depth_scales(model).q - edge.q]
        step = 1e-4
        slope = (moments(phi, edge.q + step).square - moments(phi, edge.q - step).square) / (2 * step)
        off.append((slope - moments(phi, edge.q).first) * 0.1)
    # Central differences err by step²/6 of a third derivative, less than 1e-8.
    return within(off, 1e-8, "known values")


def mixture(setting: Setting) -> Finding:
    """Moments of Student's process from scales that are drawn from their prior and weighted by the evidence."""
    rng, a, b = generator(setting.seed, 0, "scales"), 3.0, 1.5
    X, new, kernel = rng.standard_normal((4, 3)), rng.standard_normal((3, 3)), Kernel(stack(3, Layer("erf", 1.5, 0.1)))
    y, v = rng.standard_normal(4), b / rng.gamma(a, size=40_000)
    found, plain = student(kernel, X, y, new, a, b, 0.1), posterior(kernel, X, y, new, 0.1)
    square = y @ np.linalg.solve(kernel(X) + 0.1 * np.eye(4), y)
    weights = np.exp(-0.5 * square / v) * v**-2.0
    weights /= weights.sum()
    variance = found.scale2 * found.dof / (found.dof - 2)
    # Of ratios of means by the delta method.
    scale = float(weights @ v)
    error = np.sqrt(np.sum(weights**2 * (v - scale) ** 2))
    z = np.append((scale * plain.variance - variance) / (error * plain.variance), (found.mean - plain.mean) / 1e-10)
    return Finding(float(np.abs(z).max()), threshold(2), "variance of a scale mixture")


def checks(quick: bool) -> list[Check]:
    """What is checked of deep nets: each law of weights, training, mixtures, closed forms, known values."""
    model = tsphys.DeepKernels
    plain: dict[str, Any] = {"weight_variance": 1.5, "bias_variance": 0.0, "length": 1 / 1.5, "width": 64}
    return [
        Check("simulation", "iid, chaotic", drawn(model(weight_variance=4.0, width=64), 8)),
        Check("simulation", "Haar", drawn(model(ensemble="orthogonal", **plain), 8)),
        Check("simulation", "low rank, erf", drawn(model(ensemble="low_rank", activation="erf", **plain), 8)),
        Check("simulation", "sparse", drawn(model(ensemble="sparse", **plain), 8)),
        Check("simulation", "NTK, ReLU", drawn(model(activation="relu", weight_variance=2.0, width=100), 8, 8, True)),
        Check("simulation", "trained nets", trained),
        Check("integral", "closed forms and series", closed),
        Check("identity", "known values", exact),
        Check("identity", "Student's process is a mixture", mixture),
    ]
