"""Several points at once: a list of values works wherever its single values do, for every model, axis and verb."""

import numpy as np
import pytest

import tsphys
from tests.walk import LITTLE, REFUSALS, STATIC, VERBS, allowed, fields, options, run_of
from tests.wide import each
from tsphys.cli import main
from tsphys.cli.options import flag
from tsphys.registry import model_class
from tsphys.runs.points import padded, stack

FLOATS = (0.0, 0.02, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0, 1.5, 3.0, 10.0)
INTEGERS = (1, 2, 3, 5, 24, 40)
#: Without which an axis has no meaning.
NEEDED = {
    ("glm", "outlier_noise"): {"channel": "linear", "estimator": "huber", "outliers": 0.1},
    ("glm", "l1"): {"estimator": "ridge"},
    ("glm", "fraction"): {"estimator": "ridge", "resampling": "bootstrap"},
    ("glm", "students"): {"estimator": "ridge", "resampling": "bootstrap"},
}
AXES = [(name, axis) for name in STATIC for axis in model_class(name).axes]


def candidates(name, axis):
    meta = fields(name)[axis]
    return [x for x in (INTEGERS if meta["kind"] is int else FLOATS) if allowed(x, meta)]


def ordinary(name, axis):
    """The same, those next to what it is by default first: far from it theories may take long to come to their end."""
    usual = getattr(model_class(name)(), axis)
    return sorted(candidates(name, axis), key=lambda x: abs(np.log((x + 0.01) / ((usual or 0.0) + 0.01))))


def little(name, given):
    return model_class(name)(**{**LITTLE.get(name, {}), **given})


def small(name, verb):
    """Small options of a run by one engine, which the longest of a list of loads would choose for all of it."""
    return {**run_of(name, verb), **({"engine": "direct"} if "engine" in options(name, verb) else {})}


def single(name, verb, axis, value, **given):
    """The run at one value; None if it is refused."""
    try:
        return getattr(tsphys, verb)(little(name, given), **{**small(name, verb), axis: [value]})
    except REFUSALS:
        return None


def walk(name, verb, axis, most, **given):
    """Lists of 1, 2 and 5 of the values that work alone, the smallest among them, in both directions."""
    alone = {}
    for value in candidates(name, axis):
        found = single(name, verb, axis, value, **given)
        if found is not None:
            alone[value] = found
        if len(alone) == most:
            break
    values = list(alone)
    for chosen in {tuple(values[:1]), tuple(values[:2]), tuple(values), tuple(values[::-1])} - {()}:
        result = getattr(tsphys, verb)(little(name, given), **{**small(name, verb), axis: list(chosen)})
        assert result.axis == axis
        np.testing.assert_array_equal(result[axis], chosen)
        for key in result.observables:
            lead = 1 if verb == "simulate" else 0
            for at, value in enumerate(chosen):
                here, there = np.take(result[key], at, axis=lead), np.take(alone[value][key], 0, axis=lead)
                here = here[tuple(slice(n) for n in there.shape)]
                if verb == "solve":
                    # Tolerances of the solvers; a start at the neighbour's solution leads there by another way.
                    np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-7, err_msg=f"{key} {chosen}")
                else:
                    np.testing.assert_array_equal(np.isnan(here), np.isnan(there), err_msg=f"{key} {chosen}")
                    if at == 0:
                        # A path of ridges is solved for in another way than one, and rounded otherwise.
                        np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-15, err_msg=f"{key} {chosen}")
    return values


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name, axis", each(AXES))
def test_lists_of_every_model_and_axis(name, axis, verb):
    assert walk(name, verb, axis, 5, **NEEDED.get((name, axis), {}))


def choices(meta):
    """Values of a parameter of which one is chosen."""
    return meta["choices"] or ((True, False) if meta["kind"] is bool else ())


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", [name for name in STATIC if any(map(choices, fields(name).values()))])
def test_lists_with_every_choice_of_every_option(name, verb):
    tried = 0
    for key, meta in fields(name).items():
        for value in choices(meta):
            try:
                model_class(name)(**{key: value})
            except tsphys.ModelError:
                continue
            for axis in model_class(name).axes:
                tried += bool(walk(name, verb, axis, 5, **{key: value}))
    assert tried


