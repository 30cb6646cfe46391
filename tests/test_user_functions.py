"""Functions of a user: tried before they are compiled, called with arrays of their own, refused in one line."""

import math
import types
from functools import cache

import numba
import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys.ground.fingerprint import fingerprint
from tsphys.models.generative_inputs import random_generator
from tsphys.rules.field_average import sobol
from tsphys.rules.phases import Phase

START = tsphys.OrderParameters(R=[[0.1]], Q=[[0.5]], T=[[1.0]])
ARGUMENTS = "lam, nu, v, v_star, noise, p, c, dv"


@cache
def written(body, arguments=ARGUMENTS):
    """A function with this body, as a user would write it; one of each, since engines are compiled around it."""
    names = {"np": np, "math": math, "__name__": "theirs"}
    exec(f"def own({arguments}):\n" + "".join(f"    {line}\n" for line in body.splitlines()), names)
    return names["own"]


def rule(body="c[0] = p[0] * (nu[0] - lam[0])", **more):
    return tsphys.LearningRule(written(body), **{"params": (0.5,), **more})


def run(model, **options):
    return tsphys.simulate(model, **{"N": 20, "t": [0, 1], "start": START, "seed": 2, "replicas": 1, **options})


#: Body of a rule -> what the line about it must tell.
BAD_RULES = {
    "a parameter too far": ("c[0] = p[1] * (nu[0] - lam[0])", "p[1]"),
    "too far from the end": ("c[0] = p[-2]", "p[-2]"),
    "in a branch that is seldom taken": ("c[0] = 0.0\nif lam[0] > 4.5:\n    c[0] = p[7]", "p[7]"),
    "where the noise is large": ("c[0] = 0.0\nif abs(noise[0]) > 4.5:\n    c[0] = noise[1]", "noise[1]"),
    "a teacher too many": ("for k in range(2):\n    c[0] = nu[k]", "nu[1]"),
    "a student too many": ("c[0] = lam[1:][0]", "lam[0]"),
    "a student's readout too many": ("c[0] = v[1]", "v[1]"),
    "a teacher's readout too many": ("c[0] = v_star[2]", "v_star[2]"),
    "written too far": ("c[1] = 1.0", "c[1]"),
    "a readout written too far": ("dv[1] = 1.0", "dv[1]"),
    "a wrong shape written": ("c[:] = np.zeros(2)", "c[:]"),
    "an array in the place of a number": ("c[0] = np.zeros(2)", "c[0]"),
    "an unknown name": ("c[0] = rate * lam[0]", "rate"),
    "a name without a value": ("if lam[0] > 0:\n    a = 1.0\nc[0] = a", "'a'"),
    "NaN": ("c[0] = np.sqrt(lam[0])", "NaN"),
    "a logarithm of negative numbers": ("c[0] = math.log(lam[0])", "domain"),
    "a field changed": ("lam[0] -= nu[0]\nc[0] = lam[0]", "lam"),
    "the name in the place of its entries": ("c = p[0] * lam[0]", "c[0]"),
    "a parameter changed": ("p[0] += 1.0\nc[0] = lam[0]", "change p"),
}


@pytest.mark.parametrize("case", BAD_RULES)
@pytest.mark.parametrize("what", [run, lambda model: tsphys.solve(model, start=START, t=[1], points=64)],
                         ids=["simulate", "solve"])  # fmt: skip
def test_a_rule_that_misuses_its_arguments_is_one_line(case, what):
    body, told = BAD_RULES[case]
    refuses(lambda: what(rule(body, n_noise=1, v=(1.0,), v_star=(1.0, 1.0))), "function")
    with pytest.raises(tsphys.ModelError, match="own") as caught:
        what(rule(body, n_noise=1, v=(1.0,), v_star=(1.0, 1.0)))
    assert told in str(caught.value)


CHANCE = [
    ("function", {"body": "c[0] = p[0] * (nu[0] - lam[0]) + 0.1 * np.random.normal()"}),
    ("function", {"body": "c[0] = lam[0]\nif lam[0] > 4.5:\n    c[0] += np.random.rand()"}),
    ("error", {"error": written("return nu[0] + np.random.rand()", "lam, nu, v, v_star, p")}),
    ("law", {"law": written("s[0] *= 1.0 + np.random.rand()", "s, noise, p")}),
]


