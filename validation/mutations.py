"""Errors planted on purpose: which share of small mistakes in the physics do the checks and the tests see?

    python -m tsphys.validation.mutations                      # every planted error, held against `validate --quick`
    python -m tsphys.validation.mutations hopfield --by tests  # one model, by its tests
    python -m tsphys.validation.mutations --by validate,tests -o caught.json
    python -m tsphys.validation.mutations --by tests --left caught.json     # what it says survived, by another judge
    python -m tsphys.validation.mutations --by tests --sample 60 --seed 1   # some of them, drawn at random

A command for maintainers, run in a checkout. Each error is planted in a copy of the tree, in a folder of its own; the
tree itself is never touched. ``mutations.toml`` beside this file lists them: for each model, what is wrong, the file,
the text that stands there once, and what stands there instead.

What a check or test took is kept beside the copy's kernels, and the cheapest are asked first: ``--tree FOLDER``, which
keeps the copy, makes the next call cheaper. A check that sees an error has to pass without it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from tsphys.errors import ModelError

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "validation" / "mutations.toml"
#: What an error is held against, and the share that it has to catch.
JUDGES = {"quick": 0.85, "validate": 0.95, "tests": 0.98}

#: What stands before the name of a check or test that failed, in what is printed.
_BY = "failed: "
#: Seconds after which an error counts as seen: nothing takes so long that is sound.
_ENDLESS = 1800

#: What an error without an end is seen by.
_TIME = "the time that it takes"

#: Kernels of the copies are stamped, and filed, by what they compute: an error compiles those that have it and no
#: others, and leaves the sound ones where they are.
_STAMP = """
import json, sys, time
from functools import cached_property
from pathlib import Path
from numba.core import caching
import tsphys._jit
from tsphys.ground.fingerprint import fingerprint

class Late:
    "Asked for when a kernel is called: by then all that it calls is there."
    def __init__(self, f):
        self.f = f
    @cached_property
    def told(self):
        return fingerprint(self.f)
    def __eq__(self, other):
        return self.told == other
    def __reduce__(self):
        return str, (self.told,)

def kept(self, py_func, py_file, make):
    make(self, py_func, py_file)
    self.told = Late(py_func)

class Filed(caching.IndexDataCacheFile):
    def _load_index(self):
        stamp = self._source_stamp
        if isinstance(stamp, Late) and stamp.told not in self._index_name:
            base = self._index_name.removesuffix("nbi") + stamp.told
            self._index_name, self._data_name_pattern = base + ".nbi", base + ".{number:d}.nbc"
            self._index_path = str(Path(self._cache_path, self._index_name))
        return super()._load_index()

caching.IndexDataCacheFile = Filed
for kind in caching.CacheImpl._locator_classes[:3]:
    kind.__init__ = lambda self, py_func, py_file, make=kind.__init__: kept(self, py_func, py_file, make)
    kind.get_source_stamp = lambda self: self.told

class Seen:
    "What took how long in this tree, the cheapest first from then on; and what failed."
    def __init__(self):
        self.file, self.failed = Path(".seconds.json"), False
        self.seconds = json.loads(self.file.read_text()) if self.file.exists() else {}
    def of(self, name):
        return self.seconds.get(name, 1e9)
    def saw(self, name, seconds, passed):
        self.seconds[name] = min(seconds, self.of(name))
        self.file.write_text(json.dumps(self.seconds))
        if not passed:
            self.failed = True
            print("", "failed: " + name, sep=chr(10))
    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self.of(item.nodeid))
    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.failed:
            self.saw(report.nodeid, report.duration, not report.failed)

seen = Seen()
"""
_VALIDATE = (
    _STAMP
    + """
from tsphys.validation import run
from tsphys.validation.checks import Setting
judge, model, only = sys.argv[1], sys.argv[2], sys.argv[3:]
setting = Setting(quick=judge == "quick")
named = {f"{model} {judge}: {check.kind} {check.name}": check for check in run.checks_of(model, setting)}
for name in only or sorted(named, key=seen.of):
    run.checks_of = lambda *a: [named[name]]
    try:
        (row,) = run.validate([model], setting)
        if not row.ok:
            print(run.line(row))
        seen.saw(name, row.seconds, row.ok)
    except Exception as error:
        print(f"{type(error).__name__} FAIL {error}")
        seen.saw(name, 0.0, False)
    if seen.failed and not only:
        break
