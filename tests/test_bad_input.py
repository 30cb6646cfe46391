"""Bad calls through the library: each raises one line that names the parameter, its value and what is allowed."""

import json
from importlib import import_module

import numpy as np
import pytest

import tsphys
from tests.command import call
from tests.refusal import refuses
from tsphys import OrderParameters, Perceptron, TwoLayer, _jit
from tsphys.ground.texts import from_json
from tsphys.registry import MODELS, model_class, runner

NAN, INF = float("nan"), float("inf")
GOOD = {"R": [[0.1, 0.0], [0.0, 0.1]], "Q": [[0.2, 0.0], [0.0, 0.2]], "T": [[1.0, 0.0], [0.0, 1.0]]}
START = OrderParameters(**GOOD)
LONG_TEACHER = OrderParameters(R=[[0.1]], Q=[[0.2]], T=[[2.0]])


def run(model=None, **options):
    return tsphys.simulate(model or TwoLayer(), **{"N": 20, "t": [0, 0.1], **options})


def theory(model=None, **options):
    return tsphys.solve(model or TwoLayer(), **{"start": START, "t": [0, 0.1], **options})


def hopfield(replicas=1):
    model, axis = tsphys.Hopfield(T=0.3), {"alpha": [0.1]}
    return tsphys.simulate(model, N=20, replicas=replicas, **axis), tsphys.solve(model, **axis)


def order(**change):
    return OrderParameters(**{**GOOD, **change})


def test_one_observable_to_compare_needs_no_list():
    assert list(tsphys.compare(run(replicas=2, start=START), theory(), observables="eps_g").z) == ["eps_g"]


