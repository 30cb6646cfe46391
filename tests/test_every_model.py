"""What every model of the registry offers alike: files, configuration, resumption, threads, names of axes."""

import json
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.command import call
from tests.wide import each
from tsphys.cli.options import flag
from tsphys.ground.times import Grid
from tsphys.registry import MODELS
from tsphys.studies import configuration
from tsphys.studies.study import study

SMALL = {"N": 32, "replicas": 3, "n_test": 20, "burn_in": 2, "sweeps": 4, "equilibration": 2, "samples": 20}


def run_of(name, verb):
    """Small options of a run, with times where it cannot do without them."""
    options = configuration.run_options(name, verb)
    timed = "t" in options and isinstance(options["t"].default, Grid)
    return {**{k: v for k, v in SMALL.items() if k in options}, **({"t": [0, 1]} if timed else {})}


def words(options):
    return [
        x
        for k, v in options.items()
        for x in (flag(k), ",".join(map(str, v)) if isinstance(v, list) else json.dumps(v))
    ]


def same(a, b):
    assert set(a.data) == set(b.data)
    assert a.dims == b.dims
    for name in a.data:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", each(MODELS))
def test_simulations(name, capsys):
    """A run by options, by a file, on other threads, from an interrupted one: the same bits; files are not lost."""
    options = {**run_of(name, "simulate"), "seed": 3}
    assert call(capsys, "simulate", name, *words(options), "-j", 2, "-o", "run")[0] == 0
    run, bits = tsphys.load("run.npz"), Path("run.npz").read_bytes()
    code, out, err = call(capsys, "simulate", name, *words(options), "-o", "run")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "exists" in err
    assert Path("run.npz").read_bytes() == bits
    lines = [f'model = "{name}"', "threads = 1", *(f"{k} = {json.dumps(v)}" for k, v in options.items())]
    Path("run.toml").write_text("\n".join(lines))
    assert call(capsys, "simulate", name, "--config", "run.toml", "-o", "run", "--force")[0] == 0
    same(tsphys.load("run.npz"), run)
    model, described = configuration.describe(name, "simulate", options)
    tsphys.simulate(model, **{**described, "replicas": 1}).save("run-on.partial.npz")
    code, _, err = call(capsys, "simulate", name, *words(options), "-o", "run-on")
    assert code == 0
    assert "going on from 1 finished replicas" in err
    same(tsphys.load("run-on.npz"), run)
    assert not Path("run-on.partial.npz").exists()
    same(tsphys.load(run.save("copy.npz")), run)
    assert tsphys.load("copy.npz").meta == run.meta
    assert {run.axis, "replica"} <= set(labelled(run).dims)
    assert call(capsys, "info", "run.npz")[0] == 0


@pytest.mark.parametrize("name", each(name for name in MODELS if MODELS[name].theory))
def test_theories(name, capsys):
    options = run_of(name, "solve")
    assert call(capsys, "solve", name, *words(options), "-o", "theory")[0] == 0
    code, out, err = call(capsys, "solve", name, *words(options), "-o", "theory")
    assert (code, out) == (2, "")
    assert "exists" in err
    theory = tsphys.load("theory.npz")
    same(tsphys.load(theory.save("copy.npz")), theory)
    assert theory.axis in labelled(theory).dims


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].theory])
def test_studies(name):
    """Simulation and theory of any model are tasks of a study."""
    described = study({"model": name, "compute": "both", **run_of(name, "simulate"), "seed": 3})
    assert [task.verb for task in described.tasks()] == ["simulate", "solve"]


@pytest.mark.parametrize("name", ["removed_layers", "nested_dropout"])
def test_times_of_a_flow_are_those_asked_for(name, capsys):
    """They are no steps/N, to which those of online learning are moved."""
    options = {"N": 20, "replicas": 2, "t": [0.01, 0.02, 1.03]}
    assert call(capsys, "simulate", name, *words(options), "-o", "run")[0] == 0
    assert tsphys.load("run.npz")["t"].tolist() == options["t"]
    (task,) = study({"model": name, "compute": "simulate", **options}).tasks()
    assert task.run()["t"].tolist() == options["t"]


def labelled(result):
    """As a labelled array, in which each axis has a name."""
    pytest.importorskip("xarray")
    data = result.to_xarray()
    for name, values in data.data_vars.items():
        assert not any(d.startswith(name + "_") for d in values.dims), (name, values.dims)
        np.testing.assert_array_equal(values, result[name])
    return data


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_what_is_compared_by_default_agrees(name, capsys):
    """The first thing that is asked of a model has an answer, but where its page says that one size has none."""
    code, out, err = call(capsys, "compare", name, "-j", 2)
    assert code == (3 if name == "linear_icl" else 0), (out, err)
