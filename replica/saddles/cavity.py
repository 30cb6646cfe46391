"""Estimators fitted one after the other to the same Gaussian data, each on the weights that the last one's size leaves.

Stage k minimises Σ_μ ℓ(y_μ, h_μ) + ½λ_k|w|², h = x·w/√N, on a mask s_k of the weights. By the cavity method (Mézard,
Parisi & Virasoro 1987), with ω ~ N(0, q) and ξ ~ N(0, αE) of all stages together, for an example and for a weight::

    h_k = ω_k + Σ_{l≤k} V_kl f_l,   f_k = −ℓ'(y, h_k)               E_kl = E f_k f_l,   q_kl = E w_k w_l
    λ_k w_k = s_k [ξ_k + α(F_k* w* + Σ_{l≤k} F_kl w_l)]             F_kl = E ∂f_k/∂ω_l, V_kl = E ∂w_k/∂ξ_l

F_k* is the response to the teacher's field, by way of the label. On a mask that is made of earlier stages' sizes all
weights are sums over (w*, ξ), so that truncated second moments of Gaussian numbers are all that is needed; V_k then
follows from E w_k ξ by Gaussian integration by parts, in which the jumps of the masks are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tsphys.numerics.gaussian import density
from tsphys.physics.inference.channels import Interval
from tsphys.physics.inference.losses import loss, proximal
from tsphys.physics.inference.priors import Prior
from tsphys.replica.saddles.gaussian_covariates import isotropic, minimum
from tsphys.solvers.fixed_point import crossing, fixed_point

#: Sobol's points, as a power of two, of averages over the sizes of weights in more than one round, and over fields.
ROUNDS, FIELDS = 12, 14
#: Least of an unknown that is positive, relative to its size; and least variance of noise that is told from none, above
#: the rounding of the error 1 − 2m + q.
TINY, QUIET = 1e-12, 1e-12
#: Share of its variance that a number at least has for itself, though it be much the same as one before.
LEAST = 1e-15
#: Largest residuals of the second stage, and of later ones, whose averages are as good as 1e-4.
TOLERANCE = 1e-10, 1e-7


@dataclass(frozen=True)
class Examples:
    """n = αN examples: loss, load, E w*² and variance of the noise, which labels have before their sign."""

    loss: str
    alpha: float
    rho: float
    noise: float


@dataclass(frozen=True)
class Fitted:
    """All stages.

    Attributes
    ----------
    m, q, V : ndarray (k,), (k, k), (k, k)
        Overlaps with the teacher and with each other, responses.
    kept : ndarray (k, components)
        Fraction of the weights of each component of the teacher's prior that a stage has.
    train_loss : ndarray (k,)
    """

    m: np.ndarray
    q: np.ndarray
    V: np.ndarray
    kept: np.ndarray
    train_loss: np.ndarray


@dataclass(frozen=True)
class Seen:
    """What examples answer to stage k: F_kl (k,), F_k*, E_kl (k,), and the mean of ℓ."""

    F: np.ndarray
    teacher: float
    E: np.ndarray
    train_loss: float


def fitted(examples: Examples, prior: Prior, ridges: Sequence[float], kept: Sequence[float]) -> Fitted:
    """Stages with these ridges λ, each on the fraction `kept` of all weights that was largest in the stage before.

    Parameters
    ----------
    examples : Examples
    prior : Prior
        The teacher's, of components with mean zero.
    ridges, kept : sequence of float, (k,)
        The first stage has all weights, kept = 1; the others decreasing fractions.

    Raises
    ------
    ConvergenceError
        If a stage's saddle point is not reached.
    """
    found = [_first(examples, prior, ridges[0])]
    for ridge, share in zip(ridges[1:], kept[1:], strict=True):
        found.append(_next(examples, prior, ridge, share, found[-1]))
    last = found[-1].state
    return Fitted(
        last.m, last.q, last.V, np.array([s.kept for s in found]), np.array([s.seen.train_loss for s in found])
    )


@dataclass(frozen=True)
class Fields:
    """m, q and V of the stages so far."""

    m: np.ndarray
    q: np.ndarray
    V: np.ndarray

    def and_last(self, m: float, q: np.ndarray, V: np.ndarray) -> Fields:
        """With another stage, whose rows of q and V (k,) are these."""
        k = len(q)
        out = Fields(np.append(self.m, m), np.zeros((k, k)), np.zeros((k, k)))
        out.q[:-1, :-1], out.V[:-1, :-1] = self.q, self.V
        out.q[-1], out.q[:, -1], out.V[-1] = q, q, V
        return out


@dataclass(frozen=True)
class Stage:
    """A stage with all before it. Noises are ξ = L η, LLᵀ = αE, η ~ N(0, 1): ξ of stages that are much the same are as
    good as one, and their V by themselves as good as arbitrary, of which VL is not. Weights are sums over (w*, η).
    """

    state: Fields
    seen: Seen
    L: np.ndarray
    weights: np.ndarray
    edges: np.ndarray
    kept: np.ndarray
    ridge: float


def _first(examples: Examples, prior: Prior, ridge: float) -> Stage:
    noise, alpha = examples.noise, examples.alpha
    if examples.loss == "square":
        V = _alone(alpha, ridge, 1.0)
        a = alpha / (1 + V)
        # q is linear in itself: q = V²(a²ρ + αE), E = (noise + ρ − 2m + q)/(1 + V)².
        m, r = V * a * examples.rho, alpha * (V / (1 + V)) ** 2
        q = ((V * a) ** 2 * examples.rho + r * (max(noise, QUIET) + examples.rho - 2 * m)) / (1 - r)
    else:
        least = minimum(examples.loss, Interval(None, noise), isotropic(examples.rho), alpha, ridge)
        V, m, q = least.V, least.m, least.q
    state = Fields(np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))).and_last(m, np.array([q]), np.array([V]))
    seen = responses(examples, state)
    root = np.sqrt(alpha * seen.E[None])
    row = np.array([[V * alpha * seen.teacher, V * root[0, 0]]])
    return Stage(state, seen, root, row, np.zeros(0), np.ones(len(prior.weights)), ridge)


def _alone(alpha: float, ridge: float, kept: float) -> float:
    """V of squares on a fraction of the weights, V (λ + α/(1 + V)) = kept."""
    b = ridge + alpha - kept
    root = np.hypot(b, 2 * np.sqrt(ridge * kept))
    return float(2 * kept / (b + root) if b > 0 else (root - b) / (2 * ridge))


def _next(examples: Examples, prior: Prior, ridge: float, share: float, last: Stage) -> Stage:
    """The stage on the largest weights of the last one."""
    alpha, k, L = examples.alpha, len(last.L), last.L
    edges, kept, B = _masked(prior, last, share)
    share = float(np.dot(prior.weights, kept))

    def made(x: np.ndarray) -> tuple[Fields, Seen, np.ndarray, float, np.ndarray, float]:
        """From unknowns (m_k, q_k, V_k< L, V_kk): what examples answer, and weights and noise that follow."""
        state = last.state.and_last(x[0], x[1 : k + 2], np.append(np.linalg.solve(L.T, x[k + 2 : -1]), x[-1]))
        seen = responses(examples, state)
        along = np.linalg.solve(L, alpha * seen.E[:k])
        g = 1 / (ridge - alpha * seen.F[k])
        pull = alpha * (seen.F[:k] @ last.weights)
        pull[0] += alpha * seen.teacher
        pull[1:] += along
        return state, seen, g * pull, g, along, max(alpha * seen.E[k] - along @ along, LEAST * alpha * seen.E[k])

    def step(x: np.ndarray) -> np.ndarray:
        _, _, row, g, along, own = made(x)
        moments = B @ row
        V = moments[1:] - g * share * along
        return np.concatenate([
            moments[:1], last.weights @ moments, [row @ moments + share * g * g * own], V, [g * share]
        ])  # fmt: skip

    before = last.state
    # As if examples were as stiff to this stage as to the last one.
    own = share / (ridge + 1 / before.V[-1, -1] - last.ridge)
    own = _alone(alpha, ridge, share) if examples.loss == "square" else own
    ratio = own / before.V[-1, -1] / share**0.5
    first = np.concatenate([
        [ratio * before.m[-1]], ratio * before.q[-1], [ratio**2 * before.q[-1, -1]], np.zeros(k), [own]
    ])  # fmt: skip
    noise = own * np.sqrt((L**2).sum(axis=1).max())
    size = np.concatenate([np.abs(first[: k + 2]), np.full(k, noise), [own]])
    least = np.full(2 * k + 3, -np.inf)
    least[[k + 1, -1]] = TINY
    bounds = (least, np.full(2 * k + 3, np.inf))
    with np.errstate(all="ignore"):
        found = fixed_point(
            lambda x: step(size * x) / size,
            first / size,
            tol=TOLERANCE[min(k, 2) - 1],
            damping=0.5,
            bounds=bounds,
            what=f"stage {k + 1}",
        )
    x = size * found.x
    state, seen, row, g, along, own = made(x)
    root = np.block([[L, np.zeros((k, 1))], [along[None], np.array([[np.sqrt(own)]])]])
    weights = np.block([[last.weights, np.zeros((k, 1))], [row[None], np.array([[g * np.sqrt(own)]])]])
    return Stage(state, seen, root, weights, edges, kept, ridge)


def _masked(prior: Prior, last: Stage, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of all masks, what they leave of each component, and E s b bᵀ of b = (w*, η), (k + 1, k + 1)."""
    k = len(last.L)
    bases = [np.diag(np.append(variance, np.ones(k))) for variance in prior.variances]
    factors = [_cholesky(last.weights @ base @ last.weights.T) for base in bases]
    if share == 1:
        return np.zeros(k), np.ones(len(bases)), np.tensordot(prior.weights, bases, 1)

    def left(edge: float) -> list[tuple[float, np.ndarray]]:
        return [beyond(L, np.append(last.edges, edge)) for L in factors]

    high = 40 * max(float(np.sqrt((L[-1] ** 2).sum())) for L in factors)
    edge = crossing(lambda x: float(np.dot(prior.weights, [p for p, _ in left(x)])) - share, 0.0, high, "the edge")
    there, total = left(edge), np.zeros((k + 1, k + 1))
    for p, (probability, moment), base, L in zip(prior.weights, there, bases, factors, strict=True):
        H = np.linalg.solve(L, last.weights @ base).T
        total += p * (probability * base + H @ (moment - probability * np.eye(k)) @ H.T)
    return np.append(last.edges, edge), np.array([probability for probability, _ in there]), total


