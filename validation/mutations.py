"""Errors planted on purpose: which share of small mistakes in the physics do the checks and the tests see?

    python -m tsphys.validation.mutations                      # every planted error, held against `validate --quick`
    python -m tsphys.validation.mutations hopfield --by tests  # one model, by its tests
    python -m tsphys.validation.mutations --by validate,tests -o caught.json
    python -m tsphys.validation.mutations --by tests --left caught.json     # what it says survived, by another judge

A command for maintainers, run in a checkout. Each error is planted in a copy of the tree, in a folder of its own; the
tree itself is never touched. ``mutations.toml`` beside this file lists them: for each model, what is wrong, the file,
the text that stands there once, and what stands there instead.
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

from tsphys.errors import ModelError

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "validation" / "mutations.toml"
#: What an error is held against, and the share that it has to catch.
JUDGES = {"quick": 0.85, "validate": 0.95, "tests": 0.98}

#: Kernels of the copies are stamped by what they compute, so that an error compiles those that have it and no others.
_STAMP = """
import sys
from functools import cached_property
from numba.core.caching import CacheImpl
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

for kind in CacheImpl._locator_classes[:3]:
    kind.__init__ = lambda self, py_func, py_file, make=kind.__init__: kept(self, py_func, py_file, make)
    kind.get_source_stamp = lambda self: self.told
"""
_VALIDATE = (
    _STAMP
    + """
from tsphys.validation.checks import Setting
from tsphys.validation.run import line, validate
for row in validate(sys.argv[1:2], Setting(quick="quick" in sys.argv)):
    if not row.ok:
        print(line(row))
        sys.exit(1)
"""
)
_TESTS = _STAMP + "import pytest\nsys.exit(pytest.main(sys.argv[1:]))"


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
    """What git tracks of `tree`, with links as links, and the compiled kernels beside it."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=tree, capture_output=True, text=True, check=True).stdout
    for name in [*tracked.split("\0")[:-1], *_compiled(tree)]:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / name, to / name, follow_symlinks=False)
    return to


def _compiled(tree: Path) -> list[str]:
    return [str(p.relative_to(tree)) for end in ("nbi", "nbc") for p in _files(tree, end)]


def cleaned(tree: Path, mutation: Mutation) -> None:
    """`tree` with its kernels as they were, where the error was in one: it compiles others in their place."""
    text = (tree / mutation.file).read_text(encoding="utf-8")
    if "njit" in text or "rebind" in text:
        for name in _compiled(tree):
            (tree / name).unlink()
        for name in _compiled(ROOT):
            shutil.copy2(ROOT / name, tree / name)


def _files(tree: Path, end: str) -> Iterator[Path]:
    for folder, inside, files in os.walk(tree):
        inside[:] = [d for d in inside if not d.startswith(".")]
        yield from (Path(folder) / f for f in files if f.endswith(end))


def arguments(mutation: Mutation, judge: str, tree: Path) -> list[str]:
    """What Python is called with, in `tree`, to judge a mutation."""
    if judge != "tests":
        return ["-c", _VALIDATE, mutation.model, judge]
    own = sorted(str(p.relative_to(tree)) for p in (tree / "tests").glob(f"test_{mutation.model}*.py"))
    return ["-c", _TESTS, "-q", "-x", "-p", "no:cacheprovider", *own, *mutation.tests]


def judged(mutation: Mutation, judge: str, tree: Path) -> tuple[str, str]:
    """("caught" | "survived" | "broken", last line that was printed); broken is what could not even run."""
    file = tree / mutation.file
    sound = file.read_text(encoding="utf-8")
    file.write_text(mutation.planted(sound), encoding="utf-8")
    try:
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        done = subprocess.run(
            [sys.executable, *arguments(mutation, judge, tree)],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
        )
    finally:
        file.write_text(sound, encoding="utf-8")
    lines = (done.stdout + done.stderr).strip().splitlines()
    failed = [line for line in lines if " FAIL " in line or line.startswith("FAILED")]
    word = {0: "survived", 1: "caught"}.get(done.returncode, "broken")
    return word, " ".join((failed or lines or [""])[-1].split())[:160]


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--by", default="quick", metavar="LIST", help="Judges: quick, validate, tests, or several with commas.")
@click.option("--about", default="", metavar="TEXT", help="Only errors whose description has this text.")
@click.option("--left", type=click.Path(exists=True), metavar="FILE", help="Only those that survived by this output.")
@click.option("-o", "--output", metavar="FILE", help="Every outcome, as JSON, written after each.")
def main(models: tuple[str, ...], by: str, about: str, left: str | None, output: str | None) -> None:
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
    for outcome in _all(found, judges):
        outcomes.append(outcome)
        if output is not None:
            Path(output).write_text(json.dumps(outcomes, indent=1), encoding="utf-8")
    for judge in judges:
        mine = [o for o in outcomes if o["judge"] == judge and o["outcome"] != "broken"]
        caught = sum(o["outcome"] == "caught" for o in mine)
        click.echo(f"{judge}: {caught} of {len(mine)} caught; wanted {JUDGES[judge]:.0%}")


def _all(found: list[Mutation], judges: list[str]) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        tree = copy_of(ROOT, Path(folder))
        for mutation in found:
            for judge in judges:
                outcome, line = judged(mutation, judge, tree)
                told = mutation.why if outcome == "survived" and judge != "tests" else line
                click.echo(f"{outcome:<9} {judge:<9} {mutation.model:<22} {mutation.about:<52} {told}")
                yield {**asdict(mutation), "judge": judge, "outcome": outcome, "line": line}
            cleaned(tree, mutation)


if __name__ == "__main__":
    main()
