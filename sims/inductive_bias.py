"""Inductive bias in bits, counted: version spaces by walks in them, small errors of drawn weights by drawing those."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.models.inductive_bias import InductiveBias
from tsphys.numerics.roots import crossing
from tsphys.physics.kernels.hermite import parts
from tsphys.runs import frames
from tsphys.sims.engines.inference.arcs import Walkers

_LN2 = math.log(2)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    draws: int = param(2000, "weights that are drawn where small errors are likely", kind=int, low=100)
    chains: int = param(100, "walkers in the version space of a perceptron", kind=int, low=10)
    moves: int = param(30, "great circles of each between two examples, or caps, times (1 + n/N)²", kind=int, low=1)


def memory(models: Sequence[InductiveBias], options: Options) -> frames.Memory:
    if models[0].hypotheses == "perceptron":
        N, n = max(here.inputs for here in models), max(here.examples for here in models)
        name, wide = ("chains", options.chains) if n > 0 else ("draws", options.draws)
        sizes = {"inputs": N, "examples": n, name: wide}
        # Points on the arcs of every move, among which a restriction chooses.
        moves = options.moves * (1 + n / N) ** 2 if n > 0 else 0.0
        sizes |= {"moves": options.moves} if n > 0 else {}
        return frames.Memory(8.0 * (4 * wide * (N + n) + n * N + moves * wide * (2 * N + 3)), sizes, "the students")
    process = models[0].hypotheses == "gaussian_process"
    K = max(here.modes if process else here.features for here in models)
    n = max(here.examples if process else here.inputs for here in models)
    name, other = ("modes", "examples") if process else ("features", "inputs")
    sizes = {name: K, other: n, "draws": options.draws}
    return frames.Memory(8.0 * (K * (4 * K + 3 * n) + 3 * options.draws * K), sizes, "what is drawn")


@frames.replicated(InductiveBias, Options, memory=memory)
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw a teacher, features and examples, and find the bits of each error; observables as in the theory.

    Over errors a replica keeps what it has drawn.

    Raises
    ------
    ConvergenceError
        If walkers of a version space are lost.
    """
    models = along.models
    if models[0].hypotheses == "perceptron" and models[0].examples > 0 and along.axis == "error":
        return frames.stack(version_space(models[0], [here.error for here in models], options, replica.rng("examples")))
    return replica.each(len(models), lambda i: drawn(models[i], options, replica))


def drawn(model: InductiveBias, options: Options, replica: frames.Replica) -> dict[str, float]:
    """One point by itself."""
    rng, square = replica.rng("examples"), math.cos(math.pi * model.error) ** 2
    if model.hypotheses == "gaussian_process":
        form, mean = process(model, rng)
        bits = -log_probability(form, 2 * model.error, options.draws, rng) / _LN2
        return {"bits": bits, "eps_g": 0.5 * mean}
    if model.hypotheses == "features":
        # Of w and −w one has u·w > 0.
        bits = 1 - log_probability(features(model, square, rng), 0.0, options.draws, rng) / _LN2
        return {"bits": bits, "eps_g": 0.5}
    if model.examples > 0:
        return version_space(model, [model.error], options, rng)[0]
    size = np.append(square - 1, np.full(model.inputs - 1, square))
    form = Form(size, np.zeros(model.inputs), 0.0)
    return {"bits": 1 - log_probability(form, 0.0, options.draws, rng) / _LN2, "eps_g": 0.5, "information": 0.0}


def version_space(
    model: InductiveBias, errors: Sequence[float], options: Options, rng: np.random.Generator
) -> list[dict[str, float]]:
    """Students that have all labels right, found one example after the other, and those of them near to the teacher."""
    N = model.inputs
    teacher = rng.standard_normal(N)
    teacher /= np.linalg.norm(teacher)
    w = rng.standard_normal((N, options.chains))
    walkers = Walkers(w / np.linalg.norm(w, axis=0), teacher, options.moves, rng)
    apart = sorted(set(errors), reverse=True)
    for n, x in enumerate(rng.standard_normal((model.examples, N))):
        tell(n / (model.examples + len(apart)))
        walkers.add(x * np.sign(x @ teacher))
    known = walkers.log_volume
    eps_g = float(np.arccos(np.clip(teacher @ walkers.w, -1, 1)).mean()) / math.pi
    bits = {}
    for n, error in enumerate(apart, model.examples):
        tell(n / (model.examples + len(apart)))
        walkers.narrow(math.cos(math.pi * error))
        bits[error] = (known - walkers.log_volume) / _LN2
    return [{"bits": bits[error], "eps_g": eps_g, "information": -known / _LN2} for error in errors]


