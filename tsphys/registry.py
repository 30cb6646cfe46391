"""Models by name, and where their simulation and theory are; only this file looks into the rooms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from tsphys.catalogue import CATALOGUE, Entry
from tsphys.errors import DivergedError, ModelError
from tsphys.ground import texts
from tsphys.ground.parameters import number, parameters
from tsphys.ground.progress import listening, shown
from tsphys.rules.contract import Model, Online
from tsphys.runs.frames.options import Expansion, Precision, described
from tsphys.runs.frames.verb import Verb
from tsphys.runs.points import tolerating
from tsphys.runs.result import Result

#: Models with commands, and those that need more than text to be described.
MODELS = {name: model for name, model in CATALOGUE.items() if model.command}
LIBRARY_ONLY = {name: model for name, model in CATALOGUE.items() if not model.command}
VERBS = ("simulate", "solve")
#: Options of every run beside its own.
EVERY = {"simulate": described(Precision), "solve": described(Expansion)}


def _abouts(models: Mapping[str, Entry]) -> dict[str, str]:
    return {name: entry.about for name, entry in models.items()}


def entry(name: str) -> Entry:
    """A model of the catalogue.

    Raises
    ------
    ModelError
        If there is no model of that name.
    """
    texts.known("model", name, _abouts(CATALOGUE))
    return CATALOGUE[name]


def model_class(name: str) -> type[Model]:
    """The dataclass of a model with commands.

    Raises
    ------
    ModelError
        If there is no model of that name.
    """
    texts.known("model", name, _abouts(MODELS))
    return _class(MODELS[name])


def _class(known: Entry) -> type[Model]:
    return getattr(import_module(known.home), known.cls)


def model_of(name: str, given: dict[str, Any]) -> Any:
    """The model that a result's parameters are of.

    Raises
    ------
    ModelError
        If it had functions or arrays of the user's own, which no result keeps, or there is no such model.
    """
    cls = _class(entry(name))
    try:
        model = cls(**given)
    except (TypeError, ModelError) as error:
        raise ModelError("model", name, f"cannot be made again from its parameters alone: {error}") from None
    if json.dumps(parameters(model)) != json.dumps(given):
        raise ModelError("model", name, "cannot be made again from its parameters alone")
    return model


def size_axis(name: str) -> str | None:
    """The parameter or option that is the size of a model, none of one that is in no catalogue."""
    return _class(CATALOGUE[name]).size if name in CATALOGUE else None


def counts_steps(name: str) -> bool:
    """Whether times are steps/N, of which simulations know whole ones; not of models in no catalogue."""
    return name in CATALOGUE and CATALOGUE[name].family == "Online learning"


def runner(model: Entry, verb: str) -> Verb[Any]:
    """What a verb, ``simulate`` or ``solve``, stands for."""
    return getattr(import_module(model.sims if verb == "simulate" else model.theory), verb)


def find(model: Any, verb: str) -> Verb[Any]:
    """What simulates or solves a model; of any model of online learning, that of its rule.

    Parameters
    ----------
    model : dataclass
    verb : {"simulate", "solve"}

    Raises
    ------
    ModelError
        If it is none of the package's models.
    """
    return runner(known(model), verb)


def known(model: Any) -> Entry:
    """The entry of a model, which for online learning of a user's own is that of its rule.

    Raises
    ------
    ModelError
        If it is none of the package's models.
    """
    if isinstance(model, Model) and type(model).name in CATALOGUE:
        return CATALOGUE[type(model).name]
    if isinstance(model, Online):
        return CATALOGUE["learning_rule"]
    if isinstance(model, type):
        raise ModelError("model", model.__name__, f"must be a model, not its class, as {model.__name__}()")
    words = "must be a model of the package, as `tsphys models` lists them, or a tsphys.Online"
    if isinstance(model, Model):
        words += "; one of your own is run by the function that its frame made: solve(model), simulate(model)"
    if isinstance(model, str):
        near = texts.nearest(model, _abouts(CATALOGUE))
        raise ModelError("model", model, words + (f": tsphys.{CATALOGUE[near].cls}(...)" if near else ""))
    raise ModelError("model", type(model).__name__, words)


def takes(model: Any, verb: str) -> set[str]:
    """Names of the options of a verb for a model."""
    return {*find(model, verb).names, *EVERY[verb]}


def _run(verb: str, model: Any, options: dict[str, Any], partial: bool) -> Result:
    with tolerating(flag("partial", partial)) as gaps:
        try:
            result = find(model, verb)(model, **options)
        except DivergedError as error:
            if not partial or error.partial is None:
                raise
            return _with_gaps(error.partial, [str(error)])
    if not gaps:
        return result
    if not result.observables:
        raise gaps[min(gaps)]
    return _with_gaps(result, [str(gaps[point]) for point in sorted(gaps)])


def _with_gaps(result: Result, why: list[str]) -> Result:
    return replace(result, meta={**result.meta, "gaps": why})


def simulate(
    model: Any, *, progress: Any = None, partial: Any = False, until_sem: Any = None, most_replicas: Any = None,
    **options: Any,
) -> Result:  # fmt: skip
    """Simulate a model; the options are those of its ``simulate``.

    Parameters
    ----------
    model : dataclass
    progress : callable or True, optional
        Called with the fraction done; True: a bar, by tqdm if it is there.
    partial : bool
        NaN where a point has no result, or a replica has left every bound, instead of an error; `Result.gaps`
        tells why.
    until_sem : float or mapping, optional
        Standard error of the first observable, or of those named, as ``{"eps_g": 0.01}``, that is to be met at every
        point of the axis: replicas are added, from `replicas` on, until it is. The result has the bits of a run of that
        many; ``meta["precise"]`` says whether it was met.
    most_replicas : int, optional
        How many at most; 1024 by default.
    options
        Of online learning ``N, t, start, engine, dtype, replicas, seed, threads, checkpoint, resume``, see
        `tsphys.sims.engines.online.simulation.simulate`.

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
    from tsphys.runs.blas import one_blas_thread

    with one_blas_thread(), shown(progress, "simulate") as told:
        options = options if told is None else {**options, "progress": told}
        if until_sem is None:
            if most_replicas is not None:
                raise ModelError("most_replicas", most_replicas, "must be none without until_sem")
            return _run("simulate", model, options, partial)
        from tsphys.runs.precise import FEWEST, until_precise

        first = number("replicas", options.get("replicas", FEWEST), kind=int, low=1)

        def run(count: int, result: Result | None) -> Result:
            return _run("simulate", model, {**options, "replicas": count, "resume": result}, partial)

        return until_precise(run, until_sem, first=first, most=most_replicas, resume=options.get("resume"))


