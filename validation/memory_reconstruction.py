"""Checks of the reconstruction of patterns from synapses."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import tsphys
from tsphys import MemoryReconstruction
from tsphys.physics.inference.pattern_priors import exact
from tsphys.replica import memory_reconstruction as theory
from tsphys.sims.engines.inference import components
from tsphys.sims.engines.inference.low_rank_amp import amp, bethe
from tsphys.sims.engines.inference.synapses import stored
from tsphys.validation.checks import Check, Finding, Setting, on_theory, stationary, within
from tsphys.validation.checks import threshold as threshold_of
from tsphys.validation.identities import identity
from tsphys.validation.one_step import MORE, same_moments

#: Nodes and weights of a plain sum over N(0, 1).
_Z = np.linspace(-10, 10, 8001)
_W = np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi) * (_Z[1] - _Z[0])


def steps(model: MemoryReconstruction, overlap: float) -> Any:
    """A check of message passing, iteration by iteration."""

    def run(setting: Setting) -> Finding:
        t = [1, 2, 4, 8, 16]
        options: dict[str, Any] = {"seed": setting.seed, "threads": setting.threads, "replicas": setting.replicas(10)}
        sim = tsphys.simulate(model, N=1500, t=t, overlap=overlap, **options)
        return on_theory(sim, tsphys.solve(model, t=t, overlap=overlap), "mse")

    return run


def ends(model: MemoryReconstruction, share: list[float]) -> Any:
    """A check of final errors without information, and of the eigenvectors, over Δ/Δ_c."""

    def run(setting: Setting) -> Finding:
        noise = [theory.noise_at(model, s * theory.thresholds(model).algorithmic) for s in share]
        options: dict[str, Any] = {"seed": setting.seed, "threads": setting.threads, "replicas": setting.replicas(10)}
        sim = tsphys.simulate(model, N=1500, noise=noise, **options)
        shown = ["mse", "overlap", "mse_pca", "overlap_pca"]
        return on_theory(sim, tsphys.solve(model, noise=noise), "mse", observables=shown)

    return run


def saddles(setting: Setting) -> Finding:
    """Stationarity of both fixed points in the hard phase of sparse patterns, the potential by a plain sum."""
    rho = 0.05
    model = MemoryReconstruction(patterns="sparse", rho=rho)
    Delta = 1.2 * theory.thresholds(model).algorithmic

    def potential(m: float) -> float:
        M = m * rho
        g = M / Delta
        value = -(M**2) / (4 * Delta)
        for x, p in ((1.0, rho), (0.0, 1 - rho)):
            B = g * x + np.sqrt(g) * _Z
            value += p * _W @ np.logaddexp(np.log(rho) - g / 2 + np.logaddexp(B, -B) - np.log(2), np.log(1 - rho))
        return float(value)

    return stationary(potential, [[g * Delta / rho] for g in theory.fixed_points(model.prior, Delta)])


def bethe_free_energy(setting: Setting) -> Finding:
    """Its slopes vanish where message passing ends: along estimates, their spread, precision and fields at once."""
    rng, N, P, Delta = np.random.default_rng(setting.seed), 120, 2, 0.003
    prior = MemoryReconstruction(patterns="tsodyks", rho=0.3).prior
    truth = prior.draw(rng, (N, P))
    noise = rng.standard_normal((N, N))
    S = (truth @ truth.T / N**0.5 + (Delta / 2) ** 0.5 * (noise + noise.T)) / Delta
    np.fill_diagonal(S, 0.0)
    x = 0.5 * truth + 0.05 * rng.standard_normal(truth.shape)
    for state, _ in zip(amp(lambda y: S @ y, Delta, partial(exact, prior), x), range(500)):
        if state.moved < 1e-13:
            break
    ways = [rng.standard_normal(a.shape) for a in (state.x, state.V, state.A, state.B)]
    sizes = [float(np.abs(a).max()) for a in (state.x, state.V, state.A, state.B)]
    ways[1], ways[2] = ways[1] + ways[1].T, ways[2] + ways[2].T

    def moved(*far: float) -> float:
        x, V, A, B = (a + s * size * way for a, s, size, way in zip(state[:4], far, sizes, ways))
        log_z = float(exact(prior, A, B).log_z.sum())
        return bethe(lambda y: S @ y, Delta, state._replace(x=x, V=V, A=A, B=B, log_z=log_z))

    return stationary(moved, [(0.0, 0.0, 0.0, 0.0)])


def slope(setting: Setting) -> Finding:
    """∂f/∂Δ = M²/(4Δ²) of Gaussian noise √Δ, for f = −φ is stationary in M = overlap · E x²."""
    model, second = MemoryReconstruction(patterns="sparse", rho=0.3), 0.3

    def relation(y: Any, slopes: Any, noise: float) -> float:
        return float(slopes["free_energy"] - 2 * noise * (second * y["overlap"]) ** 2 / (4 * noise**4))

    noises = [theory.noise_at(model, share * second**2) for share in (0.3, 0.7)]
    return identity(model, "noise", noises, relation, "∂f/∂ν")(setting)


def weak(setting: Setting) -> Finding:
    """Nothing is recovered above Δ = (E x²)², something below, which eigenvectors and continuous transitions share."""
    model = MemoryReconstruction(patterns="sparse", rho=0.3)
    Delta = theory.thresholds(model).algorithmic
    noise = [theory.noise_at(model, share * 0.3**2) for share in (0.9, 1.1)]
    below, above = tsphys.solve(model, noise=noise)["overlap"]
    wrong = [Delta - 0.09, above, float(below < 0.02)]
    return within(np.array(wrong), np.array([1e-9, 1e-3, 0.5]), "threshold of weak recovery")


def nishimori(setting: Setting) -> Finding:
    """A posterior's error is E x² less its overlap, at fixed points, over iterations, and of eigenvectors.

    With normal patterns of variance one the overlap is 1 − Δ.
    """
    gaps = []
    for patterns, rho in (("binary", 1.0), ("sparse", 0.3), ("tsodyks", 0.3), ("gauss", 1.0)):
        model = MemoryReconstruction(patterns=patterns, rho=rho)
        variance = {"sparse": rho, "tsodyks": rho * (1 - rho)}.get(patterns, 1.0)
        noise = [theory.noise_at(model, share * variance**2) for share in (0.3, 0.7)]
        ends = tsphys.solve(model, noise=noise)
        steps = tsphys.solve(replace(model, noise=noise[0]), t=[0, 1, 3], overlap=0.3)
        gaps += [*(ends["mse"] / variance - 1 + ends["overlap"]), *(steps["mse"] / variance - 1 + steps["overlap"])]
        gaps += [*(ends["mse_pca"] / variance - 1 + ends["overlap_pca"]), steps["overlap"][0] - 0.3]
        gaps += [*(ends["overlap_pca"] - [0.7, 0.3])]
        if patterns == "gauss":
            gaps += [*(ends["overlap"] - [0.7, 0.3])]
        # A signal that is what it is taken for is that of a posterior.
        pair = [theory.averages(model.prior, 0.8), theory.averages(model.prior, 0.8, 0.8)]
        gaps += [x - y for x, y in zip(*pair)]
    return within(np.array(gaps), np.full(len(gaps), 1e-8), "errors and overlaps")


def ends_of_phases(setting: Setting) -> Finding:
    """Of sparse patterns: the potential of what is known vanishes at Δ_IT, and the fixed points end at Δ_sp."""
    model = MemoryReconstruction(patterns="sparse", rho=0.05)
    at = theory.thresholds(model)
    known = theory.fixed_points(model.prior, at.information)[-1]
    counts = [len(theory.fixed_points(model.prior, share * at.spinodal)) for share in (0.999, 1.001)]
    phi = theory.potential(model.prior, at.information, known * at.information) / model.prior.second_moment
    best = [theory.optimal(model.prior, share * at.information) for share in (0.999, 1.001)]
    gaps = [phi, counts[0] - 2, counts[1], best[0] <= 0, best[1]]
    return within(np.array(gaps, dtype=float), np.array([1e-8, 0.5, 0.5, 0.5, 1e-9]), "ends of phases")


def information(noise: float, threshold: float, connectivity: float) -> dict[str, float]:
    """Fisher's information of what is seen about a synapse, at zero, times the variance of the noise, by plain sums."""
    z = (np.arange(-120_000, 120_000) + 0.5) * 1e-4
    p = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * 1e-4
    # Those above the threshold are seen as they are, of the others that they are below.
    above = z > threshold / noise
    edge = np.exp(-((threshold / noise) ** 2) / 2) / np.sqrt(2 * np.pi)
    return {
        "additive": float(p @ z**2),
        "clipped": float(p @ np.abs(z)) ** 2,
        "diluted": float(connectivity * p @ z**2),
        "rectified": float((p * above) @ z**2 + edge**2 / p[~above].sum()),
    }


