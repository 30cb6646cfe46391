"""Replica theory of Hopfield's network: published numbers, its own free energy, identities and limits."""

import numpy as np
import pytest
from scipy import integrate

from tests.naive import hebbian_free_energy as naive
from tsphys.errors import ConvergenceError, ModelError, NoStateError
from tsphys.models.hopfield import Hopfield
from tsphys.physics.spins.averages import mean_tanh, spin_averages
from tsphys.replica import hopfield as theory
from tsphys.replica.saddles import sparse
from tsphys.solvers.fixed_point import crossing, fixed_point

POINTS = [(0.05, 0.3), (0.03, 0.5), (0.1, 0.15), (0.13, 0.05), (0.002, 0.85), (0.138, 0.03)]


def point(alpha, T, **options):
    """Theory at one point, as plain numbers."""
    model = options.pop("model", Hopfield())
    result = theory.solve(model, alpha=[alpha], T=T, **options)
    return {k: float(result[k][0]) for k in result.observables}


# Averages of a spin ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "h, sigma, T", [(0.5, 0.3, 0.2), (0.5, 0.299, 0.2), (1.0, 2.0, 0.05), (0.2, 0.01, 0.3), (0, 1, 1)]
)
def test_averages_against_adaptive_quadrature(h, sigma, T):
    """Both rules, on either side of their border σ = 1.5 T. QUADPACK is asked for 1e-12."""
    a = spin_averages(h, sigma, T)

    def mean(f):
        kink = min(max(-h / sigma, -8.9), 8.9)
        value = integrate.quad(
            lambda z: f((h + sigma * z) / T) * np.exp(-(z**2) / 2), -9, 9, points=[kink], limit=400, epsabs=1e-13
        )[0]
        return value / np.sqrt(2 * np.pi)

    assert a.tanh == pytest.approx(mean(np.tanh), abs=1e-11)
    assert mean_tanh(h, sigma, T) == pytest.approx(a.tanh, abs=1e-15)
    assert T * a.chi == pytest.approx(mean(lambda u: np.cosh(min(abs(u), 90)) ** -2.0), abs=1e-11)
    assert T * a.chi4 == pytest.approx(mean(lambda u: np.cosh(min(abs(u), 90)) ** -4.0), abs=1e-11)
    assert a.log2cosh / T == pytest.approx(mean(naive.log2cosh), abs=1e-10)
    assert a.entropy == pytest.approx(mean(lambda u: naive.log2cosh(u) - u * np.tanh(u)), abs=1e-11)


def test_averages_are_continuous_at_zero_temperature():
    """Corrections are of order T²: π²T²/12 times derivatives of the density of x, which are below 10 here."""
    cold = spin_averages(0.7, 0.4, 0.0)
    for T in (1e-3, 1e-5, 1e-9, 1e-12):
        warm = spin_averages(0.7, 0.4, T)
        for name in ("tanh", "chi", "chi4", "log2cosh"):
            assert getattr(warm, name) == pytest.approx(getattr(cold, name), abs=10 * T**2 + 1e-13)
        assert warm.entropy == pytest.approx(cold.entropy, abs=3 * T)


# Published numbers ----------------------------------------------------------------------------------------------------


def test_capacity():
    """α_c = 0.138 and m = 0.967 of Amit, Gutfreund & Sompolinsky; their equation is solved here in its own form."""
    from scipy.special import erf

    y = crossing(lambda y: 2 * y * np.exp(-(y**2)) * (1 + 2 * y**2) / np.sqrt(np.pi) - erf(y), 1.2, 1.8)
    own = 0.5 * (erf(y) / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))) ** 2
    assert own == pytest.approx(0.1379055665, abs=1e-10)
    load = theory.spinodal_load(Hopfield(T=0))
    assert load == pytest.approx(own, abs=1e-13)
    # m − m_c ~ √(α_c − α): 1e-12 below the spinodal leaves 1e-6.
    assert point(load - 1e-12, 0)["m"] == pytest.approx(0.9674171, abs=5e-6)


