"""Convex risks on examples that a probe has selected: the saddle point in the plane of probe and teacher.

In the plane an input has coordinates (u, e), u the probe's field, truncated by the selection, and the teacher's field
is z = γu + √(1 − γ²) e; all other directions stay Gaussian and know nothing of the labels. With the student's
components m = (m_u, m_e) in the plane and |w_⊥|²/N = r, ω = m·(u, e) + √r ξ and f = −ℓ'(y, prox_{Vℓ(y,·)}(ω))::

    λ m = α E (u, e) f,     1/V = λ + α E(1 − ∂prox/∂ω)/V,     r = αV² E f²

The largest margin is that of λ = 1 and a loss that is infinite below yh = 1; any λ gives the same direction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.numerics.quadrature import panels
from tsphys.physics.inference.losses import corners, loss, proximal
from tsphys.replica.saddles.margin import fields
from tsphys.solvers.fixed_point import FixedPoint, continuation, crossing, fixed_point

#: Nodes over u times widths of the law of ω in its range, beyond which averages are not taken.
MOST = 1e6


@dataclass(frozen=True)
class Selection:
    """Which examples: all, hard or easy ones, the fraction of them, and the overlap γ of probe and teacher."""

    kind: str
    fraction: float
    gamma: float

    @property
    def across(self) -> float:
        """√(1 − γ²)."""
        return float(np.sqrt((1 - self.gamma) * (1 + self.gamma)))

    def nodes(self, width: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Of averages over u > 0, which is enough by symmetry; integrands may vary at 0 on the scale `width`."""
        step = self.across / max(self.gamma, 1e-3)
        u, w = fields(self.kind, self.fraction, (0.0, max(min(width, step), 1e-9)))
        return u[w > 1e-17], w[w > 1e-17]


@dataclass(frozen=True)
class Plane:
    """The minimiser: V, components (m_u, m_e) along probe and across, |w_⊥|²/N = r, and the mean of ℓ."""

    V: float
    m: tuple[float, float]
    r: float
    train_loss: float

    def overlap(self, gamma: float) -> tuple[float, float]:
        """Cosine and angle of student and teacher."""
        s = np.sqrt((1 - gamma) * (1 + gamma))
        along, across = gamma * self.m[0] + s * self.m[1], s * self.m[0] - gamma * self.m[1]
        angle = np.arctan2(np.hypot(across, np.sqrt(self.r)), along)
        return float(np.cos(angle)), float(angle)

    @property
    def q(self) -> float:
        """|w|²/N."""
        return self.m[0] ** 2 + self.m[1] ** 2 + self.r


def squares(selection: Selection, alpha: float, lam: float) -> Plane:
    """Of the loss ½(y − h)², in closed form up to averages over u."""
    from scipy.special import ndtr

    u, w = selection.nodes()
    b = np.minimum(selection.gamma * u / max(selection.across, 1e-100), 1e3)
    A = np.array([w @ u**2, 1.0])
    c = np.array([w @ (u * (2 * ndtr(b) - 1)), w @ np.exp(-0.5 * np.minimum(b * b, 1500)) * np.sqrt(2 / np.pi)])
    # λV² + (λ + α − 1)V = 1.
    slope = lam + alpha - 1
    root = np.hypot(slope, 2 * np.sqrt(lam))
    V = 2 / (slope + root) if slope > 0 else (root - slope) / (2 * lam)
    m = c / (A + lam * (1 + V) / alpha)
    k = alpha * (V / (1 + V)) ** 2
    left = 1 - 2 * m @ c + m @ (A * m)
    r = k * left / (1 - k)
    return Plane(float(V), (float(m[0]), float(m[1])), float(r), float(0.5 * (left + r) / (1 + V) ** 2))


def averages(name: str, selection: Selection, V: float, m: np.ndarray, r: float) -> np.ndarray:
    """E(1 − ∂prox/∂ω), E f², E u f, E e f and E ℓ; NaN where the law of ω is too narrow for its range."""
    from scipy.special import ndtr

    v = m[1] ** 2 + r
    width, oracle = np.sqrt(v), selection.across == 0
    u, weight = selection.nodes(width / max(abs(m[0]), 1e-290 * width, 1e-300))
    far = abs(m[0]) * u.max() + 8.5 * width
    if not far * u.size < MOST * width:
        return np.full(5, np.nan)
    # Between both the map is smooth on its own scale, and the law of ω on that of its width.
    x, step = panels(-far, far, [(0.0, np.sqrt(r)), *corners(name, V)], most=width, nodes=12)
    t, f, bend = proximal(name, 1.0, x, V)
    plain = [bend, f * f, loss(name, 1.0, t) if name != "max_margin" else np.zeros_like(t)]
    slope, rest = m[1] / v, r / v
    out = np.zeros(5)
    for y in (1.0,) if oracle else (1.0, -1.0):
        off = y * x - m[0] * u[:, None]
        law = weight[:, None] * step * np.exp(-0.5 * np.minimum(off * off / v, 1500)) / (width * np.sqrt(2 * np.pi))
        if oracle:
            Z, pull = law, np.zeros_like(law)
        else:
            s = selection.across
            a = y * (selection.gamma * u[:, None] + s * slope * off) / (s * np.sqrt(rest))
            Z = law * ndtr(a)
            pull = law * np.sqrt(rest / (2 * np.pi)) * np.exp(-0.5 * np.minimum(a * a, 1500))
        total = Z.sum(axis=0)
        out[[0, 1, 4]] += [total @ p for p in plain]
        out[2] += y * ((u @ Z) @ f)
        out[3] += y * ((slope * off * Z).sum(axis=0) @ f) + pull.sum(axis=0) @ f
    return out


