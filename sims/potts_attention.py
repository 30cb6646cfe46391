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
from tsphys.physics.potts import contact_scores, zero_sum
from tsphys.runs import frames
from tsphys.runs.points import stack
from tsphys.sims.engines.potts import alignment, masked
from tsphys.sims.engines.potts import sampler as potts

DIMS = {"J": ("site", "other"), "learned": ("site", "other"), "scores": ("site", "other"), "h": ("site", "colour"),
        "W": ("site", "other", "colour", "other_colour")}  # fmt: skip
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
    keep_couplings: bool = param(
        False, "keep J and what was learned of it, ⟨W_ij, U⟩/‖U‖², and of matrices and fields W and h", kind=bool
    )
    sequences: Any = param(
        None, "sequences of your own, in place of drawn ones: a FASTA file (C = 21 or 5), colours from 0 in a .npy, "
        ".csv or .txt file, or an array (n, N)", kind=str, array=True, optional=True,
    )  # fmt: skip
    weights: Any = param(
        "equal", "weights of your sequences: equal; similarity, 1/(number of similar ones); a file or an array (n,)",
        kind=str, array=True,
    )  # fmt: skip
    identity: float = param(
        0.8, "share of equal sites from which on sequences are similar", low=0, high=1, open_low=True
    )
    held_out: float = param(
        0.1, "share of your sequences that is not for training but for the test, drawn anew in each replica", low=0,
        high=1, open_high=True,
    )  # fmt: skip

    @property
    def size(self) -> int:
        """N, once it is known."""
        assert self.N is not None
        return self.N

    def suited(self, models: Sequence[PottsAttention]) -> Options:
        model = models[0]
        if self.sequences is not None:
            return self._own(models)
        for name, default in (("weights", "equal"), ("identity", 0.8), ("held_out", 0.1)):
            value = getattr(self, name)
            if not (isinstance(value, type(default)) and value == default):
                raise ModelError(name, value, f"must be {default} without sequences of your own")
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

    def _own(self, models: Sequence[PottsAttention]) -> Options:
        """These options with the sequences themselves."""
        model = models[0]
        for name, needed in (("inputs", "potts"), ("couplings", "gaussian")):
            if getattr(model, name) != needed:
                raise ModelError(name, getattr(model, name), f'must be "{needed}" with sequences of your own')
        for name in ("alpha", "beta"):
            values = [getattr(here, name) for here in models]
            if len(set(values)) > 1:
                raise ModelError(name, values, "has no effect with sequences of your own")
        if model.alpha is None:
            raise ModelError("alpha", None, "must be a number with sequences of your own, of which none are fresh")
        colours = alignment.read(self.sequences, model.C)
        n, N = colours.shape
        if self.N not in (None, N):
            raise ModelError("N", self.N, f"must be that of the sequences, {N}")
        if n - round(self.held_out * n) < 1:
            raise ModelError("held_out", self.held_out, f"leaves none of {n} sequences to train on")
        weights = alignment.weights(self.weights, colours, self.identity)
        t = None if self.t is None else whole_steps(self.t, N) / N
        return replace(self, N=N, t=t, sequences=colours, weights=weights)

    def count(self, alpha: float) -> int:
        """Sequences of a training set."""
        return counted("alpha", alpha, self.size - 1, "sequence")


def memory(models: Sequence[PottsAttention], options: Options) -> frames.Memory:
    """Features, logits and their gradients, and the vectors of L-BFGS."""
    N, C = options.size, models[0].C
    if options.sequences is not None:
        n = len(options.sequences)
        pairs = (float(N) * (C - 1 if models[0].learn == "tensor" else 1)) ** 2
        return frames.Memory(8.0 * (6 * n * C * N + 30 * pairs), {"N": N}, f"{n} sequences and couplings")
    most = max([options.n_test, *(m.minibatch if m.alpha is None else options.count(m.alpha) for m in models)])
    pairs = float(N) ** 2 * ((C - 1) ** 2 if models[0].learn == "tensor" else 1)
    depends = {"N": N, "n_test": options.n_test, "alpha": max(m.alpha or 0 for m in models)}
    depends["minibatch"] = models[0].minibatch
    return frames.Memory(8.0 * (6 * most * C * N + 30 * pairs), depends, "sequences and couplings")


