"""Errors of ridge regression from the spectrum of a kernel alone: the eigenframework (Simon et al. 2024).

Values of eigenfunctions at examples may be replaced by independent Gaussian numbers, so that a mode of eigenvalue λ is
learned to the fraction λ/(λ + γ), with one effective ridge γ for all of them. That is found in ln γ, so that spectra
may be as steep as they like, and errors are sums of positive terms, so that small ones keep their digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.numerics.roots import crossing


@dataclass(frozen=True)
class Modes:
    """Eigenfunctions of a kernel, orthonormal over the inputs; those that are alike in one entry.

    Parameters
    ----------
    eigenvalues : ndarray, shape (M,)
        λ ≥ 0.
    power : ndarray, shape (M,)
        Σ v² of the target's coefficients, over all that have this eigenvalue.
    count : ndarray, shape (M,), or float
        How many have it.
    """

    eigenvalues: np.ndarray
    power: np.ndarray
    count: np.ndarray | float = 1.0


def errors(modes: Modes, n: float, ridge: float, noise: float, k: float | None = None) -> dict[str, float]:
    """Errors on n examples y = f(x) + ζ with ⟨ζ²⟩ = `noise`, of a kernel or of k random features of it.

    Parameters
    ----------
    modes : Modes
    n : float
        Examples.
    ridge : float
        δ on the diagonal of their Gram matrix, which is not divided by n; at 0 the limit δ → 0.
    noise : float
        Variance σ² of the labels' noise.
    k : float, optional
        Features, Gaussian with the kernel as covariance, whose Gram matrix is divided by k; none: the kernel itself.

    Returns
    -------
    dict
        ``eps_g`` = ½⟨(f̂ − f)²⟩ on fresh inputs, ``train_loss`` = ½ mean (f̂ − y)², and ``gamma`` and ``kappa``, the
        effective ridges of features and of examples.

    Raises
    ------
    ModelError
        Where the error is infinite: without a ridge, if n equals k or the number of modes.

    References
    ----------
    Simon, Karkada, Ghosh & Belkin, ICLR 2024, eqs. (3)-(6); for the kernel Bordelon, Canatar & Pehlevan, ICML 2020.
    """
    eigenvalues, power = modes.eigenvalues, modes.power
    count = np.broadcast_to(modes.count, eigenvalues.shape)
    some = eigenvalues > 0
    features = np.inf if k is None else float(k)
    # Without any eigenvalue nothing is learned.
    gamma = kappa = ridge / n
    if some.any():
        gamma, kappa = effective_ridges(eigenvalues[some], float(n), features, ridge, count[some])
    learned = np.zeros_like(eigenvalues)
    learned[some] = eigenvalues[some] / (eigenvalues[some] + gamma)
    missed = np.ones_like(eigenvalues)
    missed[some] = gamma / (eigenvalues[some] + gamma)
    z, Q, mixed = np.sum(count * learned), np.sum(count * learned**2), np.sum(count * (learned * missed))
    # Simon's equations written as sums of positive terms, with z − Q = Σ λγ/(λ + γ)².
    # Where all is learned, by as many features as modes, nothing is left over for it to multiply.
    surplus = mixed / (features - Q) if features > Q else (np.inf if mixed > 0 else 0.0)
    spent = (Q + mixed * surplus) / n
    if not spent < 1 - 1e-14:
        words = "must be > 0 where n equals the number of features or of modes: the error is infinite"
        raise ModelError("ridge", ridge, words)
    bias = float(np.sum(missed * (missed + surplus * learned) * power))
    unfit = ridge / (n * kappa) if kappa > 0 else 1 - z / n
    error = (bias + noise) / (1 - spent)
    return {
        "eps_g": (bias + spent * noise) / (1 - spent) / 2,
        "train_loss": error * unfit**2 / 2,
        "gamma": gamma,
        "kappa": kappa,
    }


@dataclass(frozen=True)
class Student:
    """What ridge regression makes of a target Σ v_i φ_i, mode by mode.

    Parameters
    ----------
    learned : ndarray, shape (M,)
        λ/(λ + γ), the part ⟨v̂_i⟩/v_i of each coefficient.
    power : ndarray, shape (M,)
        Σ ⟨v̂²⟩ over all modes that have this eigenvalue.
    norm : float
        ⟨|w|²⟩ of f̂ = Σ_a w_a ψ_a/√k, or of f̂ = Σ_i w_i √λ_i φ_i.
    """

    learned: np.ndarray
    power: np.ndarray
    norm: float


def student(modes: Modes, n: float, ridge: float, noise: float, k: float | None = None) -> Student:
    """The student of `errors`, in place of its errors.

    With T = H(H + κ)⁻¹ of the kernel H of the features its coefficients have the second moments
    ⟨T(vvᵀ + E/n)T⟩ with E = 2 eps_g + σ², where ⟨TBT⟩_ij = t_i t_j B_ij + δ_ij u_i Σ_l B_ll u_l/(k − Q) with
    t = λ/(λ + γ), u = λγ/(λ + γ)² and Q = Σ t².

    Raises
    ------
    ModelError
        Where the error or the norm is infinite: without a ridge, if n equals k or the number of modes, or k that.

    References
    ----------
    Of two resolvents Bach, SIAM J. Math. Data Sci. 6, 26 (2024).
    """
    found = errors(modes, n, ridge, noise, k)
    eigenvalues, power, gamma = modes.eigenvalues, modes.power, found["gamma"]
    count = np.broadcast_to(modes.count, eigenvalues.shape)
    some = eigenvalues > 0
    learned, slope = np.zeros_like(eigenvalues), np.zeros_like(eigenvalues)
    learned[some] = eigenvalues[some] / (eigenvalues[some] + gamma)
    slope[some] = learned[some] / (eigenvalues[some] + gamma)
    # The squared deviation from fresh labels, an example's share of it, and what few features add.
    each = (2 * found["eps_g"] + noise) / n
    used = float(np.sum(count * learned**2))
    if k is not None and not used < k * (1 - 1e-14):
        raise ModelError("ridge", ridge, "must be > 0 where features are as many as modes: the weights are infinite")
    room = 0.0 if k is None else 1 / (k - used)
    mixed = gamma * slope
    along, beside = float(np.sum(power * mixed)), float(np.sum(count * mixed))
    own = power * learned**2 + count * (mixed * room * along + each * (learned**2 + mixed * room * beside))
    norm = (1 + used * room) * float(np.sum((power + each * count) * slope))
    return Student(learned, own, norm)


def effective_ridges(
    eigenvalues: np.ndarray, n: float, k: float, delta: float, count: np.ndarray | float = 1.0
) -> tuple[float, float]:
    """γ and κ with Σ λ/(λ + γ) + δ/κ = n and Σ λ/(λ + γ) + kκ/γ = k; k may be infinite, and γ is then κ.

    Parameters
    ----------
    eigenvalues : ndarray
        λ_i > 0.
    n, k : float
        Examples and features.
    delta : float
        Ridge δ; at 0 the limit δ → 0, where κ = 0 if the examples outnumber features or modes.
    count : ndarray or float
        How many modes have each eigenvalue.

    Returns
    -------
    gamma, kappa : float
    """

    def learned(log: float) -> float:
        return float(np.sum(count * (eigenvalues / (eigenvalues + np.exp(log)))))

    modes = float(np.sum(np.broadcast_to(count, eigenvalues.shape)))
    trace = np.sum(count * eigenvalues)

    def where_learned(many: float) -> float:
        """ln γ with Σ λ/(λ + γ) = many, less than the number of modes."""
        low = np.log(eigenvalues.min() * (modes - many) / many) - 1
        high = np.log(trace / many)
        return crossing(lambda log: learned(log) - many, min(low, high - 1), high + 1, "the effective ridge")

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
    high = np.log(4 * (trace + delta)) - np.log(min(n, k))
    if k < modes:
        low = max(low, where_learned(k))
    gamma = float(np.exp(crossing(gap, low, high, "the effective ridge")))
    z = learned(np.log(gamma))
    # Of the two forms of κ the one in which less cancels.
    return gamma, (delta / (n - z) if 1 - z / n > 1 - z / k else gamma * (1 - z / k))


def surplus(examples: float, used: float, unused: float) -> float:
    """examples − used, where used + unused = 1, with the digits of what is left when both are close to 1."""
    return examples - used if examples < 0.5 else examples - 1 + unused


def effective_ridge(
    learned: Callable[[float], tuple[float, float]], examples: float, ridge: float, size: float
) -> float:
    """g with g(n/p − ⟨ω/(ω + g)⟩) = λ, of a law of eigenvalues ω; 0 where the examples determine w without a ridge.

    Parameters
    ----------
    learned : callable
        ⟨ω/(ω + g)⟩ and 1 minus that, each with its digits, at g.
    examples, ridge, size : float
        n/p, λ and ⟨ω⟩.

    Raises
    ------
    ConvergenceError
        If `learned` is none.
    """

    def gap(log: float) -> float:
        g = float(np.exp(log))
        return surplus(examples, *learned(g)) - ridge / g

    # ⟨ω/(ω + g)⟩ lies between 0 and ⟨ω⟩/g.
    high = np.log(ridge + size) - np.log(examples) + 1e-9
    low = np.log(ridge) - np.log(examples) - 1e-9 if ridge > 0 else high - 300
    if ridge == 0 and gap(low) >= 0:
        return 0.0
    return float(np.exp(crossing(gap, low, high, "the effective ridge")))
