"""The command lines of README and docs do what the pages say: each is run, page by page, at small sizes."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.command import call
from tests.walk import fields
from tests.wide import each
from tsphys.cli.options import flag
from tsphys.comparison import holding
from tsphys.registry import MODELS
from tsphys.studies.configuration import run_options

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: What takes minutes.
LONG = ("figure", "validate", "bench")
#: Commands for machines that are not here, and the page that stays until it is ended; tests/test_sweep.py,
#: tests/test_cuda*.py, tests/test_explore.py and tests/browser/ try what stands behind them.
ELSEWHERE = ("--engine cuda", "--submit slurm", "--dask ADDRESS", "explore ")
#: Lines that are there for their error, and a word of it.
REFUSED = {"solve hopfield --alpha 0.14": "spinodal", "solve dense_hebbian -P 4 --alpha 0.05": "spinodal"}
#: Sizes at which every line has its patterns and examples.
LARGEST = {"-N": 40, "-r": 2}
#: Where that is too few, or takes seconds: couplings are 21² for each pair.
SIZES = {"memory_reconstruction": 128, "xor_clusters": 3200, "potts_attention": 16}
#: Sizes by other names, of all runs that know them, and of models.
MORE = {"paths": 2048, "sets": 2, "steps": 5, "before": 5, "samples": 20, "chains": 10, "moves": 2, "n_test": 20}
LITTLE = {"quadratic_feature": {"inputs": 4}, "spin_chain_states": {"sweeps": 2}, "xor_clusters": {"draws": 4}}


def commands(page):
    """Lines of indented blocks and inline code that call tsphys, without remarks and what they are piped to."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    blocks = re.findall(r"^    (?:/usr/bin/time -v )?tsphys (.+)$", text, re.M)
    inline = [" ".join(found.split()) for found in re.findall(r"`tsphys ([^`\s]+\s[^`…]+)`", text)]
    for line in [*blocks, *inline]:
        words = shlex.split(line, comments=True)
        yield words[: words.index("|")] if "|" in words else words


def short(text):
    """The same range, or list of numbers, with three points at most."""
    if re.fullmatch(r"[\d.]+(,[\d.]+){3,}", text):
        return ",".join(text.split(",")[:3])
    return re.sub(
        r"^([^:]+:[^:]+):(\d+)((?::lin|:log)?)$", lambda m: f"{m[1]}:{min(int(m[2]), 3)}{m[3]}", text
    )  # fmt: skip


def small(words):
    """A command line at sizes that take no time."""
    words = [short(word) for word in words]
    largest = {**LARGEST, "-N": next((n for name, n in SIZES.items() if name in words), LARGEST["-N"])}
    for option, most in largest.items():
        if option in words:
            at = words.index(option) + 1
            words[at] = str(min(int(words[at]), most))
    if words[0] in ("simulate", "compare"):
        words += [] if "-r" in words else ["-r", "2"]
        if "-N" not in words and "N" in run_options(words[1], "simulate"):
            words += ["-N", str(largest["-N"])]
        if words[1] == "memory_reconstruction" and "-t" not in words:
            words += ["--iterations", "5", "--starts", "1"]
    if words[0] in ("simulate", "solve", "compare") and words[1] in MODELS:
        known = {**run_options(words[1], words[0]), **fields(words[1])}
        sizes = {k: size for k, size in {**MORE, **LITTLE.get(words[1], {})}.items() if k in known}
        if "--alpha" not in words:
            # Of sample paths, which there are with a training set.
            sizes.pop("paths", None)
        words += [x for k, size in sizes.items() for x in (flag(k), str(size))]
    if words[0] == "phase-diagram" or (words[0] == "sweep" and words[1] not in ("status", "collect")):
        words += ["-p", "1"]
    return words


def small_study(text):
    text = re.sub(r'"([^":]+:[^":]+):\d+((?::lin|:log)?)"', r'"\1:2\2"', text)
    return re.sub(r"^(N|replicas) = \d+", lambda m: f"{m[1]} = {30 if m[1] == 'N' else 2}", text, flags=re.M)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the pages take to be there: a result, and a study."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("images.npy", rng.integers(0, 256, (3, 5, 8)))
    family = ["".join(row) for row in rng.choice(list("-ACDEFGHIK"), (20, SIZES["potts_attention"]))]
    Path("family.fasta").write_text("".join(f">{i}\n{row}\n" for i, row in enumerate(family)), encoding="utf-8")
    tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0, 1], replicas=2).save("run.npz")
    tsphys.solve(tsphys.TwoLayer(), t=[0, 1]).save("theory.npz")
    Path("study.toml").write_text('model = "hopfield"\ncompute = "solve"\n[axes]\nalpha = [0.01, 0.02]\n')
    # Its last word is the number of steps.
    loop = 'for n; do :; done\ni=0\nwhile [ "$i" -lt "$n" ]; do i=$((i+1)); done\n'
    Path("peer").write_text("#!/bin/sh\n" + loop)
    Path("peer").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "page",
    each((p for p in PAGES if any(w[0] not in LONG for w in commands(p))), fast=("README", "results")),
    ids=lambda p: p.stem,
)
def test_the_commands_of_a_page_run(page, folder, capsys, monkeypatch):
    # What a comparison could have seen takes dozens of solutions; tests/test_points.py asks it of every model.
    monkeypatch.setattr(holding, "seen_changes", lambda found, theory: {})
    lines = [words for words in commands(page) if words[0] not in LONG]
    studies = re.findall(r"```toml\n(model = .*?)```", page.read_text(encoding="utf-8"), re.S)
    files = dict.fromkeys(word for words in lines for word in words if word.endswith(".toml"))
    for name, text in zip(files, studies):
        Path(name).write_text(small_study(text), encoding="utf-8")
    for n, words in enumerate(lines):
        line = " ".join(words)
        if any(there in line for there in ELSEWHERE):
            continue
        force = [] if words[0] in ("sweep", "info", "models", "cite") and "collect" not in words else ["--force"]
        code, out, err = call(capsys, *small(words), *force)
        if line in REFUSED:
            assert (code, out) == (2, ""), line
            assert REFUSED[line] in err
        elif words[0] == "compare":
            # Whether two replicas agree with theory is nothing to ask; that it says so is.
            assert "max |z|" in out, (line, err)
        else:
            assert code == 0, (line, out, err)
        assert n < 100


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", dict.fromkeys(shlex.join(words) for page in PAGES for words in commands(page) if words[0] in LONG)
)
def test_the_long_commands_run(line, folder, capsys):
    words = shlex.split(line)
    if words == ["figure"] or words[0] == "bench":
        words += ["--seconds", "0.05", "--rounds", "1"] if words[0] == "bench" else []
    elif "--quick" not in words:
        words += ["--quick"]
    if "--against" in words:
        at = words.index("--against")
        assert call(capsys, *words[:at], *words[at + 2 :], "-o", words[at + 1])[0] == 0
    code, out, err = call(capsys, *words)
    assert code == 0, (line, out, err)


def test_every_model_has_a_command_on_a_page():
    shown = {words[1] for page in PAGES for words in commands(page) if len(words) > 1}
    assert set(MODELS) - shown <= {"perceptron", "learning_rule"}