@pytest.mark.parametrize(
    "T, alpha_M, alpha_c",
    [
        (0.1, 0.135049, 0.053092),
        (0.3, 0.103330, 0.045031),
        (0.5, 0.058816, 0.028076),
        (0.7, 0.022322, 0.011482),
        (0.9, 0.002568, 0.001409),
    ],
)
def test_lines(T, alpha_M, alpha_c):
    model = Hopfield(T=T)
    assert theory.spinodal_load(model) == pytest.approx(alpha_M, abs=1e-6)
    assert theory.transition_load(model) == pytest.approx(alpha_c, abs=1e-6)
    assert theory.spinodal_temperature(Hopfield(alpha=theory.spinodal_load(model))) == pytest.approx(T, abs=1e-9)


def test_lines_as_temperatures():
    assert theory.transition_load(Hopfield(T=0)) == pytest.approx(0.0518543, abs=1e-7)
    assert theory.transition_temperature(Hopfield(alpha=theory.transition_load(Hopfield(T=0.3)))) == pytest.approx(0.3)
    assert theory.glass_temperature(Hopfield(alpha=0.09)) == pytest.approx(1.3, abs=1e-14)
    # Amit et al.: T_M = 1 − 1.95 √α and T_c = 1 − 2.6 √α for α → 0.
    near = Hopfield(T=0.95)
    assert 0.05 / np.sqrt(theory.spinodal_load(near)) == pytest.approx(1.964, abs=1e-3)
    assert 0.05 / np.sqrt(theory.transition_load(near)) == pytest.approx(2.631, abs=1e-3)


def test_replica_symmetry_breaks_at_low_temperature_only():
    for alpha, T_R in ((0.12, 0.0050), (0.13, 0.0095), (0.135, 0.014), (0.1375, 0.0195)):
        assert theory.at_temperature(Hopfield(alpha=alpha)) == pytest.approx(T_R, abs=3e-4)
    assert theory.at_load(Hopfield(T=theory.at_temperature(Hopfield(alpha=0.13)))) == pytest.approx(0.13, abs=1e-9)
    assert theory.at_load(Hopfield(T=0.3)) == theory.spinodal_load(Hopfield(T=0.3))
    assert theory.at_load(Hopfield(T=0)) == 0
    asymptote = np.sqrt(8 * 0.02 / (9 * np.pi)) * np.exp(-1 / 0.04)
    # Its corrections are of relative order α.
    assert theory.at_temperature(Hopfield(alpha=0.02)) == pytest.approx(asymptote, rel=0.1)


def test_states():
    assert point(0.05, 0)["m"] == pytest.approx(0.99999223, abs=1e-8)
    assert point(0.13, 0)["m"] == pytest.approx(0.98721189, abs=1e-8)
    cold = point(0.10, 0)
    assert (cold["m"], cold["energy"]) == pytest.approx((0.99799927, -0.50015421), abs=1e-8)
    warm = point(0.05, 0.3)
    names = ("m", "q", "r", "free_energy", "energy")
    expected = (0.991165, 0.982961, 1.104907, -0.501236, -0.494278)
    assert [warm[k] for k in names] == pytest.approx(expected, abs=1e-6)
    assert [point(0.03, 0.5)[k] for k in ("m", "energy")] == pytest.approx([0.936049, -0.448350], abs=1e-6)


def test_spin_glass_at_zero_temperature():
    """Closed form: 1 − C = √α/(√α + √(2/π)), e = −1/π − √(2α/π)."""
    glass = point(0.2, 0, branch="spin_glass")
    C = np.sqrt(2 / np.pi) / (np.sqrt(0.2) + np.sqrt(2 / np.pi))
    assert glass["r"] == pytest.approx(1 / (1 - C) ** 2, rel=1e-12)
    assert glass["energy"] == pytest.approx(-1 / np.pi - np.sqrt(0.4 / np.pi), abs=1e-12)
    assert glass["m"] == 0


def test_static_noise():
    """Clipped: Sompolinsky's 0.102; diluted: α_c/c → 2/π for c → 0, the value of the extremely diluted network."""
    assert theory.spinodal_load(Hopfield(coupling="clipped")) == pytest.approx(0.1018387, abs=1e-7)
    for c, load in ((0.5, 0.173084), (0.1, 0.276288), (0.01, 0.424795)):
        assert theory.spinodal_load(Hopfield(coupling="diluted", connectivity=c)) / c == pytest.approx(load, abs=1e-5)
    thin = theory.spinodal_load(Hopfield(coupling="diluted", connectivity=1e-7)) / 1e-7
    assert thin == pytest.approx(2 / np.pi, abs=0.01)
    whole, hebb = Hopfield(coupling="diluted"), Hopfield()
    assert theory.spinodal_load(whole) == theory.spinodal_load(hebb)


