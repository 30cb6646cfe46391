"""Replicas side by side have the bits that they have alone; the functions that run so are right to 2 ulp."""

import numpy as np
import pytest

import tsphys
from tsphys.numerics import sigmoids
from tsphys.sims.engines.online import beside

START = {"R": [[0.12, 0.02], [-0.05, 0.1]], "Q": [[0.3, 0.05], [0.05, 0.25]], "T": [[1.0, 0.3], [0.3, 0.8]]}
MODELS = [
    *(tsphys.TwoLayer(activation=g, lr=0.1, lr_v=0.1, noise=0.1) for g in ("erf", "relu", "tanh", "he2", "linear")),
    tsphys.TwoLayer(K=3, M=1, lr=0.5, minibatch=2, weight_decay=0.1, weight_decay_v=0.2, lr_v=0.3),
    tsphys.TwoLayer(activation="quad", lr=0.02, teacher_activation="sign", minibatch=5),
]


def simulated(monkeypatch, model, worth, **options):
    monkeypatch.setattr(beside, "WORTH", worth)
    monkeypatch.setattr(beside, "_ready", set())
    return tsphys.simulate(model, engine="exact", **options)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.activation}-b{m.minibatch}")
def test_a_replica_has_its_bits_whoever_is_beside_it(monkeypatch, model):
    options = {"N": 20, "t": [0, 0.1, 0.35, 1, 2], "seed": 3}
    alone = simulated(monkeypatch, model, np.inf, replicas=3, **options)
    for replicas, threads in ((3, 1), (11, 2)):
        together = simulated(monkeypatch, model, -np.inf, replicas=replicas, threads=threads, **options)
        for name in alone.observables:
            if alone.mean(name).ndim == together[name].ndim - 1:
                np.testing.assert_array_equal(together[name][:3], alone[name])


def test_a_kernel_that_is_there_needs_not_pay_for_its_compilation(monkeypatch):
    rule = MODELS[0].learning_rule()
    monkeypatch.setattr(beside, "_ready", set())
    assert not beside.pays(rule, 16, 100, 1)
    beside._ready.add(rule.function)
    assert beside.pays(rule, 16, 100, 1)
    assert not beside.pays(rule, 2, 100, 1)


@pytest.mark.parametrize("N", [4, 5])
def test_side_by_side_where_hardly_a_dimension_is_left(monkeypatch, N):
    runs = [
        simulated(monkeypatch, tsphys.TwoLayer(lr=0.3), worth, N=N, t=[1, 5], replicas=3, start=START)
        for worth in (np.inf, -np.inf)
    ]
    for name in ("R", "Q"):
        np.testing.assert_array_equal(runs[0][name], runs[1][name])


def test_one_that_diverges_leaves_the_others_what_they_are(monkeypatch):
    found = []
    for worth in (np.inf, -np.inf):
        with pytest.raises(tsphys.DivergedError) as error:
            simulated(monkeypatch, tsphys.TwoLayer(activation="quad", lr=0.2), worth, N=30, t=[0, 1, 3], replicas=6)
        found.append(error.value)
    a, b = (error.partial["Q"] for error in found)
    np.testing.assert_array_equal(a, b)
    assert found[0].t == found[1].t
    assert 0 < np.isnan(a[:, -1, 0, 0]).sum() < 6


def errors(f, wanted, x):
    """Errors of f at x in units of the last place."""
    found = np.array([f(u) for u in x])
    return np.abs(found - wanted) / np.spacing(np.abs(wanted.astype(float)))


def erf(x):
    """erf(x/√2) by its series of positive terms, in extended precision."""
    x = np.asarray(x, np.longdouble)
    term, total = x, x
    for n in range(1, 400):
        term = term * x * x / (2 * n + 1)
        total = total + term
    return np.sqrt(2 / (4 * np.arctan(np.longdouble(1)))) * np.exp(-x * x / 2) * total


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="no extended precision")
def test_sigmoids_are_right_to_two_ulp():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-8.5, 8.5, 1000), rng.uniform(-1.5, 1.5, 2000), 10.0 ** rng.uniform(-300, 0, 100)])
    for f, wanted in (
        (sigmoids.erf, erf(x)),
        (sigmoids.erf_of_lanes, erf(x)),
        (sigmoids.tanh, np.tanh(x.astype(np.longdouble))),
        (sigmoids.tanh_of_lanes, np.tanh(x.astype(np.longdouble))),
    ):
        assert errors(f, wanted, x).max() < 2
    # The square is rounded, which its exponential multiplies by x²/2.
    wanted = np.exp(-(x.astype(np.longdouble) ** 2) / 2)
    assert (errors(sigmoids.gaussian, wanted, x) < 2 + x**2).all()


@pytest.mark.parametrize("f", [sigmoids.erf, sigmoids.erf_of_lanes, sigmoids.tanh, sigmoids.tanh_of_lanes])
def test_sigmoids_at_their_ends(f):
    assert f(0.0) == 0.0
    for large in (40.0, 1e300, np.inf):
        assert f(large) == 1.0
        assert f(-large) == -1.0
    assert np.isnan(f(np.nan))


def test_gaussian_at_its_ends():
    assert sigmoids.gaussian(0.0) == 1.0
    assert 0.0 <= sigmoids.gaussian(np.inf) < 1e-300
    assert np.isnan(sigmoids.gaussian(np.nan))
