"""Layers of wide networks: each is a finite random layer, and what it does to the kernels of infinitely many units.

A layer takes z to Wφ(z) + b with Var W_ij = σ_w²/n_in and Var b_i = σ_b². Inputs x have the kernel K = x·x'/d; the
first layer is one with φ(x) = x. With the NTK all weights and biases learn, in units of their standard deviation::

    K' = σ_w²⟨φφ'⟩_K + σ_b²,    Θ' = K' + Θ σ_w²⟨φ'φ'⟩_K      (Θ = 0 of the inputs)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import EXTREME, array, number
from tsphys.ground.progress import tell
from tsphys.numerics.arcsine import arcsine
from tsphys.physics.activations import ERF, HE2, LINEAR, QUAD, RELU, SIGN
from tsphys.physics.kernels.averages import hermite, jumps, moments, over, slopes, values
from tsphys.physics.kernels.ensembles import Ensemble
from tsphys.physics.names import code

#: Code of an activation without a closed form, whose Hermite series is summed.
SERIES = -1
_HALF_PI, _TWO_OVER_PI, _OVER_TWO_PI = 0.5 * math.pi, 2.0 / math.pi, 0.5 / math.pi


@dataclass(frozen=True)
class Layer:
    """z → Wφ(z) + b.

    Parameters
    ----------
    activation : str or callable
        φ: a name, or a function of arrays.
    weight_variance, bias_variance : float
        σ_w² and σ_b².
    ensemble : Ensemble
        Law of W/σ_w.
    """

    activation: Any = "linear"
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    ensemble: Ensemble = field(default_factory=Ensemble)

    def __post_init__(self) -> None:
        if not callable(self.activation):
            code(self.activation)
        for name in ("weight_variance", "bias_variance"):
            number(name, getattr(self, name), low=0, high=EXTREME)

    @property
    def kind(self) -> int:
        """Code of φ, or `SERIES`."""
        return SERIES if callable(self.activation) or self.activation == "tanh" else code(self.activation)

    def square(self, q: np.ndarray) -> np.ndarray:
        """⟨φ²⟩ over fields of variances q."""
        if self.kind == SERIES:
            return over(q, lambda x: np.array([moments(self.activation, x).square]))[0]
        closed = {
            RELU: lambda: 0.5 * q, LINEAR: lambda: q, ERF: lambda: _TWO_OVER_PI * np.arctan2(q, np.sqrt(1 + 2 * q)),
            QUAD: lambda: 3 * q**2, HE2: lambda: 0.5 * (q - 1) ** 2 + q**2, SIGN: lambda: 1.0 * (q > 0),
        }  # fmt: skip
        return np.asarray(closed[self.kind]())

    def slope(self, q: np.ndarray) -> np.ndarray:
        """⟨φ'²⟩ over fields of variances q; infinite where φ jumps."""
        if self.kind == SERIES:
            return over(q, lambda x: np.array([moments(self.activation, x).slope]))[0]
        closed = {
            RELU: lambda: np.full(q.shape, 0.5), LINEAR: lambda: np.ones(q.shape), QUAD: lambda: 4 * q,
            HE2: lambda: 2 * q, ERF: lambda: _TWO_OVER_PI / np.sqrt(1 + 2 * q), SIGN: lambda: np.full(q.shape, np.inf),
        }  # fmt: skip
        return np.asarray(closed[self.kind]())

    def draw(self, rng: np.random.Generator, nets: int, n_out: int, n_in: int) -> tuple[np.ndarray, np.ndarray]:
        """Weights (nets, n_out, n_in) and biases (nets, n_out, 1) of several nets."""
        W = self.ensemble.draw(rng, nets, n_out, n_in) * math.sqrt(self.weight_variance)
        return W, rng.standard_normal((nets, n_out, 1)) * math.sqrt(self.bias_variance)


def stack(depth: int, layer: Layer) -> tuple[Layer, ...]:
    """A net of `depth` such layers, of which the first sees inputs as they are.

    Raises
    ------
    ModelError
        If the depth is no whole number from 1 on.
    """
    depth = number("depth", depth, kind=int, low=1)
    first = Layer("linear", layer.weight_variance, layer.bias_variance, layer.ensemble)
    return (first, *[layer] * (depth - 1))


