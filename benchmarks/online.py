"""The benchmarks of the engines: each section is a function from a setting to rows."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tsphys.benchmarks import external, limit, naive_numba, plain_numpy, plain_torch
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved, seconds_of, steps_for
from tsphys.errors import DivergedError
from tsphys.numerics.lanes import WIDTH
from tsphys.runs.replicas import over_replicas

#: Engine `exact` with as many replicas as run in vector registers, a step of one of them.
TOGETHER = f"exact, {WIDTH} side by side"
#: Prints the most memory of a process in MB: Linux counts in kB, macOS in bytes.
PEAK = (
    "import sys; resource = __import__('resource') if sys.platform != 'win32' else None; "
    "unit = 1e6 if sys.platform == 'darwin' else 1e3; "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit if resource else 'nan')"
)
#: Load α of the training set in the section `inputs`.
LOAD = 2.0
#: Sizes of the section `sizes`.
SIZES = (10**3, 10**4, 10**6, 10**9)


def engine(
    setting: Setting, name: str, dtype: Any = np.float64, replica: int = 0, **parameters: Any
) -> Callable[[int], object]:
    """A replica of an engine of tsphys as the function ``advance(steps)``, with other parameters of the model."""
    from importlib import import_module

    from tsphys.rules.starts import drawn_start

    module = import_module(f"tsphys.sims.engines.online.{name}")
    model = replace(setting.model, **parameters)
    begin = drawn_start(model, setting.N, 0, replica)
    run = module.start_replica(model.learning_rule(), setting.N, begin, 0, replica, np.dtype(dtype))
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        reached = run(done, done + steps)[0]
        if reached < done + steps:
            raise DivergedError(f"engine {name} diverged after {reached} steps", t=reached / setting.N)
        done = reached

    return advance


def side_by_side(setting: Setting) -> Callable[[int], object]:
    """Eight replicas of engine `exact` in one, as the function ``advance(steps)`` of which a step is one of each."""
    from tsphys.rules.starts import drawn_starts
    from tsphys.sims.engines.online import beside

    rule, ids = setting.model.learning_rule(), range(beside.WIDTH)
    (block,) = beside.blocks(rule, setting.N, drawn_starts(setting.model, setting.N, 0, ids), 0, ids, 2048)
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        reached = block(done, done + steps)[0]
        if reached < done + steps:
            raise DivergedError(f"a replica diverged after {reached} steps", t=reached / setting.N)
        done = reached

    return advance


def draws_of_chain(setting: Setting) -> Callable[[int], object]:
    """The normals and the χ² of a step of engine `exact`, drawn as fast as we can: no chain is faster."""
    from tsphys.sims.engines.online import exact

    draws = exact.Draws(setting.model.learning_rule(), setting.N - setting.K - setting.M, exact.SCALARS)
    draws.begin(next(exact.seeded(0, [0])))

    def advance(steps: int) -> None:
        while steps > 0:
            steps -= len(draws.take(steps)[0])

    return advance


def references(setting: Setting) -> dict[str, Callable[[int], object]]:
    """The reference implementations that are there."""
    cases = {"plain NumPy": plain_numpy.start(setting), "naive Numba": naive_numba.start(setting)}
    if plain_torch.installed():
        cases["PyTorch"] = plain_torch.start(setting)
    for command in setting.external:
        words = shlex.split(command)
        cases[os.path.basename(words[0]) if words else command] = external.start(setting, command)
    return cases


def engines(setting: Setting) -> list[Row]:
    """Time of a step of the engines and of the references, and their ratios; everything on one thread."""
    others = references(setting)
    ours = {
        "direct": engine(setting, "direct"),
        "direct float32": engine(setting, "direct", np.float32),
        "exact": engine(setting, "exact"),
        TOGETHER: side_by_side(setting),
    }
    bounds = {
        "limit": limit.start(setting),
        "limit float32": limit.start(setting, np.float32),
        "draws of exact": draws_of_chain(setting),
    }
    programs = list(others)[len(others) - len(setting.external) :] if setting.external else []
    times = interleaved({**others, **ours, **bounds}, setting.seconds, setting.rounds, setting.steps, programs)
    times[TOGETHER] /= WIDTH
    section = f"time of a step, K = {setting.K}, M = {setting.M}, N = {setting.N}, erf, one thread"
    rows = [row(section, name, 1e6 * t, "µs") for name, t in times.items()]
    rows += [
        ratio("how many times faster", f"{mine} than {other}", times[other], times[mine])
        for other in others
        for mine in ours
    ]
    far = "distance from the limit (draw the inputs with the fastest generator, go over the weights once)"
    rows.append(ratio(far, "direct / limit", times["direct"], times["limit"]))
    rows.append(ratio(far, "direct float32 / limit float32", times["direct float32"], times["limit float32"]))
    far = "distance from the limit (draw what a step of the chain wants)"
    rows += [ratio(far, f"{name} / draws", times[name], times["draws of exact"]) for name in ("exact", TOGETHER)]
    return rows


def by_inputs(setting: Setting) -> list[Row]:
    """CPU time of a step of engine `direct` by where its inputs come from, beside what the processor does at best."""
    inputs: dict[str, dict[str, Any]] = {
        "Gaussian": {},
        "±1": {"inputs": "binary"},
        f"stored, α = {LOAD:g}": {"alpha": LOAD},
    }
    bound = "its multiply-adds, from the first cache"
    cases: dict[str, Any] = {name: engine(setting, "direct", **more) for name, more in inputs.items()}
    cases[bound] = limit.multiply_adds(setting)
    cases["±1 at N = 16: the rule, its noise and what else does not grow with N"] = engine(
        replace(setting, N=max(16, setting.K + setting.M)), "direct", inputs="binary"
    )
    times = interleaved(cases, setting.seconds, setting.rounds, setting.steps, clock=time.process_time)
    section = f"direct, CPU time of a step, K = {setting.K}, M = {setting.M}, N = {setting.N}, erf"
    rows = [row(section, name, 1e6 * t, "µs") for name, t in times.items()]
    return rows + [ratio(section, f"{name} / {bound}", times[name], times[bound]) for name in inputs]


def on_threads(setting: Setting, name: str) -> dict[int, np.ndarray]:
    """Seconds, in each round, that an engine's replicas take on 1, 2, 4, … threads; two replicas a thread at most."""
    counts = [n for n in range(1, setting.threads + 1) if n == setting.threads or n & (n - 1) == 0]
    runs = [engine(setting, name, replica=r) for r in range(2 * setting.threads)]
    for run in runs:
        run(1)
    # The pool waits for the last replica: its work must be long against the start of a thread.
    piece = setting.steps or steps_for(runs[0], max(setting.seconds / setting.rounds, 0.02))

    def on(count: int) -> Callable[[int], None]:
        return lambda steps: over_replicas(lambda r, _: runs[r](steps), range(len(runs)), threads=count)

    times = interleaved({str(n): on(n) for n in counts}, setting.seconds, setting.rounds, piece)
    return {n: times[str(n)] for n in counts}


