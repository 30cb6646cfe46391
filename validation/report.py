"""The report of a validation: Markdown, with pictures of every simulation on its theory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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
    """Write the report and, beside it, a picture for each model that was simulated.

    Returns
    -------
    list of Path
        What was written.
    """
    check_folder(path)
    source = provenance()
    machine = {**source["versions"], "revision": source["revision"], "platform": source["platform"]}
    lines = [
        "# Validation of tsphys",
        "",
        f"**{verdict(rows)}.** {'Quick' if setting.quick else 'Full'} run, seed {setting.seed}, {source['date']}.",
        "",
        ", ".join(f"{k} {v}" for k, v in machine.items() if v is not None) + ".",
        "",
        "A check passes if its score is at most what is allowed. Scores:",
        "",
        *(f"- {words}" for words in legend()),
        "",
    ]
    written = [path]
    for model in dict.fromkeys(row.model for row in rows):
        own = [row for row in rows if row.model == model]
        lines += [f"## {model}", "", "| check | kind | score | allowed | | largest |", "|---|---|---|---|---|---|"]
        for row in own:
            found = row.finding
            word = "pass" if row.ok else "**FAIL**"
            detail = found.detail.replace("|", "\\|")
            lines.append(f"| {row.name} | {row.kind} | {found.score:.3g} | {found.limit:.3g} | {word} | {detail} |")
        lines.append("")
        drawn = [row for row in own if row.finding.curves is not None]
        if drawn:
            written += draw(_picture(path, model), drawn)
            lines += [f"![{model}: simulation on theory]({_picture(path, model).name}.png)", ""]
    write_atomically(path, lambda file: file.write("\n".join(lines).encode()))
    return written


def _picture(path: Path, model: str) -> Path:
    return path.with_name(f"{path.stem}-{model}")


def draw(out: Path, rows: Sequence[Row]) -> list[Path]:
    """Each simulation on its theory, and below it their difference in standard errors."""
    with style() as plt:
        columns = min(3, len(rows))
        deep = -(-len(rows) // columns)
        figure, grid = plt.subplots(
            2 * deep, columns, figsize=(PAGE, 3.0 * deep), height_ratios=(3, 1) * deep, squeeze=False
        )
        data: dict[str, np.ndarray] = {}
        for i, row in enumerate(rows):
            sim, theory, name = row.finding.curves
            above, below = grid[2 * (i // columns)][i % columns], grid[2 * (i // columns) + 1][i % columns]
            theory_line(above, theory, name, color=COLOURS[0])
            simulation_points(above, sim, name, color=COLOURS[1])
            above.set_title(row.name)
            above.set_ylabel(name)
            error = np.where(sim.sem(name) > 0, sim.sem(name), np.nan)
            z = (sim.mean(name) - theory[name]) / error
            below.axhspan(-2, 2, color="0.92")
            below.plot(sim[sim.axis], z, "o", color=COLOURS[1], mfc="white")
            below.set(xlabel=sim.axis, ylabel="$z$", ylim=(-5, 5))
            key = f"check_{i}"
            data |= {f"{key}_{sim.axis}": sim[sim.axis], f"{key}_theory": theory[name]}
            data |= {f"{key}_simulation": sim.mean(name), f"{key}_sem": sim.sem(name)}
        for i in range(len(rows), columns * deep):
            grid[2 * (i // columns)][i % columns].set_axis_off()
            grid[2 * (i // columns) + 1][i % columns].set_axis_off()
        return save(figure, out, data, {"checks": [row.name for row in rows]})
