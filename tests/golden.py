"""Bits of many small results, kept while the code around the physics moves: ``python -m tests.golden --check``.

Every model, engine, option and theory once, at tiny sizes and fixed seeds. ``tests/golden.json`` holds, for each
observable, the SHA-256 of its float64 bits and a few sums of it. Sums of products in another order (another BLAS, libm
or compiler) change the last bits, so that the hashes tell about one machine only; the sums tell it to `RTOL` on any.
A developer's command, hence: hold it before a move and after it. ``--update`` writes what is new or, with ``--all``,
everything; say in the commit why numbers changed.
"""

from __future__ import annotations

import os

os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")

import argparse
import dataclasses
import hashlib
import itertools
import json
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import tsphys

FILE = Path(__file__).with_suffix(".json")
#: Relative, of sums over an observable; ODE solvers and iterations stop at 1e-8 or better, rounding is far below.
RTOL = 1e-7
T2 = [[1.0, 0.3], [0.3, 0.8]]
START = {"R": [[0.12, 0.02], [-0.05, 0.1]], "Q": [[0.3, 0.05], [0.05, 0.25]], "T": T2}
ONE = {"R": [[0.1]], "Q": [[0.5]], "T": [[1.0]]}


def start(v: Any = None, v_star: Any = None, **given: Any) -> tsphys.OrderParameters:
    more = {k: x for k, x in (("v", v), ("v_star", v_star)) if x is not None}
    return tsphys.OrderParameters(**{**START, **given}, **more)


def margin(lam, nu, v, v_star, noise, p, c, dv):
    y = 1.0 if nu[0] + 0.1 * noise[0] > 0.0 else -1.0
    c[0] = p[0] * (p[1] - y * lam[0]) * y if y * lam[0] < p[1] else 0.0


def mistake(lam, nu, v, v_star, p):
    return 1.0 if lam[0] * nu[0] < 0.0 else 0.0


def linear(lam, nu, v, v_star, noise, p, c, dv):
    c[0] = p[0] * (nu[0] + 0.5 * noise[0] - lam[0])


def knowing(lam, nu, v, v_star, noise, R, Q, p, c, dv):
    c[0] = p[0] * (nu[0] - lam[0]) / (1.0 + Q[0, 0] + R[0, 0] ** 2)


def worst(lam, nu, v, v_star, noise, gram, p, c, dv):
    at = 0
    for i in range(lam.shape[0]):
        if abs(nu[i, 0] - lam[i, 0]) > abs(nu[at, 0] - lam[at, 0]):
            at = i
    c[at, 0] = p[0] * (nu[at, 0] - lam[at, 0])


def clusters(s, noise, p):
    noise[0] = 1.0 if noise[0] > 0.0 else -1.0
    s[0] += noise[0] * p[1]


def annealed(i, state):
    return _phase()([1.0], until=1.0) if i == 0 else _phase()([0.1], until=math.inf)


def _phase() -> Any:
    for home in ("tsphys.rules.phases", "tsphys.models.phases"):
        try:
            return import_module(home).Phase
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError("phases")


def cube(m):
    return m**3


Case = tuple[str, Callable[[], Any]]


def both(name: str, model: Any, theory: dict | None = None, **options: Any) -> Iterator[Case]:
    """A simulation of two replicas, and the theory over the same axis with its own options."""
    yield f"{name} simulate", lambda: tsphys.simulate(make(model), **{"replicas": 2, "seed": 7, **options})
    if theory is not None:
        yield f"{name} solve", lambda: tsphys.solve(make(model), **theory)


def make(model: Any) -> Any:
    return model() if isinstance(model, type) or callable(model) else model


def of(cls: str, **parameters: Any) -> Callable[[], Any]:
    return lambda: getattr(tsphys, cls)(**parameters)


