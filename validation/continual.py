"""Continual learning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.continual import error_rates, tuned
from tsphys.physics import penalties
from tsphys.validation.checks import Check, Finding, Setting, within
from tsphys.validation.one_step import at_start, both, rates, stepped
from tsphys.validation.online import averaged, engines, simulated
from tsphys.validation.plain_rules import Plain, motion, tasks

PLAIN = tsphys.Continual(K=3, M=2, similarity=0.5, readout_similarity=0.3, durations=[5], noise=0.4)
REPLAY = tsphys.Continual(K=3, M=2, similarity=0.5, durations=[5], replay=0.2)
ELASTIC = tsphys.Continual(K=3, M=2, similarity=0.5, durations=[5], regulariser="ewc", strength=1.5)
#: Students of random weights that know a little of both teachers.
R = np.array([[0.1, 0.02, 0.03, -0.02], [-0.02, 0.08, 0.01, 0.05], [0.01, -0.03, 0.04, 0.02]])
HEADS = [0.5, 0.4, 0.3, 0.2, -0.2, 0.1]
START = tsphys.OrderParameters(R=R, Q=np.diag([0.2, 0.15, 0.1]), T=PLAIN.teacher_overlaps(), v=HEADS)
T = np.linspace(0, 10, 6)
#: One unit a teacher, with a switch of tasks after t = 1, for averages over few fields.
SMALL = tsphys.Continual(K=2, M=1, similarity=0.5, durations=[1], noise=0.1)
SMALL_START = tsphys.OrderParameters(
    R=[[0.1, 0.05], [0.02, -0.05]],
    Q=[[0.2, 0.05], [0.05, 0.1]],
    T=SMALL.teacher_overlaps(),
    v=[0.5, 0.3, 0.2, -0.1],
)


def checks(quick: bool) -> list[Check]:
    """What is checked of continual learning."""
    N, replicas = {"exact": 1000, "direct": 300}, {"exact": 32, "direct": 16}
    out = [
        Check("simulation", f"two tasks, engine {e}", simulated(PLAIN, START, T, e, N[e], replicas[e]))
        for e in engines()
        if e != "cuda"
    ]
    for name, model in (("replay", REPLAY), ("elastic weights", ELASTIC)):
        out.append(Check("simulation", f"{name}, engine exact", simulated(model, START, T, "exact", 1000, 32)))
    out.append(Check("integral", "equations through a switch", averaged(SMALL, SMALL_START, [0.5, 2.0])))
    return [
        *out,
        Check("identity", "penalties of linear students", _penalties),
        Check("identity", "best pull", _best),
        *_steps(),
    ]


def _penalties(setting: Setting) -> Finding:
    """Closed forms against equations of motion, and against vectors of few dimensions that are pulled one by one."""
    eta, xi, V, sigma, t1, t2 = 0.5, 0.7, 0.4, 0.5, 1.5, 1.0
    model = tsphys.Continual(
        K=1, activation="linear", lr=eta, lr_v=0, noise=sigma, similarity=V, durations=[t1], regulariser="l2",
        strength=xi,
    )  # fmt: skip
    begin = tsphys.OrderParameters(R=[[0, 0]], Q=[[0]], T=model.teacher_overlaps(), v=[1, 1])
    moved = tsphys.solve(model, start=begin, t=[t1 + t2])["eps_g"][0]
    gaps = [np.subtract(penalties.two_tasks(xi, V, t1, t2, eta, sigma), moved)]

    S = 4
    teachers = np.linalg.cholesky(np.full((S, S), V) + (1 - V) * np.eye(S))
    w = teachers[0]
    for wanted in teachers[1:]:
        w = (wanted + xi * w) / (1 + xi)
    gaps.append(np.atleast_1d(penalties.sequence(xi, S, V) - 0.5 * ((w - teachers) ** 2).sum(axis=1).mean()))

    # Two tasks, whose inputs have common axes and other spectra, in coordinates that are not those axes.
    l1, l2, away = np.array([2.0, 0.5, 0.1]), np.array([0.3, 1.0, 1.5]), np.array([0.4, -0.7, 0.2])
    U = np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2 + np.eye(3))[0]
    C1, C2 = U * l1 @ U.T, U * l2 @ U.T
    for pull, P in ((1.0, np.eye(3)), (l1, C1)):
        # The first teacher is the origin.
        w = np.linalg.solve(C2 + xi * P, C2 @ U @ away)
        rest = w - U @ away
        told = 0.25 * (w @ C1 @ w + rest @ C2 @ rest)
        gaps.append(np.atleast_1d(penalties.of_spectra(xi, l1, l2, away**2, pull) - told))
    return within(np.concatenate(gaps), np.full(5, 1e-9), "errors of both tasks, of a sequence, of two spectra")


def _best(setting: Setting) -> Finding:
    """The strength that is found has the least mean of both errors: it is higher by as much a little to both sides."""
    model = replace(SMALL, durations=[10.0], regulariser="ewc")
    t, step = 30.0, 0.1
    best, least = tuned(model, SMALL_START, t, low=0.02, high=20.0, points=5)
    strengths = best * np.exp(step * np.array([-1, 0, 1]))
    told = [
        tsphys.solve(replace(model, strength=float(xi)), start=SMALL_START, t=[t], rtol=1e-8, atol=1e-9)["eps_g"].mean()
        for xi in strengths
    ]
    # Of a parabola through three points; ln ξ is found to 2e-3, and its third order is some of step².
    off = 0.5 * step * (told[2] - told[0]) / (told[0] - 2 * told[1] + told[2])
    return within(
        np.array([off, least / told[1] - 1]), np.array([6e-3, 1e-5]), "ln ξ of the least error, and that error"
    )


def _steps() -> list[Check]:
    """Both tasks at once, and steps through a switch of tasks, with replay, and with elastic weights."""
    # The noise of the second task alone is most of each step, so that its strength and how often it comes are seen.
    lr, lr_v, sigma, b, S, K, M = 1.5, 1.1, [0.2, 5.0], 8, 2, 2, 1
    given: dict[str, Any] = {"K": K, "M": M, "lr": lr, "lr_v": lr_v, "noises": sigma, "similarity": 0.5}
    start = tsphys.OrderParameters(
        R=SMALL_START.R, Q=SMALL_START.Q, T=SMALL_START.T, v=SMALL_START.v, v_star=SMALL.teacher_readouts().ravel()
    )

    def rule(chances: list[float]) -> Any:
        return tasks("erf", lr, lr_v, sigma, S, K, M, chances)

    whole = Plain(rule([0.5, 0.5]), noises=2)
    out = both("interleaved", tsphys.Continual(schedule="interleaved", **given), whole, start)
    binary = tsphys.Continual(schedule="interleaved", inputs="binary", **given)
    out.append(Check("step", "inputs ±1", stepped(binary, replace(whole, binary=True), start, "direct")))
    for name in ("relu", "linear", "quad", "he2"):
        model = tsphys.Continual(schedule="interleaved", activation=name, **given)
        told = Plain(tasks(name, lr, lr_v, sigma, S, K, M, [0.5, 0.5]), noises=2)
        out.append(Check("rate", name, rates(model, told, start)))

    def turns(step: int, W: np.ndarray, v: np.ndarray) -> Any:
        """The first task in even steps, the second in odd ones."""
        return rule([0.0, 1.0] if step % 2 else [1.0, 0.0]), 0.0, 0.0

    model = tsphys.Continual(schedule="interleaved", mixing="alternate", **given)
    out.append(Check("step", "tasks take turns", stepped(model, whole, start, "direct", 5, tasks=turns)))

    def switched(chance: float, strength: float) -> Any:
        """The second task from step 12 of 24 on, with its replay, and a pull to where the weights were."""
        kept: dict[str, Any] = {}

        def at(step: int, W: np.ndarray, v: np.ndarray) -> Any:
            if step < 12:
                return rule([1.0, 0.0]), 0.0, 0.0
            if step == 12:
                kept.update(home=W, pull=lr * strength * v[:, 0, :K, None] ** 2)
            return rule([chance, 1 - chance]), kept["pull"], kept["home"]

        return at

    def begun(setting: Setting) -> Finding:
        """First rates of the second task, half of whose examples are those of the first again."""
        before = tsphys.solve(replay, start=start, t=[0.0, 0.5])
        R, Q, v = (before[name][-1] for name in ("R", "Q", "v"))
        at = tsphys.OrderParameters(R=R, Q=Q, T=start.T, v=v.ravel(), v_star=start.v_star)
        told = motion(Plain(rule([0.5, 0.5]), noises=2, b=b), at, 2**13)
        return at_start(replay, *told, begin=0.5, start=start)

    def stiff(setting: Setting) -> Finding:
        """A pull Ω turns back what R moves by in a time h after the switch: by −½ ηΩ h² of its rate."""
        h = 1e-3
        t = [0.5, 0.5 + h, 0.5 + 2 * h]
        free = tsphys.solve(loose, start=start, t=t, rtol=1e-12, atol=1e-14)
        slope = (4 * free["R"][1] - free["R"][2] - 3 * free["R"][0]) / (2 * h)
        squares = free["v"][0].reshape(S, K)[0][:, None] ** 2
        # ⟨g'(λ)²⟩ = (2/π)⟨exp(−λ²)⟩ of erf.
        z = np.linspace(-10, 10, 4001)
        field = np.diag(free["Q"][0])[:, None] * z**2
        fisher = 2 / np.pi * np.exp(-field) @ np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
        gaps = []
        for name, told in (("l2", 1.0 + 0 * squares), ("ewc", squares), ("fisher", squares * fisher[:, None])):
            model = tsphys.Continual(durations=[0.5], minibatch=b, regulariser=name, strength=20.0, **given)
            held = tsphys.solve(model, start=start, t=t, rtol=1e-12, atol=1e-14)
            near, far = (-2 * (held["R"][i] - free["R"][i]) / (i * h) ** 2 / slope for i in (1, 2))
            gaps.append((2 * near - far) / (lr * 20.0 * told) - 1)
        return within(np.array(gaps), np.full(np.shape(gaps), 1e-3), "pulls of l2, ewc, fisher")

    def copied(setting: Setting) -> Finding:
        """The head of a new task is that of the task before, and moves by its rate of order one for 2e-9."""
        model = tsphys.Continual(durations=[0.5], head="copy", **given)
        before, after = tsphys.solve(model, start=start, t=[0.5 - 1e-9, 0.5 + 1e-9])["v"].reshape(2, S, K)
        return within(after - before[:1], 1e-6 + 0 * after, "heads after the switch")

    def slopes(setting: Setting) -> Finding:
        """Rates of all errors right after the switch, from three short times, the third power of which is left."""
        h = 2e-4
        found = tsphys.solve(loose, start=start, t=[0.5, 0.5 + h, 0.5 + 2 * h, 0.5 + 3 * h], rtol=1e-12, atol=1e-14)
        e = found["eps_g"]
        then = tsphys.OrderParameters(
            R=found["R"][0], Q=found["Q"][0], T=start.T, v=found["v"][0].ravel(), v_star=start.v_star
        )
        told = error_rates(loose, then)
        slope = (-11 * e[0] + 18 * e[1] - 9 * e[2] + 2 * e[3]) / (6 * h)
        return within(slope - told, np.full(S, 1e-5 * np.abs(told).max()), "rates of errors")

    first = Plain(rule([1.0, 0.0]), noises=2, b=b)
    replay = tsphys.Continual(durations=[0.5], minibatch=b, replay=0.5, **given)
    elastic = tsphys.Continual(durations=[0.5], minibatch=b, regulariser="ewc", strength=20.0, **given)
    loose = tsphys.Continual(durations=[0.5], minibatch=b, **given)
    out += [Check("rate", "replay", begun), Check("identity", "pulls", stiff), Check("identity", "copied head", copied)]
    out.append(Check("identity", "forgetting and transfer", slopes))
    for name, model, at in (("replay", replay, switched(0.5, 0.0)), ("elastic weights", elastic, switched(0.0, 20.0))):
        for engine in ("exact", "direct"):
            out.append(
                Check("step", f"{name}, {engine}", stepped(model, first, start, engine, 20, tasks=at, replicas=10_000))
            )
    return out
