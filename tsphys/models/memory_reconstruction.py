"""Reconstruction of stored patterns from noisy synapses (Goldt, Krzakala, Zdeborová & Brunel 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, LARGEST_SCALE, param
from tsphys.physics.inference.pattern_priors import pattern_prior
from tsphys.physics.inference.priors import Prior
from tsphys.rules.contract import Static

#: Smallest noise, and largest effective one: beyond, exponents of the posterior, or its signal, are lost to rounding.
SMALLEST_NOISE, LARGEST_DELTA = 1e-3, 1e6


@dataclass(frozen=True)
class MemoryReconstruction(Static):
    """P patterns x^μ of N neurons are stored by a Hebbian rule, H_ij = N^(−½) Σ_μ x_i^μ x_j^μ; J_ij is observed.

    The number of patterns does not grow with N. J_ij = J_ji for i < j is H_ij with noise, z_ij ~ N(0, 1), seen through
    a channel; the physical coupling is J/√N, so that a noise ν of order one hides a pattern that alone would be a
    perturbation of order N^(−½) of each synapse. Since H_ij is small only the score S_ij = ∂ ln P(J_ij|H)/∂H at H = 0
    matters, and the channel is equivalent to additive noise of variance Δ with 1/Δ = ⟨S_ij²⟩, the `Delta` of a model::

        additive    J = H + νz                            Δ = ν²
        rectified   J = max(0, H + νz − τ)                1/Δ = [aφ(a) + Φ(−a) + φ(a)²/Φ(a)]/ν²,  a = τ/ν
        clipped     J = sign(H + νz)                      Δ = πν²/2
        diluted     J = H + νz for a share c of the bonds Δ = ν²/c

    with φ, Φ the density and the distribution function of N(0, 1). The priors of a component of a pattern have no mean
    and the variance σ²::

        binary      ±1                                    σ² = 1
        sparse      ±1 with probability ρ/2 each, else 0  σ² = ρ
        tsodyks     1 − ρ with probability ρ, else −ρ     σ² = ρ(1 − ρ)
        gauss       N(0, 1) with probability ρ, else 0    σ² = ρ

    Parameters
    ----------
    patterns : {"binary", "sparse", "tsodyks", "gauss"}
        Prior of the patterns.
    P : int
        Number of patterns.
    rho : float
        Density ρ; 1 for ``binary``, below 1 for ``tsodyks``.
    channel : {"additive", "rectified", "clipped", "diluted"}
        What is seen of the synapses.
    noise : float
        Standard deviation ν.
    threshold : float
        Threshold τ of ``rectified``, excitatory synapses of which only those above are seen.
    connectivity : float
        Share c of ``diluted``; which bonds are there is known.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Goldt, Krzakala, Zdeborová & Brunel, PLoS Comput. Biol. 19, e1010813 (2023); Lesieur, Krzakala & Zdeborová, J. Stat.
    Mech. 073403 (2017), channel universality in section 1.2.
    """

    name: ClassVar[str] = "memory_reconstruction"
    axes: ClassVar[tuple[str, ...]] = ("noise", "threshold", "connectivity", "rho")

    patterns: str = param("binary", "prior of patterns", kind=str, choices=("binary", "sparse", "tsodyks", "gauss"))
    P: int = param(1, "number of patterns, fixed as N grows", kind=int, low=1, high=10_000, short="-P")
    rho: float = param(1.0, "density of patterns (not binary ones)", low=1e-12, high=1)
    channel: str = param(
        "additive", "what is seen", kind=str, choices=("additive", "rectified", "clipped", "diluted"), short="-c"
    )
    noise: float = param(0.5, "standard deviation ν of the noise of √N J", low=SMALLEST_NOISE, high=LARGEST_SCALE)
    threshold: float = param(0.0, "threshold τ of channel = rectified", low=-EXTREME, high=EXTREME)
    connectivity: float = param(1.0, "share c of bonds of channel = diluted", low=1e-12, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patterns == "binary" and self.rho != 1.0:
            raise ModelError("rho", self.rho, 'must be 1 with patterns = "binary"')
        if self.patterns == "tsodyks" and self.rho == 1.0:
            raise ModelError("rho", self.rho, 'must be < 1 with patterns = "tsodyks"')
        if self.channel != "rectified" and self.threshold != 0.0:
            raise ModelError("threshold", self.threshold, 'must be 0 unless channel = "rectified"')
        if self.channel != "diluted" and self.connectivity != 1.0:
            raise ModelError("connectivity", self.connectivity, 'must be 1 unless channel = "diluted"')
        if not self.Delta <= LARGEST_DELTA:
            words = f"leaves no signal: the effective noise Delta = {self.Delta:.3g} must be <= {LARGEST_DELTA:g}"
            raise ModelError("threshold" if self.threshold else "noise", self.threshold or self.noise, words)

    @property
    def prior(self) -> Prior:
        """Law of a component of a pattern."""
        return pattern_prior(self.patterns, self.rho)

    def shares(self, N: float) -> Mapping[str, float]:
        """Of components with few values nearly all may be known; of another about half the gap squared is lost."""
        if self.patterns == "gauss":
            return {}
        return {"mse": N * self.P * (0.5 if self.patterns == "binary" else 2.0)}

    @property
    def Delta(self) -> float:
        """Variance Δ of the additive noise to which the channel is equivalent."""
        variance = self.noise**2
        if self.channel == "clipped":
            return np.pi * variance / 2
        if self.channel == "diluted":
            return variance / self.connectivity
        if self.channel == "additive":
            return variance
        from scipy.special import ndtr

        from tsphys.numerics.gaussian import density
        from tsphys.physics.inference.channels import hazard

        a = self.threshold / self.noise
        with np.errstate(under="ignore"):
            phi = density(a)
            information = float(a * phi + ndtr(-a) + phi * hazard(a)[0])
        return variance / information if information > 1e-300 else np.inf
