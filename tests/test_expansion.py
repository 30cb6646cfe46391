"""The first order in 1/N of online learning: closed forms, a table, and the exact chain itself."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.wide import each
from tsphys.odes.equations import expansion, fluctuations, online
from tsphys.odes.equations.expansion import Process, expand
from tsphys.validation.finite_size import EPS, Q11, Q22, R11, TWO_SIZES, V1, Case, cases, measured

CASES = cases()


def one(R, Q):
    return tsphys.OrderParameters(R=[[R]], Q=[[Q]], T=[[1.0]])


#: For each time y, m and C of the entries of a case, as a prototype in NumPy found them, which agreed with up to 30,000
#: runs of the exact chain at N = 50, 100, 200 and 400.
TABLE = {
    "erf": {
        1: ([0.085341, 0.443, 0.387241], [-0.00423, 0.04956, 0.08531], [0.006032, 0.076045, 0.06958]),
        8: ([0.007097, 0.895173, 0.832902], [-0.00184, 0.06267, 0.126], [9.836e-5, 0.028296, 0.090502]),
    },
    "both layers": {
        2: ([0.07626, 0.20605, 0.24706, 0.47975, 0.74186], [-0.0011, 0.0272, 0.0582, -0.0558, -0.0701],
            [0.00283, 0.00887, 0.01539, 0.00473, 0.00617]),
        8: ([0.08393, 0.2852, 0.25578, 0.39084, 0.5504], [0.0121, -0.0101, -0.009, -0.0221, -0.0191],
            [0.00248, 0.00588, 0.00943, 0.00673, 0.00878]),
    },
    "relu": {
        4: ([0.20377, 0.33688, 0.69846, 0.95608, 1.13776], [0.2612, -0.1501, 0.1693, -0.1329, -0.1898],
            [0.0613, 0.3586, 0.5407, 0.0408, 0.0328]),
        8: ([0.09288, 0.44157, 0.838, 0.96844, 1.14533], [0.1168, 0.0187, 0.3334, -0.1672, -0.267],
            [0.00859, 0.2817, 0.4952, 0.0348, 0.0244]),
    },
    "adatron": {
        4: ([0.23674, 0.48792, 0.43956], [-0.0973, 0.2546, 0.4882], [0.02682, 0.05485, 0.14339]),
        16: ([0.08428, 0.56646, 0.34446], [-0.0464, 0.3526, 0.4759], [0.0052, 0.05081, 0.07574]),
    },
    "rosenblatt": {16: ([0.10524, 1.1935, 1.5923], [-0.0328, -0.1212, -0.2641], [0.00491, 0.10837, 0.65868])},
    "linear": {2: ([0.04274, 0.77588, 0.63725], [-0.0041, 0.0827, 0.1574], [0.00329, 0.04234, 0.09862])},
    "plateau": {
        2: ([0.05811, 0.48766, 0.36848, 0.53255], [0.0901, 0.1142, 0.0938, 0.4104],
            [0.00441, 0.06105, 0.06871, 0.09365])
    },
}  # fmt: skip


def entries(result, of, which):
    """Values (axis, entries) of an array of a result, ``of(name) -> (axis, …)``."""
    return np.stack([of(name)[(slice(None), *index)] for name, index in which], axis=-1)


@pytest.mark.parametrize("name", TABLE)
def test_bias_and_covariance_are_those_of_the_table(name):
    case, rows = CASES[name], TABLE[name]
    which, t = case.entries, list(rows)
    theory = tsphys.solve(case.model, start=case.start, t=t, fluctuations=True, N=1)
    y, mean, std = (entries(theory, of, which) for of in (theory.__getitem__, theory.mean, theory.std))
    known = theory.first_order
    doubt = entries(theory, lambda k: known.doubt[:, known.columns(k)].reshape(theory[k].shape), which)
    V = entries(theory, lambda k: known.var2[:, known.columns(k)].reshape(theory[k].shape), which)
    for i, (told, m, C) in enumerate(rows.values()):
        np.testing.assert_allclose(y[i], told, rtol=2e-4)
        # Nodes of both: four times the estimate, at least 1 %, and the digits of the table; m in deviations at N = 100.
        error = np.maximum(4 * doubt[i] / C, 0.01)
        np.testing.assert_array_less(np.abs(std[i] ** 2 - V[i] - C) / C, error + 1e-3)
        np.testing.assert_array_less(np.abs(mean[i] - y[i] - m), 0.02 * np.abs(m) + 0.02 * np.sqrt(C) + 1e-4)


def agree(rows):
    """Whether bias and covariance are those of the runs, to what the expansion itself leaves open."""
    limit = stats.norm.isf(1e-4 / len(rows))
    assert max(abs(row.z_fair) for row in rows) < limit
    assert max(abs(row.z_ratio) for row in rows) < limit


@pytest.mark.slow
@pytest.mark.parametrize("N", [100, 200])
@pytest.mark.parametrize("name", CASES)
def test_runs_have_this_bias_and_covariance(name, N):
    agree(measured(name, CASES[name], N, 3000, seed=N))


SHORT = [name for name, case in CASES.items() if case.sizes == TWO_SIZES]
#: Each compiles engines of its own.
OWN_ENGINES = ("law", "some coordinates", "sphere", "random directions")


@pytest.mark.parametrize("name", each(SHORT, fast=[name for name in SHORT if name not in OWN_ENGINES]))
def test_few_runs_have_this_bias_and_covariance(name):
    agree(measured(name, CASES[name], 60, 400))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("model", "R", "Q"),
    [
        (tsphys.TwoLayer(lr=0.5, noise=0.1), np.zeros((2, 2)), np.zeros((2, 2))),
        (tsphys.TwoLayer(K=3, M=2, lr=0.5, noise=0.3), np.eye(3, 2), np.diag([1.0, 1.0, 0.0])),
        (tsphys.TwoLayer(activation="relu", lr=0.2, noise=0.1), np.eye(2), np.eye(2)),
    ],
    ids=["no length", "copies and a unit of no length", "copies"],
)
def test_from_starts_where_nothing_has_a_size_of_its_own(model, R, Q):
    start = tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2))
    agree(measured("", Case(model, start, (EPS, R11, Q22), (1, 5)), 100, 400))


def state(model, start, t, node=None):
    """The expansion of (R, S, v) at times."""
    from tsphys.registry import entry
    from tsphys.rules.starts import checked_start

    module = __import__(entry(model.name).theory, fromlist=["chain"])
    chain = module.chain(model, checked_start(model.learning_rule(), start))
    found = fluctuations.follow(chain, np.array(t, dtype=float))
    at = np.searchsorted(found.t, t)
    return expansion.Expansion(*(a[at] for a in found))


@pytest.mark.parametrize("b", [1, 3])
def test_hebb_is_known_in_closed_form(b):
    eta, t = 0.7, np.array([0.5, 2.0, 5.0])
    found = state(tsphys.Perceptron(rule="hebb", lr=eta, minibatch=b), one(0.2, 0.5), t)
    S0 = 0.5 - 0.2**2
    np.testing.assert_allclose(found.bias, np.stack([0 * t, -(eta**2) * t / b], axis=1), atol=1e-7)
    np.testing.assert_allclose(found.cov[:, 0, 0], eta**2 * (1 - 2 / np.pi) * t / b, rtol=1e-7)
    np.testing.assert_allclose(found.cov[:, 1, 1], 4 * eta**2 / b * (S0 * t + eta**2 * t**2 / (2 * b)), rtol=1e-6)
    np.testing.assert_allclose(found.cov[:, 0, 1], 0, atol=1e-10)


def test_correlations_in_time_are_those_of_closed_forms():
    """R of Hebb's rule is a random walk; that of a linear student forgets at the rate η, and so do its correlations."""
    t, eta = np.array([0.0, 0.5, 2.0, 3.0]), 0.8
    for model, decay in (
        (tsphys.Perceptron(rule="hebb", lr=eta), 0.0),
        (tsphys.TwoLayer(K=1, M=1, activation="linear", lr=eta, noise=0.2), eta),
    ):
        known = tsphys.solve(model, start=one(0.2, 0.5), t=t, fluctuations=True).first_order
        place, chosen = known.columns("R").start, np.array([1, 3])
        var = known.cov[:, place, place]
        expected = np.exp(-decay * 2.5) * np.sqrt(var[1] / var[3])
        P = known.cov.shape[1]
        for at in (np.arange(4), chosen):
            R = known.correlations(at)
            np.testing.assert_allclose(np.diag(R)[-P:][known.cov[3].diagonal() > 0], 1)
            np.testing.assert_allclose(R[-P + place, np.flatnonzero(at == 1)[0] * P + place], expected, rtol=1e-5)
            np.testing.assert_allclose(R, R.T, atol=1e-14)
    assert dataclasses.replace(known, before=np.empty((0, 0, 0))).correlations(chosen) is None


