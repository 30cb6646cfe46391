"""A few steps of the engines against plain NumPy at the same size, and first rates of the equations against averages.

Both sides of the first have one law at any N, so that nothing is allowed for; the second has no statistics but those
of its quadrature. What they are held against is told again in `tsphys.validation.plain_rules`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tsphys
from tsphys.rules.field_average import lawful
from tsphys.validation.checks import Check, Finding, Setting, normal, threshold, within
from tsphys.validation.plain_rules import Plain, motion, runs

#: Size of the steps, and how many times as many runs the plain ones are, which are cheap.
N, MORE = 24, 4
#: Runs of an engine in a quick validation.
RUNS = 2500


def same_moments(a: np.ndarray, b: np.ndarray, what: str) -> Finding:
    """Means and second moments of two samples (n, entries) of one law, those of all pairs of entries.

    Entries that differ by rounding only, as Q_kl and Q_lk, are left out, and so is what does not move.
    """
    a, b = (x.reshape(len(x), -1) for x in (a, b))
    centre, scale = b.mean(axis=0), b.std(axis=0)
    still = scale < 1e-9
    if np.abs(a - centre)[:, still].max(initial=0) > 1e-9:
        return Finding(float("inf"), 0.0, f"{what}: a number moves that should stand still")
    a, b = ((x - centre)[:, ~still] / scale[~still] for x in (a, b))
    alike = np.triu(np.abs(np.corrcoef(b.T)) > 1 - 1e-9, 1).any(axis=0) if b.shape[1] > 1 else np.zeros(1, bool)
    a, b = a[:, ~alike], b[:, ~alike]
    i, j = np.tril_indices(a.shape[1])
    z = []
    for x, y in ((a, b), (a[:, i] * a[:, j], b[:, i] * b[:, j])):
        error = np.sqrt(x.var(axis=0, ddof=1) / len(x) + y.var(axis=0, ddof=1) / len(y))
        z.append(normal((x.mean(axis=0) - y.mean(axis=0)) / error, min(len(x), len(y)) - 1))
    score = np.concatenate(z)
    at = int(np.abs(score).argmax())
    kind = "mean" if at < a.shape[1] else "second moment"
    return Finding(float(np.abs(score).max()), threshold(len(score)), f"{what}: a {kind}, z = {score[at]:.2f}")


def numbers(setting: Setting) -> Finding:
    """Two million of the engines' normals: powers 1 to 4 of both precisions, 0, 1, 0, 3, of variances 1, 2, 15, 96."""
    from tsphys.numerics.random import normals, stream

    z = []
    for dtype in (np.float64, np.float32):
        state, out = stream(setting.seed, 0, "validation"), np.empty(100_000, dtype)
        powers = np.zeros(4)
        for _ in range(20):
            normals(state, out)
            powers += [np.mean(out.astype(np.float64) ** k) for k in (1, 2, 3, 4)]
        z += list((powers / 20 - [0, 1, 0, 3]) / np.sqrt(np.array([1, 2, 15, 96]) / 2e6))
    return Finding(float(np.abs(z).max()), threshold(len(z)), "four moments of float64 and float32")


def entries(result: Any) -> np.ndarray:
    """R, Q and v of the last time, (replicas, …)."""
    last = [result[name][:, -1] for name in ("R", "Q", "v")]
    return np.concatenate([a.reshape(len(a), math.prod(a.shape[1:])) for a in last], axis=1)


def stepped(
    model: Any, plain: Plain, start: Any, engine: str, steps: int = 3, size: int = N, replicas: int = RUNS,
    tasks: Any = None,
) -> Any:  # fmt: skip
    """A check of an engine's first steps."""

    def run(setting: Setting) -> Finding:
        n = setting.replicas(replicas)
        sim = tsphys.simulate(
            model, N=size, start=start, t=[steps / size], engine=engine, replicas=n, seed=setting.seed,
            threads=setting.threads,
        )  # fmt: skip
        rng = np.random.default_rng([setting.seed, 1])
        parts = [runs(plain, _told(start, model), size, steps, n, rng, tasks) for _ in range(MORE)]
        return same_moments(entries(sim), np.concatenate(parts), f"{steps} steps at N = {size}")

    return run


def _told(start: Any, model: Any) -> Any:
    """The start with the readouts of the model, where it leaves them out."""
    rule = model.learning_rule()
    v, v_star = (
        getattr(rule, name) if getattr(start, name) is None else getattr(start, name) for name in ("v", "v_star")
    )
    return tsphys.OrderParameters(R=start.R, Q=start.Q, T=start.T, v=v, v_star=v_star)


def rates(model: Any, plain: Plain, start: Any, points: int = 2**12, step: float = 2e-3) -> Any:
    """A check of dR/dt, dQ/dt, dv/dt of the theory at t = 0 against averages of the rule."""

    def run(setting: Setting) -> Finding:
        told = motion(plain, _told(start, model), points if setting.quick else 4 * points)
        return at_start(model, *told, step, start=start)

    return run


