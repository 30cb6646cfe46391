"""Simulation of deep random nets: many side by side, two inputs through all of their layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import DivergedError, ModelError
from tsphys.ground.parameters import array, number, param
from tsphys.models.deep_kernels import DeepKernels
from tsphys.physics.kernels.averages import jumps, values
from tsphys.physics.kernels.layers import Layer, Net, back, empirical_ntk, forward, stack, through
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    nets: int = param(16, "nets of a replica, which are averaged over", kind=int, low=2)
    ntk: bool = param(False, "also the NTK of the nets, of all weights and biases", kind=bool)
    outputs: int = param(4, "outputs that the NTK is averaged over", kind=int, low=1)


def memory(models: Sequence[DeepKernels], options: Options) -> frames.Memory:
    """Weights of a layer, or of all for the NTK, and fields."""
    n, L = max(here.width for here in models), max(here.depth for here in models)
    each = 8.0 * options.nets * n * (3.0 * n * (L if options.ntk else 1) + 8.0 * L + 4.0 * options.outputs)
    return frames.Memory(each, {"width": n, "depth": L}, "the nets")


@frames.replicated(DeepKernels, Options, memory=memory)
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> Mapping[str, np.ndarray]:
    """Draw nets, and send two inputs through them. Over depths they are the same nets, seen after these layers.

    Returns
    -------
    dict
        With axes (replica, axis), means over nets and units: ``q`` = z_i(x)², of either input; ``k12`` = z_i(x)z_i(x');
        ``V`` = n Cov(z_i², z_j²) of two units, without bias; ``ntk`` and ``ntk12`` of x with itself and with x', if
        asked for.

    Raises
    ------
    ModelError
        If an argument is out of range, the nets do not fit into memory, or fields grow beyond all numbers.
    """
    models = along.models
    if along.axis == "depth":
        deepest = max(models, key=lambda here: here.depth)
        rows = nets(deepest, [here.depth for here in models], options, replica.rng("nets 0"))
        return frames.stack(list(rows))
    return replica.each(len(models), lambda i: nets(models[i], [models[i].depth], options, replica.rng(f"nets {i}"))[0])


def nets(
    model: DeepKernels, depths: Sequence[int], options: Options, rng: np.random.Generator
) -> list[dict[str, float]]:
    """What is seen of drawn nets after the layers of these numbers."""
    layers, n = stack(model.depth, model.layer()), model.width
    X = inputs(model, options.nets, rng)
    out = []
    with np.errstate(over="ignore", invalid="ignore"):
        net = forward(layers, X, [n] * model.depth, rng, options.nets, keep=options.ntk)
        for depth in depths:
            row = observed(net.fields[depth - 1])
            if options.ntk and not jumps(model.activation):
                part = net._replace(fields=net.fields[:depth], weights=net.weights[:depth])
                theta = empirical_ntk(layers[:depth], X, part, options.outputs).mean(axis=0)
                row |= {"ntk": 0.5 * np.trace(theta), "ntk12": theta[0, 1]}
            if not np.isfinite(list(row.values())).all():
                raise ModelError("depth", depth, "must be less: fields grow beyond all numbers")
            out.append(row)
    return out


def inputs(model: DeepKernels, nets: int, rng: np.random.Generator) -> np.ndarray:
    """Two inputs for each net, (nets, n, 2), uniform on the sphere at their lengths and correlation."""
    X = rng.standard_normal((nets, model.width, 2))
    X[..., 0] /= np.linalg.norm(X[..., 0], axis=1, keepdims=True)
    c = model.correlation
    if abs(c) < 1:
        X[..., 1] -= np.einsum("bi,bi->b", X[..., 0], X[..., 1])[:, None] * X[..., 0]
        X[..., 1] /= np.linalg.norm(X[..., 1], axis=1, keepdims=True)
    X[..., 1] = c * X[..., 0] + np.sqrt((1 - c) * (1 + c)) * X[..., 1]
    return X * np.sqrt(model.length * model.width)


def observed(z: np.ndarray) -> dict[str, float]:
    """Of fields (nets, n, 2): second moments, and the covariance of squares of two units, all unbiased."""
    nets, n, _ = z.shape
    squares = z**2
    sums = squares.sum(axis=1)
    pairs = (sums**2 - (squares**2).sum(axis=1)).sum(axis=0) / (nets * n * (n - 1))
    apart = (sums.sum(axis=0) ** 2 - (sums**2).sum(axis=0)) / (nets * (nets - 1) * n**2)
    k12 = float((z[..., 0] * z[..., 1]).mean())
    return {"q": float(squares.mean()), "k12": k12, "V": float(n * (pairs - apart).mean())}


class Trained(NamedTuple):
    """Outputs of trained nets at inputs, (times, nets, inputs), after the numbers of steps."""

    t: np.ndarray
    seen: np.ndarray
    new: np.ndarray


def train(
    layers: Sequence[Layer], X: Any, y: Any, new: Any, *, width: int, lr: float, t: Sequence[int], nets: int,
    rng: np.random.Generator,
) -> Trained:  # fmt: skip
    """Train drawn nets with one output on y (m,) at X (m, d) by gradient descent, all weights and biases, to the end.

    A step moves weights in units of their standard deviation, as the NTK counts them, by −lr times the gradient of
    ½Σ(f − y)²; nothing is linearised.

    Parameters
    ----------
    layers : sequence of Layer
        With weights of any law; all of them learn.
    new : array_like, (p, d)
        Inputs at which outputs are seen too.
    t : sequence of int
        Steps after which they are seen, ascending.

    Raises
    ------
    ModelError
        If arguments do not fit together.
    DivergedError
        If outputs are no numbers: lr is too large.
    """
    X = array("X", X, (None, None), "a row for each input")
    y = array("y", y, (len(X),), "a number for each input")
    new = array("new", new, (None, X.shape[1]), "a row for each input")
    number("width", width, kind=int, low=1)
    m, both = len(X), np.repeat(np.concatenate([X, new]).T[None], nets, axis=0)
    net = forward(layers, both, [*[width] * (len(layers) - 1), 1], rng, nets)
    seen, done = [], 0
    for target in t:
        with np.errstate(over="ignore", invalid="ignore"):
            while done < target:
                net, done = _step(layers, both, net, y, lr), done + 1
        out = net.fields[-1][:, 0]
        if not np.isfinite(out).all():
            raise DivergedError(f"nets diverged by step {done} (lr too large?)", t=float(done))
        seen.append(out)
    found = np.stack(seen)
    return Trained(np.array(t), found[..., :m], found[..., m:])


def _step(layers: Sequence[Layer], X: np.ndarray, net: Net, y: np.ndarray, lr: float) -> Net:
    m = len(y)
    felt = net.fields[-1][:, :, :m] - y
    weights, biases = list(net.weights), list(net.biases)
    for l in range(len(layers) - 1, -1, -1):
        layer = layers[l]
        a = X if l == 0 else values(layer.activation, net.fields[l - 1])
        weights[l] = net.weights[l] - lr * layer.weight_variance / a.shape[1] * (felt @ a[..., :m].transpose(0, 2, 1))
        biases[l] = net.biases[l] - lr * layer.bias_variance * felt.sum(axis=2, keepdims=True)
        if l:
            felt = back(layer, net.weights[l], felt, net.fields[l - 1][..., :m])
    return through(layers, X, Net([], weights, biases))
