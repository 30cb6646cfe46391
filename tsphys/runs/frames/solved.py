"""``solve`` of a model of online learning: its equations of motion for N → ∞, from overlaps that are given or drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tsphys.ground.parameters import LARGEST_INTEGER, param
from tsphys.physics.order_parameters import OrderParameters, overlaps
from tsphys.rules.contract import Online
from tsphys.runs.frames.flow import Curve, Equations, integrated
from tsphys.runs.frames.options import Options, chosen, described
from tsphys.runs.frames.verb import MOVING, Verb
from tsphys.runs.online import theory_result, theory_start
from tsphys.runs.result import Result

M = TypeVar("M", bound=Online)


def begun(name: str, value: Any) -> OrderParameters | str:
    """Overlaps, or the word ``drawn``."""
    return value if isinstance(value, str) and value == "drawn" else overlaps(name, value)


@dataclass(frozen=True, kw_only=True)
class Start(Options):
    """Where a theory of online learning begins."""

    start: OrderParameters | str | None = param(
        None,
        "overlaps at t = 0, a table with R, Q, T (JSON, or TOML); none: those that replica 0 of a simulation draws, "
        "since the escape from a plateau starts from fluctuations of order 1/√N; drawn: what those of all replicas "
        "tend to for N → ∞, which with fluctuations are those of these starts as well",
        kind=dict, check=begun, optional=True,
    )  # fmt: skip
    N: int = param(1000, "size of that simulation; without a meaning when a start is given", kind=int, short="-N")
    seed: int = param(0, "its seed", kind=int, low=0, high=LARGEST_INTEGER, short="-s")


def solved(model: type[M], options: type[Options] = Options) -> Callable[[Callable[..., Equations]], Verb[M]]:
    """Make ``solve`` of ``equations(model, start)``, or with options of its own ``equations(model, start, options)``.

    Parameters
    ----------
    model, options : type
        Classes of the models and of the options of their own.

    Returns
    -------
    callable
        A decorator of the physics. It observes R (p, K, M), Q (p, K, K) and v (p, V) of its states, and whatever else.
    """

    def made(physics: Callable[..., Equations]) -> Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            asked, begin = chosen(Curve, given), chosen(Start, given)
            own = () if options is Options else (chosen(options, given).suited([model]),)
            start, record = theory_start(model, begin.start, begin.N, begin.seed)

            def result(data: Mapping[str, np.ndarray], meta: dict[str, Any]) -> Result:
                return theory_result(model, asked.t, start, {**record, **meta}, data)

            return integrated(physics(model, start, *own), asked, result)

        return Verb(physics, model, (), {**described(Start), **described(options), **described(Curve)}, run, MOVING)

    return made