class Form(NamedTuple):
    """Z = Σ a_i g_i² + 2 b_i g_i + c of g ~ N(0, 1): a (n,), b (n,) and c."""

    a: np.ndarray
    b: np.ndarray
    c: float


def features(model: InductiveBias, square: float, rng: np.random.Generator) -> Form:
    """cos²(πε) wᵀΩw − (u·w)², which is ≤ 0 where sign(w·v) or its opposite errs at most so often."""
    part, N = parts(model.activation), model.inputs
    F, teacher = rng.standard_normal((model.features, N)), rng.standard_normal(N)
    u = part.slope * F @ teacher / (np.linalg.norm(teacher) * math.sqrt(N))
    B = square * part.slope**2 / N * (F @ F.T) - np.outer(u, u)
    B.ravel()[:: model.features + 1] += square * part.rest
    return Form(np.linalg.eigvalsh(B), np.zeros(model.features), 0.0)


def process(model: InductiveBias, rng: np.random.Generator) -> tuple[Form, float]:
    """|θ − v|² of coefficients θ in the posterior, and its mean."""
    i = np.arange(1.0, model.modes + 1)
    size, v = i ** (-0.5 * model.decay), i ** (-0.5 * model.target_decay)
    v /= np.linalg.norm(v)
    if model.examples == 0:
        return Form(size**2, -size * v, float(v @ v)), float(size @ size + v @ v)
    X = rng.standard_normal((model.examples, model.modes))
    y = X @ v + model.noise * rng.standard_normal(model.examples)
    A = X * size
    # Precision of g, θ = size·g.
    precision = A.T @ A / model.variance
    precision.ravel()[:: model.modes + 1] += 1
    off = size * np.linalg.solve(precision, A.T @ y / model.variance) - v
    width, axes = np.linalg.eigh(size[:, None] * np.linalg.inv(precision) * size)
    width = np.maximum(width, 0.0)
    return Form(width, np.sqrt(width) * (off @ axes), float(off @ off)), float(width.sum() + off @ off)


def log_probability(form: Form, most: float, draws: int, rng: np.random.Generator) -> float:
    """ln P(Z ≤ most), by draws from the law times e^(−σZ), in which Z is `most` on average if it is more otherwise."""
    a, b, c = form
    if most <= c + _least(a, b):
        return -math.inf

    def tilted(sigma: float) -> float:
        grown = 1 + 2 * sigma * a
        mean = -2 * sigma * b / grown
        return float((a * (1 / grown + mean**2) + 2 * b * mean).sum()) + c

    sigma, end = 0.0, -0.5 / a.min() if a.min() < 0 else math.inf
    if tilted(0.0) > most:
        high = 0.5 * end if end < math.inf else 1.0
        while tilted(high) > most:
            high = 0.5 * (high + end) if end < math.inf else 2 * high
        sigma = crossing(lambda s: tilted(s) - most, 0.0, high, "the tilt")
    grown = 1 + 2 * sigma * a
    g = rng.standard_normal((draws, len(a))) / np.sqrt(grown) - 2 * sigma * b / grown
    Z = (g * g) @ a + 2 * g @ b + c
    kept = most >= Z
    log = float((-0.5 * np.log(grown) + 2 * (sigma * b) ** 2 / grown).sum()) + sigma * (most - c)
    return log + math.log(max(np.exp(sigma * (Z[kept] - most)).sum(), 0.5) / draws) if kept.any() else -math.inf


def _least(a: np.ndarray, b: np.ndarray) -> float:
    """Smallest value of Σ ag² + 2bg."""
    if a.min() < 0:
        return -math.inf
    return -float((b**2 / np.where(a > 0, a, math.inf)).sum())
