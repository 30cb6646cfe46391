"""What is asked of every model, page, engine and command: the fast tests ask some, those marked `wide` the others."""

import pytest

#: Of the kinds there are: online learning, spins, replica theory, an instance of data.
SOME = ("two_layer", "hopfield", "glm", "kernel_ridge")


def each(cases, fast=SOME, slow=()):
    """Cases to parametrise with, wide but for those whose name (or first name, or page) is one of `fast`."""
    return [_marked(case, fast, slow) for case in cases]


def _marked(case, fast, slow):
    values = case if isinstance(case, tuple) else (case,)
    name = getattr(values[0], "stem", values[0])
    marks = [pytest.mark.slow] if name in slow else [pytest.mark.wide] if name not in fast else []
    return pytest.param(*values, marks=marks)
