"""What a model costs: lines in each room, places that it takes, and how much of them is frame and not physics.

``python docs/cost.py`` prints a row a model and what `architecture.md` says of all, ``--write`` writes the latter; a
test holds the page to it, to a tenth. Code is lines without docstrings, comments, imports and blank ones. The frame is
what files say to it: decorators and signatures of ``simulate`` and ``solve``, memory, and options.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tsphys.catalogue import CATALOGUE, Entry

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- from docs/cost.py -->\n", "<!-- end -->\n"
LIBRARY = ("tsphys/models", "tsphys/rules", "sims", "odes", "replica")
#: Rooms in which a model has files of its own, by what they are called in tables.
ROOMS = {"library": LIBRARY, "figures": ("figures",), "validation": ("validation",), "tests": ("tests",),
         "docs": ("docs",)}  # fmt: skip
VERBS = ("simulate", "solve")
#: Models of which the page tells by name.
SHOWN = ("perceptron", "opposing_signals")
#: Rooms of what several models share; what but one needs is counted with that one.
SHARED = ("tsphys/physics", "tsphys/rules", "tsphys/solvers", "sims", "odes", "replica")


@dataclass(frozen=True)
class Lines:
    """Lines of a file: all, code only, and those of the code that are said to the frame, or declare options."""

    all: int = 0
    code: int = 0
    frame: int = 0
    options: int = 0

    def __add__(self, other: Lines) -> Lines:
        return Lines(*(x + y for x, y in zip(vars(self).values(), vars(other).values(), strict=True)))


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _span(node: ast.AST) -> set[int]:
    """Lines of a piece of code, with what decorates it."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])  # type: ignore[attr-defined]
    return set(range(first, node.end_lineno + 1))  # type: ignore[attr-defined]


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """All statements, without a look into expressions, which are most of a tree."""
    left: list[Any] = [tree]
    while left:
        node = left.pop()
        inner = [x for name in ("body", "orelse", "finalbody", "handlers") for x in getattr(node, name, ())]
        left += inner
        yield from (x for x in inner if isinstance(x, ast.stmt))


def _aside(tree: ast.Module) -> set[int]:
    """Lines of docstrings and imports."""
    out: set[int] = set()
    for node in _statements(tree):
        said = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        out |= _span(node) if said or isinstance(node, ast.Import | ast.ImportFrom) else set()
    return out


def _framed(tree: ast.Module) -> tuple[set[int], set[int]]:
    """Lines that are said to a frame, and those that declare options, which are what takes its fields by name alone."""
    said: set[int] = set()
    options: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any("kw_only" in ast.unparse(d) for d in node.decorator_list):
            options |= _span(node)
        elif isinstance(node, ast.FunctionDef) and node.name in VERBS:
            said |= _span(node) - set(range(node.body[0].lineno, (node.end_lineno or 0) + 1))
        elif isinstance(node, ast.FunctionDef) and node.name == "memory":
            said |= _span(node)
    return said, options


