"""All pairs of features of a rule on all engines and equations: each runs, and rightly, or is refused in one line.

What runs on `direct` takes the steps of a plain loop, what runs on `exact` and `cuda` has the law of `direct`, and the
equations are the mean of that for N → ∞.
"""

import dataclasses
import itertools
from functools import cache

import numpy as np
import pytest

import tsphys
from tests.naive.features import learn
from tests.refusal import refuses
from tests.test_cuda import simulated
from tests.test_engine_law import p_values
from tsphys._jit import njit
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.engines import CLASHES, CUDA, DIRECT, EXACT, EXPANSION, FEATURES, QUADRATURE, STORED
from tsphys.rules.phases import Phase, Units

N, STOPS, RATE = 30, (1, 7, 8, 30, 45), 0.6
TIMES = [stop / N for stop in STOPS]
START = OrderParameters(R=[[0.3]], Q=[[1.0]], T=[[1.0]], v=[0.4], v_star=[0.7])


@njit(cached=False)
def step(gain, lam, nu, v, v_star, noise, c, dv):
    c[0] = gain * (v_star[0] * nu[0] + 0.3 * noise[0] - v[0] * lam[0])
    dv[0] = gain * (nu[0] * lam[0] - v[0] * lam[0] ** 2)


@njit(cached=False)
def steps(gain, lam, nu, v, v_star, noise, gram, rate, c, dv):
    for i in range(lam.shape[0]):
        step(gain, lam[i], nu[i], v, v_star, noise[i], c[i], dv[i])
        for j in range(lam.shape[0]):
            if j != i:
                c[i, 0] += 0.5 * rate * gram[i, j] * nu[j, 0]


@njit(cached=False)
def one(lam, nu, v, v_star, noise, p, c, dv):
    step(p.rate, lam, nu, v, v_star, noise, c, dv)


@njit(cached=False)
def knowing(lam, nu, v, v_star, noise, R, Q, p, c, dv):
    step(p.rate / (1.0 + R[0, 0] ** 2 + Q[0, 0]), lam, nu, v, v_star, noise, c, dv)


@njit(cached=False)
def many(lam, nu, v, v_star, noise, gram, p, c, dv):
    steps(p.rate, lam, nu, v, v_star, noise, gram, p.rate, c, dv)


@njit(cached=False)
def knowing_many(lam, nu, v, v_star, noise, gram, R, Q, p, c, dv):
    steps(p.rate / (1.0 + R[0, 0] ** 2 + Q[0, 0]), lam, nu, v, v_star, noise, gram, p.rate, c, dv)


FUNCTIONS = {(False, False): one, (False, True): knowing, (True, False): many, (True, True): knowing_many}


@njit(cached=False)
def skewed(s, noise, p):
    noise[0] = 1.0 if noise[0] > 0.3 else -1.0
    s[0] = 0.8 * s[0] + 0.5 * noise[0] * s[0] ** 2


def scheduled(pair, at_once=False):
    """A schedule whose second phase, or its first, has what is asked for of phases."""
    asked = {"pull": [1.5], "units": Units([[0.5]], [[0.3]]), "rewind": True}
    asked = {name: value for name, value in asked.items() if name in pair}
    end = {"stop": lambda state: 0.25 - state.t} if "stop" in pair else {"until": 0.3}

    def schedule(i, state):
        if at_once:
            return Phase({}, **asked, **end)
        if i == 0:
            return Phase({}, keep="rewind" in pair, **end)
        return Phase({"rate": 0.5 * RATE}, v=None if "pull" in pair else [0.2], **asked)

    return schedule


def half(N, rng):
    return rng.random((1, N)) < 0.5


def diagonals(N, rng):
    return np.where(np.arange(N) % 2, 1.0, -1.0)[None]


VALUES = {
    "inputs": "binary", "law": skewed, "alpha": 0.8, "batch": 0.5, "order": "shuffle", "epoch": 0.5, "momentum": 0.4,
    "minibatch": 3, "weight_decay": 0.3, "weight_decay_v": 0.4,
    "sphere": True, "queries": 0.5, "fraction": 0.5, "masks": half, "uses_overlaps": True, "whole_batch": True,
    "teachers": diagonals,
}  # fmt: skip
PHASES = ("schedule", "pull", "stop", "rewind", "units")
FEATURED = (*VALUES, *PHASES)
PAIRS = [frozenset(pair) for n in (1, 2) for pair in itertools.combinations(FEATURED, n)]
ALONE = {frozenset((feature, name)) for feature, others in CLASHES.items() for name in others}


def needs(pair):
    """What phases ask for is of a schedule, epochs and steps are those of a training set."""
    phased = [(name, "schedule") for name in PHASES]
    for name, other in (*phased, ("momentum", "batch"), ("epoch", "order"), ("batch", "alpha"), ("order", "alpha")):
        pair = pair | {other} if name in pair else pair
    return pair


def clashing(pair):
    return any(frozenset(two) in ALONE for two in itertools.combinations(needs(pair), 2))


def name(pair):
    return "-".join(sorted(pair))


#: Features with which an engine is compiled anew, and which have tests of their own.
OWN_KERNEL = {
    "fraction", "inputs", "law", "masks", "minibatch", "pull", "queries", "sphere", "uses_overlaps", "whole_batch",
}  # fmt: skip


def cases(*engines, fast=1):
    """What runs on these, of which single features at most are quick."""
    lawful = [pair for pair in PAIRS if not clashing(pair) and all(needs(pair) <= e.takes for e in engines)]
    return [pytest.param(p, id=name(p), marks=marked(p, fast)) for p in lawful]


