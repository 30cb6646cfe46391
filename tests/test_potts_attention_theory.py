"""Replica theory of factored attention: saddle points, published limits, reference numbers, simulation."""

import numpy as np
import pytest
from scipy import optimize

import tsphys
from tsphys.models.potts_attention import PottsAttention
from tsphys.replica import potts_attention as theory
from tsphys.replica.saddles import classes
from tsphys.validation.checks import stationary

TEACHER = {"inputs": "uniform", "symmetric": False, "couplings": "binary", "beta": 20**0.5}

# C = 3, ρ = 20, independent inputs, from another solver with 4096 Sobol points, whose error is a few units of the last
# digit: learn, loss, α, λ; test loss, accuracy, q, m.
REFERENCE = [
    ("positions", "cross_entropy", 0.5, 0.1, 0.9435, 0.5430, 2.003, 3.669),
    ("positions", "cross_entropy", 1.0, 0.1, 0.8367, 0.6130, 3.511, 6.126),
    ("positions", "cross_entropy", 3.0, 0.1, 0.6586, 0.7120, 7.200, 10.834),
    ("positions", "cross_entropy", 1.0, 1.0, 0.9787, 0.5988, 0.223, 1.483),
    ("positions", "square", 1.0, 0.1, 0.2893, 0.5998, 0.551, None),
    ("positions", "square", 3.0, 0.1, 0.2249, 0.7033, 0.481, None),
    # The ridge of a matrix is measured in ‖U‖² = C − 1.
    ("tensor", "cross_entropy", 1.0, 0.2, 1.0327, 0.4841, 1.996, 2.747),
    ("tensor", "cross_entropy", 4.0, 0.2, 0.8539, 0.6126, 6.566, 8.369),
]


@pytest.mark.parametrize("learn, loss, alpha, ridge, test, accuracy, q, m", REFERENCE)
def test_reference_numbers(learn, loss, alpha, ridge, test, accuracy, q, m):
    found = tsphys.solve(PottsAttention(learn=learn, loss=loss, alpha=alpha, ridge=ridge, **TEACHER))
    assert found["test_loss"][0] == pytest.approx(test, abs=3e-4)
    assert found["accuracy"][0] == pytest.approx(accuracy, abs=5e-4)
    assert found["q"][0] == pytest.approx(q, rel=5e-4, abs=6e-4)
    assert m is None or found["m"][0] == pytest.approx(m, rel=5e-4)


def test_the_best_prediction_has_its_reference_numbers():
    model = PottsAttention(alpha=1.0, **TEACHER)
    found = tsphys.solve(model)
    assert (found["test_loss"] - found["excess"])[0] == pytest.approx(0.4994, abs=3e-4)
    problem = theory.saddle(model).problem
    assert problem.test(20.0, 20.0, 20.0)[1] == pytest.approx(0.7901, abs=5e-4)


POINTS = {
    "independent": PottsAttention(alpha=1.0, ridge=0.3, inputs="uniform", beta=2.0),
    "glass": PottsAttention(alpha=2.0, ridge=0.3, beta=1.8),
    "glass, C = 2": PottsAttention(C=2, alpha=2.0, ridge=0.1, beta=1.2),
    "matrices": PottsAttention(alpha=6.0, ridge=0.5, learn="tensor"),
    "square": PottsAttention(alpha=2.0, ridge=0.3, loss="square"),
    "few examples": PottsAttention(alpha=0.2, ridge=1e-3, **TEACHER),
    "other colours": PottsAttention(
        C=3, alpha=2.0, ridge=0.3, inputs="uniform", colours="given", U=[[1, 0, -1], [0, 0, 0], [-1, 0, 1]]
    ),
}


