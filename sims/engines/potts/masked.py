"""Masked language modelling by one layer: logits, losses and gradients for all sites of all sequences at once.

Parameters are w = √(N − 1)·A, of order one, with the N − 1 sites that a site looks at; sequences (n, N) and the colours
to fill in, (n, N), are int8. A learner turns sequences into `features` once, its parameters and features into logits z
(n, C, N), and the gradient of a loss with respect to z into that with respect to the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

Array = np.ndarray
#: x = to(y), and back(∂E/∂x) = ∂E/∂y.
Coordinates = tuple[Callable[[Array], Array], Callable[[Array], Array]]


def one_hot(colours: Array, C: int) -> Array:
    """Centred one-hot colours s̃ (n, C, N) of sequences (n, N)."""
    return np.moveaxis(np.eye(C)[colours], -1, 1) - 1.0 / C


def losses(loss: str, z: Array, y: Array) -> tuple[Array, Array]:
    """ℓ(y, z) of each masked site (n, N), and its gradient with respect to z (n, C, N).

    Parameters
    ----------
    loss : {"cross_entropy", "square"}
    z : ndarray, shape (n, C, N)
        Logits.
    y : ndarray, shape (n, C, N)
        Probabilities of the colours, one-hot if they are known.
    """
    if loss == "square":
        gap = z - (y - 1.0 / z.shape[1])
        # ½ Σ_a y_a ‖e_a − 1/C − z‖², where y need not be one-hot.
        return 0.5 * (np.sum(gap * gap, axis=1) + 1.0 - np.sum(y * y, axis=1)), gap
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    return np.log(total[:, 0]) - np.sum(y * z, axis=1), p - y


@dataclass(frozen=True)
class Positions:
    """The attention w (N, N) with known values U; z_i = Σ_j w_ij U s̃_j/√(N − 1)."""

    U: Array
    gauge: ClassVar[None] = None

    def size(self, N: int) -> int:
        """Number of parameters."""
        return N * N

    def start(self, N: int, rng: np.random.Generator) -> Array:
        """No attention to anything."""
        return np.zeros(N * N)

    def rates(self, N: int) -> Any:
        """Rates of gradient descent relative to that of w."""
        return 1.0

    def features(self, colours: Array) -> Array:
        """U s̃ for each site (n, C, N)."""
        return np.moveaxis(self.U[colours], -1, 1) / np.sqrt(colours.shape[1] - 1)

    def logits(self, x: Array, X: Array) -> Array:
        """z (n, C, N)."""
        N = X.shape[-1]
        return X @ x.reshape(N, N).T

    def pull(self, x: Array, X: Array, delta: Array) -> Array:
        """The gradient of Σ δ·z, without that of the diagonal."""
        N = X.shape[-1]
        out = delta.reshape(-1, N).T @ X.reshape(-1, N)
        np.fill_diagonal(out, 0.0)
        return out.ravel()

    def norm(self, x: Array) -> tuple[float, Array]:
        """½ Σ_i ‖w_i‖² and its gradient."""
        return 0.5 * float(x @ x), x

    def couplings(self, x: Array, N: int) -> Array:
        """⟨W_ij, U⟩/‖U‖² (N, N) of the logits z_i = Σ_j W_ij s̃_j: what stands for J."""
        return x.reshape(N, N) / np.sqrt(N - 1)

    def tensor(self, x: Array, N: int) -> Array:
        """W_ij (N, N, C, C)."""
        return np.einsum("ij,ab->ijab", self.couplings(x, N), self.U)

    def coordinates(self, X: Array, ridge: float, weights: Array | None) -> Coordinates | None:
        """Its own."""
        return None


@dataclass(frozen=True)
class Factored:
    """The attention w (N, N) and the values V (C, C), z_i = Σ_j w_ij ΠVΠ s̃_j/√(N − 1).

    The ridge is that of the product.
    """

    U: Array

    def size(self, N: int) -> int:
        """Number of parameters."""
        return N * N + self.U.size

    def start(self, N: int, rng: np.random.Generator) -> Array:
        """Small random attention, since a product of zeros has no gradient, and random values of the size of U."""
        w = 0.1 * rng.standard_normal((N, N))
        np.fill_diagonal(w, 0.0)
        V = rng.standard_normal(self.U.shape)
        return np.concatenate([w.ravel(), (V * np.linalg.norm(self.U) / np.linalg.norm(V)).ravel()])

    def rates(self, N: int) -> Any:
        """Rates of gradient descent relative to that of w: the gradient of V is a sum over N sites."""
        return np.concatenate([np.ones(N * N), np.full(self.U.size, 1.0 / N)])

    def split(self, x: Array) -> tuple[Array, Array]:
        """w and the zero-sum part of V."""
        C = len(self.U)
        N = round(np.sqrt(x.size - C * C))
        V = x[N * N :].reshape(C, C)
        V = V - V.mean(axis=0)
        return x[: N * N].reshape(N, N), V - V.mean(axis=1, keepdims=True)

    def features(self, colours: Array) -> Array:
        """s̃ (n, C, N)."""
        return one_hot(colours, len(self.U)) / np.sqrt(colours.shape[1] - 1)

    def logits(self, x: Array, S: Array) -> Array:
        """z (n, C, N)."""
        w, V = self.split(x)
        return np.matmul(V, S) @ w.T

    def pull(self, x: Array, S: Array, delta: Array) -> Array:
        """The gradient of Σ δ·z."""
        w, V = self.split(x)
        N = len(w)
        dw = delta.reshape(-1, N).T @ np.matmul(V, S).reshape(-1, N)
        np.fill_diagonal(dw, 0.0)
        dV = np.einsum("nai,nbi->ab", delta, S @ w.T, optimize=True)
        return np.concatenate([dw.ravel(), self._zero_sum(dV).ravel()])

    @staticmethod
    def _zero_sum(V: Array) -> Array:
        V = V - V.mean(axis=0)
        return V - V.mean(axis=1, keepdims=True)

    def norm(self, x: Array) -> tuple[float, Array]:
        """½ ‖w‖²‖V‖²/‖U‖² and its gradient."""
        w, V = self.split(x)
        u = np.sum(self.U**2)
        a, b = np.sum(w * w), np.sum(V * V) / u
        return 0.5 * float(a * b), np.concatenate([(b * w).ravel(), (a / u * V).ravel()])

    def gauge(self, x: Array) -> tuple[float, Array]:
        """½ (‖V‖²/‖U‖² − 1)² and its gradient: (w, V) → (kw, V/k) changes nothing else, and k may run away."""
        _, V = self.split(x)
        u = np.sum(self.U**2)
        gap = np.sum(V * V) / u - 1.0
        out = np.zeros_like(x)
        out[x.size - V.size :] = (2.0 * gap / u * V).ravel()
        return 0.5 * float(gap**2), out

    def couplings(self, x: Array, N: int) -> Array:
        """⟨W_ij, U⟩/‖U‖² (N, N)."""
        w, V = self.split(x)
        return w * (np.sum(V * self.U) / np.sum(self.U**2) / np.sqrt(N - 1))

    def tensor(self, x: Array, N: int) -> Array:
        """W_ij (N, N, C, C)."""
        w, V = self.split(x)
        return np.einsum("ij,ab->ijab", w, V / np.sqrt(N - 1))

    def coordinates(self, X: Array, ridge: float, weights: Array | None) -> Coordinates | None:
        """Its own."""
        return None


@dataclass(frozen=True)
class Tensor:
    """A matrix T_ij (d, d), d = C − 1, in an orthonormal basis E (C, d) of the zero-sum space, for each pair of sites.

    z_i = Σ_j E T_ij Eᵀ s̃_j/√(N − 1); the ridge ½‖T‖² is in units of ‖U‖², as everywhere.
    """

    U: Array
    gauge: ClassVar[None] = None

    @property
    def basis(self) -> Array:
        """E (C, d), by Helmert."""
        return helmert(len(self.U))

    def size(self, N: int) -> int:
        """Number of parameters."""
        return (N * (len(self.U) - 1)) ** 2

    def start(self, N: int, rng: np.random.Generator) -> Array:
        """Zero."""
        return np.zeros(self.size(N))

    def rates(self, N: int) -> Any:
        """Rates of gradient descent relative to that of w."""
        return 1.0

    def features(self, colours: Array) -> Array:
        """Eᵀ s̃ for each site, (n, N·d), sites first."""
        n, N = colours.shape
        return self.basis[colours].reshape(n, N * (len(self.U) - 1)) / np.sqrt(N - 1)

    def logits(self, x: Array, G: Array) -> Array:
        """z (n, C, N)."""
        d = len(self.U) - 1
        t = G @ x.reshape(G.shape[1], -1).T
        return np.moveaxis(t.reshape(len(G), -1, d) @ self.basis.T, 2, 1)

    def pull(self, x: Array, G: Array, delta: Array) -> Array:
        """The gradient of Σ δ·z."""
        d = len(self.U) - 1
        n, _, N = delta.shape
        back = (np.moveaxis(delta, 1, 2) @ self.basis).reshape(n, -1)
        out = (back.T @ G).reshape(N, d, N, d)
        out[np.arange(N), :, np.arange(N), :] = 0.0
        return out.ravel()

    def norm(self, x: Array) -> tuple[float, Array]:
        """½ ‖T‖²/‖U‖² and its gradient."""
        u = np.sum(self.U**2)
        return 0.5 * float(x @ x) / u, x / u

    def couplings(self, x: Array, N: int) -> Array:
        """⟨W_ij, U⟩/‖U‖² (N, N)."""
        E, d = self.basis, len(self.U) - 1
        T = x.reshape(N, d, N, d)
        return np.einsum("ikjl,kl->ij", T, E.T @ self.U @ E) / (np.sum(self.U**2) * np.sqrt(N - 1))

    def tensor(self, x: Array, N: int) -> Array:
        """W_ij (N, N, C, C)."""
        E, d = self.basis, len(self.U) - 1
        T = x.reshape(N, d, N, d).transpose(0, 2, 1, 3) / np.sqrt(N - 1)
        return E @ T @ E.T

    def coordinates(self, X: Array, ridge: float, weights: Array | None, fields: bool = False) -> Coordinates:
        """In which the curvature is about the same in all directions, so that few steps lead to the minimum.

        That of a site is at most the covariance of the features G, with a column of ones for fields, over C, and the
        ridge; its inverse root is common to all sites, whose couplings to themselves are left out before and after.
        """
        C, d, size = len(self.U), len(self.U) - 1, X.shape[1]
        G = np.hstack([X, np.ones((len(X), 1))]) if fields else X
        A = (G.T if weights is None else G.T * weights) @ G / C
        A[np.diag_indices_from(A)] += ridge / np.sum(self.U**2)
        values, V = np.linalg.eigh(A)
        B = (V / np.sqrt(np.maximum(values, 1e-8 * values[-1]))) @ V.T

        def matrix(x: Array) -> Array:
            """Rows of couplings, and of fields at their end, without those of a site to itself."""
            blocks = x[: size * size].reshape(size // d, d, size // d, d).copy()
            blocks[np.arange(size // d), :, np.arange(size // d), :] = 0.0
            out = blocks.reshape(size, size)
            return np.hstack([out, x[size * size :].reshape(size, 1)]) if fields else out

        def flat(rows: Array) -> Array:
            return np.concatenate([rows[:, :size].ravel(), rows[:, size:].ravel()])

        def to(y: Array) -> Array:
            return flat(matrix(flat(y.reshape(size, -1) @ B)))

        def back(slope: Array) -> Array:
            return (matrix(slope) @ B).ravel()

        return to, back

    def parameters(self, W: Array) -> Array:
        """Those of which the matrices are W (N, N, C, C), whose sums over either colour vanish."""
        E = self.basis
        return (E.T @ W @ E).transpose(0, 2, 1, 3).ravel() * np.sqrt(len(W) - 1)


@dataclass(frozen=True)
class Biased:
    """One of these, and fields h_i = E f_i of N sites that are added to the logits; f (N, C − 1) comes last."""

    inner: Any
    N: int

    @property
    def basis(self) -> Array:
        """E (C, C − 1)."""
        return helmert(len(self.inner.U))

    @property
    def gauge(self) -> Any:
        """That of the one without fields."""
        inner = self.inner.gauge
        if inner is None:
            return None

        def padded(x: Array) -> tuple[float, Array]:
            rest, f = self.split(x)
            value, slope = inner(rest)
            return value, np.concatenate([slope, 0.0 * f])

        return padded

    def split(self, x: Array) -> tuple[Array, Array]:
        """The parameters without fields, and f (N·(C − 1),)."""
        size = self.inner.size(self.N)
        return x[:size], x[size:]

    def fields(self, x: Array) -> Array:
        """h (N, C)."""
        return self.split(x)[1].reshape(self.N, -1) @ self.basis.T

    def parameters(self, rest: Array, h: Array) -> Array:
        """Those with the fields h (N, C)."""
        return np.concatenate([rest, (h @ self.basis).ravel()])

    def size(self, N: int) -> int:
        """Number of parameters."""
        return self.inner.size(N) + N * (len(self.inner.U) - 1)

    def start(self, N: int, rng: np.random.Generator) -> Array:
        """No fields."""
        return self.parameters(self.inner.start(N, rng), np.zeros((N, len(self.inner.U))))

    def rates(self, N: int) -> Any:
        """Rates of gradient descent relative to that of w."""
        rates = np.ones(self.size(N))
        rates[: self.inner.size(N)] *= self.inner.rates(N)
        return rates

    def features(self, colours: Array) -> Array:
        """Those without fields."""
        return self.inner.features(colours)

    def logits(self, x: Array, X: Array) -> Array:
        """z (n, C, N)."""
        return self.inner.logits(self.split(x)[0], X) + self.fields(x).T

    def pull(self, x: Array, X: Array, delta: Array) -> Array:
        """The gradient of Σ δ·z."""
        return self.parameters(self.inner.pull(self.split(x)[0], X, delta), delta.sum(axis=0).T)

    def coordinates(self, X: Array, ridge: float, weights: Array | None) -> Coordinates | None:
        """Those of matrices with their fields."""
        if not isinstance(self.inner, Tensor):
            return None
        return self.inner.coordinates(X, ridge, weights, fields=True)

    def norm(self, x: Array) -> tuple[float, Array]:
        """That without fields, and ½ Σ_i ‖h_i‖²/‖U‖²; and the gradient."""
        rest, f = self.split(x)
        u = float(np.sum(self.inner.U**2))
        value, slope = self.inner.norm(rest)
        return value + 0.5 * float(f @ f) / u, np.concatenate([slope, f / u])


LEARNERS: dict[str, Any] = {"positions": Positions, "factored": Factored, "tensor": Tensor}


def helmert(C: int) -> Array:
    """An orthonormal basis (C, C − 1) of the vectors whose components sum to zero."""
    E = np.zeros((C, C - 1))
    for k in range(1, C):
        E[:k, k - 1], E[k, k - 1] = 1.0, -k
        E[:, k - 1] /= np.sqrt(k * (k + 1.0))
    return E


def objective(learner: Any, loss: str, ridge: float, X: Array, y: Array, weights: Array | None = None) -> Any:
    """E(x) = Σ_{μ,i} g_μ ℓ + λ·norm and its gradient, as a function of x, for features X and one-hot targets y.

    The weights g (n,) of the sequences are one by default.

    A `gauge` is held at a value that changes no logit, by a penalty that vanishes at the minimum.
    """
    gauge = learner.gauge
    count = y.shape[0] * y.shape[2]

    def value(x: Array) -> tuple[float, Array]:
        each, delta = losses(loss, learner.logits(x, X), y)
        if weights is not None:
            each *= weights[:, None]
            delta *= weights[:, None, None]
        size, slope = learner.norm(x)
        total, slope = float(each.sum()) + ridge * size, learner.pull(x, X, delta) + ridge * slope
        if gauge is not None:
            fixed, push = gauge(x)
            total, slope = total + count * fixed, slope + count * push
        return total, slope

    return value
