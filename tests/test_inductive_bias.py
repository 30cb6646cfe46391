"""Inductive bias in bits: published numbers, exact laws, ends of options, version spaces against brute force."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import chi2

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import InductiveBias
from tsphys.replica.inductive_bias import process_cumulants
from tsphys.replica.saddles.tails import log_probability, slope, value
from tsphys.replica.saddles.version_space import free, log_mass, typical, volume
from tsphys.sims.engines.inference.arcs import Walkers


def solved(**more):
    return {name: float(v[0]) for name, v in tsphys.solve(InductiveBias(**more)).data.items() if v.ndim == 1}


def process(error, **more):
    """Of the sheet's errors, which are twice ours."""
    return solved(hypotheses="gaussian_process", error=error / 2, noise=math.sqrt(0.1), **more)


@pytest.mark.parametrize("N, error, bits", [
    (12, 0.3, 5.851636), (30, 0.35, -math.log2(0.00515)), (50, 0.1, 87.08889), (200, 0.2, 157.40503),
])  # fmt: skip
def test_published_perceptrons(N, error, bits):
    """To the digits given; one is a Monte Carlo count to 1 %."""
    assert solved(inputs=N, error=error)["bits"] == pytest.approx(bits, abs=6e-6 if N != 30 else 0.03)


@pytest.mark.parametrize("alpha, q, S, errors", [
    (0.5, 0.2803257, -0.3216658, {0.8: 0.4556575, 0.9: 0.8601548, 0.95: 1.3033999, 0.99: 2.4005285}),
    (1, 0.4862636, -0.5964413, {0.8: 0.2488770, 0.9: 0.5929393, 0.95: 0.9965730, 0.99: 2.0434092}),
    (2, 0.7282982, -1.0310382, {0.8: 0.0284982, 0.9: 0.2350104, 0.95: 0.5533727, 0.99: 1.4957997}),
    (5, 0.9320642, -1.8153660, {0.95: 0.0239115, 0.99: 0.6095516}),
])  # fmt: skip
def test_published_version_spaces(alpha, q, S, errors):
    angle = typical(alpha)
    assert math.cos(angle) == pytest.approx(q, abs=2e-7)
    assert volume(alpha, angle) == pytest.approx(S, abs=1e-7)
    for R, bits in errors.items():
        assert (S - volume(alpha, math.acos(R))) / math.log(2) == pytest.approx(bits, abs=2e-7)


@pytest.mark.parametrize("ratio, error, bits", [
    (0.5, 0.3, 1.1728163), (2, 0.2, 0.5133768), (2, 0.3, 0.1824732), (4, 0.2, 0.2337053),
])  # fmt: skip
def test_published_features(ratio, error, bits):
    """Exponents in bits a weight, to 1e-5 for the digits of the published κ."""
    found = solved(hypotheses="features", inputs=100, features=int(100 * ratio), error=error)
    assert found["exponent"] / (100 * ratio) == pytest.approx(bits, abs=2e-5)
    # What is no exponent: instances have 1 or 2 bits more, as published of K/N = 2.
    assert 1 < found["bits"] - found["exponent"] < 5


def test_published_totals_and_floor():
    """Total bits over N at ε = 0.2, and no student below arccos(ρ_max)/π."""
    for ratio, bits in ((1, 1.44142), (4, 0.93482), (10, 0.89290), (100, 0.87105)):
        found = solved(hypotheses="features", inputs=100, features=100 * ratio, error=0.2)
        assert found["exponent"] / 100 == pytest.approx(bits, abs=3e-5)
    for error, finite in ((0.2687, False), (0.2689, True)):
        found = solved(hypotheses="features", inputs=100, features=50, error=error)
        assert math.isfinite(found["bits"]) is math.isfinite(found["exponent"]) is finite


@pytest.mark.parametrize("modes", [2, 200, 10_000])
@pytest.mark.parametrize("ratio", [0.95, 1, 1.2, 50])
def test_likely_errors_of_many_alike_modes(modes, ratio):
    """χ²: close to certain, on a contour that e^F of many modes made grow, and no probability is above 1."""
    e = ratio * modes
    found = log_probability(lambda sigma: -0.5 * modes * np.log(1 + 2 * sigma), e)
    assert found == pytest.approx(chi2.logcdf(e, modes), rel=1e-10, abs=1e-12)
    assert found <= 0


