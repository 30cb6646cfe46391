"""The equations of motion of two linear layers, integrated from any start."""

from __future__ import annotations

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError
from tsphys.physics.flows.linear_layers import Blocks, blocks, motion
from tsphys.solvers.ode import integrate

#: Part of the largest eigenvalue up to which directions that the start has not count as none.
LEFT = 1e-6


def integrated(W1: np.ndarray, W2: np.ndarray, S: np.ndarray, t: np.ndarray) -> Blocks:
    """A, B, C at times t, axes (T, n, …), from layers W₁ (n, h, d) and W₂ (n, c, h) that learn S (n, c, d).

    Raises
    ------
    ConvergenceError
        If an integration did not converge, or if rounding took the equations of motion off the rank of the start,
        beside which they are unstable.
    """
    first = blocks(W1, W2)
    cuts = np.cumsum([x.size for x in first])[:-1]

    def unpacked(y: np.ndarray) -> Blocks:
        return Blocks(*(part.reshape(x.shape) for part, x in zip(np.split(y, cuts), first)))

    def rates(_: float, y: np.ndarray) -> np.ndarray:
        return np.concatenate([x.ravel() for x in motion(unpacked(y), S)])

    off = "rounding took the equations of motion off the rank of their start"
    try:
        y, _ = integrate(rates, np.concatenate([x.ravel() for x in first]), t, rtol=1e-9, atol=1e-12, method="DOP853")
    except DivergedError as error:
        # Networks do not run away, whatever the teacher.
        raise ConvergenceError(off, last=error.partial) from None
    found = Blocks(*(np.stack(part) for part in zip(*(unpacked(row) for row in y))))
    rank = W1.shape[-2]
    whole = np.block([[found.A, np.swapaxes(found.B, -1, -2)], [found.B, found.C]])
    values = np.linalg.eigvalsh(whole)
    beyond = values[..., : values.shape[-1] - rank]
    if beyond.size and float(np.max(np.abs(beyond) / values[..., -1:])) > LEFT:
        raise ConvergenceError(off, last=y)
    return found
