"""A graphics card in some minutes: laws and bits of engine `cuda` against those of the CPU, and times beside it.

    python -m tsphys.benchmarks.device               # on a machine with a device
    NUMBA_ENABLE_CUDASIM=1 python -m tsphys.benchmarks.device --little    # the script itself, without one

It ends with 1 if a law or a bit is not what it should be.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

import tsphys
from tsphys._cuda import require
from tsphys.errors import ModelError
from tsphys.runs.replicas import available_threads
from tsphys.sims.engines.potts import sample

#: Probability of a false alarm of the script, over all distributions that it compares.
ALARM = 1e-4

#: Sites and colours of a Potts glass, and its strength.
SITES, COLOURS, STRENGTH = 200, 4, 1.5
#: What a run of an engine shows: by name, a replica a row.
Shown = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """What runs on both sides.

    Parameters
    ----------
    run : callable
        ``run(engine, replicas, seed=…, threads=…)``.
    engine : str
        That of the CPU.
    seen : str
        What has the same distribution on both.
    """

    run: Callable[..., Shown]
    engine: str
    seen: str


def of_model(model: Any, engine: str, seen: str, **options: Any) -> Case:
    """A case of `tsphys.simulate`."""

    def run(engine: str, replicas: int, **more: Any) -> Shown:
        result = tsphys.simulate(model, engine=engine, replicas=replicas, **options, **more)
        return {name: result[name] for name in ("R", "Q", seen) if name in result.observables}

    return Case(run, engine, seen)


def potts(N: int, sweeps: int) -> Case:
    """Chains of a Potts glass by their energies after so many sweeps from random colours."""
    model = tsphys.PottsAttention(C=COLOURS, beta=STRENGTH)
    J, U = model.draw(N, 0, 0), model.colour_matrix()

    def run(engine: str, replicas: int, **more: Any) -> Shown:
        colours, energy = sample(J, U, chains=replicas, samples=1, burn_in=sweeps, engine=engine, **more)
        return {"colours": colours, "energy": energy}

    return Case(run, "direct", "energy")


def cases(little: bool) -> dict[str, Case]:
    """What is tried, by name."""
    N = 6 if little else 1000
    erf: dict[str, Any] = {"K": 2, "M": 2, "lr": 0.8, "noise": 0.2}
    times = {"N": N, "t": [1 / 3 if little else 10]}
    spins = {"N": 16 if little else N, "t": [1 if little else 20]}
    return {
        "chain": of_model(tsphys.TwoLayer(**erf), "exact", "eps_g", **times),
        "weights": of_model(tsphys.TwoLayer(**erf, inputs="binary"), "direct", "eps_g", **times),
        "spins": of_model(tsphys.Hopfield(T=0.6 if little else 0.3, alpha=0.05), "direct", "m", **spins),
        "Potts": potts(6 if little else SITES, 2 if little else 50),
    }


def timed(case: Case, engine: str, replicas: int, **more: Any) -> tuple[Shown, float]:
    """What is shown, and wall-clock seconds a replica."""
    begun = time.perf_counter()
    found = case.run(engine, replicas, **more)
    return found, (time.perf_counter() - begun) / replicas


def main(words: list[str] | None = None) -> int:
    """Print a line a check and a line a time; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--little", action="store_true", help="few replicas of few inputs, for the simulator")
    little = parser.parse_args(words).little
    try:
        require()
    except ModelError as error:
        parser.error(str(error))
    many, few, cores = (12, 12, 2) if little else (4096, 512, available_threads())
    wrong, tried = 0, cases(little)
    for name, case in tried.items():
        engine, seen = case.engine, case.seen
        for kind in ("cuda", engine):
            case.run(kind, 2, seed=1)
        ours, device = timed(case, "cuda", many, seed=2)
        again = case.run("cuda", 2, seed=2)
        theirs, alone = timed(case, engine, few, seed=3, threads=1)
        _, together = timed(case, engine, few, seed=4, threads=cores)
        same = all(np.array_equal(ours[k][:2], again[k]) for k in ours)
        p = stats.ks_2samp(ours[seen][:, -1].ravel(), theirs[seen][:, -1].ravel()).pvalue
        lawful = p * len(tried) > ALARM
        wrong += (not same) + (not lawful)
        print(f"{name}: bits of a replica {'stay' if same else 'CHANGE'} with those beside it")
        print(f"{name}: law of {seen} {'is' if lawful else 'IS NOT'} that of engine {engine}, p = {p:.2g}")
        print(f"{name}: times faster than one core {alone / device:.3g}, than {cores} cores {together / device:.3g}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
