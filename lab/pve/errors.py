"""How a call fails: HTTP status, the reason phrase Proxmox puts its text in, and errors by parameter."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

INVALID_PARAMETERS = "Parameter verification failed."


class ApiError(Exception):
    """An answer other than 200. Raised inside a task, its reason becomes the task's exit status."""

    def __init__(
        self, status: int, reason: str, *, errors: Mapping[str, str] | None = None, with_message: bool = True
    ) -> None:
        """Proxmox repeats the reason as `message` in the body, for most errors."""
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.errors = dict(errors or {})
        self.message = f"{reason}\n" if with_message else None


class ConnectionDropped(Exception):
    """The connection closes without an answer."""


def failure(reason: str) -> ApiError:
    """What a `die` in Proxmox's code becomes: 500 with the text as reason phrase."""
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, reason)


def invalid(**errors: str) -> ApiError:
    """400 with a text by parameter; a `_` in a name stands for `-`."""
    return ApiError(
        HTTPStatus.BAD_REQUEST, INVALID_PARAMETERS, errors={k.replace("_", "-"): v for k, v in errors.items()}
    )


def invalid_option(name: str, text: str) -> ApiError:
    """400 about one parameter whose name is not known beforehand."""
    return ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETERS, errors={name: text})


def unauthorized(reason: str) -> ApiError:
    """401: no, wrong or expired credentials."""
    return ApiError(HTTPStatus.UNAUTHORIZED, reason, with_message=False)


def denied(path: str, privileges: str) -> ApiError:
    """403: the caller is known but lacks a privilege on a path."""
    return ApiError(HTTPStatus.FORBIDDEN, f"Permission check failed ({path}, {privileges})")


def no_config(node: str, vmid: int) -> ApiError:
    """What every call about a VM that is not there answers; clients take it for `gone`."""
    return failure(f"Configuration file 'nodes/{node}/qemu-server/{vmid}.conf' does not exist")
