"""Pictures, tables and notebooks: what a result shows of itself, from Python."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tsphys
from tests.wide import each
from tsphys.curves import curves
from tsphys.picture import Picture
from tsphys.symbols import symbol, words

START = tsphys.OrderParameters(R=[[0.2, 0.01], [0.02, 0.1]], Q=[[0.3, 0.0], [0.0, 0.2]], T=np.eye(2))
START_T = tsphys.OrderParameters(R=np.zeros((2, 2)), Q=np.eye(2), T=[[1, 0.5], [0.5, 1]])
T = (0.5, 1.0, 5.0, 100.0)
MODEL = tsphys.TwoLayer(K=2, M=2, lr=0.5)


@pytest.fixture(scope="module")
def theory():
    return tsphys.solve(MODEL, start=START, t=T, fluctuations=True, N=100)


def noisy(theory, seed, runs=5, **meta):
    """A simulation whose replicas are the theory and noise."""
    rng = np.random.default_rng(seed)
    data = {k: theory[k] + 0.01 * rng.standard_normal((runs, *theory[k].shape)) for k in theory.observables}
    data |= {k: theory[k] for k in (*theory.constants, "t")}
    return tsphys.Result(
        "simulation", "two_layer", theory.parameters, "t", data, theory.dims, theory.constants,
        {"replicas": runs, "N": 100, **meta},
    )  # fmt: skip


def points(ax):
    """Centres and bars of all points of a panel."""
    return [(c.lines[0].get_xydata(), [s for b in c.lines[2] for s in b.get_segments()]) for c in ax.containers]


def test_points_with_bars_lie_beside_lines(theory):
    sim = noisy(theory, 0)
    figure = tsphys.plot(sim, theory, "eps_g")
    (ax,) = figure.axes
    ((drawn, bars),) = points(ax)
    np.testing.assert_array_equal(drawn, np.column_stack([T, sim.mean("eps_g")]))
    ends = [sim.mean("eps_g") + s * sim.sem("eps_g") for s in (-1, 1)]
    np.testing.assert_allclose([[b[0][1], b[1][1]] for b in bars], np.transpose(ends), rtol=1e-12)
    lines = [line.get_xydata() for line in ax.lines]
    assert any(np.array_equal(line, np.column_stack([T, theory["eps_g"]])) for line in lines)
    assert ax.get_xlabel() == "time $t$"
    assert ax.get_xscale() == "log"


def test_a_band_shows_what_the_theory_foretells_at_its_size(theory):
    (ax,) = tsphys.plot(theory, "eps_g").axes
    (band,) = ax.collections
    low, high = band.get_paths()[0].get_extents().intervaly
    mean, std = theory.mean("eps_g"), theory.std("eps_g")
    np.testing.assert_allclose([low, high], [(mean - std).min(), (mean + std).max()], rtol=1e-12)
    assert not tsphys.plot(tsphys.solve(MODEL, start=START, t=T), "eps_g").axes[0].collections


def test_no_band_where_the_first_order_says_nothing():
    """On a plateau β passes ¼ and the spread of the first order is larger than what it spreads."""
    start = tsphys.OrderParameters(R=1e-3 * np.eye(2), Q=0.25 * np.eye(2), T=np.eye(2))
    model = tsphys.TwoLayer(K=2, M=2, lr=1.0)
    theory = tsphys.solve(model, start=start, t=np.linspace(0, 100, 11), N=1000, fluctuations=True)
    valid = theory.beta() <= 0.25
    assert 0 < valid.sum() < len(valid)
    ax = tsphys.plot(theory, "eps_g").axes[0]
    dotted = next(line for line in ax.lines if line.get_linestyle() == ":")
    np.testing.assert_array_equal(np.isfinite(dotted.get_ydata()), valid)
    assert ax.collections[0].get_paths()[0].get_extents().x1 <= theory["t"][valid][-1]


def test_without_a_name_all_that_varies_is_drawn(theory):
    figure = tsphys.plot(theory)
    # The readout does not learn.
    assert [ax.get_ylabel() for ax in figure.axes] == [words("eps_g"), "$R$", "$Q$"]
    assert [t.get_text() for t in figure.axes[1].get_legend().get_texts()] == [f"$R_{{{i}}}$" for i in (11, 12, 21, 22)]
    # Of a symmetric matrix a half.
    assert [t.get_text() for t in figure.axes[2].get_legend().get_texts()] == [f"$Q_{{{i}}}$" for i in (11, 12, 22)]


def test_several_sizes_are_told_apart_and_theory_is_black(theory):
    sims = [noisy(theory, seed, N=n) for seed, n in enumerate((100, 1000))]
    figure = tsphys.plot(*sims, theory, "eps_g")
    told = [t.get_text() for t in figure.legends[0].get_texts()]
    assert ["N=100$" in told[0], "N=1000$" in told[1], "theory" in told[2]] == [True] * 3
    colours = {c.lines[0].get_color() for c in figure.axes[0].containers}
    assert len(colours) == 2
    assert figure.axes[0].lines[-1].get_color() not in colours


def test_more_lines_than_colours_stay_distinct():
    values = np.arange(1.0, 4.0)[:, None, None] * np.arange(1.0, 17.0).reshape(4, 4)
    many = tsphys.Result("theory", "two_layer", {}, "t", {"t": np.arange(3.0), "R": values})
    (ax,) = tsphys.plot(many, "R").axes
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == len(ax.lines) == 16
    crowd = np.ones((3, 8, 8)) * np.arange(1.0, 65.0).reshape(8, 8)
    (ax,) = tsphys.plot(tsphys.Result("theory", "two_layer", {}, "t", {"t": np.arange(3.0), "R": crowd}), "R").axes
    assert len(ax.lines) == 64
    assert len(ax.get_legend().get_texts()) == 8


def study(points_of_load):
    T, alpha = np.array([0.1, 0.2]), np.linspace(0.01, 0.1, points_of_load)
    data = {"T": T, "alpha": alpha, "theory_m": T[:, None] + alpha, "simulation_m": T[:, None] + alpha + 0.01}
    data["simulation_m_sem"] = np.full_like(data["theory_m"], 0.005)
    dims = {k: ("alpha",) for k in data if k not in ("T", "alpha")} | {"alpha": ("alpha",)}
    return tsphys.Result("study", "hopfield", {}, "T", data, dims, ("alpha",))


def test_a_study_shows_theory_and_simulation_together():
    found = {c.kind: c for c in curves(study(3), "m", "alpha")}
    assert set(found) == {"simulation", "theory"}
    np.testing.assert_allclose(found["theory"].lines[1].mean, 0.2 + np.linspace(0.01, 0.1, 3))
    np.testing.assert_array_equal(found["simulation"].lines[0].error, 0.005)
    (ax,) = tsphys.plot(study(3), x="alpha").axes
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["$T$ = 0.1", "$T$ = 0.2"]


def test_over_two_axes_with_many_values_there_is_a_map():
    figure = tsphys.plot(study(12), "m")
    meshes = [ax.collections[0] for ax in figure.axes if ax.get_title()]
    assert len(meshes) == 2
    np.testing.assert_allclose(np.sort(meshes[1].get_array().ravel()), np.sort(study(12)["theory_m"].ravel()))


def test_runs_of_a_study_are_drawn_at_their_end():
    values = np.arange(2 * 3.0).reshape(2, 3)
    values[1, 2] = np.nan
    data = {"lr": np.array([0.1, 0.2]), "t": np.arange(3.0), "theory_eps_g": values}
    result = tsphys.Result("study", "two_layer", {}, "lr", data, {"t": ("t",), "theory_eps_g": ("t",)}, ("t",))
    np.testing.assert_array_equal(curves(result, "eps_g")[0].lines[0].mean, [2.0, 4.0])


def test_points_of_a_study_with_fewer_replicas_than_others_have_a_mean():
    """Of three replicas the second point has two, the third one, the fourth none; NaN of a run that is there stays."""
    eps = np.array([[1.0, 2, 6], [3, 5, np.nan], [7, np.nan, np.nan], [np.nan] * 3])[:, :, None] * [1.0, 2.0]
    m = np.where(np.isnan(eps), np.nan, 1.0)
    m[0, 2] = np.nan
    dims = {"t": ("t",), "simulation_eps_g": ("replica", "t"), "simulation_m": ("replica", "t")}
    data = {"N": np.arange(1, 5), "t": np.arange(2.0), "simulation_eps_g": eps, "simulation_m": m}
    result = tsphys.Result("study", "two_layer", {}, "N", data, dims, ("t",))
    line = curves(result, "eps_g")[0].lines[0]
    np.testing.assert_allclose(line.mean, [6, 8, 14, np.nan])
    np.testing.assert_allclose(line.error, [np.std([2, 4, 12], ddof=1) / np.sqrt(3), 2, np.nan, np.nan])
    np.testing.assert_array_equal(curves(result, "m")[0].lines[0].mean, [np.nan, 1, 1, np.nan])


@pytest.mark.parametrize("backend", each(["bogus", "module://no.backend", "svg"], fast=["bogus"]))
@pytest.mark.parametrize("what", ["tsphys.picture", "tsphys.plotting", "tsphys.animation"])
def test_files_need_no_backend_that_loads(backend, what):
    used = {"plotting": "with style() as s: s.figure()", "picture": "Picture()", "animation": "writer_of('gif', 1)"}
    code = f"import os\nfrom {what} import *\n{used[what[7:]]}\nimport matplotlib\n"
    code += f"assert os.environ['MPLBACKEND'] == {backend!r}\n"
    code += "assert matplotlib.get_backend() == 'svg'" if backend == "svg" else ""
    there = {**os.environ, "MPLBACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], env=there, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_pictures_leave_the_user_alone_and_show_themselves(theory, tmp_path):
    import matplotlib
    import matplotlib.pyplot as plt

    before, figures = dict(matplotlib.rcParams), plt.get_fignums()
    figure = theory.plot("R")
    figure.savefig(tmp_path / "R.pdf")
    assert isinstance(figure, Picture)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert (dict(matplotlib.rcParams), plt.get_fignums()) == (before, figures)


BAD = {
    "nothing": ((), {}, "plot"),
    "no result": ((3,), {}, "plot"),
    "observable": (("energy",), {}, "y"),
    "x": (("eps_g",), {"x": "alpha"}, "x"),
    "log": (("eps_g",), {"log": "z"}, "log"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_drawn_is_named(case, theory):
    what, options, parameter = BAD[case]
    with pytest.raises(tsphys.ModelError) as caught:
        tsphys.plot(*([] if case == "nothing" else [theory]), *what, **options)
    assert caught.value.name == parameter


def test_names_are_written_as_in_papers():
    assert (symbol("R", (0, 1)), symbol("eps_g"), symbol("Q", (9, 0))) == ("$R_{12}$", r"$\epsilon_g$", "$Q_{10,1}$")
    assert words("T", axis=True) == "temperature $T$"
    assert words("a_thing") == "a thing"
    assert words("theory_eps_g") == f"{words('eps_g')}, theory"


def test_tables_have_a_row_a_point_and_a_column_a_number(theory, tmp_path):
    sim = noisy(theory, 1)
    path = sim.to_csv(tmp_path / "run.csv")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["replica", "t", "eps_g", "R_11"]
    assert len(rows) == 5 * len(T)
    back = np.array([float(row["R_21"]) for row in rows]).reshape(5, len(T))
    np.testing.assert_array_equal(back, sim["R"][:, :, 1, 0])
    assert [(int(row["replica"]), float(row["t"])) for row in rows] == [(r, t) for r in range(5) for t in T]
    with pytest.raises(tsphys.ModelError):
        sim.to_csv(path, force=False)
    pytest.importorskip("pandas")
    frame = sim.to_dataframe()
    assert frame.index.names == ["replica", "t"]
    np.testing.assert_array_equal(frame["Q_12"].to_numpy().reshape(5, -1), sim["Q"][:, :, 0, 1])
    np.testing.assert_array_equal(theory.to_dataframe().index, T)


def test_a_result_gives_its_model_back(theory):
    assert theory.model_object() == MODEL
    again = tsphys.solve(theory.model_object(), start=START, t=T)
    assert np.array_equal(again["R"], theory["R"])
    curve = tsphys.solve(tsphys.Hopfield(T=0.3), alpha=[0.01, 0.05])
    assert curve.model_object() == tsphys.Hopfield(T=0.3)
    # As it comes from a file.
    given = tsphys.TwoLayer(K=2, M=2, teacher="given", T=[[1, 0.5], [0.5, 1]])
    kept = json.loads(json.dumps(tsphys.solve(given, t=[1.0], start=START_T).parameters))
    assert tsphys.Result("theory", "two_layer", kept, "t", {"t": np.ones(1)}).model_object() == given
    other = tsphys.Result("theory", "learning_rule", {"function": "mine:0123"}, "t", {"t": np.ones(1)})
    with pytest.raises(tsphys.ModelError, match="made again"):
        other.model_object()


def test_notebooks_get_a_table_with_curves(theory):
    html = noisy(theory, 2)._repr_html_()
    assert html.count("<svg") == 1
    assert "simulation of two_layer" in html
    assert "N = 100" in html
    evil = tsphys.Result("theory", "<script>", {"a": "<b>"}, "t", {"t": np.ones(1), "x<": np.ones(1)})._repr_html_()
    assert "<script>" not in evil
    assert "<b>" not in evil.replace("<b>theory", "")


def test_a_comparison_shows_points_and_scores(theory):
    sim = noisy(theory, 3, N=100, replica_ids=[*range(5)], start=theory.meta["start"])
    found = tsphys.compare(sim, theory)
    figure = found.plot("eps_g", "R")
    above, below = figure.axes[0], figure.axes[2]
    assert len(above.containers) == 1
    drawn = [line.get_ydata() for line in below.lines]
    assert any(np.array_equal(z, found.z["eps_g"]) for z in drawn)
    heights = [line.get_ydata()[0] for line in below.lines if len(line.get_xdata()) == 2]
    assert {-found.threshold, found.threshold} <= set(heights)
    assert found.verdict in figure.legends[0].get_title().get_text()
    assert len(tsphys.plot(found, "eps_g").axes) == 2
    assert found.verdict in found._repr_html_()
    with pytest.raises(tsphys.ModelError):
        found.plot("energy")


def test_models_and_studies_show_themselves():
    from tsphys.studies.study import study

    html = tsphys.TwoLayer(lr=0.25)._repr_html_()
    assert "0.25" in html
    assert "learning rate" in html
    told = study({"model": "hopfield", "compute": "solve", "T": 0.2, "axes": {"alpha": [0.01, 0.02]}})._repr_html_()
    assert "hopfield" in told
    assert "2 from 0.01 to 0.02" in told
