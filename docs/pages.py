"""What the pages say of all models, from the catalogue: ``python docs/pages.py`` writes it, a test holds them to it.

The table of the README, the index and the library's page of the site, the gallery; what engines can do.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from tsphys.catalogue import CATALOGUE, FAMILIES, Entry
from tsphys.ground.engines import Engine
from tsphys.papers import COVERAGE, PAPERS, plain
from tsphys.rules import engines as able
from tsphys.sims.engines.spins import engines as spins

ROOT = Path(__file__).resolve().parents[1]
#: What stands between these lines of a page is written here.
BEGIN, END = "<!-- from the catalogue -->\n", "<!-- end -->\n"


def docstring(path: str) -> str:
    """The docstring of a module, which is not imported for it."""
    return ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""


def title(path: str) -> str:
    """The first line of a module's docstring."""
    return docstring(path).splitlines()[0]


def caption(name: str) -> str:
    """What lines, points and bars of a figure are: the rest of its docstring."""
    return " ".join(docstring(f"figures/{name}.py").partition("\n")[2].split())


def figures(family: str) -> list[str]:
    """Figures of a family of models, each where its first model is."""
    seen: dict[str, str] = {}
    for model in CATALOGUE.values():
        for name in model.figures:
            seen.setdefault(name, model.family)
    return [name for name, first in seen.items() if first == family]


def cards(names: list[str], end: str) -> str:
    """A list of pictures that link to what is said of each below, which the site shows side by side."""
    return "{.cards}\n" + "".join(
        f"* [![{name}](figures/{name}.{end}) {title(f'figures/{name}.py')}](#{name})\n" for name in names
    )


def table() -> str:
    """A table of models a family, for the README."""
    out = []
    for family, words in FAMILIES.items():
        out.append(f"{family}: {words}\n\n| Model | Simulation | Theory | |\n|---|---|---|---|\n")
        for model in (m for m in CATALOGUE.values() if m.family == family):
            papers = "; ".join(PAPERS[key].short for key in model.papers[:2])
            out.append(f"| [`{model.name}`](docs/{model.name}.md) | {model.simulated} | {model.solved} | {papers} |\n")
        out.append("\n")
    return "".join(out)


def index() -> str:
    """The models' pages, a tree a family."""
    trees = (
        f"```{{toctree}}\n:hidden:\n:caption: {family}\n\n"
        + "".join(f"{model.name}\n" for model in CATALOGUE.values() if model.family == family)
        + "```\n\n"
        for family in FAMILIES
    )
    return "".join(trees)


def library() -> str:
    """Classes and functions of the models, for the reference."""
    out = []
    for family in FAMILIES:
        out.append(f"## {family}\n\n```{{eval-rst}}\n")
        for model in (m for m in CATALOGUE.values() if m.family == family):
            simulate = [] if model.online else [f"{model.sims}.simulate"]
            solve = [f"{model.theory}.solve"] if model.room else []
            functions = [*simulate, *solve, *(f"tsphys.{path}" for path in model.functions)]
            out.append(f".. autoclass:: {model.home}.{model.cls}\n")
            out += [f".. autofunction:: {path}\n" for path in functions]
        out.append("```\n\n")
    return "".join(out)


def gallery() -> str:
    """Every figure as a card, what moves, and then each with its command and its caption."""
    out = []
    families = {family: names for family in FAMILIES if (names := figures(family))}
    every = [name for names in families.values() for name in names]
    for family, names in families.items():
        out.append(f"## {family}\n\n{cards(names, 'png')}\n")
    out.append("## In motion\n\nAs GIF, or MP4 with `--animate mp4` where ffmpeg is installed.\n\n")
    for name in every:
        if (ROOT / "figures" / "animations" / f"{name}.py").is_file():
            words = title(f"figures/animations/{name}.py")
            out.append(f"{words}\n\n    tsphys figure {name} --animate\n\n![{words}](figures/{name}.gif)\n\n")
    out.append("## All figures\n\n")
    for name in every:
        models = [model.name for model in CATALOGUE.values() if name in model.figures]
        links = ", ".join(f"[{model}]({model}.md)" for model in models)
        words = title(f"figures/{name}.py")
        out.append(f"### {name}\n\n{words} Of {links}.\n\n    tsphys figure {name}\n\n")
        out.append(f"![{words}](figures/{name}.png)\n\n{caption(name)}\n\n")
    return "".join(out)


def engines() -> str:
    """Features of rules by engine, and what does not go together; those of runs of Hopfield's network."""
    columns = able.DIRECT, able.EXACT, able.CUDA, able.QUADRATURE, able.EXPANSION
    out = features(("`direct`", "`exact`", "`cuda`", "quadrature", "1/N"), columns, able.FEATURES)
    out += "| precision | " + " | ".join(" or ".join(engine.dtypes) for engine in columns) + " |\n\n"
    out += "No engine combines:\n\n"
    for name, others in able.CLASHES.items():
        out += f"* `{name}` and " + ", ".join(f"`{other}`" for other in others) + "\n"
    for first, second in able.EXPANSION.apart:
        out += f"* for the first order in 1/N, `{first}` and `{second}`\n"
    own = features(("`direct`", "`exact`", "`cuda`"), (spins.DIRECT, spins.EXACT, spins.CUDA), spins.FEATURES)
    return f"{out}\n[Hopfield's network](hopfield.md) has engines of its own:\n\n{own}\n"


def features(heads: Sequence[str], columns: Sequence[Engine], words: Mapping[str, str]) -> str:
    """A table of what engines can do."""
    out = f"| | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}\n"
    for name, about in words.items():
        out += f"| {about}: `{name}` | {' | '.join('yes' if name in one.takes else '–' for one in columns)} |\n"
    return out


def papers() -> str:
    """Every paper with the models that have its system, where to begin, and what of it is here."""
    out = ["| Paper | Model, and where to begin | Here | Not here |\n|---|---|---|---|\n"]
    for key in sorted(PAPERS, key=lambda key: plain(PAPERS[key].short)):
        name, (here, missing) = f"{PAPERS[key].short}, *{PAPERS[key].title}*", COVERAGE[key]
        models = "<br>".join(begin(model) for model in CATALOGUE.values() if key in model.papers)
        out.append(f"| {name} | {models} | {here} | {missing} |\n")
    return "".join(out) + "\n"


def begin(model: Entry) -> str:
    """A model's page, and its figure, command, or class."""
    words = f"`tsphys figure {model.figures[0]}`" if model.figures else f"`tsphys solve {model.name}`"
    return f"[`{model.name}`]({model.name}.md): {words if model.command else f'`tsphys.{model.cls}`'}"


PAGES = {
    "docs/papers.md": papers,
    "README.md": table,
    "docs/index.md": index,
    "docs/api.md": library,
    "docs/gallery.md": gallery,
    "docs/engines.md": engines,
}


def written(page: str) -> str:
    """The text of a page with its part from the catalogue."""
    text = (ROOT / page).read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{PAGES[page]()}{END}{after}"


if __name__ == "__main__":
    for page in PAGES:
        (ROOT / page).write_text(written(page), encoding="utf-8")
