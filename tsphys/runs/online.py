"""What every theory of online learning starts from and returns: overlaps over time, named as in the simulation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.ground.parameters import number, parameters, word
from tsphys.physics.order_parameters import OrderParameters, need
from tsphys.rules.engines import THEORY, refuse
from tsphys.rules.starts import checked_start, drawn_start, mean_start
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
        If the start does not fit the model, N or seed is out of range, or the model has a fixed training set: its
        examples come again, and the overlaps alone do not tell what they do then.
    """
    rule = model.learning_rule()
    refuse(THEORY, rule)
    drawn: dict[str, Any] = {}
    if isinstance(start, str):
        start, drawn = mean_start(model)[0], {"drawn": word("start", start, ("drawn",))}
    elif start is None:
        drawn = {"N": need(N, rule.K, rule.M), "seed": number("seed", seed, kind=int, low=0, high=2**63 - 1)}
        start = drawn_start(model, **drawn)
    else:
        start = checked_start(rule, start)
    return start, {**drawn, "start": {k: getattr(start, k).tolist() for k in ("R", "Q", "T", "v", "v_star")}}


def readouts(model: Any, v: np.ndarray) -> np.ndarray:
    """Readouts (…, V) in the shape that the model wants to see, if it says one."""
    shape = model.readout_shape
    return v if shape is None else v.reshape(*v.shape[:-1], *shape)


def theory_result(
    model: Any, t: np.ndarray, start: OrderParameters, meta: dict[str, Any], *, R: Any, Q: Any, v: Any, eps_g: Any,
    more: Any = None,
) -> Result:  # fmt: skip
    """The Result of a theory: R (len(t), K, M), Q (…, K, K), v (…, V), eps_g (len(t),) or None, constant T, v_star.

    `more` are further observables over time.
    """
    constants = {"T": np.array(start.T), "v_star": np.array(start.v_star)}
    derived = {**({} if eps_g is None else {"eps_g": eps_g}), **(more or {})}
    v = readouts(model, v)
    return Result(
        kind="theory",
        model=model.name,
        parameters=parameters(model),
        axis="t",
        data={"t": t, **derived, "R": R, "Q": Q, "v": v, **constants},
        dims=model.dims,
        constants=tuple(constants),
        meta={**meta, **provenance()},
    )
