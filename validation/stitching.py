"""Stitching of two random nets by relative representations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.physics.kernels.relative import arcs, cosine_variance, gram_variance
from tsphys.replica.stitching import offset, optimal_ridge
from tsphys.validation.checks import Check, Finding, Setting, agrees, within
from tsphys.validation.identities import at_minimum


def stitched(model: Any, axis: dict[str, Any], replicas: int = 32, N: int = 100) -> Any:
    """A check of drawn nets on the theory."""
    return agrees(model, "eps_stitched", replicas, sim={"N": N}, **axis)


def products(setting: Setting) -> Finding:
    """Averages over two fields, and the variance of cosines to first order, from 10⁶ pairs, to five errors."""
    rng, off = np.random.default_rng([setting.seed, 59]), []
    for r in (-0.5, 0.3, 0.8):
        u, z = rng.standard_normal((2, 1_000_000))
        v = np.maximum(r * u + np.sqrt(1 - r * r) * z, 0.0)
        u = np.maximum(u, 0.0)
        found = arcs(np.array(r))
        c = 2 * float(found.products)
        shift = 2 * u * v - c * (u**2 + v**2)
        samples = [((u > 0) & (v > 0)).astype(float), u * v, (u * v) ** 2, u**3 * v, shift**2, shift]
        told = [*found, cosine_variance(np.array(r)), 0.0]
        off += [(s.mean() - t) / (5 * s.std() / len(s) ** 0.5) for s, t in zip(samples, told, strict=True)]
        off.append((gram_variance(np.array(r)) - (u * v).var()) / (5 * ((u * v) ** 2).std() / len(u) ** 0.5))
    return within(np.array(off), np.ones(len(off)), "averages over two fields, in units of five errors")


def student(setting: Setting) -> Finding:
    """The student's power adds up to its error, and its norm is twice the slope of what it minimises by the ridge."""
    eigenvalues, power, count = np.array([1.0, 0.3, 0.02]), np.array([0.5, 0.3, 0.1]), np.array([2.0, 7.0, 90.0])
    modes, off, bound = Modes(eigenvalues, power, count), [], []
    for n, k, ridge in ((20.0, 35.0, 0.1), (50.0, 30.0, 0.02), (40.0, None, 0.5)):
        told = eigenframework.student(modes, n, ridge, 0.2, k)
        error = eigenframework.errors(modes, n, ridge, 0.2, k)["eps_g"]
        off.append(0.5 * float(np.sum(power * (1 - 2 * told.learned) + told.power)) - error)
        slope, h = [], 0.02 * ridge
        for sign in (1, -1):
            here = eigenframework.errors(modes, n, ridge + sign * h, 0.2, k)
            there = eigenframework.student(modes, n, ridge + sign * h, 0.2, k)
            slope.append(n * here["train_loss"] + 0.5 * (ridge + sign * h) * there.norm)
        off.append((slope[0] - slope[1]) / (2 * h) - 0.5 * told.norm)
        # Of a difference over 2 % of the ridge, (0.02)²/6 of a third derivative of the size of the norm.
        bound += [1e-11, 2e-4 * told.norm]
    return within(np.array(off), np.array(bound), "powers and norms of students")


def offsets(setting: Setting) -> Finding:
    """Parts of what a unit adds to the mean of outputs, by sums in steps of 1e-3, which leave 1e-6 of a kink."""
    z = (np.arange(-12_000, 12_000) + 0.5) * 1e-3
    w = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * 1e-3
    v, mean = np.maximum(z, 0.0), 1 / np.sqrt(2 * np.pi)
    off = []
    for name, shift in (("gram", mean * v), ("cosine", mean * v - mean**2 * v**2)):
        along = w @ (shift * z)
        off += list(np.array(offset("relu", name)) - [along**2, w @ shift**2 - (w @ shift) ** 2 - along**2])
    return within(np.array(off), np.full(4, 2e-6), "parts of offsets")


def by_hand(setting: Setting) -> Finding:
    """Nets of two features a dimension by the Gram matrix of their coordinates, of all kinds."""
    N, p, m, n, test, off = 12, 24, 8, 20, 30, []
    mean, square = 1 / np.sqrt(2 * np.pi), 0.5
    for kind in ("centred", "gram", "cosine"):
        model = tsphys.Stitching(
            coordinates=kind, width=p / N, anchors=m / N, alpha=n / N, ridge=0.2, noise=0.3, activation="relu"
        )  # fmt: skip
        found = tsphys.simulate(model, N=N, test=test, replicas=1, seed=setting.seed)
        rng = generator(setting.seed, 0, "instance 0")
        nets = rng.standard_normal((2, p, N))
        anchors, x, fresh = (rng.standard_normal((k, N)) for k in (m, n, test))
        for a in (anchors, x, fresh):
            a *= np.sqrt(N) / np.linalg.norm(a, axis=1)[:, None]
        y = x[:, 0] + 0.3 * rng.standard_normal(n)

        def seen(F: np.ndarray, inputs: np.ndarray, kind: str = kind, anchors: np.ndarray = anchors) -> np.ndarray:
            here, there = (np.maximum(a @ F.T / np.sqrt(N), 0) for a in (inputs, anchors))
            if kind == "centred":
                return np.asarray((here - mean) @ (there - mean).T / p)
            if kind == "gram":
                return np.asarray(here @ there.T / p - mean**2)
            sizes = np.outer(np.sqrt(np.sum(here**2, axis=1)), np.sqrt(np.sum(there**2, axis=1)))
            return np.asarray(here @ there.T / sizes - mean**2 / square)

        A = seen(nets[0], x)
        w = A.T @ np.linalg.solve(A @ A.T + 0.2 * np.eye(n), y)
        own, other = (seen(F, fresh) @ w for F in nets)
        told = {"eps_g": own - fresh[:, 0], "eps_stitched": other - fresh[:, 0], "mismatch": own - other}
        off += [found[name][0, 0] - 0.5 * np.mean(gap**2) for name, gap in told.items()]
    return within(off, 1e-9, "nets by hand")


def checks(quick: bool) -> list[Check]:
    """What is checked of stitching: kinds of coordinates, of features, all axes, and what the theory is made of."""
    model = tsphys.Stitching(noise=0.3)
    smooth = replace(model, activation="tanh", anchors=0.5)
    return [
        Check("simulation", "over features", stitched(model, {"width": [0.5, 2.0, 8.0]})),
        Check(
            "simulation", "over anchors", stitched(replace(model, width=1.0, noise=1.0), {"anchors": [0.3, 1.0]}, 128)
        ),
        Check("simulation", "tanh, over ridges", stitched(smooth, {"ridge": [0.01, 0.3, 3.0]}, 48)),
        Check("simulation", "cosines", stitched(replace(model, coordinates="cosine"), {"width": [1.0, 4.0]})),
        Check("simulation", "with the mean", stitched(replace(model, coordinates="gram"), {"width": [1.0, 4.0]})),
        Check("integral", "products of features", products),
        Check("integral", "offsets", offsets),
        Check("step", "nets by hand", by_hand),
        Check("identity", "student", student),
        Check("identity", "best ridge", best),
    ]


def best(setting: Setting) -> Finding:
    """The ridge of the least error on the other net."""
    model = tsphys.Stitching(noise=0.3, width=2.0)
    return at_minimum(lambda x: tsphys.solve(model, ridge=[x])["eps_stitched"][0], optimal_ridge(model), "best ridge")
