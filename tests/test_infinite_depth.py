"""Infinitely deep nets as classifiers: published numbers, exact errors of few examples, nets that tend to it."""

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import InfiniteDepth
from tsphys.physics.kernels.depths import (
    Signed,
    correlations,
    exponent,
    koenigs,
    limit,
    power_series,
    scores,
    tangent_kernel,
)
from tsphys.replica.infinite_depth import beyond, positive

SINGULAR, NEAREST, MAJORITY = (0.0, 0.5, 0.0, 0.5), (0.0, 0.0, 0.5, 0.5), (0.2, 0.3, 0.5)


@pytest.mark.parametrize("c, a, half, most", [
    (SINGULAR, 1, 0.71359913, 5.59116373), ((0, 0.3, 0.7), 2.2689572, 3.3875042, 276.97367),
    ((0, 0.8, 0, 0, 0, 0.2), 0.37963357, 0.51376991, 1.38083932),
])  # fmt: skip
def test_published_singular_kernels(c, a, half, most):
    """With the functional equation, the exponent near ξ = 1, and by differences of the NTK over depth."""
    assert exponent(c) == pytest.approx(a, abs=1e-7)
    np.testing.assert_allclose(koenigs(c, np.array([0.5, 0.9])), [half, most], rtol=1e-7)
    xi = np.linspace(-0.95, 0.95, 9)
    np.testing.assert_allclose(koenigs(c, np.polynomial.polynomial.polyval(xi, c)), c[1] * koenigs(c, xi), rtol=1e-11)
    close = np.geomspace(1e-7, 1e-4, 7)
    slope = np.diff(np.log(koenigs(c, 1 - close))) / np.diff(np.log(close))
    # Of (1 − ξ)^{−a} corrections are left of order 1 − ξ, or its power by ln B²/ln b for small a.
    np.testing.assert_allclose(slope, -a, atol=1e-2 if a < 0.5 else 1e-4)
    scaled = [np.exp(tangent_kernel(c, np.array([0.5]), L).log - L * np.log(c[1])) for L in (300, 600)]
    assert ((scaled[1] - scaled[0]) / 300)[0] == pytest.approx(half, abs=1e-6)
    assert koenigs(c, np.ones(1))[0] == np.inf


@pytest.mark.parametrize("c", [
    [0, 0, 1.0], [0, 1.0], [1.0], [0.2, 0.8], MAJORITY, NEAREST, [], [0, 0.5, 0.6], [0, 0.5, -0.1, 0.6], [0, np.nan, 1],
    [[0, 0.5, 0.5]], "c", [0, 1.0, 1e-17],
])  # fmt: skip
def test_other_kernels_are_refused(c):
    """Theirs have no ψ: without a linear part correlations vanish faster than B^{2L}, with a constant they go to 1."""
    refuses(lambda: exponent(c), "c")
    refuses(lambda: koenigs(c, np.array([0.5])), "c")


def test_correlations_beyond_one_are_refused():
    for xi in (1.5, -1.1, np.nan):
        refuses(lambda xi=xi: koenigs(SINGULAR, np.array([0.1, xi])), "xi")
        refuses(lambda xi=xi: tangent_kernel(SINGULAR, np.array([0.1, xi]), 3), "xi")
    refuses(lambda: tangent_kernel(SINGULAR, np.array([0.1]), -1), "depth")


def test_numbers_beyond_all_floats():
    """After 40 layers of ½ξ² + ½ξ³ correlations are exp(−2^40 ·…): they keep their order and their law."""
    x = correlations(NEAREST, np.array([0.9, 0.5, -0.5, 0.1]), 40)
    assert (np.diff(x.log) < 0).all()
    np.testing.assert_allclose(
        correlations(NEAREST, np.array([0.3]), 41).log, 2 * correlations(NEAREST, np.array([0.3]), 40).log - np.log(2)
    )
    some = np.array([0.7, -0.2, 0.0, 1e-30])
    for c in (SINGULAR, NEAREST, MAJORITY):
        found = power_series(c, Signed.of(some))
        np.testing.assert_allclose(
            found.sign * np.exp(found.log), np.polynomial.polynomial.polyval(some, c), rtol=1e-14
        )
    total = Signed.of(some).plus(Signed.of(-some))
    assert (total.log == -np.inf).all()


def test_limits():
    assert [limit(c) for c in (SINGULAR, NEAREST, MAJORITY, (0, 0, 1.0))] == [
        "singular",
        "nearest",
        "majority",
        "nearest",
    ]
    # An odd power keeps signs: the antipode of an example says the contrary.
    np.testing.assert_allclose(scores((0, 0, 0, 1.0), np.array([-0.9, 0.5])), [-0.729, 0.125])


