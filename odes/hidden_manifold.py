"""The hidden manifold for N → ∞ at fixed δ = D/N: equations of motion on its spectrum, and the error that must stay.

With eigenvalues y of F Fᵀ/D the inputs have the covariance Ω with eigenvalues e = κ² + b²y, of which the teacher is
seen in those with y > 0; see `tsphys.odes.equations.modes` for the equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.ground.parameters import LARGEST_INTEGER, handed, param
from tsphys.models.hidden_manifold import HiddenManifold, Instance, given_features, instance, sizes
from tsphys.odes.equations.modes import OBSERVED, Modes, equations
from tsphys.physics.features import Hadamard
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.runs import frames
from tsphys.runs.memory import fitting_threads

SPECTRA = ("instance", "limit")
#: Eigenvalues y below this, relative to the largest, are none.
NULL = 1e-12


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    spectrum: str = param(
        "instance",
        "instance: eigenvalues, teacher and initial weights of a simulation with this N and seed (disorder common), so "
        "that all that is left of finite size is the fluctuations of SGD; limit: N → ∞, where a start without "
        "knowledge of the teacher, A = 0, has no overlap with it and never breaks the symmetry of its units",
        kind=str, choices=SPECTRA,
    )  # fmt: skip
    N: int = param(1000, "size of the instance", kind=int, low=1, short="-N")
    seed: int = param(0, "seed of the instance", kind=int, low=0, high=LARGEST_INTEGER, short="-s")
    F: Any = handed("features (N, D) of the instance, as in the simulation")
    nodes: int = param(
        64, "nodes of the quadrature in the Marchenko-Pastur law (limit, Gaussian features)", kind=int, low=4,
        high=10_000,
    )  # fmt: skip


@frames.flow(HiddenManifold, Options, dims=OBSERVED)
def solve(model: HiddenManifold, options: Options) -> frames.Equations:
    """Solve the equations of motion, and observe the order parameters at the times t = steps/N.

    The tolerances are 1e-9 and 1e-11 by default; above 1500 variables the method ``auto`` is DOP853.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R`` (…, K, M), ``Q``, ``W``, ``Sigma`` (…, K, K), ``v`` (…, K). ``meta["nodes_error"]``:
        the largest change of eps_g with three quarters of the nodes (limit, Gaussian features).

    Raises
    ------
    ModelError
        If an argument is out of range, or an instance does not fit into memory.
    """
    record: dict[str, Any] = {"spectrum": options.spectrum}
    if options.spectrum == "limit":
        full = motion(model, in_the_limit(model, options.nodes))
        if model.features != "gaussian":
            return replace(full, record=record)
        fewer = motion(model, in_the_limit(model, 3 * options.nodes // 4))

        def judge(solutions: Sequence[np.ndarray]) -> frames.Solution:
            few, all_ = (e.observe(y)["eps_g"] for e, y in zip((fewer, full), reversed(solutions), strict=True))
            return solutions[0], {"nodes_error": float(np.abs(few - all_).max())}

        return replace(full, follow=(*full.follow, *fewer.follow), record=record, judge=judge)
    N, D = sizes(model, options.N, options.F)
    dense = options.F is not None or model.features == "gaussian"
    # The features, and their singular vectors on both sides.
    needed = 8.0 * (2.0 * N * D + float(max(N, D)) * min(N, D) if dense else 4.0 * max(N, D))
    fitting_threads(needed, {"N": N, "delta": model.delta}, "the features and their modes", 1)
    features = None if options.F is None else given_features(options.F)
    start = of_instance(model, instance(model, N, D, options.seed, 0, features))
    return replace(motion(model, start), record={**record, "N": N, "seed": options.seed})


def motion(model: HiddenManifold, start: Modes) -> frames.Equations:
    """The equations from a start."""
    b2, kappa2 = model.moments.b**2, model.moments.kappa2

    def latent(Q: np.ndarray, q: np.ndarray) -> dict[str, np.ndarray]:
        W = np.einsum("i,tikl->tkl", start.weight, q)
        return {"W": W, "Sigma": (Q - kappa2 * W) / b2}

    return equations(model, start, 1e-9, 1e-11, latent)


def in_the_limit(model: HiddenManifold, nodes: int = 64) -> Modes:
    """The start for N → ∞, averaged over modes of one eigenvalue."""
    delta, m, A, T = model.delta, model.moments, model.knowledge(), model.teacher_overlaps()
    if model.features == "gaussian":
        y, weight = marchenko_pastur(1 / delta, nodes)
    else:
        y, weight = np.array([max(1.0, 1.0 / delta), 0.0]), np.array([min(1.0, delta), max(1.0 - delta, 0.0)])
    y_ = y[:, None, None]
    return Modes(
        e=m.kappa2 + m.b**2 * y,
        weight=weight,
        t=m.b**2 * y_ / delta * T,
        r=m.b * y_ / np.sqrt(delta) * (A @ T),
        q=y_ * (A @ T @ A.T) + model.initial_covariance(),
        T=T,
    )


def of_instance(model: HiddenManifold, drawn: Instance) -> Modes:
    """The modes of an instance; those of one eigenvalue in one group."""
    m, theta, W = model.moments, drawn.theta, drawn.W
    N, D = drawn.features.shape
    seen = drawn.features.fields(theta)
    if isinstance(drawn.features, Hadamard):
        level, rank = drawn.features.level
        S = drawn.features.project(W)
        inside = S @ S.T * N / (D * level)
        y, weight = np.array([level]), np.array([rank / N])
        # b Fθ/D is in the range of F: all of its products are those of one group.
        r, t = m.b * W @ seen.T * np.sqrt(N / D) / rank, m.b**2 * seen @ seen.T * N / D / rank
        q, r, t = inside[None] / rank, r[None], t[None]
    else:
        U, s, _ = np.linalg.svd(drawn.features.F, full_matrices=False)
        y = s**2 / D
        w, gamma = (W @ U).T, m.b * (seen @ U).T / np.sqrt(D)
        keep = y > NULL * y.max()
        y, w, gamma = y[keep], w[keep], gamma[keep]
        rank, weight = len(y), np.full(len(y), 1 / N)
        q, r = w[:, :, None] * w[:, None, :], np.sqrt(N) * w[:, :, None] * gamma[:, None, :]
        t = N * gamma[:, :, None] * gamma[:, None, :]
        inside = w.T @ w
    if rank < N:
        rest = (W @ W.T - inside) / (N - rank)
        y, weight = np.append(y, 0.0), np.append(weight, (N - rank) / N)
        q, r, t = (np.concatenate([a, b[None]]) for a, b in ((q, rest), (r, 0 * r[0]), (t, 0 * t[0])))
    return Modes(m.kappa2 + m.b**2 * y, weight, t, r, q, theta @ theta.T / D)


def linear_floor(model: HiddenManifold) -> float:
    """eps_g that a linear student with as many units as the teacher keeps for η → 0: ½ v*ᵀTv* (1 − X)."""
    from tsphys.physics.nonlinearities import attainable_information

    v_star = model.readouts()[1]
    return float(0.5 * v_star @ model.teacher_overlaps() @ v_star * (1 - attainable_information(model.f, model.delta)))
