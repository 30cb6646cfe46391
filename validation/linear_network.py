"""Linear networks of two layers."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.physics.flows.linear_layers import learned_alignment, logistic
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def trained(model: Any, replicas: int, **where: Any) -> Any:
    """A check of networks on the theory."""
    return agrees(model, "ntk_alignment", replicas, **where)


def ends(setting: Setting) -> Finding:
    """The closed form where all is learned, and modes in time."""
    off = []
    for scale, rank, f in ((4.0, 1, 1.0), (4.0, 5, 0.5), (40.0, 5, 1.0), (4.0, 20, 1.0)):
        found = tsphys.solve(tsphys.LinearNetwork(scale=scale, alignment=f), rank=[rank], at=200)
        off.append(found["ntk_alignment"][0] - learned_alignment(rank, 20, scale, 2.0, np.array(f)))
    model, t = tsphys.LinearNetwork(rank=1, scale=0.01, alignment=1.0, balance=0.0), np.linspace(0, 4, 9)
    off += list(tsphys.solve(model, t=t)["learned"] - logistic(2.0, 0.01, t) / 2)
    # 400 pieces of time keep all digits but four.
    return within(off, 1e-10, "alignment at the end, and a mode")


def random_teachers(setting: Setting) -> Finding:
    """Alignment at the end, over teachers whose share sin² φ in the start has the density sin^(r−1) φ cos^(d−r−1) φ."""
    phi, off = np.linspace(0, 0.5 * np.pi, 4001)[1:-1], []
    for rank in (3, 10):
        weight = np.sin(phi) ** (rank - 1) * np.cos(phi) ** (20 - rank - 1)
        told = weight @ learned_alignment(rank, 20, 4.0, 2.0, np.sin(phi) ** 2) / weight.sum()
        off.append(tsphys.solve(tsphys.LinearNetwork(scale=4.0), rank=[rank], at=200)["ntk_alignment"][0] - told)
    return within(off, 1e-6, "alignment over teachers")


def first(setting: Setting) -> Finding:
    """At first the share t‖W₁‖²/d of a random teacher is learned, whatever the rank, to order t."""
    t, model = 1e-3, tsphys.LinearNetwork(rank=5)
    found = tsphys.solve(model, t=[t])["learned"][0]
    return within(found / (t * model.scale / model.inputs) - 1, 0.01, "share that is learned at first")


def motion(setting: Setting) -> Finding:
    """The exact solution against the equations of motion, to a hundred times their tolerance."""
    t, off = [0.5, 2, 5], []
    for model in (tsphys.LinearNetwork(rank=3, alignment=0.7), tsphys.LinearNetwork(rank=1, balance=2.0)):
        exact, flow = (tsphys.solve(model, t=t, method=method, draws=4) for method in ("exact", "flow"))
        off += [exact[name] - flow[name] for name in exact.observables]
    return within(off, 1e-7, "exact solution")


def checks(quick: bool) -> list[Check]:
    """What is checked of linear networks: teachers random and given, one output and several, and closed forms."""
    t, two = [0.3, 1, 3], tsphys.LinearNetwork(rank=2, teacher=(2.0, 1.0), balance=0.5, scale=1.0)
    given = tsphys.LinearNetwork(rank=4, alignment=0.6, teacher=(2.0, 1.0))
    return [
        Check("simulation", "random teacher", trained(tsphys.LinearNetwork(rank=5), 64, t=t)),
        Check("simulation", "given teacher", trained(given, 4, t=t)),
        Check("simulation", "two outputs", trained(two, 64, t=t)),
        Check("simulation", "a falling spectrum", trained(tsphys.LinearNetwork(rank=20, decay=1.0), 64, t=t)),
        Check("simulation", "over ranks", trained(tsphys.LinearNetwork(rank=5), 32, rank=[2, 10], at=10)),
        Check("identity", "closed forms", ends),
        Check("identity", "the first moment of time", first),
        Check("identity", "random teachers", random_teachers),
        Check("identity", "equations of motion", motion),
    ]
