"""What the figure of variants says of dense students: inputs of another law, and starts of low rank."""

import numpy as np
import pytest

import tsphys
from tsphys.figures.variants import SEEN_AT, START, low_rank


@pytest.mark.slow
def test_inputs_of_another_law_change_errors_by_one_over_N():
    """The difference of means is there, and N times it is the same at two sizes."""
    found = []
    for N in (16, 64):
        samples = [
            tsphys.simulate(tsphys.TwoLayer(lr=1.0, inputs=law), N=N, start=START, t=[SEEN_AT], replicas=4000, seed=N)
            for law in ("binary", "gaussian")
        ]
        difference = samples[0].mean("eps_g")[0] - samples[1].mean("eps_g")[0]
        found.append(N * np.array([difference, np.hypot(samples[0].sem("eps_g")[0], samples[1].sem("eps_g")[0])]))
    (small, e), (large, f) = found
    assert abs(small) > 6 * e
    # Four standard errors, and what the next order may add, 1/N of it.
    assert abs(small - large) < 4 * np.hypot(e, f) + abs(small) / 16


@pytest.mark.parametrize("spread", [0.4, 0.1])
def test_starts_close_to_rank_one(spread):
    t, model, start = [5, 20, 40, 60], tsphys.TwoLayer(lr=0.5), low_rank(spread)
    assert np.linalg.eigvalsh(start.Q)[0] <= 2 * spread**2 + 1e-12
    sim = tsphys.simulate(model, N=2000, start=start, t=t, replicas=12, seed=1)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=start, t=t))
    assert comparison.ok, comparison
