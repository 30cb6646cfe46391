"""Classes and their clones: simulation on theory, both engines."""

import numpy as np
import pytest

import tsphys
from tests.test_engine_law import p_values, sample
from tests.wide import each
from tsphys.cli import main
from tsphys.models.simplicity_bias import DATA
from tsphys.sims.engines.online import direct, exact
from tsphys.validation.simplicity_bias import START, TWO

POINTS = {
    **{data: (tsphys.SimplicityBias(trained_on=data), START) for data in DATA},
    "committee": (tsphys.SimplicityBias(K=2, lr=1.0, minibatch=3, v=(1.0, -0.6)), TWO),
    "linear": (tsphys.SimplicityBias(activation="linear", lr=0.3), START),
    "far": (tsphys.SimplicityBias(mu=(1.0, -0.5), h_plus=(2.0, 0.1), theta_minus=-1.0, lr=1.5), START),
}


#: Clones of whose error another test asks as well, and two units, whose equations tests/test_simplicity_bias_theory.py
#: holds against averages of the rule.
LONG = {*DATA, "committee"} - {"original"}


@pytest.mark.parametrize("name", each(POINTS, fast=("original", "linear"), slow=LONG))
def test_simulation_lies_on_theory(name):
    model, start = POINTS[name]
    # Two students take quadratures in five dimensions.
    t = np.linspace(0, 20, 11)[: 11 if model.K == 1 else 4]
    sim = tsphys.simulate(model, N=1000, start=start, t=t, replicas=32)
    comparison = tsphys.compare(sim, tsphys.solve(model, start=start, t=t))
    assert sim.meta["engine"] == "exact"
    assert comparison.ok, comparison


def test_weights_lie_on_theory():
    model, t = tsphys.SimplicityBias(), np.linspace(0, 10, 6)
    sim = tsphys.simulate(model, N=500, start=START, t=t, replicas=16, engine="direct")
    comparison = tsphys.compare(sim, tsphys.solve(model, start=START, t=t))
    assert comparison.ok, comparison


def test_the_comparison_sees_the_clone():
    t = np.linspace(0, 20, 11)
    sim = tsphys.simulate(tsphys.SimplicityBias(), N=4000, start=START, t=t, replicas=32)
    assert not tsphys.compare(sim, tsphys.solve(tsphys.SimplicityBias(trained_on="gaussian"), start=START, t=t)).ok


def test_direct_and_exact_have_one_law():
    model = tsphys.SimplicityBias(K=2, lr=1.0)
    a, b = (sample(engine, model, 20, (0.5, 2.0), 900, start=TWO) for engine in (direct, exact))
    p = p_values(a, b)
    assert p.min() * p.size > 1e-3, p


def test_the_same_seed_is_the_same_noise_for_clones():
    """Clones change the error by far less than its scatter over replicas; paired replicas see it."""
    t = [1.0, 3.0]
    runs = {d: tsphys.simulate(tsphys.SimplicityBias(trained_on=d), N=4000, start=START, t=t, replicas=24)["eps_g"]
            for d in DATA}  # fmt: skip
    theory = {d: tsphys.solve(tsphys.SimplicityBias(trained_on=d), start=START, t=t)["eps_g"] for d in DATA}
    for data in DATA[1:]:
        paired = runs[data] - runs["original"]
        error = paired.std(axis=0, ddof=1) / np.sqrt(24)
        # Four scores of 23 degrees of freedom.
        assert np.abs((paired.mean(axis=0) - theory[data] + theory["original"]) / error).max() < 4.5
        assert (error < 0.5 * runs["original"].std(axis=0, ddof=1) / np.sqrt(24)).all()


def test_given_components_are_those_of_the_start():
    model = tsphys.SimplicityBias(a=[[0.2, -0.3]], init=0.7)
    sim = tsphys.simulate(model, N=10_000, t=[0], replicas=20)
    np.testing.assert_allclose(sim["R"][:, 0, 0], np.tile([0.2, -0.3], (20, 1)), atol=1e-12)
    # χ²/N of width √2/N.
    np.testing.assert_allclose(sim["Q"][:, 0, 0, 0], 0.13 + 0.49, atol=5 * 0.49 * np.sqrt(2 / 10_000))
    # Of four coordinates two lie across the plane: χ²₂/4 of mean ½ and variance ¼.
    small = tsphys.simulate(model, N=4, t=[0], replicas=400)["Q"].mean()
    assert abs(small - 0.13 - 0.49 * 0.5) < 4 * 0.49 * 0.5 / np.sqrt(400)


def test_there_is_no_accuracy_where_no_sum_of_fields_has_the_sign():
    for K, v, known in ((1, (0.5,), True), (2, (0.5, 0.5), True), (2, (1.0, 0.5), False), (3, (1.0,) * 3, False)):
        start = tsphys.OrderParameters(R=np.zeros((K, 2)), Q=np.eye(K), T=np.eye(2))
        found = tsphys.solve(tsphys.SimplicityBias(K=K, v=v), start=start, t=[0])
        assert ("accuracy" in found.observables) == known


def test_a_run_goes_on_where_it_was_stopped():
    model, options = tsphys.SimplicityBias(), {"N": 200, "t": [0.5, 1.0], "start": START, "seed": 3}
    whole, some = (tsphys.simulate(model, replicas=n, **options) for n in (4, 2))
    again = tsphys.simulate(model, replicas=4, resume=some, **options)
    for name in whole.observables:
        np.testing.assert_array_equal(whole[name], again[name])


def test_command_line(tmp_path, capsys):
    def call(verb, *arguments):
        with pytest.raises(SystemExit) as caught:
            main([verb, "simplicity_bias", *arguments, "-t", "0,1", "-o", str(tmp_path / verb), "-q"])
        return caught.value.code

    start = ("--trained-on", "gaussian", "--a", "[[0.01, 0.0]]", "-N", "200")
    for verb in ("simulate", "solve"):
        assert call(verb, *start) == 0
        assert set(tsphys.load(tmp_path / f"{verb}.npz").observables) == {"eps_g", "accuracy", "R", "Q", "v"}
    assert call("compare", *start, "-r", "8") == 0
    capsys.readouterr()
    assert call("solve", "--mu", "[1]") == 2
    words = capsys.readouterr().err.strip().splitlines()
    assert len(words) == 1
    assert "mu" in words[0]
