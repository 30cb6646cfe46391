"""Files that are either whole or not there, and that take no other file's place unless they may."""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

from tsphys.errors import ModelError
from tsphys.runs.stopping import held

try:
    import fcntl
except ModuleNotFoundError:  # Windows: what was killed in the making of a file leaves it there for a day.
    fcntl = None  # type: ignore[assignment]

Fill = Callable[[IO[bytes]], Any]

#: Whether files that exist are replaced where the caller does not say: what draws lies too deep to be told.
_replace: ContextVar[bool] = ContextVar("replace", default=True)

#: Names of other formats; a dot elsewhere in a name, as in run-0.5, is part of it.
_OTHERS = (
    ".bin .bz2 .csv .dat .eps .feather .gif .gz .h5 .hdf .hdf5 .htm .html .ipynb .jpeg .jpg .json .jsonl .log .mat .md "
    ".mp4 .nc .npy .npz .parquet .pdf .pickle .pkl .png .ps .py .svg .tar .tex .tif .tiff .toml .tsv .txt .webp .xls "
    ".xlsx .xml .xz .yaml .yml .zarr .zip"
)


#: Seconds after which a file in the making is left for good, where no lock tells.
STALE = 86400.0


class TakenError(ModelError):
    """The place of files was taken at the last moment; `beside` is where they stand instead."""

    beside: tuple[Path, ...] = ()


@contextmanager
def replacing(replace: bool) -> Iterator[None]:
    """Let files that are written within take the place of others, or not."""
    token = _replace.set(replace)
    try:
        yield
    finally:
        _replace.reset(token)


def write_atomically(path: str | os.PathLike[str], write: Fill, *, replace: bool | None = None) -> Path:
    """Let `write` fill a file, which then stands at `path` whole, or does not; see `write_together`."""
    return write_together({Path(path): write}, replace=replace)[0]


@held()
def write_together(contents: Mapping[Path, Fill], *, replace: bool | None = None) -> list[Path]:
    """Write several files, which come to their places when all of them are whole.

    Parameters
    ----------
    contents : mapping of Path to callable
        What fills each of them, given an open file.
    replace : bool, optional
        Whether they may take the place of other files. If not, the last moment decides, so that of two processes that
        write to one place the first has it; what the second has found stands beside it under another name.

    Raises
    ------
    TakenError
        If a file is there and `replace` is false; it says where the new one stands.
    OSError
        If they cannot be written; what was there before stays as it was.
    """
    replace = _replace.get() if replace is None else replace
    parts: dict[Path, Path] = {}
    making = ExitStack()
    try:
        for path, write in contents.items():
            parts[path] = _begun(path, making)
            _fill(parts[path], write)
        if replace:
            for path, part in parts.items():
                os.replace(part, path)
        elif not _placed(parts):
            raise _beside(parts)
    except OSError as error:
        # Of the place, not of the file in the making; what is written to one has no name at all.
        made = {str(part): str(path) for path, part in parts.items()}
        error.filename, error.filename2 = made.get(str(error.filename), error.filename or str(path)), None
        raise
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)
        making.close()
    return list(contents)


def _begun(path: Path, making: ExitStack) -> Path:
    """A new file beside `path`, locked as long as it is in the making."""
    while True:
        part = path.with_name(f".{_short(path)}.{secrets.token_hex(4)}.part")
        try:
            file = making.enter_context(part.open("xb"))
        except OSError as error:
            error.filename = str(path)
            raise
        if fcntl is None:
            # An open file could not be moved.
            file.close()
            return part
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        # Unless another process has tidied it away before it was locked.
        if os.fstat(file.fileno()).st_nlink:
            return part


def _short(path: Path) -> str:
    """The name of a file, shorter if another with more letters would be longer than file systems allow."""
    return path.name if len(os.fsencode(path.name)) < 200 else path.name[:40]


def tidy(path: Path) -> None:
    """Remove what processes that were killed have left of files in the making at `path`; what is being made stays."""
    ours = re.compile(rf"\.{re.escape(_short(path))}\.[0-9a-f]{{8}}\.part")
    with suppress(OSError):
        for name in filter(ours.fullmatch, os.listdir(path.parent)):
            _remove_left(path.with_name(name))


