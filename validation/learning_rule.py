"""Any rule on local fields: one that no other model has."""

from __future__ import annotations

import math

import numpy as np

import tsphys
from tsphys.comparison.scores import of_variance
from tsphys.odes.finite_size import sample
from tsphys.rules.learning_rule import LearningRule
from tsphys.validation.checks import Check, Finding, Setting, threshold, within
from tsphys.validation.one_step import both, numbers, stepped
from tsphys.validation.online import engines, simulated
from tsphys.validation.plain_rules import Plain

START = tsphys.OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]], v=(), v_star=())
T = np.linspace(0, 6, 7)


def saturated(lam, nu, v, v_star, noise, p, c, dv):
    """Linear regression whose steps saturate."""
    c[0] = p.lr * math.tanh(nu[0] - lam[0])


def half_square(lam, nu, v, v_star, p):
    """Half the squared difference of student and teacher."""
    return 0.5 * (lam[0] - nu[0]) ** 2


def error(setting: Setting) -> Finding:
    """eps_g of half the square, ½(Q − 2R + T), against its quadrature at all times; 1e-12 for some thousand terms."""
    theory = tsphys.solve(_model(), start=START, t=T)
    exact = 0.5 * (theory["Q"][:, 0, 0] - 2 * theory["R"][:, 0, 0] + 1)
    return within(theory["eps_g"] - exact, np.full(len(T), 1e-12), "eps_g")


def diffusion(setting: Setting) -> Finding:
    """Variances of the sampled diffusion at N = 10⁶, where its steps make 1 % of them, by the first order in 1/N."""
    model, n, N, t = tsphys.TwoLayer(K=1, M=1, lr=0.5, noise=0.3), setting.replicas(4000), 10**6, [1.0, 4.0]
    start = tsphys.OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]])
    drawn = sample(model, N=N, t=t, start=start, replicas=n, seed=setting.seed, dt=0.02, threads=setting.threads)
    told = tsphys.solve(model, start=start, t=t, N=N, fluctuations=True)
    parts = [drawn[k].var(axis=0, ddof=1) / told.std(k) ** 2 for k in ("eps_g", "R", "Q")]
    ratios = np.concatenate([part.ravel() for part in parts])
    z = of_variance(ratios, np.full(ratios.shape, float(n - 1)))
    return Finding(
        float(np.abs(z).max()), threshold(z.size), f"variances over theirs {ratios.min():.3f} … {ratios.max():.3f}"
    )


def steep(lam, nu, v, v_star, noise, p, c, dv):
    """A rule of no meaning, of fields, noise and readout."""
    c[0] = math.sin(lam[0]) + nu[0] * noise[0] ** 2 + 2.0 * v[0]
    dv[0] = lam[0] * nu[0] - noise[0]


def told(lam, nu, v, v_star, noise, gram):
    """`steep` in plain NumPy."""
    return np.sin(lam) + nu * noise**2 + 2 * v, lam * nu - noise


def linear(lam, nu, v, v_star, noise, p, c, dv):
    """Linear regression."""
    c[0] = p.lr * (nu[0] - 0.5 * lam[0])


def _model() -> LearningRule:
    return LearningRule(saturated, params={"lr": 0.8}, error=half_square, smooth=True)


def checks(quick: bool) -> list[Check]:
    """What is checked of rules of one's own."""
    model = _model()
    out = [
        Check("simulation", f"tanh of the error, engine {e}", simulated(model, START, T, e, 300, 48)) for e in engines()
    ]
    start = tsphys.OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]], v=[0.4], v_star=())
    for b in (1, 5):
        rule = LearningRule(steep, n_noise=1, v=(0.4,), minibatch=b, weight_decay=0.7, weight_decay_v=0.4, smooth=True)
        out += both(f"a rule of no meaning, b = {b}", rule, Plain(told, b=b, decay=0.7, decay_v=0.4), start)
    # A readout that makes all steps alike, so that in the end the inputs' length is seen.
    far = tsphys.OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]], v=[20.0], v_star=())
    long = LearningRule(steep, n_noise=1, v=(20.0,), weight_decay=0.7, weight_decay_v=0.4, smooth=True)
    plain = Plain(told, decay=0.7, decay_v=0.4)
    out += [Check("step", f"long steps, {e}", stepped(long, plain, far, e, 1, 300, 5000)) for e in ("exact", "direct")]
    unit = tsphys.OrderParameters(R=[[0.4]], Q=[[1.0]], T=[[1.0]], v=(), v_star=())

    def on_sphere(lam, nu, v, v_star, noise, gram):
        return 0.6 * (nu - 0.5 * lam), np.zeros((*lam.shape[:-1], 0))

    sphere = LearningRule(linear, params={"lr": 0.6}, sphere=True, smooth=True)
    out += both("sphere", sphere, Plain(on_sphere, noises=0, sphere=True), unit)
    return [
        *out,
        Check("step", "normals of the engines", numbers),
        Check("integral", "error of a rule", error),
        Check("engine", "diffusion", diffusion),
    ]
