"""A neuron on the sphere that looks for spikes, for N → ∞.

The overlaps m with the directions obey::

    dm/dt = η (⟨y g'(λ) s⟩ − m⟨y g'(λ) λ⟩) − ½ η² m⟨g'(λ)²⟩

Given the latent variable, s is normal with mean μ and diagonal covariance S, hence λ too; averages over both are
closed. The latent variable, a function of one normal number, is left to Gauss-Legendre quadrature on each half-line.

References
----------
Székely, Bardone, Gerace & Goldt, NeurIPS 2024 (arXiv:2312.14922); Bardone & Goldt, ICML 2024 (arXiv:2404.08602); Ben
Arous, Gheissari & Jagannath, JMLR 22, 106 (2021), for the scaling with N.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.models.spiked_cumulant import KURTOSIS, SpikedCumulant
from tsphys.numerics.gaussian import density
from tsphys.odes.equations import online
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs import frames

#: Nodes on each half of the line, which ends where the normal density is 1e-23.
HALF, FAR = 64, 10.0
#: An overlap that counts as none, and, relative to the overlaps, motion in as long a time again.
NONE = 1e-9


@cache
def _normal() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of an average over a normal number of functions that are smooth on each half of the line."""
    x, w = np.polynomial.legendre.leggauss(HALF)
    x = 0.5 * FAR * (x + 1)
    w = 0.5 * FAR * w * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return np.concatenate([-x[::-1], x]), np.concatenate([w[::-1], w])


def latent(law: str, z: np.ndarray) -> np.ndarray:
    """The latent variable as an increasing function of a standard normal one."""
    from scipy.special import erf, log_ndtr

    if law == "rademacher":
        return np.sign(z)
    if law == "uniform":
        return math.sqrt(3) * erf(z / math.sqrt(2))
    if law == "laplace":
        # P(|z| > x) = 2Φ(−x) = exp(−√2 |g|).
        return -np.sign(z) * (log_ndtr(-np.abs(z)) + math.log(2)) / math.sqrt(2)
    return z


def components(model: SpikedCumulant) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The class y = 1 as a mixture: means (P, M), variances (P, M), weights (P,) of normal coordinates."""
    z, w = _normal()
    shrunk = 1 / (1 + model.beta)
    along = np.sqrt(model.beta * shrunk) * latent(model.latent, z)
    if model.task == "spiked":
        return along[:, None], np.full((len(z), 1), shrunk), w
    spike = math.sqrt(model.beta_u) * z if model.correlated else 0 * z
    across = 1.0 if model.correlated else 1.0 + model.beta_u
    return np.column_stack([np.full(len(z), model.beta_m), spike, along]), np.tile([1, across, shrunk], (len(z), 1)), w


def field_averages(activation: str, mean: Any, v: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """⟨g'⟩, ⟨g' z⟩, ⟨g'²⟩ for λ = mean + √v z."""
    from scipy.special import ndtr

    mean, v = np.asarray(mean, dtype=np.float64), np.asarray(v, dtype=np.float64)
    root = np.sqrt(v)
    if activation == "relu":
        alpha = mean / root
        return ndtr(alpha), density(alpha), ndtr(alpha)
    if activation == "erf":
        slope = np.sqrt(2 / math.pi / (1 + v)) * np.exp(-0.5 * mean**2 / (1 + v))
        return (
            slope,
            -root * mean / (1 + v) * slope,
            2 / math.pi / np.sqrt(1 + 2 * v) * np.exp(-(mean**2) / (1 + 2 * v)),
        )
    if activation == "he2":
        return math.sqrt(2) * mean, math.sqrt(2) * root, 2 * (mean**2 + v)
    one = np.ones(np.broadcast_shapes(mean.shape, v.shape))
    return one, 0 * one, one


def drift(model: SpikedCumulant, m: np.ndarray, noise: bool = True) -> np.ndarray:
    """dm/dt (M,); without `noise` only the terms of first order in η."""
    mu, S, w = components(model)
    rest = max(1 - m @ m, 0.0)
    force, inward, square = np.zeros(len(m)), 0.0, 0.0
    for y, (mean, var, weight) in ((1, (mu, S, w)), (-1, (0 * mu[:1], 0 * S[:1] + 1, np.ones(1)))):
        field, v = mean @ m, var @ m**2 + rest
        slope, tilt, energy = field_averages(model.activation, field, v)
        force += 0.5 * y * (weight @ (slope[:, None] * mean + (tilt / np.sqrt(v))[:, None] * var * m))
        inward += 0.5 * y * (weight @ (slope * field + tilt * np.sqrt(v)))
        square += 0.5 * (weight @ energy)
    return model.lr * (force - inward * m) - (0.5 * model.lr**2 * square * m if noise else 0.0)


