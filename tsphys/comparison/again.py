"""A theory, solved again at other parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import described
from tsphys.runs.result import Result

#: What solving at other parameters may end with.
FAILURES = (ModelError, ConvergenceError, DivergedError)
#: Options that are no part of what is solved; a Result records what became of them.
ACCURACY = {"rtol", "atol", "tol", "method"}


@dataclasses.dataclass(frozen=True)
class Again:
    """What made a theory: its model, the values of its axis, and further options of `solve`."""

    model: Any
    axis: str
    values: np.ndarray
    options: dict[str, Any]

    def __call__(self, *, values: np.ndarray | None = None, **changed: Any) -> Result:
        """The theory with other values of its axis or other parameters; NaN where a point has no solution."""
        from tsphys.registry import solve

        options = {**self.options, self.axis: self.values if values is None else values}
        return solve(dataclasses.replace(self.model, **changed), partial=True, **options)

    @cached_property
    def here(self) -> Result:
        """The theory as it was, to the accuracy with which it is solved here."""
        return self()

    def parameters(self) -> dict[str, float]:
        """Parameters that are real numbers, but for the axis."""
        fields = [
            name
            for name, f in described(self.model).items()
            if f.metadata["kind"] is float and not f.metadata["shape"] and name != self.axis
        ]
        values = {name: getattr(self.model, name) for name in fields}
        return {k: float(v) for k, v in values.items() if isinstance(v, float | int) and np.isfinite(v)}


@dataclasses.dataclass(frozen=True, eq=False)
class Itself:
    """A theory that is the same only as itself, so that what is known of it can be kept."""

    theory: Result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and self.theory is other.theory

    def __hash__(self) -> int:
        return hash(id(self.theory))


def solver(theory: Result, names: Iterable[str]) -> Again | None:
    """How to solve a theory again; None if what its Result holds does not give the same observables `names`."""
    again = _again(Itself(theory))
    if again is None:
        return None
    same = again.here
    return again if all(k in same and np.allclose(same[k], theory[k], rtol=1e-6, atol=1e-9) for k in names) else None


@lru_cache(maxsize=1)
def _again(kept: Itself) -> Again | None:
    """A theory solved again as it was, which several parts of one comparison start from; None if it cannot be."""
    from tsphys.physics.order_parameters import OrderParameters
    from tsphys.registry import takes

    theory = kept.theory
    try:
        model = theory.model_object()
        options = {k: theory.meta[k] for k in (takes(model, "solve") & {*theory.meta}) - ACCURACY}
        if isinstance(options.get("start"), dict):
            options["start"] = OrderParameters(**options["start"])
        again = Again(model, theory.axis, theory[theory.axis], options)
        _ = again.here
    except FAILURES:
        return None
    return again