@pytest.mark.parametrize("b, eta", [(1, 1.0), (3, 1.5)])
def test_the_linear_student_is_known_at_every_size(b, eta):
    """⟨eps_g⟩ after n steps is e₀fⁿ + a(1 − fⁿ)/(1 − f), f = 1 − 2e + e²(N + b + 1)/b, e = η/N, a = η²σ²/(2bN)."""
    sigma, t = 0.3, np.array([0.5, 1.0, 2.0, 4.0])
    model = tsphys.TwoLayer(K=1, M=1, activation="linear", lr=eta, noise=sigma, minibatch=b)
    theory = tsphys.solve(model, start=one(0.2, 0.5), t=t, fluctuations=True)

    def exact(N):
        e, n = eta / N, np.rint(t * N)
        f, a = 1 - 2 * e + e**2 * (N + b + 1) / b, eta**2 * sigma**2 / (2 * b * N)
        return 0.5 * (1 - 0.4 + 0.5) * f**n + a * (1 - f**n) / (1 - f)

    N = 10**4
    # m by Richardson's rule: the rest is of order 1/N².
    m = N * (2 * exact(2 * N) - exact(N) - theory["eps_g"]) + 2 * N * (exact(N) - exact(2 * N))
    np.testing.assert_allclose(N * (theory.mean("eps_g", N) - theory["eps_g"]), m, rtol=3e-3, atol=1e-5)


