"""All pairs of what a Hopfield network's run may ask for, on all engines: each runs, and rightly, or is refused."""

import itertools

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tests.walk import outcome
from tsphys.sims.engines.spins.engines import CUDA, DIRECT, EXACT, FEATURES

N = 24
RNG = np.random.default_rng(5)
#: What asks for a feature: parameters of the model, and options of the run.
VALUES = {
    "sequential": ({}, {}),
    "parallel": ({"dynamics": "parallel"}, {}),
    "coupling": ({"coupling": "clipped"}, {}),
    "activity": ({"activity": 0.4}, {}),
    "patterns": ({}, {"patterns": RNG.choice([-1, 1], (3, N))}),
    "grey": ({}, {"patterns": RNG.standard_normal((3, N)), "grey": True}),
    "spins": ({}, {"start": RNG.choice([-1, 1], N)}),
    "keep_spins": ({}, {"keep_spins": True}),
    "tempering": ({}, {"protocol": "tempering"}),
    "overlap": ({}, {"method": "overlap"}),
    "matrix": ({}, {"method": "matrix"}),
    "most": ({}, {"n_patterns": 17}),
    "largest": ({}, {"N": 10**12}),
}
#: A run is of one dynamics, and by one method; nothing holds the largest.
PAIRS = [frozenset(pair) for n in (1, 2) for pair in itertools.combinations(VALUES, n)
         if set(pair) not in ({"sequential", "parallel"}, {"overlap", "matrix"})]  # fmt: skip
ORDINARY = [pair for pair in PAIRS if "largest" not in pair]


def name(pair):
    return "-".join(sorted(pair))


def needs(pair):
    """A run of a pair is sequential if it is not asked for another, and grey patterns are of one's own."""
    pair = pair if "parallel" in pair else pair | {"sequential"}
    return pair | {"patterns"} if "grey" in pair else pair


def run(pair, engine, **more):
    model, options = {}, {"T": [0.3, 0.6], "N": N, "sweeps": 6, "equilibration": 4, "replicas": 2, "threads": 1}
    options |= {} if {"patterns", "grey", "most"} & pair else {"n_patterns": 2}
    for feature in sorted(pair):
        model |= VALUES[feature][0]
        options |= VALUES[feature][1]
    return tsphys.simulate(tsphys.Hopfield(**model), engine=engine, **options, **more)


def test_every_feature_is_asked_for():
    assert set(VALUES) == set(FEATURES)


@pytest.mark.wide
@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_what_an_engine_does_not_declare_is_refused_in_one_line(pair):
    for engine in (EXACT, CUDA):
        if not needs(pair) <= engine.takes:
            with pytest.raises(tsphys.ModelError) as caught:
                run(pair, engine.name)
            refuses(lambda engine=engine: run(pair, engine.name), caught.value.name)
            # What nobody does is refused as such, and all else by the engine that lacks it.
            if not isinstance(outcome(lambda: run(pair, "direct")), Exception):
                assert caught.value.name == "engine"
                assert any(FEATURES[x] in str(caught.value) for x in pair | {"sequential"})


@pytest.mark.parametrize("pair", ORDINARY, ids=name)
def test_what_is_declared_runs_and_methods_agree(pair):
    """Fields from the overlaps and from stored couplings give the same bits, wherever there are both."""
    found = [outcome(lambda method=method: run(pair, "direct", method=method)) for method in ("overlap", "matrix")
             if not {"overlap", "matrix"} & pair]  # fmt: skip
    found = found or [outcome(lambda: run(pair, "direct"))]
    ran = [one for one in found if not isinstance(one, Exception)]
    assert needs(pair) <= DIRECT.takes
    # With ±1 spins of ordinary couplings all is done.
    assert ran or {"grey", "activity", "coupling", "tempering", "most", "patterns", "spins"} & pair
    for one in ran[1:]:
        for key in one.observables:
            np.testing.assert_array_equal(one[key], ran[0][key], err_msg=key)
    if needs(pair) <= EXACT.takes:
        assert run(pair, "exact").meta["engine"] == "exact"
