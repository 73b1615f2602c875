"""`hypercompose:secret:Password` and `Uuid`: random secrets that are kept in the state, encrypted, and nowhere else."""

from __future__ import annotations

import secrets
import string
import uuid
from typing import ClassVar

from provider.resource import Context, Properties, Resource

ALPHABET = string.ascii_letters + string.digits


class Password(Resource):
    """`length`; gives `value`. `keeper`: whatever makes another one necessary."""

    type = "hypercompose:secret:Password"
    replace_on = frozenset({"length", "keeper"})
    secrets: ClassVar[frozenset[str]] = frozenset({"value"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Letters and digits, from the system's source of randomness."""
        value = "".join(secrets.choice(ALPHABET) for _ in range(int(inputs["length"])))
        return secrets.token_hex(8), {"value": value}


class Uuid(Resource):
    """Gives `value`: a random UUID, as the ids of webhooks are. `keeper`: whatever makes another one necessary."""

    type = "hypercompose:secret:Uuid"
    replace_on = frozenset({"keeper"})
    secrets: ClassVar[frozenset[str]] = frozenset({"value"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """From the system's source of randomness."""
        return secrets.token_hex(8), {"value": str(uuid.uuid4())}
