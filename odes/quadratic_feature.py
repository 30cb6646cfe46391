"""Networks of quadratic features: mean and covariance of their weights close, set of data by set of data.

With w̄ = (1/N) Σ w_i, M = (1/N) Σ w_i w_iᵀ and what they moved by, f = α(δw̄·x/√D + ½ε xᵀδM x/D), for any width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_INTEGER, param
from tsphys.ground.progress import tell
from tsphys.models.quadratic_feature import QuadraticFeature
from tsphys.numerics.random import generator
from tsphys.runs import frames
from tsphys.runs.memory import check_memory
from tsphys.solvers.ode import integrate

#: Times beyond which explicit formulas take many steps, in units of the fastest rate; most variables of a Jacobian.
STIFF, SMALL = 1000.0, 400


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    """What the theory is asked for."""

    sets: int = param(8, "sets of data that are averaged over, those of simulations", kind=int, low=1, high=10**4)
    seed: int = param(0, "seed that the sets follow from", kind=int, low=0, high=LARGEST_INTEGER)

    def suited(self, models: Sequence[QuadraticFeature]) -> Options:
        for model in models:
            P, D = model.examples or 0, model.inputs
            size = 8.0 * (4 * P * D + (30 + 4 * len(self.t)) * D * D + (4 * P * P if model.alpha is None else 0))
            check_memory("examples", P, size, "the examples")
            if model.examples is None and model.alpha is None:
                raise ModelError("alpha", None, "must be a number for the whole population, of which nothing is lazy")
        return self


@frames.course(QuadraticFeature, Options)
def solve(model: QuadraticFeature, options: Options) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Errors over times, for infinitely many hidden units.

    Returns
    -------
    dict
        ``train_mse`` = mean (y − f)² over the examples and ``mse`` = ⟨(y − f)²⟩ on fresh inputs, the sum of ``linear``
        = α²|δw̄|²/D, ``misaligned`` = ‖C‖²/2D² and ``offset`` = (tr C)²/4D² with C = ββᵀ − αεδM; ``learned`` =
        αεβᵀδMβ/D², 1 in the end of a rich network. Means over `sets` sets of data; ``result.sem(name)`` has their
        error. Without a number of examples those of the whole population, over the time tP/D.

    Raises
    ------
    ModelError
        If the lazy limit of the whole population is asked for.
    ConvergenceError
        If an integration did not converge.
    """
    if model.examples is None:
        return population(model, options.t), {}
    found = []
    for number in range(options.sets):
        beta, X = model.drawn(generator(options.seed, number, "data"))
        state = lazy if model.alpha is None else rich
        mean, moved = state(model, beta, X, options.t, np.zeros(model.inputs), np.eye(model.inputs))
        found.append(frames.stack([observed(beta, X, *at) for at in zip(mean, moved)]))
        tell((number + 1) / options.sets)
    each = {name: np.stack([one[name] for one in found]) for name in found[0]}
    errors = {k: (v.std(axis=0, ddof=1) / np.sqrt(options.sets)).tolist() for k, v in each.items() if options.sets > 1}
    return {name: value.mean(axis=0) for name, value in each.items()}, {"sem": errors}


def observed(beta: np.ndarray, X: np.ndarray, mean: np.ndarray, moved: np.ndarray) -> dict[str, float]:
    """Observables of α δw̄ (D,) and αε δM (D, D)."""
    D = len(beta)
    error = 0.5 * (X @ beta) ** 2 / D - answers(X, mean, moved)
    C = np.outer(beta, beta) - moved
    parts = {
        "linear": mean @ mean / D,
        "misaligned": np.sum(C * C) / (2 * D**2),
        "offset": np.trace(C) ** 2 / (4 * D**2),
    }
    total = {"train_mse": np.mean(error**2), "mse": sum(parts.values())}
    return total | parts | {"learned": beta @ moved @ beta / D**2}


