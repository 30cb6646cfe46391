"""Files that are either whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tsphys.errors import ModelError


def write_atomically(path: str | os.PathLike[str], write: Callable[[IO[bytes]], Any]) -> Path:
    """Let `write` fill a file beside `path`, then rename it; an error leaves what was at `path` untouched."""
    path = Path(path)
    check_folder(path)
    mode = 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def npz(path: str | os.PathLike[str]) -> Path:
    """`path` with the suffix ``.npz``, which is added if there is none."""
    path = Path(path)
    return path if path.suffix == ".npz" or path.is_dir() else path.with_name(path.name + ".npz")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_folder(path: Path) -> None:
    """Raise a ModelError unless a file can be created at `path`."""
    if path.is_dir():
        raise ModelError("output", str(path), "is a folder; name a file")
    if not path.parent.is_dir():
        raise ModelError("output", str(path), f"the folder {str(path.parent)!r} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise ModelError("output", str(path), f"the folder {str(path.parent)!r} cannot be written")
