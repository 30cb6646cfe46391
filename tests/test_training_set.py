"""A fixed training set: tables, spectra, replicas, plain descent, and where theory says nothing."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import TrainingSet
from tsphys.physics.inference.fresh import on_fresh
from tsphys.solvers.sample_paths import Paths
from tsphys.validation.training_set import exact

T = [1, 2, 3, 5, 8, 12, 20, 35, 60, 100]
CASES = {
    "logistic": TrainingSet(alpha=2, lr=2),
    "hinge": TrainingSet(alpha=1.5, loss="hinge", lr=0.3, regularization=0.1, noise=0.5, init=1),
    "square": TrainingSet(alpha=0.8, loss="square", lr=0.3, regularization=0.05, noise=0.3),
    "perceptron": TrainingSet(alpha=3, loss="perceptron", lr=0.5, init=1),
    "chaotic": TrainingSet(alpha=1, lr=12, regularization=0.02, noise=0.7, init=2),
}
#: Of 2¹⁴ paths, from a program of its own: observable, values at T, error of the largest.
TABLES = [
    ("logistic", "test_error", 2e-5,
     (0.23082, 0.20753, 0.19830, 0.18940, 0.18345, 0.17982, 0.17691, 0.17533, 0.17486, 0.17497)),
    ("logistic", "train_loss", 2e-5,
     (0.34265, 0.26630, 0.22399, 0.17479, 0.13494, 0.10534, 0.07461, 0.04906, 0.03158, 0.02024)),
    ("logistic", "q", 2e-3, (1.13663, 2.0545, 2.9497, 4.6217, 6.8932, 9.6041, 14.293, 21.455, 30.729, 41.917)),
    ("hinge", "test_error", 2e-4, (0.44530, 0.39835, 0.36456, 0.32660, 0.30355, 0.29284, 0.28790, 0.28796, 0.28944,
                                   0.29051)),
    ("hinge", "train_loss", 4e-4, (0.8029, 0.5988, 0.4641, 0.3193, 0.2274, 0.1746, 0.1310, 0.1032, 0.0895, 0.0840)),
    ("perceptron", "test_error", 3e-4, (0.42459, 0.36089, 0.31524, 0.26284, 0.22831, 0.21087, 0.20285, 0.20174, 0.20160,
                                        0.20160)),
    ("perceptron", "train_error", 3e-4, (0.3604, 0.2483, 0.1730, 0.0980, 0.0529, 0.0222, 0.0027, 0.0003, 0, 0)),
    ("chaotic", "test_error", 4e-4,
     (0.37453, 0.36025, 0.35983, 0.36803, 0.3721, 0.3691, 0.3707, 0.3701, 0.3715, 0.3718)),
    ("chaotic", "train_loss", 6e-3, (1.035, 0.3855, 0.303, 0.457, 0.665, 0.408, 0.454, 0.457, 0.540, 0.573)),
]  # fmt: skip
found = {}


def of(name):
    if name not in found:
        found[name] = tsphys.solve(CASES[name], t=T, paths=2**12, scramblings=4)
    return found[name]


@pytest.mark.parametrize("name, observable, error, values", TABLES)
def test_published_numbers(name, observable, error, values):
    """Within four of both errors and half of the last digit; four scramblings know theirs to a half."""
    theory = of(name)
    size = np.hypot(4 * theory.sem(observable), 4 * error) + 5e-5
    assert (np.abs(theory[observable] - values) < size).all()


@pytest.mark.parametrize("change", [{}, {"alpha": 3.0}, {"flow": True, "lr": 1.0, "channel": "linear"}])
def test_least_squares_is_marchenko_pastur(change):
    model = replace(CASES["square"], **change)
    theory = tsphys.solve(model, t=T[:7], paths=2**12, scramblings=4)
    for name, truth in exact(model, T[:7]).items():
        # Twice the step of a flow is off by its square, ~1e-4.
        np.testing.assert_array_less(np.abs(theory[name] - truth), 4 * theory.sem(name) + 1e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logistic", "hinge", "square", "perceptron"])
def test_all_losses_at_two_sizes(name):
    """All that is seen, at all times of the tables."""
    sim, small = (tsphys.simulate(CASES[name], N=n, t=T, replicas=r) for n, r in ((1000, 16), (500, 32)))
    found = tsphys.compare(sim, tsphys.solve(CASES[name], t=T), smaller=small)
    assert found.max_abs_z < found.threshold, found


def test_first_step_in_closed_form():
    """Of every loss from w = 0, whose slopes then are those at h = 0, times labels."""
    for loss, size in {"logistic": 0.5, "hinge": 1.0, "square": 1.0, "perceptron": 1.0}.items():
        model = TrainingSet(alpha=1.7, loss=loss, lr=0.8, noise=0.4)
        theory = tsphys.solve(model, t=[0, 1], paths=2**12, scramblings=2)
        m = 0.8 * size * np.sqrt(2 / np.pi / (1 + 0.4**2))
        assert theory["m"][1] == pytest.approx(m, abs=1e-3)
        assert theory["q"][1] == pytest.approx(m**2 + 0.8**2 * size**2 / 1.7, abs=2e-3)
        assert (theory["test_error"][0], theory["train_error"][0]) == (0.5, 0.5)


def test_first_step_on_a_mixture_in_closed_form():
    model = TrainingSet(channel="mixture", separation=1.3, alpha=1.7, lr=0.8)
    theory = tsphys.solve(model, t=[0, 1], paths=2**12, scramblings=2)
    m = 0.8 * 0.5 * 1.3
    assert theory["m"][1] == pytest.approx(m, abs=1e-3)
    assert theory["q"][1] == pytest.approx(m**2 + 0.4**2 / 1.7, abs=2e-3)
    assert theory["test_error"][1] == pytest.approx(ndtr(-1.3 * m / np.sqrt(m**2 + 0.4**2 / 1.7)), abs=1e-3)


def test_your_own_data():
    """Gaussian examples of a mixture are those that are drawn, and errors are those on what is left over."""
    rng, N = np.random.default_rng(3), 60
    y = np.where(rng.random(4000) < 0.5, 1.0, -1.0)
    X = rng.standard_normal((4000, N))
    X[:, 5] += 1.2 * y
    model, t = TrainingSet(channel="mixture", separation=1.2, alpha=1.5), [1, 4, 16]
    own = tsphys.simulate(model, X=X, y=y, t=t, replicas=24)
    drawn = tsphys.simulate(model, N=N, t=t, replicas=48, seed=1)
    assert "m" not in own.data
    for name in ("q", "eps_g", "train_loss", "train_error"):
        size = np.hypot(own.sem(name), drawn.sem(name))
        assert (np.abs(own.mean(name) - drawn.mean(name)) < 4.5 * size).all(), name
    # Who knows nothing guesses, on what is learned and on what is left.
    ignorant = tsphys.simulate(model, X=X, y=y, t=[0], replicas=1)
    assert ignorant["eps_g"] == ignorant["train_error"] == 0.5
    refuses(lambda: tsphys.simulate(model, X=X, t=t), "y")
    refuses(lambda: tsphys.simulate(model, X=X, y=2 * y, t=t), "y")
    refuses(lambda: tsphys.simulate(TrainingSet(alpha=100), X=X, y=y, t=t), "alpha")


def test_end_of_descent_is_the_minimum():
    model = TrainingSet(alpha=2.0, lr=2.0, regularization=0.1, noise=0.3)
    theory = tsphys.solve(model, t=[60], paths=2**12, scramblings=4)
    least = tsphys.solve(tsphys.GLM(alpha=2.0, estimator="logistic", regularization=0.2, noise=0.09))
    for name in ("m", "q", "eps_g"):
        assert theory[name][0] == pytest.approx(least[name][0], abs=4 * theory.sem(name)[0] + 3e-4 * least[name][0])


@pytest.mark.parametrize("model", [
    TrainingSet(noise=0.3, momentum=0.7),
    TrainingSet(loss="square", channel="linear", lr=0.4, noise=0.5, batch=0.25, regularization=0.1),
    TrainingSet(loss="hinge", alpha=1.5, lr=0.4, init=0.5, batch=1 / 3, order="shuffle", momentum=0.3),
    TrainingSet(loss="perceptron", alpha=3, lr=0.3, init=1, batch=0.5),
    TrainingSet(alpha=0.7, noise=0.2, flow=True),
    TrainingSet(loss="square", lr=0.5, noise=0.3, channel=lambda nu, noise: np.tanh(nu) + noise),
    TrainingSet(channel="mixture", separation=0.8, alpha=1.5, lr=1.5, batch=0.5),
], ids=["momentum", "batch", "epochs", "perceptron", "flow", "own channel", "mixture"])  # fmt: skip
def test_simulation_on_theory(model):
    """At fixed seeds; two sizes, since biases in flat directions are of order 1/N."""
    t = [1, 3, 9, 20]
    theory = tsphys.solve(model, t=t, paths=2**12, scramblings=3)
    sim, small = (tsphys.simulate(model, N=n, t=t, replicas=r, seed=1) for n, r in ((320, 16), (80, 64)))
    found = tsphys.compare(sim, theory, smaller=small)
    assert found.max_abs_z < found.threshold, found


@pytest.mark.parametrize("model", [
    TrainingSet(alpha=1.5, loss="logistic", lr=1.2, noise=0.3, regularization=0.1, momentum=0.4, init=0.7),
    TrainingSet(alpha=1.5, loss="hinge", lr=0.3, batch=0.2, order="shuffle"),
])  # fmt: skip
def test_simulation_is_plain_descent(model):
    """Example by example, from the same numbers."""
    N, n, t = 12, 18, [0, 4, 11]
    sim = tsphys.simulate(model, N=N, t=t, replicas=1, seed=5)
    rng, order = (tsphys.numerics.random.generator(5, 0, name) for name in ("examples", "minibatches"))
    x = rng.standard_normal((n, N))
    y = np.sign(x[:, 0] + model.noise * rng.standard_normal(n))
    w = np.append(0, rng.standard_normal(N - 1))
    w *= model.init * np.sqrt(N / (w @ w))
    V, epoch = np.zeros(N), []
    for step in range(12):
        if step in t:
            k, h = t.index(step), x @ w / np.sqrt(N)
            assert sim["m"][0, k] == pytest.approx(w[0] / np.sqrt(N), abs=1e-12)
            assert sim["q"][0, k] == pytest.approx(w @ w / N, abs=1e-12)
            assert sim["train_error"][0, k] == pytest.approx(np.mean(0.5 - 0.5 * np.sign(h * y)))
        if model.batch < 1 and not epoch:
            epoch = np.array_split(order.permutation(n), 5)
        part, down = (epoch.pop(0) if model.batch < 1 else range(n)), np.zeros(N)
        for i in part:
            h = w @ x[i] / np.sqrt(N)
            wrong = 1 / (1 + np.exp(y[i] * h)) if model.loss == "logistic" else float(y[i] * h < 1)
            down += wrong * y[i] * x[i] / np.sqrt(N) * N / len(part)
        V = model.momentum * V + model.lr * (down - model.regularization * w)
        w = w + V


def test_error_covers_few_paths():
    """Of few paths and a large tolerance, against many."""
    rough = tsphys.solve(CASES["hinge"], t=T, paths=2**11, tol=2e-2, scramblings=4)
    for name in ("q", "train_loss", "eps_g"):
        difference = np.abs(rough[name] - of("hinge")[name])
        assert (difference < 5 * np.hypot(rough.sem(name), of("hinge").sem(name))).all(), name
        assert rough.sem(name).mean() > of("hinge").sem(name).mean()


def test_minibatches_drawn_anew_leave_nothing_out():
    """However small steps are: what the largest tolerance would leave out of each is all there is to remember."""
    model = TrainingSet(loss="square", channel="linear", alpha=1, noise=0.5, lr=0.02, batch=0.5)
    least, most = (tsphys.solve(model, t=[40], tol=tol, paths=2**10, scramblings=2) for tol in (1e-8, 0.1))
    for name in ("q", "train_loss", "eps_g"):
        np.testing.assert_array_equal(least[name], most[name])
    # Small steps of parts are those of all.
    whole = tsphys.solve(replace(model, batch=1), t=[40], paths=2**10, scramblings=2)
    assert most["train_loss"][0] == pytest.approx(whole["train_loss"][0], rel=0.1)


def test_slow_motion_needs_few_directions():
    """Four times the steps, half the directions a time."""
    flows = [tsphys.solve(TrainingSet(flow=True), t=[20], step=s, paths=2**10, scramblings=2) for s in (0.2, 0.05)]
    assert flows[1].meta["directions"] < 30
    assert flows[0]["eps_g"][0] == pytest.approx(flows[1]["eps_g"][0], abs=1e-3)


def test_steps_of_flows_are_stable():
    """Longer ones than that are not taken, whatever is allowed."""
    flows = [
        tsphys.solve(TrainingSet(loss="square", flow=True), t=[30], step=s, paths=2**9, scramblings=2) for s in (5, 1)
    ]
    assert 0 < flows[0]["q"][0] == flows[1]["q"][0] < 1


def test_chaotic_runs_have_no_verdict():
    theory = of("chaotic")
    assert np.array(theory.meta["chaotic"]["train_loss"])[5:].all()
    assert not np.any(of("logistic").meta["chaotic"]["train_loss"])
    model, t = CASES["chaotic"], T[4:8]
    sim = tsphys.simulate(model, N=200, t=t, replicas=16)
    found = tsphys.compare(sim, tsphys.solve(model, t=t, paths=2**11, scramblings=3), observables=["train_loss"])
    assert found.verdict == "undecided"
    assert "chaotic" in str(found)


def test_compare_counts_the_error_of_theory():
    theory = of("hinge")
    sim = tsphys.simulate(CASES["hinge"], N=200, t=T, replicas=4)
    doubled = replace(theory, meta={**theory.meta, "sem": {**theory.meta["sem"], "eps_g": [0.3] * len(T)}})
    error = [tsphys.compare(sim, one, observables=["eps_g"]).error["eps_g"] for one in (theory, doubled)]
    assert (error[0] > theory.sem("eps_g")).all()
    # Four scramblings: three degrees of freedom.
    np.testing.assert_allclose(error[1] ** 2 - error[0] ** 2, 3 * (0.3**2 - theory.sem("eps_g") ** 2), rtol=1e-6)


def test_a_channel_of_your_own():
    """That of labels without the closed forms of labels; Sobol's points to 1e-3."""
    own = TrainingSet(noise=0.5, channel=lambda nu, noise: np.where(nu + noise < 0, -1.0, 1.0))
    theories = [tsphys.solve(model, t=[0, 5], paths=2**10, scramblings=2) for model in (own, TrainingSet(noise=0.5))]
    for name in ("m", "q", "train_error"):
        np.testing.assert_array_equal(theories[0][name], theories[1][name])
    for name in ("eps_g", "test_error"):
        np.testing.assert_allclose(theories[0][name], theories[1][name], atol=1e-3)


