"""A perceptron under attack: errors from the angle to its teacher, which learning leads to, attacked or not.

Online on x − yε'w/|w|, with ρ = cos θ, s = sin θ, P = E(θ, ε') and q = √Q = |w|/√N, d = Q − R²::

    Rosenblatt  dR/dt = η[√(2/π)Φ(ε'/s) − 2ρφ(ε')Φ(ρε'/s) − ε'Pρ]   dd/dt = η²P − 2ηq s²[2φ(ε')Φ(ρε'/s) + ε'P]
    Hebb        dR/dt = η[√(2/π) − ε'ρ]                              dd/dt = η² − 2ηq s²ε'
    AdaTron     dR/dt = ηq(s − ρθ)/π                                 dd/dt = Q[η²(θ − sρ) − 2ηθs²]/π

A convex risk on attacked examples is, at fixed |w|, that of the loss ℓ(· − S), S = ε'√q, with the effective ridge
λ_eff = λ + (ε'/√q) α⟨−ℓ'⟩.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number
from tsphys.models.adversarial_perceptron import LOSS, ONLINE, AdversarialPerceptron
from tsphys.numerics.gaussian import density
from tsphys.numerics.quadrature import panels
from tsphys.physics.inference.attacks import adversarial_error, boundary_error
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.losses import corners, proximal, slope
from tsphys.physics.inference.priors import gaussian
from tsphys.replica.saddles import bayes
from tsphys.replica.saddles.gaussian_covariates import isotropic, minimum
from tsphys.replica.saddles.margin import maximal_margin
from tsphys.runs import frames
from tsphys.solvers.fixed_point import fixed_point
from tsphys.solvers.ode import integrate

_ROOT = math.sqrt(2 / math.pi)
WHAT = "the minimum of the attacked risk"
#: Halvings of the way from no attack to one, where its solution is too far.
DEEPEST = 8


@frames.static(AdversarialPerceptron)
def solve(model: AdversarialPerceptron) -> dict[str, float]:
    """Errors of what has been learned, for N → ∞.

    Returns
    -------
    dict
        Over the axis: ``eps_g``, the probability of an error without attack; ``adversarial``, of one under attack, with
        the label of the input before it; ``boundary``, of an input within ε of which the student is wrong somewhere;
        ``overlap`` ρ; of risks and max_margin ``train_adversarial``, the share of training examples on which
        the attack succeeds.

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached, or the equations of motion not solved.
    """
    if model.learner in LOSS and model.training >= collapse(model.alpha):
        # There is no student: it guesses, and no attack has a field to move.
        return dict.fromkeys(("eps_g", "adversarial", "boundary"), 0.5) | {"overlap": 0.0, "train_adversarial": 0.5}
    angle, trained = learned(model)
    out = {
        "eps_g": angle / math.pi,
        "adversarial": float(adversarial_error(angle, length(model))),
        "boundary": float(boundary_error(angle, length(model))),
        "overlap": math.cos(angle),
    }
    return out if trained is None else {**out, "train_adversarial": trained}


def learned(model: AdversarialPerceptron) -> tuple[float, float | None]:
    """Angle of student and teacher, and what of its examples the attack takes from a student that keeps them."""
    alpha, attack = model.alpha, length(model)
    if model.learner in ONLINE:
        return online(model), None
    if model.learner == "bayes":
        V = bayes.reached(gaussian(), channel("sign"), alpha, 1.0).V
        return math.atan2(math.sqrt(V), math.sqrt(1 - V)), None
    if model.learner == "max_margin":
        found = maximal_margin(alpha)
        return found.angle, float(adversarial_error(found.angle, attack)) if attack >= found.kappa else 0.0
    loss = LOSS[model.learner]
    state = minimiser(loss, model)
    root = math.sqrt(state.rest + state.m**2)
    # The field of an example with the margin ε√q after training is, before it moved its own, larger by Vℓ'.
    least = attack * root + state.V * float(slope(loss, 1.0, attack * root - model.training * root))
    angle = math.atan2(math.sqrt(state.rest), state.m)
    return angle, float(adversarial_error(angle, least / root))


def length(model: AdversarialPerceptron) -> float:
    """By how much the attack moves the field of a student of normal weights."""
    return model.attack * (_ROOT if model.norm == "linf" else 1.0)


def collapse(alpha: float) -> float:
    """ε_c = √(2/π + 1/α), from which on w = 0 is the minimum of a convex risk on attacked examples, whatever λ.

    Raises
    ------
    ModelError
        If α is no number above 0.
    """
    return math.sqrt(2 / math.pi + 1 / number("alpha", alpha, low=0, open_low=True))


def drift(model: AdversarialPerceptron, R: float, d: float) -> tuple[float, float]:
    """dR/dt and dd/dt of an online rule."""
    from scipy.special import ndtr

    eta, eps = model.lr, model.training
    rest = math.sqrt(max(d, 0.0))
    q, theta = math.hypot(R, rest), math.atan2(rest, R)
    rho, s = math.cos(theta), max(math.sin(theta), 1e-150)
    if model.learner == "hebb":
        return eta * (_ROOT - eps * rho), eta**2 - 2 * eta * q * s * s * eps
    if model.learner == "adatron":
        lag = theta - s * rho if theta > 1e-3 else 2 * theta**3 / 3
        return eta * q * (s - rho * theta) / math.pi, q * q * (eta**2 * lag - 2 * eta * theta * s * s) / math.pi
    wrong = float(adversarial_error(theta, eps))
    pushed = 2 * math.exp(-0.5 * eps * eps) / math.sqrt(2 * math.pi) * float(ndtr(rho * eps / s))
    along = _ROOT * float(ndtr(eps / s)) - rho * pushed - eps * wrong * rho
    return eta * along, eta**2 * wrong - 2 * eta * q * s * s * (pushed + eps * wrong)


def online(model: AdversarialPerceptron) -> float:
    """Angle of an online student at t = α."""

    def rhs(_: float, y: np.ndarray) -> np.ndarray:
        return np.array(drift(model, float(y[0]), float(y[1])))

    start = [model.start, 1 - model.start**2]
    # Hebb's and Rosenblatt's weights grow like the rate, which an angle is no matter of.
    y, _ = integrate(rhs, start, [model.alpha], atol=np.array([1e-12, 1e-25]), limit=1e30)
    return math.atan2(math.sqrt(max(float(y[0, 1]), 0.0)), float(y[0, 0]))


def floor(training: float) -> tuple[float, float]:
    """Overlap and √Q/η where Rosenblatt's rule on attacked examples comes to rest, ρ < 1 for every ε' > 0.

    Raises
    ------
    ModelError
        If there is no attack: the norm then grows without end.
    """
    from scipy.optimize import brentq

    if training <= 0:
        raise ModelError("training", training, "must be > 0: without attack the student never comes to rest")

    def rest(theta: float) -> tuple[float, float]:
        """dR/dt where dd/dt = 0, and √Q/η there."""
        model = AdversarialPerceptron(training=training)
        # dd/dt is linear in √Q at a given angle.
        one, two = (drift(model, q * math.cos(theta), (q * math.sin(theta)) ** 2)[1] for q in (1.0, 2.0))
        q = 1 + one / (one - two)
        return drift(model, q * math.cos(theta), (q * math.sin(theta)) ** 2)[0], q

    theta = brentq(lambda x: rest(x)[0], 1e-6, 0.5 * math.pi, xtol=1e-15)
    return math.cos(theta), rest(theta)[1]


@dataclass(frozen=True)
class State:
    """Minimiser of a risk: V = β⟨δh²⟩, overlap m = w*·w/N, `rest` = |w|²/N − m², and the effective ridge."""

    V: float
    m: float
    rest: float
    ridge: float


def minimiser(loss: str, model: AdversarialPerceptron) -> State:
    """That of Σ ℓ(yh − ε'|w|/√N) + (λ/2)|w|² for sign labels, 0 ≤ ε' < ε_c.

    Raises
    ------
    ConvergenceError
        If the saddle point is not reached.
    """
    alpha, lam, eps = model.alpha, model.regularization, model.training
    plain = minimum(loss, channel("sign"), isotropic(), alpha, lam)
    if eps == 0:
        return State(plain.V, plain.m, plain.rest, lam)

    def primal(eps: float, x: np.ndarray) -> State:
        V, rest = np.exp(x[:2]).tolist()
        m = math.sqrt(rest) * math.sinh(x[2])
        root, c = math.sqrt(rest + m * m), math.sinh(x[2])
        shift = eps * root
        bends = [((at + shift) / root, size / root) for at, size in corners(loss, V)]
        z, w = panels(-10.0, 10.0, [(0.0, 1 / max(abs(c), 1e-9)), *bends])
        weight = 2 * w * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        known, edge = _edge(c, z)
        # The label is that of the student's field with probability Φ(cz); of its density in ν, φ(cz)/s.
        _, f, bend = proximal(loss, np.ones(z.size), root * z - shift, V)
        pull = float(weight * known @ f)
        ridge = lam + eps / root * alpha * pull
        D = ridge + alpha * float(weight * known @ bend) / V
        m_hat = alpha * math.sqrt(1 + c * c) * float(weight * edge @ f)
        return State(1 / D, m_hat / D, alpha * float(weight * known @ (f * f)) / D**2, ridge)

    def step(eps: float, x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            new = primal(eps, x)
            return np.array([np.log(new.V), np.log(new.rest), np.arcsinh(new.m / np.sqrt(new.rest))])

    def reached(x: np.ndarray, low: float, high: float, depth: int = 0) -> np.ndarray:
        """The solution at an attack `high`, from that at `low`, with others between them where that is too far."""
        # Towards the collapse q → 0.
        share = math.log((1 - (high / end) ** 2) / (1 - (low / end) ** 2))
        bounds = ([-100.0, -200.0, -100.0], [100.0, 100.0, 100.0])
        try:
            first = x + np.array([share, 2 * share, 0.0])
            return fixed_point(partial(step, high), first, max_iterations=0, bounds=bounds, what=WHAT).x
        except ConvergenceError:
            if depth == DEEPEST:
                raise
        middle = end - math.sqrt((end - low) * (end - high))
        return reached(reached(x, low, middle, depth + 1), middle, high, depth + 1)

    end = collapse(alpha)
    start = np.array([np.log(plain.V), np.log(plain.rest), np.arcsinh(plain.m / np.sqrt(plain.rest))])
    return primal(eps, reached(start, 0.0, eps))


def _edge(c: float, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Φ(cz) and φ(cz)."""
    from scipy.special import ndtr

    return ndtr(c * z), density(c * z)