@pytest.mark.parametrize("name", POINTS)
def test_saddle_points_are_stationary(name):
    """All six slopes of the variational energy, whose values are Moreau envelopes, without f and its divergence."""
    point = theory.saddle(POINTS[name])
    found = tsphys.solve(POINTS[name], tol=1e-12)
    x = [float(found[k][0]) for k in ("V", "q", "m")]
    slopes = stationary(point.energy, [(*x, *point.conjugates(np.array(x)))])
    # For a fixed law of the teacher the quadratures of the envelope and of its derivatives differ by their own errors.
    assert slopes.score < max(1.0, 10 * found.meta["quadrature"][0] / 1e-10), slopes.detail
    assert found["energy"][0] == pytest.approx(point.energy(*x, *point.conjugates(np.array(x))), rel=1e-12)


@pytest.mark.parametrize("inputs", ["potts", "uniform"])
def test_without_the_structure_of_colours_more_sequences_are_needed(inputs):
    """Matrices at (α, λ) are attention at (α, λ)/(C − 1)²."""
    model = {"inputs": inputs, "C": 3, "beta": 1.5}
    known = tsphys.solve(PottsAttention(alpha=1.0, ridge=0.2, **model))
    none = tsphys.solve(PottsAttention(alpha=4.0, ridge=0.8, learn="tensor", **model))
    for name in ("q", "m", "V", "test_loss", "accuracy", "train_loss", "Q", "R"):
        assert known[name][0] == pytest.approx(none[name][0], rel=1e-7), name


@pytest.mark.parametrize("inputs", ["potts", "uniform"])
def test_limits(inputs):
    model = PottsAttention(inputs=inputs, beta=2.0)
    strong = tsphys.solve(model, ridge=1e5, alpha=1.0)
    assert strong["test_loss"][0] == pytest.approx(np.log(3), abs=1e-3)
    many = tsphys.solve(model, ridge=0.1, alpha=[10.0, 1e3, 1e4])
    assert (np.diff(many["excess"]) < 0).all()
    assert 0 < many["excess"][-1] < 2e-3
    rho = theory.saddle(model).rho
    assert many["m"][-1] / np.sqrt(many["q"][-1] * rho) == pytest.approx(1, abs=1e-3)
    # Fisher: the excess falls like 1/(2α), half a parameter for each degree of freedom.
    assert many["excess"][-1] * 1e4 == pytest.approx(0.5, rel=2e-2)
    assert (many["m"] ** 2 <= many["q"] * rho).all()
    assert (many["error"] > 0).all()
    assert many["train_loss"][-1] == pytest.approx(many["test_loss"][-1], abs=1e-3)


def test_a_large_ridge_leaves_the_direction_of_hebb():
    """The first step of a descent, Σ_μ (y^μ − 1/C)(s^μ − 1/C), at N = 300, where averages are off by some 1/N."""
    rng, N, C, found = np.random.default_rng(0), 300, 3, []
    for _ in range(8):
        J = TEACHER["beta"] * rng.choice([-1.0, 1.0], N) / np.sqrt(N)
        s = np.eye(C)[rng.integers(C, size=(20 * N, N))] - 1 / C
        # The largest of the logits with Gumbel's noise has the law of their softmax.
        label = (np.einsum("xja,j->xa", s, J) + rng.gumbel(size=(len(s), C))).argmax(axis=1)
        w = np.einsum("xa,xja->j", np.eye(C)[label[:N]] - 1 / C, s[:N])
        found.append((np.einsum("xja,j->xa", s[N:], w).argmax(axis=1) == label[N:]).mean())
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    theory = tsphys.solve(PottsAttention(alpha=1.0, **TEACHER), ridge=[1e3, 1e5, 1e7, 1e9])
    assert abs(theory["accuracy"][-1] - np.mean(found)) < 4 * error + 1 / N
    # What is left of the curvature of the loss is of the order α/λ.
    for name in (theory["accuracy"], theory["m"] / np.sqrt(theory["q"] * 20), theory["R"] / np.sqrt(theory["Q"] * 20)):
        assert (abs(name / name[-1] - 1) < 1e-6 + 1 / theory["ridge"]).all()
    np.testing.assert_allclose(theory["q"], theory["Q"], rtol=1e-6)


