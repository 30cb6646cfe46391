"""A perceptron under attack."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.physics.inference.attacks import adversarial_error, boundary_error
from tsphys.replica.adversarial_perceptron import collapse, drift, minimiser
from tsphys.sims.adversarial_perceptron import attacked as hit
from tsphys.sims.adversarial_perceptron import taught
from tsphys.validation.checks import Check, Finding, Setting, agrees, threshold, within


def attacked(model: Any, along: dict[str, Any], replicas: int, N: int, names: Any = None) -> Any:
    """A check of runs on theory."""
    return agrees(model, "adversarial", replicas, names, sim={"N": N}, **along)


def drawn(setting: Setting) -> Finding:
    """Errors under attack, by the shares of fields that are drawn; on both sides of ε = sin θ."""
    rng, n, scores = np.random.default_rng([setting.seed, 41]), setting.replicas(400_000), []
    for rho, attack in ((0.3, 0.2), (0.8, 0.05), (0.99, 1.0)):
        h, rest = rng.standard_normal((2, n))
        nu = rho * h + math.sqrt(1 - rho * rho) * rest
        y = np.sign(nu)
        shares = (y * h <= attack).mean(), ((y * h <= attack) | (y * nu <= attack)).mean()
        angle = math.acos(rho)
        for share, told in zip(shares, (adversarial_error(angle, attack), boundary_error(angle, attack)), strict=True):
            scores.append((share - told) / math.sqrt(told * (1 - told) / n))
    return Finding(float(np.abs(scores).max()), threshold(len(scores)), "shares of fields that are drawn")


def ends(setting: Setting) -> Finding:
    """Hebb in closed form; no attack in training is none; at the collapse the student is Hebb's."""
    hebb = tsphys.AdversarialPerceptron(learner="hebb", start=0.0, alpha=3.0)
    R, q = 3 * math.sqrt(2 / math.pi), 1 + 3 + 9 * 2 / math.pi
    logistic = tsphys.AdversarialPerceptron(learner="logistic")
    plain, soft = (minimiser("logistic", replace(logistic, training=eps)) for eps in (0.0, 1e-7))
    last = minimiser("logistic", replace(logistic, training=(1 - 1e-7) * collapse(2.0)))
    off = [tsphys.solve(hebb)["overlap"][0] - R / math.sqrt(q), soft.m - plain.m, soft.rest - plain.rest,
           math.hypot(last.m, math.sqrt(last.rest)) / last.m * math.sqrt(2 / math.pi) / collapse(2.0) - 1]  # fmt: skip
    # Of the tolerance of the equations, and to first order in the attack, which is 1e-7 of order one to ten.
    return within(off, [1e-8, 1e-5, 1e-5, 1e-5], "ends")


def moved(setting: Setting) -> Finding:
    """Rates of the rules, as averages over a student's field h given y = 1, where ν is ρh + sφ(ρh/s)/Φ(ρh/s)."""
    from scipy.special import ndtr

    off, eta, q = [], 0.7, 1.3
    x, w = np.polynomial.legendre.leggauss(200)
    for learner, rho, eps in (
        ("rosenblatt", 0.6, 0.5),
        ("rosenblatt", 0.95, 0.2),
        ("hebb", 0.4, 0.8),
        ("adatron", 0.7, 0.0),
    ):
        s, end = math.sqrt(1 - rho * rho), 10.0 if learner == "hebb" else eps
        h = -10 + 0.5 * (end + 10) * (x + 1)
        law = 0.5 * (end + 10) * w * np.exp(-0.5 * h * h) * math.sqrt(2 / math.pi)
        known, edge = law * ndtr(rho * h / s), law * np.exp(-0.5 * (rho * h / s) ** 2) / math.sqrt(2 * math.pi)
        c = eta * (-q * (h - eps) if learner == "adatron" else np.ones_like(h))
        dR = c @ (known * (rho * h - eps * rho) + s * edge)
        dQ = known @ (2 * c * q * (h - eps) + c * c)
        model = tsphys.AdversarialPerceptron(learner=learner, training=eps, lr=eta)
        off += list(np.subtract(drift(model, q * rho, (q * s) ** 2), (dR, dQ - 2 * q * rho * dR)))
    return within(off, 1e-9, "rates of the rules")