class Kernels(NamedTuple):
    """Of infinite width: NNGP and NTK, (n, m), and a bound on what Hermite series left of each of them, relative."""

    nngp: np.ndarray
    ntk: np.ndarray
    error: float


@njit(fast=True)
def _relu(k, t, r, s, own_r, own_s, w, b):
    for j in range(k.size):
        x = min(max(k[j] * (own_s * s[j]), -1.0), 1.0)
        rest = (1.0 - x) * (1.0 + x)
        angle = _HALF_PI + arcsine(x, rest)
        k[j] = w * _OVER_TWO_PI * own_r * r[j] * (math.sqrt(rest) + x * angle) + b
        t[j] = k[j] + t[j] * (w * _OVER_TWO_PI * angle)


@njit(fast=True)
def _sigmoid(k, t, s, own_s, w, b):
    for j in range(k.size):
        both = own_s * s[j]
        x = min(max(k[j] * both, -1.0), 1.0)
        rest = (1.0 - x) * (1.0 + x)
        k[j] = w * _TWO_OVER_PI * arcsine(x, rest) + b
        t[j] = k[j] + t[j] * (w * _TWO_OVER_PI * both / math.sqrt(max(rest, 1e-300)))


@njit(fast=True)
def _polynomial(kind, k, t, q, own_q, w, b):
    for j in range(k.size):
        x = k[j]
        if kind == LINEAR:
            mean, slope = x, 1.0
        elif kind == QUAD:
            mean, slope = own_q * q[j] + 2.0 * x * x, 4.0 * x
        else:
            mean, slope = 0.5 * (own_q - 1.0) * (q[j] - 1.0) + x * x, 2.0 * x
        k[j] = w * mean + b
        t[j] = k[j] + t[j] * (w * slope)


@njit(fast=True)
def _series(k, t, s, own_s, A, own, w, b, x, p, d):
    largest = 0.0
    n = k.size
    for j in range(n):
        x[j] = min(max(k[j] * (own_s * s[j]), -1.0), 1.0)
        largest = max(largest, abs(x[j]))
        p[j] = d[j] = 0.0
    for i in range(len(A) - 1, -1, -1):
        a = own[i]
        for j in range(n):
            d[j] = d[j] * x[j] + p[j]
            p[j] = p[j] * x[j] + a * A[i, j]
    for j in range(n):
        k[j] = w * p[j] + b
        t[j] = k[j] + t[j] * (w * d[j] * own_s * s[j])
    return largest


class Side(NamedTuple):
    """Of the inputs of rows or of columns, before each layer: variances, roots, inverse roots, (layers, n)."""

    variances: np.ndarray
    roots: np.ndarray
    inverse: np.ndarray


def _side(layers: Sequence[Layer], q: np.ndarray) -> Side:
    broad = q + np.array([[1.0 if layer.kind == ERF else 0.0] for layer in layers])
    roots = np.sqrt(broad)
    return Side(q, roots, np.divide(1.0, roots, out=np.zeros(q.shape), where=broad > 0))


@njit
def _through(K, T, square, kinds, w, b, rows, columns, first, A, own, largest):
    """All layers, row by row, so that a row stays in the cache; left of the diagonal only where K is square."""
    n, m = K.shape
    x, p, d = np.empty(m), np.empty(m), np.empty(m)
    for i in range(n):
        stop = i if square else m
        k, t = K[i, :stop], T[i, :stop]
        for l in range(len(kinds)):
            kind, s, u = kinds[l], columns.inverse[l, :stop], rows.inverse[l, i]
            if kind == RELU:
                _relu(k, t, columns.roots[l, :stop], s, rows.roots[l, i], u, w[l], b[l])
            elif kind in (ERF, SIGN):
                _sigmoid(k, t, s, u, w[l], b[l])
            elif kind == SERIES:
                lo, hi = first[l], first[l + 1]
                found = _series(k, t, s, u, A[lo:hi, :stop], own[lo:hi, i], w[l], b[l], x[:stop], p[:stop], d[:stop])
                largest[l] = max(largest[l], found)
            else:
                _polynomial(kind, k, t, columns.variances[l, :stop], rows.variances[l, i], w[l], b[l])


