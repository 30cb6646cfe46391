"""Frames: what is declared once is what the library, the command line and the docs have."""

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.ground.times import course
from tsphys.registry import CATALOGUE, VERBS, model_class, runner
from tsphys.rules.contract import Static
from tsphys.runs import frames
from tsphys.studies import configuration


@dataclass(frozen=True)
class Coin(Static):
    name: ClassVar[str] = "coin"
    axes: ClassVar[tuple[str, ...]] = ("bias", "gain")

    bias: float = param(0.5, "chance of a one", low=0, high=1)
    gain: float = param(1.0, "worth of a one")


@dataclass(frozen=True, kw_only=True)
class Throws(frames.Options):
    N: int = param(100, "throws", kind=int, low=1)
    dirt: float = param(0.0, "share of zeros by mistake", low=0, high=1)


@frames.static(Coin)
def solve(model):
    """What a coin is worth.

    Returns
    -------
    dict
        ``m``, the mean.
    """
    if model.bias == 1:
        raise tsphys.ModelError("bias", model.bias, "must be less than 1")
    return {"m": model.bias * model.gain}


def memory(models, options):
    return frames.Memory(8.0 * options.N, {"N": options.N}, "throws")


@frames.instances(Coin, Throws, memory=memory)
def simulate(model, options, rng):
    """Throw it."""
    tell(0.5)
    return {"m": model.gain * float((rng.random(options.N) < model.bias * (1 - options.dirt)).mean())}


def test_a_theory_is_a_function_of_one_point():
    found = solve(Coin(gain=2.0), bias=[0.1, 0.5])
    assert (found.kind, found.axis, found["m"].tolist()) == ("theory", "bias", [0.2, 1.0])
    assert solve(Coin(), bias=0.5, gain=[1, 2]).parameters == {"bias": 0.5, "gain": 1.0}
    refuses(lambda: solve(Coin(), bias=[0.5, 1.0]), "bias")


def test_a_simulation_is_a_function_of_one_instance():
    told = []
    whole = simulate(Coin(), bias=[0.2, 0.7], N=1000, seed=3, replicas=4, threads=1, progress=told.append)
    assert whole["m"].shape == (4, 2)
    assert len(np.unique(whole["m"])) == 8
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert tsphys.compare(whole, solve(Coin(), bias=[0.2, 0.7])).ok
    assert {k: whole.meta[k] for k in ("N", "dirt", "seed", "replicas")} == {
        "N": 1000,
        "dirt": 0.0,
        "seed": 3,
        "replicas": 4,
    }
    kept = []
    part = simulate(Coin(), bias=[0.2, 0.7], N=1000, seed=3, replicas=2, threads=2, checkpoint=kept.append)
    again = simulate(Coin(), bias=[0.2, 0.7], N=1000, seed=3, replicas=4, resume=part)
    np.testing.assert_array_equal(again["m"], whole["m"])
    refuses(lambda: simulate(Coin(), bias=[0.2, 0.7], N=999, seed=3, replicas=4, resume=part), "resume")


@dataclass(frozen=True, kw_only=True)
class Days(Throws):
    t: Any = course("days after which to look")


@frames.or_over_time(frames.course(Coin, Days)(lambda model, options: {"m": model.gain * 0.5**options.t}))
@frames.static(Coin, Days)
def worth(model, options):
    """What is left of a coin."""
    return {"m": 0.0}


@frames.courses(Coin, Days, memory=memory)
def looks(model, options, replica):
    """What is seen of it."""
    return {"m": model.gain * 0.5**options.t * np.ones(len(options.t))}


def test_over_time():
    assert worth(Coin(), gain=[1, 2])["m"].tolist() == [0, 0]
    found = worth(Coin(), gain=2, t=[0, 1])
    assert (found.axis, found["m"].tolist(), found.parameters["gain"]) == ("t", [2, 1], 2)
    seen = looks(Coin(), gain=2, t=[0, 1], replicas=3)
    np.testing.assert_array_equal(seen["m"], [[2, 1]] * 3)
    assert "t" not in seen.meta
    for verb in (worth, looks):
        refuses(lambda: verb(Coin(), gain=[1, 2], t=[0, 1]), "axis")  # noqa: B023
        refuses(lambda: verb(Coin(), t=[1, 0]), "t")  # noqa: B023
    refuses(lambda: looks(Coin()), "t")


