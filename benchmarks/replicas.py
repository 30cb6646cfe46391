"""What a replica costs besides its work: many of them that do one step, or draw one number."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, row
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static
from tsphys.runs import frames

#: Replicas of a run, unless the setting says how many steps.
MANY = 4000


@dataclass(frozen=True)
class Nothing(Static):
    """A number from the seed."""

    name: ClassVar[str] = "nothing"
    axes: ClassVar[tuple[str, ...]] = ("alpha",)

    alpha: float = param(1.0, "nothing")


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """A size, which a record has."""

    N: int = param(1, "nothing", kind=int, low=1)


@frames.instances(Nothing, Options, memory=lambda models, options: frames.Memory(8.0, {"N": options.N}))
def number(model: Nothing, options: Options, rng: np.random.Generator) -> dict[str, Any]:
    """Draw it."""
    return {"x": rng.standard_normal()}


def cases(setting: Setting) -> dict[str, Callable[[int], object]]:
    """Runs of so many replicas, each on one thread."""
    from tsphys import Perceptron, TwoLayer, simulate

    def of(model: Any, N: int, engine: str) -> Callable[[int], object]:
        return lambda n: simulate(model, N=N, t=[1 / N], engine=engine, replicas=n, threads=1)

    return {
        "two_layer, exact, N = 100, one step": of(TwoLayer(), 100, "exact"),
        "two_layer, direct, N = 10, one step": of(TwoLayer(), 10, "direct"),
        "two_layer, direct, N = 100, one step": of(TwoLayer(), 100, "direct"),
        "perceptron, exact, N = 100, one step": of(Perceptron(), 100, "exact"),
        "an instance that draws one number": lambda n: number(Nothing(), replicas=n, threads=1),
    }


def short(setting: Setting) -> list[Row]:
    """CPU time of a replica in all threads, so that what else the machine does counts little."""
    runs, many = cases(setting), setting.steps or MANY
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(10)
    for _ in range(setting.rounds):
        for name, run in runs.items():
            begun = time.process_time()
            run(many)
            times[name].append(1e6 * (time.process_time() - begun) / many)
    return [row(f"CPU time of a replica, {many} of them", name, t, "µs") for name, t in times.items()]
