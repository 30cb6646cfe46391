"""The clairvoyant attack on a linear learner: the actions that cost least on a stream that is known in advance.

On a given stream u = w − w_t moves as u ← (1 − ηXᵀX/(PN)) u + a ηXᵀκ/(P√N), linearly in u and in the action, and the
cost is quadratic in both: without bounds the actions follow from a Riccati recursion backwards in time (Zhang, Zhu &
Lessard 2020), which takes O(N²P) a step; within bounds they are the minimum of a convex function in a box.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.engines import Engine, chosen
from tsphys.ground.times import whole_steps
from tsphys.models.online_attack import OnlineAttack
from tsphys.numerics.random import generator
from tsphys.physics.order_parameters import OrderParameters, microscopic, need
from tsphys.rules.starts import checked_start
from tsphys.runs.ensemble import ensemble
from tsphys.runs.frames.options import Replicas
from tsphys.runs.memory import REPLICA, check_memory, fitting_threads
from tsphys.runs.online import seen, teachers
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.online.simulation import Options

#: Actions follow from the inputs themselves, which one engine alone has.
FEATURES = {"plan": "the clairvoyant strategy"}
ENGINES = Engine("direct", frozenset(FEATURES)), Engine("exact", frozenset()), Engine("cuda", frozenset())
#: Largest gradient by an action, relative to that at rest, at which the bounded minimum counts as found.
TOLERANCE = 1e-7


def plan(model: OnlineAttack, u: np.ndarray, delta: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The actions (steps,) that minimise the cost on the stream X (steps, P, N), from u = w − w_t, Δ = w_* − w_t (N,).

    Raises
    ------
    ConvergenceError
        If bounds are active and the minimum within them is not found.
    """
    steps, P, N = X.shape
    gain, gamma = model.lr / (P * np.sqrt(N)), np.exp(-model.discount * model.lr / N)
    price = model.cost * model.distance()
    kappa = X @ delta / np.sqrt(N)
    push = gain * np.einsum("tpn,tp->tn", X, kappa)
    feedback, offset = np.empty((steps, N)), np.empty(steps)
    S, g = np.zeros((N, N)), np.zeros(N)
    for i in range(steps - 1, -1, -1):
        x, B = X[i], push[i]
        SB = gamma * (S @ B)
        scale = price + B @ SB
        # Through A = 1 − gain/√N XᵀX: rows of A are what u becomes.
        shrink = gain / np.sqrt(N)
        feedback[i] = (SB - shrink * x.T @ (x @ SB)) / scale
        offset[i] = gamma * (g @ B) / scale
        SA = S - shrink * (S @ x.T) @ x
        ASA = SA - shrink * x.T @ (x @ SA)
        Ag = g - shrink * x.T @ (x @ g)
        S = x.T @ x / (P * N) + gamma * ASA - scale * np.outer(feedback[i], feedback[i])
        g = gamma * Ag - scale * offset[i] * feedback[i] - B / (gain * P * np.sqrt(N))
    a, now = np.empty(steps), u.copy()
    for i in range(steps):
        a[i] = -feedback[i] @ now - offset[i]
        now += gain * X[i].T @ (a[i] * kappa[i] - X[i] @ now / np.sqrt(N))
    low, high = model.bounds
    if a.min(initial=0.0) >= low and a.max(initial=0.0) <= high:
        return a
    return _bounded(model, u, X, kappa, np.clip(a, low, high))


def total_cost(
    model: OnlineAttack, u: np.ndarray, X: np.ndarray, kappa: np.ndarray, a: np.ndarray
) -> tuple[float, Any]:
    """The discounted cost of actions a on a stream, and its gradient, by going back over the states."""
    steps, P, N = X.shape
    gain, gamma = model.lr / (P * np.sqrt(N)), np.exp(-model.discount * model.lr / N)
    price, weight = model.cost * model.distance(), gamma ** np.arange(steps)
    miss, now, cost = np.empty((steps, P)), u.copy(), 0.0
    for i in range(steps):
        s = X[i] @ now / np.sqrt(N)
        miss[i] = s - kappa[i]
        cost += weight[i] * 0.5 * (price * a[i] ** 2 + miss[i] @ miss[i] / P)
        now += gain * X[i].T @ (a[i] * kappa[i] - s)
    slope, back = np.empty(steps), np.zeros(N)
    for i in range(steps - 1, -1, -1):
        through = X[i] @ back
        slope[i] = weight[i] * price * a[i] + gain * through @ kappa[i]
        back += X[i].T @ (weight[i] * miss[i] / P - gain * through) / np.sqrt(N)
    return cost, slope


