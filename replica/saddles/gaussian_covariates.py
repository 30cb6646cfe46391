"""Empirical risk minimisation on Gaussian covariates: the replica-symmetric saddle point, exact for convex losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import array, number
from tsphys.physics.inference.channels import Channel
from tsphys.physics.inference.losses import check_loss, corners, loss, proximal
from tsphys.solvers.fixed_point import fixed_point

#: Smallest regularization λ: V is of order 1/λ where the examples can be fitted.
SMALLEST = 1e-12


@dataclass(frozen=True)
class Covariates:
    """Covariances of teacher and student features, in the eigenbasis of the student's.

    Teacher ν = θ·u/√d and student h = w·v/√p with Gaussian (u, v) of covariances Ψ (d, d), Φ (d, p), Ω (p, p).

    Parameters
    ----------
    omega : ndarray (k,)
        Eigenvalues of Ω.
    teacher : ndarray (k,)
        T_i = (p/d) (UᵀΦᵀθ)_i² along them.
    weights : ndarray (k,)
        Fraction of the p directions that each stands for; they sum to one.
    rho : float
        Variance θᵀΨθ/d of the teacher's field.
    """

    omega: np.ndarray
    teacher: np.ndarray
    weights: np.ndarray
    rho: float


def isotropic(rho: float = 1.0) -> Covariates:
    """Teacher and student see the same iid standard normal features; ρ = |θ|²/d."""
    return Covariates(np.ones(1), np.full(1, rho), np.ones(1), number("rho", rho, low=0, open_low=True))


def matched(omega: Any, teacher: Any = 1.0) -> Covariates:
    """Teacher and student see the same features of spectrum `omega` (p,); `teacher` holds θ_i² along it."""
    omega = array("omega", omega, (None,))
    theta = np.broadcast_to(np.asarray(teacher, dtype=float), omega.shape)
    if (omega < 0).any():
        raise ModelError("omega", float(omega.min()), "must be the eigenvalues of a covariance, >= 0")
    return Covariates(omega, omega**2 * theta, np.full(omega.size, 1 / omega.size), float(np.mean(omega * theta)))


def from_matrices(Psi: Any, Phi: Any, Omega: Any, theta: Any) -> Covariates:
    """Covariances Ψ (d, d), Φ (d, p), Ω (p, p) and teacher θ (d,), (k = p)."""
    Phi = array("Phi", Phi, (None, None))
    d, p = Phi.shape
    Psi, Omega = array("Psi", Psi, (d, d)), array("Omega", Omega, (p, p))
    theta = array("theta", theta, (d,))
    omega, U = np.linalg.eigh(Omega)
    if omega[0] < -1e-10 * max(omega[-1], 1e-300):
        raise ModelError("Omega", float(omega[0]), "must have no negative eigenvalue")
    omega = np.maximum(omega, 0.0)
    overlap = U.T @ (Phi.T @ theta)
    rho = float(theta @ Psi @ theta / d)
    if rho <= 0:
        raise ModelError("theta", rho, "must have a field of positive variance under Psi")
    return Covariates(omega, (p / d) * overlap**2, np.full(p, 1 / p), rho)


@dataclass(frozen=True)
class Minimum:
    """State of the minimiser.

    Attributes
    ----------
    V, q, m : float
        Variance β⟨δh²⟩ of the field, q = wᵀΩw/p, m = θᵀΦw/√(dp).
    V_hat, q_hat, m_hat : float
        Their conjugates.
    norm : float
        |w|²/p.
    train_loss : float
        Mean of ℓ over the training examples.
    residual : float
    iterations : int
    """

    V: float
    q: float
    m: float
    V_hat: float
    q_hat: float
    m_hat: float
    norm: float
    train_loss: float
    residual: float
    iterations: int


def _panels(edges: Any, most: float = 1.0, nodes: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Gauss–Legendre nodes on panels between edges within ±10, none longer than `most`; weights times the Gaussian."""
    inner = [e for e in edges if -10 < e < 10]
    edges = np.unique(np.concatenate([np.arange(-10, 10 + most, most), inner]))
    x, w = np.polynomial.legendre.leggauss(nodes)
    half = 0.5 * np.diff(edges)[:, None]
    z = (edges[:-1, None] + half * (1 + x)).ravel()
    return z, (half * w).ravel() * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def channel_averages(
    name: str, teacher: Channel, rho: float, V: float, q: float, m: float
) -> tuple[float, float, float, float]:
    """E(1 − ∂t/∂ω), E f², E f g* and E ℓ(y, t) over ω ~ N(0, q) and the teacher's y given ω; f = (t − ω)/V.

    g* is the teacher's own g_out at its mean mω/q and variance ρ − m²/q.
    """
    if name == "square":
        y, weight = teacher.outcomes(np.zeros(1), rho)
        square = float(np.sum(weight * y * y))
        c = float(np.sum(weight * y * teacher.moments(y, np.zeros(1), rho)[0]))
        error = square + q - 2 * c * m
        return V / (1 + V), error / (1 + V) ** 2, c / (1 + V), 0.5 * error / (1 + V) ** 2
    root = np.sqrt(q)
    rest = rho - m * m / q
    steep = np.sqrt(rest) * root / max(abs(m), 1e-300)
    kinks = [s * steep * 3.0**k for k in range(-1, 12) for s in (-1, 1)]
    out = np.zeros(4)
    for label in (1.0, -1.0):
        z, w = _panels([0.0, *kinks, *(label * c / root for c in corners(name, V))])
        omega = root * z
        y = np.full(z.shape, label)
        Z = w * np.exp(teacher.log_partition(y, m / q * omega, rest))
        g = teacher.moments(y, m / q * omega, rest)[0]
        t, bend = proximal(name, y, omega, V)
        f = (t - omega) / V
        out += [Z @ bend, Z @ (f * f), Z @ (f * g), Z @ loss(name, y, t)]
    a, b, c, d = out.tolist()
    return a, b, c, d


