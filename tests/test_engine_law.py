"""The law of the engines: direct against exact, both against what is known in closed form at finite N."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.wide import each
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.starts import checked_start
from tsphys.runs.replicas import over_replicas
from tsphys.sims.engines.online import direct, exact

START = OrderParameters(R=[[0.12, 0.02], [-0.05, 0.1]], Q=[[0.3, 0.05], [0.05, 0.25]], T=[[1, 0.2], [0.2, 1]])
ONE = OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]], v=(), v_star=())
MODELS = {
    "erf": tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2, weight_decay=0.1),
    "erf, b=2=K": tsphys.TwoLayer(lr=1.5, minibatch=2, noise=0.1),
    "erf, b=5>K": tsphys.TwoLayer(lr=2.5, minibatch=5, noise=0.1),
    "relu": tsphys.TwoLayer(activation="relu", lr=0.4, lr_v=0.3, noise=0.1),
    "linear": tsphys.TwoLayer(activation="linear", lr=0.4),
    "tanh": tsphys.TwoLayer(activation="tanh", lr=0.6, minibatch=4),
    "quad": tsphys.TwoLayer(activation="quad", lr=0.03, lr_v=0.02),
    "he2": tsphys.TwoLayer(activation="he2", lr=0.08),
    "sign teacher": tsphys.TwoLayer(teacher_activation="sign", lr=0.5),
    "sign readout": tsphys.TwoLayer(activation="sign", train="second", lr_v=0.5),
    "hebb": tsphys.Perceptron(rule="hebb"),
    "rosenblatt": tsphys.Perceptron(rule="rosenblatt", lr=0.8),
    "adatron": tsphys.Perceptron(rule="adatron"),
    "optimal": tsphys.Perceptron(rule="optimal", minibatch=3),
}
FAST = ("erf", "erf, b=5>K", "adatron")


def sample(engine, model, N, t, replicas, *, start=None, seed=0, observe=None):
    """What `observe` makes of R, Q and v at each time t, by default all distinct entries, as (replicas, entries)."""
    rule = model.learning_rule()
    start = checked_start(rule, start or (START if rule.M == 2 else ONE))
    lower = np.tril_indices(rule.K)
    observe = observe or (lambda R, Q, v: [*R.ravel(), *Q[lower], *v])
    rows = [None] * replicas

    def work(replica, report):
        advance = engine.start_replica(rule, N, start, seed, replica, np.dtype(float))
        step, out = 0, []
        for stop in np.rint(np.array(t) * N).astype(int).tolist():
            step, *state = advance(step, stop)
            out += observe(*state)
        return np.array(out)

    over_replicas(work, range(replicas), threads=2, finished=rows.__setitem__)
    return np.array(rows)


def p_values(a, b):
    """p-values that two samples have one law: distributions, means, variances and covariances of all entries."""
    moving = a.std(axis=0) > 1e-9
    a, b = a[:, moving], b[:, moving]
    centre = 0.5 * (a.mean(axis=0) + b.mean(axis=0))
    i, j = np.tril_indices(a.shape[1])
    products = [((x - centre)[:, i] * (x - centre)[:, j]) for x in (a, b)]
    return np.concatenate(
        [
            [stats.ks_2samp(x, y).pvalue for x, y in zip(a.T, b.T, strict=True)],
            stats.ttest_ind(a, b, equal_var=False).pvalue,
            stats.ttest_ind(*products, equal_var=False).pvalue,
        ]
    )


def same_law(model, N, replicas):
    a, b = (sample(engine, model, N, (0.5, 2.0), replicas) for engine in (direct, exact))
    p = p_values(a, b)
    # Bonferroni: a true pair fails with probability 1e-3.
    assert p.min() * p.size > 1e-3, f"smallest p = {p.min():.2g} of {p.size}"


@pytest.mark.parametrize("name", FAST)
def test_direct_and_exact_have_one_law(name):
    same_law(MODELS[name], 20, 1500)


@pytest.mark.slow
@pytest.mark.parametrize("N", [20, 50, 200])
@pytest.mark.parametrize("name", MODELS)
def test_direct_and_exact_have_one_law_for_every_rule(name, N):
    same_law(MODELS[name], N, 4000)


@pytest.mark.slow
@pytest.mark.parametrize(("N", "b"), [(4, 1), (5, 3), (6, 3)])
def test_direct_and_exact_have_one_law_where_few_dimensions_are_left(N, b):
    same_law(tsphys.TwoLayer(lr=0.8, minibatch=b, noise=0.2), N, 8000)


def test_the_test_of_laws_sees_a_difference_of_five_per_cent():
    a = sample(exact, MODELS["erf"], 20, (0.5, 2.0), 1500)
    b = sample(exact, tsphys.TwoLayer(lr=0.84, lr_v=0.5, noise=0.2, weight_decay=0.1), 20, (0.5, 2.0), 1500, seed=1)
    p = p_values(a, b)
    assert p.min() * p.size < 1e-3


@pytest.mark.parametrize("engine", [direct, exact])
@pytest.mark.parametrize("b", each([1, 3], fast=[1]))
def test_linear_networks_have_their_exact_mean_at_finite_size(engine, b):
    """⟨eps_g⟩ after m steps is ε₀fᵐ + a(1 − fᵐ)/(1 − f), for any K and M: only W = Σ v_k w_k matters."""
    N, lr, sigma, replicas = 20, 0.3, 0.5, 4000
    model = tsphys.TwoLayer(activation="linear", lr=lr, noise=sigma, minibatch=b)
    t = np.array([0.05, 0.5, 2.0, 10.0])
    v, v_star = np.array([0.9, 1.1]), np.ones(2)
    start = OrderParameters(R=START.R, Q=START.Q, T=START.T, v=v)

    def eps_g(R, Q, _):
        return [0.5 * (v @ Q @ v - 2 * v @ R @ v_star + v_star @ START.T @ v_star)]

    data = sample(engine, model, N, t, replicas, start=start, seed=3, observe=eps_g)
    eps_0 = eps_g(START.R, START.Q, v)[0]
    s = v @ v
    e = lr * s / N
    f, a = 1 - 2 * e + e**2 * (N + b + 1) / b, lr**2 * s**2 * sigma**2 / (2 * b * N)
    steps = np.rint(t * N)
    mean = eps_0 * f**steps + a * (1 - f**steps) / (1 - f)
    z = (data.mean(axis=0) - mean) / (data.std(axis=0, ddof=1) / np.sqrt(replicas))
    # Four correlated scores: 4.5 has a probability below 3e-5.
    assert np.abs(z).max() < 4.5, z


@pytest.mark.slow
def test_binary_inputs_have_their_own_second_moment():
    """For a single linear unit, ⟨Q⟩ after one step needs ⟨(w·x)²|x|²⟩: N for ±1, N + 2 for normal inputs."""
    N, lr = 10, 0.5
    start = OrderParameters(R=[[0.0]], Q=[[1.0]], T=[[1.0]], v=[1.0], v_star=[0.0])
    for law, extra in (("binary", 0), ("gaussian", 2)):
        model = tsphys.TwoLayer(K=1, M=1, activation="linear", lr=lr, inputs=law)
        Q = sample(direct, model, N, (0.1,), 4000, start=start, observe=lambda R, Q, v: [Q[0, 0]])
        mean = 1 - 2 * lr / N + lr**2 * (N + extra) / N**2
        assert abs(Q.mean() - mean) < 4.5 * Q.std() / np.sqrt(len(Q))


def test_a_large_training_set_is_like_a_stream():
    """A set of αN examples seen for a time t << α is a stream, to O(t/α) repeated examples."""
    model = tsphys.TwoLayer(lr=0.8, noise=0.2)
    stream, whole = (
        sample(direct, tsphys.TwoLayer(lr=0.8, noise=0.2, alpha=alpha), 30, (1.0,), 800) for alpha in (None, 60.0)
    )
    assert p_values(stream, whole).min() > 1e-5
    few = sample(direct, tsphys.TwoLayer(lr=0.8, noise=0.2, alpha=0.2), 30, (8.0,), 800)
    long = sample(direct, model, 30, (8.0,), 800)
    assert p_values(few, long).min() < 1e-5
