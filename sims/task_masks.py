"""A mask for each task: the weights, under the masks of one task after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import DivergedError
from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.ground.times import course, whole_steps
from tsphys.models.task_masks import TaskMasks
from tsphys.physics.order_parameters import microscopic, need
from tsphys.runs import frames
from tsphys.sims.engines.online.direct import iterate
from tsphys.sims.engines.online.estimates import Masks

#: Numbers of inputs that are drawn at once.
AHEAD = 2**18


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    t: Any = course("times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N)", default="0.1:100:40")
    N: int = param(500, "input dimension, at least K + 2M", kind=int, low=2, short="-N")


memory = frames.room(lambda N, K, M: (8 * K + 6 * M + 1) * N + AHEAD, "N", "K", "M", what="weights and inputs")


@frames.courses(TaskMasks, Options, memory=memory, dims=TaskMasks.dims)
def simulate(model: TaskMasks, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw students and teachers with exactly these overlaps, and masks, and learn one task after the other.

    Observables as in the theory. What is seen at the switch, after round(t_s N) steps, is the end of the first task.
    """
    N, start = need(options.N, model.K, 2 * model.M), model.start()
    W, B = (np.ascontiguousarray(a) for a in microscopic(start, N, replica.rng("start")))
    masks, v, inputs = model.draw_masks(N, replica.rng("masks")), model.heads(), replica.rng("inputs")
    # One generator for both would depend on how many are drawn at once.
    noises, steps = replica.rng("noises"), whole_steps(options.t, N)
    last = int(steps[-1])
    # A switch beyond the end is one just beyond it.
    switch = max(1, round(min(model.switch, last / N + 2.0) * N))

    def examples(step: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = min(most, max(1, AHEAD // N))
        return inputs.standard_normal((n, N)), np.arange(n)[:, None], noises.standard_normal((n, 1, 1))

    def begun(task: int) -> Any:
        own, student = np.tile(masks[task], (model.K, 1)), model.student(task)
        rule, v_star = student.learning_rule(), student.readouts()[1]
        return iterate(rule, W * own, B, v[task], v_star, examples, more=Masks(None, own))

    rows, step, task, run = [], 0, 0, begun(0)
    for stop in map(int, steps):
        while True:
            target = stop if task else min(stop, switch)
            step, _, _, v[task] = run(step, target)
            if step < target:
                raise DivergedError(f"the student left every bound at t = {step / N:.4g}", t=step / N, partial=None)
            W = np.where(masks[task] > 0, run.W, W)
            if step == stop:
                break
            task, run = 1, begun(1)
        tell(step / max(last, 1))
        own = masks[:, None] * W
        R, Q = own @ B.T / N, own @ own.swapaxes(1, 2) / N
        rows.append({"eps_g": model.errors(R, Q, v), "R": R, "Q": Q, "v": v.copy()})
    return frames.stack(rows)
