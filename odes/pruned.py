"""Sparse students for N → ∞: closed equations in the classes of coordinates that the same units have.

Class g is a fraction f_g of the coordinates, m_kg ∈ {0, 1} tells whether unit k has them. What the fields are made of
in it, R^g and Q^g, obey with the power T^g of the teachers in it, f_g T under masks that know nothing of them, and the
Γ, Λ, E of `tsphys.odes.equations.modes` at the sums over all classes::

    dR^g_kn/dt = m_kg [Γ R^g + Λ T^g]_kn
    dQ^g_kl/dt = m_kg m_lg ([Γ Q^g + Λ R^gᵀ]_kl + [Γ Q^g + Λ R^gᵀ]_lk + f_g E_kl)

A class is thus a mode of white inputs, e = 1, in which some units do not move. For students with all coordinates they
are those of Saad & Solla, PRE 52, 4225 (1995); the equations in classes are our own.

Under masks by size the classes are made of the law of a coordinate: while all weights learn it is linear and Gaussian,
dw = (Γ w + Λ b) dt + E^½ dB, so that from τ_r to τ_e w → P w + H b + ξ with dP/dt = Γ P, dH/dt = Γ H + Λ, and the
covariance Ξ of ξ, dΞ/dt = Γ Ξ + Ξ Γᵀ + E. They are integrated as modes that have no weight.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number
from tsphys.models.pruned import BLIND, Pruned
from tsphys.odes.equations import exchange
from tsphys.odes.equations.modes import LARGE, Modes, equations, parts, right_hand_side, split, sums
from tsphys.odes.equations.phases import Leg, through_phases
from tsphys.physics.committee import tickets
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.phases import Phase, State
from tsphys.runs import frames

#: Most classes: 2^K for independent masks.
MOST_CLASSES = 2**12
#: Most units whose weights are compared, for masks by size.
MOST_COMPARED = 4
#: Classes of a smaller fraction of the coordinates are not followed.
NO_CLASS = 1e-14
#: Examples in a step whose noise is below rounding.
NOISELESS = 10**17


class Dense(NamedTuple):
    """A student with all its weights: now, when it was kept, and how the one came of the other."""

    R: np.ndarray
    Q: np.ndarray
    v: np.ndarray
    kept_R: np.ndarray
    kept_Q: np.ndarray
    kept_v: np.ndarray
    P: np.ndarray
    H: np.ndarray
    Xi: np.ndarray

    def flat(self) -> np.ndarray:
        """All of them in a row."""
        return np.concatenate([a.ravel() for a in self])

    def of(self, y: np.ndarray) -> Dense:
        """Those that are in a row, with the shapes of these."""
        parts = np.split(y, np.cumsum([a.size for a in self])[:-1])
        return Dense(*(part.reshape(a.shape) for part, a in zip(parts, self, strict=True)))

    def kept(self) -> Dense:
        """It is kept now."""
        K, M = self.R.shape
        return Dense(*self[:3], *self[:3], np.eye(K), np.zeros((K, M)), np.zeros((K, K)))

    def alike(self, model: Pruned, T: np.ndarray) -> exchange.Classes:
        """Units of which any two may be exchanged."""
        axes = ("km", "kl", "k", "km", "kl", "k", "kl", "km", "kl")
        given = ("mn", T), ("m", model.readouts()[1]), ("k", model.unit_densities())
        named = [*zip(axes, self, strict=True), *given]
        return exchange.alike([(axes, a, 0.0) for axes, a in named], *self.R.shape)

    def parts(self) -> tuple[exchange.Part, ...]:
        """What stands in the state of `modes`; what P has for more units than there are stays as it is."""
        K, M = self.R.shape
        n = 3 + -(-K // M)
        r, q, v = exchange.in_a_row(("ikm", (n, K, M)), ("ikl", (n, K, K)), ("k", (K,)))
        P = r.at[3:].swapaxes(0, 1).reshape(K, (n - 3) * M)[:, :K]
        return exchange.Part("ikm", r.at[:3]), exchange.Part("kl", P), exchange.Part("ikl", q.at[:3]), v

    def modes(self, T: np.ndarray) -> Modes:
        """A mode of all coordinates, and without weight those of H, of Ξ and, M columns each, of P."""
        K, M = self.R.shape
        columns = -(-K // M)
        P = np.pad(self.P, [(0, 0), (0, columns * M - K)]).reshape(K, columns, M).swapaxes(0, 1)
        n = 3 + columns
        t, r, q = np.zeros((n, M, M)), np.zeros((n, K, M)), np.zeros((n, K, K))
        t[0], t[1], r[0], r[1], r[3:], q[0], q[2] = T, np.eye(M), self.R, self.H, P, self.Q, self.Xi
        return Modes(e=np.ones(n), weight=np.eye(n)[0], t=t, r=r, q=q, T=T)


def in_classes(model: Pruned, start: OrderParameters) -> Modes:
    """The classes of a student that had these overlaps before it was pruned by masks that are drawn."""
    weight, seen = model.classes()
    n = len(weight)
    return Modes(
        e=np.ones(n),
        weight=weight,
        t=np.broadcast_to(start.T, (n, *start.T.shape)),
        r=seen[:, :, None] * start.R,
        q=seen[:, :, None] * seen[:, None, :] * start.Q,
        T=np.array(start.T),
        seen=seen,
    )


def by_size(model: Pruned, dense: Dense, T: np.ndarray) -> tuple[Modes, dict[str, Any]]:
    """The classes that the largest weights make, and what the Result tells of them."""
    K, M, rho = model.K, model.M, model.teacher_density
    seen = tickets.classes(K)
    A = dense.kept_R @ np.linalg.pinv(T)
    S, P, H = dense.kept_Q - A @ T @ A.T, dense.P, dense.H
    # Teachers that have this coordinate, and those that have not.
    some = list(product((1.0, 0.0), repeat=M)) if rho < 1 else [(1.0,) * M]
    chances = np.array([rho ** sum(c) * (1 - rho) ** (M - sum(c)) for c in some])
    powers = [T if rho == 1 else T * np.array(c)[:, None] / rho for c in some]
    own = [(A @ power, A @ power @ A.T + S) for power in powers]
    cross = [P @ R @ H.T for R, _ in own]
    W = tickets.without_ties(np.array([
        P @ Q @ P.T + mixed + mixed.T + H @ power @ H.T + dense.Xi
        for (_, Q), mixed, power in zip(own, cross, powers, strict=True)
    ]))  # fmt: skip
    variances = np.array([np.diag(w) for w in W])
    if model.masks == "global":
        shared = tickets.threshold(variances.ravel(), np.repeat(chances, K) / K, model.density)
        theta = np.full(K, shared)
    else:
        rho_k = model.unit_densities()
        theta = np.array([tickets.threshold(variances[:, k], chances, rho_k[k]) for k in range(K)])
    f, t, r, q = np.zeros(2**K), np.zeros((2**K, M, M)), np.zeros((2**K, K, M)), np.zeros((2**K, K, K))
    for chance, w, power, (R, Q) in zip(chances, W, powers, own, strict=True):
        share, moments = tickets.kept_moments(w, theta)
        inverse = np.linalg.pinv(w, hermitian=True)
        B, D = (P @ R + H @ power).T @ inverse, (P @ Q + H @ R.T).T @ inverse
        rest = share[:, None, None]
        f += chance * share
        t += chance * (B @ moments @ B.T + (power - B @ w @ B.T) * rest)
        r += chance * (D @ moments @ B.T + (R - D @ w @ B.T) * rest)
        q += chance * (D @ moments @ D.T + (Q - D @ w @ D.T) * rest)
    there = f > NO_CLASS
    f, seen = f[there], seen[there]
    t, r, q = (a[there] / f[:, None, None] for a in (t, r, q))
    modes = Modes(
        e=np.ones(len(f)), weight=f, t=t, r=seen[:, :, None] * r, q=seen[:, :, None] * seen[:, None, :] * q, T=T,
        seen=seen,
    )  # fmt: skip
    power = np.einsum("i,ik,imm->km", f, seen, t)
    return modes, {"threshold": theta.tolist(), "kept_power": power.tolist()}


def check_classes(model: Pruned) -> None:
    """Raise a ModelError if there are more classes than can be followed."""
    if model.masks == "independent" and (model.unit_densities() < 1).sum() > np.log2(MOST_CLASSES):
        words = f"must leave at most {MOST_CLASSES} classes of coordinates, 2^K for sparse units"
        raise ModelError("K", model.K, words)
    if model.masks not in BLIND and model.K > MOST_COMPARED:
        raise ModelError("K", model.K, f"must be at most {MOST_COMPARED} where the theory compares weights by size")


@frames.solved(Pruned)
def solve(model: Pruned, start: OrderParameters) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t = steps/N.

    Starts have the overlaps before pruning, spread evenly over all coordinates. What masks that are drawn make of them
    differs from the mean by O(1/√N), which is left out here. What is seen at τ_e is the student before it is pruned.
    The tolerances are 1e-10 and 1e-12 by default.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R`` (len(t), K, M), ``Q`` (…, K, K), ``v`` (…, K) of the student, and constant ``T``,
        ``v_star``. ``meta["classes"]``: fractions and who has them; of masks by size also ``threshold``, θ_k, and
        ``kept_power``, what units (K,) keep of the teachers (M,). ``meta["phases"]`` has t, R, Q and v at the beginning
        and just after pruning, if that is later.

    Raises
    ------
    ModelError
        If an argument is out of range, there are more than 4096 classes, or more than 4 units with masks by size.
    """
    check_classes(model)
    own = replace(model, v=tuple(start.v), v_star=tuple(start.v_star))
    if model.pruned_at_once:
        modes = in_classes(model, start)
        return replace(equations(own, modes, 1e-10, 1e-12), record={"classes": _told(modes)})
    T, v_star, K = np.array(start.T), np.array(start.v_star), model.K
    now = np.array(start.R), np.array(start.Q), np.array(start.v)
    first = Dense(*now, *now, np.eye(K), np.zeros(now[0].shape), np.zeros((K, K)))
    told: dict[str, Any] = {}

    def state(time: float, y: np.ndarray) -> State:
        R, Q, v = first.of(y)[:3]
        return State(time, R, Q, T, v, v_star)

    def leg(phase: Phase, y: np.ndarray, atol: float) -> Leg:
        dense, masked = first.of(y), phase.masks is not None
        if masked:
            dense = dense if model.rewound < model.prune_at else dense.kept()
            begun = OrderParameters(R=dense.kept_R, Q=dense.kept_Q, T=T)
            modes, more = (in_classes(model, begun), {}) if model.masks in BLIND else by_size(model, dense, T)
            told.update(_told(modes), **more)
            rest = y[sum(a.size for a in now) :]
            v = dense.kept_v
        else:
            dense = dense.kept() if phase.keep else dense
            modes, rest, v = dense.modes(T), None, dense.v

        # What is made of weights that are compared is alike to their rounding only.
        same = dense.alike(own, T)

        def back(z: np.ndarray) -> np.ndarray:
            if rest is not None:
                return _rows(*sums(modes, z), np.broadcast_to(rest, (len(z), len(rest))))
            r, q, _ = split(modes, z)
            P = r[:, 3:].swapaxes(1, 2).reshape(len(z), K, modes.r[3:, 0].size)[:, :, :K]
            kept = (np.broadcast_to(a, (len(z), *a.shape)) for a in dense[3:6])
            return _rows(*sums(modes, z), *kept, P, r[:, 1], q[:, 2])

        z = np.concatenate([modes.r.ravel(), modes.q.ravel(), v])
        rates, layout = right_hand_side(own, modes), parts(*modes.r.shape) if masked else dense.parts()
        alike = exchange.kept(rates, z, layout, same, modes.seen)
        return Leg(alike.rates, alike.start, atol, lambda z: back(alike.over(z)))

    def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> frames.Solution:
        size = 2**K * K * (K + model.M) if model.masks != "common" else 0
        states, info = through_phases(
            lambda i, seen: replace(model.phase(i, seen), rewind=False), lambda phase, y: leg(phase, y, atol), state,
            first.flat(), t, rtol=rtol, method="DOP853" if method == "auto" and size > LARGE else method,
        )  # fmt: skip
        return states, {**info, "classes": told}

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q, v = (np.array(a) for a in zip(*(first.of(row)[:3] for row in y), strict=True))
        return {"eps_g": np.maximum(model.eps_g(R, Q, T, v, v_star), 0.0), "R": R, "Q": Q, "v": v}

    return frames.Equations((follow,), observe, 1e-10, 1e-12)