def test_without_a_term_it_is_something_else(monkeypatch):
    """Each of the three sources of m left out: what a wrong code gives for (Q22, v1), and for AdaTron's (eps, Q)."""
    ordinary, known = online.one_step, expansion.coefficients

    def continuous(process, y):
        found = known(process, y)
        return found._replace(source=found.source + 0.5 * found.J @ found.f)

    changes = {
        "all": {},
        "curvature": {(expansion, "bend"): lambda f, y, units, C: np.zeros_like(y)},
        "first": {(online, "one_step"): lambda *a: lambda y, k: ordinary(*a)(y, k)._replace(first=0 * y)},
        "discrete": {(expansion, "coefficients"): continuous},
    }
    both = {
        "all": (0.0589, -0.0557),
        "curvature": (0.0472, -0.024),
        "first": (0.0793, -0.0612),
        "discrete": (0.0246, -0.0262),
    }
    adatron = {
        "all": (-0.0973, 0.4882),
        "curvature": (-0.0612, 0.4815),
        "first": (-0.16, 0.0372),
        "discrete": (-0.0607, 0.5126),
    }
    for name, change in changes.items():
        with monkeypatch.context() as patch:
            for (module, attribute), value in change.items():
                patch.setattr(module, attribute, value)
            for case, which, t, told in (("both layers", (Q22, V1), 2, both), ("adatron", (EPS, Q11), 4, adatron)):
                own = CASES[case]
                theory = tsphys.solve(own.model, start=own.start, t=[t], fluctuations=True, N=1)
                m = entries(theory, theory.mean, which) - entries(theory, theory.__getitem__, which)
                np.testing.assert_allclose(m[0], told[name], rtol=0.03, atol=1e-3)


def test_an_ornstein_uhlenbeck_chain_is_solved_exactly_at_any_stiffness():
    """y' = (1 − κ/N) y + (σ/N) ξ from y = 1: mean (1 − κ/N)ⁿ, hence m = −½κ²t e^{−κt}, and C = σ²(1 − e^{−2κt})/2κ."""
    t = np.array([0.3, 1.0, 40.0])
    kappa, sigma = np.array([0.5, 300.0]), 1.3
    process = Process(
        lambda y: -kappa * y, lambda y: (sigma**2 * np.eye(2), np.zeros(2), np.zeros((2, 2))), lambda y: np.ones(2)
    )
    found = expand(process, lambda t: np.exp(-kappa * t), t)
    at = np.searchsorted(found.t, t)
    slow = np.outer(t, kappa)
    np.testing.assert_allclose(found.bias[at][:, 0], (-0.5 * kappa * slow * np.exp(-slow))[:, 0], rtol=2e-3, atol=1e-8)
    variance = np.diagonal(found.cov[at], axis1=1, axis2=2)
    np.testing.assert_allclose(variance, sigma**2 * (1 - np.exp(-2 * slow)) / (2 * kappa), rtol=1e-4)


