"""Output on terminals and into files that know few characters."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tsphys.cli import COMMANDS
from tsphys.registry import MODELS

ROOT = Path(__file__).resolve().parents[1]
ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "koi8-r", "utf-8")
#: Runs commands in one process, each on streams of its own encoding.
RUN = """
import io, sys
from tsphys.cli import main
encodings, commands = eval(sys.stdin.read())
true = sys.stdout
for encoding in encodings:
    for arguments in commands:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in range(2)]
        sys.stdout, sys.stderr = streams
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
        sys.stdout, sys.stderr = true, sys.__stderr__
        for stream in streams:
            assert (stream.encoding, stream.errors) == (encoding, "strict")
            stream.flush()
            stream.buffer.getvalue().decode(encoding)
        print(repr((encoding, arguments, code, *(stream.buffer.getvalue() for stream in streams))))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(encodings, commands):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=repr((encodings, commands)), capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return [eval(line) for line in done.stdout.splitlines()]


@pytest.mark.wide
def test_help_of_every_command_comes_out_in_every_encoding():
    verbs = [[verb, name, "--help"] for verb in ("simulate", "solve", "compare") for name in MODELS]
    others = [[name, "--help"] for name in COMMANDS] + [["models"], *(["models", name] for name in MODELS)]
    found = run(ENCODINGS, verbs + others)
    assert len(found) == len(ENCODINGS) * len(verbs + others)
    for encoding, arguments, code, out, err in found:
        assert (code, err) == (0, b""), (encoding, arguments)
        assert b"\\u" not in out, (encoding, arguments)
        assert "?" not in re.sub(r"\\?( |$)", "", out.decode(encoding)), (encoding, arguments)


@pytest.mark.wide
def test_results_reports_and_errors_come_out_in_every_encoding():
    Path("η.toml").write_text(
        'model = "hopfield"\ncompute = "solve"\n[axes]\nalpha = [0.05, 0.1, 0.2]', encoding="utf-8"
    )
    commands = [
        ["simulate", "hopfield", "-N", "100", "--sweeps", "4", "-r", "3", "-o", "σ²", "--force"],
        ["solve", "hopfield", "-o", "→", "--force"],
        ["info", "σ².npz"],
        ["plot", "σ².npz", "-o", "…", "--force"],
        ["sweep", "η.toml", "-p", "1"],
        ["sweep", "status", "η.toml"],
        ["sweep", "collect", "η.toml", "--partial", "--force"],
        ["info", "∞.npz"],
        ["simulate", "hopfield", "--nonsense-∞"],
        ["solve", "hopfield", "--T", "∞"],
    ]
    codes = {}
    for encoding, arguments, code, *streams in run(("ascii", "cp1252"), commands):
        codes.setdefault(tuple(arguments), set()).add(code)
        assert b"Traceback" not in streams[1], (encoding, arguments)
    assert [found.pop() if len(found) == 1 else found for found in codes.values()] == [0, 0, 0, 0, 1, 1, 0, 2, 2, 2]
    assert {p.name for p in Path().glob("*.npz")} >= {"σ².npz", "→.npz", "….npz", "η.npz"}


def test_words_in_the_place_of_characters():
    from tsphys.cli.streams import _word

    words = {"η": "eta", "Δ": "Delta", "é": "e", "…": "...", "±": "+-", "µ": "u", "∞": "inf", "語": r"\u8a9e"}
    assert {c: _word(c) for c in words} == words


@pytest.mark.skipif(os.name == "nt", reason="names are bytes elsewhere")
def test_names_of_files_that_are_no_text():
    """They are kept as they are in what other programs read, and told by escapes."""
    name = os.fsdecode(b"\xff\xe9.toml")
    Path(name).write_text('model = "hopfield"\ncompute = "solve"\n[axes]\nalpha = [0.05]')
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"}

    def call(*arguments):
        command = [sys.executable, "-m", "tsphys", *arguments]
        return subprocess.run(command, capture_output=True, env=environment)

    script = call("sweep", name, "--slurm-script")
    assert script.returncode == 0, script.stderr
    assert b"\xff\xe9.toml" in script.stdout
    for arguments in (("sweep", name, "-p", "1"), ("sweep", "collect", name)):
        done = call(*arguments)
        assert done.returncode == 0, done.stderr
    assert b"Traceback" not in call("info", name).stderr


def test_nobody_listens():
    """Closed streams, and a reader that goes away, end no run."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = f"{sys.executable} -m tsphys solve hopfield --alpha 0.05"
    for how in (f"{command} -o a >&- 2>&-", f"{command} -o b | true"):
        done = subprocess.run(how, shell=True, capture_output=True, text=True, env=environment)
        assert "Traceback" not in done.stderr, done.stderr
    assert {p.name for p in Path().glob("*.npz")} == {"a.npz", "b.npz"}