def test_overlaps_of_the_start():
    """Of several students and teachers, given as they are."""
    T, R, Q = [[1, 0.3], [0.3, 0.8]], [[0.3, 0.1], [0, 0.2]], [[0.5, 0.1], [0.1, 0.6]]
    paths = Paths(2**10, 1.0, T, R, Q, 1, 0, 1e-4)
    np.testing.assert_allclose(paths.R, R, atol=1e-14)
    np.testing.assert_allclose(paths.Q, Q, atol=1e-14)
    h = paths.fields()
    np.testing.assert_allclose(h @ h.T / 2**10, Q, atol=1e-12)
    np.testing.assert_allclose(h @ paths.nu.T / 2**10, R, atol=1e-12)


def test_refusals():
    refuses(lambda: TrainingSet(batch=0.3, order="shuffle"), "batch")
    refuses(lambda: TrainingSet(channel="linear"), "loss")
    refuses(lambda: TrainingSet(channel="mixture", noise=0.1), "noise")
    refuses(lambda: TrainingSet(separation=2), "separation")
    refuses(lambda: TrainingSet(flow=True, momentum=0.5), "momentum")
    refuses(lambda: TrainingSet(channel=lambda nu: nu), "channel")
    refuses(lambda: tsphys.solve(TrainingSet(channel=lambda nu, z: nu), t=[1]), "channel")
    refuses(lambda: tsphys.solve(TrainingSet(), t=[1.5]), "t")
    refuses(lambda: tsphys.simulate(TrainingSet(), N=20, t=[1.5]), "t")
    refuses(lambda: tsphys.solve(TrainingSet(), paths=1000), "paths")
    refuses(lambda: tsphys.solve(TrainingSet(), t=[1], step=0.1), "step")
    refuses(lambda: tsphys.solve(TrainingSet(batch=0.5), t=[10**6], paths=2**24), "paths")
    refuses(lambda: tsphys.solve(TrainingSet(batch=0.5), t=[300], paths=2**8), "paths")
    refuses(lambda: tsphys.simulate(TrainingSet(batch=1e-3), N=20, t=[1]), "batch")
    refuses(lambda: tsphys.simulate(TrainingSet(alpha=0.1, batch=1 / 3, order="shuffle"), N=20, t=[1]), "batch")
    with pytest.raises(tsphys.DivergedError):
        tsphys.solve(TrainingSet(loss="square", lr=3.0), t=[1000], paths=2**8)
    with pytest.raises(tsphys.DivergedError):
        tsphys.simulate(TrainingSet(loss="square", lr=3.0), N=20, t=[1000], replicas=1)


