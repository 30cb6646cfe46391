"""The finished replicas of a run, kept beside its output until it is done, and taken up by the same command."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

import click

from tsphys.errors import ModelError
from tsphys.runs.checkpoint import kept_replicas, telling
from tsphys.runs.files import Fill, TakenError, check_folder, write_atomically, write_together
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
    ids : collection of int
        The replicas in it, which nothing takes the place of that lacks one of them.
    """

    def __init__(self, output: Path, file: Path | None = None, ids: Collection[int] = ()):
        self.first, self.file, self.ids, self.told = unfinished(output), file, {*ids}, False

    def __call__(self, part: Result) -> None:
        self.spare(part)
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

    def going_on(self, count: int) -> None:
        """Say that the run takes so many replicas from the file; a run to a precision takes them more than once."""
        if count and not self.told:
            click.echo(f"going on from {count} finished replicas in {self.file}", err=True)
        self.told = True

    def spare(self, found: Result) -> None:
        """Leave the file alone from now on if it has replicas that `found`, for which fewer were asked, has not."""
        if not self.ids <= {*found.meta["replica_ids"]}:
            click.echo(f"{self.file} stays: it holds more replicas than were asked for", err=True)
            self.file, self.ids = None, set()

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


def check_output(output: Path) -> None:
    """Raise a ModelError if `output` is called like unfinished runs, or no file can be there or beside it."""
    check_folder(output)
    if re.search(r"\.partial(-\d+)?$", output.stem):
        raise ModelError("output", str(output), "is the name of an unfinished run; use one without .partial")
    check_folder(unfinished(output))


def going_on(run: Callable[..., Result], output: Path, force: bool, model: str) -> tuple[Result, Keeper]:
    """Run from the finished replicas that an interrupted run left beside `output`; with `force` anew if none fit.

    A file of this kind is replaced then, another, as that of another model, is not.

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
        try:
            found = load(file)
            keeper = Keeper(output, file, kept_replicas(found))
            with telling(keeper.going_on):
                result = run(checkpoint=keeper, resume=found)
            keeper.spare(result)
            return result, keeper
        except ModelError as error:
            if error.name not in ("resume", "file"):
                raise
            words = f"{error.allowed}; finish that one, remove the file, or use --force"
            refused = refused or ModelError("unfinished run", str(file), words)
    if refused is not None and not force:
        raise refused from None
    mine = _is_unfinished(first, model)
    if refused is not None:
        click.echo(f"starting anew, {refused.value} {'is of no use here' if mine else 'stays as it is'}", err=True)
    keeper = Keeper(output, first if mine else None)
    return run(checkpoint=keeper), keeper


def _is_unfinished(file: Path, model: str) -> bool:
    """Whether a file holds replicas of a model."""
    with suppress(ModelError):
        found = load(file)
        return found.model == model and bool(kept_replicas(found))
    return False
