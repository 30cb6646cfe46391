"""Checks of `tsphys validate`, quickly, as tests."""

from tsphys.validation.checks import Setting
from tsphys.validation.run import checks_of


def passes(name, *words):
    """Those of a model whose names have one of the words pass."""
    chosen = [check for check in checks_of(name, Setting()) if any(word in check.name for word in words)]
    assert len(chosen) >= len(words)
    for check in chosen:
        found = check.run(Setting(threads=1))
        assert found.score <= found.limit, (check.name, found.detail)
