"""A perceptron whose inputs are moved against it: errors under attack, and training on attacked examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static

ONLINE = ("hebb", "rosenblatt", "adatron")
#: Who may be trained on attacked examples.
HARDENED = ("hebb", "rosenblatt", "ridge", "logistic", "hinge")
#: The loss of each risk.
LOSS = {"ridge": "square", "logistic": "logistic", "hinge": "hinge"}


@dataclass(frozen=True)
class AdversarialPerceptron(Static):
    """A student sign(w·x) of αN labels sign(w*·x), x ~ N(0, I_N), attacked by δ, |δ| ≤ ε: x + δ with δ = −yε w/|w|.

    ``hebb``, ``rosenblatt`` and ``adatron`` see each example once, at time t = α; ``bayes`` is the mean of all students
    that are consistent; ``ridge``, ``logistic`` and ``hinge`` minimise Σ ℓ(yh) + (λ/2)|w|², h = w·x/√N; ``max_margin``
    is the limit λ → 0. With `training` ε' > 0 examples are attacked while learning: online x is replaced by
    x − yε'w/|w|, in the risk yh by yh − ε'|w|/√N, which is ℓ at the worst |δ| ≤ ε', but for ``ridge``, whose loss is
    then ½(1 − yh + ε'|w|/√N)².

    Parameters
    ----------
    attack : float
        ε, in units in which |x| = √N.
    norm : {"l2", "linf"}
        What is at most ε: |δ|, or √N times the largest |δ_i|, of which δ = −yε sign(w)/√N is the worst: an attack of
        ε|w|₁/(√N|w|₂), √(2/π)ε for weights that are normal.
    learner : {"rosenblatt", "hebb", "adatron", "bayes", "ridge", "logistic", "hinge", "max_margin"}
        As above.
    alpha : float
        Load n/N; online the time.
    training : float
        ε' of all but adatron, bayes and max_margin, in the norm of lengths.
    regularization : float
        λ.
    lr, start : float
        η and the overlap ρ(0) of online rules, which begin with |w|² = N.

    References
    ----------
    Cubuk, Zoph, Schoenholz & Le 2017; Javanmard & Soltanolkotabi, Ann. Stat. 50, 2127 (2022); Tanner, Vilucchio,
    Loureiro & Krzakala, AISTATS 2025.
    """

    name: ClassVar[str] = "adversarial_perceptron"
    axes: ClassVar[tuple[str, ...]] = ("attack", "alpha", "training", "regularization")
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    attack: float = param(0.3, "size ε of the attack, where |x| = √N", low=0, high=100)
    learner: str = param(
        "rosenblatt", "who learns", kind=str,
        choices=("rosenblatt", "hebb", "adatron", "bayes", "ridge", "logistic", "hinge", "max_margin"), short="-e",
    )  # fmt: skip
    norm: str = param("l2", "what is at most ε, the length of the attack or √N times its coordinates", kind=str,
                      choices=("l2", "linf"))  # fmt: skip
    alpha: float = param(2.0, "load α = n/N; online the time", low=1e-3, high=1e4, short="-a")
    training: float = param(0.0, "size ε' of the attack on examples while learning", low=0, high=100)
    regularization: float = param(0.1, "λ of ridge, logistic and hinge", low=1e-4, high=1e4)
    lr: float = param(1.0, "learning rate η of online rules", low=1e-4, high=1e4)
    start: float = param(0.01, "overlap ρ at the start of online rules", low=-1, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.training != 0 and self.learner not in HARDENED:
            raise ModelError("training", self.training, f'must be 0 with learner = "{self.learner}"')
