"""Studies that cannot be: one clear line, exit code 2, and nothing written."""

from pathlib import Path

import pytest

from tsphys.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


GOOD = 'model = "perceptron"\nN = 50\nt = [1]\n'
#: A study, arguments, and a word that the message must hold.
BAD = {
    "no study": (None, (), "study = "),
    "no TOML": ("K = = 2", (), "is not TOML"),
    "no model": ("N = 50", (), "model = None"),
    "another model": ('model = "three_layer"', (), "three_layer"),
    "compute": (GOOD + 'compute = "all"', (), "compute = 'all'"),
    "seeds": (GOOD + 'seeds = "mine"', (), "seeds = 'mine'"),
    "a typing error": (GOOD + "lrr = 1", (), "did you mean lr?"),
    "a typing error in an axis": (GOOD + "[axes]\nlrr = [1]", (), "did you mean lr?"),
    "an axis that is a number": (GOOD + "[axes]\nlr = 1", (), "lr = 1"),
    "an axis in words": (GOOD + '[axes]\nlr = "all"', (), "lr = 'all'"),
    "an axis of nothing": (GOOD + "[axes]\nlr = []", (), "lr = []"),
    "an axis out of range": (GOOD + "[axes]\nlr = [1, 0]", (), "lr = 0"),
    "an axis twice": (GOOD + "lr = 1\n[axes]\nlr = [1, 2]", (), "lr = 'twice'"),
    "zip of two lengths": (GOOD + "[[zip]]\nlr = [1, 2]\nseed = [1]", (), "one length"),
    "random without points": (GOOD + '[random]\nlr = "0:1"', (), "random.points = None"),
    "random without a range": (GOOD + '[random]\npoints = 2\nlr = "1"', (), "LOW:HIGH"),
    "log from 0": (GOOD + '[random]\npoints = 2\nlr = "0:1:log"', (), "LOW:HIGH"),
    "N = 0": ('model = "perceptron"\nN = 0', (), "N = 0"),
    "replicas": (GOOD + "replicas = 0", (), "replicas = 0"),
    "times": ('model = "perceptron"\nt = "soon"', (), "t = 'soon'"),
    "shard": (GOOD, ("--shard", "3/3"), "shard = '3/3'"),
    "shard in words": (GOOD, ("--shard", "first"), "shard = 'first'"),
    "processes": (GOOD, ("-p", "0"), "processes = 0"),
    "processes in words": (GOOD, ("-p", "many"), "processes = 'many'"),
    "cluster": (GOOD, ("--submit", "pbs"), "submit = 'pbs'"),
    "jobs": (GOOD, ("--slurm-script", "--jobs", "0"), "jobs = 0"),
    "two ways at once": (GOOD, ("--dry-run", "--slurm-script"), "only one of"),
    "a store that is a file": (GOOD, ("--store", "study.toml"), "store = "),
    "nothing to collect": (GOOD, "collect", "1 of 1 tasks have no result"),
    "an option": (GOOD, ("--nonsense",), "--nonsense"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_one_line_and_exit_code_2(case, capsys, folder):
    text, arguments, word = BAD[case]
    if text is not None:
        Path("study.toml").write_text(text)
    before = sorted(folder.iterdir())
    given = ["collect", "study.toml"] if arguments == "collect" else ["study.toml", *arguments]
    with pytest.raises(SystemExit) as caught:
        main(["sweep", *given])
    out, err = capsys.readouterr()
    assert caught.value.code == 2, (out, err)
    assert out == ""
    assert err.startswith("tsphys: error: ")
    assert err.count("\n") == 1
    assert word in err
    assert sorted(folder.iterdir()) == before