@pytest.mark.parametrize("ridge", [0.1, 1e-3])
def test_fewer_examples_than_weights_under_the_square_loss(ridge):
    """With BᵀB = 1/C the response has an equation of its own, 1/V = λ + αd/(C + V)."""
    found = tsphys.solve(PottsAttention(alpha=0.2, ridge=ridge, loss="square", **TEACHER))
    b = 3 * ridge + 0.4 - 1
    assert found["V"][0] == pytest.approx((np.hypot(b, np.sqrt(12 * ridge)) - b) / (2 * ridge), rel=1e-7)


def test_spectrum_of_the_paramagnet():
    """Colours have a fixed variance, so that the mean eigenvalue is 1; the edges are (1 ∓ x)⁻²."""
    for beta in (0.5, 2.0, 2.9):
        point = theory.saddle(PottsAttention(beta=beta))
        assert point.weights.sum() == pytest.approx(1, abs=1e-12)
        assert point.weights @ point.omega == pytest.approx(1, rel=1e-9)
        x = beta / 3
        assert (1 + x) ** -2 < point.omega.min() < point.omega.max() < (1 - x) ** -2


def test_labels_that_are_alike_need_one_only():
    """All labels in turn give what one gives, the general accuracy what the one for equivalent labels gives."""
    for mixture in (True, False):
        B = classes.colour_basis(np.eye(3) - 1 / 3)
        one, all_ = (classes.Problem("cross_entropy", B, mixture, alike) for alike in (True, False))
        V, q, m, rho = 3.0, 1.2, 1.0, 1.5
        np.testing.assert_allclose(one.averages(V, q, m, rho), all_.averages(V, q, m, rho), rtol=1e-7)
        a, b = one.test(q, m, rho), all_.test(q, m, rho)
        assert a[0] == pytest.approx(b[0], rel=1e-8)
        # 2^15 Sobol points for a function with jumps along lines: an error of about 2^(−15·3/4) = 4e-4.
        assert a[1] == pytest.approx(b[1], abs=1e-3)


@pytest.mark.parametrize("loss", ["cross_entropy", "square"])
def test_proximal_operators(loss):
    """Against a general minimiser, and −∇f by differences."""
    rng = np.random.default_rng(0)
    B = rng.standard_normal((4, 3))
    for V in (0.1, 2.0, 500.0):
        omega = 3 * rng.standard_normal((5, 3))
        t, response = classes.proximal(loss, B, V, 1, omega)
        label = np.eye(4)[[1]]
        for row in range(5):

            def value(x, row=row, V=V, omega=omega, label=label):
                return classes.losses(loss, (B @ x)[None], label)[0] + np.sum((x - omega[row]) ** 2) / (2 * V)

            best = optimize.minimize(value, omega[row], method="BFGS", options={"gtol": 1e-9})
            assert value(t[row]) <= best.fun + 1e-12
            np.testing.assert_allclose(t[row], best.x, atol=1e-4 * max(1.0, np.abs(best.x).max()))
        h = 1e-5
        for k in range(3):
            shift = h * np.eye(3)[k]
            up, down = (classes.proximal(loss, B, V, 1, omega + s * shift)[0] for s in (1, -1))
            slope = ((up - down) / (2 * h) - np.eye(3)[k]) / V
            np.testing.assert_allclose(-response[:, :, k], slope, atol=1e-7)


