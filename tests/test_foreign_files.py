"""Files that others made, or that something happened to: read as they are, or refused in one line."""

import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.command import call
from tsphys.runs import archive


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, path):
    """Load, info and plot refuse it in one line that names the file and has no commands for the terminal."""
    with pytest.raises(tsphys.ModelError, match="file = ") as caught:
        tsphys.load(path)
    for command in ("info", "plot"):
        code, out, err = call(capsys, command, path)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith("tsphys: error: file = ")
        assert err[:-1].isprintable()
    return caught.value


#: A result as a script of one's own may write it.
RECORD = {
    "format": 1, "kind": "theory", "model": "mine", "parameters": {"a": 1}, "axis": "t", "dims": {}, "constants": [],
    "meta": {},
}  # fmt: skip
ARRAYS = {"t": np.arange(3.0), "m": np.ones(3)}


def foreign(path="foreign.npz", arrays=ARRAYS, **change):
    np.savez(path, __meta__=np.array(json.dumps({**RECORD, **change})), **arrays)
    return path


def test_a_file_by_hand_is_read(capsys):
    found = tsphys.load(foreign())
    assert found["m"].tolist() == [1, 1, 1]
    assert call(capsys, "info", "foreign.npz")[0] == 0
    assert call(capsys, "plot", "foreign.npz", "-o", "picture")[0] == 0


NESTED = json.loads("[" * 80 + "]" * 80)
RECORDS = {
    "axis null": {"axis": None},
    "axis unknown": {"axis": "x"},
    "axis a number": {"axis": 3},
    "axis a list": {"axis": ["t"]},
    "kind null": {"kind": None},
    "kind a table": {"kind": {}},
    "model a number": {"model": 1.5},
    "model empty": {"model": ""},
    "model NaN": {"model": float("nan")},
    "parameters a list": {"parameters": []},
    "parameters null": {"parameters": None},
    "meta a text": {"meta": "seed"},
    "gaps a number": {"meta": {"gaps": 3}},
    "gaps with escapes": {"meta": {"gaps": ["\x1b[2J"]}},
    "dims a list": {"dims": ["m"]},
    "dims a number": {"dims": {"m": 3}},
    "dims of numbers": {"dims": {"m": [3]}},
    "dims too many": {"dims": {"m": ["a", "b"]}},
    "constants a text": {"constants": "t"},
    "constants unknown": {"constants": ["x"]},
    "constants of lists": {"constants": [["t"]]},
    "format a text": {"format": "1"},
    "format true": {"format": True},
    "format later": {"format": 99},
    "format NaN": {"format": float("nan")},
    "format without a seal": {"format": 2},
    "a wrong seal": {"seal": "0" * 64},
    "one entry more": {"extra": 1},
    "escapes": {"model": "\x1b]0;gotcha\x07\x1b[31mred"},
    "a new line": {"axis": "t\nsecond"},
    "deep": {"meta": {"x": NESTED}},
    "a simulation of fewer replicas": {"kind": "simulation"},
}


@pytest.mark.parametrize("case", RECORDS)
def test_records_that_are_none(capsys, case):
    refused(capsys, foreign(**RECORDS[case]))


@pytest.mark.parametrize("key", RECORD)
def test_records_that_lack_something(capsys, key):
    record = {k: v for k, v in RECORD.items() if k != key}
    np.savez("foreign.npz", __meta__=np.array(json.dumps(record)), **ARRAYS)
    refused(capsys, "foreign.npz")


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "3", "NaN", "{", '{"format": 1', "[" * 100_000, '{"a":' * 5000, "1" * 10_000, "\ufeff{}"]
)
def test_json_that_is_none(capsys, text):
    np.savez("foreign.npz", __meta__=np.array(text), **ARRAYS)
    refused(capsys, "foreign.npz")