def _remove_left(part: Path) -> None:
    with suppress(OSError):
        try:
            if fcntl is None:
                raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
            with open(part, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
        except BlockingIOError:
            return
        except OSError:
            if time.time() - part.lstat().st_mtime > STALE:
                part.unlink()


def _fill(part: Path, write: Fill) -> None:
    with open(part, "wb") as file:
        write(file)
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError as error:
            # Some file systems cannot promise; that they have no room left they do tell.
            if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
                raise


def _placed(parts: Mapping[Path, Path]) -> bool:
    """Bring all parts to their places, or none if one of these is taken."""
    done: list[Path] = []
    for path, part in parts.items():
        try:
            _link(part, path)
        except FileExistsError:
            for mine in done:
                os.replace(mine, parts[mine])
            return False
        done.append(path)
    return True


def _link(part: Path, path: Path) -> None:
    """Rename `part` to `path`; a FileExistsError if something is there."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        # No links on this file system: whoever makes the empty file may replace it.
        open(path, "xb").close()
        os.replace(part, path)
    else:
        part.unlink()


def _beside(parts: Mapping[Path, Path]) -> TakenError:
    """Bring all parts beside their places, and tell where."""
    taken = next(path for path in parts if os.path.lexists(path))
    n = 2
    while not _placed(beside := {p.with_name(f"{p.stem}-{n}{p.suffix}"): part for p, part in parts.items()}):
        n += 1
    names = " and ".join(repr(str(path)) for path in beside)
    error = TakenError("output", str(taken), f"exists: another process wrote it meanwhile; this one wrote {names}")
    error.beside = tuple(beside)
    return error


def npz(path: str | os.PathLike[str], *others: str) -> Path:
    """`path` with suffix ``.npz``, which is added if there is none; a ModelError if it has that of another format.

    The suffixes of `others` are as good.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".npz", *others) or os.path.isdir(path):
        return path
    if suffix in _OTHERS.split():
        raise ModelError("output", str(path), f"must end in {' or '.join(('.npz', *others))}, or have no suffix")
    return path.with_name(path.name + ".npz")


def pictures(path: str | os.PathLike[str], suffixes: tuple[str, ...] = (".pdf", ".png", ".npz")) -> list[Path]:
    """The files of a picture: `path`, less one of the suffixes if it has one, with each of them.

    Raises
    ------
    ModelError
        If `path` is a folder, or has the suffix of another format.
    """
    path = Path(path)
    if not path.name:
        raise ModelError("output", str(path), "is a folder; name a file")
    if path.suffix.lower() in {*_OTHERS.split()} - {*suffixes}:
        raise ModelError("output", str(path), f"must have no suffix, or one of {', '.join(suffixes)}")
    stem = path.with_suffix("") if path.suffix.lower() in suffixes else path
    return [stem.with_name(stem.name + suffix) for suffix in suffixes]


def check_free(path: Path, force: bool, makes_folder: bool = False) -> None:
    """Raise a ModelError unless a file can be created at `path`, or replaced with `force`.

    With `makes_folder` the folders above it need not be there yet.
    """
    _check_name(path)
    above = path.parent
    while makes_folder and not os.path.exists(above) and above != above.parent:
        above = above.parent
    check_folder(path if above == path.parent else above / path.name)
    if os.path.lexists(path) and not force:
        raise ModelError("output", str(path), "exists; use --force to replace it, or -o for another file")


def check_folder(path: Path) -> None:
    """Raise a ModelError unless a file can be created at `path`, and `tidy` what was not finished there."""
    _check_name(path)
    if os.path.isdir(path):
        raise ModelError("output", str(path), "is a folder; name a file")
    if not os.path.isdir(path.parent):
        raise ModelError("output", str(path), f"the folder {str(path.parent)!r} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise ModelError("output", str(path), f"the folder {str(path.parent)!r} cannot be written")
    try:
        # Permissions do not tell all, as of other machines' folders.
        with ExitStack() as making:
            _begun(path, making).unlink()
    except OSError as error:
        raise ModelError("output", str(path), f"cannot be written: {error.strerror}") from None
    tidy(path)


def _check_name(path: Path) -> None:
    """Raise a ModelError about what no file can be called; what is in the making has some letters more."""
    if "\0" in str(path) or len(os.fsencode(path)) > 4000 or any(len(os.fsencode(part)) > 255 for part in path.parts):
        raise ModelError("output", str(path), "is no name of a file: too long, or with a null character")
