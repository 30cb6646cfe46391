"""Averages over the spectrum of data: of functions of a sample covariance, many samples of as many dimensions.

Of n samples of covariance S, with eigenvalues s_j, the sample covariance Ŝ has the resolvent, on average over samples,

    (Ŝ − z)⁻¹ = (κ/z)(S − κ)⁻¹,   z = κ(1 + (1/n) Σ_j s_j/(κ − s_j)),

and that of the Gram matrix of the samples has the normalised trace −1/κ. In the plane of κ all of this is rational, so
that spikes are poles, and Cauchy's formula around them gives the average of any function that is analytic there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ConvergenceError

#: Nodes of the first contour, and of the last.
NODES = (64, 2**17)
#: Most nodes on the real axis: enough for poles at a relative distance of 1e-8.
MOST_REAL = 2**20
#: Most nodes, and how far they reach, of the rule for what varies close to an end: to 1e-137 of what is averaged over.
MOST_DENSE, DEPTH = 2**14, 5.3
#: Largest half height of a contour in the plane of ln κ: arguments of κ stay where powers of 1 − ηz decay.
HEIGHT = 1.0
#: Enough for any number of a float.
BISECTIONS = 3000
#: Most complex numbers that are integrated at once.
ROOM = 2**22


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of the covariance of data, and how many samples there are.

    Parameters
    ----------
    eigenvalues : ndarray, shape (D,)
        s_j > 0.
    shares : ndarray, shape (D,)
        How many of each there are, over the number n of samples.

    References
    ----------
    Silverstein & Bai, J. Multivar. Anal. 54, 175 (1995); Marchenko & Pastur, Math. USSR Sb. 1, 457 (1967), of one s;
    Baik, Ben Arous & Péché, Ann. Probab. 33, 1643 (2005), of spikes.
    """

    eigenvalues: np.ndarray
    shares: np.ndarray

    @staticmethod
    def white(ratio: float) -> Spectrum:
        """S = 1 with `ratio` dimensions a sample: the law of Marchenko and Pastur."""
        return Spectrum(np.ones(1), np.full(1, float(ratio)))

    @staticmethod
    def sampled(eigenvalues: np.ndarray, n: float) -> Spectrum:
        """Eigenvalues (D,) once each, and n samples."""
        return Spectrum(np.asarray(eigenvalues, dtype=float), np.full(len(eigenvalues), 1 / n))

    def z(self, kappa: np.ndarray) -> np.ndarray:
        """Where the resolvent has this κ, of any shape."""
        s, c = self.eigenvalues, self.shares
        return kappa * (1 + np.sum(c * s / (kappa[..., None] - s), axis=-1))

    def slope(self, kappa: np.ndarray) -> np.ndarray:
        """dz/dκ."""
        s, c = self.eigenvalues, self.shares
        return 1 - np.sum(c * (s / (kappa[..., None] - s)) ** 2, axis=-1)

    def edges(self) -> tuple[float, float]:
        """κ below and above all of the spectrum but its atom at 0: z(κ) there are its edges."""
        from scipy.optimize import brentq

        unit = float(self.eigenvalues.max())
        s, c = self.eigenvalues / unit, self.shares
        most = np.sqrt(np.sum(c * s**2))

        def edge(end: int, sign: int) -> float:
            # From the eigenvalue on: beside it the distance to it may be lost in rounding.
            def slope(distance: float) -> float:
                return 1 - float(np.sum(c * (s / (s[end] - s + sign * distance)) ** 2))

            # A hair further, where several eigenvalues are the same but for rounding.
            near, far = s[end] * np.sqrt(c[end]), most * (1 + 1e-12)
            # With one eigenvalue both are the edge.
            apart = far - near > 1e-9 * most and slope(near) < 0
            return unit * float(
                s[end] + sign * (brentq(slope, near, far, xtol=1e-300, maxiter=BISECTIONS) if apart else near)
            )

        return edge(int(s.argmin()), -1), edge(int(s.argmax()), 1)

    def kappa(self, z: float) -> float:
        """κ at a real z that is outside of the spectrum, where z → κ is one to one."""
        from scipy.optimize import brentq

        unit, (low, high) = float(self.eigenvalues.max()), self.edges()
        below = z < float(self.z(np.array(low)))
        ends = (min(z, 0.0) - float(self.shares @ self.eigenvalues), low) if below else (high, max(z, high))
        far, near = ends[0] / unit, ends[1] / unit
        return unit * float(
            brentq(lambda k: (float(self.z(np.array(unit * k))) - z) / unit, far, near, xtol=1e-300, rtol=1e-13,
                   maxiter=BISECTIONS)
        )  # fmt: skip

    def average(
        self, integrand: Callable[[np.ndarray, np.ndarray], np.ndarray], low: float, high: float, rtol: float = 1e-10,
        flat: float = 1.0,
    ) -> np.ndarray:  # fmt: skip
        """−(1/2πi)∮ f(z) G(z) dz, which is ⟨f⟩ for G = ⟨1/(λ − z)⟩.

        Around all poles between real `low` and `high`, in the plane of κ: by a circle, or for low > 0 an ellipse in the
        plane of ln κ, on which the trapezoidal rule converges geometrically. The nodes are doubled until that changes
        nothing; what takes too many is averaged by a rule whose nodes are dense next to the real axis.

        Parameters
        ----------
        integrand : callable
            ``integrand(z, kappa)`` is f(z) G for nodes (p,), of shape (…, p), analytic but for poles that are inside.
        low, high : float
            κ where the contour crosses the real axis, outside of `edges`.
        rtol : float
            Largest change, over the mean size of what is integrated, that counts as none.
        flat : float
            Height of the contour, in units of that above: less where functions are large away from the real axis.

        Returns
        -------
        ndarray, shape (…)

        Raises
        ------
        ConvergenceError
            If it still changes with the most nodes.
        """
        for rule, most in ((_evenly, NODES[1]), (_densely, MOST_DENSE)):
            before = self._mean(integrand, low, high, flat, *rule(NODES[0]))[0]
            nodes, change, value = NODES[0], np.inf, before
            while nodes < most:
                nodes *= 2
                value, size = self._mean(integrand, low, high, flat, *rule(nodes))
                change = float(np.max(np.abs(value - before) / np.maximum(size, np.finfo(float).tiny)))
                if change <= rtol:
                    return value
                before = value
        raise ConvergenceError("an average over the spectrum did not converge", residual=change, iterations=nodes,
                               last=value)  # fmt: skip

    def contour(self, low: float, high: float, angle: np.ndarray, flat: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """κ at angles of the contour of `average`, and dκ over i times that of the angle."""
        if low > 0:
            middle, width = 0.5 * np.log(high * low), 0.5 * np.log(high / low)
            height = flat * min(width, HEIGHT)
            kappa = np.exp(middle + width * np.cos(angle) + 1j * height * np.sin(angle))
            return kappa, kappa * (1j * width * np.sin(angle) + height * np.cos(angle))
        x, y = 0.5 * (high - low) * np.cos(angle), 0.5 * (high - low) * np.sin(angle)
        return 0.5 * (high + low) + x + 1j * flat * y, flat * x + 1j * y

    def _mean(
        self, integrand: Callable[[np.ndarray, np.ndarray], np.ndarray], low: float, high: float, flat: float,
        shares: np.ndarray, weights: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        # What is integrated is real on the real axis: the upper half, at `shares` of π, tells all.
        nodes = len(shares)
        total, size = np.zeros(()), np.zeros(())
        for at in np.array_split(np.arange(nodes), -(-nodes * len(self.eigenvalues) // ROOM)):
            kappa, step = self.contour(low, high, shares[at] * np.pi, flat)
            terms = integrand(self.z(kappa), kappa) * (self.slope(kappa) * step * weights[at])
            total, size = total - terms.real.sum(axis=-1), size + np.abs(terms).sum(axis=-1)
        return total / nodes, size / nodes


def white_average(f: Callable[[np.ndarray], np.ndarray], ratio: float, rtol: float = 1e-10) -> np.ndarray:
    """⟨f⟩ over the eigenvalues of XᵀX/n of X (n, D) with entries N(0, 1), for D → ∞ at D/n = `ratio`.

    On the real axis, where nothing cancels, however close to the spectrum f has poles: λ = 1 + γ + 2√γ cos θ, and the
    midpoint rule in θ, which converges geometrically; nodes are doubled until that changes nothing. What takes too many
    is averaged by a rule whose nodes are dense next to the edges.

    Parameters
    ----------
    f : callable
        Of eigenvalues (p,), of shape (…, p).
    ratio : float
        γ; where it is more than 1 a share 1 − 1/γ of the eigenvalues is 0.
    rtol : float
        Largest change, over the mean size of f, that counts as none; what is rounding beside the largest f is none.

    Returns
    -------
    ndarray, shape (…)

    Raises
    ------
    ConvergenceError
        If it still changes with the most nodes.
    """
    root = np.sqrt(ratio)
    atom = f(np.zeros(1))[..., 0] * max(0.0, 1 - 1 / ratio)
    for rule, most in ((_evenly, MOST_REAL), (_densely, MOST_DENSE)):
        nodes, before = NODES[0] // 2, np.inf
        while nodes < most:
            nodes *= 2
            shares, weights = rule(nodes)
            # From the upper edge for even nodes, as they were recorded; from the lower one where its distance counts.
            half = 0.5 * np.pi * shares
            near = np.cos(half) if rule is _evenly else np.sin(half)
            eigenvalues = (1 - root) ** 2 + 4 * root * near**2
            terms = f(eigenvalues) * (weights * 2 * np.sin(2 * half) ** 2 / eigenvalues)
            value, size = terms.mean(axis=-1) + atom, np.abs(terms).mean(axis=-1) + np.abs(atom)
            floor = max(np.finfo(float).eps * size.max(), np.finfo(float).tiny)
            # What is left out beyond the last node is of the order of its term.
            missed = np.abs(value - before) + (rule is _densely) * np.abs(terms[..., -1])
            change = float(np.max(missed / np.maximum(size, floor)))
            if change <= rtol:
                return value
            before = value
    raise ConvergenceError("an average over the spectrum did not converge", residual=change, iterations=nodes,
                           last=value)  # fmt: skip


def _evenly(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of an interval (nodes,) and the weights of a mean over it: the midpoint rule."""
    return (np.arange(nodes) + 0.5) / nodes, np.ones(nodes)


def _densely(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """The same by the double exponential rule of Takahasi & Mori, for what varies on any scale next to an end."""
    u = (2 * np.arange(nodes) + 1 - nodes) / nodes * DEPTH
    shares, rest = 1 / (1 + np.exp(np.pi * np.sinh(u))), 1 / (1 + np.exp(-np.pi * np.sinh(u)))
    return shares, 2 * DEPTH * np.pi * np.cosh(u) * shares * rest