@pytest.mark.parametrize("e, rice, counted, error", [
    (2, 0.28446, 0.2750, 0.001), (1, 0.019047, 0.01866, 3.1e-4), (0.5, 1.5193e-5, 1.5e-5, 9e-6),
])  # fmt: skip
def test_published_processes_before_data(e, rice, counted, error):
    """The probability is exact, on which 2·10⁵ counted ones lie; Lugannani & Rice's formula has the published value."""
    model = InductiveBias(hypotheses="gaussian_process")
    i = np.arange(1.0, 201)
    v = i**-1.0

    def F(sigma):
        return process_cumulants(i**-1.5, v / np.linalg.norm(v), model, sigma)

    s = minimize_scalar(lambda s: value(F, s) + s * e, bounds=(1e-6, 50), method="bounded", options={"xatol": 1e-10}).x
    bend = (slope(F, s + 1e-4) - slope(F, s - 1e-4)) / 2e-4
    w, b = -math.sqrt(-2 * (value(F, s) + s * e)), -s * math.sqrt(bend)
    Phi, phi = 0.5 * math.erfc(-w / math.sqrt(2)), math.exp(-0.5 * w * w) / math.sqrt(2 * math.pi)
    assert Phi + phi * (1 / w - 1 / b) == pytest.approx(rice, rel=3e-4)
    assert abs(2 ** -process(e)["bits"] - counted) < 3 * error


@pytest.mark.parametrize("n, ridge, mean, bits", [
    (0, None, None, (97.1062, 166.1107, 277.3537)),
    (20, 0.1, 0.778129, (75.0148, 142.2213, 252.5988)),
    (80, 0.1, 0.329622, (42.7681, 104.3512, 211.8655)),
    (80, 0.02, 0.309654, (46.9846, 124.5167, 266.2559)),
])  # fmt: skip
def test_published_processes(n, ridge, mean, bits):
    for e, expected in zip((0.1, 0.05, 0.02), bits, strict=True):
        found = process(e, examples=n, ridge=ridge)
        assert found["exponent"] == pytest.approx(expected, abs=6e-5)
        assert mean is None or 2 * found["eps_g"] == pytest.approx(mean, abs=6e-7)
        # What the saddle point leaves out is 4 or 5 bits.
        assert 3.5 < found["bits"] - expected < 5


def test_posterior_of_a_published_run():
    """Exponents of twelve instances, 43.6(8) and 48.4(14), are within three errors of the theory."""
    for ridge, runs, error in ((0.1, 43.6, 0.8), (0.02, 48.4, 1.4)):
        assert abs(process(0.1, examples=80, ridge=ridge)["exponent"] - runs) < 3 * error


def test_slope_of_the_volume():
    for alpha, theta, x in ((0.5, 0.6, 1.0), (5.0, 0.3, -2.0), (1.0, 2.0, -3.0)):
        up, down = (free(alpha, theta, x + h)[0] for h in (1e-4, -1e-4))
        # dq/dx = (1 − R²) e^x/(1 + e^x)², and 1 − q = (1 − R²)/(1 + e^x).
        dq = 1 / (1 + math.exp(-x))
        assert (up - down) / 2e-4 == pytest.approx(free(alpha, theta, x)[1] * dq, rel=1e-6)


def test_volumes_by_brute_force():
    """Of three examples in five dimensions: shares of 4·10⁵ drawn students, and the walkers', on the same examples."""
    rng = np.random.default_rng(4)
    X, teacher = rng.standard_normal((3, 5)), rng.standard_normal(5)
    teacher /= np.linalg.norm(teacher)
    X *= np.sign(X @ teacher)[:, None]
    w = rng.standard_normal((5, 400_000))
    w /= np.linalg.norm(w, axis=0)
    inside = (X @ w > 0).all(axis=0)
    near = inside & (teacher @ w > 0.8)
    walkers = Walkers(w[:, :2000], teacher, 20, rng)
    for x in X:
        walkers.add(x)
    known = walkers.log_volume
    walkers.narrow(0.8)
    # Counted to 0.4 % and 1 %, walked to about as much.
    assert known == pytest.approx(math.log(inside.mean()), abs=0.04)
    assert walkers.log_volume == pytest.approx(math.log(near.mean()), abs=0.06)
    assert (teacher @ walkers.w).min() >= 0.8 - 1e-12
    assert (X @ walkers.w).min() >= -1e-12


