"""Context against weights: published numbers, conservation, order, SGD by hand."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import WeightRace
from tsphys.odes.weight_race import acquisition, estimate

EVEN = WeightRace(classes=20, zipf=0.0, bursty=0.5)
ZIPF = WeightRace(classes=50, zipf=1.0, bursty=0.8)


def test_published_numbers():
    even = tsphys.solve(EVEN, t=[10, 30, 100])
    np.testing.assert_allclose(even["beta"], [0.0109, 2.168, 4.822], atol=6e-4)
    np.testing.assert_allclose(even["memory"][1:], [0.5653, 1.1081], atol=6e-5)
    zipf = tsphys.solve(ZIPF, t=[30, 100], each=True)
    assert zipf["beta"][0] == pytest.approx(3.878, abs=6e-4)
    np.testing.assert_allclose(zipf["w"][1, [0, -1]], [1.836, 0.0720], atol=5.1e-4)
    dynamic = tsphys.solve(replace(ZIPF, dynamic=0.3), t=[100], each=True)
    assert dynamic["beta"][0] == pytest.approx(6.387, abs=6e-4)
    assert dynamic["w"][0, 0] == pytest.approx(1.630, abs=6e-4)


@pytest.mark.parametrize("classes, time, guess", [
    (2, 341.0, 207.2), (5, 43.8, 35.8), (10, 27.6, 24.3), (20, 23.0, 20.908), (50, 20.92, 19.32), (200, 20.04, 18.64),
])  # fmt: skip
def test_published_times(classes, time, guess):
    """To 3·10⁻³, which the steps of what was published leave."""
    here = replace(EVEN, classes=classes)
    assert acquisition(here) == pytest.approx(time, rel=3e-3)
    assert estimate(here) == pytest.approx(guess, rel=3e-3)


def test_published_times_of_zipf():
    assert acquisition(ZIPF) == pytest.approx(14.05, rel=2e-3)
    assert estimate(ZIPF) == pytest.approx(12.891, abs=6e-4)


def test_published_runs():
    """SGD of rate 0.01, means over ten runs, known to a standard error or so: three per cent."""
    even = tsphys.simulate(EVEN, N=100, t=[10, 30, 100], replicas=10, seed=1)
    np.testing.assert_allclose(even.mean("beta"), [0.0109, 2.194, 4.828], rtol=0.1)
    np.testing.assert_allclose(even.mean("memory")[1:], [0.5653, 1.1081], rtol=0.03)
    assert tsphys.simulate(ZIPF, N=100, t=[30], replicas=10).mean("beta")[0] == pytest.approx(3.866, rel=0.03)
    dynamic = tsphys.simulate(replace(ZIPF, dynamic=0.3), N=100, t=[100], replicas=10)
    assert dynamic.mean("beta")[0] == pytest.approx(6.384, rel=0.03)


def test_weights_and_context_share_a_drive():
    """ln(β/β₀) = 2p_B Σ w to a per cent while β < 0.01; the weights alone follow w + e^w = 1 + pt."""
    for model in (EVEN, ZIPF):
        found = tsphys.solve(model, t=np.linspace(1, 20, 39), each=True)
        early = found["beta"] < 0.01
        assert early.sum() > 10
        drive = 2 * model.bursty * found["w"].sum(axis=1)
        np.testing.assert_allclose(np.log(found["beta"] / 1e-4)[early], drive[early], rtol=0.01)
    alone = tsphys.solve(replace(ZIPF, bursty=0.0), t=[3, 100, 1e4], each=True)
    np.testing.assert_allclose(alone["w"] + np.exp(alone["w"]), 1 + ZIPF.frequencies() * alone["t"][:, None], rtol=1e-7)
    assert (alone["beta"] == alone["beta"][0]).all()


def test_order():
    """More classes, bursts, dynamic labels and more even classes favour the context."""

    def falls(models):
        assert (np.diff([acquisition(model) for model in models]) < 0).all()

    falls(replace(EVEN, classes=K) for K in (2, 5, 20, 100, 1000))
    falls(replace(EVEN, bursty=share) for share in (0.2, 0.5, 0.9))
    falls(replace(EVEN, dynamic=share) for share in (0, 0.3, 1))
    falls(replace(EVEN, zipf=a) for a in (2, 1, 0.5, 0))
    weights = [tsphys.solve(replace(EVEN, dynamic=share), t=[100])["memory"][0] for share in (0, 0.3, 1)]
    assert (np.diff(weights) < 0).all()
    assert acquisition(replace(EVEN, bursty=0.0)) == acquisition(replace(EVEN, decay=1.0)) == np.inf
    assert acquisition(replace(EVEN, start=1.0)) == estimate(replace(EVEN, start=1.0)) == 0
    assert estimate(replace(EVEN, bursty=0.0)) == np.inf


def test_context_is_transient_under_decay():
    found = tsphys.solve(replace(EVEN, decay=0.02), t=[10, 40, 400])["beta"]
    assert found[1] > 1 > found[2]


@pytest.mark.parametrize("classes, zipf", [(1, 0.0), (2, 0.0), (5, 0.0), (5, 1.3), (200, 2.5)])
def test_head_and_tail_are_halves_of_the_queries(classes, zipf):
    model = WeightRace(classes=classes, zipf=zipf)
    head, tail = model.halves()
    np.testing.assert_allclose([head.sum(), tail.sum()], 1, rtol=1e-12)
    np.testing.assert_allclose(head + tail, 2 * model.frequencies(), rtol=1e-12)
    assert (np.diff(tail / model.frequencies()) >= -1e-12).all()


def test_simulation_is_sgd_on_its_prompts():
    """The same prompts one by one in Python, and strengths at times as they are asked for."""
    model, N = WeightRace(classes=6, bursty=0.7, dynamic=0.5, decay=0.1), 50
    sim = tsphys.simulate(model, N=N, t=[1, 7.3], replicas=1, seed=4, each=True)
    rng = tsphys.numerics.random.generator(4, 0, "prompts")
    until = np.cumsum(model.frequencies())
    classes = np.searchsorted(until, rng.random(2**14), side="right")
    bursty = rng.random(2**14) < 0.7
    other = rng.random(2**14) < 0.25
    w, u = np.zeros(6), 0.01
    for i in range(365):
        k, c = classes[i], float(bursty[i])
        m = -1.0 if bursty[i] and other[i] else 1.0
        g = 1 / (1 + np.exp(m * w[k] + c * u * u))
        w[k] += g * m / N
        u += (g * u * c - 0.1 * u) / N
    np.testing.assert_allclose(sim["w"][0, 1], w, rtol=1e-12)
    assert sim["beta"][0, 1] == pytest.approx(u * u, rel=1e-12)
    more = tsphys.simulate(model, N=N, t=[0.5, 1, 2, 7.3], replicas=1, seed=4)
    assert more["train_loss"][0, 3] == sim["train_loss"][0, 1]


@pytest.mark.parametrize("model", [ZIPF, replace(ZIPF, dynamic=0.5, zipf=0.5), WeightRace(classes=3, decay=0.1)])
def test_simulation_on_theory(model):
    t = [2, 5, 10, 30]
    sim = tsphys.simulate(model, N=200, t=t, replicas=24, seed=2)
    found = tsphys.compare(sim, tsphys.solve(model, t=t))
    assert found.max_abs_z < found.threshold, found
    wrong = tsphys.solve(replace(model, bursty=0.9 * model.bursty), t=t)
    assert tsphys.compare(sim, wrong).verdict == "disagree"


def test_refusals():
    refuses(lambda: WeightRace(classes=0), "classes")
    refuses(lambda: WeightRace(start=0.0), "start")
    refuses(lambda: WeightRace(bursty=1.1), "bursty")
    refuses(lambda: estimate(WeightRace(dynamic=0.1)), "dynamic")
    refuses(lambda: tsphys.simulate(WeightRace(), t=[1e15], N=100), "t")


def test_what_is_known_by_hand():
    passes("weight_race", "sum over prompts")


@pytest.mark.parametrize("away", [1e-3, 1e-7, 1e-9, 1e-15])
def test_a_context_that_almost_counts_already(away):
    """At first β grows like e^{p_B t}, and slower as weights do: by a relative t at most."""
    model = replace(ZIPF, start=1 - away)
    early = -np.log(model.start) / model.bursty
    assert early < estimate(model) * (1 + 1e-6) < early * (1 + early) * (1 + 2e-6)
