"""Options of runs: frozen dataclasses of `param`, as models are; one source of names, defaults, limits and meaning."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.fingerprint import of_array
from tsphys.ground.parameters import LARGEST_INTEGER, counted, described, handed, param, plain, validate
from tsphys.runs.result import Result

O = TypeVar("O", bound="Options")
S = TypeVar("S", bound="Options")
Z = TypeVar("Z", bound="Sized")


@dataclass(frozen=True, kw_only=True)
class Options:
    """None; the base of those that a frame or a model has."""

    def __post_init__(self) -> None:
        validate(self)

    def suited(self: S, models: Sequence[Any]) -> S:
        """These options, checked against the models at all points.

        Raises
        ------
        ModelError
            If they do not go together.
        """
        return self

    def unused(self, of: type[Options], why: str) -> None:
        """Refuse what of the options of a kind is given here and would have no effect."""
        for name, f in described(of).items():
            value = getattr(self, name)
            if f.default is not dataclasses.MISSING and value != f.default:
                raise ModelError(name, value, f"must be {plain(f.default)} {why}")

    def record(self) -> dict[str, Any]:
        """What a Result tells of them; times are its axis."""
        return {
            name: _told(getattr(self, name))
            for name, f in described(type(self)).items()
            if f.metadata["kind"] is not list
        }


@dataclass(frozen=True, kw_only=True)
class Replicas(Options):
    """Of every run that is made of independent replicas."""

    replicas: int = param(8, "independent replicas", kind=int, low=1, short="-r")
    seed: int = param(
        0, "seed; with the replica and the engine it fixes every random number", kind=int, low=0, high=LARGEST_INTEGER,
        short="-s",
    )  # fmt: skip
    threads: int | None = param(
        None, "threads over replicas; none: all cores", kind=int, low=1, short="-j", optional=True
    )
    progress: Any = handed("function that is called with the fraction done")
    checkpoint: Any = handed("function that is called with the replicas finished until then, soon after they are")
    resume: Any = handed("Result of finished replicas of the same run, which are not done again")

    def __post_init__(self) -> None:
        super().__post_init__()
        # Before anything is drawn or compiled.
        for name, takes in (("checkpoint", "a Result"), ("progress", "the fraction done")):
            given = getattr(self, name)
            if given is not None and not callable(given):
                raise ModelError(name, given, f"must be a function that takes {takes}")
        if self.resume is not None and not isinstance(self.resume, Result):
            raise ModelError("resume", self.resume, "must be the Result of an unfinished run")


@dataclass(frozen=True, kw_only=True)
class Sized(Options):
    """Of a simulation in N dimensions, where of all that is counted in units of N there must be one."""

    N: int = param(400, "input dimension", kind=int, low=2, short="-N")

    def suited(self: Z, models: Sequence[Any]) -> Z:
        for model in models:
            for name, what in model.counted.items():
                if getattr(model, name) is not None:
                    counted(name, getattr(model, name), self.N, what)
        return self


@dataclass(frozen=True, kw_only=True)
class Every(Options):
    """Of every run, whatever its model; see `tsphys.simulate` and `tsphys.solve`."""

    progress: Any = handed("function that is called with the fraction done, or true: a bar")
    partial: bool = param(False, "where a point has no result NaN, not an error", kind=bool)


@dataclass(frozen=True, kw_only=True)
class Precision(Every):
    """Of every simulation: replicas are added until means are known well enough."""

    until_sem: Any = param(
        None,
        'standard error to meet, of the first observable or as {"eps_g": 0.01}: replicas are added until it is; '
        "none: as many as replicas",
        optional=True,
    )
    most_replicas: int | None = param(
        None, "replicas at most for until_sem; none: 1024", kind=int, low=2, optional=True
    )


@dataclass(frozen=True, kw_only=True)
class Expansion(Every):
    """Of every theory: the first order in 1/N, where it is known."""

    fluctuations: bool = param(False, "also what runs of size N differ by, and fluctuate", kind=bool)


def chosen(options: type[O], given: Mapping[str, Any]) -> O:
    """The options of this kind among those that are given, checked, and the others by default."""
    return options(**{name: given[name] for name in described(options) if name in given})


def _told(value: Any) -> Any:
    return f"given {of_array(value)}" if isinstance(value, np.ndarray) else plain(value)
