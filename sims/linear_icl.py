"""Linear attention trained on drawn prompts, by ridge regression on query times context; its errors exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import counted, param
from tsphys.ground.progress import tell
from tsphys.models.linear_icl import LinearICL
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import least_squares, over_ridges

#: Contexts that tell what Bayes leaves, and most numbers of prompts that are held at once.
CONTEXTS, ROOM = 16, 2**21


@dataclass(frozen=True, kw_only=True)
class Options(frames.Sized):
    N: int = param(20, "input dimension; attention has N² weights", kind=int, low=2, short="-N")
    prompts: int = param(
        0, "fresh prompts that tell what one would do who knows the tasks by heart; 0: none are drawn", kind=int, low=0
    )

    def suited(self, models: Sequence[LinearICL]) -> Options:
        for model in models:
            if round(model.tau * self.N**2) < 1:
                raise ModelError(
                    "tau", model.tau, f"gives no prompt at N = {self.N}; at least {1 / self.N**2:.3g} does"
                )
            if model.kappa is None and self.prompts:
                raise ModelError("prompts", self.prompts, "must be 0 where every prompt has a task of its own")
        return super().suited(models)


def memory(models: Sequence[LinearICL], options: Options) -> frames.Memory:
    N, alpha = options.N, max(model.alpha for model in models)
    tau, kappa = max(model.tau for model in models), max(model.kappa or 0.0 for model in models)
    n, K = tau * N**2, kappa * N
    context = min(max(n, float(options.prompts)), max(1.0, ROOM / (alpha * N**2))) * alpha * N * (N + 1)
    each = 8.0 * (3.0 * n * N**2 + 3.0 * min(n, N**2) ** 2 + 2.0 * context + N * (2.0 * n + K) + options.prompts * K)
    return frames.Memory(each, {"N": N, "tau": tau, "alpha": alpha, "kappa": kappa}, "the prompts")


@over_ridges(LinearICL, Options, memory=memory)
def simulate(model: LinearICL, options: Options, rng: np.random.Generator, ridges: np.ndarray) -> dict[str, np.ndarray]:
    """Draw tasks and prompts, and train attention on them; its errors are averages over all prompts and tasks.

    Over ridges a replica keeps its prompts. With `prompts` there are ``memory_in`` and ``memory_out`` beside what the
    theory has: errors of one who takes the posterior mean over the trained tasks, in prompts of these and of new ones.
    """
    N, noise = options.N, model.noise**2
    n, examples = round(model.tau * N**2), counted("alpha", model.alpha, N, "example")
    tasks = None
    if model.kappa is not None:
        tasks = sphere(rng, counted("kappa", model.kappa, N, "task"), N)
    own = sphere(rng, n, N) if tasks is None else tasks[rng.integers(len(tasks), size=n)]
    query = rng.standard_normal((n, N))
    y = np.einsum("pi,pi->p", query, own) / np.sqrt(N) + model.noise * rng.standard_normal(n)
    features = np.empty((n, N, N))
    for rows, X, labels in contexts(own, examples, model.noise, rng):
        features[rows] = query[rows, :, None] * (np.einsum("pl,pli->pi", labels, X) / examples)[:, None, :]
    A = features.reshape(n, N * N)
    weights = least_squares(A, y, ridges * n / N)[0]
    gamma = weights.T.reshape(-1, N, N)
    S = np.eye(N) if tasks is None else tasks.T @ tasks / len(tasks)
    # h has the covariance (1 + 1/l)ww' + (N/l)(|w|²/N + σ²) 1.
    squares = (1 + noise) / examples * np.sum(gamma**2, axis=(1, 2))

    def error(S: np.ndarray) -> np.ndarray:
        learned, norm = np.einsum("rij,ij->r", gamma, S), np.sum((gamma @ S) * gamma, axis=(1, 2))
        return 0.5 * (1 - 2 * learned / N + (1 + 1 / examples) * norm / N + squares)

    found = {
        "eps_in": error(S),
        "eps_out": error(np.eye(N)),
        "train_loss": 0.5 * np.mean((y[:, None] - A @ weights) ** 2, axis=0),
        "bayes": np.full(len(ridges), 0.5 * left_by_bayes(N, examples, noise, rng)),
    }
    if tasks is not None and options.prompts:
        for name, asked in (
            ("memory_in", tasks[rng.integers(len(tasks), size=options.prompts)]),
            ("memory_out", rng.standard_normal((options.prompts, N))),
        ):
            off = [np.sum((remembered(tasks, X, labels, noise) - asked[rows]) ** 2, axis=1)
                   for rows, X, labels in contexts(asked, examples, model.noise, rng)]  # fmt: skip
            found[name] = np.full(len(ridges), 0.5 * np.mean(np.concatenate(off)) / N)
    return found


def sphere(rng: np.random.Generator, count: int, N: int) -> np.ndarray:
    """Tasks (count, N) of norm √N."""
    w = rng.standard_normal((count, N))
    return w * (np.sqrt(N) / np.linalg.norm(w, axis=1))[:, None]


def contexts(
    tasks: np.ndarray, examples: int, noise: float, rng: np.random.Generator
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Inputs (p, l, N) and labels (p, l) of a prompt for each task, so many at a time as there is room for."""
    count, N = tasks.shape
    most = max(1, ROOM // (examples * N))
    for first in range(0, count, most):
        tell(first / count)
        rows = slice(first, min(first + most, count))
        X = rng.standard_normal((rows.stop - first, examples, N))
        labels = np.einsum("pli,pi->pl", X, tasks[rows]) / np.sqrt(N)
        yield rows, X, labels + noise * rng.standard_normal(labels.shape)


def remembered(tasks: np.ndarray, X: np.ndarray, labels: np.ndarray, noise: float) -> np.ndarray:
    """Posterior means (p, N) over the tasks (K, N), each as likely beforehand."""
    N = tasks.shape[1]
    answers = X @ tasks.T / np.sqrt(N)
    # Without noise the nearest task is the only one.
    logs = -np.sum((labels[..., None] - answers) ** 2, axis=1) / (2 * max(noise, 1e-12))
    likely = np.exp(logs - logs.max(axis=1, keepdims=True))
    return likely @ tasks / likely.sum(axis=1, keepdims=True)


def left_by_bayes(N: int, examples: int, noise: float, rng: np.random.Generator) -> float:
    """Mean posterior variance of a weight of a task N(0, I_N), over some contexts."""
    few = min(examples, N)
    X = rng.standard_normal((CONTEXTS, few, max(examples, N)))
    eigenvalues = np.linalg.eigvalsh(X @ X.transpose(0, 2, 1) / N)
    return float(np.mean(np.sum(noise / (eigenvalues + noise), axis=1) + N - few) / N)
