"""Sparse students: the masked steps against a slow reference, the simulation on the theory."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tests.naive import variants
from tests.test_pruned_theory import START, WIDE
from tsphys.cli import main
from tsphys.rules.phases import Phase
from tsphys.sims.engines.online.direct import iterate
from tsphys.sims.engines.online.estimates import Masks, of_replica

T = [0.0, 1.0, 2.0, 5.0, 10.0]
TICKET = tsphys.Pruned(
    lr=0.5, noise=0.1, density=0.3, masks="magnitude", prune_at=2, rewind_to=0.5, teacher_density=0.2
)
MODEL = tsphys.Pruned(lr=0.5, noise=0.1)
RUNS = {
    "independent": (MODEL, START),
    "nested, both layers": (dataclasses.replace(MODEL, lr_v=0.3, densities=[0.4, 0.9], masks="common"), START),
    "relu": (tsphys.Pruned(K=3, activation="relu", lr=0.2, density=0.7, minibatch=2), WIDE),
    "ticket": (TICKET, START),
    "ticket from the start, both layers": (dataclasses.replace(TICKET, rewind_to=0.0, lr_v=0.3, masks="global"), START),
    "pruned at random, later": (dataclasses.replace(TICKET, masks="independent", minibatch=2), START),
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


@pytest.mark.parametrize("change", [{"masks": "independent"}, {"rewind_to": 1.0}, {"teacher_density": 0.3}])
def test_the_comparison_sees_other_tickets(change):
    sim = tsphys.simulate(TICKET, N=400, start=START, t=T, replicas=24, seed=3)
    assert not tsphys.compare(sim, tsphys.solve(dataclasses.replace(TICKET, **change), start=START, t=T)).ok


def test_tickets_are_made_of_what_was_kept():
    """Until τ_e all weights learn; then they are the largest ones, with the values that they had at τ_r."""
    N, run = 30, dataclasses.replace(TICKET, lr_v=0.2)
    rule, drawn = run.learning_rule(), []
    spied = dataclasses.replace(rule, schedule=lambda i, state: spy(run.phase(i, state), drawn))
    sim = tsphys.simulate(spied, N=N, start=START, t=[0.5, 2.0, 3.0], replicas=1, seed=4)
    (W, masks), begins = drawn[0], sim.meta["phases"][0]
    assert [begin["t"] for begin in begins] == [0.0, 0.5, 2.0]
    np.testing.assert_allclose(W @ W.T / N, sim["Q"][0, 1], rtol=1e-12)
    np.testing.assert_array_equal(masks.sum(axis=1), [9, 9])
    for w, mask in zip(np.abs(W), masks, strict=True):
        assert w[mask == 0].max() <= w[mask == 1].min()
    np.testing.assert_allclose(begins[2]["v"], sim["v"][0, 0], rtol=1e-12)
    assert (np.diag(begins[2]["Q"]) < np.diag(sim["Q"][0, 0])).all()


def spy(phase, drawn):
    if phase.masks is None:
        return phase

    def masks(W, rng):
        drawn.append((W, phase.masks(W, rng)))
        return drawn[-1][1]

    return dataclasses.replace(phase, masks=masks)


def test_teachers_of_few_coordinates():
    B = dataclasses.replace(TICKET, M=3).draw_teachers(400, np.random.default_rng(0))
    assert ((B != 0).sum(axis=1) == 80).all()
    np.testing.assert_allclose(B @ B.T / 400, np.eye(3), atol=1e-12)


def back(i, state):
    """Two phases, then back to the second with another readout, then on."""
    return Phase(
        {}, until=[0.5, 1.0, 1.5][i] if i < 3 else np.inf, keep=i == 1, rewind=i == 2, v=[0.5] if i == 2 else None
    )


def test_phases_that_go_back():
    """To what the student was, in both engines and in the theory by quadrature."""
    start = tsphys.OrderParameters(R=[[0.3]], Q=[[0.5]], T=[[1.0]])
    rule = dataclasses.replace(tsphys.TwoLayer(K=1, M=1, lr=0.5, lr_v=0.2, noise=0.1).learning_rule(), schedule=back)
    runs = [
        tsphys.simulate(rule, N=20, start=start, t=[0.5, 1.0, 2.0], replicas=1, engine=e) for e in ("direct", "exact")
    ]
    for run in [*runs, tsphys.solve(rule, start=start, t=[0.5, 1.0, 2.0])]:
        begins = run.meta["phases"][0]
        for name in ("R", "Q"):
            np.testing.assert_allclose(begins[2][name], run[name].reshape(3, 1, 1)[0], rtol=1e-12)
        assert begins[2]["v"] == [0.5]
        assert abs(run["R"].ravel()[1] - run["R"].ravel()[0]) > 1e-3


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
    "back to what is to come": (lambda: tsphys.Pruned(prune_at=1, rewind_to=2), "rewind_to"),
    "back without a time": (lambda: tsphys.Pruned(rewind_to=2), "rewind_to"),
    "a density each of one threshold": (lambda: tsphys.Pruned(masks="global", densities=[0.5, 0.6]), "densities"),
    "few coordinates in common": (lambda: tsphys.Pruned(teacher_density=0.5, T=[[1, 0.5], [0.5, 1]]), "T"),
    "the same of a start": (
        lambda: tsphys.solve(
            tsphys.Pruned(teacher_density=0.5), start=dataclasses.replace(START, T=[[1, 0.5], [0.5, 1]]), t=[1.0]
        ),
        "start",
    ),
    "no room for teachers": (
        lambda: tsphys.simulate(tsphys.Pruned(teacher_density=0.05), N=20, t=[1]),
        "teacher_density",
    ),
    "many units by size": (lambda: tsphys.solve(tsphys.Pruned(K=5, masks="global"), t=[1.0]), "K"),
    "back to nothing": (
        lambda: tsphys.simulate(
            dataclasses.replace(MODEL.learning_rule(), schedule=lambda i, state: Phase({}, rewind=True)), N=20, t=[1]
        ),
        "rewind",
    ),
    "masks in a rule that has none": (
        lambda: tsphys.simulate(
            dataclasses.replace(MODEL.dense().learning_rule(), schedule=lambda i, s: Phase({}, masks=lambda W, r: W)),
            N=20,
            t=[1],
        ),
        "masks",
    ),
    "teachers that are not perpendicular": (
        lambda: tsphys.simulate(
            dataclasses.replace(MODEL.learning_rule(), teachers=lambda N, rng: np.ones((2, N))), N=20, t=[1]
        ),
        "teachers",
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
