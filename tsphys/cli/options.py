"""From a model's dataclass to options, from options and TOML to a model and its run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tsphys.cli.completion import PATH, items, values
from tsphys.ground.lines import printable
from tsphys.ground.parameters import axes_of, described
from tsphys.ground.texts import from_json, known
from tsphys.registry import MODELS, model_class
from tsphys.runs.files import check_free, npz, replacing
from tsphys.studies.configuration import describe, read_config, run_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def flag(name: str) -> str:
    """The long option of a parameter."""
    return "--" + name.replace("_", "-") if len(name) > 1 else "--" + name


def per_model(verb: str, about: str, run: Callable[..., int | None], extra: Callable[[Any], Any]) -> click.Group:
    """A group with a command for each model, whose options come from its dataclass and from what `verb` takes."""

    class PerModel(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return list(MODELS)

        def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
            # Tab completes lines that are not whole yet.
            if not args and not ctx.resilient_parsing:
                ctx.fail(f"Missing MODEL: {', '.join(self.list_commands(ctx))}.")
            return super().parse_args(ctx, args)

        def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
            if not args[0].startswith("-") and not ctx.resilient_parsing:
                known("model", args[0], self.list_commands(ctx))
            return super().resolve_command(ctx, args)

        def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
            return _command(name, verb, run, extra) if name in self.list_commands(ctx) else None

        def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
            about = {name: MODELS[name].about for name in self.list_commands(ctx)}
            return items(about, incomplete) + click.Command.shell_complete(self, ctx, incomplete)

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Models"):
                formatter.write_dl([(name, MODELS[name].about) for name in self.list_commands(ctx)])

    return PerModel(name=verb, help=about, no_args_is_help=False, subcommand_metavar="MODEL [OPTIONS]")


def _command(name: str, verb: str, run: Any, extra: Any) -> click.Command:
    cls = model_class(name)
    decorators = []
    for key, f in {**described(cls), **run_options(name, verb)}.items():
        decorators.append(_option(key, f.metadata, f.default))
    decorators.append(
        click.option("--config", type=PATH, help="TOML file with any of these options; one file serves all verbs.")
    )

    def bare(*given: Any, **named: Any) -> None: ...

    for decorate in extra(name):
        bare = decorate(bare)
    extras = [option.name for option in getattr(bare, "__click_params__", [])]

    def command(config: str | None, **given: Any) -> int | None:
        own = {k: given.pop(k) for k in extras}
        chosen = {k: v for k, v in given.items() if v is not None}
        return run(name, merge(name, verb, config, chosen), **own)

    for decorate in reversed([*decorators, *extra(name)]):
        command = decorate(command)
    text = f"{MODELS[name].about[0].upper()}{MODELS[name].about[1:]}.\n\nOptions override --config."
    return click.command(name=name, help=text, cls=_Words)(command)


class _Words(click.Command):
    """A command of options alone."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            words = f"'{' '.join(ctx.args)}' belongs to no option; lists are single words, as 1,2,3 or 0:1:11."
            raise click.UsageError(words, ctx)
        return rest


def _option(name: str, meta: Any, default: Any) -> Any:
    short = [meta["short"]] if meta["short"] else []
    shown = meta["help"]
    if meta["choices"]:
        shown += f" [{'|'.join(meta['choices'])}]"
    shown += f"  [default: {'none' if default is None else default}]"
    kinds = {int: "INT", float: "FLOAT", str: "TEXT", bool: "BOOL", list: "TEXT", dict: "JSON"}
    kind = "JSON" if meta["shape"] else kinds[meta["kind"]]
    # Values are texts here and checked by the model itself, so that there is one set of rules and messages.
    long = dict.fromkeys([flag(name)] + ([s for s in short if s == flag(name)]))
    # A truth may be given by its name alone.
    alone: dict[str, Any] = {"is_flag": False, "flag_value": "true"} if kind == "BOOL" else {}
    return click.option(
        *short, *long, name, metavar=kind, default=None, help=shown, show_default=False, shell_complete=values(meta),
        **alone,
    )  # fmt: skip


def _decide(ctx: click.Context, _: click.Parameter, force: bool) -> bool:
    # It holds for all that the command writes, however deep that is done.
    ctx.with_resource(replacing(force))
    return force


force_option = click.option("--force", is_flag=True, callback=_decide, help="Replace files that exist.")


def output_options(kind: str) -> Callable[[str], list[Any]]:
    """``-o``, ``--force`` and ``--quiet``."""

    def options(name: str) -> list[Any]:
        return [
            click.option(
                "-o", "--output", metavar="FILE", type=PATH, help=f"Result file.  [default: {name}-{kind}.npz]"
            ),
            force_option,
            click.option("-q", "--quiet", is_flag=True, help="No progress bar."),
        ]

    return options


def parse(name: str, text: Any, meta: Any) -> Any:
    """A text from the command line as the value of a parameter; the model checks it."""
    if not isinstance(text, str) or (meta["kind"] in (str, list) and not meta["shape"]):
        return text
    if text == "none":
        return None
    if meta["kind"] is bool and not meta["shape"]:
        return {"true": True, "false": False}.get(text.lower(), text)
    found = from_json(text)
    if meta["shape"] and 1 in axes_of(meta) and not isinstance(found, list):
        return _row(text) or found
    return found


def _row(text: str) -> list[float] | None:
    """Numbers between commas, or one alone."""
    try:
        return [float(x) for x in text.split(",")]
    except ValueError:
        return None


def merge(name: str, verb: str, config: str | None, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The model and the run that a TOML file and the command line describe; the command line has the last word.

    One file serves all verbs: options of another verb are no mistake in it, and without effect.

    Raises
    ------
    ModelError
        For a file that cannot be read, a key that is unknown (with the nearest that is), or a value out of range.
    """
    cls = model_class(name)
    own = {k: f.metadata for k, f in described(cls).items()}
    runs = {k: v.metadata for k, v in run_options(name, verb).items()}
    anywhere = own | {k: v.metadata for k, v in run_options(name, "compare").items()}
    values = read_config(config, name, anywhere) if config is not None else {}
    values = {k: v for k, v in values.items() if k in own or k in runs}
    values |= {k: parse(k, v, own.get(k) or runs[k]) for k, v in given.items()}
    return describe(name, verb, values)


def target(output: str | None, default: str, force: bool) -> Path:
    """Where a result goes, checked before anything is computed."""
    path = npz(output or default)
    check_free(path, force)
    return path


def tell_written(*paths: Path | str) -> None:
    """Say which files a command has written, on one line."""
    *others, last = (printable(path) for path in paths)
    click.echo("wrote " + (", ".join(others) + " and " if others else "") + last)


@contextmanager
def progress_bar(label: str, quiet: bool = False) -> Any:
    """A bar on the error stream that takes fractions; silent where there is no terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
        yield lambda fraction: bar.update(max(0, int(1000 * fraction) - bar.pos))
