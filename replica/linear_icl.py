"""In-context regression by linear attention for N → ∞: ridge regression on N² features, query times context.

Along an eigenvector of the tasks' covariance, of eigenvalue s, the context's h has the variance A = s + (1 + σ²)/α; the
rest is the eigenframework (Bordelon, Canatar & Pehlevan, ICML 2020). The tasks have the law of Marchenko and Pastur.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.models.linear_icl import LinearICL
from tsphys.physics.flows.resolvents import white_average
from tsphys.physics.kernels.eigenframework import effective_ridge
from tsphys.runs import frames
from tsphys.solvers.fixed_point import maximum

#: Largest bias of order 1/N of an error, over the error by the margin below, for endless tasks; half of it is seen.
BIAS = 2.0


@frames.static(LinearICL, told=("doubt.eps_in", "doubt.eps_out", "doubt.train_loss", "bias.bayes"))
def solve(model: LinearICL) -> dict[str, float]:
    """What attention has learned of its tasks, and of all.

    Returns
    -------
    dict
        Over the axis: ``eps_in`` and ``eps_out``, half the mean squared errors without noise in new prompts of the
        trained tasks, and of new tasks w ~ N(0, I_N); ``train_loss`` = ½ mean (y − ŷ)² over the trained prompts;
        ``bayes``, what Bayes leaves of a new task after the same context.

    Raises
    ------
    ModelError
        Without a ridge at τ = 1, where the errors are infinite.
    ConvergenceError
        If an average over the spectrum did not converge.
    """
    tau, noise = model.tau, model.noise**2
    x = (1 + noise) / model.alpha

    def learned(k: float) -> tuple[float, float]:
        used, left = over_tasks(model, lambda s: np.stack([(s + x) / (s + x + k), k / (s + x + k)])).tolist()
        return used, left

    k = effective_ridge(learned, tau, tau * model.ridge, 1 + x)

    def powers(s: np.ndarray) -> np.ndarray:
        A, whole = s + x, s + x + k
        missed, taken = (x + k) / whole, s / whole
        own, other = s * (missed**2 + taken * x / whole), missed**2 + taken**2 * x
        return np.stack([own, other, (A / whole) ** 2, A * k / whole**2, A * (1 + x) / whole**2])

    own, other, squares, kept, seen = over_tasks(model, powers).tolist()
    # The root of training over test error, and 1 − ⟨A²/(A + k)²⟩/τ, of which nothing cancels.
    unfit = model.ridge / k if k > 0 else 1 - 1 / tau
    margin = unfit + kept / tau
    if margin <= 0:
        raise ModelError("ridge", model.ridge, "must be > 0 at tau = 1: the errors are infinite")
    e_in = (own + noise) / margin
    found = {
        "eps_in": 0.5 * (own + noise * squares / tau) / margin,
        "eps_out": 0.5 * (other + e_in * seen / tau),
        "train_loss": 0.5 * unfit**2 * e_in,
        "bayes": bayes(model.alpha, model.noise),
    }
    # Attention fluctuates by as much, of the order 1/N: that of its tasks, K of them, comes to that of the prompts.
    doubt = BIAS * (1 + 0.5 / (model.kappa or np.inf)) / margin
    found |= {"doubt.eps_in": doubt * found["eps_in"], "doubt.eps_out": doubt * found["eps_out"]}
    return {
        **found,
        "doubt.train_loss": doubt * unfit * e_in,
        "bias.bayes": of_few_dimensions(model.alpha, model.noise),
    }


def over_tasks(model: LinearICL, f: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """⟨f⟩ over the eigenvalues of the covariance of κN tasks; of endless ones all are 1."""
    return f(np.ones(1))[..., 0] if model.kappa is None else white_average(f, 1 / model.kappa)


def bayes(alpha: float, noise: float) -> float:
    """Half the mean squared error, without noise, of the best that can be made of αN examples of a task N(0, I_N).

    Raises
    ------
    ModelError
        If an argument is no number from 0 on.
    """
    alpha, noise = (number(name, value, low=0) for name, value in (("alpha", alpha), ("noise", noise)))
    b = 1 - noise**2 - alpha
    root = float(np.hypot(b, 2 * noise))
    return 0.25 * (b + root) if b > 0 else noise**2 / (root - b) if noise > 0 else 0.0


def of_few_dimensions(alpha: float, noise: float) -> float:
    """N times what that is more at finite N: real Wishart matrices (Bai & Silverstein, Ann. Probab. 32, 553, 2004)."""
    if noise == 0:
        return 0.25 if alpha == 1 else 0.0
    low, high = (float(np.hypot(1 + sign * alpha**0.5, noise)) for sign in (-1, 1))
    return 0.125 * (noise / low - noise / high) ** 2


def endless(N: int, examples: int, noise: float, ridge: float = 0.0) -> float:
    """eps_in = eps_out of endless prompts and tasks, exactly at any N: Γ = 1/(A + λ) with A the variance of h.

    Raises
    ------
    ModelError
        If a size is no whole number above 0, or noise or ridge no number from 0 on.
    """
    N, examples = (number(name, value, kind=int, low=1) for name, value in (("N", N), ("examples", examples)))
    noise, ridge = (number(name, value, low=0) for name, value in (("noise", noise), ("ridge", ridge)))
    A = 1 + 1 / examples + (1 + noise**2) * N / examples
    gain = 1 / (A + ridge)
    return 0.5 * (1 - 2 * gain + A * gain**2)


def best_ridge(model: LinearICL) -> float:
    """The ridge λ of the least eps_out, between 1e-9 and 1e9 in units of the mean square of a context's h."""
    unit = 1 + (1 + model.noise**2) / model.alpha

    def height(log: float) -> float:
        return -float(solve(replace(model, ridge=unit * float(np.exp(log))))["eps_out"][0])

    return unit * float(np.exp(maximum(height, -np.log(1e9), np.log(1e9), 43)[0]))
