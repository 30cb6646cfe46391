"""Generalisation error of a student on fresh Gaussian inputs, from its overlaps with the teacher."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.numerics.gaussian import density
from tsphys.physics.inference.channels import Channel, Interval, Kinked
from tsphys.physics.inference.mixtures import spread_grid


def generalisation_error(
    channel: Channel, rho: float, m: float, q: float, V: float | None = None, rest: float | None = None
) -> float:
    """Error of a student ω = x·ŵ/√N on the outputs without noise of a teacher z = x·w*/√N.

    For labels the probability of a wrong one; for real outputs ½E(φ(z) − ŷ)², as `eps_g` everywhere.

    Parameters
    ----------
    channel : Channel
        The teacher's.
    rho, m, q : float
        |w*|²/N, w*·ŵ/N, |ŵ|²/N.
    V : float, optional
        Posterior variance of a Bayesian student, which predicts E[φ | ω, V] or the likelier label; without it the
        student predicts ω, or sign ω. The labels of ``threshold`` are predicted to 1e-6 (a sum with jumps).
    rest : float, optional
        q − m²/ρ, where it is known with more digits than this difference has.
    """
    clean = noiseless(channel)
    if rest is None:
        rest = max(q - (m * m / rho if rho > 0 else 0.0), 0.0)
    if channel.labels and getattr(channel, "edge", None) is None:
        return float(np.arctan2(np.sqrt(rho * rest), m) / np.pi) if q > 0 and rho > 0 else 0.5
    if V is None and isinstance(channel, Kinked) and channel.right == channel.left == 1:
        return 0.5 * ((rho - m) ** 2 / rho + rest) if rho > 0 else 0.5 * q
    root = np.sqrt(max(q, 0.0))
    left = max(rho - (m * m / q if q > 0 else 0.0), 0.0)
    scale = np.sqrt(min(x for x in (left, V, rho) if x)) if left > 0 else root or 1.0
    if channel.labels:
        xi = np.linspace(-10.0, 10.0, 20_001)
        weight = density(xi) * (xi[1] - xi[0])
        omega = root * xi
        guess = np.sign(channel.mean(omega, V if V else 1e-300) if V is not None else omega)
        given = clean.mean((m / q if q > 0 else 0.0) * omega, max(left, 1e-300))
        return float(weight @ (0.5 * (1.0 - guess * given)))
    x, weight = spread_grid(root / scale, 401)
    omega = scale * x
    truth = clean.mean((m / q if q > 0 else 0.0) * omega, left)
    guess = omega if V is None else clean.mean(omega, V)
    total = 0.5 * (clean.right**2 + clean.left**2) * rho
    return float(max(0.5 * (total - weight @ (2 * truth * guess - guess * guess)), 0.0))


def noiseless(channel: Channel) -> Any:
    """The channel of the outputs without noise; a logistic teacher's label is the likelier one."""
    if isinstance(channel, Interval):
        return Interval(channel.edge)
    return Kinked(channel.right, channel.left) if isinstance(channel, Kinked) else Interval()
