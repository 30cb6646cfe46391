"""Errors of a sign perceptron under attack: inputs that move by ε where their size is √N, so as to be misclassified.

The student's field over its norm, h, and the teacher's, ν, are N(0, 1) with overlap ρ; the attack moves h by ε against
the label. P(h < ε, ν > 0) and P(h > ε, ν > ε) are Owen's T functions of the angle between the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def adversarial_error(angle: Any, attack: Any) -> np.ndarray:
    """E = 1 − 2P(h > ε, ν > 0): the label is that of the input before the attack.

    Parameters
    ----------
    angle : array_like
        arccos ρ.
    attack : array_like
        ε, of either sign.
    """
    from scipy.special import ndtr, owens_t

    with np.errstate(divide="ignore"):
        slope = 1 / np.tan(angle)
    # Of Φ(ε) − 2T nothing is left where both are ½ or less: 2T(ε, ∞) = Φ(−|ε|).
    return np.asarray(ndtr(attack) - 2 * owens_t(attack, slope))


def boundary_error(angle: Any, attack: Any) -> np.ndarray:
    """1 − 2P(h > ε, ν > ε): the student is wrong somewhere within ε of the input, where the teacher may differ too."""
    from scipy.special import ndtr, owens_t

    return np.asarray(1 - 2 * ndtr(-np.asarray(attack)) + 4 * owens_t(attack, np.tan(0.5 * np.asarray(angle))))


def perfect_error(attack: Any) -> np.ndarray:
    """E of a student that is the teacher, erf(ε/√2)."""
    from scipy.special import erf

    return np.asarray(erf(np.asarray(attack) / np.sqrt(2)))
