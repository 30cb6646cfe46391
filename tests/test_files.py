"""Files: whole or not there, and in no other file's place; what was computed is never lost."""

import dataclasses
import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

import tsphys
from tests.command import call
from tsphys.cli.options import tell_written
from tsphys.runs import files
from tsphys.runs.files import TakenError, replacing, write_atomically, write_together

RUN = ("-N", "20", "-t", "0,0.1", "-r", "2")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text(words):
    return lambda file: file.write(words.encode())


def content(folder):
    return {p.name: p.read_bytes() for p in Path(folder).iterdir()}


def no_links(*_, **__):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("links", [True, False])
def test_the_first_has_the_place_and_the_second_stands_beside(folder, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    write_atomically("run.npz", text("first"), replace=False)
    for n in (2, 3):
        with pytest.raises(TakenError, match=f"exists: .* wrote 'run-{n}.npz'") as caught:
            write_atomically("run.npz", text(f"number {n}"), replace=False)
        assert caught.value.beside == (Path(f"run-{n}.npz"),)
    assert content(".") == {"run.npz": b"first", "run-2.npz": b"number 2", "run-3.npz": b"number 3"}
    write_atomically("run.npz", text("last"), replace=True)
    assert content(".")["run.npz"] == b"last"


def test_what_belongs_together_stays_together():
    Path("a.png").write_bytes(b"mine")
    Path("a-2.pdf").write_bytes(b"mine too")
    with replacing(False), pytest.raises(TakenError):
        write_together({Path("a.pdf"): text("pdf"), Path("a.png"): text("png")})
    assert content(".") == {"a.png": b"mine", "a-2.pdf": b"mine too", "a-3.pdf": b"pdf", "a-3.png": b"png"}


def test_a_failure_leaves_everything_as_it_was():
    Path("a.pdf").write_bytes(b"before")

    def full(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for replace in (True, False):
        with pytest.raises(OSError, match=r"No space.*a\.png"):
            write_together({Path("a.pdf"): text("pdf"), Path("a.png"): full}, replace=replace)
        assert content(".") == {"a.pdf": b"before"}
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically("no/such/folder", text("x"))
    assert caught.value.filename == "no/such/folder"


def test_places_that_cannot_be_written_are_found_before_the_work(capsys, monkeypatch):
    """Also where permissions say nothing of it: to the superuser, on shares of others, in names that are too long."""
    monkeypatch.setattr(tsphys, "simulate", None)

    def refused(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for path in ("y" * 300, "z/" * 3000 + "run", "run"):
        with monkeypatch.context() as patch:
            if path == "run":
                patch.setattr(files, "_begun", refused)
            for command in (("simulate", "two_layer", *RUN, "-o", path), ("figure", "opposing_signals", "-o", path)):
                code, _, err = call(capsys, *command)
                assert (code, err.count("\n")) == (2, 1), err
                assert "output = " in err
    assert content(".") == {}


@pytest.mark.parametrize("locks", [True, False])
def test_what_a_killed_command_left_goes_and_what_is_in_the_making_stays(monkeypatch, locks):
    if not locks:
        monkeypatch.setattr(files.fcntl, "flock", no_links)
    left = [Path(f".{name}.0123abcd.part") for name in ("run.npz", "run.npz.npz", "x" * 40)]
    for file in left:
        file.write_bytes(b"half")

    def fill(file):
        for path in ("run.npz", "x" * 250):
            files.check_folder(Path(path))
        assert [p.exists() for p in left] == ([False, True, False] if locks else [True, True, True])
        file.write(b"whole")

    write_atomically("run.npz", fill)
    if not locks:
        os.utime(left[0], times=(0, 0))
        files.check_folder(Path("run.npz"))
        assert not left[0].exists()
    assert content(".")["run.npz"] == b"whole"
    assert len(content(".")) == (2 if locks else 3)


def test_permissions_are_those_of_new_files_and_nothing_is_asked_for(monkeypatch):
    """File systems without permissions refuse chmod; and to read the mask of new files is to set it for all threads."""

    def refused(*_, **__):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "chmod", refused)
            patch.setattr(os, "umask", refused)
            write_atomically("run.npz", text("x"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("run.npz").stat().st_mode) == 0o640


def test_file_systems_that_cannot_sync_keep_the_run(monkeypatch):
    def refused(_):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refused)
    assert write_atomically("run.npz", text("x")).read_bytes() == b"x"


def test_long_names_are_written_or_refused_before_the_run(capsys):
    name = "x" * 240 + ".npz"
    tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.1]).save(name)
    assert Path(name).exists()
    code, _, err = call(capsys, "simulate", "two_layer", *RUN, "-o", "x" * 250 + ".npz")
    assert (code, err.count("\n")) == (2, 1)
    with pytest.raises(tsphys.ModelError, match="no name of a file"):
        tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.1]).save("a\0b")


