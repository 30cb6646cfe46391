"""Votes of clients with sets of their own: published numbers, limits, plain counting, runs on theory."""

import numpy as np
import pytest

import tsphys
from tests.checking import passes
from tests.refusal import refuses
from tsphys import OneShotVotes
from tsphys.replica.one_shot_votes import by_bins, kept_power, right


def cosines(model):
    found = tsphys.solve(model)
    return [float(np.cos(np.pi * found[name][0])) for name in ("eps_g", "eps_mean")]


@pytest.mark.parametrize("clients, malicious, alpha, vote, mean", [
    (5, 0, 1, 0.86411, 0.87232), (5, 1, 1, 0.67090, 0.73075), (25, 5, 0.2, 0.61793, 0.73075),
])  # fmt: skip
def test_published_cosines_of_binary_teachers(clients, malicious, alpha, vote, mean):
    model = OneShotVotes(teacher="binary", clients=clients, malicious=malicious, alpha=alpha)
    np.testing.assert_allclose(cosines(model), (vote, mean), atol=6e-6)


@pytest.mark.parametrize("clients, malicious, alpha, vote, mean", [
    (11, 3, 0.5, 0.47826, 0.64789), (11, 5, 2, 0.36268, 0.32209),
])  # fmt: skip
def test_published_cosines_of_normal_teachers(clients, malicious, alpha, vote, mean):
    """Votes by Gauss–Hermite with 80 nodes to 1e-6; the published ones were integrated to 2e-3."""
    model = OneShotVotes(clients=clients, malicious=malicious, alpha=alpha)
    found = cosines(model)
    np.testing.assert_allclose(found, (vote, mean), rtol=2e-3)
    assert found[1] == pytest.approx(mean, abs=6e-6)
    x, w = np.polynomial.hermite_e.hermegauss(80)
    b = np.abs(x)
    assert found[0] == pytest.approx(float(w @ (b * right(model, b)) / w.sum()), abs=1e-6)


def test_published_kept_power():
    """Whose grid was good to 2e-4."""
    expected = {(1, 0): 0.48800, (5, 0): 0.61079, (5, 1): 0.52408, (11, 0): 0.67504, (11, 3): 0.54408}
    for (clients, malicious), value in expected.items():
        model = OneShotVotes(ballots="ranks", clients=clients, malicious=malicious)
        assert kept_power(model) == pytest.approx(value, abs=5e-5)


def test_limits():
    # Many clients: E|b| caps the vote of a normal teacher, nothing that of ±1.
    assert cosines(OneShotVotes(clients=999, alpha=50))[0] == pytest.approx(np.sqrt(2 / np.pi), abs=2e-3)
    assert cosines(OneShotVotes(clients=999, teacher="binary"))[0] == pytest.approx(1, abs=1e-9)
    # Half of the clients malicious: nothing is told; all of them: the opposite.
    half = tsphys.solve(OneShotVotes(clients=10, malicious=5))
    np.testing.assert_allclose([half["eps_g"][0], half["eps_mean"][0]], 0.5, atol=1e-12)
    every, none = (tsphys.solve(OneShotVotes(clients=7, malicious=k)) for k in (7, 0))
    np.testing.assert_allclose(every["eps_g"] + none["eps_g"], 1, atol=1e-12)
    # One malicious client of M breaks the mean at c = M − 1.
    loud = tsphys.solve(OneShotVotes(clients=5, malicious=1), loudness=[3, 4, 5])
    np.testing.assert_allclose(loud["eps_mean"][1], 0.5, atol=1e-12)
    assert loud["eps_mean"][0] < 0.5 < loud["eps_mean"][2]
    silent = OneShotVotes(clients=5, malicious=5, loudness=0)
    assert tsphys.solve(silent)["eps_mean"] == tsphys.simulate(silent, N=20, replicas=1)["eps_mean"] == 0.5


@pytest.mark.parametrize("clients, malicious", [(1, 0), (5, 1), (40, 8)])
def test_bins_of_ranks_are_fine_enough(clients, malicious):
    """Sums in bins eight times as fine differ by what is left of squares of a bin, 2e-6 here."""
    model = OneShotVotes(ballots="ranks", clients=clients, malicious=malicious)
    assert kept_power(model) == pytest.approx(by_bins(model, 1024 if clients < 40 else 256), abs=1e-5)


def test_limits_of_ranks():
    found = tsphys.solve(OneShotVotes(ballots="ranks", clients=3), kept=[0.3, 1.0])
    np.testing.assert_allclose(found["power"][1], 1, atol=1e-9)
    np.testing.assert_allclose(found["eps_g"], np.arccos(np.sqrt(np.minimum(found["power"], 1))) / np.pi, atol=1e-12)
    # Clients that know the teacher keep its largest weights, E[b²; |b| > x]; those who know nothing any of them.
    x = 1.0364333894937896
    oracle = 0.3 + x * np.sqrt(2 / np.pi) * np.exp(-x * x / 2)
    assert kept_power(OneShotVotes(ballots="ranks", clients=1, alpha=1000)) == pytest.approx(oracle, abs=2e-3)
    assert kept_power(OneShotVotes(ballots="ranks", clients=5, alpha=1e-3)) == pytest.approx(0.3, abs=2e-3)
    assert kept_power(OneShotVotes(ballots="ranks", clients=4, malicious=2)) == pytest.approx(0.3, abs=0.02)
    assert kept_power(OneShotVotes(ballots="ranks", teacher="binary")) == 0.3


@pytest.mark.parametrize("given, axis", [
    ({"clients": 5}, {"malicious": [0, 2]}),
    ({"clients": 3, "teacher": "binary", "loudness": 2, "malicious": 1}, {"alpha": [0.5, 2]}),
    ({"malicious": 1, "alpha": 0.5}, {"clients": [4, 9]}),
    ({"ballots": "ranks", "clients": 5, "malicious": 1}, {"kept": [0.2, 0.5]}),
])  # fmt: skip
def test_counted_votes_on_theory(given, axis):
    model = OneShotVotes(**given)
    sim = tsphys.simulate(model, N=100, replicas=16, seed=1, **axis)
    found = tsphys.compare(sim, tsphys.solve(model, **axis))
    assert found.ok, found


@pytest.mark.slow
def test_votes_at_published_sizes():
    """N = 400, as of ten runs: within four of their errors, 0.013."""
    for (M, k, a), teacher, vote in (((5, 1, 1.0), "binary", 0.691), ((11, 3, 0.5), "gauss", 0.490)):
        sim = tsphys.simulate(OneShotVotes(clients=M, malicious=k, alpha=a, teacher=teacher), N=400, replicas=32)
        assert float(np.cos(np.pi * sim["eps_g"]).mean()) == pytest.approx(vote, abs=4 * 0.013)


def test_bad_parameters():
    refuses(lambda: OneShotVotes(clients=3, malicious=4), "malicious")
    refuses(lambda: OneShotVotes(ballots="ranks", loudness=2), "loudness")
    refuses(lambda: OneShotVotes(kept=0), "kept")
    refuses(lambda: tsphys.simulate(OneShotVotes(ballots="ranks", kept=0.001), N=50), "kept")


def test_what_is_known_by_hand():
    passes("one_shot_votes", "by hand", "written out")
