"""How a fixed training set is learned: examples a step, their order, and what is seen of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Online

ORDERS = ("replacement", "shuffle")
#: What has a meaning with a training set only, and what it is without.
PLAIN: dict[str, Any] = {"batch": None, "order": "replacement", "epoch": 1, "momentum": 0}


@dataclass(frozen=True, kw_only=True)
class Trained(Online):
    """Online learning that may have a fixed training set instead; see `tsphys.LearningRule` for what its fields are."""

    inputs: str = param("gaussian", "law of the inputs", kind=str, choices=("gaussian", "binary"))
    alpha: float | None = param(
        None, "load of a fixed training set of αN examples; none: online", low=0, open_low=True, optional=True
    )
    batch: float | None = param(
        None, "with alpha: share of the examples in a step, of which t counts whole ones; none: minibatches",
        low=0, high=1, open_low=True, optional=True,
    )  # fmt: skip
    order: str = param("replacement", "with alpha: examples anew or by epochs", kind=str, choices=ORDERS)
    epoch: float = param(1.0, "share of the examples in an epoch, a new one each time", low=0, high=1, open_low=True)
    momentum: float = param(0.0, "with batch: momentum β", low=0, high=1, open_high=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training(self)

    def examples(self) -> dict[str, Any]:
        """What the rule of a model takes over from it."""
        return {name: getattr(self, name) for name in Trained.__dataclass_fields__}


def check_training(model: Trained) -> None:
    """Raise a ModelError if parameters of a training set do not go together."""

    def must(name: str, words: str, plain: Any = 1) -> None:
        usual = PLAIN.get(name, plain)
        if getattr(model, name) != usual:
            raise ModelError(name, getattr(model, name), f"must be {'none' if usual is None else usual} {words}")

    if model.alpha is None:
        for name in PLAIN:
            must(name, "without alpha, where there is no training set")
    if model.batch is None:
        must("momentum", "without batch")
    else:
        must("minibatch", "with batch, which says how many examples a step has")
    if model.order != "shuffle":
        must("epoch", 'with order = "replacement"')
    elif model.batch is not None and abs(parts(model) * model.batch / model.epoch - 1) > 1e-9:
        raise ModelError("batch", model.batch, 'must be epoch/1, epoch/2, epoch/3, … with order = "shuffle"')


def parts(model: Any) -> int:
    """Of how many steps an epoch is made, with `batch`."""
    return max(1, round(model.epoch / model.batch))


def told(model: Any) -> tuple[str, ...]:
    """Names of what is seen of the training set of a model, if it has one."""
    rule = model.learning_rule()
    if rule.alpha is None:
        return ()
    lam, nu, noise = (np.zeros((k, 1)) for k in (rule.K, rule.M, max(rule.n_noise, 1)))
    return tuple(model.trained(lam, nu, np.array(rule.v), np.array(rule.v_star), noise))
