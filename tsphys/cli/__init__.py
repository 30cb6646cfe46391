"""The command line: one file a command, imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from tsphys.runs.stopping import Terminated, leave, stoppable, stopped_by

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: What results and speed depend on, for `--version`.
LIBRARIES = ("numpy", "scipy", "numba", "llvmlite", "matplotlib", "bokeh", "pandas", "xarray", "numba-cuda")
COMMANDS = {
    "models": "List the models, describe one, or find that of a paper.",
    "simulate": "Simulate a model.",
    "solve": "Solve the theory of a model.",
    "compare": "Simulation against theory: a table of z-scores, a verdict.",
    "explore": "A page in the browser: turn a knob, see theory and simulation.",
    "figure": "Draw a figure: theory and simulation in one picture.",
    "sweep": "Run a study: one model over axes of parameters, from a TOML file.",
    "phase-diagram": "Map an observable over two parameters.",
    "validate": "Check theory and simulation of every model on this machine.",
    "bench": "Time tsphys against reference implementations, as ratios.",
    "plot": "Draw what is in result files.",
    "info": "Show what is in a result file.",
    "cite": "Print BibTeX of the papers of a model.",
}


class Lazy(click.Group):
    """A group whose commands are imported when they are needed, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from tsphys.catalogue import CATALOGUE
        from tsphys.errors import ModelError
        from tsphys.ground.texts import known, nearest

        if not args[0].startswith("-") and not ctx.resilient_parsing:
            if args[0] in CATALOGUE:
                verb = nearest(args[1], COMMANDS) if args[1:] else None
                words = f"is a model, which stands behind a command: tsphys {verb or 'simulate'} {args[0]}"
                raise ModelError("command", args[0], words)
            known("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        name = name.replace("-", "_")
        return getattr(import_module(f"tsphys.cli.{name}"), name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from tsphys.cli.completion import items

        return items(COMMANDS, incomplete) + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        import platform
        from importlib.metadata import PackageNotFoundError, version

        from tsphys import __version__

        click.echo(f"tsphys {__version__}\nPython {platform.python_version()}, {platform.platform()}")
        for library in LIBRARIES:
            with suppress(PackageNotFoundError):
                click.echo(f"{library} {version(library)}")
        ctx.exit()


@click.group(
    cls=Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
              help="Version, and those of the libraries.")  # fmt: skip
@click.pass_context
def tsphys(ctx: click.Context) -> None:
    """A laboratory for the statistical physics of learning: simulation on theory.

    Try: tsphys figure two_layer --quick
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    0 fine, 1 the computation failed, 2 the input is wrong, 128 + n stopped by signal n: 130 Ctrl-C, 143 SIGTERM. The
    first signal leaves what is finished in its files, within two seconds or so; the second ends the process at once.
    """
    from tsphys.cli.streams import forgiving

    try:
        with forgiving(), stoppable():
            code = _run(arguments)
    except BaseException:
        # In the middle of a compilation a signal can turn into any other error.
        if not stopped_by():
            raise
        code = _fail("stopped", 128 + stopped_by())
    if stopped_by():
        # Threads may still run kernels, under which the interpreter cannot end.
        leave(code and 128 + stopped_by())
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    from tsphys.errors import ConvergenceError, DivergedError, ModelError

    try:
        return tsphys.main(args=arguments, prog_name="tsphys", standalone_mode=False) or 0
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else _command_of(arguments)
        return _fail(f"{_words(error)} See {command} --help.", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except ModelError as error:
        return _fail(str(error), 2)
    except (ConvergenceError, DivergedError) as error:
        return _fail(str(error), 1)
    except MemoryError as error:
        return _fail(f"out of memory: {error}", 1)
    except OSError as error:
        return _fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 1)
    except Terminated as error:
        return _fail("terminated", error.code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)


def _command_of(arguments: Sequence[str] | None) -> str:
    """The commands that a line begins with; of an option without its value click does not tell where it stood."""
    command: click.Command = tsphys
    words = ["tsphys"]
    for word in sys.argv[1:] if arguments is None else arguments:
        inner = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if inner is None:
            break
        words.append(word)
        command = inner
    return " ".join(words)


def _words(error: click.UsageError) -> str:
    """What is wrong with a command line, and the option that was meant."""
    if not isinstance(error, click.NoSuchOption):
        return error.format_message()
    from tsphys.ground.texts import nearest

    options = [p for p in error.ctx.command.params if isinstance(p, click.Option)] if error.ctx else []
    near = nearest(error.option_name, {max(p.opts, key=len): p.help or "" for p in options})
    if near is None and error.ctx and isinstance(error.ctx.command, click.Group):
        return f"No such option {error.option_name} here: options stand behind what they belong to."
    return f"No such option {error.option_name}{f'; did you mean {near}?' if near else '.'}"


def _fail(message: str, code: int) -> int:
    from tsphys.ground.lines import printable

    click.echo("tsphys: error: " + printable(" ".join(message.split())), err=True)
    return code
