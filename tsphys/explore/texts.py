"""What stands on a page as Python, as a command, as TOML."""

from __future__ import annotations

import json
import shlex
from typing import Any

from tsphys.ground.parameters import described
from tsphys.registry import model_class
from tsphys.rules.contract import Online


def python(name: str, values: dict[str, Any]) -> str:
    """A script that simulates, solves, compares and draws it."""
    cls, own, run = _parted(name, values)
    # Theory and simulation of online learning begin at one start.
    online = issubclass(model_class(name), Online)
    axes = {k: v for k, v in run.items() if k in model_class(name).axes or k == "t"}
    lines = ["from tsphys.studies.configuration import grid", "import tsphys", ""]
    lines.append(f"model = tsphys.{cls}({_arguments(own)})")
    size, seed = run.get("N", 1000), run.get("seed", 0)
    shared = "".join(f", {k}=grid({k!r}, {v!r})" for k, v in axes.items())
    rest = {"replicas": 8, **{k: v for k, v in run.items() if k not in axes}}
    if online:
        lines.insert(1, "from tsphys.rules.starts import drawn_start")
        lines.append(f"start = drawn_start(model, {size}, {seed})")
        shared += ", start=start"
    # On whole steps of the simulation both have the same times.
    if "t" in axes and online:
        lines.insert(0, "from tsphys.studies.configuration import on_steps")
        lines.append(f"t = on_steps(grid('t', {axes['t']!r}), {size})")
        shared = shared.replace(f", t=grid('t', {axes['t']!r})", ", t=t")
        rest.setdefault("N", size)
    lines.append(f"theory = tsphys.solve(model{shared})")
    lines.append(f"sim = tsphys.simulate(model{shared}{''.join(f', {k}={v!r}' for k, v in rest.items())})")
    lines += ["print(tsphys.compare(sim, theory))", "tsphys.plot(sim, theory).savefig('picture.pdf')"]
    return "\n".join(lines) + "\n"


def command(name: str, values: dict[str, Any]) -> str:
    """The command that compares simulation and theory."""
    words = ["tsphys", "compare", name]
    for k, v in values.items():
        option = "--" + k.replace("_", "-") if len(k) > 1 else "--" + k
        words += [option, v if isinstance(v, str) else "none" if v is None else json.dumps(v)]
    return shlex.join(words) + "\n"


def toml(name: str, values: dict[str, Any]) -> str:
    """A file for ``--config``."""
    lines = [f'model = "{name}"'] + [f"{k} = {json.dumps(v)}" for k, v in values.items() if v is not None]
    return "\n".join(lines) + "\n"


def _parted(name: str, values: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    cls = model_class(name)
    fields = described(cls)
    axes = [k for k, v in values.items() if k in cls.axes and isinstance(v, str)]
    own = {k: v for k, v in values.items() if k in fields and k not in axes}
    return cls.__name__, own, {k: v for k, v in values.items() if k not in own}


def _arguments(given: dict[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in given.items())
