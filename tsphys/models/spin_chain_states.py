"""Ground states of quantum spin chains by networks whose output layer alone is trained anew, or all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class SpinChainStates(Static):
    """A network's amplitudes ψ(s) > 0 of N spins on a ring, trained to the lowest energy of

        ising       H = −Σ σᶻ_i σᶻ_{i+1} − h Σ σˣ_i
        heisenberg  H = Σ S_i·S_{i+1} + J2 Σ S_i·S_{i+2},  without a total spin, times Marshall's signs.

    Features z_f = N^{−1/2} Σ_t ln cosh(b_f + Σ_i W_fi s_{i+t}) do not know where they are, and the output layer makes
    ln ψ = Σ_a ln cosh(β_a + Σ_f w_af z_f) of them. What is trained may have been trained before, all of it, elsewhere.

    References
    ----------
    Carleo & Troyer, Science 355, 602 (2017); Rende, Goldt, Becca & Viteritti, Phys. Rev. Res. 6, 043280 (2024).
    """

    name: ClassVar[str] = "spin_chain_states"
    axes: ClassVar[tuple[str, ...]] = ("field", "J2")

    chain: str = param(
        "ising", "transverse-field Ising, or J1–J2 Heisenberg", kind=str, choices=("ising", "heisenberg")
    )
    field: float = param(1.0, "transverse field h, in units of the coupling", low=0, high=1e3)
    J2: float = param(0.0, "coupling J2 of second neighbours, in units of J1", low=-10, high=10)
    N: int = param(10, "spins", kind=int, low=2, high=1000, short="-N")
    features: int = param(4, "features F", kind=int, low=1, high=200, short="-F")
    units: int = param(4, "units K of the output layer", kind=int, low=1, high=200, short="-K")
    train: str = param("all", "what is trained", kind=str, choices=("all", "output", "none"))
    pretrained: float | None = param(
        None, "field (ising) or J2 (heisenberg) at which all was trained before; none: from random weights", low=-10,
        high=1e3, optional=True,
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.chain == "ising" and self.J2 != 0:
            raise ModelError("J2", self.J2, 'must be 0 with chain = "ising", which has no second neighbours')
        if self.chain == "ising" and (self.pretrained or 0) < 0:
            raise ModelError("pretrained", self.pretrained, "must be >= 0, a field")
        if self.chain == "heisenberg" and self.field != 1:
            raise ModelError("field", self.field, 'must be 1 with chain = "heisenberg", which has no field')
        if self.chain == "heisenberg" and (self.N % 2 or self.N < 4):
            raise ModelError("N", self.N, 'must be even and >= 4 with chain = "heisenberg"')
        if self.chain == "heisenberg" and (self.pretrained or 0) > 10:
            raise ModelError("pretrained", self.pretrained, "must be <= 10, a J2")