@njit
def _mirror(M):
    """What is left of the diagonal to its right, by blocks that stay in the cache."""
    n, block = len(M), 32
    for low in range(0, n, block):
        for left in range(0, low + 1, block):
            for i in range(low, min(low + block, n)):
                for j in range(left, min(left + block, i)):
                    M[j, i] = M[i, j]


def given(name: str, X: Any, columns: int | None = None) -> np.ndarray:
    """Inputs, a row each, or a ModelError."""
    X = array(name, X, (None, columns), "a row for each input")
    if 0 in X.shape:
        raise ModelError(name, f"array of shape {X.shape}", "must have one row and one column at least")
    return X


def kernels(layers: Sequence[Layer], X: Any, Y: Any = None, *, tolerance: float = 1e-6) -> Kernels:
    """Kernels of a net of infinite width between the rows of X (n, d) and those of Y (m, d), or X itself.

    Activations with names have closed forms, but tanh; of others Hermite series are summed.

    Parameters
    ----------
    tolerance : float
        Largest part of the NNGP kernel that series may leave.

    Raises
    ------
    ModelError
        If inputs do not fit together.
    ConvergenceError
        If series left more than `tolerance`, as of functions with jumps at inputs that are nearly the same.
    """
    if not len(layers):
        raise ModelError("layers", layers, "must be one layer at least")
    X = given("X", X)
    Y = None if Y is None else given("Y", Y, X.shape[1])
    q = (X**2).mean(axis=1)
    K = X @ (X if Y is None else Y).T / X.shape[1]
    return kernels_of(layers, K, q, None if Y is None else (Y**2).mean(axis=1), tolerance=tolerance)


def kernels_of(
    layers: Sequence[Layer], K: np.ndarray, q: np.ndarray, other: np.ndarray | None = None, *,
    ntk: np.ndarray | None = None, tolerance: float = 1e-6,
) -> Kernels:  # fmt: skip
    """The same from the kernel of inputs (n, m) and their own, (n,) and (m,); without `other` K is square.

    With the NTK of layers before, those go on.
    """
    square = other is None
    mine, theirs = variances(layers, q), None if other is None else variances(layers, other)
    A, own, first, rests = _coefficients(layers, mine, theirs)
    K, largest = np.array(K, dtype=float), np.zeros(len(layers))
    T = np.zeros(K.shape) if ntk is None else np.array(ntk, dtype=float)
    kinds = np.array([layer.kind for layer in layers])
    w, b = (np.array([getattr(layer, f"{part}_variance") for layer in layers]) for part in ("weight", "bias"))
    rows = _side(layers, mine[:-1])
    columns = rows if theirs is None else _side(layers, theirs[:-1])
    _through(K, T, square, kinds, w, b, rows, columns, first, A, own, largest)
    # Each term of a series left out has another power of the correlation.
    powers = largest ** np.maximum(np.diff(first), 1)
    error = float((rests * powers).max(initial=0.0))
    if error > tolerance:
        words = f"series of {int(np.diff(first).max())} terms left {error:.1e} of the kernel, more than {tolerance:g}"
        raise ConvergenceError(words, last=K)
    if any(jumps(layer.activation) for layer in layers):
        T[...] = np.nan
    if square:
        theta = T.diagonal().copy()
        for layer, before, after in zip(layers, mine[:-1], mine[1:], strict=True):
            theta = after + (theta * layer.weight_variance * layer.slope(before) if theta.any() else 0.0)
        for M, diagonal in ((K, mine[-1]), (T, theta)):
            _mirror(M)
            np.fill_diagonal(M, diagonal)
    return Kernels(K, T, error)


def variances(layers: Sequence[Layer], q: np.ndarray) -> np.ndarray:
    """Variances of the fields of an input after each of the layers, from x·x/d on, (len(layers) + 1, n)."""
    out = [np.asarray(q, dtype=float)]
    for layer in layers:
        out.append(layer.weight_variance * layer.square(out[-1]) + layer.bias_variance)
    if not np.isfinite(out[-1]).all():
        raise ModelError("depth", len(layers), "must be less: fields grow beyond all numbers")
    return np.array(out)