def test_first_example_is_a_bit():
    sim = tsphys.simulate(InductiveBias(examples=1), replicas=2)
    np.testing.assert_allclose(sim["information"], 1, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("alpha, N, h, R, error", [
    (1, 60, 3.79759, 0.9009, 0.0010), (1, 60, 1.49764, 0.8028, 0.0025), (2, 60, 2.74094, 0.9030, 0.0022),
    (2, 120, 2.74094, 0.9013, 0.0014), (2, 60, 0.60224, 0.807, 0.009),
])  # fmt: skip
def test_published_tilts(alpha, N, h, R, error):
    """e^(NhR) moves the typical overlap to R: published runs lie where h = −ds/dR, within 3.5 errors and 1/N."""
    angle = math.acos(R)
    push = (volume(alpha, angle + 1e-4) - volume(alpha, angle - 1e-4)) / 2e-4 / math.sin(angle)
    bend = [
        (volume(alpha, a + 1e-4) - volume(alpha, a - 1e-4)) / 2e-4 / math.sin(a) for a in (angle - 0.01, angle + 0.01)
    ]
    dR = (push - h) / ((bend[0] - bend[1]) / (math.cos(angle - 0.01) - math.cos(angle + 0.01)))
    assert abs(dR) < 3.5 * error + 0.2 / N


@pytest.mark.slow
def test_first_example_is_almost_a_bit_in_replica_symmetry():
    assert solved(examples=1)["information"] == pytest.approx(1, abs=1 / 30)


@pytest.mark.slow
def test_published_volumes():
    """ln of the volume over N of N = 30, eight runs: −0.565(25) and −1.015(52)."""
    for alpha, runs, error in ((1, -0.565, 0.025), (2, -1.015, 0.052)):
        found = -math.log(2) * solved(examples=30 * alpha)["information"] / 30
        assert abs(found - runs) < 3 * error


ENDS: list[dict] = [
    {"error": 1e-8},
    {"error": 0.4999},
    {"inputs": 2},
    {"inputs": 10**7},
    {"examples": 1},
    {"examples": 600},
    {"examples": 10**7, "error": 1e-4},
    *(
        {"hypotheses": "features", **more}
        for more in (
            {"features": 2, "error": 0.45},
            {"features": 10**7},
            {"activation": "linear"},
            {"activation": "he2"},
        )
    ),
    *(
        {"hypotheses": "gaussian_process", **more}
        for more in (
            {"error": 1e-8},
            {"error": 1e8},
            {"decay": 20.0},
            {"decay": 0.0, "modes": 2},
            {"target_decay": 20.0},
            {"examples": 10**7},
            {"examples": 1, "ridge": 1e9},
            {"examples": 300, "ridge": 1e-10},
            {"examples": 10, "noise": 1e8},
        )
    ),
]


@pytest.mark.parametrize(
    "more", [pytest.param(x, marks=pytest.mark.slow) if x.get("examples", 0) > 0 else x for x in ENDS]
)
def test_ends_of_all_options(more):
    """A number, or infinitely many bits; never less than none, and never fewer for a smaller error."""
    found = solved(**more)
    assert found["bits"] >= -1e-9
    assert found["exponent"] >= -1e-9
    smaller = solved(**{**more, "error": 0.9 * more.get("error", 0.2)}) if more.get("error", 0.2) > 1e-7 else found
    assert smaller["bits"] >= found["bits"] - 1e-5


def test_ends_of_simulations():
    for more in ({"error": 1e-8}, {"inputs": 2}, {"hypotheses": "features", "features": 2, "error": 0.45},
                 {"hypotheses": "gaussian_process", "error": 1e8}, {"hypotheses": "gaussian_process", "decay": 20.0},
                 {"hypotheses": "gaussian_process", "examples": 30, "ridge": 1e-10},
                 {"hypotheses": "features", "activation": "he2"}):  # fmt: skip
        sim = tsphys.simulate(InductiveBias(**more), replicas=2)
        assert (sim["bits"] >= 0).all(), more


def test_an_easy_error_costs_no_bits():
    """Between the mean and beyond: no exponent, and a probability that tends to one."""
    easy = process(20.0)
    assert easy["exponent"] == 0
    assert 0 <= easy["bits"] < 0.01


def test_overconfidence_costs_bits():
    """A posterior that is too narrow has a smaller mean error, and is further from small ones."""
    right, narrow = (process(0.02, examples=80, ridge=ridge) for ridge in (None, 0.02))
    assert narrow["eps_g"] < right["eps_g"]
    assert narrow["bits"] > right["bits"] + 50


def test_version_space_on_theory():
    """To O(1) in ln P, here half a bit, and four standard errors."""
    model = InductiveBias(inputs=16, examples=12, error=0.15)
    sim, theory = tsphys.simulate(model, replicas=8, chains=60, moves=15, seed=1), tsphys.solve(model)
    for name, finite in (("bits", 0.5), ("information", 0.5), ("eps_g", 0.01)):
        assert abs(sim.mean(name)[0] - theory[name][0]) < 4 * sim.sem(name)[0] + finite, name


@pytest.mark.parametrize("model, errors", [
    (InductiveBias(hypotheses="features", inputs=25, features=60, activation="erf"), [0.2, 0.3]),
    (InductiveBias(hypotheses="gaussian_process", modes=60, examples=20), [0.02, 0.1]),
])  # fmt: skip
def test_simulation_on_theory(model, errors):
    sim = tsphys.simulate(model, error=errors, replicas=10, seed=1)
    theory = tsphys.solve(model, error=errors)
    found = tsphys.compare(sim, theory)
    assert found.max_abs_z < found.threshold, found
    # Standard errors are less than a bit and a half.
    assert sim.sem("bits").max() < 1.5


def test_masses_without_examples_are_exact():
    for N in (2, 3, 40, 10**6):
        whole = 0.5 * math.log(math.pi) + math.lgamma(0.5 * (N - 1)) - math.lgamma(0.5 * N)
        half = log_mass(0.0, N, 0.5 * math.pi - 1e-13)[0]
        assert half == pytest.approx(whole - math.log(2), abs=1e-7)


def test_refusals():
    refuses(lambda: InductiveBias(error=0.5), "error")
    refuses(lambda: volume(-1.0, 1.0), "alpha")
    refuses(lambda: volume(1.0, 3.5), "theta")
    assert volume(0.0, 0.0) == volume(1.0, 0.0) == volume(0.0, math.pi) == -math.inf
    refuses(lambda: InductiveBias(hypotheses="features", examples=3), "examples")
    refuses(lambda: InductiveBias(hypotheses="gaussian_process", examples=3, noise=0.0), "noise")
    refuses(lambda: InductiveBias(hypotheses="gaussian_process", examples=3, ridge=0.0), "ridge")
    refuses(lambda: tsphys.simulate(InductiveBias(hypotheses="features", inputs=10**6, features=10**6)), "features")
    refuses(lambda: tsphys.simulate(InductiveBias(inputs=10, examples=20), moves=10**9, chains=10), "moves")
    rng = np.random.default_rng(0)
    walkers = Walkers(rng.standard_normal((40, 10)), np.eye(40)[0], 1, rng)
    walkers.w /= np.linalg.norm(walkers.w, axis=0)
    walkers.add(np.eye(40)[1])
    with pytest.raises(tsphys.ConvergenceError, match="no walker is left"):
        walkers.add(-np.eye(40)[1])


def test_what_is_known_by_hand():
    passes("inductive_bias", "by their kernel", "slope of the volume", "on average")


@pytest.mark.slow
def test_version_space_of_sixty_inputs_on_theory():
    model, errors = InductiveBias(inputs=60, examples=60), [0.1, 0.2]
    sim = tsphys.simulate(model, error=errors, replicas=4, seed=1, chains=60, moves=15)
    found = tsphys.compare(sim, tsphys.solve(model, error=errors))
    assert found.max_abs_z < found.threshold, found
