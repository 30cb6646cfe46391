"""Empirical risk minimisation on Gaussian covariates: the replica-symmetric saddle point, exact for convex losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import array, number
from tsphys.numerics.quadrature import panels
from tsphys.physics.inference.channels import Channel
from tsphys.physics.inference.losses import check_loss, corners, loss, proximal
from tsphys.physics.inference.mixtures import combine
from tsphys.physics.kernels.eigenframework import effective_ridge, surplus
from tsphys.solvers.fixed_point import FixedPoint, continuation, fixed_point

#: Least and largest regularization λ: V is of order 1/λ where the examples can be fitted, and q of order 1/λ² above.
SMALLEST, LARGEST = 1e-12, 1e100
#: Largest n/p of the hinge loss, on whose margin are examples within V ~ p/n of it: beyond, rounding blurs them.
MOST_HINGED = 1e6

#: How often an example counts, and with which probability.
Counts = tuple[tuple[float, float], ...]
#: Each once.
ONCE: Counts = ((1.0, 1.0),)


class Weights(Protocol):
    """What a minimum asks of the weights: what they are once examples have answered, and their regularization."""

    @property
    def rho(self) -> float: ...
    @property
    def scale(self) -> float: ...
    def primal(self, lam: float, V_hat: float, q_hat: float, m_hat: float) -> tuple[float, float, float]: ...
    def norm(self, lam: float, V_hat: float, q_hat: float, m_hat: float) -> float: ...


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

    @property
    def scale(self) -> float:
        """λV without examples."""
        return float(self.weights @ self.omega)

    def primal(self, lam: float, V_hat: float, q_hat: float, m_hat: float) -> tuple[float, float, float]:
        """V, q − m²/ρ and m."""
        D = lam + V_hat * self.omega
        rest = self.weights @ (q_hat * (self.omega / D) ** 2) + m_hat**2 * self.spread(self.omega / D)
        return float(self.weights @ (self.omega / D)), float(rest), float(self.weights @ (m_hat * self.teacher / D))

    def norm(self, lam: float, V_hat: float, q_hat: float, m_hat: float) -> float:
        """|w|²/p."""
        return float(self.weights @ ((q_hat * self.omega + m_hat**2 * self.teacher) / (lam + V_hat * self.omega) ** 2))

    def spread(self, x: np.ndarray) -> float:
        """⟨Tx²/ω⟩ − ⟨Tx/ω⟩²/ρ for any x along the directions, as a sum of positive terms."""
        share = self.weights * self.teacher / np.where(self.omega > 0, self.omega, np.inf) / self.rho
        mean = share @ x
        return float(self.rho * (share @ (x - mean) ** 2 + mean**2 * max(1 - share.sum(), 0.0)))


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
    rest : float
        q − m²/ρ, what of q has nothing to do with the teacher, with all its digits.
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
    rest: float
    V_hat: float
    q_hat: float
    m_hat: float
    norm: float
    train_loss: float
    residual: float
    iterations: int


def channel_averages(
    name: str, teacher: Channel, rho: float, V: float, q: float, u: float, counts: Counts = ONCE
) -> tuple[float, float, float, float]:
    """E(1 − ∂t/∂ω), E f², E f g* and E ℓ(y, t) over ω ~ N(0, q) and the teacher's y given ω; f = (t − ω)/V.

    An example that counts p times has the loss pℓ. g* is the teacher's own g_out at its mean √ρ R ω/√q and variance
    ρ(1 − R²), R = m/√(ρq) = tanh u.
    """
    root, slope, rest = np.sqrt(q), np.sqrt(rho) * np.tanh(u), rho / np.cosh(u) ** 2
    step = (0.0, np.sqrt(rest) / max(abs(slope), 1e-300))
    out = np.zeros(4)
    # Of an odd teacher both labels have the same averages.
    for label in (1.0,) if teacher.odd else (1.0, -1.0):
        bends = [corner for p, _ in counts if p > 0 for corner in corners(name, p * V)]
        z, w = panels(-10.0, 10.0, [step, *((label * c / root, size / root) for c, size in bends)])
        y = np.full(z.shape, label)
        log, g, _ = combine(*teacher.pieces(y, slope * z, rest))
        Z = w * np.exp(log - 0.5 * z * z) / np.sqrt(2 * np.pi)
        for p, share in counts:
            if p > 0:
                t, f, bend = proximal(name, y, root * z, p * V)
                out += share * np.array([Z @ bend, p * p * Z @ (f * f), p * Z @ (f * g), p * Z @ loss(name, y, t)])
    a, b, c, d = (2 * out if teacher.odd else out).tolist()
    return a, b, c, d


def minimum(
    name: str,
    teacher: Channel,
    weights: Weights,
    alpha: float,
    regularization: float,
    *,
    start: tuple[float, float, float] | None = None,
    tol: float = 1e-12,
    counts: Counts = ONCE,
) -> Minimum:
    """Minimiser of Σ ℓ(y, w·v/√p) + (λ/2)|w|² over n = αp examples, p → ∞ (Loureiro et al., NeurIPS 2021).

    The risk is convex and its saddle point unique. It is solved for ln V, ln q and artanh R: directly, and where that
    fails, at small λ and many examples, by continuation from a larger λ at which it does not.

    Parameters
    ----------
    name : {"square", "logistic", "hinge"}
        The loss.
    teacher : Channel
        Law of y given the teacher's field; of labels ±1, but for ``square``.
    weights : Covariates, or others whose regularization is more than that
    alpha : float
        n/p, from 1e-100 to 1e100, and to 1e6 for ``hinge``.
    regularization : float
        λ from 1e-12, below which rounding decides, to 1e100.
    start : (V, q, m), optional
        First iterate, as from a neighbouring point.
    tol : float
        Largest relative residual.
    counts : pairs (p, probability)
        How often examples count.

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
    alpha = number("alpha", alpha, low=1 / LARGEST, high=MOST_HINGED if name == "hinge" else LARGEST)
    lam = number("regularization", regularization, low=SMALLEST, high=LARGEST)
    if name == "square" and isinstance(weights, Covariates) and counts == ONCE:
        return ridge_regression(teacher, weights, alpha, lam)
    rho, scale, log = weights.rho, weights.scale, float(np.log(lam))
    bounds = ([-700.0, -700.0, -350.0], [700.0, 700.0, 350.0])

    def conjugates(x: np.ndarray) -> tuple[float, float, float, float]:
        V, q = np.exp(x[:2])
        bend, square, overlap, trained = channel_averages(name, teacher, rho, float(V), float(q), float(x[2]), counts)
        return alpha * bend / V, alpha * square, alpha * overlap, trained

    def pack(V: float, rest: float, m: float) -> np.ndarray:
        return np.array([np.log(V), np.log(rest + m * m / rho), np.arcsinh(m / np.sqrt(rho * rest))])

    def step(x: np.ndarray, log: float) -> np.ndarray:
        # An iterate far off may leave the range of numbers, which its residual tells.
        with np.errstate(all="ignore"):
            return pack(*weights.primal(np.exp(log), *conjugates(x)[:3]))

    def direct(log: float) -> FixedPoint:
        """From what is given, from few examples' minimum, and from close to that of the largest margin."""
        V, across = scale / np.exp(log), 2.5 / (alpha**2 + 2.5)
        guesses = [
            pack(V / (1 + alpha), 0.41 * rho, 0.3 * rho),
            pack(0.3 * V, rho * (1 + alpha**2) * across, rho * np.sqrt((1 + alpha**2) * (1 - across))),
        ]
        for first in guesses if start is None else [pack(start[0], start[1] - start[2] ** 2 / rho, start[2]), *guesses]:
            try:
                return fixed_point(
                    lambda x: step(x, log), first, tol=tol, bounds=bounds, damping=0.7, max_iterations=40,
                    what="the minimum of the risk",
                )  # fmt: skip
            except ConvergenceError as error:
                last = error
        raise last

    def descended() -> FixedPoint:
        high, first = max(log, np.log(scale) - 12), None
        while first is None:
            high += np.log(100)
            try:
                first = direct(high)
            except ConvergenceError:
                if high > np.log(LARGEST):
                    raise
        path = continuation(step, [high, log], first.x, tol=tol, jump=1.0, bounds=bounds, axis="ln λ", max_iterations=0)
        return FixedPoint(path.x[-1], float(path.residual[-1]), path.iterations)

    try:
        point = direct(log)
    except ConvergenceError:
        point = descended()
    V_hat, q_hat, m_hat, trained = conjugates(point.x)
    V, rest, m = weights.primal(lam, V_hat, q_hat, m_hat)
    norm = weights.norm(lam, V_hat, q_hat, m_hat)
    return Minimum(V, rest + m * m / rho, m, rest, V_hat, q_hat, m_hat, norm, trained, point.residual, point.iterations)


