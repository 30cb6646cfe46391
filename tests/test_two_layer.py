"""Two-layer networks: simulation on theory."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.wide import each
from tsphys.validation.two_layer import START

WIDE = tsphys.OrderParameters(
    R=[[0.3, 0.0], [0.0, 0.3], [0.1, -0.05], [-0.1, 0.15]], Q=np.diag([0.3, 0.25, 0.2, 0.35]), T=np.eye(2)
)
T = np.linspace(0, 20, 21)
MODELS = {
    "erf": (tsphys.TwoLayer(lr=1.0), START),
    "erf, wide, noise": (tsphys.TwoLayer(K=4, M=2, lr=0.5, noise=0.3), WIDE),
    "both layers": (tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2, weight_decay=0.02), START),
    "relu": (tsphys.TwoLayer(activation="relu", lr=0.3, noise=0.1), START),
    "relu, both layers": (tsphys.TwoLayer(activation="relu", lr=0.4, lr_v=0.3, weight_decay=0.05), START),
    "minibatch": (tsphys.TwoLayer(lr=3.0, minibatch=4, noise=0.2), START),
    "quad": (tsphys.TwoLayer(activation="quad", lr=0.03, lr_v=0.02), START),
    "he2": (tsphys.TwoLayer(activation="he2", lr=0.05), START),
    "linear": (tsphys.TwoLayer(activation="linear", lr=0.3, noise=0.3), START),
    "tanh": (tsphys.TwoLayer(activation="tanh", lr=0.5), START),
    "sign teacher": (tsphys.TwoLayer(teacher_activation="sign", lr=0.5), START),
    "second layer": (tsphys.TwoLayer(train="second", lr_v=0.5), START),
}


@pytest.mark.parametrize("name", each(MODELS, fast=[name for name in MODELS if name != "tanh"]))
def test_simulation_lies_on_theory(name):
    model, start = MODELS[name]
    sim = tsphys.simulate(model, N=1000, start=start, t=T, replicas=32)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=start, t=T))
    assert sim.meta["engine"] == "exact"
    assert comparison.ok, comparison


@pytest.mark.parametrize("inputs", ["gaussian", "binary"])
def test_weights_lie_on_theory(inputs):
    model = tsphys.TwoLayer(lr=1.0, noise=0.1, inputs=inputs)
    t = np.linspace(0, 10, 6)
    sim = tsphys.simulate(model, N=500, start=START, t=t, replicas=16, engine="direct")
    comparison = tsphys.compare(sim, tsphys.solve(model, start=START, t=t))
    assert comparison.ok, comparison


def test_the_comparison_sees_a_learning_rate_that_is_two_per_cent_off():
    t = np.linspace(0, 20, 6)
    sim = tsphys.simulate(tsphys.TwoLayer(lr=1.0), N=1000, start=START, t=t, replicas=32)
    assert not tsphys.compare(sim, tsphys.solve(tsphys.TwoLayer(lr=1.02), start=START, t=t)).ok


def test_default_starts_agree():
    """Without a start the theory takes that of replica 0."""
    model, t = tsphys.TwoLayer(K=3, M=2, lr=0.5, init=0.5), np.linspace(0, 5, 6)
    theory = tsphys.solve(model, N=100_000, seed=3, t=t)
    sim = tsphys.simulate(model, N=100_000, seed=3, t=t)
    np.testing.assert_allclose(sim["Q"][0, 0], theory["Q"][0], rtol=1e-12)
    # One run: fluctuations of some units of 1/√N.
    np.testing.assert_allclose(sim["Q"][0], theory["Q"], atol=5 / np.sqrt(100_000))


def deviations(sizes, replicas, t=4.0):
    """Mean deviation of R, Q, v and eps_g from theory, its standard error, and the standard deviation over replicas."""
    model, start = MODELS["both layers"]
    theory = tsphys.solve(model, start=start, t=[0, t])
    bias, error, spread = [], [], []
    for N, n in zip(sizes, replicas, strict=True):
        sim = tsphys.simulate(model, N=N, start=start, t=[0, t], replicas=n, seed=N)
        entries = {k: (sim[k][:, 1].reshape(n, -1), theory[k][1].reshape(-1)) for k in ("eps_g", "R", "Q", "v")}
        entries["Q"] = tuple(a[..., [0, 1, 3]] for a in entries["Q"])
        bias.append(np.concatenate([x.mean(axis=0) - y for x, y in entries.values()]))
        spread.append(np.concatenate([x.std(axis=0, ddof=1) for x, _ in entries.values()]))
        error.append(spread[-1] / np.sqrt(n))
    return (np.array(a) for a in (bias, error, spread))


def shrinks_as_finite_sizes_should(sizes, replicas):
    N, n = (np.array(a, dtype=float)[:, None] for a in (sizes, replicas))
    bias, error, spread = deviations(sizes, replicas)
    scaled, weight = N * bias, 1 / (N * error) ** 2
    fit = (scaled * weight).sum(axis=0) / weight.sum(axis=0)
    chi2 = ((scaled - fit) ** 2 * weight).sum(axis=0)
    # Ten observables, one of which fails by chance with probability 1e-3; the next order is of relative size 1/N.
    assert stats.chi2.sf(chi2, len(sizes) - 1).min() > 1e-3 / 10
    assert np.abs(fit * np.sqrt(weight.sum(axis=0))).max() > 5, "no bias to speak of, so nothing is tested"
    root = np.sqrt(N) * spread
    # A sample's standard deviation is known to 1/√(2n), for normal fluctuations; √N·sd itself changes by O(1/N).
    assert np.abs(root / root[-1] - 1).max() < (5 / np.sqrt(2 * n) + 3 / N).max()
    return fit, root


def test_the_deviation_from_theory_shrinks_with_the_size():
    shrinks_as_finite_sizes_should((50, 100, 200), (3000, 3000, 3000))


@pytest.mark.slow
def test_the_deviation_from_theory_shrinks_with_the_size_up_to_2000():
    fit, root = shrinks_as_finite_sizes_should((250, 500, 1000, 2000), (4000, 6000, 8000, 8000))
    assert len(fit) == root.shape[1] == 10


@pytest.mark.parametrize("engine", ["direct", "exact", "ode"])
def test_weights_and_readout_decay_at_their_own_rates(engine):
    """Nothing but decay where there is no error: zero weights, or a zero readout, and a silent teacher."""
    N, t, kappa, kappa_v = 20, np.array([0.5, 2.0]), 0.3, 0.7
    options = {"K": 1, "M": 1, "lr_v": 0.5, "weight_decay": kappa, "weight_decay_v": kappa_v, "v_star": [0.0]}
    silent = tsphys.OrderParameters(R=[[0.0]], Q=[[0.0]], T=[[1.0]])
    unread = tsphys.OrderParameters(R=[[0.2]], Q=[[0.5]], T=[[1.0]])
    steps = np.rint(N * t)
    found = []
    for v, start in ((2.0, silent), (0.0, unread)):
        model = tsphys.TwoLayer(v=[v], **options)
        if engine == "ode":
            found.append(tsphys.solve(model, t=t, start=start))
            w, r = np.exp(-kappa * t), np.exp(-kappa_v * t)
        else:
            sim = tsphys.simulate(model, N=N, t=t, start=start, replicas=1, engine=engine)
            found.append({name: sim[name][0] for name in ("R", "Q", "v")})
            w, r = (1 - kappa / N) ** steps, (1 - kappa_v / N) ** steps
    # Rounding adds up over 40 steps; the equations are solved to 1e-12 a step.
    tolerance = 1e-9 if engine == "ode" else 1e-13
    np.testing.assert_allclose(found[0]["v"][:, 0], 2.0 * r, rtol=tolerance)
    np.testing.assert_allclose(found[1]["R"][:, 0, 0], 0.2 * w, rtol=tolerance)
    np.testing.assert_allclose(found[1]["Q"][:, 0, 0], 0.5 * w**2, rtol=tolerance)
