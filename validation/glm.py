"""Generalised linear models."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.sims.engines.inference.minimise import minimise
from tsphys.validation.checks import Check, Finding, Setting, agrees, stationary, threshold, within
from tsphys.validation.identities import identity

_Z = np.linspace(-10, 10, 8001)
_W = np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi) * (_Z[1] - _Z[0])


def simulated(given: dict[str, Any], at: dict[str, Any], N: int, replicas: int, names: tuple[str, ...]) -> Any:
    """A check of instances against the theory over loads or iterations."""
    model = tsphys.GLM(**given)
    return agrees(model, names[0], replicas, list(names), sim={"N": N}, **at)


def binary_perceptron(q: float, q_hat: float, alpha: float) -> float:
    """Free entropy of ±1 weights and sign labels as printed (Györgyi 1990; Seung, Sompolinsky & Tishby 1992)."""
    from scipy.special import log_ndtr

    x = np.abs(q_hat + np.sqrt(q_hat) * _Z)
    u = np.sqrt(q / (1 - q)) * _Z
    weights = -q_hat / 2 + _W @ (x + np.log1p(np.exp(-2 * x)) - np.log(2))
    return float(weights + 2 * alpha * _W @ (np.exp(log_ndtr(u)) * log_ndtr(u)) - q * q_hat / 2)


def saddles(loads: list[float]) -> Any:
    """A check that the overlap of the binary perceptron is stationary, with q̂ from q = ∫Dz tanh(q̂ + √q̂ z)."""

    def run(setting: Setting) -> Finding:
        from scipy.optimize import brentq

        found = tsphys.solve(tsphys.GLM(prior="rademacher"), alpha=loads)
        findings = []
        for alpha, q in zip(loads, found["q"].tolist()):
            q_hat = brentq(lambda a, q=q: _W @ np.tanh(a + np.sqrt(a) * _Z) - q, 1e-9, 1e3, xtol=1e-14)
            findings.append(stationary(lambda q, q_hat, alpha=alpha: binary_perceptron(q, q_hat, alpha), [(q, q_hat)]))
        return max(findings, key=lambda finding: finding.score)

    return run


def channels(setting: Setting) -> Finding:
    """g_out of every channel against sums over z of its likelihood, spaced by 1e-3 of the posterior's width.

    The sums of smooth likelihoods are exact to rounding; those with a jump, at the sign and at κ, are not among them.
    """
    from scipy.special import ndtr

    from tsphys.physics.inference.channels import channel

    noise, kappa, V = 0.2, 0.7, 0.6
    smooth = {
        "linear": lambda y, z: np.exp(-((y - z) ** 2) / (2 * noise)),
        "relu": lambda y, z: np.exp(-((y - np.maximum(z, 0)) ** 2) / (2 * noise)),
        "abs": lambda y, z: np.exp(-((y - np.abs(z)) ** 2) / (2 * noise)),
        "sign": lambda y, z: ndtr(y * z / np.sqrt(noise)),
        "threshold": lambda y, z: ndtr((z - kappa) / np.sqrt(noise)) + ndtr((-z - kappa) / np.sqrt(noise)),
        "logistic": lambda y, z: 1 / (1 + np.exp(-y * z)),
    }
    difference, bound = [], []
    for name, likelihood in smooth.items():
        made = channel(name, 0.0 if name == "logistic" else noise, kappa)
        for omega in (-2.0, -0.3, 0.5, 1.7):
            # Beginning at z = 0, so that a kink there is a node, of which the trapezoidal rule makes 1e-6.
            z = np.arange(-10_000, 10_001) * 1e-3
            p = likelihood(1.0, z) * np.exp(-((z - omega) ** 2) / (2 * V))
            difference.append(float(made.moments(1.0, omega, V)[0] - (p @ (z - omega)) / p.sum() / V))
            bound.append(1e-6 if name in ("relu", "abs") else 1e-10)
    return within(np.array(difference), np.array(bound), "g_out")


def labels(setting: Setting) -> Finding:
    """Labels of 4·10⁵ equal fields: their mean and their mean square, as each channel's law has them."""
    from scipy.special import ndtr

    from tsphys.physics.inference.channels import channel

    n, noise, z, kappa = setting.replicas(400_000), 0.3, 0.4, 0.7
    rng, up, scores = np.random.default_rng([setting.seed, 7]), float(ndtr(z / noise**0.5)), []
    out = float(ndtr((z - kappa) / noise**0.5) + ndtr((-z - kappa) / noise**0.5))
    told = {
        "linear": (z, noise), "relu": (z, noise), "abs": (z, noise), "sign": (2 * up - 1, 4 * up * (1 - up)),
        "threshold": (2 * out - 1, 4 * out * (1 - out)), "logistic": (np.tanh(z / 2), np.cosh(z / 2) ** -2),
    }  # fmt: skip
    for name, (mean, variance) in told.items():
        y = channel(name, 0.0 if name == "logistic" else noise, kappa).draw(rng, np.full(n, z))
        scores.append((y.mean() - mean) / np.sqrt(variance / n))
        if name in ("linear", "relu", "abs"):
            scores.append((y.var() / variance - 1) / np.sqrt(2 / n))
    return Finding(float(np.abs(scores).max()), threshold(len(scores)), "means and variances of labels")


