"""Theory of generalised linear models: published numbers, free entropies, branches, limits, what is refused."""

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.stats import norm

import tsphys
from tests.naive import glm as naive
from tsphys import GLM
from tsphys.errors import ModelError
from tsphys.physics.inference import priors
from tsphys.physics.inference.channels import Interval, Kinked, Logistic
from tsphys.physics.inference.generalisation import generalisation_error
from tsphys.replica import glm as theory
from tsphys.replica.saddles import bayes, margin
from tsphys.replica.saddles.gardner import ising_capacity, ising_entropy, spherical_capacity

PERCEPTRON = GLM(prior="rademacher")


@pytest.mark.parametrize("alpha, q", [(1, 0.486264), (2, 0.728298), (5, 0.932064), (10, 0.981378)])
def test_gaussian_weights_and_sign_labels(alpha, q):
    found = tsphys.solve(GLM(), alpha=alpha)
    assert found["q"][0] == pytest.approx(q, abs=1e-6)
    assert found["eps_g"][0] == pytest.approx(np.arccos(np.sqrt(q)) / np.pi, abs=1e-6)
    assert theory.gibbs_error(GLM(alpha=alpha)) == pytest.approx(np.arccos(q) / np.pi, abs=1e-5)


def test_learning_curves_at_large_load():
    """0.442/α of the Bayes-optimal student, 0.625/α of Gibbs'; the corrections are of order 1/α."""
    bayes_error = 50 * tsphys.solve(GLM(), alpha=50)["eps_g"][0]
    gibbs_error = 50 * theory.gibbs_error(GLM(alpha=50))
    assert bayes_error == pytest.approx(0.441454, abs=2e-6)
    assert gibbs_error == pytest.approx(0.624271, abs=2e-6)
    far = 1e4
    assert far * tsphys.solve(GLM(), alpha=far)["eps_g"][0] == pytest.approx(0.442, abs=5e-4)
    assert far * theory.gibbs_error(GLM(alpha=far)) == pytest.approx(0.625, abs=5e-4)


@pytest.mark.parametrize("alpha, q", [(0.5, 0.293089), (1.0, 0.560715), (1.2, 0.668661)])
def test_binary_perceptron(alpha, q):
    assert tsphys.solve(PERCEPTRON, alpha=alpha)["q"][0] == pytest.approx(q, abs=1e-6)


def test_thresholds_of_the_binary_perceptron():
    found = theory.thresholds(PERCEPTRON)
    assert found.algorithmic == pytest.approx(1.49263, abs=5e-6)
    assert found.transition == pytest.approx(1.24468, abs=5e-6)
    assert found.weak == found.informed == 0


def test_thresholds_of_phase_retrieval():
    """|z| of Gaussian weights: ½, 1.12847 and 1; of the end of the curve, at V = 1e-13, 1e-5 is left."""
    found = theory.thresholds(GLM(channel="abs"))
    assert found.weak == pytest.approx(0.5, rel=1e-9)
    assert found.algorithmic == pytest.approx(1.12847, abs=5e-6)
    assert found.transition == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("channel, alpha", [("linear", 1.0), ("relu", 2.0)])
def test_continuous_recovery(channel, alpha):
    found = theory.thresholds(GLM(channel=channel))
    assert (found.informed, found.transition, found.algorithmic) == pytest.approx((alpha,) * 3, abs=1e-5)
    error = tsphys.solve(GLM(channel=channel), alpha=[0.9 * alpha, 1.1 * alpha])["mse"]
    assert error[0] > 0.01
    assert error[1] == 0


def test_symmetric_perceptron_has_a_bit_of_capacity():
    """±1 weights, two equally likely labels: n = N examples hold N bits; q = 0 up to there (Aubin et al. 2019)."""
    found = theory.thresholds(GLM(prior="rademacher", channel="threshold"))
    assert found.transition == pytest.approx(1.0, abs=1e-5)
    assert found.weak > found.transition


