"""Units that are alike: what exchanging them leaves as it is, and solutions that stay on their plateaus."""

import itertools

import numpy as np
import pytest

import tsphys
from tsphys.odes import learning_rule, two_layer_limits
from tsphys.odes.equations.exchange import Classes, Part, alike_overlaps, in_a_row, keeping_overlaps, mean, overlaps
from tsphys.odes.equations.overlaps import Overlaps
from tsphys.rules import active_fraction, two_layer

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
    return [c.tolist() for c in alike_overlaps(states, np.array(v_star), y)]


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
    over = mean(overlaps(3, 3, 3), Classes(np.array(students), np.array(teachers)), 18)
    np.testing.assert_allclose(over(y), np.mean(found, axis=0), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(over(np.array([y, 2 * y])), [over(y), over(2 * y)])


@pytest.mark.parametrize(("students", "teachers"), [([0, 1, 0], [0, 1]), ([0, 0, 0], [0, 0])])
def test_the_mean_is_that_over_all_exchanges_in_modes_of_some_of_the_students(students, teachers):
    """Each set of students has a mode, and the response P to the weights of old is of a pair of students."""
    seen = np.array(list(itertools.product((1.0, 0.0), repeat=3)))
    r, q, v, P = in_a_row(("ikm", (8, 3, 2)), ("ikl", (8, 3, 3)), ("k", (3,)), ("kl", (3, 3)))
    y, found = np.random.default_rng(1).normal(size=132), []
    for p, o in itertools.product(itertools.permutations(range(3)), itertools.permutations(range(2))):
        if [students[k] for k in p] == students and [teachers[m] for m in o] == teachers:
            z, at = np.empty_like(y), list(p)
            for i, of in enumerate(seen):
                (j,) = np.flatnonzero((seen == of[np.argsort(at)]).all(axis=1))
                z[r.at[i]] = y[r.at[j]][np.ix_(at, o)]
                z[q.at[i]] = y[q.at[j]][np.ix_(at, at)]
            z[v.at], z[P.at] = y[v.at][at], y[P.at][np.ix_(at, at)]
            found.append(z)
    classes = Classes(np.array(students), np.array(teachers))
    np.testing.assert_allclose(mean((r, q, v, P), classes, 132, seen)(y), np.mean(found, axis=0), rtol=0, atol=1e-15)


def test_what_no_part_has_stays_as_it_is():
    over = mean([Part("k", np.array([2, 0]))], Classes(np.zeros(2, int), np.zeros(1, int)), 4)
    assert over(np.array([1.0, 5.0, 3.0, 7.0])).tolist() == [2.0, 5.0, 2.0, 7.0]


def test_nothing_is_imposed_where_nothing_is_alike():
    states, y = state(R3 + np.diag([0.01, 0.02, 0.03]))
    rates = lambda t, y: y  # noqa: E731
    kept = keeping_overlaps(states, np.ones(3), rates, y)
    assert kept.rates is rates
    assert kept.start is y
    assert kept.over(y) is y


@pytest.mark.parametrize("rule", [rule for rule, sides in learning_rule.EXCHANGEABLE.items() if sides == 1])
def test_rules_are_the_same_with_units_in_another_order(rule):
    params = {
        two_layer.rule: two_layer.Params(3, 0, 0.3, 0.2, 0.1),
        active_fraction.rule: active_fraction.Params(0.3, 0.2, 0.4, 0.1),
    }[rule]
    rng, per_unit = np.random.default_rng(2), 2 if rule is active_fraction.rule else 1
    for _ in range(20):
        lam, nu, noise = rng.normal(size=4), rng.normal(size=3), rng.normal(size=1)
        v, v_star = rng.normal(size=(per_unit, 4)), rng.normal(size=(per_unit, 3))
        p, q = rng.permutation(4), rng.permutation(3)

        def steps(lam, nu, v, v_star, noise=noise):
            c, dv = np.zeros(4), np.zeros(4 * per_unit)
            rule(lam, nu, v.ravel(), v_star.ravel(), noise, params, c, dv)
            return c, dv.reshape(per_unit, 4)

        c, dv = steps(lam, nu, v, v_star)
        moved = steps(lam[p], nu[q], np.ascontiguousarray(v[:, p]), np.ascontiguousarray(v_star[:, q]))
        np.testing.assert_allclose(moved[0], c[p], rtol=1e-12)
        np.testing.assert_allclose(moved[1], dv[:, p], rtol=1e-12)


@pytest.mark.parametrize(
    "options", [{"strategy": "constant"}, {"strategy": "constant", "poisoned": 1}, {"strategy": "greedy"}]
)
def test_attacks_are_the_same_with_units_of_teacher_and_target_in_another_order(options):
    model = tsphys.OnlineAttack(K=3, activation="erf", minibatch=2, **options)
    rule, rng = model.learning_rule(), np.random.default_rng(3)
    assert learning_rule.EXCHANGEABLE[rule.function] == 2
    v, v_star, none = np.array(rule.v), np.array(rule.v_star), np.zeros((2, 0))
    for _ in range(20):
        lam, nu, a = rng.normal(size=(2, 3)), rng.normal(size=(2, 6)), rng.normal(size=(3, 2))
        gram, R, root = a @ a.T / 2, 0.1 * rng.normal(size=(3, 6)), rng.normal(size=(3, 3))
        gram, Q = gram[:2, :2], root @ root.T
        p, q = rng.permutation(3), rng.permutation(3)
        q = np.concatenate([q, 3 + q])

        def steps(lam, nu, R, Q, gram=gram):
            c, dv = np.zeros((2, 3)), np.zeros((2, 6))
            seen = (np.ascontiguousarray(R), np.ascontiguousarray(Q)) if rule.uses_overlaps else ()
            if rule.whole_batch:
                rule.function(lam, nu, v, v_star, none, gram, *seen, rule.params, c, dv)
            else:
                rule.function(lam[0], nu[0], v, v_star, none[0], rule.params, c[0], dv[0])
            return c, dv

        c, dv = steps(lam, nu, R, Q)
        moved = steps(np.ascontiguousarray(lam[:, p]), np.ascontiguousarray(nu[:, q]), R[np.ix_(p, q)], Q[np.ix_(p, p)])
        np.testing.assert_allclose(moved[0], c[:, p], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(moved[1], dv, rtol=1e-10, atol=1e-12)


def begun(moved, M=2, S=1, **more):
    """Two students alike, but for what the first overlaps more with the first teacher."""
    R = np.tile([0.1] + [0.05] * (M - 1), (2, 1))
    R[0, 0] += moved
    more.setdefault("T", np.eye(M))
    return tsphys.OrderParameters(R=R, Q=np.diag([0.2, 0.2]), **more)


def tasks(moved, **options):
    model = tsphys.Continual(K=2, M=2, similarity=0.3, lr_v=0.0, v=[[1, 1], [1, 1]], durations=[1500.0], **options)
    T, v_star = model.teacher_overlaps(), model.teacher_readouts().ravel()
    return tsphys.solve(model, start=begun(moved, 4, T=T, v=np.ones(4), v_star=v_star), t=[1490.0, 2990.0])


def masked(moved, **options):
    return tsphys.solve(tsphys.Pruned(lr=1.0, density=0.9, **options), start=begun(moved), t=[4000.0])


def students(moved):
    one = begun(moved)
    R, Q = np.concatenate([one.R, one.R]), 0.2 * np.eye(4)
    start = tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2))
    return tsphys.solve(tsphys.TwoStudents(lr=1.0, noise=0.0), start=start, t=[3000.0])