def test_glass_temperature_of_clipped_couplings_is_where_q_vanishes():
    model = Hopfield(alpha=0.1, coupling="clipped")
    T_g = theory.glass_temperature(model)
    q = theory.solve(model, T=T_g - np.array([2e-3, 1e-3]), branch="spin_glass")["q"]
    # Linear in T_g − T, so that halving the distance halves q, to second order.
    assert q[0] == pytest.approx(2 * q[1], rel=0.01)
    assert 0 < q[1] < 2e-3
    with pytest.raises(ModelError, match="T_g"):
        theory.solve(model, T=T_g + 1e-3, branch="spin_glass")


def test_sparse_patterns():
    load, theta = theory.best_threshold(0.1)
    assert load == pytest.approx(0.44097, abs=1e-5)
    # The branch at that threshold, followed in the load, ends there too: closed form against continuation.
    model = Hopfield(activity=0.1, threshold=theta)
    assert theory.spinodal_load(model) == pytest.approx(load, abs=1e-8)
    state = point(0.3, 0.05, model=Hopfield(activity=0.1, threshold=0.5))
    assert (state["p1"], state["p0"]) == pytest.approx((0.970382, 0.001993), abs=1e-6)
    # At T = 0, f = ½ and θ' = 0 is the network of ±1 spins at 2α; the threshold θ = Γ/2 follows from r = 1/(1 − C)².
    half = 0.06
    spin = point(2 * half, 0)
    C = 1 - 1 / np.sqrt(spin["r"])
    same = point(half, 0, model=Hopfield(activity=0.5, threshold=half * C / (2 * (1 - C))))
    assert same["m"] == pytest.approx(spin["m"], abs=1e-9)
    # Another threshold carries more: θ' > 0 takes activity, and noise.
    most, _, shift = sparse.best_capacity(0.5)
    assert most > theory.spinodal_load(Hopfield()) / 2 * (1 + 1e-4)
    assert shift > 0
    # Without load, at any T, tanh(m/4T) is spins' tanh(βm) at 4T; with it neurons of mean ½ add a noise of their own.
    assert point(0, 0.15, model=Hopfield(activity=0.5))["m"] == pytest.approx(point(0, 0.6)["m"], abs=1e-9)


@pytest.mark.parametrize("name, model", [
    ("T", {"T": 0.3, "activity": 0.5}), ("T", {"T": 0.25, "activity": 0.5}), ("T", {"T": 0.25, "activity": 0.1}),
    ("threshold", {"T": 0.1, "activity": 0.5, "threshold": 0.6}), ("threshold", {"activity": 0.1, "threshold": -0.1}),
    ("T", {"T": 0.24, "activity": 0.5, "threshold": 0.3}), ("T", {"T": 0.1, "activity": 0.1}),
])  # fmt: skip
def test_neurons_without_retrieval(name, model):
    """Where m = p_1 − p_0 of a single pattern has no solution but 0, or others grow beside it, C = β(Q − q) > 1."""
    f, T, theta = model["activity"], model.get("T", 0.0), model.get("threshold", 0.0)
    if T > 0:
        p = lambda x: 1 / (1 + np.exp(-x / T))  # noqa: E731
        m = 1.0
        for _ in range(2000):
            p1, p0 = p((1 - f) * m - theta), p(-f * m - theta)
            m = p1 - p0
        # At T = ¼ it falls like t^(−1/2).
        assert m < 0.06 or (f * p1 * (1 - p1) + (1 - f) * p0 * (1 - p0)) / T > 1
    for load in (0.0, 1e-3, 0.05):
        here = Hopfield(alpha=load, **model)
        with pytest.raises(NoStateError) as caught:
            theory.solve(here)
        assert caught.value.name == name
    assert theory.spinodal_load(here) == 0