sys.exit(bool(seen.failed))
"""
)
_TESTS = _STAMP + "import pytest\nsys.exit(pytest.main(sys.argv[1:], plugins=[seen]))"
_PYTEST = ["-c", _TESTS, "-q", "-p", "no:cacheprovider"]


@dataclass(frozen=True)
class Mutation:
    """A planted error.

    Parameters
    ----------
    model : str
        Whose checks and tests should see it.
    about : str
        What is wrong, in a few words.
    file : str
        Path from the top of the tree.
    old, new : str
        The text that stands there exactly once, and what replaces it.
    tests : tuple of str
        Files of tests beside ``tests/test_<model>*.py`` that answer for this place.
    why : str
        Why no check of `validate` sees it, where none does.
    """

    model: str
    about: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    why: str = ""

    def planted(self, text: str) -> str:
        """`text` with the error in it.

        Raises
        ------
        ModelError
            If the text does not stand there exactly once.
        """
        count = text.count(self.old)
        if count != 1:
            raise ModelError("old", self.old, f"must stand once in {self.file}, where it stands {count} times")
        return text.replace(self.old, self.new)


def mutations(models: Sequence[str] = ()) -> list[Mutation]:
    """The planted errors of some models, of all by default, in the order of the list."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    table: dict[str, list[dict[str, Any]]] = tomllib.loads(LIST.read_text(encoding="utf-8"))
    for name in models:
        if name not in table:
            raise ModelError("model", name, "must be one of " + ", ".join(table))
    return [
        Mutation(name, **{**row, "tests": tuple(row.get("tests", ()))})
        for name, rows in table.items()
        if not models or name in models
        for row in rows
    ]


