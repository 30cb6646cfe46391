"""Training in a random subspace: least squares in closed form, and when labels can be separated in it.

Least squares leaves out what the subspace does not have of Δ = cw* − θ₀ as if it were noise, σ_e² = σ² + (1 − k/D)|Δ|²
(c = 1; of labels c² = 2/π, σ² = 1 − c²; of random ones c = 0, σ² = 1). Signs of a teacher with the part ρ = |Pᵀw*| in
the subspace are separated where k > n h(ρ) (Candès & Sur 2020), with h = min_t E (Z − tV)₊² over Z ~ N(0, 1) and the
teacher's field V in the subspace, times the label. That is the mean of an index J of a cone, of which what is separated
in k dimensions has J ≤ k; its variance is nE (Z − tV)₊⁴ − nh² − 2nh (McCoy & Tropp 2014), and what ρ² fluctuates by.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.models.intrinsic_dimension import IntrinsicDimension
from tsphys.numerics.quadrature import panels
from tsphys.replica.saddles.margin import overshoot
from tsphys.runs import frames
from tsphys.solvers.fixed_point import crossing


@frames.static(IntrinsicDimension, told=("finite_size_error.success",))
def solve(model: IntrinsicDimension) -> dict[str, float]:
    """What training in the subspace leads to: exact at finite sizes, for a perceptron to leading order in D.

    Returns
    -------
    dict
        Over the axis: ``success``, the probability that no training error is left (of labels: that there are weights
        without one); of least squares, of least norm |v| where it is not unique, ``train_loss`` = ½ mean (y − θ·x)² and
        ``q`` = |θ|²; unless labels are random ``m`` = w*·θ and ``eps_g``: ½|θ − w*|², half the mean squared error
        without noise, or the probability of a wrong label. At k = n and next to it the means of |θ|² and of squared
        errors are infinite. Meta tells that sizes do nothing to ``success`` (least squares
        from k = n on; Cover 1965), but of a perceptron.
    """
    at_any_size = {} if model.task == "perceptron" else {"finite_size_error.success": 0.0}
    return {"success": success(model), **least_squares(model), **at_any_size}


def target(model: IntrinsicDimension) -> tuple[float, float]:
    """c and σ² of y = cw*·x + a rest that is uncorrelated with x."""
    c = {"regression": 1.0, "perceptron": math.sqrt(2 / math.pi), "random_labels": 0.0}[model.task]
    return c, model.noise**2 if model.task == "regression" else 1 - c * c


def least_squares(model: IntrinsicDimension) -> dict[str, float]:
    """Errors and overlaps of it."""
    k, n, D = model.dimension, model.examples, model.inputs
    c, variance = target(model)
    inside, start = k / D, model.start**2
    error = variance + (1 - inside) * (c * c + start)
    # Of fewer examples than dimensions a share of what is in the subspace is seen.
    seen = min(1.0, n / k)
    over = abs(k - n) - 1
    spread = error * min(k, n) / over if over > 0 else math.inf if error > 0 else 0.0
    m, q = c * inside * seen, inside * seen * c * c + (1 - inside * seen) * start + spread
    out = {"train_loss": 0.5 * error * max(1 - k / n, 0.0), "q": q}
    if model.task == "random_labels":
        return out
    across = (1 - inside * seen) * (inside * seen * c * c + start) + spread
    if model.task == "perceptron":
        return {**out, "m": m, "eps_g": math.atan2(math.sqrt(across), m) / math.pi}
    return {**out, "m": m, "eps_g": 0.5 * ((1 - inside * seen) * (1 + start) + spread)}


def success(model: IntrinsicDimension) -> float:
    """Probability that training ends without error."""
    from scipy.special import bdtr, ndtr

    k, n = model.dimension, model.examples
    if model.task == "regression":
        return float(k >= n or (k == model.inputs and model.noise == 0))
    # A start is one more direction, of which one sign is of use.
    offset = model.start > 0
    if model.task == "random_labels":
        return float(bdtr(k, n, 0.5) if offset else bdtr(k - 1, n - 1, 0.5)) if k < n + offset else 1.0
    if k == model.inputs:
        return 1.0
    h, fourth, slope = separation(math.sqrt(k / model.inputs))
    inside = k / model.inputs
    variance = n * (fourth - h * h - 2 * h) + (n * slope) ** 2 * 2 * inside * (1 - inside) / (model.inputs + 2)
    return float(ndtr((k + 0.5 * offset - n * h) / math.sqrt(variance)))


def separation(rho: float) -> tuple[float, float, float]:
    """h(ρ), 0 < ρ < 1, which falls from ½ to 0; E (Z − tV)₊⁴ at its t; and dh/dρ²."""
    from scipy.special import ndtr

    s = math.sqrt(1 - rho * rho)

    def field(t: float) -> tuple[np.ndarray, np.ndarray]:
        v, w = panels(-12.0, 12.0, [(0.0, 1 / t), (0.0, s / rho)])
        return v, w * 2 * np.exp(-0.5 * v * v) / math.sqrt(2 * math.pi)

    def pull(t: float) -> float:
        v, w = field(max(t, 1.0))
        return float((w * ndtr(rho / s * v) * v) @ overshoot(-t * v)[1])

    high = 1.0
    while pull(high) > 0:
        high *= 2
    t = crossing(pull, 0.0, high, "the best slope")
    v, w = field(max(t, 1.0))
    x = -t * v
    density = w * ndtr(rho / s * v)
    h = overshoot(x)[0]
    phi = np.exp(-0.5 * np.minimum(x * x, 1500.0)) / math.sqrt(2 * math.pi)
    fourth = (x**4 + 6 * x * x + 3) * ndtr(x) + (x**3 + 5 * x) * phi
    # d/dρ² of Φ(ρv/s), over which t is the best one.
    turned = w * np.exp(-0.5 * (rho / s * v) ** 2) / math.sqrt(2 * math.pi) * v / s**3
    return float(density @ h), float(density @ fourth), float(turned @ h) / (2 * rho)


def intrinsic_dimension(model: IntrinsicDimension) -> float:
    """The dimension at which training succeeds as often as not, NaN if it does so in none.

    Of regression n (with at most D); of random labels n/2; of a perceptron the k with k = n h(√(k/D)), which tends to
    n/2 for D ≫ n, and to D for n ≫ D. Of labels it is ½ less if there is a start, as a real number.
    """
    n, D = model.examples, model.inputs
    offset = 0.5 * (model.start > 0)
    if model.task == "regression":
        return float(n) if n <= D else float(D) if model.noise == 0 else math.nan
    if model.task == "random_labels":
        return 0.5 * n - offset if 0.5 * n - offset <= D else math.nan

    def gap(k: float) -> float:
        return k + offset - n * separation(math.sqrt(k / D))[0]

    low, high = 1e-12 * D, (1 - 1e-12) * D
    if gap(high) <= 0 or gap(low) >= 0:
        return float(D) if gap(high) <= 0 else 0.0
    return crossing(gap, low, high, "the intrinsic dimension")


def dimension_for(model: IntrinsicDimension, performance: float = 0.9) -> int | None:
    """The smallest k at which the share `performance` of the error at the start is gone; none if there is no such k.

    Of an endless training set that is the error 1 − k/D of the start, so that k = performance × D.

    Raises
    ------
    ModelError
        If labels are random, of which no error is lost.
    """
    performance = number("performance", performance, low=0, high=1)
    if model.task == "random_labels":
        raise ModelError("task", model.task, "must not be random: of such labels nothing is learned")
    first = 0.5 if model.task == "perceptron" else 0.5 * (1 + model.start**2)
    for k in range(1, model.inputs + 1):
        if least_squares(replace(model, dimension=k))["eps_g"] <= (1 - performance) * first:
            return k
    return None
