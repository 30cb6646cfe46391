"""Deep linear nets that learn tasks in turn: each direction by itself, in closed form or by its equation of motion.

Balanced layers have the same singular value a, x = a^L, in each direction: da/dt = a^(L−1)(s − x) − λρ(a), ρ = a of l2,
a(a² − 1) of spectral, and a − a(0) of init. With two layers dx/dt = 2x(A − Bx), but for init.
"""

from __future__ import annotations

import numpy as np

from tsphys.models.plasticity import Plasticity
from tsphys.physics.flows.rank import effective_rank
from tsphys.runs import frames
from tsphys.solvers.ode import integrate


@frames.course(Plasticity, frames.Tasks, dims={"strength": ("mode",)})
def solve(model: Plasticity, options: frames.Tasks) -> dict[str, np.ndarray]:
    """What the net is after some tasks, and how long it takes to learn the next.

    Returns
    -------
    dict
        Over the number t of tasks that are done: ``relearning``, the time at which the direction that comes next has
        reached the part φ of its target, T if that is not within the task; ``strength`` (t, m) of all directions;
        ``rank``, e^(entropy) of their shares.

    Raises
    ------
    ConvergenceError
        If an equation of motion could not be integrated to its tolerance.
    """
    turns = iter(range(int(options.t[-1])))

    def task(x: np.ndarray) -> np.ndarray:
        turn = next(turns) % model.modes
        return np.array([after(model, x[k], model.target * (k == turn)) for k in range(model.modes)])

    rows = []
    for t, x in zip(options.t, frames.seen(np.full(model.modes, model.start), task, options.t), strict=True):
        relearning = crossing(model, x[int(t) % model.modes])
        rows.append({"relearning": relearning, "strength": x, "rank": effective_rank(x)})
    return frames.stack(rows)


def linear(model: Plasticity, s: float) -> tuple[float, float]:
    """A and B of dx/dt = 2x(A − Bx), of two layers."""
    of_penalty = {"none": (0.0, 0.0), "l2": (-1.0, 0.0), "spectral": (1.0, 1.0)}
    a, b = of_penalty[model.penalty]
    return s + a * model.strength, 1 + b * model.strength


def in_closed_form(model: Plasticity) -> bool:
    """Whether there is one."""
    return model.depth == 2 and model.penalty != "init"


def after(model: Plasticity, x: float, s: float) -> float:
    """Strength after a task that asks for s of it, from x before."""
    T, L = model.duration, model.depth
    if x == 0:
        return 0.0
    if in_closed_form(model):
        A, B = linear(model, s)
        with np.errstate(over="ignore"):
            gone = np.exp(-2 * A * T)
            return float(x / (gone + B * x * (-np.expm1(-2 * A * T) / A if A else 2 * T)))
    y, _ = integrate(lambda t, y: growth(model, y, s), [np.log(x) / L], [T], rtol=1e-11, atol=1e-12)
    return float(np.exp(L * y[-1, 0]))


def growth(model: Plasticity, log_a: np.ndarray, s: float) -> np.ndarray:
    """d ln a/dt of a direction of which s is asked."""
    L, a = model.depth, np.exp(log_a)
    regular = {"none": 0 * a, "l2": 1 + 0 * a, "spectral": a**2 - 1, "init": 1 - model.start ** (1 / L) / a}
    return a ** (L - 2) * (s - a**L) - model.strength * regular[model.penalty]


def crossing(model: Plasticity, x: float) -> float:
    """The time at which a strength x has grown to the part φ of the target; T if that is not within the task."""
    from scipy.integrate import quad

    level, s, L = model.fraction * model.target, model.target, model.depth
    if x >= level:
        return 0.0
    if after(model, x, s) <= level:
        return model.duration
    if in_closed_form(model):
        A, B = linear(model, s)
        # The end itself is never reached, though rounding may say so.
        if B * level >= A:
            return model.duration
        return float(np.log(level * (A - B * x) / (x * (A - B * level))) / (2 * A))
    # All on the way grows, since what is of one variable never turns back.
    ends = np.log([x, level]) / L
    return float(quad(lambda y: 1 / growth(model, y, s), *ends, epsabs=1e-12, epsrel=1e-12, limit=200)[0])
