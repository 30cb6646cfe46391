"""The package's own validation: what is right passes, what is broken fails, and the command says so."""

import base64
import html
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tsphys
from tests import command
from tests.wide import each
from tsphys.catalogue import CATALOGUE
from tsphys.registry import LIBRARY_ONLY, MODELS
from tsphys.validation import dense_hebbian, hopfield, perceptron, report, run, two_layer
from tsphys.validation.checks import Finding, Setting, in_size, stationary, two_samples, within
from tsphys.validation.mutations import ROOT, mutations
from tsphys.validation.one_step import same_moments
from tsphys.validation.online import simulated
from tsphys.validation.plain_rules import Plain, motion, runs
from tsphys.validation.plain_rules import perceptron as told


def found(module, kind, word=""):
    """Findings of the checks of a module of one kind whose name holds a word."""
    chosen = [check for check in module.checks(True) if check.kind == kind and word in check.name]
    assert chosen
    return [check.run(Setting()) for check in chosen]


def passed(findings):
    return [f.score <= f.limit for f in findings]


def test_every_model_has_checks_of_theory_against_simulation():
    for name in (*MODELS, *LIBRARY_ONLY):
        kinds = {check.kind for check in run.checks_of(name, Setting())}
        assert "simulation" in kinds, name
        # A map that is exact at every step has neither integrals nor saddles nor rates, but laws.
        laws = {"identity"} if CATALOGUE[name].family == "Descent" else set()
        assert kinds & {"integral", "saddle", "rate", *laws}, name


class Pair(Setting):
    """The reference points with two replicas: whether they agree is asked elsewhere."""

    def replicas(self, number):
        return 2


def reported(name, checks, folder, formats=(".html",)):
    """The page of some checks of a model, and what it embeds; each format draws the pictures anew."""
    rows = [run.Row(name, check.kind, check.name, check.run(Pair()), 0.0) for check in checks]
    for suffix in formats:
        assert all(path.is_file() for path in report.write(folder / f"{name}{suffix}", rows, Setting()))
    drawn = np.load(folder / f"{name}-{name}.npz")
    for i, row in enumerate(rows):
        if row.finding.curves is None:
            continue
        _, theory, shown = row.finding.curves
        np.testing.assert_array_equal(drawn[f"check_{i}_theory"], theory[shown])
    return html.unescape((folder / f"{name}.html").read_text(encoding="utf-8"))


#: Reports are made alike for all: some kinds of models.
SOME = ("perceptron", "hidden_manifold", "dense_hebbian", "random_features", "glm", "linear_network", "linear_icl")


@pytest.mark.parametrize("name", each(run.names(), fast=("linear_icl",), slow=set(run.names()) - set(SOME)))
def test_the_report_of_every_model_is_written(name, tmp_path):
    first = next(check for check in run.checks_of(name, Setting()) if check.kind == "simulation")
    assert "data:image/png" in reported(name, [first], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", run.names())
def test_the_report_of_every_simulation_is_written(name, tmp_path):
    checks = [check for check in run.checks_of(name, Setting()) if check.kind == "simulation"]
    page = reported(name, checks, tmp_path, report.FORMATS)
    assert all(check.name in page for check in checks)


@pytest.mark.parametrize("module", [hopfield, dense_hebbian])
def test_saddle_points_are_stationary(module):
    assert all(passed(found(module, "saddle")))


def test_a_shifted_saddle_point_is_caught(monkeypatch):
    ordinary = tsphys.solve

    def shifted(model, **options):
        result = ordinary(model, **options)
        data = {**result.data, "q": result["q"] * (1 + 1e-6)}
        return tsphys.Result(result.kind, result.model, result.parameters, result.axis, data, meta=result.meta)

    monkeypatch.setattr(tsphys, "solve", shifted)
    assert not any(passed(found(hopfield, "saddle")))


def test_a_wrong_closed_form_is_caught(monkeypatch):
    assert all(passed(found(two_layer, "integral", "integrals")))
    assert all(passed(found(perceptron, "integral")))
    from tsphys.odes import perceptron as theory

    ordinary = theory.drift
    monkeypatch.setattr(theory, "drift", lambda *a: tuple((1 + 1e-6) * x for x in ordinary(*a)))
    assert not any(passed(found(perceptron, "integral")))
    monkeypatch.setattr(two_layer.integrals, "I4", lambda *a: 0.0190777)
    assert not any(passed(found(two_layer, "integral", "integrals")))


@pytest.mark.parametrize("rate, agree", [(1.0, True), (1.05, False)])
def test_a_theory_five_per_cent_off_is_caught(monkeypatch, rate, agree):
    from tsphys.odes import perceptron as theory

    ordinary = theory.drift
    monkeypatch.setattr(theory, "drift", lambda *a: tuple(rate * x for x in ordinary(*a)))
    check = simulated(tsphys.Perceptron(rule="hebb"), perceptron.START, perceptron.T, "exact", 1000, 64)
    finding = check(Setting())
    assert (finding.score <= finding.limit) is agree


def test_scores_in_size_have_the_law_of_normal_numbers():
    rng = np.random.default_rng(0)
    sizes = (100, 200, 400)

    def score(power, bias, theory=1.0):
        samples = [1 + bias(n) + rng.standard_normal(400) * n**power for n in sizes]
        return in_size(sizes, samples, theory)

    right = np.array([score(-0.5, lambda n: 3 / n).score for _ in range(400)])
    # The larger of two |z| has the median Φ⁻¹((1 + √½)/2) = 1.0518; its density there is 1/2.0 per unit of z, so that
    # the median of 400 has the standard error 0.5·2.0/√400 = 0.05.
    assert abs(np.median(right) - 1.0518) < 4 * 0.05
    for wrong in (score(-1.0, lambda n: 0), score(-0.5, lambda n: 0, theory=1.05), score(-0.5, lambda n: 3 / n**0.5)):
        assert wrong.score > wrong.limit


def test_two_samples_see_means_and_variances():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 2000, 3))
    assert passed([two_samples(a, b, "normal numbers")]) == [True]
    assert passed([two_samples(a, b + 0.3, ""), two_samples(a, 1.3 * b, "")]) == [False, False]


