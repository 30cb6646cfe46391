"""Gibbs sampler of a generalized Potts model, through the fields that the colours at all other sites make.

    Prob(s) ∝ exp(Σ_i h_i(s_i) + ½ Σ_{i≠j} J_ij(s_i, s_j))        J_ij(a, b) = J_ij U_ab, or a matrix for each pair

A chain keeps the colours s (N,) and fields that follow them; `visits` says in which form. A visit to a site needs C
exponentials, and with factored couplings whose U is not a multiple of the identity C² products. A change of colour
moves two rows of N numbers, with a matrix for each pair one of N·C. Fields summed from the colours and fields that
followed them differ by rounding alone, ~1e-16 √changes. Matrices are kept in single precision, so that the law is that
of couplings that differ by 6e-8 of themselves from the given ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys._jit import njit, once, rebind
from tsphys.errors import ModelError
from tsphys.ground.parameters import array, number, numbers, word
from tsphys.numerics.random import stream, uniforms
from tsphys.runs.replicas import over_replicas, thread_count
from tsphys.sims.engines.potts.visits import FORMS, Couplings, change, draw, energy, fields, logits, room

ORDERS = ("random", "sequential")
#: Nanoseconds of work between two reports.
PIECE = 2e8
#: Logits that may be larger are shifted by the largest of them before they are exponents.
STEEP = 300.0


@njit
def scatter(s, C, u):
    """Independent uniform colours."""
    for i in range(s.shape[0]):
        s[i] = min(C - 1, np.int64(u[i] * C))


@njit
def sweep(A, U, h, kappa, steep, s, G, p, random, noise, u):
    """N visits, to random sites or one after the other; u (2N,) is work."""
    N, C = h.shape
    uniforms(noise, u)
    for t in range(N):
        i = min(N - 1, np.int64(u[N + t] * N)) if random else t
        logits(A, U, h, kappa, G, p, i)
        new, old = draw(p, C, steep, u[t]), s[i]
        if new != old:
            s[i] = new
            change(A, G, i, old, new)


@njit
def run(A, U, h, kappa, steep, s, G, random, noise, every, kept, energies):
    """Go on with a chain; after each `every` sweeps put its colours and its energy into a row of kept, energies."""
    N = s.shape[0]
    u, p = np.empty(2 * N), np.empty(room(h.shape[1]))
    for row in range(energies.shape[0]):
        for _ in range(every):
            sweep(A, U, h, kappa, steep, s, G, p, random, noise, u)
        energies[row] = energy(U, h, s, G)
        for i in range(N):
            kept[row, i] = s[i]


@njit
def independent(A, U, h, kappa, steep, G, random, noise, sweeps, out):
    """Fill the rows of `out` (n, N) with the colours of chains that begin at random and do so many sweeps."""
    N, C = h.shape
    u, p = np.empty(2 * N), np.empty(room(C))
    for row in range(out.shape[0]):
        s = out[row]
        uniforms(noise, u)
        scatter(s, C, u)
        fields(A, h, s, G)
        for _ in range(sweeps):
            sweep(A, U, h, kappa, steep, s, G, p, random, noise, u)


@once
def kernels(form: str) -> tuple[Any, Any, Any]:
    """`run`, `independent` and `fields` for a form of the couplings."""
    if not FORMS[form]:
        return run, independent, fields
    made: dict[Any, Any] = dict(FORMS[form])
    return rebind(run, made, tag=form), rebind(independent, made, tag=form), made[fields]


def couplings(J: Any, U: Any = None, h: Any = None) -> Couplings:
    """Couplings J (N, N) and U (C, C), or a matrix for each pair J (N, N, C, C), and fields h (N, C), for the kernels.

    Raises
    ------
    ModelError
        If they are not those of a Hamiltonian.
    """
    J, U, h = checked(J, U, h)
    C = h.shape[1]
    within = np.abs(h).max(axis=1)
    if J.ndim == 4:
        A = np.ascontiguousarray(J.transpose(0, 2, 1, 3), np.float32)
        most = (within + np.abs(J).max(axis=(2, 3)).sum(axis=1)).max()
        return Couplings("pairs", A, np.zeros((1, 1)), h, 0.0, bool(most > STEEP))
    most = (within + np.abs(J).sum(axis=1) * np.abs(U).max()).max()
    # What is the same for all colours of a site drops out of its logits.
    kappa = float(U[0, 0] - U[1, 0])
    rest = U - kappa * np.eye(C)
    alike = np.abs(rest - rest[0]).max() <= 1e-14 * np.abs(U).max()
    return Couplings("factored", np.ascontiguousarray(J.T), U, h, kappa if alike else 0.0, bool(2 * most > STEEP))


class Chain:
    """One chain in motion.

    Parameters
    ----------
    model : Couplings
    s : ndarray of int8, shape (N,)
        Its colours, changed in place.
    noise : ndarray
        From `tsphys.numerics.random.stream`.
    random : bool
        Visit random sites; one after the other otherwise.
    """

    def __init__(self, model: Couplings, s: np.ndarray, noise: np.ndarray, random: bool = True):
        self.model, self.s, self.noise, self.random = model, s, noise, random
        self.G = model.fields()
        kernels(model.form)[2](model.A, model.h, s, self.G)

    def run(self, rows: int, every: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Do rows·every sweeps; colours (rows, N) and energies (rows,) after each `every` of them."""
        kept, energies = np.empty((rows, len(self.s)), np.int8), np.empty(rows)
        go = kernels(self.model.form)[0]
        go(*self.model.arrays, self.s, self.G, self.random, self.noise, every, kept, energies)
        return kept, energies


