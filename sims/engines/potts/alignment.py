"""Alignments of one's own: sequences as colours, and weights against what is in them many times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import table
from tsphys.ground.parameters import numbers

#: Letters of a FASTA file by the number of colours, which are their places here.
ALPHABETS = {21: "-ACDEFGHIKLMNPQRSTVWY", 5: "-ACGT"}
#: Letters of the standards that are none of these: unknown or ambiguous ones count as gaps, U is T.
OTHERS = {21: "BJOUXZ*", 5: "NRYKMSWBDHVX"}
#: Sequences that are compared with all others at once.
BLOCK = 512


def read(sequences: Any, C: int) -> np.ndarray:
    """Colours (n, N), int8, of an array, a table of numbers (.npy, .csv, .txt) or a FASTA file.

    Of a FASTA file with 21 colours the letters are those of proteins, with 5 of nucleotides, the gap first. Where the
    sequences have one length without lower-case letters and dots, but not with them, these are insertions and left out.

    Raises
    ------
    ModelError
        If it cannot be read, or holds anything else.
    """
    if isinstance(sequences, (str, Path)):
        path = Path(sequences)
        if path.suffix not in (".npy", ".csv", ".txt"):
            return _letters(path, C)
        sequences = table("sequences", path)
    found = numbers(sequences)
    words = f"must be colours, whole numbers from 0 to {C - 1} = C − 1, of shape (n, N)"
    if found is None or found.ndim != 2 or len(found) < 1 or found.shape[1] < 2:
        shape = getattr(found, "shape", None)
        raise ModelError("sequences", sequences if shape is None else f"array of shape {shape}", words)
    if (found != np.rint(found)).any() or found.min() < 0 or found.max() >= C:
        raise ModelError("sequences", f"numbers from {found.min():g} to {found.max():g}", words)
    return found.astype(np.int8)


def _letters(path: Path, C: int) -> np.ndarray:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)[:100]
        raise ModelError("sequences", str(path), f"must be a file that can be read ({why})") from None
    if C not in ALPHABETS:
        raise ModelError("C", C, "must be 21 for a FASTA file of proteins, 5 for one of nucleotides")
    found: list[list[str]] = []
    for line in map(str.strip, lines):
        if line.startswith(">"):
            found.append([])
        elif line and not found:
            raise ModelError("sequences", str(path), "must be a FASTA file, whose first line begins with >")
        elif line:
            found[-1].append(line)
    texts = ["".join(parts) for parts in found]
    if len(set(map(len, texts))) > 1:
        texts = ["".join(x for x in text if not (x.islower() or x == ".")) for text in texts]
    lengths = sorted(set(map(len, texts)))
    if len(lengths) != 1 or lengths[0] < 2:
        words = f"must hold aligned sequences of one length, two at least; there are lengths {lengths[:3]}"
        raise ModelError("sequences", str(path), words)
    places = {letter: place for place, letter in enumerate(ALPHABETS[C])}
    places |= dict.fromkeys(OTHERS[C] + ".", 0) | ({"U": places["T"]} if C == 5 else {})
    strange = sorted(set("".join(texts).upper()) - set(places))
    if strange:
        words = f"must hold letters of {'proteins' if C == 21 else 'nucleotides'} with C = {C}"
        raise ModelError("sequences", str(path), f"{words}; {strange[0]} is none")
    return np.array([[places[x] for x in text.upper()] for text in texts], dtype=np.int8)


def weights(given: Any, colours: np.ndarray, identity: float) -> np.ndarray:
    """Weights (n,) of mean one: equal, 1/(number of similar sequences, itself among them), or given ones.

    Sequences are similar if they agree at a share `identity` of their sites, or more.

    Raises
    ------
    ModelError
        If they are none of these, or not positive.
    """
    n, N = colours.shape
    if isinstance(given, str) and given == "equal":
        return np.ones(n)
    if isinstance(given, str) and given == "similarity":
        one_hot = np.eye(colours.max() + 1, dtype=np.float32)[colours].reshape(n, -1)
        counts = [(one_hot[low : low + BLOCK] @ one_hot.T >= identity * N - 1e-3).sum(1) for low in range(0, n, BLOCK)]
        found = 1.0 / np.concatenate(counts)
        return found * (n / found.sum())
    words = f"must be equal, similarity, or {n} positive numbers in an array or a .npy, .csv or .txt file"
    if isinstance(given, (str, Path)):
        if Path(given).suffix not in (".npy", ".csv", ".txt"):
            raise ModelError("weights", given, words)
        given = table("weights", Path(given))
    out = numbers(given)
    if out is None or out.shape != (n,) or not (out > 0).all():
        raise ModelError("weights", "numbers" if out is None else f"array of shape {out.shape}", words)
    return out * (n / out.sum())
