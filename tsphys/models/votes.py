"""Many clients teach one student by votes: each sends a sign for each weight, and the majority decides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class Votes(Model):
    """Student g(λ) and teacher g(ν) + σζ of one unit; in a step each of M clients has a fresh example of its own.

    With the error e = g(ν) + σζ − g(λ) of its example a client sends the signs of its gradient e x_i, a malicious one
    the opposite. The server follows the majority, or the mean of what they send, which is then the gradient itself,
    times −c from malicious clients::

        vote   w_i ← w_i + (η/√N) sign Σ_m ±sign(e_m x_mi)
        mean   w   ← w + η/(M√N) Σ_m (1 or −c) e_m g'(λ_m) x_m

    A tie moves nothing. The teacher has |w*|² = N; time is t = steps/N.

    Raises
    ------
    ModelError
        If a parameter is out of range, there are more malicious clients than clients, or `loudness` is given with
        votes, for which it has no meaning.

    References
    ----------
    Bernstein, Zhao, Azizzadenesheli & Anandkumar, ICLR 2019 (arXiv:1810.05291).
    """

    name: ClassVar[str] = "votes"

    clients: int = param(5, "clients M", kind=int, low=1, high=10**4, short="-M")
    malicious: int = param(0, "how many of them are malicious", kind=int, low=0)
    server: str = param("vote", "what the server follows", kind=str, choices=("vote", "mean"))
    loudness: float = param(1.0, "c: how much larger the gradients of malicious clients are, of the mean", low=0)
    activation: str = param("linear", "activation g of student and teacher", kind=str, choices=("linear", "erf"))
    lr: float = param(0.3, "learning rate η", low=0, open_low=True)
    noise: float = param(0.3, "standard deviation σ of the noise of labels", low=0, high=LARGEST_SCALE)
    R: float = param(0.0, "overlap of student and teacher at t = 0", low=-LARGEST_SCALE, high=LARGEST_SCALE)
    Q: float = param(0.0, "squared norm of the student over N at t = 0", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.malicious > self.clients:
            raise ModelError("malicious", self.malicious, f"must be at most clients = {self.clients}")
        if self.loudness != 1 and self.server == "vote":
            raise ModelError("loudness", self.loudness, "must be 1 with votes: a client has one vote")
        if self.R**2 > self.Q * (1 + 1e-12):
            raise ModelError("R", self.R, f"must be at most sqrt(Q) = {math.sqrt(self.Q):g}")