def threads(setting: Setting) -> list[Row]:
    """Speed-up of replicas over threads."""
    section = f"speed-up by threads, {2 * setting.threads} replicas"
    rows = []
    for name in ("direct", "exact"):
        times = on_threads(setting, name)
        rows += [ratio(section, f"{name}, {n} threads", times[1], t) for n, t in times.items() if n > 1]
    return rows


def sizes(setting: Setting) -> list[Row]:
    """Cost of a step of `exact` against N."""
    cases = {f"N = {n:.0e}": engine(replace(setting, N=n), "exact") for n in SIZES if n >= setting.K + setting.M}
    times = interleaved(cases, setting.seconds, setting.rounds, setting.steps)
    section = f"exact, time of a step against N, K = {setting.K}, M = {setting.M}"
    rows = [row(section, name, 1e6 * t, "µs") for name, t in times.items()]
    smallest = times[next(iter(cases))]
    worst = max(cases, key=lambda name: abs(np.median(times[name] / smallest) - 1))
    rows.append(ratio(section, f"{worst} / {next(iter(cases))} (the farthest from 1)", times[worst], smallest))
    return rows


def cold_start(setting: Setting) -> list[Row]:
    """From starting ``tsphys simulate`` to its end after a first step, with an empty cache of machine code and with a
    filled one, and the most memory that it takes."""
    rows = []
    section = "`tsphys simulate two_layer` from its start to its end after one step"
    options = {"K": setting.K, "M": setting.M, "lr": setting.lr, "noise": setting.noise, "N": setting.N}
    for name in ("direct", "exact"):
        with tempfile.TemporaryDirectory() as folder:
            words = ["simulate", "two_layer", "--engine", name, "-t", str(1 / setting.N), "-r", "1", "--force"]
            words += [word for key, value in options.items() for word in ("--" + key.replace("_", "-"), str(value))]
            words += ["-o", os.path.join(folder, "run.npz")]
            code = f"from tsphys.cli import tsphys; tsphys.main({words}, 'tsphys', standalone_mode=False); {PEAK}"
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder}

            peaks: list[float] = []

            def run(
                _: int, code: str = code, environment: dict[str, str] = environment, peaks: list[float] = peaks
            ) -> None:
                done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE)
                peaks.append(float(done.stdout.split()[-1]))

            rows.append(row(section, f"{name}, nothing cached", seconds_of(run, 1), "s"))
            rows.append(row(section, f"{name}, cached", [seconds_of(run, 1) for _ in range(3)], "s"))
            # There is no such number on Windows.
            if np.isfinite(peaks).all():
                rows.append(row(section, f"{name}, most memory, nothing cached", peaks[0], "MB"))
                rows.append(row(section, f"{name}, most memory, cached", peaks[1:], "MB"))
    return rows
