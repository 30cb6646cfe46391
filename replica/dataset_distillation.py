"""Distilled data of a linear student as N → ∞: integrals over the part of the real spectrum that points can hold.

An eigenvalue h of XᵀX/n has e^{−hT} left of the start after the time T, and has learned 1 − e^{−hT} of what least
squares make of the labels, b and a noise of variance σ²/αh. m points hold as many eigenvectors, the best the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.models.dataset_distillation import DatasetDistillation
from tsphys.runs import frames
from tsphys.solvers.fixed_point import crossing

#: Nodes of Gauss and Legendre of each part of the spectrum, between whose ends all is analytic.
NODES = 300


@frames.static(DatasetDistillation)
def solve(model: DatasetDistillation) -> dict[str, float]:
    """What is learned of the real points, and of the others.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` of a student of the m points, ``eps_real`` of one of the real set: half the mean
        squared error without noise, or the probability of a wrong class; of distilled regression ``mismatch``, the
        |w − w̃|²/N by which they differ at the end.

    Raises
    ------
    ModelError
        If points of classes have a covariance, of which there is no theory.
    """
    if model.covariance:
        raise ModelError("covariance", True, "must be false: of Fisher's student there is no theory")
    if model.task == "classes":
        told = model.alpha if model.way == "distilled" else model.points
        return {"eps_g": of_means(model, told), "eps_real": of_means(model, model.alpha)}
    real = sum(errors(model, math.pi))
    if model.way == "subset":
        fewer = replace(model, alpha=model.points)
        return {"eps_g": sum(errors(fewer, math.pi)), "eps_real": real}
    cut = held(model, model.points)
    return {"eps_g": sum(errors(model, cut)), "eps_real": real, "mismatch": mismatch(model, cut)}


def of_means(model: DatasetDistillation, examples: float) -> float:
    """Probability of a wrong class by the means of so many examples of each class, over N."""
    from scipy.special import ndtr

    square, s2 = model.distance**2, model.small**2
    variance = square * (1 + s2) / 2 + (1 + s2 * s2) / (4 * examples)
    return float(ndtr(-square / math.sqrt(variance)))


@cache
def nodes() -> tuple[np.ndarray, np.ndarray]:
    """Of Gauss and Legendre on [−1, 1]."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    return x, w


def over(model: DatasetDistillation, f: Callable[[np.ndarray], np.ndarray], first: float, last: float) -> float:
    """∫ρ(h) f(h) dh over h = 1 + γ + 2√γ cos θ between two angles, of the law of Marchenko and Pastur without its atom.

    From the largest eigenvalue, θ = 0, to the least, θ = π.
    """
    x, w = nodes()
    theta = 0.5 * (last + first) + 0.5 * (last - first) * x
    root = model.alpha**-0.5
    h = (1 - root) ** 2 + 4 * root * np.cos(theta / 2) ** 2
    density = 2 * np.sin(theta) ** 2 / (math.pi * h)
    return float(0.5 * (last - first) * (w @ (density * f(h))))


def held(model: DatasetDistillation, points: float) -> float:
    """The angle of the least eigenvalue that so many points over N hold; π where they hold all."""
    if points >= min(1.0, model.alpha):
        return math.pi
    return crossing(lambda cut: over(model, np.ones_like, 0.0, cut) - points, 0.0, math.pi, "the cut of the spectrum")


def errors(model: DatasetDistillation, cut: float) -> tuple[float, float]:
    """½|w − b|²/N of a student that moves along eigenvectors up to a cut: in these directions, and in all others."""
    begun, noise = 1 + model.spread, model.noise**2 / model.alpha

    def learned(h: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(-2 * h * model.time) * begun + noise * np.expm1(-h * model.time) ** 2 / h)

    return 0.5 * over(model, learned, 0.0, cut), 0.5 * begun * (1 - over(model, np.ones_like, 0.0, cut))


def mismatch(model: DatasetDistillation, cut: float) -> float:
    """|w − w̃|²/N of the students of the real set and of points that hold the spectrum up to a cut."""
    begun, noise = 1 + model.spread, model.noise**2 / model.alpha
    return over(model, lambda h: np.expm1(-h * model.time) ** 2 * (begun + noise / h), cut, math.pi)


def points_for(model: DatasetDistillation, most: float) -> float:
    """The fewest distilled points of regression, over N, whose mismatch is at most so much; 0 where none are needed."""
    most = number("most", most, low=0, open_low=True)
    if mismatch(model, 0.0) <= most:
        return 0.0
    cut = crossing(lambda cut: most - mismatch(model, cut), 0.0, math.pi, "the number of points")
    return over(model, np.ones_like, 0.0, cut)
