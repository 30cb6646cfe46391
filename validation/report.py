"""The report of a validation, in Markdown or HTML, with pictures of every simulation on its theory."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from tsphys.plotting import COLOURS, PAGE, save, simulation_points, style, theory_line
from tsphys.runs.files import check_folder, write_atomically
from tsphys.runs.provenance import provenance
from tsphys.validation.checks import Setting
from tsphys.validation.run import Row, legend, verdict


def targets(path: Path, models: Sequence[str]) -> list[Path]:
    """The files that a report may write."""
    return [path, *(_picture(path, m).with_suffix(s) for m in models for s in (".png", ".pdf", ".npz"))]


def write(path: Path, rows: Sequence[Row], setting: Setting) -> list[Path]:
    """Write the report, in the format of its suffix, and beside it a picture for each model that was simulated.

    Returns
    -------
    list of Path
        What was written.
    """
    check_folder(path)
    written = [path]
    shown: dict[str, Path] = {}
    for model in dict.fromkeys(row.model for row in rows):
        drawn = [row for row in rows if row.model == model and row.finding.curves is not None]
        if drawn:
            shown[model] = _picture(path, model).with_suffix(".png")
            written += draw(_picture(path, model), drawn)
    text = FORMATS[path.suffix](rows, setting, shown)
    write_atomically(path, lambda file: file.write(text.encode()))
    return written


def _head(rows: Sequence[Row], setting: Setting) -> tuple[str, str, str]:
    """The verdict, what kind of run it was, and on what."""
    source = provenance()
    machine: dict[str, Any] = {**source["versions"], "revision": source["revision"], "platform": source["platform"]}
    kind = f"{'Quick' if setting.quick else 'Full'} run, seed {setting.seed}, {source['date']}."
    return verdict(rows), kind, ", ".join(f"{k} {v}" for k, v in machine.items() if v is not None) + "."


HEADINGS = ("check", "kind", "score", "allowed", "", "largest")


def _cells(row: Row) -> tuple[str, ...]:
    found = row.finding
    word = "pass" if row.ok else "FAIL"
    return row.name, row.kind, f"{found.score:.3g}", f"{found.limit:.3g}", word, found.detail


def markdown(rows: Sequence[Row], setting: Setting, shown: Mapping[str, Path]) -> str:
    """The report in Markdown, with links to the pictures."""
    result, kind, machine = _head(rows, setting)
    lines = ["# Validation of tsphys", "", f"**{result}.** {kind}", "", machine, ""]
    lines += [EXPLAINED, "", *(f"- {words}" for words in legend()), ""]
    for model in dict.fromkeys(row.model for row in rows):
        lines += [f"## {model}", "", f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
        for row in rows:
            if row.model == model:
                cells = (cell.replace("|", "\\|").replace("FAIL", "**FAIL**") for cell in _cells(row))
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
        if model in shown:
            lines += [f"![{model}: simulation on theory]({shown[model].name})", ""]
    return "\n".join(lines)


def html(rows: Sequence[Row], setting: Setting, shown: Mapping[str, Path]) -> str:
    """The report as one page that holds its pictures."""
    result, kind, machine = (escape(text) for text in _head(rows, setting))
    lines = ["<!doctype html>", '<html lang="en"><head><meta charset="utf-8"><title>Validation of tsphys</title>']
    lines += [f"<style>{STYLE}</style></head><body>", "<h1>Validation of tsphys</h1>"]
    lines += [f"<p><strong>{result}.</strong> {kind}</p>", f"<p>{machine}</p>", f"<p>{EXPLAINED}</p>", "<ul>"]
    lines += [*(f"<li>{escape(words)}</li>" for words in legend()), "</ul>"]
    for model in dict.fromkeys(row.model for row in rows):
        lines += [f"<h2>{escape(model)}</h2>", "<table>", _line("th", HEADINGS)]
        lines += [_line("td", _cells(row), "" if row.ok else "fail") for row in rows if row.model == model]
        lines.append("</table>")
        if model in shown:
            code = b64encode(shown[model].read_bytes()).decode()
            alt = f"{escape(model)}: simulation on theory"
            lines.append(f'<img alt="{alt}" src="data:image/png;base64,{code}">')
    return "\n".join([*lines, "</body></html>", ""])


def _line(tag: str, cells: Sequence[str], kind: str = "") -> str:
    opening = f'<tr class="{kind}">' if kind else "<tr>"
    return opening + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


EXPLAINED = "A check passes if its score is at most what is allowed. Scores:"
STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ccc;text-align:left}"
    ".fail{background:#fdd;font-weight:bold}img{max-width:100%}"
)
FORMATS = {".md": markdown, ".html": html}


def _picture(path: Path, model: str) -> Path:
    return path.with_name(f"{path.stem}-{model}")


def draw(out: Path, rows: Sequence[Row]) -> list[Path]:
    """Each simulation on its theory, and below it their difference in standard errors."""
    drawn = [(row, row.finding.curves) for row in rows if row.finding.curves is not None]
    with style() as plt:
        columns = min(3, len(drawn))
        deep = -(-len(drawn) // columns)
        figure, grid = plt.subplots(
            2 * deep, columns, figsize=(PAGE, 3.0 * deep), height_ratios=(3, 1) * deep, squeeze=False
        )
        data: dict[str, np.ndarray] = {}
        for i, (row, (sim, theory, name)) in enumerate(drawn):
            above, below = grid[2 * (i // columns)][i % columns], grid[2 * (i // columns) + 1][i % columns]
            z = (sim.mean(name) - theory[name]) / np.where(sim.sem(name) > 0, sim.sem(name), np.nan)
            below.axhspan(-2, 2, color="0.92")
            # An observable of several tasks or units has a line for each.
            for index in np.ndindex(theory[name].shape[1:]):
                theory_line(above, theory, name, index, color=COLOURS[0])
                simulation_points(above, sim, name, index, color=COLOURS[1])
                below.plot(sim[sim.axis], z[(slice(None), *index)], "o", color=COLOURS[1], mfc="white")
            above.set_title(row.name)
            above.set_ylabel(name)
            below.set(xlabel=sim.axis, ylabel="$z$", ylim=(-5, 5))
            key = f"check_{i}"
            data |= {f"{key}_{sim.axis}": sim[sim.axis], f"{key}_theory": theory[name]}
            data |= {f"{key}_simulation": sim.mean(name), f"{key}_sem": sim.sem(name)}
        for i in range(len(drawn), columns * deep):
            grid[2 * (i // columns)][i % columns].set_axis_off()
            grid[2 * (i // columns) + 1][i % columns].set_axis_off()
        return save(figure, out, data, {"checks": [row.name for row in rows]})