def ridge_regression(teacher: Channel, covariates: Covariates, alpha: float, lam: float) -> Minimum:
    """`minimum` of the square loss on y = cν + noise: one unknown g = λ/V̂, and sums of positive terms."""
    omega, T, weights, rho = covariates.omega, covariates.teacher, covariates.weights, covariates.rho
    c, noise = teacher.linear_part(rho)

    def parts(g: float) -> tuple[float, float]:
        return float(weights @ (omega / (omega + g))), float(weights @ (g / (omega + g)))

    g = effective_ridge(parts, alpha, lam, float(weights @ omega))
    learned, missed = omega / (omega + g), g / (omega + g)
    m = c * float(weights @ (T / (omega + g)))
    bias = c**2 * covariates.spread(learned)
    second = float(weights @ learned**2)
    left = surplus(alpha, second, float(weights @ (missed * (1 + learned))))
    # What is expected of a fresh label, (y − h)².
    error = alpha * (noise + (c * rho - m) ** 2 / rho + bias) / left
    V_hat = lam / g
    rest = bias + second * error / alpha
    V = float(weights @ learned) / V_hat
    norm = float(weights @ ((error / alpha * omega + c**2 * T) / (omega + g) ** 2))
    trained = 0.5 * error * (V_hat / alpha) ** 2
    return Minimum(V, rest + m * m / rho, m, rest, V_hat, V_hat**2 * error / alpha, c * V_hat, norm, trained, 0.0, 0)
