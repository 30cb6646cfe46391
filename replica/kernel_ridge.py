"""Errors of kernel and random-feature ridge regression from the spectrum alone: the eigenframework (Simon et al. 2024).

The features φ_i(x) of an example may be replaced by independent Gaussian numbers, so that mode i is learned to the
fraction λ_i/(λ_i + γ) with one effective ridge γ for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import handed, number
from tsphys.models.kernel_ridge import KernelRidge
from tsphys.runs import frames
from tsphys.solvers.fixed_point import crossing, maximum


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    inputs: int | None = handed(
        "number P of inputs in all, of which the n < P examples are a part, as in a simulation with a population"
    )

    def suited(self, models: Sequence[KernelRidge]) -> Options:
        if self.inputs is None:
            return self
        return replace(self, inputs=number("inputs", self.inputs, kind=int, low=max(here.n for here in models) + 1))


@frames.static(KernelRidge, Options)
def solve(model: KernelRidge, options: Options) -> dict[str, float]:
    """Errors over the number of examples or features, the ridge or the noise.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` = ½⟨(f̂ − f)²⟩ on fresh inputs, ``train_loss`` = ½ mean (f̂ − y)² over the examples,
        and ``gamma`` and ``kappa``, the effective ridges of the features and of the examples (equal for k → ∞). With
        `inputs` also ``eps_held``, the error at those that are no examples.

    Raises
    ------
    ModelError
        If an argument is out of range, or the error is infinite: without a ridge, where n equals k or the modes.

    References
    ----------
    Simon, Karkada, Ghosh & Belkin, ICLR 2024, eqs. (3)-(6); for the kernel Bordelon, Canatar & Pehlevan, ICML 2020.
    """
    row, inputs = errors(model), options.inputs
    return row if inputs is None else {**row, "eps_held": held_out(row, model.n, inputs, model.noise)}


def held_out(row: dict[str, float], n: int, inputs: int, noise: float) -> float:
    """Error at the inputs that are no examples, from that at all of them.

    At an example y − f̂ is the fraction c = δ/(nκ) of what it would be had the example been left out, so that there
    ⟨(f̂ − f)²⟩ = (1 − c)²σ² + c²⟨(f̂ − f)²⟩ over all inputs.
    """
    total = 2 * row["eps_g"]
    c2 = 2 * row["train_loss"] / (total + noise**2) if total + noise > 0 else 0.0
    trained = (1 - np.sqrt(c2)) ** 2 * noise**2 + c2 * total
    return (inputs * total - n * trained) / (inputs - n) / 2


def optimal_ridge(model: KernelRidge) -> float:
    """The ridge δ between 1e-12 and 1e12, in units of the kernel's trace Σλ_i, of the least eps_g."""
    unit = float(model.spectrum()[0].sum())
    found, _ = maximum(
        lambda log: -errors(replace(model, ridge=unit * float(np.exp(log))))["eps_g"], np.log(1e-12), np.log(1e12), 97
    )
    return unit * float(np.exp(found))


def effective_ridges(eigenvalues: np.ndarray, n: float, k: float, delta: float) -> tuple[float, float]:
    """γ and κ with Σ λ/(λ + γ) + δ/κ = n and Σ λ/(λ + γ) + kκ/γ = k; k may be infinite, and γ is then κ.

    Parameters
    ----------
    eigenvalues : ndarray
        λ_i > 0.
    n, k : float
        Examples and features.
    delta : float
        Ridge δ; at 0 the limit δ → 0, where κ = 0 if the examples outnumber features or modes.
    """

    def learned(log: float) -> float:
        return float(np.sum(eigenvalues / (eigenvalues + np.exp(log))))

    def where_learned(count: float) -> float:
        """ln γ with Σ λ/(λ + γ) = count, less than the number of modes."""
        low = np.log(eigenvalues.min() * (len(eigenvalues) - count) / count) - 1
        high = np.log(eigenvalues.sum() / count)
        return crossing(lambda log: learned(log) - count, min(low, high - 1), high + 1, "the effective ridge")

    modes = len(eigenvalues)
    # So much less than all else is none, and its inverse might be no number.
    delta = 0.0 if delta < 1e-200 * eigenvalues.max() else delta
    if delta == 0 and n >= min(k, modes):
        return (float(np.exp(where_learned(k))) if k < modes else 0.0), 0.0
    if delta == 0:
        gamma = float(np.exp(where_learned(n)))
        return gamma, gamma * (1 - n / k)

    def gap(log: float) -> float:
        # The first equation, where κ = γ(k − z)/k, times (k − z)/k, which keeps it finite where z = k.
        z = learned(log)
        return (z - n) * (1 - z / k) + delta / np.exp(log)

    low = np.log(delta) - np.log(n) - 1e-9
    high = np.log(4 * (eigenvalues.sum() + delta)) - np.log(min(n, k))
    if k < modes:
        low = max(low, where_learned(k))
    gamma = float(np.exp(crossing(gap, low, high, "the effective ridge")))
    z = learned(np.log(gamma))
    # Of the two forms of κ the one in which less cancels.
    return gamma, (delta / (n - z) if 1 - z / n > 1 - z / k else gamma * (1 - z / k))


def errors(model: KernelRidge) -> dict[str, float]:
    """Observables at one point."""
    eigenvalues, target = model.spectrum()
    some = eigenvalues > 0
    n, k, noise = float(model.n), np.inf if model.k is None else float(model.k), model.noise**2
    gamma, kappa = effective_ridges(eigenvalues[some], n, k, model.ridge)
    learned = np.zeros_like(eigenvalues)
    learned[some] = eigenvalues[some] / (eigenvalues[some] + gamma)
    missed = np.ones_like(eigenvalues)
    missed[some] = gamma / (eigenvalues[some] + gamma)
    z, Q, mixed = learned.sum(), (learned**2).sum(), (learned * missed).sum()
    # Simon's equations written as sums of positive terms, with z − Q = Σ λγ/(λ + γ)².
    surplus = mixed / (k - Q) if k > Q else np.inf
    spent = (Q + mixed * surplus) / n
    if not spent < 1 - 1e-14:
        words = "must be > 0 where n equals the number of features or of modes: the error is infinite"
        raise ModelError("ridge", model.ridge, words)
    bias = float(np.sum(missed * (missed + surplus * learned) * target**2))
    unfit = model.ridge / (n * kappa) if kappa > 0 else 1 - z / n
    error = (bias + noise) / (1 - spent)
    return {
        "eps_g": (bias + spent * noise) / (1 - spent) / 2,
        "train_loss": error * unfit**2 / 2,
        "gamma": gamma,
        "kappa": kappa,
    }
