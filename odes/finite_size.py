"""Fluctuations of online learning at large but finite N: the equations of motion with the noise of single examples.

A step of SGD moves the state y = (R, S, v) by u/N, where u depends on one random example. Many small steps make
dy = ⟨u⟩ dt + N^{-1/2} Cov(u)^{1/2} dW, with ⟨u⟩ the motion for N → ∞. Nothing of the weights is left, so that the cost
depends on time but not on N, and sizes far beyond any simulation are in reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.errors import DivergedError, ModelError
from tsphys.ground.parameters import number, parameters
from tsphys.ground.times import times
from tsphys.models.two_layer import TwoLayer
from tsphys.numerics.random import fill_normals, source
from tsphys.odes.equations.motion import Motion, has_closed_equations
from tsphys.odes.equations.one_step import root
from tsphys.physics.committee.motion import kernels, named
from tsphys.physics.committee.motion import motion as _motion
from tsphys.physics.order_parameters import DIMS, DIVERGED, OrderParameters, need, triangular_root
from tsphys.rules import two_layer as rules
from tsphys.rules.binding import rule
from tsphys.rules.starts import checked_start, drawn_start
from tsphys.runs.provenance import provenance
from tsphys.runs.replicas import over_replicas, thread_count
from tsphys.runs.result import Result


@njit
def _walk(y, steps, dt, size, kind, near, T, T_inv, LT, v_star, rates, p, src):
    """Advance y by `steps` steps of length dt (Heun), noise by one example a step, centred and scaled.

    One example with a random sign has the covariance that dW needs; over many steps its sum is normal. False if y left
    every bound.
    """
    n, M = kind.shape[0], T.shape[0]
    K = n - M
    size_y, after = y.shape[0], y.shape[0] - K
    f, g, u, moved = np.empty(size_y), np.empty(size_y), np.empty(size_y), np.empty(size_y)
    S, L, A = np.empty((K, K)), np.zeros((K, K)), np.empty((K, M))
    lam, nu, rest, c, dv = np.empty(K), np.empty(M), np.empty(K), np.empty(K), np.empty(K)
    z, noise = np.empty(n + 2), np.empty(1)
    r = named(rates)
    scale = math.sqrt(dt / (size * r.batch))
    for _ in range(steps):
        _motion(y, f, kind, near, T, T_inv, v_star, rates)
        at = K * M
        for k in range(K):
            for l in range(k + 1):
                S[k, l] = S[l, k] = y[at]
                at += 1
        root(S, L)
        fill_normals(src, z)
        for m in range(M):
            nu[m] = 0.0
            for j in range(m + 1):
                nu[m] += LT[m, j] * z[j]
        for k in range(K):
            rest[k] = 0.0
            for j in range(k + 1):
                rest[k] += L[k, j] * z[M + j]
            lam[k] = rest[k]
            for m in range(M):
                A[k, m] = 0.0
                for j in range(M):
                    A[k, m] += y[k * M + j] * T_inv[j, m]
                lam[k] += A[k, m] * nu[m]
        noise[0] = z[n]
        rule(lam, nu, y[after:], v_star, noise, p, c, dv)
        sign = scale if z[n + 1] > 0.0 else -scale
        at = K * M
        for k in range(K):
            for m in range(M):
                u[k * M + m] = c[k] * nu[m] - r.decay * y[k * M + m]
            for l in range(k + 1):
                u[at] = c[k] * rest[l] + rest[k] * c[l] + c[k] * c[l] / r.batch - 2.0 * r.decay * y[at]
                at += 1
            u[after + k] = dv[k] - r.decay_v * y[after + k]
        for i in range(size_y):
            u[i] = sign * (u[i] - f[i])
            moved[i] = y[i] + dt * f[i] + u[i]
        _motion(moved, g, kind, near, T, T_inv, v_star, rates)
        total = 0.0
        for i in range(size_y):
            y[i] += 0.5 * dt * (f[i] + g[i]) + u[i]
            total += abs(y[i])
        if not total < DIVERGED:
            return False
    return True


def sample(
    model: TwoLayer,
    *,
    N: int,
    t: Any,
    start: OrderParameters | None = None,
    replicas: int = 1,
    seed: int = 0,
    dt: float = 0.05,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Draw trajectories of the order parameters at size N from the diffusion that online SGD becomes for large N.

    Approximate: the mean is off by O(1/N) + O(dt²), the fluctuations by a relative O(1/√N) + O(dt). Where students
    have converged, fluctuations of S are no longer small against S; there, simulate.

    Parameters
    ----------
    model : TwoLayer
        With closed equations of motion, online.
    N : int
        Size, at least K + M; as large as one likes.
    t : sequence of float
        Times, steps/N.
    start : OrderParameters, optional
        Overlaps at t = 0; none: each replica draws the model's own start at size N.
    replicas, seed, threads, progress
        As in `tsphys.simulate`.
    dt : float
        Largest step in time.

    Returns
    -------
    Result
        As a simulation, with ``meta["engine"] = "diffusion"``.

    Raises
    ------
    ModelError
        If an argument is out of range, or the equations of motion are not closed.
    DivergedError
        If a trajectory left every bound.

    References
    ----------
    van Kampen, Stochastic Processes in Physics and Chemistry (1981), for the expansion; Barber, Saad & Sollich, EPL 34,
    151 (1996), for its use here.
    """
    if not isinstance(model, TwoLayer):
        raise ModelError("model", model, "must be a TwoLayer")
    if model.alpha is not None:
        raise ModelError("alpha", model.alpha, "must be none: examples have to be fresh")
    if not has_closed_equations(model):
        raise ModelError("activation", model.activations, "must be a pair with closed equations of motion")
    N, t = need(N, model.K, model.M), times("t", t)
    replicas = number("replicas", replicas, kind=int, low=1)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    dt = number("dt", dt, low=0, open_low=True)
    law = model.learning_rule()
    first = drawn_start(model, N, seed) if start is None else checked_start(law, start)
    motion = Motion(model, np.array(first.T), np.array(first.v_star))
    moves = kernels(*model.activations)[0]
    walk = rebind(_walk, {_motion: moves, rule: rules.rule}, tag="_".join(model.activations))
    LT, rates, p = triangular_root(motion.T), np.array(motion.rates), law.seen_params()
    state = motion.state(first)
    states = np.empty((replicas, len(t), len(state)))

    def work(replica: int, report: Callable[[float], None]) -> np.ndarray:
        own = drawn_start(model, N, seed, replica) if start is None else first
        y, src, now = motion.state(own), source(seed, replica, "diffusion"), 0.0
        rows = np.empty((len(t), len(y)))
        for i, end in enumerate(t):
            steps = max(1, math.ceil((end - now) / dt)) if end > now else 0
            length = (end - now) / max(steps, 1)
            if not walk(y, steps, length, float(N), *motion.arguments[:4], LT, motion.v_star, rates, p, src):
                raise DivergedError(f"replica {replica} diverged before t = {end:.4g}", t=float(end))
            rows[i], now = y, end
            report(end / max(t[-1], 1e-300))
        return rows

    over_replicas(work, range(replicas), threads=thread_count(threads), progress=progress, finished=states.__setitem__)
    seen = motion.observe(states.reshape(-1, len(state)))
    data = {k: x.reshape(replicas, len(t), *x.shape[1:]) for k, x in seen.items()}
    constants = {"T": motion.T, "v_star": motion.v_star}
    return Result(
        kind="simulation",
        model=model.name,
        parameters=parameters(model),
        axis="t",
        data={"t": t, **data, **constants},
        dims=DIMS,
        constants=tuple(constants),
        meta={"engine": "diffusion", "N": N, "seed": seed, "replicas": replicas, "dt": dt, **provenance()},
    )
