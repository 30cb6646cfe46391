"""Which models there are, and where their simulation, theory and figures live. Only this file looks into the rooms."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tsphys.errors import ModelError

if TYPE_CHECKING:
    from tsphys.runs.result import Result


@dataclass(frozen=True)
class Entry:
    """A model of the package.

    Parameters
    ----------
    cls : str
        Name of its dataclass in ``tsphys.models.<name>``.
    about : str
        What it is, in a line.
    sims, theory : str
        Modules that hold ``simulate`` and ``solve``; empty if there is none.
    figures : tuple of str
        Modules of ``tsphys.figures`` that draw it.
    """

    cls: str
    about: str
    sims: str = ""
    theory: str = ""
    figures: tuple[str, ...] = ()


MODELS = {
    "two_layer": Entry(
        cls="TwoLayer",
        about="two-layer student and teacher, online SGD on one or both layers",
        sims="tsphys.sims.two_layer",
        theory="tsphys.odes.two_layer",
        figures=("two_layer", "noise_floor", "escape"),
    ),
    "perceptron": Entry(
        cls="Perceptron",
        about="sign perceptron: Hebb, Rosenblatt, AdaTron, optimal online rule",
        sims="tsphys.sims.perceptron",
        theory="tsphys.odes.perceptron",
        figures=("perceptron",),
    ),
    "zeroth_order": Entry(
        cls="ZerothOrder",
        about="two-layer student that learns from values of its loss alone, along random directions or coordinates",
        sims="tsphys.sims.zeroth_order",
        theory="tsphys.odes.zeroth_order",
        figures=("variants",),
    ),
    "pruned": Entry(
        cls="Pruned",
        about="sparse two-layer student: every unit has some of the coordinates only, online SGD",
        sims="tsphys.sims.pruned",
        theory="tsphys.odes.pruned",
        figures=("variants",),
    ),
    "continual": Entry(
        cls="Continual",
        about="continual learning: a student with a head for each of several similar tasks",
        sims="tsphys.sims.continual",
        theory="tsphys.odes.continual",
        figures=("continual",),
    ),
    "online_attack": Entry(
        cls="OnlineAttack",
        about="attacks on an online learner: labels moved towards a target, greedily, optimally, or knowing the stream",
        sims="tsphys.sims.online_attack",
        theory="tsphys.odes.online_attack",
        figures=("online_attack", "online_attack_digits"),
    ),
    "hidden_manifold": Entry(
        cls="HiddenManifold",
        about="hidden manifold: inputs from fewer latent variables, which the teacher sees; online SGD",
        sims="tsphys.sims.hidden_manifold",
        theory="tsphys.odes.hidden_manifold",
        figures=("hidden_manifold",),
    ),
    "simplicity_bias": Entry(
        cls="SimplicityBias",
        about="two classes of inputs and clones of them that share means and covariances only, online SGD",
        sims="tsphys.sims.simplicity_bias",
        theory="tsphys.odes.simplicity_bias",
        figures=("simplicity_bias", "simplicity_bias_digits"),
    ),
    "spiked_cumulant": Entry(
        cls="SpikedCumulant",
        about="neuron on the sphere that looks for spikes in mean, covariance and higher cumulants, online",
        sims="tsphys.sims.spiked_cumulant",
        theory="tsphys.odes.spiked_cumulant",
        figures=("spiked_cumulant",),
    ),
    "hopfield": Entry(
        cls="Hopfield",
        about="Hopfield network: Hebbian, clipped or diluted pairwise couplings, sparse patterns",
        sims="tsphys.sims.hopfield",
        theory="tsphys.replica.hopfield",
        figures=("hopfield", "hopfield_phase_diagram", "hopfield_mixtures"),
    ),
    "dense_hebbian": Entry(
        cls="DenseHebbian",
        about="dense Hebbian network: P-body couplings of patterns or of noisy examples",
        sims="tsphys.sims.dense_hebbian",
        theory="tsphys.replica.dense_hebbian",
        figures=("dense_hebbian", "dense_hebbian_digits"),
    ),
    "memory_reconstruction": Entry(
        cls="MemoryReconstruction",
        about="patterns reconstructed from noisy synapses: message passing, state evolution, principal components",
        sims="tsphys.sims.memory_reconstruction",
        theory="tsphys.replica.memory_reconstruction",
        figures=("memory_reconstruction",),
    ),
    "glm": Entry(
        cls="GLM",
        about="generalised linear model: Bayes-optimal inference and convex risks",
        sims="tsphys.sims.glm",
        theory="tsphys.replica.glm",
        figures=("glm", "glm_phase_diagram"),
    ),
    "random_features": Entry(
        cls="RandomFeatures",
        about="random features: ridge or logistic readout of a fixed random layer, double descent",
        sims="tsphys.sims.random_features",
        theory="tsphys.replica.random_features",
        figures=("random_features",),
    ),
    "kernel_ridge": Entry(
        cls="KernelRidge",
        about="kernel and random-feature ridge regression of a given spectrum: learning curves",
        sims="tsphys.sims.kernel_ridge",
        theory="tsphys.replica.kernel_ridge",
        figures=("kernel_ridge", "kernel_ridge_digits"),
    ),
    "potts_attention": Entry(
        cls="PottsAttention",
        about="factored attention that learns to fill in masked sites of Potts sequences",
        sims="tsphys.sims.potts_attention",
        theory="tsphys.replica.potts_attention",
        figures=("potts_attention",),
    ),
}

#: Models that need more than text to be described, so that they have no command.
LIBRARY_ONLY = {
    "learning_rule": Entry(
        cls="LearningRule",
        about="any learning rule on local fields, written as a Numba function",
        sims="tsphys.sims.learning_rule",
        theory="tsphys.odes.learning_rule",
    ),
    "generative_inputs": Entry(
        cls="GenerativeInputs",
        about="inputs of any generator or covariance, a teacher of them or of their latent variables; online SGD",
        sims="tsphys.sims.generative_inputs",
        theory="tsphys.odes.generative_inputs",
    ),
}


def model_class(name: str) -> type:
    """The dataclass of a model.

    Raises
    ------
    ModelError
        If there is no model of that name.
    """
    if name not in MODELS:
        raise ModelError("model", name, "must be one of " + ", ".join(MODELS))
    return getattr(import_module(f"tsphys.models.{name}"), MODELS[name].cls)


def _find(model: Any, room: str, verb: str) -> Callable[..., Any]:
    entry = {**MODELS, **LIBRARY_ONLY}.get(getattr(type(model), "name", ""))
    if entry is None:
        names = ", ".join(e.cls for e in (*MODELS.values(), *LIBRARY_ONLY.values()))
        raise ModelError("model", type(model).__name__, f"must be one of tsphys.{{{names}}}")
    if not getattr(entry, room):
        raise ModelError("model", type(model).name, f"has nothing to {verb}")
    return getattr(import_module(getattr(entry, room)), verb)


def _call(function: Callable[..., Any], model: Any, options: dict[str, Any]) -> Any:
    known = inspect.signature(function).parameters
    required = [k for k, p in known.items() if p.default is p.empty and k != "model"]
    for name, value in options.items():
        if name not in known or name == "model":
            allowed = ", ".join(k for k in known if k != "model")
            raise ModelError(name, value, f"is not an option of {function.__name__} for {type(model).name} ({allowed})")
    for name in required:
        if name not in options:
            raise ModelError(name, None, f"is required to {function.__name__} {type(model).name}")
    return function(model, **options)


def simulate(model: Any, **options: Any) -> Result:
    """Simulate a model; the options are those of its ``simulate``.

    For online learning (`TwoLayer`, `Perceptron`, `LearningRule`) see `tsphys.sims.engines.online.simulation.simulate`:
    ``N, t, start, replicas, seed, engine, threads, dtype, progress``.

    Returns
    -------
    Result
        Observables with axes (replica, t, …).

    Raises
    ------
    ModelError
        If an option is unknown, missing or out of range.
    DivergedError
        If the dynamics left every bound.

    Examples
    --------
    >>> import tsphys
    >>> sim = tsphys.simulate(tsphys.TwoLayer(K=2, M=2), N=500, t=[1, 10], replicas=4, seed=0)
    >>> sim["eps_g"].shape, sim["R"].shape, sim.meta["engine"]
    ((4, 2), (4, 2, 2, 2), 'exact')
    >>> net = tsphys.simulate(tsphys.Hopfield(T=0.3), N=1000, alpha=[0.01, 0.05], replicas=2)
    >>> net.axis, bool((net.mean("m") > 0.95).all())
    ('alpha', True)
    """
    return _call(_find(model, "sims", "simulate"), model, options)


def solve(model: Any, *, progress: Callable[[float], None] | None = None, **options: Any) -> Result:
    """Solve the theory of a model; the options are those of its ``solve``: for online learning ``start`` and ``t``.

    Parameters
    ----------
    model : dataclass
    progress : callable, optional
        Called with the fraction done, if it takes a while.
    options
        As above.

    Returns
    -------
    Result
        Observables with axes (t, …).

    Raises
    ------
    ModelError
        If an option is unknown, missing or out of range.
    ConvergenceError, DivergedError
        If there is no solution within the tolerance, or within bounds.

    Examples
    --------
    >>> import tsphys
    >>> theory = tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.05, 0.1])
    >>> theory["m"].round(4).tolist()
    [1.0, 0.998]
    >>> tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.2])
    Traceback (most recent call last):
    tsphys.errors.ModelError: alpha = 0.2: must be <= 0.137905566, the spinodal of the retrieval states at T = 0
    """
    from tsphys.ground.progress import listening

    with listening(progress):
        return _call(_find(model, "theory", "solve"), model, options)
