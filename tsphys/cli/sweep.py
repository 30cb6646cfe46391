"""``tsphys sweep STUDY.toml``, ``tsphys sweep status STUDY.toml``, ``tsphys sweep collect STUDY.toml``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tsphys.cli.completion import PATH, among
from tsphys.cli.options import force_option, progress_bar, tell_written
from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.runs.files import check_free
from tsphys.runs.replicas import available_threads
from tsphys.runs.stopping import Terminated

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


CLUSTERS = ("slurm", "local")


class Sweep(click.Group):
    """A group that takes what is none of its commands for a study to run."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file"), *super().shell_complete(ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Options may stand before the file.
        if args and args[0].startswith("-") and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Sweep, no_args_is_help=False, subcommand_metavar="STUDY.toml | status STUDY.toml | collect STUDY.toml")
def sweep() -> None:
    """Run a study: one model over axes of parameters, from a TOML file.

    A study that was stopped, in whatever way, goes on where it was. `tsphys sweep run --help` lists the options.
    """


store_option = click.option(
    "--store", metavar="FOLDER", type=PATH, help="Folder of the results.  [default: STUDY.study beside the file]"
)


def _read(file: str, store: str | None) -> tuple[Any, Path]:
    from tsphys.studies.study import read_study, store_of

    return read_study(file), store_of(file) if store is None else Path(store)


