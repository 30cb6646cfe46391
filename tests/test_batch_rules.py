"""Rules that see the whole minibatch: against rules of one example, and direct against exact."""

import numpy as np
import pytest

import tsphys
from tests.test_engine_law import START, p_values, sample
from tsphys._jit import njit
from tsphys.rules.two_layer import rule as sgd
from tsphys.sims.engines.online import direct, exact

N, T = 30, (0.5, 1.5)
LOCAL = tsphys.TwoLayer(lr=1.5, lr_v=0.5, noise=0.3, weight_decay=0.1)


@njit(cached=False)
def rule(lam, nu, v, v_star, noise, gram, p, c, dv):
    """Mode 0: SGD of two layers. Otherwise linear units whose examples are mixed by the Gram matrix to that power.

    One function, because each costs compilation.
    """
    for i in range(lam.shape[0]):
        if p.mode == 0.0:
            sgd(lam[i], nu[i], v, v_star, noise[i], p, c[i], dv[i])
            continue
        for j in range(lam.shape[0]):
            mix = gram[i, j] if p.mode > 0.0 else 1.0 * (i == j)
            dv[i, j % 2] += mix
            for k in range(lam.shape[1]):
                c[i, k] -= 0.4 * mix * (lam[j, k] - nu[j, k])


def batched(minibatch, mode):
    own = LOCAL.learning_rule()
    return tsphys.LearningRule(
        rule, K=2, M=2, params={"mode": mode, **own.params._asdict()}, n_noise=1, v=own.v, v_star=own.v_star,
        minibatch=minibatch, weight_decay=0.1, weight_decay_v=0.1, whole_batch=True,
    )  # fmt: skip


@pytest.mark.parametrize(("engine", "b"), [(direct, 3), pytest.param(exact, 2, marks=pytest.mark.wide)])
def test_a_batch_rule_that_takes_one_example_at_a_time_is_that_rule(engine, b):
    """To rounding: engine exact draws the same numbers as long as b ≤ K."""
    local = tsphys.TwoLayer(lr=1.5, lr_v=0.5, noise=0.3, minibatch=b, weight_decay=0.1)
    one, whole = (sample(engine, model, N, T, 2, start=START) for model in (local, batched(b, 0)))
    np.testing.assert_allclose(whole, one, rtol=1e-12)


@pytest.mark.parametrize("size", [N, 6])
def test_direct_and_exact_have_one_law_where_the_rule_sees_the_gram_matrix(size):
    """Also where less than b dimensions are left beside students and teachers."""
    a, b = (sample(engine, batched(3, 1), size, T, 800, start=START) for engine in (direct, exact))
    p = p_values(a, b)
    # Bonferroni: a true pair fails with probability 1e-3.
    assert p.min() * p.size > 1e-3


def test_that_comparison_sees_the_gram_matrix():
    """With ones on its diagonal and zeros beside it another law comes out."""
    a, b = (sample(exact, batched(3, mode), N, T, 800, start=START)[:, :7] for mode in (1, -1))
    p = p_values(a, b)
    assert p.min() * p.size < 1e-3
