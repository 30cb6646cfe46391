"""Spin configurations and a network's amplitudes ψ > 0 of them: Metropolis sweeps, local energies, derivatives of ln ψ.

    θ_ft = b_f + Σ_i W_fi s_{i+t}      z_f = N^{−1/2} Σ_t ln cosh θ_ft      ln ψ = Σ_a ln cosh(β_a + Σ_f w_af z_f)

A move flips a spin, or exchanges it with an opposite one some sites further on, and changes θ_ft by Δ = ∓2V_{f,i−t}. Of
a configuration the shares e^{±θ}/(2 cosh θ) are kept: cosh(θ + Δ)/cosh θ is their mean of e^{±Δ}, and a feature after a
move takes one logarithm, of a product of N positive numbers in which nothing cancels. Tables have 2N columns for each
kind d of moves, seen from column N − 1 − i on for one at site i.
"""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.box_muller import minus_2_log
from tsphys.numerics.exponential import exp
from tsphys.numerics.random import uniforms


@njit(fast=True)
def enter(s, W, b, twice, share, z):
    """Shares (2, F, N), first of e^θ, and features z (F,) of spins s (N,), of which `twice` (2N,) are two rounds."""
    F, N = W.shape
    for i in range(N):
        twice[i] = twice[N + i] = s[i]
    for f in range(F):
        up, down, weights = share[0, f], share[1, f], W[f]
        for t in range(N):
            turned, theta = twice[t : t + N], b[f]
            for i in range(N):
                theta += weights[i] * turned[i]
            up[t] = theta
        total = 0.0
        for t in range(N):
            theta = up[t]
            small = exp(max(-2.0 * abs(theta), -700.0))
            large = 1.0 / (1.0 + small)
            total += abs(theta) + 0.5 * minus_2_log(2.0 * large)
            small *= large
            up[t] = large if theta > 0.0 else small
            down[t] = small if theta > 0.0 else large
        z[f] = total / np.sqrt(N)


@njit(fast=True)
def log_amplitude(w, beta, z, u):
    """ln ψ of features z (F,); u (K,) is work."""
    total, product = 0.0, 1.0
    for a in range(beta.shape[0]):
        field = beta[a]
        for f in range(z.shape[0]):
            field += w[a, f] * z[f]
        u[a] = abs(field)
    for a in range(beta.shape[0]):
        total += u[a]
        product *= 0.5 + 0.5 * exp(max(-2.0 * u[a], -700.0))
    return total - 0.5 * minus_2_log(product)


@njit(fast=True)
def moved(factor, d, first, share, up, block, z, new):
    """Features after a move; `factor` (2, moves, F, 2N) of the share `up` and of the other.

    Products over `block` of the sites stay in the range of floats.
    """
    F, N = share.shape[1:]
    scale = -0.5 / np.sqrt(N)
    for f in range(F):
        new[f] = z[f]
    for low in range(0, N, block):
        high = min(low + block, N)
        for f in range(F):
            more, less = share[up, f, low:high], share[1 - up, f, low:high]
            rise, fall = factor[0, d, f, first + low : first + high], factor[1, d, f, first + low : first + high]
            product = 1.0
            for t in range(more.shape[0]):
                product *= more[t] * rise[t] + less[t] * fall[t]
            new[f] += scale * minus_2_log(product)


@njit(fast=True)
def follow(factor, d, first, share, up):
    """Shares after a move."""
    F, N = share.shape[1:]
    for f in range(F):
        more, less = share[up, f], share[1 - up, f]
        rise, fall = factor[0, d, f, first : first + N], factor[1, d, f, first : first + N]
        for t in range(N):
            m, l = more[t] * rise[t], less[t] * fall[t]
            unit = 1.0 / (m + l)
            more[t], less[t] = m * unit, l * unit


@njit
def sweeps(S, W, b, w, beta, spans, factor, block, noise, updates):
    """So many Metropolis updates by ψ² of each row of spins S (n, N), int8, in place."""
    n, N = S.shape
    F, D = W.shape[0], spans.shape[0]
    twice, share, z, new = np.empty(2 * N), np.empty((2, F, N)), np.empty(F), np.empty(F)
    work, u = np.empty(beta.shape[0]), np.empty(2 * N)
    for c in range(n):
        enter(S[c], W, b, twice, share, z)
        now = log_amplitude(w, beta, z, work)
        for step in range(updates):
            at = 2 * (step % N)
            if at == 0:
                uniforms(noise, u)
            draw = int(u[at] * N * D)
            d, i = draw // N, draw % N
            j = (i + spans[d]) % N
            if i != j and S[c, i] == S[c, j]:
                continue
            up = 1 if S[c, i] > 0 else 0
            moved(factor, d, N - 1 - i, share, up, block, z, new)
            then = log_amplitude(w, beta, new, work)
            if u[at + 1] < exp(max(-700.0, min(2.0 * (then - now), 0.0))):
                follow(factor, d, N - 1 - i, share, up)
                z, new = new, z
                now = then
                S[c, i] = -S[c, i]
                if i != j:
                    S[c, j] = -S[c, j]


@njit(fast=True)
def turns(slope, up, down, twice, out):
    """Σ_t slope·tanh θ_t s_{i+t} for each i (N,), and their sum without spins; `up` becomes slope·tanh θ."""
    total = 0.0
    for t in range(up.shape[0]):
        up[t] = slope * (up[t] - down[t])
        total += up[t]
    for i in range(up.shape[0]):
        turned, here = twice[i : i + up.shape[0]], 0.0
        for t in range(up.shape[0]):
            here += up[t] * turned[t]
        out[i] = here
    return total


@njit
def observe(S, W, b, w, beta, spans, amplitudes, bonds, factor, block, log, local, O):
    """ln ψ (n,), local energies (n,) and, unless there is no room, derivatives (n, P) of ln ψ for W, b, w, β."""
    n, N = S.shape
    F, K, root = W.shape[0], beta.shape[0], np.sqrt(N)
    twice, share, z, new = np.empty(2 * N), np.empty((2, F, N)), np.empty(F), np.empty(F)
    g, work = np.empty(F), np.empty(K)
    for c in range(n):
        s = S[c]
        enter(s, W, b, twice, share, z)
        log[c] = log_amplitude(w, beta, z, work)
        energy = 0.0
        for i in range(N):
            energy += s[i] * (bonds[0] * s[(i + 1) % N] + bonds[1] * s[(i + 2) % N])
            for d in range(spans.shape[0]):
                if spans[d] == 0 or s[i] != s[(i + spans[d]) % N]:
                    moved(factor, d, N - 1 - i, share, 1 if s[i] > 0 else 0, block, z, new)
                    energy += amplitudes[d] * np.exp(log_amplitude(w, beta, new, work) - log[c])
        local[c] = energy
        if O.shape[1] == 0:
            continue
        g[:] = 0.0
        for a in range(K):
            field = beta[a]
            for f in range(F):
                field += w[a, f] * z[f]
            slope = np.tanh(field)
            O[c, F * (N + 1) + K * F + a] = slope
            for f in range(F):
                g[f] += slope * w[a, f]
                O[c, F * (N + 1) + a * F + f] = slope * z[f]
        for f in range(F):
            O[c, F * N + f] = turns(g[f] / root, share[0, f], share[1, f], twice, O[c, f * N : (f + 1) * N])
