"""Engines direct and exact against the slow, obvious reference, step by step and digit by digit."""

import numpy as np
import pytest

import tsphys
from tests.naive import online as naive
from tests.wide import each
from tsphys._jit import rebind
from tsphys.numerics.random import generator, normals, signs, stream
from tsphys.physics.order_parameters import OrderParameters, coordinates, microscopic
from tsphys.rules.starts import checked_start, drawn_start
from tsphys.sims.engines.online import direct, exact
from tsphys.sims.engines.online.examples import pool_size
from tsphys.sims.engines.online.local import BLOCK, bind
from tsphys.sims.engines.online.passes import AHEAD, one_by_one, pass_over, together
from tsphys.validation.two_layer import START

MODELS = [
    tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2, weight_decay=0.1),
    tsphys.TwoLayer(activation="relu", lr=0.4, minibatch=3, noise=0.1),
    tsphys.TwoLayer(activation="tanh", teacher_activation="sign", lr=0.3, train="both", weight_decay_v=0.2),
    tsphys.TwoLayer(activation="quad", lr=0.05, lr_v=0.03, inputs="binary"),
    tsphys.TwoLayer(activation="he2", teacher_activation="erf", lr=0.05, alpha=0.3, noise=0.3, minibatch=2),
    tsphys.TwoLayer(activation="linear", lr_v=0.4, train="second", alpha=0.2, inputs="binary"),
]
IDS = [f"{m.activation}-{m.inputs}-{'stream' if m.alpha is None else 'set'}-b{m.minibatch}" for m in MODELS]


def inputs(model, N, seed, replica):
    """Examples x (b, N) and noise zeta (b,) in the order in which engine `direct` draws them."""
    rng, scalars = stream(seed, replica, "direct inputs"), generator(seed, replica, "direct scalars")
    draw = signs if model.inputs == "binary" else normals
    b = model.minibatch
    if model.alpha is not None:
        x = np.empty((int(np.ceil(model.alpha * N)), N))
        for row in x:
            draw(rng, row)
        zeta = scalars.standard_normal(len(x))
        while True:
            rows = scalars.integers(len(x), size=b)
            yield x[rows], zeta[rows]
    while True:
        x = np.empty((b, N))
        for low in range(0, N, BLOCK):
            for beta in range(b):
                draw(rng, x[beta, low : low + BLOCK])
        yield x, scalars.standard_normal(b)


WIDE = [pytest.mark.wide if "quad" in name or "relu" in name else () for name in IDS]


