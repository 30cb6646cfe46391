"""Continual learning for N → ∞: the closed equations of motion of all overlaps and heads, from block to block.

The state is (R, S, heads) with S = Q − R T⁺ Rᵀ and T the overlaps of all teachers together. While a task is active its
teachers' readouts and its head are those of a two-layer network; those of the other tasks are silent, but the overlaps
with their teachers move on. Replay and interleaving average the motion over tasks. Anchors are fixed vectors: what they
have outside of the teachers' span is a basis of K more silent teachers.

Lee, Goldt & Saxe, ICML 2021 (arXiv:2107.04384), with every sum over teachers' units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, number
from tsphys.models.continual import Continual
from tsphys.odes.equations import exchange, online
from tsphys.odes.equations.expansion import Process
from tsphys.odes.equations.one_step import one_step
from tsphys.odes.equations.overlaps import Overlaps, States
from tsphys.odes.equations.phases import Leg, through_phases
from tsphys.physics.activations import code
from tsphys.physics.committee.motion import Rates, kernels, tolerance_of_S, tolerances
from tsphys.physics.order_parameters import OrderParameters, triangular_root
from tsphys.physics.penalties import least
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, State
from tsphys.runs import frames


@dataclass(frozen=True)
class Motion(States):
    """The equations of motion of a model for given teachers.

    Parameters
    ----------
    model : Continual
    T : ndarray (S·M, S·M)
    v_star : ndarray (S·M,)
        Overlaps and readouts of the teachers, task after task.
    """

    model: Continual
    T: np.ndarray
    v_star: np.ndarray

    @property
    def K(self) -> int:
        """Students."""
        return self.model.K

    def _readout(self, task: int, silent: int) -> np.ndarray:
        """Readouts of the teachers while a task is active, and of `silent` more."""
        out, M = np.zeros(len(self.T) + silent), self.model.M
        out[task * M : (task + 1) * M] = self.v_star[task * M : (task + 1) * M]
        return out

    def _kinds(self, teachers: int) -> tuple[np.ndarray, bool]:
        g = self.model.activation
        return np.full(self.model.K + teachers, code(g)), g in ("erf", "linear")

    def rhs(self, mixture: np.ndarray, silent: int = 0) -> Callable[[float, np.ndarray], np.ndarray]:
        """``rhs(t, z)`` while examples are of each task with the probabilities `mixture` (S,).

        With `silent` = K there are K more orthonormal teachers, orthogonal to the others, in T and R.
        """
        model, M = self.model, len(self.T) + silent
        K, kernel = model.K, kernels(model.activation, model.activation)[0]
        T, T_inv = np.eye(M), np.eye(M)
        T[: len(self.T), : len(self.T)], T_inv[: len(self.T), : len(self.T)] = self.T, self.T_inv
        kind, near = self._kinds(M)
        active = [
            (s, p, self._readout(s, silent), np.array(Rates(model.lr, model.eta_v, sigma**2, model.minibatch)))
            for s, (p, sigma) in enumerate(zip(mixture, model.sigmas, strict=True))
            if p > 0
        ]
        shared = K * M + K * (K + 1) // 2

        def rhs(t: float, z: np.ndarray) -> np.ndarray:
            dz, own, d_own = np.zeros_like(z), np.empty(shared + K), np.empty(shared + K)
            own[:shared] = z[:shared]
            for s, p, readout, rates in active:
                head = slice(shared + s * K, shared + (s + 1) * K)
                own[shared:] = z[head]
                kernel(own, d_own, kind, near, T, T_inv, readout, rates)
                dz[:shared] += p * d_own[:shared]
                dz[head] += p * d_own[shared:]
            return dz

        return rhs

    def tolerances(self, rtol: float, atol: float, silent: int = 0) -> Callable[[np.ndarray], np.ndarray]:
        """`atol` of each component of a state, as a function of it."""
        K, g, teachers = self.model.K, self.model.activation, len(self.T) + silent
        return tolerances(K, K * teachers, self.model.tasks * K, atol, rtol, tolerance_of_S(g, g, K - self.model.M))

    def leg(self, block: int, phase: Phase, y: np.ndarray, rtol: float, atol: float) -> Leg:
        """The motion from y on during a block."""
        K, M = self.model.K, len(self.T)
        R, S, v = self.split(y)
        y = np.concatenate([y[: len(y) - len(v)], v if phase.v is None else phase.v])
        pull, mixture = phase.rates(self.model.learning_rule()), self.model.mixture(block)
        readouts = [self._readout(task, 0) for task in range(self.model.tasks)]
        if pull is None:
            rates = self.rhs(mixture)
            kept = exchange.keeping_overlaps(self, readouts, rates, y)
            return Leg(kept.rates, kept.start, self.tolerances(rtol, atol), kept.over, rates)
        # Of students that are alike the symmetric root has rows that are.
        along, axes = np.linalg.eigh(S)
        root = axes * np.sqrt(np.maximum(along, 0.0)) @ axes.T
        row, column = np.tril_indices(K)
        wide = Overlaps(np.eye(M + K), K)
        free, drawn, size = self.rhs(mixture, K), np.repeat(pull, M + K), K * (M + K)

        def rhs(t: float, z: np.ndarray) -> np.ndarray:
            dz = free(t, z)
            dz[:size] -= drawn * (z[:size] - kept.start[:size])
            dz[size : size + len(row)] -= (pull[row] + pull[column]) * z[size : size + len(row)]
            return dz

        def back(z: np.ndarray) -> np.ndarray:
            R, S, v = wide.split(z)
            S = S + R[..., M:] @ R[..., M:].swapaxes(-1, -2)
            return np.concatenate([R[..., :M].reshape(len(z), K * M), S[..., row, column], v], axis=-1)

        z = np.concatenate([np.hstack([R, root]).ravel(), np.zeros(len(row)), y[len(y) - len(v) :]])
        whole, *more = exchange.overlaps(K, M + K, len(v))
        parts = exchange.Part("km", whole.at[:, :M]), exchange.Part("kl", whole.at[:, M:]), *more
        kept = exchange.kept(rhs, z, parts, exchange.alike_overlaps(self, readouts, y, [("k", pull)]))
        return Leg(kept.rates, kept.start, self.tolerances(rtol, atol, K), lambda z: back(kept.over(z)), rhs)

    def observe(self, states: np.ndarray) -> dict[str, np.ndarray]:
        """``eps_g`` (n, S), ``R``, ``Q``, ``v`` (n, S·K) of states (n, …)."""
        n, K, M = len(states), self.model.K, len(self.T)
        R, _, v = self.split(states)
        shared = states[:, : states.shape[1] - v.shape[1]]
        eps_g, Q = np.empty((n, self.model.tasks)), np.empty((n, K, K))
        kernel, (kind, near) = kernels(self.model.activation, self.model.activation)[1], self._kinds(M)
        for s in range(self.model.tasks):
            own, error = np.hstack([shared, v[:, s * K : (s + 1) * K]]), np.empty(n)
            kernel(own, kind, near, self.T, self.T_inv, self._readout(s, 0), error, Q)
            # The sum of squares may round to less than nothing.
            eps_g[:, s] = np.maximum(error, 0.0)
        return {"eps_g": eps_g, "R": R, "Q": Q, "v": v.copy()}


@frames.solved(Continual)
def solve(model: Continual, start: OrderParameters) -> frames.Equations:
    """Solve the equations of motion for N → ∞ through all blocks, and observe the order parameters at the times t.

    The integration stops at every switch, at a threshold where the error crosses it. Starts have the overlaps with all
    teachers, and the heads as v (S·K,). The tolerances are as for two-layer networks, see
    `tsphys.odes.two_layer.solve`; by default 1e-12 and 1e-13, for relu, quad and he2 1e-11 and 1e-12.

    Returns
    -------
    dict
        ``eps_g`` (len(t), S), ``R`` (len(t), K, S·M), ``Q`` (…, K, K), ``v`` (…, S, K), and constant ``T``, ``v_star``.
        ``meta["phases"]`` has t, R, Q and v at the beginning of each block.
    """
    motion = Motion(model, np.array(start.T), np.array(start.v_star))
    fine = model.activation in ("erf", "linear")

    def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> frames.Solution:
        block = -1

        def schedule(i: int, state: State) -> Phase:
            nonlocal block
            block = i
            return model.phase(i, state)

        y0, at = motion.state(start), motion.at(start.v_star)
        return through_phases(
            schedule, lambda phase, y: motion.leg(block, phase, y, rtol, atol), at, y0, t, rtol=rtol, method=method
        )

    return frames.Equations((follow,), motion.observe, *((1e-12, 1e-13) if fine else (1e-11, 1e-12)))


def score(model: Continual, start: OrderParameters, t: float, strengths: Any) -> np.ndarray:
    """Mean error of all tasks at a time (n,), for each of the strengths ξ (n,) of the pull, to 1e-7 or so."""
    models = [replace(model, strength=xi) for xi in array("strengths", strengths, (None,), "of the pull").tolist()]
    return np.array([solve(m, start=start, t=[t], rtol=1e-8, atol=1e-9)["eps_g"][0].mean() for m in models])


def tuned(
    model: Continual, start: OrderParameters, t: float, low: float = 0.02, high: float = 20.0, points: int = 15
) -> tuple[float, float]:
    """The strength ξ in [low, high] with the least `score` at a time, to 0.2 %, and that score.

    With it another pair of tasks has the regret ``score(other, …, [xi])[0] / tuned(other, …)[1]``. There may be several
    minima: it is the best of a grid of so many points that is made better.

    Raises
    ------
    ModelError
        If nothing pulls, or the best strength is at an end.
    """
    if model.regulariser == "none":
        raise ModelError("regulariser", "none", "must be another, whose strength is sought")
    return least(lambda xi: score(model, start, t, xi), low, high, points, tol=2e-3)


def error_rates(model: Continual, state: OrderParameters, block: int = 1) -> np.ndarray:
    """d eps_g/dt (S,) of every task at the beginning of a block that starts from `state`, heads as v (S·K,).

    The initial slopes of forgetting and, with a minus sign, of transfer. The derivative of the error along the motion
    is taken by central differences, to 1e-9 of the largest rate or so. Blocks are counted from 0.
    """
    block = number("block", block, kind=int, low=0)
    motion = Motion(model, np.array(state.T), np.array(state.v_star))
    y = motion.state(state)
    now = motion.at(motion.v_star)(0.0, y)
    leg = motion.leg(block, model.phase(block, now), y, 1e-12, 1e-13)
    dz, h = leg.rhs(0.0, leg.start), 1e-5
    eps_g = motion.observe(leg.back(leg.start + h * np.outer([2, 1, -1, -2], dz)))["eps_g"]
    return (8 * (eps_g[1] - eps_g[2]) - (eps_g[0] - eps_g[3])) / (12 * h)


def chain(model: Continual, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know.

    Raises
    ------
    ModelError
        If tasks take turns, or blocks end at a threshold.
    """
    if model.mixing == "alternate":
        raise ModelError("fluctuations", True, "must be false where tasks take turns: steps depend on each other")
    motion = Motion(model, np.array(start.T), np.array(start.v_star))
    rule = online.expandable(model.learning_rule())
    own = [
        replace(rule, params=model.parameters_of(mixture), n_noise=1, smooth=model.activation != "relu", schedule=None)
        for mixture in np.eye(model.tasks)
    ]

    def stage(i: int, t: float, y: np.ndarray) -> online.Stage:
        phase = online.fixed_phase(model.phase, motion, start, i, t, y, pull=True)
        shares = list(zip(model.mixture(i).tolist(), own))
        begun = online.beginning(model.phase, motion, start, i, t)
        if phase.rates(rule) is not None:
            return _anchored(motion, shares, i, t, phase.end(t), begun)
        free = motion.rhs(model.mixture(i))
        process = online.process_of(shares, motion, motion.v_star, lambda y: free(0.0, y))
        return online.Stage(process, end=phase.end(t), enter=begun)

    return online.Chain(motion.state(start), stage, motion.observe, lambda y: motion.units(y, rough=False))


