"""XOR clusters: the Gram form, what one step does, published numbers, the noise of fresh examples, a linear student."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import XorClusters
from tsphys.physics.flows.xor import CENTRES, CLASSES, composition
from tsphys.sims.engines.gradient import TwoLayer, descend, reduced
from tsphys.validation.checks import Setting
from tsphys.validation.xor_clusters import gram

SMALL = {"n": 80, "N": 3200, "K": 80, "distance": 9.0}


def test_composition():
    even = composition(80, 10, 0.1)
    assert [int((even.centres == c).all(axis=1).sum()) for c in CENTRES] == [20] * 4
    assert [int(even.flipped[(even.centres == c).all(axis=1)].sum()) for c in CENTRES] == [2] * 4
    assert even.readout.sum() == 0
    assert even.readout @ even.readout == pytest.approx(1)
    chance = composition(4000, 1000, 0.1, np.random.default_rng(0))
    for drawn in (even, chance):
        # XOR: the class is that of the axis.
        truth = np.where(drawn.flipped, -1, 1) * drawn.labels
        np.testing.assert_array_equal(truth, 1 - 2 * np.abs(drawn.centres[:, 1]))
    assert abs(chance.flipped.mean() - 0.1) < 4 * np.sqrt(0.09 / 4000)
    assert abs(np.sign(chance.readout).sum()) < 4 * np.sqrt(1000)


def test_simulation_is_the_net_in_all_dimensions():
    """Steps on all inputs, written out, and fresh examples of all dimensions."""
    model = XorClusters(n=12, N=60, K=6, distance=4.0, lr=1.5, scale=0.3, balanced=False)
    sim = tsphys.simulate(model, t=[0, 1, 30], n_test=40_000, replicas=1, seed=5)
    drawn = composition(12, 6, 0.1, tsphys.numerics.random.generator(5, 0, "composition"))
    rng = tsphys.numerics.random.generator(5, 0, "examples")
    X = rng.standard_normal((12, 60))
    X[:, :2] += 4 * drawn.centres
    W, y, a, lr = 0.3 / 60**0.5 * rng.standard_normal((6, 60)), drawn.labels, drawn.readout, 1.5 * 12 / 60
    own = np.random.default_rng(0)
    z, which = own.standard_normal((40_000, 60)), np.arange(40_000) % 4
    z[:, :2] += 4 * CENTRES[which]
    for step in range(31):
        f = a @ np.maximum(W @ X.T, 0)
        if step in (0, 1, 30):
            k = (0, 1, 30).index(step)
            assert sim["train_loss"][0, k] == pytest.approx(np.mean(np.log1p(np.exp(-y * f))), abs=1e-10)
            assert sim["train_accuracy"][0, k] == np.mean(y * f > 0)
            assert sim["centre_field"][0, k] == pytest.approx(4 * np.sqrt(np.mean(W[:, :2] ** 2)), abs=1e-10)
            told = np.mean(CLASSES[which] * (a @ np.maximum(W @ z.T, 0)) > 0)
            # Two samples of 40 000 each.
            assert abs(sim["accuracy"][0, k] - told) < 4 * np.sqrt(2 * 0.25 / 40_000)
        W = W + lr / 12 * (a[:, None] * (W @ X.T > 0) * (y / (1 + np.exp(y * f)))) @ X


def test_the_gram_form_is_the_net():
    """C += B and h += BG, which theory starts from; to 1e-10."""
    found = gram(Setting())
    assert found.score < found.limit, found.detail


@pytest.mark.parametrize("balanced, tolerance", [(True, 0.03), (False, 0.045)])
def test_one_step_fits_all_and_knows_nothing(balanced, tolerance):
    """With 16 data sets by chance, which scatter by some 0.03, their mean has four errors of 0.01 or less."""
    model = XorClusters(**SMALL, balanced=balanced)
    for found in (tsphys.simulate(model, t=[1], replicas=16), tsphys.solve(model, t=[1], draws=16)):
        accuracy, fitted = (np.mean(found[name]) for name in ("accuracy", "train_accuracy"))
        assert abs(accuracy - 0.5) < tolerance + 0.005
        assert fitted > 0.999


PUBLISHED = {
    1: (0.4975, 0.5215, 0.4923, 0.5204),
    3: (0.533, 0.3662, 0.529, 0.3673),
    8: (0.617, 0.1899, 0.639, 0.1898),
    16: (0.698, 0.0991, 0.734, 0.0977),
    40: (0.772, 0.0381, 0.807, 0.0369),
    80: (0.805, 0.0183, 0.834, 0.0176),
}


@pytest.mark.slow
def test_published_numbers():
    """Test accuracy and loss, net and mean Gram matrix, of three data sets by chance, which scatter by 0.04 each.

    Means of 16 by chance have errors of 0.01, of theirs 0.025: four of them. Losses scatter by 0.002 of a data set.
    """
    model, t = XorClusters(distance=120**0.5, balanced=False), list(PUBLISHED)
    net, mean = tsphys.simulate(model, t=t, replicas=16), tsphys.solve(model, t=t, draws=16, overlaps=False)
    assert (net["train_accuracy"] == 1).all()
    expected = np.array(list(PUBLISHED.values())).T
    np.testing.assert_allclose(net.mean("accuracy"), expected[0], atol=0.1)
    np.testing.assert_allclose(mean["accuracy"], expected[2], atol=0.1)
    np.testing.assert_allclose(net.mean("train_loss"), expected[1], atol=0.006)
    np.testing.assert_allclose(mean["train_loss"], expected[3], atol=0.006)


@pytest.mark.slow
def test_published_numbers_of_few_examples():
    """n = 100 in 4·10⁴ dimensions, net and mean Gram matrix, of few data sets, as above."""
    model, t = XorClusters(n=100, N=40_000, K=100, distance=380**0.5, balanced=False), [24, 40]
    net, found = tsphys.simulate(model, t=t, replicas=8), tsphys.solve(model, t=t, draws=32, overlaps=False)
    np.testing.assert_allclose(net.mean("accuracy"), [0.604, 0.650], atol=0.1)
    np.testing.assert_allclose(found["accuracy"], [0.620, 0.662], atol=0.1)
    assert net.mean("train_loss")[0] == pytest.approx(0.0725, abs=0.004)
    assert found["train_loss"][0] == pytest.approx(0.0735, abs=0.004)


def test_simulation_on_theory():
    """With the random products of examples; and their mean alone is seen to be wrong."""
    model, t = XorClusters(**SMALL), [1, 4, 16, 40]
    sim = tsphys.simulate(model, t=t, replicas=24, seed=1)
    found = tsphys.compare(sim, tsphys.solve(model, t=t, draws=96))
    assert found.max_abs_z < found.threshold, found
    mean = tsphys.solve(model, t=t, draws=96, overlaps=False)
    assert tsphys.compare(sim, mean).verdict == "disagree"
    # What the mean leaves out is of relative order √(n/N) = 0.16, of a rise of 0.3, and of losses the square.
    np.testing.assert_allclose(sim.mean("accuracy"), mean["accuracy"], atol=0.06)
    np.testing.assert_allclose(sim.mean("train_loss"), mean["train_loss"], atol=0.008)


def test_same_composition_by_chance():
    """Draw r of theory has the clusters, flips and signs of replica r, so that the two scatter together."""
    model = XorClusters(**SMALL, balanced=False)
    sim = tsphys.simulate(model, t=[16], replicas=12, seed=3)["accuracy"][:, 0]
    theory = [tsphys.solve(model, t=[16], draws=r, seed=3)["accuracy"][0] * r for r in range(13) if r]
    each = np.diff([0.0, *theory])
    assert np.corrcoef(sim, each)[0, 1] > 0.5


def test_the_error_of_draws_is_known():
    """Of 16 draws against 64 others: to five deviations of both."""
    few, many = (tsphys.solve(XorClusters(**SMALL), t=[1, 16], draws=n, seed=n) for n in (16, 64))
    for name in ("accuracy", "train_loss"):
        assert (np.abs(few[name] - many[name]) < 5 * np.hypot(few.sem(name), many.sem(name))).all()
        np.testing.assert_allclose(few.sem(name), 2 * many.sem(name), rtol=0.8)
    assert (tsphys.solve(XorClusters(**SMALL), t=[1], draws=1).sem("accuracy") == 0).all()


def test_clusters_without_a_distance_say_nothing():
    model = XorClusters(**{**SMALL, "distance": 0.0})
    for found in (tsphys.simulate(model, t=[0, 8], replicas=4), tsphys.solve(model, t=[0, 8], draws=4)):
        assert np.mean(found["accuracy"]) == pytest.approx(0.5, abs=0.03)
        assert (found["centre_field"] == 0).all()
        assert np.isfinite(found["train_loss"]).all()


def test_without_flips_the_end_is_higher():
    flipped, none = (
        tsphys.solve(XorClusters(**SMALL, flips=share), t=[1, 64], draws=32)["accuracy"] for share in (0.1, 0.0)
    )
    assert abs(none[0] - 0.5) < 0.05
    assert none[1] > flipped[1] + 0.05


def test_the_mean_spread_of_fresh_fields():
    """K_z = WWᵀ is σ²1 + C h(0)ᵀ + h(0)Cᵀ + C G Cᵀ with the whole Gram matrix, ν² C s Cᵀ among it."""
    n, N, K, nu = 60, 4000, 30, 20.0
    rng, drawn = np.random.default_rng(2), composition(60, 30, 0.1)
    X, W = rng.standard_normal((n, N)), 0.05 / N**0.5 * rng.standard_normal((K, N))
    X[:, :2] += nu * drawn.centres
    Z, Q = reduced(X)
    net = TwoLayer(Z, drawn.labels, K, phi="relu", loss="logistic", rates=(1.0, 0.0))
    (w,) = descend(net, net.pack(W @ Q, drawn.readout), np.array([30]), 2 * n / N)
    moved = net.layers(w)[0] - W @ Q
    C = np.linalg.solve(Z.T, moved.T).T
    true = (W + moved @ Q.T) @ (W + moved @ Q.T).T
    start = 0.05**2 * np.eye(K) + C @ (X @ W.T) + (X @ W.T).T @ C.T
    s = drawn.centres @ drawn.centres.T
    whole, without = (start + C @ (N * np.eye(n) + part) @ C.T for part in (nu**2 * s, 0))
    size = np.abs(np.trace(true))
    assert abs(np.trace(whole) - size) < 0.5 * abs(np.trace(without) - size)


def test_a_linear_student_never_leaves_one_half():
    rng, (n, N, K) = np.random.default_rng(0), (80, 3200, 20)
    drawn = composition(n, K, 0.1)
    X, W = rng.standard_normal((n, N)), 0.05 / N**0.5 * rng.standard_normal((K, N))
    X[:, :2] += 9 * drawn.centres
    Z, Q = reduced(X)
    net = TwoLayer(Z, drawn.labels, K, loss="logistic", rates=(1.0, 0.0))
    z, which = rng.standard_normal((4000, N)), np.arange(4000) % 4
    z[:, :2] += 9 * CENTRES[which]
    for w in descend(net, net.pack(W @ Q, drawn.readout), np.array([1, 16, 200]), 2 * n / N):
        moved = W + (net.layers(w)[0] - W @ Q) @ Q.T
        # Of four clusters it tells two opposite pairs, each right as often as wrong: exactly ½ for infinitely many.
        assert abs(np.mean((z @ moved.T @ drawn.readout) * CLASSES[which] > 0) - 0.5) < 4 * 0.5 / np.sqrt(4000)


def test_refusals():
    refuses(lambda: tsphys.simulate(XorClusters(n=200, N=100)), "n")
    refuses(lambda: tsphys.solve(XorClusters(n=200, N=800)), "n")
    refuses(lambda: tsphys.simulate(XorClusters(N=10**12)), "N")
    refuses(lambda: tsphys.solve(XorClusters(K=10**12)), "K")
    refuses(lambda: tsphys.solve(XorClusters(), draws=10**12), "draws")
    refuses(lambda: XorClusters(flips=0.6), "flips")
    refuses(lambda: XorClusters(n=4), "flips")
    refuses(lambda: tsphys.simulate(XorClusters(n=4, N=10, K=10**6, flips=0), n_test=4), "K")
    assert XorClusters(n=4, balanced=False).flips == 0.1