@cache
def counted(path: Path) -> Lines:
    """Lines of a file; of pages all are what they say."""
    text = path.read_text(encoding="utf-8")
    n = text.count("\n")
    if path.suffix != ".py":
        return Lines(n, n)
    tree = _parsed(path)
    said = {i for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")}
    code = said - _aside(tree)
    return Lines(n, len(code), *(len(code & part) for part in _framed(tree)))


def total(paths: Iterable[Path]) -> Lines:
    """Of several files."""
    return sum(map(counted, paths), Lines())


@cache
def _imported(path: Path) -> set[Path]:
    """Files of the package that a file takes from."""
    out: set[Path] = set()
    for node in _statements(_parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")[1:]
            for first in ((), ("tsphys",)):
                file = ROOT.joinpath(*first, *parts).with_suffix(".py") if parts else ROOT
                out |= {file} if file.is_file() else set()
    return out


@cache
def alone() -> dict[str, list[Path]]:
    """Files of the shared rooms that serve one model only, by its name."""
    own = {name: {p for room in LIBRARY if (p := ROOT / room / f"{name}.py").is_file()} for name in CATALOGUE}
    taken = set().union(*own.values())
    shared = {p for room in SHARED for p in (ROOT / room).rglob("*.py")} - taken
    users: dict[Path, set[str]] = {}
    for name, first in own.items():
        seen, new = set(first), set(first)
        while new:
            new = set().union(*map(_imported, new)) & shared - seen
            seen |= new
        for path in seen - first:
            users.setdefault(path, set()).add(name)
    return {name: sorted(p for p, who in users.items() if who == {name}) for name in CATALOGUE}


def files(model: Entry, room: str) -> list[Path]:
    """The files of a model in a room."""
    if room == "figures":
        return [ROOT / "figures" / f"{name}.py" for name in model.figures]
    if room == "tests":
        own = [ROOT / "tests" / f"test_{model.name}.py", *(ROOT / "tests").glob(f"test_{model.name}_*.py")]
        longer = [name for name in CATALOGUE if name.startswith(f"{model.name}_")]
        own = [p for p in own if not any(p.stem.startswith(f"test_{name}") for name in longer)]
        return sorted({p for p in [*own, ROOT / "tests" / "naive" / f"{model.name}.py"] if p.exists()})
    end = "md" if room == "docs" else "py"
    found = [path for folder in ROOMS[room] if (path := ROOT / folder / f"{model.name}.{end}").exists()]
    return [*found, *alone()[model.name]] if room == "library" else found


def places(model: Entry) -> int:
    """Files under its name, one figure and its picture among them, and its entry in the catalogue."""
    pictures = [p for p in (ROOT / "docs" / "figures").glob(f"{model.name}.*") if p.suffix in (".png", ".gif")]
    named = [p for room in ROOMS for p in files(model, room) if p.stem in (model.name, f"test_{model.name}")]
    return len(named) + len(pictures[:1]) + 1


def table() -> str:
    """A row a model, those of the longest libraries first: lines in all and of code by room, and places."""
    heads = [head for room in (*ROOMS, "in all") for head in (room, "code")]
    rows = [f"{'model':24}" + "".join(f"{head:>11}" for head in heads) + "  places"]
    for model in sorted(CATALOGUE.values(), key=lambda model: -total(files(model, "library")).code):
        found = [total(files(model, room)) for room in ROOMS]
        cells = [n for lines in (*found, sum(found, Lines())) for n in (lines.all, lines.code)]
        rows.append(f"{model.name:24}" + "".join(f"{n:11}" for n in cells) + f"{places(model):8}")
    return "\n".join(rows)


def _linked(path: Path) -> bool:
    """Whether a file is seen through the link of a room."""
    return any(parent.is_symlink() for parent in path.parents)


def rows() -> dict[str, tuple[int, int]]:
    """What the page says: number of all lines, and of those of code, by words."""
    every = {p for room in ("tsphys", "sims", "odes", "replica") for p in (ROOT / room).rglob("*.py") if not _linked(p)}
    out = {
        "tsphys, sims, odes, replica": total(every),
        "of them files that serve one model": total({p for m in CATALOGUE.values() for p in files(m, "library")}),
    }
    found = {room: [total(files(model, room)) for model in CATALOGUE.values()] for room in ROOMS}
    found["in all rooms"] = [sum(lines, Lines()) for lines in zip(*found.values(), strict=True)]
    for room, lines in found.items():
        mean = sum(lines, Lines())
        out[f"a model, mean, {room}"] = Lines(round(mean.all / len(lines)), round(mean.code / len(lines)))
    for name in SHOWN:
        for room in ("library", "in all rooms"):
            out[f"{name}, {room}"] = found[room][list(CATALOGUE).index(name)]
    return {words: (lines.all, lines.code) for words, lines in out.items()}


def text() -> str:
    """What stands on the page."""
    lines = "".join(f"| {words} | {n:,} | {code:,} |\n" for words, (n, code) in rows().items())
    rooms, counts = ("sims", "odes", "replica"), sorted(map(places, CATALOGUE.values()))
    own = total(p for room in rooms for name in CATALOGUE if (p := ROOT / room / f"{name}.py").exists())
    frame, options = (round(100 * part / own.code) for part in (own.frame, own.options))
    return (
        f"| {len(CATALOGUE)} models | lines | of code |\n|---|---|---|\n{lines}\n"
        f"Of the code in the models' own files of sims, odes and replica decorators, signatures and memory are {frame} "
        f"%, declarations of options {options} %.\nA model has files in {counts[len(counts) // 2]} places, at most "
        f"{counts[-1]}, the catalogue among them.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page")
    if parser.parse_args().write:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        PAGE.write_text(before + BEGIN + text() + END + rest.split(END, 1)[1], encoding="utf-8")
    print(table(), text(), sep="\n\n")


if __name__ == "__main__":
    main()