@sweep.command()
@click.argument("study", metavar="STUDY.toml", type=PATH)
@store_option
@click.option("-p", "--processes", default=None, metavar="INT", help="Processes; 1: this one.  [default: all cores]")
@click.option("--shard", metavar="I/N", help="Only every N-th task, beginning with the I-th, 0 <= I < N.")
@click.option("--resume/--no-resume", default=True, help="Keep what is there and whole, or compute all anew.")
@click.option("--retry", is_flag=True, help="Try again what failed.")
@click.option("--dry-run", is_flag=True, help="Print the number of tasks, and about how long they take.")
@click.option("--dask", metavar="ADDRESS", help="On the workers of this Dask scheduler.  (extra dask)")
@click.option(
    "--submit",
    metavar="CLUSTER",
    shell_complete=among(lambda _: CLUSTERS),
    help="As jobs by submitit, slurm or local; returns at once.  (extra cluster)",
)
@click.option("--slurm-script", is_flag=True, help="Print an array job for sbatch.")
@click.option("--jobs", default="10", metavar="INT", help="Jobs of --submit and --slurm-script.", show_default=True)
@click.option("--hours", default="24", metavar="FLOAT", help="Longest time of such a job.", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def run(
    study: str, store: str | None, processes: str | None, shard: str | None, resume: bool, retry: bool, dry_run: bool,
    dask: str | None, submit: str | None, slurm_script: bool, jobs: str, hours: str, quiet: bool,
) -> int:  # fmt: skip
    """Do what is left to do of STUDY.toml. Exit code 1 if a task failed."""
    described, folder = _read(study, store)
    count = available_threads() if processes is None else _number("processes", processes, kind=int, low=1)
    job_count = _number("jobs", jobs, kind=int, low=1)
    longest = _number("hours", hours, low=0, open_low=True)
    part = _shard(shard)
    if sum((dry_run, dask is not None, submit is not None, slurm_script)) > 1:
        raise click.UsageError("only one of --dry-run, --dask, --submit, --slurm-script.")
    if submit not in (None, *CLUSTERS):
        raise ModelError("submit", submit, "must be one of " + ", ".join(CLUSTERS))
    described.tasks()
    if slurm_script:
        from tsphys.studies import clusters

        # As bytes: a name of a file stays what it is, whatever the terminal can show.
        click.echo(os.fsencode(clusters.slurm_script(study, folder, job_count, longest)), nl=False)
        return 0
    if dry_run:
        _tell_estimate(described, folder, count)
        return 0
    if submit is not None:
        ids = _extra(lambda clusters: clusters.submit(described, folder, job_count, cluster=submit, hours=longest))
        click.echo(f"submitted {len(ids)} jobs: {' '.join(ids)}")
        click.echo(f"tsphys sweep status {study} tells how far they are")
        return 0
    return _do(described, folder, dask, count, quiet, shard=part, resume=resume, retry=retry)


def _do(described: Any, folder: Path, dask: str | None, count: int, quiet: bool, **options: Any) -> int:
    from tsphys.studies import sweep as runs

    try:
        with _executor(dask, count) as executor, progress_bar(f"sweep {described.model}", quiet) as progress:
            found = runs.sweep(described, folder, executor=executor, progress=progress, **options)
    except (KeyboardInterrupt, Terminated):
        click.echo(f"what is finished is kept in {folder}; the same command goes on", err=True)
        raise
    except BrokenProcessPool:
        words = f"a process was killed (out of memory?); {runs.status(described, folder)}, the same command goes on"
        raise click.ClickException(words) from None
    click.echo(f"{found} in {folder}")
    return _tell_failures(found)


@contextmanager
def _executor(dask: str | None, count: int) -> Iterator[Any]:
    from tsphys.studies.sweep import workers

    if dask is None:
        with workers(count) as pool:
            yield pool
        return
    client = _extra(lambda clusters: clusters.dask_client(dask))
    with client:
        yield client


def _extra(call: Any) -> Any:
    from tsphys.studies import clusters

    try:
        return call(clusters)
    except ImportError as error:
        raise click.ClickException(str(error)) from None


def _tell_estimate(described: Any, folder: Path, count: int) -> None:
    from tsphys.studies.estimate import estimate

    found = estimate(described, folder)
    click.echo(f"{found.tasks} tasks, {found.left} left to do")
    click.echo(f"about {_time(found.seconds)} on one core, {_time(found.seconds / count)} on {count} processes")
    click.echo(
        f"about {found.memory / 2**30:.2f} GiB of memory a process, {count * found.memory / 2**30:.2f} GiB in all"
    )


def _tell_failures(found: Any) -> int:
    for message in list(dict.fromkeys(found.failures.values()))[:10]:
        many = list(found.failures.values()).count(message)
        click.echo(f"  failed{f' ({many} times)' if many > 1 else ''}: {message}", err=True)
    return 1 if found.failed else 0


@sweep.command()
@click.argument("study", metavar="STUDY.toml", type=PATH)
@store_option
def status(study: str, store: str | None) -> int:
    """Show how far a study is, after checking every file. Exit code 1 if a task failed."""
    from tsphys.studies.sweep import status as look

    described, folder = _read(study, store)
    found = look(described, folder)
    click.echo(f"{found} in {folder}")
    return _tell_failures(found)


@sweep.command()
@click.argument("study", metavar="STUDY.toml", type=PATH)
@store_option
@click.option("-o", "--output", metavar="FILE", type=PATH, help="Result, .npz or .nc.  [default: STUDY.npz]")
@click.option("--mean", is_flag=True, help="Means and standard errors in place of the replicas.")
@click.option("--partial", is_flag=True, help="NaN for what is missing.")
@force_option
def collect(study: str, store: str | None, output: str | None, mean: bool, partial: bool, force: bool) -> None:
    """Bring the results of a study together in one file, with its axes (.nc needs the extra xarray)."""
    from tsphys.runs.files import npz, write_atomically
    from tsphys.studies.collection import collect as together

    described, folder = _read(study, store)
    path = npz(output or Path(study).with_suffix(".npz"), ".nc")
    check_free(path, force)
    result = together(described, folder, mean=mean, partial=partial)
    if path.suffix.lower() == ".nc":
        _write_netcdf(result, path)
    else:
        write_atomically(path, result.write)
    click.echo(repr(result))
    tell_written(path)


def _write_netcdf(result: Any, path: Path) -> None:
    from tsphys.runs.files import write_atomically

    try:
        dataset = result.to_xarray()
    except ImportError as error:
        raise click.ClickException(str(error)) from None
    content = dataset.to_netcdf(engine="scipy")
    write_atomically(path, lambda file: file.write(content))


def _number(name: str, text: str, **bounds: Any) -> Any:
    try:
        return number(name, float(text), **bounds)
    except ValueError as error:
        if isinstance(error, ModelError):
            raise
        return number(name, text, **bounds)


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 1
    try:
        i, n = (int(x) for x in text.split("/"))
        if 0 <= i < n:
            return i, n
    except ValueError:
        pass
    raise ModelError("shard", text, "must be I/N with 0 <= I < N")


def _time(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds > 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} seconds"
