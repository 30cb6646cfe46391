"""Engines that declare what they can do, and how one of them is chosen, or refused in a line: from tables alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tsphys.errors import ModelError
from tsphys.ground.parameters import ENGINES, word


@dataclass(frozen=True)
class Engine:
    """What runs something.

    Parameters
    ----------
    name : str
    takes : frozenset of str
        Features that it has; a new one is refused until it is added here.
    dtypes : tuple of str
        Precisions.
    apart : tuple of pairs
        Features that it has, but the second of a pair not beside the first.
    """

    name: str
    takes: frozenset[str]
    dtypes: tuple[str, ...] = ("float64",)
    apart: tuple[tuple[str, str], ...] = ()

    def lacks(self, asked: Iterable[str]) -> list[str]:
        """Which of some features it does not have, or not beside the others."""
        asked = list(asked)
        beside = {second for first, second in self.apart if first in asked}
        return [name for name in asked if name not in self.takes or name in beside]


def chosen(
    engines: Sequence[Engine], features: Mapping[str, str], asked: Iterable[str], engine: str, dtype: str = "float64"
) -> str:
    """The engine of this name, or with ``auto`` the first of `engines` that has all that is `asked`.

    Parameters
    ----------
    engines : sequence of Engine
    features : mapping
        Every feature in words.
    asked : iterable of str
        Those that a run needs.
    engine, dtype : str
        As they are given.

    Raises
    ------
    ModelError
        If there is no engine of this name, or it lacks a feature or the precision.
    """
    word("engine", engine, ENGINES)
    asked = list(asked)
    able = [e for e in engines if not e.lacks(asked)]
    of = able if engine == "auto" else [e for e in engines if e.name == engine]
    for one in of:
        if one not in able:
            words = ", ".join(features[name] for name in one.lacks(asked))
            raise ModelError("engine", engine, f"must be {_or(e.name for e in able)} for {words}")
        if dtype in one.dtypes:
            return one.name
    named = f"engine {engine}" if engine != "auto" else ", ".join(features[name] for name in asked)
    raise ModelError("dtype", dtype, f"must be {_or(d for e in of for d in e.dtypes)} with {named}")


def _or(names: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(names))
