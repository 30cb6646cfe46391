"""A law of the inputs along the teachers, and students on the sphere, in both engines and in the equations."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tests.refusal import refuses
from tests.test_engine_law import p_values, sample
from tests.wide import each
from tsphys._jit import njit
from tsphys.rules import two_layer
from tsphys.rules.starts import checked_start
from tsphys.sims.engines.online import direct, exact

START = tsphys.OrderParameters(R=[[0.12, 0.02], [-0.05, 0.1]], Q=[[0.3, 0.05], [0.05, 0.25]], T=np.eye(2))


@njit
def as_it_was(s, noise, p):
    """The normal law, by way of the law of the inputs."""


@njit
def skewed(s, noise, p):
    """One coordinate exponential, the other ±1, correlated with the noise."""
    s[1] = 1.0 if s[0] + s[1] > 0.0 else -1.0
    s[0] = 0.5 * (s[0] * s[0] - 1.0)
    noise[0] += s[1]


@njit
def attract(lam, nu, v, v_star, noise, p, c, dv):
    """Reads everything that a rule may."""
    c[0] = p[0] * (nu[0] + 0.5 * nu[1] + 0.2 * noise[0] - 3.0 * lam[0] / (1.0 + lam[0] ** 2))


def rule(law, **options):
    return tsphys.LearningRule(
        two_layer.rule, K=2, M=2, params=two_layer.Params(0, 0, 0.8, 0.0, 0.2), n_noise=1, v=(1.0, 0.5),
        v_star=(1.0, 1.0), law=law, fixed_teacher=True, **options,
    )  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"minibatch": 2}, {"minibatch": 3}, {"alpha": 0.3}])
@pytest.mark.parametrize("engine", [direct, exact])
def test_the_normal_law_is_no_law_at_all(engine, options):
    if engine is exact and "alpha" in options:
        options = {}
    with_law, without = (
        sample(engine, rule(law, **options), 70, (0.5, 3.0), 3, start=START) for law in (as_it_was, None)
    )
    np.testing.assert_array_equal(with_law, without)


def test_a_replica_does_not_depend_on_the_pieces_in_which_it_is_run():
    """Inputs are drawn ahead of their use; observing more often must not change them."""
    start = checked_start(rule(skewed), START)
    for engine in (direct, exact):
        ends = []
        for stops in ([500], [1, 2, 130, 131, 500]):
            advance = engine.start_replica(rule(skewed), 40, start, 5, 0, np.dtype(float))
            step = 0
            for stop in stops:
                step, R, Q, _ = advance(step, stop)
            ends.append(np.concatenate([R.ravel(), Q.ravel()]))
        np.testing.assert_array_equal(*ends)


def one(law=skewed, **options):
    return tsphys.LearningRule(attract, M=2, params=(0.4,), n_noise=1, law=law, **options)


ONE = tsphys.OrderParameters(R=[[0.2, -0.1]], Q=[[1.0]], T=np.eye(2))


@pytest.mark.parametrize("sphere", each([False, True], fast=[False]))
def test_direct_and_exact_have_one_law(sphere):
    a, b = (sample(engine, one(sphere=sphere), 15, (0.4, 2.0), 900, start=ONE) for engine in (direct, exact))
    p = p_values(a, b)
    assert p.min() * p.size > 1e-3, p
    if sphere:
        return
    normal = sample(exact, one(None), 15, (0.4, 2.0), 900, start=ONE)
    assert p_values(a, normal).min() < 1e-9, "the law does nothing"


@pytest.mark.parametrize("sphere", [False, True])
def test_simulations_lie_on_the_equations(sphere):
    t = np.linspace(0, 6, 7)
    theory = tsphys.solve(one(sphere=sphere), start=ONE, t=t)
    for engine, N in (("exact", 2000), ("direct", 400)):
        sim = tsphys.simulate(one(sphere=sphere), start=ONE, t=t, N=N, replicas=24, engine=engine)
        result = tsphys.compare(sim, theory, observables=["R"] if sphere else ["R", "Q"])
        assert result.ok, result
    if sphere:
        # Rounding alone moves the norm, by 1e-16 a step.
        np.testing.assert_allclose(sim["Q"], 1, atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "rounding"), [("float64", 1e-14), pytest.param("float32", 1e-6, marks=pytest.mark.slow)]
)
def test_the_sphere_holds_where_steps_would_leave_it(dtype, rounding):
    """The rule runs away from w: an error of |w| that is not measured grows like exp(−2⟨cλ⟩t − ⟨c²⟩t)."""

    def recoil(lam, nu, v, v_star, noise, p, c, dv):
        c[0] = -lam[0]

    model, start = tsphys.LearningRule(recoil, sphere=True), tsphys.OrderParameters([[0.5]], [[1.0]], [[1.0]])
    sim = tsphys.simulate(model, start=start, t=[0, 20, 60], N=50, engine="direct", dtype=dtype)
    np.testing.assert_allclose(sim["Q"], 1, atol=50 * rounding)


def naive(N, steps, law, sphere, rng, w, B):
    """One student, step by step, as the description of the model says."""
    for _ in range(steps):
        z, noise = rng.standard_normal(N), rng.standard_normal(1)
        s = B @ z / np.sqrt(N)
        before = s.copy()
        law(s, noise, None)
        x = z + (s - before) @ B / np.sqrt(N)
        lam, nu, c = np.array([w @ x / np.sqrt(N)]), B @ x / np.sqrt(N), np.zeros(1)
        attract.py_func(lam, nu, None, None, noise, (0.4,), c, None)
        w = w + c[0] * x / np.sqrt(N)
        if sphere:
            w *= np.sqrt(N) / np.linalg.norm(w)
    return [*(B @ w / N), w @ w / N]


@pytest.mark.parametrize("sphere", each([False, True], fast=[True]))
def test_engines_have_the_law_of_a_plain_loop(sphere):
    N, rng = 8, np.random.default_rng(1)
    B = np.sqrt(N) * np.eye(N)[:2]
    w = np.zeros(N)
    w[:3] = np.sqrt(N) * np.array([0.2, -0.1, np.sqrt(0.95)])
    plain = np.array([naive(N, 8, skewed.py_func, sphere, rng, w, B) for _ in range(1500)])
    fast = sample(exact, one(sphere=sphere), N, (1.0,), 1500, start=ONE)
    p = [stats.ks_2samp(a, b).pvalue for a, b in zip(plain.T, fast.T, strict=True) if b.std() > 1e-9]
    assert min(p) * len(p) > 1e-3, p


def test_a_student_on_the_sphere_starts_there():
    sim = tsphys.simulate(one(sphere=True), N=20, t=[0, 0.2], replicas=3)
    np.testing.assert_allclose(sim["Q"], 1, rtol=1e-12)
    assert sim["R"][:, 0].std() > 0


BAD = {
    "T with a law": (lambda: one(T=np.eye(2)), "T"),
    "a law that is none": (lambda: one(law=3), "law"),
    "two students on the sphere": (lambda: rule(None, sphere=True), "K"),
    "a start off the sphere": (
        lambda: tsphys.solve(one(sphere=True), start=tsphys.OrderParameters([[0, 0]], [[2]], np.eye(2)), t=[1]),
        "start",
    ),
    "a start with other teachers": (
        lambda: tsphys.solve(one(), start=tsphys.OrderParameters([[0, 0]], [[1]], 2 * np.eye(2)), t=[1]),
        "start",
    ),
    "polar nodes": (lambda: tsphys.solve(one(), start=ONE, t=[1], quadrature="polar"), "quadrature"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_raise_one_clear_line(case):
    refuses(*BAD[case])