def test_stationarity_and_bounds():
    assert passed([stationary(lambda x, y: np.cos(x) * np.cosh(y), [(0, 0), (np.pi, 0)])]) == [True]
    assert passed([stationary(lambda x, y: np.cos(x) * np.cosh(y), [(0, 0), (np.pi, 1e-7)])]) == [False]
    assert within([1e-3, -3e-3], [1e-2, 1e-3], "").score == pytest.approx(3)
    assert not run.Row("", "", "", Finding(float("nan"), 1.0, ""), 0.0).ok


def test_an_entropy_that_is_no_derivative_is_caught(monkeypatch):
    assert all(passed(found(hopfield, "identity", "thermodynamics")))
    ordinary = tsphys.solve

    def shifted(model, **options):
        result = ordinary(model, **options)
        data = {**result.data, "entropy": result["entropy"] + 1e-5}
        return tsphys.Result(result.kind, result.model, result.parameters, result.axis, data, meta=result.meta)

    monkeypatch.setattr(tsphys, "solve", shifted)
    assert not any(passed(found(hopfield, "identity", "thermodynamics")))


def test_moments_of_small_runs_see_means_variances_and_correlations():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 4000, 3))
    tilted = b + 0.2 * b[:, ::-1] * [1, 0, 0]
    assert passed([same_moments(x, b, "") for x in (a, a + 0.2, 1.1 * a, tilted)]) == [True, False, False, False]
    assert same_moments(np.ones((9, 1)), np.zeros((9, 1)), "").score == np.inf


def test_hebbs_rule_in_plain_numpy_has_its_rates_and_its_exact_step():
    """dR/dt = η√(2/π), dQ/dt = 2η√(2/π)R/√T + η²; one step from N = 10 has just these means (|x|² has the mean N)."""
    eta, N, n = 0.7, 10, 20_000
    start = tsphys.OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]], v=(), v_star=())
    exact = np.array([eta, 2 * eta * 0.3]) * np.sqrt(2 / np.pi) + [0, eta**2]
    plain = Plain(told("hebb", eta), noises=0)
    mean, error = motion(plain, start)
    assert np.all(np.abs(mean - exact) < 7 * error + 1e-12)
    y = (runs(plain, start, N, 1, n, np.random.default_rng(3)) - [0.3, 0.8]) * N
    # Two scores: 4.5 has a probability of 1e-5.
    assert np.all(np.abs(y.mean(axis=0) - exact) < 4.5 * y.std(axis=0) / np.sqrt(n))


