"""Holding a simulation against its theory."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tsphys.catalogue import CATALOGUE
from tsphys.comparison.again import solver
from tsphys.comparison.changes import seen_changes
from tsphys.comparison.fitting import fitted, need_replicas, other_size
from tsphys.comparison.foretold import (
    LARGEST_BETA,
    Held,
    by_first_order,
    by_rule,
    by_two_sizes,
    chaotic,
    has_verdict,
    moved_by_then,
)
from tsphys.comparison.nearby import counted, moved
from tsphys.comparison.parameters import shifts
from tsphys.comparison.scores import normal
from tsphys.comparison.verdict import Comparison
from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import number
from tsphys.runs.result import Result

#: Part of an observable of which a difference has to be seen somewhere, if no parameter would be seen to be off.
COARSE = 0.25


def compare(
    simulation: Result,
    theory: Result,
    *,
    observables: Any = None,
    finite_size: bool = True,
    level: float = 1e-3,
    smaller: Result | None = None,
    changes: bool | None = None,
) -> Comparison:
    """Hold a simulation against a theory curve.

    Of online learning theory knows more than its limit N → ∞: mean and spread of runs of the size of the simulation, to
    first order in 1/N, see `tsphys.solve` with ``fluctuations=True``; it is solved to this order here if it was not
    before. The mean is held against that without any allowance, the foretold spread counting with the sample's, and the
    variance between replicas against the spread; where the theory is in closed form all points together are held
    against what a change of each of its parameters would do, and that change is told with its error. Where this order
    does not hold at this size, there is no verdict. If simulation and theory both start from what the model draws by
    itself, each replica is held against the theory from its own start.

    Elsewhere the error is that of Student's t, with an allowance for the unknown bias of order 1/N: s²/4|y| with s the
    standard deviation over replicas and |y| the largest entry of the observable at that point (of a motion, at any
    time); of networks at equilibrium at least by how much the theory moves if each of its parameters is 3/N of itself
    larger, up to |y|/N. Where that is more than the statistical error s/√n, it hides what the replicas could tell, and
    there is no verdict; nor where theory has no solution at such parameters, close to a transition.

    Parameters
    ----------
    simulation, theory : Result
        Over the same axis.
    observables : str or sequence of str, optional
        Which; all that both have by default.
    finite_size : bool
        False: hold the simulation against N → ∞ as it is.
    level : float
        Probability at most that two that agree are called different.
    smaller : Result, optional
        The same simulation at another size, best at a quarter of it with four times the replicas: biases of order 1/N
        cancel, and nothing needs to be allowed for them.
    changes : bool, optional
        Find the change of each parameter that would have been seen, for which the theory is solved again with some. By
        default where equations of motion are known in closed form, and where so little is seen of all observables that
        there may be no verdict; False does not ask.

    Raises
    ------
    ModelError
        If there are fewer than two replicas and no spread is foretold, the axes differ, nothing is in common, or
        numbers are missing. A point at which theory has no finite mean is left out, and told in the notes.

    Examples
    --------
    >>> import numpy as np, tsphys
    >>> model = tsphys.TwoLayer(K=1, M=1, lr=0.5)
    >>> start = tsphys.OrderParameters(R=[[0.2]], Q=[[0.3]], T=[[1.0]])
    >>> t = np.linspace(1, 10, 5)
    >>> sim = tsphys.simulate(model, N=2000, start=start, t=t, replicas=16, seed=0)
    >>> found = tsphys.compare(sim, tsphys.solve(model, start=start, t=t))
    >>> found.verdict, found.z["eps_g"].shape
    ('agree', (5,))
    """
    from tsphys.registry import flag

    flag("finite_size", finite_size)
    if changes is not None:
        flag("changes", changes)
    level = number("level", level, low=0, high=1, open_low=True, open_high=True)
    simulation, theory, names, left_out = fitted(simulation, theory, observables)
    if smaller is not None:
        smaller = other_size(simulation, smaller, names)
    theories, notes = _foretelling(simulation, theory) if finite_size and smaller is None else ([], [])
    runs = [simulation] if smaller is None else [simulation, smaller]
    again = solver(theory, names) if finite_size and theory.axis != "t" and "N" in simulation.meta else None
    loads = [counted(again, theory, names, run.meta.get("N")) for run in runs]
    move = {} if smaller is not None else moved(again, theory, names, simulation.meta.get("N"))
    held: dict[str, Held] = {}
    reasons = []
    for name in names:
        if smaller is not None:
            known = [load.get(name, 0.0) for load in loads]
            held[name] = by_two_sizes(simulation, smaller, theory, name, known, again is not None)
        elif theories and name in theories[0].known_at(1)[0]:
            held[name] = by_first_order(simulation, theories, name, simulation.meta["N"])
        else:
            need_replicas(simulation, 2)
            held[name] = by_rule(simulation, theory, name, move.get(name), loads[0].get(name, 0.0), not finite_size)
    moving = moved_by_then(simulation, theory)
    if not moving.all():
        # At 0 itself starts are held against each other.
        still = ~moving & (theory[theory.axis] > 0)
        held = {name: h.without(still, bool(moving.any())) for name, h in held.items()}
        reasons += [] if moving.any() else ["the simulation shows its start at all times: no step is made until then"]
    wild = {name: chaotic(theory, name) for name in names}
    steady = {name: h for name, h in held.items() if moving.any() and not wild[name].any()}
    reasons += _too_many(simulation, steady, smaller) + _transitions(theory, move)
    reasons += _wild(theory, wild) if finite_size else []
    if theories:
        reasons += _too_small(simulation, theories)
    means, variances = (sum(numbers) for numbers in zip(*(h.counts for h in held.values()), strict=True))
    found = Comparison(
        z={name: normal(h.deviation / h.error, np.minimum(h.freedom, h.tails)) for name, h in held.items()},
        spread={name: h.spread for name, h in held.items()},
        deviation={name: h.deviation for name, h in held.items()},
        error={name: h.error for name, h in held.items()},
        judged={name: h.judged for name, h in held.items()},
        axis=theory.axis,
        values=theory[theory.axis],
        counts=(means, variances),
        shifts=shifts(simulation, theories[0], held, simulation.meta["N"]) if len(theories) == 1 else {},
        level=level,
        largest={name: float(np.abs(theory[name]).max()) for name in names},
        differ=_differ(simulation, theory, bool(theories) and _both_drawn(simulation, theory)),
        notes=(*left_out, *notes),
        reasons=tuple(reasons),
        simulation=simulation,
        theory=theory,
    )
    sizes = {name: largest for name, largest in found.largest.items() if largest > 0}
    coarse = bool(sizes) and all(found.resolution[name] >= COARSE * largest for name, largest in sizes.items())
    asked = coarse or bool(theories and "quadrature" not in theory.meta) if changes is None else changes
    if not asked:
        return found
    found = dataclasses.replace(found, changes=seen_changes(found, theory))
    if not (coarse and found.changes and all(np.isinf(change) for _, change in found.changes.values())):
        return found
    words = f"no verdict: nothing is known to {COARSE:.0%}, and no parameter would be seen to be twice its value"
    return dataclasses.replace(found, blind=True, reasons=(*found.reasons, f"{words}; more replicas see more"))


def _foretelling(simulation: Result, theory: Result) -> tuple[list[Result], list[str]]:
    """Theories with their first order in 1/N, one for all replicas or one for each; none, and why, if not known."""
    from tsphys.registry import expandable, expanded, solve
    from tsphys.rules.starts import drawn_start

    if simulation.meta.get("N") is None or theory.axis != "t":
        return [], []
    drawn = _both_drawn(simulation, theory)
    if theory.first_order is not None and not drawn:
        return [theory], []
    try:
        model = theory.model_object()
    except ModelError:
        known = theory.model in CATALOGUE and CATALOGUE[theory.model].expansion
        return [], ["functions are not kept: a theory solved with fluctuations=True has the first order in 1/N"] * known
    try:
        expandable(model)
        if not drawn:
            return [expanded(model, theory)], []
        simulated, N, seed = simulation.model_object(), simulation.meta["N"], simulation.meta["seed"]
        starts = [drawn_start(simulated, N, seed, replica) for replica in simulation.meta["replica_ids"]]
        if all(start == starts[0] for start in starts):
            return [expanded(model, solve(model, start=starts[0], t=theory["t"]))], []
        each = [expanded(model, solve(model, start=start, t=theory["t"])) for start in starts]
        return each, ["each replica is held against the theory from its own start"]
    except ModelError:
        return [], []
    except (ConvergenceError, DivergedError) as error:
        return [], [f"the first order in 1/N is not known: {error}"]


def _both_drawn(simulation: Result, theory: Result) -> bool:
    """Whether both start from what the model draws by itself, for each replica anew."""
    return simulation.meta.get("start", 0) is None and "seed" in theory.meta


def _too_small(simulation: Result, theories: Sequence[Result]) -> list[str]:
    """Why there is no verdict from some time on, if there is none."""
    N, n, t = simulation.meta["N"], len(simulation[simulation.observables[0]]), simulation["t"]
    beta = np.max([theory.beta(N) for theory in theories], axis=0)
    out = ~has_verdict(beta, N, n)
    if not out.any():
        return []
    # β² falls like 1/N.
    scale = float(beta[-1] ** 2) * N
    enough = max(scale / LARGEST_BETA**2, np.sqrt(n) * scale + (10 * np.sqrt(n)) ** (2 / 3))
    return [
        f"from t = {t[out][0]:.4g} on N = {N} is too small for a verdict from {n} replicas: about "
        f"{_rounded_up(enough):,} is needed"
    ]


def _rounded_up(x: float) -> int:
    """To two digits."""
    unit = 10 ** max(math.floor(math.log10(max(x, 1.0))) - 1, 0)
    return math.ceil(x / unit) * unit


def _too_many(simulation: Result, held: Mapping[str, Held], smaller: Result | None) -> list[str]:
    """Which observables have no verdict since a bias that is not known may exceed the error of so many replicas."""
    names = [name for name, h in held.items() if not h.judged.all() and np.isnan(h.spread).all()]
    if not names:
        return []
    n = len(simulation[simulation.observables[0]])
    left, way = ("1/N", "at a larger N, or from two sizes") if smaller is None else ("1/N²", "at larger sizes")
    # Of one replica there is no error.
    fewer = ("with fewer of them, " if smaller is None else "with fewer of them, or ") if n > 2 else ""
    return [
        f"no verdict on {', '.join(names)} at every point: a bias of order {left} may exceed the error of {n} replicas"
        f"; there is one {fewer}{way}"
    ]


def _transitions(theory: Result, move: Mapping[str, np.ndarray]) -> list[str]:
    """Where a theory has no solution at parameters that a finite size cannot tell from its own."""
    if not move:
        return []
    out = np.any([np.isinf(m).reshape(len(m), -1).any(axis=1) for m in move.values()], axis=0)
    values = ", ".join(f"{value:.4g}" for value in theory[theory.axis][out])
    return [f"a transition is within some 1/N of {theory.axis} = {values}"] if out.any() else []


def _wild(theory: Result, wild: Mapping[str, np.ndarray]) -> list[str]:
    """From where on runs are chaotic, so that no size tells what the next does."""
    names = [name for name, out in wild.items() if out.any()]
    if not names:
        return []
    out = np.any([wild[name].reshape(len(wild[name]), -1).any(axis=1) for name in names], axis=0)
    first = theory[theory.axis][out][0]
    return [f"runs are chaotic from {theory.axis} = {first:.4g} on: no verdict on {', '.join(names)} there"]


def _differ(simulation: Result, theory: Result, own_starts: bool) -> tuple[str, ...]:
    a, b = simulation, theory
    out = [] if a.model == b.model else ["model"]
    out += [k for k, v in a.parameters.items() if k != a.axis and k in b.parameters and b.parameters[k] != v]
    if not own_starts and "start" in a.meta and "start" in b.meta and a.meta["start"] != b.meta["start"]:
        out.append("start (each replica has its own)" if a.meta["start"] is None else "start")
    return tuple(out)
