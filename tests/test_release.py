"""What a release says of itself is said in one way."""

import re
from pathlib import Path

import tsphys

ROOT = Path(__file__).resolve().parents[1]


def test_the_recipe_needs_what_the_package_needs():
    needed = (ROOT / "setup.py").read_text(encoding="utf-8").split("install_requires=[")[1].split("],")[0]
    wanted = set(re.findall(r'"([\w-]+)>=([\d.]+)', needed))
    recipe = (ROOT / "conda.recipe" / "meta.yaml").read_text(encoding="utf-8").split("  run:\n")[1].split("test:")[0]
    found = {(name.removesuffix("-base"), least) for name, least in re.findall(r"- ([\w-]+) >=([\d.]+)", recipe)}
    assert found - {("python", "3.10")} == wanted


def test_the_citation_is_of_this_version():
    assert f"version: {tsphys.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