SHAPES = {
    "a scalar axis": {"t": np.array(1.0), "m": np.ones(3)},
    "an empty axis": {"t": np.zeros(0), "m": np.zeros(0)},
    "an axis in two dimensions": {"t": np.ones((3, 1)), "m": np.ones(3)},
    "another length": {"t": np.arange(3.0), "m": np.ones(4)},
    "a scalar observable": {"t": np.arange(3.0), "m": np.array(2.0)},
    "dates": {"t": np.arange(3.0), "m": np.zeros(3, "M8[s]")},
    "fields": {"t": np.arange(3.0), "m": np.zeros(3, [("a", "f8")])},
    "bytes": {"t": np.arange(3.0), "m": np.array([b"a", b"b", b"c"])},
    "objects": {"t": np.arange(3.0), "m": np.array([{}, [], None], dtype=object)},
    "escapes in a name": {"t": np.arange(3.0), "m\x1b[2J": np.ones(3)},
}


@pytest.mark.parametrize("case", SHAPES)
def test_arrays_that_do_not_fit(capsys, case):
    refused(capsys, foreign(arrays=SHAPES[case]))


def test_values_are_shown_and_drawn_without_commands_for_the_terminal(capsys):
    """Parameters, records and axes may hold any text; NaN in a record is a number like others, and null in JSON."""
    texts = {
        "t": np.array(["\x1b[2J", "$\\frac{$", "ok"]),
        "m": np.array([1.0, np.nan, np.inf]),
        "names": np.array(["a"] * 3),
    }
    foreign(
        arrays=texts, model="$\\x{", parameters={"\x1b[1m": "\x1b[31m", "x": float("nan")}, meta={"a\nb": float("inf")}
    )  # fmt: skip
    code, out, err = call(capsys, "info", "foreign.npz")
    assert (code, err) == (0, "")
    assert all(line.isprintable() for line in out.splitlines())
    code, out, _ = call(capsys, "info", "--json", "foreign.npz")
    assert json.loads(out, parse_constant=pytest.fail)["parameters"]["x"] is None
    code, _, err = call(capsys, "plot", "foreign.npz", "-o", "picture")
    assert (code, err) == (0, "")
    code, _, err = call(capsys, "plot", "foreign.npz", "-y", "names")
    assert (code, err.count("\n")) == (2, 1)


def members(path):
    with zipfile.ZipFile(path) as found:
        return {info.filename: found.read(info) for info in found.infolist()}


def written(path, content, kind=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", kind) as new:
        for name, values in content:
            new.writestr(name, values)
    return path


@pytest.fixture
def real():
    """A result of tsphys, and its members."""
    path = tsphys.solve(tsphys.TwoLayer(K=2, M=2), t=[0, 1]).save("real")
    return path, members(path)


def test_members_that_are_not_ours(capsys, real):
    path, content = real
    refused(capsys, written(path, [*content.items(), ("readme.txt", b"hello")]))
    refused(capsys, written(path, [*content.items(), ("more.npy", content["R.npy"])]))
    refused(capsys, written(path, [(k, v) for k, v in content.items() if k != "v.npy"]))
    with pytest.warns(UserWarning, match="Duplicate"):
        written(path, [*content.items(), ("R.npy", content["R.npy"])])
    refused(capsys, path)
    refused(capsys, written(path, content.items(), zipfile.ZIP_BZIP2))
    refused(capsys, written(path, content.items(), zipfile.ZIP_LZMA))
    refused(capsys, written(path, [(k, v + b"\0") for k, v in content.items()]))
    written(path, content.items())
    encrypted = bytearray(Path(path).read_bytes())
    at = encrypted.index(b"PK\1\2")
    encrypted[6] |= 1
    encrypted[at + 8] |= 1
    Path(path).write_bytes(encrypted)
    refused(capsys, path)


def test_numbers_that_were_changed_are_refused(capsys, real):
    """Arrays exchanged, an entry changed, a parameter changed; all with right checksums of zip."""
    path, content = real
    written(path, content.items())
    assert tsphys.load(path).model == "two_layer"
    refused(capsys, written(path, {**content, "R.npy": content["Q.npy"], "Q.npy": content["R.npy"]}.items()))
    changed = bytearray(content["eps_g.npy"])
    changed[-1] ^= 1
    refused(capsys, written(path, {**content, "eps_g.npy": bytes(changed)}.items()))
    record = json.loads(str(np.load(io.BytesIO(content["__meta__.npy"]))))
    record["parameters"]["lr"] = 0.3
    buffer = io.BytesIO()
    np.save(buffer, np.array(json.dumps(record)))
    refused(capsys, written(path, {**content, "__meta__.npy": buffer.getvalue()}.items()))


def test_a_file_that_unpacks_to_much_more_is_refused_unread(capsys, monkeypatch, real):
    path, content = real
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2, 2, 2**14)})
    zeros = header.getvalue() + bytes(8 * 2**16)
    monkeypatch.setattr(archive, "LARGE", 2**16)
    written(path, {**content, "big.npy": zeros}.items())
    monkeypatch.setattr(zipfile.ZipFile, "read", pytest.fail)
    refused(capsys, path)
    monkeypatch.undo()


