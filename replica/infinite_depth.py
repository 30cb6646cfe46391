"""Error of classifiers of infinite depth on n examples, exactly: over the examples, whose votes are independent.

With a fresh input at x_1 = t an example has a correlation ξ of known law, and the label + with a known probability. A
majority has a binomial law, the nearest example that of a largest of n, and the sum Σ y_i ψ(ξ_i) of a singular kernel
the characteristic function of one term to the n-th power, from which Gil-Pelaez's integral has its sign.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from tsphys.models.infinite_depth import InfiniteDepth
from tsphys.numerics.quadrature import panels
from tsphys.physics.kernels.depths import exponent, limit, scores
from tsphys.runs import frames

#: Cells of correlations towards each pole, and log(1 − |ξ|) at the last.
CELLS, NEAREST = 4000, -23.0


@frames.static(InfiniteDepth)
def solve(model: InfiniteDepth) -> dict[str, float]:
    """The end of depth.

    Returns
    -------
    dict
        Over the axis: ``limit_error``, the probability that the classifier of infinite depth on n examples gives a
        fresh input another sign than the truth; a singular kernel has its ``exponent`` a.

    Raises
    ------
    ConvergenceError
        If the singular kernel of close inputs was not found.
    """
    out = {"limit_error": _error(replace(model, depth=1))}
    return out if limit(model.squares()) != "singular" else {**out, "exponent": exponent(model.squares())}


# The limit is the same at every depth, over which it is drawn first.
@lru_cache(maxsize=64)
def _error(model: InfiniteDepth) -> float:
    h = np.arccos(model.threshold)
    # The label jumps at h, and what neighbours say changes within the distance of the nearest, n^(−1/D).
    angles, weights = panels(0.0, np.pi, [(h, np.pi * max(model.n, 2) ** (-1.0 / model.sphere))], most=0.8, nodes=8)
    weights = weights * np.sin(angles) ** (model.sphere - 1)
    t = np.cos(angles)
    plus = positive(model, t)
    wrong = np.where(t > model.threshold, 1 - plus, plus)
    return float(weights @ wrong / weights.sum())


def positive(model: InfiniteDepth, t: np.ndarray) -> np.ndarray:
    """Probability of the answer + at inputs with x_1 = t, half of it that of a draw."""
    from scipy.stats import binom

    kind, n, p = limit(model.squares()), model.n, model.noise
    if kind == "majority":
        yes = p + (1 - 2 * p) * beyond(np.array([model.threshold]), model.sphere + 1)[0]
        most = binom.sf(n // 2, n, yes) + (0.5 * binom.pmf(n // 2, n, yes) if n % 2 == 0 else 0.0)
        return np.full(t.shape, most)
    edges = np.concatenate(
        [-1 + np.exp(np.linspace(NEAREST, 0, CELLS)), 1 - np.exp(np.linspace(0, NEAREST, CELLS))[1:]]
    )
    edges = np.concatenate([[-1.0], edges, [1.0]])
    mass = -np.diff(beyond(edges, model.sphere + 1))
    xi = 0.5 * (edges[:-1] + edges[1:])
    radius = np.sqrt((1 - t) * (1 + t))[:, None] * np.sqrt((1 - xi) * (1 + xi))
    above = beyond((model.threshold - np.outer(t, xi)) / np.maximum(radius, 1e-300), model.sphere)
    yes = p + (1 - 2 * p) * above
    return _nearest(model, xi, mass, yes) if kind == "nearest" else _singular(model, edges, mass, yes)


def beyond(z: np.ndarray, dimension: int) -> np.ndarray:
    """P(v_1 > z) of a unit vector v that is uniform in so many dimensions."""
    from scipy.special import betainc

    z = np.clip(z, -1.0, 1.0)
    if dimension == 1:
        return 0.5 * (z < 1) + 0.5 * (z <= -1)
    if dimension in (2, 3):
        return np.arccos(z) / np.pi if dimension == 2 else 0.5 * (1 - z)
    return 0.5 * (1 - np.sign(z) * betainc(0.5, 0.5 * (dimension - 1), z**2))


def _nearest(model: InfiniteDepth, xi: np.ndarray, mass: np.ndarray, yes: np.ndarray) -> np.ndarray:
    vote = scores(model.squares(), xi)
    order = np.argsort(np.abs(vote), kind="stable")
    below = np.concatenate([[0.0], np.cumsum(mass[order])])
    first = np.diff(np.minimum(below, 1.0) ** model.n)
    own = np.where(vote[order] > 0, yes[:, order], 1 - yes[:, order])
    return own @ first


def _singular(model: InfiniteDepth, edges: np.ndarray, mass: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """½ + (1/π) ∫ Im f(τ)^n dτ/τ; within a cell ψ is spread evenly, beyond the last it counts as there."""
    inner = scores(model.squares(), edges[1:-1])
    ends = scores(model.squares(), np.array([-1.0]))
    psi = np.concatenate([[inner[0] if np.isinf(ends[0]) else ends[0]], inner, [inner[-1]]])
    centre, half = 0.5 * (psi[1:] + psi[:-1]), 0.5 * np.diff(psi)
    # From where a sum of n is far below 1 to where the largest of n makes it turn many times.
    scale = np.log(np.sqrt(model.n) * float(np.abs(centre) @ mass + 1))
    u, w = panels(-scale - 20, np.log(40.0), [], most=0.6, nodes=8)
    out, bias = np.zeros(len(yes)), (2 * yes - 1) * mass
    for some in np.array_split(np.arange(len(u)), max(len(u) // 64, 1)):
        tau = np.exp(u[some])[:, None]
        spread = np.sinc(tau * half / np.pi)
        f = (spread * np.cos(tau * centre)) @ mass + 1j * (bias @ (spread * np.sin(tau * centre)).T)
        out += (f**model.n).imag @ w[some]
    return np.clip(0.5 + out / np.pi, 0.0, 1.0)
