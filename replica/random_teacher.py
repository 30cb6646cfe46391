"""Probes of distilled features: distillation filters the inputs' directions, and the eigenframework does the rest.

Weights on input i approach the teacher's at the rate λ_i. They stay Gaussian, of variance s_i², and features of
Gaussian weights are random features: those of a kernel whose eigenvalues are λ_i s_i².
"""

from __future__ import annotations

import numpy as np

from tsphys.models.random_teacher import RandomTeacher
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.runs import frames


@frames.static(RandomTeacher)
def solve(model: RandomTeacher) -> dict[str, float]:
    """Errors of the probe over the time of distillation, examples, features, or what a run depends on.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` = ½⟨(f̂ − f)²⟩ of the probe on fresh inputs, and ``train_loss`` = ½ mean (f̂ − y)²;
        ``distance`` = ⟨|Wx − W*x|²⟩/⟨|W*x|²⟩, which distillation makes small.
    """
    eigenvalues, power = model.spectrum()
    variances, off = filtered(model, eigenvalues)
    modes = Modes(eigenvalues * variances, power)
    row = eigenframework.errors(modes, model.n, model.ridge, model.noise**2, model.features)
    distance = float(np.sum(eigenvalues * off) / np.sum(eigenvalues))
    return {"eps_g": row["eps_g"], "train_loss": row["train_loss"], "distance": distance}


def filtered(model: RandomTeacher, eigenvalues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variances s_i² of weights W on inputs of the variances λ_i, and those of W − W*, each (d,).

    With E = e^{−(λ + μ)t} and the end a = λ/(λ + μ), W = (a(1 − E) + E s cos φ) W* + E s sin φ W'.
    """
    rates, cos = eigenvalues + model.weight_decay, model.overlap
    end = eigenvalues / rates
    left = np.zeros_like(rates) if model.t is None else np.exp(-rates * model.t)
    gone = np.ones_like(rates) if model.t is None else -np.expm1(-rates * model.t)
    along, across = end * gone + left * model.scale * cos, (left * model.scale) ** 2 * (1 - cos**2)
    # 1 − a(1 − E) without its cancellation where all has been learned.
    missing = model.weight_decay / rates * gone + left - left * model.scale * cos
    return along**2 + across, missing**2 + across
