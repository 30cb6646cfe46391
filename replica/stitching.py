"""Stitching of two random nets for N → ∞, at fixed numbers of features, anchors and examples over N.

Features without their mean may be replaced by v = κ_1 Fx/√N + κ_* ξ. Those of anchors have the same covariance
Ω = κ_1² FFᵀ/N + κ_*² as those of inputs, so that products with m anchors are m Gaussian features of a kernel with
the eigenvalues (m/p²) ω², and the own error is that of the eigenframework. What anchors a have beside the features of
net A is independent of the readout w, which gives |Σ w_j a_j|²; and net B sees nothing of w but that and |w|²: each of
its units adds a product of Gaussian fields. The equations are our own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.ground.parameters import word
from tsphys.models.stitching import Stitching
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.averages import sample
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.physics.kernels.hermite import parts
from tsphys.runs import frames
from tsphys.solvers.fixed_point import maximum

#: Nodes of averages over the spectrum, first and most; the largest change by twice as many, of errors, that is none.
NODES, CHANGE = (256, 2**17), 1e-9
NAMES = ("eps_g", "eps_stitched", "mismatch")


@frames.static(Stitching)
def solve(model: Stitching) -> dict[str, float]:
    """Errors of a readout on the net that it was trained on, and on another one.

    Returns
    -------
    dict
        Over the axis: ``eps_g``, half the mean squared error without noise on fresh inputs, on net A;
        ``eps_stitched``, that on net B; ``mismatch``, half the mean squared difference of both.

    Raises
    ------
    ModelError
        If the error is infinite: without a ridge, where examples just fix the readout.
    ConvergenceError
        If an average over the spectrum changes with the most nodes.
    """
    nodes, before = NODES[0], np.full(len(NAMES), np.inf)
    while nodes <= NODES[1]:
        found = errors(model, nodes)
        change = float(np.abs(found - before).max())
        if change <= CHANGE * max(1.0, float(found.max())):
            return dict(zip(NAMES, found.tolist(), strict=True))
        nodes, before = 2 * nodes, found
    raise ConvergenceError("an average over the spectrum did not converge", residual=change, iterations=nodes // 2,
                           last=found)  # fmt: skip


def optimal_ridge(model: Stitching, observable: str = "eps_stitched") -> float:
    """The ridge λ between 1e-6 and 1e6 of the least error, of the stitched net by default."""
    word("observable", observable, NAMES)
    found, _ = maximum(
        lambda log: -solve(replace(model, ridge=float(np.exp(log))))[observable][0], -np.log(1e6), np.log(1e6), 49
    )
    return float(np.exp(found))


def spectrum(width: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues s of FFᵀ/N and weights of the midpoint rule in their angle, of sum p/N."""
    root, half = np.sqrt(width), (np.arange(nodes) + 0.5) * (0.5 * np.pi / nodes)
    s = (1 - root) ** 2 + 4 * root * np.cos(half) ** 2
    weights = 2 * np.sin(2 * half) ** 2 / s / nodes
    return np.append(s, 0.0), width * np.append(weights, max(0.0, 1 - 1 / width))


@lru_cache(maxsize=64)
def offset(activation: str, coordinates: str) -> tuple[float, float]:
    """Slope² and rest, as of a feature, of what a unit's field at an anchor adds to the mean of outputs over inputs."""
    mean, slope, rest = parts(activation)
    if coordinates == "centred":
        return 0.0, 0.0
    z, weights, values, _ = sample(activation, 1.0)
    square = mean**2 + slope**2 + rest
    shift = mean * (values - mean)
    if coordinates == "cosine":
        shift -= mean**2 / (2 * square) * (values**2 - square)
    along = float(weights @ (shift * z))
    return along**2, float(weights @ (shift - along * z) ** 2)


def errors(model: Stitching, nodes: int) -> np.ndarray:
    """`NAMES` by so many nodes."""
    mean, slope, rest = parts(model.activation)
    p, m, square = model.width, model.anchors, slope**2 + rest
    # Cosines are centred products over ⟨φ²⟩, which the ridge feels.
    unit = square + mean**2 if model.coordinates == "cosine" else 1.0
    s, count = spectrum(p, nodes)
    signal = slope**2 * s
    omega = signal + rest
    some = omega > 0
    shared = np.divide(signal, omega, out=np.zeros_like(s), where=some)
    within = np.divide(1.0, omega, out=np.zeros_like(s), where=some)
    power = count * shared
    # What of the target no feature tells; with the noise it is noise.
    missing = 1 - float(power.sum())
    modes = Modes(m / p**2 * omega**2, power, count)
    ridge, noise = model.ridge * unit**2, model.noise**2 + missing
    own = eigenframework.errors(modes, model.alpha, ridge, noise, m)["eps_g"] + missing / 2
    student = eigenframework.student(modes, model.alpha, ridge, noise, m)
    # |Σ w_j a_j|²/N², |w|²/N, ⟨f_B y⟩ and ⟨f_A f_B⟩.
    common = p**2 * float(np.sum(student.power * shared * within**2)) + student.norm * missing
    aligned = slope**2 * p * float(np.sum(power * student.learned * within))
    both = slope**2 * p * float(np.sum(student.power * shared * within))
    along, beside = offset(model.activation, model.coordinates)
    fluctuation = (
        square * (slope**2 * common + rest * student.norm) + along * common + beside * student.norm
    ) / p  # fmt: skip
    there = slope**4 * common + fluctuation
    return np.array([own, 0.5 * (1 - 2 * aligned + there), 0.5 * (float(student.power.sum()) - 2 * both + there)])
