"""Classification of Gaussian inputs into C classes: proximal operators of convex losses, and averages over the fields.

Logits are z = B t with B (C, d), and t ∈ R^d is the field of the student. At the saddle point a training example has
the field t(y, ω) = argmin_t ℓ(y, Bt) + ‖t − ω‖²/(2V), and f = (t − ω)/V.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline, make_interp_spline
from scipy.special import ndtr

from tsphys.errors import ConvergenceError
from tsphys.rules.field_average import gauss, sobol

Array = np.ndarray
#: Nodes of an average over the field, and of one over the teacher's field given the student's.
OUTER = {1: 64, 2: 900, 3: 4096}
INNER = {1: 40, 2: 196, 3: 512}
#: Sobol points beyond three dimensions, of both kinds.
MANY, FEW = 8192, 512
#: Sobol points of averages of functions with jumps.
JUMPS = 2**15
#: Largest change of a logit in a step of Newton's method, and most steps.
STEP, MOST_STEPS = 2.0, 100
#: Numbers in an array of an average over both fields.
CHUNK = 4_000_000


@lru_cache(maxsize=32)
def nodes(d: int, coarse: bool = False, inner: bool = False, jumps: bool = False) -> tuple[Array, Array]:
    """Nodes (n, d) and weights (n,) of an average over d standard normals: Gauss–Hermite up to d = 3, Sobol beyond.

    Parameters
    ----------
    coarse : bool
        The second set, whose difference to the first tells the error.
    inner : bool
        Fewer nodes, for a smooth function within another average.
    jumps : bool
        Nodes for functions with jumps.
    """
    if jumps or d > 3:
        sets = sobol(d, 2 * JUMPS if jumps else FEW if inner else MANY) or ()
        half = len(sets) // 2
        chosen = sets[half:] if coarse else sets[:half]
        z = np.concatenate([s.z for s in chosen])
        # Centred and whitened, so that the first two moments are exact.
        z = z - z.mean(axis=0)
        z = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / len(z))).T
        return z, np.full(len(z), 1.0 / len(z))
    pair = gauss(d, 0, (INNER if inner else OUTER)[d])
    assert pair is not None, "so few fields leave room for four nodes each"
    one = pair[1 if coarse else 0]
    return one.z, one.w


def softmax(z: Array) -> Array:
    """Probabilities of the classes, over the last axis."""
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def log_sum(z: Array) -> Array:
    """ln Σ exp z over the last axis."""
    top = z.max(axis=-1)
    return top + np.log(np.exp(z - top[..., None]).sum(axis=-1))


def losses(loss: str, z: Array, y: Array) -> Array:
    """ℓ for logits z (n, C) and probabilities y (n, C) of the labels."""
    if loss == "square":
        gap = z - (y - 1.0 / z.shape[-1])
        return 0.5 * (np.sum(gap**2, axis=-1) + 1.0 - np.sum(y**2, axis=-1))
    return log_sum(z) - np.sum(y * z, axis=-1)


def proximal(loss: str, B: Array, V: float, y: int, omega: Array) -> tuple[Array, Array]:
    """t(y, ω) and −∇_ω f for fields ω (n, d): shapes (n, d) and (n, d, d).

    Raises
    ------
    ConvergenceError
        If Newton's method does not reach the minimum.
    """
    C, d = B.shape
    label = np.eye(C)[y]
    if loss == "square":
        K = B.T @ B
        inverse = np.linalg.inv(np.eye(d) + V * K)
        t = (omega + V * ((label - 1.0 / C) @ B)) @ inverse
        return t, np.broadcast_to(inverse @ K, (len(omega), d, d))
    t = omega.copy()
    for _ in range(MOST_STEPS):
        p = softmax(t @ B.T)
        slope = (p - label) @ B + (t - omega) / V
        K = np.einsum("ai,na,aj->nij", B, p, B, optimize=True)
        mean = p @ B
        K -= mean[:, :, None] * mean[:, None, :]
        step = np.linalg.solve(K + np.eye(d) / V, slope[..., None])[..., 0]
        size = np.abs(step @ B.T).max(axis=1)
        t = t - step * np.minimum(1.0, STEP / np.maximum(size, STEP))[:, None]
        if size.max() < 1e-11 * max(1.0, float(np.abs(t).max())):
            return t, np.linalg.solve(np.eye(d) + V * K, K)
    raise ConvergenceError("a proximal operator was not found", residual=float(size.max()), iterations=MOST_STEPS)


def teacher(B: Array, mean: Array, variance: float, y: int, coarse: bool = False) -> tuple[Array, Array]:
    """Probabilities of the labels (n, C) and ∇ of that of label y (n, d), for fields of the teacher N(mean, variance).

    The gradient is that with respect to the mean (n, d).
    """
    u, w = nodes(B.shape[1], coarse=coarse, inner=True)
    Z, slope = np.empty((len(mean), len(B))), np.empty(mean.shape)
    rows = max(1, CHUNK // (len(u) * len(B)))
    for low in range(0, len(mean), rows):
        part = slice(low, low + rows)
        p = softmax((mean[part] @ B.T)[:, None, :] + np.sqrt(variance) * (u @ B.T))
        Z[part] = w @ p
        weighted = w * p[..., y]
        slope[part] = weighted.sum(axis=1)[:, None] * B[y] - (weighted[:, None, :] @ p)[:, 0] @ B
    return Z, slope


class Gumbel:
    """σ times a normal number plus one of Gumbel's law: nodes and weights of an average, and distribution and density.

    Sums at equal steps, whose error is of order exp(−π²/step) in units of the narrower scale, 1e-12 at 0.35; splines of
    them, to 1e-12. Beyond their ends both are as there, 0 or 1 to rounding.
    """

    def __init__(self, sigma: float):
        width = np.hypot(1.0, sigma)
        self.low, high = -4.0 - 9.0 * sigma, 38.0 + 9.0 * sigma
        few = np.linspace(self.low, high, int((high - self.low) / (0.025 * width)) + 1)
        z = np.arange(-9.0, 38.0, 0.25)
        if sigma < 1:
            normal = 0.25 * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
            values = np.exp(-np.exp(-np.maximum(few[:, None] - sigma * z, -6.0))) @ normal
        else:
            values = ndtr((few[:, None] - z) / sigma) @ (0.25 * np.exp(-z - np.exp(-np.maximum(z, -6.0))))
        spline = make_interp_spline(few, values, k=5)
        table = np.linspace(self.low, high, 6 * len(few))
        self.step = table[1] - table[0]
        distribution, density = (CubicSpline(table, f(table)).c.T for f in (spline, spline.derivative()))
        self.cubics = np.hstack([distribution, density])
        self.x = np.arange(self.low, high, 0.35 * width)
        self.weights = 0.35 * width * self(self.x)[1]

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Distribution and density."""
        place = np.clip((x - self.low) / self.step, 0.0, len(self.cubics) - 1e-9)
        cell = place.astype(np.int32)
        t, c = (place - cell) * self.step, self.cubics[cell]
        first, second = (((c[..., i] * t + c[..., i + 1]) * t + c[..., i + 2]) * t + c[..., i + 3] for i in (0, 4))
        return np.maximum(first, 1e-300), np.maximum(second, 1e-300)


