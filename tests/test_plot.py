"""Pictures of any result, and all figures at once."""

from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.command import call
from tsphys import plotting
from tsphys.studies.collection import collect
from tsphys.studies.study import study
from tsphys.studies.sweep import sweep


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def results(folder):
    model, start = tsphys.TwoLayer(K=2), tsphys.OrderParameters(R=0.1 * np.eye(2), Q=0.3 * np.eye(2), T=np.eye(2))
    t = [0.5, 1, 2]
    rng = np.random.default_rng(0)
    theory = tsphys.solve(model, t=t, start=start)
    noisy = {k: theory[k] + 0.1 * rng.standard_normal((5, *theory[k].shape)) for k in theory.observables}
    constants = {k: theory[k] for k in (*theory.constants, "t")}
    sim = tsphys.Result(
        "simulation", "two_layer", theory.parameters, "t", {**noisy, **constants}, theory.dims, theory.constants,
        {"replicas": 5},
    )  # fmt: skip
    sim.save("sim.npz")
    theory.save("theory.npz")
    return sim, theory


def drawn(path):
    with np.load(path) as data:
        return {k: data[k] for k in data.files}


def test_simulation_and_theory_come_into_one_picture(results, capsys):
    sim, theory = results
    code, out, _ = call(capsys, "plot", "sim.npz", "theory.npz", "-y", "R", "-o", "both")
    assert code == 0, out
    assert {p.name for p in Path().glob("both.*")} == {"both.pdf", "both.png", "both.npz"}
    data = drawn("both.npz")
    np.testing.assert_array_equal(data["R 1 2 (simulation)_0"], sim["R"].mean(axis=0)[:, 0, 1])
    np.testing.assert_array_equal(data["R 1 2 (simulation)_0_sem"], sim.sem("R")[:, 0, 1])
    np.testing.assert_array_equal(data["R 2 1 (theory)_1"], theory["R"][:, 1, 0])


def test_the_first_observable_is_the_default(results, capsys):
    assert call(capsys, "plot", "theory.npz")[0] == 0
    assert Path("theory-eps_g.png").is_file()


def test_a_study_is_drawn_over_any_of_its_axes(capsys):
    table = {"model": "hopfield", "compute": "solve", "axes": {"T": [0.1, 0.2, 0.3], "alpha": [0.01, 0.02]}}
    sweep(study(table), "kept")
    result = collect(study(table), "kept")
    result.save("study.npz")
    assert call(capsys, "plot", "study.npz", "-y", "theory_m", "-o", "a")[0] == 0
    assert call(capsys, "plot", "study.npz", "-y", "theory_m", "-x", "alpha", "-o", "b")[0] == 0
    np.testing.assert_array_equal(drawn("a.npz")["theory_m, alpha = 0.02_0"], result["theory_m"][:, 1])
    np.testing.assert_array_equal(drawn("b.npz")["theory_m, T = 0.1_0"], result["theory_m"][0])
    np.testing.assert_array_equal(drawn("b.npz")["alpha_0"], [0.01, 0.02])
    theory = tsphys.solve(tsphys.Hopfield(alpha=0.02), T=[0.1, 0.2, 0.3])
    np.testing.assert_allclose(result["theory_m"][:, 1], theory["m"], rtol=1e-10)