def priors(setting: Setting) -> Finding:
    """ln Z, mean and variance of every prior, mmse, information and its inverse, against sums over weights and fields.

    Sums of analytic functions in such steps are exact to rounding; ½ mmse is the slope of the information, by
    differences of fourth order in steps of 1 %, wrong by 1e-8.
    """
    from tsphys.physics.inference.priors import PRIORS, prior

    gaps = []
    for name in PRIORS:
        made, rho = prior(name, 0.3), 0.3
        laws = {
            "gaussian": [(1.0, 0.0, 1.0)],
            "rademacher": [(0.5, 1.0, 0.0), (0.5, -1.0, 0.0)],
            "gauss_bernoulli": [(1 - rho, 0.0, 0.0), (rho, 0.0, rho**-0.5)],
            "sparse_rademacher": [(1 - rho, 0.0, 0.0), (rho / 2, rho**-0.5, 0.0), (rho / 2, -(rho**-0.5), 0.0)],
        }[name]
        z = np.linspace(-9, 9, 721)
        w = np.concatenate([m + s * (z if s else np.zeros(1)) for _, m, s in laws])
        dense = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
        p = np.concatenate([c * (dense if s else np.ones(1)) for c, _, s in laws])
        for A, b in ((0.7, 0.4), (3.0, -2.0)):
            tilted = p * np.exp(b * w - A * w**2 / 2)
            Z, mean = tilted.sum(), tilted @ w / tilted.sum()
            told = (np.log(Z), mean, tilted @ w**2 / Z - mean**2)
            gaps += [x - y for x, y in zip((made.log_partition(A, b), *made.moments(A, b)), told)]
        snr, fields = 1.7, np.linspace(-40, 40, 3201)
        tilted = p * np.exp(np.outer(fields, w) - snr * w**2 / 2)
        mass = tilted.sum(axis=1)
        variance = tilted @ w**2 / mass - (tilted @ w / mass) ** 2
        density = mass * np.exp(-(fields**2) / (2 * snr)) / np.sqrt(2 * np.pi * snr) * (fields[1] - fields[0])
        h, mmse = 0.01 * snr, made.mmse(snr)
        one, two = ((made.information(snr + k * h) - made.information(snr - k * h)) / (2 * k * h) for k in (1, 2))
        gaps += [density @ variance - mmse, (4 * one - two) / 3 - mmse / 2, made.snr(1 - mmse) - snr]
        gaps.append(made.second_moment - 1)
    return within(np.array([float(gap) for gap in gaps]), np.full(len(gaps), 1e-7), "priors")


