"""Finished replicas: kept when a run is stopped, and put back where they belong, by every kind of run."""

import dataclasses
import signal

import numpy as np
import pytest

import tsphys
from tsphys.runs import checkpoint
from tsphys.runs.replicas import over_replicas
from tsphys.runs.result import Result

RUNS = {
    "two_layer": (tsphys.TwoLayer(), {"N": 20, "t": [0, 0.5]}, "Q"),
    "hopfield": (tsphys.Hopfield(T=0.5), {"N": 500, "T": [0.3, 0.5], "sweeps": 8, "equilibration": 2}, "m"),
    "potts_attention": (tsphys.PottsAttention(), {"N": 10, "alpha": [1, 2], "burn_in": 2, "n_test": 5}, "Q"),
}


def part_of(result, rows):
    data = {k: v[rows] if k in result.observables else v for k, v in result.data.items()}
    return dataclasses.replace(result, data=data, meta={**result.meta, "replicas": len(rows), "replica_ids": rows})


@pytest.mark.parametrize("name", RUNS)
def test_replicas_are_put_back_in_their_places(name, monkeypatch):
    model, options, observable = RUNS[name]
    whole = tsphys.simulate(model, replicas=4, seed=3, threads=1, **options)
    assert len(np.unique(whole[observable][:, -1].reshape(4, -1), axis=0)) == 4
    old = part_of(whole, [3, 1])
    old[observable][...] += 1
    done = []
    module = "sims.engines.online.simulation" if name == "two_layer" else "runs.ensemble"
    monkeypatch.setattr(
        f"tsphys.{module}.over_replicas",
        lambda work, todo, **rest: (done.extend(todo), over_replicas(work, todo, **rest))[1],
    )
    found = tsphys.simulate(model, replicas=4, seed=3, threads=1, resume=old, **options)
    assert done == [0, 2]
    np.testing.assert_array_equal(found[observable][[0, 2]], whole[observable][[0, 2]])
    np.testing.assert_array_equal(found[observable][[3, 1]], old[observable])
    for change in ({"seed": 4}, {"N": 600}):
        with pytest.raises(tsphys.ModelError, match="holds another run"):
            tsphys.simulate(model, replicas=4, resume=old, **{**options, "seed": 3, **change})


@pytest.mark.parametrize("name", RUNS)
def test_what_is_finished_is_kept_when_a_run_is_stopped(name, monkeypatch):
    model, options, observable = RUNS[name]
    module = "sims.engines.online.simulation" if name == "two_layer" else "runs.ensemble"

    def stopped(work, todo, *, finished, **rest):
        def some(replica, outcome):
            finished(replica, outcome)
            done.add(replica)
            if len(done) == 2 and next(first, False):
                raise KeyboardInterrupt

        over_replicas(work, todo, finished=some, **rest)

    monkeypatch.setattr(f"tsphys.{module}.over_replicas", stopped)
    done, kept, first = set(), [], iter([True])
    with pytest.raises(KeyboardInterrupt):
        tsphys.simulate(model, replicas=4, seed=3, threads=1, checkpoint=kept.append, **options)
    assert [r.meta["replica_ids"] for r in kept] == [sorted(done)]
    monkeypatch.undo()
    whole = tsphys.simulate(model, replicas=4, seed=3, **options)
    np.testing.assert_array_equal(kept[0][observable], whole[observable][sorted(done)])


def test_checkpoints_come_when_there_is_something_new_and_it_is_time(monkeypatch):
    now, kept = [0.0], []
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    result = Result("simulation", "x", {}, "t", {})

    def keep(found):
        kept.append(now[0])
        now[0] += 1.0

    with checkpoint.keeping(keep, lambda: result if ready else None) as (note, told):
        ready = False
        for now[0] in (0.5, 1.5, 2.5):
            told(0.0)
        ready = True
        for now[0] in (3.0, 4.5):
            note()
            told(0.1)
        # The first took a second, so that the next may come 20 s after its end.
        for now[0] in (6.0, 24.5, 25.5):
            note()
        told(0.2)
        for now[0] in (60.0, 90.0):
            told(0.3)
    assert kept == [3.0, 25.5]
    with checkpoint.keeping(None, lambda: result) as (note, told):
        note()
        assert told is None


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_schedulers_stop_a_run_as_the_user_does(number):
    number, kept = getattr(signal, number), []
    # Under nohup it would be ignored, and stay so.
    before = signal.signal(number, signal.SIG_DFL)
    with pytest.raises(SystemExit) as caught, checkpoint.keeping(kept.append, lambda: "part"):
        signal.raise_signal(number)
    assert (caught.value.code, kept) == (128 + number, ["part"])
    assert signal.getsignal(number) == signal.SIG_DFL
    signal.signal(number, before)
