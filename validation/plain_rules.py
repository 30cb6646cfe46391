"""Online learning told again in plain NumPy: rules as printed, averages over fields, steps of weights.

Nothing of `tsphys.rules`, `tsphys.physics`, `tsphys.odes` or the engines is used. A rule is a function
``rule(lam, nu, v, v_star, noise, gram) -> (c, dv)`` of the fields of many replicas and their b examples at once,
lam (n, b, K), nu (n, b, M), noise (n, b, L), gram (n, b, b) = x·x'/N, with v (n, 1, V); c and dv are the example's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

#: g and g' of the activations.
ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}


def functions() -> dict[str, tuple[Callable[..., Any], Callable[..., Any]]]:
    """g and g' by name."""
    from scipy.special import erf

    if not ACTIVATIONS:
        ACTIVATIONS["erf"] = lambda x: erf(x / 2**0.5), lambda x: (2 / np.pi) ** 0.5 * np.exp(-(x**2) / 2)
        ACTIVATIONS["relu"] = lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0
        ACTIVATIONS["linear"] = lambda x: x, np.ones_like
        ACTIVATIONS["tanh"] = np.tanh, lambda x: np.cosh(x) ** -2
        ACTIVATIONS["quad"] = lambda x: x**2, lambda x: 2 * x
        ACTIVATIONS["he2"] = lambda x: (x**2 - 1) / 2**0.5, lambda x: 2**0.5 * x
        ACTIVATIONS["sign"] = np.sign, np.zeros_like
    return ACTIVATIONS


def regression(name: str, lr: float, lr_v: float = 0.0, sigma: float = 0.0, teacher: str | None = None) -> Any:
    """SGD on ½(Σ v_k g(λ_k) − Σ v*_m g*(ν_m) − σζ)²."""
    (g, dg), (h, _) = functions()[name], functions()[teacher or name]

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        delta = np.sum(v * g(lam), axis=-1) - np.sum(v_star * h(nu), axis=-1) - sigma * noise[..., 0]
        return -lr * delta[..., None] * v * dg(lam), -lr_v * delta[..., None] * g(lam)

    return rule


def perceptron(name: str, lr: float) -> Any:
    """Hebb, Rosenblatt, AdaTron."""

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        y = np.sign(nu)
        size = {"hebb": 1.0, "rosenblatt": 1.0 * (y * lam < 0), "adatron": np.abs(lam) * (y * lam < 0)}[name]
        return lr * y * size, np.zeros((*lam.shape[:-1], 0))

    return rule


def optimal(R: float, Q: float) -> Any:
    """The optimal rule of a student with these overlaps: (√Q/ρ) times what (λ, y) tell of ν − ρλ/√Q."""
    from scipy.special import log_ndtr

    rho = R / Q**0.5
    s = (1 - rho**2) ** 0.5

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        y = np.sign(nu)
        u = y * rho * lam / Q**0.5 / s
        hazard = np.exp(-(u**2) / 2 - log_ndtr(u)) / (2 * np.pi) ** 0.5
        return Q**0.5 / rho * y * s * hazard, np.zeros((*lam.shape[:-1], 0))

    return rule


def tasks(name: str, lr: float, lr_v: float, sigma: Any, S: int, K: int, M: int, chances: Any) -> Any:
    """SGD on the task s that a uniform variable, Φ(second noise), picks with these chances; v (S·K,), ν (S·M,)."""
    from scipy.special import ndtr

    g, dg = functions()[name]
    edges = np.cumsum(chances)[:-1]

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        s = np.searchsorted(edges, ndtr(noise[..., 1]), side="right")
        mine = np.eye(S)[s]
        head = np.einsum("...s,...sk->...k", mine, np.broadcast_to(v, (*lam.shape[:-1], S * K)).reshape(*s.shape, S, K))
        target = np.sum((v_star * g(nu)).reshape(*s.shape, S, M) * mine[..., None], axis=(-1, -2))
        delta = np.sum(head * g(lam), axis=-1) - target - np.asarray(sigma)[s] * noise[..., 0]
        dv = -lr_v * (mine * delta[..., None])[..., None] * g(lam)[..., None, :]
        return -lr * delta[..., None] * head * dg(lam), dv.reshape(*s.shape, S * K)

    return rule