@pytest.mark.parametrize(
    ("channel", "labels"),
    [
        ("linear", lambda nu, z: nu + z),
        ("sign", lambda nu, z: np.where(nu + z < 0, -1.0, 1.0)),
        (lambda nu, z: np.where(nu + 0.3 + z < 0, -1.0, 1.0), lambda nu, z: np.where(nu + 0.3 + z < 0, -1.0, 1.0)),
        (lambda nu, z: np.tanh(nu) + z, lambda nu, z: np.tanh(nu) + z),
    ],
)
@pytest.mark.parametrize(("m", "q"), [(0.4, 0.5), (-0.3, 1.2)])
def test_errors_on_fresh_examples_by_drawing_them(channel, labels, m, q):
    """Within 4.5 standard errors, and 1e-3 of what averages over Sobol's points are off by (they say 1e-4)."""
    noise, n = 0.6, 2_000_000
    rng = np.random.default_rng(7)
    nu, zeta, rest = rng.standard_normal((3, n))
    h = m * nu + np.sqrt(q - m * m) * rest
    model = TrainingSet(channel=channel, loss="square", noise=noise)
    told = on_fresh(model, np.array([m]), np.array([q]))
    for name, y in (("eps_g", labels(nu, 0 * zeta)), ("test_error", labels(nu, noise * zeta))):
        if (np.abs(y) == 1).all():
            losses = (h * y < 0).astype(float)
        elif name == "eps_g":
            losses = 0.5 * (h - y) ** 2
        else:
            assert name not in told
            continue
        assert abs(told[name][0] - losses.mean()) < 4.5 * losses.std() / np.sqrt(n) + 1e-3 * losses.mean()


def test_what_is_known_by_hand():
    passes("training_set", "fresh examples")
