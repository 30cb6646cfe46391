"""The fixed-point solver against maps whose fixed points and folds are known."""

import numpy as np
import pytest

from tsphys.errors import ConvergenceError
from tsphys.solvers.fixed_point import BranchEnd, continuation, crossing, fixed_point, fold, maximum, turns


def test_cosine():
    """The Dottie number, OEIS A003957."""
    found = fixed_point(np.cos, [1.0])
    assert found.x[0] == pytest.approx(0.7390851332151606, abs=1e-12)
    assert found.residual <= 1e-12
    assert found.iterations < 12, "plain iteration takes 70"


def test_repelling_fixed_point():
    """x = 3.9 x (1 − x) at 1 − 1/3.9 repels the iteration with slope −1.9; Newton's method finds it."""
    found = fixed_point(lambda x: 3.9 * x * (1 - x), [0.7])
    assert found.x[0] == pytest.approx(1 - 1 / 3.9, abs=1e-12)


@pytest.mark.parametrize("T", [0.3, 0.9, 0.99, 0.9999])
def test_mean_field_near_its_critical_point(T):
    """m = tanh(m/T): the residual of an independent root m = T artanh(m); m² → 3(1 − T) for T → 1."""
    found = fixed_point(lambda m: np.tanh(m / T), [1.0], tol=1e-14)
    m = found.x[0]
    assert m > 0
    # The root of T artanh(m) − m has slope of order 1 − T there, so that rounding 1e-14 leaves 1e-14/(1 − T).
    root = crossing(lambda m: T * np.arctanh(m) - m, 1e-4, 1 - 1e-15)
    assert m == pytest.approx(root, abs=1e-13 / (1 - T))
    if T > 0.98:
        assert m**2 == pytest.approx(3 * (1 - T), rel=2 * (1 - T))


def test_many_components_at_once():
    """x = A x + b has the solution (1 − A)^-1 b; the spectral radius 0.95 makes plain iteration slow."""
    rng = np.random.default_rng(3)
    A = rng.standard_normal((6, 6))
    A *= 0.95 / np.abs(np.linalg.eigvals(A)).max()
    b = rng.standard_normal(6)
    found = fixed_point(lambda x: A @ x + b, np.zeros(6), memory=6)
    np.testing.assert_allclose(found.x, np.linalg.solve(np.eye(6) - A, b), rtol=1e-9)


def test_no_fixed_point_gives_no_number():
    with pytest.raises(ConvergenceError) as caught:
        fixed_point(lambda x: x + 1 + x**2, [0.3], what="x = x + 1 + x²")
    assert caught.value.residual > 0.1
    assert caught.value.iterations > 10
    assert np.isfinite(caught.value.last).all()
    assert "x = x + 1 + x²" in str(caught.value)


def test_bounds_hold():
    """Outside of (−1, 1) the map is NaN; every iterate that it sees lies inside."""
    seen = []

    def g(x):
        seen.append(x[0])
        return 0.9 * np.arctanh(x) + 0.05

    found = fixed_point(g, [0.1], bounds=([-0.999], [0.999]))
    assert np.all(np.abs(seen) <= 0.999)
    assert 0.9 * np.arctanh(found.x[0]) + 0.05 == pytest.approx(found.x[0], abs=1e-11)


def saddle_node(x, p):
    """Normal form: x² = 1 − p, upper branch attracting, no solution for p > 1."""
    return x + 0.3 * (1 - p - x**2)


def test_branch_is_followed():
    values = np.linspace(0, 0.999, 12)
    branch = continuation(saddle_node, values, [0.8])
    np.testing.assert_allclose(branch.x[:, 0], np.sqrt(1 - values), atol=1e-9)
    assert branch.residual.max() <= 1e-12


def test_branch_ends_at_the_saddle_node():
    with pytest.raises(BranchEnd, match=r"axis p at 1(\.0+\d*)? \(a spinodal\)|axis p at 0\.9999999") as caught:
        continuation(saddle_node, [0, 0.5, 2.0], [0.8], axis="p")
    low, high = caught.value.bracket
    assert low <= 1 + 1e-9
    assert high - low < 1e-5
    assert caught.value.value == pytest.approx(1, abs=1e-9)
    assert isinstance(caught.value, ConvergenceError)


def test_branch_is_not_left_for_another():
    """Past the fold x = 1 of x³ − 3x = p at p = −2 only the branch near −2 is left; it must not be taken."""
    with pytest.raises(BranchEnd) as caught:
        continuation(lambda x, p: x - 0.1 * (x**3 - 3 * x - p), [0.0, -1.0, -3.0], [1.7])
    assert caught.value.value == pytest.approx(-2, abs=1e-9)


def test_fold_of_two_components():
    """m = tanh((m + h)/T) folds at m² = 1 − T and h = T artanh(m) − m, m < 0; a slave component follows."""
    T = 0.6
    m = -np.sqrt(1 - T)
    h = T * np.arctanh(m) - m

    def g(x, field):
        return np.array([np.tanh((x[0] + field) / T), 0.5 * x[1] + x[0] ** 2])

    start = fixed_point(lambda x: g(x, h - 0.01), [-0.9, 1.0]).x
    value, x = fold(g, start, h - 0.01)
    assert value == pytest.approx(h, abs=1e-10)
    np.testing.assert_allclose(x, [m, 2 * m**2], atol=1e-6)


def test_no_fold_is_said():
    with pytest.raises(ConvergenceError):
        fold(lambda x, p: 0.5 * x + p, [0.0], 0.0)


def test_turns_are_all_extrema():
    found = turns(lambda x: np.sin(x) + 0.1 * x, np.linspace(0, 12, 25))
    assert [sign for sign, *_ in found] == [1, -1, 1, -1]
    turn = np.arccos(-0.1)
    at = [turn, 2 * np.pi - turn, 2 * np.pi + turn, 4 * np.pi - turn]
    np.testing.assert_allclose([x for _, x, _ in found], at, atol=1e-6)
    np.testing.assert_allclose([y for *_, y in found], np.sin(at) + 0.1 * np.array(at), atol=1e-12)
    assert turns(np.exp, np.linspace(0, 1, 9)) == []
    for ends in ([0.0, 1.1, 2.5, 3.0], [-1.0, 0.0, 1.1, 2.5]):
        assert [sign for sign, *_ in turns(lambda x: (x - 1) ** 2, np.array(ends))] == [-1]


def test_maximum_and_crossing():
    at, height = maximum(lambda x: np.sin(x) + 0.1 * x, 0, 9)
    assert height == pytest.approx(np.sin(at) + 0.1 * at)
    assert at == pytest.approx(2 * np.pi + np.arccos(-0.1), abs=1e-7)
    at, _ = maximum(lambda x: np.sin(x) - 0.1 * x, 0, 9, last=True)
    assert at == pytest.approx(2 * np.pi + np.arccos(0.1), abs=1e-7)
    assert crossing(np.cos, 1, 2) == pytest.approx(np.pi / 2, abs=1e-15)
    assert abs(crossing(lambda x: x**3 if x > 0 else -1e-300, 0, 5)) < 1e-19
    with pytest.raises(ConvergenceError, match="the zero does not lie between 0 and 1"):
        crossing(np.cos, 0, 1, "the zero")
