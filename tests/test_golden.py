"""The file of results that moves of the code are held against names all that there is."""

import json

from tests import golden
from tsphys.registry import LIBRARY_ONLY, MODELS


def test_every_case_is_in_the_file_and_every_model_among_the_cases():
    names = list(golden.cases())
    assert list(json.loads(golden.FILE.read_text(encoding="utf-8"))) == names, "python -m tests.golden --update"
    for model, entry in {**MODELS, **LIBRARY_ONLY}.items():
        for room, verb in ((entry.sims, "simulate"), (entry.theory, "solve")):
            assert not room or any(n.startswith(f"{model} ") and n.endswith(verb) for n in names), (model, verb)
