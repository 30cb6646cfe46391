"""The page in the browser, without one: controls from declarations, what it computes, what one takes away."""

import queue
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tsphys
from tsphys.cli import tsphys as command_line
from tsphys.explore import texts
from tsphys.explore.controls import axes, controls, first_points, stretch, values
from tsphys.explore.work import Growing, Newest, Sketched, Wish, theory
from tsphys.ground.times import grid
from tsphys.registry import MODELS, model_class
from tsphys.studies.configuration import describe, read_config

ROOT = Path(__file__).resolve().parents[1]
SMALL = Wish("hopfield", {"T": 0.3, "N": 200, "sweeps": 5, "equilibration": 5}, "alpha", "0.01:0.05:3")


@pytest.mark.parametrize("name", MODELS)
def test_controls_follow_the_declarations(name):
    known = controls(name)
    untouched = {c.name: c.write(c.start) for c in known}
    assert values(untouched, known) == {}
    for c in known:
        assert c.help
        if c.kind in ("number", "integer"):
            assert c.low <= c.start <= c.high, c
            # Ends of a slider are allowed: of one parameter by itself, that is.
            for end in (c.low, c.high):
                assert values({**untouched, c.name: end}, known) in ({}, {c.name: c.read(end)})
        if c.kind == "log":
            np.testing.assert_allclose(10 ** np.array([c.low, c.high]) > 0, True)
            assert c.low < np.log10(c.start) < c.high
    model, options = describe(name, "compare", {axes(name)[0]: "1:2:2"} if axes(name) == ("t",) else {})
    assert type(model).name == name
    assert set(values(untouched, known)) <= {*options}


@pytest.mark.parametrize("name", MODELS)
def test_every_page_begins_with_what_the_model_takes(name):
    for axis in axes(name):
        Wish(name, {}, axis, first_points(name, axis)).described()
        points = grid(axis, first_points(name, axis))
        assert 2 <= len(points) <= 500
        if axis == axes(name)[0] != "t":
            for value in points.tolist():
                model_class(name)(**{axis: value})


def test_a_stretch_of_an_axis_is_what_the_model_takes():
    # The error of labels is below ½, though that of a Gaussian process is not.
    assert first_points("inductive_bias", "error").startswith("0.002:0.49")
    assert stretch("kernel_ridge", "n", 14).tolist() == [1 + 39 * i for i in range(11)]
    assert stretch("linear_network", "alignment", 4)[-1] == 1


def test_words_of_widgets_are_read():
    known = {c.name: c for c in controls("two_layer")}
    read = {c.name: c.write(c.start) for c in known.values()}
    read |= {"K": 3, "lr": np.log10(0.5), "activation": "relu", "v_star": "[1, 0]", "teacher_activation": "none"}
    assert values(read, [*known.values()]) == {"K": 3, "lr": 0.5, "activation": "relu", "v_star": [1, 0]}
    # A word that is a choice of its own.
    assert values({c.name: c.write(c.start) for c in controls("continual")}, controls("continual")) == {}


