"""Sparse students: two-layer networks of which every unit has some of the coordinates only, from the start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import Row, array, param
from tsphys.models.latent_teacher import LatentTeacher
from tsphys.models.two_layer import TwoLayer
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule


@dataclass(frozen=True)
class Pruned(LatentTeacher, Online):
    """Student φ(x) = Σ_k v_k g(λ_k), teacher y(x) = Σ_m v*_m g(ν_m) + σζ, and fixed masks m_k ∈ {0, 1}^N of the units.

    The weights of unit k are zero outside of its mask and learn inside, x_i, ζ ~ N(0, 1), Δ_β = φ(x_β) − y_β::

        w_k ← w_k − η/(b√N) Σ_β v_k g'(λ_kβ) Δ_β m_k∘x_β,        v_k ← v_k − η_v/(bN) Σ_β g(λ_kβ) Δ_β

    Time is t = steps/N. The teacher has all coordinates, and the masks know nothing of it. A start is that of a student
    before it is pruned: masked, its overlaps with teachers are ρ_k R_km on average.

    Parameters
    ----------
    K, M : int
        Hidden units of student and teacher.
    activation : {"erf", "relu", "linear"}
        g of both; erf is erf(x/√2).
    lr, lr_v : float
        Learning rates η and η_v.
    noise : float
        Standard deviation σ of the teacher's output noise.
    minibatch : int
        Examples b in a step.
    T, v_star, v : array_like, optional
        Overlaps of the teachers in the default start; readouts of teacher (M,) and student at t = 0 (K,). Identity and
        ones by default.
    init : float
        Standard deviation of the initial weights before pruning.
    density : float
        Fraction ρ of the coordinates that a unit has, ρN of them to rounding.
    densities : (K,) array_like, optional
        A density for each unit; none: `density` for all.
    masks : {"independent", "common"}
        Those of different units; with different densities common masks lie in each other.

    Raises
    ------
    ModelError
        If a parameter is out of range.
    """

    name: ClassVar[str] = "pruned"

    density: float = param(0.5, "fraction of the coordinates that a unit has", low=0, open_low=True, high=1)
    densities: Row | None = param(None, "of each unit (K,); none: density", shape=1, optional=True)
    masks: str = param("independent", "masks of the units", kind=str, choices=("independent", "common"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.densities is not None:
            given = array("densities", self.densities, (self.K,), "a density for each unit")
            if given.min() <= 0 or given.max() > 1:
                raise ModelError("densities", self.densities, "must be > 0 and <= 1")

    def unit_densities(self) -> np.ndarray:
        """ρ (K,)."""
        return np.full(self.K, self.density) if self.densities is None else np.array(self.densities)

    def draw_masks(self, N: int, rng: np.random.Generator) -> np.ndarray:
        """Zeros and ones (K, N).

        Raises
        ------
        ModelError
            If a density leaves none of the coordinates.
        """
        if round(self.unit_densities().min() * N) == 0:
            name = "density" if self.densities is None else "densities"
            raise ModelError(name, getattr(self, name), f"must be more than 1/(2N) = {0.5 / N:g}, one coordinate")
        out, common = np.zeros((self.K, N)), rng.permutation(N)
        for k, density in enumerate(self.unit_densities()):
            order = common if self.masks == "common" else rng.permutation(N)
            out[k, order[: round(density * N)]] = 1.0
        return out

    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Classes of coordinates that the same units have, for N → ∞.

        Returns
        -------
        fraction : ndarray (n,)
            Of all coordinates, > 0; they sum to one.
        seen : ndarray (n, K)
            One where the unit has them, otherwise zero.
        """
        rho = self.unit_densities()
        if self.masks == "common":
            edges = np.unique(np.append(rho, (0.0, 1.0)))
            return np.diff(edges), (edges[:-1, None] < rho).astype(float)
        fraction, seen = np.ones(1), np.empty((1, 0))
        for density in rho:
            ones, zeros = np.ones((len(seen), 1)), np.zeros((len(seen), 1))
            seen = np.vstack([np.hstack([seen, ones]), np.hstack([seen, zeros])])
            fraction = np.append(density * fraction, (1 - density) * fraction)
            seen, fraction = seen[fraction > 0], fraction[fraction > 0]
        return fraction, seen

    def dense(self) -> TwoLayer:
        """The same student with all of its weights."""
        return TwoLayer(
            K=self.K, M=self.M, activation=self.activation, lr=self.lr, lr_v=self.lr_v or None, noise=self.noise,
            minibatch=self.minibatch, T=self.T, teacher="isotropic" if self.T is None else "given", v=self.v,
            v_star=self.v_star, init=self.init,
        )  # fmt: skip

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        return replace(self.dense().learning_rule(), masks=self.draw_masks)