def leading_drift(model: SpikedCumulant, m: float) -> float:
    """dm/dt of the spiked task with relu to leading order in m and η: −η(1 − m²) κ4 (β/(1 + β))² m³/(12√(2π))."""
    if model.task != "spiked" or model.activation != "relu":
        raise ModelError("model", f"{model.task}, {model.activation}", "must be the spiked task with relu")
    m, kappa = number("m", m, low=-1, high=1), KURTOSIS[model.latent] * (model.beta / (1 + model.beta)) ** 2
    return -model.lr * (1 - m * m) * kappa * m**3 / (12 * math.sqrt(2 * math.pi))


@frames.solved(SpikedCumulant, online.Flow)
def solve(model: SpikedCumulant, start: OrderParameters, options: online.Flow) -> frames.Equations:
    """Solve the search for spikes for N → ∞.

    Starts have R (1, M), the overlaps with the directions, Q = 1 and T the identity. The tolerances are 1e-9 and 1e-12
    by default.

    Returns
    -------
    dict
        ``R`` (len(t), 1, M), ``Q`` = 1, an empty ``v``, and constant ``T``, ``v_star``.
    """

    def observe(m: np.ndarray) -> dict[str, np.ndarray]:
        return {"R": m[:, None, :], "Q": np.ones((len(m), 1, 1)), "v": np.zeros((len(m), 0))}

    follow = frames.ode(lambda _, m: drift(model, m, not options.gradient_flow), start.R[0])
    return frames.Equations((follow,), observe, 1e-9, 1e-12, options.record())


def escape_time(model: SpikedCumulant, m: Any, level: float = 0.5, direction: int = -1, **options: Any) -> float:
    """When the neuron has found a direction: the first t at which the overlap with it reaches ±`level`.

    From m = O(1/√N) an overlap that is driven by the means takes a time O(1), by the covariance O(ln N), and by a k-th
    cumulant O(N^{(k − 2)/2}) at fixed η, if the term of order η² does not stop it. Against a force of order m^{k − 1}
    it does, unless η = O(N^{−(k − 2)/2}), which makes N^{k − 1} examples.

    Parameters
    ----------
    model : SpikedCumulant
    m : (M,) array_like
        Overlaps at t = 0.
    level : float
        Between 0 and 1.
    direction : int
        Which of the M; the last is that of the spiked cumulant.
    options
        Passed on to `solve`.

    Returns
    -------
    float
        To a relative 1e-6; infinite if the overlaps come to rest before.

    Raises
    ------
    ModelError
        If an argument is out of range.
    """
    level = number("level", level, low=0, high=1, open_low=True, open_high=True)
    direction = number("direction", direction, kind=int, low=-model.M, high=model.M - 1)
    start = OrderParameters(R=[m], Q=np.eye(1), T=np.eye(model.M))
    if abs(start.R[0, direction]) >= level:
        return 0.0
    low, high = 0.0, 1 / model.lr
    # Doubling reaches any time that is left to float64 before it has been done so often.
    for _ in range(200):
        t = np.concatenate([[0.0], np.linspace(low, high, 100)[1:]])
        R = solve(model, t=t, start=start, **options)["R"][:, 0]
        found = np.abs(R[:, direction])
        if found.max() >= level:
            first = int(np.argmax(found >= level))
            if t[first] - t[first - 1] < 1e-3 * t[first]:
                return float(np.interp(level, found[first - 1 : first + 1], t[first - 1 : first + 1]))
            low, high = t[first - 1], t[first]
            continue
        low, high = high, 2 * high
        size, motion = np.abs(R[-1]).max(), np.abs(drift(model, R[-1], not options.get("gradient_flow", False))).max()
        if size < NONE or motion * high < NONE * size:
            return math.inf
    return math.inf


def chain(model: SpikedCumulant, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know."""
    return online.spherical(model, start, drift=lambda m: drift(model, m))
