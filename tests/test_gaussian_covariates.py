"""Empirical risk on Gaussian covariates: proximal maps, closed forms, minima of finite size, what is refused."""

import numpy as np
import pytest
from scipy import optimize, special

from tsphys.errors import ConvergenceError, ModelError
from tsphys.physics.inference.channels import Interval, Kinked, Logistic
from tsphys.physics.inference.losses import LOSSES, loss, proximal, slope
from tsphys.replica.saddles import gaussian_covariates as gcm


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("V", [1e-3, 0.7, 300.0])
def test_proximal_maps_minimise(name, V):
    omega = np.linspace(-4, 4, 33) * (1 + np.sqrt(V))
    for y in (-1.0, 1.0):
        t, f, bend = proximal(name, y, omega, V)
        np.testing.assert_allclose(t, omega + V * f, rtol=1e-14, atol=1e-14)
        for w, found in zip(omega, t):
            cost = lambda h, w=w, y=y: loss(name, y, h) + (h - w) ** 2 / (2 * V)  # noqa: E731
            best = optimize.minimize_scalar(cost, bracket=(w - V - 1, w + V + 1), tol=1e-12)
            # Brent knows a minimum to the root of rounding.
            assert found == pytest.approx(best.x, abs=1e-6 * (1 + abs(w) + V))
        h = 1e-4
        numeric = 1 - (proximal(name, y, omega + h, V)[0] - proximal(name, y, omega - h, V)[0]) / (2 * h)
        smooth = np.abs(numeric - np.rint(numeric)) < 1e-9 if name == "hinge" else np.full(omega.shape, True)
        assert smooth.sum() > 20
        assert bend[smooth] == pytest.approx(numeric[smooth], abs=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_of_losses(name):
    h = np.linspace(-3, 3, 20)
    for y in (-1.0, 1.0):
        numeric = (loss(name, y, h + 1e-5) - loss(name, y, h - 1e-5)) / 2e-5
        assert slope(name, y, h) == pytest.approx(numeric, abs=1e-8)


def marchenko_pastur(alpha, lam, noise):
    """Ridge regression of iid features (Hastie et al. 2022): test error with noise, by the companion transform."""
    a, b = lam / alpha, 1 / alpha
    m = (-(1 - b + a) + np.sqrt((1 - b + a) ** 2 + 4 * b * a)) / (2 * b * a)
    dm = (m + b * m * m) / (-(1 - b + a) - 2 * b * a * m)
    return noise + a * a * -dm + noise * b * (m + a * dm)


@pytest.mark.parametrize(("alpha", "lam", "noise"), [(2.0, 0.01, 0.09), (0.5, 0.3, 0.0), (3.0, 1.0, 0.5)])
def test_ridge_regression_in_closed_form(alpha, lam, noise):
    found = gcm.minimum("square", Kinked(noise=noise), gcm.isotropic(), alpha, lam)
    test = 1 + found.q - 2 * found.m + noise
    assert test == pytest.approx(marchenko_pastur(alpha, lam, noise), rel=1e-8)
    assert 2 * found.train_loss == pytest.approx(test / (1 + found.V) ** 2, rel=1e-8)


@pytest.mark.parametrize(
    ("alpha", "R", "kappa"), [(0.5, 0.512149, None), (2, 0.829758, 0.454578), (10, 0.988087, None)]
)
def test_hinge_without_regularization_is_the_maximal_margin(alpha, R, kappa):
    found = gcm.minimum("hinge", Interval(), gcm.isotropic(), alpha, 1e-6)
    # The limit is reached as λ/V; here to 1e-5.
    assert found.m / np.sqrt(found.q) == pytest.approx(R, abs=1e-5)
    if kappa:
        assert found.q**-0.5 == pytest.approx(kappa, abs=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("teacher", [Interval(), Interval(noise=0.2), Logistic()], ids=["sign", "probit", "logistic"])
def test_order_parameters_are_stationary(name, teacher):
    """The minimum of the risk per weight is an extremum of its replica form; the training loss is its part."""
    alpha, lam, rho = 1.7, 0.2, 1.0
    found = gcm.minimum(name, teacher, gcm.isotropic(), alpha, lam, tol=1e-12)
    z = np.linspace(-9, 9, 20_001)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])

    def risk(V, q, m):
        """λ/2 + … of isotropic weights maximised over the conjugates: f = ext α E M_V(ω) − (q − m²/ρ)/(2V) + λq/2."""
        omega = np.sqrt(q) * z
        total = 0.0
        for y in (-1.0, 1.0):
            Z = weight * np.exp(teacher.log_partition(y, m / q * omega, rho - m * m / q))
            t, _, _ = proximal(name, y, omega, V)
            total += Z @ (loss(name, y, t) + (t - omega) ** 2 / (2 * V))
        return alpha * total - (q - m * m / rho) / (2 * V) + 0.5 * lam * q

    # Hinge: the kinks of the trapezoidal sum leave 1e-7.
    at = (found.V, found.q, found.m)
    for i in range(3):
        h = 1e-3 * at[i]
        up, down = (risk(*(v + s * h * (j == i) for j, v in enumerate(at))) for s in (1, -1))
        assert (up - down) / (2 * h) == pytest.approx(0, abs=3e-6)
    total = alpha * found.train_loss + 0.5 * lam * found.norm
    assert risk(*at) == pytest.approx(total, abs=1e-6)