@pytest.mark.parametrize("model", [pytest.param(m, id=i, marks=w) for m, i, w in zip(MODELS, IDS, WIDE, strict=True)])
def test_direct_takes_the_steps_of_the_reference(model):
    N, seed, replica = 600, 5, 3
    start = checked_start(model.learning_rule(), START)
    run = direct.start_replica(model.learning_rule(), N, start, seed, replica, np.dtype(float))
    W, B = microscopic(start, N, generator(seed, replica, "direct start"))
    v, draw = np.array(start.v), inputs(model, N, seed, replica)
    step = 0
    for stop in (1, 2, 7, 40):
        for _ in range(stop - step):
            x, zeta = next(draw)
            W, v = naive.two_layer_step(model, W, B, v, start.v_star, x, zeta)
        step, R, Q, readout = run(step, stop)
        assert step == stop
        expected = naive.overlaps(W, B)
        # 40 steps with sums of 600 terms: rounding of order 40 · sqrt(600) · 1e-16.
        np.testing.assert_allclose(R, expected[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(Q, expected[1], rtol=0, atol=1e-12)
        np.testing.assert_allclose(readout, v, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rule", each(["hebb", "rosenblatt", "adatron", "optimal"], fast=["hebb", "adatron"]))
def test_direct_takes_the_steps_of_the_reference_for_perceptrons(rule):
    N, model = 100, tsphys.Perceptron(rule=rule, lr=0.7, minibatch=2)
    start = OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]], v=(), v_star=())
    run = direct.start_replica(model.learning_rule(), N, start, 1, 0, np.dtype(float))
    W, B = microscopic(start, N, generator(1, 0, "direct start"))
    rng = stream(1, 0, "direct inputs")
    _, R, Q, _ = run(0, 20)
    for _ in range(20):
        x = np.empty((2, N))
        for row in x:
            normals(rng, row)
        W = naive.perceptron_step(model, W, B, x)
    expected = naive.overlaps(W, B)
    # The reference integrates numerically, to 1e-14 of a probability that may be as small as 1e-4.
    np.testing.assert_allclose(R, expected[0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(Q, expected[1], rtol=0, atol=1e-10)


def test_single_precision_starts_from_the_same_overlaps():
    rule = MODELS[0].learning_rule()
    start = checked_start(rule, START)
    results = [direct.start_replica(rule, 500, start, 2, 0, np.dtype(d))(0, 0) for d in ("float64", "float32")]
    assert results[1][1].dtype == np.float64
    # Weights of order one rounded to 24 bits; overlaps are means of 500 products.
    np.testing.assert_allclose(results[1][2], results[0][2], rtol=0, atol=3 * 2.0**-24)


@pytest.mark.parametrize("model", [m for m in MODELS if m.alpha is None and m.inputs == "gaussian"][:2])
@pytest.mark.parametrize("N", [4, 5, 30, 10**9])
def test_exact_takes_the_steps_of_the_gram_form(model, N):
    """Each step of the triangular chain against ΔQ from the Gram matrix of the inputs, with the same random numbers."""
    model = tsphys.TwoLayer(**{**vars(model), "minibatch": min(model.minibatch, 2)})
    rule = model.learning_rule()
    start = checked_start(rule, START)
    A, L, LT = (np.ascontiguousarray(a) for a in coordinates(start))
    K, M, b = rule.K, rule.M, rule.minibatch
    v, p, dof = np.array(start.v), rule.seen_params(), N - K - M
    v_star = np.array(start.v_star)
    R, Q = np.empty((K, M)), np.empty((K, K))
    kernel = bind(exact.advance, rule.function)
    decays = 1 - rule.weight_decay / N, 1 - rule.weight_decay_v / N
    step = rule.function.py_func
    draws = exact.Draws(rule, dof, exact.SCALARS)
    draws.begin(next(exact.seeded(9, [1])))
    for _ in range(60):
        before = A.copy(), L.copy(), LT
        drawn, F = draws.take(1)
        z, C, dv = drawn[0, :, : M + K], np.empty((K, b)), np.zeros(K)
        for beta in range(b):
            c, change = np.zeros(K), np.zeros(K)
            step(np.hstack(before[:2]) @ z[beta], LT @ z[beta, :M], v, v_star, drawn[0, beta, M + K :], p, c, change)
            C[:, beta], dv = c, dv + change / (b * N)
        root = np.tril(F[0])[:, : max(min(b, dof), 0)]
        expected = naive.chain_step(decays[0], *before, C, z, z @ z.T + root @ root.T, N)
        expected_v = decays[1] * v + dv
        assert kernel(A, L, LT, v, v_star, p, False, drawn, F, dof, N, *decays, R, Q, *exact.scratch(rule, len(v))) == 1
        # One step moves the overlaps by some 1/N and rounds them to 1e-16 of their size.
        np.testing.assert_allclose(R, expected[0], rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(Q, expected[1], rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(v, expected_v, rtol=1e-14)


def test_rounding_does_not_build_up_on_the_way_to_a_vanishing_error():
    """The overlaps of the chain against the sum of all their changes, kept in extended precision, down to 1e-12."""
    N, K, M = 20, 2, 2
    model = tsphys.TwoLayer(lr=1.5)
    rule = model.learning_rule()
    near = OrderParameters(R=0.9 * np.eye(2), Q=0.85 * np.eye(2), T=np.eye(2))
    A, L, LT = (np.ascontiguousarray(a) for a in coordinates(near))
    v, p, ones = np.ones(2), rule.seen_params(), np.ones(2)
    R, Q = np.empty((K, M)), np.empty((K, K))
    kernel, draws = bind(exact.advance, rule.function), exact.Draws(rule, N - K - M, exact.SCALARS)
    draws.begin(next(exact.seeded(4, [0])))
    memory = exact.scratch(rule, len(v))
    R_sum, Q_sum = np.array(near.R, dtype=np.longdouble), np.array(near.Q, dtype=np.longdouble)
    for _ in range(40 * N):
        z, F = draws.take(100)
        for i in range(len(z)):
            lam, nu = np.hstack([A, L]) @ z[i, 0, :4], LT @ z[i, 0, :2]
            c, dv = np.zeros(K), np.zeros(K)
            rule.function(lam, nu, v, ones, z[i, 0, 4:], p, c, dv)
            x2 = z[i, 0, :4] @ z[i, 0, :4] + F[i, 0, 0] ** 2
            R_sum += np.outer(c, nu) / N
            Q_sum += (np.outer(lam, c) + np.outer(c, lam)) / N + np.outer(c, c) * x2 / N**2
            kernel(A, L, LT, v, ones, p, False, z[i : i + 1], F[i : i + 1], N - K - M, N, 1.0, 1.0, R, Q, *memory)
        if model.eps_g(R, Q, np.eye(2), ones, ones) < 1e-12:
            break
    else:
        pytest.fail("the error does not vanish")
    np.testing.assert_allclose(R, R_sum.astype(float), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(Q, Q_sum.astype(float), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(A @ A.T + L @ L.T, Q, rtol=1e-15)


@pytest.mark.parametrize(("N", "b"), [(10, 1), (10, 3), (5, 2), (6, 4), (4, 2)])
def test_the_rest_of_the_inputs_has_wishart_moments(N, b):
    """F Fᵀ is Wishart with n = N − K − M degrees of freedom: mean n, variances 2n and n, whatever n < b."""
    rule = tsphys.TwoLayer(K=2, M=2, minibatch=b).learning_rule()
    dof, small = N - 4, min(b, 2)
    draws = exact.Draws(rule, dof, exact.SCALARS)
    draws.begin(next(exact.seeded(0, [0])))
    F = np.concatenate([draws.take(10**9)[1].copy() for _ in range(60)])
    F = np.tril(F)[:, :, : min(small, dof)]
    G = F @ F.swapaxes(1, 2)
    error = 4.5 / np.sqrt(len(G))
    for i in range(small):
        for j in range(i + 1):
            mean, variance = (dof, 2 * dof) if i == j else (0, dof)
            assert abs(G[:, i, j].mean() - mean) <= error * np.sqrt(variance)
            # The fourth moment of a Wishart entry is below 25 variances squared for n >= 1.
            assert abs(G[:, i, j].var() - variance) <= error * 5 * variance


def test_householder_keeps_the_gram_matrix():
    rng = np.random.default_rng(0)
    for K, extra in ((1, 1), (2, 1), (4, 1), (5, 3), (3, 0)):
        S = rng.standard_normal((K, K + extra)) * 10.0 ** rng.integers(-9, 3, (K, 1))
        S[K // 2, K:] = 0
        gram = S @ S.T
        exact.lower(S, K, K + extra)
        L = np.tril(S[:, :K])
        scale = np.sqrt(np.outer(np.diag(gram), np.diag(gram)))
        assert (np.abs(L @ L.T - gram) <= 1e-14 * scale).all()


@pytest.mark.parametrize("N", [4, 10, 1000])
def test_a_macroscopic_start_is_realised_microscopically(N):
    W, B = microscopic(START, N, np.random.default_rng(0))
    for found, wanted in zip(naive.overlaps(W, B), (START.R, START.Q, START.T), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)
    for engine in ("direct", "exact"):
        sim = tsphys.simulate(tsphys.TwoLayer(), N=N, t=[0], start=START, replicas=2, engine=engine)
        np.testing.assert_allclose(sim["R"][:, 0], np.stack([START.R] * 2), rtol=0, atol=1e-12)
        np.testing.assert_allclose(sim["Q"][:, 0], np.stack([START.Q] * 2), rtol=0, atol=1e-12)
        np.testing.assert_array_equal(sim["v"][1, 0], START.v)


def test_singular_starts_are_realised():
    zero = OrderParameters(R=np.zeros((2, 1)), Q=np.zeros((2, 2)), T=[[1.0]])
    same = OrderParameters(R=[[0.5], [0.5]], Q=[[0.25, 0.25], [0.25, 0.25]], T=[[1.0]])
    teachers = OrderParameters(R=[[1.0, 1.0]], Q=[[1.0]], T=[[1.0, 1.0], [1.0, 1.0]])
    for start in (zero, same, teachers):
        W, B = microscopic(start, 20, np.random.default_rng(1))
        for found, wanted in zip(naive.overlaps(W, B), (start.R, start.Q, start.T), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("engine", ["direct", "exact"])
def test_the_bits_depend_on_seed_and_replica_alone(engine):
    model = tsphys.TwoLayer(K=3, M=2, lr_v=0.1, noise=0.1)
    options = {"N": 50, "t": [0, 0.5, 2], "engine": engine, "seed": 4}
    one = tsphys.simulate(model, replicas=5, threads=1, **options)
    two = tsphys.simulate(model, replicas=5, threads=2, **options)
    fewer = tsphys.simulate(model, replicas=2, **options)
    for name in ("R", "Q", "v", "eps_g"):
        np.testing.assert_array_equal(one[name], two[name])
        np.testing.assert_array_equal(one[name][:2], fewer[name])
    other = tsphys.simulate(model, replicas=2, **{**options, "seed": 5})
    assert (other["Q"] != fewer["Q"]).all()
    assert len(np.unique(one["Q"][:, -1, 0, 0])) == 5


@pytest.mark.parametrize("engine", ["direct", "exact"])
def test_recording_more_often_changes_nothing(engine):
    model = tsphys.TwoLayer(lr_v=0.2)
    coarse = tsphys.simulate(model, N=40, t=[3], replicas=2, engine=engine)
    fine = tsphys.simulate(model, N=40, t=np.arange(121) / 40, replicas=2, engine=engine)
    # Direct adds the last update before it records and not in the pass that follows: the same operations, fused or not.
    np.testing.assert_allclose(fine["Q"][:, -1], coarse["Q"][:, -1], rtol=1e-12)


@pytest.mark.parametrize("engine", ["direct", "exact"])
def test_divergence_is_reported_with_its_time(engine):
    model = tsphys.TwoLayer(activation="linear", lr=20.0, init=1.0)
    with pytest.raises(tsphys.DivergedError) as caught:
        tsphys.simulate(model, N=20, t=[0, 0.1, 100], replicas=2, engine=engine)
    error = caught.value
    assert 0.1 < error.t < 100
    assert f"t = {error.t:.4g}" in str(error)
    assert np.isfinite(error.partial["Q"][:, :2]).all()
    assert np.isnan(error.partial["Q"][:, 2]).all()


def test_default_starts_differ_between_replicas_and_are_drawn_from_the_seed():
    model = tsphys.TwoLayer(K=3, M=2)
    sim = tsphys.simulate(model, N=100, t=[0], replicas=3, seed=8)
    for replica in range(3):
        np.testing.assert_allclose(sim["Q"][replica, 0], drawn_start(model, 100, 8, replica).Q, rtol=1e-12)
    assert len(np.unique(sim["Q"][:, 0, 0, 0])) == 3


@pytest.mark.parametrize("engine", ["direct", "exact"])
@pytest.mark.parametrize(("N", "minibatch"), [(70, 1), (100, 3), (1030, 1)])
def test_the_bits_do_not_depend_on_when_it_is_observed(engine, N, minibatch):
    """Sizes that leave a remainder in vectors and blocks, where a compiler may round one loop unlike another."""
    model = tsphys.TwoLayer(K=3, M=2, lr=0.5, lr_v=0.2, noise=0.1, weight_decay=0.3, minibatch=minibatch)
    options = {"N": N, "replicas": 2, "seed": 1, "engine": engine}
    once = tsphys.simulate(model, t=[0.5], **options)
    often = tsphys.simulate(model, t=[0, 1 / N, 0.1, 0.2, 0.35, 0.5], **options)
    for name in ("R", "Q", "v"):
        np.testing.assert_array_equal(once[name][:, -1], often[name][:, -1])


def test_resume_gives_the_bits_of_an_uninterrupted_run():
    model = tsphys.TwoLayer()
    options = {"N": 30, "t": [0, 1], "seed": 2}
    whole = tsphys.simulate(model, replicas=4, **options)
    part = tsphys.simulate(model, replicas=2, **options)
    resumed = tsphys.simulate(model, replicas=4, resume=part, **options)
    np.testing.assert_array_equal(resumed["Q"], whole["Q"])
    with pytest.raises(tsphys.ModelError, match="holds another run"):
        tsphys.simulate(model, replicas=4, resume=part, **{**options, "seed": 3})


@pytest.mark.parametrize(("alpha", "examples"), [(1e-9, 1), (0.07, 7), (0.071, 8), (3.0, 300)])
def test_a_training_set_has_as_many_examples_as_the_load_says(alpha, examples):
    assert pool_size(tsphys.TwoLayer(alpha=alpha).learning_rule(), 100) == examples
    assert np.isfinite(tsphys.simulate(tsphys.TwoLayer(alpha=alpha), N=100, t=[0.1])["Q"]).all()


def test_auto_takes_the_exact_law_where_it_holds():
    for model, engine in (
        (tsphys.TwoLayer(), "exact"),
        (tsphys.TwoLayer(inputs="binary"), "direct"),
        (tsphys.TwoLayer(alpha=2.0), "direct"),
    ):
        assert tsphys.simulate(model, N=20, t=[0.1]).meta["engine"] == engine


@pytest.mark.parametrize(("K", "M"), [(1, 1), (2, 3), (4, 2), (7, 4), (8, 5)])
@pytest.mark.parametrize(("g", "b"), [(2, 2), (4, 4), (4, 2), (4, 1), (5, 5)])
def test_a_pass_moves_all_weights_and_gathers_all_fields(K, M, g, b):
    # Inputs go by four and one; two blocks of coordinates, the second of them short. Sums of 700 products round by less
    # than 1e-12 of numbers of order 30.
    N, rng = 700, np.random.default_rng([K, M])
    W, B, pool, c = (rng.standard_normal(shape) for shape in ((K, N), (M, N), (2 * g, N), (g, K)))
    left = rng.uniform(0.8, 1.0, K)
    lam, nu, gram, old, new = np.ones((g, K)), np.ones((g, M)), np.ones((g, g)), np.arange(g) + g, np.arange(g)
    wanted = left[:, None] * W + c.T @ pool[old]
    kernel = pass_over if g == AHEAD else rebind(pass_over, {together: one_by_one})
    kernel(W, B, pool, old, new, b, c, left, True, False, stream(0, 0), lam, nu, gram)
    np.testing.assert_allclose(W, wanted, rtol=0, atol=1e-12)
    np.testing.assert_allclose(lam, pool[new] @ wanted.T, rtol=0, atol=1e-11)
    np.testing.assert_allclose(nu, pool[new] @ B.T, rtol=0, atol=1e-11)
    if g > b:
        np.testing.assert_allclose(gram, np.tril(pool[new] @ pool[new].T, -1), rtol=0, atol=1e-11)


PIECES = {
    "fresh": tsphys.TwoLayer(lr=0.5, lr_v=0.3, noise=0.2, weight_decay=0.3),
    "±1": tsphys.TwoLayer(lr=0.5, inputs="binary"),
    "pairs": tsphys.TwoLayer(lr=0.5, minibatch=2, weight_decay=0.3),
    "stored": tsphys.TwoLayer(lr=0.5, alpha=0.1, noise=0.2),
    "epochs": tsphys.TwoLayer(lr=0.5, alpha=0.1, order="shuffle"),
    "anchors": tsphys.Continual(tasks=2, regulariser="l2", strength=0.5, durations=[0.07, 1.0]),
    "units": tsphys.Growth(at=0.07),
}


@pytest.mark.parametrize(
    "name, dtype",
    each([(name, "float64") for name in PIECES], fast=[name for name in PIECES if name != "anchors"])
    + each([(name, "float32") for name in PIECES], fast=["fresh"], slow=PIECES.keys() - {"fresh"}),
)
def test_what_is_seen_in_between_leaves_no_trace(name, dtype):
    """Steps share passes over the weights; looks at the weights, and changes of the rule, come in between."""
    N, options = 100, {"engine": "direct", "dtype": dtype, "seed": 4, "replicas": 2}
    seen = np.array([1, 2, 3, 4, 5, 7, 8, 11, 16, 18]) / N
    every = tsphys.simulate(PIECES[name], N=N, t=seen, **options)
    for i in (2, 5, 9):
        alone = tsphys.simulate(PIECES[name], N=N, t=seen[i : i + 1], **options)
        for observable in ("R", "Q", "v"):
            np.testing.assert_array_equal(alone[observable][:, 0], every[observable][:, i])
