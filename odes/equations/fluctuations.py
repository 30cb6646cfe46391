"""From the expansion of the state to that of everything observed, and into the Result of a theory.

Of a function g of the state the mean over runs is g + (∇g·m + ½ ∂²g:C)/N, the covariance of two ∇gᵀC∇h/N + V/N²,
V = ½ tr(∂²g C ∂²h C), which is all there is where ∇g vanishes: at the error of a student that has converged.
"""

from __future__ import annotations

import dataclasses
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.odes.equations.expansion import FIRST, LEAST, SECOND, Expansion, axes, carried, expand
from tsphys.odes.equations.online import Chain, Stage
from tsphys.physics.order_parameters import DIVERGED
from tsphys.runs.first_order import FirstOrder
from tsphys.runs.result import Result

#: Relative tolerance of the curve along which the coefficients are taken.
RTOL = 1e-9
#: Deviation, relative to the largest of any number, that is rounding.
STILL = 1e-10
#: Times so short that a curve is straight; steps of LSODA would be lost in them.
SHORT = 1e-30
#: Axes of the covariance, those of the largest curvature, among which V is taken.
CURVED = 6


def follow(chain: Chain, t: np.ndarray) -> Expansion:
    """The expansion of the state from a given start, at `t` and at many times before.

    At the end of a stage that of the next one stands as well.
    """
    found: list[Expansion] = []
    n = len(chain.start)
    bias, cov = (np.zeros(shape) if a is None else a for a, shape in ((chain.bias, n), (chain.cov, (n, n))))
    given = 0.0, chain.start, chain.units(chain.start), bias, np.zeros(n), cov, np.zeros((n, n)), np.eye(n)
    now = Expansion(*(np.array([x]) for x in given))
    while not found or found[-1].t[-1] < t[-1]:
        begin = float(now.t[0])
        stage = chain.stage(len(found), begin, now.y[0])
        if stage.enter is not None:
            now = carried(stage.enter, now)
        end = min(stage.end, t[-1])
        curve = _curve(stage, now.y[0], begin, end)
        inside = t[(t >= begin) & (t <= end)]
        rows = expand(
            stage.process, curve, np.unique(np.append(inside, end)), begin=begin, bias=now.bias[0], cov=now.cov[0],
            doubt=now.doubt[0],
        )  # fmt: skip
        if stage.back is None:
            rows.link[0] = now.link[0]
        else:
            rows = carried(stage.back, rows)
            rows = rows._replace(
                units=np.array([chain.units(y) for y in rows.y]), link=np.full((len(rows.t), n, n), np.nan)
            )
        found.append(rows)
        now = Expansion(*(a[-1:] for a in rows))._replace(link=np.eye(n)[None])
    return Expansion(*(np.concatenate(same) for same in zip(*found)))


def _curve(stage: Stage, start: np.ndarray, begin: float, end: float) -> Any:
    """y(t) as a function."""
    from scipy.integrate import solve_ivp

    if end - begin <= SHORT:
        speed = stage.process.drift(start)
        return lambda t: (start + np.multiply.outer(t - begin, speed)).T
    solved = solve_ivp(
        lambda _, y: stage.process.drift(y), (begin, end), start,
        method="LSODA", rtol=RTOL, atol=stage.atol, dense_output=True,
    )  # fmt: skip
    if not solved.success or not np.abs(solved.y).max() < DIVERGED:
        raise ConvergenceError(f"the expansion in 1/N lost its curve at t = {solved.t[-1]:.4g}: {solved.message}")
    return solved.sol


class Observed(NamedTuple):
    """What the expansion of the state makes of P observed numbers, at all of its times (p,).

    Names of the observables whose entries they are, in turn; bias m, speed dg/dt and var2 V (p, P), cov C (p, P, P),
    doubt, an estimate of the error of its diagonal (p, P), and their gradients along the axes of C (p, n, P).
    """

    names: tuple[str, ...]
    bias: np.ndarray
    speed: np.ndarray
    cov: np.ndarray
    var2: np.ndarray
    doubt: np.ndarray
    gradient: np.ndarray


