"""Gradient flow of a linear student on two classes, some labels of which are wrong, in the data's own directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.label_noise import LabelNoise
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Sized, frames.Times):
    def suited(self, models: Sequence[LabelNoise]) -> Options:
        super().suited(models)
        for model in models:
            n = round(model.alpha * self.N)
            if model.flips > 0 and not 1 <= round(model.flips * n) < n:
                words = f"makes no wrong label, or no other, among {n} examples; at least {1 / n:.3g} does"
                raise ModelError("flips", model.flips, words)
        return self


def memory(models: Sequence[LabelNoise], options: Options) -> frames.Memory:
    n, N = round(max(model.alpha for model in models) * options.N), options.N
    each = 8.0 * (4.0 * n * N + (3.0 * min(n, N) + 2.0 * (n + N)) * len(options.t))
    return frames.Memory(each, {"N": N, "alpha": n / N}, "the examples")


@frames.courses(LabelNoise, Options, memory=memory)
def simulate(model: LabelNoise, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw examples, make as many labels wrong as the share says, and follow the student; observables as in the theory.

    The flow is solved in the singular vectors of the examples, along each of which it is an exponential.
    """
    from scipy.special import ndtr

    rng, N, n = replica.rng("examples"), options.N, round(model.alpha * options.N)
    truth = rng.choice([-1.0, 1.0], n)
    X = rng.standard_normal((n, N))
    X[:, 0] += model.distance * truth
    labels = truth.copy()
    wrong = rng.permutation(n)[: round(model.flips * n)]
    labels[wrong] *= -1
    left, values, right = np.linalg.svd(X, full_matrices=False)
    rates = values**2 / n
    learned = -np.expm1(-rates * options.t[:, None])
    answers = (learned * (left.T @ labels)) @ left.T
    w = (learned / values * (left.T @ labels)) @ right
    m, q = model.distance * w[:, 0], np.sum(w**2, axis=1)
    told = 0.5 * (1 + np.sign(answers * truth))
    good = np.ones(n, dtype=bool)
    good[wrong] = False
    row = {"m": m, "q": q, "accuracy": ndtr(m / np.sqrt(np.where(q > 0, q, np.inf))), "clean": told[:, good].mean(1)}
    if len(wrong):
        row["flipped"] = told[:, wrong].mean(axis=1)
    return {**row, "train_loss": 0.5 * np.mean((labels - answers) ** 2, axis=1)}
