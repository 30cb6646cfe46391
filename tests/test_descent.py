"""The kernel of descent against plain NumPy, and the flow against solutions in closed form."""

import itertools

import numpy as np
import pytest

import tsphys
from tests.naive import descent as naive
from tests.refusal import refuses
from tsphys.sims.engines.gradient import Convolution, DeepLinear, TwoLayer, descend, flow, reduced
from tsphys.sims.engines.gradient.kernels import PENALTIES


def close(a, b):
    """To what rounding makes of fifty steps on numbers of order one."""
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "phi, loss, n, D, K, c",
    [(*law, *size) for law, size in zip(
        itertools.product(("linear", "relu", "quadratic"), ("square", "logistic")),
        [(40, 9, 6, 1), (7, 5, 3, 2), (33, 8, 1, 1), (1, 1, 1, 1), (50, 13, 7, 3), (23, 4, 5, 2)],
    )],
)  # fmt: skip
def test_two_layers_on_data(phi, loss, n, D, K, c):
    rng = np.random.default_rng(n)
    X, W, V = rng.standard_normal((n, D)), 0.3 * rng.standard_normal((K, D)), 0.3 * rng.standard_normal((c, K))
    Y = np.sign(rng.standard_normal((n, c)))
    options = {"phi": phi, "loss": loss, "eps": 0.4, "decay": 0.1, "rates": (1.0, 0.5)}
    net = TwoLayer(X, Y, K, **options)
    seen = [net.layers(w) for w in descend(net, net.pack(W, V), np.array([0, 1, 50]), 0.05)]
    for steps, (W_t, V_t) in zip((0, 1, 50), seen):
        expected = naive.two_layer(W, V, X, Y, 0.05, steps, **options)
        close(W_t, expected[0])
        close(V_t, expected[1])
    dW, dV = net.layers(net.force(net.pack(W, V)))
    close(dW, (seen[1][0] - W) / 0.05)
    close(dV, (seen[1][1] - V) / 0.05)


def test_batches():
    rng = np.random.default_rng(0)
    X, Y, W, V = (rng.standard_normal(s) for s in ((30, 6), (30,), (4, 6), (1, 4)))
    net = TwoLayer(X, Y, 4, phi="relu", batch=5, rng=np.random.default_rng(1))
    (_, w) = descend(net, net.pack(W, V), np.array([7, 20]), 0.1)
    batches = np.random.default_rng(1).integers(30, size=(20, 5))
    expected = naive.two_layer(W, V, X, Y[:, None], 0.1, 20, phi="relu", batches=batches)
    for a, b in zip(net.layers(w), expected):
        close(a, b)


@pytest.mark.parametrize("penalty, sizes", list(zip(PENALTIES, [(5, 4, 3), (5, 1), (4, 6, 3, 2), (3, 3, 3, 3, 3)])))
def test_linear_nets_on_moments(penalty, sizes):
    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((20, sizes[0])), rng.standard_normal((20, sizes[-1]))
    layers = [0.5 * rng.standard_normal((p, q)) for p, q in zip(sizes[1:], sizes)]
    net = DeepLinear(sizes, X.T @ X / 20, Y.T @ X / 20, penalty, 0.2, np.concatenate([W.ravel() for W in layers]))
    (w,) = descend(net, net.pack(*layers), np.array([50]), 0.05)
    for a, b in zip(net.layers(w), naive.deep_linear(layers, X, Y, 0.05, 50, penalty, 0.2), strict=True):
        close(a, b)


@pytest.mark.parametrize("P, F, d, n", [(1, 5, 4, 20), (3, 4, 5, 7), (2, 2, 1, 9)])
def test_patches_under_readouts(P, F, d, n):
    rng = np.random.default_rng(5)
    X, W, A, y = (rng.standard_normal(shape) for shape in ((n, P, d), (F, d), (P, F), n))
    flat = X.reshape(n, -1)
    net = Convolution(A, flat.T @ flat / n, y @ flat / n)
    (w,) = descend(net, W.ravel(), np.array([50]), 0.02)
    close(net.layer(w), naive.convolution(W, A, X, y, 0.02, 50))
    close(net.layer(net.force(W.ravel())), (naive.convolution(W, A, X, y, 0.02, 1) - W) / 0.02)