def losses(setting: Setting) -> Finding:
    """Losses and slopes as printed, proximal maps by the least of all h in steps of 1e-4, their bend by differences."""
    from tsphys.physics.inference.losses import LOSSES, loss, proximal, slope

    h = np.arange(-80_000, 80_001) * 1e-4
    printed: dict[str, Any] = {
        "square": lambda y, x: (y - x) ** 2 / 2, "logistic": lambda y, x: np.log(1 + np.exp(-y * x)),
        "hinge": lambda y, x: np.maximum(0, 1 - y * x), "absolute": lambda y, x: np.abs(y - x),
        "huber": lambda y, x: np.where(np.abs(y - x) < 0.7, (y - x) ** 2 / 2, 0.7 * np.abs(y - x) - 0.245),
        "max_margin": lambda y, x: np.where(y * x < 1, np.inf, 0.0),
    }  # fmt: skip
    gaps, bounds = [], []
    for name, told in printed.items():
        for y in (1.0, -1.0):
            for omega in (-2.13, -0.37, 0.51, 1.72):
                if name != "max_margin":
                    gaps.append(float(loss(name, y, omega, 0.7) - told(y, omega)))
                    bounds.append(1e-12)
                if name in LOSSES:
                    gaps.append(float(slope(name, y, omega) - (told(y, omega + 1e-5) - told(y, omega - 1e-5)) / 2e-5))
                    bounds.append(1e-8)
                if name in (*LOSSES, "max_margin"):
                    for V in (0.6, 2.3):
                        t, f, bend = (float(a) for a in proximal(name, y, omega, V))
                        near, far = (float(proximal(name, y, omega + k * 1e-5, V)[0]) for k in (1, -1))
                        gaps += [t - h[np.argmin(told(y, h) + (h - omega) ** 2 / (2 * V))], f - (t - omega) / V]
                        gaps.append(bend - 1 + (near - far) / 2e-5)
                        bounds += [1.01e-4, 1e-10, 1e-6]
    return within(np.array(gaps), np.array(bounds), "losses and proximal maps")


def outputs(setting: Setting) -> Finding:
    """Mass, mean and mean square of the outcomes of every channel, and linear parts, against sums over z.

    Between points 1e-3 apart a kink or jump makes 1e-6.
    """
    from scipy.special import ndtr

    from tsphys.physics.inference.channels import channel

    noise, kappa, gaps = 0.2, 0.7, []
    z = (np.arange(-20_000, 20_000) + 0.5) * 1e-3
    real = {"linear": z, "relu": np.maximum(z, 0), "abs": np.abs(z)}
    up = {
        "sign": ndtr(z / noise**0.5), "threshold": ndtr((z - kappa) / noise**0.5) + ndtr((-z - kappa) / noise**0.5),
        "logistic": 1 / (1 + np.exp(-z)),
    }  # fmt: skip
    for name in (*real, *up):
        made = channel(name, 0.0 if name == "logistic" else noise, kappa)
        for omega, V in ((0.4, 0.6), (-1.1, 2.0)):
            p = np.exp(-((z - omega) ** 2) / (2 * V)) / np.sqrt(2 * np.pi * V) * 1e-3
            first = p @ (real[name] if name in real else 2 * up[name] - 1)
            second = p @ real[name] ** 2 + noise if name in real else 1.0
            y, weight = (np.ravel(a) for a in made.outcomes(np.array([omega]), V))
            gaps += [weight.sum() - 1, weight @ y - first, weight @ y**2 - second]
            if name in real:
                gaps.append(float(made.mean(omega, V)) - first)
        p = np.exp(-(z**2) / 2.6) / np.sqrt(2.6 * np.pi) * 1e-3
        y = real[name] if name in real else 2 * up[name] - 1
        c, left = made.linear_part(1.3)
        second = p @ y**2 + noise if name in real else 1.0
        gaps += [c - p @ (y * z) / 1.3, left - second + (p @ (y * z)) ** 2 / 1.3]
    return within(np.array(gaps), np.full(len(gaps), 2e-6), "outcomes and linear parts")


