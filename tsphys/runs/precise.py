"""Replicas until a mean is known well enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.runs.result import Result

#: Fewest replicas whose spread says how many more are needed, and most if nothing is said.
FEWEST, MOST = 4, 1024
#: How many more than needed by the spread so far, which is itself uncertain.
MARGIN = 1.1


def wanted(until_sem: Any) -> dict[str, float]:
    """Standard errors by observable; a number is meant for the first observable of the result, named "".

    Raises
    ------
    ModelError
        If it is neither.
    """
    given = until_sem if isinstance(until_sem, Mapping) else {"": until_sem}
    words = 'must be a standard error > 0, or those of observables, as {"eps_g": 0.01}'
    if not given or not all(isinstance(name, str) for name in given):
        raise ModelError("until_sem", until_sem, words)
    return {name: number("until_sem", value, low=0, open_low=True, words=words) for name, value in given.items()}


def until_precise(
    run: Callable[[int, Result | None], Result], until_sem: Any, *, first: int, most: int | None, resume: Result | None
) -> Result:
    """Run more and more replicas until standard errors are met everywhere on the axis, or there are as many as may be.

    Parameters
    ----------
    run : callable
        From how many replicas there are to be, and a Result of some of them, to their Result.
    until_sem : float or mapping
        See `wanted`.
    first, most : int
        Replicas to begin with, and at most.
    resume : Result, optional
        What is finished already.

    Returns
    -------
    Result
        To the same bits as a run of that many; its record has ``until_sem`` and whether it is ``precise``.

    Raises
    ------
    ModelError
        If there is no such observable.
    """
    targets = wanted(until_sem)
    most = number("most_replicas", MOST if most is None else most, kind=int, low=2)
    done = 0 if resume is None else resume.replicas or 0
    count = min(most, max(first, FEWEST, done))
    result = resume
    while True:
        result = run(count, result)
        need = max(_needed(result, name or result.observables[0], target) for name, target in targets.items())
        if need <= count or count >= most:
            break
        # By no more than twice: what few replicas say of their spread is little.
        count = min(most, 2 * count, max(count + 1, math.ceil(min(MARGIN * need, most))))
    record = {name or result.observables[0]: target for name, target in targets.items()}
    return replace(result, meta={**result.meta, "until_sem": record, "precise": bool(need <= count)})


def _needed(result: Result, name: str, target: float) -> float:
    """Replicas by whose number the largest standard error would be the target."""
    if name not in result.observables:
        raise ModelError("until_sem", name, "must be an observable: " + ", ".join(result.observables))
    n = len(result[name])
    sem = result.sem(name)
    largest = float(np.nanmax(sem, initial=0.0)) if n > 1 else math.inf
    ratio = largest / target
    return n * ratio * ratio
