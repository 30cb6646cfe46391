"""One-layer student and teacher with sign output: Hebb, Rosenblatt, AdaTron and the optimal online rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.ground.parameters import LARGEST_SCALE, param
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.training import Trained

#: Names of the rules, in the order of their codes in tsphys.rules.perceptron.
RULES = ("hebb", "rosenblatt", "adatron", "optimal")


@dataclass(frozen=True)
class Perceptron(Trained):
    """Student sign(λ) learns a teacher y = sign(ν), |w*|² = N, from a stream of examples: w ← w + c x/√N.

    Rules: Hebb c = ηy; Rosenblatt c = ηy where the student errs; AdaTron c = −ηλ where it errs; the optimal rule of
    Kinouchi & Caticha, whose modulation uses the current overlap and |w*|² = N, and which learns fastest of all. eps_g
    is the probability of an error, acos(ρ)/π with ρ = R/√(QT); time t = steps/N.

    Parameters
    ----------
    rule : {"hebb", "rosenblatt", "adatron", "optimal"}
        Learning rule.
    lr : float
        Learning rate η; the optimal rule has its own and does not use it.
    minibatch : int
        Examples in a step.
    init : float
        Standard deviation of the initial student weights when no start is given.
    inputs, alpha, batch, order, epoch, momentum
        As in `TwoLayer`.

    References
    ----------
    Kinzel & Rujan, EPL 13, 473 (1990); Kinouchi & Caticha, J. Phys. A 25, 6243 (1992); Biehl & Riegler, EPL 28, 525
    (1994).
    """

    name: ClassVar[str] = "perceptron"

    rule: str = param("hebb", "learning rule", kind=str, choices=RULES)
    lr: float = param(1.0, "learning rate η (not used by the optimal rule)", low=0, open_low=True)
    minibatch: int = param(1, "examples in a step", kind=int, low=1, short="-b")
    init: float = param(
        1.0, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE, open_low=True
    )

    #: One student, one teacher.
    K: ClassVar[int] = 1
    M: ClassVar[int] = 1

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import perceptron

        optimal = self.rule == "optimal"
        return LearningRule(
            perceptron.optimal_rule if optimal else perceptron.rule,
            params=() if optimal else perceptron.Params(RULES.index(self.rule), self.lr),
            error=perceptron.error,
            minibatch=self.minibatch,
            uses_overlaps=optimal,
            # Its modulation takes |w*|² as N.
            fixed_teacher=optimal,
            **self.examples(),
            init=self.init,
        )

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Probability that student and teacher disagree, acos(ρ)/π."""
        R, Q, T = (np.asarray(a)[..., 0, 0] for a in (R, Q, T))
        # atan2 keeps the digits that acos loses near ρ = 1.
        return np.arctan2(np.sqrt(np.maximum(Q * T - R * R, 0.0)), R) / np.pi

    def trained(
        self, lam: np.ndarray, nu: np.ndarray, v: np.ndarray, v_star: np.ndarray, noise: np.ndarray
    ) -> dict[str, Any]:  # fmt: skip
        """``train_error``, the share of the training set that the student gets wrong; half of it at fields of 0."""
        return {"train_error": 0.5 * (1 - np.mean(np.sign(lam[0] * nu[0])))}

    def shares(self, N: float) -> Mapping[str, float]:
        """Those of the training set."""
        return {} if self.alpha is None else {"train_error": self.alpha * N}
