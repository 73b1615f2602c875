"""A container registry over its HTTP API: which digest a tag has, and whether an image is there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import requests
from requests.auth import HTTPBasicAuth

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


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Where it is (`registry.example.com:5000`), and who asks. `ca`: path of a PEM file; None: the system's."""

    host: str
    ca: str | None = None
    user: str = ""
    password: str = field(default="", repr=False)

    def digest(self, repository: str, tag: str) -> str | None:
        """Digest of a tag, or of a digest that is there; None where it is not. Raises RegistryError."""
        url = f"https://{self.host}/v2/{repository}/manifests/{tag}"
        answer = self._head(url, {})
        if answer.status_code == 401:
            answer = self._head(url, self._bearer(answer.headers.get("WWW-Authenticate", "")))
        if answer.status_code == 404:
            return None
        if answer.status_code in (401, 403):
            who = self.user or "nobody"
            raise RegistryError(f"{self.host}: refuses {who} at {repository}; look at registry.user and its password")
        found = answer.headers.get("Docker-Content-Digest", "")
        if answer.status_code != 200 or not found:
            raise RegistryError(f"{self.host}: {repository}:{tag}: answers {answer.status_code} without a digest")
        return found

    def _head(self, url: str, headers: dict[str, str]) -> requests.Response:
        login = None if headers else self._login()
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.head(
                    url,
                    headers={"Accept": MANIFESTS, **headers},
                    auth=login,
                    verify=self.ca or True,
                    timeout=TIMEOUT_S,
                )
        except requests.exceptions.SSLError as error:
            raise RegistryError(f"{self.host}: its TLS certificate is not trusted; look at registry.ca") from error
        except requests.exceptions.RequestException as error:
            raise RegistryError(f"{self.host}: the registry does not answer ({type(error).__name__})") from error

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
                answer = session.get(realm, params=query, auth=self._login(), verify=self.ca or True, timeout=TIMEOUT_S)
            token = answer.json().get("token") or answer.json().get("access_token") or ""
        except (requests.exceptions.RequestException, ValueError, AttributeError) as error:
            raise RegistryError(f"{self.host}: gives no token ({type(error).__name__})") from error
        return {"Authorization": f"Bearer {token}"}

    def _login(self) -> HTTPBasicAuth | None:
        """As docker sends it; text would be encoded as Latin-1, which not every password can be."""
        return HTTPBasicAuth(self.user.encode(), self.password.encode()) if self.user else None
