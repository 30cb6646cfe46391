"""Who moves the spins of Hopfield's network, and what of a run each can: the table from which all refusals come."""

from __future__ import annotations

from typing import Any

from tsphys.ground.engines import Engine, chosen
from tsphys.sims.engines.spins import columns

FEATURES = {
    "sequential": "sequential dynamics",
    "parallel": "parallel dynamics",
    "coupling": "couplings other than Hebb's",
    "activity": "an activity",
    "patterns": "patterns of your own",
    "grey": "patterns with values of their own",
    "spins": "given spins",
    "keep_spins": "spins that are kept",
    "tempering": "tempering",
    "overlap": "fields from the overlaps",
    "matrix": "stored couplings",
    "most": f"more than {columns.MOST_PATTERNS} patterns",
    "largest": f"more than {columns.LARGEST:g} spins",
}
DIRECT = Engine("direct", frozenset(FEATURES))
EXACT = Engine("exact", frozenset({"parallel"}))
CUDA = Engine("cuda", DIRECT.takes - {"parallel", "coupling", "activity", "grey", "tempering", "matrix"})


def asked(model: Any, plan: Any, method: str, grey: bool, P: int, drawn: bool) -> list[str]:
    """What a run asks for, with P patterns at most."""
    found = {
        model.dynamics: True,
        "coupling": model.coupling != "hebb",
        "activity": model.activity is not None,
        "patterns": not drawn,
        "grey": grey,
        "spins": plan.started == "given",
        "keep_spins": plan.keep_spins,
        plan.protocol: True,
        method: True,
        "most": P > columns.MOST_PATTERNS,
        "largest": plan.N > columns.LARGEST,
    }
    return [name for name in FEATURES if found.get(name)]


def choose(features: list[str], engine: str, P: int, N: int) -> str:
    """The engine of a run that asks for these; with ``auto`` the exact one where it may be and is sooner, 2^P ≤ N/8."""
    sooner = P <= columns.MOST_PATTERNS and 8 * 2**P <= N
    return chosen((EXACT, DIRECT, CUDA) if sooner else (DIRECT, EXACT, CUDA), FEATURES, features, engine)
