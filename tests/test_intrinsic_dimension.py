"""Training in a random subspace: published numbers, exact laws of small sizes, separability, success."""

import itertools
import math

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import IntrinsicDimension
from tsphys.replica.intrinsic_dimension import dimension_for, intrinsic_dimension, separation
from tsphys.sims.intrinsic_dimension import separable


def probability(**more):
    return tsphys.solve(IntrinsicDimension(**more))["success"][0]


def test_published_errors():
    """Of |Δ| = 1, D = 120, n = 60, σ² = ¼: training and excess errors, which are twice ours."""
    model = IntrinsicDimension(inputs=120, examples=60, noise=0.5, start=0.0)
    found = tsphys.solve(model, dimension=[30, 90, 120])
    np.testing.assert_allclose(2 * found["eps_g"], [1.78448, 1.53448, 0.754237], rtol=3e-6)
    np.testing.assert_allclose(2 * found["train_loss"], [0.5, 0, 0], rtol=1e-12)


@pytest.mark.parametrize("k, expected", [(8, 0.2517223), (10, 0.5880985), (12, 0.8684120)])
def test_published_random_labels(k, expected):
    assert probability(task="random_labels", examples=20, dimension=k) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rho, expected", [(0.3, 0.4810668), (0.6, 0.4140581), (0.9, 0.2358094)])
def test_published_separability(rho, expected):
    assert separation(rho)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n, D, k", [(100, 200, 44.97608), (200, 200, 80.38135), (400, 200, 127.81859)])
def test_published_intrinsic_dimensions(n, D, k):
    model = IntrinsicDimension(task="perceptron", inputs=D, examples=n, start=0.0)
    assert intrinsic_dimension(model) == pytest.approx(k, abs=6e-6)
    assert probability(task="perceptron", inputs=D, examples=n, dimension=math.ceil(k), start=0.0) > 0.5
    assert probability(task="perceptron", inputs=D, examples=n, dimension=math.floor(k), start=0.0) < 0.5


@pytest.mark.parametrize("n, k, share", [
    (200, 72, 0.03), (200, 80, 0.38), (200, 88, 0.85), (200, 96, 0.98), (400, 115, 0.08), (400, 128, 0.53),
    (400, 141, 0.98),
])  # fmt: skip
def test_published_runs_of_a_perceptron(n, k, share):
    """Forty runs of D = 200; |z| < 3 of the binomial law, with one run more or less."""
    expected = probability(task="perceptron", inputs=200, examples=n, dimension=k, start=0.0)
    assert abs(share - expected) < 3 * math.sqrt(expected * (1 - expected) / 40) + 1 / 40


def test_width_where_the_subspace_knows_nothing():
    """For D ≫ n labels are as good as random: the normal law of n coins, which has no skew, to 1/n of its width."""
    for start in (0.0, 1.0):
        for k in (90, 100, 107):
            sign = probability(task="perceptron", inputs=10**7, examples=200, dimension=k, start=start)
            coin = probability(task="random_labels", inputs=10**7, examples=200, dimension=k, start=start)
            assert sign == pytest.approx(coin, abs=2e-3)


def test_ends():
    assert probability(task="perceptron", inputs=30, dimension=30, examples=5000) == 1
    assert probability(task="regression", inputs=30, dimension=30, examples=5000) == 1
    assert probability(task="regression", inputs=30, dimension=30, examples=5000, noise=0.1) == 0
    for start in (0.0, 2.0):
        assert probability(task="random_labels", examples=7, dimension=7, start=start) == 1
    assert intrinsic_dimension(IntrinsicDimension(task="perceptron", inputs=20, examples=10**7)) == pytest.approx(20)
    assert intrinsic_dimension(IntrinsicDimension(task="perceptron", inputs=20, examples=1)) == pytest.approx(0)
    assert intrinsic_dimension(IntrinsicDimension(examples=10, inputs=1000)) == 10
    assert math.isnan(intrinsic_dimension(IntrinsicDimension(examples=300, noise=0.1)))
    assert math.isnan(intrinsic_dimension(IntrinsicDimension(task="random_labels", examples=500)))
    # Infinitely many examples: 1 − k/D of the error at the start is left.
    assert dimension_for(IntrinsicDimension(inputs=200, examples=10**7), 0.895) == 180
    assert dimension_for(IntrinsicDimension(inputs=200, examples=100, noise=0.5), 0.9) is None