def test_what_is_taken_away_says_the_same(tmp_path, monkeypatch):
    wish = Wish("hopfield", {**SMALL.values, "dynamics": "sequential", "replicas": 2}, SMALL.axis, SMALL.points)
    model, options = describe("hopfield", "compare", wish.all)
    words = texts.command("hopfield", wish.all).split()
    assert words[:3] == ["tsphys", "compare", "hopfield"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.toml").write_text(texts.toml("hopfield", wish.all))
    assert read_config("here.toml", "hopfield", set(wish.all)) == wish.all
    ran = CliRunner().invoke(command_line, [*words[1:], "-q"])
    assert "points" in ran.output, ran.output
    space = {}
    exec(texts.python("hopfield", wish.all), space)
    assert space["model"] == model
    assert np.array_equal(space["sim"]["m"], tsphys.load("hopfield-comparison-simulation.npz")["m"])
    assert (tmp_path / "picture.pdf").is_file()
    np.testing.assert_array_equal(space["theory"]["alpha"], options["alpha"])


def test_python_of_a_course_begins_both_at_one_start():
    space = {}
    code = texts.python("perceptron", {"N": 50, "lr": 0.5, "t": "0.1:2:5"})
    exec(code.replace("tsphys.plot(sim, theory).savefig('picture.pdf')", ""), space)
    assert space["sim"].meta["start"] == space["theory"].meta["start"]


def test_theory_and_simulation_of_a_wish(monkeypatch):
    found = theory(SMALL)
    wanted = tsphys.solve(tsphys.Hopfield(T=0.3), alpha=np.linspace(0.01, 0.05, 3))
    np.testing.assert_array_equal(found["m"], wanted["m"])
    grown, before = [], []
    run = tsphys.simulate
    monkeypatch.setattr(tsphys, "simulate", lambda *a, **k: before.append(k.get("resume")) or run(*a, **k))
    growing = Growing(SMALL, 3)
    growing.start(grown.append)
    growing.wait(120)
    assert grown[-1] is None
    # Each goes on from the one before.
    assert before == [None, *grown[:-2]]
    assert [r.replicas for r in grown[:-1]][-1] == 3
    options = {"N": 200, "sweeps": 5, "equilibration": 5, "alpha": np.linspace(0.01, 0.05, 3)}
    whole = run(tsphys.Hopfield(T=0.3), replicas=3, seed=0, **options)
    np.testing.assert_array_equal(grown[-2]["m"], whole["m"])


def test_a_simulation_can_be_stopped():
    grown = []
    growing = Growing(Wish("hopfield", {"T": 0.3, "N": 2000, "sweeps": 10**6}, "alpha", "0.01:0.05:3"), 64)
    growing.start(grown.append)
    time.sleep(0.5)
    growing.stop()
    growing.wait(60)
    assert grown == [None]


@pytest.mark.parametrize(
    ("wish", "parameter"),
    [
        (Wish("hopfield", {"N": 10**5}, "alpha", "0.01:0.05:3"), "N"),
        (Wish("hopfield", {}, "alpha", "0.01:0.05:501"), "alpha"),
        (Wish("hopfield", {"coupling": "none"}, "alpha", "0.01:0.05:3"), "coupling"),
        (Wish("two_layer", {"K": 0}, "t", "1:2:2"), "K"),
    ],
)
def test_more_than_a_page_does_is_refused(wish, parameter):
    with pytest.raises(tsphys.ModelError) as caught:
        wish.described()
    assert caught.value.name == parameter


def test_the_newest_wish_comes_next():
    begun, go, done = threading.Event(), threading.Event(), []

    def work(wish, outdated):
        begun.set()
        assert go.wait(60)
        if wish == "bad":
            raise ValueError(wish)
        yield wish
        if not outdated():
            yield "more"

    newest = Newest(work, lambda wish, found: done.append((wish, found)))
    newest.ask(1)
    assert begun.wait(60)
    for wish in (2, 3, "bad"):
        newest.ask(wish)
    go.set()
    for _ in range(600):
        if len(done) == 2:
            break
        time.sleep(0.1)
    assert done[0] == (1, 1)
    assert (done[1][0], type(done[1][1])) == ("bad", ValueError)


def test_a_sketch_has_fewer_points_and_draws():
    assert SMALL.sketch() == SMALL
    thirty = Wish("data_pruning", {"keep": "easy"}, "fraction", "0.1:1:30")
    kept = np.array(grid("fraction", thirty.sketch().points))
    assert len(kept) == 9
    assert {*kept.tolist()} < {*np.array(grid("fraction", thirty.points)).tolist()}
    assert (kept[0], kept[-1]) == (0.1, 1)
    assert Wish("xor_clusters", {}, "t", "0,1,2").sketch() == Wish("xor_clusters", {"draws": 4}, "t", "0,1,2")
    assert Wish("training_set", {"paths": 256}, "t", "0,1").sketch().values == {"paths": 32}
    whole = np.array(grid("n", Wish("kernel_ridge", {}, "n", "1:30:30").sketch().points))
    assert (whole % 1 == 0).all()


def test_slow_theories_are_sketched_and_then_drawn_unless_there_is_another_wish():
    wish = Wish("opposing_signals", {}, "t", "0:10:11")
    draw = Sketched()
    assert [whole for _, whole in draw(wish, lambda: False)] == [True]
    many = Wish("random_features", {}, "alpha", "0.1:3:30")
    rough, whole = draw(many, lambda: False)
    assert (rough[1], whole[1]) == (False, True)
    assert len(rough[0][many.axis]) < len(whole[0][many.axis])
    # It took no time, so that the next is drawn at once; who is outdated learns nothing but a sketch.
    draw._seconds[many.name] = 0.0
    assert [whole for _, whole in draw(many, lambda: False)] == [True]
    draw._seconds[many.name] = 10.0
    assert [whole for _, whole in draw(many, lambda: True)] == [False]
    ((error, whole),) = draw(Wish("hopfield", {"coupling": "none"}, "alpha", "0.01:0.05:3"), lambda: False)
    assert isinstance(error, tsphys.ModelError)
    assert whole


def test_without_bokeh_the_command_says_what_it_needs(monkeypatch, capsys):
    for module in [m for m in sys.modules if m.startswith(("bokeh", "tsphys.explore.server", "tsphys.explore.page"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(SystemExit) as caught:
        tsphys_main(["explore", "hopfield", "--no-browser"])
    assert caught.value.code == 2
    assert "pip install 'tsphys[explore]'" in capsys.readouterr().err


def tsphys_main(arguments):
    from tsphys.cli import main

    main(arguments)


def settle(waiting, until):
    """Do what waits for the page, until something holds."""
    while not until():
        waiting.get(timeout=120)()


def test_a_page_redraws_and_keeps_the_last_good_curve(monkeypatch):
    pytest.importorskip("bokeh")
    from bokeh.document import Document

    from tsphys.explore.page import Page

    waiting = queue.Queue()
    # As the server does, whatever comes from other threads is done by one.
    monkeypatch.setattr(Page, "_later", lambda self, call, *given: waiting.put(partial(call, *given)))
    page = Page(Document(), "hopfield")
    page.points.value = "0.01:0.05:3"
    settle(waiting, lambda: page.theory is not None and len(page.theory["alpha"]) == 3 and page.plot)
    (source,) = page.plot.sources
    before = np.array(source.data["y"])
    page.widgets["T"].value = 0.4
    settle(waiting, lambda: not np.array_equal(source.data["y"], before))
    wanted = tsphys.solve(tsphys.Hopfield(T=0.4), alpha=[0.01, 0.03, 0.05])
    np.testing.assert_allclose(source.data["y"], wanted["m"], rtol=1e-12)
    page.widgets["connectivity"].value = 0.5
    settle(waiting, lambda: "connectivity" in page.said.text)
    np.testing.assert_allclose(source.data["y"], wanted["m"], rtol=1e-12)
    page.widgets["connectivity"].value = 1
    for name, value in {"N": 100, "sweeps": 3, "equilibration": 3}.items():
        page.widgets[name].value = value
    page.replicas.value = 2
    page._start()
    settle(waiting, lambda: not page.run.disabled and page.verdict.text)
    assert len(page.plot.sources) == 2
    assert "max |z|" in page.verdict.text
    page.panels.active = 1
    settle(waiting, lambda: getattr(page.second.children[0], "renderers", None))
    page._hand_over("npz")
    assert page.download.data["name"] == ["hopfield-simulation.npz"]


def test_the_first_hour_is_measured_and_its_lines_are_those_of_the_docs():
    from tsphys.benchmarks.first_hour import FIVE_LINES, MOVES, redraws

    assert FIVE_LINES + "\n" in (ROOT / "docs" / "beside.md").read_text(encoding="utf-8")
    slider, *times = redraws("opposing_signals")
    assert slider == "lr"
    assert np.isfinite(times).all()
    assert [t.shape for t in times] == 2 * [(MOVES, 2)]
