"""Hopfield's network."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.validation import free_energies
from tsphys.validation.checks import Check, Finding, Setting, in_size, on_theory, stationary, two_samples

#: Temperature of the reference points; half of its spinodal load is 0.035.
HOT = 0.4


def retrieval(model: Any, loads: Any, N: int, replicas: int, observables: Any = ("m", "energy"), **options: Any) -> Any:
    """A check of simulated retrieval on the replica-symmetric state over loads."""

    def run(setting: Setting) -> Finding:
        sim = tsphys.simulate(
            model, N=N, alpha=loads, replicas=setting.replicas(replicas), seed=setting.seed, threads=setting.threads,
            equilibration=50, sweeps=100, **options,
        )  # fmt: skip
        return on_theory(sim, tsphys.solve(model, alpha=loads), "m", list(observables))

    return run


def first_steps(setting: Setting) -> Finding:
    """Two parallel steps at T = 0 (Gardner, Derrida & Mottishaw 1987)."""
    model = tsphys.Hopfield(alpha=0.1, dynamics="parallel")
    options: dict[str, Any] = {"t": [0, 1, 2], "overlap": 0.4}
    sim = tsphys.simulate(
        model, N=2000, start="noisy", replicas=setting.replicas(24), seed=setting.seed, threads=setting.threads,
        **options,
    )  # fmt: skip
    return on_theory(sim, tsphys.solve(model, **options), "m", ["m"])


def counted_columns(setting: Setting) -> Finding:
    """Parallel dynamics by the law of equal columns against moving the spins, 400 spins and four patterns."""
    model = tsphys.Hopfield(alpha=0.01, T=0.4, dynamics="parallel")
    options: dict[str, Any] = {"N": 400, "start": "noisy", "overlap": 0.5, "t": [1, 2, 5], "threads": setting.threads}
    one, other = (
        tsphys.simulate(model, engine=e, replicas=setting.replicas(200), seed=setting.seed + i, **options)["overlaps"]
        for i, e in enumerate(("direct", "exact"))
    )
    return two_samples(one, other, "three overlaps at three times")


def sizes(setting: Setting) -> Finding:
    """The overlap at a load far from the spinodal."""
    model, N = tsphys.Hopfield(alpha=0.02, T=HOT), (200, 400, 800)
    samples = [
        tsphys.simulate(
            model, N=n, replicas=setting.replicas(120), seed=setting.seed + n, threads=setting.threads,
            equilibration=40, sweeps=60,
        )["m"][:, 0]
        for n in N
    ]  # fmt: skip
    return in_size(N, samples, float(tsphys.solve(model)["m"][0]))


def saddles(coupling: str, static: float) -> Any:
    """A check that m, q, r are stationary over temperatures."""

    def run(setting: Setting) -> Finding:
        alpha, T = 0.04, np.array([0.15, 0.3, 0.45])
        model = tsphys.Hopfield(alpha=alpha, coupling=coupling, connectivity=0.5 if coupling == "diluted" else 1.0)
        found = tsphys.solve(model, T=T)
        return _all(
            [
                stationary(lambda m, q, r, t=t: free_energies.hopfield(m, q, r, alpha, t, static), [point])
                for t, *point in zip(T, *(found[k] for k in ("m", "q", "r")))
            ]
        )

    return run


def sparse_saddles(setting: Setting) -> Finding:
    """Stationarity of m, Q, q for neurons 0/1."""
    f, threshold, alpha, T = 0.1, 0.5, 0.1, np.array([0.05, 0.1])
    found = tsphys.solve(tsphys.Hopfield(activity=f, threshold=threshold, alpha=alpha), T=T)
    Q = f * found["p1"] + (1 - f) * found["p0"]
    return _all(
        [
            stationary(lambda m, Q, q, t=t: free_energies.sparse(m, Q, q, alpha, t, f, threshold), [point], step=2e-4)
            for t, *point in zip(T, found["m"], Q, found["q"])
        ]
    )


def _all(findings: list[Finding]) -> Finding:
    return max(findings, key=lambda finding: finding.score)


def checks(quick: bool) -> list[Check]:
    """What is checked of Hopfield's network."""
    loads = [0.00875, 0.0175, 0.03]
    hebb = tsphys.Hopfield(T=HOT)
    return [
        Check("simulation", "retrieval, overlaps", retrieval(hebb, loads, 800, 16, method="overlap")),
        Check("simulation", "retrieval, couplings", retrieval(hebb, loads, 800, 16, method="matrix")),
        Check("simulation", "clipped", retrieval(tsphys.Hopfield(coupling="clipped", T=0.3), [0.02, 0.04], 1000, 12)),
        Check(
            "simulation",
            "diluted",
            retrieval(tsphys.Hopfield(coupling="diluted", connectivity=0.5, T=0.3), [0.02, 0.04], 1000, 12),
        ),
        Check(
            "simulation",
            "sparse patterns",
            retrieval(tsphys.Hopfield(activity=0.1, threshold=0.5, T=0.05), [0.1, 0.25], 2000, 12, ("m", "p1", "p0")),
        ),
        Check("simulation", "two parallel steps", first_steps),
        Check("engine", "exact against direct", counted_columns),
        Check("size", "overlap", sizes),
        Check("saddle", "Hebb", saddles("hebb", 0.0)),
        Check("saddle", "clipped", saddles("clipped", np.pi / 2 - 1)),
        Check("saddle", "diluted", saddles("diluted", 1.0)),
        Check("saddle", "sparse patterns", sparse_saddles),
    ]
