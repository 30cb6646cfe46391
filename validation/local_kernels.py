"""Local and convolutional kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.physics.kernels.torus import decay, waves
from tsphys.replica.local_kernels import spectrum
from tsphys.sims.local_kernels import functions
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

COUNTS = [30, 80, 200]


def learned(model: Any, replicas: int) -> Any:
    """A check of instances with Gaussian numbers for waves, for which the theory is meant."""
    return agrees(model, "eps_g", replicas, sim={"covariates": "gaussian"}, n=COUNTS)


def on_the_torus(setting: Setting) -> Finding:
    """Errors at points of the torus: waves are not Gaussian, which moves them by up to 12 %."""
    model = tsphys.LocalKernels(modes=300)
    sim = tsphys.simulate(
        model, n=[128, 256], replicas=setting.replicas(12), seed=setting.seed, threads=setting.threads
    )
    theory = tsphys.solve(model, n=[128, 256])["eps_g"]
    return within(sim.mean("eps_g") - theory, 0.12 * theory + 4 * sim.sem("eps_g"), "on the torus")


def traces(setting: Setting) -> Finding:
    """Sums over the spectrum against the kernel at x = x' and the target's power wave by wave."""
    off = []
    for more in ({"patch": [2]}, {"patch": [1, 2], "weights": [0.3, 0.9]}, {"kernel": "convolutional"}):
        model = tsphys.LocalKernels(dimension=4, modes=9, smoothness=1.7, **more)
        modes, total = spectrum(model), 0.0
        for s, weight in model.scales():
            whole = 2 * decay((waves(s, 9) ** 2).sum(axis=1), 1.7, s, 0.1).sum()
            total += weight * (1 + whole * (s / 4 if model.kernel == "convolutional" else 1))
        off += [np.sum(modes.eigenvalues * modes.count) / total - 1, modes.power.sum() - 1]
        first = decay(np.arange(1, 10.0) ** 2, 1.0, 1, 0.1)
        largest = modes.power[modes.eigenvalues > 0].max()
        off.append(largest - first[0] / first.sum())
    return within(off, 1e-12, "sums over waves")


def orthonormal(setting: Setting) -> Finding:
    """Waves at 7 points along each axis, which integrate products of those up to 3 exactly."""
    sides = np.meshgrid(*[np.arange(7) / 7] * 4, indexing="ij")
    x, off = np.stack([side.ravel() for side in sides], axis=1), []
    for kernel in ("local", "convolutional"):
        phi = functions(tsphys.LocalKernels(dimension=4, patch=[2], kernel=kernel, modes=3), x, waves(2, 3))
        off.append(np.abs(phi.T @ phi / len(x) - np.eye(phi.shape[1])).max())
    return within(off, 1e-12, "waves are orthonormal")


def checks(quick: bool) -> list[Check]:
    """What is checked of local kernels: each kind on Gaussian numbers, the torus itself, and its waves."""

    def model(modes: int, **more: Any) -> Any:
        return tsphys.LocalKernels(modes=modes, noise=0.3, ridge=0.02, **more)

    return [
        Check("simulation", "local", learned(model(150), 48)),
        Check("simulation", "convolutional", learned(model(150, kernel="convolutional"), 48)),
        Check("simulation", "two scales", learned(model(9, patch=[1, 2], smoothness=1.5), 48)),
        Check("simulation", "target of two axes", learned(model(9, patch=[2], target_patch=2), 48)),
        Check("identity", "torus", on_the_torus),
        Check("identity", "sums over waves", traces),
        Check("integral", "orthonormal waves", orthonormal),
    ]
