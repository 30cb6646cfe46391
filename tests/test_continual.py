"""Continual learning: the engines against slow references and each other, simulation on theory."""

from dataclasses import replace

import numpy as np
import pytest

import tsphys
from tests.naive import continual as naive
from tests.naive.online import overlaps
from tests.refusal import refuses
from tests.test_engine_law import p_values, sample
from tests.wide import each
from tsphys.numerics.random import generator, normals, stream
from tsphys.physics import forgetting as measures
from tsphys.physics.order_parameters import OrderParameters, microscopic
from tsphys.rules.phases import Phase
from tsphys.rules.starts import checked_start
from tsphys.sims.engines.online import direct, exact

BASE = tsphys.Continual(similarity=0.5, lr_v=0.5, noise=0.1, durations=[4], v_star=[[1], [1.2]])
HEADS = [0.5, 0.3, 0.2, -0.1]
T = np.linspace(0, 10, 11)


def start(model, v=HEADS, **change):
    own = {"Q": [[0.2, 0.05], [0.05, 0.1]], "R": [[0.1, 0.05], [0.02, -0.05]]}
    return OrderParameters(**{**own, **change}, T=model.teacher_overlaps(), v=v)


def wide(K, M, **options):
    """A model with M units a teacher, and a start of random weights."""
    model = tsphys.Continual(K=K, M=M, lr=0.8, durations=[5], **options)
    rng = np.random.default_rng(K)
    drawn = replace(model, init=0.4, init_v=0.5).start(200, rng)
    return model, drawn


POINTS = {
    "plain": {},
    "replay": {"replay": 0.2},
    "ewc": {"regulariser": "ewc", "strength": 1.5},
    "fisher": {"regulariser": "fisher", "strength": 3.0, "head": "copy"},
    "l2 and replay": {"regulariser": "l2", "strength": 0.3, "replay": 0.1},
    "cyclic, minibatch": {"cyclic": True, "durations": [2, 3], "minibatch": 3, "lr": 2.0},
    "ewc, cyclic": {"cyclic": True, "durations": [2.5], "regulariser": "ewc", "strength": 0.8},
    "interleaved": {"schedule": "interleaved"},
    "alternate": {"schedule": "interleaved", "mixing": "alternate"},
}


@pytest.mark.parametrize("name", each(POINTS, fast=("plain", "replay", "ewc", "fisher", "alternate")))
def test_simulation_lies_on_theory(name):
    model = replace(BASE, **POINTS[name])
    sim = tsphys.simulate(model, N=1000, start=start(model), t=T, replicas=32)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=start(model), t=T))
    assert sim.meta["engine"] == "exact"
    assert sim["eps_g"].shape == (32, 11, 2)
    assert sim["v"].shape == (32, 11, 2, 2)
    assert comparison.ok, comparison


@pytest.mark.parametrize("name", each(["plain", "fisher"], fast=["plain"]))
@pytest.mark.parametrize(("K", "M", "shared"), [(3, 2, 0), pytest.param(4, 3, 1, marks=pytest.mark.slow)])
def test_weights_lie_on_theory_with_several_units_a_teacher(K, M, shared, name):
    model, begin = wide(K, M, similarity=0.6, readout_similarity=0.3, shared=shared, **POINTS[name])
    t = np.linspace(0, 10, 6)
    sim = tsphys.simulate(model, N=500, start=begin, t=t, replicas=16, engine="direct")
    comparison = tsphys.compare(sim, tsphys.solve(model, start=begin, t=t))
    assert comparison.ok, comparison


def test_three_tasks_lie_on_theory():
    model, begin = wide(3, 1, tasks=3, similarity=0.4, noises=[0.1, 0.0, 0.3], order=[2, 1, 3, 1], replay=0.3)
    t = np.linspace(0, 20, 11)
    sim = tsphys.simulate(model, N=1000, start=begin, t=t, replicas=24)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=begin, t=t))
    assert comparison.ok, comparison
    assert [round(b["t"], 3) for b in sim.meta["phases"][0]] == [0, 5, 10, 15]


def test_the_comparison_sees_a_replay_that_is_missing():
    sim = tsphys.simulate(replace(BASE, replay=0.05), N=1000, start=start(BASE), t=T, replicas=32)
    assert not tsphys.compare(sim, tsphys.solve(BASE, start=start(BASE), t=T)).ok