def envelope(name, x, V):
    """min_t ℓ(t) + (t − x)²/(2V) at y = 1, and where it is not smooth."""
    if name == "hinge":
        return np.where(x < 1 - V, 1 - x - V / 2, np.maximum(1 - x, 0) ** 2 / (2 * V)), (1 - V, 1.0)
    # Newton's method for t = x + Vσ(−t), whose left side grows and right side falls, from where e^(−t) stands for σ.
    t = x + special.wrightomega(np.log(V) - x)
    for _ in range(60):
        wrong = special.expit(-t)
        t = t - (t - x - V * wrong) / (1 + V * wrong * (1 - wrong))
    return np.logaddexp(0, -t) + (t - x) ** 2 / (2 * V), ()


def least_risk(name, alpha, lam, x):
    """ext α E M_V(ω) − (q − m²)/(2V) + λq/2 of a teacher sign(ν), by Gauss sums; x = ln V, ln(q − m²), ln m."""
    V, rest, m = np.exp(x)
    q = rest + m * m
    root, steep = np.sqrt(q), m / np.sqrt(rest)

    def integrand(z):
        return 2 * special.ndtr(steep * z) * envelope(name, root * z, V)[0] * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    cuts = [c / root for c in envelope(name, np.zeros(1), V)[1]] + [s / steep for s in (-30, -8, -2, 0, 2, 8, 30)]
    # Those of the logistic loss: on the scale 1/√q about ω = 0 and −V.
    cuts += [(c + s) / root for c in (0, -V) for s in (-30, -8, -2, 2, 8, 30) if name == "logistic"]
    cuts = np.unique(np.clip([-9, -3, 3, 9, *cuts], -9, 9))
    z, w = np.polynomial.legendre.leggauss(60)
    half = np.diff(cuts) / 2
    total = np.sum(half * (w @ integrand(cuts[:-1] + half + np.outer(z, half))))
    return alpha * total - rest / (2 * V) + lam * q / 2


GRID = [(alpha, lam) for alpha in (0.01, 2.0, 20.0, 100.0) for lam in (1e-12, 1e-8, 1e-3, 1e9)]


@pytest.mark.wide
@pytest.mark.parametrize("name", ["hinge", "logistic"])
@pytest.mark.parametrize(("alpha", "lam"), [*GRID, (50.0, 1e-6), (50.0, 1e-10), (1.0, 1.0)])
def test_all_loads_and_regularizations_have_a_minimum(name, alpha, lam):
    """Stationary for the free energy of the risk, in the logarithms of its arguments, in units of its value.

    Central differences of fourth order: of the step 3e-4 there is 1e-14 times the fifth derivative, and of rounding in
    sums of a thousand terms 1e-13 over the step.
    """
    found = gcm.minimum(name, Interval(), gcm.isotropic(), alpha, lam)
    at = np.log([found.V, found.rest, found.m])
    value = least_risk(name, alpha, lam, at)
    assert value == pytest.approx(alpha * found.train_loss + lam * found.norm / 2, rel=1e-10)
    for e in 3e-4 * np.eye(3):
        ends = [least_risk(name, alpha, lam, at + k * e) for k in (-2, -1, 1, 2)]
        slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / 36e-4
        assert abs(slope) < 1e-8 * (value + found.rest / found.V)


