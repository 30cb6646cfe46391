"""tsphys: a laboratory for the statistical physics of learning.

Name a model, run it as a simulation, solve its theory, and see both in one picture::

    import numpy as np, tsphys
    model = tsphys.TwoLayer(K=2, M=2, activation="erf", lr=0.5)
    t = np.geomspace(0.1, 100, 40)
    sim = tsphys.simulate(model, N=1000, t=t, replicas=8, seed=0)
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tsphys.catalogue import CATALOGUE

__version__ = "0.1.0"

_here = os.path.dirname(os.path.realpath(__file__))
if not os.path.isdir(os.path.join(_here, "sims")):
    # A clone without symlinks has text files in their place; the rooms themselves stand beside this folder.
    __path__.append(os.path.dirname(_here))

_HOMES = {
    **{model.cls: model.home for model in CATALOGUE.values()},
    "Model": "tsphys.rules.contract",
    "Static": "tsphys.rules.contract",
    "Online": "tsphys.rules.contract",
    "OrderParameters": "tsphys.physics.order_parameters",
    "Result": "tsphys.runs.result",
    "load": "tsphys.runs.result",
    "simulate": "tsphys.registry",
    "solve": "tsphys.registry",
    "compare": "tsphys.comparison",
    "Comparison": "tsphys.comparison",
    "plot": "tsphys.picture",
    "ModelError": "tsphys.errors",
    "NoStateError": "tsphys.errors",
    "ConvergenceError": "tsphys.errors",
    "DivergedError": "tsphys.errors",
}

__all__ = [*_HOMES, "__version__"]

if TYPE_CHECKING:
    from tsphys.comparison import Comparison, compare
    from tsphys.errors import ConvergenceError, DivergedError, ModelError, NoStateError
    from tsphys.physics.order_parameters import OrderParameters
    from tsphys.picture import plot
    from tsphys.rules.contract import Model, Online, Static
    from tsphys.runs.result import Result, load
    from tsphys.signatures import *  # noqa: F403, models, simulate and solve


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tsphys' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
