"""Named arrays and a JSON record in one ``.npz``: sealed when it is written, read as what a stranger may have sent."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from tsphys.runs.memory import check_memory

_META = "__meta__"
#: Arrays of more bytes are not compressed: what unpacks to more than this is many times larger than its file only if
#: somebody made it so.
LARGE = 2**28
#: How many times larger than their file arrays up to any size may be.
MOST_TIMES = 100
#: Kinds of arrays: booleans, numbers, texts.
KINDS = "biufcU"


def seal(record: Mapping[str, Any], data: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over a record, as JSON has it, and all arrays: their names, types, shapes and values."""
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode())
    for name in sorted(data):
        values = np.ascontiguousarray(data[name])
        digest.update(f"\0{name}\0{values.dtype.str}\0{data[name].shape}\0".encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def write_archive(file: IO[bytes], record: Mapping[str, Any], data: Mapping[str, np.ndarray]) -> None:
    """Write arrays and their record, which is as JSON reads it; the same ones give the same bytes."""
    text = np.array(json.dumps({**record, "seal": seal(record, data)}))
    large = sum(values.nbytes for values in data.values()) > LARGE
    (np.savez if large else np.savez_compressed)(file, **{_META: text}, **data)  # type: ignore[arg-type]


def read_archive(file: IO[bytes], sealed: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The record, without its seal, and the arrays of a file; nothing in it is executed.

    Parameters
    ----------
    file : file
    sealed : int
        The ``format`` in the record from which on there must be a seal.

    Raises
    ------
    Exception
        Of many kinds, if it is anything else; a ModelError about ``file`` if it does not fit into memory.
    """
    size = file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members, size)
        data = {info.filename.removesuffix(".npy"): _array(archive.read(info)) for info in members}
    text = data.pop(_META, None)
    if text is None or text.ndim != 0 or text.dtype.kind != "U":
        raise ValueError("no record")
    record = json.loads(str(text[()]))
    if not isinstance(record, dict):
        raise ValueError("the record is no table")
    found = record.pop("seal", None)
    needed = type(record.get("format")) is int and record["format"] >= sealed
    if (needed or found is not None) and found != seal(record, data):
        raise ValueError("the numbers are not those that were written")
    return record, data


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    names = [info.filename for info in members]
    if len(set(names)) < len(names):
        raise ValueError("an array twice")
    for info in members:
        if not info.filename.endswith(".npy") or info.flag_bits & 1:
            raise ValueError(f"{info.filename!r} is encrypted or no array")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{info.filename!r} is compressed in another way")
    unpacked = sum(info.file_size for info in members)
    if unpacked > max(LARGE, MOST_TIMES * size):
        raise ValueError(f"{size} bytes would unpack to {unpacked}")
    check_memory("file", f"{unpacked} bytes", unpacked, "its arrays")


def _array(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    values = np.lib.format.read_array(file, allow_pickle=False)
    if file.read(1) or values.dtype.kind not in KINDS:
        raise ValueError("no array of numbers or texts")
    return values
