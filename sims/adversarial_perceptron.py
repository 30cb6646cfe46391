"""A perceptron that learns on drawn examples, attacked or not, and is attacked on fresh ones, input by input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.models.adversarial_perceptron import LOSS, ONLINE, AdversarialPerceptron
from tsphys.numerics.roots import crossing
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.losses import loss
from tsphys.physics.inference.priors import gaussian
from tsphys.runs import frames
from tsphys.sims.engines.inference.message_passing import Estimate, message_passing
from tsphys.sims.engines.inference.minimise import max_margin, minimise
from tsphys.sims.engines.inference.ridge import cholesky

#: Examples that are drawn together online, and in a test.
BLOCK = 500


@dataclass(frozen=True, kw_only=True)
class Options(frames.Sized):
    """What a simulation is asked for."""

    n_test: int = param(2000, "fresh inputs that are attacked", kind=int, low=1)


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
        return attacked(model, known[key], options.n_test, replica.rng("fresh inputs"))

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
        name, make = LOSS[model.learner], hardened if model.learner == "logistic" else shifted
        w = make(name, X, y, model.regularization, model.training)
    else:
        w = minimise(LOSS[model.learner], X, y, model.regularization)[0]
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


def shifted(name: str, X: np.ndarray, y: np.ndarray, lam: float, eps: float) -> np.ndarray:
    """The stationary w of Σ ℓ(yXw − S) + (λ/2)|w|², S = ε'|w|/√N, of the square and the hinge; 0 where that is it.

    Losses of 1 − yh are those of (1 + S)(1 − yXv), w = (1 + S)v: v is the minimum without attack at a ridge λ', and
    1 + S = 1/(1 − s) with s = ε'|v|/√N. What the norm adds to the gradient makes λ' one unknown.

    Raises
    ------
    ConvergenceError
        If there is none.
    """
    n, N = X.shape
    if np.linalg.norm(y @ X) * np.sqrt(N) <= eps * n:
        return np.zeros(N)

    def lack(log: float) -> float:
        ridge = float(np.exp(log))
        v = minimise(name, X, y, ridge)[0]
        size, off = float(np.linalg.norm(v)) / np.sqrt(N), 1 - y * (X @ v)
        s = eps * size
        if s >= 1:
            return 1.0
        if name == "square":
            return float(np.log((lam + eps * off.sum() / (size * N)) / ridge))
        # On the margin too examples pull: Σb = Σℓ + λ'|v|².
        pull = float(loss(name, y, X @ v).sum()) + ridge * size**2 * N
        return float(np.log((lam / (1 - s) + eps * pull / (size * N)) / ridge))

    low, high = np.log(lam) - 1e-9, np.log(lam + n) + 1.0
    while lack(high) > 0 and high < 60:
        high += 2.0
    v = minimise(name, X, y, float(np.exp(crossing(lack, low, high, "the effective ridge"))))[0]
    s = eps * float(np.linalg.norm(v)) / np.sqrt(N)
    if s >= 1:
        raise ConvergenceError("the attacked risk has no minimum", residual=s, iterations=0, last=v)
    return v / (1 - s)


def hardened(name: str, X: np.ndarray, y: np.ndarray, lam: float, eps: float, most: int = 200) -> np.ndarray:
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


def attacked(model: AdversarialPerceptron, student: Student, n_test: int, rng: np.random.Generator) -> dict[str, float]:
    """Errors on fresh inputs, each moved by ε along −yw, or by ε/√N along all signs of it."""
    teacher, w, fields = student
    N, norm = len(w), float(np.linalg.norm(w))
    if norm == 0:
        # It guesses, and no attack has a field to move.
        return dict.fromkeys(("eps_g", "adversarial", "boundary"), 0.5) | {"overlap": 0.0, "train_adversarial": 0.5}
    unit, root, attack = w / norm, np.sqrt(N), model.attack
    way = np.sign(w) / root if model.norm == "linf" else unit
    # By how much the fields of student and teacher can be moved.
    moves = attack * float(way @ unit), attack * (float(np.abs(teacher).sum()) / N if model.norm == "linf" else 1.0)
    hit = beside = 0
    for done in range(0, n_test, BLOCK):
        tell(done / n_test)
        X = rng.standard_normal((min(BLOCK, n_test - done), N))
        nu = X @ teacher / root
        y = np.sign(nu)
        hit += int((y * ((X - attack * y[:, None] * way) @ unit) <= 0).sum())
        beside += int(((y * (X @ unit) <= moves[0]) | (y * nu <= moves[1])).sum())
    m = float(teacher @ unit) / root
    eps_g = float(np.arctan2(np.linalg.norm(unit - m * teacher / root), m)) / np.pi
    out = {"eps_g": eps_g, "adversarial": hit / n_test, "boundary": beside / n_test, "overlap": m}
    return out if fields is None else {**out, "train_adversarial": float(np.mean(fields <= moves[0]))}