@pytest.mark.parametrize(("name", "given"), CHANCE)
def test_random_numbers_that_no_seed_fixes_are_refused(name, given):
    with pytest.raises(tsphys.ModelError, match="n_noise") as caught:
        rule(**given)
    assert caught.value.name == name


def test_no_number_far_from_its_fields_is_the_same_answer_as_itself():
    rule("c[0] = p[0] * lam[0] if abs(lam[0]) < 4.5 else np.nan")
    rule("c[0] = p[0] * lam[0] if abs(lam[0]) < 4.5 else 1.0 / 0.0")


def test_a_parameter_of_another_name_is_told_by_those_that_there_are():
    with pytest.raises(tsphys.ModelError, match=r"must read of p what params have \(lr\), not p\.rate"):
        run(rule("c[0] = p.rate * lam[0]", params={"lr": 0.5}))


def test_readouts_may_come_with_the_start():
    model = rule("c[0] = v[1] * p[0] * (v_star[0] * nu[0] - v[0] * lam[0])\ndv[1] = v[0]")
    start = tsphys.OrderParameters(R=START.R, Q=START.Q, T=START.T, v=[1.0, 2.0], v_star=[1.0])
    assert run(model, start=start)["v"].shape == (1, 2, 2)
    for v, v_star, told in (([1.0], [1.0], r"v\[1\]"), ([1.0, 2.0], [], r"v_star\[0\]"), (None, None, r"v\[1\]")):
        start = tsphys.OrderParameters(R=START.R, Q=START.Q, T=START.T, v=v, v_star=v_star)
        with pytest.raises(tsphys.ModelError, match=told):
            run(model, start=start)


def test_a_compiled_rule_is_tried_too():
    unchecked = numba.njit(written("c[0] = p[1]"))
    with pytest.raises(tsphys.ModelError, match=r"p\[1\]"):
        tsphys.LearningRule(unchecked, params=(0.5,))

    @numba.njit
    def second(p):
        return p[1]

    def through_a_helper(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = second(p)

    with pytest.raises(tsphys.ModelError, match=r"p\[1\]"):
        tsphys.LearningRule(through_a_helper, params=(0.5,))


BAD_ERRORS = {
    "nothing returned": ("lam[0]", "None"),
    "an array returned": ("return lam", "shape"),
    "a text returned": ("return 'small'", "small"),
    "NaN": ("return math.nan", "NaN"),
    "too far": ("return p[3]", "p[3]"),
    "other arguments": ("return 0.0", "lam, nu, v, v_star, p"),
}


@pytest.mark.parametrize("case", BAD_ERRORS)
def test_an_error_that_is_none_is_one_line(case):
    body, told = BAD_ERRORS[case]
    error = written(body, "lam, nu" if case == "other arguments" else "lam, nu, v, v_star, p")
    refuses(lambda: rule(error=error), "error")
    with pytest.raises(tsphys.ModelError) as caught:
        rule(error=error)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("s[1] = 0.0", "s[1]"),
        ("noise[1] = 0.0", "noise[1]"),
        ("s[0] = math.sqrt(s[0])", "domain"),
        ("s[0] = p[4]", "p[4]"),
        ("p[0] = 2.0", "change p"),
    ],
)
def test_a_law_that_misuses_its_arguments_is_one_line(body, told):
    with pytest.raises(tsphys.ModelError) as caught:
        rule(law=written(body, "s, noise, p"), n_noise=1)
    assert caught.value.name == "law"
    assert told in str(caught.value)


def test_a_rule_sees_the_noises_and_fields_of_its_law():
    """A label, 0 or 1, is an index; a normal noise would be none."""
    label = written("noise[0] = 1.0 if noise[0] > 0 else 0.0", "s, noise, p")
    run(rule("c[0] = p[int(noise[0])]", params=(0.1, 0.2), n_noise=1, law=label))


