"""Linear networks of two layers: the exact solution from balanced starts, the flow of blocks from others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import param
from tsphys.ground.times import course
from tsphys.models.linear_network import LinearNetwork, Start
from tsphys.physics.flows.linear_layers import balanced, blocks, effective_rank, ntk_alignment
from tsphys.runs import frames
from tsphys.runs.memory import check_memory
from tsphys.solvers.block_flow import integrated

#: Nodes of averages over teachers, first and most, the change by twice as many that is small enough; where they end.
NODES, CHANGE, END = (32, 512), 1e-5, 3.5
#: Starts that are solved at once, and numbers in their blocks at all times; at least one start is.
TOGETHER, ROOM = 128, 2**26
#: Errors of means over teachers.
NAMES = ("ntk_alignment", "learned", "readout", "effective_rank", "loss")
TOLD = tuple(f"sem.{name}" for name in NAMES)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    at: float = param(100.0, "time at which the network is seen, over other axes", low=0, high=1e4)
    t: Any = course("times, as the axis: START:STOP:POINTS[:lin|log] or a list a,b,c")
    method: str = param(
        "auto", "exact solution of balanced starts, or the equations of motion", kind=str,
        choices=("auto", "exact", "flow"),
    )  # fmt: skip
    draws: int = param(
        200, "random teachers that are averaged over, where there is no quadrature", kind=int, low=2, high=10**5
    )

    def suited(self, models: Sequence[LinearNetwork]) -> Options:
        for model in models:
            many = together(model, 1 if self.t is None else len(self.t))
            times = 8.0 if self.t is None else 8.0 + len(self.t)
            size = 16.0 * many * times * (model.inputs + model.outputs) ** 2
            check_memory("inputs", model.inputs, size, f"starts, {many} at once")
            if self.method == "exact" and not model.balanced:
                words = "must be auto or flow: W₂ᵀW₂ − W₁W₁ᵀ = λ does not hold at the start"
                raise ModelError("method", self.method, words)
        return self


@frames.course(LinearNetwork, Options)
def over_time(model: LinearNetwork, options: Options) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """A network at the times t."""
    found = average(model, options, options.t)
    errors = {name: found[f"sem.{name}"].tolist() for name in NAMES}
    return {name: found[name] for name in NAMES}, {"sem": errors}


@frames.or_over_time(over_time)
@frames.static(LinearNetwork, Options, told=TOLD)
def solve(model: LinearNetwork, options: Options) -> dict[str, float]:
    """What a network is after a time, or over times.

    Returns
    -------
    dict
        ``ntk_alignment``, the cosine of its tangent kernel with that of the start; ``learned``, the share
        tr SᵀW₂W₁/‖S‖²; ``readout`` ‖W₂‖²; ``effective_rank`` of W₁ᵀW₁; over times also ``loss`` ½‖S − W₂W₁‖². Of a
        random teacher their means: over the share f ~ Beta(r/2, (d − r)/2) of one output that a flat first layer sees,
        where the readout is silent at the start; over `draws` teachers otherwise. ``result.sem(name)`` has
        their error.

    Raises
    ------
    ModelError
        If the exact solution is asked for and the start is not balanced.
    ConvergenceError
        If the quadrature, or an integration, did not converge; or if rounding took the equations of motion off the
        rank of the start, beside which they are unstable.
    """
    found = average(model, options, np.array([options.at]))
    return {name: float(value[0]) for name, value in found.items() if not name.endswith("loss")}


def average(model: LinearNetwork, options: Options, t: np.ndarray) -> dict[str, np.ndarray]:
    """Observables at times, of one start or as means over teachers."""
    one_number = model.outputs == 1 and model.balance is None and bool(np.ptp(model.squares) == 0)
    if model.alignment is not None or (one_number and model.rank == model.inputs):
        found = seen(model, options, [model.start(model.alignment)], t)
        return {k: v[:, 0] for k, v in found.items()} | {f"sem.{k}": 0 * v[:, 0] for k, v in found.items()}
    if one_number:
        return converged(lambda nodes: over_shares(model, options, t, nodes))
    rng = np.random.default_rng(0)
    found = seen(model, options, [model.start(rng=rng) for _ in range(options.draws)], t)
    errors = {f"sem.{k}": v.std(axis=1, ddof=1) / np.sqrt(options.draws) for k, v in found.items()}
    return {name: value.mean(axis=1) for name, value in found.items()} | errors


def over_shares(model: LinearNetwork, options: Options, t: np.ndarray, nodes: int) -> dict[str, np.ndarray]:
    """Means over f ~ Beta(r/2, (d − r)/2), f = 1/(1 + e^{−π sinh u}), along u.

    The smallest of shares, of which time sees the logarithm, have nodes of their own.
    """
    from scipy.special import expit

    u = np.linspace(-END, END, nodes)
    within, beyond = expit(np.pi * np.sinh(u)), expit(-np.pi * np.sinh(u))
    weights = within ** (0.5 * model.rank) * beyond ** (0.5 * (model.inputs - model.rank)) * np.cosh(u)
    found = seen(model, options, [model.start(f) for f in within.tolist()], t)
    return {name: value @ weights / weights.sum() for name, value in found.items()}


def converged(mean: Callable[[int], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """A mean over ever more nodes, until twice as many change little; that is told."""
    nodes, found, change = NODES[0], mean(NODES[0]), {}
    while nodes < NODES[1]:
        nodes, before, found = 2 * nodes, found, mean(2 * nodes)
        change = {name: np.abs(found[name] - before[name]) for name in found}
        # Of observables that may be nothing no digits are asked.
        if all(float(change[k].max()) <= CHANGE * max(float(np.abs(found[k]).max()), 1.0) for k in found):
            return found | {f"sem.{name}": value for name, value in change.items()}
    residual = max(float(x.max()) for x in change.values())
    raise ConvergenceError("an average over teachers did not converge", residual=residual, iterations=nodes)


def seen(model: LinearNetwork, options: Options, starts: Sequence[Start], t: np.ndarray) -> dict[str, np.ndarray]:
    """Observables from starts, (T, starts)."""
    exact = model.balanced and options.method != "flow"
    parts = []
    step = together(model, len(t))
    for i in range(0, len(starts), step):
        W1, W2, S = (np.stack(part) for part in zip(*starts[i : i + step]))
        X = balanced(W1, W2, S, t) if exact else integrated(W1, W2, S, t)
        parts.append({
            "ntk_alignment": ntk_alignment(blocks(W1, W2), X),
            "learned": np.sum(S * X.B, axis=(-2, -1)) / np.sum(S**2, axis=(-2, -1)),
            "readout": np.trace(X.C, axis1=-2, axis2=-1),
            "effective_rank": effective_rank(X.A),
            "loss": 0.5 * np.sum((S - X.B) ** 2, axis=(-2, -1)),
        })  # fmt: skip
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


def together(model: LinearNetwork, times: int) -> int:
    """How many starts are solved at once."""
    return max(1, min(TOGETHER, ROOM // (times * (model.inputs + model.outputs) ** 2)))