def test_a_covariance_that_is_given_is_carried_on():
    process = Process(
        lambda y: np.array([-y[0], y[0] * y[1]]),
        lambda y: (np.zeros((2, 2)), np.zeros(2), np.zeros((2, 2))), lambda y: np.ones(2),
    )  # fmt: skip

    def curve(t):
        return np.array([np.exp(-t), 2 * np.exp(1 - np.exp(-t))])

    found = expand(process, curve, np.array([1.5]), cov=np.diag([1.0, 0.0]), bias=np.array([0.0, 0.0]))
    # y₁ = 2 exp(a (1 − e^{−t})) for a start at a ~ N(1, 1/N): its own derivatives in a give C and m.
    s = 1 - np.exp(-1.5)
    assert found.cov[-1][1, 1] == pytest.approx((2 * s * np.exp(s)) ** 2, rel=1e-3)
    discrete = tsphys_discrete(curve, 1.5)
    assert found.bias[-1][1] == pytest.approx(0.5 * 2 * s**2 * np.exp(s) + discrete, rel=2e-3)


def tsphys_discrete(curve, t):
    """What Euler's steps of length 1/N add to the second component, times N, by Richardson's rule."""

    def euler(N):
        y = curve(0)
        for _ in range(round(t * N)):
            y = y + np.array([-y[0], y[0] * y[1]]) / N
        return y[1]

    return 2 * 4000 * (euler(4000) - euler(8000))


def test_functions_of_the_state_follow_to_second_order():
    """g = (y, y²) of a normal y with variance C/N about 0 and bias m/N."""
    process = Process(
        lambda y: np.zeros(1), lambda y: (np.eye(1), np.array([0.7]), np.zeros((1, 1))), lambda y: np.ones(1)
    )
    chain = online.Chain(
        np.zeros(1),
        lambda *_: online.Stage(process),
        lambda y: {"y": y[:, 0], "square": (3 + y[:, 0]) ** 2},
        np.ones_like,
    )
    seen = fluctuations.observables(chain, fluctuations.follow(chain, np.array([2.0])))
    C, m = 2.0, 1.4
    np.testing.assert_allclose(seen.bias[-1], [m, 6 * m + C], rtol=1e-6)
    np.testing.assert_allclose(seen.cov[-1], [[C, 6 * C], [6 * C, 36 * C]], rtol=1e-6)
    np.testing.assert_allclose(seen.var2[-1], [0, 2 * C**2], atol=1e-6)


def solved(**options):
    case = CASES["erf"]
    return tsphys.solve(case.model, start=case.start, t=[0, 0.33, 8.0], fluctuations=True, **options)


def test_a_theory_at_a_size(tmp_path):
    theory = solved(N=100)
    assert theory.meta["size"] == 100
    case = CASES["erf"]
    assert (theory["eps_g"] == tsphys.solve(case.model, start=case.start, t=[0, 0.33, 8.0])["eps_g"]).all()
    larger = theory.at_size(10**6)
    np.testing.assert_allclose(larger.mean("R"), theory["R"], atol=1e-5)
    np.testing.assert_allclose(theory.std("R", 400), theory.std("R") / 2)
    assert theory.std("eps_g")[0] == 0
    np.testing.assert_allclose(
        np.einsum("tkmkm->tkm", theory.cov("R", "R")), theory.std("R") ** 2, atol=1e-15
    )  # fmt: skip
    assert theory.cov("eps_g", "R").shape == (3, 1, 1)
    assert (np.diff(theory.beta()) >= 0).all()
    again = tsphys.load(theory.save(tmp_path / "theory.npz"))
    assert again == theory
    assert again != dataclasses.replace(theory, first_order=None)
    np.testing.assert_array_equal(again.std("Q", 50), theory.std("Q", 50))