def marked(pair, fast):
    return pytest.mark.slow if len(pair) > fast else pytest.mark.wide if pair & OWN_KERNEL else ()


@cache
def rule(pair, at_once=False):
    more = {name: VALUES[name] for name in needs(pair) if name not in PHASES}
    more |= {"schedule": scheduled(pair, at_once)} if "schedule" in needs(pair) else {}
    function = FUNCTIONS["whole_batch" in pair, "uses_overlaps" in pair]
    # Of steps on shares of the training set, which are counted, 45 as long as that would diverge.
    rate = 0.1 * RATE if "batch" in more else RATE
    return tsphys.LearningRule(function, params={"rate": rate}, n_noise=1, v=(0.4,), v_star=(0.7,), smooth=True, **more)


def run(pair, engine, dtype="float64", replicas=1, t=TIMES, at_once=False):
    options = {"N": N, "t": t, "start": START, "replicas": replicas, "threads": 1}
    return tsphys.simulate(rule(pair, at_once), engine=engine, dtype=dtype, **options)


def solve(pair, **options):
    return tsphys.solve(rule(pair, at_once=True), t=TIMES, start=START, **options)


def refused(call):
    with pytest.raises(tsphys.ModelError) as caught:
        call()
    refuses(call, caught.value.name)


def test_every_option_of_a_rule_is_a_feature_or_for_all():
    plain = {"function", "K", "M", "params", "error", "n_noise", "v", "v_star", "T", "fixed_teacher", "init", "smooth"}
    options = {f.name for f in dataclasses.fields(tsphys.LearningRule)} - plain
    phased = {f.name for f in dataclasses.fields(Phase)} - {"params", "until", "every", "v", "keep", "masks"}
    assert options | phased == set(FEATURES) == set(FEATURED)


@pytest.mark.wide
@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_what_cannot_be_is_refused_in_one_line(pair):
    # In mid-run it takes the compilation of what comes before.
    late = {"at_once": len(pair) > 1}
    for engine in (EXACT, DIRECT, CUDA):
        if clashing(pair) or not needs(pair) <= engine.takes:
            refused(lambda engine=engine: run(pair, engine.name, **late))
        elif "float32" not in engine.dtypes:
            refused(lambda engine=engine: run(pair, engine.name, "float32", **late))
    theory = STORED if "alpha" in needs(pair) else QUADRATURE
    lacks = set(EXPANSION.lacks(needs(pair)))
    if clashing(pair) or not needs(pair) <= theory.takes:
        refused(lambda: solve(pair, points=2**8))
    # What a phase lacks is found out on the way, which takes a compilation: that is asked of single features.
    elif lacks and (len(pair) == 1 or not lacks <= {"stop", "rewind"}):
        refused(lambda: solve(pair, points=2**8, fluctuations=True))


@pytest.mark.parametrize("pair", cases(DIRECT))
def test_direct_takes_the_steps_of_a_plain_loop(pair):
    # Steps on a share of the training set are counted.
    found = run(pair, "direct", t=STOPS if "batch" in needs(pair) else TIMES)
    for i, state in enumerate(learn(rule(pair), START, N, STOPS)):
        for key, value in zip("RQv", state):
            # 45 steps with sums of 30 terms of order one.
            np.testing.assert_allclose(found[key][0, i], value, rtol=0, atol=1e-12, err_msg=f"{key} {i}")


@pytest.mark.parametrize("pair", cases(DIRECT, EXACT, fast=0))
def test_exact_has_the_law_of_direct(pair):
    a, b = (observed(run(pair, engine, replicas=400, t=[0.5, 1.5])) for engine in ("direct", "exact"))
    # Bonferroni: a true pair fails with probability 1e-4.
    p = p_values(a, b)
    assert p.min() * p.size > 1e-4


ON_DEVICE = """
from tests import test_features
cuda_weights.SUMS = 32
for case in test_features.cases(test_features.CUDA, test_features.DIRECT):
    (pair,), n = case.values, 40 if {"inputs", "alpha"} & case.values[0] else 150
    for engine, replicas in (("cuda", n), ("direct", 1500)):
        found = tsphys.simulate(
            test_features.rule(pair), N=8, t=[0.5], start=test_features.START, replicas=replicas, engine=engine
        )
        out[f"{case.id} {engine}"] = test_features.observed(found)
"""


@pytest.mark.slow
def test_cuda_has_the_law_of_direct(tmp_path):
    out = simulated(tmp_path, ON_DEVICE)
    for case in cases(CUDA, DIRECT):
        p = p_values(*(out[f"{case.id} {engine}"] for engine in ("cuda", "direct")))
        # Bonferroni: a true pair fails with probability 1e-4.
        assert p.min() * p.size > 1e-4, case.id


def observed(found):
    rows = len(found["Q"])
    return np.concatenate([found[key].reshape(rows, -1) for key in "RQv"], axis=1)


@pytest.mark.parametrize("pair", cases(DIRECT, QUADRATURE, fast=0))
def test_theory_is_the_limit(pair):
    sim = tsphys.simulate(rule(pair), N=1000, start=START, t=[0.5, 1.5], replicas=16, threads=1)
    theory = tsphys.solve(rule(pair), start=START, t=[0.5, 1.5], points=2**12, rtol=1e-6)
    verdict = tsphys.compare(sim, theory)
    assert verdict.ok, verdict