#: What is called, and the name that the message starts with.
BAD = {
    "K = 0": (lambda: TwoLayer(K=0), "K"),
    "K negative": (lambda: TwoLayer(K=-1), "K"),
    "K fractional": (lambda: TwoLayer(K=2.5), "K"),
    "K a text": (lambda: TwoLayer(K="2"), "K"),
    "K a bool": (lambda: TwoLayer(K=True), "K"),
    "M = 0": (lambda: TwoLayer(M=0), "M"),
    "M none": (lambda: TwoLayer(M=None), "M"),
    "unknown activation": (lambda: TwoLayer(activation="softplus"), "activation"),
    "unknown teacher activation": (lambda: TwoLayer(teacher_activation="gelu"), "teacher_activation"),
    "sign student": (lambda: TwoLayer(activation="sign"), "activation"),
    "lr = 0": (lambda: TwoLayer(lr=0), "lr"),
    "lr negative": (lambda: TwoLayer(lr=-0.1), "lr"),
    "lr NaN": (lambda: TwoLayer(lr=NAN), "lr"),
    "lr infinite": (lambda: TwoLayer(lr=INF), "lr"),
    "lr an array": (lambda: TwoLayer(lr=[0.1, 0.2]), "lr"),
    "lr complex": (lambda: TwoLayer(lr=1j), "lr"),
    "lr_v negative": (lambda: TwoLayer(lr_v=-1), "lr_v"),
    "lr_v with the first layer only": (lambda: TwoLayer(lr_v=0.1, train="first"), "lr_v"),
    "lr_v = 0 with both layers": (lambda: TwoLayer(lr_v=0, train="both"), "lr_v"),
    "unknown layer": (lambda: TwoLayer(train="third"), "train"),
    "noise negative": (lambda: TwoLayer(noise=-0.1), "noise"),
    "weight decay NaN": (lambda: TwoLayer(weight_decay=NAN), "weight_decay"),
    "minibatch = 0": (lambda: TwoLayer(minibatch=0), "minibatch"),
    "teacher given without T": (lambda: TwoLayer(teacher="given"), "T"),
    "T without teacher given": (lambda: TwoLayer(T=np.eye(2)), "T"),
    "T of the wrong shape": (lambda: TwoLayer(teacher="given", T=np.eye(3)), "T"),
    "T with a negative eigenvalue": (lambda: TwoLayer(teacher="given", T=[[1, 2], [2, 1]]), "T"),
    "T asymmetric": (lambda: TwoLayer(teacher="given", T=[[1, 0.5], [0, 1]]), "T"),
    "v_star of the wrong length": (lambda: TwoLayer(v_star=[1.0]), "v_star"),
    "v with NaN": (lambda: TwoLayer(v=[1.0, NAN]), "v"),
    "init negative": (lambda: TwoLayer(init=-1), "init"),
    "unknown inputs": (lambda: TwoLayer(inputs="uniform"), "inputs"),
    "alpha = 0": (lambda: TwoLayer(alpha=0), "alpha"),
    "unknown rule": (lambda: Perceptron(rule="delta"), "rule"),
    "rule none": (lambda: Perceptron(rule=None), "rule"),
    "perceptron from zero": (lambda: Perceptron(init=0), "init"),
    "class in the place of a model": (lambda: tsphys.simulate(Perceptron, t=[1]), "model"),
    "no example at this size": (lambda: tsphys.simulate(tsphys.OneShotVotes(alpha=1e-3), N=100), "alpha"),
    "no task at this size": (lambda: tsphys.simulate(tsphys.LinearICL(kappa=1e-3), N=10), "kappa"),
    "learning rule that is none": (lambda: tsphys.LearningRule(3), "function"),
    "R of the wrong shape": (lambda: order(R=[[0.1, 0.0]]), "Q"),
    "R flat": (lambda: order(R=[0.1, 0.0]), "R"),
    "R empty": (lambda: order(R=np.zeros((0, 2)), Q=np.zeros((0, 0))), "R"),
    "R with NaN": (lambda: order(R=[[NAN, 0], [0, 0.1]]), "R"),
    "R too large for Q": (lambda: order(R=[[1.0, 0], [0, 0.1]]), "R"),
    "R ragged": (lambda: order(R=[[0.1], [0.1, 0.2]]), "R"),
    "Q with a negative eigenvalue": (lambda: order(Q=[[0.1, 0.2], [0.2, 0.1]]), "Q"),
    "Q asymmetric": (lambda: order(Q=[[0.2, 0.1], [0, 0.2]]), "Q"),
    "order T with a negative eigenvalue": (lambda: order(T=[[1, 2], [2, 1]]), "T"),
    "N < K + M": (lambda: run(N=3), "N"),
    "N fractional": (lambda: run(N=20.5), "N"),
    "N NaN": (lambda: run(N=NAN), "N"),
    "replicas = 0": (lambda: run(replicas=0), "replicas"),
    "threads = 0": (lambda: run(threads=0), "threads"),
    "seed negative": (lambda: run(seed=-1), "seed"),
    "unknown engine": (lambda: run(engine="gpu"), "engine"),
    "unknown dtype": (lambda: run(dtype="float16"), "dtype"),
    "t empty": (lambda: run(t=[]), "t"),
    "t negative": (lambda: run(t=[-1, 0]), "t"),
    "t decreasing": (lambda: run(t=[1, 0.5]), "t"),
    "t with NaN": (lambda: run(t=[0, NAN]), "t"),
    "t a text": (lambda: run(t="soon"), "t"),
    "start of the wrong kind": (lambda: run(start=[0.1]), "start"),
    "start of another K": (lambda: run(TwoLayer(K=3), start=START), "start"),
    "start with a wrong v": (lambda: run(start=order(v=[1.0])), "start"),
    "unknown option of simulate": (lambda: run(repplicas=3), "repplicas"),
    "simulate what is no model": (lambda: tsphys.simulate("two_layer", N=20, t=[1]), "model"),
    "solve with an unknown option": (lambda: theory(tolerance=1), "tolerance"),
    "solve a training set on few paths": (lambda: theory(TwoLayer(alpha=1.0), t=[20], paths=256), "paths"),
    "solve a training set on 1000 paths": (lambda: theory(TwoLayer(alpha=1.0), paths=1000), "paths"),
    "solve with rtol = 0": (lambda: theory(rtol=0), "rtol"),
    "solve with a start of another M": (lambda: theory(TwoLayer(M=1)), "start"),
    "compare two theories": (lambda: tsphys.compare(theory(), theory()), "simulation"),
    "compare one replica": (lambda: tsphys.compare(*hopfield()), "replicas"),
    "compare other times": (lambda: tsphys.compare(run(replicas=2), theory(t=[0, 0.2])), "theory"),
    "compare what neither has": (lambda: tsphys.compare(run(replicas=2), theory(), observables=["m"]), "observables"),
    "compare nothing": (lambda: tsphys.compare(run(replicas=2), theory(), observables=[]), "observables"),
    "compare other sizes": (lambda: tsphys.compare(run(replicas=2), tsphys.solve(TwoLayer(K=3), t=[0, 0.1])), "R"),
    "resume from a number": (lambda: run(resume=3), "resume"),
    "checkpoint that is no function": (lambda: run(checkpoint="file"), "checkpoint"),
    "progress that is no function": (lambda: run(progress=3), "progress"),
    "features that are nothing": (lambda: tsphys.solve(tsphys.HiddenManifold(), F=[[[[1]], 2]]), "F"),
    "seed too large": (lambda: run(seed=2**63), "seed"),
    "compare at level 0": (lambda: tsphys.compare(run(replicas=2), theory(), level=0), "level"),
    "optimal rule, another teacher": (lambda: run(Perceptron(rule="optimal"), start=LONG_TEACHER), "start"),
    "its theory": (lambda: theory(Perceptron(rule="optimal"), start=LONG_TEACHER), "start"),
    "its theory by quadrature": (
        lambda: theory(Perceptron(rule="optimal").learning_rule(), start=LONG_TEACHER),
        "start",
    ),
    "more replicas than fit": (lambda: run(replicas=10**30), "replicas"),
    "a training set that does not fit": (lambda: run(TwoLayer(alpha=1e12)), "alpha"),
    "weights that do not fit": (lambda: run(N=10**12, engine="direct"), "N"),
    "more steps than can be counted": (lambda: run(t=[1e18]), "t"),
    "decay by more than all": (lambda: run(TwoLayer(weight_decay=21)), "weight_decay"),
    "readout's decay by more than all": (lambda: run(TwoLayer(weight_decay_v=21)), "weight_decay_v"),
    "load what is not there": (lambda: tsphys.load("nowhere.npz"), "file"),
    "load a folder": (lambda: tsphys.load("."), "file"),
    "save into nowhere": (lambda: run().save("no/such/folder/run.npz"), "output"),
}


