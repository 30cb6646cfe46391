"""Continual learning."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.online import averaged, engines, simulated

PLAIN = tsphys.Continual(K=3, M=2, similarity=0.5, readout_similarity=0.3, durations=[5], noise=0.1)
REPLAY = tsphys.Continual(K=3, M=2, similarity=0.5, durations=[5], replay=0.2)
ELASTIC = tsphys.Continual(K=3, M=2, similarity=0.5, durations=[5], regulariser="ewc", strength=1.5)
#: Students of random weights that know a little of both teachers.
R = np.array([[0.1, 0.02, 0.03, -0.02], [-0.02, 0.08, 0.01, 0.05], [0.01, -0.03, 0.04, 0.02]])
HEADS = [0.5, 0.4, 0.3, 0.2, -0.2, 0.1]
START = tsphys.OrderParameters(R=R, Q=np.diag([0.2, 0.15, 0.1]), T=PLAIN.teacher_overlaps(), v=HEADS)
T = np.linspace(0, 10, 6)
#: One unit a teacher, with a switch of tasks after t = 1, for averages over few fields.
SMALL = tsphys.Continual(K=2, M=1, similarity=0.5, durations=[1], noise=0.1)
SMALL_START = tsphys.OrderParameters(
    R=[[0.1, 0.05], [0.02, -0.05]],
    Q=[[0.2, 0.05], [0.05, 0.1]],
    T=SMALL.teacher_overlaps(),
    v=[0.5, 0.3, 0.2, -0.1],
)


def checks(quick: bool) -> list[Check]:
    """What is checked of continual learning."""
    N, replicas = {"exact": 1000, "direct": 300}, {"exact": 32, "direct": 16}
    out = [
        Check("simulation", f"two tasks, engine {e}", simulated(PLAIN, START, T, e, N[e], replicas[e]))
        for e in engines()
        if e != "cuda"
    ]
    for name, model in (("replay", REPLAY), ("elastic weights", ELASTIC)):
        out.append(Check("simulation", f"{name}, engine exact", simulated(model, START, T, "exact", 1000, 32)))
    out.append(Check("integral", "equations through a switch", averaged(SMALL, SMALL_START, [0.5, 2.0])))
    return out