@pytest.mark.parametrize("weights", [SINGULAR, NEAREST, (0, 0, 0, 0.5, 0, 0.5), MAJORITY])
def test_one_example(weights):
    """It decides: + where it is +, but for kernels that are odd, or vanish, on the other half of the sphere."""
    t = np.array([-0.7, 0.1, 0.6])
    model = InfiniteDepth(weights=weights, n=1, noise=0.0, threshold=0.3)
    rng = np.random.default_rng(1)
    v = rng.standard_normal((200_000, 3))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    y = np.where(v[:, 0] > 0.3, 1.0, -1.0)
    for one, found in zip(t, positive(model, t), strict=True):
        xi = one * v[:, 0] + np.sqrt(1 - one**2) * v[:, 1]
        says = np.mean(0.5 * (1 + y * np.sign(np.ones(len(xi)) if weights[0] else scores(weights, xi))))
        # Four standard errors of a share of 2e5.
        assert found == pytest.approx(says, abs=4.5e-3)


def test_caps_of_the_sphere():
    np.testing.assert_allclose(beyond(np.array([-1, -0.5, 0, 0.5, 1]), 3), [1, 0.75, 0.5, 0.25, 0], atol=1e-15)
    np.testing.assert_allclose(beyond(np.array([0.5]), 2), np.arccos(0.5) / np.pi, rtol=1e-12)
    assert beyond(np.array([0.5]), 1) == 0.5


@pytest.mark.parametrize("weights, sphere", [(SINGULAR, 2), ((0, 0.3, 0.7), 1), (NEAREST, 3), (MAJORITY, 2)])
def test_simulation_on_theory(weights, sphere):
    """Exactly, at every n."""
    model = InfiniteDepth(weights=weights, sphere=sphere, depth=1, threshold=0.3)
    sim = tsphys.simulate(model, n=[5, 40], replicas=60, n_test=200, seed=2)
    found = tsphys.compare(sim, tsphys.solve(model, n=[5, 40]), finite_size=False)
    assert found.ok, found
    wrong = tsphys.solve(InfiniteDepth(weights=weights, sphere=sphere, threshold=0.3, noise=0.4), n=[5, 40])
    assert tsphys.compare(sim, wrong, finite_size=False).verdict == "disagree"


def test_nets_tend_to_their_limit():
    """The longer, the surer; the singular kernel only like 1/L."""
    for weights, least in ((SINGULAR, 0.85), (NEAREST, 0.99), (MAJORITY, 0.95)):
        sim = tsphys.simulate(InfiniteDepth(weights=weights, n=100), depth=[3, 10, 40], replicas=4, n_test=150, seed=3)
        agreement = sim.mean("agreement")
        assert (np.diff(agreement) > -0.005).all()
        assert agreement[-1] > least
        assert agreement[-1] > agreement[0]


def test_many_examples():
    """2a = D on S²: errors fall, slowly. Of the nearest alone every tenth label is wrong in the end."""
    good = tsphys.solve(InfiniteDepth(weights=SINGULAR), n=[100, 10_000])["limit_error"]
    assert np.diff(good)[0] < -0.01
    assert tsphys.solve(InfiniteDepth(weights=NEAREST), n=[10**6])["limit_error"][0] == pytest.approx(0.1, abs=2e-3)


def test_refusals():
    refuses(lambda: InfiniteDepth(weights=[0.5, 0.4]), "weights")
    refuses(lambda: InfiniteDepth(weights=[0.5, 0.5]), "weights")
    refuses(lambda: InfiniteDepth(weights=[]), "weights")
    refuses(lambda: InfiniteDepth(weights=[-0.5, 0.5, 1.0]), "weights")
    refuses(lambda: tsphys.simulate(InfiniteDepth(n=10**7)), "n")


def test_what_is_known_by_hand():
    passes("infinite_depth", "by hand", "few examples")


def test_the_limit_is_found_once_for_all_depths(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "tsphys.replica.infinite_depth.positive", lambda *given: calls.append(given) or positive(*given)
    )
    model = InfiniteDepth(n=17, weights=np.array([0, 0.25, 0, 0.75]))
    deep = tsphys.solve(model, depth=[1, 10, 100])["limit_error"]
    assert len(calls) == 1
    assert (deep == tsphys.solve(model, n=[17, 18])["limit_error"][0]).all()
    assert len(calls) == 2
