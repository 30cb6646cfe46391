"""Zeroth-order SGD: the estimates against explicit directions, both engines on the theory."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.naive import variants
from tests.test_zeroth_order_theory import START
from tests.wide import each
from tsphys.cli import main
from tsphys.numerics.random import stream
from tsphys.sims.engines.online import estimates

T = [0.0, 1.0, 2.0, 4.0, 8.0]
MODEL = tsphys.ZerothOrder(lr=0.5, noise=0.1)
RUNS = {
    "few queries": (dataclasses.replace(MODEL, kappa=0.5), "exact", 400),
    "many queries, direct": (dataclasses.replace(MODEL, kappa=2.0), "direct", 150),
    "some coordinates": (dataclasses.replace(MODEL, estimator="sparse", fraction=0.25), "auto", 150),
}
SEEN = dataclasses.replace(START, v=[1, 1], v_star=[1, 1])
#: Chance of a false alarm of one comparison of two samples.
LEVEL = 1e-4


def same_law(a, b):
    return stats.ks_2samp(a, b).pvalue > LEVEL


def estimated(place, c, x, p, count):
    """What `place` makes of the step with rows c_k x, `count` times."""
    K, N = len(c), len(x)
    out, pool, new, rng = np.zeros((count, K, N)), x[None], np.zeros(1, np.int64), stream(3, 0)
    for i, W in enumerate(out):
        left = c[None].copy()
        place(W, pool, new, left, i, p, rng)
        W += left[0][:, None] * x
    return out


@pytest.mark.parametrize("q", [1, 4])
def test_sampler_has_the_law_of_explicit_directions(q):
    """Along G, across it, their squared lengths and their product; N = 20."""
    rng = np.random.default_rng(q)
    c, x, count = np.array([0.7, -0.4]), rng.standard_normal(20), 4000
    G = c[:, None] * x
    noise = np.sqrt(rng.chisquare(q, count) / q)
    fast = estimated(estimates.along_directions, c, x, estimates.Directions(None, float(q), noise), count)
    slow = variants.along_directions(G, q, rng, count)
    across = rng.standard_normal(G.shape)
    across -= G * (G * across).sum() / (G * G).sum()
    project = [[np.tensordot(e, axis, 2) for axis in (G, across)] for e in (fast, slow)]
    for a, b in zip(*project, strict=True):
        assert same_law(a, b)
    assert same_law(project[0][0] * project[0][1], project[1][0] * project[1][1])
    assert same_law((fast**2).sum(axis=(1, 2)), (slow**2).sum(axis=(1, 2)))
    # ⟨ĜĜᵀ⟩ = (1 + 1/q) GGᵀ + |G|²/q; of 820 different entries one is 5.5 standard errors off with probability 3e-5.
    flat, g = fast.reshape(count, -1), G.ravel()
    second = flat[:, :, None] * flat[:, None, :]
    expected = (1 + 1 / q) * np.outer(g, g) + g @ g * np.eye(g.size) / q
    error = second.std(axis=0) / np.sqrt(count)
    assert (np.abs(second.mean(axis=0) - expected) < 5.5 * error).all()
    assert (np.abs(flat.mean(axis=0) - g) < 5 * flat.std(axis=0) / np.sqrt(count)).all()


def test_partial_steps_are_unbiased_and_longer():
    c, x, count, s = np.array([0.7, -0.4]), np.linspace(-1, 2, 20), 4000, 0.3
    G = c[:, None] * x
    found = estimated(estimates.on_some_coordinates, c, x, estimates.Share(None, s), count)
    hit = found != 0
    np.testing.assert_allclose(found[hit], np.broadcast_to(G, found.shape)[hit] / s, rtol=1e-14)
    # 40 frequencies, five standard errors.
    assert (np.abs(hit.mean(axis=0) - s) < 5 * np.sqrt(s * (1 - s) / count)).all()


def test_step_of_engine_exact_on_given_numbers():
    """Ĝ = a²G + (a/√q)|G| ξ, ξ normal across G, in coordinates along one teacher, two students, the rest of x, and two
    more."""
    rng = np.random.default_rng(0)
    x, C, xi, a, q = rng.standard_normal(4), np.array([[0.7], [-0.4]]), rng.standard_normal((2, 6)), 0.8, 3.0
    xi[0, 5] = 0.0
    G = C * np.append(x, [0, 0])
    across = xi - G * (G * xi).sum() / (G * G).sum()
    expected = a**2 * G + a / np.sqrt(q) * np.linalg.norm(G) * across
    A, S = G[:, :1].copy(), G[:, 1:].copy()
    z = np.concatenate([x[:3], xi[:, :4].ravel(), xi[:, 4:].ravel(), [a]])[None]
    p = estimates.Directions(None, q, np.empty(0))
    width = estimates.along_directions_of_coordinates(A, S, C, z, np.full((1, 1), x[3]), p, 3)
    assert width == 5
    np.testing.assert_allclose(np.hstack([A, S]), expected, rtol=1e-13)


def constant(lam, nu, v, v_star, noise, R, Q, p, c, dv):
    """A constant, if there are a parameter of 7, R = 0 and Q = 0, and one noise, and no more."""
    known = p.shape[0] == 1 and noise.shape[0] == 1 and p[0] == 7.0 and R.shape == (2, 1) and Q.shape == (2, 2)
    for k in range(2):
        known = known and abs(R[k, 0]) + abs(Q[k, 0]) + abs(Q[k, 1]) < 1e-9
    c[0] = 1.0 if known else 99.0
    c[1] = -0.5


OWN = {"params": (7.0,), "n_noise": 1, "uses_overlaps": True}
NOTHING = tsphys.OrderParameters(R=np.zeros((2, 1)), Q=1e-20 * np.eye(2), T=[[1.0]])


@pytest.mark.parametrize("engine", ["exact", "direct"])
def test_engines_have_the_law_of_explicit_directions(engine):
    """One step from nothing, q = 2 directions; at N = 6 two dimensions are left to two students in engine `exact`."""
    N, count = 6, 4000
    rule = tsphys.LearningRule(constant, K=2, queries=1 / 3, **OWN)
    sim = tsphys.simulate(rule, N=N, start=NOTHING, t=[1 / N], replicas=count, seed=4, engine=engine)
    rng = np.random.default_rng(0)
    G = np.array([1.0, -0.5])[None, :, None] * rng.standard_normal((count, 1, N))
    step = np.array([variants.along_directions(g, 2, rng, 1)[0] for g in G])
    R, Q = step[:, :, 0] / N, step @ step.transpose(0, 2, 1) / N**2
    for k in range(2):
        assert same_law(sim["R"][:, 0, k, 0], R[:, k])
        for j in range(k + 1):
            assert same_law(sim["Q"][:, 0, k, j], Q[:, k, j])
    assert same_law(np.linalg.det(sim["Q"][:, 0]), np.linalg.det(Q))


@pytest.mark.parametrize("name", each(RUNS, fast=[name for name in RUNS if name != "many queries, direct"]))
def test_simulation_lies_on_the_theory(name):
    model, engine, N = RUNS[name]
    sim = tsphys.simulate(model, N=N, start=START, t=T, replicas=24, seed=1, engine=engine)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=START, t=T))
    assert comparison.ok, comparison
    off = dataclasses.replace(model, kappa=1.25 * model.kappa, fraction=1.6 * model.fraction)
    assert not tsphys.compare(sim, tsphys.solve(off, start=START, t=T)).ok


def test_all_examples_of_a_partial_step_count():
    """On all coordinates, s = 1, the step is that of the minibatch."""
    W, pool, c = np.zeros((2, 20)), np.arange(60.0).reshape(3, 20), np.array([[0.5, -1.0], [0.25, 0.5]])
    estimates.on_some_coordinates(
        W, pool, np.array([2, 0]), left := c.copy(), 0, estimates.Share(None, 1.0), stream(3, 0)
    )
    np.testing.assert_allclose(W, c.T @ pool[[2, 0]], rtol=1e-14)
    assert not left.any()


def test_partial_steps_on_minibatches():
    rule = dataclasses.replace(tsphys.TwoLayer(lr=0.5, noise=0.5, minibatch=3).learning_rule(), fraction=0.05)
    sim = tsphys.simulate(rule, N=300, start=SEEN, t=[0.5, 1.0], replicas=32, seed=1)
    for minibatch, fraction, ok in ((3, 0.05, True), (2, 0.05, False), (3, 0.08, False)):
        other = dataclasses.replace(rule, minibatch=minibatch, fraction=fraction)
        theory = tsphys.solve(other, start=SEEN, t=[0.5, 1.0], points=2**14)
        assert tsphys.compare(sim, theory, observables=["R", "Q"]).ok == ok


def test_queries_are_the_nearest_whole_number():
    rule = dataclasses.replace(MODEL, kappa=0.47).learning_rule()
    assert [estimates.query_count(rule, N) for N in (3, 9, 10, 100)] == [1, 4, 5, 47]


def test_masked_rules_of_a_user_see_their_own_numbers_only():
    rule = tsphys.LearningRule(constant, K=2, masks=lambda N, rng: np.eye(2, N), **OWN)
    Q = tsphys.simulate(rule, N=6, start=NOTHING, t=[1 / 6], engine="direct")["Q"][0, 0]
    assert Q[0, 0] > 1e-6
    assert Q[0, 1] == 0


@pytest.mark.wide
def test_binary_inputs_and_single_precision():
    rule = dataclasses.replace(MODEL.learning_rule(), inputs="binary")
    sim = tsphys.simulate(rule, N=100, start=START, t=T, replicas=24, seed=1, dtype="float32")
    theory = tsphys.solve(MODEL, start=START, t=T)
    assert tsphys.compare(sim, theory, observables=["R", "Q"]).ok


def test_replicas_do_not_depend_on_threads():
    options = {"N": 30, "start": START, "t": [0.5, 1.0], "seed": 2}
    for engine in ("exact", "direct"):
        one = tsphys.simulate(MODEL, replicas=3, threads=1, engine=engine, **options)
        two = tsphys.simulate(MODEL, replicas=4, threads=2, engine=engine, **options)
        assert (one["Q"] == two["Q"][:3]).all()
        assert len(np.unique(two["Q"][:, 1, 0, 0])) == 4


@pytest.mark.parametrize("name", RUNS)
def test_times_of_observation_leave_no_trace(name):
    model, engine, _ = RUNS[name]
    options = {"N": 30, "start": START, "seed": 2, "engine": engine}
    often = tsphys.simulate(model, t=[0.1, 0.37, 1.0], **options)
    assert (often["Q"][:, 2] == tsphys.simulate(model, t=[1.0], **options)["Q"][:, 0]).all()


def test_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code, words in ((0, "compare --kappa 2 -N 300 -r 8 -t 0:2:3:lin"), (2, "solve --estimator spsa -t 1")):
        verb, *options = words.split()
        with pytest.raises(SystemExit) as caught:
            main([verb, "zeroth_order", *options])
        assert caught.value.code == code
    assert "estimator = 'spsa'" in capsys.readouterr().err


def run(model=MODEL, **options):
    return tsphys.simulate(model, **{"N": 30, "t": [0.1], **options})


def still(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = 0.0


BAD = {
    "no queries": (lambda: tsphys.ZerothOrder(kappa=0), "kappa"),
    "queries NaN": (lambda: tsphys.ZerothOrder(kappa=float("nan")), "kappa"),
    "no coordinates": (lambda: tsphys.ZerothOrder(fraction=0), "fraction"),
    "more than all": (lambda: tsphys.ZerothOrder(fraction=1.5), "fraction"),
    "unknown estimator": (lambda: tsphys.ZerothOrder(estimator="es"), "estimator"),
    "no gradient": (lambda: tsphys.ZerothOrder(activation="sign"), "activation"),
    "fewer than one query": (lambda: run(tsphys.ZerothOrder(kappa=0.01)), "kappa"),
    "half a query": (lambda: run(tsphys.ZerothOrder(kappa=0.005), N=100), "kappa"),
    "half a query of a rule": (lambda: run(tsphys.LearningRule(still, queries=0.005), N=100), "queries"),
    "N without room": (lambda: run(N=6, engine="exact"), "N"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, name = BAD[case]
    with pytest.raises(tsphys.ModelError) as caught:
        call()
    assert str(caught.value).startswith(f"{name} = ")
    assert "\n" not in str(caught.value)