@pytest.mark.parametrize("name", ["foo.csv", "foo.NC", "foo.h5", "foo.txt", "foo.pkl", "foo.npy"])
def test_other_formats_are_refused(capsys, name):
    result = tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.1])
    with pytest.raises(tsphys.ModelError, match=r"must end in \.npz"):
        result.save(name)
    for verb in ("simulate", "compare"):
        code, _, err = call(capsys, verb, "two_layer", *RUN, "-o", name)
        assert (code, err.count("\n")) == (2, 1)
    code, _, err = call(capsys, "figure", "two_layer", "-o", name)
    assert (code, err.count("\n")) == (2, 1)
    assert list(Path().iterdir()) == []


def test_dots_in_names_are_no_formats():
    result = tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.1])
    for name, written in (("run-0.5", "run-0.5.npz"), ("v1.final", "v1.final.npz"), ("a.npz", "a.npz")):
        assert result.save(name) == Path(written)
    assert {str(p) for p in files.pictures("lr=0.1")} == {"lr=0.1.pdf", "lr=0.1.png", "lr=0.1.npz"}


def overtaken(monkeypatch, path):
    """Another command writes `path` while this one computes."""
    ordinary = files._fill
    others = []

    def fill(part, write):
        if not others and path.suffix in part.suffixes:
            others.append(path.write_bytes(b"another's"))
        ordinary(part, write)

    monkeypatch.setattr(files, "_fill", fill)


COMMANDS = {
    "simulate": (("simulate", "two_layer", *RUN, "-o", "run"), "run.npz", {"run-2.npz"}),
    "solve": (("solve", "hopfield", "--alpha", "0.05,0.1", "-o", "run"), "run.npz", {"run-2.npz"}),
    "compare": (
        ("compare", "two_layer", *RUN, "-o", "run"),
        "run-theory.npz",
        {"run-simulation-2.npz", "run-theory-2.npz"},
    ),
    "plot": (("plot", "given.npz", "-o", "run"), "run.png", {"run-2.pdf", "run-2.png", "run-2.npz"}),
    "collect": (("sweep", "collect", "study.toml", "-o", "run.npz"), "run.npz", {"run-2.npz"}),
    "diverged": (
        ("simulate", "two_layer", "-g", "linear", "--lr", 20, "-N", 20, "-t", "0,0.1,100", "-r", 1, "-o", "run"),
        "run.npz",
        {"run-2.npz"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COMMANDS)
@pytest.mark.parametrize("force", [False, True])
def test_two_commands_at_once_do_not_overwrite_each_other(capsys, monkeypatch, case, force):
    arguments, taken, beside = COMMANDS[case]
    tsphys.solve(tsphys.Hopfield(T=0.0), alpha=[0.05, 0.1]).save("given")
    if case == "collect":
        Path("study.toml").write_text('model = "hopfield"\ncompute = "solve"\n[axes]\nalpha = [0.05, 0.1]')
        assert call(capsys, "sweep", "study.toml", "-p", 1, "-q")[0] == 0
    overtaken(monkeypatch, Path(taken))
    code, out, err = call(capsys, *arguments, *(("--force",) if force else ()))
    found = {p.name for p in Path().glob("run*")}
    if force:
        assert code == (1 if case == "diverged" else 0), err
        assert Path(taken).read_bytes() != b"another's"
        assert not found & beside
        return
    assert code == (1 if case == "diverged" else 2), (out, err)
    assert Path(taken).read_bytes() == b"another's"
    assert found == {taken, *beside}
    assert err.count("\n") == 1
    assert next(iter(beside)) in err
    if case != "plot":
        assert all(tsphys.load(name).observables for name in beside)


def test_suffixes_of_a_collected_study_are_named(capsys):
    Path("study.toml").write_text('model = "hopfield"\ncompute = "solve"\n[axes]\nalpha = [0.05, 0.1]')
    code, _, err = call(capsys, "sweep", "collect", "study.toml", "-o", "st.txt")
    assert (code, err.count("\n")) == (2, 1)
    assert "output = 'st.txt': must end in .npz or .nc, or have no suffix" in err


def test_two_runs_at_once_keep_their_finished_replicas_apart(capsys, monkeypatch):
    """Of two commands with one output, both are interrupted, and each goes on from its own replicas."""
    from tsphys.runs import replicas

    ordinary = replicas.over_replicas

    def interrupted(work, todo, *, finished, **options):
        def some(replica, outcome):
            finished(replica, outcome)
            raise KeyboardInterrupt

        # Another command has begun before this one looked for its file.
        tsphys.load("other.npz").save("run.partial")
        ordinary(work, todo, finished=some, **{**options, "threads": 1})

    tsphys.simulate(tsphys.TwoLayer(), N=30, t=[0.1]).save("other")
    arguments = ("simulate", "two_layer", "-N", 20, "-t", "0,0.1,0.5", "-r", 4, "-o", "run.npz")
    monkeypatch.setattr("tsphys.sims.engines.online.simulation.over_replicas", interrupted)
    assert call(capsys, *arguments)[0] == 130
    assert tsphys.load("run.partial.npz").meta["N"] == 30
    assert tsphys.load("run.partial-2.npz").meta["replica_ids"] == [0]
    monkeypatch.setattr("tsphys.sims.engines.online.simulation.over_replicas", ordinary)
    code, _, err = call(capsys, *arguments)
    assert code == 0, err
    assert "going on from 1 finished replicas in run.partial-2.npz" in err
    assert {p.name for p in Path().glob("run*")} == {"run.npz", "run.partial.npz"}
    whole = tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0, 0.1, 0.5], replicas=4)
    np.testing.assert_array_equal(tsphys.load("run.npz")["Q"], whole["Q"])


