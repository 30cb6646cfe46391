"""Random features of bounded frequency."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.replica.bandlimited_features import bounded, floor, spectrum
from tsphys.validation.checks import Check, Finding, Setting, within


def learned(model: Any, axis: dict[str, Any], replicas: int) -> Any:
    """A check of medians on the theory, to 15 %: eigenfunctions are not Gaussian, and means are of rare gaps."""

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        sim = tsphys.simulate(model, replicas=many, seed=setting.seed, threads=setting.threads, **axis)
        theory, off, bound = tsphys.solve(model, **axis), [], []
        for name in ("eps_g", "train_loss"):
            off.append(np.median(sim[name], axis=0) - theory[name])
            bound.append((0.15 if name == "eps_g" else 0.03) * theory[name] + 4 * sim.sem(name))
        return replace(within(off, bound, "medians"), curves=(sim, theory, "eps_g"))

    return run


def prolate(setting: Setting) -> Finding:
    """Eigenvalues and power by the differential operator that commutes with the kernel, in Legendre's polynomials."""
    off, x, w = [], *np.polynomial.legendre.leggauss(200)
    for band, frequency in ((5.0, 4.0), (20.0, 21.0)):
        n = np.arange(100.0)
        diagonal = n * (n + 1) + band**2 * (2 * n * (n + 1) - 1) / ((2 * n + 3) * (2 * n - 1))
        beside = band**2 * (n + 1) * (n + 2) / ((2 * n + 3) * np.sqrt((2 * n + 1) * (2 * n + 5)))
        vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside[:-2], 2) + np.diag(beside[:-2], -2))[1]
        functions = np.polynomial.legendre.legvander(x, 99) * np.sqrt(2 * n + 1) @ vectors[:, :18]
        kernel = np.sinc(band * np.subtract.outer(x, x) / np.pi)
        target = np.cos(frequency * x) / np.sqrt((w / 2) @ np.cos(frequency * x) ** 2)
        modes = spectrum(band, frequency)
        # Functions of the smallest eigenvalues are known to rounding over their distance only.
        some = 9 if band < 10 else 16
        values = np.einsum("ia,ij,ja->a", w[:, None] / 2 * functions, kernel, w[:, None] / 2 * functions)
        power = ((w / 2) @ (functions * target[:, None])) ** 2
        off += [*(values[:some] - modes.eigenvalues[:some]), *(power[:some] - modes.power[:some])]
    return within(off, 1e-10, "spectrum by a differential operator")


def floors(setting: Setting) -> Finding:
    """Of a bound that holds just at a ridge both floors are the same, and many examples reach it."""
    off = []
    for frequency in (15.0, 21.0, 24.0):
        model, r = tsphys.BandlimitedFeatures(frequency=frequency, noise=0.0), 1e-4
        modes = spectrum(model.band, frequency)
        norm = float(np.sum(modes.eigenvalues * modes.power / (modes.eigenvalues + r) ** 2))
        off.append(bounded(model, norm) - floor(model, r))
        n = 10**9
        off.append(tsphys.solve(model, n=[n], ridge=r * n)["eps_g"][0] - floor(model, r))
    # Corrections are of order n_eff/n.
    return within(off, 1e-7, "floors")


def checks(quick: bool) -> list[Check]:
    """What is checked of bounded frequencies: in and beyond the band, features, the spectrum, floors."""
    model = tsphys.BandlimitedFeatures
    return [
        Check("simulation", "over frequencies", learned(model(n=250), {"frequency": [5.0, 21.0, 24.0, 30.0]}, 48)),
        Check("simulation", "features", learned(model(n=250, noise=0.2, ridge=1), {"k": [60, 120]}, 48)),
        Check("integral", "prolate functions", prolate),
        Check("identity", "floors", floors),
    ]
