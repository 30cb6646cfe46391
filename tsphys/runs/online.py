"""What every theory of online learning starts from and returns: overlaps over time, named as in the simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tsphys.ground.parameters import number, parameters
from tsphys.physics.order_parameters import OrderParameters, need
from tsphys.rules.contract import Online
from tsphys.rules.engines import STORED, THEORY, refuse
from tsphys.runs.provenance import provenance
from tsphys.runs.result import Result


def theory_start(
    model: Any, start: OrderParameters | str | None, N: int, seed: int
) -> tuple[OrderParameters, dict[str, Any]]:
    """The checked start of a theory, by default that of replica 0 of a simulation, and its record for ``meta``.

    ``"drawn"`` is what the random starts of all replicas tend to for N → ∞.

    Raises
    ------
    ModelError
        If the start does not fit the model, N or seed is out of range, or no theory knows what the model has.
    """
    from tsphys.rules.starts import checked_start, drawn_start, mean_start

    rule = model.learning_rule()
    refuse(THEORY if rule.alpha is None else STORED, rule)
    drawn: dict[str, Any] = {}
    if isinstance(start, str):
        start, drawn = mean_start(model)[0], {"drawn": start}
    elif start is None:
        drawn = {"N": need(N, rule.K, rule.M), "seed": number("seed", seed, kind=int, low=0, high=2**63 - 1)}
        start = drawn_start(model, **drawn)
    else:
        start = checked_start(rule, model.completed(start))
    return start, {**drawn, "start": {k: getattr(start, k).tolist() for k in ("R", "Q", "T", "v", "v_star")}}


def readouts(model: Online, v: np.ndarray) -> np.ndarray:
    """Readouts (…, V) in the shape that the model wants to see, if it says one."""
    return v if model.readout_shape is None else v.reshape(*v.shape[:-1], *model.readout_shape)


def seen(
    model: Online, t: np.ndarray, start: OrderParameters, found: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What is observed of R, Q and v (…, len(t), …) of runs with the teachers of a start."""
    R, Q, v = (found[name] for name in "RQv")
    told = {name: a for name, a in found.items() if name not in "RQv"}
    derived = {**model.observables(R, Q, start.T, v, start.v_star), **told, **model.measured(t, R, Q, v)}
    return {**derived, "R": R, "Q": Q, "v": readouts(model, v)}


def teachers(start: OrderParameters) -> dict[str, np.ndarray]:
    """What does not change: T and v_star."""
    return {"T": np.array(start.T), "v_star": np.array(start.v_star)}


def theory_result(
    model: Online, t: np.ndarray, start: OrderParameters, meta: Mapping[str, Any], data: Mapping[str, np.ndarray]
) -> Result:
    """The Result of a theory: R (len(t), K, M), Q (…, K, K), v (…, V) of `data` after what else it has, and constant
    T, v_star."""
    constants = teachers(start)
    R, Q, v = (data[name] for name in "RQv")
    derived = {name: a for name, a in data.items() if name not in ("R", "Q", "v")}
    return Result(
        kind="theory",
        model=model.name,
        parameters=parameters(model),
        axis="t",
        data={"t": t, **derived, **model.measured(t, R, Q, v), "R": R, "Q": Q, "v": readouts(model, v), **constants},
        dims=dict(model.dims),
        constants=tuple(constants),
        meta={**meta, **provenance()},
    )
