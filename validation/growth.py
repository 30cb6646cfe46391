"""Growing students."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.one_step import rates, stepped
from tsphys.validation.online import averaged, simulated
from tsphys.validation.plain_rules import Plain, regression

START = tsphys.OrderParameters(R=[[0.1, 0.04]], Q=[[0.2]], T=np.eye(2), v=[0.4], v_star=[1.0, 1.0])
THREE = tsphys.OrderParameters(
    R=[[0.3, 0.1], [0.05, 0.35], [0.2, -0.1]], Q=[[0.4, 0.1, 0], [0.1, 0.5, 0], [0, 0, 0.3]], T=np.eye(2)
)
T = [1.0, 2.0, 2.5, 4.0, 8.0]
MODELS: dict[str, Any] = {
    "split in two": tsphys.Growth(at=2, spread=0.3, share=0.7),
    "random units": tsphys.Growth(at=2, way="random", new_norm=0.3, new_v=0.4),
}
#: Steps of size N = 24 before it grows, and after.
BEFORE, AFTER, N = 6, 4, 24


def grown(given: Any) -> Any:
    """Plain weights and readouts that grow before the step BEFORE, as is told."""
    rng = np.random.default_rng(7)

    def at(step: int, W: np.ndarray, v: np.ndarray) -> Any:
        if step == BEFORE:
            B = np.broadcast_to(np.eye(2, N) * N**0.5, (len(W), 2, N))
            known = np.concatenate([B, W[:, :1], rng.standard_normal((len(W), 1, N))], axis=1)
            z = np.linalg.qr(known.swapaxes(1, 2))[0][:, :, -1] * N**0.5
            if "share" in given:
                W[:, 1] = W[:, 0] - given["spread"] ** 0.5 * z
                W[:, 0] += given["spread"] ** 0.5 * z
                v[:, 0] = v[:, 0, :1] * np.array([given["share"], 1 - given["share"]])
            else:
                W[:, 1], v[:, 0, 1] = given["new_norm"] ** 0.5 * z, given["new_v"]
        return regression("erf", 1.5, 1.2, 0.3), 0.0, 0.0

    return at


def checks(quick: bool) -> list[Check]:
    """What is checked of growing students."""
    out = [Check("simulation", f"{n}, exact", simulated(m, START, T, "exact", 1000, 32)) for n, m in MODELS.items()]
    out.append(
        Check("simulation", "split in two, direct", simulated(MODELS["split in two"], START, T, "direct", 300, 16))
    )
    fewer = tsphys.Growth(K=3, way="remove", at=2)
    out.append(Check("simulation", "units removed, exact", simulated(fewer, THREE, T, "exact", 1000, 32)))
    out += [Check("integral", f"equations, {n}", averaged(m, START, [1.0, 3.0])) for n, m in MODELS.items()]
    for activation in ("relu", "linear"):
        told = Plain(regression(activation, 1.5, 1.2, 0.3))
        model = tsphys.Growth(lr=1.5, lr_v=1.2, noise=0.3, at=1, activation=activation)
        out.append(Check("rate", activation, rates(model, told, model.completed(START))))
    cases: dict[str, dict[str, Any]] = {
        "split": {"spread": 0.4, "share": 0.8},
        "random": {"way": "random", "new_norm": 0.5, "new_v": 0.7},
    }
    for name, given in cases.items():
        model = tsphys.Growth(lr=1.5, lr_v=1.2, noise=0.3, at=BEFORE / N, **given)
        plain = Plain(regression("erf", 1.5, 1.2, 0.3))
        for engine in ("exact", "direct") if name == "split" else ("direct",):
            tasks = grown(given)
            check = stepped(model, plain, model.completed(START), engine, BEFORE + AFTER, tasks=tasks, replicas=2000)
            out.append(Check("step", f"{name}, {engine}", check))
    return out