#: What Python alone hands over to runs of all kinds.
HANDED = [
    ("checkpoint", "file"), ("progress", 3), ("resume", 3), ("replicas", 0), ("seed", 1.5), ("threads", 0),
]  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_no_kernel_is_compiled_before_a_run_is_refused(name, monkeypatch):
    def compiled(*_):
        raise AssertionError

    monkeypatch.setattr(_jit.Kernel, "compile", compiled)
    model = model_class(name)()
    options = runner(MODELS[name], "simulate").options
    times = {"t": [1.0]} if "t" in options and not options["t"].metadata["optional"] else {}
    for key, value in HANDED:
        if key in options:
            refuses(lambda: tsphys.simulate(model, **times, **{key: value}), key)  # noqa: B023


#: The same of formulas: module, function, arguments, and the name.
FORMULAS = {
    "even mixture": ("replica.hopfield", "spinodal_load", (tsphys.Hopfield(T=0.2), 2), "mixture"),
    "mixture of none": ("replica.hopfield", "spinodal_temperature", (tsphys.Hopfield(), 0), "mixture"),
    "temperature < 0": ("replica.dense_hebbian", "exponential_load", (-1.0,), "T"),
    "quality > 1": ("replica.dense_hebbian", "dataset_entropy", (1.2, 9), "r"),
    "no examples": ("replica.dense_hebbian", "dataset_entropy", (0.5, 0), "M"),
    "delta < 0": ("physics.nonlinearities", "attainable_information", ("relu", -1.0), "delta"),
    "delta infinite": ("physics.nonlinearities", "attainable_information", ("relu", INF), "delta"),
    "no plane": ("odes.simplicity_bias", "early_drift", (tsphys.SimplicityBias(), np.ones((2, 2)), 0.2), "a"),
    "norm < 0": ("odes.simplicity_bias", "early_drift", (tsphys.SimplicityBias(), [0.1, 0.2], -1), "q"),
    "overlap > 1": ("odes.spiked_cumulant", "leading_drift", (tsphys.SpikedCumulant(), 2.0), "m"),
    "no unit": ("odes.two_layer_limits", "plateau_small_lr", (0,), "K"),
    "diffusion of another": ("odes.finite_size", "sample", (Perceptron(),), "model"),
    "block before the first": ("odes.continual", "error_rates", (tsphys.Continual(), START, -1), "block"),
    "odd ring": ("physics.spins.chains", "heisenberg", (3,), "N"),
    "half a spin": ("physics.spins.chains", "ising", (2.5, 1.0), "N"),
    "ring of all states too large": ("physics.spins.chains", "j1_j2", (22, 0.1), "N"),
    "grid from zero": ("physics.penalties", "least", (abs, 0.0), "low"),
    "grid of none": ("physics.penalties", "least", (abs, 0.1, 1.0, 0), "points"),
}