def channels(setting: Setting) -> Finding:
    """1/Δ is the information of a synapse."""
    noise, threshold, gaps = 0.6, 0.4, []
    for name, told in information(noise, threshold, 0.3).items():
        more: dict[str, Any] = {"rectified": {"threshold": threshold}, "diluted": {"connectivity": 0.3}}.get(name, {})
        model = MemoryReconstruction(channel=name, noise=noise, **more)
        gaps += [model.Delta * told / noise**2 - 1, theory.noise_at(model, model.Delta) / noise - 1]
    return within(np.array(gaps), np.full(len(gaps), 1e-4), "effective noise")


def scored(setting: Setting) -> Finding:
    """The squares of scores are the information on average, but for the part 1/(Nν²) that the patterns make of them."""
    N, noise, threshold, z = 1000, 0.6, 0.4, []
    x = np.random.default_rng([setting.seed, 12]).choice([-1.0, 1.0], (N, 1))
    for name, told in information(noise, threshold, 0.3).items():
        more: dict[str, Any] = {"rectified": {"threshold": threshold}, "diluted": {"connectivity": 0.3}}.get(name, {})
        S = stored(MemoryReconstruction(channel=name, noise=noise, **more), x, np.dtype(float), (setting.seed, 0, name))
        square = (S.product(np.eye(N))[np.triu_indices(N, 1)] * noise) ** 2
        z.append((square.mean() - told) / np.hypot(square.std() / len(square) ** 0.5, told / (N * noise**2)))
    return Finding(float(np.abs(z).max()), threshold_of(len(z)), "squares of scores")


