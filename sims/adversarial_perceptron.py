"""A perceptron that learns on drawn examples, attacked or not, and is attacked on fresh ones, input by input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.ground.parameters import counted, param
from tsphys.ground.progress import tell
from tsphys.models.adversarial_perceptron import ONLINE, AdversarialPerceptron
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.priors import gaussian
from tsphys.runs import frames
from tsphys.sims.engines.inference.message_passing import Estimate, message_passing
from tsphys.sims.engines.inference.minimise import max_margin, minimise
from tsphys.sims.engines.inference.ridge import cholesky

#: Examples that are drawn together online, and in a test.
BLOCK = 500


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(400, "input dimension", kind=int, low=2, short="-N")
    n_test: int = param(2000, "fresh inputs that are attacked", kind=int, low=1)

    def suited(self, models: Sequence[AdversarialPerceptron]) -> Options:
        for model in models:
            counted("alpha", model.alpha, self.N, "example")
        return self


class Student(NamedTuple):
    """Teacher and weights, each (N,) with |w*|² = N, and fields of its own examples times labels over |w|/√N."""

    teacher: np.ndarray
    w: np.ndarray
    fields: np.ndarray | None


def memory(models: Sequence[AdversarialPerceptron], options: Options) -> frames.Memory:
    kept = [here.alpha * options.N for here in models if here.learner not in ONLINE]
    rows = max([BLOCK, *kept])
    return frames.Memory(8.0 * 5 * rows * options.N, {"N": options.N, "alpha": rows / options.N}, "the examples")


@frames.replicated(AdversarialPerceptron, Options, memory=memory)
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Learn, and be attacked; observables as in the theory.

    Over attacks a replica keeps student and fresh inputs, over other axes each point has its own.
    """
    known: dict[AdversarialPerceptron, Student] = {}

    def at(i: int) -> dict[str, float]:
        model = along.models[i]
        key = replace(model, attack=0.0)
        if key not in known:
            known[key] = taught(key, options.N, replica.rng(f"examples {len(known)}"))
        return attacked(model.attack, known[key], options.n_test, replica.rng("fresh inputs"))

    return replica.each(len(along.models), at)


def taught(model: AdversarialPerceptron, N: int, rng: np.random.Generator) -> Student:
    """A student of round(αN) examples."""
    teacher, n = rng.standard_normal(N), round(model.alpha * N)
    teacher *= np.sqrt(N) / np.linalg.norm(teacher)
    if model.learner in ONLINE:
        return Student(teacher, online(model, teacher, n, rng), None)
    X = rng.standard_normal((n, N)) / np.sqrt(N)
    y = np.sign(X @ teacher)
    if model.learner == "bayes":
        first = Estimate(np.zeros(N), np.ones(N))
        for last in message_passing(X, y, gaussian(), channel("sign"), first, 300):  # noqa: B007
            pass
        return Student(teacher, last.w, None)
    if model.learner == "max_margin":
        w = max_margin(X, y)[0]
    elif model.training > 0:
        w = hardened(X, y, model.regularization, model.training)
    else:
        w = minimise("square" if model.learner == "ridge" else "logistic", X, y, model.regularization)[0]
    return Student(teacher, w, y * (X @ w) / max(np.linalg.norm(w) / np.sqrt(N), np.finfo(float).tiny))


def online(model: AdversarialPerceptron, teacher: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Weights after n examples, each of which is attacked before it is learned."""
    N, root, eps = len(teacher), np.sqrt(len(teacher)), model.training
    across = rng.standard_normal(N)
    across -= (across @ teacher) / N * teacher
    w = model.start * teacher + np.sqrt(1 - model.start**2) * root / np.linalg.norm(across) * across
    for done in range(0, n, BLOCK):
        tell(done / n)
        for x in rng.standard_normal((min(BLOCK, n - done), N)):
            y = 1.0 if x @ teacher > 0 else -1.0
            if eps > 0:
                x = x - y * eps / np.linalg.norm(w) * w
            field = w @ x / root
            if model.learner == "hebb":
                w = w + model.lr * y / root * x
            elif y * field <= 0:
                w = w + model.lr * (-field if model.learner == "adatron" else y) / root * x
    return w


def hardened(X: np.ndarray, y: np.ndarray, lam: float, eps: float, most: int = 200) -> np.ndarray:
    """argmin_w Σ ln(1 + e^(−yXw + ε'|w|/√N)) + (λ/2)|w|², by Newton's method with halved steps; 0 where that is it.

    Raises
    ------
    ConvergenceError
        If it was not reached.
    """
    from scipy.linalg import cho_solve

    n, N = X.shape
    Z, scale = y[:, None] * X, eps / np.sqrt(N)
    # At w = 0 all losses fall with the slope ½.
    pull = Z.sum(axis=0)
    if np.linalg.norm(pull) <= scale * n:
        return np.zeros(N)

    def risk(w: np.ndarray) -> float:
        return float(np.logaddexp(0.0, scale * np.linalg.norm(w) - Z @ w).sum() + 0.5 * lam * w @ w)

    # From the best length along Hebb's weights, of powers of two: at none the risk is not smooth.
    w = min((pull / np.linalg.norm(pull) * np.sqrt(N) * 2.0**k for k in range(-40, 20)), key=risk)
    value = risk(w)
    for _ in range(most):
        norm = float(np.linalg.norm(w))
        unit = w / norm
        wrong = np.exp(-np.logaddexp(0.0, Z @ w - scale * norm))
        rows = Z - scale * unit
        gradient = lam * w - rows.T @ wrong
        bend = scale / norm * float(wrong.sum())
        hessian = (rows * (wrong * (1 - wrong))[:, None]).T @ rows - bend * np.outer(unit, unit)
        hessian.ravel()[:: N + 1] += lam + bend
        step = -cho_solve(cholesky(hessian), gradient, check_finite=False)
        size = float(np.linalg.norm(step)) / norm
        share, drop = 1.0, float(gradient @ step)
        while share > 1e-10 and risk(w + share * step) > value + 1e-4 * share * drop + 1e-13 * abs(value):
            share *= 0.5
        w = w + share * step
        value = risk(w)
        # Of a whole step of Newton's its square is left.
        if share == 1.0 and size < 1e-6:
            return w
    raise ConvergenceError("the attacked risk was not minimised", residual=size, iterations=most, last=w)


def attacked(attack: float, student: Student, n_test: int, rng: np.random.Generator) -> dict[str, float]:
    """Errors on fresh inputs, each moved by ε along −yw."""
    teacher, w, fields = student
    N, norm = len(w), float(np.linalg.norm(w))
    if norm == 0:
        # It guesses, and no attack has a field to move.
        return dict.fromkeys(("eps_g", "adversarial", "boundary"), 0.5) | {"overlap": 0.0, "train_adversarial": 0.5}
    unit, root = w / norm, np.sqrt(N)
    hit = beside = 0
    for done in range(0, n_test, BLOCK):
        tell(done / n_test)
        X = rng.standard_normal((min(BLOCK, n_test - done), N))
        nu = X @ teacher / root
        y = np.sign(nu)
        hit += int((y * ((X - attack * y[:, None] * unit) @ unit) <= 0).sum())
        beside += int(((y * (X @ unit) <= attack) | (y * nu <= attack)).sum())
    m = float(teacher @ unit) / root
    eps_g = float(np.arctan2(np.linalg.norm(unit - m * teacher / root), m)) / np.pi
    out = {"eps_g": eps_g, "adversarial": hit / n_test, "boundary": beside / n_test, "overlap": m}
    return out if fields is None else {**out, "train_adversarial": float(np.mean(fields <= attack))}