@pytest.mark.parametrize("rtol", [1e-5, 1e-9])
def test_flow_to_its_tolerance(rtol):
    """A linear net of one unit, w → 1 − e^{−t}, and one of two, which is logistic; ten times rtol, as promised."""
    t, one = np.array([0.0, 0.1, 1.0, 5.0, 30.0]), np.ones((1, 1))
    net = DeepLinear((1, 1), one, one)
    found = np.array([w[0] for w in flow(net, np.array([0.0]), t, rtol)])
    np.testing.assert_allclose(found, 1 - np.exp(-t), atol=10 * rtol)
    assert list(flow(net, np.array([0.0]), np.array([]), rtol)) == []
    net = DeepLinear((1, 1, 1), one, 2 * one)
    found = np.array([w.prod() for w in flow(net, np.array([0.1, 0.1]), t, rtol)])
    np.testing.assert_allclose(found, 2 / (1 + (2 / 0.01 - 1) * np.exp(-4 * t)), atol=10 * 2 * rtol)


def test_few_examples_descend_in_their_span():
    rng = np.random.default_rng(3)
    X, Y, W, V = (rng.standard_normal(s) for s in ((6, 40), (6,), (3, 40), (1, 3)))
    Z, Q = reduced(X)
    wide, narrow = (TwoLayer(x, Y, 3, phi="relu") for x in (X, Z))
    (w,) = descend(wide, wide.pack(W, V), np.array([50]), 0.01)
    (z,) = descend(narrow, narrow.pack(W @ Q, V), np.array([50]), 0.01)
    moved, V_t = narrow.layers(z)
    close(W + (moved - W @ Q) @ Q.T, wide.layers(w)[0])
    close(V_t, wide.layers(w)[1])


def test_what_is_too_fast_diverges():
    rng = np.random.default_rng(4)
    net = TwoLayer(rng.standard_normal((9, 5)), rng.standard_normal(9), 2)
    with pytest.raises(tsphys.DivergedError, match="diverged at step"):
        list(descend(net, rng.standard_normal(12), np.array([10**5]), 10.0))
    grows = DeepLinear((1, 1), np.array([[-1.0]]), np.ones((1, 1)))
    with pytest.raises(tsphys.DivergedError, match="flow diverged"):
        list(flow(grows, np.ones(1), np.array([200.0])))
    refuses(lambda: TwoLayer(np.ones((2, 2)), np.ones(2), 1, phi="tanh"), "phi")
    refuses(lambda: TwoLayer(np.ones((2, 2)), np.ones(2), 1, batch=1), "rng")
    refuses(lambda: TwoLayer(np.ones((2, 2)), np.ones(2), 1, batch=1.5, rng=rng), "batch")
    refuses(lambda: TwoLayer(np.ones((2, 2)), np.ones(3), 1), "Y")


@pytest.mark.parametrize("longest", [np.inf, 1e-7])
def test_a_flow_that_would_take_ever_so_many_steps_says_so_at_once(longest):
    """An explicit formula is stable for steps of some 3/rate only."""
    rate = 1e8 if longest == np.inf else 1.0
    stiff = DeepLinear((1, 1), np.array([[rate]]), np.full((1, 1), rate))
    with pytest.raises(tsphys.ConvergenceError, match="more than 1000000 steps to t = 10") as caught:
        list(flow(stiff, np.zeros(1), np.array([10.0]), longest=longest))
    assert caught.value.iterations < 50_000


def test_memory_is_that_of_the_arrays():
    """Inputs, answers, their copies, and room for fields, slopes and errors."""
    n, D, K, c = 50, 13, 7, 2
    net = TwoLayer(np.ones((n, D)), np.ones((n, c)), K)
    held = sum(a.nbytes for a in (net.X, net.Y, *net._data)) + 8 * n * (2 * K + c)
    assert held <= TwoLayer.memory(n, D, K, c) <= 1.3 * held
