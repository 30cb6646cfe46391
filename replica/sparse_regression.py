"""Sparse regression as N → ∞: each weight is seen alone, r = w* + τz with τ² = (Δ + E)/α, whoever learns.

E = |ŵ − w*|²/N is that of ŵ = f(r). A posterior under assumptions takes r for seen at the noise Σ² = (Δ' + V)/α, with V
the mean variance that it has itself; only where all is assumed rightly is V = E (Nishimori).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import param
from tsphys.models.sparse_regression import GREEDY, SparseRegression
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.mixtures import combine, spread_grid
from tsphys.physics.inference.priors import gauss_bernoulli
from tsphys.replica.saddles import bayes, lasso
from tsphys.replica.saddles.bayes import Thresholds
from tsphys.replica.saddles.lasso import Lasso
from tsphys.runs import frames

#: Relative change of E and V at which state evolution is at its end, and steps at most.
TOL, MOST = 1e-11, 20_000
#: Steps of state evolution between two leaps.
PATIENCE = 20
#: Nodes of the average over one weight; with half of them the published errors move by < 1e-11.
NODES = 401


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    branch: str = param(
        "reached", "state of a posterior: that reached from no knowledge, or that next to the truth", kind=str,
        choices=("reached", "informed"), short="-b",
    )  # fmt: skip


@frames.static(SparseRegression, Options)
def solve(model: SparseRegression, options: Options) -> dict[str, float]:
    """What is learned.

    Returns
    -------
    dict
        Over the axis: ``mse`` = |ŵ − w*|²/N and ``eps_g`` = mse/2, half the mean squared error without noise; of a
        posterior ``V``, the mean square that it expects of its own error; of the lasso ``active``, the share of weights
        that are not zero, and ``found``, that of the teacher's among them.

    Raises
    ------
    ModelError
        If weights are selected greedily, of which there is no theory.
    ConvergenceError
        If state evolution has no end.
    """
    if model.estimator in GREEDY:
        raise ModelError("estimator", model.estimator, "must be bayes, adaptive or lasso: others have no theory")
    if model.estimator == "lasso":
        found = lasso.minimum(model.alpha, model.density, model.noise, model.regularization)
        return {"mse": found.mse, "eps_g": 0.5 * found.mse, "active": found.active, "found": found.found}
    # Next to the truth E is that of weights whose zeros are known.
    E, V = posterior(model, 1.0 if options.branch == "reached" else min(1.0, model.density * model.noise))
    return {"mse": E, "eps_g": 0.5 * E, "V": V}


def posterior(model: SparseRegression, first: float) -> tuple[float, float]:
    """E and V at the end of state evolution from E = V = `first`."""
    E = V = first
    _, noise = model.assumed()
    steps = np.ones((2, 2))
    for i in range(1, MOST + 1):
        tau2 = (model.noise + E) / model.alpha
        sigma2 = tau2 if model.estimator == "adaptive" else (noise + V) / model.alpha
        before, (E, V, _) = (E, V), seen(model, tau2, sigma2)
        steps = np.array([steps[1], (E - before[0], V - before[1])])
        if (np.abs(steps[1]) <= TOL * np.array([E, V])).all():
            return E, V
        if i % PATIENCE == 0:
            # Next to where a state ends steps shrink ever more slowly: half of what is left, which stays on this side.
            E, V = (x + ahead(float(d[0]), float(d[1]), 0.1 * x) for x, d in zip((E, V), steps.T, strict=True))
    change = float(np.max(np.abs(steps[1]) / (E, V)))
    raise ConvergenceError("state evolution has not come to its end", residual=change, iterations=MOST)


def ahead(before: float, step: float, most: float) -> float:
    """Half of the sum of the steps to come, a geometric series, but not more than `most`."""
    if not 0 < step / (before or math.inf) < 1:
        return 0.0
    return math.copysign(min(0.5 * abs(step) * step / (before - step), most), step)


def seen(model: SparseRegression, tau2: float, sigma2: float) -> tuple[float, float, float]:
    """Mean square error of weights seen at τ², and mean and mean square of their variance if they are thought at Σ²."""
    prior, _ = model.assumed()
    E = V = square = 0.0
    for share, v in ((1 - model.density, 0.0), (model.density, 1 / model.density)):
        spread = v + tau2
        # The posterior varies on the scale of the assumed noise, or of the true one.
        scale = math.sqrt(min(tau2, sigma2))
        x, weights = spread_grid(math.sqrt(spread) / scale, NODES)
        r = scale * x
        _, mean, variance = combine(*prior.pieces(1 / sigma2, r / sigma2))
        off = mean - v / spread * r
        E += share * (float(weights @ (off * off)) + v * tau2 / spread)
        V += share * float(weights @ variance)
        square += share * float(weights @ variance**2)
    return E, V, square


def stability(model: SparseRegression) -> float:
    """E f'²/α of a posterior with f' = Var/Σ²: where it is more than 1, replica symmetry is broken.

    There message passing does not come to rest (its perturbations grow by that factor), and `solve` is an estimate.
    """
    E, V = posterior(model, 1.0)
    tau2 = (model.noise + E) / model.alpha
    sigma2 = tau2 if model.estimator == "adaptive" else (model.assumed()[1] + V) / model.alpha
    return seen(model, tau2, sigma2)[2] / (model.alpha * sigma2**2)


def best_lasso(model: SparseRegression) -> Lasso:
    """The lasso of the λ at which its error is least; `model` is that of any estimator."""
    return lasso.best(model.alpha, model.density, model.noise)


def thresholds(model: SparseRegression) -> Thresholds:
    """Loads at which Bayes-optimal recovery changes, α_IT (`transition`) and α_AMP (`algorithmic`) among them.

    NaN where nothing jumps.

    Raises
    ------
    ConvergenceError
        If the free entropies of two branches do not cross.
    """
    return bayes.thresholds(gauss_bernoulli(model.density), channel("linear", model.noise))
