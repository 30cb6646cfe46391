"""Many sweeps in one kernel, with what is observed after each."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys._jit import njit, once, rebind
from tsphys.numerics.random import uniforms
from tsphys.sims.engines.spins import averages, parallel
from tsphys.sims.engines.spins import updates as spins

#: Form of the field -> its sweep, its energy, and whether spins move one by one.
FORMS = {
    "overlap": (spins.sweep_pairwise, spins.energy_pairwise, True),
    "matrix": (spins.sweep_matrix, spins.energy_matrix, True),
    "table": (spins.sweep_table, spins.energy_table, True),
    "logarithm": (spins.sweep_logarithm, spins.energy_logarithm, True),
    "graded": (spins.sweep_graded, spins.energy_graded, True),
    "averages": (averages.sweep_averages, averages.energy_averages, True),
    "averages_logarithm": (averages.sweep_averages_logarithm, averages.energy_averages_logarithm, True),
    "parallel": (parallel.sweep_parallel, parallel.energy_parallel, False),
    "parallel_matrix": (parallel.sweep_parallel_matrix, parallel.energy_parallel_matrix, False),
}


@njit
def sweep(s, net, gamma, order, u):
    """Stands for the sweep of a form."""
    return 0


@njit
def energy(s, net):
    """Stands for the energy of a form."""
    return 0.0


@njit(fast=True)
def along(probe, s):
    """Σ_i probe_i s_i."""
    m = 0.0
    for i in range(s.shape[0]):
        m += probe[i] * s[i]
    return m


@njit
def drive(s, net, gamma, sequential, stream, order, u, probes, out, total):
    """Do a sweep for each row of `out` (n, 2 + c): energy per spin, flips per spin, and Σ_i probes_ai s_i after it.

    s (N,) int8, order (N,) int64, u (2N,) work, probes (c, N), total (N,): the states after each sweep are added to it.
    At T = 0 a sweep without a flip is the last that is done; the rest of `out` and `total` is what it would be.
    """
    N = s.shape[0]
    for t in range(out.shape[0]):
        uniforms(stream, u if sequential else u[N:])
        if sequential:
            spins.shuffle(order, u[:N])
        flips = sweep(s, net, gamma, order, u[N:])
        out[t, 0] = energy(s, net) / N
        out[t, 1] = flips / N
        for a in range(probes.shape[0]):
            out[t, 2 + a] = along(probes[a], s)
        settled = flips == 0 and gamma == np.inf
        for i in range(N):
            total[i] += s[i]
        if settled:
            for i in range(N):
                total[i] += (out.shape[0] - t - 1) * s[i]
            for rest in range(t + 1, out.shape[0]):
                for a in range(out.shape[1]):
                    out[rest, a] = out[t, a]
            break


@once
def driver(form: str) -> Any:
    """`drive` for a form of the field."""
    step, total, _ = FORMS[form]
    return rebind(drive, {sweep: step, energy: total}, tag=form)
