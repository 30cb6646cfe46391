"""Simulation of factored attention on Potts sequences: sampling, training on masked sites, test on fresh sequences."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import LARGEST_SCALE, counted, number, param, word
from tsphys.ground.times import times, whole_steps
from tsphys.models.potts_attention import PottsAttention
from tsphys.numerics.random import generator, stream
from tsphys.runs.axis import along, is_sequence
from tsphys.runs.ensemble import ensemble
from tsphys.runs.memory import fitting_threads
from tsphys.runs.points import Gaps, over, stack, tolerated
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.potts import masked
from tsphys.sims.engines.potts import sampler as potts

OPTIONS = {
    "N": param(None, "number of sites; none: 100, or that of J", kind=int, short="-N", optional=True),
    "t": param(None, "times (steps/N) of gradient descent, instead of the minimum of the loss: a,b,c", kind=str,
               short="-t", optional=True),
    "n_test": param(1000, "fresh sequences that the error is measured on", kind=int),
    "burn_in": param(100, "sweeps of the sampler before a sequence is taken", kind=int),
    "order": param("random", "sites that the sampler visits", kind=str, choices=potts.ORDERS),
}  # fmt: skip

#: The largest gradient at a minimum, in units of the largest at zero.
TOLERANCE = 1e-6
MOST_ITERATIONS = 5000
#: Most starts of the minimiser.
STARTS = 10


@dataclass(frozen=True)
class Plan:
    """What is asked of a run, checked."""

    N: int
    n_test: int
    burn_in: int
    order: str
    seed: int

    def count(self, alpha: float) -> int:
        """Sequences of a training set."""
        return counted("alpha", alpha, self.N - 1, "sequence")


def simulate(
    model: PottsAttention,
    *,
    N: int | None = None,
    alpha: Any = None,
    ridge: Any = None,
    beta: Any = None,
    t: Any = None,
    n_test: int = 1000,
    burn_in: int = 100,
    order: str = "random",
    replicas: int = 1,
    seed: int = 0,
    threads: int | None = None,
    keep_couplings: bool = False,
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
) -> Result:
    """Train attention on sequences of N sites; each replica has couplings, sequences and test sequences of its own.

    Parameters
    ----------
    model : PottsAttention
    N : int, optional
        Sites; by default those of J, or 100.
    alpha, ridge, beta : float or sequence of float, optional
        In place of the model's; the one that is a sequence is the axis of the Result, `alpha` if none is. The loss is
        minimised (L-BFGS) over a training set of α(N − 1) sequences, with ``learn="factored"``, which is not convex,
        locally from one random start. Along `alpha` and `ridge` a replica keeps its
        sequences, of which a smaller set takes the first.
    t : sequence of float, optional
        Times, steps/N, of stochastic gradient descent, as the axis: on minibatches of the training set, drawn anew in
        each step, or always fresh ones where the model has alpha none.
    n_test : int
        Fresh sequences that the error is measured on.
    burn_in : int
        Sweeps from random colours before a sequence is taken; each is a chain of its own.
    order : {"random", "sequential"}
        Sites that the sampler visits.
    replicas, seed, threads
        Independent runs; the seed and the replica's number fix every random number; threads over the replicas.
    keep_couplings : bool
        Keep J and, for each point, what was learned of it, ``learned`` = ⟨W_ij, U⟩/‖U‖².
    progress, checkpoint, resume
        As for online learning: fraction done, finished replicas as they come, and those to start from.

    Returns
    -------
    Result
        With axes (replica, axis), averages over all sites: ``test_loss`` ⟨ℓ⟩ on fresh sequences, over the exact
        conditional of the masked colour; ``excess`` over that of the true couplings (for the cross-entropy the mean
        Kullback–Leibler divergence); ``accuracy`` of the most likely colour; ``train_loss`` without the ridge;
        ``Q`` = Σ_j ‖W_ij‖²/‖U‖², ``R`` = Σ_j ⟨W_ij, J_ij U⟩/‖U‖²,
        ``error`` = Σ‖W_ij − J_ij U‖²/Σ‖J_ij U‖², the relative error of the couplings.

    Raises
    ------
    ModelError
        If an argument is out of range, or the tensors do not fit into memory.
    ConvergenceError
        If no minimum is found: without a ridge there may be none.
    DivergedError
        If gradient descent left every bound.
    """
    if t is not None:
        for name, value in (("alpha", alpha), ("ridge", ridge), ("beta", beta)):
            if is_sequence(value):
                raise ModelError("axis", [name, "t"], "must be one sequence; the others are numbers")
    axis, values, models = along(model, alpha=alpha, ridge=ridge, beta=beta)
    model = models[0]
    if t is not None:
        axis, values = "t", times("t", t)
    elif model.alpha is None:
        raise ModelError("t", t, "is required with alpha none: fresh sequences are for gradient descent")
    if model.J is not None and axis == "beta":
        raise ModelError("beta", beta, 'has no effect with couplings = "given"')
    word("order", order, potts.ORDERS)
    own = 100 if model.J is None else len(model.J)
    p = Plan(
        N=number("N", own if N is None else N, kind=int, low=2),
        n_test=number("n_test", n_test, kind=int, low=1),
        burn_in=number("burn_in", burn_in, kind=int, low=0),
        order=order,
        seed=number("seed", seed, kind=int, low=0, high=2**63 - 1),
    )
    if model.J is not None and len(model.J) != p.N:
        raise ModelError("N", p.N, f"must be that of J, {len(model.J)}")
    for here in models:
        if here.alpha is not None:
            p.count(here.alpha)
    replicas = number("replicas", replicas, kind=int, low=1)
    depends = {"N": p.N, "n_test": p.n_test, "alpha": max(here.alpha or 0 for here in models)}
    depends["minibatch"] = model.minibatch
    threads = fitting_threads(footprint(models, p), depends, "sequences and couplings", thread_count(threads))
    record = {"engine": "direct", **dataclasses.asdict(p)}
    if axis == "t":
        steps = whole_steps(values, p.N)
        values = steps / p.N

    gaps = tolerated()

    def work(replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
        if axis == "t":
            return stack(_descent(model, p, steps, replica, keep_couplings, report))
        return stack(_minima(models, p, replica, keep_couplings, report, gaps))

    dims = {"J": ("site", "other"), "learned": ("site", "other")}
    return ensemble(
        model, axis, values, work, record, replicas=replicas, threads=threads, dims=dims, progress=progress,
        checkpoint=checkpoint, resume=resume,
    )  # fmt: skip


def footprint(models: list[PottsAttention], p: Plan) -> float:
    """Bytes that a replica needs: features, logits and their gradients, and the vectors of L-BFGS."""
    C = models[0].C
    most = max([p.n_test, *(m.minibatch if m.alpha is None else p.count(m.alpha) for m in models)])
    pairs = float(p.N) ** 2 * ((C - 1) ** 2 if models[0].learn == "tensor" else 1)
    return 8.0 * (6 * most * C * p.N + 30 * pairs)


class Sequences:
    """Where the sequences of a replica come from."""

    def __init__(self, model: PottsAttention, p: Plan, J: np.ndarray, replica: int):
        self.model, self.p, self.J, self.U, self.replica = model, p, J, model.colour_matrix(), replica
        self.teacher = masked.Positions(self.U)
        self.w = np.sqrt(p.N - 1) * J.ravel()

    def inputs(self, n: int, noise: np.ndarray) -> np.ndarray:
        """Colours (n, N) of n sequences from a stream."""
        sweeps = self.p.burn_in if self.model.inputs == "potts" else 0
        return potts.sequences(self.J, self.U, n, sweeps, noise, self.p.order == "random")

    def conditional(self, colours: np.ndarray) -> np.ndarray:
        """Probabilities (n, C, N) of the colour of each site, given the others."""
        z = self.teacher.logits(self.w, self.teacher.features(colours))
        z -= z.max(axis=1, keepdims=True)
        y = np.exp(z)
        return y / y.sum(axis=1, keepdims=True)

    def labelled(self, n: int, noise: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n sequences and the colours to fill in, (n, N) each."""
        s = self.inputs(n, noise)
        if self.model.inputs == "potts":
            return s, s
        below = np.cumsum(self.conditional(s), axis=1)[:, :-1] <= rng.random((n, 1, self.p.N))
        return s, below.sum(axis=1).astype(np.int8)