def test_compressed_sensing_needs_as_many_equations_as_unknowns():
    """Without noise the transition is at the density (Wu & Verdú 2010)."""
    model = GLM(channel="linear", prior="gauss_bernoulli", density=0.2)
    found = theory.thresholds(model)
    assert found.transition == pytest.approx(0.2, abs=1e-4)
    assert 0.2 < found.algorithmic < 0.5


def test_noise_ends_the_first_order_transition():
    """The three lines meet where the noise has removed the fold, between 0.01 and 0.02 for ±1 weights."""
    found = theory.lines(PERCEPTRON, [0.0, 0.002, 0.01, 0.02])
    assert found["transition"][0] == pytest.approx(1.24468, abs=5e-6)
    assert (np.diff([found[k][:3] for k in ("informed", "transition", "algorithmic")], axis=0) > 0).all()
    width = found["algorithmic"] - found["informed"]
    assert (np.diff(width[:3]) < 0).all()
    assert np.isnan(width[3])


def test_capacities():
    assert spherical_capacity(0.0) == pytest.approx(2, rel=1e-14)
    for kappa, alpha in ((0.5, 0.961205), (1.0, 0.519572), (2.0, 0.200231)):
        assert spherical_capacity(kappa) == pytest.approx(alpha, abs=1e-6)
    assert ising_capacity() == pytest.approx((0.833079, 0.563949, 2.576351), abs=1e-6)
    for kappa in (-0.5, 0.5, 1.5):
        alpha, q, q_hat = ising_capacity(kappa)
        assert alpha < spherical_capacity(kappa)
        assert ising_entropy(alpha, q, q_hat, kappa) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("alpha, R", [(0.5, 0.512149), (1, 0.671358), (2, 0.829758), (5, 0.956870), (10, 0.988087)])
def test_maximal_margin(alpha, R):
    found = tsphys.solve(GLM(estimator="max_margin"), alpha=alpha)
    assert found["overlap"][0] == pytest.approx(R, abs=1e-6)
    if alpha == 2:
        assert found["margin"][0] == pytest.approx(0.454578, abs=1e-6)


@pytest.mark.parametrize(
    "alpha, selection, fraction, R, kappa",
    [(2, "hard", 0.5, 0.90998, 0.25015), (5, "hard", 0.2, 0.99803, 0.04014), (2, "easy", 0.5, 0.9329, None)],
)
def test_maximal_margin_of_pruned_examples(alpha, selection, fraction, R, kappa):
    found = margin.maximal_margin(alpha, selection, fraction)
    assert pytest.approx(R, abs=6e-5) == found.R
    if kappa:
        assert found.kappa == pytest.approx(kappa, abs=6e-6)


@pytest.mark.parametrize("alpha, cut", [(0.5, np.inf), (2, np.inf), (50, np.inf), (3, 0.4)])
def test_digits_of_the_maximal_margin(alpha, cut):
    """F(R, κ) = 0 and ∂F/∂R = 0 as they are defined, by adaptive quadrature and Powell's method; cut of hard examples.

    The integrals are good to 1e-13, and near the minimum the second equation moves by √(1 − R²) > 0.03 of the angle.
    """
    high = min(cut, 12.0)
    fraction = 2 * norm.cdf(cut) - 1

    def average(f, edges):
        points = [e for e in edges if 0 < e < high]
        return integrate.quad(lambda z: f(z) * norm.pdf(z), 0, high, points=points, epsabs=1e-15, epsrel=1e-13)[0] * 2

    def equations(x):
        """The integral over t is done by parts, and R = cos θ, so that √(1 − R²) = sin θ."""
        theta, kappa = x
        R, s = np.cos(theta), np.sin(theta)
        edges = [(kappa + k * s) / R for k in (-6, -2, 0, 2, 6)]
        below = lambda z: norm.cdf((kappa - R * z) / s)  # noqa: E731
        bump = lambda z: s * norm.pdf((kappa - R * z) / s)  # noqa: E731
        square = average(lambda z: ((kappa - R * z) ** 2 + s * s) * below(z) + (kappa - R * z) * bump(z), edges)
        slope = average(lambda z: -2 * z * ((kappa - R * z) * below(z) + bump(z)) - 2 * R * below(z), edges)
        return [alpha * square / fraction / s**2 - 1, alpha * slope / fraction + 2 * R]

    found = margin.maximal_margin(alpha, "hard", fraction)
    other = optimize.root(equations, [np.arccos(found.R), found.kappa], options={"xtol": 1e-15})
    theta, kappa = other.x
    assert np.abs(equations(other.x)).max() < 1e-12
    assert found.angle == pytest.approx(theta, abs=3e-12)
    assert found.kappa == pytest.approx(kappa, abs=3e-12)
    assert pytest.approx(np.cos(theta), abs=3e-12) == found.R


