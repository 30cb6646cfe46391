"""Parameters and options at their ends, far beyond, and as what they are not: a number or one line, for every model.

All that is tried follows from the dataclasses and options themselves, so that a new model is tried too.
"""

import datetime
import json
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tests.walk import VERBS, allowed, ends, fields, options, outcome, run_of
from tests.wide import each
from tsphys.cli import main
from tsphys.cli.options import flag
from tsphys.ground.parameters import number, numbers
from tsphys.registry import MODELS, model_class
from tsphys.rules.contract import Online
from tsphys.runs import memory


class Tensor:
    """As those of other libraries that keep a gradient, or a state of another device."""

    def __array__(self, *_, **__):
        raise RuntimeError("cannot be converted\nto numpy")

    __float__ = __repr__ = __array__


#: What is no number, however much some of it looks like one.
NO_NUMBERS = {
    "truth": True,
    "NumPy's truth": np.bool_(True),
    "text": "1",
    "bytes": b"1",
    "complex": 1j,
    "NumPy's complex": np.complex128(1),
    "date": datetime.date(2020, 1, 1),
    "NumPy's date": np.datetime64("2020-01-01"),
    "duration": np.timedelta64(1, "s"),
    "masked": np.ma.masked,
    "not a number": np.float64("nan"),
    "infinite": Decimal("Infinity"),
    "object": object(),
    "table": {"a": 1},
    "set": {1},
    "tensor": Tensor(),
    "module with functions of NumPy's names": np,
}
#: What is neither a number nor a list of them.
NO_LISTS = {
    "ragged": [[1], [1, 2]],
    "list of texts": ["1", "2"],
    "list of truths": [True, False],
    "one truth among numbers": [1, True],
    "list of dates": [datetime.date(2020, 1, 1)],
    "NumPy's dates": np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"),
    "complex list": [1, 1j],
    "masked list": np.ma.masked_array([1.0, 2.0], [False, True]),
    "list with none": [1, None],
    "empty": [],
    "deep": [[[1.0]]],
    "list of tensors": [Tensor()],
}
#: Integers that no count reaches.
HUGE = (2**63, 2**64, 10**400, -(10**400))


def numeric(metas):
    return [k for k, meta in metas.items() if meta["kind"] in (int, float) and not meta["shape"]]


@pytest.mark.parametrize("name", each(MODELS))
def test_parameters_that_are_no_numbers(name):
    cls = model_class(name)
    for key in numeric(fields(name)):
        for value in (*NO_NUMBERS.values(), *NO_LISTS.values()):
            refuses(lambda: cls(**{key: value}), key)  # noqa: B023
    for key, meta in fields(name).items():
        if meta["shape"]:
            for what, value in (NO_NUMBERS | NO_LISTS).items():
                if what not in ("deep", "empty"):
                    refuses(lambda: cls(**{key: value}), key)  # noqa: B023


@pytest.mark.parametrize("name", each(MODELS))
def test_words_that_are_none(name):
    cls = model_class(name)
    for key, meta in fields(name).items():
        for value in (3, ["erf"], np.array(["a", "b"]), b"erf", object()):
            if meta["choices"] or (meta["kind"] is bool and not meta["shape"]):
                refuses(lambda: cls(**{key: value}), key)  # noqa: B023


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", each(MODELS))
def test_options_that_are_no_numbers_and_no_words(name, verb):
    known, small = options(name, verb), run_of(name, verb)
    for key, meta in known.items():
        if key in ("t", "start", "partial"):
            continue
        if meta["choices"] or meta["kind"] is str:
            wrong = (3, ["a"], np.array(["a", "b"]), b"a")
        elif meta["kind"] is bool:
            wrong = (3, "true", [True])
        else:
            wrong = (*NO_NUMBERS.values(), [1], [[1], [1, 2]])
        for value in wrong:
            if key == "until_sem" and isinstance(value, dict):
                # Which observables there are only a run tells: tests/test_precise.py.
                continue
            refuses(lambda: getattr(tsphys, verb)(model_class(name)(), **{**small, key: value}), key)  # noqa: B023


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", each(MODELS))
def test_times_and_axes_that_are_no_numbers(name, verb):
    small = run_of(name, verb)
    axes = getattr(model_class(name), "axes", ())
    if "t" in options(name, verb):
        more = {"activation": "linear"} if name == "online_attack" else {}
        for value in (*NO_NUMBERS.values(), *NO_LISTS.values(), [2, 1], [-1, 1]):
            given = {**small, "t": value, **({"overlap": 0.5} if "overlap" in options(name, verb) else {})}
            model = model_class(name)(**more, **({"dynamics": "parallel"} if name == "hopfield" else {}))
            refuses(lambda: getattr(tsphys, verb)(model, **given), "t")  # noqa: B023
    for axis in axes:
        for value in (*NO_NUMBERS.values(), *NO_LISTS.values()):
            refuses(lambda: getattr(tsphys, verb)(model_class(name)(), **{**small, axis: value}), axis)  # noqa: B023


