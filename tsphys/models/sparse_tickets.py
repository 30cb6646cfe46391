"""Sparse tickets: magnitude pruning of a linear student of noisy labels, in one shot or in rounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, LARGEST_SCALE, param
from tsphys.rules.contract import Static

if TYPE_CHECKING:
    from tsphys.physics.inference.channels import Channel
    from tsphys.physics.inference.priors import Prior

#: Name of each loss where risks are minimised, and of the labels that it learns.
LOSSES = {"ridge": ("square", "linear"), "logistic": ("logistic", "sign")}
#: Largest fraction that one of several rounds leaves: students would hardly differ, and their differences be rounding.
MOST_LEFT = 0.95


@dataclass(frozen=True)
class SparseTickets(Static):
    """A student of n = αN examples of a sparse teacher, pruned to its largest weights and fitted to them again.

    Inputs are x ~ N(0, I_N), fields h = w·x/√N of the student and z = w*·x/√N of the teacher, whose weights are zero
    but for a fraction ρ of N(0, 1/ρ), |w*|² = N. The dense student has the least Σ ℓ(y, h) + ½λ|w|²; a round keeps the
    largest of its weights and fits these anew with a λ' of its own, to the same examples. After R rounds a fraction κ
    is left, κ^{r/R} after the rth. The problem is convex: it does not matter where a fit begins, rewound or not.

    Parameters
    ----------
    alpha : float
        Load α = n/N.
    kept : float
        κ.
    rounds : int
        R; 1 prunes in one shot.
    density : float
        ρ of the teacher.
    noise : float
        σ.
    student : {"ridge", "logistic"}
        ℓ = ½(y − h)² of outputs y = z + σζ, or ln(1 + e^{−yh}) of labels y = sign(z + σζ), with ζ ~ N(0, 1).
    ridge, ridge_after : float
        λ of the dense student, and λ'.

    Raises
    ------
    ModelError
        If a parameter is out of range, or one of several rounds would prune less than 5 % of the weights.

    References
    ----------
    Arora, Irto, Goldt & Sanguinetti, UAI 2023; Frankle & Carbin, ICLR 2019; He, Xie, Zhu & Qin, ICML 2022.
    """

    name: ClassVar[str] = "sparse_tickets"
    axes: ClassVar[tuple[str, ...]] = ("kept", "alpha", "noise", "density", "ridge", "ridge_after", "rounds")
    counted: ClassVar[dict[str, str]] = {"alpha": "example", "kept": "weight", "density": "weight of the teacher"}

    alpha: float = param(2.0, "load α = n/N", low=1e-2, high=100, short="-a")
    kept: float = param(0.3, "fraction κ of the weights that is left", low=1e-3, high=1, short="-k")
    rounds: int = param(1, "rounds of pruning and fitting", kind=int, low=1, high=10)
    density: float = param(0.1, "fraction ρ of the teacher's weights that are not zero", low=1e-3, high=1)
    noise: float = param(0.5, "standard deviation σ of the noise in the labels", low=0, high=LARGEST_SCALE)
    student: str = param("ridge", "who learns", kind=str, choices=tuple(LOSSES))
    ridge: float = param(0.1, "λ of the dense student", low=1e-6, high=1e6, short="-l")
    ridge_after: float = param(0.1, "λ' of the pruned ones", low=1e-6, high=1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        most = max(int(math.log(self.kept) / math.log(MOST_LEFT)), 1) if self.kept < 1 else self.rounds
        if self.rounds > most:
            words = f"must be at most {most} at kept = {self.kept:g}, so that each prunes {1 - MOST_LEFT:.0%} at least"
            raise ModelError("rounds", self.rounds, words)

    def objects(self) -> tuple[Prior, Channel]:
        """The teacher's prior and channel."""
        from tsphys.physics.inference.channels import channel
        from tsphys.physics.inference.priors import gauss_bernoulli

        return gauss_bernoulli(self.density), channel(LOSSES[self.student][1], min(self.noise**2, EXTREME))

    def fits(self) -> list[tuple[float, float]]:
        """Fraction of the weights and λ of each fit, the dense one first; with κ = 1 no round changes what is left."""
        last = self.rounds if self.kept < 1 else 1
        pruned = [(self.kept ** (r / last), self.ridge_after) for r in range(1, last + 1)]
        return [(1.0, self.ridge), *pruned]

    def shares(self, N: float) -> dict[str, float]:
        """Of so many weights that the teacher has."""
        return {"recall": self.density * N}
