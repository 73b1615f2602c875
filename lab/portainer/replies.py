"""What a call answers: a body, an error in Portainer's shape, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reply:
    """An answer that is not simply 200 with a JSON body."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


EMPTY = Reply(204)


class ApiError(Exception):
    """An answer `{"message", "details"}`; details are the message unless told otherwise, with a capital first."""

    def __init__(self, status: int, message: str, details: str | None = None) -> None:
        """`details` is the text of the error below the message."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = capitalised(message if details is None else details)


class ConnectionDropped(Exception):
    """The real server's handler panics here: the connection closes without an answer."""


def invalid(details: str) -> ApiError:
    """400 for a payload that does not pass validation."""
    return ApiError(400, "Invalid request payload", details)


def internal(text: str) -> ApiError:
    """500 whose message is the error itself."""
    return ApiError(500, text, text)


def capitalised(text: str) -> str:
    """Only the first letter changes."""
    return text[:1].upper() + text[1:]