def test_a_disk_that_is_full_for_a_moment_does_not_end_a_run(capsys, monkeypatch):
    monkeypatch.setattr("tsphys.runs.checkpoint.EVERY", -1.0)
    ordinary = files._fill

    def full(part, write):
        if "partial" in part.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        ordinary(part, write)

    monkeypatch.setattr(files, "_fill", full)
    code, out, err = call(capsys, "simulate", "two_layer", *RUN, "-o", "run.npz")
    assert code == 0
    assert "could not be kept: No space left on device" in err
    assert "wrote run.npz" in out


def test_a_partial_file_of_another_kind_is_refused(capsys):
    tsphys.solve(tsphys.TwoLayer(), t=[0, 1]).save("run.partial.npz")
    arguments = ("simulate", "two_layer", *RUN, "-o", "run.npz")
    code, _, err = call(capsys, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert "unfinished run = 'run.partial.npz'" in err
    assert "going on" not in err
    before = Path("run.partial.npz").read_bytes()
    code, _, err = call(capsys, *arguments, "--force")
    assert (code, err) == (0, "starting anew, run.partial.npz stays as it is\n")
    assert Path("run.partial.npz").read_bytes() == before


@pytest.mark.parametrize("stranger", ["model", "text"])
def test_force_deletes_no_file_that_is_no_unfinished_run_of_the_model(capsys, monkeypatch, stranger):
    monkeypatch.setattr("tsphys.runs.checkpoint.EVERY", -1.0)
    if stranger == "model":
        tsphys.simulate(tsphys.Perceptron(), N=20, t=[0.1], replicas=1).save("run.partial.npz")
    else:
        Path("run.partial.npz").write_bytes(b"precious")
    before = Path("run.partial.npz").read_bytes()
    code, _, err = call(capsys, "simulate", "two_layer", *RUN, "-o", "run", "--force")
    assert (code, err) == (0, "starting anew, run.partial.npz stays as it is\n")
    assert {p.name for p in Path().glob("run*")} == {"run.npz", "run.partial.npz"}
    assert Path("run.partial.npz").read_bytes() == before


@pytest.mark.parametrize("verb", ["simulate", "compare"])
@pytest.mark.parametrize("output", ["run.partial.npz", "run.partial", "run.partial-2.npz"])
def test_no_result_is_called_like_an_unfinished_run(capsys, verb, output):
    code, out, err = call(capsys, verb, "two_layer", *RUN, "-o", output, "--force")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is the name of an unfinished run" in err
    assert not list(Path().iterdir())


def test_replicas_that_fewer_are_asked_for_than_is_finished_are_kept(capsys, monkeypatch):
    monkeypatch.setattr("tsphys.runs.checkpoint.EVERY", -1.0)
    options = {"N": 20, "t": [0, 0.1]}
    some = tsphys.simulate(tsphys.TwoLayer(), **options, replicas=4)
    some = dataclasses.replace(
        some,
        data={**some.data, **{k: some[k][[0, 2, 3]] for k in some.observables}},
        meta={**some.meta, "replica_ids": [0, 2, 3]},
    )
    some.save("run.partial.npz")
    code, _, err = call(capsys, "simulate", "two_layer", *RUN, "-o", "run")
    assert code == 0, err
    assert "going on from 1 finished replicas in run.partial.npz\n" in err
    assert "run.partial.npz stays: it holds more replicas" in err
    assert {p.name for p in Path().glob("run*")} == {"run.npz", "run.partial.npz"}
    assert tsphys.load("run.partial.npz") == some
    whole = tsphys.simulate(tsphys.TwoLayer(), **options, replicas=2)
    np.testing.assert_array_equal(tsphys.load("run.npz")["Q"], whole["Q"])


def test_going_on_is_said_only_where_it_is_done(capsys):
    tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0, 0.1], replicas=1).save("run.partial.npz")
    arguments = ("simulate", "two_layer", *RUN, "--lr", 0.3, "-o", "run")
    code, _, err = call(capsys, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert "holds another run" in err
    code, _, err = call(capsys, *arguments, "--force")
    assert (code, err) == (0, "starting anew, run.partial.npz is of no use here\n")
    assert {p.name for p in Path().glob("run*")} == {"run.npz"}


def test_going_on_to_a_precision_is_said_once(capsys):
    tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0, 0.1], replicas=2).save("run.partial.npz")
    precise = ("--until-sem", 1e-3, "--most-replicas", 40)
    code, _, err = call(capsys, "simulate", "two_layer", *RUN, *precise, "-o", "run")
    assert (code, err) == (0, "going on from 2 finished replicas in run.partial.npz\n")


