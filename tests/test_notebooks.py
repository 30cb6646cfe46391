"""Notebooks of the docs: their cells run at small sizes without Jupyter, and what is kept of them is of these cells."""

import json
import sys
from pathlib import Path

import pytest

from tests.wide import each

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))
import notebooks

SMALL = {
    "finite_size": {"N": 100, "replicas": 4},
    "hard_phase": {"N": 100, "replicas": 2},
    "hopfield_capacity": {"sizes": (100,), "replicas": 2},
    "saad_solla": {"N": 100, "replicas": 2},
    "study": {"N": 100, "replicas": 2, "rates": "0.2:1:3"},
    "rule_of_your_own": {"N": 100, "replicas": 2, "points": 2**6},
}


@pytest.mark.parametrize(
    # Of rules of one's own docs/learning_rule.md has what that notebook has, and its examples run too.
    "name",
    each(notebooks.names(), fast=("study",), slow=("rule_of_your_own",)),
)
def test_the_cells_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outputs = notebooks.run(name, **SMALL[name])
    assert any("image/png" in o.get("data", {}) for cell in outputs for o in cell)
    assert any(o["output_type"] == "stream" for cell in outputs for o in cell)


@pytest.mark.parametrize("name", notebooks.names())
def test_what_is_kept_is_of_these_cells(name):
    kept = json.loads((notebooks.FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    fresh = json.loads(notebooks.notebook(name, notebooks.shown(name)))
    assert kept == fresh, f"python docs/notebooks.py {name}"
    assert any(o.get("data", {}).get("image/png") for cell in kept["cells"] for o in cell.get("outputs", []))