def answers(X: np.ndarray, mean: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """f at inputs (P, D)."""
    D = X.shape[1]
    return X @ mean / np.sqrt(D) + 0.5 * np.sum((X @ moved) * X, axis=1) / D


def rich(
    model: QuadraticFeature, beta: np.ndarray, X: np.ndarray, t: np.ndarray, w0: np.ndarray, M0: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """α δw̄ (T, D) and αε δM (T, D, D) of the exact flow on inputs X, from w̄ and M at the start."""
    assert model.alpha is not None
    D, alpha, eps = X.shape[1], model.alpha, model.eps
    y, upper = 0.5 * (X @ beta) ** 2 / D, np.triu_indices(D)

    def whole(states: np.ndarray) -> np.ndarray:
        """Of δM it is the upper half that is followed."""
        out = np.empty((*states.shape[:-1], D, D))
        out[..., upper[0], upper[1]] = out[..., upper[1], upper[0]] = states[..., D:]
        return out

    def rates(_: float, state: np.ndarray) -> np.ndarray:
        mean, moved = state[:D], whole(state)
        error = y - answers(X, mean, eps * moved)
        w, M, g, G = w0 + mean / alpha, M0 + moved / alpha, X.T @ error / np.sqrt(D), (X.T * error) @ X / D
        half = np.outer(g, w) + eps * G @ M
        return np.concatenate([g + eps * G @ w, (half + half.T)[upper]])

    # δM grows to ββᵀ/ε. Implicit formulas take fewer steps, and are cheaper as long as the Jacobian is small.
    stiff = t[-1] * (1 + eps**2 + eps / alpha) > STIFF and len(upper[0]) <= SMALL
    # The error of observables is some ten to a hundred times as large.
    start = np.zeros(D + len(upper[0]))
    found, _ = integrate(rates, start, t, rtol=1e-7, atol=1e-9, method="LSODA" if stiff else "DOP853")
    return found[:, :D], eps * whole(found)


def lazy(
    model: QuadraticFeature, beta: np.ndarray, X: np.ndarray, t: np.ndarray, w0: np.ndarray, M0: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same for α → ∞: linear in the kernel K of the start, with ∫Δ = K⁻¹(1 − e^{−Kt})y."""
    D, eps = X.shape[1], model.eps
    h = X @ w0 / np.sqrt(D)
    K = X @ X.T / D * (1 + eps * (h[:, None] + h) + eps**2 * X @ M0 @ X.T / D)
    rates, vectors = np.linalg.eigh(K)
    rates = np.maximum(rates, 0.0)
    y = vectors.T @ (0.5 * (X @ beta) ** 2 / D)
    mean, moved = [], []
    for time in t.tolist():
        exponent = rates * time
        grown = np.where(exponent > 1e-12, -np.expm1(-exponent) / np.where(rates > 0, rates, 1.0), time)
        c = vectors @ (grown * y)
        g, G = X.T @ c / np.sqrt(D), (X.T * c) @ X / D
        half = np.outer(g, w0) + eps * G @ M0
        mean.append(g + eps * G @ w0)
        moved.append(eps * (half + half.T))
    return np.array(mean), np.array(moved)


def population(model: QuadraticFeature, s: np.ndarray) -> dict[str, np.ndarray]:
    """Observables over the time s = tP/D of infinitely many examples: M = m ββᵀ/D + a (1 − ββᵀ/D)."""
    assert model.alpha is not None
    D, alpha, eps = model.inputs, model.alpha, model.eps

    def left(m: Any, a: Any) -> tuple[Any, Any, Any]:
        along, beside = 1 - alpha * eps * (m - 1) / D, -alpha * eps * (a - 1) / D
        return along, beside, along + (D - 1) * beside

    def rates(_: float, state: np.ndarray) -> np.ndarray:
        along, beside, trace = left(*state)
        return 2 * eps / alpha * (np.array([along, beside]) + trace / 2) * state

    found, _ = integrate(rates, [1.0, 1.0], s, rtol=1e-10, atol=1e-12)
    along, beside, trace = left(*found.T)
    misaligned, offset = 0.5 * (along**2 + (D - 1) * beside**2), 0.25 * trace**2
    mse = misaligned + offset
    row = {"train_mse": mse, "mse": mse, "linear": 0 * mse, "misaligned": misaligned, "offset": offset}
    return {**row, "learned": 1 - along}
