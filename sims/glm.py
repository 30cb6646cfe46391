"""Simulation of generalised linear models: message passing and exact minimisation on drawn instances."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import DTYPES, counted, number, param, word
from tsphys.ground.progress import share
from tsphys.ground.times import iterations
from tsphys.models.glm import GLM, LOSS, known_at_start
from tsphys.numerics.random import generator
from tsphys.physics.inference.generalisation import generalisation_error
from tsphys.physics.inference.losses import loss
from tsphys.runs.axis import along
from tsphys.runs.ensemble import ensemble
from tsphys.runs.memory import fitting_threads
from tsphys.runs.points import over, stack, tolerated
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.inference.message_passing import Estimate, message_passing
from tsphys.sims.engines.inference.minimise import max_margin, minimise

OPTIONS = {
    "N": param(1000, "number of weights", kind=int, short="-N"),
    "t": param(None, "iterations after which to observe, as the axis: a,b,c", kind=str, short="-t", optional=True),
    "start": param(None, "overlap known at the start, from 0 to 1; none: 0, and 0.01 for even channels", optional=True),
    "most": param(300, "iterations of message passing at most", kind=int),
    "damping": param(0.0, "share of the old estimate that an iteration keeps"),
    "dtype": param("float64", "precision of the inputs", kind=str, choices=DTYPES),
}


def simulate(
    model: GLM,
    *,
    N: int,
    alpha: Any = None,
    noise: Any = None,
    density: Any = None,
    regularization: Any = None,
    t: Any = None,
    start: float | None = None,
    most: int = 300,
    damping: float = 0.0,
    dtype: str = "float64",
    replicas: int = 1,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
) -> Result:
    """Draw teachers and examples, learn from them, and compare with the teacher.

    Parameters
    ----------
    model : GLM
    N : int
        Number of weights; there are round(αN) examples.
    alpha, noise, density, regularization : float or sequence of float, optional
        In place of the model's; the sequence is the axis. Each point has an instance of its own.
    t : sequence of int, optional
        Iterations of message passing as the axis, for ``bayes``.
    start : float, optional
        Overlap q/ρ with the teacher that is known at the start: the posterior mean of a noisy look at each weight.
    most : int
        Message passing stops after so many iterations, or where the estimate moves by less than 1e-6 a weight.
    damping : float
        Share of the old estimate that an iteration keeps, 0 ≤ damping < 1; 0 over t.
    dtype : {"float64", "float32"}
        Precision of the inputs.
    replicas, seed, threads
        Independent instances; the seed and the replica's number fix every random number; threads over the replicas.
    progress, checkpoint, resume
        Fraction done, finished replicas as they come, and those to start from.

    Returns
    -------
    Result
        With axes (replica, axis): ``m``, ``q``, ``mse``, ``overlap``, ``eps_g`` as `tsphys.replica.glm.solve`, where
        eps_g is exact given the overlaps, on fresh Gaussian inputs; the sign of ŵ is free for even channels, and chosen
        so that m ≥ 0. For ``bayes`` ``converged`` (1 or 0) and ``iterations`` (not over t); for a risk ``train_loss``,
        for ``max_margin`` ``margin``, and for all of them ``floor``, the ½⟨δh²⟩ on fresh inputs by which another step
        of the solver would change the student.

    Raises
    ------
    ModelError
        If an argument is out of range, or the inputs do not fit into memory.
    ConvergenceError
        If a convex risk was not minimised.
    """
    N = number("N", N, kind=int, low=2)
    axis, values, models = along(model, alpha=alpha, noise=noise, density=density, regularization=regularization)
    known = known_at_start(model, start)
    steps = None
    damping = number("damping", damping, low=0, high=1, open_high=True)
    if t is not None:
        if model.estimator != "bayes":
            raise ModelError("t", t, 'must be none unless estimator = "bayes": others have no iterations')
        if len(models) > 1:
            raise ModelError("t", t, "must be the only sequence")
        if damping != 0:
            raise ModelError("damping", damping, "must be 0 over t, where state evolution holds step by step")
        steps = iterations("t", t)
        axis, values = "t", steps
    word("dtype", dtype, DTYPES)
    model = models[0] if len(models) == 1 else dataclasses.replace(model, **{axis: models[0].__dict__[axis]})
    sizes = [examples(here, N) for here in models]
    replicas = number("replicas", replicas, kind=int, low=1)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    bytes_each = (2.0 if model.estimator == "bayes" else 5.0) * max(sizes) * N * np.dtype(dtype).itemsize
    depends = {"N": N, "alpha": max(here.alpha for here in models)}
    threads = fitting_threads(bytes_each, depends, f"{max(sizes):.4g} examples", thread_count(threads))
    rule = {"known": known, "most": number("most", most, kind=int, low=1), "damping": damping, "dtype": dtype}

    gaps = tolerated()

    def work(replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
        def at(i: int) -> list[dict[str, float]]:
            rng = generator(seed, replica, f"glm {i}")
            return instance(models[i], N, sizes[i], steps, rng, rule, share(report, i, 1, len(models)))

        if steps is not None:
            return stack(at(0))
        return stack(over(range(len(models)), lambda i: at(i)[0], gaps))

    return ensemble(
        model, axis, values, work, {"engine": "direct", "N": N, "seed": seed, **rule}, replicas=replicas,
        threads=threads, progress=progress, checkpoint=checkpoint, resume=resume,
    )  # fmt: skip


def examples(model: GLM, N: int) -> int:
    """n = round(αN), at least 1, or a ModelError."""
    return counted("alpha", model.alpha, N, "example")


def instance(
    model: GLM, N: int, n: int, steps: np.ndarray | None, rng: np.random.Generator, rule: dict[str, Any],
    report: Callable[[float], None],
) -> list[dict[str, float]]:  # fmt: skip
    """Observables of one instance; a list over the iterations `steps`, or of one entry."""
    prior, channel = model.objects()
    teacher = prior.draw(rng, N)
    X = rng.standard_normal((n, N), dtype=rule["dtype"])
    X /= np.sqrt(np.asarray(N, dtype=X.dtype))
    # In pieces, so that single precision is not copied whole.
    z = [X[i : i + 1000].astype(np.float64, copy=False) @ teacher for i in range(0, n, 1000)]
    y = channel.draw(rng, np.concatenate(z))
    if model.estimator == "bayes":
        hint = prior.snr(rule["known"]) if rule["known"] > 0 else 0.0
        b = hint * teacher + np.sqrt(hint) * rng.standard_normal(N)
        known, spread = prior.moments(hint, b)
        first = Estimate(np.array(np.broadcast_to(known, N)), np.array(np.broadcast_to(spread, N)))
        most = rule["most"] if steps is None else int(steps[-1])
        path = message_passing(X, y, prior, channel, first, most, rule["damping"], 0.0 if steps is not None else 1e-6)
        if steps is None:
            for done, last in enumerate(path):  # noqa: B007
                report(done / most)
            stopped = {"converged": float(last.converged), "iterations": float(done)}
            return [{**observables(model, channel, teacher, last.w, float(last.c.mean())), **stopped}]
        wanted = set(steps.astype(int).tolist())
        out = []
        for done, last in enumerate(path):
            report(done / (most + 1))
            if done in wanted:
                out.append(observables(model, channel, teacher, last.w, float(last.c.mean())))
        return out
    X = X.astype(np.float64, copy=False)
    if model.estimator == "max_margin":
        w, margin, step = max_margin(X, y)
        own = {"margin": margin}
    else:
        name = LOSS[model.estimator]
        w, step = minimise(name, X, y, model.regularization)
        own = {"train_loss": float(loss(name, y, X @ w).mean())}
    return [{**observables(model, channel, teacher, w, None), **own, "floor": 0.5 * float(step @ step) / N}]


def observables(model: GLM, channel: Any, teacher: np.ndarray, w: np.ndarray, V: float | None) -> dict[str, float]:
    """Overlaps and errors of an estimate; V is the posterior variance of a Bayesian one."""
    N = len(teacher)
    if model.even and teacher @ w < 0:
        w = -w
    rho, m, q = float(teacher @ teacher) / N, float(teacher @ w) / N, float(w @ w) / N
    # Without the differences ρ − 2m + q and q − m²/ρ, which lose the digits of small errors.
    off, across = teacher - w, w - (m / rho if rho > 0 else 0.0) * teacher
    rest, along = float(across @ across) / N, m / np.sqrt(rho) if rho > 0 else 0.0
    return {
        "m": m,
        "q": q,
        "mse": float(off @ off) / N,
        "overlap": along / np.hypot(along, np.sqrt(rest)) if q > 0 else 0.0,
        "eps_g": generalisation_error(channel, rho, m, q, V, rest),
    }
