"""Online SGD of the race between context and weights, prompt by prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.ground.times import course
from tsphys.models.weight_race import WeightRace
from tsphys.runs import frames

#: Prompts that are drawn at once, whatever the times are, so that these change nothing.
BLOCK = 2**14


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    t: Any = course("times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N)", default="0.1:100:40")
    N: int = param(10_000, "steps in a unit of time, each of the rate 1/N", kind=int, low=1, short="-N")
    each: bool = param(False, "also w of every class", kind=bool)

    def suited(self, models: Sequence[WeightRace]) -> Options:
        if self.t[-1] * self.N > 2**53:
            raise ModelError(
                "t", float(self.t[-1]), f"must be at most 2**53 steps, {2**53 / self.N:.4g} at N = {self.N}"
            )
        return self


def memory(models: Sequence[WeightRace], options: Options) -> frames.Memory:
    K = models[0].classes
    each = 8.0 * (10 * BLOCK + K * (6 + len(options.t) * (1 + options.each)))
    return frames.Memory(each, {"classes": K}, "the weights")


@njit
def trained(w, u, rate, decay, classes, bursty, sides):
    """SGD on prompts of these classes, bursty or not, for or against the own label of the class; returns u."""
    for i in range(len(classes)):
        k, m = classes[i], sides[i]
        beta = u * u if bursty[i] else 0.0
        g = 1.0 / (1.0 + np.exp(m * w[k] + beta))
        w[k] += rate * g * m
        u += rate * ((g * u if bursty[i] else 0.0) - decay * u)
    return u


@frames.courses(WeightRace, Options, memory=memory, dims={"w": ("class",)})
def simulate(model: WeightRace, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Train on prompt after prompt; observables as in the theory."""
    rng, K = replica.rng("prompts"), model.classes
    until = np.cumsum(model.frequencies())
    targets = np.rint(options.t * options.N).astype(int).tolist()
    w, u, done, used, rows = np.zeros(K), np.sqrt(model.start), 0, BLOCK, []
    for target in targets:
        while done < target:
            if used == BLOCK:
                classes = np.minimum(np.searchsorted(until, rng.random(BLOCK), side="right"), K - 1)
                bursty = rng.random(BLOCK) < model.bursty
                sides = np.where(bursty & (rng.random(BLOCK) < 0.5 * model.dynamic), -1.0, 1.0)
                used = 0
                tell(done / targets[-1])
            now = slice(used, min(BLOCK, used + target - done))
            u = trained(w, u, 1 / options.N, model.decay, classes[now], bursty[now], sides[now])
            done, used = done + now.stop - now.start, now.stop
        rows.append((u * u, w.copy()))
    beta, weights = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    return model.seen(beta, weights, options.each)
