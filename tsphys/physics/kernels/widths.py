"""Kernels of nets of finite width n, to first order in 1/n, for each law of the weights.

The kernel G_ab = σ_w² mean φ(z_a)φ(z_b) + σ_b² of a drawn net fluctuates about its mean K + K1/n with covariance
V/n; what a layer makes of both follows from derivatives of the map of kernels, by Hermite series.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tsphys.physics.kernels.averages import hermite, moments, sample, series
from tsphys.physics.kernels.layers import Layer


class Covariances(NamedTuple):
    """Entries of V: of G_11 with itself, with G_22 and with G_12, and of G_12 with itself."""

    own: float
    others: float
    mixed: float
    cross: float

    @classmethod
    def wishart(cls, k11: float, k12: float) -> Covariances:
        """K_ac K_bd + K_ad K_bc: those of squares of a Gaussian field."""
        return cls(2 * k11**2, 2 * k12**2, 2 * k11 * k12, k11**2 + k12**2)

    def plus(self, factor: float, other: Covariances) -> Covariances:
        """This and so much of another."""
        return Covariances(*(x + factor * y for x, y in zip(self, other, strict=True)))


class Width(NamedTuple):
    """First order in 1/n: V of two units, V of a unit with itself, and K1 of K_11 and K_12."""

    pair: Covariances
    unit: Covariances
    k1: tuple[float, float]


def widened(layer: Layer, n: int, k11: float, k12: float, before: Width | None) -> Width:
    """What a layer makes of the first order in 1/n, from kernels K of what it sees; none is before the first.

    A law of weights that is the same in all directions adds Δ/2 (K_ac K_bd + K_ad K_bc) of Wφ, with Δ = 0 of iid, −2 of
    Haar and 2(n/r − 1) of rank r; blocks of density s see a part of the units each, so that one unit varies by 1/s − 1
    of their covariance more, and two on average do not.
    """
    w = layer.weight_variance
    if before is None:
        still = Covariances(0, 0, 0, 0)
        source = Covariances.wishart(w * k11, w * k12)
        passed, k1, means = still, (0.0, 0.0), (w * k11, w * k12)
    else:
        g = derivatives(layer.activation, k11, max(-1.0, min(1.0, k12 / k11)) if k11 > 0 else 0.0)
        means = (w * g.square, w * g.mean)
        source = Covariances(*(w**2 * x for x in g.covariances))
        v, u = before.pair, before.unit
        a, b, c = w * g.first, w * g.first_1, w * g.first_12
        passed = Covariances(
            a * a * v.own,
            a * a * v.others,
            a * (b * (v.own + v.others) + c * v.mixed),
            2 * b * b * (v.own + v.others) + 4 * b * c * v.mixed + c * c * v.cross,
        )
        bent = g.second_11 * u.own + g.second_1_2 * u.others + 2 * g.second_1_12 * u.mixed + 0.5 * g.second_12 * u.cross
        k1 = (
            a * before.k1[0] + 0.5 * w * g.second * u.own,
            2 * b * before.k1[0] + c * before.k1[1] + w * bent,
        )
        passed = passed.plus(1.0, source)
    law = layer.ensemble
    delta = {"orthogonal": -2.0, "low_rank": 2.0 * (n / law.rank_of(n, n) - 1)}.get(str(law.kind), 0.0)
    pair = passed.plus(0.5 * delta, Covariances.wishart(*means))
    blocks = max(round(1 / law.density), 1) if law.kind == "sparse" else 1
    return Width(pair, pair.plus(blocks - 1, source), k1)


class Derivatives(NamedTuple):
    """Of ⟨φ²⟩ by K_11, and of ⟨φφ'⟩ by K_11, K_22 and K_12; covariances of φ_aφ_b, in the order of `Covariances`."""

    square: float
    mean: float
    first: float
    second: float
    first_1: float
    first_12: float
    second_11: float
    second_1_2: float
    second_1_12: float
    second_12: float
    covariances: tuple[float, float, float, float]


def derivatives(phi: Any, q: float, c: float) -> Derivatives:
    """Of averages over two fields of variance q and correlation c.

    By Price's theorem d⟨φφ'⟩/dK_12 = ⟨∂φ ∂φ'⟩ and d⟨φφ'⟩/dK_11 = ½⟨∂²φ φ'⟩, and ∂ shifts a Hermite series.
    """
    m = moments(phi, q)
    if q <= 0:
        return Derivatives(m.square, m.square, m.first, 0, 0, m.slope, 0, 0, 0, 0, (0, 0, 0, 0))
    a, two, three = powers_of(phi, q)
    terms = len(a)
    powers, k = c ** np.arange(terms), np.arange(1, terms)
    d = [a]
    for _ in range(4):
        d.append(np.append(np.sqrt(k / q) * d[-1][1:], 0.0))

    def both(i: int, j: int) -> float:
        return float(d[i] * d[j] @ powers)

    mean, square = both(0, 0), float((two * two) @ powers)
    return Derivatives(
        m.square, mean, m.first, m.second, 0.5 * both(2, 0), both(1, 1), 0.25 * both(4, 0), 0.25 * both(2, 2),
        0.5 * both(3, 1), both(2, 2),
        (
            m.fourth - m.square**2, square - m.square**2, float((three * a) @ powers) - m.square * mean,
            square - mean**2,
        ),
    )  # fmt: skip


@lru_cache(maxsize=1024)
def powers_of(phi: Any, q: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hermite series of φ, φ² and φ³ of a field of variance q."""
    a = hermite(phi, q).coefficients
    s = sample(phi, q, len(a))
    return a, series(s, s.values**2, len(a)), series(s, s.values**3, len(a))
