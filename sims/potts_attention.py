"""Simulation of factored attention on Potts sequences: sampling, training on masked sites, test on fresh sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import LARGEST_SCALE, counted, param
from tsphys.ground.progress import tell
from tsphys.ground.times import course, whole_steps
from tsphys.models.potts_attention import PottsAttention
from tsphys.numerics.random import stream
from tsphys.runs import frames
from tsphys.runs.points import stack
from tsphys.sims.engines.potts import masked
from tsphys.sims.engines.potts import sampler as potts

DIMS = {"J": ("site", "other"), "learned": ("site", "other")}
#: The largest gradient at a minimum, in units of the largest at zero.
TOLERANCE = 1e-6
MOST_ITERATIONS = 5000
#: Most starts of the minimiser.
STARTS = 10


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int | None = param(None, "number of sites; none: 100, or that of J", kind=int, low=2, short="-N", optional=True)
    t: Any = course("times (steps/N) of gradient descent, as the axis, instead of the minimum of the loss: a,b,c")
    n_test: int = param(1000, "fresh sequences that the error is measured on", kind=int, low=1)
    burn_in: int = param(100, "sweeps of the sampler, from random colours, before a sequence is taken", kind=int, low=0)
    order: str = param("random", "sites that the sampler visits", kind=str, choices=potts.ORDERS)
    keep_couplings: bool = param(False, "keep J and what was learned of it, ⟨W_ij, U⟩/‖U‖²", kind=bool)

    @property
    def size(self) -> int:
        """N, once it is known."""
        assert self.N is not None
        return self.N

    def suited(self, models: Sequence[PottsAttention]) -> Options:
        model = models[0]
        own = 100 if model.J is None else len(model.J)
        N = own if self.N is None else self.N
        if model.J is not None and own != N:
            raise ModelError("N", N, f"must be that of J, {own}")
        if model.J is not None and any(here.beta != model.beta for here in models):
            raise ModelError("beta", [here.beta for here in models], 'has no effect with couplings = "given"')
        if self.t is None and model.alpha is None:
            raise ModelError("t", None, "is required with alpha none: fresh sequences are for gradient descent")
        asked = replace(self, N=N, t=None if self.t is None else whole_steps(self.t, N) / N)
        for here in models:
            if here.alpha is not None:
                asked.count(here.alpha)
        return asked

    def count(self, alpha: float) -> int:
        """Sequences of a training set."""
        return counted("alpha", alpha, self.size - 1, "sequence")


def memory(models: Sequence[PottsAttention], options: Options) -> frames.Memory:
    """Features, logits and their gradients, and the vectors of L-BFGS."""
    N, C = options.size, models[0].C
    most = max([options.n_test, *(m.minibatch if m.alpha is None else options.count(m.alpha) for m in models)])
    pairs = float(N) ** 2 * ((C - 1) ** 2 if models[0].learn == "tensor" else 1)
    depends = {"N": N, "n_test": options.n_test, "alpha": max(m.alpha or 0 for m in models)}
    depends["minibatch"] = models[0].minibatch
    return frames.Memory(8.0 * (6 * most * C * N + 30 * pairs), depends, "sequences and couplings")


class Sequences:
    """Where the sequences of a replica come from."""

    def __init__(self, model: PottsAttention, p: Options, J: np.ndarray):
        self.model, self.p, self.J, self.U = model, p, J, model.colour_matrix()
        self.teacher = masked.Positions(self.U)
        self.w = np.sqrt(p.size - 1) * J.ravel()
        # Independent colours are those of a chain that does no sweep; J need be no Hamiltonian's there.
        self.couplings = potts.couplings(J if model.inputs == "potts" else 0 * J, self.U)

    def inputs(self, n: int, noise: np.ndarray) -> np.ndarray:
        """Colours (n, N) of n sequences from a stream."""
        sweeps = self.p.burn_in if self.model.inputs == "potts" else 0
        return potts.sequences(self.couplings, n, sweeps, noise, self.p.order == "random")

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
        below = np.cumsum(self.conditional(s), axis=1)[:, :-1] <= rng.random((n, 1, self.p.size))
        return s, below.sum(axis=1).astype(np.int8)


class Trial:
    """A replica with its couplings and its test."""

    def __init__(self, model: PottsAttention, p: Options, replica: frames.Replica):
        self.p, self.J = p, model.draw(p.size, replica.seed, replica.number)
        self.source = Sequences(model, p, self.J)
        self.learner: Any = masked.LEARNERS[model.learn](self.source.U)
        self.loss = model.loss
        test = self.source.inputs(p.n_test, stream(*replica.key("test")))
        self.truth = self.source.conditional(test)
        self.features = self.learner.features(test)
        # The best prediction of a one-hot colour is its conditional, under either loss.
        best = np.log(np.maximum(self.truth, 1e-300)) if model.loss == "cross_entropy" else self.truth - 1.0 / model.C
        self.least = masked.losses(model.loss, best, self.truth)[0].mean()

    def observe(self, x: np.ndarray) -> dict[str, Any]:
        """What is known of a learner with parameters x."""
        z = self.learner.logits(x, self.features)
        test_loss = masked.losses(self.loss, z, self.truth)[0].mean()
        right = np.take_along_axis(self.truth, z.argmax(axis=1)[:, None], axis=1)
        learned = self.learner.couplings(x, self.p.size)
        Q = 2.0 * self.learner.norm(x)[0] / (self.p.size * (self.p.size - 1))
        R = float(np.sum(learned * self.J)) / self.p.size
        rho = float(np.sum(self.J**2)) / self.p.size
        out = {"test_loss": test_loss, "excess": test_loss - self.least, "accuracy": right.mean(), "Q": Q, "R": R,
               "error": (Q - 2.0 * R + rho) / rho}  # fmt: skip
        return out | ({"J": self.J, "learned": learned} if self.p.keep_couplings else {})

    def train_loss(self, x: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
        """Mean loss on features X with targets y."""
        return float(masked.losses(self.loss, self.learner.logits(x, X), y)[0].mean())


def _training_set(trial: Trial, n: int, replica: frames.Replica) -> tuple[np.ndarray, np.ndarray]:
    return trial.source.labelled(n, stream(*replica.key("training")), replica.rng("targets"))


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
        x, residual = _along_slopes(lambda x: value(x)[1] / size, x)
    if not residual <= TOLERANCE:
        raise ConvergenceError("the minimum of the loss was not reached", residual=residual, iterations=iterations)
    if ridge == 0 and loss == "cross_entropy":
        # Where no site's logits fit all of its labels, one label at least has a loss of ln 2 or more.
        each = masked.losses(loss, learner.logits(x, X), y)[0].sum(axis=0)
        if each.min() < np.log(2):
            words = "there is no minimum without a ridge, since a training set can be fitted perfectly"
            raise ConvergenceError(words, residual=residual, iterations=iterations)
    return x


def _along_slopes(slope: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> tuple[np.ndarray, float]:
    """Where a slope ends by Barzilai and Borwein's steps, and what is left of it.

    Near a ridge so steep that losses change by less than their rounding, and their slopes do not.
    """
    g = slope(x)
    s = -g
    for _ in range(50):
        y = slope(x + s) - g
        if not s @ y > 0:
            break
        s = -g * (s @ s) / (s @ y)
        x = x + s
        g = slope(x)
        if np.abs(g).max() <= TOLERANCE:
            break
    return x, float(np.abs(g).max())


@frames.courses(PottsAttention, Options, memory=memory, dims=DIMS)
def descent(model: PottsAttention, p: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """A replica along stochastic gradient descent."""
    trial, steps = Trial(model, p, replica), whole_steps(p.t, p.size)
    learner, b = trial.learner, model.minibatch
    rng = replica.rng("minibatches")
    n = None if model.alpha is None else p.count(model.alpha)
    if n is not None and b > n:
        raise ModelError("minibatch", b, f"must be at most the training set, {n}")
    block = max(b, 512 // b * b)
    noise, targets = stream(*replica.key("training")), replica.rng("targets")
    s, y = trial.source.labelled(n or block, noise, targets)
    X, target = learner.features(s), masked.one_hot(y, model.C) + 1.0 / model.C
    x = learner.start(p.size, replica.rng("start"))
    # The 1/√(N − 1) of a step is in the features.
    rate, ridge = model.lr * learner.rates(p.size), 0.0 if n is None else model.ridge / n
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
                t = step / p.size
                raise DivergedError(f"replica {replica.number} diverged at t = {t:.4g} (lr too large?)", t=t)
            if step % 64 == 0:
                tell(step / max(int(steps[-1]), 1))
        here = trial.observe(x)
        points.append(here | ({} if n is None else {"train_loss": trial.train_loss(x, X, target)}))
    return stack(points)


@frames.or_over_time(descent)
@frames.replicated(PottsAttention, Options, memory=memory, dims=DIMS)
def simulate(points: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Train attention on sequences of N sites; each replica has couplings, sequences and test sequences of its own.

    The loss is minimised (L-BFGS) over a training set of α(N − 1) sequences, with ``learn="factored"``, which is not
    convex, locally from one random start. Along `alpha` and `ridge` a replica keeps its sequences, of which a smaller
    set takes the first. Over t it descends: on minibatches of the training set, drawn anew in each step, or always
    fresh ones where the model has alpha none.

    Returns
    -------
    dict
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
    models, p = points.models, options
    sizes = [p.count(m.alpha) for m in models if m.alpha is not None]
    trial: Trial | None = None
    beta: float | None = None
    s = y = np.empty(0)

    def at(i: int) -> dict[str, Any]:
        nonlocal trial, beta, s, y
        model = models[i]
        if trial is None or model.beta != beta:
            trial, beta = Trial(model, p, replica), model.beta
            s, y = _training_set(trial, max(sizes), replica)
        n = sizes[i]
        X, target = trial.learner.features(s[:n]), masked.one_hot(y[:n], model.C) + 1.0 / model.C
        rng = replica.rng("start")
        x = minimum(trial.learner, model.loss, model.ridge, X, target, trial.learner.start(p.size, rng))
        return trial.observe(x) | {"train_loss": trial.train_loss(x, X, target)}

    return replica.each(len(models), at)