def test_hinge_without_regularization_ends_at_the_maximal_margin():
    """At α = 50 too, where the minimum is flat; λ/V is 1e-12 of it."""
    model = GLM(alpha=50, estimator="hinge", regularization=1e-12)
    risk, widest = tsphys.solve(model), tsphys.solve(GLM(alpha=50, estimator="max_margin"))
    for name in ("overlap", "eps_g"):
        assert risk[name][0] == pytest.approx(widest[name][0], rel=1e-10)
    assert risk["q"][0] ** -0.5 == pytest.approx(widest["margin"][0], rel=1e-10)


def test_all_examples_are_kept_at_fraction_one():
    a, b = margin.maximal_margin(3.0), margin.maximal_margin(3.0, "hard", 1.0)
    assert (a.R, a.kappa) == pytest.approx((b.R, b.kappa), rel=1e-14)


def test_maximal_margin_at_large_load():
    """eps_g = 0.50049/α with corrections of relative order 1/α², at overlaps that are 1 to all digits too."""
    loads = np.array([1e4, 1e5, 1e20, 1e100])
    scaled = loads * tsphys.solve(GLM(estimator="max_margin"), alpha=loads)["eps_g"]
    np.testing.assert_allclose(scaled[1:], scaled[0], rtol=3e-8)
    np.testing.assert_allclose(scaled[2:], scaled[1], rtol=3e-10)
    assert scaled[3] == pytest.approx(0.50049, abs=1e-5)


def test_errors_of_bayes_keep_their_digits_next_to_the_truth():
    """arccos(√q)/π of q = 1 − V is √V/π to relative order V; a difference from 1 has lost four digits at 1e-12."""
    found = tsphys.solve(GLM(alpha=3e5))
    V = found["mse"][0]
    assert V < 3e-11
    assert found["eps_g"][0] == pytest.approx(np.sqrt(V) / np.pi, rel=1e-10)


def test_margin_vanishes_where_random_labels_are_at_capacity():
    """The shortfall at R = 0 is Gardner's: a student that ignores the teacher has κ where α is the capacity at κ."""
    for kappa in (0.0, 0.5):
        assert margin.shortfall(spherical_capacity(kappa), 0.0, kappa) == pytest.approx(0, abs=1e-9)


def slopes(f, x, h=1e-4):
    """Central differences of fourth order; values of order one leave 1e-12 to rounding, the step 1e-11."""
    out = []
    for i in range(len(x)):
        e = np.eye(len(x))[i] * h * max(abs(x[i]), 0.1)
        out.append((8 * (f(x + e) - f(x - e)) - f(x + 2 * e) + f(x - 2 * e)) / (12 * e[i]))
    return np.array(out)


