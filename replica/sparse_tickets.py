"""Sparse tickets as N → ∞: the dense student and those of all rounds, on the same data, by the cavity method.

The ridge student is exact; for the logistic one the averages over fields of examples are sums, on a grid up to one
round, and at Sobol's points beyond. So its calibration is derived, not measured: it follows from m and q alone.
"""

from __future__ import annotations

import numpy as np

from tsphys.models.sparse_tickets import LOSSES, SparseTickets
from tsphys.physics.inference.calibration import calibration
from tsphys.physics.inference.generalisation import generalisation_error
from tsphys.replica.saddles.cavity import Examples, fitted
from tsphys.runs import frames


@frames.static(SparseTickets)
def solve(model: SparseTickets) -> dict[str, float]:
    """What is left of a student after pruning, N → ∞.

    Returns
    -------
    dict
        Over the axis: ``eps_g``, half the mean squared error, or the probability of a wrong label, both without noise;
        ``eps_dense``, that before pruning; ``m`` = w*·w/N and ``q`` = |w|²/N; ``recall``, the fraction of the
        teacher's weights that is left; ``train_loss``, the mean of ℓ. Of a logistic student ``calibration_error``, by
        which the probability of its label is off from that of being right, in the mean of the modulus, and
        ``overconfidence``, in the mean, on fresh labels with their noise.

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached.
    """
    prior, channel = model.objects()
    kept, ridges = zip(*model.fits(), strict=True)
    found = fitted(Examples(LOSSES[model.student][0], model.alpha, 1.0, model.noise**2), prior, ridges, kept)
    m, q = found.m.tolist(), found.q.diagonal().tolist()
    some = np.array(prior.weights) * (np.array(prior.variances) > 0)
    out = {
        "eps_g": generalisation_error(channel, 1.0, m[-1], q[-1]),
        "eps_dense": generalisation_error(channel, 1.0, m[0], q[0]),
        "m": m[-1],
        "q": q[-1],
        "recall": float(found.kept[-1] @ some / some.sum()),
        "train_loss": float(found.train_loss[-1]),
    }
    return out if model.student == "ridge" else {**out, **calibration(m[-1], q[-1], model.noise**2)}
