"""Forgetting and transfer: how the errors of tasks change after a switch, from the Result of a simulation or a theory.

Tasks are counted from 1, as in the schedule of a model, switches likewise: switch 1 is the beginning of the second
block.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number


def errors_of_tasks(activation: str, tasks: int, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
    """Half the mean squared error (…, S) of a student with a head for each of S tasks, at given overlaps.

    Parameters
    ----------
    activation : str
        g of student and teachers.
    tasks : int
        S.
    R, Q, T : array_like, shapes (…, K, S·M), (…, K, K), (S·M, S·M)
        Overlaps with all teachers, of the student, and of the teachers.
    v, v_star : array_like, shapes (…, S, K) and (S, M), or flat in the last two axes
        Heads and readouts.
    """
    from tsphys.physics.committee.gaussian import generalisation_error

    R, T, v_star = np.asarray(R), np.asarray(T), np.reshape(v_star, (tasks, -1))
    M = v_star.shape[1]
    heads = np.reshape(v, (*R.shape[:-2], tasks, R.shape[-2]))
    blocks = [slice(s * M, (s + 1) * M) for s in range(tasks)]
    g = activation
    errors = [
        generalisation_error(g, g, R[..., b], Q, T[b, b], heads[..., s, :], v_star[s]) for s, b in enumerate(blocks)
    ]
    return np.stack(errors, axis=-1)


def at_switch(result: Any, switch: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Time (…,) of a switch and the errors (…, S) of all tasks right after it.

    Parameters
    ----------
    result : Result
        Of the model ``continual``.
    switch : int
        1 for the first.

    Returns
    -------
    t, eps_g : ndarray
        With a leading axis of replicas for a simulation.

    Raises
    ------
    ModelError
        If it is another model, or there was no such switch, in a replica at least.
    """
    if result.model != "continual":
        raise ModelError("result", result.model, "must be of the model continual")
    most = min(len(begins) for begins in result.meta["phases"]) - 1
    words = f"must be an integer from 1 to {most}, the switches" if most else "must be one that there is: none"
    words += f" until t = {result['t'][-1]:g}"
    switch = number("switch", switch, kind=int, low=1, high=most, words=words)
    begins = [begins[switch] for begins in result.meta["phases"]]
    R, Q, v = (np.array([begin[name] for begin in begins]) for name in ("R", "Q", "v"))
    given = result.parameters["activation"], result.parameters["tasks"]
    t = np.array([begin["t"] for begin in begins])
    eps_g = errors_of_tasks(*given, R, Q, result["T"], v, result["v_star"])
    return (t, eps_g) if result.kind == "simulation" else (t[0], eps_g[0])


def change(result: Any, switch: int = 1) -> np.ndarray:
    """eps_g(t) − eps_g(right after the switch), of every task (…, t, S); NaN before the switch.

    A simulation sees its blocks end after a whole number of steps, so within 1/N of the time that was asked for.
    """
    t, eps_g = at_switch(result, switch)
    out = result["eps_g"] - eps_g[..., None, :]
    slack = 1.0 / result.meta["N"] if result.kind == "simulation" else 0.0
    out[result["t"] < np.asarray(t)[..., None] - slack] = np.nan
    return out


def forgetting(result: Any, task: int = 1, switch: int = 1) -> np.ndarray:
    """F(t) = eps_g of a task at t minus that at the switch, (…, t), NaN before it (Lee, Goldt & Saxe 2021)."""
    return change(result, switch)[..., _index(result, task)]


def transfer(result: Any, task: int = 2, switch: int = 1) -> np.ndarray:
    """T(t) = eps_g of a task at the switch minus that at t, (…, t), NaN before it (Lee, Goldt & Saxe 2021)."""
    return -change(result, switch)[..., _index(result, task)]


def peak(values: np.ndarray) -> np.ndarray:
    """Maximum over time (…,) of a curve (…, t), of what is not NaN."""
    return np.nanmax(values, axis=-1)


def reuse(result: Any, switch: int = 1, task: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of the student unit k* that is most aligned with a unit of the task's teacher at the switch.

    Returns
    -------
    rho : ndarray (…, t)
        Re-use ρ = 1 − |R_k*(t)|/|R_k*(t_s)|: 0 if the unit stays, towards 1 if it is taken for something else.
    activation : ndarray (…, t)
        Largest |R_kp|/√Q_kk of another unit with the teachers of other tasks.

    References
    ----------
    Lee, Sarao Mannelli, Clopath, Goldt & Saxe, ICML 2022 (arXiv:2205.09029).
    """
    at_switch(result, switch)
    S = result["eps_g"].shape[-1]
    M = result["T"].shape[0] // S
    own = np.arange(S * M) // M == _index(result, task)
    R, Q = (result[name][None] if result.kind == "theory" else result[name] for name in ("R", "Q"))
    rho, activation = np.empty(R.shape[:2]), np.empty(R.shape[:2])
    for i, begins in enumerate(result.meta["phases"]):
        then = np.abs(np.array(begins[switch]["R"])[:, own])
        k, m = np.unravel_index(then.argmax(), then.shape)
        rho[i] = 1.0 - np.abs(R[i][:, k, np.flatnonzero(own)[m]]) / then[k, m]
        norms = np.sqrt(np.diagonal(Q[i], axis1=1, axis2=2))
        others = np.delete(np.abs(R[i][:, :, ~own]) / norms[:, :, None], k, axis=1)
        activation[i] = others.reshape(len(others), -1).max(axis=1, initial=0.0)
    return (rho, activation) if result.kind == "simulation" else (rho[0], activation[0])


def _index(result: Any, task: int) -> int:
    S = result["eps_g"].shape[-1]
    return number("task", task, kind=int, low=1, high=S, words=f"must be one of the tasks 1 to {S}") - 1
