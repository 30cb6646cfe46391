"""Ridge regression, slowly and obviously, and its theory as it stands in print."""

from fractions import Fraction

import numpy as np


def minimiser(A, y, ridge):
    """Least squares of A on y with rows √λ·1 on 0 below; for λ = 0 the solution of least norm."""
    p = A.shape[1]
    return np.linalg.lstsq(np.vstack([A, np.sqrt(ridge) * np.eye(p)]), np.append(y, np.zeros(p)), rcond=1e-13)[0]


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


def exact_minimiser(A, y, ridge):
    """½‖y − Aw‖² + (λ/2)‖w‖² minimised by Gauss' elimination with fractions, for A of full rank; no digit is lost."""
    few = len(A) <= A.shape[1]
    rows = [[Fraction(float(a)) for a in row] for row in A]
    columns = list(map(list, zip(*rows)))
    inner, right = (rows, [Fraction(float(v)) for v in y]) if few else (columns, None)
    if not few:
        right = [sum(a * Fraction(float(v)) for a, v in zip(column, y)) for column in columns]
    n = len(inner)
    M = [[sum(a * b for a, b in zip(inner[i], inner[j])) for j in range(n)] + [right[i]] for i in range(n)]
    for i in range(n):
        M[i][i] += Fraction(float(ridge))
    for i in range(n):
        M[i] = [a / M[i][i] for a in M[i]]
        for j in range(n):
            if j != i:
                M[j] = [a - M[j][i] * b for a, b in zip(M[j], M[i])]
    found = [row[-1] for row in M]
    return np.array([float(sum(a * b for a, b in zip(column, found))) for column in columns] if few else found, float)