def two_tasks(moved):
    R = np.tile([0.1, 0.05, 0.1, 0.05], (2, 1)) + moved * np.eye(2, 4)
    options = {"density": 0.9, "overlap": 0.9, "lr_v": 0.0, "noise": 0.0, "v": [[1, 1], [1, 1]], "Q": np.eye(2) * 0.2}
    return tsphys.solve(tsphys.TaskMasks(M=2, switch=1500.0, R=R, **options), t=[1490.0, 2990.0])


def hidden(moved):
    model = tsphys.HiddenManifold(lr=1.0, A=[[0.1 + moved, 0.05], [0.1, 0.05]])
    return tsphys.solve(model, t=[2000.0], spectrum="limit", nodes=8)


def by_points(model, start, t):
    return learning_rule.solve(model, start=start, t=[t], points=2**12)


def attacked(moved):
    """An action of a fifth leaves the teacher ahead of the target."""
    model = tsphys.OnlineAttack(K=2, activation="erf", strategy="constant", action=0.2, lr=1.0)
    r = 0.1 + moved * np.eye(2)
    start = tsphys.OrderParameters(R=np.hstack([r, -r]), Q=np.diag([0.3, 0.3]), T=model.teacher_overlaps())
    return tsphys.solve(model, start=start, t=[100.0], points=2**10)


