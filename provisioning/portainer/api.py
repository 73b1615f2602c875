"""A session with one Portainer server: its certificate pinned, JSON in and out, errors told in its own words."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.util import Retry

from provisioning.errors import ProvisioningError

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
DEPLOY_TIMEOUT_S = 900
"""Creating and redeploying a stack answer when compose has ended (recorded: seconds to minutes)."""
ALIVE = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
]
"""A server that vanished without a word while it deployed is noticed after half a minute, not at the deadline."""
BUSY = frozenset({429, 502, 503, 504})
LOCKED = "AdminInitTimeout"
RETRY_PAUSES_S = (0.5, 1.0, 2.0, 4.0)


class PortainerError(ProvisioningError):
    """The server answered, and said no."""

    def __init__(self, status: int, message: str, what: str) -> None:
        """Take the HTTP status, Portainer's message and what was asked of it."""
        self.status, self.message = status, message
        super().__init__(f"Portainer: {what}: {message} ({status})")


class PortainerUnreachable(ProvisioningError):
    """The server did not answer, or broke off: whether it did what was asked is not known here."""


class OtherCertificate(PortainerUnreachable):
    """Something else answers there."""


class PortainerLocked(ProvisioningError):
    """Nobody made an administrator within five minutes, so the server refuses everything until it is restarted."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server is: `https://host:port`, and the certificate that it must show (PEM)."""

    url: str
    certificate: str


class Portainer:
    """Calls with one identity: an API key, a token, or nobody. Reads are repeated when a connection drops."""

    def __init__(self, place: Place, *, api_key: str = "", token: str = "") -> None:
        """`token` is a JWT of eight hours at most, for what an API key may not do."""
        self.place = place
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no other certificates: this server only
        self._session.cookies.set_policy(
            DefaultCookiePolicy(allowed_domains=[])
        )  # a login's cookie asks for CSRF tokens
        if api_key:
            self._session.headers["X-API-Key"] = api_key
        elif token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.mount("https://", _Pinned(place.certificate))

    def get(self, path: str, **query: str | int) -> Any:
        """The answer to a GET of `/api<path>`."""
        return self.call("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: str | int) -> Any:
        """The answer to a POST of JSON."""
        return self.call("POST", path, json=body or {}, params=query)

    def put(self, path: str, body: Mapping[str, Any], **query: str | int) -> Any:
        """The answer to a PUT of JSON."""
        return self.call("PUT", path, json=body, params=query)

    def delete(self, path: str, **query: str | int) -> Any:
        """The answer to a DELETE."""
        return self.call("DELETE", path, params=query)

    def call(
        self, method: str, path: str, *, timeout_s: float = READ_TIMEOUT_S, raw: bool = False, **arguments: Any
    ) -> Any:
        """One call; its answer as bytes where `raw`. Busy answers are waited out a few times, for reads only."""
        for pause in (*RETRY_PAUSES_S, None):
            answer = self._once(method, path, timeout_s, arguments)
            if answer.status_code not in BUSY or method != "GET" or pause is None:
                break
            time.sleep(pause)
        if answer.status_code == 303 and answer.headers.get("redirect-reason") == LOCKED:
            raise PortainerLocked(
                f"{self.place.url}: Portainer has locked itself, as it had no administrator for five minutes; "
                "restart its container (`docker restart portainer`) and run this again"
            )
        if answer.status_code >= 300:
            raise PortainerError(answer.status_code, _message(answer), f"{method} {path.partition('?')[0]}")
        return answer.content if raw else _content(answer)

    def _once(self, method: str, path: str, timeout_s: float, arguments: Mapping[str, Any]) -> requests.Response:
        try:
            return self._session.request(
                method,
                f"{self.place.url}/api{path}",
                timeout=(CONNECT_TIMEOUT_S, timeout_s),
                allow_redirects=False,
                **arguments,
            )
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise PortainerUnreachable(f"{self.place.url}: broke off before it said who it is") from error
            raise OtherCertificate(
                f"{self.place.url}: shows another certificate than the one made on its host; no call was made. Find "
                "out what answers there"
            ) from error
        except requests.exceptions.RequestException as error:
            raise PortainerUnreachable(f"{self.place.url}: no answer ({type(error).__name__})") from error


class _Pinned(HTTPAdapter):
    """Trusts one certificate, and nothing else."""

    def __init__(self, certificate: str) -> None:
        self._certificate = certificate
        retry = Retry(
            total=2, connect=2, status=0, backoff_factor=0.2, allowed_methods=["GET"], respect_retry_after_header=False
        )
        super().__init__(max_retries=retry, pool_maxsize=16)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        try:
            options["ssl_context"] = ssl.create_default_context(cadata=self._certificate)
        except (ssl.SSLError, ValueError) as error:
            raise ProvisioningError(f"Portainer's certificate is none ({error})") from error
        super().init_poolmanager(*arguments, socket_options=ALIVE, **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the context as it is: requests would load the system's certificates into it."""
        conn.cert_reqs = "CERT_REQUIRED"


def _content(answer: requests.Response) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _message(answer: requests.Response) -> str:
    """Portainer's own two fields, once each; Docker's through the proxy has `message` alone."""
    try:
        found = answer.json()
        message, details = str(found.get("message") or ""), str(found.get("details") or "")
    except (ValueError, AttributeError):
        return answer.text.strip()[:300] or str(answer.reason)
    same = details.strip().lower() in message.strip().lower()
    told = message if same else ": ".join(filter(None, (message.strip(), details)))
    return " ".join(told.split())