def at_start(
    model: Any, mean: np.ndarray, error: np.ndarray, step: float = 2e-3, begin: float = 0.0, **options: Any
) -> Finding:
    """Rates of R, Q and v of a solution where it or a task begins, from two short times, against what they should be.

    Bounds: seven standard errors of sixteen scramblings, and 1e-4 of the largest rate for the step of the difference.
    """
    theory = tsphys.solve(model, t=[begin, begin + step, begin + 2 * step], **options)
    first = [np.asarray(theory[name]) for name in ("R", "Q", "v")]
    slope = np.concatenate([((4 * y[1] - y[2] - 3 * y[0]) / (2 * step)).ravel() for y in first])
    return within(slope - mean, 7 * error + 1e-4 * np.abs(mean).max(), "rates of R, Q, v")


def inputs(model: Any, plain: Plain) -> Any:
    """A check that the law of the inputs makes of the same normals what it makes in plain NumPy."""

    def run(setting: Setting) -> Finding:
        rule = model.learning_rule()
        known = rule.M + rule.K
        z = np.random.default_rng([setting.seed, 13]).standard_normal((1000, known + rule.n_noise))
        mine, (s, noise) = lawful(rule, z), plain.law(z[:, : rule.M], z[:, known:])
        gaps = np.concatenate([mine[:, : rule.M] - s, mine[:, known : known + noise.shape[1]] - noise], axis=1)
        return within(gaps, np.full(gaps.shape, 1e-10), "inputs and labels")

    return run


def drawn(model: Any, size: int = 200, replicas: int = 4000) -> Any:
    """A check of the default start: iid students of the model's `init`, their overlaps with teachers and each other."""

    def run(setting: Setting) -> Finding:
        n = setting.replicas(replicas)
        sim = tsphys.simulate(model, N=size, t=[0.0], replicas=n, seed=setting.seed, threads=setting.threads)
        T = np.reshape(sim["T"], (-1, *np.shape(sim["T"])[-2:]))[0]
        K = sim["Q"].shape[-1]
        rng = np.random.default_rng([setting.seed, 2])
        W = model.init * rng.standard_normal((MORE * n, K, size))
        L = np.linalg.cholesky(T)
        R, Q = W[..., : len(T)] @ L.T / size**0.5, W @ W.swapaxes(1, 2) / size
        plain = np.concatenate([R.reshape(MORE * n, -1), Q.reshape(MORE * n, -1)], axis=1)
        mine = np.concatenate([sim[name][:, 0].reshape(n, -1) for name in ("R", "Q")], axis=1)
        return same_moments(mine, plain, "default start")

    return run


def answer(model: Any, plain: Plain, start: Any, steps: int = 200) -> Any:
    """A check that the rule answers to the fields of a step as it does in plain NumPy, to rounding.

    Of a rule that sees the whole minibatch the readouts' share is that of the step.
    """

    def run(setting: Setting) -> Finding:
        rule, told = model.learning_rule(), _told(start, model)
        rng, gaps, v, v_star = np.random.default_rng([setting.seed, 14]), [], np.array(told.v), np.array(told.v_star)
        b = rule.minibatch if rule.whole_batch else 1
        L = np.linalg.cholesky(np.block([[told.T, told.R.T], [told.R, told.Q]]) + 1e-9 * np.eye(rule.M + rule.K))
        known = (np.array(told.R), np.array(told.Q)) if rule.uses_overlaps else ()
        for _ in range(steps):
            h = rng.standard_normal((b, rule.M + rule.K)) @ L.T
            nu, lam = h[:, : rule.M].copy(), h[:, rule.M :].copy()
            noise = rng.standard_normal((b, max(rule.n_noise, plain.noises)))
            if plain.law is not None:
                nu, label = plain.law(nu, noise)
                noise[:, : label.shape[1]] = label
            mixed = np.eye(b) + 0.1 * rng.standard_normal((b, b))
            gram, seen = mixed @ mixed.T, noise[:, : rule.n_noise].copy()
            c, dv = np.zeros((b, rule.K)), np.zeros((b, len(v)))
            if rule.whole_batch:
                rule.function(lam, nu, v, v_star, seen, gram, *known, rule.seen_params(), c, dv)
            else:
                rule.function(lam[0], nu[0], v, v_star, seen[0], *known, rule.seen_params(), c[0], dv[0])
            mine = plain.rule(lam[None], nu[None], v[None, None], v_star, noise[None], gram[None])
            gaps.append(np.concatenate([(c - mine[0][0]).ravel(), (dv - mine[1][0]).mean(axis=0)]))
        return within(np.array(gaps), np.full(np.shape(gaps), 1e-9), "c and dv of a step")

    return run


def both(name: str, model: Any, plain: Plain, start: Any, engines: Any = ("exact", "direct"), **options: Any) -> list:
    """Checks of the rule, of the first rates, and of the first steps of these engines."""
    return [
        Check("identity", f"{name}, the rule", answer(model, plain, start)),
        Check("rate", name, rates(model, plain, start)),
        *(Check("step", f"{name}, {e}", stepped(model, plain, start, e, **options)) for e in engines),
    ]
