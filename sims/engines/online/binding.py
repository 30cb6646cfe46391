"""A kernel of an engine with a rule in its place, and the numbers that both want."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.rules.binding import bind, bind_behind_head
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.batch import bind_batch, table


def bound(kernel: Any, rule: LearningRule) -> Any:
    """`kernel` of an engine with the function of a rule, of one example or of the whole minibatch."""
    if rule.estimated:
        return bind_behind_head(kernel, rule.function)
    if not rule.whole_batch:
        return bind(kernel, rule.function)
    return bind_batch(kernel, rule.function)


def numbers(rule: LearningRule, V: int) -> np.ndarray:
    """``p`` of a kernel: the rule's parameters, for a rule of the whole minibatch behind the table of its results."""
    if not rule.whole_batch:
        return rule.parameter_array()
    return np.concatenate([table(rule, V), rule.parameter_array()])
