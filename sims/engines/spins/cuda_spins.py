"""Engine `cuda` of Hebbian networks of ±1 spins: the form `overlap` with a block a replica, its threads over patterns.

The overlap of a pattern belongs to one thread, which alone reads and changes it. What couples the threads is the field
of the visited spin, a sum over all patterns, from which every thread takes the same decision.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from tsphys._cuda import cuda, device, fitting, kernel
from tsphys.ground.progress import share
from tsphys.numerics import random, single
from tsphys.numerics.single import uniform
from tsphys.runs.points import stack
from tsphys.sims.engines.spins import hebbian
from tsphys.sims.engines.spins.chain import Network
from tsphys.sims.engines.spins.updates import heat_bath, narrowest

#: Threads a block.
THREADS = 32
#: Visits of spins of all replicas in a launch: short enough for progress, an interrupt and a display's watchdog.
PIECE = 2**27


@cache
def sweeps_kernel(threads: int) -> Any:
    """The kernel for blocks of so many threads."""

    def sweeps(all_X, all_A, all_s, all_order, all_src, P, gamma, n, all_out, all_total):
        block = cuda.blockIdx.x
        X, A, s, order = all_X[block], all_A[block], all_s[block], all_order[block]
        src, out, total = all_src[block], all_out[block], all_total[block]
        lane, N, width = cuda.threadIdx.x, s.shape[0], A.shape[0]
        # |Σ ξ A| ≤ N·P, which the memory bounds; Σ A² ≤ P·N² may not fit 64 bits.
        part = cuda.shared.array(threads, np.int64)
        power = cuda.shared.array(threads, np.float64)
        # The simulator knows a shared array by its line.
        site = cuda.shared.array(1, np.int64)
        chance = cuda.shared.array(1, np.float64)
        up, down = np.int8(1), np.int8(-1)
        for t in range(n):
            flips = 0
            for visit in range(N):
                if lane == 0:
                    # Every spin once in a random order, as on the CPU.
                    other = visit + np.int64(uniform(src) * (N - visit))
                    i = order[other]
                    order[other] = order[visit]
                    order[visit] = i
                    site[0] = i
                    chance[0] = uniform(src)
                cuda.syncthreads()
                i, u = site[0], chance[0]
                own = np.int64(0)
                for j in range(lane, width, threads):
                    own += np.int64(X[i, j]) * np.int64(A[j])
                part[lane] = own
                old = s[i]
                cuda.syncthreads()
                raw = np.int64(0)
                for j in range(threads):
                    raw += part[j]
                new = heat_bath((raw - np.int64(old) * P) / N, old, up, down, gamma, 0.0, u)
                if new != old:
                    change = np.int64(new) - np.int64(old)
                    for j in range(lane, width, threads):
                        A[j] += change * np.int64(X[i, j])
                    if lane == 0:
                        s[i] = new
                    flips += 1
            square = 0.0
            for j in range(lane, width, threads):
                square += np.float64(A[j]) * np.float64(A[j])
            power[lane] = square
            cuda.syncthreads()
            settled = flips == 0 and gamma == np.inf
            times = n - t if settled else 1
            if lane == 0:
                squares = 0.0
                for j in range(threads):
                    squares += power[j]
                out[0] += times * -0.5 * (squares / N - P) / N
                out[1] += flips / N
                for a in range(out.shape[0] - 2):
                    out[2 + a] += times * A[a] / N
            for i in range(lane, N, threads):
                total[i] += times * s[i]
            if settled:
                break
            cuda.syncthreads()

    made: dict[Any, Any] = {}
    made[random.uniform] = device(single.uniform, made)
    made[heat_bath] = device(heat_bath, made)
    return kernel(sweeps, made)


class Chains:
    """Networks of equal size in motion, with the patterns of each in X (N, padded P) of its `net`."""

    @staticmethod
    def most(N: int, width: int) -> int:
        """Replicas that the device holds."""
        return fitting(N * width + 4 * width + 32 * N)

    def __init__(
        self, networks: Sequence[Network], starts: Sequence[np.ndarray], P: int, seed: int, ids: Any, name: str
    ):
        self.networks, self.P = networks, P
        nets = [network.attach(s) for network, s in zip(networks, starts, strict=True)]
        self.nets = nets
        self.N, self.followed = len(starts[0]), len(networks[0].probes)
        self.X = cuda.to_device(np.array([net[0] for net in nets]))
        # |A_μ| ≤ N.
        self.A = cuda.to_device(np.array([net[2] for net in nets], narrowest(max(self.N, 2**15))))
        self.s = cuda.to_device(np.array(starts, np.int8))
        self.order = cuda.to_device(np.tile(np.arange(self.N), (len(nets), 1)))
        self.src = cuda.to_device(np.array([single.states(seed, replica, f"cuda {name}", 1)[0] for replica in ids]))

    def sweeps(self, n: int, gamma: float, report: Callable[[int], None]) -> tuple[np.ndarray, np.ndarray]:
        """Do n sweeps; means of (energy, flips, overlaps…) over them (replicas, 2 + c), and of spins (replicas, N)."""
        count = len(self.networks)
        out = cuda.to_device(np.zeros((count, 2 + self.followed)))
        total = cuda.to_device(np.zeros((count, self.N), np.int64))
        piece = max(1, PIECE // (count * self.N))
        run = sweeps_kernel(THREADS)[count, THREADS]
        for low in range(0, n, piece):
            now = min(piece, n - low)
            run(self.X, self.A, self.s, self.order, self.src, self.P, gamma, now, out, total)
            cuda.synchronize()
            report(low + now)
        return out.copy_to_host() / max(n, 1), total.copy_to_host() / max(n, 1)

    def now(self) -> np.ndarray:
        """(energy, 0, overlaps…) (replicas, 2 + c) of the states."""
        A = self.A.copy_to_host().astype(np.float64)
        energy = -0.5 * ((A**2).sum(axis=1) / self.N - self.P) / self.N
        return np.column_stack([energy, np.zeros(len(A)), A[:, : self.followed] / self.N])


@dataclasses.dataclass(frozen=True)
class Seen:
    """What `hebbian.observables` needs to know of a chain."""

    network: Network
    s: np.ndarray
    net: tuple[Any, ...]


def over(build: Any, model: Any, p: hebbian.Plan, count: Callable[[Any], int], width: int) -> Callable[..., None]:
    """What brings the replicas of a plan about on the device, in the place of `tsphys.runs.replicas.over_replicas`.

    Parameters
    ----------
    build : callable
        ``build(model, replica, point) -> Network`` of the form `overlap`.
    count : callable
        Number of patterns of a model.
    width : int
        Length of the longest row of patterns.
    """

    def run(work: Any, todo: Sequence[int], *, threads: int, progress: Any = None, finished: Any = None) -> None:
        most = Chains.most(p.N, width)
        for low in range(0, len(todo), most):
            ids = todo[low : low + most]

            def report(fraction: float, low: int = low, n: int = len(ids)) -> None:
                if progress is not None:
                    progress((low + n * fraction) / len(todo))

            found = (_in_time if p.axis == "t" else _static)(build, model, p, count, ids, report)
            for replica, row in zip(ids, found, strict=True):
                if finished is not None:
                    finished(replica, row)

    return run


def _chains(build: Any, here: Any, p: hebbian.Plan, count: Any, ids: Sequence[int], point: int) -> Chains:
    networks = [build(here, replica, point) for replica in ids]
    starts = [network.initial(p, replica, point) for network, replica in zip(networks, ids, strict=True)]
    return Chains(networks, starts, count(here), p.seed, ids, f"{here.name} {point}")


def _gamma(T: float) -> float:
    return np.inf if T == 0 else 2.0 / T


def _static(build: Any, model: Any, p: Any, count: Any, ids: Any, report: Callable[[float], None]) -> list[Any]:
    """All replicas over an axis of parameters, each point anew or one state carried along."""
    points: list[list[Any]] = [[] for _ in ids]
    half = p.sweeps // 2
    each = p.equilibration + p.sweeps
    chains: Any = None
    for i, value in enumerate(p.values.tolist()):
        here = dataclasses.replace(model, **{p.axis: value})
        if chains is None or p.protocol == "quench":
            chains = _chains(build, here, p, count, ids, i)
        done, halves = 0, []
        for n in (p.equilibration, half, p.sweeps - half):
            halves.append(
                chains.sweeps(
                    n, _gamma(here.T), lambda k, i=i, done=done: report((i + (done + k) / each) / len(p.values))
                )
            )
            done += n
        s = chains.s.copy_to_host()
        for r, network in enumerate(chains.networks):
            # Rows of equal weight a sweep, as `observables` takes their mean.
            first, second = (
                (np.broadcast_to(rows[r], (n, rows.shape[1])), means[r])
                for (rows, means), n in zip(halves[1:], (half, p.sweeps - half), strict=True)
            )
            points[r].append(hebbian.observables(Seen(network, s[r], chains.nets[r]), first, second))
            if p.keep_spins:
                points[r][-1]["spins"] = s[r].copy()
    return [stack(own) for own in points]


def _in_time(build: Any, model: Any, p: Any, count: Any, ids: Any, report: Callable[[float], None]) -> list[Any]:
    """All replicas observed after given numbers of sweeps."""
    chains = _chains(build, model, p, count, ids, 0)
    tables: list[np.ndarray] = []
    spins = []
    done, flips = 0, np.zeros(len(ids))
    for sweep in p.values.astype(np.int64).tolist():
        if sweep > done:
            if sweep - done > 1:
                chains.sweeps(sweep - done - 1, _gamma(model.T), share(report, done, 1, p.values[-1]))
            flips = chains.sweeps(1, _gamma(model.T), share(report, sweep, 0, p.values[-1]))[0][:, 1]
            done = sweep
        tables.append(chains.now())
        tables[-1][:, 1] = flips
        spins.append(chains.s.copy_to_host())
    table = np.array(tables)
    out = []
    for r, network in enumerate(chains.networks):
        found = {
            **hebbian.overlaps(network, table[:, r]),
            "energy": table[:, r, 0],
            "flips": table[:, r, 1],
        }
        out.append(found | ({"spins": np.array(spins)[:, r]} if p.keep_spins else {}))
    return out