def known(setting: Setting) -> Finding:
    """Thresholds as printed (Györgyi 1990; Barbier et al. 2019), phase retrieval's ½, starts, and the largest margin.

    Where it is largest over the overlaps, the shortfall and its slope along them vanish.
    """
    from tsphys.physics.inference.channels import channel
    from tsphys.physics.inference.priors import prior
    from tsphys.replica.glm import thresholds
    from tsphys.replica.saddles.bayes import weak_recovery
    from tsphys.replica.saddles.margin import maximal_margin, shortfall

    binary = tsphys.GLM(prior="rademacher")
    ends, found = thresholds(binary), maximal_margin(2.5)
    slopes = [shortfall(2.5, found.R + h, found.kappa) / 1e-4 for h in (1e-4, -1e-4)]
    gaps = [
        (ends.transition - 1.2447, 1e-4), (ends.algorithmic - 1.4926, 1e-4),
        (weak_recovery(prior("gaussian"), channel("abs", 0.0)) - 0.5, 1e-6),
        (tsphys.solve(binary, t=[0], start=0.3)["q"][0] - 0.3, 1e-9), (shortfall(2.5, found.R, found.kappa), 1e-9),
        (slopes[0] - slopes[1], 1e-5),
    ]  # fmt: skip
    found_gaps, bounds = (np.array(column) for column in zip(*gaps))
    return within(found_gaps, bounds, "known values")


def spectra(setting: Setting) -> Finding:
    """Features of one spectrum, by their eigenvalues and by their matrices."""
    from tsphys.physics.inference.channels import channel
    from tsphys.replica.saddles.gaussian_covariates import from_matrices, matched, minimum

    omega, theta = np.array([0.3, 1.0, 2.5]), np.array([1.5, 0.7, 0.4])
    C = np.diag(omega)
    one, other = (
        minimum("square", channel("linear", 0.1), law, 1.3, 0.2)
        for law in (matched(omega, theta), from_matrices(C, C, C, np.sqrt(theta)))
    )
    gaps = [getattr(one, name) - getattr(other, name) for name in ("V", "q", "m", "norm", "train_loss")]
    return within(np.array(gaps), np.full(5, 1e-10), "covariances")


def least_cost(setting: Setting) -> Finding:
    """The least risk αℓ + ½λ|w|²/p of features of three variances grows with the ridge by ½|w|²/p, for every loss."""
    from tsphys.physics.inference.channels import channel
    from tsphys.replica.saddles.gaussian_covariates import matched, minimum

    law, lam, alpha, gaps = matched(np.array([0.3, 1.0, 2.5]), np.array([1.5, 0.7, 0.4])), 0.3, 1.3, []
    for name in ("square", "logistic", "hinge"):
        made = channel("linear" if name == "square" else "sign", 0.1)

        def risk(step: float, name: str = name, made: Any = made) -> float:
            found = minimum(name, made, law, alpha, lam + step)
            return float(alpha * found.train_loss + 0.5 * (lam + step) * found.norm)

        h = 0.01 * lam
        one, two = ((risk(k * h) - risk(-k * h)) / (2 * k * h) for k in (1, 2))
        gaps.append((4 * one - two) / 3 - 0.5 * minimum(name, made, law, alpha, lam).norm)
    return within(np.array(gaps), np.full(3, 1e-6), "∂risk/∂λ")


def instances(setting: Setting) -> Finding:
    """Of ±1 teachers mse = 1 − 2m + q, overlap = m/√q and eps_g = arccos(overlap)/π in every replica."""
    model = tsphys.GLM(prior="rademacher", estimator="logistic", alpha=1.5)
    sim = tsphys.simulate(model, N=60, replicas=8, seed=setting.seed, threads=setting.threads)
    m, q = sim["m"], sim["q"]
    gaps = [sim["mse"] - 1 + 2 * m - q, sim["overlap"] - m / np.sqrt(q)]
    gaps.append(sim["eps_g"] - np.arccos(m / np.sqrt(q)) / np.pi)
    return within(np.array(gaps), np.full(np.shape(gaps), 1e-9), "errors of instances")


