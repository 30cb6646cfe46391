"""The race between context and weights for infinitely many small steps: K weights of classes, and ln β."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.weight_race import WeightRace
from tsphys.runs import frames
from tsphys.solvers.ode import integrate

#: Time beyond which the context is said never to win.
FOREVER = 1e15
#: ln(β/β₀) over 2p_B up to which it grows like t/2, to a relative 1e-7: differences to 1 tell as much.
EARLY = 1e-7
#: Bias of order 1/N at most where hardly anything fluctuates: steps of dw/dt = F(w) end ½F ln(F(0)/F)/N ahead of it.
DOUBT = dict.fromkeys(("memory", "head", "tail", "conflict", "train_loss", "w"), 0.1)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    each: bool = param(False, "also w of every class", kind=bool)


@frames.flow(WeightRace, Options, dims={"w": ("class",)})
def solve(model: WeightRace, options: Options) -> frames.Equations:
    """Strengths over time.

    Returns
    -------
    dict
        Over the times t: ``beta``, the strength of the context, which answers for new classes; ``memory`` = Σ p_k w_k,
        that of weights, which answer without it, and ``head`` and ``tail``, the same over the more and over the less
        frequent half of the queries; ``conflict``, the mean probability of following the context, not the weight,
        where they disagree; ``train_loss`` = ⟨log(1 + e^(−m w_k − cβ))⟩; with `each` ``w`` (t, K).
    """
    count = 1 if model.zipf == 0 else model.classes

    def observe(states: np.ndarray) -> dict[str, np.ndarray]:
        weights = np.broadcast_to(states[:, :-1], (len(states), model.classes))
        return model.seen(np.exp(states[:, -1]), weights, options.each)

    follow = frames.ode(lambda t, y: motion(model, y), np.append(np.zeros(count), np.log(model.start)))
    return frames.Equations((follow,), observe, rtol=1e-9, atol=1e-11, record={"doubt": DOUBT})


def motion(model: WeightRace, y: np.ndarray) -> np.ndarray:
    """d/dt of (w_1, …, w_K, ln β); of equally frequent classes, which are as one, (w, ln β)."""
    from scipy.special import expit

    p = model.frequencies()
    share = np.ones(1) if len(y) == 2 else p
    w, beta, bursty, dynamic = y[:-1], np.exp(y[-1]), model.bursty, model.dynamic
    agree, against = expit(-w - beta), expit(w - beta)
    own = (1 - 0.5 * dynamic) * agree - 0.5 * dynamic * against
    context = (1 - 0.5 * dynamic) * agree + 0.5 * dynamic * against
    drift = p[: len(w)] * ((1 - bursty) * expit(-w) + bursty * own)
    return np.append(drift, 2 * bursty * (share @ context) - 2 * model.decay)


def acquisition(model: WeightRace) -> float:
    """The time at which the context counts, β = 1; infinite if that is never, or beyond 10¹⁵.

    Raises
    ------
    ConvergenceError
        If the tolerance could not be met.
    """
    if model.start >= 1:
        return 0.0
    count = 1 if model.zipf == 0 else model.classes
    first = np.append(np.zeros(count), np.log(model.start))
    _, told = integrate(lambda t, y: motion(model, y), first, [0.0, FOREVER], rtol=1e-9, event=lambda t, y: -y[-1],
                        atol=1e-11, limit=1e100)  # fmt: skip
    return float(told.get("event", np.inf))


def estimate(model: WeightRace) -> float:
    """The same from ln(β/β₀) = 2p_B Σ w_k, w_k + e^{w_k} = 1 + p_k t, which is exact while β ≪ 1.

    Raises
    ------
    ModelError
        With dynamic labels or decay, where this does not hold.
    """
    from scipy.optimize import brentq
    from scipy.special import wrightomega

    for name in ("dynamic", "decay"):
        if getattr(model, name):
            raise ModelError(name, getattr(model, name), "must be 0: weights and context share one drive only then")
    if model.start >= 1 or model.bursty == 0:
        return 0.0 if model.start >= 1 else np.inf
    p, wanted = model.frequencies(), -np.log(model.start) / (2 * model.bursty)

    def ahead(log: float) -> float:
        x = 1 + p * np.exp(log)
        return float(np.sum(x - wrightomega(x).real)) - wanted

    # Each w_k is at most p_k t/2, and that much early, where the difference to 1 has no digits.
    first, last = np.log(wanted), np.log(FOREVER)
    if wanted < EARLY:
        return float(2 * wanted)
    return float(np.exp(brentq(ahead, first, last))) if ahead(last) > 0 else np.inf
