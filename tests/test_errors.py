"""Errors: their text, and that they arrive whole in another process."""

import copy
import dataclasses
import operator
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import tsphys
from tsphys import ConvergenceError, DivergedError, ModelError, NoStateError

THEORY = tsphys.Result("theory", "two_layer", {"K": 1}, "t", {"t": np.arange(2.0), "eps_g": np.array([0.5, np.nan])})
ERRORS = {
    "model": ModelError("lr", -1.0, "must be > 0"),
    "no state": NoStateError("alpha", 0.2, "must be <= 0.138"),
    "model, an array": ModelError("T", np.arange(4.0), "must be symmetric"),
    "model, a long value": ModelError("t", list(range(1000)), "must be increasing"),
    "convergence": ConvergenceError("no root", residual=0.25, iterations=7, last=np.arange(3.0)),
    "convergence, by defaults": ConvergenceError("no root"),
    "divergence": DivergedError("diverged at t = 3", t=3.0, partial=THEORY),
    "divergence, without numbers": DivergedError("diverged at t = 3", t=3.0),
}
WAYS = {
    "pickle": lambda e: pickle.loads(pickle.dumps(e)),
    "the first protocol": lambda e: pickle.loads(pickle.dumps(e, protocol=0)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def same(a, b):
    return np.array_equal(a, b, equal_nan=True) if isinstance(a, float | np.ndarray) else a == b


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", ERRORS)
def test_errors_arrive_whole(case, way):
    error = ERRORS[case]
    again = WAYS[way](error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again).keys() == vars(error).keys()
    for name, value in vars(error).items():
        assert same(getattr(again, name), value), name


def test_dask_carries_errors():
    serialize = pytest.importorskip("distributed.protocol").serialize
    deserialize = pytest.importorskip("distributed.protocol").deserialize
    for error in ERRORS.values():
        again = deserialize(*serialize(error))
        assert (type(again), str(again)) == (type(error), str(error))
        assert all(same(getattr(again, name), value) for name, value in vars(error).items())


def test_whatever_is_said_fits_one_line():
    """Libraries, paths and functions of others say what they like."""
    for words in ("no\nfile", "a\0b", "\x1b[31mred", "\udcff", "long " * 1000, "x" * 10**5):
        for error in (ModelError("f", 1, words), ConvergenceError(words), DivergedError(words, t=1.0)):
            assert str(error).isprintable()
            assert len(str(error)) < 700
            str(error).encode()


def test_text_and_notes_added_on_the_way_stay():
    error = DivergedError("diverged", t=1.0)
    error.args = ("diverged; what was computed is in run.npz",)
    error.hint = "a smaller rate"
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "diverged; what was computed is in run.npz"
    assert again.hint == "a smaller rate"


@pytest.mark.parametrize("value", [lambda x: x, (i for i in range(3)), open, {"f": lambda x: x}])
def test_what_cannot_travel_arrives_as_its_text(value):
    error = ModelError("f", value, "must be a number")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.name == "f"
    assert copy.copy(error).value is value


def test_what_cannot_be_shown_is_told_by_its_type():
    assert str(ModelError("K", 10**10_000, "must be at most 10000")) == "K = <int>: must be at most 10000"


def test_a_pool_of_processes_survives_errors():
    """Each comes back as it would be raised here, and the pool goes on."""
    model = tsphys.TwoLayer(K=1, M=1, activation="quad", lr=50.0, init=1.0)
    with pytest.raises(DivergedError) as here:
        tsphys.solve(model, t=[1, 50])
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(DivergedError) as there:
            pool.submit(tsphys.solve, model, t=[1, 50]).result()
        assert str(there.value) == str(here.value)
        assert there.value.t == here.value.t
        dates = {"date": None}
        ours, theirs = (
            dataclasses.replace(e.value.partial, meta={**e.value.partial.meta, **dates}) for e in (here, there)
        )
        assert ours == theirs
        with pytest.raises(ModelError, match="spinodal"):
            pool.submit(tsphys.solve, tsphys.Hopfield(T=0.0), alpha=[0.2]).result()
        assert pool.submit(operator.add, 1, 2).result() == 3
