"""A folder of results, a file a task: whole or not there, checked by SHA-256, shared by any number of processes."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsphys.errors import ModelError
from tsphys.ground.parameters import plain
from tsphys.runs.files import STALE, replacing, write_atomically
from tsphys.runs.result import Result, read

try:
    import fcntl
except ModuleNotFoundError:  # Windows: without claims two processes may do a task twice, to the same result.
    fcntl = None  # type: ignore[assignment]

_MARK = b"sha256:"
_SEAL = len(_MARK) + 64
#: What is left of a file in the making.
_PART = re.compile(r"\.([0-9a-f]{64})\.(npz|failed)\..*\.part")


def _sealed(name: str, body: bytes) -> bytes:
    """A file with its checksum, which is over its name as well: in another place it is not whole."""
    return body + _MARK + hashlib.sha256(name.encode() + b"\0" + body).hexdigest().encode()


def _whole(name: str, content: bytes) -> bool:
    return len(content) > _SEAL and content == _sealed(name, content[:-_SEAL])


def _content(path: Path) -> bytes | None:
    """What is in a file; None if there is none, and nothing in what is no file, as a pipe that would be waited for."""
    with suppress(FileNotFoundError):
        return path.read_bytes() if path.is_file() or not os.path.lexists(path) else b""
    return None


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def packed(name: str, result: Result) -> bytes:
    """A result as the bytes of the file `name`, its checksum as the comment of the archive, so that `load` reads it.

    Raises
    ------
    ValueError
        If the archive does not end as one without a comment does.
    """
    buffer = io.BytesIO()
    result.write(buffer)
    content = buffer.getvalue()
    if content[-22:-18] != b"PK\5\6" or content[-2:] != b"\0\0":
        raise ValueError("this version of zipfile ends its archives in another way")
    return _sealed(name, content[:-2] + struct.pack("<H", _SEAL))


#: Folder -> the open file whose bytes are locked for tasks; it stays open, since closing it would free all locks.
_files: dict[Path, int] = {}
#: Tasks that this process has claimed, whose threads no lock on a file holds apart.
_mine: dict[tuple[int, Path, str], object] = {}


def _claims(folder: Path) -> int | None:
    """The open file of the claims, made anew if the folder was; None where there can be none.

    Raises
    ------
    FileNotFoundError
        If the folder is gone.
    """
    path = folder / "claims"
    with suppress(FileNotFoundError, KeyError):
        if os.path.samestat(os.fstat(_files[folder]), path.stat()):
            return _files[folder]
    try:
        _files[folder] = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        raise
    except OSError:
        # Of another user, or on a file system that cannot be written any more, which the results will tell.
        return None
    return _files[folder]


def folder_of(store: Any) -> Path:
    """The folder that a user names for a store; a ModelError if it is no path."""
    try:
        return Path(store)
    except TypeError:
        raise ModelError("store", store, "must be the path of a folder") from None


@dataclass(frozen=True)
class Store:
    """Where the results of a study are kept.

    A task is known by its key, a hash; ``KEY.npz`` holds its result and ``KEY.failed`` says why there is none.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    def create(self) -> Store:
        """Make the folder if it is not there; a ModelError if that cannot be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError("store", str(self.folder), f"cannot be made ({error.strerror})") from None
        if not os.access(self.folder, os.W_OK):
            raise ModelError("store", str(self.folder), "cannot be written")
        return self

    def tidy(self) -> None:
        """Remove what processes that were killed left half written; what is being written stays."""
        for left in self.folder.glob(".*.part"):
            named = _PART.fullmatch(left.name)
            if named is None:
                continue
            with self._lock(named[1]) as held, suppress(OSError):
                if held or (held is None and time.time() - left.stat().st_mtime > STALE):
                    left.unlink()

    def log(self, record: dict[str, Any]) -> None:
        """Add a line to ``history.jsonl``, which tells who worked on the study and when."""
        path = self.folder / "history.jsonl"
        try:
            # Nobody may read a pipe, which would be waited for.
            with open(path, "a", encoding="utf-8", opener=_at_once) as file:
                file.write(as_json(record) + "\n")
        except OSError as error:
            # Of what is written, no name is told.
            error.filename = error.filename or str(path)
            raise

    def path(self, key: str) -> Path:
        """The file of a task's result."""
        return self.folder / f"{key}.npz"

    def state(self, key: str) -> str:
        """What there is of a task: "done", "failed", "damaged" or "missing"; files are read and checked whole."""
        found = "missing"
        for path, name in ((self.path(key), "done"), (self._failure(key), "failed")):
            content = _content(path)
            if content is not None and _whole(path.name, content):
                return name
            found = found if content is None else "damaged"
        return found

    def result(self, key: str) -> Result | None:
        """The result of a task; None if it is not there, or not whole."""
        path = self.path(key)
        content = _content(path)
        return read(io.BytesIO(content), path) if content is not None and _whole(path.name, content) else None

    def failure(self, key: str) -> str:
        """Why a task that failed has no result."""
        return self._why(key)["message"]

    def error(self, key: str) -> str:
        """Name of the error with which a task failed; empty if it did not."""
        return self._why(key)["error"] if self.state(key) == "failed" else ""

    def _why(self, key: str) -> dict[str, str]:
        return json.loads(self._failure(key).read_bytes()[:-_SEAL])

    def keep(self, key: str, result: Result) -> None:
        """Write the result of a task."""
        path = self.path(key)
        self._write(path, packed(path.name, result))
        self._failure(key).unlink(missing_ok=True)

    def keep_failure(self, key: str, error: Exception) -> None:
        """Write that a task has no result, and why."""
        path = self._failure(key)
        self._write(
            path, _sealed(path.name, json.dumps({"error": type(error).__name__, "message": str(error)}).encode())
        )
        self.path(key).unlink(missing_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        for last in (False, False, True):
            if not self.folder.is_dir():
                raise FileNotFoundError(errno.ENOENT, "the folder is gone", str(self.folder))
            try:
                with replacing(True):
                    write_atomically(path, lambda file: file.write(content))
                return
            except FileNotFoundError:
                # Another machine, which our locks do not reach, has tidied it away in the making.
                if last:
                    raise

    def _failure(self, key: str) -> Path:
        return self.folder / f"{key}.failed"

    @contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Whether this process has the task to itself, until it leaves the block or dies.

        The claim is a lock on a byte of one file, which the system frees when a process ends, however it ends. On file
        systems without locks every claim is granted: tasks may then be done twice, and the last one writes the same.
        """
        with self._lock(key) as held:
            yield held is not False

    @contextmanager
    def _lock(self, key: str) -> Iterator[bool | None]:
        """Whether the task is locked by this thread; None where nobody can tell."""
        folder, mine = Path(os.path.realpath(self.folder)), object()
        name = (os.getpid(), folder, key)
        if _mine.setdefault(name, mine) is not mine:
            yield False
            return
        try:
            with _byte_locked(folder, int(key[:15], 16)) as held:
                yield held
        finally:
            del _mine[name]


@contextmanager
def _byte_locked(folder: Path, byte: int) -> Iterator[bool | None]:
    file = None if fcntl is None else _claims(folder)
    if file is None:
        yield None
        return
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except OSError as error:
        yield False if isinstance(error, BlockingIOError | PermissionError) else None
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)


def as_json(value: Any) -> str:
    """A value as text that is the same for equal values: sorted keys, no spaces, floats to the last digit."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    import numpy as np

    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if callable(value):
        return plain(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def digest(value: Any) -> str:
    """SHA-256 of `as_json`, in hexadecimal."""
    return hashlib.sha256(as_json(value).encode()).hexdigest()
