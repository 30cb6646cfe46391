"""Diffusion of the order parameters at finite N, against the exact chain, which knows nothing of it."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.wide import each
from tsphys.odes.equations.one_step import root
from tsphys.odes.finite_size import sample
from tsphys.validation.two_layer import START

MODELS = {
    "erf": tsphys.TwoLayer(lr=1.5, noise=0.2),
    "both layers": tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2, weight_decay=0.1),
    "minibatch": tsphys.TwoLayer(lr=2.0, minibatch=3, noise=0.3),
    "relu": tsphys.TwoLayer(activation="relu", lr=0.3, lr_v=0.2),
}


def entries(result):
    Q = result["Q"][..., [0, 1, 1], [0, 0, 1]]
    n = len(Q)
    return np.hstack([result["R"][:, -1].reshape(n, -1), Q[:, -1].reshape(n, -1), result["v"][:, -1]])


@pytest.mark.parametrize("name", each(MODELS, fast=("erf", "both layers", "relu")))
def test_fluctuations_are_those_of_the_exact_chain(name):
    model, N, n, t = MODELS[name], 2000, 600, [0, 3.0]
    walk = entries(sample(model, N=N, t=t, start=START, replicas=n, seed=1))
    chain = entries(tsphys.simulate(model, N=N, t=t, start=START, replicas=n, seed=2))
    moving = chain.std(axis=0) > 1e-9
    walk, chain = walk[:, moving], chain[:, moving]
    # Two samples of one law: Bonferroni at 1e-3. The bias of order 1/N is 1/√N of the spread, hidden by √n << √N.
    p = [stats.ks_2samp(a, b).pvalue for a, b in zip(walk.T, chain.T, strict=True)]
    centred = [x - x.mean(axis=0) for x in (walk, chain)]
    products = [(x[:, :, None] * x[:, None]).reshape(n, -1) for x in centred]
    p += stats.ttest_ind(*products, equal_var=False).pvalue.tolist()
    assert min(p) * len(p) > 1e-3


@pytest.mark.parametrize("name", each(["erf", "both layers", "minibatch"], fast=["both layers"]))
def test_fluctuations_have_the_covariance_of_the_expansion(name):
    """All together, at a size whose deviations are linear: the mean square of whitened ones is 1."""
    model, N, n, t = MODELS[name], 10**8, 600, [0, 3.0]
    walk = entries(sample(model, N=N, t=t, start=START, replicas=n, dt=0.02))
    theory = tsphys.solve(model, t=t, start=START, N=N, fluctuations=True)
    C = np.block([[theory.cov(a, b)[-1].reshape(theory[a][0].size, -1) for b in "RQv"] for a in "RQv"])
    # As `entries` has them, with Q_12 once; readouts that do not learn do not move.
    moving = [0, 1, 2, 3, 4, 6, 7, 8, 9][: 9 if model.lr_v else 7]
    moved = walk[:, : len(moving)] - walk[:, : len(moving)].mean(axis=0)
    squares = np.linalg.solve(np.linalg.cholesky(C[np.ix_(moving, moving)]), moved.T) ** 2
    assert abs(squares.sum() / (len(moving) * (n - 1)) - 1) < 4 * np.sqrt(2 / squares.size)


def test_noise_shrinks_like_the_root_of_the_size():
    spread = [
        entries(sample(MODELS["erf"], N=N, t=[0, 3.0], start=START, replicas=400)).std(axis=0)[:7] * np.sqrt(N)
        for N in (10**4, 10**8)
    ]
    # Standard deviations of 400 runs are known to 1/√800 each.
    assert np.abs(spread[0] / spread[1] - 1).max() < 5 * np.sqrt(2 / 800)


def test_without_noise_it_is_the_ordinary_motion():
    t = [0, 1.0, 5.0]
    walk = sample(MODELS["both layers"], N=10**15, t=t, start=START, dt=0.01)
    theory = tsphys.solve(MODELS["both layers"], t=t, start=START)
    # Heun's method: error of order dt² per unit of time; noise of 1e-9.
    for name in ("R", "Q", "v", "eps_g"):
        np.testing.assert_allclose(walk[name][0], theory[name], atol=2e-4)


def test_the_step_is_of_second_order():
    t = [0, 5.0]
    exact = tsphys.solve(MODELS["erf"], t=t, start=START)["eps_g"][1]
    walks = [sample(MODELS["erf"], N=10**15, t=t, start=START, dt=dt) for dt in (0.1, 0.05)]
    errors = [abs(walk["eps_g"][0, 1] - exact) for walk in walks]
    assert 3 < errors[0] / errors[1] < 5


def test_the_bits_do_not_depend_on_threads():
    one, two = (sample(MODELS["erf"], N=1000, t=[1.0], replicas=4, threads=k)["Q"] for k in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_root_of_singular_and_slightly_negative_matrices():
    for S in (np.zeros((2, 2)), np.ones((2, 2)), np.array([[1.0, 0.5], [0.5, 0.25 - 1e-12]])):
        L = np.zeros((2, 2))
        root(S, L)
        np.testing.assert_allclose(L @ L.T, S, atol=2e-12)


@pytest.mark.parametrize(
    ("change", "name"),
    [({"dt": 0}, "dt"), ({"N": 3}, "N"), ({"replicas": 0}, "replicas"), ({"t": [-1]}, "t"), ({"start": 3}, "start")],
)
def test_bad_input(change, name):
    with pytest.raises(tsphys.ModelError) as caught:
        sample(MODELS["erf"], **{"N": 100, "t": [1.0], **change})
    assert caught.value.name == name


def test_models_without_closed_equations_are_refused():
    with pytest.raises(tsphys.ModelError, match="closed equations"):
        sample(tsphys.TwoLayer(activation="tanh"), N=100, t=[1.0])
    with pytest.raises(tsphys.ModelError, match="fresh"):
        sample(tsphys.TwoLayer(alpha=1.0), N=100, t=[1.0])