def beyond(L: np.ndarray, edges: np.ndarray) -> tuple[float, np.ndarray]:
    """P(|y_j| > edge_j for all j) of y = L e, e ~ N(0, 1)^d, and E[e eᵀ] over these y, (d, d); L lower triangular.

    One after the other is drawn beyond its edge given those before, at Sobol's points, and the last is averaged over
    in closed form: with one edge there is nothing to draw.
    """
    from scipy.special import ndtr, ndtri

    d = len(L)
    u = _sobol(d - 1, ROUNDS) if d > 1 else np.ones((1, 0))
    e, weight = np.zeros((len(u), d)), np.full(len(u), 1 / len(u))
    for j in range(d):
        centre = e[:, :j] @ L[j, :j]
        up, down = (edges[j] - centre) / L[j, j], (-edges[j] - centre) / L[j, j]
        above, below = ndtr(-up), ndtr(down)
        if j < d - 1:
            at = u[:, j] * (above + below)
            e[:, j] = np.where(at < below, ndtri(at), -ndtri(np.maximum(above + below - at, 1e-300)))
            e[:, j] = np.where(above + below > 0, e[:, j], 0.0)
            weight *= above + below
    density_up, density_down = map(density, (up, down))
    zeroth, first = weight * (above + below), weight * (density_up - density_down)
    second = weight * (above + below + up * density_up - down * density_down)
    before, out = e[:, :-1], np.zeros((d, d))
    out[:-1, :-1] = (before * zeroth[:, None]).T @ before
    out[-1, :-1] = out[:-1, -1] = first @ before
    out[-1, -1] = second.sum()
    return float(zeroth.sum()), out


