"""``tsphys validate``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from tsphys.cli.completion import PATH, among
from tsphys.cli.completion import models as known
from tsphys.cli.options import force_option, progress_bar, tell_written
from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.runs.files import check_free
from tsphys.runs.replicas import thread_count


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=among(known))
@click.option("--quick", is_flag=True, help="A quarter of the replicas: minutes.")
@click.option("-s", "--seed", default=0, metavar="INT", help="Seed of the simulations.")
@click.option("-j", "--threads", default=None, type=int, metavar="INT", help="Threads.  [default: all cores]")
@click.option("-o", "--output", metavar="FILE", type=PATH, help="Report with pictures: .html, or .md for Markdown.")
@force_option
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def validate(
    models: tuple[str, ...], quick: bool, seed: int, threads: int | None, output: str | None, force: bool, quiet: bool
) -> int:
    """Check theory and simulation of every MODEL against each other and against first principles, on this machine.

    Simulations of every engine against theory at reference points, scaling with size, closed forms against quadrature,
    saddle points against the gradient of their free energy. Exit code 1 if a check fails.
    """
    run = import_module("tsphys.validation.run")
    report = import_module("tsphys.validation.report")
    setting = import_module("tsphys.validation.checks").Setting(
        quick=quick, seed=number("seed", seed, kind=int, low=0, high=2**62), threads=thread_count(threads)
    )
    path = None if output is None else Path(output)
    if path is not None:
        if path.suffix not in report.FORMATS:
            raise ModelError("output", output, "must end in " + " or ".join(report.FORMATS))
        for file in report.targets(path, models or run.names()):
            check_free(file, force)
    rows: list[Any] = []
    with progress_bar("validate", quiet) as progress:
        for row in run.validate(models, setting, progress):
            if not rows:
                click.echo(run.head())
            click.echo(run.line(row))
            rows.append(row)
    click.echo("\n".join(["", *run.legend(), "", run.verdict(rows)]))
    if path is not None:
        for file in report.write(path, rows, setting):
            tell_written(file)
    return 0 if all(row.ok for row in rows) else 1