# The free energy and its derivatives ----------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha, T", POINTS)
def test_stationary(alpha, T):
    """The naive free energy of (m, q, r) is flat at the solution; its grid of z resolves 1e-13, the steps 1e-11."""
    s = point(alpha, T)
    f = lambda x: naive.hopfield(*x, alpha, T)  # noqa: E731
    # In q the derivatives are of order αβ/(1 − C)^k, up to 1e3 here, and the error of the difference with them.
    slope = naive.gradient(f, (s["m"], s["q"], s["r"]), 1e-4 if T > 0.1 else 2e-5)
    assert np.abs(slope).max() < 1e-8
    assert f((s["m"], s["q"], s["r"])) == pytest.approx(s["free_energy"], abs=1e-11)


@pytest.mark.parametrize("kind", ["clipped", "diluted"])
def test_stationary_with_static_noise(kind):
    model = Hopfield(alpha=0.06, T=0.2, coupling=kind, connectivity=0.6 if kind == "diluted" else 1.0)
    s = point(0.06, 0.2, model=model)
    static = np.pi / 2 - 1 if kind == "clipped" else 0.4 / 0.6
    f = lambda x: naive.hopfield(*x, 0.06, 0.2, static)  # noqa: E731
    assert np.abs(naive.gradient(f, (s["m"], s["q"], s["r"]))).max() < 1e-8
    assert f((s["m"], s["q"], s["r"])) == pytest.approx(s["free_energy"], abs=1e-11)


def test_stationary_mixture():
    """All directions of the three overlaps, also those that break their symmetry."""
    s = point(0.004, 0.3, branch="mixture", mixture=3)
    f = lambda x: naive.mixture(x[:3], x[3], x[4], 0.004, 0.3)  # noqa: E731
    x = [s["m"]] * 3 + [s["q"], s["r"]]
    assert np.abs(naive.gradient(f, x)).max() < 1e-8
    assert f(np.array(x)) == pytest.approx(s["free_energy"], abs=1e-11)


def test_mixtures_decay():
    """The curvature is that of the naive free energy along m_1 − m_2; for α = 0 it vanishes at T = 0.46."""
    model = Hopfield(alpha=0.004, T=0.3)
    s = point(0.004, 0.3, branch="mixture")
    x = np.array([s["m"]] * 3 + [s["q"], s["r"]])
    across = np.array([1, -1, 0, 0, 0]) / np.sqrt(2)
    f = [naive.mixture((x + c * across)[:3], *x[3:], 0.004, 0.3) for c in (-1e-3, 0, 1e-3)]
    # A second difference: error 1e-6 of the fourth derivative, of order 100 here, and 1e-15/1e-6 of rounding.
    curvature = (f[0] - 2 * f[1] + f[2]) / 1e-6
    assert theory.mixture_stability(model) == pytest.approx(curvature, abs=2e-4)
    end = crossing(lambda T: theory.mixture_stability(Hopfield(alpha=0, T=T)), 0.3, 0.6)
    # By hand: 1 − q + Q = 1 − (a + 3b)/4 + (a − b)/4 = 1 − b with a = tanh²(3βm), b = tanh²(βm).
    m = crossing(lambda m: 4 * m - np.tanh(3 * m / end) - np.tanh(m / end), 0.05, 1)
    assert (1 - np.tanh(m / end) ** 2) / end == pytest.approx(1, abs=1e-9)
    assert end == pytest.approx(0.46, abs=2e-3)


def test_stationary_sparse():
    net = sparse.Neurons(alpha=0.3, T=0.05, f=0.1, theta=0.5)
    m, ratio, C = sparse.retrieved(net).x
    Q = 0.1 * ratio
    f = lambda x: naive.sparse(*x, 0.3, 0.05, 0.1, 0.5)  # noqa: E731
    x = np.array([m, Q, Q - 0.05 * C])
    assert np.abs(naive.gradient(f, x, 1e-5)).max() < 1e-8
    assert f(x) == pytest.approx(sparse.free_energy(net, np.array([m, ratio, C])), abs=1e-12)