#: What a model's function may return by mistake -> what the line about it is of.
MISTAKES = {
    "a number": (1.0, "what the model returns"),
    "nothing": (None, "what the model returns"),
    "a list": ([1.0, 2.0], "what the model returns"),
    "no observables": ({}, "what the model returns"),
    "names that are none": ({1: 2.0}, "what the model returns"),
    "a word": ({"m": "up"}, "m"),
    "no value": ({"m": None}, "m"),
    "rows of other lengths": ({"m": [[1.0], [1.0, 2.0]]}, "m"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_a_model_returns_by_mistake_is_a_line(mistake):
    found, name = MISTAKES[mistake]
    refuses(lambda: frames.static(Coin)(lambda model: found)(Coin()), name)
    refuses(lambda: frames.instances(Coin, Throws, memory=memory)(lambda model, options, rng: found)(Coin()), name)
    refuses(lambda: frames.course(Coin, Days)(lambda model, options: found)(Coin(), t=[0, 1]), name)
    refuses(lambda: frames.courses(Coin, Days, memory=memory)(lambda *given: found)(Coin(), t=[0, 1]), name)


def test_as_many_values_as_times():
    few = {"m": np.ones(2)}
    refuses(lambda: frames.course(Coin, Days)(lambda model, options: few)(Coin(), t=[0, 1, 2]), "m")
    refuses(lambda: frames.courses(Coin, Days, memory=memory)(lambda *given: few)(Coin(), t=[0, 1, 2]), "m")


def test_a_class_says_its_name_and_its_axes():
    @dataclass(frozen=True)
    class Nameless(tsphys.Online):
        pass

    @dataclass(frozen=True)
    class Pointless(Static):
        name: ClassVar[str] = "pointless"

    refuses(Nameless, "name of Nameless")
    refuses(Pointless, "axes of Pointless")
    with pytest.raises(tsphys.ModelError, match="solve\\(model\\)"):
        tsphys.solve(Coin())


def test_what_a_class_says_is_no_parameter():
    rule = tsphys.TwoLayer().learning_rule()
    for call in (tsphys.TwoLayer, lambda **given: tsphys.LearningRule(rule.function, **given)):
        refuses(lambda call=call: call(name="x"), "name")


def test_what_is_not_an_option_is_a_line():
    refuses(lambda: simulate(Coin(), M=3), "M")
    refuses(lambda: solve(Coin(), N=3), "N")
    refuses(lambda: solve(tsphys.Hopfield()), "model")
    refuses(lambda: simulate(Coin(), N=0), "N")
    refuses(lambda: simulate(Coin(), replicas=2.5), "replicas")
    refuses(lambda: simulate(Coin(), N=10**18), "N")


def test_tails_may_be_zero_to_rounding_where_numpy_raises_for_them():
    with np.errstate(all="raise"):
        tsphys.solve(tsphys.DataPruning())


def test_docstring_and_signature_are_made_of_the_options():
    assert list(inspect.signature(simulate).parameters)[:5] == ["model", "bias", "gain", "N", "dirt"]
    assert inspect.signature(simulate).parameters["N"].default == 100
    for words in (
        "Throw it.",
        "bias, gain : float or sequence of float",
        "N : int, default 100\n    throws; an integer >= 1.",
    ):
        assert words in simulate.__doc__
    assert solve.__doc__.index("Parameters") < solve.__doc__.index("Returns\n-------\nResult\n    ``m``")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", CATALOGUE)
def test_one_default_everywhere(name, verb):
    """The signature, which editors show, the command line and files, and what runs."""
    made = runner(CATALOGUE[name], verb)
    assert issubclass(getattr(tsphys, CATALOGUE[name].cls), made.model)
    assert list(inspect.signature(made).parameters) == ["model", *made.names]
    for key, option in made.options.items():
        assert inspect.signature(made).parameters[key].default == option.default
        if CATALOGUE[name].command and option.metadata["kind"] is not object:
            assert configuration.run_options(name, verb)[key] is option


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.command])
def test_simulation_and_theory_mean_the_same_by_an_option(name):
    """`compare` hands one value to both."""
    both = [configuration.run_options(name, verb) for verb in VERBS]
    for key in set(both[0]) & set(both[1]):
        assert both[0][key].default == both[1][key].default, key


@frames.flow(Coin, frames.Options)
def grown(model, options):
    """Worth that grows with its square, from two approximations of which the second says how wrong the first is."""

    def observe(x):
        return {"x": x[:, 0]}

    def judge(solutions):
        return solutions[0], {"change": float(np.abs(np.subtract(*solutions)).max())}

    follow = tuple(frames.ode(lambda t, x: x**2, [first]) for first in (model.gain, model.gain + 1e-6))
    return frames.Equations(follow, observe, 1e-9, 1e-12, {"kind": "square"}, judge)


