"""Online learning of inputs with a structure, drawn by the chunk, from a teacher whose fields come with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tsphys._jit import njit
from tsphys.errors import DivergedError
from tsphys.ground.parameters import DTYPES, param
from tsphys.ground.times import course, whole_steps
from tsphys.models.latent_teacher import LatentTeacher
from tsphys.numerics.random import generator, normals, stream
from tsphys.physics.order_parameters import DIMS
from tsphys.rules.learning_rule import LearningRule
from tsphys.runs import frames
from tsphys.runs.blas import one_blas_thread
from tsphys.runs.ensemble import ensemble
from tsphys.runs.frames.options import chosen, described
from tsphys.runs.frames.verb import LOSING
from tsphys.runs.memory import REPLICA, check_memory, fitting_threads
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.online.direct import iterate
from tsphys.sims.engines.online.simulation import trajectory

#: Bytes of inputs drawn at once, so that they are still in the second-level cache when they are learned.
CHUNK = 2**20
#: Fewest examples at once: with fewer a product with the features waits for memory.
FEWEST = 64
DISORDER = ("common", "each")
#: Names of the axes of the observables.
LATENT_DIMS = {
    **DIMS, **dict.fromkeys(("W", "Sigma", "Q_query"), DIMS["Q"]), "R_query": DIMS["R"], "S": ("student",)
}  # fmt: skip


M = TypeVar("M", bound=LatentTeacher)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What every one of these simulations is asked for."""

    t: Any = course("times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N)", default="0.1:100:40")
    disorder: str = param(
        "common",
        "features, teacher, initial weights: those of replica 0 for all, which then differ by their examples alone, "
        "as the theory has it, or a draw for each",
        kind=str, choices=DISORDER,
    )  # fmt: skip
    n_test: int = param(1000, "fresh examples for eps_test at each time; 0: none", kind=int, low=0)
    dtype: str = param("float64", "precision of weights and inputs", kind=str, choices=DTYPES)


O = TypeVar("O", bound=Options)


@dataclass(frozen=True)
class Source:
    """Where a replica starts and what it sees.

    Parameters
    ----------
    W : ndarray (K, N)
        Weights at t = 0.
    T : ndarray (M, M)
        Overlaps of the teachers.
    draw : callable
        ``draw(rng, scalars, x)`` fills x (S, N) with fresh inputs, returns the teachers' fields (S, M).
    overlaps : callable
        ``overlaps(W)`` returns the order parameters of weights by name, R and Q among them.
    errors : callable, optional
        ``errors(found)`` returns the errors by name of the order parameters over time, and v among them; none: eps_g.
    """

    W: np.ndarray
    T: np.ndarray
    draw: Callable[[np.ndarray, np.random.Generator, np.ndarray], np.ndarray]
    overlaps: Callable[[np.ndarray], dict[str, np.ndarray]]
    errors: Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]] | None = None


class Room(threading.local):
    """Arrays kept from one chunk to the next, each thread's own: new ones would be handed out page by page."""

    def __init__(self) -> None:
        self.kept: dict[str, np.ndarray] = {}

    def __call__(self, name: str, rows: int, columns: int, dtype: Any) -> np.ndarray:
        """One (rows, columns) of this name, with whatever it held."""
        a = self.kept.get(name)
        if a is None or len(a) < rows:
            a = self.kept[name] = np.empty((rows, columns), dtype)
        return a[:rows]


@njit
def normal_rows(rng, c):
    """Fill each row of c with normals, the same whatever the number of rows."""
    for i in range(c.shape[0]):
        normals(rng, c[i])


