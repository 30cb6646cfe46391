"""Sparse students: two-layer networks of which every unit has some of the coordinates only, by chance or by size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import Row, array, param
from tsphys.models.latent_teacher import LatentTeacher
from tsphys.models.two_layer import TwoLayer
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, State

#: Masks that are drawn, and those that weights decide.
BLIND, BY_SIZE = ("independent", "common"), ("magnitude", "global")


def largest(w: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Places of the weights w (n,), the largest first, and those of one size in this order."""
    return order[np.argsort(-np.abs(w[order]), kind="stable")]


@dataclass(frozen=True)
class Pruned(LatentTeacher, Online):
    """Student φ(x) = Σ_k v_k g(λ_k), teacher y(x) = Σ_m v*_m g(ν_m) + σζ, and fixed masks m_k ∈ {0, 1}^N of the units.

    The weights of unit k are zero outside of its mask and learn inside, x_i, ζ ~ N(0, 1), Δ_β = φ(x_β) − y_β::

        w_k ← w_k − η/(b√N) Σ_β v_k g'(λ_kβ) Δ_β m_k∘x_β,        v_k ← v_k − η_v/(bN) Σ_β g(λ_kβ) Δ_β

    Time is t = steps/N. The student learns with all of its weights until τ_e; what is left of them is then put back to
    where it was at τ_r ≤ τ_e, readout and all, and goes on with fresh examples. Masks are drawn, and know nothing of
    the teacher, or keep the largest weights at τ_e. A start is that of a student before it is pruned: under masks that
    are drawn at t = 0 its overlaps with teachers are ρ_k R_km on average.

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
    masks : {"independent", "common", "magnitude", "global"}
        Drawn for each unit, or for all, where with different densities they lie in each other; or the largest |w_ki| of
        each unit, or of all units together, a fraction ρ of them.
    prune_at : float
        τ_e. With 0 drawn masks are there at once, and others are what is done first.
    rewind_to : float, optional
        τ_r; none: τ_e, nothing is put back.
    teacher_density : float
        Fraction of the coordinates that each teacher unit has, at random, normal there.

    Raises
    ------
    ModelError
        If a parameter is out of range, or goes with others only.

    References
    ----------
    Frankle & Carbin, ICLR 2019; Frankle, Dziugaite, Roy & Carbin 2019 (arXiv:1903.01611) for rewinding.
    """

    name: ClassVar[str] = "pruned"

    density: float = param(0.5, "fraction of the coordinates that a unit has", low=0, open_low=True, high=1)
    densities: Row | None = param(None, "of each unit (K,); none: density", shape=1, optional=True)
    masks: str = param("independent", "masks of the units, drawn or by size", kind=str, choices=(*BLIND, *BY_SIZE))
    prune_at: float = param(0.0, "time τ_e at which it is pruned", low=0)
    rewind_to: float | None = param(None, "time τ_r that weights are put back to; none: τ_e", low=0, optional=True)
    teacher_density: float = param(
        1.0, "fraction of the coordinates that a teacher unit has", low=0, open_low=True, high=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.densities is not None:
            given = array("densities", self.densities, (self.K,), "a density for each unit")
            if given.min() <= 0 or given.max() > 1:
                raise ModelError("densities", self.densities, "must be > 0 and <= 1")
            if self.masks == "global":
                raise ModelError("densities", self.densities, 'must be none with masks = "global"')
        if self.rewound > self.prune_at:
            raise ModelError("rewind_to", self.rewind_to, f"must be at most prune_at = {self.prune_at:g}")
        T = self.teacher_overlaps()
        if self.teacher_density < 1 and np.any(T - np.diag(np.diag(T))):
            raise ModelError("T", self.T, "must be diagonal with teacher_density < 1")

    def unit_densities(self) -> np.ndarray:
        """ρ (K,)."""
        return np.full(self.K, self.density) if self.densities is None else np.array(self.densities)

    @property
    def rewound(self) -> float:
        """τ_r."""
        return self.prune_at if self.rewind_to is None else self.rewind_to

    @property
    def pruned_at_once(self) -> bool:
        """Whether the student is pruned before it learns, by masks that know nothing of it."""
        return self.prune_at == 0 and self.masks in BLIND

    def draw_masks(self, N: int, rng: np.random.Generator, weights: np.ndarray | None = None) -> np.ndarray:
        """Zeros and ones (K, N), which for masks by size are those of `weights` (K, N).

        Raises
        ------
        ModelError
            If a density leaves none of the coordinates.
        """
        if round(self.unit_densities().min() * N) == 0:
            name = "density" if self.densities is None else "densities"
            raise ModelError(name, getattr(self, name), f"must be more than 1/(2N) = {0.5 / N:g}, one coordinate")
        if weights is not None and self.masks == "global":
            whole, order = np.zeros(weights.size), largest(weights.ravel(), rng.permutation(weights.size))
            whole[order[: round(self.density * weights.size)]] = 1.0
            return whole.reshape(weights.shape)
        out, common = np.zeros((self.K, N)), rng.permutation(N)
        for k, density in enumerate(self.unit_densities()):
            order = common if self.masks == "common" else rng.permutation(N)
            if weights is not None and self.masks == "magnitude":
                order = largest(weights[k], order)
            out[k, order[: round(density * N)]] = 1.0
        return out

    def draw_teachers(self, N: int, rng: np.random.Generator) -> np.ndarray:
        """Teachers (M, N) with |w*|² = N that have some of the coordinates only, perpendicular to each other."""
        size, out = round(self.teacher_density * N), np.zeros((self.M, N))
        if size < self.M:
            words = f"must be more than (M − 1/2)/N = {(self.M - 0.5) / N:g}: M coordinates at least"
            raise ModelError("teacher_density", self.teacher_density, words)
        for m in range(self.M):
            own = rng.permutation(N)[:size]
            basis = np.linalg.qr(np.vstack([out[:m, own], rng.standard_normal(size)]).T)[0]
            out[m, own] = np.sqrt(N) * basis[:, -1]
        return out

    def phase(self, i: int, state: State) -> Phase:
        """Learning with all weights until τ_r, until τ_e, and under masks."""
        begins = sorted({0.0, self.rewound, self.prune_at})
        if i == len(begins) - 1:
            return Phase(
                {}, rewind=self.rewound < self.prune_at, masks=lambda W, rng: self.draw_masks(W.shape[1], rng, W)
            )
        return Phase({}, until=begins[i + 1], keep=begins[i] == self.rewound)

    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Classes of coordinates that the same units have, for N → ∞, under masks that are drawn.

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

    def completed(self, start: Any) -> Any:
        """The start itself, of teachers that few coordinates can be drawn for."""
        T = getattr(start, "T", None)
        if self.teacher_density < 1 and T is not None and np.any(T - np.diag(np.diag(T))):
            raise ModelError("start", f"T = {T.tolist()}", "must have a diagonal T with teacher_density < 1")
        return start

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        teachers = None if self.teacher_density == 1 else self.draw_teachers
        rule = replace(self.dense().learning_rule(), masks=self.draw_masks, teachers=teachers)
        if self.pruned_at_once:
            return rule
        return replace(rule, masks=lambda N, rng: np.ones((self.K, N)), schedule=self.phase)