@pytest.mark.parametrize("case", FORMULAS)
def test_formulas_raise_one_clear_line(case):
    module, function, given, name = FORMULAS[case]
    more = {"N": 20, "t": [1.0]} if function == "sample" else {}
    refuses(lambda: getattr(import_module("tsphys." + module), function)(*given, **more), name)


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])


def damaged_files(tmp_path):
    """Files that are no whole result."""
    whole = run().save(tmp_path / "whole.npz").read_bytes()
    yield "empty", b""
    yield "text", b"eps_g = 0"
    yield "truncated", whole[: len(whole) // 2]
    yield "without its end", whole[:-30]
    middle = len(whole) // 3
    yield "with a broken middle", whole[:middle] + bytes(64) + whole[middle + 64 :]


def test_damaged_results_are_refused(tmp_path):
    for name, content in damaged_files(tmp_path):
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        with pytest.raises(tsphys.ModelError, match="not a whole result"):
            tsphys.load(path)


def test_foreign_archives_and_objects_are_refused(tmp_path):
    np.savez(tmp_path / "foreign.npz", a=np.arange(3))
    meta = json.dumps({"format": 99})
    np.savez(tmp_path / "later.npz", __meta__=np.array(meta))
    np.savez(tmp_path / "objects.npz", __meta__=np.array({"format": 1}, dtype=object))
    for name, words in (("foreign", "whole result"), ("later", "format"), ("objects", "whole result")):
        with pytest.raises(tsphys.ModelError, match=words):
            tsphys.load(tmp_path / f"{name}.npz")


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = run().save(tmp_path / "run.npz")
    before = path.read_bytes()

    def broken(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", broken)
    with pytest.raises(OSError, match="No space"):
        run(seed=1).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_values_are_shown_as_one_writes_them():
    assert str(tsphys.ModelError("x", np.float64(0.5), "no")) == "x = 0.5: no"
    assert str(tsphys.ModelError("x", np.arange(3), "no")) == "x = array([0, 1, 2]): no"
    assert str(tsphys.ModelError("f", lambda u: u, "no")) == "f = <lambda>: no"


@pytest.mark.parametrize(
    "text, value",
    [
        (".5", 0.5),
        ("+.5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("+5", 5),
        ("1.e3", 1e3),
        ("[[.3, 0.], [+0, -.3]]", [[0.3, 0], [0, -0.3]]),
    ],
)
def test_numbers_may_be_written_as_in_python(text, value):
    assert from_json(text) == value


@pytest.mark.parametrize(
    "text", ["+-1", "1..2", "1.2.3", ".", "+", ".e5", "1_000", "00.5", "x.5", "5.x", "[.1, .2", "1" * 100_000 + "x"]
)
def test_what_is_no_number_stays_a_text(text):
    assert from_json(text) == text


def test_the_command_line_takes_them(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("two_layer", "--noise", ".1", "--lr", "+0.5", "-K", "2.", "-t", "0,.5")
    assert call(capsys, "solve", *words, "-o", "theory")[0] == 0
    model = tsphys.load("theory.npz").model_object()
    assert (model.noise, model.lr, model.K) == (0.1, 0.5, 2)