class Trial:
    """A replica with its couplings and its test."""

    def __init__(self, model: PottsAttention, p: Plan, replica: int):
        self.p, self.J = p, model.draw(p.N, p.seed, replica)
        self.source = Sequences(model, p, self.J, replica)
        self.learner: Any = masked.LEARNERS[model.learn](self.source.U)
        self.loss = model.loss
        test = self.source.inputs(p.n_test, stream(p.seed, replica, "test"))
        self.truth = self.source.conditional(test)
        self.features = self.learner.features(test)
        # The best prediction of a one-hot colour is its conditional, under either loss.
        best = np.log(np.maximum(self.truth, 1e-300)) if model.loss == "cross_entropy" else self.truth - 1.0 / model.C
        self.least = masked.losses(model.loss, best, self.truth)[0].mean()

    def observe(self, x: np.ndarray, keep_couplings: bool) -> dict[str, Any]:
        """What is known of a learner with parameters x."""
        z = self.learner.logits(x, self.features)
        test_loss = masked.losses(self.loss, z, self.truth)[0].mean()
        right = np.take_along_axis(self.truth, z.argmax(axis=1)[:, None], axis=1)
        learned = self.learner.couplings(x, self.p.N)
        Q = 2.0 * self.learner.norm(x)[0] / (self.p.N * (self.p.N - 1))
        R = float(np.sum(learned * self.J)) / self.p.N
        rho = float(np.sum(self.J**2)) / self.p.N
        out = {"test_loss": test_loss, "excess": test_loss - self.least, "accuracy": right.mean(), "Q": Q, "R": R,
               "error": (Q - 2.0 * R + rho) / rho}  # fmt: skip
        return out | ({"J": self.J, "learned": learned} if keep_couplings else {})

    def train_loss(self, x: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
        """Mean loss on features X with targets y."""
        return float(masked.losses(self.loss, self.learner.logits(x, X), y)[0].mean())


def _training_set(trial: Trial, n: int, replica: int) -> tuple[np.ndarray, np.ndarray]:
    p = trial.p
    s, y = trial.source.labelled(n, stream(p.seed, replica, "training"), generator(p.seed, replica, "targets"))
    return s, y


def _minima(
    models: list[PottsAttention], p: Plan, replica: int, keep_couplings: bool, report: Callable[[float], None],
    gaps: Gaps | None,
) -> list[Any]:  # fmt: skip
    """A replica at the minima of its losses."""
    sizes = [p.count(m.alpha) for m in models if m.alpha is not None]
    trial: Trial | None = None
    beta: float | None = None
    s = y = np.empty(0)

    def at(i: int) -> dict[str, Any]:
        nonlocal trial, beta, s, y
        model = models[i]
        report(i / len(models))
        if trial is None or model.beta != beta:
            trial, beta = Trial(model, p, replica), model.beta
            s, y = _training_set(trial, max(sizes), replica)
        n = sizes[i]
        X, target = trial.learner.features(s[:n]), masked.one_hot(y[:n], model.C) + 1.0 / model.C
        rng = generator(p.seed, replica, "start")
        x = minimum(trial.learner, model.loss, model.ridge, X, target, trial.learner.start(p.N, rng))
        return trial.observe(x, keep_couplings) | {"train_loss": trial.train_loss(x, X, target)}

    return over(range(len(models)), at, gaps)


def minimum(learner: Any, loss: str, ridge: float, X: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The minimum of Σ ℓ + ridge, from x on; a ConvergenceError if the gradient does not vanish there."""
    from scipy import optimize

    value = masked.objective(learner, loss, ridge, X, y)
    size = float(np.abs(value(x)[1]).max())
    if size == 0.0:
        return x
    # In units of the slope at the start, so that the tolerance is that of the gradient.
    options = {"maxiter": MOST_ITERATIONS, "maxfun": 2 * MOST_ITERATIONS, "gtol": TOLERANCE, "ftol": 0.0, "maxcor": 20}
    residual, iterations = np.inf, 0
    # A line search can fail on a bad memory of the curvature, which a new start forgets.
    for _ in range(STARTS):
        found = optimize.minimize(
            lambda x: tuple(part / size for part in value(x)), x, jac=True, method="L-BFGS-B", options=options
        )
        x, residual, iterations = found.x, float(np.abs(found.jac).max()), iterations + found.nit
        if residual <= TOLERANCE or iterations >= MOST_ITERATIONS:
            break
    if not residual <= TOLERANCE:
        raise ConvergenceError("the minimum of the loss was not reached", residual=residual, iterations=iterations)
    if ridge == 0 and loss == "cross_entropy":
        # Where no site's logits fit all of its labels, one label at least has a loss of ln 2 or more.
        each = masked.losses(loss, learner.logits(x, X), y)[0].sum(axis=0)
        if each.min() < np.log(2):
            words = "there is no minimum without a ridge, since a training set can be fitted perfectly"
            raise ConvergenceError(words, residual=residual, iterations=iterations)
    return x


def _descent(
    model: PottsAttention, p: Plan, steps: np.ndarray, replica: int, keep_couplings: bool,
    report: Callable[[float], None],
) -> list[dict[str, Any]]:  # fmt: skip
    """A replica along stochastic gradient descent."""
    trial = Trial(model, p, replica)
    learner, b = trial.learner, model.minibatch
    rng = generator(p.seed, replica, "minibatches")
    n = None if model.alpha is None else p.count(model.alpha)
    if n is not None and b > n:
        raise ModelError("minibatch", b, f"must be at most the training set, {n}")
    block = max(b, 512 // b * b)
    noise, targets = stream(p.seed, replica, "training"), generator(p.seed, replica, "targets")
    s, y = trial.source.labelled(n or block, noise, targets)
    X, target = learner.features(s), masked.one_hot(y, model.C) + 1.0 / model.C
    x = learner.start(p.N, generator(p.seed, replica, "start"))
    # The 1/√(N − 1) of a step is in the features.
    rate, ridge = model.lr * learner.rates(p.N), 0.0 if n is None else model.ridge / n
    points, step, used = [], 0, 0
    for stop in steps.tolist():
        while step < stop:
            if n is None:
                if used + b > len(s):
                    s, y = trial.source.labelled(block, noise, targets)
                    X, target, used = learner.features(s), masked.one_hot(y, model.C) + 1.0 / model.C, 0
                rows: Any = slice(used, used + b)
                used += b
            else:
                rows = slice(None) if b == n else rng.choice(n, b, replace=False)
            delta = masked.losses(model.loss, learner.logits(x, X[rows]), target[rows])[1]
            slope = learner.pull(x, X[rows], delta) / b
            if ridge > 0:
                slope += ridge * learner.norm(x)[1]
            x = x - rate * slope
            step += 1
            if not np.abs(x).max() < LARGEST_SCALE:
                t = step / p.N
                raise DivergedError(f"replica {replica} diverged at t = {t:.4g} (lr too large?)", t=t)
            if step % 64 == 0:
                report(step / max(int(steps[-1]), 1))
        here = trial.observe(x, keep_couplings)
        points.append(here | ({} if n is None else {"train_loss": trial.train_loss(x, X, target)}))
    return points