def _rows(*arrays: np.ndarray) -> np.ndarray:
    """Arrays (p, …) side by side (p, n)."""
    return np.hstack([a.reshape(len(a), math.prod(a.shape[1:])) for a in arrays])


def _told(modes: Modes) -> dict[str, Any]:
    return {"fraction": modes.weight.tolist(), "seen": np.asarray(modes.seen).tolist()}


def attainable_error(model: Pruned, start: OrderParameters, until: float = 1e4, rtol: float = 1e-6) -> float:
    """eps_g at the end of gradient flow, the limit η → 0 of SGD at fixed ηt and η_v/η: what the masks leave.

    Parameters
    ----------
    model : Pruned
    start : OrderParameters
        Overlaps before pruning. The flow ends in the minimum that it leads to.
    until : float
        Latest ηt.
    rtol : float
        The error must change by less than this, relative to its first value, over the second half of the flow.

    Raises
    ------
    ModelError
        If an argument is out of range.
    ConvergenceError
        If it changes by more.
    """
    rtol, until = (number(name, value, low=0, open_low=True) for name, value in (("rtol", rtol), ("until", until)))
    flow = replace(model, lr=1.0, lr_v=model.lr_v / model.lr, minibatch=NOISELESS)
    # What is left of the first tolerance decays with the flow itself.
    error = solve(flow, start=start, t=[0.0, until / 2, until], rtol=1e-8, atol=1e-9)["eps_g"]
    if abs(error[2] - error[1]) > rtol * error[0]:
        raise ConvergenceError(f"gradient flow still moves at ηt = {until:g}", residual=abs(error[2] - error[1]))
    return float(error[2])