class Sequences:
    """Where the sequences of a replica come from."""

    def __init__(self, model: PottsAttention, p: Options, J: np.ndarray):
        self.model, self.p, self.J, self.U = model, p, J, model.colour_matrix()
        N = p.size
        h = np.zeros((N, model.C)) if model.h is None else np.array(model.h)
        # Independent colours are those of a chain that does no sweep; J need be no Hamiltonian's there.
        law = J if model.inputs == "potts" else 0 * J
        self.couplings = potts.couplings(law, None if J.ndim == 4 else self.U, h)
        # Fields and matrices in the gauge without sums over colours, as they are learned.
        self.h: np.ndarray = h - h.mean(axis=1, keepdims=True)
        self.W: np.ndarray | None = None
        if J.ndim == 4:
            self.h, self.W = zero_sum(h, J)
        inner: Any = masked.Positions(self.U) if self.W is None else masked.Tensor(self.U)
        w = np.sqrt(N - 1) * J.ravel() if self.W is None else inner.parameters(self.W)
        self.teacher = masked.Biased(inner, N)
        self.w = self.teacher.parameters(w, self.h)

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


class Learning:
    """A learner, and what is known of it whatever it learns from."""

    def __init__(self, model: PottsAttention, p: Options):
        self.model, self.p, self.loss, self.U = model, p, model.loss, model.colour_matrix()
        self.inner: Any = masked.LEARNERS[model.learn](self.U)
        self.learner: Any = masked.Biased(self.inner, p.size) if model.fields else self.inner

    def without_fields(self, x: np.ndarray) -> np.ndarray:
        """The parameters of the couplings."""
        return x[: self.inner.size(self.p.size)]

    def strength(self, x: np.ndarray) -> float:
        """Q = Σ_j ‖W_ij‖²/‖U‖², on average."""
        w = self.without_fields(x)
        Q = 2.0 * self.inner.norm(w)[0] / (self.p.size * (self.p.size - 1))
        return float(Q)

    def matrices(self, x: np.ndarray) -> np.ndarray:
        """W_ij (N, N, C, C)."""
        return self.inner.tensor(self.without_fields(x), self.p.size)

    def couplings(self, x: np.ndarray) -> np.ndarray:
        """⟨W_ij, U⟩/‖U‖² (N, N)."""
        return self.inner.couplings(self.without_fields(x), self.p.size)

    def kept(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """What was learned, if it is asked for."""
        if not self.p.keep_couplings:
            return {}
        out = {"learned": self.couplings(x)}
        out |= {"W": self.matrices(x)} if self.model.learn == "tensor" else {}
        return out | ({"h": self.learner.fields(x)} if self.model.fields else {})

    def train_loss(self, x: np.ndarray, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Mean loss on features X with targets y."""
        each = masked.losses(self.loss, self.learner.logits(x, X), y)[0]
        return float(each.mean() if weights is None else np.average(each.mean(axis=1), weights=weights))

    def targets(self, y: np.ndarray) -> np.ndarray:
        """One-hot colours (n, C, N)."""
        return masked.one_hot(y, self.model.C) + 1.0 / self.model.C


class Trial(Learning):
    """A replica with its couplings and its test."""

    def __init__(self, model: PottsAttention, p: Options, replica: frames.Replica):
        super().__init__(model, p)
        self.replica, self.J = replica, model.draw(p.size, replica.seed, replica.number)
        self.source = Sequences(model, p, self.J)
        test = self.source.inputs(p.n_test, stream(*replica.key("test")))
        self.truth = self.source.conditional(test)
        self.features = self.learner.features(test)
        # The best prediction of a one-hot colour is its conditional, under either loss.
        best = np.log(np.maximum(self.truth, 1e-300)) if model.loss == "cross_entropy" else self.truth - 1.0 / model.C
        self.least = masked.losses(model.loss, best, self.truth)[0].mean()

    def training(self, n: int) -> tuple[np.ndarray, np.ndarray, None]:
        """n sequences, the colours to fill in, and no weights."""
        s, y = self.source.labelled(n, stream(*self.replica.key("training")), self.replica.rng("targets"))
        return s, y, None

    def observe(self, x: np.ndarray) -> dict[str, Any]:
        """What is known of a learner with parameters x."""
        z = self.learner.logits(x, self.features)
        test_loss = masked.losses(self.loss, z, self.truth)[0].mean()
        right = np.take_along_axis(self.truth, z.argmax(axis=1)[:, None], axis=1)
        N, W, Q = self.p.size, self.source.W, self.strength(x)
        if W is None:
            R, rho = float(np.sum(self.couplings(x) * self.J)) / N, float(np.sum(self.J**2)) / N
        else:
            unit = N * float(np.sum(self.U**2))
            R, rho = float(np.sum(self.matrices(x) * W)) / unit, float(np.sum(W**2)) / unit
        out = {"test_loss": test_loss, "excess": test_loss - self.least, "accuracy": right.mean(), "Q": Q, "R": R,
               "error": (Q - 2.0 * R + rho) / rho}  # fmt: skip
        if self.model.fields:
            out["h_error"] = float(np.sum((self.learner.fields(x) - self.source.h) ** 2)) / N
        return out | self.kept(x) | ({"J": self.J} if self.p.keep_couplings and W is None else {})


class OwnTrial(Learning):
    """A replica of sequences of one's own, of which some are held out for the test."""

    def __init__(self, model: PottsAttention, p: Options, replica: frames.Replica):
        super().__init__(model, p)
        n = len(p.sequences)
        order = replica.rng("held out").permutation(n) if p.held_out > 0 else np.arange(n)
        test, self.rows = np.split(order, [round(p.held_out * n)])
        self.weights = p.weights[test]
        self.features, self.y = self.learner.features(p.sequences[test]), self.targets(p.sequences[test])

    def training(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """All sequences that are not held out, whatever n is, and their weights."""
        s, weights = self.p.sequences[self.rows], self.p.weights[self.rows]
        return s, s, None if (weights == 1.0).all() else weights

    def observe(self, x: np.ndarray) -> dict[str, Any]:
        """What is known of a learner with parameters x."""
        out: dict[str, Any] = {}
        if len(self.y):
            right = self.learner.logits(x, self.features).argmax(axis=1) == self.y.argmax(axis=1)
            out["test_loss"] = self.train_loss(x, self.features, self.y, self.weights)
            out["accuracy"] = float(np.average(right.mean(axis=1), weights=self.weights))
        return out | {"Q": self.strength(x), "scores": contact_scores(self.matrices(x))} | self.kept(x)


def trial_of(model: PottsAttention, p: Options, replica: frames.Replica) -> Trial | OwnTrial:
    """A replica of drawn sequences, or of one's own."""
    return Trial(model, p, replica) if p.sequences is None else OwnTrial(model, p, replica)


def minimum(
    learner: Any, loss: str, ridge: float, X: np.ndarray, y: np.ndarray, x: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """The minimum of Σ ℓ + ridge, from x on; a ConvergenceError if the gradient does not vanish there."""
    from scipy import optimize

    value = masked.objective(learner, loss, ridge, X, y, weights)
    first, slope = x, value(x)[1]
    size = float(np.abs(slope).max())
    if size == 0.0:
        return x
    better = learner.coordinates(X, ridge, weights)
    # In units of the slope at the start, so that the tolerance is that of the gradient.
    unit, gtol, at = size, TOLERANCE, x
    if better is not None:
        unit, gtol, at = float(np.abs(better[1](slope)).max()), 0.1 * TOLERANCE, np.zeros(better[1](slope).size)

    def scaled(at: np.ndarray) -> tuple[float, np.ndarray]:
        if better is None:
            E, slope = value(at)
        else:
            E, slope = value(first + better[0](at))
            slope = better[1](slope)
        return E / unit, slope / unit

    residual, iterations = np.inf, 0
    # A line search can fail on a bad memory of the curvature, which a new start forgets.
    for _ in range(STARTS):
        options = {"maxiter": MOST_ITERATIONS, "maxfun": 2 * MOST_ITERATIONS, "gtol": gtol, "ftol": 0.0, "maxcor": 20}
        found = optimize.minimize(scaled, at, jac=True, method="L-BFGS-B", options=options)
        at, iterations = found.x, iterations + found.nit
        x = at if better is None else first + better[0](at)
        residual = float(np.abs(value(x)[1]).max()) / size
        if residual <= TOLERANCE or iterations >= MOST_ITERATIONS:
            break
        gtol = gtol if better is None else 0.1 * gtol
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
    trial, steps = trial_of(model, p, replica), whole_steps(p.t, p.size)
    learner, b = trial.learner, model.minibatch
    rng = replica.rng("minibatches")
    block = max(b, 512 // b * b)
    noise, colours = stream(*replica.key("training")), replica.rng("targets")
    weights, n = None, None
    if model.alpha is None:
        assert isinstance(trial, Trial)
        s, y = trial.source.labelled(block, noise, colours)
    else:
        s, y, weights = trial.training(1 if p.sequences is not None else p.count(model.alpha))
        n = len(s)
        if b > n:
            raise ModelError("minibatch", b, f"must be at most the training set, {n}")
    X, target = learner.features(s), trial.targets(y)
    x = learner.start(p.size, replica.rng("start"))
    # The 1/√(N − 1) of a step is in the features.
    rate, ridge = model.lr * learner.rates(p.size), 0.0 if n is None else model.ridge / n
    points, step, used = [], 0, 0
    for stop in steps.tolist():
        while step < stop:
            if n is None:
                if used + b > len(s):
                    assert isinstance(trial, Trial)
                    s, y = trial.source.labelled(block, noise, colours)
                    X, target, used = learner.features(s), trial.targets(y), 0
                rows: Any = slice(used, used + b)
                used += b
            else:
                rows = slice(None) if b == n else rng.choice(n, b, replace=False)
            delta = masked.losses(model.loss, learner.logits(x, X[rows]), target[rows])[1]
            if weights is not None:
                delta *= weights[rows, None, None]
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
        points.append(here | ({} if n is None else {"train_loss": trial.train_loss(x, X, target, weights)}))
    return stack(points)


@frames.or_over_time(descent)
@frames.replicated(PottsAttention, Options, memory=memory, dims=DIMS)
def simulate(points: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Train attention on sequences of N sites; each replica has couplings, sequences and test sequences of its own.

    The loss is minimised (L-BFGS) over a training set of α(N − 1) sequences, with ``learn="factored"``, which is not
    convex, locally from one random start. Along `alpha` and `ridge` a replica keeps its sequences, of which a smaller
    set takes the first. Over t it descends: on minibatches of the training set, drawn anew in each step, or always
    fresh ones where the model has alpha none.

    Sequences of one's own take the place of drawn ones, all of them whatever alpha is: then there is no truth to hold
    against, and the test is on those that are held out, others in each replica.

    Returns
    -------
    dict
        With axes (replica, axis), averages over all sites: ``test_loss`` ⟨ℓ⟩ on fresh sequences, over the exact
        conditional of the masked colour; ``excess`` over that of the true couplings (for the cross-entropy the mean
        Kullback–Leibler divergence); ``accuracy`` of the most likely colour; ``train_loss`` without the ridge;
        ``Q`` = Σ_j ‖W_ij‖²/‖U‖², ``R`` = Σ_j ⟨W_ij, J_ij U⟩/‖U‖²,
        ``error`` = Σ‖W_ij − J_ij U‖²/Σ‖J_ij U‖², the relative error of the couplings; for a matrix a pair its zero-sum
        part stands in the place of J_ij U. Of learned fields ``h_error`` = Σ_i ‖h_i − h*_i‖²/N, of sequences of one's
        own ``scores`` (N, N), norms of the pairs with the average product correction
        (`tsphys.physics.potts.contact_scores`), and no ``excess``, ``R``, ``error``.

    Raises
    ------
    ConvergenceError
        If no minimum is found: without a ridge there may be none.
    DivergedError
        If gradient descent left every bound.
    """
    models, p = points.models, options
    sizes = [p.count(m.alpha) if p.sequences is None and m.alpha is not None else 1 for m in models]
    trial: Trial | OwnTrial | None = None
    beta: float | None = None
    s = y = np.empty(0)
    weights: np.ndarray | None = None

    def at(i: int) -> dict[str, Any]:
        nonlocal trial, beta, s, y, weights
        model = models[i]
        if trial is None or model.beta != beta:
            trial, beta = trial_of(model, p, replica), model.beta
            s, y, weights = trial.training(max(sizes))
        n = len(s) if p.sequences is not None else sizes[i]
        X, target = trial.learner.features(s[:n]), trial.targets(y[:n])
        x = trial.learner.start(p.size, replica.rng("start"))
        x = minimum(trial.learner, model.loss, model.ridge, X, target, x, weights)
        return trial.observe(x) | {"train_loss": trial.train_loss(x, X, target, weights)}

    return replica.each(len(models), at)
