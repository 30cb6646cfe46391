"""A study: one model over axes of parameters and options, laid out as tasks that depend on nothing but themselves."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsphys.errors import ModelError
from tsphys.ground import html
from tsphys.ground.parameters import described, number, parameters
from tsphys.ground.times import grid
from tsphys.registry import counts_steps, model_class, simulate, solve, takes
from tsphys.rules.contract import Online
from tsphys.runs.result import Result
from tsphys.studies.configuration import describe, known, on_steps, read_toml, run_options
from tsphys.studies.store import digest

#: Most points of a study, each of which is a file.
MOST_POINTS = 10**6
COMPUTE = {"simulate": ("simulate",), "solve": ("solve",), "both": ("simulate", "solve")}
SEEDS = ("independent", "common")
_RUN = {"simulate": simulate, "solve": solve}
#: What differs between two runs of the same task.
VOLATILE = ("date", "revision")
#: Keys of a study that are no parameters and no options.
_OWN = ("model", "compute", "seeds", "axes", "zip", "random")


@dataclass(frozen=True)
class Axis:
    """Columns of values that vary together.

    Parameters
    ----------
    name : str
        Of the parameter, or ``point`` for several (zip), ``draw`` for random ones.
    columns : dict of str to list
        Parameter or option -> its values, all of one length.
    """

    name: str
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class Task:
    """A simulation or a theory at one point; what it gives follows from these fields and the version of tsphys.

    Parameters
    ----------
    verb : {"simulate", "solve"}
    model : str
    values : dict
        Parameters and options, as `describe` takes them.
    common : bool
        The options are those of simulation and theory, which begin at the same start, drawn from the seed.
    key : str
        SHA-256 of all that the result depends on, with every default written out.
    """

    verb: str
    model: str
    values: dict[str, Any]
    common: bool
    key: str

    def run(self, progress: Any = None) -> Result:
        """The result, without date and revision, so that the same task has the same file.

        Raises
        ------
        ModelError, ConvergenceError, DivergedError
            As `tsphys.simulate` and `tsphys.solve` do.
        """
        model, options = _resolve(self.model, self.verb, self.values, self.common)
        if self.common and isinstance(model, Online) and options.get("start") is None:
            from tsphys.rules.starts import drawn_start

            options["start"] = drawn_start(model, options["N"], options["seed"])
        known = takes(model, self.verb)
        options = {k: v for k, v in options.items() if k in known}
        if "threads" in known:
            options["threads"] = 1
        if "progress" in known:
            options["progress"] = progress
        result = _RUN[self.verb](model, **options)
        return dataclasses.replace(result, meta={k: v for k, v in result.meta.items() if k not in VOLATILE})


def _resolve(name: str, verb: str, values: dict[str, Any], common: bool) -> tuple[Any, dict[str, Any]]:
    model, options = describe(name, "compare" if common else verb, values)
    for key, low in (("replicas", 1), ("seed", 0), ("N", 1)):
        if key in options:
            options[key] = number(key, options[key], kind=int, low=low)
    if "t" in options and counts_steps(name) and (common or verb == "simulate"):
        options["t"] = on_steps(options["t"], options["N"])
    return model, options


def _canonical(model: Any, verb: str, options: dict[str, Any]) -> dict[str, Any]:
    """What the result of a task depends on, beside its seed and the version."""
    known = takes(model, verb) - {"seed", "threads"}
    plain = {k: v for k, v in options.items() if k in known and (k, v) != ("partial", False)}
    if dataclasses.is_dataclass(plain.get("start")):
        plain["start"] = dataclasses.asdict(plain["start"])
    return {"model": type(model).name, "parameters": parameters(model), "options": plain}


@dataclass(frozen=True)
class Study:
    """One model over the product of axes.

    Parameters
    ----------
    model : str
        Name of the model.
    fixed : dict
        Parameters and options that are the same in all tasks.
    axes : tuple of Axis
        The points are their product, the last axis running fastest.
    compute : {"simulate", "solve", "both"}
        With ``both``, simulation and theory of online learning begin at a common start, drawn from the seed.
    seeds : {"independent", "common"}
        Each point has a seed of its own, derived from the seed of the study and the parameters of the point (so that
        points that are added later leave the others as they are), or all have the seed as it stands.

    Raises
    ------
    ModelError
        For unknown names and values out of range, at any point.
    """

    model: str
    fixed: dict[str, Any]
    axes: tuple[Axis, ...] = ()
    compute: str = "simulate"
    seeds: str = "independent"

    def __post_init__(self) -> None:
        for name, allowed in (("compute", tuple(COMPUTE)), ("seeds", SEEDS)):
            if getattr(self, name) not in allowed:
                raise ModelError(name, getattr(self, name), "must be one of " + ", ".join(allowed))
        model_class(self.model)
        seen = set(self.fixed)
        for axis in self.axes:
            lengths = {k: len(v) for k, v in axis.columns.items()}
            if not lengths or min(lengths.values()) < 1 or len(set(lengths.values())) > 1:
                raise ModelError(axis.name, lengths, "must be lists of one length, at least 1")
            for key in axis.columns:
                if key in seen:
                    raise ModelError(key, "twice", "must be fixed, or on one axis")
                seen.add(key)
        if math.prod(self.shape) > MOST_POINTS:
            words = f"must be at most {MOST_POINTS:g} in all"
            raise ModelError("points", " x ".join(map(str, self.shape)), words)

    def _repr_html_(self) -> str:
        rows = {name: html.text(", ".join(f"{k} = {v}" for k, v in self.fixed.items())) for name in ["fixed"]}
        for axis in self.axes:
            rows |= {k: html.text(f"{len(v)} from {v[0]} to {v[-1]}") for k, v in axis.columns.items()}
        return html.table(f"study of {self.model}: {self.compute}", rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(axis) for axis in self.axes)

    def points(self) -> list[dict[str, Any]]:
        """Parameters and options at each point."""
        rows = [[{k: v[i] for k, v in axis.columns.items()} for i in range(len(axis))] for axis in self.axes]
        return [
            {**self.fixed, **{k: v for part in parts for k, v in part.items()}} for parts in itertools.product(*rows)
        ]

    def tasks(self) -> list[Task]:
        """The tasks, point by point; with ``both`` the simulation of a point before its theory."""
        return [self._task(verb, point) for point in self.points() for verb in COMPUTE[self.compute]]

    def _task(self, verb: str, point: dict[str, Any]) -> Task:
        import tsphys

        common = self.compute == "both"
        model, options = _resolve(self.model, verb, point, common)
        values = dict(point)
        if "seed" in options and self.seeds == "independent":
            first = _canonical(model, COMPUTE[self.compute][0], options)
            values["seed"] = int(digest({"seed": options["seed"], **first})[:16], 16) >> 1
        whole = {
            **_canonical(model, verb, options),
            "verb": verb,
            "seed": values.get("seed", options.get("seed")),
            "common": common and isinstance(model, Online),
            "version": tsphys.__version__,
        }
        return Task(verb, self.model, values, common, digest(whole))


def read_study(path: str | os.PathLike[str]) -> Study:
    """The study that a TOML file describes, see `study`; a ModelError if it cannot be read."""
    return study(read_toml(path, "study"))


def study(values: Mapping[str, Any]) -> Study:
    """A study from a table as it stands in a TOML file.

    Parameters
    ----------
    values : mapping
        ``model``; ``compute`` and ``seeds`` as in `Study`; parameters and options by their names; and tables

        - ``axes``: name -> list or array, or ``"START:STOP:POINTS[:lin|log]"``; each is an axis;
        - ``zip``, an array of tables like it, each of which is one axis along which its columns vary together;
        - ``random``: ``points``, ``seed``, and name -> ``"LOW:HIGH[:lin|log]"`` or a list to choose from; one axis.

    Raises
    ------
    ModelError
        If it has no model, or anything is unknown or out of range.
    """
    if not isinstance(values, Mapping):
        raise ModelError("study", values, "must be a table, as `read_study` reads it from a file")
    if not isinstance(values.get("model"), str):
        raise ModelError("model", values.get("model"), "must name a model")
    name = values["model"]
    compute = values.get("compute", "simulate")
    if not isinstance(compute, str) or compute not in COMPUTE:
        raise ModelError("compute", compute, "must be one of " + ", ".join(COMPUTE))
    verb = {"both": "compare"}.get(compute, compute)
    metas = {k: v.metadata for k, v in described(model_class(name)).items()}
    metas |= {k: v.metadata for k, v in run_options(name, verb).items()}
    fixed = {k: v for k, v in values.items() if k not in _OWN}
    axes = [Axis(k, {k: _column(k, v, metas)}) for k, v in _table("axes", values.get("axes", {})).items()]
    together = values.get("zip", [])
    for n, columns in enumerate(together if isinstance(together, Sequence) else [together]):
        columns = {k: _column(k, v, metas) for k, v in _table("zip", columns).items()}
        axes.append(Axis("point" if n == 0 else f"point_{n + 1}", columns))
    if "random" in values:
        axes.append(_random(_table("random", values["random"]), metas))
    for key in fixed:
        known("study", key, metas | dict.fromkeys(_OWN, ""))
    return Study(name, fixed, tuple(axes), compute, values.get("seeds", "independent"))


def _table(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ModelError(name, value, "must be a table of parameters and their values")
    return value


def _column(name: str, value: Any, metas: Mapping[str, Any]) -> list[Any]:
    known("axis", name, metas)
    value = _plain(value)
    values = grid(name, value) if isinstance(value, str) else value
    if not isinstance(value, str) and (not isinstance(value, Sequence) or len(value) == 0):
        raise ModelError(name, value, "must be a list of values, or START:STOP:POINTS[:lin|log], to be an axis")
    whole = metas[name]["kind"] is int
    return [int(v) if whole and isinstance(v, float) and v.is_integer() else v for v in map(_plain, values)]


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _random(table: Mapping[str, Any], metas: Mapping[str, Any]) -> Axis:
    from tsphys.numerics.random import generator

    points = number("random.points", table.get("points"), kind=int, low=1, high=MOST_POINTS)
    seed = number("random.seed", table.get("seed", 0), kind=int, low=0, high=2**63 - 1)
    columns: dict[str, list[Any]] = {}
    for name, law in table.items():
        if name in ("points", "seed"):
            continue
        known("random", name, metas)
        law = _plain(law)
        # A stream for each name: another column leaves this one as it is.
        rng = generator(seed, 0, f"study {name}")
        if isinstance(law, Sequence) and not isinstance(law, str) and len(law):
            columns[name] = [law[i] for i in rng.integers(len(law), size=points)]
        else:
            columns[name] = _between(name, law, rng.random(points))
    return Axis("draw", columns)


def _between(name: str, law: Any, u: Any) -> list[float]:
    words = "must be LOW:HIGH[:lin|log] or a list to choose from"
    try:
        low, high, *scale = law.split(":")
        a, b = float(low), float(high)
        if (
            len(scale) > 1
            or (scale or ["lin"])[0] not in ("lin", "log")
            or not math.isfinite(a)
            or not a <= b < math.inf
        ):
            raise ValueError(law)
        if scale == ["log"]:
            return [math.exp(math.log(a) + x * (math.log(b) - math.log(a))) for x in u.tolist()]
        return [a + x * (b - a) for x in u.tolist()]
    except (AttributeError, ValueError):
        raise ModelError(name, law, words) from None


def store_of(path: str | os.PathLike[str]) -> Path:
    """Where the results of a study file are kept unless it is told: beside it, in a folder with its name."""
    path = Path(path)
    return path.with_name(path.stem + ".study")
