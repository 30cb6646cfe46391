"""What Tab offers: names of models, figures, parameters and values, from where they are defined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Files and folders, which the shell completes.
PATH = click.Path()
#: Completes an argument or the value of an option.
Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Those names that begin so; a mapping has what is said of each."""
    from click.shell_completion import CompletionItem

    about = names if isinstance(names, Mapping) else {}
    return [CompletionItem(name, help=about.get(name)) for name in names if name.startswith(incomplete)]


def among(names: Callable[[click.Context], Iterable[str]]) -> Completer:
    """Completes one of some names, looked up when they are asked for."""
    return lambda ctx, _, incomplete: items(names(ctx), incomplete)


def models(_: click.Context) -> dict[str, str]:
    """The models, and what they are."""
    from tsphys.registry import MODELS

    return {name: entry.about for name, entry in MODELS.items()}


def numbers(ctx: click.Context) -> list[str]:
    """Parameters of the model that the command line names, and options of its runs, that are numbers."""
    from tsphys.ground.parameters import described
    from tsphys.registry import MODELS, model_class
    from tsphys.studies.configuration import run_options

    # An option whose value is still missing keeps Click from telling arguments apart.
    name = ctx.params.get("model") or next(iter(ctx.args), None)
    if name not in MODELS:
        return []
    known = described(model_class(name)) | run_options(name, "simulate")
    return [k for k, f in known.items() if f.metadata["kind"] in (int, float) and not f.metadata["shape"]]


def values(meta: Mapping[str, Any]) -> Completer | None:
    """Completes the value of a parameter, where it is one of some words."""
    words = [*(meta["choices"] or ()), *(("true", "false") if meta["kind"] is bool and not meta["shape"] else ())]
    return among(lambda _: words) if words else None