@pytest.mark.parametrize("name", each(MODELS))
def test_integers_that_no_count_reaches(name):
    cls = model_class(name)
    for key in [k for k in numeric(fields(name)) if fields(name)[k]["kind"] is int]:
        for value in HUGE:
            refuses(lambda: cls(**{key: value}), key)  # noqa: B023
    for verb in VERBS:
        for key in [k for k in numeric(options(name, verb)) if options(name, verb)[k]["kind"] is int]:
            for value in HUGE:
                given = {**run_of(name, verb), key: value}
                refuses(lambda: getattr(tsphys, verb)(cls(), **given), key)  # noqa: B023


@pytest.mark.parametrize("name", each(MODELS))
def test_numbers_of_any_length_on_the_command_line_and_in_files(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    key = numeric(fields(name))[0]
    for text in ("1" * 400, "1" * 5000, "-" + "9" * 400, "1e400", "[" * 100_000, "1" * 400 + ".5"):
        (tmp_path / "run.toml").write_text(f"{key} = {text}\n")
        small = [x for k, v in run_of(name, "solve").items() for x in (flag(k), "0,1" if k == "t" else json.dumps(v))]
        for words in ([flag(key), text], ["--config", "run.toml"]):
            if text.startswith("[") and words[0] != flag(key):
                continue
            with pytest.raises(SystemExit) as caught:
                main(["solve", name, *small, *words])
            out, err = capsys.readouterr()
            assert (caught.value.code, out) == (2, ""), (words, err[:300])
            assert err.startswith("tsphys: error: ")
            assert err.count("\n") == 1
            assert len(err) < 400
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]


#: Sizes of which something is to be kept, at which no machine of these tests can.
VAST = {"replicas": 10**8, "sweeps": 10**12, "minibatch": 10**10, "modes": 2 * 10**9, "n_test": 10**12, "test": 10**12,
        "n": 10**12, "batch": 10**12}  # fmt: skip


@pytest.mark.parametrize("name", each(MODELS))
def test_what_does_not_fit_is_refused_by_its_name(name, monkeypatch):
    monkeypatch.setattr(memory, "memory", lambda: 2.0**33)
    known, own = options(name, "simulate"), fields(name)
    for key, size in VAST.items():
        # Errors that are sums over chunks of fresh examples are of however many, and so are averages over sweeps, and
        # moments that are drawn by their law.
        chunks = key == "n_test" and name in ("hidden_manifold", "weight_theft", "adversarial_perceptron")
        chunks |= (name, key) in (("potts", "sweeps"), ("opposing_signals", "n"))
        if (key in known or key in own) and not chunks:
            if not allowed(size, known.get(key) or own[key]):
                continue
            given = {**run_of(name, "simulate"), **({key: size} if key in known else {})}
            # More steps than a descent on batches needs to be stable.
            given |= {"steps": 500} if key == "batch" else {}
            model = model_class(name)(**({key: size} if key in own else {}))
            if key == "minibatch" and own.get("alpha") and name == "potts_attention":
                model, given = model_class(name)(alpha=None, ridge=0.0, minibatch=size), {**given, "t": [0, 1]}
            refuses(lambda: tsphys.simulate(model, **given), key)  # noqa: B023


def test_an_instance_that_does_not_fit_is_refused_in_theory_too():
    for parameters, key in (({}, "N"), ({"delta": 1e6}, "delta")):
        model = tsphys.HiddenManifold(**parameters)
        refuses(lambda: tsphys.solve(model, N=10**9 if key == "N" else 10**5, t=[0, 1]), key)  # noqa: B023


def test_what_is_not_kept_takes_no_memory(monkeypatch):
    """Sweeps before a measurement, and between two looks, may be as many as there is time for."""
    from tsphys.sims.engines.spins import hebbian

    done = []
    ordinary = hebbian.BLOCK

    class Chain:
        def sweeps(self, n, report):
            done.append(n)
            report(n)

    told = []
    hebbian.skip(Chain(), 3 * ordinary + 5, told.append)
    assert done == [ordinary] * 3 + [5]
    assert told[-1] == 3 * ordinary + 5


@pytest.mark.parametrize("P", [3, 107, 171, 172, 1000, 10**6, 2**63 - 1])
@pytest.mark.wide
@pytest.mark.parametrize("storage", [{}, {"storage": "supervised", "r": 0.8, "M": 3}, {"interaction": "power"}])
def test_interactions_of_any_order(P, storage):
    model = tsphys.DenseHebbian(P=P, **storage)
    for given in ({"alpha": [0.0]}, {"alpha": [0.0], "T": 0.1}, {"alpha": [1e-300]}, {"alpha": [0.1]}):
        found = outcome(lambda: tsphys.solve(model, **given))  # noqa: B023
        if 0.0 in given["alpha"] and not storage and P <= 1000:
            assert found["m"] == pytest.approx([1.0], abs=1e-8)
            assert found["energy"] == pytest.approx([-1 / P], rel=1e-4)
    for N in (200, 1000):
        given = {"N": N, "n_patterns": 3, "sweeps": 4, "equilibration": 0, "replicas": 1}
        found = outcome(lambda: tsphys.simulate(model, **given))  # noqa: B023
        if P == 107 and "interaction" in storage:
            np.testing.assert_allclose(found["m"], [[1.0]], rtol=1e-9)
            np.testing.assert_allclose(found["energy"], [[-1 / P]], rtol=1e-9)


