"""Factored attention on Potts sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.replica.potts_attention import saddle
from tsphys.validation.checks import Check, Finding, Setting, agrees, extrapolates, stationary, within
from tsphys.validation.identities import identity

FEW = {"n_test": 300, "burn_in": 50}
NAMES = ["test_loss", "excess", "accuracy", "train_loss", "Q", "R", "error"]


def trained(alpha: list[float], N: int, replicas: int, **given: Any) -> Any:
    """A check of what is learned at the minimum of the loss over sizes of the training set.

    Couplings ±1 give every site the same strength, which leaves a bias of order 1/N.
    """
    model = tsphys.PottsAttention(couplings="binary", **given)
    return agrees(model, "excess", replicas, NAMES, sim={"N": N, **FEW}, alpha=alpha)


#: Couplings of one size move norms by 1/N as much as they differ between runs.
free_colours = extrapolates(
    tsphys.PottsAttention(couplings="binary", ridge=0.1, inputs="uniform", beta=3.0),
    "excess", 120, 8, NAMES, alpha=[0.5, 1.5], sim=FEW,
)  # fmt: skip


def saddles(**given: Any) -> Any:
    """A check that V, q, m and their conjugates are stationary."""

    def run(setting: Setting) -> Finding:
        model = tsphys.PottsAttention(**given)
        point, found = saddle(model), tsphys.solve(model, tol=1e-12)
        x = np.array([found[k][0] for k in ("V", "q", "m")])
        return stationary(point.energy, [(*x, *point.conjugates(x))])

    return run


def parts(y: Any, slope: Any, alpha: float) -> float:
    """The least objective of a site less its two parts: the loss of the examples, and half of what λ = 0.3 weighs."""
    return y["energy"] - alpha * y["train_loss"] - 0.5 * 0.3 * y["Q"]


def stiffness(y: Any, slope: Any, ridge: float) -> float:
    """It grows with the ridge by half of what the ridge weighs."""
    return slope["energy"] - 0.5 * y["Q"]


def spectrum(setting: Setting) -> Finding:
    """Moments of Ω: a site's own covariance is one, and squares of all with a site sum to 1/(1 − x²), x = β/C."""
    gaps = []
    for beta in (0.6, 2.0):
        point, x = saddle(tsphys.PottsAttention(alpha=1.0, beta=beta)), beta / tsphys.PottsAttention().C
        w, weight = point.omega, point.weights
        gaps += [weight.sum() - 1, weight @ w - 1, weight @ w**2 - 1 / (1 - x**2), weight @ (1 / w) - 1 - x**2]
    return within(np.array(gaps), np.full(len(gaps), 1e-12), "moments of the spectrum")


def few(setting: Setting) -> Finding:
    """Sums over all states of three sites, scores of contacts, and the Curie-Weiss model, told in full."""
    from itertools import product

    from tsphys.physics.potts import contact_scores, curie_weiss, curie_weiss_lines, exact

    rng, N, C = np.random.default_rng(4), 3, 3
    h, J = rng.standard_normal((N, C)), rng.standard_normal((N, N, C, C))
    J = J + J.transpose(1, 0, 3, 2)
    J[np.arange(N), np.arange(N)] = 0
    states = list(product(range(C), repeat=N))
    minus = np.array(
        [sum(h[i, s[i]] + sum(J[i, j, s[i], s[j]] for j in range(i + 1, N)) for i in range(N)) for s in states]
    )
    p = np.exp(minus - minus.max())
    p /= p.sum()
    found, pair = exact(J, h), sum(p[k] for k, s in enumerate(states) if (s[0], s[2]) == (1, 2))
    entropy = -p @ np.log(p)
    # The zero-sum gauge, pair by pair, and less what the two sites have with all.
    flat = J - J.mean(axis=2, keepdims=True) - J.mean(axis=3, keepdims=True) + J.mean(axis=(2, 3), keepdims=True)
    F = np.sqrt((flat**2).sum(axis=(2, 3)))
    F_i = F.sum(axis=1) / (N - 1)
    told = F[0, 1] - F_i[0] * F_i[1] / (F.sum() / (N * (N - 1)))
    lines, b = curie_weiss_lines(C), 3.1

    def free(m: float, beta: float) -> float:
        x = np.array([1 + (C - 1) * m, *[1 - m] * (C - 1)]) / C
        return float(x @ np.log(x) - beta / 2 * x @ x)

    x = np.linspace(1e-4, 1 - 1e-9, 1_000_001)
    ordered = ((np.log1p((C - 1) * x) - np.log1p(-x)) / x).min()
    m, energy = curie_weiss(C, b)
    shares = np.array([1 + (C - 1) * m, *[1 - m] * (C - 1)]) / C
    gaps = [
        found.log_Z - minus.max() - np.log(np.exp(minus - minus.max()).sum()), found.energy + p @ minus,
        found.entropy - entropy, found.pairs[0, 2, 1, 2] - pair, contact_scores(J)[0, 1] - told,
        free(lines.jump, lines.transition) - free(0.0, lines.transition), energy + shares @ shares / 2,
        (free(m + 1e-4, b) - free(m - 1e-4, b)) / 2e-4, lines.ordered - ordered,
    ]  # fmt: skip
    return within(np.array(gaps), np.array([*[1e-10] * 7, 1e-7, 1e-9]), "few sites, Curie-Weiss")


def checks(quick: bool) -> list[Check]:
    """What is checked of factored attention."""
    return [
        Check("simulation", "Potts glass, V known", trained([0.7, 2.0], 50, 12, ridge=0.3)),
        Check("simulation", "Potts glass, matrices", trained([2.0, 6.0], 40, 8, ridge=0.3, learn="tensor")),
        Check("simulation", "independent colours", free_colours),
        Check("simulation", "square loss", trained([0.7, 2.0], 50, 12, ridge=0.3, loss="square")),
        Check(
            "identity",
            "parts of E",
            identity(tsphys.PottsAttention(ridge=0.3), "alpha", [1.0, 3.0], parts, "parts of E", tol=1e-12),
        ),
        Check(
            "identity",
            "∂E/∂λ",
            identity(tsphys.PottsAttention(alpha=2.0), "ridge", [0.3], stiffness, "∂E/∂λ", tol=1e-12),
        ),
        Check(
            "identity",
            "∂E/∂λ, matrices",
            identity(tsphys.PottsAttention(alpha=6.0, learn="tensor"), "ridge", [0.3], stiffness, "∂E/∂λ", tol=1e-12),
        ),
        Check("integral", "spectrum of the sequences", spectrum),
        Check("identity", "few sites, Curie-Weiss", few),
        Check("saddle", "Potts glass", saddles(alpha=2.0, ridge=0.3, beta=1.8)),
        Check("saddle", "matrices", saddles(alpha=6.0, ridge=0.3, learn="tensor")),
        Check("saddle", "two colours", saddles(C=2, alpha=1.0, ridge=0.1, beta=1.2)),
    ]