def cost(model: Couplings) -> float:
    """Nanoseconds of a sweep, about."""
    N, C = model.h.shape
    if model.form == "pairs":
        return N * (60.0 + 5.0 * C + 0.3 * N * C)
    return N * (60.0 + 4.0 * C + (0.0 if model.kappa else 0.2 * C * C) + 0.3 * N)


def sequences(
    model: Couplings, count: int, sweeps: int, noise: np.ndarray, random: bool = True,
    report: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:  # fmt: skip
    """Colours (count, N) of independent chains after so many sweeps from random colours, int8."""
    out, G = np.empty((count, len(model.h)), np.int8), model.fields()
    piece = max(1, int(PIECE / (cost(model) * max(sweeps, 1))))
    for low in range(0, count, piece):
        report(low / count)
        kernels(model.form)[1](*model.arrays, G, random, noise, sweeps, out[low : low + piece])
    return out


def sample(
    J: Any,
    U: Any = None,
    h: Any = None,
    *,
    chains: int = 1,
    samples: int = 100,
    burn_in: int = 100,
    every: int = 1,
    order: str = "random",
    seed: int = 0,
    threads: int | None = None,
    engine: str = "direct",
    progress: Callable[[float], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Samples of exp(−H), H = −Σ_i h_i(s_i) − ½ Σ_{i≠j} J_ij(s_i, s_j), from chains that begin at random colours.

    Parameters
    ----------
    J : array_like, shape (N, N) or (N, N, C, C)
        Couplings, J_ij(a, b) = J_ij U_ab or a matrix for each pair; J_ij(a, b) = J_ji(b, a), J_ii = 0. A temperature is
        in them.
    U : array_like, shape (C, C)
        Symmetric couplings of colours, with the first kind only.
    h : array_like, shape (N, C), optional
        Fields; none: zero.
    chains, samples : int
        Number of chains and of samples from each.
    burn_in, every : int
        Sweeps of N visits before the first sample, and between two.
    order : {"random", "sequential"}
        Sites at random, or one after the other.
    seed, threads
        Seed and the number of a chain fix all its random numbers; threads over the chains.
    engine : {"direct", "cuda"}
        On the CPU, or on a GPU with a thread a chain, which has random numbers of its own.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    colours : ndarray of int8, shape (chains, samples, N)
    energy : ndarray, shape (chains, samples)
        H of each; `tsphys.numerics.autocorrelation` tells what the samples are worth.

    Raises
    ------
    ModelError
        If an argument is out of range.
    """
    model = couplings(J, U, h)
    N, C = model.h.shape
    word("order", order, ORDERS)
    word("engine", engine, ("direct", "cuda"))
    chains, samples, every = (
        number(name, value, kind=int, low=1) for name, value in (("chains", chains), ("samples", samples),
                                                                 ("every", every))
    )  # fmt: skip
    burn_in = number("burn_in", burn_in, kind=int, low=0)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    threads = thread_count(threads)
    random = order == "random"
    colours, energies = np.empty((chains, samples, N), np.int8), np.empty((chains, samples))
    if engine == "cuda":
        from tsphys.sims.engines.potts.cuda_potts import run as on_device

        on_device(model, random, seed, burn_in, every, colours, energies, progress)
        return colours, energies
    total = burn_in + samples * every
    piece = max(1, int(PIECE / cost(model) / every))

    def work(index: int, report: Callable[[float], None]) -> None:
        noise = stream(seed, index, "potts")
        chain = Chain(model, start(N, C, noise), noise, random)
        if burn_in:
            chain.run(1, burn_in)
        for low in range(0, samples, piece):
            report((burn_in + low * every) / total)
            high = min(samples, low + piece)
            colours[index, low:high], energies[index, low:high] = chain.run(high - low, every)

    over_replicas(work, range(chains), threads=threads, progress=progress)
    return colours, energies


def start(N: int, C: int, noise: np.ndarray) -> np.ndarray:
    """Independent uniform colours (N,), int8."""
    s, u = np.empty(N, np.int8), np.empty(N)
    uniforms(noise, u)
    scatter(s, C, u)
    return s


def checked(J: Any, U: Any = None, h: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """J, U and h as arrays, checked to be those of a Hamiltonian; U of ones for a matrix for each pair, h of zeros."""
    found = numbers(J)
    if found is None or found.ndim not in (2, 4):
        raise ModelError("J", J, "must be finite numbers of shape (N, N), or (N, N, C, C)")
    J, N = found, len(found)
    if J.ndim == 4:
        if U is not None:
            raise ModelError("U", U, "is given with couplings J of shape (N, N) only")
        U = np.ones((J.shape[2], J.shape[2]))
    elif U is None:
        raise ModelError("U", None, "is required with couplings J of shape (N, N)")
    U = array("U", U, (None, None))
    C = len(U)
    if C < 2 or U.shape != (C, C) or not np.allclose(U, U.T, rtol=1e-12, atol=1e-12):
        raise ModelError("U", f"array of shape {U.shape}", "must be a symmetric matrix")
    if C > 127:
        raise ModelError("U", f"array of shape {U.shape}", "must have at most 127 colours")
    turned = J.T if J.ndim == 2 else J.transpose(1, 0, 3, 2)
    if J.shape != turned.shape or J.shape[2:] not in ((), (C, C)) or N < 1:
        raise ModelError("J", f"array of shape {J.shape}", "must have the shape (N, N), or (N, N, C, C)")
    if not np.allclose(J, turned, rtol=1e-12, atol=1e-12):
        raise ModelError("J", f"array of shape {J.shape}", "must be symmetric, J_ij(a, b) = J_ji(b, a)")
    if J[np.arange(N), np.arange(N)].any():
        raise ModelError("J", "array with a diagonal", "must have a zero diagonal")
    return J, U, np.zeros((N, C)) if h is None else array("h", h, (N, C))
