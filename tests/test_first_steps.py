"""A simulation against theory at times at which it has made no step, or a whole one where theory has made half."""

import dataclasses

import numpy as np
import pytest

import tsphys

STEPS = tsphys.TwoLayer(lr=0.5, noise=0.1)
BEGIN = {"R": [[0.3, 0.0], [0.0, 0.3]], "Q": [[0.2, 0.0], [0.0, 0.2]], "T": np.eye(2)}


@pytest.mark.parametrize("seed", range(3))
def test_times_before_the_first_step_take_nothing_from_the_verdict(seed):
    """Runs show their start there, and have no spread yet."""
    t = np.geomspace(1e-4, 10, 20)
    theory = tsphys.solve(STEPS, start=BEGIN, t=t)
    assert tsphys.compare(tsphys.simulate(STEPS, N=1000, start=BEGIN, t=t, replicas=8, seed=seed), theory).ok


@pytest.mark.parametrize("t", [[0.0], [0.0, 4e-4]])
def test_there_is_no_verdict_without_a_step(t):
    theory = tsphys.solve(dataclasses.replace(STEPS, lr=5.0), start=BEGIN, t=t)
    found = tsphys.compare(tsphys.simulate(STEPS, N=1000, start=BEGIN, t=t, replicas=4), theory)
    assert found.verdict == "undecided"
    (reason,) = found.reasons
    assert "no step" in reason
    # Starts are held against each other all the same.
    other = tsphys.solve(STEPS, start={**BEGIN, "R": [[0.31, 0.0], [0.0, 0.3]]}, t=t)
    assert tsphys.compare(tsphys.simulate(STEPS, N=1000, start=BEGIN, t=t, replicas=4), other).verdict == "disagree"


def test_spread_is_foretold_at_the_step_that_a_simulation_shows():
    """From half of the first step on that of all of it, twice as much; theory at .02 is another solution."""
    early, there = (tsphys.solve(STEPS, start=BEGIN, t=t, fluctuations=True) for t in ([0.0101, 1.0], [0.02, 1.0]))
    for name in ("R", "Q", "eps_g"):
        # A chord of the variance to the next time that is known, in place of the curve; half of the step would be 0.7.
        shown = early.first_order.shown(name, early["t"], 50)[0]
        np.testing.assert_allclose(shown**0.5, there.std(name, 50)[0].ravel(), rtol=0.05)
        assert early.first_order.shown(name, early["t"], 49)[0] == pytest.approx(0.0, abs=1e-15)
