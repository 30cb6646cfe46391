"""Deep linear nets that learn tasks in turn: by gradient flow, or by steps on batches of fresh examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise

import numpy as np

from tsphys.errors import DivergedError, ModelError
from tsphys.ground.parameters import param
from tsphys.ground.progress import listening
from tsphys.ground.times import strides
from tsphys.models.plasticity import Plasticity
from tsphys.physics.flows.rank import effective_rank
from tsphys.runs import frames
from tsphys.sims.engines.gradient import DeepLinear, flow

#: Looks at a strength on its way, between which the time of a crossing is found.
LOOKS = 32
#: Tolerance of the flow; and by how much directions may decay in a step, which soon are far smaller than that.
RTOL, DECAY = 1e-10, 0.1


@dataclass(frozen=True, kw_only=True)
class Options(frames.Tasks):
    inputs: int = param(8, "inputs; there are as many hidden units and answers as directions", kind=int, low=1)
    batch: int = param(0, "fresh examples of a step; 0: gradient flow on all there are", kind=int, low=0)
    steps: int = param(500, "steps in a unit of time, on batches", kind=int, low=1, high=10**6)

    def suited(self, models: Sequence[Plasticity]) -> Options:
        for model in models:
            if self.inputs < model.modes:
                raise ModelError("inputs", self.inputs, f"must be >= modes = {model.modes}")
            # Largest curvature at what is asked for, and by how much a batch raises it.
            own = {"none": 0.0, "spectral": 2.0}.get(model.penalty, 1.0) * model.strength
            curvature = model.depth * model.target ** (2 - 2 / model.depth) + own
            bound = 0.5 * curvature * (1 + (self.inputs + 1) / max(self.batch, 1))
            if self.batch and self.steps <= bound:
                raise ModelError("steps", self.steps, f"must be > {bound:.4g}: longer ones, of 2/curvature, diverge")
            if self.batch and self.steps * model.duration < 1:
                raise ModelError("steps", self.steps, f"must be >= {1 / model.duration:.4g}, one in a task")
        return self


def memory(models: Sequence[Plasticity], options: Options) -> frames.Memory:
    model = models[0]
    weights = model.modes * (options.inputs + (model.depth - 1) * model.modes)
    times = 3.0 * model.duration * options.steps if options.batch else 0.0
    sizes = {"inputs": options.inputs, "modes": model.modes, "steps": options.steps if options.batch else None}
    sizes["batch"] = options.batch
    needed = 20 * weights + times + 2.0 * options.batch * options.inputs
    return frames.Memory(8.0 * needed, sizes, "the weights, the times of steps and a batch")


@dataclass(frozen=True, eq=False)
class Learner:
    """A net, and the bases (inputs, m), (m, m), … between its layers in which these are diagonal at the start."""

    model: Plasticity
    options: Options
    replica: frames.Replica
    bases: Sequence[np.ndarray]

    @property
    def first(self) -> np.ndarray:
        """The weights at the start."""
        a = self.model.start ** (1 / self.model.depth)
        return np.concatenate([(a * above @ below.T).ravel() for below, above in pairwise(self.bases)])

    @property
    def step(self) -> float:
        """How long steps on batches are, as many as make up a task."""
        ((_, lr),) = strides(np.array([self.model.duration]), 1 / self.options.steps)
        return lr

    def net(self, task: int) -> DeepLinear:
        """With all moments of what a task asks for."""
        turn, (d, m), penalty = task % self.model.modes, self.bases[0].shape, self.model.penalty
        answers = self.model.target * np.outer(self.bases[-1][:, turn], self.bases[0][:, turn])
        sizes = (d, *[m] * self.model.depth)
        return DeepLinear(sizes, np.eye(d), answers, penalty, self.model.strength, self.first)

    def course(self, w: np.ndarray, task: int, times: np.ndarray) -> Iterator[np.ndarray]:
        """Weights at some times of a task that begins with w; the same batches whenever it is followed."""
        net, rate = self.net(task), self.model.strength if self.model.penalty == "l2" else 0.0
        if self.options.batch:
            return self.by_steps(net, w, task, times)
        return flow(net, w, times, RTOL, longest=DECAY / rate if rate else np.inf)

    def by_steps(self, net: DeepLinear, w: np.ndarray, task: int, times: np.ndarray) -> Iterator[np.ndarray]:
        """The same on batches of whitened inputs."""
        w, done, rng = w.copy(), 0, self.replica.rng(f"task {task}")
        for target in np.rint(times / self.step).astype(int).tolist():
            for _ in range(target - done):
                x = rng.standard_normal((self.options.batch, len(net.xx)))
                xx = x.T @ x / self.options.batch
                if not replace(net, xx=xx, yx=net.yx @ xx).advance(w, self.step, 1):
                    raise DivergedError(f"descent diverged in task {task} (too few steps?)", t=float(task))
            done = target
            yield w.copy()

    def strengths(self, w: np.ndarray) -> np.ndarray:
        """The net (m, m) in the bases of its inputs and answers."""
        answer = self.bases[0]
        for W in self.net(0).layers(w):
            answer = W @ answer
        return self.bases[-1].T @ answer

    def crossing(self, w: np.ndarray, task: int) -> float:
        """When the direction that is asked for counts as learned; of steps, between two of them."""
        from scipy.optimize import brentq

        T, turn = self.model.duration, task % self.model.modes

        def over(w: np.ndarray) -> float:
            return float(self.strengths(w)[turn, turn] - self.model.fraction * self.model.target)

        if over(w) >= 0:
            return 0.0
        looks = T / LOOKS if self.options.batch == 0 else self.step
        times = np.arange(1, round(T / looks) + 1) * looks
        for later, then in zip(times, self.course(w, task, times), strict=True):
            if over(then) < 0:
                w = then
            elif self.options.batch:
                return float(later - looks * over(then) / (over(then) - over(w)))
            else:
                before = w

                def at(t: float) -> float:
                    return over(next(self.course(before, task, np.array([t]))))  # noqa: B023

                # Followed from here, and not from the beginning, it may end a rounding below.
                return float(later - looks + (brentq(at, 1e-300, looks) if at(looks) > 0 else looks))
        return T


@frames.courses(Plasticity, Options, memory=memory, dims={"strength": ("mode",)})
def simulate(model: Plasticity, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw directions and a balanced start in random bases, and train the net; observables as in the theory."""
    rng, m = replica.rng("bases"), model.modes
    bases = [np.linalg.qr(rng.standard_normal((d, m)))[0] for d in (options.inputs, *[m] * model.depth)]
    learner, tasks, rows = Learner(model, options, replica, bases), count(), []

    def task(w: np.ndarray) -> np.ndarray:
        with listening(None):
            return next(learner.course(w, next(tasks), np.array([model.duration])))

    for t, w in zip(options.t, frames.seen(learner.first, task, options.t), strict=True):
        x = learner.strengths(w)
        rank = effective_rank(np.linalg.svd(x, compute_uv=False))
        # Of how far a run is the number of tasks tells.
        with listening(None):
            relearning = learner.crossing(w, int(t))
        rows.append({"relearning": relearning, "strength": np.diag(x), "rank": rank})
    return frames.stack(rows)
