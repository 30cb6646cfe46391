"""Generalised linear models as N → ∞: state evolution, its fixed points and thresholds, and minima of convex risks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, param
from tsphys.ground.times import course, iterations
from tsphys.models.glm import BOUNDED, CUT, GLM, LOSS, known_at_start
from tsphys.physics.inference.channels import Kinked
from tsphys.physics.inference.generalisation import generalisation_error
from tsphys.replica.saddles import bayes
from tsphys.replica.saddles.bayes import Thresholds
from tsphys.replica.saddles.gardner import ising_capacity, spherical_capacity
from tsphys.replica.saddles.gaussian_covariates import SMALLEST, Covariates, isotropic, matched, minimum
from tsphys.replica.saddles.margin import maximal_margin
from tsphys.replica.saddles.penalised import penalised
from tsphys.replica.saddles.resampled import law, pair
from tsphys.replica.saddles.robust import robust_regression
from tsphys.runs import frames
from tsphys.runs.points import stack

__all__ = ["gibbs_error", "ising_capacity", "lines", "maximal_margin", "solve", "spherical_capacity", "thresholds"]

BRANCHES = ("reached", "informed", "equilibrium")


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    t: Any = course("iterations of state evolution, as the axis, for bayes: a,b,c", iterations)
    start: float | None = param(
        None, "overlap q/ρ known at the start, from 0 to 1; none: 0, and 0.01 for even channels", optional=True
    )
    branch: str = param(
        "reached",
        "state of bayes: that reached from the start, that next to the truth, or that of largest free entropy",
        kind=str,
        choices=BRANCHES,
        short="-b",
    )
    tol: float = param(1e-12, "largest relative residual of the saddle point of a convex risk", low=1e-14, high=1e-3)

    def suited(self, models: Sequence[GLM]) -> Options:
        if self.t is not None and models[0].estimator != "bayes":
            raise ModelError("t", self.t, 'must be none unless estimator = "bayes": others have no iterations')
        return replace(self, start=known_at_start(models[0], self.start))


@frames.course(GLM, Options)
def over_iterations(model: GLM, options: Options) -> dict[str, np.ndarray]:
    """What message passing knows after each of the iterations t."""
    unknown = 1.0 - known_at_start(model, options.start)
    V = bayes.evolve(*model.objects(), model.alpha, unknown, int(options.t[-1]))[options.t.astype(int)]
    return stack([_posterior(model, v) for v in V.tolist()])


@frames.or_over_time(over_iterations)
@frames.static(GLM, Options)
def solve(model: GLM, options: Options) -> dict[str, float]:
    """Order parameters over loads, noises, densities or regularizations, or over the iterations of message passing.

    Returns
    -------
    dict
        ``m`` = w*·ŵ/N, ``q`` = |ŵ|²/N, ``mse`` = |w* − ŵ|²/N, ``overlap`` cos(w*, ŵ) and ``eps_g``, the probability of
        a wrong label or half the mean squared error of a real output, without noise. For ``bayes`` ``free_entropy``
        (not over t), infinite at the perfect recovery of real weights; for a risk ``train_loss``, the mean of ℓ,
        of ridge and logistic ``active``, the share of the weights that are not zero; for ``max_margin`` ``margin``, of
        ŵ with |ŵ|² = N.

        With a covariance of the inputs Ω products are w*ᵀΩŵ/N, and mse that of the fields.
        With resampled examples all these are of the bag; ``eps_one`` is of one student, and of what they predict
        ``variance`` is the mean square from one set of examples to another, ``bias`` that which no bag is rid of: mse
        is bias + variance/students.

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached.

    References
    ----------
    Barbier et al., PNAS 116, 5451 (2019); Loureiro et al., NeurIPS 2021; Montanari, Ruan, Sohn & Yan (2019).
    """
    if model.estimator == "bayes":
        return _bayes(model, options.branch, known_at_start(model, options.start))
    return _margin(model) if model.estimator == "max_margin" else _risk(model, options.tol)


def _observables(model: GLM, m: float, q: float, V: float | None, rest: float) -> dict[str, float]:
    """Of an estimate with q − m² = `rest`, whose posterior variance is V if it is Bayes-optimal."""
    _, channel = model.objects()
    rho = float(model.spectrum().mean())
    return {
        "m": m,
        "q": q,
        "mse": (rho - m) ** 2 / rho + rest if V is None else V,
        "overlap": m / float(np.hypot(m, np.sqrt(rho * rest))) if q > 0 else 0.0,
        "eps_g": generalisation_error(channel, rho, m, q, V, rest),
    }


def _bayes(model: GLM, branch: str, known: float) -> dict[str, float]:
    objects = model.objects()
    if branch == "reached":
        state = bayes.reached(*objects, model.alpha, 1.0 - known)
    elif branch == "informed":
        state = bayes.states(*objects, model.alpha)[-1]
    else:
        state = bayes.equilibrium(*objects, model.alpha)
    return {**_posterior(model, state.V), "free_entropy": state.free_entropy}


def _posterior(model: GLM, V: float) -> dict[str, float]:
    q = 1 - V
    return _observables(model, q, q, V, q * V)


def _risk(model: GLM, tol: float) -> dict[str, float]:
    prior, channel = model.objects()
    name, alpha, lam = LOSS[model.estimator], model.alpha, model.regularization
    if model.resampling != "none":
        return _bag(model, tol)
    if model.l1 > 0:
        if model.covariance is not None:
            raise ModelError("covariance", "given", "must be none with l1, of which there is no theory then")
        found, active = penalised(name, channel, prior, model.l1, alpha, lam, tol)
    elif isinstance(channel, Kinked) and name in BOUNDED:
        found, active = robust_regression(name, model.corner, channel.noises, inputs(model), alpha, lam), 1.0
    else:
        found = minimum(name, channel, inputs(model), alpha, lam, tol=tol)
        # Of an input without variance nothing is learned, and the ridge leaves nothing.
        active = float(np.mean(variances(model) > 0))
    own = {"active": active} if model.estimator in CUT else {}
    return {**_observables(model, found.m, found.q, None, found.rest), "train_loss": found.train_loss, **own}


def _bag(model: GLM, tol: float) -> dict[str, float]:
    """The mean of students of resampled examples."""
    _, channel = model.objects()
    counts = law(model.resampling, model.fraction)
    covariates, lam = inputs(model), model.regularization
    one, common = pair(LOSS[model.estimator], channel, covariates, model.alpha, lam, counts, tol)
    own = one.rest - common
    rest = common + own / model.students
    return {
        **_observables(model, one.m, rest + one.m**2 / covariates.rho, None, rest),
        "eps_one": _observables(model, one.m, one.q, None, one.rest)["eps_g"],
        "bias": (covariates.rho - one.m) ** 2 / covariates.rho + common,
        "variance": own,
        "train_loss": one.train_loss,
    }


def inputs(model: GLM) -> Covariates:
    """Their law, of a teacher whose weights are alike in all directions."""
    return isotropic() if model.covariance is None else matched(model.spectrum())


def variances(model: GLM) -> np.ndarray:
    """Those of the inputs themselves: of a full covariance its diagonal, not what it has along its own directions."""
    return model.spectrum() if np.ndim(model.covariance) != 2 else np.diagonal(np.asarray(model.covariance))


def _margin(model: GLM) -> dict[str, float]:
    if model.covariance is not None:
        # Next to no λ gives up no example; the margin is that of |w|² = N.
        least = minimum("hinge", model.objects()[1], inputs(model), model.alpha, SMALLEST)
        m, q, rest = (x / least.norm for x in (least.m * least.norm**0.5, least.q, least.rest))
        return {**_observables(model, m, q, None, rest), "margin": least.norm**-0.5}
    found = maximal_margin(model.alpha)
    return {**_observables(model, found.R, 1.0, None, np.sin(found.angle) ** 2), "margin": found.kappa}


def thresholds(model: GLM) -> Thresholds:
    """Loads at which Bayes-optimal recovery changes: weak recovery, spinodals, first-order transition.

    For ±1 weights and sign labels the transition is at 1.2447 (Györgyi 1990), the algorithmic one at 1.4926.

    Raises
    ------
    ConvergenceError
        If the free entropies of two branches do not cross.
    """
    return bayes.thresholds(*model.objects())


def lines(model: GLM, values: Any, over: str = "noise") -> dict[str, np.ndarray]:
    """Spinodals and first-order transition over noises, or `over` densities, each (len(values),); NaN where is none."""
    if over not in ("noise", "density"):
        raise ModelError("over", over, "must be noise or density")
    points: list[dict[str, Any]] = [{over: v} for v in array("values", values, (None,), f"of {over}").tolist()]
    found = [thresholds(replace(model, **point)) for point in points]
    return {k: np.array([getattr(x, k) for x in found]) for k in ("informed", "transition", "algorithmic")}


def gibbs_error(model: GLM, branch: str = "reached") -> float:
    """Probability of a wrong label of a student drawn from the posterior, arccos(q)/π: its overlap R is q."""
    if model.channel not in ("sign", "logistic"):
        raise ModelError("channel", model.channel, "must be sign or logistic")
    if model.estimator != "bayes":
        raise ModelError("estimator", model.estimator, "must be bayes")
    q = float(solve(model, branch=branch)["q"][0])
    return float(np.arccos(np.clip(q, -1, 1)) / np.pi)
