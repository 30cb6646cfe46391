"""Sparse students: the masked steps against a slow reference, the simulation on the theory."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tests.naive import variants
from tests.test_pruned_theory import START, WIDE
from tsphys.cli import main
from tsphys.sims.engines.online.direct import iterate
from tsphys.sims.engines.online.estimates import Masks, of_replica

T = [0.0, 1.0, 2.0, 5.0, 10.0]
MODEL = tsphys.Pruned(lr=0.5, noise=0.1)
RUNS = {
    "independent": (MODEL, START),
    "nested, both layers": (dataclasses.replace(MODEL, lr_v=0.3, densities=[0.4, 0.9], masks="common"), START),
    "relu": (tsphys.Pruned(K=3, activation="relu", lr=0.2, density=0.7, minibatch=2), WIDE),
}


def test_steps_are_those_of_the_slow_reference():
    N, steps, rng = 12, 30, np.random.default_rng(0)
    model = dataclasses.replace(MODEL, lr_v=0.3)
    W, B, X, zeta = (rng.standard_normal(shape) for shape in ((2, N), (2, N), (steps, N), steps))
    masks = model.draw_masks(N, rng)
    rows = np.arange(steps)[:, None]
    run = iterate(
        model.learning_rule(), W * masks, B, [1.0, 0.8], [1.0, 1.0],
        lambda step, most: (X, rows[step : step + most], zeta[rows[step : step + most], None]),
        more=Masks(None, np.array(masks, dtype=float)),
    )  # fmt: skip
    step, R, _, v = run(0, steps)
    expected, readout = variants.masked_steps(
        W, B, [1.0, 0.8], np.ones(2), X, zeta, masks, model.lr, model.lr_v, model.noise
    )
    assert step == steps
    # Some thousand operations of rounding.
    np.testing.assert_allclose(run.W, expected, atol=1e-12)
    np.testing.assert_allclose(v, readout, atol=1e-12)
    np.testing.assert_allclose(R, expected @ B.T / N, atol=1e-12)
    assert (run.W[masks == 0] == 0).all()


@pytest.mark.parametrize("name", RUNS)
def test_simulation_lies_on_the_theory(name):
    model, start = RUNS[name]
    sim = tsphys.simulate(model, N=300, start=start, t=T, replicas=16, seed=3)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=start, t=T))
    assert comparison.ok, comparison
    assert sim.meta["engine"] == "direct"


@pytest.mark.parametrize("change", [{"masks": "common"}, {"density": 0.55}])
def test_the_comparison_sees_other_masks(change):
    sim = tsphys.simulate(MODEL, N=400, start=START, t=T, replicas=24, seed=3)
    assert not tsphys.compare(sim, tsphys.solve(dataclasses.replace(MODEL, **change), start=START, t=T)).ok


def test_full_masks_change_nothing():
    model, options = dataclasses.replace(MODEL, density=1.0), {"N": 50, "start": START, "t": T, "seed": 1}
    masked = tsphys.simulate(model, **options)
    plain = tsphys.simulate(model.dense(), engine="direct", **options)
    # The same numbers in another order of operations: rounding of 500 steps.
    np.testing.assert_allclose(masked["Q"], plain["Q"], atol=1e-11)


@pytest.mark.parametrize("masks", ["independent", "common"])
def test_classes_are_those_of_drawn_masks(masks):
    model = tsphys.Pruned(K=3, densities=[0.3, 0.8, 0.5], masks=masks)
    fraction, seen = model.classes()
    drawn = model.draw_masks(40_000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.mean(axis=1), model.densities, atol=1e-12)
    assert abs(fraction.sum() - 1) < 1e-15
    assert len(fraction) == (8 if masks == "independent" else 4)
    for f, member in zip(fraction, seen, strict=True):
        found = (drawn == member[:, None]).all(axis=0).mean()
        assert abs(found - f) <= 5 * np.sqrt(f * (1 - f) / 40_000)


def test_units_have_the_nearest_whole_number_of_coordinates():
    drawn = tsphys.Pruned(densities=[0.3, 0.7]).draw_masks(12, np.random.default_rng(0))
    assert (drawn.sum(axis=1) == [4, 8]).all()


def test_masks_are_those_of_seed_and_replica():
    rule = MODEL.learning_rule()
    drawn = [of_replica(rule, 40, seed, replica).masks for seed, replica in ((0, 0), (0, 1), (1, 0), (0, 0))]
    assert (drawn[0] == drawn[3]).all()
    assert (drawn[0] != drawn[1]).any()
    assert (drawn[0] != drawn[2]).any()


def test_threads_and_resuming():
    options = {"N": 40, "t": [0.5, 1.0], "seed": 2}
    part = tsphys.simulate(MODEL, replicas=2, threads=1, **options)
    whole = tsphys.simulate(MODEL, replicas=4, threads=2, **options)
    resumed = tsphys.simulate(MODEL, replicas=4, resume=part, **options)
    assert (whole["Q"] == resumed["Q"]).all()
    assert len(np.unique(whole["Q"][:, 1, 0, 0])) == 4


def test_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code, words in ((0, "simulate --density 0.4 -N 100 -r 2 -t 0,1 -o run"), (2, "solve --density 2 -t 1")):
        verb, *options = words.split()
        with pytest.raises(SystemExit) as caught:
            main([verb, "pruned", *options])
        assert caught.value.code == code
    assert "density = 2" in capsys.readouterr().err


BAD = {
    "no coordinates": (lambda: tsphys.Pruned(density=0), "density"),
    "more than all": (lambda: tsphys.Pruned(density=1.1), "density"),
    "densities of others": (lambda: tsphys.Pruned(K=2, densities=[0.5]), "densities"),
    "a density of zero": (lambda: tsphys.Pruned(K=2, densities=[0.5, 0]), "densities"),
    "less than one coordinate": (lambda: tsphys.simulate(tsphys.Pruned(density=0.004), N=100, t=[1]), "density"),
    "a unit without coordinates": (
        lambda: tsphys.simulate(tsphys.Pruned(densities=[0.5, 0.004]), N=100, t=[1]),
        "densities",
    ),
    "unknown masks": (lambda: tsphys.Pruned(masks="blocks"), "masks"),
    "tanh": (lambda: tsphys.Pruned(activation="tanh"), "activation"),
    "too many classes": (lambda: tsphys.solve(tsphys.Pruned(K=13), t=[1.0]), "K"),
    "masks that are none": (lambda: dataclasses.replace(MODEL.learning_rule(), masks=3), "masks"),
    "masks of another shape": (
        lambda: tsphys.simulate(
            dataclasses.replace(MODEL.learning_rule(), masks=lambda N, rng: np.ones((1, N))), N=20, t=[1]
        ),
        "masks",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, name = BAD[case]
    with pytest.raises(tsphys.ModelError) as caught:
        call()
    assert str(caught.value).startswith(f"{name} = ")
    assert "\n" not in str(caught.value)