def teacher_of_equals(B: Array, mean: Array, variance: float, y: int) -> tuple[Array, Array]:
    """As `teacher`, the probability of label y alone (n,), where all labels are equivalent, at any strength.

    The noise of the logits is then that of C independent numbers, less their mean, and softmax is the law of the
    largest of them and of as many numbers of Gumbel's law; which is an integral over one variable.
    """
    noise, others = Gumbel(float(np.sqrt(variance / len(B)))), np.arange(len(B)) != y
    gaps = mean @ (B[y] - B[others]).T
    Z, slope = np.zeros(len(mean)), np.zeros(gaps.shape)
    rows = max(1, CHUNK // (8 * len(noise.x) * len(B)))
    for low in range(0, len(mean), rows):
        part = slice(low, low + rows)
        below, density = noise(noise.x[:, None, None] + gaps[part])
        all_below = noise.weights[:, None] * below.prod(axis=-1)
        Z[part] = all_below.sum(axis=0)
        slope[part] = np.einsum("xn,xnb->nb", all_below, density / below)
    return Z, slope @ (B[y] - B[others])


@dataclass(frozen=True)
class Problem:
    """Learning a classification from inputs whose fields are Gaussian.

    Parameters
    ----------
    loss : {"cross_entropy", "square"}
    B : ndarray, shape (C, d)
        Logits of a field.
    mixture : bool
        The label y is uniform and shifts the field's mean to m B_y; otherwise the field is centred and the label is
        drawn from the teacher's softmax.
    alike : bool
        All labels are equivalent, so that one is enough.
    """

    loss: str
    B: Array
    mixture: bool
    alike: bool

    @property
    def labels(self) -> list[tuple[int, float]]:
        """Labels to average over, and how many each stands for."""
        C = len(self.B)
        return [(0, float(C))] if self.alike else [(y, 1.0) for y in range(C)]

    def fields(self, y: int, q: float, m: float, rho: float, **which: bool) -> tuple[Array, Array, Array]:
        """Fields ω (n, d), their weights times Prob(y | ω), and ∇ of that probability with respect to ω*, (n, d)."""
        xi, w = nodes(self.B.shape[1], **which)
        if self.mixture:
            return m * self.B[y] + np.sqrt(q) * xi, w / len(self.B), np.tile(self.B[y] / len(self.B), (len(w), 1))
        omega = np.sqrt(q) * xi
        # Rounding may take m²/q beyond ρ.
        variance = max(rho - m**2 / q, 0.0)
        if self.alike:
            Z, slope = teacher_of_equals(self.B, m / q * omega, variance, y)
            return omega, w * Z, slope
        Z, slope = teacher(self.B, m / q * omega, variance, y, which.get("coarse", False))
        return omega, w * Z[:, y], slope

    def averages(self, V: float, q: float, m: float, rho: float, coarse: bool = False) -> Array:
        """E(−∇·f), E‖f‖² and E f·∇ ln Z over examples, not divided by d."""
        total = np.zeros(3)
        _, w = nodes(self.B.shape[1], coarse=coarse)
        for y, count in self.labels:
            omega, weight, slope = self.fields(y, q, m, rho, coarse=coarse)
            t, response = proximal(self.loss, self.B, V, y, omega)
            f = (t - omega) / V
            total += count * np.array(
                [weight @ np.trace(response, axis1=1, axis2=2), weight @ np.sum(f**2, axis=1),
                 w @ np.sum(f * slope, axis=1)]
            )  # fmt: skip
        return total

    def envelope(self, V: float, q: float, m: float, rho: float) -> tuple[float, float]:
        """E min_t [ℓ + ‖t − ω‖²/(2V)], and E ℓ at that t, the loss on the training set."""
        least = fitted = 0.0
        for y, count in self.labels:
            omega, weight, _ = self.fields(y, q, m, rho)
            t, _ = proximal(self.loss, self.B, V, y, omega)
            each = losses(self.loss, t @ self.B.T, np.eye(len(self.B))[[y]])
            fitted += count * float(weight @ each)
            least += count * float(weight @ (each + np.sum((t - omega) ** 2, axis=1) / (2 * V)))
        return least, fitted

    def test(self, q: float, m: float, rho: float) -> tuple[float, float]:
        """Loss on fresh examples, and the share whose label has the largest logit."""
        loss = right = 0.0
        for y, count in self.labels:
            omega, weight, _ = self.fields(y, q, m, rho)
            loss += count * float(weight @ losses(self.loss, omega @ self.B.T, np.eye(len(self.B))[[y]]))
            if not self.alike:
                omega, weight, _ = self.fields(y, q, m, rho, jumps=True)
                right += count * float(weight @ ((omega @ self.B.T).argmax(axis=1) == y))
        return loss, self._accuracy(q, m, rho) if self.alike else right

    def _accuracy(self, q: float, m: float, rho: float) -> float:
        """Share of the largest logits that are right, for equivalent labels.

        The noise of the logits is then that of C independent numbers of variance σ² less their mean, and the largest of
        them is label 0 with probability ∫ Dη Π_b Φ(η + gap_b/σ).
        """
        C = len(self.B)
        if self.mixture:
            gaps, weight, variance = np.full((1, C - 1), m / C), np.ones(1), q / C
        else:
            # With little noise the probability is close to a jump.
            xi, weight = nodes(self.B.shape[1], jumps=True)
            z = np.sqrt(rho) * xi @ self.B.T
            weight = C * weight * softmax(z)[:, 0]
            gaps, variance = m / rho * (z[:, :1] - z[:, 1:]), (q - m**2 / rho) / C
        eta, w = np.polynomial.hermite_e.hermegauss(40)
        sigma = np.sqrt(max(variance, 1e-300))
        first = ndtr(eta[:, None] + (gaps / sigma)[:, None, :]).prod(axis=2) @ w / np.sqrt(2 * np.pi)
        return float(weight @ first)

    def least(self, rho: float) -> float:
        """The loss on fresh examples of one who knows the teacher."""
        total = 0.0
        for y, count in self.labels:
            omega, weight, _ = self.fields(y, rho, rho, rho)
            p = softmax(omega @ self.B.T)
            best = p - 1.0 / p.shape[1] if self.loss == "square" else np.log(np.maximum(p, 1e-300))
            total += count * float(weight @ losses(self.loss, best, np.eye(len(self.B))[[y]]))
        return total


def colour_basis(U: Array) -> Any:
    """B (C, d) with z = B t, for one-hot colours that are uniform: B Bᵀ = U Cov(s̃) Uᵀ, Cov = (1 − 11ᵀ/C)/C."""
    C = len(U)
    values, vectors = np.linalg.eigh(U @ (np.eye(C) - 1.0 / C) @ U.T / C)
    kept = values > 1e-12 * values.max()
    return vectors[:, kept] * np.sqrt(values[kept])