def _coefficients(
    layers: Sequence[Layer], mine: np.ndarray, theirs: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Hermite coefficients of all layers one below the other, for columns and rows, where each begins, what is left."""
    n, m = mine.shape[1], (mine if theirs is None else theirs).shape[1]
    tables, first, rests = [np.empty((0, n + m))], [0], []
    for l, layer in enumerate(layers):
        size, rest = 0, 0.0
        if layer.kind == SERIES:
            q = np.concatenate([mine[l], (mine if theirs is None else theirs)[l]])
            # The broadest field has the longest series.
            longest = hermite(layer.activation, float(q.max())) if q.max() > 0 else None
            size = 1 if longest is None else len(longest.coefficients)
            rest = 0.0 if longest is None else longest.rest / moments(layer.activation, float(q.max())).square
            tables.append(over(q, lambda x: hermite(layer.activation, x, size).coefficients))  # noqa: B023
        first.append(first[-1] + size)
        rests.append(rest)
    table = np.concatenate(tables)
    return np.ascontiguousarray(table[:, n:]), np.ascontiguousarray(table[:, :n]), np.array(first), np.array(rests)


class Net(NamedTuple):
    """Finite nets side by side: fields after each layer (nets, n, inputs), its weights and biases if they are kept."""

    fields: list[np.ndarray]
    weights: list[np.ndarray]
    biases: list[np.ndarray]


def forward(
    layers: Sequence[Layer], X: np.ndarray, widths: Sequence[int], rng: np.random.Generator, nets: int,
    keep: bool = True,
) -> Net:  # fmt: skip
    """Draw nets, and send inputs X (nets, d, m) through them."""
    net = Net([], [], [])
    for depth, (layer, n) in enumerate(zip(layers, widths, strict=True)):
        tell(depth / len(layers))
        a = values(layer.activation, net.fields[-1]) if net.fields else X
        W, b = layer.draw(rng, nets, n, a.shape[1])
        net.fields.append(W @ a + b)
        if keep:
            net.weights.append(W)
            net.biases.append(b)
    return net


def through(layers: Sequence[Layer], X: np.ndarray, net: Net) -> Net:
    """The same nets with the fields that their weights make of inputs."""
    fields: list[np.ndarray] = []
    for layer, W, b in zip(layers, net.weights, net.biases, strict=True):
        fields.append(W @ (values(layer.activation, fields[-1]) if fields else X) + b)
    return net._replace(fields=fields)


def back(layer: Layer, W: np.ndarray, felt: np.ndarray, z: np.ndarray) -> np.ndarray:
    """What outputs feel of the fields z before a layer, from what they feel of those after it (…, n_out, m)."""
    return (np.swapaxes(W, -1, -2) @ felt) * _slopes(layer.activation, z)


def empirical_ntk(layers: Sequence[Layer], X: np.ndarray, net: Net, outputs: int = 1) -> np.ndarray:
    """NTK of finite nets, (nets, m, m), a mean over the first of their outputs.

    A layer's part is the kernel of what it sees times that of what the output feels of it: no matrix is larger than
    m × m, or than a layer.
    """
    nets, n, m = net.fields[-1].shape
    out = np.zeros((nets, m, m))
    for o in range(min(outputs, n)):
        felt = np.zeros((nets, n, m))
        felt[:, o] = 1.0
        for l in range(len(layers) - 1, -1, -1):
            layer = layers[l]
            a = values(layer.activation, net.fields[l - 1]) if l else X
            seen = layer.weight_variance * (a.transpose(0, 2, 1) @ a) / a.shape[1] + layer.bias_variance
            out += seen * (felt.transpose(0, 2, 1) @ felt) / min(outputs, n)
            if l:
                felt = back(layer, net.weights[l], felt, net.fields[l - 1])
    return out


def _slopes(phi: Any, z: np.ndarray) -> np.ndarray:
    if isinstance(phi, str):
        return slopes(phi, z)
    step = 1e-5 * np.maximum(1.0, np.abs(z))
    return (values(phi, z + step) - values(phi, z - step)) / (2 * step)
