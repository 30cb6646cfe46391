"""The hidden manifold."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import tsphys
from tsphys.models.hidden_manifold import Instance, instance
from tsphys.odes.hidden_manifold import in_the_limit
from tsphys.physics.nonlinearities import attainable_information, moments
from tsphys.validation.checks import Check, Finding, Setting, on_theory, threshold, within
from tsphys.validation.one_step import MORE, at_start, entries, same_moments
from tsphys.validation.plain_rules import Plain, coloured, regression

T = np.array([0.0, 0.5, 1, 2, 4, 8])
MODEL = tsphys.HiddenManifold(
    f="sign", delta=0.25, T=[[1, 0.1], [0.1, 1]], A=[[0.3, 0.1], [-0.1, 0.4]], W_xi=[[0.3, 0.05], [0.05, 0.2]],
    lr=0.5, lr_v=0.3, noise=0.1,
)  # fmt: skip
FAST = tsphys.HiddenManifold(
    f="relu", delta=0.5, features="hadamard", A=[[0.3, 0.1], [-0.1, 0.4]], init=0.5, lr=0.5, minibatch=2
)


def simulated(model: tsphys.HiddenManifold, N: int, replicas: int):
    """A check of simulations of one instance on its equations of motion."""

    def run(setting: Setting) -> Finding:
        options: dict[str, Any] = {"N": N, "t": T, "seed": setting.seed}
        n = setting.replicas(replicas)
        sim = tsphys.simulate(model, replicas=n, n_test=0, threads=setting.threads, **options)
        return on_theory(sim, tsphys.solve(model, **options), "eps_g")

    return run


def equivalent(setting: Setting) -> Finding:
    """The error on fresh inputs against that of Gaussian fields, relative to it; 0.3/√N is left to finite sizes."""
    N, n = 400, setting.replicas(12)
    sim = tsphys.simulate(MODEL, N=N, t=T, replicas=n, seed=setting.seed, n_test=2000, threads=setting.threads)
    ratio = (sim["eps_test"] / sim["eps_g"]).mean(axis=1)
    error = np.hypot(ratio.std(ddof=1) / np.sqrt(n), 0.3 / np.sqrt(N))
    detail = f"error on fresh inputs is {ratio.mean():.4f} ± {error:.4f} times that of Gaussian fields"
    return Finding(float(abs(ratio.mean() - 1) / error), threshold(1), detail)


def information(setting: Setting) -> Finding:
    """What can be known of the teacher's field, closed, against averages over Marchenko and Pastur's eigenvalues.

    300 Gauss-Legendre nodes integrate an analytic function over them to 1e-12; the moments of f are sums in steps of
    h = 5e-4 between whose points sign jumps, wrong by h² at most.
    """
    u = 5e-4 * (np.arange(-24_000, 24_000) + 0.5)
    weight = np.exp(-0.5 * u * u)
    weight /= weight.sum()
    x, w = np.polynomial.legendre.leggauss(300)
    theta, w = 0.5 * np.pi * (x + 1), 0.5 * np.pi * w
    difference = []
    for name, f in (("sign", np.sign), ("tanh", np.tanh)):
        a, b, c2 = (weight @ g for g in (f(u), u * f(u), f(u) ** 2))
        for delta in (0.25, 2.0):
            rho = 1 + delta - 2 * np.sqrt(delta) * np.cos(theta)
            density = w * 2 * np.sin(theta) ** 2 / (np.pi * rho)
            average = density @ (b * b * rho / ((c2 - a * a - b * b) * delta + b * b * rho))
            difference.append(attainable_information(name, delta) - average)
    return within(difference, [1e-6] * len(difference), "300 Gauss-Legendre nodes")


def limits(setting: Setting) -> Finding:
    """Eigenvalues of the inputs for N → ∞: of mean one, their squares of mean 1 + b⁴(N/D)(1 − …) of random features.

    tr Ω = N, and tr Ω²/N = 1 + b⁴ tr(FFᵀ/D − 1)²/N: of normal F N/D on average, of N > D orthogonal columns N/D − 1.
    """
    gaps = []
    for features, spread in (("gaussian", 4.0), ("hadamard", 3.0)):
        modes = in_the_limit(dataclasses.replace(MODEL, features=features))
        gaps += [modes.weight.sum() - 1, modes.weight @ modes.e - 1]
        gaps += [modes.weight @ modes.e**2 - 1 - SLOPE**4 * spread]
        # ⟨Σ² over modes of the teachers' part of the fields⟩: Uᵀ Ω⁻ U is what the inputs tell of them.
        gaps.append(modes.weight @ (modes.t[:, 0, 0] / modes.e) - attainable_information("sign", 0.25)
                    if features == "gaussian" else 0.0)  # fmt: skip
    return within(np.array(gaps), np.full(len(gaps), 1e-6), "spectra for N → ∞")


def nonlinearities(setting: Setting) -> Finding:
    """Moments of every f against sums in steps of 1e-3, which leave 1e-6 of a kink or jump."""
    from scipy.special import erf

    z = (np.arange(-12_000, 12_000) + 0.5) * 1e-3
    w = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * 1e-3
    told = {
        "sign": np.sign(z), "relu": np.maximum(z, 0), "erf": erf(z / 2**0.5), "tanh": np.tanh(z), "linear": z
    }  # fmt: skip
    gaps = [x - y for name, f in told.items() for x, y in zip(moments(name), (w @ f, w @ (z * f), w @ f**2))]
    return within(np.array(gaps), np.full(len(gaps), 1e-6), "moments of f")


#: Where teachers are most of each step, so that their fields are seen, and learning rates most of each rate.
FEW = dataclasses.replace(MODEL, v_star=(3.0, 2.0), v=(0.9, 0.7), lr=0.8, lr_v=0.6, noise=0.7, minibatch=40)
#: A teacher so long that its output is ±1, and short students: steps are of one size, and that of the inputs is seen.
ALIKE = tsphys.HiddenManifold(
    K=1, M=1, T=[[100.0]], v=(1.0,), v_star=(1.0,), init=0.1, lr=20.0, lr_v=0.6, delta=0.25, inputs="clone"
)
#: b and κ² of the sign: ⟨u sign u⟩, and 1 − b².
SLOPE, REST = (2 / np.pi) ** 0.5, 1 - 2 / np.pi


def _order(W: np.ndarray, drawn: Instance) -> tuple[np.ndarray, np.ndarray]:
    """R and Q of weights (…, K, N) by the Gaussian equivalence."""
    F, (N, D) = drawn.features.F, drawn.features.F.shape
    S = W @ F / N**0.5
    Q = REST * W @ W.swapaxes(-1, -2) / N + SLOPE**2 * S @ S.swapaxes(-1, -2) / D
    return SLOPE / D * S @ drawn.theta.T, Q


def rate(setting: Setting) -> Finding:
    """First rates of an instance against averages over Gaussian inputs of its covariance."""
    N, D, model = 40, 10, dataclasses.replace(FEW, minibatch=2)
    drawn = instance(model, N, D, setting.seed, 0)
    F, theta, v_star = drawn.features.F, drawn.theta, np.array(FEW.v_star)
    omega, U = SLOPE**2 * F @ F.T / D + REST * np.eye(N), SLOPE * F @ theta.T / D
    R, Q = _order(drawn.W, drawn)
    start = tsphys.OrderParameters(R=R, Q=Q, T=theta @ theta.T / D, v=FEW.v, v_star=v_star)
    plain = Plain(regression("erf", FEW.lr, FEW.lr_v, FEW.noise), b=2)
    return at_start(model, *coloured(plain, start, drawn.W, U, omega), N=N, seed=setting.seed)


def steps(model: tsphys.HiddenManifold, count: int, N: int, replicas: int) -> Any:
    """A check of the first steps of an instance against the same in plain NumPy."""
    rule, D, b = regression("erf", model.lr, model.lr_v, model.noise), N // 4, model.minibatch
    v, v_star = (np.array(a) for a in (model.v, model.v_star))

    def run(setting: Setting) -> Finding:
        n, rng = setting.replicas(replicas), np.random.default_rng([setting.seed, 6])
        sim = tsphys.simulate(
            model, N=N, t=[count / N], n_test=0, replicas=n, seed=setting.seed, threads=setting.threads
        )
        drawn = instance(model, N, D, setting.seed, 0)
        W, heads = np.tile(drawn.W, (MORE * n, 1, 1)), np.tile(v, (MORE * n, 1, 1))
        for _ in range(count):
            c = rng.standard_normal((MORE * n, b, D))
            u = c @ drawn.features.F.T / D**0.5
            x = np.sign(u) if model.inputs == "manifold" else SLOPE * u + REST**0.5 * rng.standard_normal(u.shape)
            lam, nu = x @ W.swapaxes(1, 2) / N**0.5, c @ drawn.theta.T / D**0.5
            pull, dv = rule(lam, nu, heads, v_star, rng.standard_normal((*c.shape[:2], 1)), None)
            W = W + pull.swapaxes(1, 2) @ x / (b * N**0.5)
            heads = heads + dv.mean(axis=1, keepdims=True) / N
        R, Q = _order(W, drawn)
        plain = np.concatenate([a.reshape(MORE * n, -1) for a in (R, Q, heads)], axis=1)
        return same_moments(entries(sim), plain, f"{count} steps at N = {N}")

    return run


def checks(quick: bool) -> list[Check]:
    """What is checked of the hidden manifold."""
    return [
        Check("rate", "an instance", rate),
        Check("step", "manifold", steps(FEW, 3, 40, 4000)),
        Check("step", "Gaussian clone", steps(dataclasses.replace(FEW, inputs="clone"), 3, 40, 800)),
        Check("step", "Gaussian clone, length", steps(ALIKE, 1, 160, 6000)),
        Check("simulation", "sign, Gaussian features", simulated(MODEL, 300, 12)),
        Check("simulation", "relu, Hadamard features", simulated(FAST, 512, 12)),
        Check("simulation", "Gaussian equivalence", equivalent),
        Check("integral", "attainable information", information),
        Check("integral", "moments of f", nonlinearities),
        Check("identity", "spectra for N → ∞", limits),
    ]