def test_a_rule_of_a_minibatch_is_tried():
    arguments = "lam, nu, v, v_star, noise, gram, p, c, dv"
    good = written("for i in range(lam.shape[0]):\n    c[i, 0] = p[0] * (nu[i, 0] - lam[i, 0])", arguments)
    bad = written("for i in range(3):\n    c[i, 0] = gram[i, i]", arguments)
    tsphys.LearningRule(good, params=(0.5,), minibatch=2, whole_batch=True)
    with pytest.raises(tsphys.ModelError, match=r"gram\[2, 2\]"):
        tsphys.LearningRule(bad, params=(0.5,), minibatch=2, whole_batch=True)
    refuses(lambda: tsphys.LearningRule(good, params=(0.5,), minibatch=2), "function")


def test_python_beyond_numba_is_one_line():
    model = rule("import os\nc[0] = len(os.sep)")
    refuses(lambda: run(model), "function")
    with pytest.raises(tsphys.ModelError, match="Numba"):
        run(model)


def test_overflow_is_no_fault():
    """1/(1 + exp(1000 λ)) is a step, though Python's own exp overflows."""
    model = rule("c[0] = nu[0] / (1.0 + math.exp(1000.0 * lam[0]))")
    assert np.isfinite(run(model)["Q"]).all()


def rate(p):
    return 0.5 * halved(p[0])


def halved(x):
    return 0.5 * x


