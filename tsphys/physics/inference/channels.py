"""Output channels P(y | z) of generalised linear models, as AMP, state evolution and the free energy need them.

ln Z(y, ω, V) = ln ∫ P(y | ω + √V u) Du and its first two derivatives in ω, g_out and ∂g_out, are sums over pieces on
each of which z is a truncated Gaussian; no piece subtracts numbers that cancel as V → 0, nor leaves the log domain.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, number
from tsphys.physics.inference.mixtures import combine, spread_grid

#: From here on the hazard of the normal law is taken from its series, whose first neglected term is 1e-13.
_TAIL = 50.0
LOG_2PI = float(np.log(2 * np.pi))


def hazard(u: Any) -> tuple[np.ndarray, np.ndarray]:
    """r = φ(u)/Φ(u) and d = r(u + r) ∈ (0, 1); 1 − d is the variance of a standard normal truncated to x > −u."""
    from scipy.special import erfcx

    u = np.asarray(u, dtype=float)
    inner = np.maximum(u, -_TAIL)
    # erfcx overflows beyond, where φ is zero in double precision.
    r = np.sqrt(2 / np.pi) / erfcx(-np.minimum(inner, 37.0) / np.sqrt(2))
    r = np.where(u > 37.0, 0.0, r)
    d = r * (inner + r)
    far = u < -_TAIL
    if far.any():
        a = np.where(far, -u, 1.0)
        i = 1 / (a * a)
        excess = (1 - i * (2 - i * (10 - i * (74 - i * (706 - i * 8162))))) / a
        r = np.where(far, a + excess, r)
        d = np.where(far, 1 - i * (1 - i * (6 - i * (50 - i * (518 - i * 6354)))), d)
    return r, d


@cache
def _legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(n)


def _segment(low: np.ndarray, high: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss–Legendre nodes and weights (n, …) on segments, empty where high ≤ low."""
    x, w = (a.reshape(-1, *(1,) * np.ndim(low)) for a in _legendre(n))
    half = 0.5 * np.maximum(high - low, 0.0)
    return low + half * (1 + x), half * w


