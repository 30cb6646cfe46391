"""What type checkers and editors know of `tsphys.simulate` and `tsphys.solve`, model by model: a stub with overloads.

``python docs/signatures.py`` writes ``tsphys/signatures.pyi`` from the models' own options; a test holds it to them.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tsphys.catalogue import CATALOGUE, Entry
from tsphys.registry import EVERY, VERBS, runner

STUB = Path(__file__).resolve().parents[1] / "tsphys" / "signatures.pyi"
#: What an option may be typed as without another import.
PLAIN = {"int", "float", "str", "bool", "None", "Any", "|"}
HEAD = """# Written by docs/signatures.py.
from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np

"""
NUMBERS = "\nNumbers: TypeAlias = float | Sequence[float] | np.ndarray | None\n\n"


def arguments(model: Entry, verb: str) -> dict[str, str]:
    """The options of a verb for a model, and what they are."""
    made = runner(model, verb)
    own = dict.fromkeys(made.axes, "Numbers = ...")
    for name, option in {**made.options, **EVERY[verb]}.items():
        kind = option.type if {*str(option.type).split()} <= PLAIN else "Any"
        own[name] = kind if option.default is dataclasses.MISSING else f"{kind} = ..."
    return own


def signatures() -> str:
    """The stub; last of the overloads, online learning of a user's own."""
    homes = {model.cls: model.home for model in CATALOGUE.values()}
    homes |= {"Online": "tsphys.rules.contract", "Result": "tsphys.runs.result"}
    # Under its own name each is handed on, so that the package takes its models from here.
    imports = (f"from {homes[cls]} import {cls} as {cls}\n" for cls in sorted(homes, key=homes.__getitem__))
    out = [HEAD, *imports, NUMBERS]
    for verb in VERBS:
        alike: dict[str, list[str]] = {}
        for model in CATALOGUE.values():
            lines = "".join(f"    {name}: {kind},\n" for name, kind in arguments(model, verb).items())
            alike.setdefault(lines, []).append(model.cls)
        for lines, models in alike.items():
            out.append(f"@overload\ndef {verb}(\n    model: {' | '.join(models)},\n    *,\n{lines}) -> Result: ...\n")
        out.append(f"@overload\ndef {verb}(model: Online, **options: Any) -> Result: ...\n")
    return "".join(out)


if __name__ == "__main__":
    STUB.write_text(signatures(), encoding="utf-8")
