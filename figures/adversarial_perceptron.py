"""A perceptron under attack: errors over its size, how fast they fall, and what training on attacked examples does.

N = 400, points are means of 12 runs, bars standard errors, lines theory for N → ∞. (a) After n = 5N examples; dotted: a
student that is the teacher. (b) Online AdaTron over time, what an attack adds to the error of the perfect student. (c)
Trained on examples that are attacked with ε', N = 200: errors without attack of logistic regression with λ = 0.01 and α
= 2, which ends at ε_c (dashed), close to which runs of this size are off, and of Rosenblatt's rule at late times.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.physics.inference.attacks import perfect_error
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.adversarial_perceptron import collapse

LEARNERS = {"rosenblatt": "Rosenblatt", "ridge": "ridge", "max_margin": "largest margin", "bayes": "Bayes"}
ATTACKS = (0.1, 0.3, 0.6)


@drawn(replicas=(4, 12), N=(200, 400))
def draw(sheet: Sheet, replicas: int, N: int) -> dict[str, Any]:
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    run: dict[str, Any] = {"replicas": replicas, "N": N, **sheet.options}
    runs: dict[str, Any] = {}
    fine, few = np.linspace(0, 1, 61), np.array([0.02, 0.15, 0.3, 0.5, 0.8])
    for i, (name, words) in enumerate(LEARNERS.items()):
        model = tsphys.AdversarialPerceptron(learner=name, alpha=5.0)
        theory = tsphys.solve(model, attack=fine)
        sim = tsphys.simulate(model, attack=few, **run, progress=sheet.share(i, 1, 8))
        theory_line(left, theory, "adversarial", color=COLOURS[i], label=words)
        simulation_points(left, sim, "adversarial", fmt=MARKERS[i], color=COLOURS[i])
        runs |= {f"theory_{name}": theory, f"simulation_{name}": sim}
    left.plot(fine, perfect_error(fine), ":", color="black", lw=1.0)
    times, seen = np.geomspace(0.5, 60, 50), [0.5, 1.0, 2.0, 4.0, 8.0]
    for i, attack in enumerate(ATTACKS):
        model = tsphys.AdversarialPerceptron(learner="adatron", attack=attack)
        theory = tsphys.solve(model, alpha=times)
        sim = tsphys.simulate(model, alpha=seen, **run, progress=sheet.share(4 + i / 3, 1 / 3, 8))
        least = float(perfect_error(attack))
        middle.plot(times, theory["adversarial"] - least, color=COLOURS[i], label=f"$\\epsilon={attack:g}$")
        above = sim.mean("adversarial") - least
        middle.errorbar(seen, above, sim.sem("adversarial"), fmt=MARKERS[i], mfc="white", color=COLOURS[i], capsize=1.5)
        runs |= {f"theory_adatron_{attack}": theory, f"simulation_adatron_{attack}": sim}
    clean = tsphys.solve(replace(model, attack=0.0), alpha=times)
    middle.plot(times, clean["eps_g"], color="black", lw=1.0, label=r"$\epsilon=0$")
    end = collapse(2.0)
    logistic = tsphys.AdversarialPerceptron(learner="logistic", regularization=0.01)
    online = tsphys.AdversarialPerceptron(learner="rosenblatt", alpha=40.0)
    for i, (model, words) in enumerate(((logistic, "logistic"), (online, "Rosenblatt"))):
        reach = np.linspace(0.01, 0.999 * end if i == 0 else 1.5, 40)
        theory = tsphys.solve(model, training=reach)
        size = {**run, "N": N // 2}
        sim = tsphys.simulate(model, training=[0.1, 0.4, 0.7, 1.0], **size, progress=sheet.share(5 + i, 1, 8))
        theory_line(right, theory, "eps_g", color=COLOURS[i], label=words)
        simulation_points(right, sim, "eps_g", fmt=MARKERS[i], color=COLOURS[i])
        runs |= {f"theory_trained_{words}": theory, f"simulation_trained_{words}": sim}
    right.axvline(end, color="0.5", lw=0.8, ls="--")
    left.set(xlabel=r"attack $\epsilon$", ylabel="error under attack", title=r"$\alpha=5$")
    middle.set(xscale="log", yscale="log", xlabel="time $t$", ylabel="error above the perfect", ylim=(1e-4, 1),
               title="AdaTron")  # fmt: skip
    right.set(xlabel=r"attack while training $\epsilon'$", ylabel=r"$\epsilon_g$", title="adversarial training")
    left.legend(loc="lower right", fontsize=7)
    middle.legend(loc="lower left", fontsize=7)
    right.legend(loc="upper left", fontsize=7)
    return runs