def minimum(
    name: str,
    teacher: Channel,
    covariates: Covariates,
    alpha: float,
    regularization: float,
    *,
    start: tuple[float, float, float] | None = None,
    tol: float = 1e-10,
) -> Minimum:
    """Minimiser of Σ ℓ(y, w·v/√p) + (λ/2)|w|² over n = αp examples, p → ∞ (Loureiro et al., NeurIPS 2021).

    Parameters
    ----------
    name : {"square", "logistic", "hinge"}
        The loss.
    teacher : Channel
        Law of y given the teacher's field; of labels ±1, but for ``square``.
    covariates : Covariates
    alpha : float
        n/p.
    regularization : float
        λ, at least 1e-12, below which rounding decides.
    start : (V, q, m), optional
        First iterate, as from a neighbouring point.
    tol : float
        Largest relative residual.

    Raises
    ------
    ModelError
        If an argument is out of range.
    ConvergenceError
        If the saddle point is not reached.
    """
    check_loss(name)
    if name != "square" and not teacher.labels:
        raise ModelError("loss", name, "must be square unless the teacher gives labels")
    alpha = number("alpha", alpha, low=0, open_low=True)
    lam = number("regularization", regularization, low=SMALLEST)
    omega, T, weights, rho = covariates.omega, covariates.teacher, covariates.weights, covariates.rho

    def conjugates(V: float, q: float, m: float) -> tuple[float, ...]:
        bend, square, overlap, trained = channel_averages(name, teacher, rho, V, q, m)
        return alpha * bend / V, alpha * square, alpha * overlap, trained

    def primal(V_hat: float, q_hat: float, m_hat: float) -> tuple[float, float, float, float]:
        D = lam + V_hat * omega
        power = q_hat * omega + m_hat**2 * T
        return (
            float(weights @ (omega / D)),
            float(weights @ (power * omega / D**2)),
            float(weights @ (m_hat * T / D)),
            float(weights @ (power / D**2)),
        )

    def unpack(x: np.ndarray) -> tuple[float, float, float]:
        V, q = np.exp(x[:2])
        return float(V), float(q), float(np.tanh(x[2]) * np.sqrt(q * rho))

    def pack(V: float, q: float, m: float) -> np.ndarray:
        R = np.clip(m / np.sqrt(q * rho), -1 + 1e-15, 1 - 1e-15)
        return np.array([np.log(V), np.log(q), np.arctanh(R)])

    def step(x: np.ndarray) -> np.ndarray:
        return pack(*primal(*conjugates(*unpack(x))[:3])[:3])

    first = start or (float(weights @ omega) / lam / (1 + alpha), 0.5 * rho, 0.3 * rho)
    bounds = ([-40.0, -40.0, -17.0], [40.0, 40.0, 17.0])
    try:
        found = fixed_point(step, pack(*first), tol=tol, bounds=bounds, damping=0.7, what="the minimum of the risk")
    except ConvergenceError:
        found = fixed_point(
            step, pack(*first), tol=tol, bounds=bounds, damping=0.5, memory=0, max_iterations=2000,
            what="the minimum of the risk",
        )  # fmt: skip
    V, q, m = unpack(found.x)
    V_hat, q_hat, m_hat, trained = conjugates(V, q, m)
    norm = primal(V_hat, q_hat, m_hat)[3]
    return Minimum(V, q, m, V_hat, q_hat, m_hat, norm, trained, found.residual, found.iterations)
