"""Votes of many clients."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.odes.votes import rates
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

T = [0.5, 1.0, 3.0, 6.0]
MODELS = {
    "5 clients, one malicious": tsphys.Votes(malicious=1),
    "11 clients, three malicious, no noise": tsphys.Votes(clients=11, malicious=3, noise=0),
    "4 clients, ties": tsphys.Votes(clients=4),
    "erf": tsphys.Votes(activation="erf", R=0.1, Q=0.2, lr=0.2),
    "mean, one loud": tsphys.Votes(server="mean", malicious=1, loudness=2.5, lr=0.5, noise=0.6),
    "mean, erf": tsphys.Votes(clients=2, server="mean", activation="erf", R=0.1, Q=0.2, lr=0.8, noise=0.5),
}


def learned(model: Any) -> Any:
    """A check of runs on the theory."""
    return agrees(model, "eps_g", 16, sim={"N": 400}, t=T)


def drawn(model: Any, R: float = 0.3, Q: float = 0.4) -> Any:
    """A check of the rates against votes that are cast.

    Inputs are given their fields and a bias of order one over the root of N = 10⁴ on a weight, whose mean change is
    told from its covariance with ν/√N and λ/√N, to seven standard errors and 3 % for the bias.
    """
    from scipy.special import erf

    def run(setting: Setting) -> Finding:
        M, n, rng = model.clients, setting.replicas(400_000) // model.clients, np.random.default_rng([setting.seed, 5])
        nu, z, zeta = rng.standard_normal((3, n, M))
        lam = R * nu + np.sqrt(Q - R * R) * z
        g = (lambda x: x) if model.activation == "linear" else (lambda x: erf(x / 2**0.5))
        e = g(nu) + model.noise * zeta - g(lam)
        f = model.malicious
        if model.server == "vote":
            # A weight of b, w along the two directions that the fields have, in units of 1/√N small.
            small, out = 0.1, []
            for direction in (nu, z):
                x = small * direction + np.sqrt(1 - small**2) * rng.standard_normal((n, M))
                ballots = np.sign(e * x) * np.where(np.arange(M) < f, -1, 1)
                out.append(np.sign(ballots.sum(axis=1)) / small)
            square = np.abs(np.sign(ballots.sum(axis=1)))
            along, across = out
        else:
            slope = 1.0 if model.activation == "linear" else (2 / np.pi) ** 0.5 * np.exp(-(lam**2) / 2)
            c = e * slope * np.where(np.arange(M) < f, -model.loudness, 1.0) / M
            along, across, square = (c * nu).sum(axis=1), (c * z).sum(axis=1), (c**2).sum(axis=1)
        own = R * along + np.sqrt(Q - R * R) * across
        samples = model.lr * along, 2 * model.lr * own + model.lr**2 * square
        told = rates(model, R, Q)
        error = [7 * s.std() / n**0.5 + 0.03 * abs(t) for s, t in zip(samples, told, strict=True)]
        return within([s.mean() - t for s, t in zip(samples, told, strict=True)], error, "rates of R and Q")

    return run


def by_hand(setting: Setting) -> Finding:
    """Some steps of each server, client by client."""
    from scipy.special import erf

    N, steps, off = 16, 12, []
    for model in MODELS.values():
        found = tsphys.simulate(model, N=N, t=[steps / N], replicas=1, seed=setting.seed)
        rng = generator(setting.seed, 0, "examples")
        basis = np.linalg.qr(generator(setting.seed, 0, "start").standard_normal((N, 2)))[0] * np.sqrt(N)
        teacher = basis[:, 0]
        w = model.R * teacher + np.sqrt(model.Q - model.R**2) * basis[:, 1]
        for _ in range(steps):
            x = rng.standard_normal((model.clients, N))
            zeta, push = rng.standard_normal(model.clients), np.zeros(N)
            for i in range(model.clients):
                nu, lam = x[i] @ teacher / np.sqrt(N), x[i] @ w / np.sqrt(N)
                out, slope = (nu - lam, 1.0) if model.activation == "linear" else (
                    erf(nu / 2**0.5) - erf(lam / 2**0.5), (2 / np.pi) ** 0.5 * np.exp(-(lam**2) / 2))  # fmt: skip
                down, bad = out + model.noise * zeta[i], i < model.malicious
                if model.server == "vote":
                    push += np.sign(down * x[i]) * (-1 if bad else 1)
                else:
                    push += down * slope * x[i] * (-model.loudness if bad else 1) / model.clients
            w = w + model.lr / np.sqrt(N) * (np.sign(push) if model.server == "vote" else push)
        off += [found["R"][0, 0] - w @ teacher / N, found["Q"][0, 0] - w @ w / N]
    return within(off, 1e-10, "steps by hand")


def checks(quick: bool) -> list[Check]:
    """What is checked of votes: linear and erf students, ties, malicious clients, means of gradients."""
    out = [Check("simulation", name, learned(model)) for name, model in MODELS.items()]
    out.append(Check("step", "steps by hand", by_hand))
    return [*out, *(Check("integral", name, drawn(model)) for name, model in MODELS.items())]
