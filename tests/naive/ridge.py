"""Ridge regression, slowly and obviously, and its theory as it stands in print."""

import numpy as np


def minimiser(A, y, ridge):
    """Least squares of A on y with rows √λ·1 on 0 below; for λ = 0 the solution of least norm."""
    p = A.shape[1]
    return np.linalg.lstsq(np.vstack([A, np.sqrt(ridge) * np.eye(p)]), np.append(y, np.zeros(p)), rcond=1e-13)[0]


def marchenko_pastur(ratio, nodes=20_000):
    """Eigenvalues of FFᵀ/N, F of (ratio·N, N) normal numbers, as nodes and weights; Chebyshev's of the second kind."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    angle = (np.arange(nodes) + 0.5) * np.pi / nodes
    s = (low + high) / 2 + (high - low) / 2 * np.cos(angle)
    weight = np.sin(angle) ** 2 / s
    at_zero = max(0.0, 1 - 1 / ratio)
    return np.append(s, 0.0), np.append(weight * (1 - at_zero) / weight.sum(), at_zero)


def free_energy(x, ratio, ridge, noise, rho, omega, T, weight):
    """Cost per parameter of the Gaussian covariate model with the square loss, stationary in all six of x.

    Loureiro et al., NeurIPS 2021, for the square loss: x = (V, q, m, V̂, q̂, m̂), ratio = n/p.
    """
    V, q, m, V_hat, q_hat, m_hat = x
    D = ridge + V_hat * omega
    prior = -0.5 * np.sum(weight * (q_hat * omega + m_hat**2 * T) / D)
    return m * m_hat - 0.5 * q * V_hat + 0.5 * V * q_hat + prior + 0.5 * ratio * (rho + noise + q - 2 * m) / (1 + V)


def ridge_regression(ratio, ridge, noise):
    """Mean squared error of ridge regression on y = θ·x + σζ, without noise; Hastie et al., Ann. Stat. 50, 949 (2022).

    ratio = N/n, ‖θ‖ = 1, isotropic x, and the penalty is ridge·n‖w‖²/2; m is the Stieltjes transform at −ridge.
    """

    def m(z):
        return (-(1 - ratio + z) + np.sqrt((1 - ratio + z) ** 2 + 4 * ratio * z)) / (2 * ratio * z)

    # Derivative with respect to −z, by a complex step.
    slope = -m(ridge + 1e-20j).imag / 1e-20
    return ridge**2 * slope + noise**2 * ratio * (m(ridge) - ridge * slope)


def eigenframework(eigenvalues, target, n, k, ridge, noise):
    """Test and train errors with noise, by Simon et al. (2024) as printed, solved by bisection."""

    def count(gamma):
        return np.sum(eigenvalues / (eigenvalues + gamma))

    def bisect(function, low, high):
        for _ in range(200):
            middle = np.sqrt(low * high)
            low, high = (middle, high) if function(middle) > 0 else (low, middle)
        return np.sqrt(low * high)

    def gamma_of(kappa):
        return bisect(lambda gamma: count(gamma) + k * kappa / gamma - k, 1e-12, 1e12)

    kappa = bisect(lambda kappa: count(gamma_of(kappa)) + ridge / kappa - n, 1e-10, 1e6)
    gamma = gamma_of(kappa)
    z, Q = count(gamma), np.sum((eigenvalues / (eigenvalues + gamma)) ** 2)
    bias = gamma / (eigenvalues + gamma) - kappa * eigenvalues / (eigenvalues + gamma) ** 2 * k / (k - Q)
    test = (np.sum(bias * target**2) + noise**2) / (1 - (Q * (k - 2 * z) + z**2) / (n * (k - Q)))
    return test, (ridge / (n * kappa)) ** 2 * test
