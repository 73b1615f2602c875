"""A passphrase is held against the salt that a state carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from setup.state.secrets import file_opens, opens
from tests.setup.state.states import SALT, deployment


def test_the_right_one_opens(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("lab\n")
    assert file_opens(tmp_path / "passphrase", deployment()) is True
    assert opens("lab\n", deployment()) is False
    assert opens("", deployment()) is False


@pytest.mark.parametrize(
    "providers",
    [
        None,
        [],
        {"type": "cloud", "state": {"salt": SALT}},
        {"type": "passphrase"},
        {"type": "passphrase", "state": {"salt": 7}},
        {"type": "passphrase", "state": {"salt": "v1:x"}},
        {"type": "passphrase", "state": {"salt": "v1:ü:v1:a:b"}},
        {"type": "passphrase", "state": {"salt": SALT.replace("v1", "v2")}},
    ],
)
def test_what_cannot_be_told_is_not_said(providers: Any) -> None:
    assert opens("lab", {**deployment(), "secrets_providers": providers}) is None