def test_a_simulation_shows_whole_steps():
    """At N = 25, t = 0.33 is step 8: the mean foretold is that of t = 0.32."""
    case = CASES["erf"]
    other = tsphys.solve(case.model, start=case.start, t=[0.32], fluctuations=True).mean("R", 25)
    assert abs(solved().mean("R", 25)[1] - other).max() < 1e-4


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: solved().at_size(0), "N"),
        (lambda: tsphys.solve(tsphys.TwoLayer(), t=[1]).at_size(10), "N"),
        (lambda: tsphys.solve(tsphys.TwoLayer(), t=[1]).beta(), "N"),
        (lambda: tsphys.solve(tsphys.TwoLayer(), t=[1]).mean("R", 10), "N"),
        (lambda: tsphys.solve(tsphys.TwoLayer(), t=[1], fluctuations=3), "fluctuations"),
        (lambda: tsphys.solve(tsphys.Hopfield(), alpha=[0.1], fluctuations=True), "fluctuations"),
        (
            lambda: tsphys.solve(tsphys.SimplicityBias(), t=[1], gradient_flow=True, fluctuations=True),
            "fluctuations",
        ),
        (lambda: solved().cov("R", "T"), "observable"),
        (lambda: tsphys.solve(tsphys.TwoLayer(), start="mean", t=[1]), "start"),
        (lambda: tsphys.solve(tsphys.Continual(), start="drawn", t=[1]), "start"),
        (lambda: tsphys.solve(tsphys.Pruned(), t=[1], fluctuations=True), "fluctuations"),
        (lambda: tsphys.solve(tsphys.OnlineAttack(), t=[1], fluctuations=True), "fluctuations"),
        (
            lambda: tsphys.solve(tsphys.Continual(durations=None, threshold=0.1), t=[1], fluctuations=True),
            "fluctuations",
        ),
        (
            lambda: tsphys.solve(
                tsphys.Continual(schedule="interleaved", mixing="alternate"), t=[1], fluctuations=True
            ),
            "fluctuations",
        ),
    ],
)
def test_what_has_no_first_order_says_so(call, name):
    with pytest.raises(tsphys.ModelError) as caught:
        call()
    assert caught.value.name == name


def test_figures_draw_mean_and_spread_where_the_size_is_large_enough():
    from tsphys.plotting import VALID, collect, style, theory_line

    theory = solved(N=3)
    good = theory.beta() <= VALID
    assert good.any() and not good.all()
    with style() as plt:
        _, ax = plt.subplots()
        theory_line(ax, theory, "R", (0, 0))
        limit, mean = (line.get_ydata() for line in ax.lines)
        assert len(ax.collections) == 1
        theory_line(ax, theory, "R", (0, 0), band=False)
        theory_line(ax, dataclasses.replace(theory, first_order=None), "R", (0, 0))
        assert (len(ax.lines), len(ax.collections)) == (4, 1)
    np.testing.assert_array_equal(limit, theory["R"][:, 0, 0])
    np.testing.assert_array_equal(mean, np.where(good, theory.mean("R")[:, 0, 0], np.nan))
    kept = collect(theory=theory)
    np.testing.assert_array_equal(kept["theory_R"], theory["R"])
    np.testing.assert_array_equal(kept["theory_R_mean"], theory.mean("R"))
    np.testing.assert_array_equal(kept["theory_R_std"], theory.std("R"))


def test_phases_are_followed_from_switch_to_switch():
    """Two phases that do the same are one, and what a phase resets has no fluctuations then."""
    case = CASES["switch"]
    model, t = case.model, [1.0, 3.0]
    plain = tsphys.solve(model, start=case.start, t=t, fluctuations=True)
    parts = dataclasses.replace(model, durations=(0.5, 1.5, 9.0), order=(1, 1, 2))
    again = tsphys.solve(parts, start=case.start, t=t, fluctuations=True)
    for name in ("eps_g", "R", "Q", "v"):
        # The same nodes of the average; others in time, on which the coefficients are known to 1e-3 or so.
        np.testing.assert_allclose(again.std(name), plain.std(name), rtol=3e-3, atol=1e-12)
        scale = plain.std(name).max()
        np.testing.assert_allclose(again.mean(name), plain.mean(name), rtol=0, atol=3e-3 * scale)


