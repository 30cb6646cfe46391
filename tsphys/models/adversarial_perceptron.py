"""A perceptron whose inputs are moved against it: errors under attack, and training on attacked examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static

ONLINE = ("hebb", "rosenblatt", "adatron")
#: Who may be trained on attacked examples.
HARDENED = ("hebb", "rosenblatt", "logistic")


@dataclass(frozen=True)
class AdversarialPerceptron(Static):
    """A student sign(w·x) of αN labels sign(w*·x), x ~ N(0, I_N), attacked by δ, |δ| ≤ ε: x + δ with δ = −yε w/|w|.

    ``hebb``, ``rosenblatt`` and ``adatron`` see each example once, at time t = α; ``bayes`` is the mean of all students
    that are consistent; ``ridge`` and ``logistic`` minimise Σ ℓ(yh) + (λ/2)|w|², h = w·x/√N; ``max_margin`` is the
    limit λ → 0. With `training` ε' > 0 examples are attacked while learning: online x is replaced by x − yε'w/|w|, in
    the risk yh by yh − ε'|w|/√N, which is ℓ at the worst |δ| ≤ ε'.

    Parameters
    ----------
    attack : float
        ε, in units in which |x| = √N. An attack of size e on every coordinate is one of ε = e|w|₁/|w|₂.
    learner : {"rosenblatt", "hebb", "adatron", "bayes", "ridge", "logistic", "max_margin"}
        As above.
    alpha : float
        Load n/N; online the time.
    training : float
        ε' of hebb, rosenblatt and logistic.
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
    counted: ClassVar[tuple[str, ...]] = ("alpha",)

    attack: float = param(0.3, "size ε of the attack, where |x| = √N", low=0, high=100)
    learner: str = param(
        "rosenblatt", "who learns", kind=str,
        choices=("rosenblatt", "hebb", "adatron", "bayes", "ridge", "logistic", "max_margin"), short="-e",
    )  # fmt: skip
    alpha: float = param(2.0, "load α = n/N; online the time", low=1e-3, high=1e4, short="-a")
    training: float = param(0.0, "size ε' of the attack on examples while learning", low=0, high=100)
    regularization: float = param(0.1, "λ of ridge and logistic", low=1e-4, high=1e4)
    lr: float = param(1.0, "learning rate η of online rules", low=1e-4, high=1e4)
    start: float = param(0.01, "overlap ρ at the start of online rules", low=-1, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.training != 0 and self.learner not in HARDENED:
            raise ModelError("training", self.training, f'must be 0 with learner = "{self.learner}"')
