"""Averages of a learning rule over its Gaussian fields and noises, by quadrature.

The fields are ν = L_T z_T and λ = A z_T + L z_S with independent standard normals z, where A (K, M) are the students'
coordinates in the teachers' basis, R = A L_Tᵀ, and L (K, K) is the triangular rest, Q = A Aᵀ + L Lᵀ; both are smooth
in R and Q, and exist for singular covariances too. The nodes in z are fixed, so that an average is as smooth in the
overlaps as the rule allows.

Three families of nodes:

``gauss``
    Tensor Gauss-Hermite, without the products whose weight is below rounding; spectral for smooth rules, and useless
    for kinked ones.
``polar``
    One student, one teacher: Gauss rules in the angle between the four rays λ = 0 and ν = 0, and in the radius;
    spectral for rules whose kinks and jumps lie on these rays. The nodes turn with the rays.
``sobol``
    Anything else: scrambled Sobol points (Owen 1998); the scatter over independent scramblings is the error estimate.
    Without antithetic pairs, which waste half of the points on what most rules make: averages even in the fields.

References
----------
Owen, J. Complexity 14, 466 (1998); Gautschi, Orthogonal Polynomials (2004), §2.2 (the discretised Stieltjes procedure).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.parameters import number, word
from tsphys.numerics.gaussian import hermite
from tsphys.physics.order_parameters import triangular_root
from tsphys.rules.binding import bind, error, law, rule, through_law
from tsphys.rules.trial import try_out

KINDS = ("auto", "gauss", "polar", "sobol")
#: Independent scramblings, whose scatter tells the error.
SCRAMBLINGS = 4
#: Products of weights below this are dropped; the weights sum to 1.
NEGLIGIBLE = 1e-17
#: Nodes for each noise: exact for polynomials in it up to degree 5; c cᵀ for c linear in it has 2.
NOISE_NODES = 3
#: Largest difference between two sizes of a family, relative to the averages, for which `auto` takes it. For ``gauss``
#: it is some five times the error, and 1e-4 is what ``sobol`` reaches; for ``polar`` it tells whether the rays catch
#: every kink.
ACCEPTED = {"gauss": 5e-4, "polar": 1e-8}
#: States at which `mean_error` tries a family.
TRIALS = 5


@dataclass(frozen=True)
class Nodes:
    """Nodes and weights of an average over M + K + n_noise standard normals.

    Parameters
    ----------
    kind : {"gauss", "polar", "sobol"}
        Family.
    z : (P, M + K + n_noise) ndarray
        Nodes; in the family ``polar`` the first two columns are the radius and u in (0, 4), where the whole part of u
        counts the cones between the rays and the rest is the place within the cone.
    w : (P,) ndarray
        Weights; in the family ``polar`` still without the opening of the cone.
    """

    kind: str
    z: np.ndarray
    w: np.ndarray

    def __post_init__(self) -> None:
        # They are shared; and kernels are compiled for arrays that may be written to, or not.
        for a in (self.z, self.w):
            a.setflags(write=False)


def _tensor(rules: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    z, w = np.zeros((1, 0)), np.ones(1)
    for x, weights in rules:
        product = np.multiply.outer(w, weights)
        row, column = np.nonzero(product > NEGLIGIBLE)
        z, w = np.column_stack([z[row], x[column]]), product[row, column]
    return z, w


@lru_cache(maxsize=32)
def gauss(fields: int, noises: int, points: int) -> tuple[Nodes, Nodes] | None:
    """Tensor Gauss-Hermite sets of at most `points` nodes: as many nodes a field as fit, and two fewer.

    None if fewer than four a field fit.
    """

    def build(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
        return _tensor([hermite(n)] * fields + [hermite(m)] * noises)

    n = 4
    if n**fields * NOISE_NODES**noises > points:
        return None
    while n < 100 and len(build(n + 1, NOISE_NODES)[1]) <= points:
        n += 1
    return Nodes("gauss", *build(n, NOISE_NODES)), Nodes("gauss", *build(n - 2, NOISE_NODES - 1))


@lru_cache(maxsize=16)
def radial(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss rule of n nodes for the weight r exp(−r²/2) on r > 0, by the discretised Stieltjes procedure."""
    x, w = np.polynomial.legendre.leggauss(1000)
    # Beyond r = 25 the weight is below 1e-134, and no moment that n < 100 nodes need comes from there.
    x, w = 12.5 * (x + 1), 12.5 * w
    w = w * x * np.exp(-0.5 * x * x)
    a, b = np.zeros(n), np.zeros(n)
    last, current, norm = np.zeros_like(x), np.ones_like(x), 1.0
    for k in range(n):
        new = float(w @ current**2)
        b[k], norm = (new / norm if k else 0.0), new
        a[k] = w @ (x * current**2) / norm
        last, current = current, (x - a[k]) * current - b[k] * last
        # Only ratios enter; the polynomials themselves overflow.
        scale = np.abs(current).max()
        last, current, norm = last / scale, current / scale, norm / scale**2
    off = np.sqrt(b[1:])
    r, vectors = np.linalg.eigh(np.diag(a) + np.diag(off, 1) + np.diag(off, -1))
    return r, vectors[0] ** 2