CASES = {
    "sign": (priors.gaussian(), Interval(), 1.5),
    "binary": (priors.rademacher(), Interval(), 1.2),
    "noisy": (priors.sparse_rademacher(0.3), Interval(noise=0.1), 1.0),
    "sparse": (priors.gauss_bernoulli(0.3), Kinked(noise=0.05), 0.5),
    "relu": (priors.gaussian(), Kinked(1, 0), 1.2),
    "abs": (priors.gaussian(), Kinked(1, -1), 0.9),
    "logistic": (priors.rademacher(), Logistic(), 2.0),
    "threshold": (priors.gaussian(), Interval(0.6), 2.0),
}


@pytest.mark.parametrize("prior, channel, alpha", CASES.values(), ids=CASES)
def test_fixed_points_are_stationary(prior, channel, alpha):
    state = bayes.states(prior, channel, alpha)[0]
    assert 0 < state.V < prior.second_moment
    at = np.array([state.V, state.q_hat])
    slope = slopes(lambda x: bayes.free_entropy(prior, channel, alpha, *x), at)
    assert np.abs(slope).max() < 1e-7
    # Elsewhere it is not flat.
    assert np.abs(slopes(lambda x: bayes.free_entropy(prior, channel, alpha, *x), at * [0.9, 1.2])).max() > 1e-3


@pytest.mark.parametrize(
    "likelihood, channel", [(naive.sign_likelihood, "sign"), (naive.logistic_likelihood, "logistic")]
)
def test_free_entropy_as_it_is_defined(likelihood, channel):
    """The naive sum over z of a step has an error of half its spacing, 5e-3 of φ(0)-sized numbers, mostly averaged."""
    values, weights = (1.0, -1.0), (0.5, 0.5)
    found = tsphys.solve(GLM(prior="rademacher", channel=channel), alpha=1.2)
    prior, out = GLM(prior="rademacher", channel=channel).objects()
    state = bayes.states(prior, out, 1.2)[0]
    plain = naive.free_entropy(1 - state.V, state.q_hat, 1.2, likelihood, values, weights)
    assert found["free_entropy"][0] == pytest.approx(plain, abs=2e-5 if channel == "sign" else 1e-10)


def test_free_entropy_is_minus_the_information_of_labels():
    """dΦ/dα = Ψ(V) along a branch, since Φ is stationary; Ψ is minus the entropy of a label."""
    model = GLM(channel="logistic")
    h = 1e-3
    phi = tsphys.solve(model, alpha=[1.5 - 2 * h, 1.5 - h, 1.5 + h, 1.5 + 2 * h])["free_entropy"]
    slope = (phi[0] - 8 * phi[1] + 8 * phi[2] - phi[3]) / (12 * h)
    V = float(tsphys.solve(model, alpha=1.5)["mse"][0])
    assert slope == pytest.approx(Logistic().free_entropy(V), abs=1e-9)
    assert -np.log(2) < slope < 0


def test_hysteresis_of_the_binary_perceptron():
    """From no knowledge the student stays ignorant up to 1.4926; from the truth it stays perfect down to load 0."""
    alpha = [1.0, 1.24, 1.25, 1.49, 1.5]
    up, down, best = (tsphys.solve(PERCEPTRON, alpha=alpha, branch=b) for b in ("reached", "informed", "equilibrium"))
    assert (up["mse"] > 0.1).tolist() == [True] * 4 + [False]
    assert (down["mse"] == 0).all()
    assert (best["mse"] > 0.1).tolist() == [True, True, False, False, False]
    assert down["free_entropy"] == pytest.approx(-np.log(2), abs=1e-6)
    assert (best["free_entropy"] == np.maximum(up["free_entropy"], down["free_entropy"])).all()


def test_state_evolution_runs_into_the_branch_that_is_told():
    for model, alpha, start in ((PERCEPTRON, 1.3, 0.0), (PERCEPTRON, 1.3, 0.97), (GLM(), 2.0, 0.9), (GLM(), 2.0, 0.0)):
        there = tsphys.solve(model, alpha=alpha, start=start)["mse"][0]
        late = tsphys.solve(model, alpha=alpha, start=start, t=[0, 400])["mse"]
        assert late[0] == pytest.approx(1 - start)
        assert late[1] == pytest.approx(there, abs=1e-9)


