"""Gibbs sampler of a generalized Potts model, through the fields that the colours at all other sites make.

A chain keeps the colours s (N,) and M_ai = Σ_j J_ij [s_j = a], shape (C, N). A visit to a site needs the C logits
z_a = Σ_b U_ab M_bi, C² products; a change of colour moves two rows of M by a column of J, two passes over N contiguous
numbers. Fields summed from the colours and fields that followed them differ by rounding alone, ~1e-16 √changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.parameters import array, number, word
from tsphys.numerics.random import stream, uniforms
from tsphys.runs.replicas import over_replicas, thread_count
from tsphys.sims.engines.potts.visits import energy, fields, visit

ORDERS = ("random", "sequential")
#: Nanoseconds of work between two reports.
PIECE = 2e8


@njit
def scatter(s, C, u):
    """Independent uniform colours."""
    for i in range(s.shape[0]):
        s[i] = min(C - 1, np.int64(u[i] * C))


@njit
def sweep(columns, U, s, M, p, random, noise, u):
    """N visits, to random sites or one after the other; u (2N,) is work."""
    N = s.shape[0]
    uniforms(noise, u)
    for t in range(N):
        visit(columns, U, s, M, p, min(N - 1, np.int64(u[N + t] * N)) if random else t, u[t])


@njit
def run(columns, U, s, M, random, noise, every, kept, energies):
    """Go on with a chain; after each `every` sweeps put its colours and its energy into a row of kept, energies."""
    N, C = s.shape[0], U.shape[0]
    u, p = np.empty(2 * N), np.empty(C)
    for row in range(energies.shape[0]):
        for _ in range(every):
            sweep(columns, U, s, M, p, random, noise, u)
        energies[row] = energy(U, s, M)
        for i in range(N):
            kept[row, i] = s[i]


@njit
def independent(columns, U, random, noise, sweeps, out):
    """Fill the rows of `out` (n, N) with the colours of chains that begin at random and do so many sweeps."""
    N, C = out.shape[1], U.shape[0]
    M, u, p = np.empty((C, N)), np.empty(2 * N), np.empty(C)
    for row in range(out.shape[0]):
        s = out[row]
        uniforms(noise, u)
        scatter(s, C, u)
        fields(columns, s, M)
        for _ in range(sweeps):
            sweep(columns, U, s, M, p, random, noise, u)


class Chain:
    """One chain in motion.

    Parameters
    ----------
    J, U : ndarray, shapes (N, N) and (C, C)
        Couplings of sites and colours; the diagonal of J vanishes.
    s : ndarray of int8, shape (N,)
        Its colours, changed in place.
    noise : ndarray
        From `tsphys.numerics.random.stream`.
    random : bool
        Visit random sites; one after the other otherwise.
    """

    def __init__(self, J: np.ndarray, U: np.ndarray, s: np.ndarray, noise: np.ndarray, random: bool = True):
        self.columns, self.U = np.ascontiguousarray(J.T), np.ascontiguousarray(U)
        self.s, self.noise, self.random = s, noise, random
        self.M = np.empty((len(U), len(J)))
        fields(self.columns, s, self.M)

    def run(self, rows: int, every: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Do rows·every sweeps; colours (rows, N) and energies (rows,) after each `every` of them."""
        kept, energies = np.empty((rows, len(self.s)), np.int8), np.empty(rows)
        run(self.columns, self.U, self.s, self.M, self.random, self.noise, every, kept, energies)
        return kept, energies


def cost(N: int, C: int) -> float:
    """Nanoseconds of a sweep, about."""
    return N * (20.0 + 10.0 * C + C * C + 0.3 * N)


def sequences(
    J: np.ndarray, U: np.ndarray, count: int, sweeps: int, noise: np.ndarray, random: bool = True,
    report: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:  # fmt: skip
    """Colours (count, N) of independent chains after so many sweeps from random colours, int8."""
    columns, U = np.ascontiguousarray(J.T), np.ascontiguousarray(U)
    out = np.empty((count, len(J)), np.int8)
    piece = max(1, int(PIECE / (cost(len(J), len(U)) * max(sweeps, 1))))
    for low in range(0, count, piece):
        report(low / count)
        independent(columns, U, random, noise, sweeps, out[low : low + piece])
    return out


def sample(
    J: Any,
    U: Any,
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
    """Samples of exp(−H), H = −½ Σ_{i≠j} J_ij U_{s_i s_j}, from chains that begin at random colours.

    Parameters
    ----------
    J, U : array_like, shapes (N, N) and (C, C)
        Symmetric couplings of sites, without a diagonal, and of colours; a temperature is in them.
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
    J, U = matrices(J, U)
    word("order", order, ORDERS)
    if engine not in ("direct", "cuda"):
        raise ModelError("engine", engine, "must be direct or cuda")
    chains, samples, every = (
        number(name, value, kind=int, low=1) for name, value in (("chains", chains), ("samples", samples),
                                                                 ("every", every))
    )  # fmt: skip
    burn_in = number("burn_in", burn_in, kind=int, low=0)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    threads = thread_count(threads)
    random = order == "random"
    colours, energies = np.empty((chains, samples, len(J)), np.int8), np.empty((chains, samples))
    if engine == "cuda":
        from tsphys.sims.engines.potts.cuda_potts import run as on_device

        on_device(J, U, random, seed, burn_in, every, colours, energies, progress)
        return colours, energies
    total = burn_in + samples * every
    piece = max(1, int(PIECE / cost(len(J), len(U)) / every))

    def work(index: int, report: Callable[[float], None]) -> None:
        noise = stream(seed, index, "potts")
        chain = Chain(J, U, start(len(J), len(U), noise), noise, random)
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


def matrices(J: Any, U: Any) -> tuple[np.ndarray, np.ndarray]:
    """J and U as arrays, checked to be couplings of a Hamiltonian."""
    J, U = array("J", J, (None, None)), array("U", U, (None, None))
    for name, a, least in (("J", J, 1), ("U", U, 2)):
        if a.shape[0] != a.shape[1] or len(a) < least or not np.allclose(a, a.T, rtol=1e-12, atol=1e-12):
            raise ModelError(name, f"array of shape {a.shape}", "must be a symmetric matrix")
    if np.diagonal(J).any():
        raise ModelError("J", "array with a diagonal", "must have a zero diagonal")
    if len(U) > 127:
        raise ModelError("U", f"array of shape {U.shape}", "must have at most 127 colours")
    return J, U
