"""The first order in 1/N of a theory: how far the mean of runs of size N lies off, and how much they fluctuate."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from tsphys.errors import ModelError


@dataclasses.dataclass(frozen=True)
class FirstOrder:
    """Mean y + m/N and covariance C/N of all P entries of the observables `names`, in turn, over the axis of a theory.

    Parameters
    ----------
    names : (n,) ndarray of str
    sizes : (n,) ndarray of int
        Entries of each observable.
    bias, speed, var2, doubt : (axis, P) ndarray
        m; dy/dt; V, which adds V/N² to a variance; and the estimated error of the diagonal of C.
    cov : (axis, P, P) ndarray
        C.
    all_t, all_bias, all_var, all_var2 : (p,), (p, P), (p, P), (p, P) ndarray
        m, the diagonal of C, and V at many times up to the last.
    before : (axis, P, P) ndarray
        C of each time with that before; NaN where it is not known, empty in files from before it was.
    """

    names: np.ndarray
    sizes: np.ndarray
    bias: np.ndarray
    speed: np.ndarray
    var2: np.ndarray
    doubt: np.ndarray
    cov: np.ndarray
    all_t: np.ndarray
    all_bias: np.ndarray
    all_var: np.ndarray
    all_var2: np.ndarray
    before: np.ndarray = dataclasses.field(default_factory=lambda: np.empty((0, 0, 0)))

    def arrays(self) -> dict[str, np.ndarray]:
        """All fields by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def check(self, data: Mapping[str, np.ndarray], length: int) -> None:
        """Raise a ValueError unless these are arrays of observables with an axis of this length."""
        a, names = self.arrays(), self.names
        if names.ndim != 1 or names.dtype.kind != "U" or self.sizes.shape != names.shape or not {*names} <= {*data}:
            raise ValueError("a first order in 1/N must be one of observables")
        P, p = int(self.sizes.sum()), len(np.atleast_1d(self.all_t))
        own = dict.fromkeys(("bias", "speed", "var2", "doubt"), (length, P))
        more = dict.fromkeys(("all_bias", "all_var", "all_var2"), (p, P))
        shapes = {**own, **more, "cov": (length, P, P), "all_t": (p,)}
        if self.before.size:
            shapes["before"] = (length, P, P)
        if [int(np.prod(data[k].shape[1:])) for k in names] != self.sizes.tolist():
            raise ValueError("a first order in 1/N must have the sizes of its observables")
        if {values.dtype.kind for values in (*(data[k] for k in names), *(a[k] for k in shapes))} != {"f"}:
            raise ValueError("a first order in 1/N must be real numbers, of real numbers")
        if any(a[k].shape != shape for k, shape in shapes.items()):
            raise ValueError("a first order in 1/N must have numbers of the shapes of its observables")

    def at(self, places: np.ndarray) -> FirstOrder:
        """What is known at these places of the axis, in their order."""
        own = {k: getattr(self, k)[places] for k in ("bias", "speed", "var2", "doubt", "cov")}
        before = self.before[places] if self.before.size else self.before
        for i, (a, b) in enumerate(pairwise(places), start=1):
            for k in range(b - 1, a, -1) if self.before.size else ():
                before[i] = before[i] @ self._back(k) @ self.before[k]
        return dataclasses.replace(self, **own, before=before)

    def _back(self, place: int) -> np.ndarray:
        """The inverse of C, from covariances with what is observed there to coefficients of it."""
        return np.linalg.pinv(self.cov[place], rcond=1e-9, hermitian=True)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def columns(self, name: str) -> slice:
        """Where the entries of an observable stand."""
        if name not in self:
            raise ModelError("observable", name, "has a first order in 1/N only among " + ", ".join(self.names))
        i = int(np.flatnonzero(self.names == name)[0])
        begin = int(self.sizes[:i].sum())
        return slice(begin, begin + int(self.sizes[i]))

    def shift(self, name: str, t: np.ndarray, N: float) -> np.ndarray:
        """What a simulation of size N shows at t, at its step round(tN), minus the theory for N → ∞, on average."""
        at, later = self.columns(name), np.rint(t * N) / N - t
        return self.bias[:, at] / N + self.speed[:, at] * later[:, None]

    def variance(self, name: str, N: float) -> np.ndarray:
        """C/N + V/N²."""
        at = self.columns(name)
        return np.diagonal(self.cov, axis1=1, axis2=2)[:, at] / N + self.var2[:, at] / N**2

    def shown(self, name: str, t: np.ndarray, N: float) -> np.ndarray:
        """The variance of what a simulation of size N shows at t, at its step round(tN)."""
        at, steps, many = self.columns(name), np.rint(t * N) / N, self.all_var / N + self.all_var2 / N**2
        now = self.variance(name, N)
        if len(self.all_t) < 2 or (steps == t).all():
            return now
        return np.maximum(now + self._along(many[:, at], steps) - self._along(many[:, at], t), 0.0)

    def _along(self, values: np.ndarray, t: np.ndarray) -> np.ndarray:
        """What is known at all times (p, …) at others, on straight lines, the last of which goes on."""
        i = np.clip(np.searchsorted(self.all_t, t), 1, len(self.all_t) - 1)
        part = (t - self.all_t[i - 1]) / (self.all_t[i] - self.all_t[i - 1])
        return values[i - 1] + part[:, None] * (values[i] - values[i - 1])

    def correlations(self, at: np.ndarray) -> np.ndarray | None:
        """Correlations (len(at)·P, len(at)·P) of all entries at these places of the axis; None if they are not known.

        The observables are all that the future depends on: what is known of a time follows from that before.
        """
        if not self.before.size or not np.isfinite(self.before).all():
            return None
        P = self.cov.shape[1]
        out, row = np.zeros((len(at), P, len(at), P)), np.zeros((0, P, P))
        for i in range(int(at[-1]) + 1):
            # From the covariances of the time before with all chosen times to those of this one.
            if i:
                row = self.before[i] @ self._back(i - 1) @ row
            k = np.flatnonzero(at == i)
            if len(k):
                out[k[0], :, : k[0]] = row.transpose(1, 0, 2)
                row = np.concatenate([row, self.cov[i][None]])
                out[k[0], :, k[0]] = self.cov[i]
        C = out.reshape(len(at) * P, -1)
        C = np.tril(C) + np.tril(C, -1).T
        scale = np.sqrt(np.diag(C))
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        return C * inverse[:, None] * inverse

    def beta(self, t: np.ndarray, N: float) -> np.ndarray:
        """Largest bias of all observables at any time until t, in standard deviations of a run of size N."""
        spread = np.sqrt(N * self.all_var + self.all_var2)
        ratio = np.divide(np.abs(self.all_bias), spread, out=np.zeros_like(spread), where=spread > 0)
        return np.maximum.accumulate(ratio.max(axis=1))[np.searchsorted(self.all_t, t)]
