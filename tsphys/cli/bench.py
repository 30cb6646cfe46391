"""``tsphys bench``."""

from __future__ import annotations

import dataclasses
import os
from importlib import import_module
from pathlib import Path

import click

# One thread against one thread: BLAS reads these when NumPy is imported, and programs of the user inherit them.
for _library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from tsphys.benchmarks.sections import SECTIONS  # noqa: E402
from tsphys.cli.completion import PATH  # noqa: E402
from tsphys.cli.options import force_option, tell_written  # noqa: E402
from tsphys.errors import ModelError  # noqa: E402
from tsphys.ground.parameters import number  # noqa: E402
from tsphys.runs.files import check_free, pictures  # noqa: E402
from tsphys.runs.replicas import thread_count  # noqa: E402


@click.command()
@click.option("-K", "K", default=4, help="Hidden units of the student.")
@click.option("-M", "M", default=2, help="Hidden units of the teacher.")
@click.option("-N", "N", default=1000, help="Input dimension.")
@click.option("--seconds", default=2.0, help="Time that each program is measured, in all rounds together.")
@click.option("--steps", default=None, type=int, help="Steps of each program in a round.  [default: by --seconds]")
@click.option("--rounds", default=9, help="Rounds; each times every program once.")
@click.option("-j", "--threads", default=None, type=int, help="Most threads.  [default: all cores]")
@click.option(
    "--only",
    multiple=True,
    metavar="SECTION",
    help=", ".join(SECTIONS) + "; may be repeated.",
)
@click.option(
    "--external",
    multiple=True,
    metavar="COMMAND",
    help="Time this program too, less its time at 0 steps. {K}, {M}, {N}, {steps} in it are replaced, and TSPHYS_K, "
    "TSPHYS_M, TSPHYS_N, TSPHYS_STEPS are set. May be repeated.",
)
@click.option("-o", "--output", metavar="FILE", type=PATH, help="Keep the table as .csv, .json, .md or .npz.")
@click.option(
    "--against", metavar="FILE", type=PATH, help="Show what an earlier run had beside it, kept by -o FILE.json."
)
@click.option("--plot", metavar="PATH", type=PATH, help="Draw cost against N and K: PATH.pdf, PATH.png.")
@force_option
def bench(
    K: int,
    M: int,
    N: int,
    seconds: float,
    steps: int | None,
    rounds: int,
    threads: int | None,
    only: tuple[str, ...],
    external: tuple[str, ...],
    output: str | None,
    against: str | None,
    plot: str | None,
    force: bool,
) -> None:
    """Time tsphys against plain NumPy, naive Numba, PyTorch and your own program, as ratios measured in one run.

    Numbers are medians over the rounds, in brackets the smallest and the largest.
    """
    from tsphys.benchmarks.setting import Setting
    from tsphys.benchmarks.table import SUFFIXES, read, text, write

    for name in only:
        if name not in SECTIONS:
            raise ModelError("only", name, "must be one of " + ", ".join(SECTIONS))
    setting = Setting(
        K=number("K", K, kind=int, low=1),
        M=number("M", M, kind=int, low=1),
        N=number("N", N, kind=int, low=K + M),
        seconds=number("seconds", seconds, low=0, open_low=True),
        steps=None if steps is None else number("steps", steps, kind=int, low=1),
        rounds=number("rounds", rounds, kind=int, low=1),
        threads=thread_count(threads),
        external=external,
    )
    if output is not None:
        if Path(output).suffix not in SUFFIXES:
            raise ModelError("output", output, "must end in " + ", ".join(SUFFIXES))
        check_free(Path(output), force)
    for path in pictures(plot) if plot is not None else ():
        check_free(path, force, makes_folder=True)
    before = None if against is None else read(Path(against))
    rows = []
    for name in only or SECTIONS:
        module, function = SECTIONS[name].split(":")
        part = getattr(import_module(module), function)(setting)
        click.echo((text(part, before) if part else f"{name}: nothing to compare on one thread") + "\n")
        rows += part
    parameters = dataclasses.asdict(setting)
    if output is not None:
        write(Path(output), rows, parameters)
        tell_written(output)
    if plot is not None:
        from tsphys.benchmarks.scaling import draw

        for path in draw(setting, Path(plot)):
            tell_written(path)
