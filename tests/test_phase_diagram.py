"""Maps over two parameters."""

import json
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests import command
from tsphys.replica.hopfield import spinodal_load
from tsphys.studies.collection import collect
from tsphys.studies.refinement import filled, halved, refined
from tsphys.studies.study import study


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capsys, *arguments):
    return command.call(capsys, "phase-diagram", *arguments)


def drawn(path):
    with np.load(path) as data:
        return {k: data[k] for k in data.files}


def test_the_map_of_theory_ends_at_the_spinodal(capsys):
    axes = ("--x", "alpha", "0.01:0.15:8", "--y", "T", "0:0.6:3")
    code, out, _ = call(capsys, "hopfield", *axes, "--theory", "-p", 1, "-o", "map")
    assert code == 0, out
    data = drawn("map.npz")
    assert data["m"].shape == (3, 8)
    for T, row in zip(data["T"], data["m"]):
        edge = spinodal_load(tsphys.Hopfield(T=T))
        np.testing.assert_array_equal(np.isfinite(row), data["alpha"] < edge)
    expected = tsphys.solve(tsphys.Hopfield(T=0.3), alpha=data["alpha"][:2])["m"]
    np.testing.assert_allclose(data["m"][1, :2], expected, rtol=1e-10)


def test_where_there_is_no_state_is_said_and_hatched(capsys, monkeypatch):
    from matplotlib.figure import Figure

    seen = []
    savefig = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **o: (seen.append(self), savefig(self, *a, **o))[1])
    axes = ("--x", "alpha", "0.05:0.2:2", "--y", "T", "0.1:1.2:2")
    code, out, err = call(capsys, "hopfield", *axes, "-p", 1, "-o", "map")
    assert code == 0, err
    assert "1 of 4 points" in out
    assert "3: no such state here" in out
    told = [text.get_text() for text in seen[0].legends[0].get_texts()]
    assert told == ["no such state here", r"retrieval ends, $\alpha_M$", r"retrieval is the ground state, $\alpha_c$"]
    assert (seen[0].axes[0].get_xlabel(), seen[0].axes[0].get_ylabel()) == (r"load $\alpha$", "temperature $T$")
    assert [c.get_hatch() for c in seen[0].axes[0].collections].count("////") == 1


def test_the_map_of_a_simulation_tells_fluctuations(capsys):
    fixed = ("--set", "N=200", "--set", "replicas=6", "--set", "sweeps=20", "--set", "equilibration=20")
    axes = ("--x", "alpha", "0.02:0.3:2", "--y", "T", "0.2:2:2")
    code, out, _ = call(capsys, "hopfield", *axes, "--simulate", *fixed, "-p", 1, "-o", "map")
    assert code == 0, out
    data = drawn("map.npz")
    # Retrieval, and a paramagnet, where m is Gaussian: Binder's cumulant tends to 2/3 and 0.
    assert data["m"][0, 0] > 0.95
    assert data["binder"][0, 0] == pytest.approx(2 / 3, abs=1e-2)
    assert data["m"][1, 1] < 0.3
    assert data["binder"][1, 1] < 0.6
    assert (data["susceptibility"] >= 0).all()


@pytest.mark.parametrize("verb", ["theory", "simulate"])
def test_the_map_of_dynamics_is_that_of_the_last_time(verb, capsys):
    axes = ("--x", "lr", "0.1:0.3:3", "--y", "noise", "0:0.2:2", "--z", "eps_g")
    start = {"R": [[0.1, 0], [0, 0.1]], "Q": [[0.2, 0], [0, 0.2]], "T": [[1, 0], [0, 1]]}
    fixed = ("--set", "t=[0,1]", "--set", f"start={json.dumps(start)}")
    fixed = (*fixed, "--set", "N=20", "--set", "replicas=2") if verb == "simulate" else fixed
    code, _, err = call(capsys, "two_layer", *axes, f"--{verb}", *fixed, "-p", 1, "-o", "map")
    assert code == 0, err
    data = drawn("map.npz")
    if verb == "theory":
        options = {"t": [0, 1], "start": tsphys.OrderParameters(**start)}
        at = [[tsphys.solve(tsphys.TwoLayer(lr=x, noise=y), **options) for x in data["lr"]] for y in data["noise"]]
        np.testing.assert_allclose(data["eps_g"], [[r["eps_g"][-1] for r in row] for row in at], rtol=1e-12)
    assert data["eps_g"].shape == (2, 3)
    assert len(np.unique(data["eps_g"])) > 2
    code, _, err = call(capsys, "two_layer", *axes[:-1], "R", f"--{verb}", *fixed, "-p", 1, "-o", "map", "--force")
    assert code == 2
    assert "must be one of eps_g" in err


