"""Perceptrons of few levels: published capacities and entropies, enumeration, teachers of few levels, rounding."""

import itertools
import math

import numpy as np
import pytest

from tests.refusal import refuses
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.levels import quantised, rounding
from tsphys.physics.inference.priors import rademacher
from tsphys.replica.saddles import bayes
from tsphys.replica.saddles.gardner import ising_capacity, ising_overlap, storage, storage_capacity, storage_entropy

TERNARY, FIVE = (-1, 0, 1), (-2, -1, 0, 1, 2)


@pytest.mark.parametrize("levels, expected", [
    ((-1, 1), 0.833079), (TERNARY, 1.174482), ((-2, -1, 1, 2), 1.331467), (FIVE, 1.476565),
    pytest.param((-3, -2, -1, 0, 1, 2, 3), 1.615246, marks=pytest.mark.slow), ((-4, -2, -1, 0, 1, 2, 4), 1.631151),
])  # fmt: skip
def test_published_capacities(levels, expected):
    """In units of any size, and no more bits than the levels have."""
    assert storage_capacity(levels) == pytest.approx(expected, abs=1e-6)
    assert storage_capacity([3 * w for w in levels]) == pytest.approx(expected, abs=1e-6)
    assert expected < math.log2(len(levels))


@pytest.mark.parametrize("levels, alpha, entropy", [
    (TERNARY, 0.3, 0.880349), (TERNARY, 0.6, 0.634552), (TERNARY, 1, 0.229158),
    (FIVE, 0.3, 1.391191), (FIVE, 0.6, 1.145728), (FIVE, 1, 0.744721),
])  # fmt: skip
def test_published_entropies(levels, alpha, entropy):
    assert storage(levels, alpha).entropy == pytest.approx(entropy, abs=1e-6)


def test_published_overlaps_at_capacity():
    found = storage(TERNARY, 1.174482)
    assert (found.Q, found.q) == (pytest.approx(0.630543, abs=2e-6), pytest.approx(0.454444, abs=2e-6))


@pytest.mark.parametrize("levels, kappa", [((-1, 1), 0.0), ((-1, 1), 0.5), (FIVE, 0.0), (FIVE, 0.4)])
def test_the_entropy_is_stationary(levels, kappa):
    """Central differences of its four arguments; steps of 1e-5 leave 1e-10 of order one, and rounding 1e-11."""
    found = storage(levels, 0.5, kappa)
    at = np.array([found.q, found.Q, found.q_hat, found.K])
    for step in 1e-5 * np.eye(4):
        up, down = (storage_entropy(levels, 0.5, *(at + sign * step), kappa) for sign in (1, -1))
        if levels == (-1, 1) and step[1] > 0:
            # Their mean square is 1 whatever its conjugate, of which the entropy then does not depend on Q alone.
            continue
        assert abs(up - down) / 2e-5 < 1e-7


@pytest.mark.parametrize("kappa", [0.0, 0.5])
def test_two_levels_are_the_binary_perceptron(kappa):
    alpha, _, _ = ising_capacity(kappa)
    assert storage_capacity((-1, 1), kappa) == pytest.approx(alpha, rel=1e-9)
    assert storage((-1, 1), 0.4, kappa).q == pytest.approx(ising_overlap(0.4, kappa)[0], rel=1e-8)


@pytest.mark.parametrize("levels, N, alpha", [((-1, 1), 12, 0.25), (TERNARY, 8, 0.5), (FIVE, 6, 0.5)])
def test_by_enumeration(levels, N, alpha):
    """All weights of small students; twice the 1/N that published runs of N = 6 … 12 are off by, and |z| < 4."""
    rng, students, found = np.random.default_rng(1), np.array(list(itertools.product(levels, repeat=N))), []
    for _ in range(40):
        X = rng.standard_normal((round(alpha * N), N))
        found.append(math.log(max(int((students @ X.T > 0).all(axis=1).sum()), 1)) / N)
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert abs(np.mean(found) - storage(levels, alpha).entropy) < 4 * error + 0.1 / N


@pytest.mark.parametrize("prior, transition, algorithmic", [
    (rademacher(), 1.244684, 1.492632),
    (quantised(TERNARY), 2.335234, 2.797973),
    (quantised(TERNARY, (0.1, 0.8, 0.1)), 1.120488, 1.351419),
    pytest.param(quantised((-2, -1, 1, 2)), 3.962875, 4.690380, marks=pytest.mark.slow),
    pytest.param(quantised(FIVE), 4.417329, 5.290572, marks=pytest.mark.slow),
])  # fmt: skip
def test_published_transitions_of_a_teacher(prior, transition, algorithmic):
    found = bayes.thresholds(prior, channel("sign"))
    assert found.transition == pytest.approx(transition, abs=2e-5)
    assert found.algorithmic == pytest.approx(algorithmic, abs=2e-5)


@pytest.mark.parametrize("levels, scale, cosine", [
    (TERNARY, 1.22401, 0.899903), ((-2, -1, 1, 2), 0.65101, 0.917541), (FIVE, 0.84299, 0.958030),
    ((-4, -2, -1, 1, 2, 4), 0.44595, 0.964935), ((-4, -2, -1, 0, 1, 2, 4), 0.51826, 0.975930),
    ((-3, -2, -1, 0, 1, 2, 3), 0.65077, 0.976289),
])  # fmt: skip
def test_published_roundings(levels, scale, cosine):
    """At a maximum the scale is known to the root of what the cosine is."""
    found = rounding(levels)
    assert (found.scale, found.cosine) == (pytest.approx(scale, abs=3e-4), pytest.approx(cosine, abs=1e-6))


def test_rounding_of_drawn_weights():
    """±1 at any scale, and five levels of 2·10⁵ normal weights; cosines are then known to 2e-3."""
    assert rounding((-1, 1)).cosine == pytest.approx(math.sqrt(2 / math.pi), abs=1e-12)
    z, (scale, cosine) = np.random.default_rng(2).standard_normal(200_000), rounding(FIVE)
    r = scale * np.clip(np.rint(z / scale), -2, 2)
    assert z @ r / np.linalg.norm(z) / np.linalg.norm(r) == pytest.approx(cosine, abs=2e-3)


def test_refusals():
    for levels in ((1, 2), (1,), (-1, 2), ("a", 1)):
        refuses(lambda levels=levels: storage(levels, 0.5), "levels")
    refuses(lambda: storage((-1, 1), 0.0), "alpha")
    refuses(lambda: quantised((0, 0)), "levels")
    refuses(lambda: quantised((-1, 1), (0.5, 0.6)), "weights")
    refuses(lambda: rounding((1,)), "levels")
