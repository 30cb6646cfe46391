"""Nets that descend, each with what it learns from: two layers on data, linear ones on moments, deep or of patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

import tsphys.sims.engines.gradient.kernels as kernels
from tsphys.errors import ModelError
from tsphys.ground.parameters import number, word

#: Inner loops go over four numbers at once, and what is left over costs as much.
LANES = 4


@dataclass(frozen=True, eq=False)
class TwoLayer:
    """f(x) = V φ(Wx), and the mean loss of its answers on examples.

    Parameters
    ----------
    X : (n, D) ndarray
        Inputs.
    Y : (n,) or (n, c) ndarray
        Answers; ±1 for the logistic loss.
    K : int
        Hidden units.
    phi : {"linear", "relu", "quadratic"}
        φ(h) = h, max(h, 0), or h + ½ `eps` h².
    loss : {"square", "logistic"}
        ½|y − f|², or log(1 + e^{−yf}).
    decay : float
        λ of ½λ|W|², and of V where that moves.
    rates : (float, float)
        The rates of W and of V in units of the learning rate; 0 of what is fixed.
    batch : int
        Examples of a step, drawn with replacement by `rng`; 0 for all of them.
    """

    X: np.ndarray
    Y: np.ndarray
    K: int
    phi: str = "linear"
    eps: float = 0.0
    loss: str = "square"
    decay: float = 0.0
    rates: tuple[float, float] = (1.0, 1.0)
    batch: int = 0
    rng: np.random.Generator | None = None

    def __post_init__(self) -> None:
        word("phi", self.phi, kernels.ACTIVATIONS)
        word("loss", self.loss, kernels.LOSSES)
        number("batch", self.batch, kind=int, low=0)
        if np.ndim(self.X) != 2 or np.ndim(self.Y) not in (1, 2) or len(self.X) != len(self.Y):
            raise ModelError("Y", np.shape(self.Y), f"must be answers to each input of X, which has {np.shape(self.X)}")
        if self.batch and self.rng is None:
            raise ModelError("rng", None, "must be given to draw batches")

    @staticmethod
    def memory(n: int, D: int, K: int, c: int = 1) -> float:
        """Bytes of the examples and of all that is needed of them at once."""
        return 8.0 * n * (3 * (D + LANES) + 2 * K + 3 * c + 1) + 8.0 * K * (4 * D + 4 * c)

    def pack(self, W: np.ndarray, V: np.ndarray) -> np.ndarray:
        """The weights (K, D) and (c, K), or (K,), as one vector."""
        return np.concatenate([np.ravel(W), np.ravel(V)]).astype(float)

    def layers(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """W (K, D) and V (c, K) of a vector."""
        cut = self.K * self.X.shape[1]
        return w[:cut].reshape(self.K, -1), w[cut:].reshape(-1, self.K)

    def force(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient over all examples, each layer times its rate."""
        W, V = self._begun(w)
        n, c = self._data[0].shape[0], len(V)
        dW, dV = np.empty_like(W), np.empty_like(V)
        room = np.empty((self.K, n)), np.empty((self.K, n)), np.empty((c + 1, n))
        kernels.two_layer_force(W, V, *self._data, *self._law, dW, dV, *room)
        dW, dV = (r * (d - self.decay * x) for r, d, x in zip(self.rates, (dW, dV), (W, V)))
        return self.pack(dW[:, : self.X.shape[1]], dV)

    def advance(self, w: np.ndarray, lr: float, steps: int) -> int:
        """So many steps of w in place; how many went well."""
        W, V = self._begun(w)
        order = self.rng.integers(len(self.X), size=steps * self.batch) if self.rng else np.empty(0, np.int64)
        rates = lr * np.array(self.rates)
        done = kernels.two_layer_steps(W, V, *self._data, order, self.batch, steps, rates, self.decay, *self._law)
        w[:] = self.pack(W[:, : self.X.shape[1]], V)
        return int(done)

    @property
    def _law(self) -> tuple[int, float, int]:
        return kernels.ACTIVATIONS.index(self.phi), self.eps, kernels.LOSSES.index(self.loss)

    @cached_property
    def _data(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n, D = self.X.shape
        X = np.zeros((n, D + -D % LANES))
        X[:, :D] = self.X
        return X, X.T.copy(), np.ascontiguousarray(np.reshape(self.Y, (n, -1)).T, dtype=float)

    def _begun(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        W, V = self.layers(w)
        wide = np.zeros((self.K, self._data[0].shape[1]))
        wide[:, : W.shape[1]] = W
        return wide, V.copy()


@dataclass(frozen=True, eq=False)
class DeepLinear:
    """f(x) = W_L … W_1 x, and ½⟨|y − f|²⟩ of it, of which moments are all that counts, however many data.

    Parameters
    ----------
    sizes : sequence of int
        Of the inputs, of each layer, of the answer.
    xx, yx : ndarray
        ⟨xxᵀ⟩ (d, d) and ⟨yxᵀ⟩ (c, d).
    penalty : {"none", "l2", "spectral", "init"}
        Of each layer: ½|W|², ¼|WWᵀ − 1|², ½|W − W(0)|².
    strength : float
        What it is multiplied by.
    first : ndarray, optional
        The weights W(0) that ``init`` speaks of.
    """

    sizes: Sequence[int]
    xx: np.ndarray
    yx: np.ndarray
    penalty: str = "none"
    strength: float = 0.0
    first: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        word("penalty", self.penalty, kernels.PENALTIES)

    def pack(self, *layers: np.ndarray) -> np.ndarray:
        """The layers, from the inputs on, as one vector."""
        return np.concatenate([np.ravel(W) for W in layers]).astype(float)

    def layers(self, w: np.ndarray) -> list[np.ndarray]:
        """The layers of a vector."""
        shapes = list(zip(self.sizes[1:], self.sizes[:-1]))
        cuts = np.cumsum([0, *(p * q for p, q in shapes)])
        return [w[a : a + p * q].reshape(p, q) for a, (p, q) in zip(cuts, shapes)]

    def force(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient."""
        sizes = np.array(self.sizes)
        m, d, out = sizes.max(), sizes[0], np.empty_like(w)
        room = np.empty((len(sizes) - 1, m, d)), np.empty((2, m, d)), np.empty((m, m))
        kernels.linear_force(w, self.first, sizes, *self._law, out, *room)
        return out

    def advance(self, w: np.ndarray, lr: float, steps: int) -> int:
        """So many steps of w in place; how many went well."""
        return int(kernels.linear_steps(w, self.first, np.array(self.sizes), *self._law, steps, lr))

    @cached_property
    def _law(self) -> tuple[np.ndarray, np.ndarray, int, float]:
        xx, yx = (np.ascontiguousarray(x, dtype=float) for x in (self.xx, self.yx))
        return xx, yx, kernels.PENALTIES.index(self.penalty), float(self.strength)


@dataclass(frozen=True, eq=False)
class Convolution:
    """f(x) = Σ_p a_p·Wx_p, one first layer W for all patches under fixed readouts; moments are all that counts.

    Parameters
    ----------
    readouts : (P, F) ndarray
        a_p.
    xx, yx : ndarray
        ⟨xxᵀ⟩ (Pd, Pd) and ⟨yx⟩ (Pd,) of all patches, one after the other.
    """

    readouts: np.ndarray
    xx: np.ndarray
    yx: np.ndarray

    def layer(self, w: np.ndarray) -> np.ndarray:
        """W (F, d) of a vector."""
        return w.reshape(self.readouts.shape[1], -1)

    def force(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient."""
        W, (A, xx, yx) = self.layer(w), self._law
        V, R, out = np.empty((len(A), W.shape[1])), np.empty((len(A), W.shape[1])), np.empty_like(W)
        kernels.convolution_force(W, A, xx, yx, V, R, out)
        return out.ravel()

    def advance(self, w: np.ndarray, lr: float, steps: int) -> int:
        """So many steps of w in place; how many went well."""
        A, xx, yx = self._law
        return int(kernels.convolution_steps(self.layer(w), A, xx, yx, steps, lr))

    @cached_property
    def _law(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        A, xx, yx = (np.ascontiguousarray(x, dtype=float) for x in (self.readouts, self.xx, self.yx))
        return A, xx, yx
