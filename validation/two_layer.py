"""Two-layer networks."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.equations.minibatches import Visits
from tsphys.odes.two_layer_limits import (
    clone_floor,
    critical_learning_rate,
    escape_rate,
    noise_floor,
    noise_floor_small_lr,
    plateau,
    plateau_small_lr,
)
from tsphys.physics.committee import integrals
from tsphys.physics.names import code
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within
from tsphys.validation.one_step import answer, both, drawn, numbers, rates, stepped
from tsphys.validation.online import averaged, engines, simulated, sized
from tsphys.validation.plain_rules import Plain, regression

START = tsphys.OrderParameters(
    R=[[0.12, 0.02], [-0.05, 0.1]],
    Q=[[0.3, 0.05], [0.05, 0.25]],
    T=[[1, 0.2], [0.2, 1]],
    v=[0.9, 1.1],
    v_star=[1, 1.2],
)
T = np.linspace(0, 10, 11)
ERF = tsphys.TwoLayer(lr=1.0, noise=0.2)
BOTH = tsphys.TwoLayer(lr=0.8, lr_v=0.5, noise=0.2, weight_decay=0.02)
CLEAN = tsphys.TwoLayer(lr=0.8, lr_v=0.5, weight_decay=0.02)
RELU = tsphys.TwoLayer(activation="relu", lr=0.3, noise=0.1)
#: Covariance of four fields, positive definite.
C = np.array([[1, 0.3, 0.2, 0.1], [0.3, 0.8, -0.25, 0.15], [0.2, -0.25, 0.9, 0.2], [0.1, 0.15, 0.2, 1.1]])


def _average(nodes: int, f) -> float:
    """⟨f(x)⟩ over four Gaussian fields with covariance C, by Gauss-Hermite quadrature."""
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    grid = np.meshgrid(x, x, x, x, indexing="ij")
    weight = np.prod(np.meshgrid(w, w, w, w, indexing="ij"), axis=0) / np.sum(w) ** 4
    fields = np.tensordot(np.linalg.cholesky(C), grid, axes=1)
    return float(np.sum(weight * f(fields)))


def erf_integrals(setting: Setting) -> Finding:
    """I2, J2, I3, I4 of erf units; the bound is what the last quarter of the nodes changes."""
    from scipy.special import erf

    a = code("erf")

    def act(x):
        return erf(x / np.sqrt(2))

    def der(x):
        return np.sqrt(2 / np.pi) * np.exp(-(x**2) / 2)

    def averages(nodes: int) -> np.ndarray:
        return np.array(
            [
                _average(nodes, lambda x: act(x[0]) * act(x[1])),
                _average(nodes, lambda x: der(x[0]) * der(x[1])),
                _average(nodes, lambda x: der(x[0]) * x[1] * act(x[2])),
                _average(nodes, lambda x: der(x[0]) * der(x[1]) * act(x[2]) * act(x[3])),
            ]
        )

    closed = [
        integrals.I2(a, a, C[0, 0], C[0, 1], C[1, 1]),
        integrals.J2(a, C, 0, 1),
        integrals.I3(a, a, C[0, 0], C[0, 1], C[0, 2], C[1, 2], C[2, 2]),
        integrals.I4(a, a, a, C, 0, 1, 2, 3),
    ]
    rough, fine = (averages(n) for n in (18, 24))
    return within(fine - closed, np.abs(fine - rough) + 1e-14, "I2, J2, I3, I4")


def stored(setting: Setting) -> Finding:
    """Few examples that come again, two of them a step."""
    model, t = tsphys.TwoLayer(lr=1.0, noise=0.2, alpha=1.5, minibatch=2, weight_decay=0.05), [0.5, 2, 4]
    many = setting.replicas(24)
    sim = tsphys.simulate(model, N=500, start=START, t=t, replicas=many, seed=setting.seed, threads=setting.threads)
    return on_theory(sim, tsphys.solve(model, start=START, t=t, paths=2**12, scramblings=4), "eps_g")


def parts(setting: Setting) -> Finding:
    """Steps on quarters of the training set, in epochs, with momentum."""
    model = tsphys.TwoLayer(lr=0.7, lr_v=0.3, noise=0.2, alpha=2, batch=0.25, order="shuffle", momentum=0.5)
    many = setting.replicas(64)
    sim = tsphys.simulate(
        model, N=400, start=START, t=[1, 3, 8], replicas=many, seed=setting.seed, threads=setting.threads
    )
    return on_theory(sim, tsphys.solve(model, start=START, t=[1, 3, 8], paths=2**12, scramblings=4), "train_loss")


def first_of_all(setting: Setting) -> Finding:
    """A step on all examples: means of its pushes lie in the span of all fields, their scatter is 1/α of squares."""
    from scipy.special import erf, ndtri
    from scipy.stats import qmc

    alpha, lr, lr_v, noise, decay = 0.8, 1.1, 0.6, 0.3, 0.2
    model = tsphys.TwoLayer(
        lr=lr, lr_v=lr_v, noise=noise, weight_decay=decay, weight_decay_v=0.1, alpha=alpha, batch=1, v=(0.8, 1.1)
    )  # fmt: skip
    R, Q = np.array(START.R), np.array(START.Q)
    C = np.block([[Q, R], [R.T, np.eye(2)]])
    u = ndtri(qmc.Sobol(5, seed=np.random.default_rng([setting.seed, 25])).random(2**15).clip(1e-12, 1 - 1e-12)).T
    fields = np.linalg.cholesky(C) @ u[:4]
    g, v = erf(fields / np.sqrt(2)), np.array([0.8, 1.1])
    delta = v @ g[:2] - np.ones(2) @ g[2:] - noise * u[4]
    c = -lr * v[:, None] * np.sqrt(2 / np.pi) * np.exp(-0.5 * fields[:2] ** 2) * delta
    along, kept = c @ fields.T / u.shape[1], 1 - decay
    cross = kept * along[:, :2]
    told = {
        "R": kept * R + along[:, 2:],
        "Q": kept**2 * Q + cross + cross.T + along @ np.linalg.solve(C, along.T) + c @ c.T / u.shape[1] / alpha,
        "v": v * 0.9 - lr_v * g[:2] @ delta / u.shape[1],
    }
    start = tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2), v=v, v_star=(1, 1))
    found = tsphys.solve(model, start=start, t=[1], paths=2**12, scramblings=4)
    off = np.concatenate([(found[name][0] - value).ravel() for name, value in told.items()])
    # Averages of squares over Sobol's points are off by 1e-3 (Q, by two), means by less.
    return within(off, 4e-3, "a step on all examples")


def taken(setting: Setting) -> Finding:
    """How often steps take examples: once on average, with the squares that are told; in an epoch each just once."""
    n, off = 2**18, []
    rng = np.random.default_rng([setting.seed, 26])
    for single in (True, False):
        visit = Visits(n, rng, single=single)(0.2)
        s = np.asarray(visit.taken)
        off += [(s.mean() - 1) / (5 * s.std()), ((s**2).mean() - visit.square) / (5 * (s**2).std())]
    visits, times = Visits(n, rng, "shuffle"), np.zeros(n)
    for done in (0.0, 0.25, 0.5, 0.75):
        visit = visits(0.25)
        s = np.asarray(visit.taken)
        off += [s.mean() - 1, np.mean(visit.likely) - 1, np.max(visit.likely) - 1 / (1 - done)]
        off.append(float(s[np.asarray(visit.likely) == 0].sum()))
        times += 0.25 * s
    return within([*off, np.abs(times - 1).max()], n**-0.5, "shares of examples, in units of five errors or exactly")


def readouts(setting: Setting) -> Finding:
    """Readouts of weights at rest, with momentum: descent of a square whose moments are arcsines."""
    lr_v, beta = 0.4, 0.6
    model = tsphys.TwoLayer(lr=1e-9, lr_v=lr_v, noise=0.3, alpha=2.0, batch=1, momentum=beta)
    R, Q = np.array(START.R), np.array(START.Q)
    C = np.block([[Q, R], [R.T, np.eye(2)]])
    G = 2 / np.pi * np.arcsin(C / np.sqrt(np.outer(1 + np.diag(C), 1 + np.diag(C))))
    start = tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2), v=(0.5, 1.5), v_star=(1, 1))
    found = tsphys.solve(model, start=start, t=[1, 3, 6], paths=2**11, scramblings=2)
    v, moving, rows = np.array([0.5, 1.5]), np.zeros(2), {}
    for step in range(1, 7):
        moving = beta * moving - lr_v * (G[:2, :2] @ v - G[:2, 2:] @ np.ones(2))
        v = v + moving
        rows[step] = v
    # Averages over Sobol's points.
    return within(found["v"] - np.array([rows[k] for k in (1, 3, 6)]), 2e-3, "readouts")


def clones(setting: Setting) -> Finding:
    """The floor of clones of unequal readouts: two rates tell the limit of small ones, up to the square of them."""
    v = (0.5, 0.3, 0.2)
    state = tsphys.OrderParameters(R=np.ones((3, 1)), Q=np.ones((3, 3)), T=[[1.0]], v=v, v_star=[1.0])
    ratios = []
    for lr in (0.05, 0.1):
        model = tsphys.TwoLayer(K=3, M=1, v=v, lr=lr, noise=0.3)
        ratios.append(tsphys.solve(model, start=state, t=[400 / lr])["eps_g"][0] / clone_floor(model, state))
    return within([2 * ratios[0] - ratios[1] - 1], [2e-4], "floor of clones")


def plateaus(setting: Setting) -> Finding:
    """The symmetric plateau for η → 0, from two rates up to the square of them, and the rate at which it is left.

    A deviation of 1e-7 that tells students apart grows by this rate, until a second one follows it in its fifth digit.
    """
    near, far = (plateau(tsphys.TwoLayer(K=2, M=2, lr=lr))[0] for lr in (0.02, 0.04))
    model = tsphys.TwoLayer(K=2, M=2, lr=0.1)
    state = plateau(model)[1]
    R = np.array(state.R) + 1e-7 * np.array([[1, -1], [-1, 1]])
    start = tsphys.OrderParameters(R=R, Q=state.Q, T=state.T)
    R = tsphys.solve(model, start=start, t=[100, 200], rtol=1e-10, atol=1e-13)["R"]
    apart = R[:, 0, 0] - R[:, 0, 1]
    gaps = [(2 * near - far) / plateau_small_lr(2)[0] - 1, np.log(apart[1] / apart[0]) / 100 / escape_rate(model) - 1]
    return within(np.array(gaps), np.array([2e-3, 1e-3]), "plateau and escape")


def floors(setting: Setting) -> Finding:
    """The floor of noise for η → 0, from two rates, and the learning rate at which copies of the teacher are left.

    Deviations shrink 2 % below it and grow 2 % above.
    """
    ratios = []
    for lr in (0.02, 0.04):
        model = tsphys.TwoLayer(K=2, M=1, lr=lr, noise=0.3)
        ratios.append(noise_floor(model).eps_g / noise_floor_small_lr(model))
    critical = critical_learning_rate(tsphys.TwoLayer(K=2, M=2))
    beside = tsphys.OrderParameters(R=np.eye(2) * (1 + 1e-5), Q=np.eye(2) * (1 + 3e-5), T=np.eye(2))
    turned = 0.0
    for share in (0.98, 1.02):
        model = tsphys.TwoLayer(K=2, M=2, lr=share * critical)
        first, last = tsphys.solve(model, start=beside, t=[60, 100], atol=1e-16)["eps_g"]
        turned += float((last > first) != (share > 1))
    return within(np.array([2 * ratios[0] - ratios[1] - 1, turned]), np.array([2e-3, 0.5]), "floor, critical rate")


def checks(quick: bool) -> list[Check]:
    """What is checked of two-layer networks."""
    N, replicas = {"exact": 1000, "direct": 300, "cuda": 1000}, {"exact": 32, "direct": 16, "cuda": 128}
    out = [Check("simulation", f"erf, engine {e}", simulated(ERF, START, T, e, N[e], replicas[e])) for e in engines()]
    out += [
        Check("simulation", "both layers, engine exact", simulated(BOTH, START, T, "exact", 1000, 32)),
        Check("simulation", "α = 1.5", stored),
        Check("simulation", "quarters of a training set", parts),
        Check("simulation", "relu, engine exact", simulated(RELU, START, T, "exact", 1000, 32)),
        Check("size", "erf, eps_g at t = 4", sized(ERF, START, 4.0, (200, 400, 800), 300)),
        Check("integral", "integrals of erf", erf_integrals),
        Check("integral", "α = 0.8, a step on all", first_of_all),
        Check("integral", "α = 2, readouts", readouts),
        Check("step", "examples that steps take", taken),
        Check("identity", "floor of clones", clones),
        Check("identity", "plateau and escape", plateaus),
        Check("identity", "floor and critical rate", floors),
        Check("integral", "equations, erf, both layers", averaged(CLEAN, START, [0.5, 2.0], 2**17)),
        Check("integral", "equations, relu", averaged(RELU, START, [0.5, 2.0])),
    ]
    return [*out, *_steps(), Check("step", "normals of the engines", numbers)]


def _steps() -> list[Check]:
    """First rates of every activation, first steps with all that a step may have, and the default start."""
    lr, lr_v, sigma, decay, decay_v = 1.5, 1.1, 0.8, 0.6, 0.3
    given: dict[str, Any] = {"lr": lr, "lr_v": lr_v, "noise": sigma, "weight_decay": decay, "weight_decay_v": decay_v}

    def plain(activation: str = "erf", b: int = 1, binary: bool = False, teacher: str | None = None) -> Plain:
        rule = regression(activation, lr, lr_v, sigma, teacher)
        return Plain(rule, b=b, decay=decay, decay_v=decay_v, binary=binary)

    out = both("all of a step", tsphys.TwoLayer(**given), plain(), START)
    # As few inputs as there are units and one more, so that what is outside their span is one direction.
    out.append(
        Check(
            "step", "few inputs", stepped(tsphys.TwoLayer(**given), plain(), START, "exact", 1, size=5, replicas=20_000)
        )
    )
    out += both("minibatch", tsphys.TwoLayer(minibatch=8, **given), plain(b=8), START, steps=6)
    binary = tsphys.TwoLayer(inputs="binary", minibatch=2, **given)
    out.append(Check("step", "inputs ±1", stepped(binary, plain(b=2, binary=True), START, "direct")))
    for name in ("relu", "linear", "tanh", "quad", "he2"):
        model = tsphys.TwoLayer(activation=name, **given)
        out.append(Check("identity", f"{name}, the rule", answer(model, plain(name), START)))
        # Rates of squares change within a few hundredths of a unit of time.
        out.append(Check("rate", name, rates(model, plain(name), START, step=5e-4)))
    mixed = tsphys.TwoLayer(teacher_activation="sign", **given)
    out.append(Check("rate", "teacher of signs", rates(mixed, plain(teacher="sign"), START, points=2**14)))
    out.append(
        Check("step", "default start", drawn(tsphys.TwoLayer(init=0.7, T=[[1, 0.3], [0.3, 1]], teacher="given")))
    )
    return out