def test_large_results_are_read_again(tmp_path, monkeypatch):
    """They are not compressed, lest they be taken for small files that unpack to much more."""
    monkeypatch.setattr(archive, "LARGE", 2**16)
    zeros = {"t": np.arange(2.0), "m": np.zeros((2, 2**17))}
    big = tsphys.Result("theory", "mine", {}, "t", zeros)
    path = big.save(tmp_path / "big")
    assert path.stat().st_size > 8 * 2**18
    assert tsphys.load(path) == big


def test_more_than_the_memory_is_refused(monkeypatch, real):
    monkeypatch.setattr("tsphys.runs.memory.memory", lambda: 100.0)
    with pytest.raises(tsphys.ModelError, match=r"file = .* GiB for its arrays"):
        tsphys.load(real[0])


def test_a_shape_that_is_not_there_is_refused(capsys, real):
    path, content = real
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2, 2, 10**15)})
    refused(capsys, written(path, {**content, "R.npy": header.getvalue() + bytes(64)}.items()))


def test_every_byte_counts(real):
    """A flipped bit anywhere: refused, or the same numbers."""
    path, _ = real
    whole, before = Path(path).read_bytes(), tsphys.load(path)
    rng = np.random.default_rng(0)
    for at in rng.choice(len(whole), 300, replace=False):
        Path(path).write_bytes(whole[:at] + bytes([whole[at] ^ (1 << int(rng.integers(8)))]) + whole[at + 1 :])
        try:
            assert tsphys.load(path) == before
        except tsphys.ModelError as error:
            assert error.name == "file"


def test_what_cannot_be_read_is_not_written():
    good = {"kind": "theory", "model": "x", "parameters": {}, "axis": "t"}
    for data, change in (
        ({"t": np.arange(2.0), "m": np.ones(3)}, {}),
        ({"t": np.arange(2.0), "m": np.array([{}, {}])}, {}),
        ({"t": np.arange(2.0), "file": np.ones(2)}, {}),
        ({"t": np.arange(2.0)}, {"meta": {"f": open}}),
        ({"t": np.arange(2.0)}, {"parameters": {"deep": NESTED}}),
        ({"x": np.arange(2.0)}, {}),
    ):
        with pytest.raises(tsphys.ModelError, match="result = 'theory': cannot be written"):
            tsphys.Result(**{**good, "data": data, **change}).save("run")
    assert not list(Path().iterdir())


def test_figures_phase_diagrams_and_benchmarks_are_read(capsys):
    from tsphys.benchmarks.table import row, write
    from tsphys.plotting import save, style

    with style() as sheets:
        figure, _ = sheets.subplots(figsize=(2, 1))
        data = {"theory_t": np.arange(3.0), "sim": np.ones((2, 5)), "label": ["a", "b"]}
        save(figure, "figure", data, {"K": 2, "t": float("nan")})
    found = tsphys.load("figure.npz")
    assert (found.kind, found.model, found.axis, found.observables) == ("figure", "figure", "", ())
    assert found["sim"].shape == (2, 5)
    assert found.parameters["K"] == 2
    axes = ("--x", "alpha", "0.02:0.1:3", "--y", "T", "0:0.3:2")
    assert call(capsys, "phase-diagram", "hopfield", *axes, "-p", 1, "-o", "map")[0] == 0
    found = tsphys.load("map.npz")
    assert (found.kind, found.axis, found["m"].shape) == ("phase diagram", "T", (2, 3))
    assert call(capsys, "plot", "map.npz", "-x", "alpha", "-y", "m")[0] == 0
    write(Path("bench.npz"), [row("a", "time", [3.0, 1.0], "s"), row("a", "gain", [2.0], "x")], {"K": 2})
    assert tsphys.load("bench.npz")["value"].tolist() == [2, 2]
    for name in ("figure", "map", "bench", "map-m"):
        code, out, err = call(capsys, "info", f"{name}.npz")
        assert (code, err) == (0, ""), err
        assert out.startswith("<")
        assert call(capsys, "info", "--json", f"{name}.npz")[0] == 0
    code, _, err = call(capsys, "plot", "figure.npz")
    assert (code, err.count("\n")) == (2, 1)
    pytest.importorskip("xarray")
    assert all(tsphys.load(f"{name}.npz").to_xarray() is not None for name in ("figure", "map", "bench"))


