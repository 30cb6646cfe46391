"""The command that counts false alarms and finds, on small pools."""

import numpy as np
import pytest

import tsphys
from tsphys.validation.calibration import CASES, FEW, MANY, chance, dealt, every_model, false_alarms, power, table


def test_a_pool_is_dealt_without_rest():
    sim = tsphys.simulate(CASES[0].model, N=20, start=CASES[0].start, t=[0.0, 1.0], replicas=10)
    parts = list(dealt(sim, 4))
    assert [len(part["R"]) for part in parts] == [4, 4]
    np.testing.assert_array_equal(np.concatenate([part["Q"] for part in parts]), sim["Q"][:8])
    assert parts[0]["T"].shape == sim["T"].shape


def test_a_few_comparisons_of_a_model():
    case = CASES[-1]
    for n, count, alarms, undecided in false_alarms(case, 128):
        assert count == 128 // n
        assert alarms[0] <= alarms[1] <= chance(count, 1e-2) + 1
        assert undecided == 0
    seen = {(name, off): shares for name, off, shares in power(case, 64)}
    assert seen["lr", 0.1] == [1.0, 1.0]
    assert set(seen) == {("lr", 0.01), ("lr", 0.03), ("lr", 0.1)}


@pytest.mark.wide
def test_scores_of_every_model():
    lines = list(every_model(["label_noise"]))
    assert len(lines) == 1 + 3 + 1
    assert 0.3 < float(lines[-1].split()[-1]) < 2


def test_the_tables():
    lines = list(table(CASES[-1:], 64, 32))
    assert lines[2].split()[:4] == ["Hebb", "400", str(FEW), str(64 // FEW)]
    assert lines[3].split()[2] == str(MANY)
    assert sum(line.startswith("Hebb") for line in lines) == 2 + 3
