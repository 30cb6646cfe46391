"""What all models are tried with: small runs, values at the ends of what is allowed, and what may come of them."""

import math

import numpy as np

import tsphys
from tsphys.ground import parameters
from tsphys.registry import MODELS, model_class
from tsphys.studies import configuration

#: Sizes at which every run takes no time.
SMALL = {
    "N": 24, "replicas": 2, "threads": 1, "n_test": 4, "burn_in": 1, "sweeps": 4, "equilibration": 2, "iterations": 30,
    "starts": 1, "most": 30, "test": 20, "draws": 10, "steps": 5, "before": 5, "samples": 20, "chains": 10, "moves": 2,
    "sets": 2, "at": 5.0,
}  # fmt: skip
#: Parameters at which models whose work grows fast with them are small.
LITTLE = {
    "inductive_bias": {"inputs": 10},
    "infinite_depth": {"depth": 5, "n": 30},
    "linear_network": {"inputs": 6},
    "quadratic_feature": {"inputs": 4},
    "spin_chain_states": {"N": 6},
}
#: Models whose results have an axis of their own choice.
STATIC = [name for name in MODELS if getattr(model_class(name), "axes", ())]
VERBS = ("simulate", "solve")
REFUSALS = (tsphys.ModelError, tsphys.ConvergenceError, tsphys.DivergedError)
#: What may be infinite, and says so.
INFINITE = ("free_entropy",)


def fields(name):
    """Parameters of a model and what is said of them."""
    return {k: f.metadata for k, f in parameters.described(model_class(name)).items()}


def options(name, verb):
    """Options of a run and what is said of them."""
    return {key: described.metadata for key, described in configuration.run_options(name, verb).items()}


def run_of(name, verb):
    """Small options of a run, a short one if it has times by default."""
    own = options(name, verb)
    timed = verb == "simulate" and "t" in own and not own["t"]["optional"]
    # Not below what an option may be.
    small = {k: max(v, own[k]["low"] or v) for k, v in SMALL.items() if k in own}
    return {**small, **({"t": [0, 1]} if timed else {})}


def allowed(value, meta):
    """Whether a number is within the bounds of a parameter."""
    low, high = meta["low"], meta["high"]
    above = low is None or value > low or (value == low and not meta["open_low"])
    return above and (high is None or value < high or (value == high and not meta["open_high"]))


def ends(meta):
    """Values of a parameter at its ends, at 0 and far out, as far as they are allowed."""
    if meta["choices"]:
        return list(meta["choices"])
    if meta["kind"] is bool or meta["shape"] or meta["kind"] is str:
        return [True, False] if meta["kind"] is bool else []
    low, high = meta["low"], meta["high"]
    if meta["kind"] is int:
        out = [low or 0, (low or 0) + 1, 107, 10**9, 2**53 + 1, 2**63 - 1]
        out += [] if high is None else [high - 1, high]
    else:
        out = [0.0, 5e-324, 1e-320, 1e-300, 1e-12, 1e8, 1e16, 1e100, 1e300, 1e308, -1e-320, -1e308]
        out += [math.nextafter(x, y) for x, y in ((low, math.inf), (high, -math.inf)) if x is not None]
        out += [float(x) for x in (low, high) if x is not None]
    none = [None] if meta["optional"] else []
    return [*dict.fromkeys(x for x in out if allowed(x, meta)), *none]


def outcome(call):
    """The Result of a call, with numbers in it, or its refusal, in one line."""
    try:
        result = call()
    except REFUSALS as error:
        message = str(error)
        assert "\n" not in message
        assert len(message) < 300, message
        return error
    for key, values in result.data.items():
        if values.dtype.kind == "f" and key not in INFINITE:
            assert np.isfinite(values).all(), key
    return result