def _bounded(model: OnlineAttack, u: np.ndarray, X: np.ndarray, kappa: np.ndarray, a: np.ndarray) -> np.ndarray:
    from scipy.optimize import minimize

    low, high = model.bounds
    rest = np.abs(total_cost(model, u, X, kappa, np.zeros_like(a))[1]).max()
    found = minimize(
        lambda a: total_cost(model, u, X, kappa, a), a, jac=True, method="L-BFGS-B", bounds=[(low, high)] * len(a),
        options={"maxiter": 10_000, "maxfun": 20_000, "ftol": 0.0, "gtol": 0.1 * TOLERANCE * rest},
    )  # fmt: skip
    slope = total_cost(model, u, X, kappa, found.x)[1]
    residual = float(np.abs(found.x - np.clip(found.x - slope, low, high)).max()) / rest
    if not residual <= TOLERANCE:
        raise ConvergenceError("no least cost within the bounds", residual=residual, iterations=found.nit, last=found.x)
    return found.x


def _replica(
    model: OnlineAttack, N: int, start: OrderParameters, steps: np.ndarray, seed: int, replica: int
) -> dict[str, np.ndarray]:
    """R, Q and v after given numbers of steps."""
    rng = generator(seed, replica, "clairvoyant")
    W, B = microscopic(start, N, rng)
    shape = (round(model.horizon * N), model.minibatch, N)
    X = rng.standard_normal(shape) if model.inputs == "gaussian" else rng.choice((-1.0, 1.0), shape)
    (w,), delta = W, B[1] - B[0]
    actions = plan(model, w - B[0], delta, X)
    R, Q, v = np.empty((len(steps), 1, 2)), np.empty((len(steps), 1, 1)), np.ones((len(steps), 4))
    memory, step = np.zeros(3), 0
    for i, stop in enumerate(steps.tolist()):
        for x, a in zip(X[step:stop], actions[step:stop], strict=True):
            student, (teacher, target) = x @ w / np.sqrt(N), B @ x.T / np.sqrt(N)
            paid = model.cost * model.distance() * a * a
            memory += np.array([a, a * a, 0.5 * (paid + np.mean((student - target) ** 2))]) / N
            w -= model.lr / (model.minibatch * np.sqrt(N)) * x.T @ (student - (1 - a) * teacher - a * target)
        step = stop
        R[i, 0], Q[i, 0, 0], v[i, 1:] = B @ w / N, w @ w / N, memory
    return {"R": R, "Q": Q, "v": v}


def planned(model: OnlineAttack, options: Options, frame: Replicas) -> Result:
    """Simulate the clairvoyant attack, with the options of `tsphys.sims.online_attack.simulate`.

    Each replica draws its stream for the time `horizon`, plans its actions, and then runs until the last of `t`.

    Raises
    ------
    ModelError
        If an argument is out of range, `t` reaches beyond the horizon, or the stream does not fit into memory.
    ConvergenceError
        If bounds are active and the best actions within them are not found.
    """
    rule = OnlineAttack(overlap=model.overlap).learning_rule()
    N, t, seed = need(options.N, 1, 2), options.t, frame.seed
    if t[-1] > model.horizon:
        raise ModelError("t", t.tolist(), f"must end at horizon = {model.horizon:g} or before")
    chosen(ENGINES, FEATURES, FEATURES, options.engine, options.dtype)
    steps = whole_steps(t, N)
    check_memory("replicas", frame.replicas, frame.replicas * (REPLICA + 8.0 * len(t) * 6), "the observables")
    depends = {"N": N, "minibatch": model.minibatch, "horizon": model.horizon}
    bytes_each = 8.0 * model.horizon * float(N) ** 2 * (model.minibatch + 2)
    threads = fitting_threads(bytes_each, depends, "the stream", thread_count(frame.threads))
    given = checked_start(rule, options.start or model.start(N, generator(seed, 0, "start")))
    record = {
        "N": N, "seed": seed, "engine": "direct",
        "start": {k: getattr(given, k).tolist() for k in ("R", "Q", "T")},
    }  # fmt: skip
    shapes = {"R": given.R.shape, "Q": given.Q.shape, "v": given.v.shape}
    return ensemble(
        model, "t", t, lambda replica, report: _replica(model, N, given, steps, seed, replica), record,
        replicas=frame.replicas, threads=threads, dims=model.dims,
        needs={name: (len(t), *shape) for name, shape in shapes.items()},
        derive=lambda found: seen(model, t, given, found), constants=teachers(given),
        progress=frame.progress, checkpoint=frame.checkpoint, resume=frame.resume,
    )  # fmt: skip
