"""A kernel of an engine with a rule in its place, and the parameters that both want."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.rules.binding import bind, bind_beside, given, placed
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.batch import bind_batch, table


def bound(kernel: Any, rule: LearningRule) -> Any:
    """`kernel` of an engine with the function of a rule, of one example or of the whole minibatch."""
    if rule.estimated:
        return bind_beside(kernel, placed(rule))
    return bind_batch(kernel, placed(rule)) if rule.whole_batch else bind(kernel, placed(rule))


def seen_by(rule: LearningRule, V: int, R: np.ndarray, Q: np.ndarray, more: Any = None) -> Any:
    """``p`` of that kernel, which keeps the overlaps R and Q; with what estimates of its steps want as `more`."""
    own = given(rule, R, Q)
    if more is not None:
        return more._replace(own=own)
    return table(rule, V, own) if rule.whole_batch else own
