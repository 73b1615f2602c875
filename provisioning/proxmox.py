"""A small client of the Proxmox VE API: token, JSON, tasks. Only what the provider's own resources need."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from provisioning.clock import ahead_s
from provisioning.errors import ProvisioningError

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
TRIES = 3
TASK_POLL_S = 0.25


class ProxmoxError(ProvisioningError):
    """The API answered, and said no."""

    def __init__(self, status: int, reason: str) -> None:
        """Take the HTTP status and the reason phrase, where Proxmox puts its error text."""
        self.status = status
        super().__init__(f"Proxmox API: {status} {reason}")


class ProxmoxUnreachable(ProvisioningError):
    """The API did not answer at all."""


class ProxmoxUntrusted(ProxmoxUnreachable):
    """Its TLS certificate is not one that we trust."""


class Proxmox:
    """An authenticated session. GETs are repeated on a dropped connection, writes never."""

    def __init__(
        self,
        endpoint: str,
        token: str,
        ca: str | None = None,
        *,
        timeout_s: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        tries: int = TRIES,
    ) -> None:
        """Take the `https://host:port` endpoint, the `user@realm!id=secret` token, the CA file (None: the system's)."""
        self.endpoint = endpoint.rstrip("/")
        self.ahead_s: float | None = None
        """How far the API's clock was ahead of ours at its last answer."""
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"PVEAPIToken={token}"
        self._verify = ca or True
        retry = Retry(total=tries - 1, connect=0, status=0, backoff_factor=0.2, allowed_methods=["GET"])
        self._session.mount("https://", HTTPAdapter(max_retries=retry, pool_maxsize=16))

    def get(self, path: str, /, **query: str | int) -> Any:
        """The `data` of a GET. `path` starts with a slash; its segments are already quoted (see `segment`)."""
        return self._call("GET", path, params=query)

    def post(self, path: str, form: Mapping[str, str | int] | None = None, files: Any = None) -> Any:
        """The `data` of a POST, form-encoded, or multipart where `files` are given."""
        return self._call("POST", path, data=form, files=files)

    def put(self, path: str, form: Mapping[str, str | int]) -> Any:
        """The `data` of a PUT."""
        return self._call("PUT", path, data=form)

    def delete(self, path: str, /, **query: str | int) -> Any:
        """The `data` of a DELETE."""
        return self._call("DELETE", path, params=query)

    def wait(self, node: str, upid: str, deadline_s: float = 300) -> None:
        """Wait for a task. Raises ProvisioningError when it fails or does not end within `deadline_s`."""
        limit = time.monotonic() + deadline_s
        while time.monotonic() < limit:
            status = self.get(f"/nodes/{segment(node)}/tasks/{segment(upid)}/status")
            if status["status"] == "stopped":
                exit_text = str(status.get("exitstatus", "OK"))
                if exit_text != "OK" and not exit_text.startswith("WARNINGS"):
                    raise ProvisioningError(f"Proxmox task {upid} failed: {exit_text}")
                return
            time.sleep(TASK_POLL_S)
        raise ProvisioningError(f"Proxmox task {upid} has not ended in {deadline_s:.0f} s; look at it on node {node}")

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        url = f"{self.endpoint}/api2/json{path}"
        try:
            answer = self._session.request(
                method,
                url,
                timeout=self._timeout_s,
                verify=self._verify,  # on the session, REQUESTS_CA_BUNDLE would win over it
                **arguments,
            )
        except requests.exceptions.InvalidHeader:
            raise ProvisioningError(
                "the API token holds characters that it cannot have (a line end?); check PROXMOX_VE_API_TOKEN"
            ) from None
        except requests.exceptions.SSLError as error:
            raise ProxmoxUntrusted(
                f"{self.endpoint}: its TLS certificate is not trusted ({_cause(error)}); put its CA into the site "
                "file under proxmox.ca, and into SSL_CERT_FILE for the Proxmox provider (`make env` does)"
            ) from error
        except requests.exceptions.RequestException as error:
            raise ProxmoxUnreachable(f"{self.endpoint}: no answer ({_cause(error)})") from error
        self.ahead_s = ahead_s(answer.headers.get("Date"), time.time())
        if answer.status_code >= 400:
            raise ProxmoxError(answer.status_code, _reason(answer))
        return answer.json().get("data")


def segment(text: str | int) -> str:
    """One path segment, quoted: `local:iso/x.iso` must not become three."""
    return quote(str(text), safe="")


def _reason(answer: requests.Response) -> str:
    try:
        errors = answer.json().get("errors") or {}
    except ValueError:
        errors = {}
    fields = "; ".join(f"{name}: {text}" for name, text in sorted(errors.items()))
    return f"{(answer.reason or '').strip()} {fields}".strip()


def _cause(error: BaseException) -> str:
    """The innermost reason, without the URL and object addresses that requests puts around it."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error).rpartition("> ")[2].rpartition(": ")[2] or type(error).__name__
