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


def pictures(path: str | os.PathLike[str], suffixes: tuple[str, ...] = (".pdf", ".png", ".npz")) -> list[Path]:
    """The files of a picture: `path`, less one of the suffixes if it has one, with each of them."""
    path = Path(path)
    if not path.name:
        raise ModelError("output", str(path), "is a folder; name a file")
    stem = path.with_suffix("") if path.suffix in suffixes else path
    return [stem.with_name(stem.name + suffix) for suffix in suffixes]


def check_free(path: Path, force: bool, makes_folder: bool = False) -> None:
    """Raise a ModelError unless a file can be created at `path`, or replaced with `force`.

    With `makes_folder` the folders above it need not be there yet.
    """
    above = path.parent
    while makes_folder and not above.exists() and above != above.parent:
        above = above.parent
    check_folder(path if above == path.parent else above / path.name)
    if path.exists() and not force:
        raise ModelError("output", str(path), "exists; use --force to replace it, or -o for another file")


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
