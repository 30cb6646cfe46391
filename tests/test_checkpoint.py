"""Finished replicas: put back where they belong, by every kind of run."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tsphys.runs.replicas import over_replicas

RUNS = {
    "two_layer": (tsphys.TwoLayer(), {"N": 20, "t": [0, 0.5]}, "Q"),
    "hopfield": (tsphys.Hopfield(T=0.5), {"N": 500, "T": [0.3, 0.5], "sweeps": 8, "equilibration": 2}, "m"),
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
    module = "online" if name == "two_layer" else "hebbian"
    monkeypatch.setattr(
        f"tsphys.sims.engines.{module}.over_replicas",
        lambda work, todo, **rest: (done.extend(todo), over_replicas(work, todo, **rest))[1],
    )
    found = tsphys.simulate(model, replicas=4, seed=3, threads=1, resume=old, **options)
    assert done == [0, 2]
    np.testing.assert_array_equal(found[observable][[0, 2]], whole[observable][[0, 2]])
    np.testing.assert_array_equal(found[observable][[3, 1]], old[observable])
    for change in ({"seed": 4}, {"N": 600}):
        with pytest.raises(tsphys.ModelError, match="holds another run"):
            tsphys.simulate(model, replicas=4, resume=old, **{**options, "seed": 3, **change})