@pytest.mark.parametrize(
    "model, options",
    [
        (Hopfield(alpha=0.05), {}),
        (Hopfield(alpha=0.05, coupling="clipped"), {}),
        (Hopfield(alpha=0.001), {"branch": "mixture", "mixture": 5}),
        (Hopfield(alpha=0.2), {"branch": "spin_glass"}),
        (Hopfield(alpha=0.2, coupling="diluted", connectivity=0.5), {"branch": "spin_glass"}),
        (Hopfield(alpha=0.2, activity=0.1, threshold=0.5), {}),
    ],
)
def test_thermodynamics(model, options):
    """energy = ∂(βf)/∂β by differences of fourth order in T (error 1e-4⁴ × fifth derivative), entropy = β(e − f)."""
    T = 0.05 if model.activity else 0.25
    h = 1e-3 * T
    s = theory.solve(model, T=T + h * np.array([-2, -1, 0, 1, 2]), **options)
    f = s["free_energy"]
    slope = (8 * (f[3] - f[1]) - f[4] + f[0]) / (12 * h)
    assert s["energy"][2] == pytest.approx(f[2] - T * slope, abs=2e-9)
    assert s["entropy"][2] == pytest.approx(-slope, abs=2e-9 / T)
    np.testing.assert_allclose(s["entropy"], (s["energy"] - f) / s["T"], atol=1e-12)


def test_thermodynamics_of_the_paramagnet():
    s = theory.solve(
        Hopfield(alpha=0.2, coupling="clipped"), T=2 + 1e-3 * np.array([-2, -1, 0, 1, 2]), branch="paramagnetic"
    )
    f = s["free_energy"]
    slope = (8 * (f[3] - f[1]) - f[4] + f[0]) / 12e-3
    assert s["energy"][2] == pytest.approx(f[2] - 2 * slope, abs=1e-9)
    assert s["entropy"][2] == pytest.approx(-slope, abs=1e-9)
    assert np.all(s["q"] == 0)


# Limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("T", [0.2, 0.6, 0.95])
def test_no_load_is_curie_weiss(T):
    s = point(0, T)
    m = fixed_point(lambda m: np.tanh(m / T), [1.0], tol=1e-14).x[0]
    assert s["m"] == pytest.approx(m, abs=1e-10)
    assert s["free_energy"] == pytest.approx(m**2 / 2 - T * naive.log2cosh(m / T), abs=1e-12)


def test_low_temperature_limit_is_smooth():
    """q = 1 − TC makes m(T) − m(0) linear in T, with corrections of order T."""
    cold = point(0.12, 0)
    gaps = [point(0.12, T)["m"] - cold["m"] for T in (1e-4, 1e-5, 1e-6)]
    assert gaps[1] / gaps[0] == pytest.approx(0.1, rel=0.02)
    assert gaps[2] / gaps[1] == pytest.approx(0.1, rel=0.002)
    assert point(0.12, 1e-7)["entropy"] == pytest.approx(cold["entropy"], abs=1e-6)


def test_mixtures():
    """Three patterns without load: 4m = tanh(3βm) + tanh(βm) by enumeration; energy −3m²/2 = −3/8 at T = 0."""
    s = point(0, 0, branch="mixture")
    assert (s["m"], s["energy"]) == pytest.approx((0.5, -0.375), abs=1e-12)
    s = point(0, 0.3, branch="mixture")
    assert s["m"] == pytest.approx((np.tanh(3 * s["m"] / 0.3) + np.tanh(s["m"] / 0.3)) / 4, abs=1e-11)
    # Amit et al.: at α = 0, T = 0 the overlap of n patterns is C(n − 1, (n − 1)/2)/2^(n − 1).
    assert point(0, 0, branch="mixture", mixture=7)["m"] == pytest.approx(20 / 64, abs=1e-12)
    assert theory.spinodal_load(Hopfield(), mixture=3) < theory.spinodal_load(Hopfield())


def test_loads_up_to_the_spinodal():
    """No point is missed however close to the end, where the iteration slows down and Newton's matrix is singular."""
    for T in (0.0, 0.02, 0.4, 0.9):
        end = theory.spinodal_load(Hopfield(T=T))
        s = theory.solve(Hopfield(T=T), alpha=end * (1 - np.geomspace(1e-9, 0.5, 12)[::-1]))
        assert np.all(np.diff(s["m"]) < 0)
        assert max(s.meta["residual"]) <= 1e-12


