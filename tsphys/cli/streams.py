"""Output on streams that know few characters: words for the others, never an error."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

_WORDS = {
    "−": "-", "×": "x", "·": "*", "±": "+-", "→": "->", "≤": "<=", "≥": ">=", "∞": "inf", "√": "sqrt ", "µ": "u",
    "–": "-", "—": "-", "⟨": "<", "⟩": ">", "‖": "||", "²": "^2", "³": "^3", "⁴": "^4",
}  # fmt: skip
_NAME = "tsphys-words"


def _word(character: str) -> str:
    """A character in ASCII: ``η`` as ``eta``, ``é`` as ``e``, and by its number what has no such name."""
    if character in _WORDS:
        return _WORDS[character]
    kind, _, letter = unicodedata.name(character, "").partition(" LETTER ")
    if kind.startswith("GREEK"):
        return letter.split()[0].capitalize() if kind.endswith("CAPITAL") else letter.split()[0].lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if c.isascii())
    return plain or character.encode("unicode_escape").decode()


def _in_words(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_word, error.object[error.start : error.end])), error.end


def _ascii(name: str) -> codecs.CodecInfo | None:
    """ASCII by another name, since click takes the true one for a mistake and writes UTF-8."""
    if name.replace("-", "_") != _NAME.replace("-", "_"):
        return None
    true = codecs.lookup("ascii")
    return codecs.CodecInfo(
        true.encode, true.decode, true.streamreader, true.streamwriter, true.incrementalencoder,
        true.incrementaldecoder, name=_NAME,
    )  # fmt: skip


codecs.register_error(_NAME, _in_words)
codecs.register(_ascii)


@contextmanager
def forgiving() -> Iterator[None]:
    """Let what is printed within come out on streams of any encoding; they are as they were afterwards."""
    with ExitStack() as stack:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stack.callback(_set, stream, stream.encoding, stream.errors)
                narrow = codecs.lookup(stream.encoding).name == "ascii"
                _set(stream, _NAME if narrow else stream.encoding, _NAME)
        yield


def _set(stream: Any, encoding: str, errors: str | None) -> None:
    # Whoever listened may have gone away.
    with suppress(OSError, ValueError):
        stream.reconfigure(encoding=encoding, errors=errors)
