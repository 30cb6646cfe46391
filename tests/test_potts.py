"""The Potts model in mean field: transitions, both phases by heat bath, a field, exact sums, the Ising case."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest

import tsphys
from tests.refusal import refuses
from tsphys import Potts
from tsphys.physics.curie_weiss import curie_weiss_end, curie_weiss_lines, curie_weiss_sums
from tsphys.validation import potts as checks
from tsphys.validation.checks import Setting


@pytest.mark.parametrize("C", [3, 4, 10])
def test_transition(C):
    """β_c = 2(C − 1) ln(C − 1)/(C − 2), a jump to m = (C − 2)/(C − 1), and the latent heat that belongs to it."""
    beta = 2 * (C - 1) * math.log(C - 1) / (C - 2)
    at = {phase: tsphys.solve(Potts(C=C, beta=beta, phase=phase)) for phase in ("ordered", "disordered")}
    assert at["ordered"]["free_energy"][0] == pytest.approx(at["disordered"]["free_energy"][0], abs=1e-12)
    assert at["ordered"]["m"][0] == pytest.approx((C - 2) / (C - 1), rel=1e-10)
    heat = (at["disordered"]["energy"][0] - at["ordered"]["energy"][0]) / beta
    assert heat == pytest.approx((C - 2) ** 2 / (2 * C * (C - 1)), rel=1e-9)
    stable = tsphys.solve(Potts(C=C), beta=[0.999 * beta, 1.001 * beta])["q"]
    assert stable[0] == 0 < stable[1]


@pytest.mark.parametrize("C", [3, 5, 12])
def test_phases_in_a_field_end(C):
    """States along m: h(m) = ln((1 + (C − 1)m)/(1 − m)) − βm turns at the spinodals, and beyond the end nowhere."""
    beta, end = curie_weiss_end(C)
    m = np.linspace(1e-6, 1 - 1e-6, 400_001)
    for part in (0.3, 0.8):
        lines = curie_weiss_lines(C, part * end)
        # β of the state m at this field: it has its spinodals where it turns.
        at = (np.log1p((C - 1) * m) - np.log1p(-m) - part * end) / m
        turns = np.flatnonzero(np.diff(np.sign(np.diff(at)))) + 1
        assert sorted(at[turns]) == pytest.approx([lines.ordered, lines.disordered], rel=1e-9)
        assert lines.ordered < lines.transition < lines.disordered
    near = curie_weiss_lines(C, end * (1 - 1e-9))
    # To the end m jumps by the square root of what is left of the field.
    assert [near.ordered, near.transition, near.disordered] == pytest.approx([beta] * 3, rel=1e-5)
    assert 0 < near.jump < 1e-3
    refuses(lambda: curie_weiss_lines(C, end), "field")


def test_two_colours_are_spins():
    """m = tanh(βm/2 + h/2), as of spins with couplings β/2 in a field h/2."""
    for beta, h in ((2.2, 0.0), (3.0, 0.0), (1.0, 0.5), (60.0, 0.1)):
        m = tsphys.solve(Potts(C=2, beta=beta, field=h))["m"][0]
        assert m == pytest.approx(np.tanh(0.5 * (beta * m + h)), abs=1e-12)
    assert tsphys.solve(Potts(C=2, beta=1.9))["q"][0] == pytest.approx(0.0, abs=1e-20)


def test_sums_are_those_over_all_states():
    C, N, beta, h = 3, 7, 2.1, 0.4
    weights, first = [], Counter()
    for s in product(range(C), repeat=N):
        n = np.bincount(s, minlength=C)
        weights.append((math.exp(0.5 * beta * (n @ n - N) / N + h * n[0]), n))
        first[int(n[0])] += weights[-1][0]
    Z = sum(w for w, _ in weights)
    square = sum(w * (n @ n) for w, n in weights) / Z / N**2
    found = curie_weiss_sums(C, beta, N, h)
    assert found.log_Z == pytest.approx(math.log(Z), rel=1e-13)
    assert found.q == pytest.approx((C * square - 1) / (C - 1), rel=1e-12)
    np.testing.assert_allclose(found.first, [first[k] / Z for k in range(N + 1)], rtol=1e-12)
    energy = -sum(w * (0.5 * beta * (n @ n - N) / N + h * n[0]) for w, n in weights) / Z / N
    assert found.energy == pytest.approx(energy, rel=1e-12)


def test_free_energies_and_finite_sizes():
    for found in (checks.sizes(Setting()), checks.stationary(Setting())):
        assert found.score < 1, found.detail


def test_heat_bath_on_exact_sums():
    found = checks.summed(Setting())
    assert found.score < 1, found.detail


@pytest.mark.parametrize(
    "model, beta", [(Potts(phase="ordered"), [3.1, 4.0]), (Potts(C=4, field=0.3, phase="disordered"), [0.5, 1.5])]
)
def test_heat_bath_on_theory(model, beta):
    sim = tsphys.simulate(model, N=200, beta=beta, replicas=8, sweeps=400)
    found = tsphys.compare(sim, tsphys.solve(model, beta=beta))
    assert found.verdict != "disagree", found
    # What is of order 1/N is seen, and known.
    plain = tsphys.compare(sim, tsphys.solve(model, beta=beta), finite_size=False)
    assert plain.max_abs_z > found.max_abs_z


def test_refusals():
    refuses(lambda: tsphys.solve(Potts(beta=2.7, phase="ordered")), "phase")
    refuses(lambda: tsphys.solve(Potts(beta=3.1, phase="disordered")), "phase")
    refuses(lambda: tsphys.solve(Potts(C=2, beta=1.5, phase="ordered")), "phase")
    refuses(lambda: Potts(C=1), "C")
    refuses(lambda: Potts(field=-0.1), "field")
    refuses(lambda: curie_weiss_sums(3, 1.0, 6000), "N")
