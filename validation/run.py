"""Run the checks, one after the other, and tell what they found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.texts import known
from tsphys.registry import LIBRARY_ONLY, MODELS
from tsphys.validation.checks import KINDS, Check, Finding, Setting


@dataclass(frozen=True)
class Row:
    """A check that was done.

    Parameters
    ----------
    model, kind, name : str
        What was checked.
    finding : Finding
    seconds : float
    """

    model: str
    kind: str
    name: str
    finding: Finding
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it passed; NaN does not."""
        return self.finding.score <= self.finding.limit


def names() -> list[str]:
    """Models that can be validated: all."""
    return [*MODELS, *LIBRARY_ONLY]


def validate(
    models: Sequence[str] = (), setting: Setting | None = None, progress: Callable[[float], None] | None = None
) -> Iterator[Row]:
    """Do the checks of some models, of all by default, yielding each as it is done.

    A check that raises an error of tsphys has failed.

    Raises
    ------
    ModelError
        For a model that is not known.
    """
    for name in models:
        known("model", name, names())
    setting = setting or Setting()
    todo = [(model, check) for model in models or names() for check in checks_of(model, setting)]
    for done, (model, check) in enumerate(todo):
        start = time.perf_counter()
        try:
            finding = check.run(setting)
        except (ModelError, ConvergenceError, DivergedError) as error:
            finding = Finding(float("inf"), 0.0, f"{type(error).__name__}: {error}")
        if progress is not None:
            progress((done + 1) / len(todo))
        yield Row(model, check.kind, check.name, finding, time.perf_counter() - start)


def checks_of(model: str, setting: Setting) -> list[Check]:
    """The checks of a model."""
    return import_module(f"tsphys.validation.{model}").checks(setting.quick)


def line(row: Row) -> str:
    """A row of the table, as text."""
    words = f"{row.model:<21} {row.kind:<10} {row.name:<30} {row.finding.score:>8.3g} {row.finding.limit:>8.3g}"
    return f"{words}  {'pass' if row.ok else 'FAIL'} {row.seconds:>6.1f} s  {row.finding.detail}"


def head() -> str:
    """Titles of the columns of `line`."""
    return f"{'model':<21} {'kind':<10} {'check':<30} {'score':>8} {'allowed':>8}  {'':<4} {'time':>8}  largest"


def verdict(rows: Sequence[Row]) -> str:
    """How many passed, in words."""
    failed = sum(not row.ok for row in rows)
    took = sum(row.seconds for row in rows)
    return f"{len(rows) - failed} of {len(rows)} checks passed in {took:.0f} s" + (
        f", {failed} FAILED" if failed else ""
    )


def legend() -> list[str]:
    """What the scores of each kind are."""
    return [f"{kind}: {words}" for kind, words in KINDS.items()]