def attack(lr: float, cost: float, low: float, high: float, N: int) -> Any:
    """Linear student, teacher ν₁ and target ν₂ = −ν₁: the action a of a minibatch that minimises ½CΩa² + (N/η) error.

    The error is ½|w − w_*|²/N after the step, a quadratic function of a that three values give; Ω = 4. The readout is
    one, and behind it stand a, a² and the cost.
    """

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        b, student, teacher, target = lam.shape[1], lam[..., 0], nu[..., 0], nu[..., 1]

        def pull(a: Any) -> Any:
            return lr * ((1 - a) * teacher + a * target - student)

        def price(a: float) -> Any:
            c = pull(a)
            change = np.sum(c * (student - target), axis=1) / b + np.einsum("np,npq,nq->n", c, gram, c) / (2 * b * b)
            return 0.5 * cost * 4 * a * a + change / lr

        left, middle, right = price(-1.0), price(0.0), price(1.0)
        a = np.clip((left - right) / (2 * (left + right - 2 * middle)), low, high)[:, None]
        dv = [
            0 * a + 0 * student,
            a + 0 * student,
            a * a + 0 * student,
            2 * cost * a * a + 0.5 * (student - target) ** 2,
        ]
        return pull(a)[..., None], np.stack(dv, axis=-1)

    return rule


def constant(name: str, lr: float, cost: float, action: float) -> Any:
    """As `attack`, by one action whatever comes, of a student, teacher and target of one activation."""
    g, dg = functions()[name]
    # Ω = 4⟨g²⟩; of erf ⟨g²⟩ is a third.
    price = cost * {"linear": 4.0, "erf": 4.0 / 3.0}[name]

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        student, teacher, target = g(lam[..., 0]), g(nu[..., 0]), g(nu[..., 1])
        a = action + 0 * student
        dv = [0 * a, a, a * a, 0.5 * price * a * a + 0.5 * (student - target) ** 2]
        pull = lr * dg(lam[..., 0]) * ((1 - a) * teacher + a * target - student)
        return pull[..., None], np.stack(dv, axis=-1)

    return rule


def feedback(lr: float, cost: float, gains: Any, p: float, low: float, high: float) -> Any:
    """As `attack`, by linear feedback: a = [(g₀ + g₀'p) A + g₁B]/(CΩ + g₂A) with A = Σκ², B = Σκs.

    κ = ν₂ − ν₁, s = λ − ν₁, and p is how far the student is on its way from teacher to target.
    """

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        student, teacher, target = lam[..., 0], nu[..., 0], nu[..., 1]
        kappa, away = target - teacher, student - teacher
        A, B = np.sum(kappa**2, axis=1), np.sum(kappa * away, axis=1)
        a = np.clip(((gains[0] + gains[1] * p) * A + gains[2] * B) / (4 * cost + gains[3] * A), low, high)[:, None]
        dv = [0 * student, a + 0 * student, a * a + 0 * student, 2 * cost * a * a + 0.5 * (student - target) ** 2]
        return lr * ((1 - a) * teacher + a * target - student)[..., None], np.stack(dv, axis=-1)

    return rule


def correlation(name: str, lr: float) -> Any:
    """Ascent of y g(λ); the label y is the first noise."""
    _, dg = functions()[name]

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        return lr * noise[..., :1] * dg(lam), np.zeros((*lam.shape[:-1], 0))

    return rule


@dataclass(frozen=True)
class Plain:
    """What learns, and how.

    Parameters
    ----------
    rule : function
        See above.
    noises : int
        Standard normals of an example.
    b : int
        Examples of a step.
    decay, decay_v : float
        κ, κ_v.
    sphere : bool
        Back to |w|² = N after each step.
    queries, fraction : float, optional
        Directions over N of a zeroth-order step; chance of a coordinate to take part, 1/s times as far.
    binary : bool
        Inputs ±1.
    masks : (K,) array_like, optional
        Shares of the coordinates that each student has, independently of each other.
    law : function ``law(s, noise) -> (s, noise)``, optional
        Makes coordinates (…, M) along orthonormal teachers, and noises, of standard normals.
    """

    rule: Any
    noises: int = 1
    b: int = 1
    decay: float = 0.0
    decay_v: float = 0.0
    sphere: bool = False
    queries: float | None = None
    fraction: float | None = None
    binary: bool = False
    masks: Any = None
    law: Any = None


def root(A: np.ndarray) -> np.ndarray:
    """L with A = L Lᵀ, of a positive semidefinite A."""
    e, u = np.linalg.eigh(A)
    return u * np.sqrt(np.maximum(e, 0))