def online() -> Iterator[Case]:
    times = {"t": [0, 0.5, 2]}
    plain = {"N": 32, **times}
    for g in ("erf", "relu", "linear", "quad", "he2", "tanh"):
        theory = {**times, "start": start()} if g != "tanh" else None
        model = of("TwoLayer", activation=g, lr=0.1, lr_v=0.1, noise=0.1, weight_decay=0.05)
        yield from both(f"two_layer {g}", model, theory, start=start(), **plain)
    variants = {
        "own start": {},
        "mixed": {"activation": "erf", "teacher_activation": "tanh"},
        "second": {"train": "second", "lr_v": 0.3},
        "minibatch": {"minibatch": 3, "noise": 0.2},
        "both": {"train": "both", "lr_v": 0.3, "weight_decay_v": 0.1},
        "graded": {"teacher": "graded", "K": 3, "M": 2, "v_star": [1.0, -0.5], "v": [0.5, 1.0, 0.2]},
        "binary": {"inputs": "binary"},
        "stored": {"alpha": 1.5, "lr": 0.5},
    }
    for name, parameters in variants.items():
        theory = times if name not in ("stored", "mixed") else None
        yield from both(f"two_layer {name}", of("TwoLayer", **parameters), theory, **plain)
    parts = of("TwoLayer", alpha=1.5, lr=0.5, lr_v=0.2, noise=0.1, batch=0.25, order="shuffle", momentum=0.3)
    few = {**times, "paths": 2**9, "scramblings": 2}
    yield from both("two_layer parts", parts, few, **plain)
    epochs = of("TwoLayer", alpha=1.5, lr=0.5, noise=0.1, order="shuffle", epoch=0.5)
    yield from both("two_layer epochs", epochs, few, **plain)
    two = of("TwoLayer", lr=0.3, lr_v=0.2, noise=0.1)
    for engine, dtype in itertools.product(("direct", "exact", "cuda"), ("float64", "float32")):
        small = {"N": 8, "t": [0, 0.5]} if engine == "cuda" else plain
        yield from both(f"two_layer {engine} {dtype}", two, engine=engine, dtype=dtype, start=start(), **small)
    yield from both("two_layer threads", two, threads=2, **plain)
    yield from both("perceptron cuda", of("Perceptron", inputs="binary"), engine="cuda", N=8, t=[0, 0.5])
    quadrature = {**times, "start": start(), "quadrature": "auto"}
    rule = of("TwoLayer", lr=0.3, lr_v=0.2, noise=0.1)
    yield "two_layer quadrature", lambda: tsphys.solve(rule().learning_rule(), **quadrature, points=2**10)
    yield "two_layer tanh quadrature", lambda: tsphys.solve(of("TwoLayer", activation="tanh", K=1, M=1)(), **times)
    for method in ("DOP853", "LSODA", "Radau", "BDF"):
        yield f"two_layer {method}", lambda m=method: tsphys.solve(rule(), **times, start=start(), method=m)
    yield "two_layer finite size", lambda: _finite_size()
    for rule_name in ("hebb", "rosenblatt", "adatron", "optimal"):
        for inputs in ("gaussian", "binary"):
            model = of("Perceptron", rule=rule_name, inputs=inputs)
            yield from both(f"perceptron {rule_name} {inputs}", model, times if inputs == "gaussian" else None, **plain)
    yield from both("perceptron batch", of("Perceptron", minibatch=4), times, engine="direct", **plain)
    yield from both("perceptron stored", of("Perceptron", alpha=2.0), **plain)
    for estimator in ("rge", "cge", "sparse"):
        model = of("ZerothOrder", estimator=estimator, kappa=0.5, noise=0.1)
        for engine in ("exact", "direct"):
            yield from both(f"zeroth_order {estimator} {engine}", model, times, engine=engine, **plain)
    yield from both("zeroth_order relu", of("ZerothOrder", activation="relu"), times, **plain)
    for masks in ("independent", "common"):
        model = of("Pruned", masks=masks, densities=[0.5, 0.75], lr_v=0.1, noise=0.1, minibatch=2)
        yield from both(f"pruned {masks}", model, times, **plain)
    for f, engine in itertools.product((0, 0.5, 1), ("exact", "direct")):
        model = of("TwoStudents", shared=f, lr_v=0.1, other=3)
        yield from both(f"two_students {f} {engine}", model, times, engine=engine, **plain)
    for server, g in itertools.product(("vote", "mean"), ("linear", "erf")):
        model = of("Votes", server=server, activation=g, clients=4, malicious=1, R=0.1, Q=0.2)
        yield from both(f"votes {server} {g}", model, times, **plain)
    for labels, engine in itertools.product(("teacher", "random"), ("exact", "direct")):
        yield from both(f"active_fraction {labels} {engine}", of("ActiveFraction", K=1, M=1, labels=labels, lr_v=0.1),
                        times, engine=engine, **plain)  # fmt: skip
    for loss, engine in itertools.product(("logistic", "square"), ("exact", "direct")):
        model = of("GradientStarvation", loss=loss, retrain_at=0.75, weight=3.0)
        yield from both(f"gradient_starvation {loss} {engine}", model, times, engine=engine, **plain)
    grow: dict[str, dict] = {"split": {}, "random": {"way": "random"}, "remove": {"way": "remove", "K": 2}}
    for way, given in grow.items():
        for engine in ("exact", "direct"):
            yield from both(f"growth {way} {engine}", of("Growth", at=0.75, **given), times, engine=engine, **plain)
    for g, o in itertools.product(("erf", "linear", "relu"), (0.0, 0.6)):
        yield from both(
            f"task_masks {g} {o}", of("TaskMasks", activation=g, overlap=o, switch=0.7, lr=0.3), times, **plain
        )
    for way, more in {"magnitude": {"rewind_to": 0.25}, "global": {}, "independent": {"rewind_to": 0.0}}.items():
        ticket = of("Pruned", masks=way, prune_at=0.5, teacher_density=0.5, lr_v=0.1, **more)
        yield from both(f"pruned {way} at 0.5", ticket, times, **plain)
    yield from both("pruned relu", of("Pruned", activation="relu"), times, **plain)
    yield from _continual(plain, times)
    for strategy in ("none", "constant", "greedy", "optimal", "clairvoyant"):
        own = {"action": 0.7} if strategy == "constant" else {}
        bounds = {"a_min": None, "a_max": None} if strategy == "optimal" else {}
        model = of("OnlineAttack", strategy=strategy, minibatch=2, **own, **bounds, horizon=2.0)
        yield from both(f"online_attack {strategy}", model, {**times, "points": 2**10}, **plain)
    erf = of("OnlineAttack", activation="erf", K=2, strategy="greedy")
    yield from both("online_attack erf", erf, None, **plain)
    yield from both("online_attack example", of("OnlineAttack", control="example", minibatch=2), None, **plain)
    yield from both("online_attack poisoned", of("OnlineAttack", poisoned=1, minibatch=3), None, **plain)
    for data in ("original", "gaussian", "isotropic"):
        for g in ("erf", "linear"):
            model = of("SimplicityBias", trained_on=data, activation=g, K=2)
            yield from both(f"simplicity_bias {data} {g}", model, times, **plain)
    yield "simplicity_bias flow", lambda: tsphys.solve(tsphys.SimplicityBias(), **times, gradient_flow=True)
    for task, law in itertools.product(("spiked", "mixed"), ("rademacher", "uniform", "laplace", "normal")):
        model = of("SpikedCumulant", task=task, latent=law, beta_u=2.0 * (task == "mixed"))
        yield from both(f"spiked_cumulant {task} {law}", model, times, **plain)
    for g in ("erf", "he2", "linear"):
        yield from both(f"spiked_cumulant {g}", of("SpikedCumulant", activation=g), times, **plain)
    yield "spiked_cumulant flow", lambda: tsphys.solve(tsphys.SpikedCumulant(), **times, gradient_flow=True)
    yield from _rules(plain, times)


def _continual(plain: dict, times: dict) -> Iterator[Case]:
    variants = {
        "blocked": {},
        "interleaved": {"schedule": "interleaved"},
        "alternate": {"schedule": "interleaved", "mixing": "alternate"},
        "threshold": {"threshold": 0.4, "durations": None},
        "cyclic": {"cyclic": True, "order": [2, 1]},
        "replay": {"replay": 0.3},
        "copy": {"head": "copy", "tasks": 3},
        "l2": {"regulariser": "l2"},
        "ewc": {"regulariser": "ewc"},
        "fisher": {"regulariser": "fisher"},
        "binary": {"inputs": "binary"},
        "relu": {"activation": "relu", "noise": 0.1},
        "shared": {"M": 3, "shared": 1, "readout_similarity": 0.5},
    }
    for name, given in variants.items():
        model = of("Continual", **{"durations": [0.75], **given})
        yield from both(f"continual {name}", model, times if name != "binary" else None, **plain)
    yield from both("continual direct", of("Continual", durations=[0.75], replay=0.3), engine="direct", **plain)


