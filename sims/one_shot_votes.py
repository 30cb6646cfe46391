"""Votes of clients that each learned from a set of their own: every example is drawn, and the votes are counted."""

from __future__ import annotations

import numpy as np

from tsphys.ground.parameters import counted
from tsphys.models.one_shot_votes import OneShotVotes
from tsphys.runs import frames

memory = frames.room(lambda N, a: (1 + a * N) * N, "N", "alpha", what="the examples of a client")


@frames.instances(OneShotVotes, frames.Sized, memory=memory, stream="clients")
def simulate(model: OneShotVotes, options: frames.Sized, rng: np.random.Generator) -> dict[str, float]:
    """Draw a teacher and the examples of all clients, and count their votes; observables as in the theory."""
    N = options.N
    n = counted("alpha", model.alpha, N, "example")
    teacher = rng.standard_normal(N)
    teacher = np.sign(teacher) if model.teacher == "binary" else teacher * np.sqrt(N) / np.linalg.norm(teacher)
    tally, total = np.zeros(N), np.zeros(N)
    for client in range(model.clients):
        X = rng.standard_normal((n, N))
        w = np.sign(X @ teacher) @ X / (n / np.sqrt(N))
        malicious = client < model.malicious
        if model.ballots == "ranks":
            ranks = np.argsort(np.argsort(np.abs(w)))
            tally += N - 1 - ranks if malicious else ranks
        else:
            tally += -np.sign(w) if malicious else np.sign(w)
            total += -model.loudness * w if malicious else w
    if model.ballots == "ranks":
        # Of equal sums those that a coin says.
        order = np.argsort(tally + 0.5 * rng.random(N))
        power = float(np.sum(teacher[order[N - counted("kept", model.kept, N, "weight") :]] ** 2)) / N
        return {"eps_g": float(np.arccos(np.sqrt(min(power, 1.0)))) / np.pi, "power": power}
    tally += np.where(tally == 0, rng.choice([-1.0, 1.0], N), 0.0)
    return {"eps_g": angle(np.sign(tally), teacher), "eps_mean": angle(total, teacher)}


def angle(w: np.ndarray, teacher: np.ndarray) -> float:
    """Angle over π; ½ where there are no weights."""
    sizes = float(np.linalg.norm(w) * np.linalg.norm(teacher))
    cosine = float(w @ teacher) / sizes if sizes > 0 else 0.0
    return float(np.arccos(np.clip(cosine, -1.0, 1.0))) / np.pi