def call(capsys, *arguments):
    return command.call(capsys, "validate", *arguments)


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Two checks of the perceptron only."""
    monkeypatch.chdir(tmp_path)
    chosen = [c for c in perceptron.checks(True) if c.name in ("hebb, engine exact", "equations, hebb")]
    monkeypatch.setattr(perceptron, "checks", lambda quick: chosen)


def test_the_command_writes_a_table_and_a_report(few, capsys):
    code, out, _ = call(capsys, "perceptron", "--quick", "-o", "report.md")
    assert code == 0, out
    assert "2 of 2 checks passed" in out
    assert out.count(" pass ") == 2
    text = Path("report.md").read_text()
    assert "| hebb, engine exact | simulation |" in text
    assert "![perceptron: simulation on theory](report-perceptron.png)" in text
    with np.load("report-perceptron.npz") as data:
        assert data["check_0_simulation"].shape == data["check_0_theory"].shape == (6,)
    code, _, err = call(capsys, "perceptron", "--quick", "-o", "report.md")
    assert code == 2
    assert "exists" in err


def test_the_page_of_a_report_holds_its_pictures(few, capsys):
    from xml.etree import ElementTree

    code, out, _ = call(capsys, "perceptron", "--quick", "-o", "page.html")
    assert code == 0, out
    page = Path("page.html").read_text()
    picture = base64.b64encode(Path("page-perceptron.png").read_bytes()).decode()
    assert picture in page
    body = page[page.index("<body>") : page.index("</html>")].replace(f'{picture}">', f'{picture}"/>')
    tree = ElementTree.fromstring(body)
    assert len(tree.findall("table/tr")) == 1 + 2
    assert {cell.text for cell in tree.findall("table/tr/td")} >= {"hebb, engine exact", "simulation", "pass"}


def test_the_command_fails_with_a_broken_theory(few, capsys, monkeypatch):
    from tsphys.odes import perceptron as theory

    ordinary = theory.drift
    monkeypatch.setattr(theory, "drift", lambda *a: tuple(1.2 * x for x in ordinary(*a)))
    code, out, _ = call(capsys, "perceptron", "--quick")
    assert code == 1
    assert "2 FAILED" in out

    def raises(*a):
        raise tsphys.ConvergenceError("no solution")

    monkeypatch.setattr(theory, "drift", raises)
    code, out, _ = call(capsys, "perceptron", "--quick")
    assert code == 1
    assert "ConvergenceError: no solution" in out


BAD = {
    "model": (("three_layer",), "model = 'three_layer'"),
    "suffix": (("-o", "report.pdf"), "must end in .md or .html"),
    "folder": (("-o", "none/report.md"), "does not exist"),
    "threads": (("-j", "0"), "threads = 0"),
    "seed": (("-s", "-1"), "seed = -1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_one_line_and_exit_code_2(case, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, word = BAD[case]
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("tsphys: error: ")
    assert err.count("\n") == 1
    assert word in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mutation", mutations(), ids=lambda m: f"{m.model}: {m.about}")
def test_every_planted_error_has_its_place(mutation):
    """A list whose texts have moved would say nothing."""
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    assert mutation.planted(text) != text


def test_no_error_is_planted_twice():
    every = [(m.model, m.about) for m in mutations()]
    assert len(set(every)) == len(every)


@pytest.fixture
def planted(monkeypatch):
    """`tsphys.validation.mutations` whose judge sees all that does not have the word optimal, and what it was shown."""
    from tsphys.validation import mutations as planted

    monkeypatch.setattr(planted, "copy_of", lambda tree, to: tree)
    planted_in = []

    def judged(mutation, judge, tree):
        planted_in.append(mutation.about)
        return ("survived", "", "") if "optimal" in mutation.about else ("caught", "", f"test of {mutation.about}")

    monkeypatch.setattr(planted, "judged", judged)
    monkeypatch.setattr(planted, "unsound", lambda model, judge, names, tree: [])

    def called(*arguments):
        planted_in.clear()
        done = CliRunner().invoke(planted.main, arguments)
        assert done.exit_code == 0, done.output
        return done.output, [*planted_in]

    return called


def test_what_survived_is_planted_again(planted, tmp_path):
    file = str(tmp_path / "caught.json")
    _, every = planted("perceptron", "-o", file)
    out, again = planted("--by", "tests", "--left", file)
    assert again == [about for about in every if "optimal" in about] != []
    assert f"tests: 0 of {len(again)} caught" in out


def test_a_sample_of_planted_errors_follows_from_its_seed(planted):
    _, every = planted("glm")
    out, some = planted("glm", "--sample", "5", "--seed", "1")
    assert planted("glm", "--sample", "5", "--seed", "1")[1] == some != planted("glm", "--sample", "5")[1]
    assert len(set(some)) == 5
    assert some == [about for about in every if about in some]
    # Of five of five the share of all is at least 0.025^(1/5).
    assert "5 of 5 caught, 100.0% (95 %: 47.8% to 100.0%)" in out


def test_what_fails_without_an_error_catches_none(planted, monkeypatch):
    monkeypatch.setattr("tsphys.validation.mutations.unsound", lambda model, judge, names, tree: names[:1])
    out, every = planted("perceptron")
    left = sum("optimal" in about for about in every)
    assert out.count("broken") == len(every) - left > 0
    assert f"quick: 0 of {left} caught" in out


@pytest.mark.slow
def test_an_error_is_planted_seen_and_taken_away(tmp_path):
    """In a copy of its own, by a check that passes in the copy without it."""
    from tsphys.validation.mutations import copy_of, judged, unsound

    tree = copy_of(ROOT, tmp_path / "copy")
    wrong = next(m for m in mutations(["continual"]) if "without its half" in m.about)
    for judge in ("quick", "tests"):
        outcome, line, by = judged(wrong, judge, tree)
        assert outcome == "caught", line
        assert unsound("continual", judge, [by], tree) == []
    assert (tree / wrong.file).read_text() == (ROOT / wrong.file).read_text()