def _rules(plain: dict, times: dict) -> Iterator[Case]:
    one = {"start": start(**ONE)}
    kinds: dict[str, dict[str, Any]] = {
        "plain": {"function": margin, "params": (0.5, 0.3), "error": mistake, "n_noise": 1},
        "smooth": {"function": linear, "params": (0.5,), "n_noise": 1, "smooth": True},
        "schedule": {"function": linear, "params": (1.0,), "n_noise": 1, "smooth": True, "schedule": annealed},
        "overlaps": {"function": knowing, "params": (0.5,), "uses_overlaps": True, "smooth": True},
        "law": {"function": linear, "params": (0.1, 2.0), "n_noise": 1, "law": clusters},
        "sphere": {"function": linear, "params": (0.1,), "n_noise": 1, "smooth": True, "sphere": True},
        "batch": {"function": worst, "params": (1.0,), "minibatch": 3, "whole_batch": True},
        "decay": {"function": linear, "params": (0.1,), "n_noise": 1, "smooth": True, "weight_decay": 0.2},
        "queries": {"function": linear, "params": (0.1,), "n_noise": 1, "smooth": True, "queries": 0.5},
        "fraction": {"function": linear, "params": (0.1,), "n_noise": 1, "smooth": True, "fraction": 0.5},
        "stored": {"function": linear, "params": (0.1,), "n_noise": 1, "smooth": True, "alpha": 1.5},
        "binary": {"function": linear, "params": (0.1,), "n_noise": 1, "smooth": True, "inputs": "binary"},
    }
    for name, given in kinds.items():
        here = {"start": start(**{**ONE, "Q": [[1.0]]})} if name == "sphere" else one
        theory = {**times, **here, "points": 2**10}
        for engine in ("exact", "direct"):
            only = theory if engine == "exact" else None
            rule = of("LearningRule", **given)
            yield from both(f"learning_rule {name} {engine}", rule, only, engine=engine, **here, **plain)
    for quadrature in ("gauss", "polar", "sobol"):
        options = {**times, **one, "points": 2**14, "quadrature": quadrature}
        yield f"learning_rule {quadrature}", lambda o=options: tsphys.solve(tsphys.LearningRule(**kinds["smooth"]), **o)


def _finite_size() -> Any:
    return import_module("tsphys.odes.finite_size").sample(
        tsphys.TwoLayer(lr=0.3), N=100, t=[0, 0.5, 1], start=start(), replicas=2, seed=3
    )


def manifolds() -> Iterator[Case]:
    times = {"t": [0, 0.5, 1]}
    for f in ("sign", "relu", "erf", "tanh", "linear"):
        model = of("HiddenManifold", f=f, lr_v=0.1, noise=0.1)
        yield from both(f"hidden_manifold {f}", model, {**times, "N": 24}, N=24, n_test=20, **times)
    yield "hidden_manifold limit", lambda: tsphys.solve(tsphys.HiddenManifold(), **times, spectrum="limit")
    more = {"features": "hadamard"}, {"inputs": "clone"}, {"activation": "relu"}, {"minibatch": 2}
    for given in more:
        name = " ".join(f"{k}={v}" for k, v in given.items())
        model = of("HiddenManifold", **given)
        yield from both(f"hidden_manifold {name}", model, {**times, "N": 32}, N=32, n_test=20, **times)
    yield from both("hidden_manifold each", of("HiddenManifold"), disorder="each", N=24, n_test=20, **times)
    yield from both("hidden_manifold float32", of("HiddenManifold"), dtype="float32", N=24, n_test=20, **times)
    rng = np.random.default_rng(0)
    c = rng.standard_normal((200, 6))
    x = np.tanh(c @ rng.standard_normal((6, 12)) / math.sqrt(6))
    for inputs in ("resample", "gaussian"):
        model = of("GenerativeInputs", x=x, c=c, inputs=inputs)
        yield from both(f"generative_inputs {inputs}", model, times, n_test=20, **times)
    covariance = np.eye(10) + 0.3
    yield from both("generative_inputs covariance", of("GenerativeInputs", covariance=covariance, inputs="gaussian"),
                    times, n_test=20, **times)  # fmt: skip
    pair = {"R": START["R"], "Q": START["Q"], "T": T2}
    one = {"K": 1, "M": 1, "mean": 0.2, "mean_star": 0.7}
    for queries, given in (("signs", pair), ("bernoulli", {**pair, "p": 0.3}), ("chain", pair), ("raw", one)):
        model = of("WeightTheft", queries=queries, **given)
        yield from both(f"weight_theft {queries}", model, times, N=24, n_test=20, **times)