def test_helpers_are_compiled_along():
    theirs = types.ModuleType("theirs")
    theirs.rate = rate
    compiled = numba.njit(rate.__code__ and (lambda p: 0.25 * p[0]))

    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    def direct(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = 0.25 * p[0] * (nu[0] - lam[0])

    def by_name(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = rate(p) * (nu[0] - lam[0])

    def by_module(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = theirs.rate(p) * (nu[0] - lam[0])

    def by_closure(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = compiled(p) * (nu[0] - lam[0])

    def by_recursion(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = power(0.5, 2) * p[0] * (nu[0] - lam[0])

    rules = [tsphys.LearningRule(f, params=(2.0,)) for f in (direct, by_name, by_module, by_closure, by_recursion)]
    for other in rules[1:]:
        c = np.zeros(1)
        other.function(np.array([0.3]), np.array([-0.4]), *np.zeros((3, 0)), np.array([2.0]), c, np.zeros(0))
        np.testing.assert_allclose(c, [-0.35], rtol=1e-15)
    # Within an engine too, into which a helper of a module goes the longest way.
    np.testing.assert_allclose(run(rules[2])["Q"], run(rules[0])["Q"], rtol=1e-13)
    assert fingerprint(tsphys.LearningRule(by_name, params=(2.0,)).function) == fingerprint(by_name)


def test_a_rule_is_compiled_once_as_long_as_it_computes_the_same():
    names = {}
    exec(f"RATE = 0.1\ndef own({ARGUMENTS}):\n    c[0] = RATE * (nu[0] - lam[0])", names)
    first, again = (tsphys.LearningRule(names["own"], init=init) for init in (0.1, 0.2))
    assert first.function is again.function
    names["RATE"] = 0.2
    assert tsphys.LearningRule(names["own"]).function is not first.function


@pytest.mark.parametrize("engine", ["exact", pytest.param("direct", marks=pytest.mark.slow)])
def test_coefficients_come_as_zeros(engine):
    """A rule that writes them only where it learns does what one does that always writes them."""
    some = rule("if lam[0] * nu[0] < 0:\n    c[0] = p[0] * nu[0]")
    always = rule("c[0] = p[0] * nu[0] if lam[0] * nu[0] < 0 else 0.0")
    np.testing.assert_array_equal(*(run(model, engine=engine)["Q"] for model in (some, always)))
    np.testing.assert_array_equal(*(tsphys.solve(m, start=START, t=[1], points=256)["Q"] for m in (some, always)))


@pytest.mark.parametrize("name", ["n_noise", "minibatch"])
def test_more_than_fits_into_memory_is_refused_before_it_is_tried(name):
    whole = {"minibatch": 1, "whole_batch": True} if name == "minibatch" else {}
    refuses(lambda: rule(**{**whole, name: 10**9}), name)


def test_more_noises_than_sobol_points_have_dimensions_are_refused():
    with pytest.raises(tsphys.ModelError, match="fields and noises"):
        sobol(30_000, 64)


def test_other_models_point_to_the_rule():
    for model in (tsphys.TwoLayer, tsphys.Continual, tsphys.ZerothOrder):
        refuses(lambda model=model: model(activation=np.tanh), "activation")
        with pytest.raises(tsphys.ModelError, match=r"tsphys\.LearningRule"):
            model(activation=np.tanh)
    with pytest.raises(tsphys.ModelError, match=r"tsphys\.LearningRule"):
        tsphys.Perceptron(rule=np.tanh)


# Schedules.


BAD_SCHEDULES = {
    "no phase": (lambda i, state: [0.5], "schedule"),
    "nothing": (lambda i, state: None, "schedule"),
    "a failure": (lambda i, state: state.w, "schedule"),
    "other arguments": (lambda i: Phase([0.5]), "schedule"),
    "parameters too many": (lambda i, state: Phase([0.5, 0.5]), "params"),
    "a readout too many": (lambda i, state: Phase([0.5], v=[1.0, 1.0]), "v"),
    "no readout": (lambda i, state: Phase([0.5], v=["a"]), "v"),
    "an end in the past": (lambda i, state: Phase([0.5], until=-1.0), "until"),
    "no interval": (lambda i, state: Phase([0.5], every=0.0, stop=lambda state: 1.0), "every"),
    "no condition": (lambda i, state: Phase([0.5], stop=0.1), "stop"),
    "a condition without a number": (lambda i, state: Phase([0.5], stop=lambda state: None), "stop"),
    "a condition that is NaN": (lambda i, state: Phase([0.5], stop=lambda state: math.nan), "stop"),
    "an array for a condition": (lambda i, state: Phase([0.5], stop=lambda state: state.R), "stop"),
    "a condition that fails": (lambda i, state: Phase([0.5], stop=lambda state: state.R[3]), "stop"),
}


@pytest.mark.parametrize("case", BAD_SCHEDULES)
def test_a_schedule_that_is_none_is_one_line(case):
    schedule, name = BAD_SCHEDULES[case]
    for what in (run, lambda model: tsphys.solve(model, start=START, t=[1], points=64)):
        refuses(lambda what=what: what(rule(schedule=schedule, v=(1.0,))), name)


def test_a_rule_is_tried_with_the_parameters_of_a_phase():
    model = rule("c[0] = p[int(p[0])]", params=(0.0,), schedule=lambda i, state: Phase([2.0 * i], until=state.t + 0.2))
    for what in (run, lambda model: tsphys.solve(model, start=START, t=[1], points=64)):
        with pytest.raises(tsphys.ModelError, match=r"p\[2\]"):
            what(model)


def test_a_schedule_may_do_with_its_state_what_it_likes():
    def rough(i, state):
        for a in (state.R, state.Q, state.T, state.v):
            a[...] = 7.0
        return Phase([0.5], until=state.t + 0.5, stop=spoiling)

    def spoiling(state):
        state.R[...] = state.Q[...] = state.T[...] = 7.0
        return 1.0

    def plain(i, state):
        return Phase([0.5], until=state.t + 0.5, stop=lambda state: 1.0)

    for what in (run, lambda model: tsphys.solve(model, start=START, t=[1], points=64)):
        one, other = (what(rule(schedule=schedule)) for schedule in (rough, plain))
        np.testing.assert_array_equal(one["R"], other["R"])
        assert one.meta["phases"] == other.meta["phases"]


# Functions of whole arrays.

LATENT = np.random.default_rng(5).standard_normal((200, 8))
LINEAR = random_generator((8, 12), ("linear",), seed=1)


def inputs(generator):
    options = {"x": np.tanh(LINEAR(LATENT)), "c": LATENT, "inputs": "generator", "K": 1, "M": 1}
    return tsphys.GenerativeInputs(**options, generator=generator)


@pytest.mark.parametrize(
    ("pure", "rough"),
    [(inputs(lambda c: np.tanh(LINEAR(np.sin(c)))), inputs(lambda c: np.tanh(LINEAR(np.sin(c, out=c))))),
     (tsphys.HiddenManifold(f=lambda u: np.tanh(u)), tsphys.HiddenManifold(f=lambda u: np.tanh(u, out=u)))],
    ids=["generator", "f"],
)  # fmt: skip
def test_a_function_may_change_what_it_is_given(pure, rough):
    options = {"t": [0, 2], "seed": 1, "n_test": 50, **({} if pure.name == "generative_inputs" else {"N": 16})}
    one, other = (tsphys.simulate(model, **options) for model in (pure, rough))
    for name in one.observables:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_no_function_is_called_on_nothing():
    shapes = []

    def generator(c):
        shapes.append(c.shape)
        return np.tanh(LINEAR(c))

    tsphys.simulate(inputs(generator), t=[0, 1], n_test=0)
    assert shapes
    assert all(0 not in shape for shape in shapes)


KERNEL = tsphys.KernelRidge(n=4, k=3, modes=5)
POPULATION = np.linalg.qr(np.random.default_rng(1).standard_normal((9, 9)))[0][:, :5] * 3.0
MASKED = {"K": 1, "params": (0.5,)}

BAD_CALLS = {
    "a generator that fails": ("generator", lambda: tsphys.simulate(inputs(lambda c: c.nothing), t=[1])),
    "a generator of other inputs": ("generator", lambda: tsphys.simulate(inputs(lambda c: c), t=[1])),
    "a generator of texts": ("generator", lambda: tsphys.simulate(inputs(lambda c: "inputs"), t=[1])),
    "a generator without arguments": ("generator", lambda: inputs(lambda: None)),
    "no generator": ("generator", lambda: inputs(None)),
    "a manifold that fails": ("f", lambda: tsphys.HiddenManifold(f=lambda u: u.nothing)),
    "a manifold of NaN": ("f", lambda: tsphys.HiddenManifold(f=np.log)),
    "a manifold of nothing": ("f", lambda: tsphys.HiddenManifold(f=lambda u: None)),
    "a manifold of another shape": ("f", lambda: tsphys.HiddenManifold(f=lambda u: u[:1])),
    "masks of another shape": ("masks", lambda: run(rule(masks=lambda N, rng: np.ones(N)))),
    "masks of other numbers": ("masks", lambda: run(rule(masks=lambda N, rng: np.full((1, N), 0.5)))),
    "masks that fail": ("masks", lambda: run(rule(masks=lambda N, rng: rng.masks(N)))),
    "masks of nothing": ("masks", lambda: run(rule(masks=lambda N: 1))),
}


def dense(verb, F):
    options, alpha = ({"N": 16, "n_patterns": 2}, 0.1) if verb == "simulate" else ({}, 0.0)
    return getattr(tsphys, verb)(tsphys.DenseHebbian(interaction="custom", alpha=alpha, T=0.1), F=F, **options)


BAD_INTERACTIONS = [lambda m: m.nothing, lambda m: math.nan, lambda m: None, lambda m: np.ones(2), lambda: 0.0]
BAD_FEATURES = [
    lambda rng, k: rng.features,
    lambda rng, k: np.ones((9, k + 1)),
    lambda rng, k: np.full((9, k), np.nan),
    lambda: 0,
]
for i, F in enumerate(BAD_INTERACTIONS):
    BAD_CALLS[f"interaction {i} in a simulation"] = "F", lambda F=F: dense("simulate", F)
    BAD_CALLS[f"interaction {i} in a theory"] = "F", lambda F=F: dense("solve", F)
for i, f in enumerate(BAD_FEATURES):
    BAD_CALLS[f"features {i}"] = "features", lambda f=f: tsphys.simulate(KERNEL, population=POPULATION, features=f)


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_function_that_does_not_do_its_part_is_one_line(case):
    name, call = BAD_CALLS[case]
    refuses(call, name)
