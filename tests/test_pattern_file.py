"""Patterns of one's own from a file: images and rows, in every Hebbian network, on the command line."""

import numpy as np
import pytest

import tsphys
from tests.command import call
from tests.refusal import refuses
from tsphys.sims import hopfield
from tsphys.sims.engines.spins import stored


@pytest.mark.parametrize("given", ["hopfield", "hopfield --activity 0.4 --threshold 0.2", "dense_hebbian -P 3"])
def test_images_are_stored(given, tmp_path, monkeypatch, capsys):
    """As the same patterns handed over as an array; the number of spins is that of the pixels."""
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(1).integers(0, 256, (3, 4, 6))
    np.save("images.npy", images)
    words = f"simulate {given} --pattern-file images.npy --sweeps 4 --equilibration 2 -r 2 -T 0.3 -o run.npz"
    code, _, err = call(capsys, *words.split())
    assert code == 0, err
    found = tsphys.load("run.npz")
    sparse = "activity" in given
    middle = 0.5 * (images.min() + images.max())
    patterns = np.where(images > middle, 1, 0 if sparse else -1).reshape(3, 24)
    same = tsphys.simulate(
        found.model_object(), patterns=patterns, N=24, sweeps=4, equilibration=2, replicas=2, threads=1
    )
    np.testing.assert_array_equal(found["m"], same["m"])
    assert found.meta["patterns"] == same.meta["patterns"]


def test_rows_of_text(tmp_path):
    """A table is as good as an array, and a state that is stored is found again."""
    patterns = np.random.default_rng(2).choice([-1, 1], (2, 30))
    np.savetxt(tmp_path / "rows.csv", patterns, delimiter=",")
    sim = tsphys.simulate(tsphys.Hopfield(T=0.0), pattern_file=str(tmp_path / "rows.csv"), replicas=1, threads=1)
    assert sim["m"][0, 0] == pytest.approx(1.0, abs=1e-15)
    assert sim.meta["N"] == 30


def test_a_number_of_spins_that_is_not_theirs_is_refused_though_it_is_the_usual_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", np.eye(3))
    code, out, err = call(capsys, "simulate", "hopfield", "--pattern-file", "images.npy", "-N", 1000, "-o", "run.npz")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "N = 1000: must be that of the patterns in images.npy, 3" in err


def test_patterns_of_an_array_say_how_many_spins_there_are():
    patterns = np.random.default_rng(0).choice([-1, 1], (2, 30))
    sim = tsphys.simulate(tsphys.Hopfield(), patterns=patterns, replicas=1, sweeps=2, equilibration=0)
    assert sim.meta["N"] == 30
    assert sim["m"][0, 0] == pytest.approx(1, abs=1e-15)
    assert tsphys.simulate(tsphys.Hopfield(), replicas=1, sweeps=2, equilibration=0).meta["N"] == 1000


@pytest.mark.parametrize(
    "content, options, word",
    [
        (None, {}, "pattern_file"), (np.ones((2, 9)), {}, "pattern_file"), (np.arange(9.0), {}, "pattern_file"),
        (np.eye(3), {"N": 9}, "N"), (np.eye(3), {"patterns": np.ones((1, 3))}, "pattern_file"),
        (np.array([["a", "b"]]), {}, "pattern_file"), (np.array([[1.0, np.nan]]), {}, "pattern_file"),
    ],
)  # fmt: skip
def test_what_is_refused(content, options, word, tmp_path):
    path = tmp_path / "x.npy"
    if content is not None:
        np.save(path, content)
    with pytest.raises(tsphys.ModelError, match=f"^{word} = "):
        tsphys.simulate(tsphys.Hopfield(), pattern_file=str(path), **options)


def test_grey_patterns_keep_their_values(tmp_path):
    """One of them: at T = 0 its signs stay, m = ⟨|ξ|⟩; at T > 0 m = ⟨ξ tanh(mξ/T)⟩, to 5 errors and 5/N."""
    pictures = np.random.default_rng(5).gamma(2.0, size=(1, 20, 30))
    np.save(tmp_path / "grey.npy", pictures)
    asked = {"pattern_file": str(tmp_path / "grey.npy"), "grey": True, "threads": 1}
    xi = (pictures.ravel() - pictures.mean()) / pictures.std()
    still = tsphys.simulate(tsphys.Hopfield(T=0.0), replicas=1, sweeps=4, **asked)
    assert still["m"][0, 0] == pytest.approx(np.abs(xi).mean(), rel=1e-12)
    assert still["energy"][0, 0] == pytest.approx(0.5 / 600 * (xi @ xi / 600) - 0.5 * np.abs(xi).mean() ** 2, rel=1e-8)
    T, m = 0.5, 1.0
    for _ in range(200):
        m = np.mean(xi * np.tanh(m * xi / T))
    sim = tsphys.simulate(tsphys.Hopfield(T=T), replicas=8, sweeps=400, **asked)
    assert abs(sim.mean("m")[0] - m) < 5 * sim.sem("m")[0] + 5 / 600
    assert sim.meta["grey"]


def test_grey_couplings_are_hebbs():
    rng = np.random.default_rng(6)
    X = stored.levelled(rng.standard_normal((7, 40)), 40)
    J, unit = hopfield.couplings(tsphys.Hopfield(), X, 7, rng)
    expected = X @ X.T / 40
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(unit * J, expected, atol=2**-30 * np.square(X).sum(axis=1).max() / 40)


def test_what_goes_not_with_grey():
    patterns = np.random.default_rng(0).standard_normal((2, 30))
    refuses(lambda: tsphys.simulate(tsphys.Hopfield(), grey=True), "grey")
    refuses(lambda: tsphys.simulate(tsphys.Hopfield(), patterns=patterns), "patterns")
    refuses(lambda: tsphys.simulate(tsphys.Hopfield(), patterns=np.ones((1, 9)), grey=True), "patterns")
    refuses(lambda: tsphys.simulate(tsphys.Hopfield(), patterns=patterns, grey=True, method="overlap"), "grey")