def per_example(y: Any, slope: Any, alpha: float) -> float:
    """∂Φ/∂α less what an example tells: E ln Z of the sign of a field, of which the part q is known."""
    from scipy.special import log_ndtr

    u = np.sqrt(y["q"] / (1 - y["q"])) * _Z
    return float(slope["free_entropy"] - 2 * _W @ (np.exp(log_ndtr(u)) * log_ndtr(u)))


def least(y: Any, slope: Any, strength: float) -> float:
    """The least risk α·loss + ½λq changes with λ by ½q alone; α = 2."""
    return 2.0 * slope["train_loss"] + 0.5 * strength * slope["q"]


def reached(setting: Setting) -> Finding:
    """State evolution ends in the fixed point; the error of any estimate is 1 − 2m + q."""
    model = tsphys.GLM(prior="rademacher", alpha=1.0)
    end, fixed = tsphys.solve(model, t=[300])["mse"][0], tsphys.solve(model, alpha=[1.0])["mse"][0]
    risk = tsphys.solve(tsphys.GLM(estimator="logistic"), alpha=[0.5, 2.0])
    gaps = [end - fixed, *(risk["mse"] - 1 + 2 * risk["m"] - risk["q"])]
    return within(np.array(gaps), np.full(3, 1e-7), "fixed point, mse")


def minima(setting: Setting) -> Finding:
    """Risks as they are written are no smaller beside their minima, along each weight, all of them and at random."""
    rng, off = np.random.default_rng(setting.seed), []
    X, way = rng.standard_normal((50, 20)) / np.sqrt(20), rng.standard_normal((20, 20))
    real = X @ (4 * rng.standard_normal(20)) + rng.standard_t(2, 50)
    risks: dict[str, tuple[Any, Any]] = {
        "square": (real, lambda r: 0.5 * r**2),
        "absolute": (real, np.abs),
        "huber": (real, lambda r: np.where(np.abs(r) < 0.6, 0.5 * r**2, 0.6 * np.abs(r) - 0.18)),
        "logistic": (np.sign(real), lambda m: np.log1p(np.exp(-m))),
        "hinge": (np.sign(real), lambda m: np.maximum(1 - m, 0)),
    }
    for name, (y, loss) in risks.items():
        for lam, l1 in ((0.3, 0.0), (0.1, 0.4)) if name in ("square", "logistic") else ((0.3, 0.0),):

            def risk(
                w: np.ndarray, y: Any = y, loss: Any = loss, name: str = name, l1: float = l1, lam: float = lam
            ) -> float:
                h = X @ w
                at = y * h if name in ("logistic", "hinge") else y - h
                return float(loss(at).sum() + 0.5 * lam * w @ w + l1 * np.abs(w).sum())

            w, least = minimise(name, X, y, lam, corner=0.6, l1=l1)[0], np.inf
            for d in (w, *np.eye(20), *way):
                least = min(least, *(risk(w + sign * 1e-3 * d) for sign in (1, -1)))
            off.append(max(risk(w) - least, 0.0) / risk(w))
    return within(off, 1e-9, "risks beside their minima")