def steps_of_the_reference(model, N, stops, seed=3, replica=1):
    """R, Q and heads after so many steps, from the random numbers that engine `direct` draws."""
    begin = checked_start(model.learning_rule(), start(model))
    W, B = microscopic(begin, N, generator(seed, replica, "direct start"))
    rng, scalars = stream(seed, replica, "direct inputs"), generator(seed, replica, "direct scalars")
    S, b = model.tasks, model.minibatch
    heads, v_star = np.array(begin.v).reshape(S, -1), np.array(begin.v_star).reshape(S, -1)
    noises = model.learning_rule().n_noise
    switch, step, count, anchor, omega = round(model.durations[0] * N), 0, 0, None, None
    for stop in stops:
        while step < stop:
            if step == switch:
                anchor, past = W.copy(), heads[0]
                omega = {
                    "none": None,
                    "l2": np.full(len(W), model.strength),
                    "ewc": model.strength * past**2,
                }[model.regulariser]
            x = np.empty((b, N))
            for row in x:
                normals(rng, row)
            zeta = scalars.standard_normal((b, noises))
            tasks = []
            for beta in range(b):
                if model.schedule == "interleaved":
                    tasks.append(count % S)
                    count += 1
                elif step < switch:
                    tasks.append(0)
                else:
                    # The first `replay` of the quantiles of the second noise.
                    tasks.append(0 if model.replay and zeta[beta, 1] < -0.8416212335729143 else 1)
            examples = list(zip(tasks, x, zeta[:, 0], strict=True))
            W, heads = naive.sgd_step(model, W, B.reshape(S, -1, N), heads, v_star, examples, anchor, omega)
            step += 1
        yield (*overlaps(W, B)[:2], heads.ravel())


@pytest.mark.parametrize(
    "options",
    [
        {"replay": 0.2},
        {"regulariser": "ewc", "strength": 9.0},
        {"regulariser": "l2", "strength": 4.0, "minibatch": 2},
        {"schedule": "interleaved", "mixing": "alternate", "minibatch": 3},
    ],
    ids=str,
)
def test_direct_takes_the_steps_of_the_reference(options):
    model = replace(BASE, durations=[0.1], **options)
    N, stops = 300, (1, 30, 31, 60)
    run = direct.start_replica(
        model.learning_rule(), N, checked_start(model.learning_rule(), start(model)), 3, 1, np.dtype(float)
    )
    step = 0
    for stop, expected in zip(stops, steps_of_the_reference(model, N, stops), strict=True):
        step, *found = run(step, stop)
        for a, b in zip(found, expected, strict=True):
            # 60 steps with sums of 300 terms: rounding of order 60 · sqrt(300) · 1e-16.
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("engine", [direct, exact])
def test_anchors_hold_where_nothing_else_moves(engine):
    """A rule that never learns leaves pull and decay: w(t) = w̄ [a + (1 − a) (1 − (κ + Ω)/N)^steps], a = Ω/(κ + Ω)."""

    pull, kappa, N = np.array([3.0, 0.0]), 2.0, 40
    idle = replace(BASE, lr=0.0, v=np.zeros((2, 2)), similarity=0.0).learning_rule()

    def schedule(i, state):
        return Phase(idle.params, until=state.t + 1.0, pull=pull if i % 2 else None)

    rule = replace(idle, weight_decay=kappa, schedule=schedule)
    begin = checked_start(rule, OrderParameters(R=[[0.3, 0.1], [0, 0.2]], Q=[[0.5, 0.1], [0.1, 0.4]], T=np.eye(2)))
    run = engine.start_replica(rule, N, begin, 0, 0, np.dtype(float))
    factor, step = np.ones(2), 0
    for stop in (20, 40, 60, 80, 120, 160, 170):
        step, R, Q, _ = run(step, stop)
        grown = np.ones(2)
        for phase in range(5):
            steps = min(max(stop - 40 * phase, 0), 40)
            rate = kappa + (pull if phase % 2 else 0.0)
            a = (pull if phase % 2 else 0.0) / rate
            grown = grown * (a + (1 - a) * (1 - rate / N) ** steps)
        factor = grown
        np.testing.assert_allclose(R, factor[:, None] * begin.R, rtol=0, atol=1e-13)
        np.testing.assert_allclose(Q, np.outer(factor, factor) * begin.Q, rtol=0, atol=1e-13)


LAWS = {
    "ewc and replay": {"regulariser": "ewc", "strength": 2.0, "replay": 0.3},
    "l2, minibatch": {"regulariser": "l2", "strength": 1.0, "minibatch": 3, "cyclic": True},
}


def same_law(options, N, replicas):
    model = replace(BASE, similarity=0.2, durations=[0.5], v=np.reshape(HEADS, (2, 2)), **options)
    a, b = (sample(engine, model, N, (0.5, 1.5), replicas) for engine in (direct, exact))
    p = p_values(a, b)
    # Bonferroni: a true pair fails with probability 1e-3.
    assert p.min() * p.size > 1e-3, f"smallest p = {p.min():.2g} of {p.size}"


