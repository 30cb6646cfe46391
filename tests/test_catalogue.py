"""The one list of models, and all that is derived from it or held against it."""

import ast
import re
import runpy
from pathlib import Path

import pytest

import tsphys
from tests.command import call
from tsphys.catalogue import CATALOGUE, FAMILIES
from tsphys.papers import COVERAGE, PAPERS

ROOT = Path(__file__).resolve().parents[1]
PAGES = runpy.run_path(str(ROOT / "docs" / "pages.py"))


@pytest.mark.parametrize("page", PAGES["PAGES"])
def test_pages_say_what_the_catalogue_says(page):
    """``python docs/pages.py`` mends them."""
    assert (ROOT / page).read_text(encoding="utf-8") == PAGES["written"](page)


def test_names_families_and_papers_are_there():
    assert {model.family for model in CATALOGUE.values()} == set(FAMILIES)
    for name, model in CATALOGUE.items():
        assert getattr(tsphys, model.cls).name == name
        assert model.papers and set(model.papers) <= set(PAPERS)
        assert model.online != (ROOT / "sims" / f"{name}.py").is_file()
    assert set(PAPERS) == {key for model in CATALOGUE.values() for key in model.papers}


def test_every_paper_says_what_is_here_what_is_not_and_where_to_begin():
    """A row each, with a figure, a command or a class of every model that has its system."""
    assert set(COVERAGE) == set(PAPERS)
    rows = {row.split(" | ")[0]: row for row in PAGES["papers"]().splitlines()[2:] if row}
    assert len(rows) == len(PAPERS)
    for key, paper in PAPERS.items():
        here, missing = COVERAGE[key]
        assert len(here) > 10 and len(missing) > 4 and "|" not in here + missing, key
        row = rows[f"| {paper.short}, *{paper.title}*"]
        for model in (m for m in CATALOGUE.values() if key in m.papers):
            words = f"figure {model.figures[0]}" if model.figures else f"solve {model.name}"
            start = f"tsphys {words}" if model.command else f"tsphys.{model.cls}"
            assert f"[`{model.name}`]({model.name}.md): `{start}`" in row


def test_type_checkers_see_the_public_names():
    tree = ast.parse((ROOT / "tsphys" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (n.body for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    seen = {alias.name: node.module for node in block for alias in node.names}
    # The stub hands on the models, and what the two verbs take model by model.
    stub = ast.parse((ROOT / "tsphys" / "signatures.pyi").read_text(encoding="utf-8"))
    given = {a.asname: n.module for n in stub.body if isinstance(n, ast.ImportFrom) for a in n.names if a.asname}
    assert seen.pop("*") == "tsphys.signatures"
    assert {**seen, **given, "simulate": "tsphys.registry", "solve": "tsphys.registry"} == tsphys._HOMES


def test_editors_complete_the_options_of_every_model():
    """``python docs/signatures.py`` mends it."""
    stub = runpy.run_path(str(ROOT / "docs" / "signatures.py"))
    assert stub["STUB"].read_text(encoding="utf-8") == stub["signatures"]()


def test_papers_can_be_found():
    for key, paper in PAPERS.items():
        assert 1950 < paper.year < 2100
        assert re.fullmatch(r"(10\.\d{4,}/\S+)?", paper.doi), key
        assert re.fullmatch(r"(\d{4}\.\d{4,5})?", paper.arxiv), key
        # By identifier, by volume and page, or in proceedings.
        assert paper.doi or paper.arxiv or re.search(r"\d", paper.venue), key
        assert all("," in name or name == "others" for name in paper.authors.split(" and ")), key


@pytest.mark.parametrize("words", ["Saad & Solla 1995", "soft committee", "doi:10.1103/PhysRevE.52.4225", "SOLLA"])
def test_a_paper_leads_to_its_models(words, capsys):
    code, out, _ = call(capsys, "models", "--paper", words)
    assert code == 0
    assert out.startswith("two_layer, pruned, learning_rule: Saad & Solla 1995, On-line learning in soft")


def test_papers_are_found_without_accents(capsys):
    assert call(capsys, "models", "--paper", "zdeborova 2105.07416")[1].startswith("memory_reconstruction: Goldt")


@pytest.mark.parametrize("arguments", [("--paper", "nobody at all"), ("glm", "--paper", "Barbier")])
def test_what_is_no_paper_is_refused(arguments, capsys):
    code, out, err = call(capsys, "models", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("tsphys: error: paper = ")


def test_models_are_listed_by_family(capsys):
    out = call(capsys, "models")[1].splitlines()
    assert [line[:-1] for line in out if not line.startswith(" ")] == list(FAMILIES)
    assert [line.split()[0] for line in out if line.startswith(" ")] == [
        name for family in FAMILIES for name, model in CATALOGUE.items() if model.family == family
    ]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_model_is_described_and_cited(name, capsys):
    code, out, _ = call(capsys, "models", name)
    assert code == 0
    assert out.startswith(f"tsphys.{CATALOGUE[name].cls}: ")
    code, out, _ = call(capsys, "cite", name)
    assert code == 0
    entries = re.findall(r"^@(\w+)\{(\w+),\n((?:  \w+ = \{.*\},\n)+)\}$", out, re.M)
    assert [key for _, key, _ in entries] == [*CATALOGUE[name].papers, "tsphys"]
    assert out.count("{") == out.count("}")


def test_the_package_is_cited_as_its_file_says(capsys):
    cff = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    out = call(capsys, "cite", "two_layer")[1]
    for key in ("title", "version"):
        (value,) = re.findall(rf"^{key}: \"?(.+?)\"?$", cff, re.M)
        assert re.search(rf"{key} = \{{+{re.escape(value)}\}}+,", out[out.index("@software") :])


def test_a_model_of_no_catalogue_is_refused(capsys):
    code, _, err = call(capsys, "cite", "qqq")
    assert code == 2
    assert err.startswith("tsphys: error: model = 'qqq': is not known; known are two_layer, ")


def test_what_a_model_costs_is_what_the_page_says():
    """To a tenth, so that not each line is a change of the page; ``python docs/cost.py --write`` mends it."""
    cost = runpy.run_path(str(ROOT / "docs" / "cost.py"))
    said = cost["PAGE"].read_text(encoding="utf-8").split(cost["BEGIN"])[1].split(cost["END"])[0]
    words, numbers = (re.split(r"[\d,]+", said), re.findall(r"[\d,]+", said))
    found = cost["text"]()
    assert re.split(r"[\d,]+", found) == words
    for one, other in zip(numbers, re.findall(r"[\d,]+", found), strict=True):
        one, other = (int(x.replace(",", "") or 0) for x in (one, other))
        assert abs(one - other) <= 0.1 * other + 1