def responses(examples: Examples, state: Fields) -> Seen:
    """What examples answer to the last stage."""
    return _squares(examples, state) if examples.loss == "square" else _labels(examples, state)


def _squares(examples: Examples, state: Fields) -> Seen:
    """f = (1 + V)⁻¹(y − ω)."""
    m, k = state.m, len(state.m)
    inverse = np.linalg.inv(np.eye(k) + state.V)
    off = max(examples.noise, QUIET * examples.rho) + examples.rho - m[:, None] - m + state.q
    E = inverse @ (off @ inverse[-1])
    return Seen(-inverse[-1], float(inverse[-1].sum()), E, 0.5 * float(E[-1]))


def _labels(examples: Examples, state: Fields) -> Seen:
    """Averages over all stages' fields and the label, twice those with y = 1."""
    from scipy.special import ndtr

    k, L = len(state.m), _cholesky(state.q)
    e, weight = _fields(k, 0.4 / (1 + 0.4 * np.sqrt(float(np.trace(state.q)))))
    slope = np.linalg.solve(L, state.m)
    width = np.sqrt(max(examples.rho - float(slope @ slope), 0.0) + examples.noise + 1e-300)
    known = e @ slope / width
    weight, pull = weight * 2 * ndtr(known), weight * np.sqrt(2 / np.pi) * np.exp(-0.5 * known**2) / width
    omega, f, bends = e @ L.T, np.zeros((k, len(e))), np.zeros((k, k, len(e)))
    for j in range(k):
        own, before = state.V[j, j], state.V[j, :j]
        h, f[j], bend = proximal(examples.loss, 1.0, omega[:, j] + before @ f[:j], own)
        bends[j] = np.einsum("i,ilz->lz", before, bends[:j])
        bends[j, j] += 1
        bends[j] *= -bend / own
    E, F = (f * weight) @ f[-1], bends[-1] @ weight
    return Seen(F, float(pull @ f[-1]), E, float(weight @ loss(examples.loss, 1.0, h)))


