"""Simulation of generalised linear models: message passing and exact minimisation on drawn instances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import DTYPES, counted, handed, param
from tsphys.ground.progress import tell
from tsphys.ground.times import course, iterations
from tsphys.models.glm import CUT, GLM, LOSS, known_at_start
from tsphys.physics.inference.generalisation import generalisation_error
from tsphys.physics.inference.losses import loss
from tsphys.runs import frames
from tsphys.runs.points import stack
from tsphys.sims.engines.inference.message_passing import Estimate, message_passing
from tsphys.sims.engines.inference.minimise import max_margin, minimise
from tsphys.sims.engines.inference.own_data import INPUTS, OUTPUTS, Part, checked, held_out, parted


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(1000, "number of weights", kind=int, low=2, short="-N")
    t: Any = course("iterations after which to observe, as the axis, for bayes: a,b,c", iterations)
    start: float | None = param(
        None, "overlap q/ρ known at the start, from 0 to 1; none: 0, and 0.01 for even channels", optional=True
    )
    most: int = param(300, "iterations of message passing at most", kind=int, low=1)
    damping: float = param(0.0, "share of the old estimate that an iteration keeps", low=0, high=1, open_high=True)
    dtype: str = param("float64", "precision of the inputs", kind=str, choices=DTYPES)
    X: Any = handed(INPUTS)
    y: Any = handed(OUTPUTS)

    def suited(self, models: Sequence[GLM]) -> Options:
        if self.t is not None and models[0].estimator != "bayes":
            raise ModelError("t", self.t, 'must be none unless estimator = "bayes": others have no iterations')
        if self.t is not None and self.damping != 0:
            raise ModelError("damping", self.damping, "must be 0 over t, where state evolution holds step by step")
        N, size = self.N, np.shape(models[0].covariance)
        if len(size) == 1 and size[0] > N:
            raise ModelError("covariance", f"array of shape {size}", f"must have at most N = {N} eigenvalues")
        N = size[0] if len(size) == 2 else N
        asked = replace(self, N=N, start=known_at_start(models[0], self.start))
        data = checked(self.X, self.y, models[0].objects()[1].labels, max(model.alpha for model in models))
        if data is None:
            return asked
        if asked.start != 0:
            words = "must be 0 with data of your own, whose teacher nobody knows; even channels learn nothing then"
            raise ModelError("start", asked.start, words)
        kind: Any = self.dtype
        if models[0].covariance is not None:
            raise ModelError("covariance", "given", "must be none with data of your own, which have one")
        return replace(asked, N=data.X.shape[1], X=data.X.astype(kind), y=data.y)


def memory(models: Sequence[GLM], options: Options) -> frames.Memory:
    """The inputs, and copies of them."""
    most = max(examples(here, options.N) for here in models)
    copies = 2.0 if models[0].estimator == "bayes" else 5.0 if models[0].resampling == "none" else 6.0
    each = copies * most * options.N * np.dtype(options.dtype).itemsize
    depends = {"N": options.N, "alpha": max(here.alpha for here in models)}
    return frames.Memory(each, depends, f"{most:.4g} examples")


def examples(model: GLM, N: int) -> int:
    """n = round(αN), at least 1, or a ModelError."""
    return counted("alpha", model.alpha, N, "example")


class Instance(NamedTuple):
    """A teacher (N,), inputs (n, N) over √N, and labels (n,); or what of a user's examples is held out.

    Of inputs x = Lg, g ~ N(0, 1), with a covariance LLᵀ the teacher is Lᵀw*, and L the root, its diagonal or a matrix.
    """

    teacher: np.ndarray
    X: np.ndarray
    y: np.ndarray
    others: Part | None = None
    root: np.ndarray | None = None

    def seen(self, w: np.ndarray) -> np.ndarray:
        """Lᵀw, or for rows of w."""
        if self.root is None:
            return w
        return w * self.root if self.root.ndim == 1 else w @ self.root


def drawn(model: GLM, options: Options, rng: np.random.Generator) -> Instance:
    """An instance, of the user's examples where they are given."""
    prior, channel = model.objects()
    N, n = options.N, examples(model, options.N)
    if options.X is not None:
        learned, others = parted(Part(options.X, options.y), n, rng)
        return Instance(np.zeros(N), *learned, others)
    root = None if model.covariance is None else _root(model, N)
    teacher = Instance(np.zeros(0), np.zeros(0), np.zeros(0), None, root).seen(prior.draw(rng, N))
    kind: Any = options.dtype
    X = rng.standard_normal((n, N), dtype=kind)
    X /= np.sqrt(np.asarray(N, dtype=X.dtype))
    # In pieces, so that single precision is not copied whole.
    z = [X[i : i + 1000].astype(np.float64, copy=False) @ teacher for i in range(0, n, 1000)]
    if root is not None:
        X = (X * root if root.ndim == 1 else X @ root.T).astype(kind, copy=False)
    return Instance(teacher, X, channel.draw(rng, np.concatenate(z)), None, root)


