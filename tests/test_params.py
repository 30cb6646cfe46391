"""Parameters of a rule by their names: as they are kept, seen and changed, on engines and by quadrature."""

import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys._jit import njit
from tsphys.ground.parameters import parameters
from tsphys.rules.binding import origin, placed
from tsphys.rules.params import changed, kept, same, seen
from tsphys.rules.phases import Phase

START = tsphys.OrderParameters(R=[[0.1]], Q=[[0.5]], T=[[1.0]])
NAMED = {"lr": 0.5, "gains": [1.0, 0.3]}


@njit(cached=False)
def named(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = p.lr * (p.gains[0] * nu[0] - p.gains[1] * lam[0])


@njit(cached=False)
def in_a_row(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = p[0] * (p[1] * nu[0] - p[2] * lam[0])


@njit(cached=False)
def knowing(lam, nu, v, v_star, noise, R, Q, p, c, dv):
    c[0] = p.lr * (nu[0] - R[0, 0] / Q[0, 0] * lam[0])


class Own(NamedTuple):
    lr: float
    kind: int
    gains: Any


def run(rule, what="exact"):
    if what == "solve":
        return tsphys.solve(rule, start=START, t=[0, 1], points=64)["Q"]
    return tsphys.simulate(rule, start=START, t=[0, 0.5, 1], N=20, replicas=2, seed=1, engine=what)["Q"]


@pytest.mark.parametrize("what", ["exact", pytest.param("direct", marks=pytest.mark.slow), "solve"])
def test_names_are_numbers_in_a_row(what):
    """To the same bits, through phases too, of which one names what it changes."""
    one = tsphys.LearningRule(named, params=NAMED, smooth=True)
    other = tsphys.LearningRule(in_a_row, params=(0.5, 1.0, 0.3), smooth=True)
    np.testing.assert_array_equal(run(one, what), run(other, what))

    def by_name(i, state):
        return Phase({}, until=0.5) if i == 0 else Phase({"lr": 0.1})

    def by_place(i, state):
        return Phase([0.5, 1.0, 0.3], until=0.5) if i == 0 else Phase([0.1, 1.0, 0.3])

    one = tsphys.LearningRule(named, params=NAMED, smooth=True, schedule=by_name)
    other = tsphys.LearningRule(in_a_row, params=(0.5, 1.0, 0.3), smooth=True, schedule=by_place)
    np.testing.assert_array_equal(run(one, what), run(other, what))


def test_what_is_kept_is_hashable_and_seen_as_arrays_of_its_own():
    given = kept("params", NAMED)
    assert given == (0.5, (1.0, 0.3))
    assert hash(given) is not None
    p = seen(given)
    assert p.lr == 0.5
    p.gains[0] = 2.0
    assert seen(given).gains.tolist() == [1.0, 0.3]
    assert kept("params", given) == given
    own = kept("params", Own(1, 2.0, np.ones(2)))
    assert (own, type(own), type(own.lr), type(own.kind)) == (Own(1.0, 2, (1.0, 1.0)), Own, float, int)
    rule = tsphys.LearningRule(named, params=NAMED)
    assert parameters(rule)["params"] == NAMED
    assert same(NAMED, given)
    assert not same({**NAMED, "lr": 0.4}, given)


def test_whole_numbers_are_told_by_hints_whatever_the_others_are():
    class Local(NamedTuple):
        gains: "NowhereToBeFound"  # noqa: F821
        kind: "int"

    class More(Local):
        """The fields of another."""

    for own in (Local, More):
        given = kept("params", own(np.ones(2), 3.0))
        assert (type(given), given) == (own, ((1.0, 1.0), 3)) and type(given.kind) is int


def test_parameters_of_another_class_are_tried_anew():
    """Equal numbers, which only the class makes whole."""

    def many(lam, nu, v, v_star, noise, p, c, dv):
        for i in range(p.kind):
            c[0] += p.lr * p.gains[i] * (nu[0] - lam[0])

    given = Own(0.5, 2, [1.0, 0.3])
    run(tsphys.LearningRule(many, params=given), "direct")
    refuses(lambda: tsphys.LearningRule(many, params=given._asdict()), "function")


def test_no_names_are_no_parameters():
    assert kept("params", {}) == ()
    assert changed((0.5, 1.0), {}) == (0.5, 1.0)
    assert changed((), {}) == ()


def test_a_phase_may_give_all_of_those_with_names_in_a_row():
    given = kept("params", NAMED)
    for row in ((0.1, (1.0, 2.0)), [0.1, np.array([1.0, 2.0])]):
        assert changed(given, row) == (0.1, (1.0, 2.0)) and type(changed(given, row)) is type(given)


def test_other_names_with_the_same_values_are_not_the_same():
    assert not same({"lr": 0.5}, {"margin": 0.5})
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert same((1.0, 2.0), [1, 2])


def test_names_survive_pickling_in_one_class():
    """Kernels are compiled for a class."""
    given = kept("params", NAMED)
    assert type(pickle.loads(pickle.dumps(given))) is type(kept("params", dict(NAMED)))
    assert pickle.loads(pickle.dumps(type(given))) is type(given)


def changing(params):
    return lambda: run(tsphys.LearningRule(named, params=NAMED, schedule=lambda i, state: Phase(params)))


def of(function, **more):
    return lambda: run(tsphys.LearningRule(function, **{"params": NAMED, **more}))


def misspelt(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = p.rate * nu[0]


def too_far(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = p.gains[2] * nu[0]


def writing(lam, nu, v, v_star, noise, p, c, dv):
    p.gains[0] = 2.0


BAD = {
    "a text": (of(named, params={"lr": "fast"}), "params.lr", "finite"),
    "infinite": (of(named, params={"lr": np.inf}), "params.lr", "finite"),
    "no name": (of(named, params={"learning rate": 1.0}), "params", "names"),
    "none": (of(named, params=None), "params", "table"),
    "half an integer": (of(named, params=Own(1.0, 0.5, [1.0])), "params.kind", "number"),
    "a name that is none": (of(misspelt), "function", "rate"),
    "an array too short": (of(too_far), "function", "p.gains[2]"),
    "an array changed": (of(writing), "function", "change p"),
    "without the names that it reads": (of(named, params=(0.5, 1.0, 0.3)), "function", "lr"),
    "a phase with another name": (changing({"rate": 1.0}), "params", "some of lr, gains"),
    "a phase with another length": (changing({"gains": [1.0]}), "params.gains", "shape (2,)"),
    "a phase with names of two kinds": (changing({"rate": 1.0, 2: 1.0}), "params", "some of lr, gains"),
    "a phase of another class": (changing(Own(1.0, 1, [1.0])), "params", "lr, gains"),
    "a rule of ours in a row": (of(tsphys.Perceptron().learning_rule().function, params=(0, 1.0)), "params", "Params"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_one_line(case):
    call, name, told = BAD[case]
    refuses(call, name)
    with pytest.raises(tsphys.ModelError) as caught:
        call()
    assert told in str(caught.value)


def test_a_rule_that_knows_the_overlaps_is_no_other_on_disk():
    """What is bound to a function of the user's own has no name that a cache could find it by."""
    ours, own = tsphys.Perceptron(rule="optimal").learning_rule(), tsphys.LearningRule(
        knowing, params={"lr": 0.5}, uses_overlaps=True
    )  # fmt: skip
    assert origin(placed(ours)).endswith("tsphys_rules_perceptron_optimal_rule")
    assert origin(placed(own)) == ""
    np.testing.assert_allclose(run(own)[:, 0], 0.5)
