"""Activations against their definitions and finite differences."""

import numpy as np
import pytest

from tests.naive import two_layer as naive
from tsphys.errors import ModelError
from tsphys.physics.activations import ACTIVATIONS, code, dg, g

X = np.array([-3.1, -1.0, -0.2, 0.3, 1.0, 4.2])


@pytest.mark.parametrize("name", naive.NAMES)
def test_values(name):
    # One rounding of each operation.
    assert [g(code(name), x) for x in X] == pytest.approx(naive.g(name, X), rel=1e-15, abs=1e-16)


@pytest.mark.parametrize("name", [n for n in naive.NAMES if n != "sign"])
def test_derivatives(name):
    h = 1e-5
    slopes = [(g(code(name), x + h) - g(code(name), x - h)) / (2 * h) for x in X]
    # Central differences: h² g'''/6 + 1e-16 g/h.
    assert [dg(code(name), x) for x in X] == pytest.approx(slopes, abs=1e-9)


def test_at_zero():
    assert [g(code(n), 0.0) for n in ("erf", "relu", "linear", "tanh", "quad", "sign")] == [0] * 6
    assert dg(code("relu"), 0.0) == 0


def test_names():
    assert sorted(ACTIVATIONS.values()) == list(range(len(naive.NAMES)))
    assert code("quadratic") == code("he2")
    with pytest.raises(ModelError):
        code("swish")
