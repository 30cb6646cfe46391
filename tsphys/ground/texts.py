"""Texts of others, as names in files are, on their way to a terminal or a picture."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tsphys.errors import ModelError
from tsphys.ground.lines import printable

#: Greek letters by their names.
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip


def short(value: Any, digits: int = 4, fixed: bool = False) -> str:
    """An entry of an array: a number by so many digits, after the point if they are fixed; a text on one line."""
    if value.dtype.kind not in "iufc":
        return printable(value)
    return f"{value:.{digits}{'f' if fixed else 'g'}}"


#: Numbers that JSON does not know, as people and Python write them: .5, 5. and +5.
_LOOSE = re.compile(
    r"(?<![\w.])(?P<sign>[-+]?)(?P<whole>\d*)(?:(?P<point>\.)(?P<part>\d*))?(?P<power>[eE][-+]?\d+)?(?![\w.])"
)


def from_json(text: str) -> Any:
    """What a text stands for in JSON, numbers as .5, 5. and +5 among them, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if '"' not in text:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(_LOOSE.sub(_strict, text))
    return text


def _strict(found: re.Match[str]) -> str:
    """A number as JSON has it."""
    if not found["whole"] and not found["part"]:
        return found[0]
    point = f".{found['part'] or 0}" if found["point"] else ""
    return f"{found['sign'].strip('+')}{found['whole'] or 0}{point}{found['power'] or ''}"


def known(what: str, key: Any, names: Iterable[str] | Mapping[str, Any]) -> None:
    """Raise a ModelError about `what`, with the `nearest` name or else all, unless `key` is among `names`."""
    if key not in names:
        near = nearest(key, names)
        words = f"did you mean {near}?" if near else f"known are {', '.join(names)}"
        raise ModelError(what, key, f"is not known; {words}")


def nearest(key: Any, names: Iterable[str] | Mapping[str, Any]) -> str | None:
    """What somebody may have meant by a name that is not among `names`, which may come with what is said of them.

    That is a text, or the metadata of a parameter.

    The same in other letters, large or small; the Greek letter of that name; a name spelled much alike; one of which
    the words are said; a name spelled somewhat alike.
    """
    if not isinstance(key, str):
        return None
    texts = names if isinstance(names, Mapping) else {}
    said = {
        name: text.lower() if isinstance(text, str) else text.get("help", "").lower() for name, text in texts.items()
    }
    bare = {name: name.lower().lstrip("-").replace("-", "_") for name in names}
    own = key.lower().lstrip("-").replace("-", "_")
    phrase = own.replace("_", " ")
    words = {word: name for name, text in reversed(said.items()) for word in re.findall(r"[^\W\d_]{4,}", text)}

    def spelled(cutoff: float, least: int = 1) -> list[str]:
        alike = difflib.get_close_matches(own, [x for x in bare.values() if len(x) >= least], n=1, cutoff=cutoff)
        return [name for name, x in bare.items() if x in alike]

    def saying(what: str) -> list[str]:
        return [name for name, text in said.items() if re.search(rf"(?<!\w){re.escape(what)}(?!\w)", text)]

    found = [name for name, x in bare.items() if x == own] or saying(GREEK.get(phrase, "\n"))
    found = found or spelled(0.8, least=3)
    if not found and len(phrase) > 2:
        found = saying(phrase) or [words[x] for x in difflib.get_close_matches(phrase, words, n=1, cutoff=0.85)]
    found = found or spelled(0.6)
    return found[0] if found else None