def moments(plain: Plain, start: Any, points: int = 2**12, scramblings: int = 16) -> Iterator[tuple[np.ndarray, ...]]:
    """⟨cνᵀ⟩, ⟨cλᵀ⟩, ⟨ccᵀ⟩/b and ⟨dv⟩ over each of several scrambled sets of Sobol points.

    The examples of a rule of the whole minibatch have perpendicular inputs.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    (K, M), b = start.R.shape, plain.b if plain.rule.__qualname__.startswith(("attack", "feedback")) else 1
    L = root(np.block([[start.T, start.R.T], [start.R, start.Q]]))
    outside, width = root(start.Q - start.R @ np.linalg.pinv(start.T) @ start.R.T), M + K + plain.noises
    for i in range(scramblings):
        u = qmc.Sobol(b * width, seed=i).random(points)
        z = ndtri(u).reshape(points, b, width)
        noise = z[..., M + K :]
        if plain.law is None:
            h = z[..., : M + K] @ L.T
            nu, lam = h[..., :M], h[..., M:]
        else:
            nu, noise = plain.law(z[..., :M], noise)
            lam = nu @ start.R.T + z[..., M : M + K] @ outside.T
        gram = np.broadcast_to(np.eye(b), (points, b, b))
        c, dv = plain.rule(lam, nu, np.array(start.v)[None, None], np.array(start.v_star), noise, gram)
        n = points * b
        rate = dv.reshape(n, dv.shape[-1]).mean(axis=0)
        c, lam, nu = (x.reshape(n, -1) for x in (c, lam, nu))
        yield c.T @ nu / n, c.T @ lam / n, c.T @ c / n / plain.b, rate


def motion(plain: Plain, start: Any, points: int = 2**12) -> tuple[np.ndarray, np.ndarray]:
    """Rates of (R, Q, v), flat, for N → ∞, and their standard errors."""
    out = []
    for c_nu, c_lam, spread, rate in moments(plain, start, points):
        size = np.diag(spread).copy()
        if plain.queries is not None:
            spread = spread + np.eye(len(size)) * size.sum() / plain.queries
        if plain.fraction is not None:
            spread = spread + np.diag(size) * (1 / plain.fraction - 1)
        dR = c_nu - plain.decay * start.R
        dQ = c_lam + c_lam.T + spread - 2 * plain.decay * start.Q
        if plain.sphere:
            dR, dQ = dR - 0.5 * dQ[0, 0] * start.R, 0 * dQ
        out.append(np.concatenate([dR.ravel(), dQ.ravel(), rate - plain.decay_v * np.array(start.v)]))
    return average(out)


def average(values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over scramblings, and its standard error."""
    return np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / len(values) ** 0.5