@lru_cache(maxsize=16)
def polar(noises: int, points: int) -> tuple[Nodes, Nodes] | None:
    """Polar sets for one student and one teacher of at most `points` nodes, and of about half; None if too few fit."""
    n_r = min(int(math.sqrt(points / (8 * NOISE_NODES**noises))), 48)
    if n_r < 8:
        return None

    def build(n_r: int, n_u: int, m: int) -> Nodes:
        x, w = np.polynomial.legendre.leggauss(n_u)
        # x → (3x − x³)/2 gathers nodes at the rays, where rules with a boundary layer change fastest.
        u, w = 0.5 + 0.25 * (3 * x - x**3), 0.75 * (1 - x**2) * w
        u = (u + np.arange(4)[:, None]).ravel()
        z, w = _tensor([radial(n_r), (u, np.tile(w, 4)), *([hermite(m)] * noises)])
        return Nodes("polar", z, w)

    return build(n_r, 2 * n_r, NOISE_NODES), build(3 * n_r // 4, 3 * n_r // 2, NOISE_NODES - 1)


@lru_cache(maxsize=16)
def sobol(dimensions: int, points: int) -> tuple[Nodes, ...] | None:
    """`SCRAMBLINGS` sets of scrambled Sobol points, always the same, `points` at most in all; None if it is < 16.

    Raises
    ------
    ModelError
        If Sobol points are known for fewer dimensions.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    if dimensions > qmc.Sobol.MAXDIM:
        raise ModelError("quadrature", "sobol", f"has at most {qmc.Sobol.MAXDIM} fields and noises, not {dimensions}")
    k = int(math.log2(points / SCRAMBLINGS))
    if k < 4:
        return None

    def build(scrambling: int) -> Nodes:
        rng = np.random.default_rng([dimensions, scrambling])
        u = qmc.Sobol(dimensions, seed=rng).random_base2(k)
        return Nodes("sobol", ndtri(np.clip(u, 1e-12, 1 - 1e-12)), np.full(len(u), 1 / len(u)))

    return tuple(build(s) for s in range(SCRAMBLINGS))


def node_sets(kind: str, K: int, M: int, noises: int, points: int) -> tuple[Nodes, ...] | None:
    """The sets of a family from which an average and its error follow by `combined`; None if none fits."""
    if kind == "gauss":
        return gauss(K + M, noises, points)
    if kind == "polar":
        return polar(noises, points) if K == M == 1 else None
    return sobol(K + M + noises, points)


def combined(kind: str, values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Average and error estimate from the values over the sets of a family.

    ``gauss`` and ``polar``: the larger set, and its difference to the smaller one, which overestimates the error where
    the rule converges. ``sobol``: the mean over the scramblings, and its standard error.
    """
    if kind == "sobol":
        stacked = np.stack(values)
        return stacked.mean(axis=0), stacked.std(axis=0, ddof=1) / math.sqrt(len(values))
    return values[0], np.abs(values[0] - values[1])


def families(
    rule: Any, quadrature: str, *, noises: int, points: int, whole: bool = False
) -> list[tuple[str, tuple[Nodes, ...]]]:
    """The families to try in turn, with their sets; the last is taken whatever its error.

    The sets are those of an example, or with `whole` of all fields, then all noises, of a minibatch, without a law.

    Raises
    ------
    ModelError
        If `quadrature` is unknown or has no set of this size or for so many fields, or `points` is not an integer ≥ 64.
    """
    word("quadrature", quadrature, KINDS)
    points = number("points", points, kind=int, low=64, high=2**24)
    order = ["gauss"] * rule.smooth + ["polar", "sobol"] if quadrature == "auto" else [quadrature]
    b = rule.minibatch if whole else 1
    sets = [(kind, node_sets(kind, b * rule.K, b * rule.M, b * noises, points)) for kind in order]
    # Polar nodes are no product of the examples' own, and their angles are those of Gaussian fields.
    free = not whole and rule.law is None
    out = [(kind, found) for kind, found in sets if found is not None and (free or kind != "polar")]
    if rule.law is not None and not whole:
        out = [(kind, tuple(Nodes(kind, lawful(rule, n.z), n.w) for n in found)) for kind, found in out]
    if not out:
        words = "needs K = M = 1" if quadrature == "polar" and rule.K * rule.M != 1 else "needs more points"
        raise ModelError("quadrature", quadrature, f"{words} for K = {rule.K}, M = {rule.M}, {noises} noises")
    return out


def lawful(rule: Any, z: np.ndarray) -> np.ndarray:
    """Nodes z (…, M + K + n_noise) of standard normals as nodes of the law of the inputs."""
    out = z.copy()
    bind(through_law, rule.law, law)(out.reshape(-1, z.shape[-1]), rule.M, rule.K, rule.seen_params())
    return out


@njit
def factors(R, Q, G, A, L):
    """A = R G with G = L_T^{-T}, and the Cholesky root L of Q − A Aᵀ, with zeros where that is singular to rounding."""
    K, M = R.shape
    for k in range(K):
        for m in range(M):
            s = 0.0
            for n in range(M):
                s += R[k, n] * G[n, m]
            A[k, m] = s
    for j in range(K):
        for k in range(j, K):
            s = Q[k, j]
            for m in range(M):
                s -= A[k, m] * A[j, m]
            for i in range(j):
                s -= L[k, i] * L[j, i]
            if k == j:
                L[j, j] = math.sqrt(s) if s > 1e-15 * Q[j, j] else 0.0
            else:
                L[k, j] = s / L[j, j] if L[j, j] > 0.0 else 0.0
            if k > j:
                L[j, k] = 0.0


@njit
def fields(turns, z, w, A, L, LT, x, lam, nu):
    """Fields λ, ν and noises x[M + K:] at a node z (`turns`: of the family polar); returns the weight of the node."""
    K, M = A.shape
    for j in range(z.shape[0]):
        x[j] = z[j]
    if turns:
        # λ ∝ cos(θ − tilt) and ν ∝ cos θ vanish at tilt ± π/2 and ±π/2, between which there are four cones.
        tilt = math.atan2(L[0, 0], A[0, 0])
        cone = int(z[1])
        first, width = (0.0, tilt) if cone % 2 == 0 else (tilt, math.pi - tilt)
        theta = (cone // 2 - 0.5) * math.pi + first + (z[1] - cone) * width
        x[0], x[1] = z[0] * math.cos(theta), z[0] * math.sin(theta)
        w *= width / (2.0 * math.pi)
    for m in range(M):
        s = 0.0
        for n in range(m + 1):
            s += LT[m, n] * x[n]
        nu[m] = s
    for k in range(K):
        s = 0.0
        for m in range(M):
            s += A[k, m] * x[m]
        for i in range(k + 1):
            s += L[k, i] * x[M + i]
        lam[k] = s
    return w


@njit
def moments(turns, z, w, A, L, LT, v, v_star, p, c_nu, c_lam, c_c, mean_dv):
    """⟨c νᵀ⟩ (K, M), ⟨c λᵀ⟩ (K, K), ⟨c cᵀ⟩ (K, K) and ⟨dv⟩ of the learning rule."""
    K, M = A.shape
    x = np.zeros(z.shape[1])
    lam, nu, c, dv = np.zeros(K), np.zeros(M), np.zeros(K), np.zeros(v.shape[0])
    c_nu[...] = 0.0
    c_lam[...] = 0.0
    c_c[...] = 0.0
    mean_dv[...] = 0.0
    for i in range(z.shape[0]):
        weight = fields(turns, z[i], w[i], A, L, LT, x, lam, nu)
        for k in range(K):
            c[k] = 0.0
        for k in range(v.shape[0]):
            dv[k] = 0.0
        rule(lam, nu, v, v_star, x[M + K :], p, c, dv)
        for k in range(K):
            wc = weight * c[k]
            for m in range(M):
                c_nu[k, m] += wc * nu[m]
            for l in range(K):
                c_lam[k, l] += wc * lam[l]
                c_c[k, l] += wc * c[l]
        for k in range(v.shape[0]):
            mean_dv[k] += weight * dv[k]


@njit
def errors(turns, z, w, R, Q, G, LT, v, v_star, p, out):
    """Mean error (S,) at S states R (S, K, M), Q (S, K, K), G and LT (S, M, M), v (S, V), v_star (S, V')."""
    _, K, M = R.shape
    x = np.zeros(z.shape[1])
    lam, nu, A, L = np.zeros(K), np.zeros(M), np.zeros((K, M)), np.zeros((K, K))
    for s in range(R.shape[0]):
        factors(R[s], Q[s], G[s], A, L)
        total = 0.0
        for i in range(z.shape[0]):
            weight = fields(turns, z[i], w[i], A, L, LT[s], x, lam, nu)
            total += weight * error(lam, nu, v[s], v_star[s], p)
        out[s] = total


def teacher_factors(T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """L_T, lower triangular with T = L_T L_Tᵀ, and G = L_T^{-T}, a pseudoinverse where T is singular."""
    LT = np.ascontiguousarray(triangular_root(T))
    return LT, np.ascontiguousarray(np.linalg.pinv(LT, rcond=1e-10).T)


def mean_error_with_estimate(
    rule: Any, R: Any, Q: Any, T: Any, v: Any, v_star: Any, *, quadrature: str = "auto", points: int = 2**14
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the rule's error on one example, and the estimated error of the quadrature.

    Parameters
    ----------
    rule : LearningRule
        With an `error`.
    R, Q, T : (…, K, M), (…, K, K), (…, M, M) array_like
        Overlaps; leading axes broadcast. Where any is NaN, so is the mean.
    v, v_star : (…, V), (…, V') array_like
        Readouts.
    quadrature : {"auto", "gauss", "polar", "sobol"}
        Family of nodes. ``auto`` tries gauss if the rule is smooth, then polar, and takes the first whose two sizes
        agree at a few of the states, else sobol: an error that counts mistakes may jump although its rule is smooth.
    points : int
        Most nodes (of the larger set; of all scramblings together).

    Returns
    -------
    mean, error : ndarray
        With the leading axes; `error` as told in `combined`.

    Raises
    ------
    ModelError
        If `quadrature` or `points` is out of range.
    """
    R, Q, T, v, v_star = (np.asarray(a, dtype=np.float64) for a in (R, Q, T, v, v_star))
    lead = np.broadcast_shapes(*(a.shape[:-n] for a, n in zip((R, Q, T, v, v_star), (2, 2, 2, 1, 1))))
    each = [teacher_factors(S) for S in T.reshape(-1, *T.shape[-2:])]
    LT, G = (np.reshape([factor[i] for factor in each], T.shape) for i in (0, 1))
    count = math.prod(lead)
    states = [
        np.ascontiguousarray(np.broadcast_to(a, (*lead, *a.shape[-n:]))).reshape(count, *a.shape[-n:])
        for a, n in zip((R, Q, G, LT, v, v_star), (2, 2, 2, 2, 1, 1))
    ]
    known = np.flatnonzero(np.all([np.isfinite(a).reshape(count, -1).all(axis=1) for a in states], axis=0))
    try_out(rule, v.shape[-1], v_star.shape[-1])
    kernel = bind(errors, rule.error, error)

    def average(nodes: Nodes, rows: np.ndarray) -> np.ndarray:
        out = np.empty(len(rows))
        chosen = [a[rows] for a in states]
        kernel(nodes.kind == "polar", nodes.z, nodes.w, *chosen, rule.seen_params(), out)
        return out

    tried = known[np.unique(np.linspace(0, len(known) - 1, TRIALS).astype(int))] if len(known) else known
    noises = 0 if rule.law is None else rule.n_noise
    choices = families(rule, quadrature, noises=noises, points=points)
    for kind, sets in choices:
        value, spread = combined(kind, [average(nodes, tried) for nodes in sets])
        if kind == choices[-1][0] or spread.max(initial=0) <= ACCEPTED[kind] * np.abs(value).max(initial=0):
            break
    mean, estimate = np.full(count, np.nan), np.full(count, np.nan)
    mean[known], estimate[known] = combined(kind, [average(nodes, known) for nodes in sets])
    return mean.reshape(lead), estimate.reshape(lead)


def mean_error(rule: Any, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
    """Mean of the rule's error on one example; see `mean_error_with_estimate`."""
    return mean_error_with_estimate(rule, R, Q, T, v, v_star)[0]