def _root(model: GLM, N: int) -> np.ndarray:
    """L of a covariance LLᵀ, (N,) if it is diagonal."""
    given = np.array(model.covariance)
    if given.ndim == 1:
        return np.sqrt(given)[np.arange(N) * len(given) // N]
    values, U = np.linalg.eigh(given)
    return U * np.sqrt(np.maximum(values, 0.0))


def messages(
    model: GLM, options: Options, instance: Instance, rng: np.random.Generator, most: int, tol: float
) -> Iterator[Estimate]:
    """Estimates after each iteration of message passing, from a noisy look at the teacher's weights."""
    prior, channel = model.objects()
    teacher, X, y = instance[:3]
    share = known_at_start(model, options.start)
    hint = prior.snr(share) if share > 0 else 0.0
    b = hint * teacher + np.sqrt(hint) * rng.standard_normal(options.N)
    known, spread = prior.moments(hint, b)
    first = Estimate(np.array(np.broadcast_to(known, options.N)), np.array(np.broadcast_to(spread, options.N)))
    return message_passing(X, y, prior, channel, first, most, options.damping, tol)


@frames.courses(GLM, Options, memory=memory)
def over_iterations(model: GLM, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """What message passing knows after each of the iterations t."""
    rng = replica.rng("glm 0")
    instance, wanted, last = drawn(model, options, rng), set(options.t.astype(int).tolist()), int(options.t[-1])
    rows = []
    for done, here in enumerate(messages(model, options, instance, rng, last, 0.0)):
        replica.report(done / (last + 1))
        if done in wanted:
            rows.append(observables(model, instance, here.w, float(here.c.mean())))
    return stack(rows)


@frames.or_over_time(over_iterations)
@frames.instances(GLM, Options, memory=memory, stream="glm")
def simulate(model: GLM, options: Options, rng: np.random.Generator) -> dict[str, float]:
    """Draw teachers and round(αN) examples, learn from them, and compare with the teacher.

    Each point has an instance of its own. Message passing, for ``bayes``, gives the posterior mean, and stops
    after `most` iterations or where it moves by less than 1e-6 a weight.

    Returns
    -------
    dict
        With axes (replica, axis): ``m``, ``q``, ``mse``, ``overlap``, ``eps_g`` as `tsphys.replica.glm.solve`, where
        eps_g is exact given the overlaps, on fresh Gaussian inputs; the sign of ŵ is free for even channels, and chosen
        so that m ≥ 0. For ``bayes`` ``converged`` (1 or 0) and ``iterations`` (not over t); for a risk ``train_loss``,
        of ridge and logistic ``active``, for ``max_margin`` ``margin``, and for all of them ``floor``, the ½⟨δh²⟩ on
        fresh inputs by which another step of the solver would change the student. With `X` and `y` of your own there is
        no teacher: ``eps_g`` is that of held out outputs as they are, beside ``q``. Of resampled examples ``eps_one``,
        ``bias`` and ``variance`` too, the two without a bias from the number of students.

    Raises
    ------
    ConvergenceError
        If a convex risk was not minimised.
    """
    _, X, y = (instance := drawn(model, options, rng))[:3]
    if model.estimator == "bayes":
        for done, last in enumerate(messages(model, options, instance, rng, options.most, 1e-6)):  # noqa: B007
            tell(done / options.most)
        stopped = {"converged": float(last.converged), "iterations": float(done)}
        return {**observables(model, instance, last.w, float(last.c.mean())), **stopped}
    X = X.astype(np.float64, copy=False)
    if model.resampling != "none":
        return bag(model, instance._replace(X=X), rng)
    if model.estimator == "max_margin":
        w, margin, step = max_margin(X, y)
        own = {"margin": margin}
    else:
        name = LOSS[model.estimator]
        w, step = minimise(name, X, y, model.regularization, model.corner, model.l1)
        own = {"train_loss": float(loss(name, y, X @ w, model.corner).mean())}
        own |= {"active": float(np.mean(w != 0))} if model.estimator in CUT else {}
    step = instance.seen(step)
    found = observables(model, instance, instance.seen(w), None)
    return {**found, **own, "floor": 0.5 * float(step @ step) / options.N}


def bag(model: GLM, instance: Instance, rng: np.random.Generator) -> dict[str, float]:
    """The mean of students of resampled examples, and how they differ."""
    _, X, y = instance[:3]
    (n, N), name, few = X.shape, LOSS[model.estimator], round(model.fraction * len(y))
    if few < 1:
        raise ModelError("fraction", model.fraction, f"draws none of {n} examples; {1 / n:.3g} draws one")
    w, trained, floors = np.empty((model.students, N)), 0.0, 0.0
    for k in range(model.students):
        rows = rng.integers(n, size=few) if model.resampling == "bootstrap" else rng.permutation(n)[:few]
        found, step = minimise(name, X[rows], y[rows], model.regularization)
        trained += float(loss(name, y[rows], X[rows] @ found).sum()) / n / len(w)
        w[k], step = instance.seen(found), instance.seen(step)
        floors += 0.5 * float(step @ step) / N / len(w)
        tell((k + 1) / len(w))
    mean = w.mean(axis=0)
    bagged, alone = observables(model, instance, mean, None), [observables(model, instance, one, None) for one in w]
    variance = float(((w - mean) ** 2).sum()) / N / (len(w) - 1)
    told = {} if "mse" not in bagged else {"bias": bagged["mse"] - variance / len(w)}
    own = {"variance": variance, "train_loss": trained, "floor": floors}
    return {**bagged, "eps_one": float(np.mean([one["eps_g"] for one in alone])), **told, **own}


def observables(model: GLM, instance: Instance, w: np.ndarray, V: float | None) -> dict[str, float]:
    """Overlaps and errors of an estimate, as the teacher is seen; V is the posterior variance of a Bayesian one."""
    teacher, N = instance.teacher, len(w)
    if instance.others is not None:
        h, channel = instance.others.X @ w, model.objects()[1]
        guess = h if V is None else channel.mean(h, V)
        return {"q": float(w @ w) / N, "eps_g": held_out(guess, instance.others.y, channel.labels)}
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
        "eps_g": generalisation_error(model.objects()[1], rho, m, q, V, rest),
    }