GOOD = 'model = "perceptron"\r\ncompute = "solve"\r\nt = [1]\r\n'
TEXTS = {
    "another encoding": GOOD.encode("utf-16"),
    "latin-1": b'model = "perceptron" # \xe9\n',
    "zeros": bytes(100),
    "deep": b"x = " + b"[" * 100_000,
    "a long integer": b"N = " + b"1" * 10_000,
    "escapes": b'"\x1b[31m" = 1\n',
    "escapes in a name": b'"\\u001b[31mred" = 1\n',
    "twice": b"N = 1\nN = 2\n",
    "an archive": b"PK\3\4" + bytes(64),
}


@pytest.mark.parametrize("case", TEXTS)
def test_toml_of_others(capsys, folder, case):
    Path("file.toml").write_bytes(TEXTS[case])
    before = sorted(folder.iterdir())
    commands = (
        ("sweep", "file.toml"),
        ("sweep", "collect", "file.toml"),
        ("simulate", "perceptron", "--config", "file.toml"),
    )
    for arguments in commands:
        code, out, err = call(capsys, *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert err[:-1].isprintable()
        assert len(err) < 400
    assert sorted(folder.iterdir()) == before


def test_a_mark_and_ends_of_lines_of_other_systems_are_read(capsys):
    text = b'\xef\xbb\xbfmodel = "hopfield"\r\nalpha = [0.05, 0.1]\r\n'
    Path("file.toml").write_bytes(text)
    assert call(capsys, "solve", "hopfield", "--config", "file.toml", "-o", "run")[0] == 0
    Path("file.toml").write_bytes(text.replace(b"alpha", b'compute = "solve"\r\n[axes]\r\nalpha'))
    assert call(capsys, "sweep", "file.toml", "-p", 1)[0] == 0


def test_too_many_points_are_refused_up_front(capsys, folder):
    for text, word in (
        ('[axes]\nlr = "0.1:1:10000"\nseed = "0:9999:10000"', "points = '10000 x 10000'"),
        ('[axes]\nlr = "0.1:1:100000000"', "lr = "),
        ('[random]\npoints = 100000000\nlr = "0.1:1"', "random.points = 100000000"),
        ('[axes]\nlr = "0.1:1:1000000000000000000"', "lr = "),
    ):
        Path("study.toml").write_text(GOOD + text)
        code, out, err = call(capsys, "sweep", "study.toml")
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert word in err
    assert [p.name for p in folder.iterdir()] == ["study.toml"]
    code, _, err = call(capsys, "simulate", "perceptron", "-t", "0:1:1000000000:lin")
    assert (code, err.count("\n")) == (2, 1)


def test_the_archive_of_the_store_is_one_with_a_comment(tmp_path):
    """Which ends as zipfile has it."""
    from tsphys.studies.store import packed

    result = tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.1])
    content = packed("x.npz", result)
    assert struct.unpack("<H", content[-73:-71]) == (71,)
    Path("x.npz").write_bytes(content)
    assert tsphys.load("x.npz") == result


def test_what_is_no_file_is_told(capsys, folder):
    os.mkfifo("pipe")
    os.symlink("loop", "loop")
    for name in (".", "pipe", "loop", "nowhere", "x" * 300, "a\0b"):
        with pytest.raises(tsphys.ModelError, match="file = "):
            tsphys.load(name)
