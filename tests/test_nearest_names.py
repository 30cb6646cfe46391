"""Whoever mistypes a name, or knows it by another, is told the right one: on the command line, in files, in Python."""

import pickle

import pytest

import tsphys
from tests.command import call
from tsphys.cli import COMMANDS
from tsphys.ground.texts import nearest
from tsphys.registry import MODELS
from tsphys.studies.configuration import describe

SAID = {
    "lr": "learning rate η",
    "lr_v": "learning rate η_v",
    "C": "colours",
    "beta": "coupling β",
    "N": "",
    "queries": "",
}


@pytest.mark.parametrize(
    "key, meant",
    [
        ("eta", "lr"), ("learning_rate", "lr"), ("learning-rate", "lr"), ("lrr", "lr"), ("n", "N"), ("Beta", "beta"),
        ("colors", "C"), ("query", "queries"), ("x", None), ("qqq", None), (3, None),
    ],
)  # fmt: skip
def test_by_letters_and_by_what_is_said(key, meant):
    assert nearest(key, SAID) == meant
    assert nearest("queris", list(SAID)) == "queries"


LINES = {
    "simulate weight_theft --learning-rate 1": "did you mean --lr?",
    "simulate weight_theft --eta 1": "did you mean --lr?",
    "solve potts --colors 3": "did you mean --C?",
    "solve potts --oops 3": "No such option --oops. See",
    "compare -N 10 potts": "options stand behind",
    "solve potts --beta 3 4 5": "'4 5' belongs to no option; lists are single words",
    "simulat potts": "did you mean simulate?",
    "phase_diagram potts": "did you mean phase-diagram?",
    "potts solve": "tsphys solve potts",
    "potts": "tsphys simulate potts",
    "figure twolayer": "did you mean two_layer?",
    "models hopfeild": "did you mean hopfield?",
    "cite hopfeild": "did you mean hopfield?",
    "validate hopfeild": "did you mean hopfield?",
    "explore hopfeild": "did you mean hopfield?",
    "phase-diagram hopfeild --x T 0:1:2 --y alpha 0:1:2": "did you mean hopfield?",
}


@pytest.mark.parametrize("line", LINES)
def test_on_the_command_line(line, capsys):
    code, out, err = call(capsys, *line.split())
    assert (code, out) == (2, "")
    assert err.startswith("tsphys: error: ")
    assert err.count("\n") == 1
    assert LINES[line] in err


def test_every_command_is_found_with_a_letter_missing():
    for name in COMMANDS:
        assert nearest(name[:-1], COMMANDS) == name
    for name in MODELS:
        assert nearest(name[:-1], {name: entry.about for name, entry in MODELS.items()}) == name


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: tsphys.TwoLayer(learning_rate=0.5), "learning_rate = 0.5: is not a parameter of TwoLayer; did you"),
        (lambda: tsphys.TwoLayer(k=2), "did you mean K?"),
        (lambda: tsphys.GLM(chanel="sign"), "did you mean channel?"),
        (lambda: tsphys.simulate(tsphys.WeightTheft(), n=10), "did you mean N?"),
        (lambda: tsphys.simulate(tsphys.WeightTheft(), N=10, replica=2), "did you mean replicas?"),
        (lambda: tsphys.solve(tsphys.WeightTheft(), lr=0.3), "it is a parameter of the model, WeightTheft(lr=...)"),
        (lambda: tsphys.solve(tsphys.Potts(), Beta=[1, 2]), "did you mean beta?"),
        (lambda: describe("potts", "solve", {"colours": 3}), "option = 'colours': is not known; did you mean C?"),
        (lambda: tsphys.solve("weight-theft"), "tsphys.WeightTheft(...)"),
        (lambda: tsphys.solve(tsphys.WeightTheft), "not its class, as WeightTheft()"),
    ],
)  # fmt: skip
def test_in_python(wrong, words):
    with pytest.raises(tsphys.ModelError) as caught:
        wrong()
    assert words in str(caught.value)


def test_models_still_travel():
    model = tsphys.TwoLayer(K=3)
    assert pickle.loads(pickle.dumps(model)) == model
