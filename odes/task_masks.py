"""A mask for each task, N → ∞: closed equations in the coordinates that one task has, the other, or both.

In each of the three classes the parts of the overlaps move as those of `tsphys.odes.pruned`, and only while a task
that has them is learned; the fields of task s are sums over its two classes. What the first task has alone is frozen
after the switch: without common coordinates nothing is forgotten. The equations are our own.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.task_masks import TaskMasks
from tsphys.odes.equations.modes import Modes, kept, split
from tsphys.odes.equations.phases import Leg, through_phases
from tsphys.rules.phases import Phase, State
from tsphys.runs import frames


@frames.flow(TaskMasks, frames.Options, dims=TaskMasks.dims)
def solve(model: TaskMasks, options: frames.Options) -> frames.Equations:
    """Solve the equations of motion through the switch, and observe both tasks at the times t = steps/N.

    What masks that are drawn make of a start differs from the mean by O(1/√N), which is left out. The tolerances are
    1e-10 and 1e-12 by default.

    Returns
    -------
    dict
        Over the times: ``eps_g`` (…, 2), half the mean squared errors without noise; ``R`` (…, 2, K, 2M) and ``Q``
        (…, 2, K, K) of what each task has of the weights; heads ``v`` (…, 2, K). ``meta["phases"]`` has t, R, Q and v
        at the beginning of each task.
    """
    f, member = model.classes()
    start, K, M = model.start(), model.K, 2 * model.M
    T, heads = np.array(start.T), model.heads()
    sizes = np.cumsum([3 * K * M, 3 * K * K])

    def parts(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        r, q, v = np.split(y, sizes, axis=-1)
        ahead = y.shape[:-1]
        return r.reshape(*ahead, 3, K, M), q.reshape(*ahead, 3, K, K), v.reshape(*ahead, 2, K)

    def joined(*rqv: np.ndarray) -> np.ndarray:
        return np.concatenate([a.reshape(len(a), math.prod(a.shape[1:])) for a in rqv], axis=1)

    def seen(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """R, Q and v of both tasks."""
        r, q, v = parts(y)
        return np.einsum("c,cs,...cij->...sij", f, member, r), np.einsum("c,cs,...cij->...sij", f, member, q), v

    def leg(task: int, y: np.ndarray, atol: float) -> Leg:
        own, (r, q, v) = member[:, task] > 0, parts(y)
        # A class of no coordinates is followed as well, as the other modes drive it.
        modes = Modes(
            e=np.ones(2), weight=f[own], t=np.broadcast_to(T, (2, M, M)), r=r[own], q=q[own], T=T
        )  # fmt: skip

        def back(z: np.ndarray) -> np.ndarray:
            whole = [np.repeat(a[None], len(z), axis=0) for a in (r, q, v)]
            whole[0][:, own], whole[1][:, own], whole[2][:, task] = split(modes, z)
            return joined(*whole)

        z = np.concatenate([modes.r.ravel(), modes.q.ravel(), v[task]])
        alike = kept(model.student(task), modes, z)
        return Leg(alike.rates, alike.start, atol, lambda z: back(alike.over(z)))

    def state(time: float, y: np.ndarray) -> State:
        R, Q, v = seen(y)
        return State(time, R, Q, T, v, np.ones(M))

    def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> frames.Solution:
        tasks = iter((0, 1))
        y0 = joined(*(np.repeat(a[None, None], 3, 1) for a in (start.R, start.Q)), heads[None])[0]
        return through_phases(
            lambda i, now: Phase({}, until=model.switch) if i == 0 else Phase({}),
            lambda phase, y: leg(next(tasks), y, atol), state, y0, t, rtol=rtol, method=method,
        )  # fmt: skip

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q, v = seen(y)
        return {"eps_g": model.errors(R, Q, v), "R": R, "Q": Q, "v": v}

    return frames.Equations((follow,), observe, 1e-10, 1e-12)


def forgotten(model: TaskMasks, since: np.ndarray) -> np.ndarray:
    """F = eps_g of the first task minus what it was at its end, times `since` after the switch, of one linear unit.

    In the limit η → 0, of a first task that was learned to its end, with a head that stays one: F = oρ (1 − V)
    (1 − e^{−ηt})². For t → ∞ it holds at any η.

    Raises
    ------
    ModelError
        If the student is another.
    """
    units = model.activation == "linear" and model.K == model.M == 1
    if not (units and model.lr_v == 0 and model.v in (None, ((1.0,), (1.0,)))):
        raise ModelError("model", f"{model.K} {model.activation} units", "must be one linear unit with heads of one")
    return model.overlap * model.density * (1 - model.similarity) * (1 - np.exp(-model.lr * np.asarray(since))) ** 2
