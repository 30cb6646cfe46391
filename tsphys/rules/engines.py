"""Who runs a learning rule, and what of it each can: the one table, from which all refusals come.

A feature has the name of the parameter that asks for it, of a rule, of a `tsphys.rules.phases.Phase` or of a run. A
single fresh Gaussian example a step, of which the rule sees the fields, asks for none.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tsphys.errors import ModelError
from tsphys.ground.engines import Engine, chosen

FEATURES = {
    "inputs": "inputs ±1",
    "law": "a law of the inputs",
    "alpha": "a fixed training set",
    "batch": "steps on a share of the training set",
    "order": "epochs",
    "epoch": "epochs on a part of the training set",
    "momentum": "momentum",
    "minibatch": "minibatches",
    "weight_decay": "weight decay",
    "weight_decay_v": "decay of the readout",
    "sphere": "students on a sphere",
    "queries": "zeroth-order steps",
    "fraction": "steps on some coordinates",
    "masks": "masked students",
    "teachers": "directions that teachers are made of",
    "uses_overlaps": "rules that use the overlaps",
    "whole_batch": "rules of the whole minibatch",
    "schedule": "a schedule",
    "pull": "anchors",
    "stop": "phases that end at a threshold",
    "rewind": "phases that go back to what was kept",
    "units": "students that are made anew",
}
#: What nobody does together: parameters on the right are refused beside the feature on the left.
CLASHES = {
    "law": ("T", "inputs", "pull"),
    "sphere": ("K", "minibatch", "weight_decay", "pull", "units"),
    "queries": ("fraction", "masks", "law", "schedule", "sphere", "whole_batch", "weight_decay", "alpha", "minibatch"),
    "fraction": ("masks", "law", "schedule", "sphere", "whole_batch", "weight_decay", "alpha"),
    "masks": ("law", "sphere", "whole_batch", "weight_decay", "pull", "units"),
    "batch": (
        "minibatch",
        "sphere",
        "queries",
        "fraction",
        "masks",
        "uses_overlaps",
        "whole_batch",
        "schedule",
    ),
    "uses_overlaps": ("pull",),
    "whole_batch": ("pull",),
}
_FREE = ("minibatch", "weight_decay", "weight_decay_v")
#: What phases of a schedule ask for.
_PHASES = ("schedule", "pull", "stop", "rewind", "units")
_ALL = frozenset(FEATURES)


DIRECT = Engine("direct", _ALL, ("float64", "float32"))
EXACT = Engine("exact", frozenset({*_FREE, *_PHASES, "law", "sphere", "queries", "uses_overlaps", "whole_batch"}))
CUDA = Engine("cuda", frozenset({*_FREE, "inputs", "alpha", "uses_overlaps"}))
#: Equations for N → ∞ of any model, those for any rule, and the first order in 1/N.
THEORY = Engine("the theory", _ALL - {"alpha"})
STORED = Engine(
    "the theory of a fixed training set", frozenset({*_FREE, "inputs", "alpha", "batch", "order", "epoch", "momentum"})
)
QUADRATURE = Engine("the theory by quadrature", THEORY.takes - {"masks", "pull"})
EXPANSION = Engine(
    "the expansion in 1/N",
    THEORY.takes - {"masks", "whole_batch", "stop", "rewind"},
    apart=(("sphere", "schedule"),),
)
#: In the order in which ``auto`` tries them; it never picks a GPU.
SIMULATORS = (EXACT, DIRECT, CUDA)


def asked(rule: Any, **more: Any) -> dict[str, Any]:
    """Parameters of a rule, and `more`, that are not what they are by default; for more that is None."""
    own = {f.name: getattr(rule, f.name) for f in fields(rule) if getattr(rule, f.name) != f.default}
    return own | {name: value for name, value in more.items() if value is not None}


def check(rule: Any, **more: Any) -> None:
    """Raise a ModelError if a rule, and `more` that goes with it, asks for what nobody does together."""
    given, plain = asked(rule, **more), {f.name: f.default for f in fields(rule)}
    for feature, others in CLASHES.items():
        for name in others if feature in given else ():
            if name in given:
                usual = str(plain.get(name)).lower()
                raise ModelError(name, given[name], f"must be {usual} with {FEATURES[feature]}")


def lacking(engine: Engine, rule: Any, **more: Any) -> list[str]:
    """Features of a rule that an engine does not have."""
    return engine.lacks(_features(rule, **more))


def refuse(engine: Engine, rule: Any, **more: Any) -> None:
    """Raise a ModelError if equations lack a feature of a rule."""
    for name in lacking(engine, rule, **more):
        value = asked(rule, **more)[name]
        raise ModelError(name, value, f"must be none: {engine.name} does not know {FEATURES[name]}")


def choose(rule: Any, engine: str, dtype: str) -> str:
    """The engine that runs a rule; see `tsphys.ground.engines.chosen`."""
    return chosen(SIMULATORS, FEATURES, _features(rule), engine, dtype)


def _features(rule: Any, **more: Any) -> list[str]:
    return [name for name in asked(rule, **more) if name in FEATURES]
