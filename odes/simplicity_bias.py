"""Classes and their clones, learned by online SGD for N → ∞: the plane by quadrature, everything else in closed form.

The state is A (K, 2), the students' components in the plane, and C (K, K), the overlaps of the rest. Given s the fields
are λ ~ N(A s, C), and with c_k = −η v_k g'(λ_k)(φ − y)::

    dA/dt = ⟨c sᵀ⟩,   dC/dt = ⟨c ζᵀ + ζ cᵀ⟩ + ⟨c cᵀ⟩/b,   ζ = λ − A s

A factor g'(λ_k) of an erf unit is a normal density, which only changes mean and covariance of the fields (`tilted`), so
that all averages over λ are means and products of one or two units.

References
----------
Refinetti, Ingrosso & Goldt, ICML 2023 (arXiv:2211.11567); Refinetti, Goldt, Krzakala & Zdeborová, ICML 2021, for
Gaussian mixtures.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, number
from tsphys.models.simplicity_bias import DATA, SimplicityBias
from tsphys.odes.equations import exchange, online
from tsphys.physics.classes import Classes, pair
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs import frames

State = tuple[np.ndarray, np.ndarray]


def tilted(m: np.ndarray, C: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean (P,) of g'(λ_k) of an erf unit, and means (P, K) and covariance (K, K) of the fields that it weights."""
    width = 1 + C[k, k]
    weight = math.sqrt(2 / (math.pi * width)) * np.exp(-0.5 * m[:, k] ** 2 / width)
    mean, cov = m - np.outer(m[:, k], C[k] / width), C - np.outer(C[k], C[k]) / width
    # Of a large field the difference would keep no digit.
    mean[:, k], cov[k] = m[:, k] / width, C[k] / width
    cov[:, k] = cov[k]
    return weight, mean, cov


