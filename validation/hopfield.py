"""Hopfield's network."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.replica.hopfield import (
    at_load,
    at_temperature,
    glass_temperature,
    mixture_stability,
    spinodal_load,
    spinodal_temperature,
    transition_load,
)
from tsphys.validation import free_energies
from tsphys.validation.checks import (
    Check,
    Finding,
    Setting,
    agrees,
    in_size,
    on_theory,
    stationary,
    two_samples,
    within,
)
from tsphys.validation.checks import threshold as threshold_of
from tsphys.validation.identities import thermal

#: Temperature of the reference points; half of its spinodal load is 0.035.
HOT = 0.4


def retrieval(model: Any, loads: Any, N: int, replicas: int, observables: Any = ("m", "energy"), **options: Any) -> Any:
    """A check of simulated retrieval on the replica-symmetric state over loads."""
    own = {"N": N, "equilibration": 50, "sweeps": 100, **options}
    return agrees(model, "m", replicas, list(observables), sim=own, alpha=loads)


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


def frozen(model: Any) -> Any:
    """A check that the line of de Almeida and Thouless is where 1 = αβ²[1/(1 − C)² + δ] E sech⁴, by a plain sum.

    Relative to one; 1e-6 for the temperature, found to about 1e-10 of its logarithm, and sums of poles at |z| ~ T.
    """

    def run(setting: Setting) -> Finding:
        static = {"hebb": 0.0, "clipped": np.pi / 2 - 1, "diluted": 1 / model.connectivity - 1}[model.coupling]
        T = at_temperature(model)
        found = tsphys.solve(model, T=[T])
        m, q, r = (float(found[name][0]) for name in ("m", "q", "r"))
        z = np.linspace(-9, 9, 60_001)
        w = np.exp(-(z**2) / 2)
        x = np.clip((m + np.sqrt(model.alpha * (r + static * q)) * z) / T, -150, 150)
        slope = (r / q + static) * model.alpha / T**2 * np.sum(w / w.sum() / np.cosh(x) ** 4)
        return within(slope - 1, 1e-6, f"stability at T = {T:.4g}")

    return run


def enumerated(model: Any, seed: int, N: int = 8, P: int = 3) -> Any:
    """A check of the energy of a few spins with given patterns against the sum over all of their states.

    Sweeps over all replicas are the sample, bonds of diluted couplings are drawn anew in each.
    """

    def run(setting: Setting) -> Finding:
        sparse, rng = model.activity is not None, np.random.default_rng([seed, 3])
        xi = (rng.random((P, N)) < (model.activity or 0.5)) * 1.0
        xi = xi if sparse else 2 * xi - 1
        options: dict[str, Any] = {"N": N, "patterns": xi, "start": "random", "equilibration": 30}
        # Bonds differ from replica to replica, of which there must be many.
        n, sweeps = (setting.replicas(1500), 30) if model.coupling == "diluted" else (setting.replicas(400), 400)
        options |= {"sweeps": sweeps, "replicas": n, "seed": setting.seed, "threads": setting.threads}
        sim = tsphys.simulate(model, alpha=P / N, **options)["energy"][:, 0]
        states = (np.arange(2**N)[:, None] >> np.arange(N)) & 1
        s = states * 1.0 if sparse else 2.0 * states - 1
        f = model.activity or 0.0
        J = (xi - f).T @ (xi - f) / (N * (f * (1 - f) if sparse else 1))
        if model.coupling == "clipped":
            J = np.sqrt(P * np.pi / 2) / N * np.sign(J)
        keep = np.ones((1, N, N))
        if model.coupling == "diluted":
            upper = np.triu(rng.random((8000, N, N)) < model.connectivity, 1)
            keep = (upper + upper.swapaxes(1, 2)) / model.connectivity
        E = np.array([-0.5 * np.sum((s @ (J * k * (1 - np.eye(N)))) * s, axis=1) for k in keep])
        E = E + model.threshold * s.sum(axis=1) * sparse
        w = np.exp(-(E - E.min(axis=1, keepdims=True)) / model.T)
        means = (w * E).sum(axis=1) / w.sum(axis=1) / N
        spread = means.var() / len(means) + sim.var(ddof=1) / n
        z = (sim.mean() - means.mean()) / np.sqrt(spread)
        detail = f"energy {sim.mean():.5f} ± {np.sqrt(spread):.1e}, by enumeration {means.mean():.5f}"
        return Finding(float(abs(z)), threshold_of(1), detail)

    return run


def lines(setting: Setting) -> Finding:
    """Capacity and freezing as printed (Amit, Gutfreund & Sompolinsky 1987), lines found along both axes.

    The curvature of a mixture is that of its 8 kinds of sites, and the free energies of pattern and glass are equal
    where the global minimum changes.
    """
    T, beta = 0.3, 1 / 0.3
    unstable = at_temperature(tsphys.Hopfield(alpha=0.08))
    glassy = tsphys.Hopfield(T=0.2, alpha=transition_load(tsphys.Hopfield(T=0.2)))
    f = [float(tsphys.solve(glassy, branch=branch)["free_energy"][0]) for branch in ("retrieval", "spin_glass")]
    diluted = tsphys.Hopfield(alpha=0.1, coupling="diluted", connectivity=0.5)
    b = 1 / glass_temperature(diluted)
    xi = 2.0 * ((np.arange(8)[:, None] >> np.arange(3)) & 1) - 1
    z = np.linspace(-9, 9, 6001)
    w = np.exp(-(z**2) / 2)
    three = tsphys.Hopfield(T=T, alpha=0.005)
    found = tsphys.solve(three, branch="mixture")
    m, r = float(found["m"][0]), float(found["r"][0])
    fields = m * xi.sum(axis=1)[:, None] + np.sqrt(three.alpha * r) * z
    slope = beta / np.cosh(beta * fields) ** 2 @ (w / w.sum())
    gaps = [
        at_load(tsphys.Hopfield(T=unstable)) - 0.08,
        spinodal_temperature(tsphys.Hopfield(alpha=spinodal_load(tsphys.Hopfield(T=T)))) - T,
        spinodal_load(tsphys.Hopfield(T=0.0)) - 0.137906, glass_temperature(tsphys.Hopfield(alpha=0.09)) - 1.3,
        0.1 * b * b * (1 / (1 - b) ** 2 + 1) - 1, f[0] - f[1],
        mixture_stability(three) - 1 + np.mean((xi[:, 0] - xi[:, 1]) ** 2 * slope) / 2,
    ]  # fmt: skip
    return within(np.array(gaps), np.full(len(gaps), 1e-6), "lines")


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
        Check("identity", "lines", lines),
        Check("saddle", "Hebb", saddles("hebb", 0.0)),
        Check("saddle", "clipped", saddles("clipped", np.pi / 2 - 1)),
        Check("saddle", "diluted", saddles("diluted", 1.0)),
        Check("saddle", "sparse patterns", sparse_saddles),
        *_exact(),
    ]


def _exact() -> list[Check]:
    """Identities of every coupling and branch, and every coupling at a size that can be enumerated."""
    kinds: dict[str, dict[str, Any]] = {
        "Hebb": {},
        "clipped": {"coupling": "clipped"},
        "diluted": {"coupling": "diluted", "connectivity": 0.5},
        "sparse": {"activity": 0.3, "threshold": 0.4},
    }
    out = []
    for name, given in kinds.items():
        if name != "sparse":
            check = thermal(tsphys.Hopfield(alpha=0.04, **given), [0.15, 0.3])
            out.append(Check("identity", f"{name}, thermodynamics", check))
        for T in (0.3, 0.9):
            out.append(Check("step", f"{name}, enumerated at T = {T}", enumerated(tsphys.Hopfield(T=T, **given), 1)))
        if name in ("clipped", "diluted"):
            out.append(Check("identity", f"{name}, stability", frozen(tsphys.Hopfield(alpha=0.08, **given))))
    sparse = thermal(tsphys.Hopfield(alpha=0.1, activity=0.1, threshold=0.5), [0.05, 0.09])
    out.append(Check("identity", "sparse, thermodynamics", sparse))
    glass = thermal(tsphys.Hopfield(alpha=0.1), [0.4, 0.8], branch="spin_glass")
    mixture = thermal(tsphys.Hopfield(alpha=0.01), [0.1, 0.2], branch="mixture")
    out += [Check("identity", "spin glass", glass), Check("identity", "mixture", mixture)]
    return out
