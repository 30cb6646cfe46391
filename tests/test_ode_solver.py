"""The integrator against closed solutions, and its verdicts."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.solvers.ode import METHODS, _Run, integrate

T = np.array([0.0, 0.3, 1.0, 7.0])


@pytest.mark.parametrize("method", METHODS)
def test_rotation(method):
    y, info = integrate(lambda t, y: np.array([y[1], -y[0]]), [1.0, 0.0], T, rtol=1e-9, atol=1e-11, method=method)
    # Local errors of 1e-9 over some 100 to 1000 steps without damping.
    assert np.abs(y - np.stack([np.cos(T), -np.sin(T)], 1)).max() < 1e-6
    assert json.loads(json.dumps(info))["evaluations"] > 0


def test_explicit_time():
    y, _ = integrate(lambda t, y: 3 * t**2 + 0 * y, [1.0], T)
    assert np.abs(y[:, 0] - 1 - T**3).max() < 1e-7


def test_only_time_zero_is_the_start():
    y, _ = integrate(lambda t, y: y, [2.0], [0.0])
    assert y.tolist() == [[2.0]]


def test_stiff_transient_costs_few_evaluations():
    rhs = lambda t, y: np.array([-1e6 * (y[0] - np.cos(y[1])), 1.0])  # noqa: E731
    y, info = integrate(rhs, [5.0, 0.0], [1.0, 10.0], rtol=1e-8, atol=1e-10)
    # The slow manifold is cos t + sin t/1e6 up to 1e-12.
    assert np.abs(y[:, 0] - np.cos([1, 10]) - 1e-6 * np.sin([1, 10])).max() < 1e-7
    # An explicit formula needs more than 10·1e6/3 evaluations.
    assert info["evaluations"] < 20_000


def test_a_jacobian_is_kept_while_it_serves():
    rates = np.geomspace(1, 1e5, 40)
    rhs = lambda t, y: -rates * (y - np.cos(t)) - np.mean(y) ** 3  # noqa: E731
    found = {m: integrate(rhs, np.zeros(40), [1.0, 20.0], rtol=1e-9, atol=1e-11, method=m) for m in ("auto", "Radau")}
    # Both keep 1e-9 a step, of some thousand.
    assert np.abs(found["auto"][0] - found["Radau"][0]).max() < 1e-7
    # Some two a step, and the 41 of a Jacobian in one of fifty steps.
    info = found["auto"][1]
    assert info["evaluations"] < (2 + 41 / 50) * info["steps"]


def test_a_jacobian_with_which_a_step_fails_is_made_anew():
    made = []
    now = SimpleNamespace(steps=0)
    slopes = _Run.kept(now, lambda t, y: made.append(t) or np.array([[t]]))
    for steps, time in ((0, 0.1), (3, 0.2), (3, 0.3), (4, 0.4), (52, 0.5), (53, 0.6)):
        now.steps = steps
        # The solver writes into what it is given.
        slopes(time, np.zeros(1))[:] = np.nan
    # The first one, one that is asked for twice in a step, and one after fifty steps.
    assert made == [0.1, 0.3, 0.6]
    assert slopes(0.7, np.zeros(1)) == [[0.7]]
    now.steps += 1
    assert slopes(0.8, np.zeros(1)) == [[0.7]]


def test_small_components_keep_their_own_tolerance():
    y, _ = integrate(lambda t, y: np.array([0.0, -y[1]]), [1.0, 1.0], [0.0, 30.0], rtol=1e-11, atol=[1e-12, 1e-30])
    assert y[1, 1] == pytest.approx(np.exp(-30), rel=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_blow_up_tells_time_and_keeps_the_past(method):
    with pytest.raises(DivergedError) as caught:
        integrate(lambda t, y: y**2, [1.0], [0.0, 0.5, 2.0], method=method, limit=1e4)
    assert caught.value.t == pytest.approx(1.0, abs=1e-3)
    assert caught.value.partial[:2, 0] == pytest.approx([1.0, 2.0], rel=1e-7)
    assert np.isnan(caught.value.partial[2, 0])


def test_exponential_growth_stops_at_the_limit():
    with pytest.raises(DivergedError) as caught:
        integrate(lambda t, y: y, [1.0], [100.0], limit=1e6)
    assert np.log(1e6) <= caught.value.t < np.log(1e6) + 1


def test_a_decay_rests_at_its_fixed_point_for_any_time():
    y, info = integrate(lambda t, y: np.array([1 - y[0], -100 * y[1]]), [0.0, 1.0], [1.0, 1e3, 1e300])
    # 1e-10 of local errors over some hundred steps, damped; at rest to rounding.
    assert y[0, 0] == pytest.approx(1 - np.exp(-1), rel=1e-8)
    assert y[1:] == pytest.approx(np.array([[1.0, 0.0]] * 2), abs=1e-12)
    assert info["steps"] < 500


def test_rest_is_not_claimed_of_what_still_moves():
    # Along a line of fixed points there is a slow drift, 1e-6 in unit time, and nothing else happens any more.
    slow = lambda t, y: np.array([-y[0], 1e-6 + 0 * y[1]])  # noqa: E731
    y, _ = integrate(slow, [1.0, 0.0], [1e3, 1e6])
    assert y[:, 1] == pytest.approx([1e-3, 1.0], rel=1e-8)
    # A saddle near which the solution lingers, until t = 27.
    y, info = integrate(lambda t, y: np.array([-y[0], y[1]]), [1.0, 1e-12], [20.0, 30.0])
    assert y[:, 1] == pytest.approx(1e-12 * np.exp([20.0, 30.0]), rel=1e-6)
    assert "rest" not in info


def test_a_symmetry_holds_a_solution_at_a_saddle():
    rhs = lambda t, y: np.array([1 - y[0] - y[1] ** 2, y[1]])  # noqa: E731
    y, info = integrate(rhs, [0.0, 0.0], [1e5])
    assert y[0] == pytest.approx([1.0, 0.0], abs=1e-12)
    assert info["rest"]["growth"] == pytest.approx(1.0, rel=1e-6)


def test_an_event_is_looked_for_at_rest_too():
    _, info = integrate(lambda t, y: -y, [1.0], [1e9], event=lambda t, y: 1e6 - t)
    assert info["event"] == pytest.approx(1e6)


@pytest.mark.parametrize("end", [1e-320, 1e-300, 1e-150, 1e150, 1e300])
def test_any_time(end):
    y, info = integrate(lambda t, y: -y, [1.0], [end])
    assert y[0, 0] == pytest.approx(np.exp(-end), abs=1e-11)
    assert info["steps"] < 1000


@pytest.mark.parametrize("rate", [1e-300, 1e100, 1e200, 1e300])
def test_any_rate(rate):
    y, _ = integrate(lambda t, y: -rate * (y - 1), [2.0], [1.0])
    assert y[0, 0] == pytest.approx(1 + np.exp(-rate), abs=1e-10)
    with pytest.raises(DivergedError) as caught:
        integrate(lambda t, y: max(rate, 1.0) * y**2, [1.0], [2.0])
    assert caught.value.t == pytest.approx(min(1 / rate, 1.0), rel=1e-3)


def test_rates_that_overflow_diverge():
    with pytest.raises(DivergedError):
        integrate(lambda t, y: np.array([1e200**2]), [1.0], [1.0])


def test_a_pace_without_an_end_is_told_early():
    rng = np.random.default_rng(0)
    with pytest.raises(ConvergenceError, match="of them away") as caught:
        integrate(lambda t, y: -y + 1e-6 * rng.standard_normal(1), [1.0], [1e6], rtol=1e-12, atol=1e-14)
    assert caught.value.iterations < 20_000


def test_not_finite_at_the_start():
    with pytest.raises(DivergedError):
        integrate(lambda t, y: y * np.nan, [1.0], [1.0])


def test_too_many_steps_is_no_result():
    with pytest.raises(ConvergenceError):
        integrate(lambda t, y: np.array([y[1], -y[0]]), [1.0, 0.0], [1e3], max_steps=50)


@pytest.mark.parametrize("atol", [0.0, 5e-324, 1e-200])
@pytest.mark.parametrize("method", ["LSODA", "DOP853", "Radau", "BDF"])
def test_no_absolute_tolerance_from_zero(method, atol):
    y, info = integrate(lambda t, y: 1 - y, [0.0], [0.5, 1.0], rtol=1e-8, atol=atol, method=method)
    np.testing.assert_allclose(y[:, 0], -np.expm1([-0.5, -1.0]), rtol=1e-6)
    assert info["steps"] < 2000


@pytest.mark.parametrize("wrong", [{"t": [1, 0]}, {"rtol": 1e-20}, {"method": "Euler"}, {"atol": [1, 2]}, {"atol": -1}])
def test_wrong_input_is_named(wrong):
    with pytest.raises(ModelError) as caught:
        integrate(lambda t, y: y, [1.0], **{"t": [1.0], **wrong})
    assert caught.value.name == next(iter(wrong))


def test_whoever_listens_is_told_how_far_a_theory_is():
    import tsphys

    for model, options in (
        (tsphys.Perceptron(), {"t": [1, 2, 5, 10]}),
        (tsphys.Hopfield(T=0.3), {"alpha": [0.01, 0.05]}),
    ):
        seen = []
        quiet = tsphys.solve(model, **options)
        heard = tsphys.solve(model, progress=seen.append, **options)
        assert seen == sorted(seen)
        assert seen[-1] == 1
        assert len(seen) > 1
        np.testing.assert_array_equal(quiet[quiet.observables[0]], heard[quiet.observables[0]])
