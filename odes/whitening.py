"""Energy of the first layer of a linear convolutional net, component by component, over the steps of descent.

With readouts G = (a_p·a_q), patches x (Pd,) and their covariance Ĉ on the examples, H = (G^½ ⊗ 1) Ĉ (G^½ ⊗ 1) is the
Hessian, and with m = (1 − ηH)^t the filters have learned W − W0 = Σ_p a_p u_p, where teacher and start
come into (G^½ ⊗ 1)u by 1 − m, the noise of labels by (1 − m)²/H. On average over labels and starts, in any component k,

    |Wp_k|² = F w0² + Σ_p [(b² + w0²)(1 − m)² − 2w0²(1 − m) + (σ²/n)(1 − m)²/H]_pk,pk .

H is a sample covariance, of (G^½ ⊗ 1) C (G^½ ⊗ 1), so that averages over examples are those of its spectrum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array
from tsphys.ground.times import iterations
from tsphys.models.whitening import Whitening
from tsphys.physics.flows.resolvents import NODES
from tsphys.runs import frames

#: Largest ln |1 − ηz|^t on a contour, of which averages lose the digits.
LARGEST = 5.0


def learned(model: Whitening, s: np.ndarray, t: float) -> np.ndarray:
    """What a direction of curvature s adds to the energy by step t; analytic in s, and 0 at s = 0."""
    moved = 1 - (1 - model.lr * s) ** t
    told = model.teacher**2 + model.start**2 + model.noise**2 / (model.n * s)
    return told * moved**2 - 2 * model.start**2 * moved


def profile(model: Whitening, variances: np.ndarray, t: Any) -> np.ndarray:
    """Energies in the principal components of the examples themselves, given their variances; of a single patch.

    Parameters
    ----------
    variances : ndarray, shape (d,)
        Eigenvalues λ̂_k of the covariance of the examples.
    t : sequence of int
        Steps.

    Returns
    -------
    ndarray, shape (t, d)
        On average over labels and starts, on these examples.

    Raises
    ------
    ModelError
        If the variances or times are none.
    """
    found = array("variances", variances, (None,), "of the examples")
    if found.min(initial=0.0) < 0:
        raise ModelError("variances", found.tolist(), "must be >= 0")
    s = model.readout * found
    energies = np.full((len(times := iterations("t", t)), len(s)), model.F * model.start**2)
    # Nothing is learned where there is no input, as of fewer examples than components.
    energies[:, s > 0] += [learned(model, s[s > 0], step) for step in times]
    return energies


@frames.course(Whitening, frames.Decades, dims={"energy": ("component",)})
def solve(model: Whitening, options: frames.Decades) -> dict[str, np.ndarray]:
    """Energies on average over examples, labels and starts, for many examples of as many dimensions.

    Returns
    -------
    dict
        Over the steps t: ``energy`` (t, d), Σ_f (w_f·p_k)² in the principal components of the population; ``power``,
        Σ_k λ_k e_k, that of the filters' answers to fresh patches.

    Raises
    ------
    ConvergenceError
        If an average over the spectrum did not converge.
    """
    s, data = model.curvatures(), model.data()
    low, high = data.edges()
    least, most = float(data.z(np.array(low))), float(data.z(np.array(high)))
    right = data.kappa(min(float(data.z(np.array(1.1 * high))), 0.5 * (most + 2 / model.lr)))
    angle = (np.arange(NODES[0]) + 0.5) * np.pi / NODES[0]

    def at(t: float) -> np.ndarray:
        if t == 0:
            return np.zeros(model.d)
        # (1 − ηz)^t must be none on a contour that excludes 0, and of order one on others; as it is on the real axis.
        left = data.kappa(0.5 * least if model.lr * least * t > 1 else -min(most, 1 / (model.lr * t)))
        flat = 1.0
        while t * np.log(np.abs(1 - model.lr * data.z(data.contour(left, right, angle, flat)[0])).max()) > LARGEST:
            flat *= 0.5

        def integrand(z: np.ndarray, kappa: np.ndarray) -> np.ndarray:
            resolvent = sum(1 / (row[:, None] - kappa) for row in s)
            return learned(model, z, t) * kappa / z * resolvent

        return data.average(integrand, left, right, flat=flat)

    energy = model.F * model.start**2 + np.array([at(t) for t in options.t])
    return {"energy": energy, "power": energy @ model.variances()}