def test_even_channels_need_a_hint():
    """Below weak recovery nothing is kept of it, above it grows, and beyond the spinodal it grows to the truth."""
    q = tsphys.solve(GLM(channel="abs"), alpha=[0.4, 0.6, 1.1, 1.2])["q"]
    assert q[0] == 0
    assert 0.05 < q[1] < q[2] < 0.95
    assert q[3] == 1


def test_next_to_nothing_is_learned_from_strong_noise():
    """q̂ = αI(ρ), of which q = q̂ is learned, I = 2/(πΔ) for signs; V = 1 − q is a sum of 1201 terms, right to 1e-13.

    Further terms are of relative order q and 1/Δ.
    """
    for noise in (1e7, 1e9):
        found = tsphys.solve(GLM(noise=noise))
        assert found["q"][0] == pytest.approx(4 / np.pi / noise, rel=5 / noise, abs=1e-13)
        assert 0.5 - found["eps_g"][0] == pytest.approx(np.sqrt(4 / np.pi / noise) / np.pi, rel=1e-4)


@pytest.mark.parametrize("model", [GLM(alpha=1e8), GLM(alpha=2, channel="linear", noise=1e-14)])
def test_errors_that_are_not_resolved_are_refused(model):
    with pytest.raises(ModelError, match=r"alpha = .* must be <= "):
        tsphys.solve(model)


def test_errors_of_a_linear_student_on_real_outputs():
    """½⟨(φ(z) − ω)²⟩ of Gaussian (z, ω): ⟨φ(z)ω⟩ is m times the mean slope, ⟨φ²⟩ is ρ times that of its square."""
    for rho, m, q in ((1.3, 0.4, 0.7), (0.8, -0.3, 2.0)):
        for channel, mean, square in ((Kinked(), 1, 1), (Kinked(1, 0, 0.2), 0.5, 0.5), (Kinked(1, -1), 0, 1)):
            expected = 0.5 * (square * rho - 2 * mean * m + q)
            assert generalisation_error(channel, rho, m, q) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("edge", [0.3, 0.6744897501960817, 1.2])
def test_errors_of_labels_with_an_edge(edge):
    """The likelier label given ω ~ N(0, q) errs with the probability of the other; nothing known leaves the prior's."""
    assert generalisation_error(Interval(edge), 1.0, 0.0, 0.0, 1.0) == pytest.approx(
        min(2 * norm.cdf(-edge), 1 - 2 * norm.cdf(-edge)), abs=1e-6
    )
    for q in (0.2, 0.6, 0.95):
        omega = np.sqrt(q) * norm.ppf((np.arange(100_000) + 0.5) / 100_000)
        beyond = norm.cdf((omega - edge) / np.sqrt(1 - q)) + norm.cdf((-omega - edge) / np.sqrt(1 - q))
        # Of midpoints in the probability 1e-5 is left, of the sum with jumps 1e-6.
        expected = np.minimum(beyond, 1 - beyond).mean()
        assert generalisation_error(Interval(edge), 1.0, q, q, 1 - q) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("variance", [0.3, 4.0])
def test_thresholds_do_not_depend_on_the_size_of_weights(variance):
    prior = priors.gaussian(variance)
    assert bayes.weak_recovery(prior, Kinked(1, -1)) == pytest.approx(0.5, rel=1e-9)
    # q̂ of the curve has the unit of 1/V.
    one = bayes.load(priors.gaussian(), Kinked(1, 0), np.log(3.0))
    assert bayes.load(prior, Kinked(1, 0), np.log(3.0 / variance)) == pytest.approx(one, rel=1e-9)