def copy_of(tree: Path, to: Path) -> Path:
    """What git tracks of `tree`, with links as links; what stands in `to` already, as kernels that fit, stays."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=tree, capture_output=True, text=True, check=True).stdout
    for name in tracked.split("\0")[:-1]:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        if (tree / name).is_symlink():
            (to / name).unlink(missing_ok=True)
        shutil.copy2(tree / name, to / name, follow_symlinks=False)
    return to


def arguments(mutation: Mutation, judge: str, tree: Path) -> list[str]:
    """What Python is called with, in `tree`, to judge a mutation."""
    if judge != "tests":
        return ["-c", _VALIDATE, judge, mutation.model]
    own = sorted(str(p.relative_to(tree)) for p in (tree / "tests").glob(f"test_{mutation.model}*.py"))
    return [*_PYTEST, "-x", *own, *mutation.tests]


def judged(mutation: Mutation, judge: str, tree: Path) -> tuple[str, str, str]:
    """("caught" | "survived" | "broken", last line printed, what failed); what could not even run is broken."""
    file = tree / mutation.file
    sound = file.read_text(encoding="utf-8")
    file.write_text(mutation.planted(sound), encoding="utf-8")
    try:
        code, lines, by = _run(arguments(mutation, judge, tree), tree)
    finally:
        file.write_text(sound, encoding="utf-8")
    told = [line for line in lines if " FAIL " in line or line.startswith("FAILED")]
    word = "survived" if code == 0 else "caught" if code == 1 and by else "broken"
    return word, " ".join((told or lines or [""])[-1].split())[:160], (by or [""])[0]


def unsound(model: str, judge: str, names: Sequence[str], tree: Path) -> list[str]:
    """Those of some checks or tests that fail in the sound tree as well, and hence see nothing."""
    argv = [*_PYTEST, *names] if judge == "tests" else ["-c", _VALIDATE, judge, model, *names]
    code, _, by = _run(argv, tree)
    return by if code in (0, 1) else [*names]


def _run(argv: Sequence[str], tree: Path) -> tuple[int, list[str], list[str]]:
    """Exit code, what was printed, and the names of what failed."""
    try:
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            timeout=_ENDLESS,
        )
    except subprocess.TimeoutExpired:
        return 1, [f"no end within {_ENDLESS} s"], [_TIME]
    lines = (done.stdout + done.stderr).strip().splitlines()
    by = [line.removeprefix(_BY) for line in lines if line.startswith(_BY)]
    return done.returncode, [line for line in lines if not line.startswith(_BY)], by


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--by", default="quick", metavar="LIST", help="Judges: quick, validate, tests, or several with commas.")
@click.option("--about", default="", metavar="TEXT", help="Only errors whose description has this text.")
@click.option("--left", type=click.Path(exists=True), metavar="FILE", help="Only those that survived by this output.")
@click.option("--sample", type=click.IntRange(1), metavar="NUMBER", help="Only so many of them, drawn at random.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of what is drawn.")
@click.option(
    "--tree", type=click.Path(file_okay=False), metavar="FOLDER", help="The copy, to be kept with its kernels."
)
@click.option("-o", "--output", metavar="FILE", help="Every outcome, as JSON, written after each.")
def main(
    models: tuple[str, ...],
    by: str,
    about: str,
    left: str | None,
    sample: int | None,
    seed: int,
    tree: str | None,
    output: str | None,
) -> None:
    """Plant each error in a copy of the tree, and tell which share each judge catches."""
    outcomes = []
    judges = by.split(",")
    try:
        for judge in judges:
            if judge not in JUDGES:
                raise ModelError("by", judge, "must be among " + ", ".join(JUDGES))
        found = [m for m in mutations(models) if about in m.about]
    except ModelError as error:
        raise click.UsageError(str(error)) from None
    if left is not None:
        rows = json.loads(Path(left).read_text(encoding="utf-8"))
        survived = {(row["model"], row["about"]) for row in rows if row["outcome"] == "survived"}
        found = [m for m in found if (m.model, m.about) in survived]
    found = drawn(found, sample, seed)
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        for outcome in _all(found, judges, copy_of(ROOT, Path(tree or folder))):
            outcomes.append(outcome)
            if output is not None:
                Path(output).write_text(json.dumps(outcomes, indent=1), encoding="utf-8")
    for judge in judges:
        mine = [o["outcome"] == "caught" for o in outcomes if o["judge"] == judge and o["outcome"] != "broken"]
        click.echo(f"{judge}: {share(sum(mine), len(mine))}; wanted {JUDGES[judge]:.0%}")


def drawn(found: list[Mutation], sample: int | None, seed: int) -> list[Mutation]:
    """So many of some errors, at random, in the order of the list; all of them without a number."""
    if sample is None or sample >= len(found):
        return found
    chosen = np.random.default_rng(seed).choice(len(found), sample, replace=False)
    return [found[i] for i in sorted(chosen)]


def share(caught: int, judged: int) -> str:
    """How many were caught, and where the share of all lies with 95 %, by Clopper and Pearson."""
    if judged == 0:
        return "none judged"
    from scipy.stats import binomtest

    low, high = binomtest(caught, judged).proportion_ci()
    return f"{caught} of {judged} caught, {caught / judged:.1%} (95 %: {low:.1%} to {high:.1%})"


def _all(found: list[Mutation], judges: list[str], tree: Path) -> Iterator[dict[str, Any]]:
    """Outcomes, each told as it comes. What is caught by a check that fails without the error as well is broken."""
    known: dict[str, bool] = {}
    for mutation in found:
        for judge in judges:
            outcome, line, by = judged(mutation, judge, tree)
            if by and by != _TIME and by not in known:
                known[by] = not unsound(mutation.model, judge, [by], tree)
            if not known.get(by, True):
                outcome, line = "broken", f"fails without the error as well: {by}"
            told = mutation.why if outcome == "survived" and judge != "tests" else line
            click.echo(f"{outcome:<9} {judge:<9} {mutation.model:<22} {mutation.about:<52} {told}")
            yield {**asdict(mutation), "judge": judge, "outcome": outcome, "by": by, "line": line}


if __name__ == "__main__":
    main()
