"""Dense Hebbian networks: P-body couplings that store patterns, or learn them from noisy examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class DenseHebbian(Static):
    """N spins σ_i = ±1 with P-body interactions, K = αN^{P−1} archetypes ξ_i^μ = ±1, all iid and fair.

    The stored vectors η_i^a are the archetypes (storage ``given``), or come from M examples of each,
    η_i^{μa} = χ_i^{μa} ξ_i^μ with χ = ±1 of mean r. Interactions::

        distinct      H = −(P − 1)!/N^{P−1} Σ_a c Σ_{i1<…<iP} η_{i1}^a σ_{i1} … η_{iP}^a σ_{iP}
        power         H = −(N/P) Σ_a c m_a^P,  m_a = (1/N) Σ_i η_i^a σ_i
        exponential   H = −log Σ_a exp(N m_a)
        custom        H = −N Σ_a c F(m_a) with a function F of the user, an argument of `simulate` and `solve`

    For ``distinct`` and ``power`` a pattern alone has H = −(N/P) m^P to leading order, so that P = 2 is `Hopfield`.
    They differ by the terms with coincident indices, which at K ~ N^{P−1} turn the variance of the noise α(P − 1)!
    into α(2P − 3)!!. The descent of ``exponential`` is that of −Σ_a exp(N m_a); its load is α = (1/N) ln K.

    Heat bath at temperature T: Prob(σ_i) ∝ exp(−H/T); at T = 0 a spin flips only if H falls.

    With storage ``supervised`` the vectors are the averages over the examples of an archetype,
    η̂_i^μ = (1/(M√R)) Σ_a η_i^{μa} with R = r² + (1 − r²)/M, and c = 1; with ``unsupervised`` each of the K·M examples
    is a vector, and c = 1/(M r^P √(1 + ρ_P)) with ρ_P = (1 − r^{2P})/(M r^{2P}). Both make the variance of the noise
    of ``distinct`` α(P − 1)!. Averages of examples that agree have overlaps up to 1/√R, beyond 1.

    Parameters
    ----------
    P : int
        Order of the interaction, at least 2.
    alpha : float
        Load α = K/N^{P−1}; (1/N) ln K for ``exponential``.
    T : float
        Temperature; 0 is allowed.
    interaction : {"distinct", "power", "exponential", "custom"}
        As above.
    storage : {"given", "supervised", "unsupervised"}
        As above; ``unsupervised`` goes with ``distinct`` or ``power`` only.
    r : float
        Quality of the examples, 0 < r ≤ 1.
    M : int
        Examples of each archetype.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Gardner, J. Phys. A 20, 3453 (1987); Krotov & Hopfield, NeurIPS 2016; Demircigil et al., J. Stat. Phys. 168, 288
    (2017); Lucibello & Mézard, PRL 132, 077301 (2024); Agliari et al., Physica A 626, 129076 and 627, 129143 (2023).
    """

    name: ClassVar[str] = "dense_hebbian"
    axes: ClassVar[tuple[str, ...]] = ("alpha", "T", "r", "M")

    P: int = param(4, "order of the interaction", kind=int, low=2, short="-P")
    alpha: float = param(0.01, "load α = K/N^(P−1); (1/N) ln K for exponential", low=0, short="-a")
    T: float = param(0.0, "temperature; 0 is allowed", low=0, short="-T")
    interaction: str = param(
        "distinct", "energy of the overlaps", kind=str, choices=("distinct", "power", "exponential", "custom")
    )
    storage: str = param("given", "what is stored", kind=str, choices=("given", "supervised", "unsupervised"))
    r: float = param(1.0, "quality of the examples", low=0, high=1, open_low=True)
    M: int = param(1, "examples of each archetype", kind=int, low=1, short="-M")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.storage == "unsupervised" and self.interaction not in ("distinct", "power"):
            raise ModelError(
                "interaction", self.interaction, 'must be "distinct" or "power" with storage = "unsupervised"'
            )
        if self.storage == "given" and self.r != 1.0:
            raise ModelError("r", self.r, 'must be 1 with storage = "given", which has no examples')
        if self.storage == "given" and self.M != 1:
            raise ModelError("M", self.M, 'must be 1 with storage = "given", which has no examples')

    def shares(self, N: float) -> Mapping[str, float]:
        """An overlap counts spins, two parts of it each."""
        return {"m": N / 2}
