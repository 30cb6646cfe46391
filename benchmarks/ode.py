"""Time to solution of the equations of motion at a fixed accuracy, against Euler's rule and Runge and Kutta's."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved
from tsphys.errors import ConvergenceError

#: Relative error of eps_g asked for, the largest over `TIMES`.
ACCURACIES = (1e-3, 1e-6)
#: From the plateau through the escape to the noise floor.
TIMES = np.array([8.0, 16.0, 32.0, 96.0, 288.0])
#: Fixed steps are halved at most this often from the longest, which divides all `TIMES`.
LONGEST, HALVINGS = 8.0, 24


@njit(cached=False)
def error(C, a):
    """½ Σ a_i a_j I2(i, j), with I2 = (2/π) asin of the normalised overlap (Saad and Solla 1995)."""
    out = 0.0
    for i in range(a.size):
        for j in range(a.size):
            out += a[i] * a[j] / math.pi * math.asin(C[i, j] / math.sqrt((1 + C[i, i]) * (1 + C[j, j])))
    return out


@njit(cached=False)
def rates(C, a, K, lr, variance, dC):
    """dC/dt of the overlaps C (K+M, K+M) of students and teachers, erf, readout a = (v, -v*), first layer trained."""
    n = a.size
    dC[:, :] = 0.0
    for k in range(K):
        for l in range(n):
            move = 0.0
            for b in range(n):
                det = (1 + C[k, k]) * (1 + C[b, b]) - C[k, b] ** 2
                slope = (C[l, b] * (1 + C[k, k]) - C[k, l] * C[k, b]) / (1 + C[k, k])
                move -= lr * a[k] * a[b] * 2 / math.pi / math.sqrt(det) * slope
            dC[k, l] += move
            dC[l, k] += move
    for k in range(K):
        for l in range(k + 1):
            p, q, r = 1 + C[k, k], 1 + C[l, l], C[k, l]
            det = p * q - r * r
            spread = variance * 2 / math.pi / math.sqrt(det)
            for b in range(n):
                for d in range(b + 1):
                    twice = 1 if b == d else 2
                    top = det * C[b, d] - C[l, b] * C[l, d] * p - C[k, b] * C[k, d] * q
                    top += r * (C[k, b] * C[l, d] + C[k, d] * C[l, b])
                    left = det * (1 + C[b, b]) - C[l, b] ** 2 * p - C[k, b] ** 2 * q + 2 * r * C[k, b] * C[l, b]
                    right = det * (1 + C[d, d]) - C[l, d] ** 2 * p - C[k, d] ** 2 * q + 2 * r * C[k, d] * C[l, d]
                    angle = math.asin(top / math.sqrt(left * right))
                    spread += twice * a[b] * a[d] * 4 / math.pi**2 / math.sqrt(det) * angle
            dC[k, l] += lr**2 * a[k] * a[l] * spread
            if l < k:
                dC[l, k] += lr**2 * a[k] * a[l] * spread


@njit(cached=False)
def fixed_steps(C, a, K, lr, variance, t, dt, fourth, eps):
    """eps (len(t),) by steps of dt of Euler's rule, or of the classical fourth-order one."""
    C = C.copy()
    k1, k2, k3, k4 = np.empty_like(C), np.empty_like(C), np.empty_like(C), np.empty_like(C)
    done = 0
    for i in range(t.size):
        last = round(t[i] / dt)
        while done < last:
            rates(C, a, K, lr, variance, k1)
            if fourth:
                rates(C + 0.5 * dt * k1, a, K, lr, variance, k2)
                rates(C + 0.5 * dt * k2, a, K, lr, variance, k3)
                rates(C + dt * k3, a, K, lr, variance, k4)
                C += dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            else:
                C += dt * k1
            done += 1
        eps[i] = error(C, a)


def start(setting: Setting) -> tuple[Any, np.ndarray, np.ndarray]:
    """Overlaps at t = 0, also as one matrix C (K+M, K+M), and the readout (v, -v*)."""
    from tsphys.rules.starts import drawn_start

    begin = drawn_start(setting.model, 1000, 0, 0)
    C = np.block([[begin.Q, begin.R], [begin.R.T, begin.T]])
    return begin, C, np.concatenate([begin.v, -np.asarray(begin.v_star)])


def solution(setting: Setting, begin: Any, rtol: float) -> np.ndarray:
    """eps_g at `TIMES` by `tsphys.solve`."""
    from tsphys.registry import solve

    return solve(setting.model, start=begin, t=TIMES, rtol=rtol, atol=0.1 * rtol)["eps_g"]


def by_steps(setting: Setting, C: np.ndarray, a: np.ndarray, fourth: bool, dt: float) -> np.ndarray:
    """eps_g at `TIMES` by fixed steps."""
    eps = np.empty(len(TIMES))
    fixed_steps(C, a, setting.K, setting.lr, setting.noise**2, TIMES, dt, fourth, eps)
    return eps


def coarsest(run: Callable[[float], np.ndarray], knobs: list[float], exact: np.ndarray, accuracy: float) -> float:
    """The first of `knobs`, from coarse to fine, from which on two in a row are as accurate as asked for.

    Two, since one may hit the accuracy by a cancellation.
    """
    good = None
    for knob in knobs:
        eps = run(knob)
        close = np.isfinite(eps).all() and np.max(np.abs(eps / exact - 1)) < accuracy
        if close and good is not None:
            return good
        good = knob if close else None
    raise ConvergenceError(f"no step reaches a relative error of {accuracy:g}", iterations=len(knobs))


