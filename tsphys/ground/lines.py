"""Texts of others on one line: what a terminal, a picture or an error can show."""

from __future__ import annotations

#: Longest words of an error, whatever a library, a path or a function has said in them.
LONGEST = 600


def printable(text: object) -> str:
    """A text on one line, with escapes for what cannot be printed, such as what commands a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def line(text: object) -> str:
    """What an error says: words on one line that can be printed, the first of them if there are too many."""
    words = printable(" ".join(str(text).split()))
    return words if len(words) <= LONGEST else words[: LONGEST - 3] + "..."
