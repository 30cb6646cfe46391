"""Theory by sample paths: averages over scramblings, and how large their error is.

The error is that of the mean over the scramblings, and what coarser solutions differ by beyond their own: with half of
the paths and twice the tolerance, and with twice the step. Where epochs take examples one by one both are solved,
as too few paths and too long steps may make up for each other; elsewhere one of them is coarser in all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_INTEGER, param
from tsphys.ground.progress import tell
from tsphys.runs import frames
from tsphys.runs.blas import one_blas_thread
from tsphys.runs.memory import check_memory
from tsphys.solvers.sample_paths import FULL, memory

#: Part of the weights left out by default: slopes that jump need a direction a step.
SMOOTH, ROUGH = 1e-4, 1e-3
#: Deviation that a single path makes, in the observable, from which on single runs are their own and not the mean's.
CHAOTIC = 1.5


@dataclass(frozen=True, kw_only=True)
class Accuracy(frames.Options):
    """How finely a theory by sample paths is solved."""

    paths: int = param(2**13, "sample paths of a scrambling, a power of two", kind=int, low=2**8, high=2**24)
    scramblings: int = param(6, "scramblings, of which the error is known", kind=int, low=2)
    tol: float | None = param(
        None,
        "part of the weights left out where steps take all examples; none: 1e-4, or 1e-3 where slopes jump",
        low=1e-8,
        high=0.1,
        optional=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.paths & (self.paths - 1):
            raise ModelError("paths", self.paths, "must be a power of two")

    def fits(self, directions: int, sure: bool = False) -> None:
        """Refuse so many directions at most where they, or if they are `sure` their paths, do not fit, beforehand."""
        if sure and 2 * directions > FULL * self.paths:
            least = 2 ** math.ceil(math.log2(2 * directions / FULL))
            raise ModelError(
                "paths", self.paths, f"must be at least {least} for the {directions} directions of this run"
            )
        check_memory("paths", self.paths, memory(self.paths, directions), "the directions of a solution")


@dataclass(frozen=True, kw_only=True)
class Sampling(Accuracy):
    """The same, with a seed of its own."""

    seed: int = param(0, "seed of the scramblings", kind=int, low=0, high=LARGEST_INTEGER, short="-s")


class Grain(NamedTuple):
    """One of the solutions: its paths, seed and tolerance; steps that are free are `factor` times as long."""

    paths: int
    seed: tuple[int, int]
    tol: float
    factor: int


def sampled(
    solve: Callable[[Grain], Mapping[str, np.ndarray]], asked: Accuracy, tol: float, seed: int = 0, share: float = 1.0,
    apart: bool = False,
) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """Observables over t as means over the scramblings; and what the Result tells of them.

    That is ``sem``, the error of each; ``chaotic``, where single paths make it; and the number of ``directions``, which
    `solve` gives beside the observables. Averages are over a `share` of the paths at least. Paths and steps are made
    coarser `apart` or together.
    """
    many = asked.scramblings
    coarser = ((1, 1), (2, 1), (1, 2)) if apart else ((1, 1), (2, 2))
    grains = [Grain(asked.paths // f, (seed, k), f * tol, step) for f, step in coarser for k in range(many)]
    found = []
    with one_blas_thread():
        for i, grain in enumerate(grains):
            try:
                found.append(dict(solve(grain)))
            except ModelError as error:
                # A coarser solution has fewer than were asked for.
                raise ModelError("paths", asked.paths, error.allowed) if error.name == "paths" else error from None
            tell((i + 1) / len(grains))
    directions = max(int(rows.pop("directions")[-1]) for rows in found)
    data, sem, chaotic = {}, {}, {}
    for name in found[0]:
        fine, *others = (np.stack([rows[name] for rows in found[i : i + many]]) for i in range(0, len(found), many))
        data[name], spread = fine.mean(axis=0), fine.var(axis=0, ddof=1)
        square = spread / many
        for coarse in others:
            own = (spread + coarse.var(axis=0, ddof=1)) / many
            square = square + np.maximum((data[name] - coarse.mean(axis=0)) ** 2 - own, 0.0)
        sem[name] = np.sqrt(square).tolist()
        chaotic[name] = (np.sqrt(spread * asked.paths * share) > CHAOTIC * np.abs(data[name]).max(initial=0.0)).tolist()
    return data, {"sem": sem, "chaotic": chaotic, "directions": directions}