def test_direct_and_exact_have_one_law():
    same_law({**LAWS["ewc and replay"], "minibatch": 3, "cyclic": True}, 20, 700)


@pytest.mark.slow
@pytest.mark.parametrize("N", [6, 20, 100])
@pytest.mark.parametrize("name", LAWS)
def test_direct_and_exact_have_one_law_at_any_size(name, N):
    same_law(LAWS[name], N, 6000)


def test_blocks_end_at_the_threshold():
    model = replace(BASE, noise=0.0, durations=None, threshold=0.02, lr_v=1.0)
    begin, t = start(model), np.linspace(0, 20, 5)
    theory = tsphys.solve(model, start=begin, t=t)
    when, eps_g = measures.at_switch(theory)
    # The error is a function of the state at the switch, which is found to 1e-12 in time.
    assert abs(eps_g[0] - 0.02) < 1e-9
    sim = tsphys.simulate(model, N=2000, start=begin, t=t, replicas=12)
    times, errors = measures.at_switch(sim)
    assert (errors[:, 0] <= 0.02).all()
    error = times.std(ddof=1) / np.sqrt(len(times))
    # Simulations look every 0.01; the mean has a bias of order 1/N times its variance·N over the time itself.
    assert abs(times.mean() - when) < 4.5 * error + 0.01 + times.var() / when
    assert tsphys.compare(sim, theory, observables=["eps_g"]).ok


def test_a_duration_limits_a_block_that_never_reaches_its_threshold():
    model = replace(BASE, threshold=1e-12, durations=[2])
    assert measures.at_switch(tsphys.solve(model, start=start(model), t=[5]))[0] == 2
    assert measures.at_switch(tsphys.simulate(model, N=100, start=start(model), t=[5], replicas=1))[0] == 2


@pytest.mark.parametrize("engine", ["exact", "direct"])
def test_frozen_features_forget_nothing(engine):
    model = replace(BASE, lr=0.0)
    for result in (
        tsphys.simulate(model, N=60, start=start(model), t=T, replicas=2, engine=engine),
        tsphys.solve(model, start=start(model), t=T),
    ):
        forgotten, learned = measures.forgetting(result), measures.transfer(result)
        assert np.nanmax(np.abs(forgotten)) < 1e-14
        assert np.isnan(forgotten[..., :4]).all()
        # The switch itself, at t = 4, is no longer before it.
        assert np.isfinite(forgotten[..., 4:]).all()
        assert (learned[..., -1] > 0.001).all()


def test_blocks_have_their_own_durations_and_order():
    model = tsphys.Continual(tasks=3, M=1, durations=[0.5, 1, 0.25], order=[3, 1, 2], cyclic=True)
    assert [model.task(block) for block in range(5)] == [2, 0, 1, 2, 0]
    for result in (tsphys.solve(model, t=[4.0]), tsphys.simulate(model, N=20, t=[4.0])):
        assert [begin["t"] for begin in result.meta["phases"][0]] == [0, 0.5, 1.5, 1.75, 2.25, 3.25, 3.5]


def test_blocks_without_a_time_that_is_asked_for_are_learned_all_the_same():
    model = replace(BASE, tasks=3, v_star=None, durations=[0.5], regulariser="l2")
    few, more = (tsphys.solve(model, t=t) for t in ([2.0], [0.7, 2.0]))
    np.testing.assert_allclose(few["R"][-1], more["R"][-1], rtol=1e-6)


def test_reuse_and_activation_are_those_of_their_definitions():
    sim = tsphys.simulate(replace(BASE, K=3, durations=[1]), N=30, t=[1, 3], replicas=3, seed=2)
    rho, activation = measures.reuse(sim)
    for i, begins in enumerate(sim.meta["phases"]):
        then = [abs(begins[1]["R"][k][0]) for k in range(3)]
        best = then.index(max(then))
        for j in range(2):
            R, Q = sim["R"][i, j], sim["Q"][i, j]
            assert rho[i, j] == pytest.approx(1 - abs(R[best, 0]) / then[best], abs=1e-14)
            others = [abs(R[k, 1]) / Q[k, k] ** 0.5 for k in range(3) if k != best]
            assert activation[i, j] == pytest.approx(max(others), rel=1e-14)


def test_runs_go_on_from_finished_replicas_with_their_switches():
    model = replace(BASE, threshold=0.05)
    options = {"N": 100, "start": start(model), "t": [0, 2, 6], "seed": 4}
    whole = tsphys.simulate(model, replicas=5, **options)
    part = tsphys.simulate(model, replicas=2, **options)
    resumed = tsphys.simulate(model, replicas=5, resume=part, **options)
    for name in whole.observables:
        np.testing.assert_array_equal(resumed[name], whole[name])
    assert resumed.meta["phases"] == whole.meta["phases"]


