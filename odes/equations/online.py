"""The expansion in 1/N of online learning by rules on local fields: its states, its processes, and what is observed.

The state is y = (R, triangle of S, v) with S = Q − R T⁺ Rᵀ, the overlaps outside of the teachers' span, in which
nothing cancels as students become teachers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.odes.equations.expansion import Process
from tsphys.odes.equations.one_step import one_step
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.engines import EXPANSION, words
from tsphys.rules.field_average import SCRAMBLINGS, Nodes, gauss, polar, sobol
from tsphys.rules.learning_rule import LearningRule
from tsphys.runs.online import observed, readouts

#: Nodes of Sobol's points for a smooth rule, which leave 1 % of D, and for one with kinks; and their variance: averages
#: of high powers of the fields, which the fourth moments of nearly equal students are, need points far out.
SMOOTH, ROUGH, WIDE = 2**12, 2**14, 1.5
#: Most Gauss-Hermite nodes, which are for two fields only: with more of them the same number of points is too coarse.
GAUSS = 2**11


@dataclass(frozen=True)
class Overlaps:
    """States (R, S, v) of K students with M teachers.

    Parameters
    ----------
    T : ndarray (M, M)
        Overlaps of the teachers.
    K : int
    """

    T: np.ndarray
    K: int

    @cached_property
    def T_inv(self) -> np.ndarray:
        """T⁺."""
        return np.linalg.pinv(self.T, hermitian=True)

    def state(self, start: OrderParameters) -> np.ndarray:
        """(R, triangle of S, v) as one vector."""
        S = start.Q - start.R @ self.T_inv @ start.R.T
        return np.concatenate([start.R.ravel(), S[np.tril_indices(self.K)], start.v])

    def split(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """R (…, K, M), S (…, K, K), v (…, V) of states (…, n)."""
        K, M, (row, column) = self.K, len(self.T), np.tril_indices(self.K)
        S = np.empty((*y.shape[:-1], K, K))
        S[..., row, column] = S[..., column, row] = y[..., K * M : K * M + len(row)]
        return y[..., : K * M].reshape(*y.shape[:-1], K, M), S, y[..., K * M + len(row) :]

    def join(self, R: np.ndarray, S: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The state (n,)."""
        return np.concatenate([R.ravel(), S[np.tril_indices(self.K)], v])

    def Q(self, R: np.ndarray, S: np.ndarray) -> np.ndarray:
        """Q (…, K, K)."""
        return S + R @ self.T_inv @ R.swapaxes(-1, -2)

    def units(self, y: np.ndarray, rough: bool) -> np.ndarray:
        """Sizes over which the motion changes: of a rule with kinks those of S, as students come close to teachers."""
        R, S, v = self.split(y)
        Q = np.maximum(np.diag(self.Q(R, S)), 1e-300)
        own = np.sqrt(np.maximum(np.diag(S), 1e-12 * Q))
        across = np.minimum(own, np.sqrt(Q)) if rough else np.sqrt(Q)
        teacher = np.sqrt(np.maximum(np.diag(self.T), 1e-300))
        return self.join(
            np.outer(across, teacher), 0.1 * np.outer(own, own), np.full(len(v), np.abs(v).max(initial=1e-3))
        )


@dataclass(frozen=True)
class Chain:
    """What the expansion wants to know of a model: its process, its first state, and what is observed of states.

    Parameters
    ----------
    process : Process
    start : ndarray (n,)
    observe : callable
        ``observe(states (p, n))`` is {observable: (p, …)}, with the names and shapes of the model's theory.
    atol : float or ndarray (n,)
        Absolute tolerance of the curve y(t).
    """

    process: Process
    start: np.ndarray
    observe: Callable[[np.ndarray], dict[str, np.ndarray]]
    atol: Any = 1e-11


def expandable(rule: LearningRule) -> LearningRule:
    """The rule, if the expansion is known for it.

    Raises
    ------
    ModelError
        If it is not.
    """
    unknown = words(EXPANSION, rule)
    if unknown:
        raise ModelError("fluctuations", True, f"must be false: {EXPANSION.name} does not know {unknown}")
    return rule


def nodes_of(rule: LearningRule) -> Nodes:
    """Nodes for the moments of one step."""
    fields = rule.K + rule.M
    found = None
    if rule.smooth and fields == 2:
        found = gauss(fields, rule.n_noise, GAUSS)
    elif fields == 2 and rule.law is None:
        found = polar(rule.n_noise, GAUSS)
    return found[0] if found else widened(fields + rule.n_noise, SMOOTH if rule.smooth else ROUGH)


@lru_cache(maxsize=16)
def widened(dimensions: int, points: int) -> Nodes:
    """Sobol's points of a normal density of variance `WIDE`, weighted to be of variance one."""
    sets = sobol(dimensions, SCRAMBLINGS * points)
    assert sets is not None
    z = sets[0].z
    w = np.exp(-0.5 * (WIDE - 1) * (z**2).sum(axis=1))
    return Nodes("sobol", np.sqrt(WIDE) * z, w / w.sum())


def chain(
    model: Any,
    start: OrderParameters,
    *,
    drift: Callable[[np.ndarray], np.ndarray],
    observe: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None,
    atol: Any = 1e-11,
) -> Chain:
    """The chain of a model with a rule on local fields whose motion of (R, S, v) is `drift`."""
    rule = expandable(model.learning_rule())
    overlaps = Overlaps(np.array(start.T), rule.K)
    noise = one_step(rule, nodes_of(rule), overlaps.T, np.array(start.v_star))
    process = Process(drift, noise, lambda y: overlaps.units(y, rough=not rule.smooth))

    def seen(states: np.ndarray) -> dict[str, np.ndarray]:
        R, S, v = overlaps.split(states)
        Q = overlaps.Q(R, S)
        return {**observed(model, R, Q, start.T, v, start.v_star), "R": R, "Q": Q, "v": readouts(model, v)}

    return Chain(process, overlaps.state(start), observe or seen, atol)