class Channel(ABC):
    """What all channels share; each gives `pieces`, `outcomes`, `draw` and `mean`."""

    #: Whether y is one of two labels ±1.
    labels = False

    @property
    def odd(self) -> bool:
        """Whether −y given −z has the law of y given z."""
        return False

    @abstractmethod
    def pieces(self, y: Any, omega: Any, V: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ln of the weight of each piece of Z, and the first two derivatives of that in ω; pieces as first axis."""

    @abstractmethod
    def outcomes(self, omega: np.ndarray, V: Any) -> tuple[np.ndarray, np.ndarray]:
        """Values y (k, …) and weights (k, …) with Σ weight·f(y) = ∫dy Z(y, ω, V) f(y)."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        """Outputs y at z."""

    @abstractmethod
    def mean(self, omega: Any, V: Any) -> np.ndarray:
        """E[y | ω, V], the best guess of a real output."""

    def linear_part(self, rho: float) -> tuple[float, float]:
        """c and variance of the rest in y = cz + rest, z ~ N(0, ρ)."""
        y, weight = self.outcomes(np.zeros(1), rho)
        c = float(np.sum(weight * y * self.moments(y, np.zeros(1), rho)[0]))
        return c, float(np.sum(weight * y * y)) - c**2 * rho

    def log_partition(self, y: Any, omega: Any, V: Any) -> np.ndarray:
        """ln Z(y, ω, V)."""
        return combine(*self.pieces(y, omega, V))[0]

    def moments(self, y: Any, omega: Any, V: Any) -> tuple[np.ndarray, np.ndarray]:
        """g_out = ∂ ln Z/∂ω and ∂g_out/∂ω."""
        return combine(*self.pieces(y, omega, V))[1:]

    def _scale(self, V: float) -> float:
        """On which scale ln Z varies with ω."""
        return np.sqrt(V)

    def average(self, f: Any, V: float, rho: float = 1.0) -> float:
        """E f(y, ω, Z pieces) over ω ~ N(0, ρ − V) and y ~ Z(y, ω, V); f gets what `combine` returns."""
        omega, w = self._fields(V, rho)
        y, weight = self.outcomes(omega, V)
        return float(np.sum(weight * f(*combine(*self.pieces(y, omega, V))) @ w))

    def _fields(self, V: float, rho: float) -> tuple[np.ndarray, np.ndarray]:
        """Nodes ω and weights of the average over N(0, ρ − V)."""
        scale = self._scale(V)
        x, w = spread_grid(np.sqrt(max(rho - V, 0.0)) / scale, 241)
        return scale * x, w

    def information(self, V: float, rho: float = 1.0) -> float:
        """E g_out², by which state evolution has q̂ = α E g_out²; also −2 times the derivative of `free_entropy`."""
        return self.average(lambda log, g, slope: g * g, V, rho)

    def free_entropy(self, V: float, rho: float = 1.0) -> float:
        """E ln Z, minus the entropy of y given ω."""
        return self.average(lambda log, g, slope: log, V, rho)


@dataclass(frozen=True)
class Interval(Channel):
    """Labels: y = +1 where |z'| or z' is beyond an edge, else −1, of z' = z + √Δ ε.

    Parameters
    ----------
    edge : float, optional
        κ of y = sign(|z'| − κ); none: y = sign(z').
    noise : float
        Variance Δ of the noise before the threshold.
    """

    edge: float | None = None
    noise: float = 0.0
    labels = True

    @property
    def odd(self) -> bool:
        """Without an edge."""
        return self.edge is None

    def _scale(self, V: float) -> float:
        return np.sqrt(V + self.noise)

    def _fields(self, V: float, rho: float) -> tuple[np.ndarray, np.ndarray]:
        """With an edge, nodes about κ, and twice the half of everything that Φ(8ω/κ) cuts off smoothly."""
        from scipy.special import ndtr

        if self.edge is None or rho - V < 1e-3 * rho:
            return super()._fields(V, rho)
        scale, width = self._scale(V), np.sqrt(rho - V)
        t = np.linspace(-np.arcsinh((10 * width + self.edge) / scale), np.arcsinh(10 * width / scale), 801)
        omega = self.edge + scale * np.sinh(t)
        density = np.exp(_log_normal(omega, width**2)) * 2 * ndtr(8 * omega / self.edge)
        return omega, density * scale * np.cosh(t) * (t[1] - t[0])

    def pieces(self, y: Any, omega: Any, V: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A half-line for sign; for |z'| two half-lines and the interval between, of which y leaves some."""
        from scipy.special import log_ndtr

        y, omega, V = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (y, omega, V)))
        s = np.sqrt(V + self.noise)
        if self.edge is None:
            u = y * omega / s
            r, d = hazard(u)
            return log_ndtr(u)[None], (y * r / s)[None], (-d / s**2)[None]
        out = y > 0
        up, down = (omega - self.edge) / s, (-omega - self.edge) / s
        (r_up, d_up), (r_down, d_down) = hazard(up), hazard(down)
        log, g, slope = _between(omega / s, self.edge / s)
        none = np.full(np.shape(log), -np.inf)
        logs = np.array([np.where(out, log_ndtr(up), none), np.where(out, log_ndtr(down), none),
                         np.where(out, none, log)])  # fmt: skip
        return logs, np.array([r_up, -r_down, g]) / s, np.array([-d_up, -d_down, slope]) / s**2

    def outcomes(self, omega: np.ndarray, V: Any) -> tuple[np.ndarray, np.ndarray]:
        """The two labels."""
        y = np.stack([np.ones_like(omega), -np.ones_like(omega)])
        return y, np.exp(self.log_partition(y, omega, V))

    def draw(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        """Labels ±1."""
        z = z + np.sqrt(self.noise) * rng.standard_normal(z.shape) if self.noise > 0 else z
        inside = z if self.edge is None else np.abs(z) - self.edge
        return np.where(inside >= 0, 1.0, -1.0)

    def mean(self, omega: Any, V: Any) -> np.ndarray:
        """P(+1) − P(−1)."""
        return np.exp(self.log_partition(1.0, omega, V)) - np.exp(self.log_partition(-1.0, omega, V))


def _between(u: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln P(|x| < k) for x ~ N(u, 1), and its first two derivatives in u.

    Where the far edge is as good as never reached it is the half-line, for which nothing cancels.
    """
    from scipy.special import log_ndtr

    a = np.abs(u)
    near, far = k - a, -k - a
    log_near, log_far = log_ndtr(near), log_ndtr(far)
    (r, d), (r_far, _) = hazard(near), hazard(far)
    with np.errstate(divide="ignore"):
        ratio = np.exp(np.minimum(log_far - log_near, 0.0))
        rest = -np.expm1(np.minimum(log_far - log_near, -1e-300))
    log = log_near + np.log(rest)
    # d/da ln[Φ(k − a) − Φ(−k − a)], each term over Φ(k − a).
    g = (-r + ratio * r_far) / rest
    slope = (-near * r + ratio * far * r_far) / rest - g * g
    alone = ratio * (1 + np.abs(far)) ** 2 < 1e-17
    return log, np.sign(u) * np.where(alone, -r, g), np.where(alone, -d, slope)


@dataclass(frozen=True)
class Kinked(Channel):
    """Real outputs y = φ(z) + √Δ ε, with φ of slope `right` for z > 0 and `left` for z < 0.

    Linear (1, 1), ReLU (1, 0), absolute value (1, −1). Without noise a flat side makes an atom at y = 0, and Z is
    there its probability. Expectations over y are Gauss–Legendre sums cut at and about the kink, good to 1e-8 at any Δ.

    Parameters
    ----------
    right, left : float
        Slopes.
    noise : float
        Variance Δ.
    """

    right: float = 1.0
    left: float = 1.0
    noise: float = 0.0

    @property
    def noises(self) -> tuple[tuple[float, float], ...]:
        """Probabilities and variances of the noise."""
        return ((1.0, self.noise),)

    def pieces(self, y: Any, omega: Any, V: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z > 0 and z < 0."""
        from scipy.special import log_ndtr

        y, omega, V = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (y, omega, V)))
        logs, firsts, seconds = [], [], []
        for side, a in ((1.0, self.right), (-1.0, self.left)):
            total = self.noise + a * a * V
            if self.noise == 0 and a != 0:
                logs.append(np.where(side * y / a >= 0, _log_normal(y / a - omega, V) - np.log(abs(a)), -np.inf))
                if self.right == 0 or self.left == 0:
                    logs[-1] = np.where(y == 0, -np.inf, logs[-1])
                firsts.append((y / a - omega) / V)
                seconds.append(-1.0 / V)
                continue
            if self.noise == 0:
                u = side * omega / np.sqrt(V)
                r, d = hazard(u)
                logs.append(np.where(y == 0, log_ndtr(u), -np.inf))
                firsts.append(side * r / np.sqrt(V))
                seconds.append(-d / V)
                continue
            spread = np.sqrt(V * self.noise / total)
            u = side * (omega + a * V * (y - a * omega) / total) / spread
            r, d = hazard(u)
            logs.append(_log_normal(y - a * omega, total) + log_ndtr(u))
            firsts.append(a * (y - a * omega) / total + side * np.sqrt(self.noise / (V * total)) * r)
            seconds.append(-(a * a + self.noise * d / V) / total)
        return np.array(logs), np.array(firsts), np.array(seconds)

    def outcomes(self, omega: np.ndarray, V: Any, nodes: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Nodes on z without noise, on y with it, cut where z or y changes sign."""
        from scipy.special import ndtr

        omega, V = np.broadcast_arrays(np.asarray(omega, dtype=float), np.asarray(V, dtype=float))
        ys, weights = [], []
        root = np.sqrt(V)
        for side, a in ((1.0, self.right), (-1.0, self.left)):
            if a == 0:
                mass = ndtr(side * omega / root)
                x, w = spread_grid(1.0, 81) if self.noise > 0 else (np.zeros(1), np.ones(1))
                ys.append(np.multiply.outer(np.sqrt(self.noise) * x, np.ones_like(omega)))
                weights.append(np.multiply.outer(w, mass))
            elif self.noise == 0:
                centre = side * omega
                z, w = _segment(np.maximum(0.0, centre - 10 * root), np.maximum(centre + 10 * root, 0.0), nodes)
                ys.append(a * side * z)
                weights.append(w * np.exp(_log_normal(z - centre, V)))
            else:
                total = self.noise + a * a * V
                width, spread, root_noise = np.sqrt(total), np.sqrt(V * self.noise / total), np.sqrt(self.noise)
                centre, sign = abs(a) * side * omega, side * np.sign(a)
                # Beyond its own sign by 10 √Δ this side makes no y; within ±10 √Δ y does not tell the sides apart.
                low, high = np.maximum(centre - 10 * width, -10 * root_noise), np.maximum(centre, 0.0) + 10 * width
                middle = np.clip(10 * root_noise, low, high)
                for ends in ((low, middle), (middle, high)):
                    y, w = _segment(*ends, nodes)
                    y = sign * y
                    inside = ndtr(side * (omega + a * V * (y - a * omega) / total) / spread)
                    ys.append(y)
                    weights.append(w * np.exp(_log_normal(y - a * omega, total)) * inside)
        return np.concatenate(ys), np.concatenate(weights)

    def linear_part(self, rho: float) -> tuple[float, float]:
        """The mean slope, and what is left, without a difference."""
        return 0.5 * (self.right + self.left), 0.25 * (self.right - self.left) ** 2 * rho + self.noise

    def draw(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        """Real outputs."""
        y = np.where(z > 0, self.right, self.left) * z
        return y + np.sqrt(self.noise) * rng.standard_normal(z.shape) if self.noise > 0 else y

    def mean(self, omega: Any, V: Any) -> np.ndarray:
        """E φ(z)."""
        from scipy.special import ndtr

        root = np.sqrt(V)
        u = np.clip(omega / np.where(root > 0, root, 1e-300), -38.0, 38.0)
        bump = root * np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi)
        return self.right * (omega * ndtr(u) + bump) + self.left * (omega * ndtr(-u) - bump)

    def information(self, V: float, rho: float = 1.0) -> float:
        """E g_out²; 1/(Δ + V) for the linear channel."""
        return 1 / (self.noise + V) if self.right == self.left == 1 else super().information(V, rho)

    def free_entropy(self, V: float, rho: float = 1.0) -> float:
        """E ln Z; −½ ln 2πe(Δ + V) for the linear channel."""
        if self.right == self.left == 1:
            return float(-0.5 * (LOG_2PI + 1 + np.log(self.noise + V)))
        return super().free_entropy(V, rho)


@dataclass(frozen=True)
class Contaminated(Kinked):
    """y = z + noise N(0, Δ), but with a probability `outliers` N(0, Δ')."""

    outliers: float = 0.1
    outlier_noise: float = 25.0

    @property
    def noises(self) -> tuple[tuple[float, float], ...]:
        """Probabilities and variances."""
        return (1 - self.outliers, self.noise), (self.outliers, self.outlier_noise)

    def pieces(self, y: Any, omega: Any, V: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One for each kind of noise."""
        y, omega, V = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (y, omega, V)))
        off, known = y - omega, [(p, variance + V) for p, variance in self.noises if p > 0]
        logs = [np.log(p) + _log_normal(off, total) for p, total in known]
        return (
            np.array(logs),
            np.array([off / total for _, total in known]),
            np.array([-1 / total for _, total in known]),
        )

    def outcomes(self, omega: np.ndarray, V: Any, nodes: int = 201) -> tuple[np.ndarray, np.ndarray]:
        """Each kind of noise on a grid that resolves the other."""
        omega, V = np.broadcast_arrays(np.asarray(omega, dtype=float), np.asarray(V, dtype=float))
        least = np.sqrt(min(variance for _, variance in self.noises) + V)
        ys, weights = [], []
        for p, variance in self.noises:
            size = np.sqrt(variance + V)
            t = np.linspace(-1.0, 1.0, nodes).reshape(-1, *(1,) * omega.ndim) * np.arcsinh(10 * size / least)
            x = least * np.sinh(t)
            ys.append(omega + x)
            width = least * np.cosh(t) * np.arcsinh(10 * size / least) * 2 / (nodes - 1)
            weights.append(p * np.exp(_log_normal(x, size**2)) * width)
        return np.concatenate(ys), np.concatenate(weights)

    def linear_part(self, rho: float) -> tuple[float, float]:
        """1, and the variance of the noise."""
        return 1.0, sum(p * variance for p, variance in self.noises)

    def draw(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        """Real outputs."""
        far = rng.random(z.shape) < self.outliers
        return z + np.where(far, np.sqrt(self.outlier_noise), np.sqrt(self.noise)) * rng.standard_normal(z.shape)

    def average(self, f: Any, V: float, rho: float = 1.0) -> float:
        """The same at all ω, of which only y − ω is seen."""
        omega = np.zeros(1)
        y, weight = self.outcomes(omega, V)
        return float(np.sum(weight * f(*combine(*self.pieces(y, omega, V)))))

    def information(self, V: float, rho: float = 1.0) -> float:
        """E g_out²."""
        return Channel.information(self, V, rho)

    def free_entropy(self, V: float, rho: float = 1.0) -> float:
        """E ln Z."""
        return Channel.free_entropy(self, V, rho)


def _log_normal(x: Any, variance: Any) -> np.ndarray:
    return -0.5 * (x * x / variance + np.log(variance) + LOG_2PI)


@dataclass(frozen=True)
class Logistic(Channel):
    """Labels with P(y | z) = 1/(1 + exp(−yz/T)).

    The Gaussian average is a trapezoidal sum of 61 nodes, exact to rounding while √V/T < 8.

    Parameters
    ----------
    T : float
        Temperature of the labels.
    """

    T: float = 1.0
    labels = True

    @property
    def odd(self) -> bool:
        """Always."""
        return True

    def _scale(self, V: float) -> float:
        return np.sqrt(V) + self.T

    def pieces(self, y: Any, omega: Any, V: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A piece for each node."""
        y, omega, V = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (y, omega, V)))
        u = np.linspace(-9.0, 9.0, 61).reshape(-1, *(1,) * y.ndim)
        x = y * (omega + np.sqrt(V) * u) / self.T
        wrong = np.exp(-np.logaddexp(0.0, x))
        log = -np.logaddexp(0.0, -x) - 0.5 * u * u + np.log(0.3) - 0.5 * LOG_2PI
        return log, y * wrong / self.T, -wrong * (1.0 - wrong) / self.T**2

    outcomes = Interval.outcomes
    mean = Interval.mean

    def draw(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        """Labels ±1."""
        return np.where(rng.random(z.shape) * (1.0 + np.exp(-z / self.T)) < 1.0, 1.0, -1.0)


#: Names of the channels.
CHANNELS = ("linear", "sign", "relu", "abs", "logistic", "threshold")


def channel(
    name: str, noise: float = 0.0, edge: float | None = None, outliers: float = 0.0, outlier_noise: float = 25.0
) -> Channel:
    """A channel by name.

    Parameters
    ----------
    name : {"linear", "sign", "relu", "abs", "logistic", "threshold"}
    noise : float
        Variance Δ of the noise: on the output of ``linear``, ``relu`` and ``abs``, before the threshold of ``sign`` and
        ``threshold``; for ``logistic`` it must be 0. Less than 1e-100 is none.
    edge : float
        κ of ``threshold``, y = sign(|z + √Δ ε| − κ).
    outliers, outlier_noise : float
        Share of the outputs of ``linear`` that have another noise, and its variance.

    Raises
    ------
    ModelError
        If there is none of that name, or a number is out of range.
    """
    noise = number("noise", noise, low=0)
    noise = noise if noise >= 1 / EXTREME else 0.0
    if outliers > 0:
        if name != "linear":
            raise ModelError("outliers", outliers, 'must be 0 unless channel = "linear"')
        return Contaminated(1.0, 1.0, noise, outliers, outlier_noise)
    if name in ("linear", "relu", "abs"):
        return Kinked(1.0, {"linear": 1.0, "relu": 0.0, "abs": -1.0}[name], noise)
    if name == "sign":
        return Interval(None, noise)
    if name == "threshold":
        return Interval(number("edge", edge, low=0, open_low=True), noise)
    if name == "logistic":
        if noise != 0:
            raise ModelError("noise", noise, 'must be 0 with channel = "logistic", which is noisy itself')
        return Logistic()
    raise ModelError("channel", name, "must be one of " + ", ".join(CHANNELS))