def networks() -> Iterator[Case]:
    axis = {"alpha": [0.04, 0.06]}
    short = {"N": 80, "sweeps": 6, "equilibration": 3}
    variants: dict[str, tuple[dict, dict, dict]] = {
        "zero": ({}, axis, axis),
        "warm": ({"T": 0.3}, axis, axis),
        "clipped": ({"coupling": "clipped"}, axis, axis),
        "diluted": ({"coupling": "diluted", "connectivity": 0.5, "T": 0.2}, axis, axis),
        "sparse": ({"activity": 0.2, "threshold": 0.1}, axis, {"alpha": [0.02, 0.03]}),
        "sparse warm": ({"activity": 0.2, "threshold": 0.1, "T": 0.05}, axis, {"alpha": [0.02, 0.03]}),
        "parallel": ({"dynamics": "parallel", "T": 0.3}, axis, {}),
        "over t": ({"T": 0.3}, {"t": [0, 1, 3]}, {}),
        "parallel over t": ({"dynamics": "parallel"}, {"t": [0, 1, 2], "overlap": 0.6, "start": "noisy"}, {}),
        "first steps": ({"dynamics": "parallel"}, {"t": [0, 1, 2], "overlap": 0.6, "start": "noisy"}, {"t": [0, 1, 2]}),
        "temperatures": ({}, {"T": [0.2, 0.4]}, {"T": [0.2, 0.4]}),
        "anneal": ({}, {"T": [0.4, 0.2], "protocol": "anneal"}, {}),
        "tempering": ({}, {"T": [0.2, 0.4], "protocol": "tempering"}, {}),
        "random": ({"T": 1.5}, {**axis, "start": "random", "keep_spins": True}, {**axis, "branch": "paramagnetic"}),
        "mixture": ({"T": 0.1}, {**axis, "start": "mixture"}, {"alpha": [0.001, 0.005], "branch": "mixture"}),
        "glass": ({"T": 0.3}, {**axis, "start": "noisy", "overlap": 0.5}, {**axis, "branch": "spin_glass"}),
        "matrix": ({"T": 0.3}, {**axis, "method": "matrix"}, {}),
        "overlap": ({"T": 0.3}, {**axis, "method": "overlap"}, {}),
        "few": ({"dynamics": "parallel", "T": 0.3}, {"n_patterns": 2, "engine": "exact", "t": [0, 1, 2]}, {}),
        "few direct": ({"dynamics": "parallel", "T": 0.3}, {"n_patterns": 2, "engine": "direct", "t": [0, 1, 2]}, {}),
        "cuda": ({"T": 0.3}, {"n_patterns": 2, "engine": "cuda", "N": 6, "sweeps": 2, "equilibration": 1}, {}),
    }
    for name, (parameters, options, theory) in variants.items():
        yield from both(f"hopfield {name}", of("Hopfield", **parameters), theory or None, **{**short, **options})
    stored = "given", "supervised", "unsupervised"
    for P, interaction, storage in itertools.product((2, 3, 4), ("distinct", "power"), stored):
        examples = {} if storage == "given" else {"r": 0.7, "M": 4}
        model = of("DenseHebbian", P=P, interaction=interaction, storage=storage, **examples, T=0.2)
        load = {"alpha": [0.005, 0.01]}
        name = f"dense_hebbian {P} {interaction} {storage}"
        yield from both(name, model, load, n_patterns=3, start="noisy", overlap=0.8, **short)
    exponential = of("DenseHebbian", interaction="exponential", alpha=0.05)
    yield from both("dense_hebbian exponential", exponential, {"alpha": [0.05]}, n_patterns=3, **short)
    averages = of("DenseHebbian", interaction="exponential", alpha=0.05, storage="supervised", r=0.7, M=4)
    yield from both("dense_hebbian exponential averages", averages, {"alpha": [0.05]}, n_patterns=3, **short)
    custom = of("DenseHebbian", interaction="custom", T=0.2, alpha=0.0)
    yield from both("dense_hebbian custom", custom, {"alpha": [0.0], "F": cube}, n_patterns=3, F=cube, **short)
    for more in ({"t": [0, 2]}, {"T": [0.1, 0.3], "protocol": "anneal"}, {"T": [0.1, 0.3], "protocol": "tempering"}):
        name = f"dense_hebbian {more.get('protocol', 'over t')}"
        yield from both(name, of("DenseHebbian", P=3), n_patterns=3, keep_spins=True, **more, **short)
    paramagnet = {"alpha": [0.01], "branch": "paramagnetic"}
    yield "dense_hebbian paramagnetic", lambda: tsphys.solve(tsphys.DenseHebbian(T=0.5), **paramagnet)