OTHERS = {
    "tanh": lambda moved: by_points(tsphys.TwoLayer(activation="tanh", lr=1.0), begun(moved), 100.0),
    "biases": lambda moved: by_points(
        tsphys.ActiveFraction(lr=0.3, noise=0.1), begun(moved, v=[1, 1, 0, 0], v_star=[1, 1, 0, 0]), 150.0
    ),
    "tasks": tasks,
    "tasks, anchors": lambda moved: tasks(moved, regulariser="l2", strength=0.1),
    "masks": masked,
    "common masks, later": lambda moved: masked(moved, masks="common", prune_at=1500.0),
    "masks by size": lambda moved: masked(moved, masks="global", prune_at=1500.0),
    "two students": students,
    "masks of tasks": two_tasks,
    "structured inputs": hidden,
    "attacks": attacked,
}


@pytest.mark.parametrize("name", OTHERS)
def test_students_that_are_alike_stay_so(name):
    """Long after a difference that is meant, as small as it is, has made them different."""
    kept, moved = (OTHERS[name](by)["R"] for by in (0.0, 1e-3 if name in ("tanh", "biases", "attacks") else 1e-7))
    assert np.abs(kept[..., 0, :] - kept[..., 1, :]).max() < 1e-12
    assert np.abs(moved[..., 0, :] - moved[..., 1, :]).max() > 0.1


def test_students_of_classes_that_are_alike_stay_so_to_the_last_bit():
    """Rounding parts them after t = 1500, by quadratures of a second each."""
    R, Q = [[0.1, 0.1], [0.1, 0.2], [0.1, 0.1]], 0.05 + 0.2 * np.eye(3)
    start = tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2))
    found = tsphys.solve(tsphys.SimplicityBias(K=3, lr=1.0, trained_on="isotropic"), start=start, t=[5.0])
    assert (found["R"][0, 0] == found["R"][0, 2]).all()
    assert found["Q"][0, 0, 0] == found["Q"][0, 2, 2]
    assert found["Q"][0, 0, 1] == found["Q"][0, 2, 1]
    assert np.abs(found["R"][0, 0] - found["R"][0, 1]).max() > 0.01
    assert found["R"][0, 0, 0] != found["R"][0, 0, 1]


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


@pytest.mark.parametrize("regulariser", ["none", "l2"])
def test_three_students_stay_on_their_plateau_by_any_method(regulariser):
    """Whose sums round in three ways, at times of its own for each method; anchors hold them weakly."""
    options = {"regulariser": regulariser, "strength": 1e-3}
    model = tsphys.Continual(K=3, M=2, similarity=0.3, lr_v=0.0, v=np.ones((2, 3)), durations=[1500.0], **options)
    start = {
        "R": np.tile([0.1, 0.05, 0.05, 0.02], (3, 1)), "Q": 0.2 * np.eye(3), "T": model.teacher_overlaps(),
        "v": np.ones(6), "v_star": model.teacher_readouts().ravel(),
    }  # fmt: skip
    t = [1490.0, 2990.0]
    one, other = (tsphys.solve(model, start=start, t=t, method=method) for method in ("LSODA", "DOP853"))
    # Of tolerances of 1e-12 along a motion without escape.
    np.testing.assert_allclose(one["eps_g"], other["eps_g"], rtol=1e-7)
    start["R"] = start["R"] + 1e-7 * np.eye(3, 4)
    assert np.abs(tsphys.solve(model, start=start, t=t)["eps_g"] / one["eps_g"] - 1).max() > 0.1
