"""Gibbs sampler of Potts chains on a GPU: a chain a thread, with the visit of the CPU's sampler."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tsphys._cuda import cuda, device, fitting, kernel, require
from tsphys.numerics import single
from tsphys.numerics.random import generator
from tsphys.sims.engines.potts.visits import FORMS, Couplings, change, draw, energy, fields, logits

#: Threads a block; few, so that a thousand chains are spread over all multiprocessors.
THREADS = 32
#: Visits of a launch, short against a display's watchdog.
VISITS = 20_000


@cache
def sweeps_kernel(form: str, C: int) -> Any:
    """The kernel for C colours, a constant in it: an array in a thread's own memory needs one."""

    def sweeps(A, U, h, kappa, steep, all_s, all_G, all_src, random, fresh, count, energies):
        k = cuda.grid(1)
        if k >= all_s.shape[1]:
            return
        s, G = all_s[:, k], all_G[:, :, k]
        p, src = cuda.local.array(C, np.float64), cuda.local.array(4, np.uint64)
        for word in range(4):
            src[word] = all_src[k, word]
        if fresh:
            fields(A, h, s, G)
        N = s.shape[0]
        for _ in range(count):
            for t in range(N):
                u = single.uniform(src)
                i = min(N - 1, int(single.uniform(src) * N)) if random else t
                logits(A, U, h, kappa, G, p, i)
                new, old = draw(p, C, steep, u), s[i]
                if new != old:
                    s[i] = new
                    change(A, G, i, old, new)
        energies[k] = energy(U, h, s, G)
        for word in range(4):
            all_src[k, word] = src[word]

    made: dict[Any, Any] = {}
    for plain, own in FORMS[form].items():
        made[plain] = device(own, made)
    return kernel(sweeps, made)


def run(
    model: Couplings, random: bool, seed: int, burn_in: int, every: int, colours: np.ndarray,
    energies: np.ndarray, progress: Callable[[float], None] | None = None,
) -> None:  # fmt: skip
    """Fill colours (chains, samples, N) and energies (chains, samples), as many chains at once as the device holds.

    Raises
    ------
    ModelError
        If there is no device.
    """
    require()
    chains, samples, N = colours.shape
    C = model.h.shape[1]
    most = fitting(N * (8 * C + 1) + 64)
    arrays = (*map(cuda.to_device, model.arrays[:3]), *model.arrays[3:])
    piece = max(1, VISITS // N)
    for low in range(0, chains, most):
        ids = range(low, min(chains, low + most))
        # The last axis runs over the chains, so that threads side by side read side by side.
        s = np.array([generator(seed, k, "potts start").integers(0, C, N, dtype=np.int8) for k in ids]).T
        s = cuda.to_device(np.ascontiguousarray(s))
        src = cuda.to_device(np.array([single.states(seed, k, "potts", 1)[0] for k in ids]))
        G = cuda.to_device(np.zeros((*model.fields().shape, len(ids))))
        H = cuda.to_device(np.zeros(len(ids)))
        launch = sweeps_kernel(model.form, C)[-(-len(ids) // THREADS), THREADS]
        launch(*arrays, s, G, src, random, True, 0, H)
        for row in range(samples):
            left = every + (burn_in if row == 0 else 0)
            while left > 0:
                now = min(left, piece)
                launch(*arrays, s, G, src, random, False, now, H)
                left -= now
            colours[low : low + len(ids), row] = s.copy_to_host().T
            energies[low : low + len(ids), row] = H.copy_to_host()
            if progress is not None:
                progress((low + len(ids) * (row + 1) / samples) / chains)
