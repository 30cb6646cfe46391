"""Every parameter and every option of every model with values that it cannot have, through the command line."""

import pytest

from tests.wide import each
from tsphys.cli import main
from tsphys.cli.options import flag
from tsphys.ground.parameters import described
from tsphys.registry import MODELS, model_class
from tsphys.studies import configuration

#: So that a value that is not refused costs little.
SMALL = {"N": "16", "replicas": "1", "threads": "1", "n_test": "2", "burn_in": "1"}


def wrong(meta):
    """Texts that are no value of a parameter."""
    if meta["shape"]:
        return ['"word"', "[[1,", "[[[[1]]]]", "[[NaN]]"]
    if meta["choices"]:
        return ["nonsense", ""]
    if meta["kind"] is bool:
        return ["maybe", "2"]
    if meta["kind"] is str:
        return ["nonsense"]
    out = ["word", "NaN", "Infinity", "true", '"1"']
    out += [] if meta["optional"] else ["none"]
    out += ["2.5"] if meta["kind"] is int else []
    if meta["low"] is not None:
        out += [str(meta["low"] - 1), *([str(meta["low"])] if meta["open_low"] else [])]
    if meta["high"] is not None:
        out += [repr(2 * abs(meta["high"]) + 1), *([str(meta["high"])] if meta["open_high"] else [])]
    return out


@pytest.mark.parametrize("verb", ["simulate", "solve"])
@pytest.mark.parametrize("name", each(MODELS))
def test_each_gives_one_line_and_exit_code_2(name, verb, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = described(model_class(name))
    options = configuration.run_options(name, verb)
    given = {k: v for k, v in SMALL.items() if k in options}
    count = 0
    for key, option in {**own, **options}.items():
        for value in wrong(option.metadata):
            rest = [x for k, v in given.items() if k != key for x in (flag(k), v)]
            arguments = [verb, name, *rest, flag(key), value]
            with pytest.raises(SystemExit) as caught:
                main(arguments)
            out, err = capsys.readouterr()
            assert caught.value.code == 2, (arguments, out, err)
            assert err.startswith(f"tsphys: error: {key} = "), (arguments, err)
            assert err.count("\n") == 1, (arguments, err)
            assert out == "", arguments
            count += 1
    assert count > 20
    assert list(tmp_path.iterdir()) == []
