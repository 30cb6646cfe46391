"""The NTK of infinitely wide nets at great depth, on the unit sphere, as logarithms and signs.

An activation φ = Σ_k c_k h_k in normalised Hermite polynomials, Σ c_k² = 1, keeps the sphere; correlations ξ go to
φ̌(ξ) = Σ c_k² ξ^k from layer to layer, and Θ_{l+1} = ξ_{l+1} + Θ_l φ̌'(ξ_l), Θ_0 = ξ_0. B² = φ̌'(0) = c_1², b = φ̌'(1).
Arguments `c` are the weights c_k².
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import array, number
from tsphys.ground.progress import tell

#: |ξ| below which two orders of ψ are all of it, to rounding.
SMALL = 1e-8
#: Most layers until there.
DEEPEST = 100_000


class Signed(NamedTuple):
    """Numbers as log|x|, −∞ for 0, and sign."""

    log: np.ndarray
    sign: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Signed:
        """Of plain numbers."""
        with np.errstate(divide="ignore"):
            return cls(np.log(np.abs(x)), np.sign(x))

    def times(self, other: Signed) -> Signed:
        """The product."""
        return Signed(self.log + other.log, self.sign * other.sign)

    def plus(self, other: Signed) -> Signed:
        """The sum."""
        top = np.maximum(self.log, other.log)
        top = np.where(np.isfinite(top), top, 0.0)
        rest = Signed.of(self.sign * np.exp(self.log - top) + other.sign * np.exp(other.log - top))
        return Signed(top + rest.log, rest.sign)


def power_series(c: Sequence[float], x: Signed) -> Signed:
    """Σ_k c_k x^k with c_k ≥ 0: the lowest power apart, so that nothing is lost however small x is."""
    first = next(k for k, value in enumerate(c) if value > 0)
    # A power below all numbers is 0 beside the first.
    rest = np.polynomial.polynomial.polyval(x.sign * np.exp(x.log), np.asarray(c[first:], dtype=float))
    leading = Signed(first * x.log if first else np.zeros(x.log.shape), x.sign**first)
    return leading.times(Signed.of(rest))


def slopes(c: Sequence[float]) -> list[float]:
    """Coefficients of φ̌'."""
    return [k * value for k, value in enumerate(c)][1:]


def correlations(c: Sequence[float], xi: np.ndarray, depth: int) -> Signed:
    """ξ after so many layers."""
    x = Signed.of(np.asarray(xi, dtype=float))
    for _ in range(depth):
        x = power_series(c, x)
    return x


def tangent_kernel(c: Sequence[float], xi: np.ndarray, depth: int) -> Signed:
    """Θ after so many layers.

    Raises
    ------
    ModelError
        If ξ is no correlation, or the depth no whole number from 0 on.
    """
    _correlations(xi)
    return tangent_kernels(c, xi, [number("depth", depth, kind=int, low=0)])[depth]


def tangent_kernels(c: Sequence[float], xi: np.ndarray, depths: Sequence[int]) -> dict[int, Signed]:
    """Θ after each of several numbers of layers."""
    x = Signed.of(np.asarray(xi, dtype=float))
    theta, slope, out = x, slopes(c), {}
    for layer in range(max(depths) + 1):
        tell(layer / (max(depths) + 1))
        if layer:
            gain = power_series(slope, x)
            x = power_series(c, x)
            theta = x.plus(theta.times(gain))
        if layer in depths:
            out[layer] = theta
    return out


def limit(c: Sequence[float]) -> str:
    """What the classifier of the NTK tends to over depth: ``majority``, ``nearest`` or ``singular``."""
    return "majority" if c[0] > 0 else "singular" if len(c) > 1 and c[1] > 0 else "nearest"


def _singular(c: Sequence[float]) -> tuple[float, ...]:
    weights = array("c", c, (None,))
    if not (len(weights) > 2 and weights[0] == 0 and 0 < weights[1] < 1 and weights.min() >= 0
            and math.isclose(weights.sum(), 1, rel_tol=1e-9)):  # fmt: skip
        words = "must be those of a singular kernel: >= 0, of sum 1, with c[0] = 0 and 0 < c[1] < 1"
        raise ModelError("c", weights.tolist(), words)
    return tuple(weights.tolist())


def _correlations(xi: np.ndarray) -> np.ndarray:
    x = np.array(xi, dtype=float).ravel()
    if not (np.abs(x) <= 1).all():
        raise ModelError("xi", x[~(np.abs(x) <= 1)].tolist()[0], "must be between -1 and 1")
    return x


def exponent(c: Sequence[float]) -> float:
    """a of ψ ~ (1 − ξ)^{−a} at ξ → 1, −ln B²/ln b, of a singular kernel.

    Raises
    ------
    ModelError
        If the kernel is of another kind.
    """
    c = _singular(c)
    return -math.log(c[1]) / math.log(sum(slopes(c)))


def koenigs(c: Sequence[float], xi: np.ndarray) -> np.ndarray:
    """ψ(ξ) = lim ξ_L/B^{2L}, for which ψ(φ̌(ξ)) = B²ψ(ξ) and ψ'(0) = 1; infinite at ξ = 1.

    Raises
    ------
    ModelError
        If the kernel is not singular, or ξ no correlation.
    ConvergenceError
        If ξ is too close to 1 for `DEEPEST` layers.
    """
    c, x = _singular(c), _correlations(xi)
    mapped, shrink, layers = np.polynomial.polynomial.polyval(x, np.asarray(c)), math.log(c[1]), 0
    out = np.where(np.abs(mapped) == 1, np.copysign(np.inf, x), np.nan)
    left = np.flatnonzero(np.isnan(out))
    x = x[left]
    # Close to 0 it is ξ + c_2²/(B² − B⁴) ξ², by its equation, up to the square of `SMALL`.
    second = (c[2] if len(c) > 2 else 0.0) / (c[1] - c[1] ** 2)
    while len(left):
        done = np.abs(x) < SMALL
        with np.errstate(over="ignore"):
            out[left[done]] = x[done] * (1 + second * x[done]) * np.exp(-layers * shrink)
        if layers == DEEPEST:
            raise ConvergenceError(f"the kernel at 1 − ξ = {1 - np.max(xi):.1e} takes more than {DEEPEST} layers")
        left, x, layers = left[~done], np.polynomial.polynomial.polyval(x[~done], np.asarray(c)), layers + 1
    return out.reshape(np.shape(xi))


def scores(c: Sequence[float], xi: np.ndarray) -> np.ndarray:
    """What the vote of an example at correlation ξ counts in the limit; of the nearest, by its rank alone."""
    kind = limit(c)
    if kind == "majority":
        return np.ones(np.shape(xi))
    # After one layer an even power has made all of one sign, or an odd one has kept it for ever.
    return koenigs(c, xi) if kind == "singular" else np.polynomial.polynomial.polyval(xi, np.asarray(c))
