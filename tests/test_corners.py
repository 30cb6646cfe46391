"""Smallest and largest values that models of pruned data and weights allow, and risks over all that theirs may be."""

import dataclasses

import numpy as np
import pytest

import tsphys
from tests.walk import REFUSALS
from tsphys import GLM, DataPruning, SparseTickets

STUDENTS = [
    (SparseTickets, "ridge"),
    (SparseTickets, "logistic"),
    *((DataPruning, s) for s in ("ridge", "logistic", "hinge", "max_margin")),
]
#: Many averages, each over Sobol's points.
LONG = {
    (SparseTickets, "ridge"): {"rounds", "alpha"},
    (SparseTickets, "logistic"): {"rounds", "ridge", "ridge_after", "alpha"},
    (DataPruning, "max_margin"): {"alpha"},
}
CORNERS = [
    pytest.param(
        kind,
        {"student": student, field.name: field.metadata[end]},
        marks=[pytest.mark.slow] if field.name in LONG.get((kind, student), set()) else [],
        id=f"{kind.name} {student} {field.name} {end}",
    )
    for kind, student in STUDENTS
    for field in dataclasses.fields(kind)
    for end in ("low", "high")
    if field.metadata.get(end) is not None
]


@pytest.mark.wide
@pytest.mark.parametrize(("kind", "given"), CORNERS)
def test_ends_of_parameters_give_numbers_or_one_line(kind, given):
    for verb, more in (("solve", {}), ("simulate", {"N": 40, "replicas": 1})):
        try:
            found = getattr(tsphys, verb)(kind(**given), **more)
        except REFUSALS as error:
            assert "\n" not in str(error)
            # Of the theory no single value of a parameter that goes with the others is refused.
            assert verb == "simulate" or given["student"] == "max_margin"
            continue
        for name in found.observables:
            assert np.isfinite(found[name]).all(), name


@pytest.mark.parametrize("estimator", ["logistic", "hinge", "max_margin"])
@pytest.mark.parametrize(("alpha", "N"), [(0.05, 100), (1.0, 40), (20.0, 20), (100.0, 10)])
def test_instances_over_the_whole_range(estimator, alpha, N):
    """Minima to rounding: the step that is left changes no field by more than 1e-9 of its size."""
    for noise in (0.0,) if estimator == "max_margin" else (0.0, 0.5):
        lams = {} if estimator == "max_margin" else {"regularization": [1e-12, 1e-10, 1e-5, 1.0, 1e9, 1e100]}
        model = GLM(estimator=estimator, alpha=alpha, noise=noise)
        found = tsphys.simulate(model, N=N, replicas=4, seed=1, **lams)
        assert (found["floor"] <= 1e-18 * found["q"]).all()
        assert (found["q"] >= 0).all()
        if lams and noise == 0:
            # The less λ, the better the examples are fitted, each of which is another instance.
            assert (found["train_loss"][:, 0] <= found["train_loss"][:, -1]).all()