def solve(
    model: Any, *, fluctuations: bool = False, progress: Any = None, partial: Any = False, **options: Any
) -> Result:
    """Solve the theory of a model; the options are those of its ``solve``: for online learning ``start`` and ``t``.

    Parameters
    ----------
    model : dataclass
    fluctuations : bool
        Of online learning from a given start, or from ``start="drawn"``, also the first order in 1/N: what a simulation
        of size N (1000 if it is not given) differs by on average, and by how much single runs do; see `Result.mean`,
        `Result.std`, `Result.at_size`. The observables themselves stay those of N → ∞.
    progress : callable or True, optional
        Called with the fraction done, if it takes a while; True: a bar, by tqdm if it is there.
    partial : bool
        NaN where a point of the axis has no solution, or beyond a divergence, instead of an error; `Result.gaps`
        tells why.
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
    >>> start = tsphys.OrderParameters(R=[[0.2]], Q=[[0.3]], T=[[1.0]])
    >>> model = tsphys.TwoLayer(K=1, M=1, lr=1.0, noise=0.2)
    >>> theory = tsphys.solve(model, start=start, t=[1.0], N=100, fluctuations=True)
    >>> [float(x[0].round(3)) for x in (theory["eps_g"], theory.mean("eps_g"), theory.std("eps_g"))]
    [0.085, 0.085, 0.008]
    >>> tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.2])
    Traceback (most recent call last):
    tsphys.errors.NoStateError: alpha = 0.2: must be <= 0.137905566, the spinodal of the retrieval states at T = 0
    >>> tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.1, 0.2], partial=True)["m"].round(4).tolist()
    [0.998, nan]
    """
    from tsphys.runs.blas import one_blas_thread

    if flag("fluctuations", fluctuations):
        expandable(model)
    with one_blas_thread(), shown(progress, "solve") as told, listening(told):
        result = _run("solve", model, options, partial)
        return expanded(model, result).at_size(options.get("N", 1000)) if fluctuations else result


def expandable(model: Any) -> None:
    """Nothing, if a model's theory knows the first order in 1/N.

    Raises
    ------
    ModelError
        If it does not.
    """
    if not known(model).expansion:
        words = f"must be false for {model.name}, whose first order in 1/N is not known: {known(model).limit_only}"
        raise ModelError("fluctuations", True, words)
    if isinstance(model, Online):
        import_module("tsphys.odes.equations.online").expandable(model.learning_rule())


def expanded(model: Any, theory: Result) -> Result:
    """A theory that was solved from a given start, with its first order in 1/N.

    Raises
    ------
    ModelError
        If that is not known of the model.
    ConvergenceError
        If it changes too fast in time.
    """
    expandable(model)
    if theory.meta.get("gradient_flow"):
        raise ModelError("fluctuations", True, "must be false for gradient flow, which has none")
    from tsphys.physics.order_parameters import OrderParameters

    found = chain(model, OrderParameters(**theory.meta["start"]), drawn="drawn" in theory.meta)
    return import_module("tsphys.odes.equations.fluctuations").with_fluctuations(found, theory)


def chain(model: Any, start: Any, *, drawn: bool = False) -> Any:
    """What the first order in 1/N wants to know of a model from a start, or from one that each run draws about it.

    A `tsphys.odes.equations.online.Chain`; `start` holds `OrderParameters`.
    """
    from tsphys.rules.starts import checked_start

    begun = checked_start(model.learning_rule(), start)
    found = import_module(known(model).theory).chain(model, begun)
    return import_module("tsphys.odes.equations.online").drawn(found, model, begun) if drawn else found


def flag(name: str, value: Any) -> bool:
    """`value` if it is true or false, or a ModelError."""
    if not isinstance(value, bool):
        raise ModelError(name, value, "must be true or false")
    return value
