"""The command line: what it writes, what it says, and how it exits."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.command import call

RUN = ("-N", "20", "-t", "0,0.1,0.5", "-r", "2")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_simulate_writes_what_the_library_computes(capsys):
    code, out, _ = call(capsys, "simulate", "two_layer", "-K", 3, "--lr", 0.5, "-s", 7, *RUN, "-o", "run.npz")
    assert code == 0
    assert "wrote run.npz" in out
    sim = tsphys.load("run.npz")
    same = tsphys.simulate(tsphys.TwoLayer(K=3, lr=0.5), N=20, t=[0, 0.1, 0.5], replicas=2, seed=7)
    np.testing.assert_array_equal(sim["Q"], same["Q"])
    assert sim.parameters["lr"] == 0.5
    assert sim.meta["seed"] == 7
    assert sim.meta["versions"]["tsphys"] == tsphys.__version__


def test_solve_and_compare(capsys):
    code, out, _ = call(capsys, "solve", "two_layer", "-t", "0:1:5:lin", "-o", "theory")
    assert code == 0
    assert tsphys.load("theory.npz").kind == "theory"
    code, out, _ = call(capsys, "compare", "two_layer", "-N", 500, "-t", "0:4:5:lin", "-r", 8, "-o", "both")
    assert code == 0, out
    assert "agree" in out
    sim, theory = tsphys.load("both-simulation.npz"), tsphys.load("both-theory.npz")
    np.testing.assert_allclose(sim["R"][:, 0], theory["R"][None, 0].repeat(8, axis=0), atol=1e-12)


@pytest.mark.parametrize("verb", ["simulate", "solve", "compare"])
def test_every_verb_runs_the_perceptron(verb, capsys):
    """It has no readout: v is empty."""
    options = RUN if verb != "solve" else RUN[:4]
    code, out, err = call(capsys, verb, "perceptron", *options, "-o", "run")
    assert code == 0, err
    assert "eps_g" in out


def test_a_size_in_scientific_notation_is_the_size(capsys):
    for N, name in (("50", "plain"), ("5e1", "power")):
        assert call(capsys, "simulate", "perceptron", "-N", N, "-t", "0.1234,1", "-r", 2, "-o", name)[0] == 0
    plain, power = tsphys.load("plain.npz"), tsphys.load("power.npz")
    assert power["t"].tolist() == plain["t"].tolist() == [0.12, 1.0]
    np.testing.assert_array_equal(plain["Q"], power["Q"])


@pytest.mark.parametrize("row", ["[1, 2.5]", "1,2.5", "1, 2.5"])
def test_a_row_of_numbers_with_and_without_brackets(row, capsys):
    assert call(capsys, "solve", "two_layer", "-M", 2, "--v-star", row, "-t", "0,1", "-o", "run.npz")[0] == 0
    assert tsphys.load("run.npz").parameters["v_star"] == [1, 2.5]


def test_a_row_of_one_number(capsys):
    options = ("-K", 1, "-M", 1, "--v-star", "-2", "-t", "0,1", "-o", "run.npz")
    assert call(capsys, "solve", "two_layer", *options)[0] == 0
    assert tsphys.load("run.npz").parameters["v_star"] == [-2]


def test_a_start_on_the_command_line(capsys):
    start = '{"R": [[0.3]], "Q": [[0.5]], "T": [[1]]}'
    assert call(capsys, "simulate", "perceptron", *RUN, "--start", start, "-o", "run")[0] == 0
    np.testing.assert_allclose(tsphys.load("run.npz")["Q"][:, 0, 0, 0], 0.5, rtol=1e-12)


def test_compare_from_two_sizes(capsys):
    words = ("compare", "hopfield", "-N", 200, "--alpha", "0.02", "-T", "0.3", "-r", 4, "-o", "two")
    code, out, err = call(capsys, *words, "--sizes", "2")
    assert code == 0, out + err
    assert "half of such comparisons would see: " in out
    sizes = [tsphys.load(f"two-{kind}.npz") for kind in ("simulation", "smaller")]
    assert [(sim.meta["N"], sim.replicas) for sim in sizes] == [(200, 4), (50, 16)]
    assert tsphys.load("two-theory.npz").kind == "theory"
    assert call(capsys, *words, "--sizes", "3")[0] == 2
    assert "has no size N" in call(capsys, "compare", "kernel_ridge", "--n", "5", "--sizes", "2")[2]


def test_no_verdict_has_an_exit_code_of_its_own(capsys):
    code, out, _ = call(capsys, "compare", "dense_hebbian", "-P", 3, "-T", 0.4, "-N", 60, "-r", 64)
    assert code == 3
    assert "UNDECIDED" in out


def test_compare_tells_a_disagreement_by_its_exit_code(capsys):
    options = ("-N", 2, "-t", "0:3:7:lin", "-r", 500, "--rule", "adatron")
    code, out, _ = call(capsys, "compare", "perceptron", *options, "--strict")
    assert code == 1
    assert "DISAGREE" in out


def test_a_configuration_file_says_the_same_as_options(capsys, folder):
    Path("run.toml").write_text(
        'model = "two_layer"\nK = 2\nlr = 0.7\nN = 30\nreplicas = 3\nt = [0, 0.5]\n'
        "[start]\nR = [[0.1, 0], [0, 0.1]]\nQ = [[0.2, 0], [0, 0.2]]\nT = [[1, 0], [0, 1]]\n"
    )
    assert call(capsys, "simulate", "two_layer", "--config", "run.toml", "-r", 2, "-o", "run")[0] == 0
    sim = tsphys.load("run.npz")
    assert sim["Q"].shape == (2, 2, 2, 2)
    assert sim.meta["N"] == 30
    assert sim.parameters["lr"] == 0.7
    np.testing.assert_allclose(sim["Q"][:, 0, 0, 0], 0.2, rtol=1e-12)


def test_one_configuration_file_serves_all_verbs(capsys):
    Path("run.toml").write_text("lr = 0.7\nN = 50\nreplicas = 2\nthreads = 1\nrtol = 1e-6\nt = [0, 0.5]\n")
    for verb in ("simulate", "solve", "compare"):
        code, _, err = call(capsys, verb, "two_layer", "--config", "run.toml", "-o", verb)
        assert code == 0, err
    assert tsphys.load("solve.npz").meta["rtol"] == 1e-6
    assert tsphys.load("simulate.npz").parameters["lr"] == 0.7


def test_none_is_a_word_in_files_as_on_the_command_line(capsys):
    Path("run.toml").write_text('alpha = "none"\nt = [0, 0.5]\nlr = "none"')
    code, _, err = call(capsys, "solve", "two_layer", "--config", "run.toml")
    assert (code, "lr = 'none': must be a finite number" in err) == (2, True)
    assert call(capsys, "solve", "two_layer", "--config", "run.toml", "--lr", 0.5, "-o", "file")[0] == 0
    assert call(capsys, "solve", "two_layer", "-t", "0,0.5", "--lr", 0.5, "--alpha", "none", "-o", "line")[0] == 0
    assert tsphys.load("file.npz").parameters["alpha"] is None
    np.testing.assert_array_equal(tsphys.load("file.npz")["eps_g"], tsphys.load("line.npz")["eps_g"])


def test_a_run_goes_on_where_it_was_interrupted(capsys, monkeypatch):
    from tsphys.runs import replicas

    whole = tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0, 0.1, 0.5], replicas=4)
    ordinary = replicas.over_replicas

    def interrupted(work, todo, **options):
        ordinary(work, todo[:2], **options)
        raise KeyboardInterrupt

    monkeypatch.setattr("tsphys.sims.engines.online.simulation.over_replicas", interrupted)
    arguments = ("simulate", "two_layer", "-N", 20, "-t", "0,0.1,0.5", "-r", 4, "-o", "run.npz")
    code, _, err = call(capsys, *arguments)
    assert code == 130
    assert "interrupted" in err
    assert not Path("run.npz").exists()
    assert tsphys.load("run.partial.npz").meta["replica_ids"] == [0, 1]
    monkeypatch.setattr("tsphys.sims.engines.online.simulation.over_replicas", ordinary)
    code, _, err = call(capsys, *arguments)
    assert code == 0
    assert "going on from 2 finished replicas" in err
    np.testing.assert_array_equal(tsphys.load("run.npz")["Q"], whole["Q"])
    assert not Path("run.partial.npz").exists()


def test_info_and_models(capsys):
    tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0, 1]).save("run.npz")
    code, out, _ = call(capsys, "info", "run.npz")
    assert code == 0
    assert "two_layer" in out
    assert "seed" in out
    code, out, _ = call(capsys, "info", "--json", "run.npz")
    assert json.loads(out)["meta"]["N"] == 20
    code, out, _ = call(capsys, "models")
    assert "perceptron" in out
    code, out, _ = call(capsys, "models", "two_layer")
    assert "weight_decay" in out
    code, out, _ = call(capsys, "figure")
    assert "two_layer" in out.split()


def test_divergence_keeps_what_was_computed(capsys):
    options = ("--activation", "linear", "--lr", 20, "-N", 20, "-t", "0,0.1,100", "-r", 1, "-o", "run")
    code, _, err = call(capsys, "simulate", "two_layer", *options)
    assert code == 1
    assert "diverged at t =" in err
    kept = tsphys.load("run.npz")
    assert np.isfinite(kept["Q"][0, 1]).all()
    assert np.isnan(kept["Q"][0, 2]).all()


SIM = ("simulate", "two_layer")
#: Arguments, and a word that the message must hold.
BAD = {
    "no such command": (("simulatte",), "simulatte"),
    "no such model": (("simulate", "three_layer"), "three_layer"),
    "no such option": ((*SIM, "--learning-rate", "1"), "--learning-rate"),
    "K = 0": ((*SIM, "-K", "0"), "K = 0"),
    "K a text": ((*SIM, "-K", "two"), "K = 'two'"),
    "K without a value": ((*SIM, "-K"), "-K"),
    "lr = 0": ((*SIM, "--lr", "0"), "lr = 0"),
    "lr NaN": ((*SIM, "--lr", "NaN"), "lr = nan"),
    "activation": ((*SIM, "-g", "gelu"), "activation = 'gelu'"),
    "N < K + M": ((*SIM, "-N", "3"), "N = 3"),
    "N fractional": ((*SIM, "-N", "20.5"), "N = 20.5"),
    "times": ((*SIM, "-t", "1:2"), "t = '1:2'"),
    "times in words": ((*SIM, "-t", "soon"), "t = 'soon'"),
    "times decreasing": ((*SIM, "-t", "1,0.5"), "t = "),
    "log times from 0": ((*SIM, "-t", "0:1:5:log"), "t = '0:1:5:log': must have START > 0"),
    "times to an earlier one": ((*SIM, "-t", "5:1:3"), "t = '5:1:3': must have START <= STOP"),
    "times to none": ((*SIM, "-t", "1:inf:3"), "t = '1:inf:3': must have START <= STOP"),
    "times beyond the largest number of steps": ((*SIM, "-t", "1,1e308"), "t = 1e+308: must be at most"),
    "an option without its value": ((*SIM, "--lr"), "See tsphys simulate two_layer --help."),
    "an option of a study without its value": (("sweep", "-p"), "See tsphys sweep --help."),
    "a level beyond probabilities": (
        ("compare", "two_layer", "--level", "2"),
        "level = 2: must be a finite number > 0",
    ),
    "a level that never alarms": (("compare", "two_layer", "--level", "0"), "level = 0: must be a finite number > 0"),
    "a quarter that is no size": (("compare", "two_layer", "-N", "15", "--sizes", "2"), "N = 15: must be at least 16"),
    "a quarter of no spins": (("compare", "hopfield", "-N", "7", "--sizes", "2"), "N = 7: must be at least 8"),
    "a quarter of a word": (("compare", "hopfield", "-N", "x", "--sizes", "2"), "N = 'x'"),
    "replicas": ((*SIM, "-r", "0"), "replicas = 0"),
    "threads": ((*SIM, "-j", "0"), "threads = 0"),
    "seed": ((*SIM, "-s", "-1"), "seed = -1"),
    "engine": ((*SIM, "-e", "gpu"), "engine = 'gpu'"),
    "T not JSON": ((*SIM, "--teacher", "given", "--T", "[[1,0],[0,1]"), "T = "),
    "T with a negative eigenvalue": ((*SIM, "--teacher", "given", "--T", "[[1,2],[2,1]]"), "T = "),
    "a folder that is not there": ((*SIM, "-o", "no/such/run.npz"), "output = "),
    "a folder as file": ((*SIM, "-o", "."), "output = "),
    "a file that exists": ((*SIM, *RUN, "-o", "there.npz"), "exists"),
    "a config that is not there": ((*SIM, "--config", "none.toml"), "config = "),
    "a config without a name": ((*SIM, "--config", ""), "config = '': cannot be read"),
    "a config that is not TOML": ((*SIM, "--config", "broken.toml"), "config = "),
    "a config with a typing error": ((*SIM, "--config", "typo.toml"), "did you mean lr?"),
    "a config of another model": ((*SIM, "--config", "other.toml"), "another model"),
    "a start without Q": ((*SIM, "--config", "start.toml"), "Q is missing"),
    "rule": (("compare", "perceptron", "--rule", "delta"), "rule = 'delta'"),
    "load of a training set": (("solve", "two_layer", "--alpha", "-1"), "alpha = -1"),
    "one replica to compare": (("compare", "hopfield", "-N", "20", "--alpha", "0.05", "-r", "1"), "replicas = 1"),
    "figure": (("figure", "three_layer"), "figure = 'three_layer'"),
    "figure that does not move": (("figure", "opposing_signals", "--animate"), "does not move; these do: two_layer"),
    "figure that exists": (("figure", "two_layer", "-o", "there"), "exists"),
    "figure seed": (("figure", "two_layer", "-s", "x"), "seed = 'x'"),
    "figure into a folder": (("figure", "two_layer", "-o", "."), "output = "),
    "figure that exists, by its suffix": (("figure", "two_layer", "-o", "there.npz"), "exists"),
    "figure where no folder can be": (("figure", "two_layer", "-o", "there.npz/deeper/x"), "output = "),
    "bench into nowhere": (("bench", "-o", "no/such/table.csv"), "output = "),
    "bench over a file": (("bench", "--plot", "there"), "exists"),
    "simulate nothing": (("simulate",), "Missing MODEL: two_layer, perceptron"),
    "simulate what is near": (("simulate", "two_layers"), "did you mean two_layer?"),
    "simulate what is not": (("simulate", "qqq"), "known are two_layer, perceptron"),
    "more steps than can be counted": ((*SIM, "-t", "0:1e18:3:lin"), "t = 1e+18"),
    "K beyond reason": ((*SIM, "-K", "100000000"), "K = 100000000"),
    "init beyond reason": ((*SIM, "--init", "1e300"), "init = 1e+300"),
    "noise beyond reason": (("solve", "two_layer", "--noise", "1e300"), "noise = 1e+300"),
    "a start in words": ((*SIM, "--start", "random"), "start = 'random'"),
    "a start without R": ((*SIM, "--start", '{"Q": [[1]]}'), "R is missing"),
    "info without a file": (("info",), "FILE"),
    "info of nothing": (("info", "none.npz"), "does not exist"),
    "info of a truncated file": (("info", "cut.npz"), "not a whole result"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_one_line_and_exit_code_2(case, capsys, folder):
    arguments, word = BAD[case]
    Path("there.npz").write_bytes(b"precious")
    Path("cut.npz").write_bytes(b"PK\x03\x04")
    Path("broken.toml").write_text("K = = 2")
    Path("typo.toml").write_text("lrr = 0.2")
    Path("other.toml").write_text('model = "perceptron"')
    Path("start.toml").write_text("[start]\nR = [[0.1, 0], [0, 0.1]]\nT = [[1, 0], [0, 1]]")
    before = sorted(folder.iterdir())
    code, out, err = call(capsys, *arguments)
    assert code == 2, (out, err)
    assert out == ""
    assert err.startswith("tsphys: error: ")
    assert err.count("\n") == 1
    assert word in err
    assert sorted(folder.iterdir()) == before
    assert Path("there.npz").read_bytes() == b"precious"


def test_help_names_every_parameter_with_its_default(capsys):
    code, out, _ = call(capsys, "simulate", "two_layer", "--help")
    assert code == 0
    for name in ("--weight-decay", "--minibatch", "--seed", "--threads", "--output", "--force", "--config"):
        assert name in out
    assert out.count("[default:") > 15
    for command in ("models", "solve", "compare", "figure", "bench", "info"):
        assert call(capsys, command, "--help")[0] == 0


@pytest.mark.parametrize("arguments", [("-c", "import tsphys"), ("-m", "tsphys", "--help"), ("-m", "tsphys", "models")])
def test_nothing_heavy_is_imported_before_it_is_needed(arguments):
    done = subprocess.run([sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True)
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "tsphys" in loaded
    assert not loaded & {"numba", "scipy", "matplotlib", "llvmlite", "xarray"}


def test_alone_it_tells_what_there_is(capsys):
    code, out, err = call(capsys)
    assert (code, err) == (0, "")
    assert "phase-diagram" in out


def test_what_cannot_be_compared_is_told_before_the_work(capsys, monkeypatch):
    monkeypatch.setattr("tsphys.simulate", lambda *_, **__: pytest.fail("a simulation that tells no error"))
    for words in (("potts",), ("two_layer", "--strict")):
        code, _, err = call(capsys, "compare", *words, "-r", 1)
        assert code == 2
        assert "replicas = 1: must be at least 2" in err
