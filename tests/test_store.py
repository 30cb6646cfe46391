"""The store of a study where things go wrong: no locks, other hosts, folders that vanish, files exchanged."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import tsphys
from tests.command import call
from tsphys.studies import store as stores
from tsphys.studies.collection import collect
from tsphys.studies.store import Store
from tsphys.studies.study import study
from tsphys.studies.sweep import Serial, status, sweep

ROOT = Path(__file__).resolve().parents[1]
TEXT = 'model = "hopfield"\ncompute = "solve"\nT = 0\n[axes]\nalpha = [0.02, 0.05, 0.1, 0.2]'
STUDY = study({"model": "hopfield", "compute": "solve", "T": 0.0, "axes": {"alpha": [0.02, 0.05, 0.1, 0.2]}})
KEYS = [task.key for task in STUDY.tasks()]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The study done: three results, and a failure beyond the spinodal."""
    kept = tmp_path_factory.mktemp("done")
    assert str(sweep(STUDY, kept)) == "3 of 4 tasks done, 1 failed"
    return kept


@pytest.fixture
def kept(done):
    shutil.copytree(done, "kept")
    return Path("kept")


def content(kept):
    return {p.name: p.read_bytes() for p in Path(kept).iterdir() if p.suffix in (".npz", ".failed")}


def test_results_in_each_others_place_are_found_and_computed_again(kept):
    """Also a failure under another name, and contents under the other suffix."""
    right = content(kept)
    first, second, _, failed = KEYS
    (kept / f"{first}.npz").write_bytes(right[f"{second}.npz"])
    (kept / f"{second}.npz").unlink()
    (kept / f"{second}.failed").write_bytes(right[f"{failed}.failed"])
    (kept / f"{failed}.failed").write_bytes(right[f"{second}.npz"])
    assert str(status(STUDY, kept)) == "1 of 4 tasks done, 3 damaged"
    with pytest.raises(tsphys.ModelError, match="3 of 4 tasks have no result"):
        collect(STUDY, kept)
    assert str(sweep(STUDY, kept)) == "3 of 4 tasks done, 1 failed"
    assert content(kept) == right


def test_stray_files_are_left_alone(kept):
    strays = [".foo.part", ".part", f".{'z' * 64}.npz.1.part", f".{KEYS[0]}.txt.1.part", ".é.part"]
    for name in strays:
        (kept / name).write_bytes(b"not ours")
    left = kept / f".{KEYS[0]}.npz.1a2b.part"
    left.write_bytes(b"PK")
    sweep(STUDY, kept)
    assert not left.exists()
    assert all((kept / name).exists() for name in strays)


def test_what_is_no_file_in_the_place_of_a_result_is_damaged_and_written_anew(kept):
    """Nobody writes to a pipe, which would be waited for without end."""
    right, (first, second, *_) = content(kept), KEYS
    for key in (first, second):
        (kept / f"{key}.npz").unlink(missing_ok=True)
    os.mkfifo(kept / f"{first}.npz")
    (kept / f"{second}.npz").symlink_to("nowhere")
    assert (Store(kept).state(first), Store(kept).state(second)) == ("damaged", "damaged")
    assert Store(kept).result(first) is None
    sweep(STUDY, kept)
    assert content(kept) == right


def test_a_store_that_cannot_be_one_is_told_in_one_line(capsys):
    """Links in a circle; and a history that is a pipe nobody reads."""
    Path("study.toml").write_text(TEXT)
    Path("circle").symlink_to("circle")
    code, _, err = call(capsys, "sweep", "study.toml", "-p", 1, "--store", "circle")
    assert (code, err.count("\n")) == (2, 1), err
    Path("kept").mkdir()
    os.mkfifo("kept/history.jsonl")
    code, _, err = call(capsys, "sweep", "study.toml", "-p", 1, "--store", "kept")
    assert (code, err.count("\n")) == (1, 1), err
    assert "history.jsonl" in err


LOCKS = {"none": None, "refused": errno.ENOLCK, "not supported": errno.EOPNOTSUPP}


@pytest.fixture
def locks(request, monkeypatch):
    """File systems without locks."""
    if LOCKS[request.param] is None:
        monkeypatch.setattr(stores, "fcntl", None)
        return

    def lockf(*_):
        raise OSError(LOCKS[request.param], os.strerror(LOCKS[request.param]))

    monkeypatch.setattr(stores.fcntl, "lockf", lockf)


