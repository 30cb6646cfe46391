"""Texts of others, as names in files are, on their way to a terminal or a picture."""

from __future__ import annotations

import difflib
import json
from typing import Any

from tsphys.errors import ModelError


def printable(text: object) -> str:
    """A text on one line, with escapes for what cannot be printed, such as what commands a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def short(value: Any, digits: int = 4, fixed: bool = False) -> str:
    """An entry of an array: a number by so many digits, after the point if they are fixed; a text on one line."""
    if value.dtype.kind not in "iufc":
        return printable(value)
    return f"{value:.{digits}{'f' if fixed else 'g'}}"


def from_json(text: str) -> Any:
    """What a text stands for in JSON, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def known(what: str, key: str, names: Any) -> None:
    """Raise a ModelError about `what`, with the nearest name or else all, unless `key` is among `names`."""
    if key not in names:
        near = difflib.get_close_matches(key, list(names), n=1, cutoff=0.5)
        words = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise ModelError(what, key, f"is not known; {words}")
