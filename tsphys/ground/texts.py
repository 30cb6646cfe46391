"""Texts of others, as names in files are, on their way to a terminal or a picture."""

from __future__ import annotations

from typing import Any


def printable(text: object) -> str:
    """A text on one line, with escapes for what cannot be printed, such as what commands a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def short(value: Any, digits: int = 4, fixed: bool = False) -> str:
    """An entry of an array: a number by so many digits, after the point if they are fixed; a text on one line."""
    if value.dtype.kind not in "iufc":
        return printable(value)
    return f"{value:.{digits}{'f' if fixed else 'g'}}"