@pytest.mark.parametrize("locks", LOCKS, indirect=True)
def test_without_locks_files_in_the_making_stay(kept, locks):
    live, old = (kept / f".{KEYS[0]}.npz.{n}.part" for n in ("live", "old"))
    live.write_bytes(b"PK")
    old.write_bytes(b"PK")
    os.utime(old, times=(time.time() - 2 * stores.STALE,) * 2)
    sweep(STUDY, kept)
    assert live.exists()
    assert not old.exists()


@pytest.mark.parametrize("locks", LOCKS, indirect=True)
def test_without_locks_the_results_are_the_same(done, locks):
    with ThreadPoolExecutor(2) as pool:
        assert str(sweep(STUDY, "new", executor=pool)) == "3 of 4 tasks done, 1 failed"
    assert content("new") == content(done)


def test_a_file_that_is_tidied_away_in_the_making_is_written_again(done, monkeypatch):
    """Where locks end at a machine, another one cannot know."""
    ordinary, removed = os.replace, []

    def replace(part, path):
        if len(removed) < 2:
            removed.append(Path(part).unlink())
        ordinary(part, path)

    monkeypatch.setattr(os, "replace", replace)
    assert str(sweep(STUDY, "new")) == "3 of 4 tasks done, 1 failed"
    assert content("new") == content(done)


class Vanishing(Serial):
    """After so many tasks the folder is gone, or is another one."""

    def __init__(self, after, then):
        self.left, self.then = after, then

    def submit(self, function, *arguments):
        if self.left == 0:
            self.then()
        self.left -= 1
        return super().submit(function, *arguments)


def gone():
    shutil.rmtree("kept")


def another():
    shutil.rmtree("kept")
    Path("kept").mkdir()


@pytest.mark.parametrize("then", [gone, another])
@pytest.mark.parametrize("after", [1, 3])
def test_a_store_that_vanishes_is_told(done, after, then):
    with pytest.raises(OSError, match="the same command goes on") as caught:
        sweep(STUDY, "kept", executor=Vanishing(after, then))
    assert caught.value.filename == str(Path("kept").resolve())
    assert str(sweep(STUDY, "kept")) == "3 of 4 tasks done, 1 failed"
    assert content("kept") == content(done)


def test_a_store_that_vanishes_is_told_by_the_command(capsys, monkeypatch):
    from tsphys.cli import sweep as command

    Path("study.toml").write_text(TEXT)

    def executor(*_):
        from contextlib import nullcontext

        return nullcontext(Vanishing(3, gone))

    monkeypatch.setattr(command, "_executor", executor)
    code, out, err = call(capsys, "sweep", "study.toml", "--store", "kept")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "the same command goes on" in err


def test_claims_are_those_of_the_folder_that_is_there():
    """A folder that is deleted and made again has claims of its own, which other processes see."""
    kept = Store(Path("kept").resolve()).create()
    with kept.claim(KEYS[0]) as mine:
        assert mine
    another()
    code = (
        "import sys; from pathlib import Path; from tsphys.studies.store import Store\n"
        f"with Store(Path('kept').resolve()).claim('{KEYS[0]}') as mine: print(mine)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with kept.claim(KEYS[0]) as mine:
        assert mine
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        assert out.stdout == "False\n"


def test_threads_of_one_process_have_claims_of_their_own():
    kept = Store(Path("kept").resolve()).create()
    part = kept.folder / f".{KEYS[0]}.npz.1.part"
    part.write_bytes(b"PK")
    found = []

    def other():
        with Store(Path("kept")).claim(KEYS[0]) as mine:
            found.append(mine)
        kept.tidy()

    with kept.claim(KEYS[0]) as mine:
        assert mine
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert part.exists()
    with kept.claim(KEYS[0]) as mine:
        assert mine
    assert found == [False]


def test_claims_that_belong_to_another_user_stop_nobody(done, monkeypatch):
    ordinary = os.open

    def refused(path, *arguments, **options):
        if str(path).endswith("claims"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return ordinary(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refused)
    assert str(sweep(STUDY, "new")) == "3 of 4 tasks done, 1 failed"
    assert content("new") == content(done)


def test_file_systems_that_refuse_permissions_keep_every_result(done, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", refused)
    monkeypatch.setattr(os, "link", refused)
    assert str(sweep(STUDY, "new")) == "3 of 4 tasks done, 1 failed"
    assert content("new") == content(done)