def _anchored(
    motion: Motion, shares: list[tuple[float, LearningRule]], block: int, t: float, end: float, begun: online.Drift
) -> online.Stage:
    """A block with anchors, in variables z: the state with K more teachers, the anchors' own overlaps, and the rates.

    The last two stay as they were at the beginning, which differs from run to run.
    """
    model, M, K = motion.model, len(motion.T), motion.model.K
    T = np.eye(M + K)
    T[:M, :M] = motion.T
    overlaps, free = Overlaps(T, K), motion.rhs(model.mixture(block), K)
    size, (row, column) = K * (M + K), np.tril_indices(K)
    n = size + len(row) + model.tasks * K
    moments = one_step(shares, online.nodes_of(shares[0][1], K), T, motion.v_star)

    def drift(z: np.ndarray) -> np.ndarray:
        pull, out = z[-K:], np.zeros(len(z))
        out[:n] = free(0.0, z[:n].copy())
        out[:size] -= np.repeat(pull, M + K) * (z[:size] - z[n:-K])
        out[size : size + len(row)] -= (pull[row] + pull[column]) * z[size : size + len(row)]
        return out

    def noise(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        _, D, first, doubt = moments(z[:n], z[-K:])
        more = len(z) - n
        return np.pad(D, (0, more)), np.pad(first, (0, more)), np.pad(doubt, (0, more))

    def units(z: np.ndarray) -> np.ndarray:
        R, S, v = overlaps.split(z[:n])
        # S begins at zero, where nothing changes faster than elsewhere.
        at_least = S + np.diag(0.1 * np.diag(overlaps.Q(R, S)))
        own = overlaps.units(overlaps.join(R, at_least, v), rough=False)
        return np.concatenate([own, own[:size], np.maximum(z[-K:], 1e-3)])

    def enter(y: np.ndarray) -> np.ndarray:
        R, S, v = motion.split(begun(y))
        phase = model.phase(block, motion.at(motion.v_star)(t, y))
        anchors = np.hstack([R, triangular_root(S)])
        rates = phase.rates(model.learning_rule())
        pull = np.zeros(K) if rates is None else rates
        return np.concatenate([overlaps.join(anchors, 0 * S, v), anchors.ravel(), pull])

    def back(z: np.ndarray) -> np.ndarray:
        R, S, v = overlaps.split(z[:n])
        return motion.join(R[:, :M], S + R[:, M:] @ R[:, M:].T, v)

    return online.Stage(Process(drift, noise, units), end=end, enter=enter, back=back)