def chunk_size(N: int, minibatch: int) -> int:
    """Steps whose examples are drawn at once."""
    return max(1, max(FEWEST, CHUNK // (8 * N)) // minibatch)


class Plan(NamedTuple):
    """What a simulation is besides its options.

    Parameters
    ----------
    N : int
        Input dimension.
    build : callable
        Source of the replica with this number.
    fixed : float
        Bytes of the disorder.
    latent : int
        Numbers that an example is made of.
    cost : float
        Operations that an example takes.
    record : dict
        What else makes it this run.
    """

    N: int
    build: Callable[[int], Source]
    fixed: float
    latent: int
    cost: float
    record: dict[str, Any]


def learned(model: type[M], options: type[O]) -> Callable[[Callable[[M, O, int], Plan]], frames.Verb[M]]:
    """Make ``simulate`` of ``plan(model, options, seed)``: replicas of SGD on the inputs of a source, seen at times t.

    Parameters
    ----------
    model, options : type
        Classes of the models and of the options.

    Returns
    -------
    callable
        A decorator of the physics, which says what is observed.
    """

    def made(plan: Callable[[M, O, int], Plan]) -> frames.Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            frame, own = chosen(frames.Replicas, given), chosen(options, given).suited([model])
            return _simulated(model, plan(model, own, frame.seed), own, frame)

        return frames.Verb(plan, model, (), {**described(options), **described(frames.Replicas)}, run, LOSING)

    return made


def _simulated(model: LatentTeacher, plan: Plan, own: Options, frame: frames.Replicas) -> Result:
    N, t, seed, replicas, n_test = plan.N, own.t, frame.seed, frame.replicas, own.n_test
    steps, disorder, dtype = whole_steps(t, N), own.disorder, own.dtype
    K, b = model.K, model.minibatch
    row = REPLICA + 8.0 * len(t) * (K * (3 * K + model.M + 1) + 2)
    check_memory("replicas", replicas, replicas * row, "the observables")
    each = 8.0 * (chunk_size(N, b) * b * (N + 3 * plan.latent) + 3 * K * N)
    common = plan.fixed if disorder == "common" else 0.0
    depends = {"N": N, "minibatch": b}
    what = "the features and the inputs"
    threads = fitting_threads(each + plan.fixed - common, depends, what, thread_count(frame.threads), shared=common)
    piece = max(1, int(2e8 / (b * (plan.cost + N * (K + 1)))))
    diverged: dict[int, int] = {}
    shared, rule = cache(plan.build), model.engine_rule()

    def work(replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
        source = shared(0) if disorder == "common" else plan.build(replica)
        advance, names = start(model, rule, source, seed, replica, set(steps.tolist()), n_test, np.dtype(dtype))
        values, stopped = trajectory(advance, steps.tolist(), piece, report)
        if stopped is not None:
            diverged[replica] = stopped
        found = dict(zip(names, values, strict=True))
        if source.errors is not None:
            return {**source.errors(found), **found}
        error = model.eps_g(found["R"], found["Q"], source.T, found["v"], model.readouts()[1])
        return {"eps_g": error, **found}

    record = {
        **plan.record,
        **{"N": N, "seed": seed, "engine": "direct", "dtype": dtype, "disorder": disorder, "n_test": n_test},
    }
    with one_blas_thread():
        if disorder == "common":
            shared(0)
        result = ensemble(
            model, "t", t, work, record, replicas=replicas, threads=threads, dims=LATENT_DIMS,
            progress=frame.progress, checkpoint=frame.checkpoint, resume=frame.resume,
        )  # fmt: skip
    lost = np.isnan(result["Q"]).any(axis=(1, 2, 3))
    if lost.any():
        first = np.isnan(result["Q"][..., 0, 0]).argmax(axis=1)
        when = min(diverged.values()) / N if diverged else float(t[first[lost].min()])
        words = f"diverged at t = {when:.4g} (lr too large?); {lost.sum()} of {replicas} did"
        raise DivergedError(f"replica {int(np.flatnonzero(lost)[0])} {words}", t=when, partial=result)
    return result


def start(
    model: LatentTeacher,
    rule: LearningRule,
    source: Source,
    seed: int,
    replica: int,
    seen: set[int],
    n_test: int,
    dtype: Any,
) -> tuple[Callable[[int, int], tuple[Any, ...]], list[str]]:
    """A replica at t = 0: ``advance(step, stop) -> (step reached, observables…)``, and their names."""
    v_star = model.readouts()[1]
    W = np.ascontiguousarray(source.W, dtype=dtype).copy()
    N, b = W.shape[1], model.minibatch
    most_steps = chunk_size(N, b)
    pool = np.empty((most_steps * b, N), dtype)
    rng, scalars = stream(seed, replica, "latent inputs"), generator(seed, replica, "latent scalars")
    zeta = generator(seed, replica, "latent noise")
    test_rng, test_scalars = stream(seed, replica, "latent test"), generator(seed, replica, "latent test scalars")

    def examples(step: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        count = min(most, most_steps)
        nu = source.draw(rng, scalars, pool[: count * b]) if count else np.empty((0, model.M))
        noise = np.concatenate([zeta.standard_normal((count * b, 1)), nu], axis=1)
        return pool, np.arange(count * b).reshape(count, b), noise.reshape(count, b, rule.n_noise)

    def test_error(v: np.ndarray) -> float:
        """Half the mean squared error on fresh inputs, the teacher without its noise."""
        total, done = 0.0, 0
        while done < n_test:
            x = pool[: min(len(pool), n_test - done)]
            nu = source.draw(test_rng, test_scalars, x)
            outputs = activate(model.activation, x @ W.T / np.sqrt(N)) @ v - activate(model.activation, nu) @ v_star
            total += float(np.sum(np.square(outputs)))
            done += len(x)
        return 0.5 * total / n_test

    # The teachers are none of the engine's: their fields come with the noise.
    engine = iterate(rule, W, np.empty((0, N), dtype), np.array(rule.v), v_star, examples)
    names = [*source.overlaps(np.asarray(W, dtype=np.float64)), "v", *(["eps_test"] if n_test else [])]

    def advance(step: int, stop: int) -> tuple[Any, ...]:
        step, _, _, v = engine(step, stop)
        # What has run away is seen by whoever follows.
        with np.errstate(over="ignore", invalid="ignore"):
            found = [*source.overlaps(np.asarray(W, dtype=np.float64)).values(), v]
        if n_test:
            found.append(np.array(test_error(v) if step in seen else np.nan))
        return (step, *found)

    return advance, names


def activate(name: str, x: np.ndarray) -> np.ndarray:
    """g(x) of whole arrays."""
    if name == "relu":
        return np.maximum(x, 0)
    if name == "erf":
        from scipy.special import erf

        return erf(x * np.sqrt(0.5))
    return x
