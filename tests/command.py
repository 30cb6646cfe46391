"""A command line as a user types it, in this process."""

import pytest

from tsphys.cli import main


def call(capsys, *arguments):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    return caught.value.code, *capsys.readouterr()


def exit_code(words):
    with pytest.raises(SystemExit) as caught:
        main([*words])
    return caught.value.code
