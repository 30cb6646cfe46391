"""Students of resampled examples: single counts, what two of them share, bags that are known, and runs on theory."""

import numpy as np
import pytest
from scipy import stats

import tsphys
from tsphys import GLM
from tsphys.errors import ModelError
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.losses import proximal
from tsphys.replica.saddles.gaussian_covariates import isotropic, matched, minimum
from tsphys.replica.saddles.resampled import _forces, law, pair


def test_counts():
    p, chance = np.transpose(law("bootstrap", 0.7))
    assert chance == pytest.approx(stats.poisson.pmf(p, 0.7), rel=1e-12)
    assert chance.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("name", ["square", "logistic", "hinge"])
def test_who_counts_all_examples_alike_is_alone(name):
    """p times the loss at λ is the loss at λ/p, and two students of the same examples are the same."""
    teacher, law_ = channel("sign", 0.2), matched([0.4, 1.6])
    one = minimum(name, teacher, law_, 1.7, 0.3)
    twice, common = pair(name, teacher, law_, 1.7, 0.6, ((2.0, 1.0),))
    assert (twice.m, twice.q, twice.train_loss) == pytest.approx((one.m, one.q, 2 * one.train_loss), rel=1e-9)
    assert common == pytest.approx(one.rest, rel=1e-6)


@pytest.mark.parametrize("name", ["square", "logistic", "hinge"])
def test_parts_of_much_data_are_data_of_their_own(name):
    """A fraction 0.002 of α = 1000 is α = 2, and two parts that have next to no example in common share the teacher."""
    teacher = channel("sign", 0.2)
    alone = minimum(name, teacher, isotropic(), 2.0, 0.3)
    one, common = pair(name, teacher, isotropic(), 1000.0, 0.3, law("subsample", 0.002))
    assert (one.m, one.q) == pytest.approx((alone.m, alone.q), rel=1e-9)
    assert 0 < common < 0.01 * one.rest


@pytest.mark.parametrize(("alpha", "lam", "fraction"), [(2.0, 0.1, 0.5), (0.7, 1e-6, 0.6), (5.0, 1.0, 0.2)])
def test_a_bag_of_ridges_is_a_ridge(alpha, lam, fraction):
    """With g = λ/V̂ of the parts, the ridge of all data that has the same g: λ' = g(α − 1/(1 + g)) (LeJeune et al.)."""
    teacher = channel("linear", 0.3)
    one, common = pair("square", teacher, isotropic(), alpha, lam, law("subsample", fraction))
    g = lam / one.V_hat
    whole = minimum("square", teacher, isotropic(), alpha, g * (alpha - 1 / (1 + g)))
    assert (one.m, common) == pytest.approx((whole.m, whole.rest), rel=1e-6)


@pytest.mark.parametrize("name", ["logistic", "hinge"])
def test_forces_in_common_are_a_sum_over_two_fields(name):
    """Over ω₁ and ω₂ on a grid of 0.04, which leaves 1e-4 at the corners of the hinge."""
    teacher, counts = channel("sign", 0.3), law("bootstrap", 0.8)
    one, common = pair(name, teacher, isotropic(), 1.5, 0.2, counts)
    q12 = common + one.m**2
    z = np.arange(-6, 6, 0.04)
    a, b = (np.sqrt(q12) * z)[:, None], np.sqrt(one.q - q12) * z[:, None]
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * 0.04
    f = sum(c * p * proximal(name, 1.0, a + b.T, p * one.V)[1] for p, c in counts if p > 0)
    likely = 2 * np.exp(teacher.log_partition(np.ones(z.shape), one.m / q12 * a[:, 0], 1 - one.m**2 / q12))
    told = _forces(name, teacher, 1.0, one, common, counts)
    assert told == pytest.approx(float((density * likely) @ (f @ density) ** 2), rel=3e-4)
    assert (one.V_hat + 0.2) ** 2 * common == pytest.approx(1.5 * told, rel=1e-9)


RUNS = {
    "bootstrap": GLM(estimator="logistic", resampling="bootstrap", noise=0.1, regularization=0.3),
    "subsample": GLM(estimator="hinge", resampling="subsample", fraction=0.6),
    "real": GLM(estimator="ridge", resampling="bootstrap", fraction=0.7, channel="relu", noise=0.1, students=8),
}


@pytest.mark.parametrize("model", RUNS.values(), ids=RUNS)
def test_runs_on_theory(model):
    sim, theory = tsphys.simulate(model, N=120, replicas=24, seed=5), tsphys.solve(model)
    for name in theory.observables:
        error = np.hypot(sim.sem(name)[0], 4 / 120)
        # One of ten at a level of 1e-4 in all.
        assert abs(sim.mean(name)[0] - theory[name][0]) < stats.t.isf(1e-5, 23) * error, name
    assert sim["mse"] == pytest.approx(sim["bias"] + sim["variance"] / model.students)
    for found in (sim, theory):
        assert (found.mean("eps_g") if found is sim else found["eps_g"])[0] < np.mean(found["eps_one"])


def test_your_own_data():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 20))
    sim = tsphys.simulate(RUNS["bootstrap"], X=X, y=np.sign(X[:, 0] + 0.1 * rng.normal(size=200)), replicas=2)
    assert (sim["variance"] > 0).all()
    assert "bias" not in sim


BAD = {
    "resampling": [{"resampling": "bootstrap"}, {"estimator": "max_margin", "resampling": "subsample"},
                   {"estimator": "ridge", "l1": 0.1, "resampling": "bootstrap"}],
    "fraction": [{"fraction": 0.5}, {"estimator": "ridge", "resampling": "subsample"}],
    "students": [{"students": 5}, {"estimator": "ridge", "resampling": "bootstrap", "students": 1}],
}  # fmt: skip


@pytest.mark.parametrize(("name", "given"), [(name, given) for name, many in BAD.items() for given in many])
def test_bad_input(name, given):
    with pytest.raises(ModelError) as error:
        GLM(**given)
    assert error.value.name == name


def test_no_example_is_none():
    with pytest.raises(ModelError, match="fraction"):
        tsphys.simulate(GLM(estimator="ridge", resampling="bootstrap", fraction=1e-3), N=20)
