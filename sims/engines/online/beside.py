"""Replicas of engine `exact` side by side: the body that runs on a number runs on eight, of as many replicas.

Each has the bits that it has alone, so that threads and cores may decide whether it runs alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.core.config import DISABLE_JIT  # type: ignore[attr-defined]

from tsphys._jit import njit, once, rebind
from tsphys.numerics import choice, exponential, lanes, sigmoids
from tsphys.numerics.lanes import WIDTH, side_by_side
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules import two_layer
from tsphys.rules.binding import origin
from tsphys.rules.binding import rule as place
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.exact import Replica, advance, seeded

#: Rules that do not branch on their numbers.
RULES = (two_layer.rule,)
#: Units with which what eight replicas need stays in the first caches.
MOST_UNITS = 24
#: Seconds that must be won: once for an installation the kernel is to be compiled.
WORTH = 1.0
#: Times that a step of a replica alone takes longer.
FASTER = 4.0
#: Rules whose kernel is there in this process.
_ready: set[Any] = set()


@njit
def advance_beside(A, L, LT, v, v_star, p, z, F, dof, N, decay, decay_v, R, Q, zeta, lam, nu, c, dv, change, S, C, dA):
    """`advance` of eight replicas, for which each array has a last axis, except that ``p`` is the same for all."""
    return advance(
        side_by_side(A), side_by_side(L), side_by_side(LT), side_by_side(v), side_by_side(v_star), p, False,
        side_by_side(z), side_by_side(F), dof, N, decay, decay_v, side_by_side(R), side_by_side(Q), side_by_side(zeta),
        side_by_side(lam), side_by_side(nu), side_by_side(c), side_by_side(dv), side_by_side(change), side_by_side(S),
        side_by_side(C), side_by_side(dA),
    )  # fmt: skip


@once
def kernel_of(function: Any) -> Any:
    """`advance_beside` with a rule that does not branch on its numbers."""
    tag = f"beside_{origin(function)}"
    forms = {
        choice.where: lanes.where,
        choice.every: lanes.every,
        exponential.from_exponent: lanes.from_exponent,
    }
    whole = {sigmoids.erf: sigmoids.erf_of_lanes, sigmoids.tanh: sigmoids.tanh_of_lanes, place: function}
    for branching, form in whole.items():
        forms[branching] = rebind(form, forms, tag=tag)
    return rebind(advance_beside, forms, tag=tag)


def pays(rule: LearningRule, replicas: int, steps: int, threads: int) -> bool:
    """Whether so many replicas are done sooner eight by eight."""
    if rule.function not in RULES or rule.schedule is not None or rule.queries is not None or rule.K > MOST_UNITS:
        return False
    if DISABLE_JIT:
        return False
    # A step of a replica alone, measured on a 2.5 GHz core.
    alone = 1e-7 + 7.5e-9 * rule.K * (rule.K + rule.M) * rule.minibatch
    rounds = -(-replicas // threads), WIDTH / FASTER * -(-replicas // (WIDTH * threads))
    return alone * steps * (rounds[0] - rounds[1]) > (0.0 if rule.function in _ready else WORTH)


def _beside(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of up to eight replicas as one with a last axis, the rest filled with the first."""
    out = np.empty((*arrays[0].shape, WIDTH))
    out[..., len(arrays) :] = arrays[0][..., None]
    for i, a in enumerate(arrays):
        out[..., i] = a
    return out


class Block:
    """Up to eight replicas in motion: ``block(step, stop) -> (step reached, R, Q, v)``, each (replicas, …).

    It stops short where one of them diverges.
    """

    def __init__(self, rule: LearningRule, N: int, start: OrderParameters, steps: int):
        self.runs = [Replica(rule, N, start, steps) for _ in range(WIDTH)]
        self.kernel, one = kernel_of(rule.function), self.runs[0]
        _ready.add(rule.function)
        self.memory = [np.zeros((*a.shape, WIDTH)) for a in one.memory]
        self.R, self.Q = (np.empty((*a.shape, WIDTH)) for a in (one.R, one.Q))

    def begin(self, starts: Sequence[OrderParameters], drawn: Sequence[Any]) -> None:
        """Set out from starts, with the memory of the replicas before."""
        self.now = self.runs[: len(starts)]
        for run, start, source in zip(self.now, starts, drawn, strict=True):
            run.begin(start, source)
        self.state = [_beside([getattr(run, name) for run in self.now]) for name in ("A", "L", "LT", "v", "v_star")]
        self.z = self.F = np.empty(0)
        self.used = 0

    def steps(self, z: np.ndarray, F: np.ndarray) -> int:
        """One for each row of these numbers, unless one of the replicas diverges."""
        one = self.runs[0]
        return self.kernel(*self.state, one.p, z, F, one.dof, one.N, *one.decays, self.R, self.Q, *self.memory)

    def __call__(self, step: int, stop: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        n = len(self.now)
        while True:
            if self.used == len(self.z):
                drawn = [run.draws.take(run.draws.ahead) for run in self.now]
                (self.z, self.F), self.used = map(_beside, zip(*drawn, strict=True)), 0
            some = slice(self.used, min(self.used + stop - step, len(self.z)))
            done = self.steps(self.z[some], self.F[some])
            step += done
            self.used = some.stop
            if done < some.stop - some.start or step == stop:
                R, Q, v = (np.moveaxis(a[..., :n], -1, 0) for a in (self.R, self.Q, self.state[3]))
                return step, R, Q, v


def blocks(
    rule: LearningRule, N: int, starts: Sequence[OrderParameters], seed: int, replicas: Sequence[int], steps: int
) -> Any:
    """Blocks of these replicas at t = 0; one after the other, since each takes over the memory of the one before."""
    block = Block(rule, N, starts[0], steps)
    drawn = list(seeded(seed, replicas))
    for low in range(0, len(replicas), WIDTH):
        block.begin(starts[low : low + WIDTH], drawn[low : low + WIDTH])
        if low == 0:
            # Compiled before any number is drawn, as in `exact.start_replicas`.
            draws = block.runs[0].draws
            block.steps(*(np.empty((0, *a.shape[1:], WIDTH)) for a in (draws.z, draws.F)))
        yield block
