"""Classes and their clones, learned online."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf

import tsphys
from tsphys.models.simplicity_bias import DATA
from tsphys.odes.simplicity_bias import early_drift
from tsphys.validation.checks import Check, Finding, Setting, threshold, within
from tsphys.validation.one_step import both, inputs, rates
from tsphys.validation.online import averaged, simulated, sized
from tsphys.validation.plain_rules import Plain, regression

START = tsphys.OrderParameters(R=[[0.01, -0.01]], Q=[[0.2502]], T=np.eye(2))
TWO = tsphys.OrderParameters(R=[[0.3, -0.1], [0.2, 0.35]], Q=[[0.5, 0.1], [0.1, 0.4]], T=np.eye(2))
T = np.linspace(0, 10, 6)


def _law(data: str) -> Any:
    """The two classes in the plane, with the default means, edges and angles; the label is the noise."""
    from scipy.special import ndtr

    def turned(angle: float, edges: list[float]) -> np.ndarray:
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c, -s], [s, c]]) @ np.diag(edges)

    up, down = turned(np.pi / 3, [1.2, 0.3]), turned(np.pi / 6, [0.8, 0.5])
    if data == "isotropic":
        up = down = np.eye(2) * ((1.2**2 + 0.3**2 + 0.8**2 + 0.5**2) / 4) ** 0.5

    def law(s: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y = np.where(noise > 0, 1.0, -1.0)
        u = 3**0.5 * (2 * ndtr(s) - 1) if data == "original" else s
        return y * np.array([0.6, 0.3]) + np.where(y > 0, u @ up.T, u @ down.T), y

    return law


def _sampled(setting: Setting) -> Finding:
    """eps_g of a committee and accuracy of one unit at t = 0 against draws of the original data."""
    n, rng = setting.replicas(1_600_000), np.random.default_rng([setting.seed, 7])
    s, y = _law("original")(rng.standard_normal((n, 2)), rng.standard_normal((n, 1)))
    z = []
    # Most of what the committee sees is in the plane, so that what is outside is seen as a difference; the single unit
    # sees as much of both, which its accuracy hangs on.
    two, one = np.array([[0.5, -0.2], [0.3, 0.6]]), np.array([[0.5, 0.2]])
    cases = (("eps_g", "erf", [1.0, -0.6], two), ("eps_g", "linear", [1.0, -0.6], two), ("accuracy", "erf", [1.0], one))
    for name, activation, v, R in cases:
        Q = R @ R.T + (0.31 if name == "accuracy" else 0.05) * np.eye(len(v))
        start = tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2))
        theory = tsphys.solve(tsphys.SimplicityBias(K=len(v), v=tuple(v), activation=activation), start=start, t=[0.0])[
            name
        ][0]
        rest = np.linalg.cholesky(Q - R @ R.T)
        fields = s @ R.T + rng.standard_normal((n, len(v))) @ rest.T
        phi = (erf(fields / 2**0.5) if activation == "erf" else fields) @ v
        drawn = 0.5 * (phi - y[:, 0]) ** 2 if name == "eps_g" else 1.0 * (phi * y[:, 0] > 0)
        z.append((drawn.mean() - theory) / (drawn.std() / n**0.5))
    return Finding(float(np.abs(z).max()), threshold(3), f"eps_g, z = {z[0]:.2f}, {z[1]:.2f}; accuracy, z = {z[2]:.2f}")


def early(setting: Setting) -> Finding:
    """Early drift of a single unit without the noise of SGD: means at a = 0, covariances by what is odd in a.

    The cumulants are what the original data have and their Gaussian clone has not; each from two sizes of a.
    """
    q, h, along = 0.3, 1e-3, np.array([0.8, -0.5])
    options: dict[str, Any] = {"gradient_flow": True, "rtol": 1e-12, "atol": 1e-15}

    def rate(data: str, a: np.ndarray) -> np.ndarray:
        start = tsphys.OrderParameters(R=[a], Q=[[q + a @ a]], T=np.eye(2))
        model = tsphys.SimplicityBias(trained_on=data, lr=0.1)
        R = tsphys.solve(model, start=start, t=[0, h, 2 * h, 3 * h], **options)["R"][:, 0]
        return np.asarray((-11 * R[0] + 18 * R[1] - 9 * R[2] + 2 * R[3]) / (6 * h))

    model = tsphys.SimplicityBias(lr=0.1)
    found = [rate("gaussian", 0 * along) - early_drift(model, along, q)[0]]
    odd, shape = [], []
    for size in (0.1, 0.05):
        clone, original = (
            (rate(data, size * along) - rate(data, -size * along)) / (2 * size) for data in ("gaussian", "original")
        )
        odd.append(clone)
        shape.append((original - clone) / size**2)
    found.append((4 * odd[1] - odd[0]) / 3 - early_drift(model, along, q)[1])
    found.append((4 * shape[1] - shape[0]) / 3 - early_drift(model, along, q)[2])
    scales = [np.abs(term).max() for term in early_drift(model, along, q)]
    gaps = [np.abs(gap).max() / scale for gap, scale in zip(found, scales)]
    return within(np.array(gaps), np.array([1e-5, 1e-3, 1e-3]), "means, covariances, cumulants")


def checks(quick: bool) -> list[Check]:
    """What is checked of students of classes: each data set, and a committee."""
    original, committee = tsphys.SimplicityBias(), tsphys.SimplicityBias(K=2, minibatch=3, v=(1.0, -0.6))
    out = [
        Check(
            "simulation",
            f"{data}, engine exact",
            simulated(tsphys.SimplicityBias(trained_on=data), START, T, "exact", 1000, 32),
        )
        for data in DATA
    ]
    for data in DATA:
        model = tsphys.SimplicityBias(K=2, lr=1.5, minibatch=3, v=(1.0, -0.6), trained_on=data)
        start = tsphys.OrderParameters(R=TWO.R, Q=TWO.Q, T=TWO.T, v=[1.0, -0.6], v_star=[0, 0])
        plain = Plain(regression("erf", 1.5, sigma=1.0), b=3, law=_law(data))
        out.append(Check("identity", f"inputs, {data}", inputs(model, plain)))
        out += both(data, model, plain, start, engines=("direct",) if data == "gaussian" else ("exact",), steps=6)
    linear = tsphys.SimplicityBias(K=2, lr=1.5, minibatch=3, v=(1.0, -0.6), activation="linear")
    start = tsphys.OrderParameters(R=TWO.R, Q=TWO.Q, T=TWO.T, v=[1.0, -0.6], v_star=[0, 0])
    told = Plain(regression("linear", 1.5, sigma=1.0), b=3, law=_law("original"))
    return [
        *out,
        Check("rate", "linear", rates(linear, told, start)),
        Check("simulation", "original, engine direct", simulated(original, START, T, "direct", 300, 16)),
        Check("simulation", "committee, engine exact", simulated(committee, TWO, T, "exact", 1000, 32)),
        Check("size", "original, eps_g at t = 4", sized(original, START, 4.0, (200, 400, 800), 300)),
        Check("integral", "eps_g and accuracy, sampled", _sampled),
        Check("identity", "early drift", early),
        Check("integral", "equations, two units", averaged(committee, TWO, [0.5, 2.0])),
    ]
