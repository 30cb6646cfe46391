"""The finished replicas of a run, kept beside its output until it is done, and taken up by the same command."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from tsphys.errors import ModelError
from tsphys.runs.checkpoint import kept_replicas
from tsphys.runs.files import Fill, TakenError, write_atomically, write_together
from tsphys.runs.result import Result, load
from tsphys.runs.stopping import held


class Keeper:
    """A checkpoint that writes to a file of this run alone, beside those of other commands with the same output.

    Parameters
    ----------
    output : Path
        Where the run will be.
    file : Path, optional
        The file, if it is known to be of this run.
    """

    def __init__(self, output: Path, file: Path | None = None):
        self.first, self.file = unfinished(output), file

    def __call__(self, part: Result) -> None:
        try:
            if self.file is not None:
                write_atomically(self.file, part.write, replace=True)
                return
            self.file = self.first
            write_atomically(self.first, part.write, replace=False)
        except TakenError as taken:
            (self.file,) = taken.beside
        except OSError as error:
            # The run itself need not end for that.
            click.echo(f"finished replicas could not be kept: {error.strerror}", err=True)

    @held()
    def done(self, contents: Mapping[Path, Fill]) -> None:
        """Write the files of the run, which is whole, and remove this one."""
        try:
            write_together(contents)
        except TakenError:
            self._remove()
            raise
        self._remove()

    def _remove(self) -> None:
        if self.file is not None:
            self.file.unlink(missing_ok=True)


def unfinished(output: Path) -> Path:
    """Where the finished replicas of a run are kept, unless another command keeps its own there."""
    return output.with_name(output.stem + ".partial.npz")


def going_on(run: Callable[..., Result], output: Path, force: bool) -> tuple[Result, Keeper]:
    """Run from the finished replicas that an interrupted run left beside `output`; with `force` anew if none fit.

    Parameters
    ----------
    run : callable
        Takes ``checkpoint`` and ``resume`` as `tsphys.simulate` does.

    Raises
    ------
    ModelError
        If those that are there are of another run, or damaged, and `force` is false.
    """
    first = unfinished(output)
    others = sorted(output.parent.glob(f"{glob.escape(first.stem)}-*.npz"))
    refused: ModelError | None = None
    for file in [first, *others]:
        if not file.exists():
            continue
        keeper = Keeper(output, file)
        try:
            found = load(file)
            click.echo(f"going on from {len(kept_replicas(found))} finished replicas in {file}", err=True)
            return run(checkpoint=keeper, resume=found), keeper
        except ModelError as error:
            if error.name not in ("resume", "file"):
                raise
            words = f"{error.allowed}; finish that one, remove the file, or use --force"
            refused = refused or ModelError("unfinished run", str(file), words)
    if refused is not None and not force:
        raise refused from None
    if refused is not None:
        click.echo(f"starting anew, {first} is of no use here", err=True)
    keeper = Keeper(output, first if refused is not None else None)
    return run(checkpoint=keeper), keeper
