"""States of spin chains as they are defined, one configuration after the other."""

import numpy as np


def log_psi(network, theta, s):
    W, b, w, beta = network.arrays(theta)
    N = len(s)
    fields = [[b[f] + sum(W[f, i] * s[(i + t) % N] for i in range(N)) for t in range(N)] for f in range(len(W))]
    z = np.log(np.cosh(fields)).sum(axis=1) / np.sqrt(N)
    return np.log(np.cosh(beta + w @ z)).sum()


def local_energy(chain, network, theta, s):
    N, now, energy = len(s), log_psi(network, theta, s), 0.0
    for i in range(N):
        energy += chain.bonds[0] * s[i] * s[(i + 1) % N] + chain.bonds[1] * s[i] * s[(i + 2) % N]
        for span, amplitude in zip(chain.spans, chain.amplitudes):
            j = (i + span) % N
            if span == 0 or s[i] != s[j]:
                other = s.copy()
                other[i] = -s[i]
                other[j] = -s[j]
                energy += amplitude * np.exp(log_psi(network, theta, other) - now)
    return energy