def test_fields_of_the_teacher():
    """Probabilities of labels and their gradient, by brute force over the teacher's noise."""
    B = classes.colour_basis(np.eye(3) - 1 / 3)
    mean, s = np.array([[0.4, -1.0], [2.0, 0.3]]), 1.3
    z = np.linspace(-8, 8, 400)
    u = np.stack(np.meshgrid(z, z), -1).reshape(-1, 2)
    w = np.exp(-0.5 * np.sum(u**2, axis=1))
    w /= w.sum()

    def probability(x):
        return w @ classes.softmax((x + np.sqrt(s) * u) @ B.T)

    Z, slope = classes.teacher(B, mean, s, 2)
    for row in range(2):
        np.testing.assert_allclose(Z[row], probability(mean[row]), rtol=1e-8)
        for k in range(2):
            e = 1e-4 * np.eye(2)[k]
            numerical = (probability(mean[row] + e) - probability(mean[row] - e))[2] / 2e-4
            assert slope[row, k] == pytest.approx(numerical, abs=1e-8)


def test_data_that_can_be_fitted_have_no_saddle_point_without_a_ridge():
    with pytest.raises(tsphys.ConvergenceError):
        tsphys.solve(PottsAttention(C=2, ridge=0.0, alpha=0.3, inputs="uniform", beta=4.0))


@pytest.mark.parametrize("learn, inputs", [
    ("positions", "potts"), ("tensor", "potts"), pytest.param("positions", "uniform", marks=pytest.mark.slow)
])  # fmt: skip
def test_simulation_agrees(learn, inputs):
    model = PottsAttention(learn=learn, inputs=inputs, ridge=0.3, couplings="binary", beta=1.5)
    alpha = [2.0, 6.0] if learn == "tensor" else [0.7, 2.0]
    sim = tsphys.simulate(model, N=40, alpha=alpha, replicas=12, burn_in=40, n_test=300, seed=5, threads=1)
    found = tsphys.compare(sim, tsphys.solve(model, alpha=alpha))
    assert found.ok, str(found)


@pytest.mark.slow
@pytest.mark.parametrize("model, replicas", [
    (PottsAttention(ridge=0.3, beta=1.5), 24), (PottsAttention(ridge=0.3, beta=1.5, learn="tensor"), 24),
    (PottsAttention(ridge=0.3, beta=2.0, loss="square"), 24), (PottsAttention(C=4, ridge=0.3, beta=2.0), 24),
    (PottsAttention(C=2, ridge=0.3, beta=1.2), 24), (PottsAttention(ridge=0.1, **TEACHER), 24),
    # The error of its couplings has a bias of 0.1/N, at N = 120 the standard error of twelve replicas.
    (PottsAttention(C=5, colours="clock", ridge=0.2, inputs="uniform", beta=3.0), 12),
])  # fmt: skip
def test_simulation_agrees_at_length(model, replicas):
    alpha = [1.0, 3.0]
    sim = tsphys.simulate(model, N=120, alpha=alpha, replicas=replicas, n_test=500, seed=6)
    found = tsphys.compare(sim, tsphys.solve(model, alpha=alpha))
    assert found.ok, str(found)


@pytest.mark.slow
def test_correlations_of_the_sequences_count():
    """The theory that takes the other colours for independent is off by more than ten times the full one's distance."""
    model = PottsAttention(ridge=0.3, beta=2.0)
    sim = tsphys.simulate(model, N=120, alpha=[1.0, 3.0], replicas=16, n_test=500, seed=7)
    full = tsphys.solve(model, alpha=[1.0, 3.0])
    for k, alpha in enumerate((1.0, 3.0)):
        point = theory.saddle(PottsAttention(ridge=0.3, beta=2.0, alpha=alpha))
        import dataclasses

        from tsphys.solvers.fixed_point import fixed_point

        white = dataclasses.replace(point, omega=np.ones(1), weights=np.ones(1))
        x = fixed_point(lambda x, w=white: w.state(*w.conjugates(x)), [1.0, 0.5, 0.5]).x
        off = abs(theory.observables(white, x)["excess"] - sim.mean("excess")[k])
        assert off > 10 * abs(full["excess"][k] - sim.mean("excess")[k])
