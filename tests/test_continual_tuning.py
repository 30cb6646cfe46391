"""A penalty tuned on one pair of tasks and used on another: published numbers, closed forms of linear students."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys.figures.tuning import HELD
from tsphys.figures.tuning import start as tuning_start
from tsphys.odes.continual import error_rates, score, tuned
from tsphys.physics import penalties


def tuned_tasks(V, **given):
    return replace(HELD, similarity=V, **given), tuning_start(V)


@pytest.mark.parametrize("V, t, strength, expected", [
    (0.5, 40.0, 0.3039, 0.0198486), (0.0, 120.0, 0.0469, 0.0142740), (0.7, 120.0, 0.3377, 0.0078237),
    (0.9, 120.0, 0.7853, 0.0110086), (0.3, 120.0, 0.02, 0.03058), (0.7, 120.0, 20.0, 0.04149),
])  # fmt: skip
def test_published_scores_of_elastic_weights(V, t, strength, expected):
    """At the best strengths and far from them. Those are to 0.5 %, the scores to their digits."""
    found = score(*tuned_tasks(V), t, [strength])[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 if expected < 0.02 else 6e-6)


@pytest.mark.parametrize("on, used, t, strength, expected", [
    (0.0, 0.7, 120.0, 0.0469, 3.299), (0.9, 0.3, 120.0, 0.7853, 1.432), (0.9, 0.0, 40.0, 0.5684, 1.518),
])  # fmt: skip
def test_published_regrets(on, used, t, strength, expected):
    least = {(0.7, 120.0): 0.0078237, (0.3, 120.0): 0.0126569, (0.0, 40.0): 0.0102807}[used, t]
    assert abs(score(*tuned_tasks(used), t, [strength])[0] / least - expected) < 6e-3


def test_the_best_strength_is_found():
    """To 0.5 %; two minima are near each other in the score at V = 0, so a grid of few would not do."""
    strength, least = tuned(*tuned_tasks(0.5), 40.0, low=0.1, high=1.0, points=5)
    assert abs(strength / 0.3039 - 1) < 6e-3
    assert abs(least - 0.0198486) < 1e-6
    refuses(lambda: tuned(*tuned_tasks(0.5), 40.0, low=1.0, high=4.0, points=3), "strength")
    refuses(lambda: tuned(*tuned_tasks(0.5, regulariser="none"), 40.0), "regulariser")
    for name, given in (("low", {"low": 0}), ("high", {"low": 4, "high": 1}), ("points", {"points": 2})):
        refuses(lambda given=given: tuned(*tuned_tasks(0.5), 40.0, **given), name)
    refuses(lambda: score(*tuned_tasks(0.5), 40.0, 1.0), "strengths")
    refuses(lambda: error_rates(*tuned_tasks(0.5), -1), "block")


SIMILARITIES = (-0.5, 0.0, 0.5, 0.8, 0.95)


@pytest.mark.parametrize("times, noise, best, least", [
    ((10, 1), 0.3, (1.0094, 1.0275, 1.0795, 1.2173, 1.6571), (0.544504, 0.367512, 0.190505, 0.084255, 0.030985)),
    ((3, 2), 0.5, (1.2397, 1.1870, 1.0657, 0.8686, 0.6306), (0.482822, 0.339353, 0.195632, 0.108888, 0.064835)),
])  # fmt: skip
def test_published_strengths_of_linear_students(times, noise, best, least):
    for V, strength, value in zip(SIMILARITIES, best, least, strict=True):
        found = penalties.least(lambda xi, V=V: sum(penalties.two_tasks(xi, V, *times, 0.5, noise)) / 2)
        assert (np.abs(np.subtract(found, [strength, value])) < [6e-5, 6e-7]).all()


@pytest.mark.parametrize("lr", [0.3, 1.0, 1.5])
def test_the_best_strength_of_a_linear_student_knows_nothing_of_the_tasks(lr):
    """ξ* = √(1 − η/2), learned to the end; rounding of a flat minimum."""
    for V, noise in ((0.0, 0.4), (0.9, 0.0)):
        found = penalties.least(lambda xi, V=V, s=noise: sum(penalties.two_tasks(xi, V, 400, 400, lr, s)) / 2)[0]
        assert abs(found - np.sqrt(1 - lr / 2)) < 1e-5


@pytest.mark.parametrize("lr, strength", [(0.5, 0.3), (1.6, 0.6)])
def test_linear_students_are_those_of_continual(lr, strength):
    """With a head of one that does not learn, from no weights; also where two rates are the same, ξ = η − 1."""
    model = tsphys.Continual(
        K=1, activation="linear", lr=lr, lr_v=0, noise=0.5, similarity=0.4, durations=[3], regulariser="l2",
        strength=strength,
    )  # fmt: skip
    start = tsphys.OrderParameters(R=[[0, 0]], Q=[[0]], T=model.teacher_overlaps(), v=[1, 1])
    theory = tsphys.solve(model, start=start, t=[5.0])["eps_g"][0]
    np.testing.assert_allclose(theory, penalties.two_tasks(strength, 0.4, 3, 2, lr, 0.5), rtol=1e-9)


def test_published_strengths_of_sequences_and_spectra():
    for S, expected in zip((2, 3, 5, 10, 20), (1, 1.537, 2.503, 4.629, 8.368), strict=True):
        assert abs(penalties.least(lambda xi, S=S: penalties.sequence(xi, S, 0.3))[0] - expected) < 6e-4
    i = np.arange(1.0, 51)
    flat, slow, steep = np.ones(50), 50 / i / (1 / i).sum(), 50 / i**2 / (1 / i**2).sum()
    change = flat / 50
    for first, second, strength, least, joint in (
        (slow, slow, 2.14682, 0.159249, 0.125), (slow, slow[::-1], 0.68596, 0.065286, 0.054476),
        (flat, flat, 1.0, 0.125, 0.125), (steep, slow, 11.11035, 0.205358, 0.095129),
    ):  # fmt: skip
        found = penalties.least(lambda xi, a=first, b=second: penalties.of_spectra(xi, a, b, change))
        assert (np.abs(np.subtract(found, [strength, least])) < [6e-6, 6e-7]).all()
        # The Fisher information is the right pull for any two spectra.
        np.testing.assert_allclose(penalties.of_spectra([1.0], first, second, change, first), joint, atol=6e-7)
    regret = penalties.of_spectra([11.11035], slow, slow[::-1], change)[0] / 0.065286
    assert abs(regret - 2.4751) < 6e-5


@pytest.mark.parametrize("tasks, V, strength", [(2, 0.3, 1.0), (5, -0.2, 0.4)])
def test_errors_of_sequences_are_those_of_vectors(tasks, V, strength):
    """Each task puts the weights at (wanted + ξ anchor)/(1 + ξ); errors are halves of squared distances."""
    teachers = np.linalg.cholesky(np.full((tasks, tasks), V) + (1 - V) * np.eye(tasks))
    w = teachers[0]
    for wanted in teachers[1:]:
        w = (wanted + strength * w) / (1 + strength)
    told = np.mean([0.5 * (w - wanted) @ (w - wanted) for wanted in teachers])
    np.testing.assert_allclose(penalties.sequence(strength, tasks, V), told, rtol=1e-12)


def test_directions_that_no_input_has_change_nothing():
    strength, some = [0.0, 0.3, 2.0], ([1.0, 2.0], [0.5, 0.0], [1.0, 0.4])
    none = ([1.0, 2.0, 0.0], [0.5, 0.0, 0.0], [1.0, 0.4, 3.0])
    for pull in (1.0, "first"):
        held = [x[0] if pull == "first" else pull for x in (some, none)]
        told = [penalties.of_spectra(strength, *x, hold) for x, hold in zip((some, none), held, strict=True)]
        np.testing.assert_allclose(told[1], told[0], rtol=1e-14)
    # Without a pull, what the second task does not see stays as the first has left it.
    assert penalties.of_spectra(0.0, [2.0], [0.0], [1.0]) == 0


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("strength", lambda: penalties.two_tasks([1.0, -0.1], 0.5, 3, 2, 0.5)),
        ("similarity", lambda: penalties.two_tasks(1.0, 1.1, 3, 2, 0.5)),
        ("t1", lambda: penalties.two_tasks(1.0, 0.5, np.inf, 2, 0.5)),
        ("noise", lambda: penalties.two_tasks(1.0, 0.5, 3, 2, 0.5, -0.1)),
        ("similarity", lambda: penalties.sequence(1.0, 3, -0.6)),
        ("first", lambda: penalties.of_spectra(1.0, [1.0, np.nan], [1.0, 1.0], [1.0, 1.0])),
        ("pull", lambda: penalties.of_spectra(1.0, [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0])),
    ],
)
def test_scenarios_that_cannot_be(name, call):
    refuses(call, name)