def along_itself(setting: Setting) -> Finding:
    """No shorter or longer student has less risk: λ|w|²/N = α⟨f u⟩, f the slopes at margins u = ω + Vf."""
    from scipy.special import expit, ndtr

    off = []
    for eps, lam, alpha in ((0.4, 0.3, 2.0), (0.7, 0.05, 3.0)):
        model = tsphys.AdversarialPerceptron(learner="logistic", training=eps, regularization=lam, alpha=alpha)
        state = minimiser("logistic", model)
        root = math.hypot(state.m, math.sqrt(state.rest))
        z = np.linspace(-10, 10, 8001)
        u = root * z - eps * root
        for _ in range(100):
            f = expit(-u)
            u = u - (u - root * z + eps * root - state.V * f) / (1 + state.V * f * (1 - f))
        weight = np.exp(-0.5 * z * z) * ndtr(state.m / math.sqrt(state.rest) * z)
        off.append(lam * root**2 / alpha - weight @ (expit(-u) * u) / weight.sum())
    # Saddle points to 1e-9 and better.
    return within(off, 1e-7, "risk over the student's length")


def by_hand(setting: Setting) -> Finding:
    """Rules on attacked examples one by one, the attacked risk at rest, and shares of fresh inputs that are moved."""
    N, off = 30, []
    for learner, eps in (("rosenblatt", 0.6), ("adatron", 0.0), ("hebb", 0.6), ("logistic", 0.6)):
        model = tsphys.AdversarialPerceptron(learner=learner, training=eps, alpha=3.0)
        found = taught(model, N, np.random.default_rng(setting.seed))
        rng = np.random.default_rng(setting.seed)
        teacher = rng.standard_normal(N)
        teacher *= np.sqrt(N / (teacher @ teacher))
        if learner == "logistic":
            X = rng.standard_normal((90, N)) / np.sqrt(N)
            y, size = np.sign(X @ teacher), np.linalg.norm(found.w)
            wrong = 1 / (1 + np.exp(y * (X @ found.w) - eps * size / np.sqrt(N)))
            slope = X.T @ (y * wrong) - eps / np.sqrt(N) * wrong.sum() * found.w / size
            off += (slope - model.regularization * found.w).tolist()
            continue
        across = rng.standard_normal(N)
        across -= (across @ teacher) / N * teacher
        w = model.start * teacher + np.sqrt((1 - model.start**2) * N / (across @ across)) * across
        for x in rng.standard_normal((90, N)):
            y = np.sign(x @ teacher)
            moved = x - eps * y * w / np.sqrt(w @ w)
            h = moved @ w / np.sqrt(N)
            push = {"hebb": y, "rosenblatt": y * (y * h <= 0), "adatron": -h * (y * h <= 0)}[learner]
            w = w + model.lr * push * moved / np.sqrt(N)
        off += (found.w - w).tolist()
        told = hit(replace(model, attack=0.4), found, 300, np.random.default_rng(7))
        X = np.random.default_rng(7).standard_normal((300, N))
        nu, h = X @ teacher / np.sqrt(N), X @ w / np.sqrt(w @ w)
        y = np.sign(nu)
        beside = np.mean((y * h <= 0.4) | (np.abs(nu) <= 0.4))
        off += [told["adversarial"] - np.mean(y * h <= 0.4), told["boundary"] - beside]
    # Newton's steps end at 1e-6, of which the square is left.
    return within(off, 1e-7, "learning by hand")


def checks(quick: bool) -> list[Check]:
    """What is checked of attacks: rules, Bayes and risks, trained on attacked examples or not, and the errors."""
    model = tsphys.AdversarialPerceptron
    over: dict[str, Any] = {"attack": [0.1, 0.5]}
    names = ("eps_g", "overlap", "train_adversarial")
    return [
        Check("simulation", "Rosenblatt, attacked", attacked(model(training=0.5, alpha=4.0), over, 24, 200)),
        Check("simulation", "Hebb, attacked", attacked(model(learner="hebb", training=0.5, alpha=4.0), over, 24, 200)),
        Check("simulation", "AdaTron", attacked(model(learner="adatron", alpha=4.0), over, 24, 500)),
        Check("simulation", "Bayes", attacked(model(learner="bayes"), over, 16, 200)),
        Check("simulation", "ridge", attacked(model(learner="ridge"), over, 16, 200)),
        Check("simulation", "largest margin", attacked(model(learner="max_margin"), over, 16, 200)),
        Check("simulation", "logistic, attacked",
              attacked(model(learner="logistic"), {"training": [0.5, 0.9]}, 32, 200, names)),
        *(
            Check("simulation", name, attacked(model(**given), along, 24, 120, names))
            for name, given, along in (
                ("hinge, attacked", {"learner": "hinge"}, {"training": [0.3, 0.8]}),
                ("square, attacked", {"learner": "ridge", "regularization": 0.3}, {"training": [0.3, 0.8]}),
                ("attacked on coordinates", {"learner": "ridge", "norm": "linf"}, {"attack": [0.4, 1.0]}),
            )
        ),
        Check("integral", "errors under attack", drawn),
        Check("identity", "ends", ends),
        Check("integral", "rates of the rules", moved),
        Check("identity", "risk over the student's length", along_itself),
        Check("step", "learning by hand", by_hand),
    ]  # fmt: skip