BAD = {
    "no file": (("none.npz",), "does not exist"),
    "no files": ((), "FILE"),
    "y": (("theory.npz", "-y", "energy"), "y = 'energy'"),
    "x": (("theory.npz", "-x", "alpha"), "x = 'alpha'"),
    "too many lines": (("wide.npz", "-y", "Q"), "at most 256 can be drawn"),
    "exists": (("theory.npz", "-o", "there"), "exists"),
    "log": (("theory.npz", "--log", "z"), "--log"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_one_line_and_exit_code_2(case, results, capsys, folder):
    arguments, word = BAD[case]
    Path("there.png").write_bytes(b"precious")
    wide = {"t": np.ones(1), "Q": np.ones((1, 17, 17))}
    tsphys.Result("theory", "two_layer", {}, "t", wide).save("wide.npz")
    before = sorted(folder.iterdir())
    code, out, err = call(capsys, "plot", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("tsphys: error: ")
    assert err.count("\n") == 1
    assert word in err
    assert sorted(folder.iterdir()) == before


def test_all_figures_are_drawn_into_one_folder(capsys, monkeypatch):
    from tsphys.cli import figure

    asked = []

    class Module:
        def __init__(self, name):
            self.name = name.rsplit(".", 1)[1]

        def draw(self, out, quick, seed, threads, progress):
            asked.append((self.name, str(out), quick, seed))
            return [out]

    monkeypatch.setattr(figure, "import_module", Module)
    code, out, _ = call(capsys, "figure", "--all", "--quick", "-s", 3, "-o", "pictures")
    assert code == 0
    assert asked == [(name, f"pictures/{name}", True, 3) for name in figure.names()]
    assert out.count("wrote pictures") == len(asked)
    code, _, err = call(capsys, "figure", "two_layer", "--all")
    assert code == 2
    assert "must be left out" in err


def test_a_figure_that_cannot_be_drawn_leaves_the_others(capsys, monkeypatch):
    from tsphys.cli import figure

    class Module:
        def __init__(self, name):
            self.name = name.rsplit(".", 1)[1]

        def draw(self, out, **options):
            if self.name == figure.names()[1]:
                raise tsphys.ModelError("source", "auto", "needs scikit-learn")
            return [out]

    monkeypatch.setattr(figure, "import_module", Module)
    code, out, err = call(capsys, "figure", "--all", "-q")
    assert code == 2
    assert out.count("wrote ") == len(figure.names()) - 1
    assert "needs scikit-learn" in err
    assert f"figure = '{figure.names()[1]}'" in err
    code, out, err = call(capsys, "figure", figure.names()[1], "-q")
    assert (code, out) == (2, "")


def test_what_the_user_draws_is_left_alone(results, capsys):
    """Backend, open figures, settings and the font library's log are as they were, also after a failure."""
    import logging

    import matplotlib
    import matplotlib.pyplot as plt

    from tsphys.plotting import save, style

    before = matplotlib.get_backend()
    plt.switch_backend("svg")
    try:
        others = plt.get_fignums()
        mine = plt.figure()
        settings = dict(matplotlib.rcParams)
        level = logging.getLogger("fontTools").level
        with style() as sheets:
            figure, ax = sheets.subplots(figsize=(2, 1))
            ax.plot([0, 1])
            save(figure, "drawn", {}, {})
        with pytest.raises(RuntimeError), style() as sheets:
            sheets.figure(figsize=(2, 1))
            raise RuntimeError
        assert call(capsys, "plot", "sim.npz")[0] == 0
        assert plt.get_fignums() == [*others, mine.number]
        assert matplotlib.get_backend() == "svg"
        assert dict(matplotlib.rcParams) == settings
        assert logging.getLogger("fontTools").level == level
    finally:
        plt.close(mine)
        plt.switch_backend(before)


def test_a_file_is_not_replaced_by_its_picture(results, capsys):
    code, _, err = call(capsys, "plot", "sim.npz", "-o", "sim", "--force")
    assert (code, err.count("\n")) == (2, 1)
    assert tsphys.load("sim.npz").kind == "simulation"


@pytest.mark.parametrize("scale", ["auto", "none", "xy"])
@pytest.mark.parametrize("values", [[1e300, -1e300], [1e-320, 2e-320], [np.inf, 1.0], [np.nan, np.nan], [1e308, 1.0]])
def test_numbers_near_the_largest_are_drawn_or_refused(values, scale, capsys):
    data = {"t": np.array([1e-300, 1e300]), "y": np.array(values)}
    tsphys.Result("theory", "mine", {}, "t", data).save("extreme")
    code, _, err = call(capsys, "plot", "extreme.npz", "--log", scale)
    refused = max(values) == 1e308 or (scale == "xy" and not np.isfinite(values).any())
    assert (code, err.count("\n")) == ((2, 1) if refused else (0, 0)), err


def test_a_figure_that_is_saved_keeps_its_layout_engine(tmp_path):
    with plotting.style() as plt:
        figure, ax = plt.subplots()
        ax.set_ylabel("two\nlines")
        engine = figure.get_layout_engine()
        plotting.save(figure, tmp_path / "one", {"x": np.arange(3.0)}, {})
        assert figure.get_layout_engine() is engine
        ax.set_ylabel("")
        before = ax.get_position().x0
        plotting.save(figure, tmp_path / "two", {"x": np.arange(3.0)}, {})
    assert ax.get_position().x0 < before