def test_numbers_are_taken_as_they_are_meant():
    assert number("x", np.float32(0.5)) == 0.5
    assert number("x", np.array(3.0), kind=int) == 3
    assert number("x", Fraction(1, 4)) == 0.25
    assert number("n", Decimal("1e3"), kind=int) == 1000
    assert number("n", 2**63 - 1, kind=int) == 2**63 - 1
    assert number("n", 1e3, kind=int) == 1000
    np.testing.assert_array_equal(numbers([Fraction(1, 2), 1]), [0.5, 1.0])
    np.testing.assert_array_equal(numbers(range(3)), [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(numbers(np.ma.masked_array([1.0, 2.0], [False, False])), [1.0, 2.0])


#: What makes runs short where work grows with a parameter: latent variables are drawn one by one, tokens and units meet
#: in pairs, layers follow each other, explicit steps along a flow are as short as its fastest rate, version spaces are
#: walked in example by example, and all amplitudes of a network change with a spin.
LONG = {
    ("hidden_manifold", "delta"): ({}, {"N": 4}),
    ("attention_features", "tokens"): ({"n": 2}, {"test": 1}),
    ("infinite_depth", "depth"): ({"n": 2}, {}),
    ("whitening", "d"): ({}, {"t": [0, 1], "draws": 1}),
    ("random_teacher", "weight_decay"): ({"t": 1e-4}, {}),
    ("inductive_bias", "examples"): ({}, {"chains": 10, "moves": 1}),
    ("task_masks", "K"): ({}, {"t": [0, 1e-6]}),
    ("weight_theft", "K"): ({}, {"t": [0, 1e-6]}),
    ("spin_chain_states", "N"): ({}, {"steps": 1, "samples": 10}),
    ("spin_chain_states", "features"): ({}, {"steps": 1, "samples": 10}),
    ("spin_chain_states", "units"): ({}, {"steps": 1, "samples": 10}),
}
#: Options that say for how long a run goes on, of which nothing is kept.
LASTING = {
    ("hidden_manifold", "n_test"), ("adversarial_perceptron", "n_test"), ("weight_theft", "n_test"),
    ("sparse_regression", "most"),
    ("spin_chain_states", "steps"), ("spin_chain_states", "before"), ("quadratic_feature", "sets"),
}  # fmt: skip
#: What makes runs short where work grows with an option: steps of a flow multiply matrices of that size, and take as
#: many nodes of a quadrature.
SHORT = {("removed_layers", "N"): {"t": [0, 1e-3]}, ("active_fraction", "points"): {"t": [0, 1e-6]}}
#: Times up to which theories by quadrature are followed, which take seconds to those that they go to by default.
BRIEF = {(name, "solve"): {"t": [0, 0.3]} for name in ("active_fraction", "task_masks", "weight_theft")}
#: Models beside those of online learning of which N is the number of steps in a unit of time.
COUNTED = ("weight_race",)


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_at_its_ends(name, verb):
    cls, small = model_class(name), {**run_of(name, verb), **BRIEF.get((name, verb), {})}
    for key, meta in fields(name).items():
        own, few = LONG.get((name, key), ({}, {}))
        given = {**small, **{k: v for k, v in few.items() if k in options(name, verb)}}
        for value in ends(meta):
            outcome(lambda: getattr(tsphys, verb)(cls(**{**own, key: value}), **given))  # noqa: B023
    for key, meta in options(name, verb).items():
        # Work as long as is asked for.
        if key in ("t", "start", "engine", "threads", "replicas", "burn_in", "sweeps", "equilibration", "iterations"):
            continue
        if (name, key) in LASTING:
            continue
        for value in ends(meta):
            few = {"most_replicas": 16} if key == "until_sem" else SHORT.get((name, key), {})
            # A unit of time has N steps, which take as long as they take.
            steps = key == "N" and value and (issubclass(cls, Online) or name in COUNTED)
            few = {**few, "t": [0, 2 / value]} if steps else few
            outcome(lambda: getattr(tsphys, verb)(cls(), **{**small, **few, key: value}))  # noqa: B023


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what a process has mapped")
def test_what_a_scheduler_lets_a_process_map_bounds_its_memory():
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); "
    code += "from tsphys.runs.memory import SHARE, memory; print(memory() / SHARE / 2**30)"
    found = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 1.0 < found < 3.0