def informed(setting: Setting) -> Finding:
    """Before the first iteration x = m x⁰ + √(m(1 − m)) z: means and variances of its overlap and error over ±1."""
    m, N, n = 0.3, 100, setting.replicas(1000)
    sim = tsphys.simulate(
        MemoryReconstruction(), N=N, t=[0], overlap=m, replicas=n, seed=setting.seed, threads=setting.threads
    )
    v, scores = m * (1 - m), []
    for name, mean, variance in (
        ("overlap", m, v / N),
        ("mse", (1 - m) ** 2 + v, (2 * v * v + 4 * (1 - m) ** 2 * v) / N),
    ):
        x = sim[name][:, 0]
        scores += [(x.mean() - mean) / np.sqrt(variance / n), (x.var(ddof=1) / variance - 1) / np.sqrt(2 / n)]
    return Finding(float(np.abs(scores).max()), threshold_of(4), "overlap and error of the start")


def first_steps(setting: Setting) -> Finding:
    """Two iterations of small networks of ±1 against plain NumPy, from a start that knows something.

    With h = Sx/√N − x₋ (1 − ⟨x²⟩)/Δ the next x is tanh h; the first step has no reaction.
    """
    N, nu, m, n, rng = 30, 0.8, 0.4, setting.replicas(1500), np.random.default_rng([setting.seed, 10])
    sim = tsphys.simulate(
        MemoryReconstruction(noise=nu), N=N, t=[1, 2], overlap=m, replicas=n, seed=setting.seed,
        threads=setting.threads,
    )  # fmt: skip
    truth = rng.choice([-1.0, 1.0], (MORE * n, N))
    z = np.triu(rng.standard_normal((MORE * n, N, N)), 1)
    S = truth[:, :, None] * truth[:, None] / N**0.5 + nu * (z + z.swapaxes(1, 2))
    S *= (1 - np.eye(N)) / nu**2
    x = m * truth + (m * (1 - m)) ** 0.5 * rng.standard_normal(truth.shape)
    before, left, seen = 0 * x, 0.0, []
    for _ in range(2):
        field = (S @ x[..., None])[..., 0] / N**0.5 - before * left / nu**2
        before, x = x, np.tanh(field)
        left = np.mean(1 - x**2, axis=1, keepdims=True)
        # Of the two signs of a pattern the better one counts.
        overlap = np.abs(np.mean(x * truth, axis=1))
        seen += [overlap, 1 + np.mean(x**2, axis=1) - 2 * overlap]
    mine = [sim[name][:, t] for t in (0, 1) for name in ("overlap", "mse")]
    return same_moments(np.stack(mine, axis=1), np.stack(seen, axis=1), f"two iterations at N = {N}")