def test_everything_grows_with_examples():
    for model in (GLM(), GLM(prior="gauss_bernoulli", density=0.3, channel="relu", noise=0.1), GLM(channel="logistic")):
        found = tsphys.solve(model, alpha=np.linspace(0.2, 6, 6))
        assert (np.diff(found["overlap"]) > 0).all()
        assert (np.diff(found["eps_g"]) < 0).all()
        assert (np.diff(found["free_entropy"]) < 0).all() or not model.objects()[1].labels


def test_no_risk_beats_bayes():
    for channel in ("sign", "logistic"):
        for alpha in (0.5, 5.0):
            best = tsphys.solve(GLM(channel=channel), alpha=alpha)["eps_g"][0]
            for estimator in ("ridge", "logistic", "hinge"):
                model = GLM(channel=channel, estimator=estimator)
                errors = tsphys.solve(model, alpha=alpha, regularization=[0.01, 0.3, 5.0])["eps_g"]
                assert (errors > best).all()


def test_optimal_ridge_is_bayes_for_gaussian_weights_and_noise():
    """λ = Δ makes ridge regression the posterior mean."""
    a = tsphys.solve(GLM(channel="linear", noise=0.3, estimator="ridge", regularization=0.3), alpha=[0.5, 1.5])
    b = tsphys.solve(GLM(channel="linear", noise=0.3), alpha=[0.5, 1.5])
    for name in ("m", "q", "mse", "eps_g"):
        assert a[name] == pytest.approx(b[name], rel=1e-8)


def test_dense_limit_of_sparse_weights():
    a = tsphys.solve(GLM(prior="gauss_bernoulli", density=1 - 1e-9), alpha=1.5)
    assert a["q"][0] == pytest.approx(tsphys.solve(GLM(), alpha=1.5)["q"][0], rel=1e-7)
    a = tsphys.solve(GLM(prior="sparse_rademacher", density=1 - 1e-9), alpha=1.0)
    assert a["q"][0] == pytest.approx(0.560715, abs=1e-6)


BAD = {
    "alpha": lambda: GLM(alpha=0),
    "prior": lambda: GLM(prior="laplace"),
    "density": lambda: GLM(density=0.5),
    "channel": lambda: GLM(channel="probit"),
    "noise": lambda: GLM(channel="logistic", noise=0.1),
    "edge": lambda: GLM(channel="threshold", edge=-1),
    "estimator": lambda: GLM(channel="abs", estimator="ridge"),
    "regularization": lambda: GLM(regularization=0),
    "branch": lambda: tsphys.solve(GLM(), branch="upper"),
    "start": lambda: tsphys.solve(GLM(), start=1.0),
    "t": lambda: tsphys.solve(GLM(), t=[0.5]),
    "tol": lambda: tsphys.solve(GLM(), tol=0),
    "axis": lambda: tsphys.solve(GLM(), alpha=[1, 2], noise=[0, 1]),
    "kappa": lambda: ising_capacity(100),
    "selection": lambda: margin.maximal_margin(1.0, "random"),
    "fraction": lambda: margin.maximal_margin(1.0, "hard", 0),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    with pytest.raises(ModelError) as error:
        BAD[name]()
    assert error.value.name == name
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name, call",
    [
        ("estimator", lambda: GLM(channel="relu", estimator="hinge")),
        ("estimator", lambda: GLM(noise=0.1, estimator="max_margin")),
        ("t", lambda: tsphys.solve(GLM(estimator="ridge"), t=[0, 1])),
        ("axis", lambda: tsphys.solve(GLM(), alpha=[1, 2], t=[0, 1])),
        ("channel", lambda: theory.gibbs_error(GLM(channel="relu"))),
        ("over", lambda: theory.lines(GLM(), [0.1], "alpha")),
        ("values", lambda: theory.lines(GLM(), 0.1)),
        ("estimator", lambda: theory.gibbs_error(GLM(estimator="hinge"))),
        ("alpha", lambda: margin.maximal_margin(-1.0)),
    ],
)
def test_what_has_no_theory_is_refused(name, call):
    with pytest.raises(ModelError) as error:
        call()
    assert error.value.name == name
