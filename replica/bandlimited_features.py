"""Learning curves of bounded frequencies: the prolate spectrum in the eigenframework, and floors of the error.

The kernel sin Ωu/Ωu on [−1, 1] has about 2Ω/π eigenvalues of π/2Ω, and then a cliff: of what is faster than Ω only
exponentially little can be learned, by exponentially large coefficients. Without ridge, noise or a bound on these there
is no floor; with one there is, from ω_0 ≈ Ω on.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tsphys.ground.parameters import number
from tsphys.models.bandlimited_features import BandlimitedFeatures
from tsphys.numerics.roots import crossing
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.runs import frames

#: Eigenvalues below are rounding: what of the target is on their functions counts as never learned.
ROUNDING = 1e-15


@frames.static(BandlimitedFeatures)
def solve(model: BandlimitedFeatures) -> dict[str, float]:
    """Errors over the target's frequency, the number of examples or features, the ridge or the noise.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` = ½⟨(f̂ − f)²⟩ over [−1, 1], and ``train_loss`` = ½ mean (f̂ − y)².
    """
    row = eigenframework.errors(spectrum(model.band, model.frequency), model.n, model.ridge, model.noise**2, model.k)
    return {name: row[name] for name in ("eps_g", "train_loss")}


@lru_cache(64)
def spectrum(band: float, frequency: float) -> Modes:
    """Eigenvalues of the kernel, of sum 1, and the target's power on their functions; the last has what is left, λ = 0.

    By Gauss and Legendre's nodes, two for each half wave and eighty more.
    """
    x, w = np.polynomial.legendre.leggauss(int(2 * max(band, frequency)) + 80)
    root = np.sqrt(w / 2)
    values, vectors = np.linalg.eigh(root[:, None] * np.sinc(band * np.subtract.outer(x, x) / np.pi) * root)
    target = np.cos(frequency * x) / np.sqrt(0.5 + 0.5 * np.sinc(2 * frequency / np.pi))
    power = (vectors.T @ (root * target)) ** 2
    some = values > ROUNDING
    rest = max(1 - float(power[some].sum()), 0.0)
    return Modes(np.append(values[some][::-1], 0.0), np.append(power[some][::-1], rest))


def floor(model: BandlimitedFeatures, ridge: float) -> float:
    """eps_g for n → ∞ at the ridge δ = n·`ridge`: ½ Σ (r/(λ + r))² v²."""
    r, modes = number("ridge", ridge, low=0, open_low=True), spectrum(model.band, model.frequency)
    return float(0.5 * np.sum((r / (modes.eigenvalues + r)) ** 2 * modes.power))


def bounded(model: BandlimitedFeatures, norm: float) -> float:
    """The least eps_g of all f whose squared norm in the kernel's space, Σ c²/λ, is at most `norm`.

    That is `floor` at the r with Σ λv²/(λ + r)² = `norm`; what is on eigenvalues below 1e-15 is left out.
    """
    B2, modes = number("norm", norm, low=0, open_low=True), spectrum(model.band, model.frequency)

    def gap(log: float) -> float:
        return float(np.sum(modes.eigenvalues * modes.power / (modes.eigenvalues + np.exp(log)) ** 2)) - B2

    low, high = np.log(ROUNDING) - 10, max(0.0, -0.5 * np.log(B2)) + 10
    return (
        floor(model, float(np.exp(crossing(gap, low, high, "the floor"))))
        if gap(low) > 0
        else 0.5 * float(modes.power[-1])
    )
