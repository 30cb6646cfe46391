"""A folder of results, a file a task: whole or not there, checked by SHA-256, shared by any number of processes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tsphys.errors import ModelError
from tsphys.ground.parameters import plain
from tsphys.runs.files import write_atomically
from tsphys.runs.result import Result, load

try:
    import fcntl
except ModuleNotFoundError:  # Windows: without claims two processes may do a task twice, to the same result.
    fcntl = None  # type: ignore[assignment]

_MARK = b"sha256:"
_SEAL = len(_MARK) + 64


def _sealed(body: bytes) -> bytes:
    return body + _MARK + hashlib.sha256(body).hexdigest().encode()


def _whole(content: bytes) -> bool:
    return len(content) > _SEAL and content == _sealed(content[:-_SEAL])


def packed(result: Result) -> bytes:
    """A result as the bytes of its file, with the checksum as the comment of the archive, so that `load` reads it.

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
    return _sealed(content[:-2] + struct.pack("<H", _SEAL))


@cache
def _claims(folder: Path) -> int | None:
    """The open file whose bytes are locked for tasks; it stays open, since closing it would free all locks."""
    if fcntl is None:
        return None
    return os.open(folder / "claims", os.O_RDWR | os.O_CREAT, 0o666)


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
            with self.claim(left.name[1:].split(".")[0]) as mine:
                if mine and fcntl is not None:
                    left.unlink(missing_ok=True)

    def log(self, record: dict[str, Any]) -> None:
        """Add a line to ``history.jsonl``, which tells who worked on the study and when."""
        with (self.folder / "history.jsonl").open("a", encoding="utf-8") as file:
            file.write(as_json(record) + "\n")

    def path(self, key: str) -> Path:
        """The file of a task's result."""
        return self.folder / f"{key}.npz"

    def state(self, key: str) -> str:
        """What there is of a task: "done", "failed", "damaged" or "missing"; files are read and checked whole."""
        found = "missing"
        for path, name in ((self.path(key), "done"), (self._failure(key), "failed")):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            if _whole(content):
                return name
            found = "damaged"
        return found

    def result(self, key: str) -> Result:
        """The result of a task that is done."""
        return load(self.path(key))

    def failure(self, key: str) -> str:
        """Why a task that failed has no result."""
        return json.loads(self._failure(key).read_bytes()[:-_SEAL])["message"]

    def keep(self, key: str, result: Result) -> None:
        """Write the result of a task."""
        content = packed(result)
        write_atomically(self.path(key), lambda file: file.write(content))
        self._failure(key).unlink(missing_ok=True)

    def keep_failure(self, key: str, error: Exception) -> None:
        """Write that a task has no result, and why."""
        content = _sealed(json.dumps({"error": type(error).__name__, "message": str(error)}).encode())
        write_atomically(self._failure(key), lambda file: file.write(content))
        self.path(key).unlink(missing_ok=True)

    def _failure(self, key: str) -> Path:
        return self.folder / f"{key}.failed"

    @contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Whether this process has the task to itself, until it leaves the block or dies.

        The claim is a lock on a byte of one file, which the system frees when a process ends, however it ends. On file
        systems without locks every claim is granted: tasks may then be done twice, and the last one writes the same.
        """
        file = _claims(self.folder.resolve())
        if file is None:
            yield True
            return
        byte = int(key[:15], 16)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):
            yield False
            return
        except OSError:
            yield True
            return
        try:
            yield True
        finally:
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
