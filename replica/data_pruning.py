"""Data pruning as N → ∞, by the saddle point in the plane of probe and teacher."""

from __future__ import annotations

import numpy as np

from tsphys.models.data_pruning import LOSSES, DataPruning, vanishing
from tsphys.replica.saddles.selected import Selection, minimum
from tsphys.runs import frames


@frames.static(DataPruning)
def solve(model: DataPruning) -> dict[str, float]:
    """What is learned of the examples that are kept, N → ∞.

    Returns
    -------
    dict
        Over the axis: ``eps_g``, the probability of a wrong label on all inputs, and ``overlap`` = cos(w, w*), of which
        it is the angle over π; ``overlap_probe`` = cos(w, p); ``q`` = |w|²/N, and for ``max_margin``, of a student with
        |w|² = N, ``margin``; for a risk ``train_loss``, the mean of ℓ over the examples that are kept.

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached.
    """
    selection = Selection("all" if model.keep == "random" else model.keep, model.fraction, model.gamma)
    found = minimum(LOSSES[model.student], selection, model.alpha, model.regularization)
    overlap, angle = found.overlap(model.gamma)
    out = {"eps_g": angle / np.pi, "overlap": overlap, "overlap_probe": found.m[0] / found.q**0.5}
    if model.student == "max_margin":
        return {**out, "margin": found.q**-0.5}
    return {**out, "q": found.q, "train_loss": vanishing(found.train_loss)}
