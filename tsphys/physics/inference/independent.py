"""Components of neurons that feel each other's means: sweeps over them, on many neurons at once."""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.exponential import exp

#: Neurons that are updated together: means and fields of 16 patterns of so many fill 128 KiB.
TOGETHER = 512
#: Partition functions, each at most the number of pieces, whose product is taken before its logarithm.
LOGARITHM = 64


@njit(fast=True, forceinline=True)
def _seen(k, off, m, b, pieces, n, h, w, top, total, new):
    """Field h of component k beside means m (P, n), shares w (K, n) of its pieces times `total`, and its mean `new`."""
    for i in range(n):
        h[i] = b[k, i]
    # Four at once, since h is read and written for each; a component does not see itself, off[k, k] = 0.
    whole = m.shape[0] - m.shape[0] % 4
    for other in range(0, whole, 4):
        a0, a1, a2, a3 = off[k, other], off[k, other + 1], off[k, other + 2], off[k, other + 3]
        m0, m1, m2, m3 = m[other], m[other + 1], m[other + 2], m[other + 3]
        for i in range(n):
            h[i] -= a0 * m0[i] + a1 * m1[i] + a2 * m2[i] + a3 * m3[i]
    for other in range(whole, m.shape[0]):
        a, row = off[k, other], m[other]
        for i in range(n):
            h[i] -= a * row[i]
    for i in range(n):
        top[i] = -np.inf
        total[i] = 0.0
        new[i] = 0.0
    for c in range(w.shape[0]):
        row, a, slope, bend = w[c], pieces[0, c, k], pieces[1, c, k], 0.5 * pieces[2, c, k]
        for i in range(n):
            x = a + h[i] * (slope + bend * h[i])
            row[i] = x
            top[i] = x if x > top[i] else top[i]
    for c in range(w.shape[0]):
        row, at, slope = w[c], pieces[1, c, k], pieces[2, c, k]
        for i in range(n):
            x = row[i] - top[i]
            x = exp(x if x > -700.0 else -700.0)
            row[i] = x
            total[i] += x
            new[i] += x * (at + slope * h[i])
    for i in range(n):
        new[i] /= total[i]


@njit(fast=True)
def independent(pieces, off, B, mean, sweeps, tol, rest, bound, variances, pairs):
    """Update the means (n, P) of neurons in the fields B (n, P) in place, one component after the other.

    The posterior of component k in a field h has pieces exp(α + βh + ½γh²), `pieces` (3, K, P), with the means β + γh
    and the variances γ. Others shift h by −off_kl mean_l. Sweeps of `TOGETHER` neurons end where means move by less
    than `tol`, or than `rest` of what they did in the first; then all are seen once at means that stay. `bound` (n,)
    becomes ln Z, and sums of variances and of products of two are added to `variances` (P,) and `pairs` (P, P).
    """
    (n, P), K, T = B.shape, pieces.shape[1], TOGETHER
    m, b, v = np.empty((P, T)), np.empty((P, T)), np.empty((P, T))
    h, new, top, total, w = np.empty(T), np.empty(T), np.empty(T), np.empty(T), np.empty((K, T))
    product = np.ones(T)
    for low in range(0, n, T):
        here = min(T, n - low)
        for i in range(here):
            bound[low + i] = 0.0
            for k in range(P):
                m[k, i], b[k, i] = mean[low + i, k], B[low + i, k]
        first = 0.0
        for _ in range(sweeps):
            moved = 0.0
            for k in range(P):
                _seen(k, off, m, b, pieces, here, h, w, top, total, new)
                row = m[k]
                for i in range(here):
                    d = abs(new[i] - row[i])
                    moved = d if d > moved else moved
                    row[i] = new[i]
            first = max(first, moved)
            if moved < tol or moved < rest * first:
                break
        for k in range(P):
            _seen(k, off, m, b, pieces, here, h, w, top, total, new)
            row = v[k]
            for i in range(here):
                # h is B less the shift, of which half of the means' part is counted twice.
                bound[low + i] += top[i] + (b[k, i] - h[i]) * (new[i] - 0.5 * m[k, i])
                product[i] *= total[i]
                mean[low + i, k] = new[i]
                row[i] = 0.0
            for c in range(K):
                share, at, slope = w[c], pieces[1, c, k], pieces[2, c, k]
                for i in range(here):
                    d = at + slope * h[i] - new[i]
                    row[i] += share[i] * (slope + d * d)
            for i in range(here):
                row[i] /= total[i]
                variances[k] += row[i]
            # Each is from 1 to K: a logarithm of many.
            if (k + 1) % LOGARITHM == 0 or k + 1 == P:
                for i in range(here):
                    bound[low + i] += math.log(product[i])
                    product[i] = 1.0
        for k in range(P):
            for other in range(P):
                sum_, one, two = 0.0, v[k], v[other]
                for i in range(here):
                    sum_ += one[i] * two[i]
                pairs[k, other] += sum_