def inference() -> Iterator[Case]:
    for prior, channel in itertools.product(
        ("gaussian", "rademacher", "gauss_bernoulli", "sparse_rademacher"),
        ("sign", "linear", "relu", "abs", "logistic", "threshold"),
    ):
        sparse = {"density": 0.5} if prior in ("gauss_bernoulli", "sparse_rademacher") else {}
        noisy = {"noise": 0.3} if channel in ("linear", "sign") else {}
        model = of("GLM", prior=prior, channel=channel, **sparse, **noisy)
        theory = {"alpha": [1.5]} if prior != "sparse_rademacher" else None
        yield from both(f"glm {prior} {channel}", model, theory, N=40, alpha=[1.5], most=15)
    for estimator in ("ridge", "logistic", "hinge", "max_margin"):
        model = of("GLM", estimator=estimator, **({"alpha": 1.0} if estimator == "max_margin" else {"noise": 0.1}))
        yield from both(f"glm {estimator}", model, {"alpha": [1.0, 2.0]}, N=30, alpha=[1.0, 2.0])
    for estimator in ("ridge", "logistic"):
        model = of("GLM", estimator=estimator, prior="gauss_bernoulli", density=0.3, noise=0.1, l1=0.3)
        yield from both(f"glm l1 {estimator}", model, {"alpha": [1.0, 2.0]}, N=30, alpha=[1.0, 2.0])
    for estimator, more in (("hinge", {}), ("max_margin", {}), ("huber", {"channel": "linear", "outliers": 0.1})):
        model = of("GLM", estimator=estimator, covariance=[2.0, 0.5], **more)
        yield from both(f"glm covariance {estimator}", model, {"alpha": [1.0]}, N=30, alpha=[1.0])
    for estimator, resampling in (("ridge", "bootstrap"), ("logistic", "subsample"), ("hinge", "subsample")):
        model = of("GLM", estimator=estimator, noise=0.1, resampling=resampling, fraction=0.6)
        yield from both(f"glm {resampling} {estimator}", model, {"alpha": [2.0]}, N=30, alpha=[2.0])
    for branch in ("reached", "informed", "equilibrium"):
        model = tsphys.GLM(prior="rademacher")
        yield f"glm {branch}", lambda m=model, b=branch: tsphys.solve(m, alpha=[1.3, 1.6], branch=b)
    yield from both("glm over t", of("GLM"), {"t": [0, 1, 3], "start": 0.2}, N=40, t=[0, 1, 3], start=0.2)
    yield from both("glm damped", of("GLM"), N=40, alpha=[2.0], damping=0.2)
    yield from both("glm float32", of("GLM"), N=40, alpha=[2.0], dtype="float32")
    for patterns, channel in itertools.product(
        ("binary", "sparse", "tsodyks", "gauss"), ("additive", "rectified", "clipped", "diluted")
    ):
        own = {"rho": 0.3} if patterns in ("sparse", "tsodyks") else {}
        own |= {"connectivity": 0.7} if channel == "diluted" else {}
        model = of("MemoryReconstruction", patterns=patterns, channel=channel, **own)
        name = f"memory_reconstruction {patterns} {channel}"
        yield from both(name, model, {"noise": [0.4, 0.9]}, N=40, noise=[0.4, 0.9], iterations=30)
    more = {
        "several": ({"P": 3}, {"starts": 2}),
        "mean field": ({"P": 3}, {"denoiser": "mean_field", "starts": 2}),
        "over t": ({}, {"t": [0, 1, 4], "overlap": 0.3}),
        "float64": ({}, {"dtype": "float64", "pca": False}),
    }
    for name, (parameters, options) in more.items():
        theory = {k: options[k] for k in ("t", "overlap") if k in options} if name == "over t" else None
        model = of("MemoryReconstruction", **parameters)
        yield from both(f"memory_reconstruction {name}", model, theory, N=40, iterations=20, **options)
    for branch in ("reached", "optimal"):
        model = tsphys.MemoryReconstruction(patterns="sparse", rho=0.05)
        yield f"memory_reconstruction {branch}", lambda m=model, b=branch: tsphys.solve(m, noise=[0.2, 0.4], branch=b)
    for teacher, loss in itertools.product(("linear", "sign"), ("square", "logistic")):
        model = of("RandomFeatures", teacher=teacher, loss=loss, noise=0.1, ridge=0.1)
        yield from both(f"random_features {teacher} {loss}", model, {"alpha": [1.0, 3.0]}, N=20, alpha=[1.0, 3.0])
    for g in ("erf", "relu", "linear", "quad", "sign"):
        model = of("RandomFeatures", activation=g)
        yield from both(f"random_features {g}", model, {"width": [0.5, 2.0]}, N=20, width=[0.5, 2.0], test=50)
    yield from both("random_features gaussian", of("RandomFeatures"), N=20, covariates="gaussian", ridge=[0.0, 0.1])
    small = of("KernelRidge", modes=60, noise=0.1)
    yield from both("kernel_ridge", small, {"n": [10, 30]}, n=[10, 30])
    yield from both("kernel_ridge features", small, {"k": [5, 20]}, k=[5, 20], n=15)
    yield from both("kernel_ridge ridge", small, {"ridge": [0.0, 0.1]}, ridge=[0.0, 0.1], n=15)
    population = np.linalg.qr(np.random.default_rng(1).standard_normal((80, 20)))[0] * math.sqrt(80)
    given = of("KernelRidge", eigenvalues=1.0 / np.arange(1, 21) ** 1.5, target=1.0 / np.arange(1, 21))
    yield from both("kernel_ridge population", given, {"n": [10, 30], "inputs": 80}, n=[10, 30], population=population)
    for words, more in {
        "two scales": {"patch": (1, 2)}, "shared": {"patch": (2,), "target_patch": 2, "kernel": "convolutional"}
    }.items():  # fmt: skip
        fields = of("LocalKernels", dimension=4, modes=4, noise=0.2, **more)
        yield from both(f"local_kernels {words}", fields, {"n": [10, 30]}, n=[10, 30])
    wave = of("BandlimitedFeatures", n=20, band=5.0)
    yield from both("bandlimited_features", wave, {"frequency": [3, 7]}, frequency=[3, 7])
    yield from both("bandlimited_features features", wave, {"k": [4, 30]}, k=[4, 30])
    for words, more in {
        "free": {"noise": 0.2}, "biased": {"bias": 0.5, "query_degree": 1}, "mlp": {"student": "mlp"}
    }.items():  # fmt: skip
        layer = of("AttentionFeatures", dimension=5, tokens=2, **more)
        yield from both(f"attention_features {words}", layer, {"n": [10, 30]}, n=[10, 30], test=20)
        yield from both(f"attention_features heads {words}", layer, {"heads": [2, 9]}, heads=[2, 9], test=20)


def attention() -> Iterator[Case]:
    for learn, loss in itertools.product(("positions", "factored", "tensor"), ("cross_entropy", "square")):
        model = of("PottsAttention", learn=learn, loss=loss)
        theory = {"alpha": [1.0, 3.0]} if learn == "positions" else None
        short = {"N": 8, "n_test": 10, "burn_in": 4}
        yield from both(f"potts_attention {learn} {loss}", model, theory, alpha=[1.0, 3.0], **short)
        yield from both(f"potts_attention {learn} {loss} over t", model, None, t=[0, 1, 2], **short)
    for phase, more in (("ordered", {}), ("stable", {"field": 0.3, "C": 4})):
        few = {"N": 20, "sweeps": 20, "equilibration": 5}
        yield from both(
            f"potts {phase}", of("Potts", phase=phase, **more), {"beta": [3.0, 3.5]}, beta=[3.0, 3.5], **few
        )
    variants = {
        "binary": {"couplings": "binary"},
        "directed": {"symmetric": False, "inputs": "uniform"},
        "clock": {"colours": "clock", "C": 4, "inputs": "uniform"},
        "uniform": {"inputs": "uniform"},
        "fresh": {"alpha": None, "ridge": 0.0},
    }
    for name, parameters in variants.items():
        options = {"t": [0, 1, 2]} if name == "fresh" else {"ridge": [0.1, 0.3]}
        theory = {"ridge": [0.1, 0.3]} if name in ("binary", "clock") else None
        model = of("PottsAttention", **parameters)
        short = {"N": 8, "n_test": 10, "burn_in": 4, "order": "sequential"}
        yield from both(f"potts_attention {name}", model, theory, **short, **options)

    s = np.random.default_rng(3).integers(0, 3, (30, 6))
    own = of("PottsAttention", learn="tensor", fields=True)
    yield from both("potts_attention own", own, None, sequences=s, weights="similarity", keep_couplings=True)


