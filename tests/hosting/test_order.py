"""Orders: what they are called, and that they arrive as they were sent."""

from __future__ import annotations

import pytest

from hosting.order import Order
from tests.hosting.orders import order
from tests.hosting.world import HOSTILE


def test_everything_of_an_instance_is_called_by_its_environment_and_its_name() -> None:
    found = order(name="shop", environment="dev")
    assert (found.stack, found.compose_project, found.owner) == ("dev.shop", "i-shop", "lab/dev/i-shop")
    assert found.reference == "organization/hypercompose/dev"


@pytest.mark.parametrize("text", [*HOSTILE, "half \ud800", ""])
def test_an_order_arrives_as_it_was_sent(text: str) -> None:
    sent = order("odoo", tenant=text, settings={text: text, "deep": [1, None, {"a": text}]}, keep_volumes=True)
    assert "\n" not in sent.to_json()
    assert Order.from_json(sent.to_json()) == sent