def _cholesky(S: np.ndarray) -> np.ndarray:
    """Of a matrix that may be singular, as where a stage repeats the one before."""
    L, least = np.zeros_like(S), LEAST * S.diagonal()
    for j in range(len(S)):
        for i in range(j):
            L[j, i] = (S[j, i] - L[j, :i] @ L[i, :i]) / L[i, i]
        L[j, j] = np.sqrt(max(S[j, j] - L[j, :j] @ L[j, :j], least[j], 1e-300))
    return L


@lru_cache(maxsize=8)
def _fields(d: int, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (n, d) and weights of an average over d normals: a grid in up to two dimensions, Sobol's points beyond."""
    from scipy.special import ndtri

    if d > 2:
        e = ndtri(_sobol(d, FIELDS))
        return e, np.full(len(e), 1 / len(e))
    one = np.linspace(-9.0, 9.0, 2 * int(np.ceil(9 / spacing)) + 1)
    w = np.exp(-0.5 * one**2)
    grid = np.stack(np.meshgrid(*[one] * d, indexing="ij"), axis=-1).reshape(-1, d)
    weight = np.prod(np.stack(np.meshgrid(*[w / w.sum()] * d, indexing="ij"), axis=-1).reshape(-1, d), axis=-1)
    near = weight > 1e-18
    return grid[near], weight[near]


@lru_cache(maxsize=16)
def _sobol(d: int, power: int) -> np.ndarray:
    """Points (2^power, d) in the unit cube."""
    from scipy.special import ndtr, ndtri
    from scipy.stats import qmc

    z = ndtri(np.clip(qmc.Sobol(d, seed=np.random.default_rng([d, 31])).random_base2(power), 1e-12, 1 - 1e-12))
    # Centred and whitened, so that what no edge cuts off has its first two moments.
    z -= z.mean(axis=0)
    return np.asarray(ndtr(z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / len(z))).T))
