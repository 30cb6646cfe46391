"""Replicas until a standard error is met."""

import numpy as np
import pytest

import tsphys
from tsphys.cli import main
from tsphys.runs.precise import until_precise, wanted

MODEL = tsphys.Perceptron(rule="hebb")
RUN = {"N": 50, "t": [0.5, 2.0], "seed": 3}


def fake(spread):
    """A run whose observables have a spread that does not depend on how many replicas there are."""
    asked = []

    def run(count, before):
        asked.append((count, 0 if before is None else before.replicas))
        rows = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)[:, None] * np.array([0.1, spread])
        data = {"t": np.arange(2.0), "eps_g": rows, "R": 10 * rows}
        return tsphys.Result("simulation", "perceptron", {}, "t", data, meta={"replicas": count})

    return run, asked


def test_as_many_as_the_largest_error_needs_and_hardly_more():
    run, asked = fake(1.0)
    found = until_precise(run, 0.1, first=8, most=None, resume=None)
    # s/√n = 0.1 with s = 1 (n/(n−1))^½: about a hundred.
    assert 100 <= found.replicas <= 115
    assert found.sem("eps_g").max() <= 0.1
    assert found.meta["until_sem"] == {"eps_g": 0.1}
    assert found.meta["precise"] is True
    # Each goes on from what there is, and with few replicas by no more than twice.
    assert [before for _, before in asked[1:]] == [count for count, _ in asked[:-1]]
    assert asked[1][0] == 16
    # From 64, where the error is s/√64, at once to what 1/√n needs.
    assert [count for count, _ in asked[:4]] == [8, 16, 32, 64]
    assert len(asked) == 5


def test_an_observable_of_ones_own_and_a_most():
    run, _ = fake(1.0)
    found = until_precise(run, {"R": 0.1}, first=8, most=50, resume=None)
    assert (found.replicas, found.meta["precise"]) == (50, False)
    precise = until_precise(run, {"eps_g": 10.0, "R": 10.0}, first=1, most=None, resume=None)
    assert precise.replicas == 4


def test_same_bits_as_a_run_of_that_many():
    found = tsphys.simulate(MODEL, **RUN, replicas=4, until_sem=0.01)
    assert found.replicas > 4
    assert found.sem("eps_g").max() <= 0.01
    whole = tsphys.simulate(MODEL, **RUN, replicas=found.replicas)
    assert np.array_equal(found["R"], whole["R"])
    part = tsphys.simulate(MODEL, **RUN, replicas=6)
    assert np.array_equal(tsphys.simulate(MODEL, **RUN, until_sem=0.01, resume=part)["R"][:6], whole["R"][:6])


BAD = [0, -1, "x", True, {}, {"eps_g": 0}, {1: 0.1}, np.nan, [0.1]]


@pytest.mark.parametrize("value", BAD, ids=str)
def test_what_is_no_standard_error_is_named(value):
    with pytest.raises(tsphys.ModelError) as caught:
        wanted(value)
    assert caught.value.name == "until_sem"


def test_no_such_observable():
    with pytest.raises(tsphys.ModelError, match="until_sem = 'energy'"):
        tsphys.simulate(MODEL, **RUN, until_sem={"energy": 0.1})


def test_on_the_command_line_and_in_studies(tmp_path, monkeypatch, capsys):
    from tsphys.studies.collection import collect
    from tsphys.studies.study import study
    from tsphys.studies.sweep import sweep

    monkeypatch.chdir(tmp_path)
    words = ["simulate", "perceptron", "--rule", "hebb", "-N", "50", "-t", "0.5,2", "-q"]
    with pytest.raises(SystemExit) as caught:
        main([*words, "--until-sem", '{"eps_g": 0.01}', "--most-replicas", "9", "-o", "few"])
    assert caught.value.code == 0
    assert "not as precise as asked for: 9 replicas" in capsys.readouterr().out
    table = {"model": "perceptron", "compute": "simulate", "N": 50, "t": [0.5, 2.0], "until_sem": 0.02}
    described = study({**table, "axes": {"rule": ["hebb", "adatron"]}})
    sweep(described, "kept")
    result = collect(described, "kept", mean=True)
    assert result["simulation_eps_g_sem"].max() <= 0.02


@pytest.mark.parametrize("there", [True, False])
def test_a_bar_of_tqdm_or_of_ones_own(there, monkeypatch, capsys):
    import sys

    if there:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    tsphys.simulate(MODEL, **RUN, replicas=2, progress=True)
    tsphys.solve(MODEL, t=[1.0], progress=True)
    told = capsys.readouterr()
    assert told.out == ""
    assert not there or "simulate" in told.err


def test_an_error_that_no_number_of_runs_meets_ends_at_the_most():
    run, _ = fake(1.0)
    found = until_precise(run, 5e-324, first=8, most=40, resume=None)
    assert found.replicas == 40
    assert found.meta["precise"] is False
