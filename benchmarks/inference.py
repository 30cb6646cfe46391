"""Benchmarks of inference: iterations of message passing against their products, and curves of convex risks."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from tsphys import GLM, MemoryReconstruction, solve
from tsphys.benchmarks import limit
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved
from tsphys.physics.inference.pattern_priors import exact, mean_field
from tsphys.sims import glm
from tsphys.sims.engines.inference import synapses
from tsphys.sims.engines.inference.components import components
from tsphys.sims.engines.inference.low_rank_amp import amp, principal
from tsphys.sims.engines.inference.message_passing import Estimate, message_passing

#: Weights, and examples over them, of the instance; loads of a curve.
N, ALPHA = 2000, 1.5
#: Neurons and patterns of the instances of low rank: enumerated, and in mean field.
NEURONS, PATTERNS = 4000, (3, 16)
#: Patterns and neurons of the instance that is reconstructed without a cue, and its noise.
MANY, WEAK_NOISE = (100, 3000), 0.4
LOADS = tuple(np.linspace(0.5, 5.0, 20).tolist())
NUMPY = "NumPy's product"
#: Iterations after which what does not come to rest is left.
MOST_ITERATIONS = 500
#: Most rounds over curves: each is some seconds.
MOST_ROUNDS = 3


def iteration(n: int = N) -> tuple[Callable[[int], None], Callable[[int], None]]:
    """Iterations of message passing for a perceptron, and what cannot be less: two products with the inputs."""
    model = GLM(alpha=ALPHA)
    _, X, y = glm.drawn(model, glm.Options(N=n), np.random.default_rng(0))[:3]
    first = Estimate(np.zeros(n), np.ones(n))
    running = message_passing(X, y, *model.objects(), first, 10**9, tol=0.0)
    w, g = np.ones(n), np.ones(len(y))

    def iterate(steps: int) -> None:
        for _ in range(steps):
            next(running)

    def products(steps: int) -> None:
        for _ in range(steps):
            X @ w
            g @ X

    return iterate, products


def low_rank(P: int, n: int) -> dict[str, Callable[[int], None]]:
    """Iterations on noisy synapses that store P patterns, the product in them, NumPy's with all of the matrix in single
    precision, and what cannot be less: to read the half of it that is kept.
    """
    model, rng = MemoryReconstruction(P=P, noise=0.4), np.random.default_rng(0)
    truth = model.prior.draw(rng, (n, P))
    S = synapses.stored(model, truth, np.dtype(np.float32), (0, 0, "benchmark"))
    # Any start: an iteration takes as long wherever it is.
    x = 0.3 * truth + 0.4 * rng.standard_normal(truth.shape)
    running = amp(S.product, model.Delta, partial(exact if P <= 12 else mean_field, model.prior), x)
    whole, single = S.dense(), x.astype(np.float32)

    def iterate(steps: int) -> None:
        for _ in range(steps):
            next(running)

    def ours(steps: int) -> None:
        for _ in range(steps):
            S.product(x)

    def products(steps: int) -> None:
        for _ in range(steps):
            whole @ single

    def reads(steps: int) -> None:
        for _ in range(steps):
            for block in S.blocks.values():
                limit.read(block.reshape(-1))

    return {"an iteration": iterate, "its product": ours, NUMPY: products, "reading the matrix": reads}


def from_nothing(P: int, n: int, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each part of the reconstruction of P patterns of n neurons without a cue."""
    model, spent = MemoryReconstruction(P=P, noise=WEAK_NOISE), dict[str, list[float]]()
    for number in range(rounds):
        rng = np.random.default_rng(number)
        S = synapses.stored(model, model.prior.draw(rng, (n, P)), np.dtype(np.float32), (number, 0, "benchmark"))
        at = [time.process_time()]
        vectors = principal(S.product, n, P, rng)
        at.append(time.process_time())
        x = np.zeros((n, P))
        known = components(vectors, model.prior, 1 - model.Delta, rng)
        x[:, : known.shape[1]] = known
        at.append(time.process_time())
        steps = amp(S.product, model.Delta, partial(mean_field, model.prior), x)
        for _ in range(MOST_ITERATIONS):
            if next(steps).moved < 1e-6:
                break
        at.append(time.process_time())
        for name, begun, ended in zip(("eigenvectors", "components of them", "message passing"), at, at[1:]):
            spent.setdefault(name, []).append(ended - begun)
    return spent


def messages_and_curves(
    setting: Setting, n: int = N, neurons: int = NEURONS, many: tuple[int, int] = MANY
) -> list[Row]:
    """CPU time of iterations beside their limits, and of theory over twenty loads, the first call excepted."""
    ours, bound = iteration(n)
    cases = {"an iteration": ours, "its two products": bound}
    times = interleaved(cases, setting.seconds, setting.rounds, setting.steps, clock=time.process_time)
    section = f"message passing, sign channel, N = {n}, α = {ALPHA}"
    rows = [row(section, name, 1e6 * t, "µs") for name, t in times.items()]
    rows.append(ratio(section, "an iteration / its two products", times["an iteration"], times["its two products"]))
    for P in PATTERNS:
        cases = low_rank(P, neurons)
        times = interleaved(cases, setting.seconds, setting.rounds, setting.steps, clock=time.process_time)
        section = f"low-rank message passing, N = {neurons}, P = {P}"
        rows += [row(section, name, 1e3 * t, "ms") for name, t in times.items()]
        rows += [
            ratio(section, f"an iteration / {other}", times["an iteration"], times[other])
            for other in cases
            if other != "an iteration"
        ]
    section = f"{many[0]} patterns of N = {many[1]} without a cue"
    parts = from_nothing(*many, min(setting.rounds, MOST_ROUNDS))
    rows += [row(section, name, times, "CPU s") for name, times in parts.items()]
    for risk in ("logistic", "hinge"):
        model, spent = GLM(estimator=risk, regularization=0.1), []
        solve(model, alpha=LOADS[:1])
        for _ in range(min(setting.rounds, MOST_ROUNDS)):
            begun = time.process_time()
            solve(model, alpha=LOADS)
            spent.append(time.process_time() - begun)
        rows.append(row("theory of convex risks", f"{risk}, {len(LOADS)} loads", spent, "CPU s"))
    return rows
