"""``tsphys figure NAME``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from tsphys.animation import FORMATS
from tsphys.cli.completion import PATH, among
from tsphys.cli.options import force_option, progress_bar, tell_written
from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import number
from tsphys.ground.texts import known
from tsphys.registry import MODELS
from tsphys.runs.files import check_free, pictures
from tsphys.runs.replicas import thread_count


def names() -> list[str]:
    """Figures of all models."""
    return list(dict.fromkeys(figure for entry in MODELS.values() for figure in entry.figures))


def moving() -> list[str]:
    """Figures that have a moving version, found by their files."""
    from pkgutil import iter_modules

    found = {m.name for m in iter_modules(import_module("tsphys.figures.animations").__path__)}
    return [name for name in names() if name in found]


def _drawn(ctx: click.Context) -> list[str]:
    return names() if ctx.params.get("animate") is None else moving()


@click.command()
@click.argument("name", required=False, shell_complete=among(_drawn))
@click.option("-o", "--output", metavar="PATH", type=PATH,
              help="Path without suffix.  [default: NAME in the current folder]")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="All figures; -o is then a folder.")
@click.option("--quick", is_flag=True, help="Fewer replicas, smaller sizes: seconds instead of minutes.")
@click.option("--animate", is_flag=False, flag_value="gif", default=None, metavar="[gif|mp4]",
              shell_complete=among(lambda _: FORMATS),
              help="The moving version, as GIF (or MP4, by ffmpeg) in place of PDF and PNG.")  # fmt: skip
@click.option("-s", "--seed", default="0", metavar="INT", help="Seed of the simulations.")
@click.option("-j", "--threads", default=None, metavar="INT", help="Threads over replicas.  [default: all cores]")
@force_option
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def figure(
    name: str | None, output: str | None, every: bool, quick: bool, animate: str | None, seed: str, threads: str | None,
    force: bool, quiet: bool,
) -> None:  # fmt: skip
    """Draw the figure NAME as PDF and PNG, with its numbers beside it; without a NAME, list the figures."""
    if every and name is not None:
        raise ModelError("figure", name, "must be left out with --all")
    allowed = names() if animate is None else moving()
    if name is None and not every:
        for one in allowed:
            click.echo(one)
        return
    if not every:
        known("figure", name, names())
    if name is not None and name not in allowed:
        raise ModelError("figure", name, f"does not move; these do: {', '.join(allowed)}")
    outs = {k: Path(output or ".") / k for k in allowed} if every else {str(name): Path(output or str(name))}
    suffixes = (".pdf", ".png", ".npz") if animate is None else (f".{animate}",)
    for out in outs.values():
        for path in pictures(out, suffixes):
            check_free(path, force, makes_folder=True)
    options = {"seed": number("seed", _int(seed), kind=int, low=0)}
    options["threads"] = thread_count(None if threads is None else _int(threads))
    if animate is not None:
        import_module("tsphys.animation").writer_of(animate, 1)
    failed = []
    for one, out in outs.items():
        try:
            with progress_bar(f"figure {one}", quiet) as progress:
                if animate is None:
                    paths = import_module(f"tsphys.figures.{one}").draw(out, quick=quick, progress=progress, **options)
                else:
                    (path,) = pictures(out, suffixes)
                    move = import_module(f"tsphys.figures.animations.{one}").animate
                    paths = [move(path, quick=quick, progress=progress, **options)]
        except (ModelError, ConvergenceError, DivergedError) as error:
            if not every:
                raise
            # One that lacks a library of an extra is no reason to leave out all others.
            failed.append(one)
            click.echo(f"{one}: {error}", err=True)
            continue
        for path in paths:
            tell_written(path)
    if failed:
        raise ModelError("figure", ", ".join(failed), "could not be drawn, all others are")


def _int(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        return text
