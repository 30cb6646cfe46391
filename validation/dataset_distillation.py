"""Distilled data of linear students."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.physics.flows.resolvents import white_average
from tsphys.replica.dataset_distillation import errors, held, of_means, over, points_for
from tsphys.sims.dataset_distillation import distilled, flown, single
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def trained(model: Any, points: list[float], replicas: int, N: int = 100) -> Any:
    """A check of students on averages over the spectrum."""
    return agrees(model, "eps_g", replicas, sim={"N": N}, points=points)


def spectra(setting: Setting) -> Finding:
    """What is held and what is not, together, against averages over the whole spectrum by another rule."""
    off: list[float] = []
    for alpha in (0.5, 1.0, 3.0):
        off += whole(alpha)
    return within(off, 1e-9, "averages over the spectrum")


def whole(alpha: float) -> list[float]:
    """Errors of the real set at T = 5, and how much of the spectrum is held, at a load."""
    model = tsphys.DatasetDistillation(alpha=alpha, time=5.0)
    cut = held(model, 0.3)

    def left(h: np.ndarray) -> np.ndarray:
        gone = np.expm1(-5 * h) ** 2
        return np.asarray(np.exp(-10 * h) * 2 + 0.25 / alpha * np.divide(gone, h, out=np.zeros_like(h), where=h > 0))

    of_all, at_zero = float(white_average(left, 1 / alpha)), 2 * max(0.0, 1 - alpha)
    parts = over(model, left, 0.0, cut) + over(model, left, cut, np.pi)
    return [over(model, np.ones_like, 0.0, cut) - 0.3, parts + at_zero - of_all, 2 * sum(errors(model, np.pi)) - of_all]


def exact(setting: Setting) -> Finding:
    """As many points as the real set has directions lose nothing, and one is enough for a start that is known."""
    rng = np.random.default_rng(setting.seed)
    off = []
    for n in (12, 40):
        X, w = rng.standard_normal((n, 20)), rng.standard_normal(20)
        y = rng.standard_normal(n)
        end = flown(X, y, w, 1.7)
        off += list(flown(*distilled(X, y, 20), w, 1.7) - end)
        x, answer = single(w, end, 1.7, 0.6)
        off += list(flown(x[None], np.array([answer]), w, 1.7) - end)
    model = tsphys.DatasetDistillation(alpha=2.0, points=points_for(tsphys.DatasetDistillation(alpha=2.0), 0.1))
    off.append(tsphys.solve(model)["mismatch"][0] - 0.1)
    # Least squares of 12 and 40 examples in 20 dimensions keep all digits but three.
    return within(off, 1e-10, "ends of training")


def by_hand(setting: Setting) -> Finding:
    """Instances: students by exponentials of matrices, which points hold to a projector; classes by their means."""
    from scipy.linalg import expm
    from scipy.special import ndtr

    N, n, m, T, off = 24, 36, 9, 2.0, []
    model = tsphys.DatasetDistillation(alpha=n / N, points=m / N, time=T, noise=0.4, spread=0.6)
    run: dict[str, Any] = {"N": N, "replicas": 1, "seed": setting.seed}
    rng = generator(setting.seed, 0, "examples")
    start = rng.standard_normal(N) * np.sqrt(0.6 / N)
    X = rng.standard_normal((n, N))
    y = X[:, 0] + 0.4 * rng.standard_normal(n)

    def end(X: np.ndarray, y: np.ndarray) -> np.ndarray:
        best = np.linalg.lstsq(X, y, rcond=None)[0]
        return np.asarray(best + expm(-X.T @ X / len(X) * T) @ (start - best))

    real, few = end(X, y), end(X[:m], y[:m])
    axes = np.linalg.eigh(X.T @ X)[1][:, N - m :]
    held = start + axes @ (axes.T @ (real - start))
    # Least squares of fewer examples know nothing of other directions, where the start stays.
    across = np.linalg.svd(X[:m])[2][m:]
    few = few + across.T @ (across @ (start - few))
    for way, w in (("distilled", held), ("subset", few)):
        found = tsphys.simulate(replace(model, way=way), **run)
        told = {"eps_g": w, "eps_real": real}
        off += [found[name][0, 0] - 0.5 * np.sum((v - np.eye(N)[0]) ** 2) for name, v in told.items()]
        off.append(found["mismatch"][0, 0] - np.sum((real - w) ** 2))
    rng = generator(setting.seed, 0, "examples")
    D = np.repeat([1.0, 0.3], N // 2)
    v = rng.standard_normal(N)
    v *= 1.4 / np.linalg.norm(v)
    sets = [sign * (v + D * rng.standard_normal((n, N))) for sign in (1, -1)]
    two = replace(model, task="classes", way="subset", distance=1.4, small=0.3)
    for covariance in (False, True):
        found = tsphys.simulate(replace(two, covariance=covariance), **run)
        for name, some in (("eps_g", [x[:m] for x in sets]), ("eps_real", sets)):
            w = (some[0].mean(axis=0) - some[1].mean(axis=0)) / 2
            if covariance:
                C = sum(np.cov(x.T, bias=True) for x in some) / 2
                w = np.linalg.solve(C + two.ridge * np.eye(N), w)
            off.append(found[name][0, 0] - ndtr(-(w @ v) / np.sqrt(np.sum((D * w) ** 2))))
    return within(off, 1e-9, "instances by hand")


def many_dimensions(setting: Setting) -> Finding:
    """Errors of classes by their means in four million dimensions, whose sums are known to 5e-4."""
    from scipy.special import ndtr

    N, off = 4_000_000, []
    rng, D = np.random.default_rng(setting.seed), np.repeat([1.0, 0.4], N // 2)
    v, z = rng.standard_normal((2, N))
    for distance, examples in ((1.2, 0.7), (0.6, 3.0)):
        here = v * (distance / np.linalg.norm(v))
        w = here + D * z / np.sqrt(2 * examples * N)
        model = tsphys.DatasetDistillation(task="classes", distance=distance, small=0.4)
        off.append(of_means(model, examples) - ndtr(-(w @ here) / np.linalg.norm(D * w)))
    return within(off, 1e-3, "errors of classes")


def checks(quick: bool) -> list[Check]:
    """What is checked of distilled data: more and fewer examples than dimensions, subsets, classes, identities."""
    model = tsphys.DatasetDistillation()
    few, subset = replace(model, alpha=0.5, time=5.0, noise=0.3, spread=0.0), replace(model, way="subset", time=1.0)
    classes = replace(model, task="classes", alpha=1.0)
    return [
        Check("simulation", "distilled, α = 2", trained(model, [0.1, 0.5, 0.9], 32)),
        Check("simulation", "distilled, α = 1/2", trained(few, [0.1, 0.25], 48)),
        Check("simulation", "subsets", trained(subset, [0.3, 1.0], 32)),
        Check("simulation", "classes", trained(classes, [0.1, 0.5], 48, 200)),
        Check("simulation", "subsets of classes", trained(replace(classes, way="subset"), [0.1, 0.5], 48, 200)),
        Check("integral", "averages over the spectrum", spectra),
        Check("identity", "ends of training", exact),
        Check("integral", "classes of many dimensions", many_dimensions),
        Check("step", "instances by hand", by_hand),
    ]
