"""Rich and lazy linear networks: published numbers, limits, networks of any width, and steps."""

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import LinearNetwork
from tsphys.odes.linear_network import together
from tsphys.physics.flows.linear_layers import learned_alignment
from tsphys.sims.engines.gradient import DeepLinear, descend
from tsphys.sims.linear_network import steepest_step


@pytest.mark.parametrize("scale, rank, f, expected, least", [
    (4, 1, 1.0, 0.842904, 0.828427), (4, 5, 1.0, 0.688570, None), (4, 10, 1.0, 0.784554, None),
    (4, 20, 1.0, 0.982662, 1.902498), (4, 5, 0.5, 0.627872, None), (40, 1, 1.0, 0.999942, None),
    (40, 5, 1.0, 0.995235, None), (40, 10, 1.0, 0.984845, None), (40, 20, 1.0, 0.996680, None),
])  # fmt: skip
def test_numbers_of_given_teachers(scale, rank, f, expected, least):
    found = tsphys.solve(LinearNetwork(scale=scale, rank=rank, alignment=f), at=300)
    assert found["ntk_alignment"][0] == pytest.approx(expected, abs=1e-6)
    assert least is None or found["readout"][0] == pytest.approx(least, abs=1e-6)
    assert found["learned"][0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("scale, ranks, expected", [
    (4, [1, 5, 10, 20], [0.160, 0.598, 0.748, 0.982662]), (40, [5, 10, 20], [0.848, 0.937, 0.996680]),
])  # fmt: skip
def test_numbers_of_random_teachers(scale, ranks, expected):
    """Published ones are means of 4000 draws, ±0.01; they grow with the rank."""
    found = tsphys.solve(LinearNetwork(scale=scale), rank=ranks, at=300)["ntk_alignment"]
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert (np.diff(found) > 0).all()
    rng, d = np.random.default_rng(0), 20
    for rank, mean in zip(ranks[:-1], found):
        drawn = learned_alignment(rank, d, scale, 2.0, rng.beta(rank / 2, (d - rank) / 2, 4000))
        assert mean == pytest.approx(drawn.mean(), abs=5 * drawn.std() / 4000**0.5 + 1e-3)


@pytest.mark.parametrize("scale, rank, f, expected", [
    (4, 1, 1.0, 0.84263), (4, 5, 0.5, 0.62786), (40, 5, 1.0, 0.99523)
])  # fmt: skip
def test_descent_by_steps(scale, rank, f, expected):
    """Of forty hidden units; published to 1e-5, steps being as long as there."""
    model = LinearNetwork(scale=scale, rank=rank, alignment=f)
    found = tsphys.simulate(model, t=[20], lr=0.002, width=40 if f == 1 else None, replicas=1)
    assert found["ntk_alignment"][0, 0] == pytest.approx(expected, abs=3e-5)


@pytest.mark.parametrize("more", [{"rank": 1}, {"rank": 3}, {"rank": 2, "teacher": (2, 1)}, {"balance": -4.0}])
def test_a_saddle_is_not_left_by_rounding(more):
    """A silent readout above a first layer that sees nothing of the teacher: no force; what is off it leaves."""
    model, t = LinearNetwork(alignment=0, **more), [1.0, 100.0]
    theory, sim = tsphys.solve(model, t=t), tsphys.simulate(model, t=t, replicas=2)
    for found in (theory["learned"], sim["learned"]):
        assert not found.any()
    for found in (theory["ntk_alignment"], sim["ntk_alignment"]):
        np.testing.assert_allclose(found, 1, rtol=1e-12)
    off = tsphys.simulate(model, t=t, replicas=1, jitter=1e-3)["learned"][0]
    assert off[0] < 0.01
    assert off[1] > 0.9


def test_times_that_are_no_multiples_of_a_step():
    """Steps are equal and end there: the same as by steps of that length, and another answer than rounded times."""
    model = LinearNetwork(rank=2, inputs=5, alignment=1)
    found, same, later = (tsphys.simulate(model, t=[t], lr=lr, replicas=1)["learned"]
                          for t, lr in ((0.17, 0.05), (0.17, 0.17 / 4), (0.15, 0.05)))  # fmt: skip
    np.testing.assert_allclose(found, same, rtol=1e-12)
    assert found > 1.05 * later


def test_hidden_units_that_wait():
    """Beside a stiff unit that turns slowly, small ones learn what it does not see."""
    model = LinearNetwork(rank=1, scale=40, alignment=0.5)
    exact = tsphys.solve(model, t=[40, 200])
    assert exact["ntk_alignment"][0] == pytest.approx(0.52, abs=0.005)
    assert exact["readout"][1] == pytest.approx(0.0998, abs=1e-4)
    # By steps of 0.02, of which an error of some 1e-3 comes.
    waiting = tsphys.simulate(model, t=[40], width=40, jitter=1e-3, replicas=1, lr=0.02)
    np.testing.assert_allclose(waiting["ntk_alignment"], 0.952, atol=0.005)
    np.testing.assert_allclose(waiting["readout"], 1.163, atol=0.03)
    # Rounding is such a disturbance; the equations of motion tell.
    with pytest.raises(tsphys.ConvergenceError):
        tsphys.solve(LinearNetwork(rank=1, scale=20, alignment=0.5, inputs=4), t=[40], method="flow")


@pytest.mark.parametrize("model", [
    LinearNetwork(rank=3, alignment=0.7),
    LinearNetwork(rank=2, alignment=1, teacher=(2, 1, 0.5), balance=0.3),
    LinearNetwork(rank=20, decay=1, alignment=1, scale=2),
    LinearNetwork(rank=1, inputs=2, teacher=(1,), balance=-3.0, alignment=0.2),
])  # fmt: skip
def test_networks_on_theory(model):
    """What does not fluctuate is compared as it is, to ten times the tolerance of a step of the flow."""
    t = [0.0, 0.2, 1.0, 4.0]
    theory, sim = tsphys.solve(model, t=t), tsphys.simulate(model, t=t, replicas=2, width=model.rank + 2)
    for name in theory.observables:
        np.testing.assert_allclose(sim[name], np.broadcast_to(theory[name], (2, 4)), atol=1e-7, err_msg=name)
    assert tsphys.compare(sim, theory).ok


@pytest.mark.parametrize("model", [
    LinearNetwork(rank=5),
    pytest.param(LinearNetwork(rank=20, decay=1), marks=pytest.mark.wide),
    LinearNetwork(rank=2, teacher=(2, 1), balance=0.5, scale=1),
])  # fmt: skip
def test_random_teachers_on_theory(model):
    t = [0.3, 1.0, 3.0]
    theory = tsphys.solve(model, t=t)
    sims = [tsphys.simulate(model, t=t, replicas=32, seed=seed) for seed in range(2)]
    for sim in sims:
        found = tsphys.compare(sim, theory)
        assert found.max_abs_z < found.threshold, found
    off = LinearNetwork(**{**vars(model), "scale": 1.2 * model.scale})
    assert tsphys.compare(sims[0], tsphys.solve(off, t=t)).verdict == "disagree"


def test_online_learning_at_a_small_rate():
    """On fresh white examples, one a step; the error is of order √η, some 2 %, in a run."""
    model, lr, rng = LinearNetwork(rank=3, inputs=6, alignment=0.7), 1e-3, np.random.default_rng(0)
    W1, W2, S = model.start(0.7)
    first = W1.T @ W1
    for _ in range(2000):
        x = rng.standard_normal(6)
        error = (S - W2 @ W1) @ x
        W1, W2 = W1 + lr * np.outer(W2.T @ error, x), W2 + lr * np.outer(error, W1 @ x)
    theory = tsphys.solve(model, t=[2.0])
    K0, K = first, W1.T @ W1 + (W2 @ W2.T) * np.eye(6)
    cosine = np.sum(K0 * K) / np.linalg.norm(K0) / np.linalg.norm(K)
    assert cosine == pytest.approx(theory["ntk_alignment"][0], abs=0.03)
    assert np.sum(S * (W2 @ W1)) / 4 == pytest.approx(theory["learned"][0], abs=0.03)


@pytest.mark.parametrize("model", [
    LinearNetwork(rank=1, alignment=1), LinearNetwork(rank=2, teacher=(2, 1), balance=0.5, alignment=1, scale=0.1),
])  # fmt: skip
def test_steps_are_stable_up_to_the_bound(model):
    """At rest, where all is learned, just below it and just above."""
    bound, rest = steepest_step(model), None
    W1, W2, S = model.start(1.0)
    net = DeepLinear((model.inputs, model.rank, model.outputs), np.eye(model.inputs), S)
    for w in descend(net, net.pack(W1, W2), np.array([20000]), 0.1 * bound):
        rest = w
    push = 1e-6 * np.random.default_rng(0).standard_normal(rest.size)
    off = [np.abs(next(descend(net, rest + push, np.array([400]), by * bound)) - rest).max() for by in (0.98, 1.02)]
    assert off[0] < 1e-5 < off[1]
    refuses(lambda: tsphys.simulate(model, t=[1], lr=1.01 * bound), "lr")


def test_refusals():
    refuses(lambda: tsphys.solve(LinearNetwork(rank=2, decay=1), t=[1], method="exact"), "method")
    refuses(lambda: tsphys.simulate(LinearNetwork(rank=5), t=[1], width=4), "width")
    refuses(lambda: LinearNetwork(rank=21), "rank")
    refuses(lambda: LinearNetwork(rank=20, alignment=0.5), "alignment")
    refuses(lambda: LinearNetwork(rank=1, scale=1, balance=-2), "balance")
    refuses(lambda: LinearNetwork(rank=5, balance=1), "balance")
    refuses(lambda: LinearNetwork(teacher=(0.0,)), "teacher")
    refuses(lambda: LinearNetwork(teacher=(1e-300,)), "teacher")
    refuses(lambda: LinearNetwork(teacher=(1.0,) * 21), "teacher")


def test_starts_that_are_solved_at_once(monkeypatch):
    """As many as their blocks at all times have room, which changes nothing."""
    model, t = LinearNetwork(rank=2, inputs=6), [0.5, 2]
    assert (together(model, 2), together(LinearNetwork(inputs=200), 10_000)) == (128, 1)
    whole = tsphys.solve(model, t=t)
    monkeypatch.setattr("tsphys.odes.linear_network.ROOM", 300)
    parts = tsphys.solve(model, t=t)
    for name in whole.observables:
        np.testing.assert_allclose(parts[name], whole[name], atol=1e-9)