def test_on_the_command_line(capsys, tmp_path, monkeypatch):
    from tsphys.cli import main

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["solve", "two_layer", "-K", "1", "-M", "1", "-N", "50", "-t", "1,2", "--fluctuations"])
    out = capsys.readouterr().out
    assert caught.value.code == 0, out
    assert "runs of N = 50" in out
    assert tsphys.load("two_layer-theory.npz").std("eps_g")[1] > 0


def pulled(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = p[0] * (nu[0] - lam[0])


def test_noise_of_a_step_on_the_sphere_is_that_of_its_law():
    """By quadrature over the fields: R moves by g/N with g = cν − R(cλ + c²/2), since x²/N → 1, and C(t) → t Var(g)."""
    R, lr, t = 0.3, 0.7, 1e-4
    rule = tsphys.LearningRule(pulled, params=(lr,), sphere=True, smooth=True)
    theory = tsphys.solve(rule, start=one(R, 1.0), t=[0, t], fluctuations=True)
    x, w = np.polynomial.hermite_e.hermegauss(20)
    w = np.outer(w, w) / w.sum() ** 2
    nu = x[:, None]
    lam = R * nu + np.sqrt(1 - R**2) * x
    c = lr * (nu - lam)
    g = c * nu - R * (c * lam + 0.5 * c**2)
    mean, variance = (w * g).sum(), (w * g**2).sum() - (w * g).sum() ** 2
    N = 1e6
    # What is of second order in t is a few times t of it.
    np.testing.assert_allclose((theory["R"][1, 0, 0] - R) / t, mean, rtol=10 * t)
    np.testing.assert_allclose(theory.std("R", N)[1, 0, 0] ** 2 * N / t, variance, rtol=10 * t)


def test_starts_that_every_run_draws_have_the_moments_of_drawn_weights():
    """Weights themselves, drawn plainly: means and covariances of their overlaps at t = 0."""
    model, N, runs = tsphys.TwoLayer(K=2, M=2, init=0.5, teacher="given", T=[[1.0, 0.3], [0.3, 0.8]]), 400, 20_000
    theory = tsphys.solve(model, start="drawn", N=N, t=[0.0], fluctuations=True)
    rng = np.random.default_rng(0)
    teachers = np.zeros((2, N))
    teachers[:, :2] = np.linalg.cholesky([[1.0, 0.3], [0.3, 0.8]]) * np.sqrt(N)
    w = 0.5 * rng.standard_normal((runs, 2, N))
    drawn = {"R": w @ teachers.T / N, "Q": w @ w.swapaxes(1, 2) / N}
    for name, rows in drawn.items():
        rows = rows.reshape(runs, -1)
        expected, spread = theory.mean(name, N)[0].ravel(), theory.std(name, N)[0].ravel()
        error = rows.std(axis=0) / np.sqrt(runs)
        assert np.abs((rows.mean(axis=0) - expected) / error).max() < 4.5
        # The variance of a variance is 2/n of its square and the fourth cumulant's part, 12/N at most here; the theory
        # is of first order, and 2/N of the variance of Q, a tenth of this bound, is of second.
        assert np.abs(rows.var(axis=0) / spread**2 - 1).max() < 5 * np.sqrt((2 + 12 / N) / runs)
    cov = np.cov(drawn["R"].reshape(runs, -1).T)
    foretold = theory.cov("R", "R", N)[0].reshape(4, 4)
    scale = np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    assert np.abs((cov - foretold) / scale).max() < 5 * np.sqrt(2 / runs)


@pytest.mark.parametrize("t", [[0.0], [0.0, 1e-320], [1e-300], [1e-29, 1e-20]])
def test_times_of_no_length_end_at_once(t):
    theory = tsphys.solve(tsphys.TwoLayer(K=1, M=1), start=one(0.2, 0.3), t=t, fluctuations=True)
    variance = theory.std("R", 100)[:, 0, 0] ** 2
    later = tsphys.solve(tsphys.TwoLayer(K=1, M=1), start=one(0.2, 0.3), t=[1e-6], fluctuations=True)
    rate = later.std("R", 100)[0, 0, 0] ** 2 / 1e-6
    # It grows in proportion to the time, to a few times 1e-6.
    np.testing.assert_allclose(variance, rate * np.array(t), rtol=1e-4, atol=1e-300)
    np.testing.assert_allclose(theory.mean("R", 100)[:, 0, 0], 0.2, rtol=1e-9)