def test_labels_by_enumeration():
    """All 2ⁿ labels of the same inputs, of which Cover counts how many can be separated, whatever the inputs."""
    rng, n, k = np.random.default_rng(0), 6, 2
    A = rng.standard_normal((n, k))
    for start in (0.0, 1.0):
        b = start * rng.standard_normal(n)
        signs = [np.array(y) for y in itertools.product([-1.0, 1.0], repeat=n)]
        share = np.mean([separable(y[:, None] * A, y * b) for y in signs])
        # With an offset the other sign of v does not flip all labels: it is the mean over both signs of the offset.
        flipped = np.mean([separable(y[:, None] * A, -y * b) for y in signs])
        expected = probability(task="random_labels", examples=n, dimension=k, start=start)
        assert 0.5 * (share + flipped) == pytest.approx(expected, abs=1e-12)


def test_least_squares_is_exact_at_small_size():
    """No allowance for finite size; D = 12 has as few examples as one likes."""
    model = IntrinsicDimension(inputs=12, examples=7, noise=0.5, start=0.7)
    along = {"dimension": [1, 3, 12]}
    sim = tsphys.simulate(model, replicas=400, seed=2, **along)
    found = tsphys.compare(sim, tsphys.solve(model, **along), finite_size=False, observables=["eps_g", "m", "q"])
    assert found.ok, found
    assert sim["floor"].max() < 1e-20


def test_success_is_known_at_any_size_but_of_a_perceptron():
    """Of runs that all fail as theory says there is a verdict, also where points without a finite mean are left out."""
    for task, verdict in (("regression", "agree"), ("perceptron", "undecided")):
        model = IntrinsicDimension(task=task)
        along = {"dimension": [10, 50, 80]}
        found = tsphys.compare(tsphys.simulate(model, replicas=8, **along), tsphys.solve(model, **along))
        assert found.verdict == verdict, found
        assert list(found.values) == [10, 80]


def test_peak():
    """Mean errors are infinite at k = n and next to it; all else is not, nor are they where nothing is missing."""
    peak = tsphys.solve(IntrinsicDimension(task="perceptron"), dimension=[48, 49, 50, 51, 52])
    np.testing.assert_array_equal(np.isinf(peak["q"]), [False, True, True, True, False])
    np.testing.assert_allclose(peak["eps_g"][1:4], 0.5)
    assert peak["success"].min() > 0.99
    assert tsphys.solve(IntrinsicDimension(inputs=50, dimension=50))["eps_g"][0] == 0


@pytest.mark.parametrize("task", ["perceptron", "random_labels"])
def test_simulation_on_theory(task):
    model = IntrinsicDimension(task=task, inputs=60, examples=60)
    along = {"dimension": [16, 24, 31, 40]}
    sim = tsphys.simulate(model, replicas=48, seed=1, **along)
    found = tsphys.compare(sim, tsphys.solve(model, **along))
    assert found.max_abs_z < found.threshold, found
    other = IntrinsicDimension(task="random_labels" if task == "perceptron" else "perceptron", inputs=60, examples=60)
    assert not tsphys.compare(sim, tsphys.solve(other, **along)).ok


def test_refusals():
    refuses(lambda: IntrinsicDimension(dimension=101), "dimension")
    refuses(lambda: IntrinsicDimension(task="perceptron", noise=0.1), "noise")
    refuses(lambda: dimension_for(IntrinsicDimension(task="random_labels")), "task")
    refuses(lambda: tsphys.simulate(IntrinsicDimension(inputs=10**7, examples=10**7)), "examples")


def test_what_is_known_by_hand():
    passes("intrinsic_dimension", "by hand")