def test_the_first_number_is_shown_and_a_size_may_be_an_axis(capsys):
    fixed = ("--simulate", "--set", "t=[0,1]", "--set", "replicas=3", "-p", 1)
    for name, axes in (("up", ("--x", "lr", "0.1:0.3:2", "--y", "N", "20:60:2")), ("across", ())):
        axes = axes or ("--x", "N", "20:60:2", "--y", "lr", "0.1:0.3:2")
        code, _, err = call(capsys, "two_layer", *axes, *fixed, "-o", name)
        assert code == 0, err
    up, across = drawn("up.npz"), drawn("across.npz")
    np.testing.assert_array_equal(up["eps_g"], across["eps_g"].T)
    np.testing.assert_array_equal(up["susceptibility"], across["susceptibility"].T)
    one = collect(small_study(), "up.study", partial=True)["simulation_eps_g"][1, 0, :, -1]
    np.testing.assert_allclose(up["susceptibility"][1, 0], 60 * one.var(ddof=1), rtol=1e-12)


def small_study():
    axes = {"N": "20:60:2", "lr": "0.1:0.3:2"}
    return study({"model": "two_layer", "compute": "simulate", "t": [0, 1], "replicas": 3, "axes": axes})


AXES = ("--x", "alpha", "0:1:2", "--y", "T", "0:1:2")
BAD = {
    "no axes": (("hopfield",), "--x"),
    "model": (("three_layer", *AXES), "three_layer"),
    "axis": (("hopfield", "--x", "beta", "0:1:2", "--y", "T", "0:1:2"), "beta"),
    "one axis twice": (("hopfield", "--x", "T", "0:1:2", "--y", "T", "0:1:2"), "another parameter"),
    "range": (("hopfield", "--x", "alpha", "0:1", "--y", "T", "0:1:2"), "alpha = '0:1'"),
    "times as axis": (("two_layer", "-x", "t", "0.1:1:2", "-y", "noise", "0:1:2"), "axis = 't'"),
    "words as axis": (("two_layer", "-x", "lr", "0.1:1:2", "-y", "activation", "0:1:2"), "axis = 'activation'"),
    "matrix as axis": (("two_layer", "-x", "T", "0.1:1:2", "-y", "noise", "0:1:2"), "axis = 'T'"),
    "set": (("hopfield", *AXES, "--set", "N"), "NAME=VALUE"),
    "set nonsense": (("hopfield", *AXES, "--simulate", "--set", "NN=3"), "is not known"),
    "refine": (("hopfield", *AXES, "--refine", 9), "refine = 9"),
    "refined whole numbers": (
        ("removed_layers", "--x", "start", "0.04:0.05:2", "--y", "layers", "4:8:2", "--refine", 3),
        "to whole numbers, not to 4.5",
    ),
    "exists": (("hopfield", *AXES, "-o", "there"), "exists"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_one_line_and_exit_code_2(case, capsys, folder):
    (folder / "there.png").write_bytes(b"precious")
    arguments, word = BAD[case]
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("tsphys: error: ")
    assert err.count("\n") == 1
    assert word in err
    assert [p.name for p in folder.iterdir()] == ["there.png"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("two_layer", "-x", "lr", "0.1:1:2", "-y", "noise", "0:1:2", "--set", "t=1,2", "-z", "R"),
        ("hopfield", "-x", "alpha", "0.01:0.05:2", "-y", "T", "0:0.2:2", "-z", "foo"),
    ],
)
def test_an_observable_that_is_not_known_is_refused_after_one_point(arguments, capsys):
    code, out, err = call(capsys, *arguments, "-o", "map")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"z = '{arguments[-1]}': must be one of" in err
    assert len(list(Path("map.study").rglob("*.npz"))) == 1


def test_cells_are_split_where_phases_meet_and_nowhere_else():
    circle = np.hypot(*np.mgrid[0:65, 0:65]) < 40
    looks = []

    def look(points):
        looks.append(points)
        return [bool(circle[p]) for p in points]

    known, cells = refined((5, 5), 4, look)
    assert sum(size**2 for *_, size in cells) == 64**2
    assert len(known) < 500
    assert len(looks) < 12
    # Every point of the fine grid has the phase that the map says.
    shown = filled((5, 5), 4, {p: float(circle[p]) for p in known}, cells)
    np.testing.assert_array_equal(shown, circle)


def test_what_reaches_across_a_cell_splits_it_though_its_corners_are_alike():
    wall = np.zeros((17, 17), bool)
    wall[:, 6] = True
    known, _ = refined((3, 3), 3, lambda points: [bool(wall[p]) for p in points])
    assert not any(known.values())  # Too thin for a first look.
    wall[:, 5:9] = True
    known, cells = refined((3, 3), 3, lambda points: [bool(wall[p]) for p in points])
    np.testing.assert_array_equal(filled((3, 3), 3, {p: float(wall[p]) for p in known}, cells), wall)


def test_halved_axes_keep_their_points():
    np.testing.assert_array_equal(halved([0.1, 0.3], 1, log=False), [0.1, 0.2, 0.3])
    np.testing.assert_allclose(halved([1.0, 100.0], 1, log=True), [1, 10, 100])
    coarse = np.geomspace(0.3, 7, 5)
    np.testing.assert_array_equal(halved(coarse, 3, log=True)[::8], coarse)
    np.testing.assert_array_equal(halved(coarse, 3, log=True)[::4], halved(coarse, 1, log=True))


def test_whole_numbers_are_halved_to_whole_ones():
    assert halved([20, 80], 1, True).tolist() == [20.0, 40.0, 80.0]


def test_a_refined_map_has_the_boundary_of_a_fine_one_and_goes_on_from_a_coarse_one(capsys):
    axes = ("--x", "alpha", "0.01:0.16:6", "--y", "T", "0.1:0.7:4")
    assert call(capsys, "hopfield", *axes, "-p", 1, "-o", "coarse", "--store", "kept")[0] == 0
    files = {path.name: path.stat().st_mtime_ns for path in Path("kept").glob("*.npz")}
    code, out, err = call(capsys, "hopfield", *axes, "-p", 1, "-o", "map", "--store", "kept", "--refine", 2)
    assert code == 0, err
    data, fine = drawn("map.npz"), (13, 21)
    assert data["m"].shape == data["computed"].shape == fine
    assert f"{data['computed'].sum()} points of a grid of {np.prod(fine)}" in out
    assert data["computed"].sum() < 0.6 * np.prod(fine)
    for T, row in zip(data["T"], data["m"]):
        np.testing.assert_array_equal(np.isfinite(row), data["alpha"] < spinodal_load(tsphys.Hopfield(T=T)))
    exact = tsphys.solve(tsphys.Hopfield(T=0.1), alpha=data["alpha"][:4])["m"]
    np.testing.assert_allclose(data["m"][0, :4], exact, atol=1e-4)  # Linear between points.
    assert all((Path("kept") / name).stat().st_mtime_ns == written for name, written in files.items())
    assert len(list(Path("kept").glob("*.npz"))) + len(list(Path("kept").glob("*.failed"))) == data["computed"].sum()


def test_a_simulation_is_refined_too(capsys):
    fixed = ("--simulate", "--set", "N=60", "--set", "replicas=3", "--set", "sweeps=5", "--set", "equilibration=5")
    axes = ("--x", "alpha", "0.05:0.6:2", "--y", "T", "0.2:1.5:2")
    code, _, err = call(capsys, "hopfield", *axes, *fixed, "-p", 1, "-o", "map", "--refine", 1)
    assert code == 0, err
    data = drawn("map.npz")
    assert {data[k].shape for k in ("m", "susceptibility", "binder", "computed")} == {(3, 3)}
    assert np.isfinite(data["binder"]).all()