def time_to_solution(setting: Setting) -> list[Row]:
    """Time of `tsphys.solve` and of fixed steps, each at the coarsest setting that is accurate enough."""
    begin, C, a = start(setting)
    exact = solution(setting, begin, 1e-12)
    steps = [LONGEST * 2.0**-k for k in range(HALVINGS)]
    tolerances = [10.0**-k for k in range(2, 12)]
    methods = {
        "tsphys.solve": (partial(solution, setting, begin), tolerances),
        "Runge-Kutta 4": (partial(by_steps, setting, C, a, True), steps),
        "Euler": (partial(by_steps, setting, C, a, False), steps),
    }
    rows = []
    for accuracy in ACCURACIES:
        section = f"equations of motion to t = {TIMES[-1]:g}, relative error of eps_g below {accuracy:g}"
        cases = {}
        for name, (run, knobs) in methods.items():
            if name == "Euler" and accuracy < 1e-4:
                # Its error is of first order: a thousand times as long as at 1e-3, minutes.
                continue
            knob = coarsest(run, knobs, exact, accuracy)
            label = f"{name}, {'rtol' if name == 'tsphys.solve' else 'dt'} = {knob:.2g}"
            cases[label] = lambda n, run=run, knob=knob: [run(knob) for _ in range(n)]
        times = interleaved(cases, setting.seconds, setting.rounds)
        rows += [row(section, name, 1e3 * t, "ms") for name, t in times.items()]
        ours, *others = times
        rows += [ratio(section, f"{o.split(',')[0]} / tsphys.solve", times[o], times[ours]) for o in others]
    return [*rows, *many_units(setting)]


#: Units of student and teacher, and times, of a long solution: from the start past the plateau to rest.
MANY, LONG = 8, np.geomspace(0.1, 1e4, 20)


def many_units(setting: Setting) -> list[Row]:
    """Time to rest of equations with hundred variables, and of one evaluation of their rates in the plain way."""
    from tsphys.models.two_layer import TwoLayer
    from tsphys.odes.equations.motion import Motion
    from tsphys.registry import solve
    from tsphys.rules.starts import drawn_start

    model = TwoLayer(K=MANY, M=MANY)
    begin = drawn_start(model, 1000, 0, 0)
    motion = Motion(model, np.array(begin.T), np.array(begin.v_star))
    rhs, y = motion.rhs(), motion.state(begin)
    C = np.block([[begin.Q, begin.R], [begin.R.T, begin.T]])
    a, dC = np.concatenate([begin.v, -np.asarray(begin.v_star)]), np.empty_like(C)
    section = f"equations of motion of erf units, K = M = {MANY}, {len(y)} variables"
    cases: dict[str, Callable[[int], Any]] = {
        "rates, plain": lambda n: [rates(C, a, MANY, model.lr, 0.0, dC) for _ in range(n)],
        "rates, tsphys": lambda n: [rhs(0.0, y) for _ in range(n)],
        "whole": lambda n: [solve(model, start=begin, t=LONG) for _ in range(n)],
    }
    times = interleaved(cases, setting.seconds, setting.rounds, clock=time.process_time)
    found = solve(model, start=begin, t=LONG).meta
    least = found["evaluations"] * times["rates, tsphys"]
    return [
        *(row(section, name, 1e6 * times[name], "µs") for name in cases if name != "whole"),
        ratio(section, "rates, plain / tsphys", times["rates, plain"], times["rates, tsphys"]),
        row(section, f"to t = {LONG[-1]:g} at default tolerances, {found['evaluations']} rates", times["whole"], "s"),
        ratio(section, "over its rates", times["whole"], least),
    ]


#: Units of student and teacher, and activation, of which the first order in 1/N is timed.
EXPANDED = ((1, "erf"), (2, "erf"), (4, "erf"), (2, "relu"))


def first_order(setting: Setting) -> list[Row]:
    """Time of `tsphys.solve` with the first order in 1/N, over that without."""
    from tsphys.models.two_layer import TwoLayer
    from tsphys.registry import solve
    from tsphys.rules.starts import drawn_start

    rows, section = [], f"mean and spread at finite N beside the equations of motion, to t = {TIMES[-1]:g}"
    for K, activation in EXPANDED:
        model = TwoLayer(K=K, M=K, activation=activation, lr=setting.lr, noise=setting.noise, init=0.5)
        options = {"start": drawn_start(model, 100, 0, 0), "t": TIMES}
        cases = {
            "without": lambda n, model=model, options=options: [solve(model, **options) for _ in range(n)],
            "with": lambda n, model=model, options=options: [
                solve(model, **options, fluctuations=True) for _ in range(n)
            ],
        }
        times = interleaved(cases, setting.seconds, setting.rounds)
        name = f"{activation}, K = M = {K}"
        rows.append(row(section, f"{name}, with", 1e3 * times["with"], "ms"))
        rows.append(ratio(section, f"{name}, with / without", times["with"], times["without"]))
    return rows