def compared(name, sizes, capsys, values_of=candidates):
    """Comparisons over lists of as many of the first values that work alone as `sizes` says of each axis."""
    # Averages over depths take .2 s a point, and a comparison asks for a dozen.
    most = 2 if name == "infinite_depth" else 5
    for axis, lengths in sizes.items():
        need = min(max(lengths), most)
        tried = values_of(name, axis)[: need + 1]
        working = [x for x in tried if all(single(name, verb, axis, x) is not None for verb in VERBS)]
        for values in dict.fromkeys(tuple(working[: min(n, most)]) for n in lengths if working):
            small = {**LITTLE.get(name, {}), **run_of(name, "compare"), axis: ",".join(map(str, values))}
            words = [x for k, v in small.items() for x in (flag(k), str(v))]
            with pytest.raises(SystemExit) as caught:
                main(["compare", name, *words, "--force"])
            out, err = capsys.readouterr()
            assert caught.value.code in (0, 1, 3), (words, err)
            assert "max |z|" in out, (words, out, err)


@pytest.mark.parametrize("name", each(STATIC))
def test_lists_are_compared(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    compared(name, {model_class(name).axes[0]: (1, 3)}, capsys, ordinary)


@pytest.mark.slow
@pytest.mark.parametrize("name", STATIC)
def test_lists_of_every_length_are_compared(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    compared(name, dict.fromkeys(model_class(name).axes, (1, 2, 5)), capsys)


@pytest.mark.parametrize(
    "model, axis, values, options",
    [
        (tsphys.Hopfield(T=0.1), "alpha", [0.05, 0.1, 0.3], {"mixture": 5}),
        (tsphys.Hopfield(activity=0.3), "alpha", [0.05, 0.1], {}),
        (tsphys.Hopfield(dynamics="parallel", T=0.1), "alpha", [0.05, 0.1, 0.2], {"engine": "exact", "N": 40}),
        (tsphys.DenseHebbian(P=3, storage="supervised", r=0.8), "M", [1, 2, 3], {"alpha": 0.005}),
        (tsphys.DenseHebbian(P=2), "alpha", [0.05, 0.1, 0.3], {}),
    ],
)
def test_points_with_other_numbers_of_patterns(model, axis, values, options):
    """Overlaps with as many patterns as there are; NaN beyond."""
    given = {"N": 24, "replicas": 2, "sweeps": 4, "equilibration": 1, **options}
    result = tsphys.simulate(model, **{**given, axis: values})
    for at, value in enumerate(values):
        alone = tsphys.simulate(model, **{**given, axis: [value]})["overlaps"]
        there = np.isfinite(result["overlaps"][:, at])
        assert (there.sum(axis=1) == alone.shape[2]).all()


def test_rows_of_other_sizes_are_filled_up():
    np.testing.assert_array_equal(padded([[1, 2], [3]]), [[1, 2], [3, np.nan]])
    assert padded([[1, 2], [3, 4]]).dtype.kind == "i"
    np.testing.assert_array_equal(stack([{"a": 1.0}, None])["a"], [1, np.nan])
    assert stack([None, None]) == {}


SPINODAL = tsphys.Hopfield(T=0.2)
LOADS = np.linspace(0.01, 0.13, 20)


def test_a_partial_curve_is_nan_where_nothing_is():
    with pytest.raises(tsphys.ModelError, match="spinodal"):
        tsphys.solve(SPINODAL, alpha=LOADS)
    curve = tsphys.solve(SPINODAL, alpha=LOADS, partial=True)
    there = LOADS <= 0.122558861
    assert there.sum() == 18
    for name in curve.observables:
        np.testing.assert_array_equal(np.isfinite(curve[name]), there)
        np.testing.assert_array_equal(curve[name][there], tsphys.solve(SPINODAL, alpha=LOADS[there])[name])
    assert len(curve.gaps) == 2
    assert all("spinodal" in why and "\n" not in why for why in curve.gaps)
    assert "2 missing" in repr(curve)
    assert tsphys.solve(SPINODAL, alpha=LOADS[there], partial=True).gaps == ()
    with pytest.raises(tsphys.ModelError, match="spinodal"):
        tsphys.solve(SPINODAL, alpha=[0.2, 0.3], partial=True)
    with pytest.raises(tsphys.ModelError, match=r"alpha = -1"):
        tsphys.solve(SPINODAL, alpha=[0.1, -1], partial=True)
    with pytest.raises(tsphys.ModelError, match="partial"):
        tsphys.solve(SPINODAL, alpha=[0.1], partial="yes")


#: A curve with a gap, one value that is there and one that is not.
GAPS = {
    "hopfield": (tsphys.Hopfield(T=0.2), "alpha", 0.05, 0.2),
    "sparse": (tsphys.Hopfield(activity=0.1, threshold=0.3), "alpha", 0.05, 50.0),
    "dense": (tsphys.DenseHebbian(P=3), "T", 0.1, 5.0),
    "exponential": (tsphys.DenseHebbian(interaction="exponential"), "alpha", 0.1, 0.6),
    "kernel": (tsphys.KernelRidge(ridge=0.0, modes=50, n=10), "n", 20, 50),
    "features": (tsphys.RandomFeatures(ridge=0.0, width=2.0), "alpha", 3.0, 2.0),
    "potts": (tsphys.PottsAttention(), "beta", 1.0, 3.5),
}


@pytest.mark.parametrize("case", GAPS)
def test_every_theory_has_partial_curves(case):
    model, axis, there, gone = GAPS[case]
    curve = tsphys.solve(model, **{axis: [there, gone, there]}, partial=True)
    alone = tsphys.solve(model, **{axis: [there]})
    for name in curve.observables:
        assert np.isnan(curve[name][1])
        np.testing.assert_allclose(curve[name][[0, 2]], alone[name][[0, 0]], rtol=1e-6)
    assert len(curve.gaps) == 1


def test_dynamics_that_diverge_are_partial_too():
    model = tsphys.TwoLayer(activation="linear", lr=20.0)
    for verb, more in (("solve", {}), ("simulate", {"N": 20})):
        with pytest.raises(tsphys.DivergedError):
            getattr(tsphys, verb)(model, t=[0, 100], **more)
        result = getattr(tsphys, verb)(model, t=[0, 100], partial=True, **more)
        assert np.isfinite(result["eps_g"][..., 0]).all()
        assert np.isnan(result["eps_g"][..., 1]).all()
        assert "diverged at t =" in result.gaps[0]


def test_a_simulation_keeps_the_points_that_it_has(monkeypatch):
    from tsphys.sims import glm

    def minimise(name, X, y, regularization, corner, l1):
        if regularization == 0.5:
            raise tsphys.ConvergenceError("no minimum")
        return np.zeros(X.shape[1]), np.zeros(X.shape[1])

    monkeypatch.setattr(glm, "minimise", minimise)
    model, given = tsphys.GLM(estimator="hinge"), {"N": 20, "replicas": 3, "regularization": [0.1, 0.5, 1.0]}
    with pytest.raises(tsphys.ConvergenceError):
        tsphys.simulate(model, **given)
    sim = tsphys.simulate(model, **given, partial=True)
    np.testing.assert_array_equal(np.isnan(sim["mse"]), np.tile([False, True, False], (3, 1)))
    assert sim.gaps == ("no minimum (residual nan after 0 iterations)",)
    with pytest.raises(tsphys.ConvergenceError):
        tsphys.simulate(model, **{**given, "regularization": [0.5]}, partial=True)


def test_a_comparison_leaves_the_gaps_out():
    theory = tsphys.solve(SPINODAL, alpha=[0.02, 0.05, 0.13], partial=True)
    sim = tsphys.simulate(SPINODAL, N=100, alpha=[0.02, 0.05, 0.13], replicas=4)
    found = tsphys.compare(sim, theory)
    assert found.z["m"].shape == (2,)
    np.testing.assert_array_equal(found.values, [0.02, 0.05])


def test_partial_on_the_command_line_and_in_studies(tmp_path, monkeypatch, capsys):
    from tsphys.studies.collection import collect
    from tsphys.studies.study import study
    from tsphys.studies.sweep import sweep

    monkeypatch.chdir(tmp_path)
    words = ["solve", "hopfield", "--alpha", "0.01:0.13:20", "-T", "0.2"]
    for more, code, said in (([], 2, "spinodal"), (["--partial"], 0, "2 of 20 points have no result; alpha = 0.1236")):
        with pytest.raises(SystemExit) as caught:
            main([*words, *more])
        assert caught.value.code == code
        assert said in "".join(capsys.readouterr())
    curve = tsphys.load("hopfield-theory.npz")
    assert np.isnan(curve["m"]).sum() == len(curve.gaps) == 2
    table = {"model": "hopfield", "compute": "solve", "alpha": [0.05, 0.13], "axes": {"T": [0.1, 0.2]}}
    assert sweep(study(table), "whole.study").failed == 1
    assert sweep(study({**table, "partial": True}), "partial.study").failed == 0
    m = collect(study({**table, "partial": True}), "partial.study")["theory_m"]
    np.testing.assert_array_equal(np.isnan(m), [[False, False], [False, True]])
