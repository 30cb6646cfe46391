"""Errors planted on purpose: which share of small mistakes in the physics do the checks and the tests see?

    python -m tsphys.validation.mutations                      # every planted error, held against `validate --quick`
    python -m tsphys.validation.mutations hopfield --by tests  # one model, by its tests
    python -m tsphys.validation.mutations --by validate,tests -o caught.json

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

#: Kernels of the copies are stamped by the sources that hold kernels, so that an error in any other file compiles none.
_STAMP = """
import hashlib, sys
import tsphys._jit as jit
digest = hashlib.sha256()
for root in jit._ROOTS:
    for file in sorted(root.rglob("*.py")):
        text = file.read_bytes()
        if b"njit" in text or b"rebind" in text:
            digest.update(text)
stamp = digest.hexdigest()
jit.source_hash = lambda: stamp
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
    """

    model: str
    about: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()

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
        Mutation(name, row["about"], row["file"], row["old"], row["new"], tuple(row.get("tests", ())))
        for name, rows in table.items()
        if not models or name in models
        for row in rows
    ]


def copy_of(tree: Path, to: Path) -> Path:
    """What git tracks of `tree`, with links as links, and the compiled kernels beside it."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=tree, capture_output=True, text=True, check=True).stdout
    compiled = [str(p.relative_to(tree)) for end in ("nbi", "nbc") for p in _files(tree, end)]
    for name in [*tracked.split("\0")[:-1], *compiled]:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / name, to / name, follow_symlinks=False)
    return to


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
@click.option("-o", "--output", metavar="FILE", help="Every outcome, as JSON.")
def main(models: tuple[str, ...], by: str, about: str, output: str | None) -> None:
    """Plant each error in a copy of the tree, and tell which share each judge catches."""
    try:
        found = [m for m in mutations(models) if about in m.about]
        for judge in by.split(","):
            if judge not in JUDGES:
                raise ModelError("by", judge, "must be among " + ", ".join(JUDGES))
        outcomes = _all(found, by.split(","))
    except ModelError as error:
        raise click.UsageError(str(error)) from None
    if output is not None:
        Path(output).write_text(json.dumps(outcomes, indent=1), encoding="utf-8")
    for judge in by.split(","):
        mine = [o for o in outcomes if o["judge"] == judge and o["outcome"] != "broken"]
        caught = sum(o["outcome"] == "caught" for o in mine)
        click.echo(f"{judge}: {caught} of {len(mine)} caught; wanted {JUDGES[judge]:.0%}")


def _all(found: list[Mutation], judges: list[str]) -> list[dict[str, Any]]:
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        tree = copy_of(ROOT, Path(folder))
        for mutation in found:
            for judge in judges:
                outcome, line = judged(mutation, judge, tree)
                click.echo(f"{outcome:<9} {judge:<9} {mutation.model:<22} {mutation.about:<52} {line}")
                outcomes.append({**asdict(mutation), "judge": judge, "outcome": outcome, "line": line})
    return outcomes


if __name__ == "__main__":
    main()