# Parallel dynamics ----------------------------------------------------------------------------------------------------


def test_two_parallel_steps():
    assert theory.parallel_steps(0.1, 0.5) == pytest.approx((0.886154, 0.950469), abs=1e-6)
    assert theory.parallel_steps(0.2, 0.6) == pytest.approx((0.820288, 0.817991), abs=1e-6)


def test_parallel_steps_as_a_result():
    model = Hopfield(alpha=0.1, dynamics="parallel")
    steps = theory.solve(model, t=[0, 1, 2], overlap=0.5)
    assert steps["m"] == pytest.approx((0.5, 0.886154, 0.950469), abs=1e-6)
    for options, words in (
        ({"t": [3]}, "among the steps 0, 1, 2"),
        ({"t": [1], "T": 0.1}, "T = 0.1: must be 0"),
        ({"t": [1], "overlap": 2.0}, "overlap = 2.0"),
    ):
        with pytest.raises(ModelError, match=words):
            theory.solve(model, **options)
    with pytest.raises(ModelError, match='must be "parallel"'):
        theory.solve(Hopfield(alpha=0.1), t=[1])


def test_two_parallel_steps_against_a_network():
    """N = 1200, 24 networks, T = 0; the O(1/N) bias is taken as 1/N times 3."""
    rng = np.random.default_rng(7)
    N, alpha, m0 = 1200, 0.2, 0.6
    P, out = int(alpha * N), []
    for _ in range(24):
        xi = rng.choice([-1.0, 1.0], (P, N))
        s = xi[0].copy()
        flipped = rng.permutation(N)[: round(N * (1 - m0) / 2)]
        s[flipped] *= -1
        row = []
        for _ in range(2):
            h = (xi @ s) @ xi - P * s
            s = np.sign(np.where(h == 0, s, h))
            row.append(s @ xi[0] / N)
        out.append(row)
    mean, sem = np.mean(out, 0), np.std(out, 0, ddof=1) / np.sqrt(24)
    assert np.all(np.abs(mean - theory.parallel_steps(alpha, m0)) < 4 * sem + 3 / N)


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, words",
    [
        ({"alpha": [0.1, 0.14]}, r"alpha = 0.14: must be <= 0.137905\d+, the spinodal"),
        ({"alpha": 0.05, "T": [0.3, 0.9]}, r"T = 0.9: must be <= 0.5422\d+"),
        ({"T": [1.5]}, "T = 1.5: must be < 1"),
        ({"T": [-0.1]}, "T = -0.1: must be a finite number >= 0"),
        ({"alpha": [0.1], "T": [0.1]}, "must be one sequence"),
        ({"branch": "glass"}, "must be one of retrieval"),
        ({"branch": "mixture", "mixture": 4}, "mixture = 4: must be odd"),
        ({"mixture": 5}, 'mixture = 5: must be 3 without branch = "mixture"'),
        ({"overlap": 0.5}, "overlap = 0.5: must be 1 without steps t"),
        ({"branch": "paramagnetic", "T": 0.5}, "must be > 1"),
        ({"alpha": []}, "sequence"),
        ({"alpha": "x"}, "alpha"),
    ],
)
def test_bad_input(options, words):
    with pytest.raises(ModelError, match=words) as caught:
        theory.solve(Hopfield(), **options)
    assert "\n" not in str(caught.value)


def test_bad_models():
    with pytest.raises(ModelError, match="first two steps"):
        theory.solve(Hopfield(dynamics="parallel"))
    with pytest.raises(ModelError, match=r"alpha = 0.5: must be < 0.3766\d+"):
        theory.solve(Hopfield(activity=0.1, threshold=0.5), alpha=[0.5], T=0.05)
    with pytest.raises(ModelError, match="activity"):
        theory.glass_temperature(Hopfield(activity=0.1))
    with pytest.raises(ModelError, match=r"must be <= .* for retrieval at any"):
        theory.spinodal_temperature(Hopfield(alpha=0.2))
    with pytest.raises((ModelError, ConvergenceError)):
        theory.solve(Hopfield(activity=0.1, threshold=2.0))
