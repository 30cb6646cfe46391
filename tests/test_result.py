"""Results: means and errors, files that come back as they were, labelled export."""

import json
import zipfile

import numpy as np
import pytest

import tsphys
from tsphys.runs.result import Result


def result(**change):
    rng = np.random.default_rng(0)
    data = {"t": np.array([0.0, 1.0, 2.0]), "eps_g": rng.random((5, 3)), "R": rng.random((5, 3, 2, 1)), "T": np.eye(1)}
    fields = {"kind": "simulation", "model": "two_layer", "parameters": {"K": 2}, "axis": "t", "data": data}
    rest = {"dims": {"R": ("student", "teacher")}, "constants": ("T",), "meta": {"replicas": 5, "seed": 1}}
    return Result(**{**fields, **rest, **change})


def test_mean_and_errors_over_replicas():
    r = result()
    x = r["eps_g"]
    mean = sum(x) / 5
    var = sum((row - mean) ** 2 for row in x) / 4
    np.testing.assert_allclose(r.mean("eps_g"), mean, rtol=1e-14)
    np.testing.assert_allclose(r.std("eps_g"), np.sqrt(var), rtol=1e-14)
    np.testing.assert_allclose(r.sem("eps_g"), np.sqrt(var / 5), rtol=1e-14)
    assert r.mean("R").shape == (3, 2, 1)
    one = result(data={"t": np.zeros(1), "eps_g": np.ones((1, 1))}, constants=())
    assert np.isnan(one.sem("eps_g")).all()
    theory = result(kind="theory", data={"t": np.zeros(1), "eps_g": np.ones(1)}, constants=())
    assert theory.sem("eps_g") == 0
    assert theory.mean("eps_g") == 1


def test_what_has_no_replicas_is_its_own_mean():
    r = result()
    for name in ("t", "T"):
        np.testing.assert_array_equal(r.mean(name), r[name])
        np.testing.assert_array_equal(r.sem(name), np.zeros(r[name].shape))
        np.testing.assert_array_equal(r.std(name), np.zeros(r[name].shape))


def test_what_was_saved_is_the_same(tmp_path):
    """With tuples and NaN in its record, and an axis of names."""
    data = {"t": np.array(["a", "b"]), "m": np.array([[1.0, np.nan]])}
    one = Result("simulation", "x", {"a": (1, 2)}, "t", data, meta={"rtol": float("nan")})
    assert tsphys.load(one.save(tmp_path / "run")) == one
    assert one != Result("simulation", "x", {"a": (1, 3)}, "t", data, meta=one.meta)
    assert one != Result("simulation", "x", {"a": (1, 2)}, "t", {**data, "t": np.array([1.0, 2.0])}, meta=one.meta)


def test_equality(tmp_path):
    r = result()
    r["eps_g"][0, 0] = np.nan
    assert tsphys.load(r.save(tmp_path / "run")) == r
    other = {**r.data, "R": r["R"] + 1e-15}
    assert r != result(data=other)
    assert r != result(data=r.data, meta={"replicas": 5, "seed": 2})
    assert r != 3


def test_a_saved_result_comes_back_as_it_was(tmp_path):
    r = result()
    path = r.save(tmp_path / "run")
    assert path.name == "run.npz"
    back = tsphys.load(path)
    assert list(back) == list(r)
    for name in r:
        np.testing.assert_array_equal(back[name], r[name])
    for name in ("kind", "model", "parameters", "axis", "dims", "constants", "meta"):
        assert getattr(back, name) == getattr(r, name)
    with pytest.raises(tsphys.ModelError, match="exists"):
        r.save(path, force=False)


def test_a_file_is_plain_arrays_and_json(tmp_path):
    path = tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0, 1], replicas=2, seed=3).save(tmp_path / "run")
    with zipfile.ZipFile(path) as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
    with np.load(path, allow_pickle=False) as archive:
        record = json.loads(str(archive["__meta__"]))
    assert record["meta"]["seed"] == 3
    assert record["meta"]["engine"] == "exact"
    assert record["parameters"]["activation"] == "erf"
    assert set(record["meta"]["versions"]) == {"tsphys", "python", "numpy", "numba", "scipy"}


def test_the_same_run_from_its_own_record():
    sim = tsphys.simulate(tsphys.TwoLayer(K=3, v_star=[1.0, 0.5]), N=20, t=[0, 1], replicas=2, seed=3)
    meta = sim.meta
    model = tsphys.TwoLayer(**sim.parameters)
    again = tsphys.simulate(model, t=sim["t"], **{k: meta[k] for k in ("N", "seed", "replicas", "engine", "dtype")})
    np.testing.assert_array_equal(again["Q"], sim["Q"])


def test_export_with_labels():
    pytest.importorskip("xarray")
    data = result().to_xarray()
    assert data["R"].dims == ("replica", "t", "student", "teacher")
    assert data["T"].dims == ("T_0", "T_1")
    np.testing.assert_array_equal(data["t"], [0, 1, 2])
    assert json.loads(data.attrs["parameters"]) == {"K": 2}


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(KeyError, match="holds t, eps_g, R, T"):
        result()["Q"]
