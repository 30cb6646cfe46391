"""Theory of deep wide nets: kernels over depth, the first order in 1/n, the edge of chaos, wide nets in training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import array, number
from tsphys.models.deep_kernels import DeepKernels
from tsphys.physics.kernels.averages import jumps, moments
from tsphys.physics.kernels.layers import Layer, kernels_of, stack
from tsphys.physics.kernels.processes import Kernel
from tsphys.physics.kernels.widths import widened
from tsphys.runs import frames

#: Variance of fields whose fourth powers are numbers still.
LARGEST = 1e60
#: By how much χ_1 may miss one at the edge of chaos, by rounding; and up to where c* is lost in it.
EDGE, NEAR = 1e-13, 1e-6
UNSEEN = "no depth scale was found of an activation with kinks so close to the edge of chaos"


@frames.theory(
    DeepKernels, frames.Options, told=tuple(f"finite_size_error.{name}" for name in ("q", "k12", "V", "ntk", "ntk12"))
)
def solve(along: frames.Points, options: frames.Options) -> Sequence[frames.Row | None]:
    """Kernels after L layers, to first order in 1/n.

    Returns
    -------
    dict
        Over the axis: ``K11``, ``K12``, kernels of infinite width; ``q`` = ⟨z_i(x)²⟩ and ``k12`` = ⟨z_i(x)z_i(x')⟩ of
        width n, K + K1/n; ``V`` = n Cov(z_i², z_j²), its limit; ``ntk``, ``ntk12`` of infinite width, without an
        activation that jumps. Of weights of a law of your own K1 is not known: q and k12 are those of infinite width,
        and there is no V. Meta tells the order of what is left out as ``finite_size_error``.

    Raises
    ------
    ModelError
        If fields grow beyond all numbers.
    ConvergenceError
        If there is no closed form, and a Hermite series left too much.
    """
    if along.axis != "depth":
        return frames.over(along.models, lambda here: list(layer_by_layer(here, here.depth))[-1])
    rows = list(layer_by_layer(along.model, max(here.depth for here in along.models)))
    return [rows[here.depth - 1] for here in along.models]


def layer_by_layer(model: DeepKernels, depth: int) -> Iterator[dict[str, float]]:
    """Observables after each of so many layers."""
    layers, known = stack(depth, model.layer()), not callable(model.ensemble)
    k11, k12 = model.length, model.correlation * model.length
    ntk, width, n = np.zeros((2, 2)), None, model.width
    for layer in layers:
        found = kernels_of((layer,), np.array([[k11, k12], [k12, k11]]), np.full(2, k11), ntk=ntk, tolerance=1e-3)
        if k11 > LARGEST:
            raise ModelError("depth", depth, "must be less: fields grow beyond all numbers")
        if known:
            width = widened(layer, n, k11, k12, width)
        ntk = found.ntk
        k11, k12 = float(found.nngp[0, 0]), float(found.nngp[0, 1])
        row = {"K11": k11, "K12": k12, "q": k11, "k12": k12}
        row |= {} if jumps(layer.activation) or jumps(model.activation) else {"ntk": ntk[0, 0], "ntk12": ntk[0, 1]}
        # The next order is the square of the first, relative; of weights of unknown law the first is that of others.
        relative = 1.0 / n
        if width is not None and k11 > 0:
            relative = max(map(abs, (*width.pair, *width.unit))) / k11**2 / n
            row |= {"q": k11 + width.k1[0] / n, "k12": k12 + width.k1[1] / n, "V": width.pair.own}
            row["finite_size_error.V"] = max(abs(width.pair.own), k11**2) * relative
        left = (relative**2 if known else relative) * k11 + found.error * k11
        row |= {"finite_size_error.q": left, "finite_size_error.k12": left}
        row |= {f"finite_size_error.{k}": relative * abs(float(ntk[0, 0])) for k in ("ntk", "ntk12") if k in row}
        yield row


def kernel(model: DeepKernels, ntk: bool = False) -> Kernel:
    """The kernel of infinite width of this depth, a function of inputs; their length and correlation are their own."""
    return Kernel(stack(model.depth, model.layer()), ntk)


class Edge(NamedTuple):
    """A point of the edge of chaos: σ_w², and the q* of fields there (NaN where every length stays what it is)."""

    weight_variance: float
    q: float


def edge_of_chaos(activation: Any, bias_variance: float) -> Edge:
    """Where nearby inputs neither converge nor part: χ_1 = σ_w²⟨φ'²⟩ = 1 at the fixed point of lengths.

    Raises
    ------
    ModelError
        If the activation has no such point at this σ_b².
    """
    b = number("bias_variance", bias_variance, low=0)
    layer = Layer(activation)
    none = ModelError("activation", activation, f"must be another: it has no edge of chaos at bias_variance = {b:g}")
    if jumps(layer.activation):
        raise none

    def off(log_q: float) -> float:
        q = math.exp(log_q)
        m = moments(activation, q)
        return 1 - (m.square / m.slope + b) / q if m.slope > 0 else -math.inf

    grid = np.log(np.geomspace(1e-10, 1e8, 73))
    values: list[float] = []
    try:
        values += map(off, grid.tolist())
    except ModelError as error:
        # What oscillates cannot be averaged over fields that are too large, and may have an edge at smaller ones.
        if not values:
            raise
        none, grid = error, grid[: len(values)]
    if np.abs(values).max() < 1e-9:
        return Edge(1 / moments(activation, 1.0).slope, math.nan)
    at_zero = moments(activation, 0.0)
    if b == 0 and at_zero.square < 1e-11 * at_zero.slope and abs(values[0]) < 1e-6:
        return Edge(1 / at_zero.slope, 0.0)
    from scipy.optimize import brentq

    for low, high, one, other in zip(grid[:-1], grid[1:], values[:-1], values[1:], strict=True):
        if one <= 0 < other or other <= 0 < one:
            q = math.exp(brentq(off, low, high, xtol=1e-14, rtol=1e-14))
            m = moments(activation, q)
            if m.first / m.slope < 1:
                return Edge(1 / m.slope, q)
    raise none


class Scales(NamedTuple):
    """Fixed points of lengths and correlations, χ_1 there, and the depths over which both are approached."""

    q: float
    c: float
    chi: float
    xi_q: float
    xi_c: float


def depth_scales(model: DeepKernels) -> Scales:
    """q*, c*, χ_1 = σ_w²⟨φ'²⟩, 1/ξ_q = −ln σ_w² d⟨φ²⟩/dq and 1/ξ_c = −ln χ(c*), for n → ∞.

    Raises
    ------
    ModelError
        If there is no length that fields tend to, or φ jumps.
    ConvergenceError
        If no c* is found, or the series of a φ with kinks is too coarse for it, as it is close to the edge of chaos.
    """
    from scipy.optimize import brentq

    layer = model.layer()
    w, phi = layer.weight_variance, layer.activation
    if jumps(phi):
        raise ModelError("activation", phi, "must not jump: close inputs part at once, over no depth scale")
    q = _length(layer)
    m = moments(phi, q)
    chi, xi_q = w * m.slope, _scale(w * m.first)

    def pair(c: float) -> tuple[float, float]:
        found = kernels_of((layer,), q * np.array([[1, c], [c, 1]]), np.full(2, q), ntk=np.ones((2, 2)), tolerance=1e-3)
        return float(found.nngp[0, 1]) / q, float(found.ntk[0, 1] - found.nngp[0, 1])

    # At the edge itself χ_1 is one up to rounding.
    if chi <= 1 + EDGE or q == 0:
        return Scales(q, 1.0, chi, xi_q, _scale(chi))
    if chi < 1 + NEAR:
        # To first order 1 − c* = 2(χ_1 − 1)/κ and χ(c*) = 2 − χ_1, with χ(1 − h) = χ_1 − κh.
        fallen = [chi - pair(1 - h)[1] for h in (1e-4, 2e-4)]
        if not abs(fallen[1] / fallen[0] - 2) < 0.01:
            raise ConvergenceError(UNSEEN, last=chi)
        return Scales(q, 1 - 2e-4 * (chi - 1) / fallen[0], chi, xi_q, _scale(2 - chi))
    gap = 1e-2
    while pair(1 - gap)[0] >= 1 - gap:
        gap /= 4
        if gap < 1e-12:
            raise ConvergenceError("no correlation that inputs tend to was found", last=1 - gap)
    c = 0.0 if pair(0.0)[0] <= 1e-15 else brentq(lambda c: pair(c)[0] - c, 0.0, 1 - gap, xtol=1e-15)
    met = pair(c)[1]
    # Next to the edge χ(c*) lies below one by what χ_1 lies above it, by half of that where φ has kinks.
    if chi < 1.01 and not 0.45 < (1 - met) / (chi - 1) < 1.1:
        raise ConvergenceError(UNSEEN, last=chi)
    return Scales(q, c, chi, xi_q, _scale(met))


def _scale(factor: float) -> float:
    """Over what depth powers of a factor fall by e; infinite at 1, negative above."""
    size = abs(factor)
    return 0.0 if size == 0 else math.inf if abs(size - 1) < EDGE else -1 / math.log(size)


def _length(layer: Layer) -> float:
    """The stable fixed point of q → σ_w²⟨φ²⟩ + σ_b², the smallest of them."""
    from scipy.optimize import brentq

    w, b, phi = layer.weight_variance, layer.bias_variance, layer.activation

    def off(log_q: float) -> float:
        q = math.exp(log_q)
        return (w * moments(phi, q).square + b) / q - 1

    at_zero = moments(phi, 0.0)
    if b == 0 and at_zero.square < 1e-11 * at_zero.first and w * at_zero.first <= 1 + 1e-9:
        return 0.0
    grid = np.log(np.geomspace(1e-12, 1e12, 97))
    before = off(grid[0])
    for low, high in itertools.pairwise(grid.tolist()):
        after = off(high)
        if before > 0 >= after:
            return math.exp(brentq(off, low, high, xtol=1e-15, rtol=1e-15))
        before = after
    raise ModelError("weight_variance", w, "must be less: the lengths of fields tend to no limit")


class Lazy(NamedTuple):
    """Outputs of wide nets in training, over nets: mean and variance (times, inputs)."""

    mean: np.ndarray
    variance: np.ndarray


def lazily_trained(layers: Sequence[Layer], X: Any, y: Any, new: Any, *, lr: float, t: Sequence[int]) -> Lazy:
    """Infinitely wide nets after steps of gradient descent on ½Σ(f − y)², which are linear in their weights.

    f_t(x) = f_0(x) + Θ(x, X)Θ⁻¹(1 − (1 − ηΘ)^t)(y − f_0(X)), f_0 Gaussian with the NNGP kernel.

    Raises
    ------
    ModelError
        If arguments do not fit together, or lr is too large for descent.

    References
    ----------
    Lee et al., NeurIPS 2019 (wide neural networks of any depth evolve as linear models).
    """
    X = array("X", X, (None, None), "a row for each input")
    y = array("y", y, (len(X),), "a number for each input")
    new = array("new", new, (None, X.shape[1]), "a row for each input")
    m, both = len(X), np.concatenate([X, new])
    K, T = Kernel(layers)(both), Kernel(layers, ntk=True)(both)
    s, U = np.linalg.eigh(T[:m, :m])
    if lr * s[-1] >= 2:
        raise ModelError("lr", lr, f"must be < {2 / s[-1]:.4g}, 2 over the largest eigenvalue of the NTK")
    mean, variance = [], []
    for steps in t:
        # (1 − (1 − ηs)^t)/s without its cancellation at small s.
        small = np.abs(lr * s) < 1
        learned = np.where(small, -np.expm1(steps * np.log1p(-np.where(small, lr * s, 0.0))), 1 - (1 - lr * s) ** steps)
        A = T[m:, :m] @ (U * np.divide(learned, s, out=np.full(m, lr * float(steps)), where=s > 0)) @ U.T
        mean.append(A @ y)
        own = K.diagonal()[m:] - 2 * np.einsum("ij,ij->i", A, K[m:, :m])
        variance.append(own + np.einsum("ij,jk,ik->i", A, K[:m, :m], A))
    return Lazy(np.array(mean), np.array(variance))