def spiked() -> Any:
    return tsphys.SpikedCumulant(task="mixed", lr=0.1, beta=0, beta_u=5)


#: Documented functions of theories, by module, with what they are called with.
FUNCTIONS: dict[str, list[tuple[str, Callable[[], tuple], dict[str, Any]]]] = {
    "odes.two_layer_limits": [
        ("plateau", lambda: (tsphys.TwoLayer(lr=0.1),), {}),
        ("escape_rate", lambda: (tsphys.TwoLayer(lr=0.1),), {}),
        ("critical_learning_rate", lambda: (tsphys.TwoLayer(K=1, M=1),), {}),
        ("noise_floor", lambda: (tsphys.TwoLayer(lr=0.1, noise=0.1),), {}),
        ("noise_floor_small_lr", lambda: (tsphys.TwoLayer(lr=0.1, noise=0.1),), {}),
        ("plateau_small_lr", lambda: (3,), {}),
        ("clone_floor", lambda: (tsphys.TwoLayer(lr=0.1, noise=0.1), start(v=[0.4, 0.6])), {}),
    ],
    "odes.perceptron": [("asymptote", lambda: (tsphys.Perceptron(rule="adatron", lr=1.5), [1.0, 100.0]), {})],
    "odes.pruned": [("attainable_error", lambda: (tsphys.Pruned(), start(T=[[1, 0], [0, 1]])), {})],
    "odes.task_masks": [("forgotten", lambda: (tsphys.TaskMasks(), np.array([1.0, 5.0])), {})],
    "physics.masks": [
        ("best_of", lambda: (100, np.linspace(0.1, 2, 50), 0.3), {}),
        ("oracle", lambda: (np.linspace(0.1, 2, 50), 0.3), {}),
    ],
    "odes.hidden_manifold": [("linear_floor", lambda: (tsphys.HiddenManifold(f="linear"),), {})],
    "odes.spiked_cumulant": [("escape_time", lambda: (spiked(), [0, 0.1, 0]), {"direction": 1})],
    "odes.online_attack": [
        ("steady_state", lambda: (tsphys.OnlineAttack(),), {}),
        ("small_lr", lambda: (tsphys.OnlineAttack(),), {}),
        ("critical_cost", lambda: (tsphys.OnlineAttack(),), {}),
    ],
    "replica.hopfield": [
        ("spinodal_load", lambda: (tsphys.Hopfield(T=0.3),), {}),
        ("spinodal_load", lambda: (tsphys.Hopfield(coupling="clipped"),), {}),
        ("transition_load", lambda: (tsphys.Hopfield(T=0.3),), {}),
        ("spinodal_temperature", lambda: (tsphys.Hopfield(alpha=0.05),), {}),
        ("glass_temperature", lambda: (tsphys.Hopfield(alpha=0.09),), {}),
        ("at_temperature", lambda: (tsphys.Hopfield(alpha=0.12),), {}),
        ("best_threshold", lambda: (0.1,), {}),
        ("mixture_stability", lambda: (tsphys.Hopfield(alpha=0.0, T=0.45),), {}),
        ("parallel_steps", lambda: (0.2, 0.6), {}),
        ("lines", lambda: (tsphys.Hopfield(), [0.2, 0.4]), {}),
    ],
    "replica.dense_hebbian": [
        ("spinodal_load", lambda: (tsphys.DenseHebbian(P=4, T=0.1),), {}),
        ("learned_load", lambda: (tsphys.DenseHebbian(P=4, T=0.1, storage="supervised", r=0.6, M=20),), {}),
        ("transition_load", lambda: (tsphys.DenseHebbian(P=3, T=0.3),), {}),
        ("transition_temperature", lambda: (3,), {}),
        ("one_step", lambda: (tsphys.DenseHebbian(P=3, alpha=0.3),), {}),
        ("exponential_load", lambda: (0.0,), {}),
        ("majority", lambda: (0.2, 9), {}),
    ],
    "replica.glm": [
        ("thresholds", lambda: (tsphys.GLM(prior="rademacher"),), {}),
        ("spherical_capacity", lambda: (0.3,), {}),
        ("ising_capacity", lambda: (), {}),
        ("gibbs_error", lambda: (tsphys.GLM(alpha=5),), {}),
    ],
    "replica.random_features": [("optimal_ridge", lambda: (tsphys.RandomFeatures(noise=0.3),), {})],
    "replica.kernel_ridge": [("optimal_ridge", lambda: (tsphys.KernelRidge(modes=200, noise=0.3),), {})],
    "replica.memory_reconstruction": [
        ("thresholds", lambda: (tsphys.MemoryReconstruction(patterns="sparse", rho=0.05),), {}),
        ("noise_at", lambda: (tsphys.MemoryReconstruction(channel="clipped"), 0.8), {}),
        ("lines", lambda: (tsphys.MemoryReconstruction(patterns="sparse"), [0.05, 0.2]), {}),
    ],
}


def functions() -> Iterator[Case]:
    for module, calls in FUNCTIONS.items():
        for count, (name, arguments, options) in enumerate(calls):
            yield (
                f"{module}.{name} {count}",
                lambda m=module, n=name, a=arguments, o=options: getattr(import_module(f"tsphys.{m}"), n)(*a(), **o),
            )


def deep() -> Iterator[Case]:
    along = {"depth": [1, 3, 4]}
    for ensemble in ("iid", "orthogonal", "low_rank", "sparse"):
        nets = of("DeepKernels", ensemble=ensemble, width=24, weight_variance=2.0)
        yield from both(f"deep_kernels {ensemble}", nets, along, nets=3, ntk=True, **along)
    for weights in ((0, 0.5, 0, 0.5), (0, 0, 0.5, 0.5), (0.2, 0.3, 0.5)):
        small = of("InfiniteDepth", weights=weights, depth=6)
        yield from both(f"infinite_depth {weights}", small, {"n": [5, 20]}, n=[5, 20], n_test=30)
    relu = of("DeepKernels", activation="relu", width=16)
    over = {"bias_variance": [0.0, 0.3]}
    yield from both("deep_kernels relu", relu, over, nets=2, **over)


