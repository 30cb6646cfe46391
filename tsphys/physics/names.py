"""Names of the activations and their integer codes; imports nothing heavy, so that models can be described cheaply."""

from __future__ import annotations

from tsphys.errors import ModelError

#: Name -> code. The codes are what kernels see, so they never change.
ACTIVATIONS = {"erf": 0, "relu": 1, "linear": 2, "tanh": 3, "quad": 4, "he2": 5, "sign": 6}

_ALIASES = {"quadratic": "he2"}


def code(name: str) -> int:
    """Integer code of an activation.

    Parameters
    ----------
    name : str
        ``erf`` (erf(x/√2)), ``relu``, ``linear``, ``tanh``, ``quad`` (x²), ``he2`` ((x² − 1)/√2, also ``quadratic``)
        or ``sign``.

    Raises
    ------
    ModelError
        If there is no such activation.
    """
    known = _ALIASES.get(name, name) if isinstance(name, str) else None
    if known not in ACTIVATIONS:
        raise ModelError("activation", name, "must be one of " + ", ".join(ACTIVATIONS))
    return ACTIVATIONS[known]
