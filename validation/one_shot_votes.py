"""Votes of clients that each learned from a set of their own."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

import tsphys
from tsphys.numerics.random import generator
from tsphys.replica.one_shot_votes import kept_power, right
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def voted(model: Any, axis: dict[str, Any], replicas: int = 24, N: int = 200) -> Any:
    """A check of votes that are counted on the theory."""
    return agrees(model, "eps_g", replicas, sim={"N": N}, **axis)


def ranked(setting: Setting) -> Finding:
    """What ranks keep, on 2·10⁵ weights that are drawn as they are for N → ∞: to five errors and 1e-3 of ranks."""
    rng, N, off = np.random.default_rng([setting.seed, 53]), 200_000, []
    for M, malicious, alpha, kept in ((5, 1, 1.0, 0.3), (4, 0, 3.0, 0.1), (11, 3, 0.3, 0.6)):
        b = rng.standard_normal(N)
        b *= np.sqrt(N) / np.linalg.norm(b)
        total = np.zeros(N)
        for client in range(M):
            ranks = np.argsort(np.argsort(np.abs(np.sqrt(2 / np.pi) * b + rng.standard_normal(N) / np.sqrt(alpha))))
            total += N - 1 - ranks if client < malicious else ranks
        power = (b[np.argsort(total)[N - round(kept * N) :]] ** 2).sum() / N
        told = kept_power(tsphys.OneShotVotes(ballots="ranks", clients=M, malicious=malicious, alpha=alpha, kept=kept))
        off.append(power - told)
    return within(np.array(off), np.full(3, 5 * np.sqrt(2 / N) + 1e-3), "power that is kept")


def majorities(setting: Setting) -> Finding:
    """How often most votes are right, from 10⁵ elections, to five errors."""
    rng, off = np.random.default_rng([setting.seed, 54]), []
    for M, malicious, b in ((7, 2, 0.8), (6, 1, 0.3), (1, 0, 1.5)):
        w = np.sqrt(2 / np.pi) * b + rng.standard_normal((100_000, M)) / np.sqrt(0.5)
        votes = np.sign(w) * np.where(np.arange(M) < malicious, -1, 1)
        won = np.sign(votes.sum(axis=1))
        model = tsphys.OneShotVotes(clients=M, malicious=malicious, alpha=0.5)
        off.append((won.mean() - right(model, np.array([b]))[0]) / (5 * won.std() / len(won) ** 0.5))
    return within(np.array(off), np.ones(3), "majorities, in units of five errors")


def by_hand(setting: Setting) -> Finding:
    """Single elections, weight by weight."""
    N, off = 30, []
    some: list[dict[str, Any]] = [{}, {"teacher": "binary", "loudness": 2.0}, {"ballots": "ranks", "kept": 0.4}]
    for given in some:
        model = tsphys.OneShotVotes(clients=5, malicious=2, alpha=0.5, **given)
        found = tsphys.simulate(model, N=N, replicas=1, seed=setting.seed)
        rng = generator(setting.seed, 0, "clients 0")
        b = rng.standard_normal(N)
        b = np.sign(b) if model.teacher == "binary" else b * np.sqrt(N / (b @ b))
        ws = []
        for _ in range(5):
            X = rng.standard_normal((15, N))
            ws.append(np.mean([np.sign(x @ b) * x for x in X], axis=0) * np.sqrt(N))
        way, w = np.array([-1, -1, 1, 1, 1]), np.array(ws)

        def angle(a: np.ndarray, b: np.ndarray = b) -> float:
            return float(np.arccos(a @ b / np.sqrt((a @ a) * (b @ b))) / np.pi)

        if model.ballots == "ranks":
            ranks = np.array([[np.sum(np.abs(row) < abs(x)) for x in row] for row in w])
            total = np.where(way[:, None] < 0, N - 1 - ranks, ranks).sum(axis=0) + 0.5 * rng.random(N)
            kept = np.sum(b[total >= np.sort(total)[N - 12]] ** 2) / N
            off += [found["power"][0, 0] - kept, found["eps_g"][0, 0] - np.arccos(np.sqrt(kept)) / np.pi]
        else:
            off.append(found["eps_g"][0, 0] - angle(np.sign(way @ np.sign(w))))
            off.append(found["eps_mean"][0, 0] - angle(np.where(way < 0, -model.loudness, 1) @ w))
    return within(off, 1e-10, "elections by hand")


def written_out(setting: Setting) -> Finding:
    """Cosines by sums over all votes and Gauss–Hermite; ranks of a single client by what lies beyond its threshold."""
    x, weights = np.polynomial.hermite_e.hermegauss(100)
    off = []
    for M, k, alpha, c in ((3, 0, 0.5, 1.0), (4, 1, 0.7, 2.5)):
        p = ndtr(np.abs(x) * np.sqrt(2 * alpha / np.pi))
        lead = np.zeros_like(x)
        for votes in product((1, -1), repeat=M):
            right = [p if v > 0 else 1 - p for v in votes]
            cast = sum(votes[k:]) - sum(votes[:k])
            lead += np.prod(right, axis=0) * np.sign(cast)
        found = tsphys.solve(tsphys.OneShotVotes(clients=M, malicious=k, alpha=alpha, loudness=c))
        along, across = (M - k - c * k) * np.sqrt(2 / np.pi), np.sqrt((M - k + c * c * k) / alpha)
        off.append(np.cos(np.pi * found["eps_g"][0]) - weights @ (np.abs(x) * lead) / weights.sum())
        off.append(np.cos(np.pi * found["eps_mean"][0]) - along / np.hypot(along, across))
    for malicious, kept, alpha in ((0, 0.3, 1.0), (1, 0.3, 0.5)):
        inside = 1 - kept if not malicious else kept
        edge = float(ndtri(0.5 + inside / 2)) * np.sqrt(2 / np.pi + 1 / alpha)
        shifts = [(s * edge - np.sqrt(2 / np.pi) * x) * np.sqrt(alpha) for s in (1, -1)]
        below = ndtr(shifts[0]) - ndtr(shifts[1])
        power = float(weights @ (x * x * (below if malicious else 1 - below)) / weights.sum())
        model = tsphys.OneShotVotes(ballots="ranks", clients=1, malicious=malicious, kept=kept, alpha=alpha)
        off.append(kept_power(model) - power)
    # Kinks of |b| leave 1e-5 of Gauss–Hermite, sums over bins 1e-6.
    return within(off, 2e-5, "written out")


def checks(quick: bool) -> list[Check]:
    """What is checked of single votes: both teachers, ties, malicious and loud clients, ranks."""
    model = tsphys.OneShotVotes(clients=5)
    ranks = tsphys.OneShotVotes(ballots="ranks", clients=5, malicious=1)
    return [
        Check("simulation", "signs, normal teacher", voted(model, {"malicious": [0, 1, 2]})),
        Check("simulation", "signs, ±1 teacher", voted(replace(model, teacher="binary"), {"alpha": [0.2, 1.0]})),
        Check("simulation", "ties", voted(replace(model, clients=4, malicious=1), {"alpha": [0.5, 2.0]})),
        Check("simulation", "loud clients", voted(replace(model, malicious=1, loudness=2.0), {"alpha": [0.5, 2.0]})),
        Check("simulation", "ranks", voted(ranks, {"kept": [0.1, 0.3, 0.6]})),
        Check("integral", "written out", written_out),
        Check("integral", "majorities", majorities),
        Check("step", "elections by hand", by_hand),
        Check("integral", "ranks", ranked),
    ]
