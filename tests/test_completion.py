"""Tab completes what the command line knows, in every shell that the README names."""

import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import get_completion_class

from tsphys.cli import COMMANDS, tsphys
from tsphys.cli.figure import moving, names
from tsphys.registry import MODELS

SHELLS = ("bash", "zsh", "fish")
#: A line up to the cursor, and what is offered for its last word.
OFFERED = {
    "": list(COMMANDS),
    "sim": ["simulate"],
    "simulate ": list(MODELS),
    "simulate two": ["two_layer", "two_students"],
    "solve hop": ["hopfield"],
    "compare ran": ["random_features", "random_teacher"],
    "simulate two_layer --act": ["--activation"],
    "simulate two_layer -K 2 --activation he": ["he2"],
    "simulate two_layer -e ": ["auto", "direct", "exact", "cuda"],
    "simulate hopfield --protocol an": ["anneal"],
    "simulate memory_reconstruction --denoiser ": ["auto", "exact", "mean_field"],
    "simulate memory_reconstruction --pca t": ["true"],
    "solve hopfield --branch ": ["retrieval", "mixture", "spin_glass", "paramagnetic"],
    "models simpl": ["simplicity_bias"],
    "validate glm hopf": ["hopfield"],
    "figure ": names(),
    "figure esc": ["escape"],
    "figure --animate gif ": moving(),
    "figure two_layer --animate m": ["mp4"],
    "phase-diagram hop": ["hopfield"],
    "phase-diagram hopfield --x a": ["alpha", "activity"],
    "sweep co": ["collect"],
    "sweep collect study.toml --par": ["--partial"],
    "sweep study.toml --dry": ["--dry-run"],
    "sweep study.toml --submit s": ["slurm"],
    "plot run.npz --log x": ["x", "xy"],
}


def split(line):
    *before, last = line.split(" ")
    return before, last


@pytest.mark.parametrize("line", OFFERED)
def test_what_is_offered(line):
    completion = get_completion_class("bash")(tsphys, {}, "tsphys", "_TSPHYS_COMPLETE")
    found = completion.get_completions(*split(line))
    assert [item.value for item in found if item.type == "plain"] == OFFERED[line]


@pytest.mark.parametrize("line", ["plot ru", "info ru", "sweep my", "simulate glm -o ru", "solve glm --config ru"])
def test_files_are_left_to_the_shell(line):
    completion = get_completion_class("bash")(tsphys, {}, "tsphys", "_TSPHYS_COMPLETE")
    assert [item.type for item in completion.get_completions(*split(line))] == ["file"]


@pytest.fixture
def command(tmp_path):
    """An environment in which `tsphys` is a command."""
    program = tmp_path / "tsphys"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tsphys "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}


def told(environment, *arguments):
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_served(shell, command):
    """The lines of the README print a script, and what it calls answers."""
    assert "tsphys" in told({**command, "_TSPHYS_COMPLETE": f"{shell}_source"}, "tsphys")
    words = {"COMP_WORDS": "tsphys simulate two", "COMP_CWORD": "two" if shell == "fish" else "2"}
    answer = told({**command, **words, "_TSPHYS_COMPLETE": f"{shell}_complete"}, "tsphys")
    assert "two_layer" in answer
    assert "perceptron" not in answer


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_itself(command):
    script = """eval "$(_TSPHYS_COMPLETE=bash_source tsphys)"
    COMP_WORDS=(tsphys simulate two) COMP_CWORD=2
    _tsphys_completion tsphys
    echo "${COMPREPLY[@]}"; complete -p tsphys"""
    assert told(command, "bash", "-c", script).split()[0] == "two_layer"


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_itself(command):
    script = '_TSPHYS_COMPLETE=fish_source tsphys | source; complete -C "tsphys simulate two"'
    assert told(command, "fish", "-c", script).split()[0] == "two_layer"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
def test_zsh_itself(command):
    # Its completion runs in its editor only; what it would be told stands in for that.
    script = """autoload -Uz compinit && compinit -D
    eval "$(_TSPHYS_COMPLETE=zsh_source tsphys)"
    _describe() { print -l -- ${(P)3} ${(P)4}; }; compadd() { print -l -- $@; }
    words=(tsphys simulate two) CURRENT=3
    _tsphys_completion; print -- ${_comps[tsphys]}"""
    out = told(command, "zsh", "-f", "-c", script)
    assert "two_layer" in out
    assert "_tsphys_completion" in out
