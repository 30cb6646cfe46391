"""A graphics card in some minutes: laws and bits of engine `cuda` against those of the CPU, and times beside it.

    python -m tsphys.benchmarks.device               # on a machine with a device
    NUMBA_ENABLE_CUDASIM=1 python -m tsphys.benchmarks.device --little    # the script itself, without one

It ends with 1 if a law or a bit is not what it should be.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np
from scipy import stats

import tsphys
from tsphys._cuda import require
from tsphys.errors import ModelError
from tsphys.runs.replicas import available_threads

#: Probability of a false alarm of the script, over all distributions that it compares.
ALARM = 1e-4

Case = tuple[Any, dict[str, Any], str, str]


def cases(little: bool) -> dict[str, Case]:
    """Name -> model, options, the engine of the CPU, and the observable whose distribution is compared."""
    N = 6 if little else 1000
    erf: dict[str, Any] = {"K": 2, "M": 2, "lr": 0.8, "noise": 0.2}
    times = {"N": N, "t": [1 / 3 if little else 10]}
    found: dict[str, Case] = {
        "chain": (tsphys.TwoLayer(**erf), times, "exact", "eps_g"),
        "weights": (tsphys.TwoLayer(**erf, inputs="binary"), times, "direct", "eps_g"),
    }
    if not little:
        found["spins"] = (tsphys.Hopfield(T=0.3, alpha=0.05), {"N": N, "t": [20]}, "direct", "m")
    return found


def run(model: Any, options: dict[str, Any], engine: str, replicas: int, **more: Any) -> tuple[Any, float]:
    """The result, and wall-clock seconds a replica."""
    begun = time.perf_counter()
    result = tsphys.simulate(model, engine=engine, replicas=replicas, **options, **more)
    return result, (time.perf_counter() - begun) / replicas


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
    for name, (model, options, engine, seen) in tried.items():
        for kind in ("cuda", engine):
            run(model, options, kind, 2, seed=1)
        ours, device = run(model, options, "cuda", many, seed=2)
        again, _ = run(model, options, "cuda", 2, seed=2)
        theirs, alone = run(model, options, engine, few, seed=3, threads=1)
        _, together = run(model, options, engine, few, seed=4, threads=cores)
        same = all(np.array_equal(ours[k][:2], again[k][:2]) for k in ("R", "Q", seen) if k in ours.observables)
        p = stats.ks_2samp(ours[seen][:, -1].ravel(), theirs[seen][:, -1].ravel()).pvalue
        lawful = p * len(tried) > ALARM
        wrong += (not same) + (not lawful)
        print(f"{name}: bits of a replica {'stay' if same else 'CHANGE'} with those beside it")
        print(f"{name}: law of {seen} {'is' if lawful else 'IS NOT'} that of engine {engine}, p = {p:.2g}")
        print(f"{name}: times faster than one core {alone / device:.3g}, than {cores} cores {together / device:.3g}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