def descents() -> Iterator[Case]:
    times = {"t": [0, 5, 20, 60]}
    yield from both("opposing_signals", of("OpposingSignals", lr=0.25), times, n=300, d=4, **times)
    few = {"t": [0, 1, 30, 1000]}
    patches = of("Whitening", d=4, n=9, F=3, patches=3, correlation=0.5, pooling=0.2, teacher=0.3)
    yield from both("whitening", of("Whitening", d=6, n=30, F=4), few, draws=2, **few)
    yield from both("whitening patches", patches, few, draws=2, **few)
    tasks = {"t": [0, 1, 3]}
    for penalty, depth in (("none", 2), ("l2", 2), ("spectral", 2), ("init", 2), ("spectral", 3)):
        nets = of("Plasticity", penalty=penalty, depth=depth, duration=4, start=0.1)
        yield from both(f"plasticity {penalty} {depth}", nets, tasks, inputs=3, **tasks)
    nets = of("Plasticity", duration=2, start=0.1)
    yield from both("plasticity batches", nets, tasks, inputs=3, batch=20, steps=50, **tasks)
    at = {"t": [0, 0.5, 4]}
    for alpha in (0.5, 2.0):
        yield from both(f"label_noise {alpha:g}", of("LabelNoise", alpha=alpha), at, N=40, **at)
        along = {"rounds": [0, 1, 3]}
        yield from both(f"self_distillation {alpha:g}", of("SelfDistillation", alpha=alpha), along, N=40, **along)
    for teacher, where in (
        (of("RandomTeacher", inputs=30, n=20, features=10), {"t": [0, 1, 20]}),
        (of("RandomTeacher", inputs=30, features=10, scale=0.5, overlap=0.3, t=2.0), {"weight_decay": [0, 0.1]}),
        (of("RandomTeacher", inputs=30, features=10, weight_decay=0.01, t=None), {"n": [8, 20]}),
    ):
        yield from both(f"random_teacher {next(iter(where))}", teacher, where, **where)
    for name, given in (("flow", {}), ("descent", {"lr": 0.1})):
        own = {**at, "N": 30, **given}
        yield from both(f"linear_estimator {name}", of("LinearEstimator", noise=0.3), at, **own)
    for who, eps in (
        ("rosenblatt", 0.5),
        ("adatron", 0.0),
        ("bayes", 0.0),
        ("max_margin", 0.0),
        ("logistic", 0.3),
        ("hinge", 0.3),
        ("ridge", 0.3),
    ):
        model = of("AdversarialPerceptron", learner=who, training=eps)
        yield from both(f"adversarial_perceptron {who}", model, {"attack": [0, 0.4]}, N=30, n_test=50, attack=[0, 0.4])
    for task in ("regression", "perceptron", "random_labels"):
        model, along = of("IntrinsicDimension", task=task, inputs=40, examples=20), {"dimension": [8, 30]}
        yield from both(f"intrinsic_dimension {task}", model, along, **along)
    few = {"points": [0.2, 0.8]}
    for task, way, more in (("regression", "distilled", {}), ("classes", "subset", {}),
                            ("classes", "distilled", {"covariance": True})):  # fmt: skip
        sets = of("DatasetDistillation", task=task, way=way, **more)
        yield from both(f"dataset_distillation {task} {way} {len(more)}", sets, few, N=30, **few)
    for ballots, axis in (("signs", {"clients": [4, 5]}), ("ranks", {"kept": [0.2, 0.5]})):
        few = of("OneShotVotes", ballots=ballots, malicious=1, clients=3)
        yield from both(f"one_shot_votes {ballots}", few, axis, N=30, **axis)
    for units in ("aligned", "random"):
        yield from both(f"nested_dropout {units}", of("NestedDropout"), {"t": [0, 2]}, N=7, units=units, t=[0, 2])
    for rotated in (False, True):
        chain = of("RemovedLayers", left=2, at=0.5)
        yield from both(f"removed_layers {rotated}", chain, {"t": [0, 2]}, N=6, rotated=rotated, t=[0, 2])
    for kind in ("centred", "gram", "cosine"):
        nets = of("Stitching", coordinates=kind, noise=0.3)
        yield from both(f"stitching {kind}", nets, {"width": [0.5, 4]}, N=20, test=50, width=[0.5, 4])
    helped = {"t": [0, 0.5, 4]}
    nets = of("Guidance", variance=(2.0, 0.4), pretraining=2.0, strength=3.0, guide=(1.0, 0.0), until=1.0)
    yield from both("guidance", nets, helped, width=4, **helped)
    for words, bias in {
        "version_space": {"inputs": 12, "examples": 12},
        "features": {"hypotheses": "features"},
        "gaussian_process": {"hypotheses": "gaussian_process", "modes": 30, "examples": 10},
    }.items():
        along = {"error": [0.1, 0.3]}
        few = {"draws": 200, "chains": 20, "moves": 10}
        yield from both(f"inductive_bias {words}", of("InductiveBias", **bias), along, **few, **along)
    left = {"kept": [0.3, 1.0]}
    for student, rounds in (("ridge", 1), ("ridge", 3), ("logistic", 1)):
        tickets = of("SparseTickets", student=student, rounds=rounds)
        yield from both(f"sparse_tickets {student} {rounds}", tickets, left, N=40, **left)
    loads = {"alpha": [0.3, 0.8]}
    for who, more in (("bayes", {"density_factor": 2.0}), ("adaptive", {}), ("lasso", {}), ("exchange", {})):
        yield from both(f"sparse_regression {who}", of("SparseRegression", estimator=who, **more), loads, N=40, **loads)
    pools = {"alpha": [0.5, 2.0]}
    for student, gamma in (("ridge", 0.8), ("logistic", 1.0), ("max_margin", 1.0)):
        pruned = of("DataPruning", student=student, gamma=gamma)
        yield from both(f"data_pruning {student}", pruned, pools, N=40, **pools)
    rough: dict[str, Any] = {"t": [0, 2, 7], "paths": 256, "scramblings": 2}
    for name, more in {
        "logistic": {"noise": 0.3, "momentum": 0.5},
        "hinge": {"loss": "hinge", "lr": 0.3, "batch": 0.25},
        "epochs": {"loss": "perceptron", "lr": 0.3, "batch": 0.25, "order": "shuffle", "init": 1.0},
        "flow": {"loss": "square", "channel": "linear", "flow": True},
    }.items():
        yield from both(f"training_set {name}", of("TrainingSet", **more), rough, N=40, t=[0, 2, 7])
    yield from both("linear_network", of("LinearNetwork", rank=2, inputs=6), at, **at)
    yield from both(
        "linear_network falling", of("LinearNetwork", rank=2, inputs=6, decay=1.0, alignment=0.5), {"at": 5}, at=5
    )
    two = {"rank": 2, "inputs": 5, "teacher": (2.0, 1.0), "balance": 0.5}
    yield from both("linear_network balance", of("LinearNetwork", **two), {**at, "draws": 3}, lr=0.05, **at)
    for balanced in (True, False):
        few = of("XorClusters", n=12, N=90, K=8, distance=5.0, balanced=balanced)
        yield from both(f"xor_clusters {balanced}", few, {**times, "draws": 3}, n_test=40, **times)
    for words, icl in (("few", {}), ("endless", {"kappa": None, "noise": 0.0})):
        yield from both(f"linear_icl {words}", of("LinearICL", **icl), {"ridge": [0.1, 1]}, N=6, ridge=[0.1, 1])
    short = {"steps": 5, "before": 5, "sweeps": 2}
    for words, spins in (
        ("ising", {"pretrained": 1.0, "train": "output"}),
        ("heisenberg", {"chain": "heisenberg", "J2": 0.3}),
    ):
        yield from both(f"spin_chain_states {words}", of("SpinChainStates", N=6, **spins), {}, samples=20, **short)
    yield from both("spin_chain_states sums", of("SpinChainStates", N=6, field=0.8), None, samples=0, **short)
    race = of("WeightRace", classes=7, dynamic=0.3, decay=0.01)
    yield from both("weight_race", race, {**at, "each": True}, N=20, each=True, **at)
    small = {"inputs": 5, "examples": 12}
    for words, alpha in (("rich", 0.5), ("lazy", None)):
        model = of("QuadraticFeature", alpha=alpha, **small)
        yield from both(f"quadratic_feature {words}", model, {**at, "sets": 2}, **at)