def checks(quick: bool) -> list[Check]:
    """What is checked of generalised linear models."""
    steps = {"t": [0, 1, 2, 4, 8]}
    binary = {"prior": "rademacher", "alpha": 1.2}
    sparse = {"prior": "gauss_bernoulli", "density": 0.3, "channel": "linear", "noise": 0.05, "alpha": 0.6}
    noisy = {"channel": "linear", "noise": 0.5, "alpha": 1.5}
    outliers: dict[str, Any] = {"channel": "linear", "noise": 0.25, "outliers": 0.2, "estimator": "huber"}
    cut = "eps_g", "m", "q", "train_loss"
    names, signs = ("mse", "m", "q"), {**sparse, "prior": "sparse_rademacher"}
    seen = {"logistic": {}, "hinge": {}, "ridge": {}, "huber": outliers, "absolute": outliers}
    risks = {name: tsphys.GLM(**{**given, "estimator": name, "alpha": 2.0}) for name, given in seen.items()}
    return [
        Check("identity", "minima of risks", minima),
        Check("simulation", "outliers", simulated(outliers, {"alpha": [1.0, 4.0]}, 100, 80, ("eps_g", "train_loss"))),
        Check("simulation", "elastic net",
              simulated({**signs, "estimator": "ridge", "l1": 0.2}, {"alpha": [0.6, 2.0]}, 200, 24, (*cut, "active"))),
        Check("simulation", "sparse logistic regression",
              simulated({"estimator": "logistic", "l1": 0.5}, {"alpha": [2.0]}, 120, 24, (*cut, "active"))),
        *(
            Check(
                "simulation",
                f"covariance, {name}",
                simulated({**given, "estimator": name, "covariance": [3.0, 1.0, 0.2]}, {"alpha": [2.0]}, 120, 24, told),
            )
            for name, given, told in (
                ("logistic", {"noise": 0.2}, cut),
                ("max_margin", {}, ("eps_g", "m", "q", "margin")),
                ("huber", outliers, cut),
            )
        ),
        *(
            Check("simulation", f"{resampling}, {name}", simulated(
                {"estimator": name, "resampling": resampling, "fraction": 0.7, "noise": 0.1}, {"alpha": [2.0]}, 120, 24,
                ("eps_g", "eps_one", "bias", "variance", "train_loss"),
            ))
            for resampling, name in [
                ("bootstrap", "ridge"), ("subsample", "hinge"), *([] if quick else [("bootstrap", "logistic")]),
            ]
        ),
        Check("simulation", "binary perceptron, step by step", simulated(binary, steps, 500, 12, ("eps_g", *names))),
        Check("simulation", "sparse regression, step by step", simulated(sparse, steps, 500, 12, names)),
        Check("simulation", "noisy regression, step by step", simulated(noisy, steps, 500, 12, names)),
        Check("simulation", "Bayes, loads", simulated({}, {"alpha": [1.0, 3.0]}, 300, 12, ("eps_g", "m", "q"))),
        Check(
            "simulation", "logistic regression",
            simulated({"estimator": "logistic"}, {"alpha": [0.5, 2.0]}, 200, 12, ("eps_g", "m", "q", "train_loss")),
        ),
        Check("identity", "∂Φ/∂α", identity(tsphys.GLM(prior="rademacher"), "alpha", [0.5, 1.0], per_example, "∂Φ/∂α")),
        Check("identity", "∂Φ/∂α, Gauss", identity(tsphys.GLM(), "alpha", [1.0, 3.0], per_example, "∂Φ/∂α")),
        *(
            Check("identity", f"least risk, {name}", identity(model, "regularization", [0.1, 1.0], least, "∂risk/∂λ"))
            for name, model in risks.items()
        ),
        *(
            Check("simulation", name, simulated(given, {"alpha": [2.0]}, 100, 12, ("eps_g", "q", told)))
            for name, given, told in (
                ("ridge on labels", {"estimator": "ridge"}, "train_loss"),
                ("hinge", {"estimator": "hinge"}, "train_loss"),
                ("absolute loss", {**outliers, "estimator": "absolute"}, "train_loss"),
                ("largest margin", {"estimator": "max_margin"}, "margin"),
            )
        ),
        Check("simulation", "sparse ±1, steps", simulated(signs, steps, 500, 8, names)),
        Check("identity", "known values", known),
        Check("identity", "covariances", spectra),
        Check("identity", "least risk of a spectrum", least_cost),
        Check("identity", "errors of instances", instances),
        Check("integral", "priors", priors),
        Check("integral", "losses", losses),
        Check("integral", "outcomes", outputs),
        Check("identity", "state evolution and errors", reached),
        Check("integral", "output channels", channels),
        Check("step", "labels", labels),
        Check("saddle", "binary perceptron", saddles([0.5, 1.0, 1.3])),
    ]  # fmt: skip
