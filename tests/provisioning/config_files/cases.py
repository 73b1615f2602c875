"""Short ways to say what an edit makes of a text."""

import pytest

from provisioning.config_files import EditError, Selector, find, replace


def edited(format: str, text: str, at: str, value: str) -> str:
    return replace(text.encode(), Selector(format=format, at=at), value).decode()


def found(format: str, text: str, at: str) -> tuple[str, str]:
    there = find(text.encode(), Selector(format=format, at=at))
    return there.value, there.raw


def refused(format: str, text: str, at: str, value: str = "new") -> str:
    with pytest.raises(EditError) as error:
        replace(text.encode(), Selector(format=format, at=at), value)
    return str(error.value)
