"""A neuron on the sphere looks for directions in which two classes differ by higher cumulants (Székely et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, Row, array, param
from tsphys.physics.names import code
from tsphys.physics.order_parameters import OrderParameters, of_many
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule

#: Laws of the latent variable, in the order of their codes in tsphys.rules.spikes.
LATENTS = ("rademacher", "uniform", "laplace", "normal")
#: Fourth cumulant of each, at unit variance.
KURTOSIS = {"rademacher": -2.0, "uniform": -1.2, "laplace": 3.0, "normal": 0.0}


@dataclass(frozen=True)
class SpikedCumulant(Online):
    """A neuron g(λ), |w|² = N, ascends the correlation ⟨y g(λ)⟩ of its output with the label by online SGD.

    Each label has probability ½. Inputs with y = −1 are N(0, 1). Those with y = 1 differ in a few directions:

    ``spiked``
        In one, x has the coordinate s = (√β g + z)/√(1 + β), with z normal and a latent g of unit variance. Mean and
        variance are those of the other class; the first difference is the fourth cumulant, κ4 β²/(1 + β)².
    ``mixed``
        In three: s_m = β_m + z, s_u = √β_u l + z with a normal latent l, and s_v as above. The latent g of s_v is
        independent of l, or, if ``correlated``, an increasing function of it: sign(l) for rademacher.

    A step is w ← w + η y g'(λ) x/√N, then w ← w √N/|w|, at time t = steps/N. The directions take the place of teachers:
    R (1, 1 or 3) are the overlaps m = w·û/√N of unit vectors, in the order m, u, v, and Q = 1.

    Parameters
    ----------
    task : {"spiked", "mixed"}
    latent : {"rademacher", "uniform", "laplace", "normal"}
        Law of g: ±1, or a density of unit variance. With ``normal`` there is nothing to find along s, or s_v.
    activation : {"relu", "erf", "he2", "linear"}
        g. An odd one never sees an even difference of the classes, he2 and linear see covariances and means only.
    lr : float
        Learning rate η.
    beta : float
        Signal-to-noise ratio β of the spiked cumulant.
    beta_m, beta_u : float
        Mean, and strength of the covariance's spike; only in the mixed task.
    correlated : bool
        Whether the latent variables are; only in the mixed task.
    m : (1 or 3,) array_like, optional
        Overlaps at the start; none: those of a random direction, of order 1/√N.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    References
    ----------
    Székely, Bardone, Gerace & Goldt, NeurIPS 2024 (arXiv:2312.14922); Bardone & Goldt, ICML 2024 (arXiv:2404.08602).
    """

    name: ClassVar[str] = "spiked_cumulant"

    task: str = param("spiked", "directions in which the classes differ", kind=str, choices=("spiked", "mixed"))
    latent: str = param("rademacher", "law of the latent variable", kind=str, choices=LATENTS)
    activation: str = param("relu", "activation g", kind=str, choices=("relu", "erf", "he2", "linear"), short="-g")
    lr: float = param(0.02, "learning rate η", low=0, open_low=True)
    beta: float = param(9.0, "signal-to-noise ratio of the spiked cumulant", low=0, high=LARGEST_SCALE)
    beta_m: float = param(0.0, "mean along the first axis (mixed)", low=-LARGEST_SCALE, high=LARGEST_SCALE)
    beta_u: float = param(0.0, "strength of the spike in the covariance (mixed)", low=0, high=LARGEST_SCALE)
    correlated: bool = param(False, "latent variables are correlated (mixed)", kind=bool)
    m: Row | None = param(None, "overlaps with the directions at the start; none: drawn", shape=1, optional=True)

    #: A single neuron.
    K: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.task == "spiked":
            for name in ("beta_m", "beta_u", "correlated"):
                if getattr(self, name):
                    raise ModelError(name, getattr(self, name), 'must be 0 with task = "spiked"')
        if self.m is not None and np.sum(array("m", self.m, (self.M,), "the directions of the task") ** 2) > 1:
            raise ModelError("m", self.m, "must be overlaps of unit vectors, with squares that sum to 1 at most")

    @property
    def M(self) -> int:
        """Directions in which the classes differ."""
        return 1 if self.task == "spiked" else 3

    @of_many
    def start(self, N: int, rng: np.random.Generator) -> OrderParameters:
        """Overlaps of a random direction at size N, or `m` if that is given."""
        if self.m is None:
            return super().start(N, rng)
        return OrderParameters(R=np.array([self.m]), Q=np.eye(1), T=np.eye(self.M), v=(), v_star=())

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import spikes

        return LearningRule(
            spikes.rule,
            M=self.M,
            params=spikes.Params(
                code(self.activation), self.lr, LATENTS.index(self.latent), self.beta, self.beta_m, self.beta_u,
                int(self.correlated),
            ),
            n_noise=2 if self.task == "spiked" else 3,
            law=spikes.spiked if self.task == "spiked" else spikes.mixed,
            sphere=True,
        )  # fmt: skip

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> None:
        """None: the correlation is no error, and the overlaps tell all."""
