"""A container registry over its HTTP API: which digest a tag has, and whether an image is there."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from provisioning.clock import ahead_s
from provisioning.errors import ProvisioningError

TIMEOUT_S = (5, 30)
MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class RegistryError(ProvisioningError):
    """The registry did not answer, or said no."""


class RegistryRefused(RegistryError):
    """It does not let this user in."""


class RegistryUntrusted(RegistryError):
    """Its TLS certificate is not one that we trust."""


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Where it is (`registry.example.com:5000`), and who asks. `ca`: path of a PEM file; None: the system's."""

    host: str
    ca: str | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    address: str | None = None
    """Where to connect instead of asking this machine's DNS; TLS is checked for the name."""
    timeout_s: tuple[float, float] = TIMEOUT_S

    def knock(self) -> float | None:
        """Log in; how far the registry's clock is ahead of ours, where it tells. Raises RegistryError."""
        answer = self._admitted("GET", f"https://{self.host}/v2/", "its door")
        if answer.status_code != 200:
            raise RegistryError(f"{self.host}: answers {answer.status_code} at /v2/, expected 200; is it a registry?")
        return ahead_s(answer.headers.get("Date"), time.time())

    def digest(self, repository: str, tag: str) -> str | None:
        """Digest of a tag, or of a digest that is there; None where it is not. Raises RegistryError."""
        answer = self._admitted("HEAD", f"https://{self.host}/v2/{repository}/manifests/{tag}", repository)
        if answer.status_code == 404:
            return None
        found = answer.headers.get("Docker-Content-Digest", "")
        if answer.status_code != 200 or not found:
            raise RegistryError(f"{self.host}: {repository}:{tag}: answers {answer.status_code} without a digest")
        return found

    def _admitted(self, method: str, url: str, what: str) -> requests.Response:
        """The answer once we are logged in, as the registry wants it. RegistryRefused when it does not let us in."""
        answer = self._ask(method, url, {})
        if answer.status_code == 401:
            answer = self._ask(method, url, self._bearer(answer.headers.get("WWW-Authenticate", "")))
        if answer.status_code in (401, 403):
            who = self.user or "nobody"
            raise RegistryRefused(f"{self.host}: refuses {who} at {what}; look at registry.user and its password")
        return answer

    def _ask(self, method: str, url: str, headers: dict[str, str]) -> requests.Response:
        login = None if headers else self._login()
        try:
            with requests.Session() as session:
                session.trust_env = False
                where, more = self._way(session, url)
                return session.request(
                    method,
                    where,
                    headers={"Accept": MANIFESTS, **more, **headers},
                    auth=login,
                    verify=self.ca or True,
                    timeout=self.timeout_s,
                )
        except requests.exceptions.SSLError as error:
            raise RegistryUntrusted(f"{self.host}: its TLS certificate is not trusted; look at registry.ca") from error
        except requests.exceptions.RequestException as error:
            raise RegistryError(f"{self.host}: the registry does not answer ({type(error).__name__})") from error

    def _way(self, session: requests.Session, url: str) -> tuple[str, dict[str, str]]:
        """URL and headers by which a request gets to the registry."""
        if self.address is None:
            return url, {}
        name = urlsplit(url).hostname or ""
        session.mount("https://", _ByName(name))
        return url.replace(f"//{name}", f"//{self.address}", 1), {"Host": self.host}

    def _bearer(self, challenge: str) -> dict[str, str]:
        """A token of the realm that the registry names, as its specification asks."""
        if not challenge.lower().startswith("bearer "):
            return {}
        named = dict(_PARAMETER.findall(challenge))
        query = {key: named[key] for key in ("service", "scope") if key in named}
        realm = named.get("realm", "")
        if not realm.startswith("https://"):
            raise RegistryError(f"{self.host}: sends logins to {realm!r}, expected https://; look at registry.url")
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(
                    realm, params=query, auth=self._login(), verify=self.ca or True, timeout=self.timeout_s
                )
            token = answer.json().get("token") or answer.json().get("access_token") or ""
        except (requests.exceptions.RequestException, ValueError, AttributeError) as error:
            raise RegistryError(f"{self.host}: gives no token ({type(error).__name__})") from error
        return {"Authorization": f"Bearer {token}"}

    def _login(self) -> HTTPBasicAuth | None:
        """As docker sends it; text would be encoded as Latin-1, which not every password can be."""
        return HTTPBasicAuth(self.user.encode(), self.password.encode()) if self.user else None


class _ByName(HTTPAdapter):
    """Asks for, and checks, the certificate of a name at whatever address the URL has."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, server_hostname=self._name, assert_hostname=self._name, **more)