def test_results_survive_their_files(tmp_path):
    model = replace(BASE, regulariser="ewc")
    for result in (
        tsphys.simulate(model, N=50, start=start(model), t=[0, 4, 8], replicas=3),
        tsphys.solve(model, start=start(model), t=[0, 4, 8]),
    ):
        again = tsphys.load(result.save(tmp_path / "run.npz"))
        np.testing.assert_array_equal(measures.forgetting(again), measures.forgetting(result))
        assert again.dims["eps_g"] == ("task",)


def test_from_the_command_line(tmp_path, capsys):
    from tsphys.cli import main

    config, out = tmp_path / "run.toml", tmp_path / "out"
    config.write_text('similarity = 0.3\ndurations = [2]\nregulariser = "ewc"\nt = "0:4:5"\nN = 200\n')

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        return caught.value.code

    assert call("compare", "continual", "--config", str(config), "--replicas", "8", "-q", "-o", str(out)) == 0
    assert "agree" in capsys.readouterr().out
    sim = tsphys.load(f"{out}-simulation.npz")
    assert sim.parameters["similarity"] == 0.3
    assert measures.forgetting(sim).shape == (8, 5)
    assert call("simulate", "continual", "-V", "2") == 2
    assert "similarity = 2" in capsys.readouterr().err


BAD = {
    "no such similarity": (lambda: tsphys.Continual(tasks=3, similarity=-0.6), "similarity"),
    "similarities that no vectors have": (lambda: tsphys.Continual(similarities=[[1, 2], [2, 1]]), "similarities"),
    "similarities of the wrong shape": (lambda: tsphys.Continual(similarities=np.eye(3)), "similarities"),
    "similarities without ones": (lambda: tsphys.Continual(similarities=0.5 * np.eye(2)), "similarities"),
    "readouts of one unit": (lambda: tsphys.Continual(readout_similarity=0.5), "readout_similarity"),
    "readouts in too few dimensions": (
        lambda: tsphys.Continual(M=2, tasks=3, readout_similarity=0.1),
        "readout_similarity",
    ),
    "more shared units than units": (lambda: tsphys.Continual(shared=2), "shared"),
    "noises of the wrong length": (lambda: tsphys.Continual(noises=[0.1]), "noises"),
    "noises negative": (lambda: tsphys.Continual(noises=[0.1, -1]), "noises"),
    "readouts of the wrong shape": (lambda: tsphys.Continual(v_star=[[1, 1]]), "v_star"),
    "heads of the wrong shape": (lambda: tsphys.Continual(v=[[1, 1]]), "v"),
    "no end of a block": (lambda: tsphys.Continual(durations=None), "durations"),
    "durations of the wrong length": (lambda: tsphys.Continual(durations=[1, 2, 3]), "durations"),
    "duration 0": (lambda: tsphys.Continual(durations=[0]), "durations"),
    "order of unknown tasks": (lambda: tsphys.Continual(order=[1, 3]), "order"),
    "replay of interleaved tasks": (lambda: tsphys.Continual(schedule="interleaved", replay=0.1), "replay"),
    "a pull of interleaved tasks": (lambda: tsphys.Continual(schedule="interleaved", regulariser="l2"), "regulariser"),
    "blocks that are mixed": (lambda: tsphys.Continual(mixing="alternate"), "mixing"),
    "replay beyond 1": (lambda: tsphys.Continual(replay=1.5), "replay"),
    "unknown regulariser": (lambda: tsphys.Continual(regulariser="si"), "regulariser"),
    "tanh": (lambda: tsphys.Continual(activation="tanh"), "activation"),
    "too small for anchors": (
        lambda: tsphys.simulate(replace(BASE, durations=[1], regulariser="l2"), N=5, t=[3]),
        "N",
    ),
    "a pull that overshoots": (
        lambda: tsphys.simulate(replace(BASE, durations=[1], regulariser="l2", strength=99), N=20, t=[3]),
        "pull",
    ),
    "no such switch": (lambda: measures.forgetting(tsphys.solve(BASE, start=start(BASE), t=[1])), "switch"),
    "no such task": (lambda: measures.transfer(tsphys.solve(BASE, start=start(BASE), t=[9]), task=3), "task"),
    "another model": (
        lambda: measures.forgetting(tsphys.solve(tsphys.TwoLayer(), t=[1])),
        "result",
    ),
    "schedule that is none": (lambda: tsphys.LearningRule(lambda *a: None, schedule=3), "schedule"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])
