"""Votes of clients that each learned from a set of their own: on the sign of every weight, or on which to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class OneShotVotes(Static):
    """M clients with αN examples y = sign(b·x) each, |b|² = N, and Hebb's weights w = Σ yx/(α√N); they vote once.

    By ``signs`` the server gives each weight the sign that most clients have there, or a coin's where there is a tie,
    and malicious clients send the opposite of theirs. Beside it stands the mean of all weights, of which they send −c
    times their own. By ``ranks`` clients rank |w|, malicious ones the other way round, and the server keeps the share κ
    of weights whose ranks sum up highest; what is kept of the teacher is what any student with that mask can reach.

    References
    ----------
    Mozaffari, Shejwalkar & Houmansadr, USENIX Security 2023; Bernstein, Zhao, Azizzadenesheli & Anandkumar, ICLR 2019.
    """

    name: ClassVar[str] = "one_shot_votes"
    axes: ClassVar[tuple[str, ...]] = ("clients", "malicious", "alpha", "kept", "loudness")
    counted: ClassVar[dict[str, str]] = {"alpha": "example", "kept": "weight"}

    ballots: str = param("signs", "what clients send", kind=str, choices=("signs", "ranks"))
    clients: int = param(11, "clients M", kind=int, low=1, high=1000, short="-M")
    malicious: int = param(0, "how many of them are malicious", kind=int, low=0)
    alpha: float = param(1.0, "examples of a client per input dimension, n/N", low=1e-3, high=1e3, short="-a")
    teacher: str = param("gauss", "weights of the teacher: normal, or ±1", kind=str, choices=("gauss", "binary"))
    loudness: float = param(1.0, "c: how much larger malicious weights are, of the mean", low=0, high=1e8)
    kept: float = param(0.3, "share κ of weights that ranks keep", low=0, high=1, open_low=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.malicious > self.clients:
            raise ModelError("malicious", self.malicious, f"must be at most clients = {self.clients}")
        if self.loudness != 1 and self.ballots == "ranks":
            raise ModelError("loudness", self.loudness, "must be 1 with ranks: a client has one vote")
