"""Free energies of Hebbian networks as printed, by the trapezoidal rule; nothing of `tsphys.replica` is used."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

import numpy as np

#: The trapezoidal rule converges exponentially for the analytic integrands here: their poles are at |Im z| ~ T, and
#: exp(−2πT/h) is below 1e-16 for T > 0.02. Beyond |z| = 9 the Gaussian is below 1e-17.
_Z = np.linspace(-9, 9, 6001)
_W = np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi) * (_Z[1] - _Z[0])


def _log2cosh(x: np.ndarray) -> np.ndarray:
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))


def hopfield(m: float, q: float, r: float, alpha: float, T: float, static: float = 0.0) -> float:
    """One condensed pattern (Amit, Gutfreund & Sompolinsky 1987), with static noise δ (Sompolinsky 1986)."""
    beta = 1 / T
    C = beta * (1 - q)
    out = m**2 / 2 + alpha / 2 * (1 + T * np.log(1 - C) - q / (1 - C) + beta * r * (1 - q))
    out -= beta * alpha * static / 4 * (1 - q) ** 2
    return float(out - T * _W @ _log2cosh(beta * (m + np.sqrt(alpha * (r + static * q)) * _Z)))


def dense(n: float, q: float, alpha: float, T: float, P: int, scale: float, v: Sequence[float], w: Sequence[float]):
    """P-body couplings (Gardner 1987) with a condensed vector of values v of probability w."""
    beta, A = 1 / T, alpha * factorial(P - 1)
    out = (P - 1) / P * n**P / scale - beta * A / (2 * P) * (1 - P * q ** (P - 1) + (P - 1) * q**P)
    for value, weight in zip(v, w):
        field = value * n ** (P - 1) / scale + np.sqrt(A * q ** (P - 1)) * _Z
        out -= T * weight * _W @ _log2cosh(beta * field)
    return float(out)


def sparse(m: float, Q: float, q: float, alpha: float, T: float, f: float, threshold: float) -> float:
    """0/1 neurons of activity f (Tsodyks & Feigel'man 1988); Q = ⟨V⟩ = ⟨V²⟩, q = ⟨V⟩² averaged over the sites."""
    beta = 1 / T
    C = beta * (Q - q)
    r = q / (1 - C) ** 2
    self_field = alpha / 2 * (1 / (1 - C) + beta * r)
    out = f * (1 - f) * m**2 / 2 + alpha / 2 * (T * np.log(1 - C) - q / (1 - C))
    out += self_field * Q - alpha * beta * r * q / 2
    for eta, weight in ((1 - f, f), (-f, 1 - f)):
        x = eta * m - threshold - alpha / 2 + self_field - alpha * beta * r / 2 + np.sqrt(alpha * r) * _Z
        out -= T * weight * _W @ np.logaddexp(0, beta * x)
    return float(out)


def square_loss(
    state: Sequence[float],
    examples: float,
    ridge: float,
    variance: float,
    spectrum: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> float:
    """Least cost of the Gaussian covariate model with the square loss (Loureiro et al., NeurIPS 2021).

    Per parameter with `examples` = n/p, or in all with n; `variance` is that of the labels, and the spectrum has the
    eigenvalues ω, the teacher's weights T on them, and the weights of the mean, or sum, over them; the state is
    (V, q, m, V̂, q̂, m̂).
    """
    V, q, m, V_hat, q_hat, m_hat = state
    omega, T, weight = spectrum
    prior = -0.5 * np.sum(weight * (q_hat * omega + m_hat**2 * T) / (ridge + V_hat * omega))
    return float(m_hat * m + (q_hat * V - V_hat * q) / 2 + prior + examples * (variance + q - 2 * m) / (1 + V) / 2)