def _erf(classes: Classes, A: np.ndarray, C: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """⟨e s⟩, ⟨e ζ⟩, ⟨e eᵀ⟩ for e_k = g'(λ_k)(φ − y)."""
    from scipy.special import erf

    s, y, w = classes
    K = len(A)
    m = s @ A.T
    along, across, square = np.empty((K, 2)), np.empty((K, K)), np.empty((K, K))
    for k in range(K):
        weight, mean, cov = tilted(m, C, k)
        width = 1 + np.diag(cov)
        error = erf(mean / np.sqrt(2 * width)) @ v - y
        along[k] = (w * weight * error) @ s
        # ⟨ζ_l g_a⟩ = ⟨ζ_l⟩⟨g_a⟩ + cov_la ⟨g'_a⟩.
        slope = np.sqrt(2 / (math.pi * width)) * np.exp(-0.5 * mean**2 / width)
        across[k] = (w * weight * error) @ (mean - m) + (w * weight) @ slope @ (v[:, None] * cov)
        for l in range(k + 1):
            more, mean_2, cov_2 = tilted(mean, cov, l)
            total = 1 - 2 * y * (erf(mean_2 / np.sqrt(2 * (1 + np.diag(cov_2)))) @ v)
            for a in range(K):
                for b in range(a + 1):
                    product = pair(mean_2[:, a], mean_2[:, b], cov_2[a, a], cov_2[a, b], cov_2[b, b])
                    total += (1 if a == b else 2) * v[a] * v[b] * product
            square[k, l] = square[l, k] = (w * weight * more) @ total
    return along, across, square


def _linear(classes: Classes, A: np.ndarray, C: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    s, y, w = classes
    error = s @ (A.T @ v) - y
    ones = np.ones((len(A), 1))
    return ones * ((w * error) @ s), ones * (v @ C), (w @ error**2 + v @ C @ v) * (ones @ ones.T)


def drift(model: SimplicityBias, classes: Classes, A: np.ndarray, C: np.ndarray, v: np.ndarray, noise: bool) -> State:
    """dA/dt and dC/dt; without `noise` those of gradient flow, which has no term of order η²."""
    along, across, square = (_erf if model.activation == "erf" else _linear)(classes, A, C, v)
    step = -model.lr * v[:, None]
    dC = step * across + (step * across).T
    return step * along, dC + (step * square * step.T / model.minibatch if noise else 0.0)


@frames.solved(SimplicityBias, online.Flow)
def solve(model: SimplicityBias, start: OrderParameters, options: online.Flow) -> frames.Equations:
    """Solve the learning of two classes, or of a clone of them, for N → ∞.

    Starts have R (K, 2), the components in the plane, and T the identity. The tolerances are 1e-9 and 1e-11 by default.

    Returns
    -------
    dict
        ``eps_g`` and, where it is known, ``accuracy`` (len(t),), both on the original data; ``R`` (…, K, 2), ``Q``
        (…, K, K), ``v`` (…, K), constant ``T``, ``v_star``. ``meta["quadrature_error"]`` is the largest change of the
        drift, over the start and the end, from a third fewer nodes an axis of the plane.
    """
    v, classes, overlaps, unread = np.array(start.v), model.density(), online.Overlaps(np.eye(2), model.K), np.zeros(0)

    def rhs(_: float, y: np.ndarray, classes: Classes = classes) -> np.ndarray:
        A, C, _v = overlaps.split(y)
        return overlaps.join(*drift(model, classes, A, C, v, not options.gradient_flow), unread)

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, C, _ = overlaps.split(y)
        Q, readout = overlaps.Q(R, C), np.broadcast_to(v, (len(y), model.K))
        return {**model.observables(R, Q, start.T, readout, start.v_star), "R": R, "Q": Q, "v": readout}

    def judge(solutions: Sequence[np.ndarray]) -> frames.Solution:
        fewer, ends = model.density(fewer=True), (y0, solutions[0][-1])
        error = max(np.abs(rhs(0, x) - rhs(0, x, fewer)).max() for x in ends)
        return solutions[0], {"quadrature_error": float(error)}

    y0 = overlaps.state(start.read_by(unread, start.v_star))
    # The axes of the plane are no units.
    alike = exchange.alike_overlaps(overlaps, np.arange(2), y0, [("k", v)])
    kept = exchange.kept(rhs, y0, exchange.overlaps(model.K, 2, 0), alike)
    return frames.Equations((frames.ode(kept.rates, kept.start),), observe, 1e-9, 1e-11, options.record(), judge)


def early_drift(model: SimplicityBias, a: Any, q: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What drives a single erf unit while its component a in the plane is small: means, covariances, fourth cumulants.

    With q the squared norm of the rest, per N::

        da/dt = η √(2/π) μ/√(1 + q) − η (2/π) (⟨Σ_y⟩ + μμᵀ) a/((1 + q)√(1 + 2q)) + …
              − η (κ4/6) k3 ⟨M_y (M_yᵀ a)³⟩,   k3 = −(4/π)(2 + 3q)/((1 + q)²(1 + 2q)^{3/2})

    the cube by components, κ4 = −6/5 for uniform coordinates and 0 for normal ones. The dots are terms of order a² and
    a³ that the means and covariances make; they are the same for the original and its Gaussian clone. A single unit
    therefore sees first the means, which all clones share, then the covariances, and the shape of the density last.

    Parameters
    ----------
    model : SimplicityBias
        K = 1, erf, readout 1.
    a : (2,) array_like
    q : float

    Returns
    -------
    means, covariances, cumulants : ndarray (2,)
        The three terms of da/dt.

    Raises
    ------
    ModelError
        For other students, or if an argument is out of range.
    """
    if model.K != 1 or model.activation != "erf" or model.v not in (None, (1.0,)):
        raise ModelError("model", f"K = {model.K}, {model.activation}", "must be a single erf unit with readout 1")
    q = number("q", q, low=0)
    a, mu, roots = array("a", a, (2,), "overlaps in the plane"), np.array(model.mu), model.roots()
    means = math.sqrt(2 / math.pi / (1 + q)) * mu
    second = np.mean([M @ M.T for M in roots], axis=0) + np.outer(mu, mu)
    covariances = -2 / math.pi / ((1 + q) * math.sqrt(1 + 2 * q)) * (second @ a)
    third = -4 / math.pi * (2 + 3 * q) / ((1 + q) ** 2 * (1 + 2 * q) ** 1.5)
    kappa = -6 / 5 if model.trained_on == "original" else 0.0
    cumulants = -kappa / 6 * third * np.mean([M @ (M.T @ a) ** 3 for M in roots], axis=0)
    return model.lr * means, model.lr * covariances, model.lr * cumulants


def divergence_times(
    model: SimplicityBias, threshold: float, *, start: OrderParameters, end: float = 100.0, **options: Any
) -> dict[str, float]:
    """When students of the clones first differ from the student of the original, in their error on the original.

    Parameters
    ----------
    model : SimplicityBias
        What they have in common; `trained_on` does not matter.
    threshold : float
        Difference of eps_g that counts, positive.
    start : OrderParameters
        Overlaps at t = 0.
    end : float
        Last time that is looked at.
    options
        Passed on to `solve`.

    Returns
    -------
    dict
        "gaussian", "isotropic" -> time, to a relative 1e-4; infinite if it lies beyond `end`.

    Raises
    ------
    ModelError
        If an argument is out of range.
    """
    threshold = number("threshold", threshold, low=0, open_low=True)
    end = number("end", end, low=0, open_low=True)

    def difference(data: str, t: np.ndarray) -> np.ndarray:
        a, b = (
            solve(dataclasses.replace(model, trained_on=d), t=t, start=start, **options)["eps_g"]
            for d in (data, "original")
        )
        return np.abs(a - b)

    out = {}
    for data in DATA[1:]:
        t = end * np.concatenate([[0], np.geomspace(1e-4, 1, 300)])
        for _ in range(2):
            beyond = np.flatnonzero(difference(data, t) > threshold)
            if len(beyond) == 0 or beyond[0] == 0:
                break
            t = np.linspace(t[beyond[0] - 1], t[beyond[0]], 300)
        out[data] = float(t[beyond[0]]) if len(beyond) else math.inf
    return out


def chain(model: SimplicityBias, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know; the readout is fixed."""
    overlaps, classes = online.Overlaps(np.array(start.T), model.K), model.density()

    def motion(y: np.ndarray) -> np.ndarray:
        A, C, v = overlaps.split(y)
        return overlaps.join(*drift(model, classes, A, C, v, True), 0 * v)

    seen = online.seen(model, start)

    def observe(states: np.ndarray) -> dict[str, np.ndarray]:
        # Which observables there are depends on readouts being equal, to the last digit.
        fixed = np.broadcast_to(np.array(start.v), (len(states), model.K))
        return seen(np.concatenate([states[:, : -model.K], fixed], axis=1))

    return online.chain(model, start, drift=motion, observe=observe)
