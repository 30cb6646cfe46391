"""Averages of a rule that sees the whole minibatch over the Gaussian fields of all its examples, by quadrature.

For N → ∞ different inputs are perpendicular, so that the Gram matrix is the identity, and the fields of the examples
are independent: the nodes are those of b (K + M) fields, see `tsphys.rules.field_average`.
"""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.rules.binding import batch_rule
from tsphys.rules.field_average import Nodes, fields, lawful
from tsphys.rules.learning_rule import LearningRule


@njit
def batch_moments(z, w, A, L, LT, v, v_star, p, c_nu, c_lam, c_c, mean_dv):
    """⟨c νᵀ⟩ (K, M), ⟨c λᵀ⟩ (K, K), ⟨c cᵀ⟩ (K, K) and ⟨dv⟩ of an example, at nodes z (n, b, M + K + n_noise)."""
    (K, M), (n, b, width) = A.shape, z.shape
    x, noise, gram = np.zeros(width + 1), np.zeros((b, width - M - K)), np.eye(b)
    lam, nu, c, dv = np.zeros((b, K)), np.zeros((b, M)), np.zeros((b, K)), np.zeros((b, v.shape[0]))
    c_nu[...] = 0.0
    c_lam[...] = 0.0
    c_c[...] = 0.0
    mean_dv[...] = 0.0
    for i in range(n):
        c[...] = 0.0
        dv[...] = 0.0
        for j in range(b):
            fields(False, z[i, j], 1.0, A, L, LT, x, lam[j], nu[j])
            for a in range(width - M - K):
                noise[j, a] = x[M + K + a]
        batch_rule(lam, nu, v, v_star, noise, gram, p, c, dv)
        for j in range(b):
            for k in range(K):
                wc = w[i] * c[j, k] / b
                for m in range(M):
                    c_nu[k, m] += wc * nu[j, m]
                for l in range(K):
                    c_lam[k, l] += wc * lam[j, l]
                    c_c[k, l] += wc * c[j, l]
            for k in range(v.shape[0]):
                mean_dv[k] += w[i] * dv[j, k] / b


def by_example(rule: LearningRule, nodes: Nodes) -> np.ndarray:
    """The nodes of all fields, then all noises, of a minibatch as (n, b, M + K + n_noise)."""
    b, each = rule.minibatch, rule.K + rule.M
    n = len(nodes.w)
    parts = nodes.z[:, : b * each].reshape(n, b, each), nodes.z[:, b * each :].reshape(n, b, rule.n_noise)
    z = np.ascontiguousarray(np.concatenate(parts, axis=2))
    return z if rule.law is None else lawful(rule, z)