def test_a_run_of_another_version_is_not_gone_on_with(monkeypatch):
    part = tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0.1], replicas=2)
    part.meta["versions"] = {**part.meta["versions"], "tsphys": "0.0.9"}
    with pytest.raises(tsphys.ModelError, match="version of tsphys"):
        tsphys.simulate(tsphys.TwoLayer(), N=20, t=[0.1], replicas=3, resume=part)


@pytest.mark.parametrize("ids", [None, 2, [0], [0, 0], [0, -1], [0.0, 1.0], ["0", "1"], [True, False]])
def test_replicas_that_are_not_told_apart_are_not_gone_on_with(ids):
    part = tsphys.simulate(tsphys.Hopfield(T=0.5), N=100, T=[0.3], sweeps=4, equilibration=1, replicas=2)
    part.meta["replica_ids"] = ids
    with pytest.raises(tsphys.ModelError, match="resume = "):
        tsphys.simulate(tsphys.Hopfield(T=0.5), N=100, T=[0.3], sweeps=4, equilibration=1, replicas=3, resume=part)


def test_resumed_observables_are_those_of_the_run():
    """Of other shapes or kinds they would be cut, or zero, without a word."""
    model, options = tsphys.Hopfield(T=0.5), {"N": 100, "T": [0.3, 0.4], "sweeps": 4, "equilibration": 1}
    part = tsphys.simulate(model, **options, replicas=2)
    name = part.observables[0]
    for data in (
        {k: v for k, v in part.data.items() if k != name},
        {**part.data, "more": part[name]},
        {**part.data, name: part[name][..., None]},
        {**part.data, name: part[name][:, :1]},
        {**part.data, name: part[name].astype(complex)},
    ):
        with pytest.raises(tsphys.ModelError, match="resume = "):
            tsphys.simulate(model, **options, replicas=3, resume=dataclasses.replace(part, data=data))


def test_what_is_written_is_told_on_one_line(capsys):
    tell_written("a.npz", "b\nc.npz")
    tell_written(Path("d\x1b.npz"))
    assert capsys.readouterr().out == "wrote a.npz and b\\nc.npz\nwrote d\\x1b.npz\n"
