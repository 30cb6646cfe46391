"""Rows of numbers with their spread, as text, CSV, Markdown or arrays."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.runs.files import write_atomically
from tsphys.runs.provenance import provenance
from tsphys.runs.result import Result

SUFFIXES = (".csv", ".json", ".md", ".npz")


@dataclass(frozen=True)
class Row:
    """A measured number: the median over the rounds, and the smallest and largest of them."""

    section: str
    name: str
    value: float
    low: float
    high: float
    unit: str


def row(section: str, name: str, samples: Any, unit: str) -> Row:
    """The row of a number that was measured several times."""
    samples = np.atleast_1d(np.asarray(samples, dtype=float))
    return Row(section, name, float(np.median(samples)), float(samples.min()), float(samples.max()), unit)


def ratio(section: str, name: str, above: np.ndarray, below: np.ndarray) -> Row:
    """The row of the ratio of two times, round by round."""
    return row(section, name, above / below, "x")


def number(x: float) -> str:
    """Three digits, without an exponent where that is short."""
    return f"{x:.3g}" if x < 1000 else f"{x:.0f}"


def changed(new: Row, old: Row) -> str:
    """The same number in an earlier run beside it, and whether all rounds of one are beyond all of the other."""
    apart = " up" if new.low > old.high else " down" if new.high < old.low else ""
    return f"   was {number(old.value)}{apart}"


def text(rows: Iterable[Row], before: Mapping[tuple[str, str], Row] | None = None) -> str:
    """Sections with a line a row: name, median, range over the rounds, what an earlier run had."""
    lines: list[str] = []
    rows = list(rows)
    width = max((len(r.name) for r in rows), default=0)
    for at, r in enumerate(rows):
        if at == 0 or rows[at - 1].section != r.section:
            lines += ["", r.section]
        spread = "" if r.low == r.high else f"   ({number(r.low)} … {number(r.high)})"
        old = (before or {}).get((r.section, r.name))
        lines.append(f"  {r.name:<{width}} {number(r.value):>8} {r.unit:<3}{spread}{changed(r, old) if old else ''}")
    return "\n".join(lines[1:])


def write(path: Path, rows: Sequence[Row], parameters: dict[str, Any]) -> None:
    """The rows as CSV, JSON, Markdown or npz, by the suffix of `path`, with the setting and the versions."""
    names = [f.name for f in fields(Row)]
    if path.suffix == ".npz":
        columns: dict[str, Any] = {n: np.array([getattr(r, n) for r in rows]) for n in names}
        result = Result("benchmark", "tsphys", parameters, "name", columns, meta=provenance())
        write_atomically(path, result.write)
        return
    known = {"benchmark": parameters, **provenance()}
    record = json.dumps(known)
    out = io.StringIO()
    if path.suffix == ".json":
        json.dump({**known, "rows": [asdict(r) for r in rows]}, out, indent=1)
    elif path.suffix == ".csv":
        out.write(f"# {record}\n")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(astuple(r) for r in rows)
    elif path.suffix == ".md":
        out.write("| section | quantity | median | range |\n|---|---|---|---|\n")
        for r in rows:
            out.write(f"| {r.section} | {r.name} | {number(r.value)} {r.unit} | {number(r.low)} … {number(r.high)} |\n")
        out.write(f"\n`{record}`\n")
    else:
        raise ModelError("output", str(path), "must end in " + ", ".join(SUFFIXES))
    write_atomically(path, lambda file: file.write(out.getvalue().encode(errors="backslashreplace")))


def read(path: Path) -> dict[tuple[str, str], Row]:
    """The rows of a JSON file, by section and name.

    Raises
    ------
    ModelError
        If it is none.
    """
    try:
        rows = [Row(**r) for r in json.loads(path.read_text(encoding="utf-8"))["rows"]]
        numbers: list[dict[str, Any]] = [{k: float(getattr(r, k)) for k in ("value", "low", "high")} for r in rows]
        return {(r.section, r.name): replace(r, **own) for r, own in zip(rows, numbers, strict=True)}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelError("against", str(path), "must be a file that tsphys bench -o FILE.json has written") from error
