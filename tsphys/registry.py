"""Models by name, and where their simulation and theory are; only this file looks into the rooms."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tsphys.catalogue import CATALOGUE, Entry
from tsphys.errors import ModelError

if TYPE_CHECKING:
    from tsphys.runs.result import Result

#: Models with commands, and those that need more than text to be described.
MODELS = {name: model for name, model in CATALOGUE.items() if model.command}
LIBRARY_ONLY = {name: model for name, model in CATALOGUE.items() if not model.command}
VERBS = ("simulate", "solve")


def entry(name: str) -> Entry:
    """A model of the catalogue.

    Raises
    ------
    ModelError
        If there is no model of that name.
    """
    if name not in CATALOGUE:
        raise ModelError("model", name, "must be one of " + ", ".join(CATALOGUE))
    return CATALOGUE[name]


def model_class(name: str) -> type:
    """The dataclass of a model with commands.

    Raises
    ------
    ModelError
        If there is no model of that name.
    """
    if name not in MODELS:
        raise ModelError("model", name, "must be one of " + ", ".join(MODELS))
    return getattr(import_module(MODELS[name].home), MODELS[name].cls)


def runner(model: Entry, verb: str) -> Callable[..., Result]:
    """The function that a verb, ``simulate`` or ``solve``, stands for."""
    return getattr(import_module(model.sims if verb == "simulate" else model.theory), verb)


def find(model: Any, verb: str) -> Callable[..., Result]:
    """The function that simulates or solves a model.

    Parameters
    ----------
    model : dataclass
    verb : {"simulate", "solve"}

    Raises
    ------
    ModelError
        If it is none of the package's models.
    """
    known = CATALOGUE.get(getattr(type(model), "name", ""))
    if known is None:
        names = ", ".join(e.cls for e in CATALOGUE.values())
        raise ModelError("model", type(model).__name__, f"must be one of tsphys.{{{names}}}")
    return runner(known, verb)


def takes(model: Any, verb: str) -> set[str]:
    """Names of the options of a verb for a model."""
    return set(inspect.signature(find(model, verb)).parameters)


def _call(function: Callable[..., Result], model: Any, options: dict[str, Any]) -> Result:
    known = inspect.signature(function).parameters
    required = [k for k, p in known.items() if p.default is p.empty and k != "model"]
    for name, value in options.items():
        if name not in known or name == "model":
            allowed = ", ".join(k for k in known if k != "model")
            raise ModelError(name, value, f"is not an option of {function.__name__} for {type(model).name} ({allowed})")
    for name in required:
        if name not in options:
            raise ModelError(name, None, f"is required to {function.__name__} {type(model).name}")
    return function(model, **options)


def simulate(model: Any, **options: Any) -> Result:
    """Simulate a model; the options are those of its ``simulate``.

    For online learning (`TwoLayer`, `Perceptron`, `LearningRule`) see `tsphys.sims.engines.online.simulation.simulate`:
    ``N, t, start, replicas, seed, engine, threads, dtype, progress``.

    Returns
    -------
    Result
        Observables with axes (replica, t, …).

    Raises
    ------
    ModelError
        If an option is unknown, missing or out of range.
    DivergedError
        If the dynamics left every bound.

    Examples
    --------
    >>> import tsphys
    >>> sim = tsphys.simulate(tsphys.TwoLayer(K=2, M=2), N=500, t=[1, 10], replicas=4, seed=0)
    >>> sim["eps_g"].shape, sim["R"].shape, sim.meta["engine"]
    ((4, 2), (4, 2, 2, 2), 'exact')
    >>> net = tsphys.simulate(tsphys.Hopfield(T=0.3), N=1000, alpha=[0.01, 0.05], replicas=2)
    >>> net.axis, bool((net.mean("m") > 0.95).all())
    ('alpha', True)
    """
    return _call(find(model, "simulate"), model, options)


def solve(model: Any, *, progress: Callable[[float], None] | None = None, **options: Any) -> Result:
    """Solve the theory of a model; the options are those of its ``solve``: for online learning ``start`` and ``t``.

    Parameters
    ----------
    model : dataclass
    progress : callable, optional
        Called with the fraction done, if it takes a while.
    options
        As above.

    Returns
    -------
    Result
        Observables with axes (t, …).

    Raises
    ------
    ModelError
        If an option is unknown, missing or out of range.
    ConvergenceError, DivergedError
        If there is no solution within the tolerance, or within bounds.

    Examples
    --------
    >>> import tsphys
    >>> theory = tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.05, 0.1])
    >>> theory["m"].round(4).tolist()
    [1.0, 0.998]
    >>> tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.2])
    Traceback (most recent call last):
    tsphys.errors.ModelError: alpha = 0.2: must be <= 0.137905566, the spinodal of the retrieval states at T = 0
    """
    from tsphys.ground.progress import listening

    with listening(progress):
        return _call(find(model, "solve"), model, options)
