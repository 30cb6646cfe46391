"""Sparse regression: Bayes, right and wrong about its teacher, the lasso, and greedy selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.physics.inference.priors import Prior, gauss_bernoulli
from tsphys.rules.contract import Static

#: Estimators that choose the weights that are not zero one after the other, or by exchange, and have no theory.
GREEDY = "pursuit", "exchange"


@dataclass(frozen=True)
class SparseRegression(Static):
    """n = αN examples y = w*·x/√N + √Δ ζ, x ~ N(0, 1)^N, of a teacher that is zero but for a fraction ρ of N(0, 1/ρ).

    ``bayes`` takes the posterior mean by message passing, under the density ρ' (of N(0, 1/ρ')) and the variance of the
    noise Δ' that it assumes; ``adaptive`` measures the noise by its own residuals, and assumes ρ' alone. ``lasso`` has
    the least ½ Σ (y − w·x/√N)² + λ Σ |w_i|. ``pursuit`` adds the weight of the largest gradient, and fits anew, until
    it has ρN of them; ``exchange`` has ρN all along, and exchanges the smallest for those of the largest gradients, in
    20 rounds, fewer in each.

    Parameters
    ----------
    alpha : float
        Load α = n/N.
    density : float
        ρ.
    noise : float
        Variance Δ.
    estimator : {"bayes", "adaptive", "lasso", "pursuit", "exchange"}
        As above.
    density_factor, noise_factor : float
        ρ'/ρ and Δ'/Δ; 1 is Bayes-optimal.
    regularization : float
        λ of ``lasso``.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Donoho, Maleki & Montanari, PNAS 106, 18914 (2009); Krzakala et al., PRX 2, 021005 (2012); Bayati & Montanari, IEEE
    Trans. Inf. Theory 58, 1997 (2012).
    """

    name: ClassVar[str] = "sparse_regression"
    axes: ClassVar[tuple[str, ...]] = ("alpha", "density", "noise", "density_factor", "noise_factor", "regularization")
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    alpha: float = param(0.5, "load α = n/N", low=1e-3, high=1e3, short="-a")
    density: float = param(0.2, "fraction ρ of weights that are not zero", low=1e-3, high=1)
    noise: float = param(0.01, "variance Δ of the noise", low=1e-10, high=1e8)
    estimator: str = param("bayes", "who learns", kind=str, choices=("bayes", "adaptive", "lasso", *GREEDY), short="-e")
    density_factor: float = param(1.0, "ρ'/ρ, the density that bayes and adaptive assume", low=1e-3, high=1e3)
    noise_factor: float = param(1.0, "Δ'/Δ, the noise that bayes assumes", low=1e-4, high=1e4)
    regularization: float = param(0.1, "λ of lasso", low=1e-8, high=1e8, short="-l")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.density * self.density_factor > 1 + 1e-12:
            raise ModelError("density_factor", self.density_factor, f"must be at most 1/density = {1 / self.density:g}")
        if self.density_factor != 1 and self.estimator not in ("bayes", "adaptive"):
            raise ModelError("density_factor", self.density_factor, "must be 1 unless estimator is bayes or adaptive")
        if self.noise_factor != 1 and self.estimator != "bayes":
            raise ModelError("noise_factor", self.noise_factor, 'must be 1 unless estimator = "bayes"')
        if self.estimator in GREEDY and self.density > self.alpha:
            raise ModelError("density", self.density, f"must be at most alpha = {self.alpha:g} for greedy selection")

    def assumed(self) -> tuple[Prior, float]:
        """The prior and the variance of the noise that bayes takes for true."""
        return gauss_bernoulli(min(self.density * self.density_factor, 1.0)), self.noise * self.noise_factor
