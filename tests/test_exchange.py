"""Units that are alike: what exchanging them leaves as it is, and solutions that stay on their plateaus."""

import itertools

import numpy as np
import pytest

import tsphys
from tsphys.odes import two_layer_limits
from tsphys.odes.equations.exchange import alike, keeping, mean
from tsphys.odes.equations.overlaps import Overlaps

T3 = np.array([[1.0, 0.2, 0.2], [0.2, 1.0, 0.2], [0.2, 0.2, 1.0]])
#: Students 0 and 2 alike, and teachers 0 and 1.
R3 = np.array([[0.2, 0.2, 0.1], [0.3, 0.3, 0.0], [0.2, 0.2, 0.1]])
Q3 = np.array([[0.5, 0.1, 0.2], [0.1, 0.7, 0.1], [0.2, 0.1, 0.5]])


def state(R=R3, Q=Q3, T=T3, v=(1.0, 0.5, 1.0)):
    start = tsphys.OrderParameters(R=R, Q=Q, T=T, v=v)
    states = Overlaps(np.array(T), len(R))
    return states, states.state(start)


def numbers(*given, v_star=(1.0, 1.0, 1.0), **more):
    states, y = state(*given, **more)
    return [c.tolist() for c in alike(states, np.array(v_star), y)]


def test_units_of_the_same_overlaps_are_alike():
    assert numbers() == [[0, 1, 0], [0, 0, 1]]
    assert numbers(v=(1.0, 0.5, 0.9)) == [[0, 1, 2], [0, 0, 1]]
    assert numbers(v_star=(1.0, 0.9, 1.0)) == [[0, 1, 0], [0, 1, 2]]
    # Differences that are meant, however small.
    assert numbers(R3 + 1e-15 * np.eye(3)) == [[0, 1, 2], [0, 1, 2]]
    assert numbers(Q=Q3 + np.diag([1e-12, 0, 0])) == [[0, 1, 2], [0, 0, 1]]
    # Overlaps with the third student that are not the same.
    other = Q3 + 0.05 * np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert numbers(Q=other) == [[0, 1, 2], [0, 0, 1]]
    assert numbers(np.zeros((3, 3)), np.eye(3), np.eye(3), np.ones(3)) == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("students", "teachers"), [([0, 1, 0], [0, 0, 1]), ([0, 0, 0], [0, 1, 2]), ([0, 0, 1], [0, 0, 0])]
)
def test_the_mean_is_that_over_all_exchanges(students, teachers):
    states, rng = Overlaps(np.eye(3), 3), np.random.default_rng(0)
    y = rng.normal(size=18)
    R, S, v = states.split(y)
    found = []
    for p, q in itertools.product(itertools.permutations(range(3)), repeat=2):
        if [students[k] for k in p] == students and [teachers[m] for m in q] == teachers:
            found.append(states.join(R[np.ix_(p, q)], S[np.ix_(p, p)], v[list(p)]))
    np.testing.assert_allclose(mean(students, teachers)(y), np.mean(found, axis=0), rtol=0, atol=1e-15)


def test_nothing_is_imposed_where_nothing_is_alike():
    states, y = state(R3 + np.diag([0.01, 0.02, 0.03]))
    rates = lambda t, y: y  # noqa: E731
    assert keeping(states, np.ones(3), rates, y) == (rates, y)


PLATEAUS = {
    "students": {"R": [[0.13, 0.07], [0.13, 0.07]], "Q": [[0.3, 0.05], [0.05, 0.3]], "T": np.eye(2)},
    "teachers": {"R": [[0.13, 0.13], [0.07, 0.07]], "Q": [[0.3, 0.05], [0.05, 0.2]], "T": np.eye(2)},
}


@pytest.mark.parametrize("method", ["LSODA", "DOP853"])
@pytest.mark.parametrize("start", PLATEAUS)
def test_a_solution_stays_where_symmetry_holds_it(start, method):
    """Some 200 times of escape, of which forty would carry it away by rounding."""
    model, begin = tsphys.TwoLayer(lr=1.0), tsphys.OrderParameters(**PLATEAUS[start])
    theory = tsphys.solve(model, start=begin, t=[1000.0, 4000.0], method=method)
    height = two_layer_limits.plateau(model)[0]
    # Local errors of 1e-12, of which those within the symmetry die out.
    assert theory["eps_g"] == pytest.approx([height, height], rel=1e-8)
    # A small difference is none that rounding makes.
    moved = {**PLATEAUS[start], "R": np.array(PLATEAUS[start]["R"]) + 1e-6 * np.eye(2)}
    assert tsphys.solve(model, start=tsphys.OrderParameters(**moved), t=[1000.0])["eps_g"][0] < 1e-6 * height


def test_how_fast_it_would_be_left_is_told_at_rest():
    model, begin = tsphys.TwoLayer(lr=1.0), tsphys.OrderParameters(**PLATEAUS["students"])
    rest = tsphys.solve(model, start=begin, t=[1e5]).meta["rest"]
    # Forward differences of 1e-7.
    assert rest["growth"] == pytest.approx(two_layer_limits.escape_rate(model), rel=1e-5)


def test_halves_of_a_unit_would_leave_their_plateau_as_fast_as_halves_that_differ():
    rest = tsphys.solve(tsphys.Growth(way="split"), t=[1e6]).meta["rest"]
    found = tsphys.solve(tsphys.Growth(way="split", share=0.5 + 1e-9), t=[500.0, 600.0, 700.0])["R"]
    rates = np.diff(np.log(np.abs(found[:, 0] - found[:, 1]).max(axis=1))) / 100
    # The plateau settles still: the rate goes on by some three times what it changed in the last hundred.
    assert rest["growth"] == pytest.approx(rates[1], abs=3 * abs(rates[1] - rates[0]))
    assert abs(rates[1] - rates[0]) < 0.01 * rates[1]


def test_halves_of_a_unit_and_and_students_without_gradients_stay_alike():
    split = tsphys.solve(tsphys.Growth(way="split"), t=[500.0, 2000.0, 8000.0])
    assert split["R"][:, 0] == pytest.approx(split["R"][:, 1], abs=1e-9)
    begin = tsphys.OrderParameters(**PLATEAUS["students"])
    blind = tsphys.solve(tsphys.ZerothOrder(lr=0.5), start=begin, t=[500.0, 4000.0])
    assert blind["R"][:, 0] == pytest.approx(blind["R"][:, 1], abs=1e-9)