@pytest.mark.parametrize("name", ["square", "logistic"])
def test_generic_covariances_of_finite_size(name):
    """Teacher and student features of different dimensions; 8 instances, |t| < 6 is a false alarm of 5e-4."""
    rng = np.random.default_rng(5)
    p, d, alpha, lam = 200, 300, 2.0, 0.1
    A = rng.normal(size=(p, p + d)) / np.sqrt(p + d)
    B = rng.normal(size=(d, p + d)) / np.sqrt(p + d)
    A[:, :d] += 0.7 * B[:p, :d]
    Omega, Phi, Psi = A @ A.T, B @ A.T, B @ B.T
    theta = rng.normal(size=d)
    found = gcm.minimum(name, Interval(), gcm.from_matrices(Psi, Phi, Omega, theta), alpha, lam)
    rho = theta @ Psi @ theta / d
    errors = []
    for _ in range(8):
        x = rng.normal(size=(int(alpha * p), p + d))
        v, y = x @ A.T / np.sqrt(p), np.sign(x @ B.T @ theta)
        if name == "square":
            w = np.linalg.solve(v.T @ v + lam * np.eye(p), v.T @ y)
        else:
            cost = lambda w, v=v, y=y: loss(name, y, v @ w).sum() + 0.5 * lam * w @ w  # noqa: E731
            jac = lambda w, v=v, y=y: v.T @ slope(name, y, v @ w) + lam * w  # noqa: E731
            w = optimize.minimize(cost, np.zeros(p), jac=jac, method="L-BFGS-B", options={"gtol": 1e-8}).x
        errors.append(np.arccos((theta @ Phi @ w) / np.sqrt(theta @ Psi @ theta * (w @ Omega @ w))) / np.pi)
    theory = np.arccos(found.m / np.sqrt(found.q * rho)) / np.pi
    # The instance's own covariances are in the theory, so that only the bias of order 1/p is left.
    assert abs(np.mean(errors) - theory) < 6 * np.std(errors, ddof=1) / np.sqrt(8) + 0.3 / p


def test_covariances_agree_with_one_another():
    omega = np.array([2.0, 1.0, 0.5])
    theta = np.array([1.0, -0.5, 2.0])
    a, b = gcm.matched(omega, theta**2), gcm.from_matrices(np.diag(omega), np.diag(omega), np.diag(omega), theta)
    x, y = (gcm.minimum("logistic", Interval(), c, 2.0, 0.1) for c in (a, b))
    assert (x.q, x.m) == pytest.approx((y.q, y.m), rel=1e-8)
    x, y = (gcm.minimum("hinge", Interval(), c, 2.0, 0.1) for c in (gcm.isotropic(), gcm.matched(np.ones(4))))
    assert (x.q, x.m) == pytest.approx((y.q, y.m), rel=1e-8)


BAD = {
    "loss": lambda: gcm.minimum("huber", Interval(), gcm.isotropic(), 1, 1),
    "alpha": lambda: gcm.minimum("square", Interval(), gcm.isotropic(), 0, 1),
    "regularization": lambda: gcm.minimum("square", Interval(), gcm.isotropic(), 1, 0),
    "rho": lambda: gcm.isotropic(0),
    "omega": lambda: gcm.matched([-1.0]),
    "Omega": lambda: gcm.from_matrices(np.eye(2), np.eye(2), -np.eye(2), [1, 1]),
    "theta": lambda: gcm.from_matrices(np.zeros((2, 2)), np.eye(2), np.eye(2), [1, 1]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    with pytest.raises(ModelError) as error:
        BAD[name]()
    assert error.value.name == name


def test_real_outputs_need_the_square_loss():
    with pytest.raises(ModelError, match="square"):
        gcm.minimum("hinge", Kinked(), gcm.isotropic(), 1.0, 1.0)


def test_what_does_not_converge_says_so():
    """A tolerance that nothing meets."""
    with pytest.raises(ConvergenceError) as error:
        gcm.minimum("hinge", Interval(), gcm.isotropic(), 2.0, 0.1, tol=-1.0)
    assert error.value.iterations > 40


@pytest.mark.parametrize("teacher", [Interval(noise=0.3), Logistic(0.5), Interval(edge=0.7, noise=0.1)])
@pytest.mark.parametrize("name", ["logistic", "hinge"])
def test_one_label_of_an_odd_teacher_stands_for_both(teacher, name, monkeypatch):
    """And odd is what does not change with the signs of label and field; averages to rounding."""
    omega = np.linspace(-3, 3, 13)
    log = teacher.log_partition(1.0, omega, 0.4)
    assert teacher.odd == np.allclose(log, teacher.log_partition(-1.0, -omega, 0.4), rtol=1e-12)
    given = (name, teacher, 1.0, 0.8, 1.3, 0.6)
    found = gcm.channel_averages(*given)
    monkeypatch.setattr(type(teacher), "odd", False)
    np.testing.assert_allclose(found, gcm.channel_averages(*given), rtol=1e-13)
