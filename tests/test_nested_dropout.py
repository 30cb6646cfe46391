"""Nested dropout: published rates and modes, networks on them, the order that random units find."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import NestedDropout
from tsphys.odes.nested_dropout import ordering, pair, rates
from tsphys.sims.nested_dropout import Nested


@pytest.mark.parametrize("i, j, expected", [
    (0, 1, (0.1044, 0.6972, 2.3956, 4.3028)), (0, 2, (0.1453, 0.4005, 0.9714, 3.5229)),
    (1, 2, (0.0457, 0.2136, 0.6279, 1.3528)),
])  # fmt: skip
def test_published_rates(i, j, expected):
    np.testing.assert_allclose(pair(NestedDropout(), i, j), expected, atol=6e-5)


def test_published_modes():
    found = tsphys.solve(NestedDropout(), t=[2.0])["strength"][0]
    np.testing.assert_allclose(found, (0.99939, 0.35546, 0.02570), atol=6e-6)


@pytest.mark.parametrize("keep", [(0.5, 0.3, 0.2), (0.3, 0.0, 0.7), (0.0, 1.0), (1.0,)])
def test_rates_are_those_of_the_force_at_rest(keep):
    """By differences of a cubic: h² times a third derivative of order ten, and rounding over h."""
    model = NestedDropout(keep=keep)
    N, K = len(model.variance), len(keep)
    net = Nested(np.diag(model.variance), np.array(keep))
    w, h = net.pack(np.eye(N, K), np.eye(K, N)), 1e-4
    assert not net.force(w).any()
    slopes = np.array([(net.force(w + h * e) - net.force(w - h * e)) / (2 * h) for e in np.eye(len(w))])
    np.testing.assert_allclose(np.linalg.eigvalsh(-slopes), rates(model), atol=1e-6)


def test_without_dropout_nothing_is_in_order():
    assert ordering(NestedDropout(keep=(0.0, 0.0, 1.0))) == pytest.approx(0, abs=1e-12)
    assert ordering(NestedDropout(keep=(1.0,))) == np.inf


def test_slow_rates_to_first_order():
    """(d/2)[(λ_i + λ_j)/2 ± √((λ_i − λ_j)²/4 + λ_j²)] at small d = π_i − π_j, to a relative error of order d."""
    model = NestedDropout((2.0, 1.5), (1e-5, 1 - 1e-5))
    expected = 0.5e-5 * (1.75 + np.array([-1, 1]) * np.hypot(0.25, 1.5))
    np.testing.assert_allclose(pair(model, 0, 1)[:2], expected, rtol=1e-4)


@pytest.mark.parametrize("given", [{}, {"keep": (0.0, 1.0)}, {"keep": (0.1, 0.0, 0.4, 0.5), "start": 0.2}])
def test_autoencoders_on_their_modes(given):
    model, t = NestedDropout(**given), [0.0, 0.3, 2.0, 6.0]
    sim = tsphys.simulate(model, t=t, N=7, replicas=2, seed=3)
    theory = tsphys.solve(model, t=t)
    # Steps have relative errors of 1e-10, and instabilities of the order have no time.
    np.testing.assert_allclose(sim["strength"], np.broadcast_to(theory["strength"], sim["strength"].shape), atol=1e-8)
    np.testing.assert_allclose(sim["loss"], np.broadcast_to(theory["loss"], sim["loss"].shape), atol=1e-8)
    np.testing.assert_allclose(sim["order"], 1, atol=1e-12)
    assert tsphys.compare(sim, theory).ok


def test_random_units_find_their_order():
    """With dropout, and their span only without."""
    some = {"t": [60.0], "units": "random", "N": 4, "replicas": 3, "seed": 1}
    ordered = tsphys.simulate(NestedDropout((3, 1.5, 0.7), (0.6, 0.4), 0.1), **some)
    assert ordered["order"].min() > 1 - 1e-4
    np.testing.assert_allclose(ordered["strength"], 1, atol=1e-3)
    mixed = tsphys.simulate(NestedDropout((3, 1.5, 0.7), (0.0, 1.0), 0.1), **some)
    assert mixed["order"].min() < 0.9
    # Whose loss is that of principal components all the same.
    np.testing.assert_allclose(mixed["loss"], 0.35, atol=1e-6)


def test_bad_parameters():
    refuses(lambda: NestedDropout(keep=(0.5, 0.6)), "keep")
    refuses(lambda: NestedDropout(keep=(1.0, 0.0)), "keep")
    refuses(lambda: NestedDropout(variance=(1.0, 2.0)), "variance")
    refuses(lambda: tsphys.simulate(NestedDropout(), t=[1.0], N=5), "N")


def test_pairs_are_units_that_there_are():
    for name, i, j in (("i", 2, 1), ("i", 1, 1), ("j", 0, 3), ("j", 0, 1.5)):
        refuses(lambda i=i, j=j: pair(NestedDropout(), i, j), name)
