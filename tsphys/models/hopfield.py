"""Hopfield's network: patterns stored by Hebb's rule in pairwise couplings (Hopfield 1982; Amit et al. 1985)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class Hopfield(Static):
    """N spins s_i = ±1 that store P = αN patterns ξ_i^μ = ±1, all iid and fair.

    Couplings J_ij = (1/N) Σ_μ ξ_i^μ ξ_j^μ without a diagonal, J_ii = 0, so that with m_μ = (1/N) Σ_i ξ_i^μ s_i::

        H = −½ Σ_{i≠j} J_ij s_i s_j = −(N/2) Σ_μ m_μ² + P/2        h_i = Σ_j J_ij s_j

    and Prob(s_i = +1) = 1/(1 + exp(−2 h_i/T)). At T = 0 a spin follows its field, and stays where the field vanishes.
    Time is measured in sweeps, N attempted updates.

    With an `activity` f the neurons are V_i ∈ {0, 1}, the patterns ξ_i^μ ∈ {0, 1} have mean f, and the couplings follow
    the covariance rule, J_ij = (1/(Nf(1 − f))) Σ_μ (ξ_i^μ − f)(ξ_j^μ − f); H = −½ Σ_{i≠j} J_ij V_i V_j + θ Σ_i V_i,
    Prob(V_i = 1) = 1/(1 + exp(−(h_i − θ)/T)) and m_μ = (1/(Nf(1 − f))) Σ_i (ξ_i^μ − f) V_i. At f = ½ and T = 0,
    with the threshold that cancels what neurons hear of themselves, θ = ½αC/(1 − C) with C of the state, theory has the
    overlaps of ±1 spins at the load 2α; a little more is carried at a higher one, which quiets neurons and their noise.
    Without load its states are those of spins at 4T.

    Parameters
    ----------
    alpha : float
        Load α = P/N.
    T : float
        Temperature; 0 is allowed.
    coupling : {"hebb", "clipped", "diluted"}
        ``hebb`` as above; ``clipped``: J_ij = √(P·π/2)/N · sign(Σ_μ ξ_i^μ ξ_j^μ), which keeps the signal of ``hebb``
        (sign(0) = 0); ``diluted``: J_ij = c_ij/(cN) Σ_μ ξ_i^μ ξ_j^μ with symmetric c_ij = 1 with probability c, else 0.
    connectivity : float
        Fraction c of the bonds that ``diluted`` keeps.
    activity : float, optional
        Mean f of the patterns of 0/1 neurons; none: the network of ±1 spins.
    threshold : float
        Threshold θ of the 0/1 neurons.
    dynamics : {"sequential", "parallel"}
        One spin after another in random order, or all at once from the same fields (Little 1974).

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Hopfield, PNAS 79, 2554 (1982); Amit, Gutfreund & Sompolinsky, PRA 32, 1007 (1985), Ann. Phys. 173, 30 (1987);
    Little, Math. Biosci. 19, 101 (1974); Sompolinsky, PRA 34, 2571 (1986); Tsodyks & Feigel'man, EPL 6, 101 (1988).
    """

    name: ClassVar[str] = "hopfield"
    axes: ClassVar[tuple[str, ...]] = ("alpha", "T")
    counted: ClassVar[dict[str, str]] = {"alpha": "pattern"}

    alpha: float = param(0.05, "load α = P/N: stored patterns per spin", low=0, short="-a")
    T: float = param(0.0, "temperature; 0 is allowed", low=0, short="-T")
    coupling: str = param("hebb", "how patterns make couplings", kind=str, choices=("hebb", "clipped", "diluted"))
    connectivity: float = param(
        1.0, "fraction c of bonds kept by coupling = diluted", low=0, high=1, open_low=True, short="-c"
    )
    activity: float | None = param(
        None,
        "mean f of patterns of 0/1 neurons; none: ±1 spins",
        low=1 / EXTREME,
        high=1,
        open_high=True,
        optional=True,
    )
    threshold: float = param(0.0, "threshold θ of the 0/1 neurons")
    dynamics: str = param("sequential", "order of the updates", kind=str, choices=("sequential", "parallel"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coupling != "diluted" and self.connectivity != 1.0:
            raise ModelError("connectivity", self.connectivity, 'must be 1 unless coupling = "diluted"')
        if self.activity is None and self.threshold != 0.0:
            raise ModelError("threshold", self.threshold, "must be 0 for ±1 spins (activity none)")
        if self.activity is not None and self.coupling != "hebb":
            raise ModelError("coupling", self.coupling, 'must be "hebb" (the covariance rule) with an activity')

    def shares(self, N: float) -> Mapping[str, float]:
        """An overlap counts spins, two parts of it each; 0/1 neurons are those that are to fire, and the others."""
        if self.activity is None:
            return {"m": N / 2}
        firing, quiet = self.activity * N, (1 - self.activity) * N
        return {"m": min(firing, quiet), "p1": firing, "p0": quiet}