def observables(chain: Chain, found: Expansion) -> Observed:
    """The expansion of everything observed, by differences along the axes of C, along m and along the motion."""
    p, n = found.y.shape
    spans = [axes(C) for C in found.cov]
    span = np.zeros((p, max(1, *(len(own) for own in spans)), n))
    for row, own in zip(span, spans):
        row[: len(own)] = own
    ways = np.stack([found.bias, found.speed], axis=1)
    h, step = _steps(ways, found.units, FIRST), _steps(span, found.units, SECOND)
    names = tuple(chain.observe(found.y[:1]))

    def seen(moves: np.ndarray) -> np.ndarray:
        states = (found.y[:, None] + moves).reshape(-1, n)
        rows = chain.observe(states)
        return np.concatenate([rows[k].reshape(len(states), -1) for k in names], axis=1).reshape(*moves.shape[:2], -1)

    g = seen(np.zeros((p, 1, n)))
    bias, speed = np.moveaxis((seen(h * ways) - seen(-h * ways)) / (2 * h), 1, 0)
    up, down = seen(step * span), seen(-step * span)
    slopes, bends = (up - down) / (2 * step), (up - 2 * g + down) / step**2
    var, var2 = (slopes**2).sum(axis=1), _second(seen, step * span, g, step, bends)
    # What moves by less than differences can tell does not move at all: Q of a student on the sphere.
    largest = var.max(axis=1, keepdims=True)
    still = (var <= STILL**2 * largest) & (var2 <= STILL * largest**2)
    slopes[np.broadcast_to(still[:, None], slopes.shape)] = 0.0
    bias += 0.5 * bends.sum(axis=1)
    bias[still] = var2[still] = 0.0
    # The error of C in the coordinates along its axes.
    inverse = np.linalg.pinv(span, rcond=1e-6)
    doubt = inverse.swapaxes(1, 2) @ found.doubt @ inverse
    doubt = np.abs(np.einsum("prg,prs,psg->pg", slopes, doubt, slopes))
    return Observed(names, bias, speed, np.einsum("prg,prh->pgh", slopes, slopes), var2, doubt, inverse @ slopes)


def _steps(ways: np.ndarray, units: np.ndarray, part: float) -> np.ndarray:
    """Factors (p, q, 1) that leave of each way (p, q, n) a part of the units (p, n); 1 where there is no way."""
    sizes = np.max(np.abs(ways) / units[:, None], axis=2, initial=0.0, keepdims=True)
    return np.divide(part, sizes, out=np.ones_like(sizes), where=sizes > LEAST)


def _second(seen: Any, moved: np.ndarray, g: np.ndarray, step: np.ndarray, bends: np.ndarray) -> np.ndarray:
    """V (p, P): half the sum of the squared second derivatives along pairs of axes, of those of the largest bend."""
    out = (bends**2).sum(axis=1)
    largest = np.abs(bends).max(axis=1, keepdims=True)
    weight = np.divide(np.abs(bends), largest, out=np.zeros_like(bends), where=largest > 0).max(axis=2)
    chosen = np.argsort(-weight, axis=1)[:, :CURVED]
    rows = np.arange(len(g))
    for i, j in combinations(range(chosen.shape[1]), 2):
        a, b = chosen[:, i], chosen[:, j]
        both = (moved[rows, a] + moved[rows, b])[:, None]
        s, r = step[rows, a], step[rows, b]
        apart = s**2 * bends[rows, a] + r**2 * bends[rows, b]
        mixed = ((seen(both) + seen(-both) - 2 * g)[:, 0] - apart) / (2 * s * r)
        out += 2 * mixed**2
    return 0.5 * out


def with_fluctuations(chain: Chain, theory: Result) -> Result:
    """The theory together with the first order in 1/N of what is observed."""
    t = theory[theory.axis]
    found = follow(chain, t)
    seen = observables(chain, found)
    at = np.searchsorted(found.t, t)
    sizes = [int(np.prod(theory[name].shape[1:])) for name in seen.names]
    before = np.zeros_like(seen.cov[at])
    for i, (a, b) in enumerate(pairwise(at), start=1):
        cov = found.cov[a]
        for link in found.link[a + 1 : b + 1]:
            cov = link @ cov
        before[i] = seen.gradient[b].T @ cov @ seen.gradient[a]
    known = FirstOrder(
        np.array(seen.names), np.array(sizes), seen.bias[at], seen.speed[at], seen.var2[at], seen.doubt[at],
        seen.cov[at], found.t, seen.bias, np.diagonal(seen.cov, axis1=1, axis2=2), seen.var2, before,
    )  # fmt: skip
    return dataclasses.replace(theory, first_order=known)
