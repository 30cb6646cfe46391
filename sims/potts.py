"""Sites of C colours, all coupled alike, by heat bath from an ordered or a disordered state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.models.potts import Potts
from tsphys.numerics.random import stream
from tsphys.runs import frames
from tsphys.runs.axis import Points
from tsphys.sims.engines.potts import sampler

#: Sweeps between two reports.
ROWS = 50


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(400, "sites", kind=int, low=2, high=20_000, short="-N")
    sweeps: int = param(500, "sweeps over which observables are averaged", kind=int, low=1)
    equilibration: int = param(100, "sweeps before that", kind=int, low=0)


def memory(models: Sequence[Potts], options: Options) -> frames.Memory:
    N = options.N
    return frames.Memory(16.0 * N * (N + ROWS + models[0].C), {"N": N}, "couplings")


@frames.replicated(Potts, Options, memory=memory)
def simulate(points: Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Move sites by heat bath from the phase that is asked for; observables as in the theory.

    A finite system leaves a metastable phase, and without a field the colour that it began with, after a time that
    grows exponentially with N.
    """
    N = options.N

    def at(i: int) -> dict[str, float]:
        model: Potts = points.models[i]
        C = model.C
        J, h = np.full((N, N), model.beta / N), np.zeros((N, C))
        np.fill_diagonal(J, 0.0)
        h[:, 0] = model.field
        start = np.zeros(N) if model.ordered else np.arange(N) % C
        noise = stream(*replica.key(f"heat bath {i}"))
        chain = sampler.Chain(sampler.couplings(J, np.eye(C), h), start.astype(np.int8), noise)
        # So many sweeps that one can be stopped between them.
        rows = max(1, min(ROWS, int(sampler.PIECE / sampler.cost(chain.model))))
        all_of_them, sums = options.equilibration + options.sweeps, np.zeros(3)
        for done in range(0, options.equilibration, rows):
            tell(done / all_of_them)
            chain.run(1, min(rows, options.equilibration - done))
        for done in range(0, options.sweeps, rows):
            tell((options.equilibration + done) / all_of_them)
            colours, energies = chain.run(min(rows, options.sweeps - done))
            shares = np.stack([(colours == a).mean(axis=1) for a in range(C)])
            sums += (shares**2).sum(), shares[0].sum(), energies.sum() / N
        square, first, energy = sums / options.sweeps
        return {"q": (C * square - 1) / (C - 1), "m": (C * first - 1) / (C - 1), "energy": energy}

    return replica.each(len(points.models), at)
