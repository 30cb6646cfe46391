"""What the refusal of any bad input looks like."""

import pytest

import tsphys


def refuses(call, name):
    """The call ends with one clear line that names the parameter, its value and what is allowed."""
    with pytest.raises(tsphys.ModelError) as caught:
        call()
    message = str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert caught.value.name == name
    assert message.startswith(f"{name} = "), message
    assert "\n" not in message
    assert len(message) < 300, message
    assert len(caught.value.allowed) > 5