def apart(setting: Setting) -> Finding:
    """Twenty patterns ±1 in a span of which they have the share s: all are found, among normal numbers none.

    And ⟨x⟩ = tanh b, ln Z = ln cosh b − A/2 of a direction, b = u√s/(1 − s) and A = s/(1 − s), by NumPy.
    """
    N, P, s, rng = 1500, 20, 0.8, np.random.default_rng([setting.seed, 13])
    law, prior = components.law(MemoryReconstruction().prior, s, 0.0), MemoryReconstruction().prior
    b = components.NODES * s**0.5 / (1 - s)
    gaps = [np.abs(law.mean - np.tanh(b)).max(), np.abs(law.evidence - np.log(np.cosh(b)) + 0.5 * s / (1 - s)).max()]
    x, turn = rng.choice([-1.0, 1.0], (N, P)), np.linalg.qr(rng.standard_normal((P, P)))[0]
    seen = s**0.5 * x + (1 - s) ** 0.5 * rng.standard_normal((N, P))
    estimates = components.components(np.linalg.qr(seen @ turn)[0], prior, s, rng)
    near = np.abs(x.T @ estimates) / N
    none = components.components(np.linalg.qr(rng.standard_normal((N, P)))[0], prior, s, rng)
    gaps += [P - len({int(k) for k, most in zip(near.argmax(axis=0), near.max(axis=0)) if most > 0.8})]
    gaps += [estimates.shape[1] - P, none.shape[1]]
    # Single precision of numbers up to 25; a pattern of twenty may be left to message passing.
    return within(np.abs(np.array(gaps)), np.array([1e-6, 1e-5, 1.5, 1.5, 0.5]), "patterns taken from their span")


def checks(quick: bool) -> list[Check]:
    """What is checked of the reconstruction of patterns."""
    return [
        Check("simulation", "iterations, ±1", steps(MemoryReconstruction(P=2, noise=0.6), 0.3)),
        Check(
            "simulation",
            "iterations, Tsodyks",
            steps(MemoryReconstruction(patterns="tsodyks", rho=0.3, noise=0.14), 0.3),
        ),
        Check("simulation", "errors, ±1", ends(MemoryReconstruction(P=3), [0.25, 0.5])),
        Check(
            "simulation",
            "errors, rectified",
            ends(MemoryReconstruction(channel="rectified", threshold=0.5), [0.5, 0.7]),
        ),
        *(
            Check("simulation", f"iterations, {name}", steps(model, 0.3))
            for name, model in (
                ("clipped", MemoryReconstruction(channel="clipped", noise=0.5)),
                ("diluted", MemoryReconstruction(channel="diluted", connectivity=0.5, noise=0.5)),
                ("Gauss", MemoryReconstruction(patterns="gauss", noise=0.6)),
            )
        ),
        Check("step", "start", informed),
        Check("step", "scores of synapses", scored),
        Check("step", "iterations, NumPy", first_steps),
        Check("step", "patterns from their span", apart),
        Check("integral", "effective noise", channels),
        Check("identity", "ends of phases", ends_of_phases),
        Check("identity", "errors and overlaps", nishimori),
        Check("saddle", "hard phase", saddles),
        Check("saddle", "Bethe free energy", bethe_free_energy),
        Check("identity", "slope of the free energy", slope),
        Check("identity", "weak recovery", weak),
    ]