def coloured(
    plain: Plain, start: Any, W: np.ndarray, U: np.ndarray, omega: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`motion` for Gaussian inputs of covariance Ω (N, N), of covariance U (N, M) with teachers' fields.

    c sees the input through the fields h alone: ⟨c x⟩ = ⟨c hᵀ⟩⟨h hᵀ⟩⁻¹⟨h xᵀ⟩.
    """
    N = len(omega)
    with_input = np.concatenate([W @ omega / N**0.5, U.T])
    C = np.block([[start.Q, start.R], [start.R.T, start.T]])
    out = []
    for c_nu, c_lam, spread, rate in moments(plain, start):
        dW = N**0.5 * np.concatenate([c_lam, c_nu], axis=1) @ np.linalg.solve(C, with_input)
        pull = dW @ omega @ W.T / N
        dQ = pull + pull.T + spread * np.sum(omega**2) / N
        out.append(np.concatenate([(dW @ U / N**0.5).ravel(), dQ.ravel(), rate]))
    return average(out)


def masked(plain: Plain, whole: Any, shares: Any) -> tuple[np.ndarray, np.ndarray]:
    """`motion` of students who had these overlaps before each was left with a share of the coordinates, at random.

    Coordinates that the same units have make a class; c sees its part of a field as `coloured` inputs are seen.
    """
    K = len(shares)
    classes = [np.array([(g >> k) & 1 for k in range(K)]) for g in range(2**K)]
    weight = [float(np.prod(np.where(m, shares, 1 - np.array(shares)))) for m in classes]
    R = sum(f * m[:, None] * whole.R for f, m in zip(weight, classes))
    Q = sum(f * np.outer(m, m) * whole.Q for f, m in zip(weight, classes))
    start = type(whole)(R=R, Q=Q, T=whole.T, v=whole.v, v_star=whole.v_star)
    C = np.block([[Q, R], [R.T, whole.T]])
    out = []
    for c_nu, c_lam, spread, rate in moments(plain, start):
        seen = np.concatenate([c_lam, c_nu], axis=1) @ np.linalg.inv(C)
        dR, dQ = np.zeros_like(R), np.zeros_like(Q)
        for f, m in zip(weight, classes):
            mR, mQ = m[:, None] * whole.R, np.outer(m, m) * whole.Q
            dR += f * m[:, None] * (seen @ np.concatenate([mR, whole.T]))
            pull = seen @ np.concatenate([mQ, mR.T])
            dQ += f * np.outer(m, m) * (pull + pull.T + spread)
        out.append(np.concatenate([dR.ravel(), dQ.ravel(), rate]))
    return average(out)


def runs(
    plain: Plain, start: Any, N: int, steps: int, n: int, rng: np.random.Generator, tasks: Any = None
) -> np.ndarray:
    """n runs of so many steps from weights with these overlaps; (n, …) of all R, Q, v.

    `tasks` (step, W, v) -> (rule, rates of a pull, W to which it pulls) changes the rule on the way.
    """
    (K, M) = start.R.shape
    B, W = _weights(start, N, n, rng, turned=plain.binary or plain.fraction is not None or plain.masks is not None)
    v = np.tile(np.array(start.v, dtype=float), (n, 1, 1))
    mask = 1.0
    if plain.masks is not None:
        counts = np.rint(np.array(plain.masks) * N)
        mask = (np.argsort(rng.random((n, K, N)), axis=-1) < counts[:, None]) * 1.0
        W = W * mask
    rule, pull, home = plain.rule, 0.0, 0.0
    for step in range(steps):
        if tasks is not None:
            rule, pull, home = tasks(step, W, v)
        x = np.sign(rng.standard_normal((n, plain.b, N))) if plain.binary else rng.standard_normal((n, plain.b, N))
        noise = rng.standard_normal((n, plain.b, plain.noises))
        if plain.law is not None:
            x[..., :M], noise = plain.law(x[..., :M], noise)
        y = x / N**0.5
        lam, nu = y @ W.swapaxes(1, 2), y @ B.swapaxes(1, 2)
        c, dv = rule(lam, nu, v, np.array(start.v_star), noise, y @ y.swapaxes(1, 2))
        G = c.swapaxes(1, 2) @ y / plain.b * mask
        if plain.queries is not None:
            u = rng.standard_normal((n, round(plain.queries * N), K * N))
            G = np.mean(u * (u @ G.reshape(n, K * N, 1)), axis=1).reshape(n, K, N)
        if plain.fraction is not None:
            G = G * (rng.random(G.shape) < plain.fraction) / plain.fraction
        W = W + G - (plain.decay * W + pull * (W - home)) / N
        v = v + (dv.mean(axis=1, keepdims=True) - plain.decay_v * v) / N
        if plain.sphere:
            W = W * (N / np.sum(W**2, axis=-1, keepdims=True)) ** 0.5
    R, Q = W @ B.swapaxes(1, 2) / N, W @ W.swapaxes(1, 2) / N
    return np.concatenate([R.reshape(n, K * M), Q.reshape(n, K * K), v[:, 0]], axis=1)


def _weights(start: Any, N: int, n: int, rng: np.random.Generator, turned: bool) -> tuple[np.ndarray, np.ndarray]:
    """Teachers (n or 1, M, N) and students with these overlaps, in directions drawn anew for each run if turned."""
    (K, M) = start.R.shape
    L = np.linalg.cholesky(np.array(start.T) + 1e-13 * np.eye(M)) if np.linalg.det(start.T) > 1e-9 else root(start.T)
    A = start.R @ np.linalg.pinv(L).T
    S = root(start.Q - A @ A.T)
    axes = np.eye(N, M + K)[None]
    if turned:
        axes = np.linalg.qr(rng.standard_normal((n, N, M + K)))[0]
    axes = axes.swapaxes(1, 2) * N**0.5
    B = L @ axes[:, :M]
    W = np.concatenate([A, S], axis=1) @ axes
    return np.broadcast_to(B, (n, M, N)), np.broadcast_to(W, (n, K, N))
