"""What the pages say can be done: the site builds, commands parse, examples run, every figure is in the gallery."""

import ast
import doctest
import pickle
import re
import runpy
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from tests.wide import each
from tsphys.cli import tsphys as command_line
from tsphys.cli.figure import moving, names

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]
#: Of a whole validation.
LONG = ("validation",)


def commands(page):
    """Command lines of an indented block, without the remarks behind them and what they are piped to."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("    tsphys "):
            words = shlex.split(line, comments=True)[1:]
            yield words[: words.index("|")] if "|" in words else words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_on_the_pages_parse(page):
    for words in commands(page):
        context = click.Context(command_line)
        command = command_line
        while isinstance(command, click.Group) and words:
            _, command, words = command.resolve_command(context, words)
            context = click.Context(command, parent=context)
        command.make_parser(context).parse_args(list(words))


@pytest.mark.parametrize("page", each(EXAMPLES, fast=("README",), slow=LONG), ids=lambda page: page.stem)
def test_examples_on_the_pages_run(page, tmp_path, monkeypatch):
    if "tsphys.images" in page.read_text(encoding="utf-8"):
        pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    space = {"__name__": "__example__"}
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        exec(compile(code, str(page), "exec"), space)


def documented():
    """Modules with examples in their docstrings."""
    rooms = ("sims", "odes", "replica", "figures", "benchmarks", "validation")
    for path in sorted((ROOT / "tsphys").rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8") and path.relative_to(ROOT).parts[1] not in rooms:
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("module", list(documented()))
def test_examples_in_docstrings(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(import_module(module), optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    assert found.attempted > 0
    assert found.failed == 0


def test_every_figure_is_in_the_gallery():
    gallery = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    for name in names():
        assert f"(figures/{name}.png)" in gallery
        assert (ROOT / "docs" / "figures" / f"{name}.png").is_file(), f"tsphys figure {name} -o docs/figures/{name}"
        assert f"tsphys figure {name}\n" in gallery
    for name in moving():
        assert f"tsphys figure {name} --animate\n" in gallery
        assert f"(figures/{name}.gif)" in gallery
        assert (ROOT / "docs" / "figures" / f"{name}.gif").stat().st_size < 3 * 2**20


@pytest.mark.parametrize("name", names())
def test_a_figure_says_what_is_drawn_and_of_how_many(name):
    tree = ast.parse((ROOT / "figures" / f"{name}.py").read_text(encoding="utf-8"))
    words = " ".join(ast.get_docstring(tree).partition("\n")[2].split())
    assert len(words) > 100, f"figures/{name}.py: its docstring goes on with what lines, points and bars are"
    # The sizes at which it is drawn for the gallery, where they are single numbers.
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id == "drawn":
            sizes = {option.arg: ast.unparse(option.value) for option in call.keywords}
            for size in ("N", "N_sparse", "replicas", "runs", "n"):
                full = eval(sizes.get(size, "(0, 0)"), {})[1]
                if isinstance(full, int) and full:
                    written = f"{full:,}".replace(",", " ") if full >= 10_000 else str(full)
                    assert re.search(rf"\b{written}\b", words), (size, written)


#: What the converter of formulas does not know it prints.
UNKNOWN = r">[^<]*(\\|&(?!#|lt;|gt;))"


def build(builder, site, *words):
    call = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", builder, *words, "docs", str(site)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.wide
def test_the_pages_of_the_site_are_read_without_a_warning(tmp_path):
    """All of it but writing, which takes twice as long; formulas are converted."""
    from docutils.nodes import math, math_block

    mathml = runpy.run_path(str(ROOT / "docs" / "conf.py"))["mathml"]
    build("dummy", tmp_path / "site", "-d", str(tmp_path))
    read = {path.stem: pickle.loads(path.read_bytes()) for path in tmp_path.glob("*.doctree")}
    assert {page.stem for page in PAGES[1:]} <= set(read)
    assert "OrderParameters" in read["api"].astext()
    formulas = [(name, x.astext()) for name in read for kind in (math, math_block) for x in read[name].findall(kind)]
    assert len(formulas) > 1000
    for name, text in formulas:
        assert not re.search(UNKNOWN, mathml(text, "inline")), (name, text)
        assert "$" not in text, (name, text)


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    site = tmp_path / "site"
    build("html", site)
    page = (site / "two_layer.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "$" not in re.sub(r"<(pre|code|script).*?</\1>", "", page, flags=re.S)
    assert "OrderParameters" in (site / "api.html").read_text(encoding="utf-8")
    for source, up in (("registry", "../.."), ("odes/two_layer", "../../..")):
        code = (site / "_modules" / "tsphys" / f"{source}.html").read_text(encoding="utf-8")
        assert f'href="{up}/two_layer.html"' in code
    for path in site.glob("*.html"):
        for formula in re.findall(r"<math.*?</math>", path.read_text(encoding="utf-8"), flags=re.S):
            assert not re.search(UNKNOWN, formula), (path.name, formula)