def test_flows_tell_what_they_were_asked_for_and_what_came_before_a_divergence():
    t = np.array([0.0, 0.3, 0.9])
    result = grown(Coin(), t=t)
    # Local errors of 1e-9 grow by (1 − t)⁻².
    np.testing.assert_allclose(result["x"], 1 / (1 - t), rtol=1e-5)
    assert result.meta["kind"] == "square" and result.meta["rtol"] == 1e-9
    assert result.meta["change"] == pytest.approx(1e-6 / (1 - 0.9) ** 2, rel=1e-2)
    with pytest.raises(tsphys.DivergedError) as caught:
        grown(Coin(), t=[0.5, 2.0])
    assert caught.value.t == pytest.approx(1.0, rel=1e-3)
    np.testing.assert_allclose(caught.value.partial["x"], [2.0, np.nan], rtol=1e-6)
    for name, value in (("t", [1.0, 0.5]), ("rtol", 1.0), ("atol", -1), ("method", "Euler")):
        refuses(lambda name=name, value=value: grown(Coin(), **{"t": t, name: value}), name)


def test_docstrings_tell_what_the_frame_raises_and_what_the_physics_says_better():
    own = """What a coin is worth.

    Returns
    -------
    dict
        ``m``.

    Raises
    ------
    ModelError
        If it is fair.

    References
    ----------
    Nobody.
    """

    def point(model):
        return {"m": 0.0}

    def raised(verb):
        doc = verb.__doc__
        assert doc.index("Parameters\n---") < doc.index("Raises\n------\n") < len(doc)
        return doc.split("Raises\n------\n")[1].split("\n\n")[0]

    plain = "ModelError\n    If an argument is out of range."
    assert raised(solve) == plain
    assert raised(simulate) == f"{plain[:-1]}, or an instance does not fit into memory."
    assert [line for line in raised(grown).splitlines() if line[0] != " "] == [
        "ModelError", "DivergedError", "ConvergenceError"
    ]  # fmt: skip
    point.__doc__ = own
    assert raised(frames.static(Coin)(point)) == "ModelError\n    If it is fair."
    assert frames.static(Coin)(point).__doc__.rstrip().endswith("\n\nReferences\n----------\nNobody.")


@frames.iterated(Coin, start=lambda model: np.array([model.gain]), step=lambda model, x: x**2)
def squared(model, x):
    """A map that runs away."""
    return {"x": x[0]}


def test_maps_tell_what_came_before_a_divergence():
    assert squared(Coin(gain=2), t=[0, 2, 3])["x"].tolist() == [2, 16, 256]
    with pytest.raises(tsphys.DivergedError) as caught:
        squared(Coin(gain=2), t=[0, 2, 100])
    # 2 to the power of 2⁷ is beyond 1e30.
    assert caught.value.t == 7
    np.testing.assert_array_equal(caught.value.partial["x"], [2, 16, np.nan])
    refuses(lambda: squared(Coin(), t=[0.5]), "t")


def test_room_is_that_of_the_largest_sizes():
    room = frames.room(lambda N, bias, none: N**2 + bias + none, "N", "bias", "other")
    models = [Coin(bias=bias) for bias in (0.2, 0.7)]
    for one in models:
        object.__setattr__(one, "other", None)
    assert room(models, Throws(N=10)) == (8.0 * 100.7, {"N": 10, "bias": 0.7, "other": 0}, "the examples", 0.0)


def test_a_start_may_be_a_table():
    table = {"R": [[0.1]], "Q": [[0.5]], "T": [[1.0]]}
    model = tsphys.Perceptron(rule="hebb")
    a, b = (tsphys.solve(model, start=start, t=[1.0]) for start in (table, tsphys.OrderParameters(**table)))
    assert (a["eps_g"], a.meta["start"]) == (b["eps_g"], b.meta["start"])
    for start in ("here", {**table, "S": 1}, {"R": [[0.1]]}):
        with pytest.raises(tsphys.ModelError) as caught:
            tsphys.solve(model, start=start, t=[1.0])
        assert caught.value.name.startswith("start")


LOOPS = {
    "adversarial_perceptron": ({"learner": "hebb"}, {"N": 20, "n_test": 3000}),
    "deep_kernels": ({"depth": 5, "width": 8}, {"nets": 4}),
    "inductive_bias": ({"examples": 5, "inputs": 6}, {"chains": 10}),
    "infinite_depth": ({"depth": 6, "n": 5}, {"n_test": 5}),
    "linear_icl": ({"alpha": 40.0, "tau": 0.1}, {"N": 40}),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_replica_tells_in_its_loops_how_far_it_is(name, monkeypatch):
    """It is stopped where it tells: a thread that does not lives on after Ctrl-C, and the interpreter with it."""
    instances = inspect.getmodule(frames.instances)

    told = []

    def alone(model, axis, values, work, *_, **__):
        work(0, told.append)
        raise KeyboardInterrupt

    monkeypatch.setattr(instances, "ensemble", alone)
    parameters, options = LOOPS[name]
    with pytest.raises(KeyboardInterrupt):
        tsphys.simulate(model_class(name)(**parameters), **options)
    assert len(told) >= 3
    assert min(told) >= 0
    assert max(told) <= 1