def cases() -> dict[str, Callable[[], Any]]:
    out: dict[str, Callable[[], Any]] = {}
    for family in (online, manifolds, networks, inference, attention, deep, descents, functions):
        for name, run in family():
            assert name not in out, name
            out[name] = run
    return out


def numbers(value: Any, name: str = "value") -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a Result, a table, a tuple or a number, by name."""
    if hasattr(value, "data") and isinstance(value, tsphys.Result):
        yield from ((k, np.asarray(v)) for k, v in sorted(value.data.items()))
    elif isinstance(value, tsphys.OrderParameters):
        yield from ((f"{name}.{k}", np.asarray(getattr(value, k))) for k in ("R", "Q", "T"))
    elif isinstance(value, Mapping):
        for k in sorted(value):
            yield from numbers(value[k], f"{name}.{k}")
    elif dataclasses.is_dataclass(value):
        yield from numbers(vars(value), name)
    elif isinstance(value, (tuple, list)):
        for i, v in enumerate(value):
            yield from numbers(v, f"{name}.{i}")
    else:
        yield name, np.asarray(np.nan if value is None else value, dtype=float)


def summary(value: np.ndarray) -> dict[str, Any]:
    """Hash of the bits, and sums that two machines agree on."""
    flat = np.ascontiguousarray(value)
    digest = hashlib.sha256(f"{flat.dtype}{flat.shape}".encode() + flat.tobytes()).hexdigest()[:16]
    x = np.nan_to_num(flat.astype(float).ravel(), nan=0.5, posinf=3.0, neginf=-3.0)
    weights = np.cos(1.0 + np.arange(x.size))
    return {"sha": digest, "sums": [float(f"{y:.12g}") for y in (x.sum(), x @ weights, np.abs(x).sum())]}


def found(run: Callable[[], Any]) -> dict[str, Any]:
    """What a case gives, or the error that it ends in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = run()
        except Exception as error:
            return {"raises": f"{type(error).__name__}: {error}"}
    out: dict[str, Any] = {name: summary(x) for name, x in numbers(value)}
    if isinstance(value, tsphys.Result):
        out["meta"] = sorted(value.meta)
    return out


def difference(old: Any, new: Any) -> str:
    """Nothing, ``bits`` (the sums agree) or what differs."""
    if old.keys() != new.keys() or old.get("raises") != new.get("raises") or old.get("meta") != new.get("meta"):
        return f"{shown(old)} became {shown(new)}"
    changed = [k for k in new if k not in ("raises", "meta") and old[k]["sha"] != new[k]["sha"]]
    for k in changed:
        a, b = np.array(old[k]["sums"]), np.array(new[k]["sums"])
        if np.abs(a - b).max() > RTOL * max(a[2], b[2], 1e-300):
            return f"{k}: {a.tolist()} became {b.tolist()}"
    return "bits of " + ", ".join(changed) if changed else ""


def shown(case: Any) -> str:
    return case["raises"] if "raises" in case else ", ".join(case) + f" with {case.get('meta')}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the file (the default)")
    parser.add_argument("--update", action="store_true", help="add what the file does not hold")
    parser.add_argument("--all", action="store_true", help="with --update: write everything anew")
    parser.add_argument("--only", default="", help="only cases whose name begins so")
    parser.add_argument("-v", action="store_true", help="name each case")
    given = parser.parse_args()
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    wrong = bits = 0
    for name, run in cases().items():
        if not name.startswith(given.only):
            continue
        if given.v:
            print(name, flush=True)
        if given.update:
            if given.all or name not in kept:
                kept[name] = found(run)
            continue
        new = found(run)
        words = difference(kept[name], new) if name in kept else "is not in the file"
        bits += words.startswith("bits")
        wrong += bool(words) and not words.startswith("bits")
        if words:
            print(f"{name}: {words}", flush=True)
    if given.update:
        kept = {name: kept[name] for name in cases() if name in kept}
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in kept.items())
        FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    print(f"{len(kept)} cases, {wrong} differ, {bits} in their last bits only")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