def _on_margin(near: Plane, selection: Selection, alpha: float) -> Plane:
    """The direction of a minimiser with the length that has r = α E(1 − yω)₊², and V = 1 − α P(yω < 1) at least 0.1."""

    def scaled(log: float) -> tuple[np.ndarray, float, np.ndarray]:
        size = float(np.exp(log))
        m, r = size * np.array(near.m), size**2 * near.r
        return m, r, averages("max_margin", selection, 1.0, m, r)

    def gap(log: float) -> float:
        _, r, found = scaled(log)
        return float(np.log(alpha * max(found[1], 1e-300) / r))

    m, r, found = scaled(crossing(gap, -20.0, 20.0, "ln |w| of a student that separates the examples"))
    return Plane(max(1 - alpha * float(found[0]), 0.1), (float(m[0]), float(m[1])), r, 0.0)


def _as_hinge(selection: Selection, alpha: float, lam: float) -> Plane:
    """The minimiser of the hinge loss, in the units of the largest margin: their equations agree where none has f = 1.

    Unlike the direction of least squares, it separates the examples of any selection for λ → 0.
    """
    near = minimum("hinge", selection, alpha, lam)
    return replace(near, V=lam * near.V)


def minimum(name: str, selection: Selection, alpha: float, lam: float, tol: float = 1e-9) -> Plane:
    """The minimiser of a convex risk on αN selected examples, N → ∞.

    Parameters
    ----------
    name : {"square", "logistic", "hinge", "max_margin"}
    lam : float
        λ, without meaning for ``max_margin``.

    Raises
    ------
    ConvergenceError
        If the saddle point is not reached.
    """
    if name == "square":
        return squares(selection, alpha, lam)
    if name == "max_margin":
        lam = 1.0
    u, w = selection.nodes()
    second = np.array([float(w @ u**2), 1.0])

    def unpack(x: np.ndarray) -> tuple[float, np.ndarray, float]:
        V, root = np.exp(x[0]), np.exp(x[1])
        return float(V), root * np.sinh(x[2:]), float(root**2)

    def step(x: np.ndarray, log: float) -> np.ndarray:
        with np.errstate(all="ignore"):
            V, m, r = unpack(x)
            bend, square, *along, _ = averages(name, selection, V, m, r)
            stiff = alpha * bend / V
            V, r = 1 / (np.exp(log) + stiff), alpha * square / (np.exp(log) + stiff) ** 2
            m = (alpha * np.array(along) + stiff * second * m) / (np.exp(log) + stiff * second)
            m[1] *= selection.across > 0
            return np.concatenate([[np.log(V), 0.5 * np.log(r)], np.arcsinh(m / np.sqrt(r))])

    bounds = ([-60.0, -60.0, -40.0, -40.0], [60.0, 60.0, 40.0, 40.0])

    def direct(log: float) -> FixedPoint:
        """From the square loss at this λ, or at one at which its weights are of order one; then from the hinge loss."""
        ridges = (0.1, 1.0, 1e-3, 1e-6, 1e-9, 1e-12) if name == "max_margin" else (np.exp(log), np.exp(log) + 1.0)
        for ridge in ridges:
            try:
                if name == "max_margin" and ridge < 0.1:
                    near = _as_hinge(selection, alpha, ridge)
                else:
                    near = squares(selection, alpha, ridge)
                    near = _on_margin(near, selection, alpha) if name == "max_margin" else near
                first = [np.log(near.V), 0.5 * np.log(near.r), *np.arcsinh(np.array(near.m) / np.sqrt(near.r))]
                return fixed_point(
                    lambda x: step(x, log), first, tol=tol, bounds=bounds, damping=0.8, max_iterations=80,
                    what="the minimum of the risk",
                )  # fmt: skip
            except ConvergenceError as error:
                last = error
        raise last

    log = float(np.log(lam))
    try:
        x = direct(log).x
    except ConvergenceError:
        first = direct(max(log, 0.0) + 1.0)
        way = [max(log, 0.0) + 1.0, log]
        x = continuation(step, way, first.x, tol=tol, jump=1.0, bounds=bounds, axis="ln λ", max_iterations=0).x[-1]
    V, m, r = unpack(x)
    found = Plane(V, (float(m[0]), float(m[1])), r, float(averages(name, selection, V, m, r)[4]))
    if not np.isfinite(found.train_loss):
        raise ConvergenceError("the law of the fields at the minimum of the risk is too narrow", last=x)
    return found
