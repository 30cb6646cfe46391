"""The Potts model in mean field for N → ∞, and what is of order 1/N at its minima of the free energy."""

from __future__ import annotations

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.potts import Potts
from tsphys.physics.curie_weiss import curie_weiss_phase, magnetisation, shares
from tsphys.runs import frames

#: Smallest curvature of the free energy, of order one elsewhere, beyond which fluctuations are not known.
FLAT = 1e-6


@frames.static(Potts, told=("bias.q", "bias.m", "bias.energy", "doubt.q", "doubt.m", "doubt.energy"))
def solve(model: Potts) -> dict[str, float]:
    """The phase that is stable, or one that is asked for.

    Returns
    -------
    dict
        Over the axis: ``q`` = (C Σ_a x_a² − 1)/(C − 1) = m² and ``m`` = (C x_0 − 1)/(C − 1) of the shares x of colours;
        ``energy`` H and ``free_energy`` −ln Z of the phase, a site.

    Raises
    ------
    ModelError
        Where the phase is not even metastable.
    """
    C, beta, h = model.C, model.beta, model.field
    y = curie_weiss_phase(C, beta, h, model.ordered)
    if y is None or (model.phase == "ordered" and y <= 0):
        raise ModelError("phase", model.phase, f"is not even metastable at β = {beta:.6g}, h = {h:.6g}, C = {C}")
    m, x = magnetisation(C, y), shares(C, y)
    mean, covariance, doubt = fluctuations(x, beta)
    square = float(2 * x @ mean + np.trace(covariance))
    energy = -0.5 * beta * float(x @ x) - h * x[0]
    return {
        "q": m**2,
        "m": m,
        "energy": energy,
        "free_energy": float(x @ np.log(x)) + energy,
        "bias.q": C / (C - 1) * square,
        "bias.m": C / (C - 1) * float(mean[0]),
        # Pairs i = j are of the squares, and no pairs of H.
        "bias.energy": 0.5 * beta * (1 - square) - h * float(mean[0]),
        **{f"doubt.{name}": doubt for name in ("q", "m", "energy")},
    }


def fluctuations(x: np.ndarray, beta: float) -> tuple[np.ndarray, np.ndarray, float]:
    """N times mean and covariance of the shares about a minimum x (C,) of Σ x ln x − ½β Σ x² − hx_0, and a doubt of it.

    The mean from third derivatives, and from the factors 1/√x of Stirling's formula.
    """
    C = len(x)
    # On the plane Σ δx = 0.
    plane = np.linalg.svd(np.ones((1, C)))[2][1:].T
    curvature = plane.T @ np.diag(1 / x - beta) @ plane
    if np.linalg.eigvalsh(curvature)[0] < FLAT:
        return np.zeros(C), np.zeros((C, C)), 1 / FLAT
    covariance = plane @ np.linalg.inv(curvature) @ plane.T
    return covariance @ (0.5 * np.diag(covariance) / x**2 - 0.5 / x), covariance, 0.0
