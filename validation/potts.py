"""The Potts model in mean field."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.physics.curie_weiss import curie_weiss_end, curie_weiss_lines, curie_weiss_sums
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def moved(beta: list[float], **given: Any) -> Any:
    """A check of heat bath on the minima of the free energy."""
    model = tsphys.Potts(**given)
    return agrees(model, "q", 16, ["q", "m", "energy"], sim={"N": 300}, beta=beta)


def summed(setting: Setting) -> Finding:
    """Heat bath against exact sums at its size, where both phases are seen, by Student's t of the replicas."""
    C, N, field = 4, 40, 0.05
    beta = curie_weiss_lines(C, field).transition
    sim = tsphys.simulate(
        tsphys.Potts(C=C, beta=beta, field=field), N=N, sweeps=2000, replicas=setting.replicas(16), seed=setting.seed,
        threads=setting.threads,
    )  # fmt: skip
    exact = curie_weiss_sums(C, beta, N, field)
    off = [(sim.mean(name)[0] - getattr(exact, name)) / sim.sem(name)[0] for name in ("q", "m", "energy")]
    # Beyond 6 of 15 degrees of freedom, of three numbers, by 1e-4 of chance.
    return within(off, 6.0, "exact sums")


def sizes(setting: Setting) -> Finding:
    """The order 1/N of both phases against exact sums, where the other one has a weight below 1e-10."""
    off = []
    for C, beta, field in ((3, 1.5, 0.0), (3, 5.0, 0.2), (5, 2.0, 0.3), (2, 3.5, 0.4)):
        theory = tsphys.solve(tsphys.Potts(C=C, beta=beta, field=field))
        exact = [curie_weiss_sums(C, beta, N, field) for N in (100, 200)]
        for name in ("q", "m", "energy"):
            y, told = theory[name][0], theory.meta["bias"][name][0]
            small, large = (N * (getattr(found, name) - y) for N, found in zip((100, 200), exact, strict=True))
            # What both sizes have of order 1/N cancels; of order 1/N² is a few times (1/200)².
            off.append(2 * large - small - told)
    return within(off, 2e-3, "order 1/N")


def stationary(setting: Setting) -> Finding:
    """Slopes of the free energy along β and h, along m at its minima, and equal ones on the line of transitions."""
    off = []

    def free(**given: Any) -> float:
        return float(tsphys.solve(tsphys.Potts(**given))["free_energy"][0])

    for C, beta, h, phase in ((2, 2.5, 0.1, "ordered"), (3, 2.76, 0.0, "ordered"), (5, 3.5, 0.1, "disordered")):
        given: dict[str, Any] = {"C": C, "phase": phase}
        found = tsphys.solve(tsphys.Potts(beta=beta, field=h, **given))
        m, e = found["m"][0], 1e-5
        x = np.array([(1 + (C - 1) * m) / C, *[(1 - m) / C] * (C - 1)])
        off.append(
            (free(beta=beta + e, field=h, **given) - free(beta=beta - e, field=h, **given)) / (2 * e) + x @ x / 2
        )
        if h:
            off.append((free(beta=beta, field=h + e, **given) - free(beta=beta, field=h - e, **given)) / (2 * e) + x[0])
        direction = np.array([C - 1, *[-1] * (C - 1)]) / C
        off.append(direction @ (np.log(x) - beta * x) - h * direction[0])
    for C, part in ((3, 0.0), (5, 0.5), (10, 0.9)):
        h = part * curie_weiss_end(C)[1]
        at = curie_weiss_lines(C, h).transition
        off.append(free(C=C, beta=at, field=h, phase="ordered") - free(C=C, beta=at, field=h, phase="disordered"))
    # Central differences are right to 1e-10 times third derivatives, below 100, and 1e-16/1e-5.
    return within(off, 2e-8, "free energy")


def checks(quick: bool) -> list[Check]:
    """What is checked of the Potts model in mean field: both phases, a field, finite sizes, and its free energy."""
    return [
        Check("simulation", "order", moved([3.1, 4.0], phase="ordered")),
        Check("simulation", "disorder in a field", moved([1.0, 2.0], C=5, field=0.2, phase="disordered")),
        Check("simulation", "both phases at finite size", summed),
        Check("identity", "finite sizes", sizes),
        Check("saddle", "free energy", stationary),
    ]
