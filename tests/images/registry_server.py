"""A registry's manifests over TLS, on loopback: open, with a password, or with tokens from a realm."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD, TOKEN = "robot", "Canary:pass wörd 🐘", "token-of-one-scope"
BASIC = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


@dataclass
class RegistryServer:
    """What it holds and what it was asked."""

    host: str = ""
    ca: str = ""
    login: str = ""
    """`basic`, `bearer`, or nothing."""
    realm: str = ""
    """Where tokens come from; empty: here."""
    manifests: dict[str, str] = field(default_factory=dict)
    """Digest by `repository:tag` and `repository:digest`."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    accepted: str = ""

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a request."""
        url = urlsplit(path)
        if url.path == "/token":
            scope = parse_qs(url.query).get("scope", [""])[0]
            known = authorization == BASIC and scope in ("repository:team/app:pull", "")
            return (200, {}, json.dumps({"token": TOKEN}).encode()) if known else (401, {}, b"{}")
        wanted = {"basic": BASIC, "bearer": f"Bearer {TOKEN}", "": authorization}[self.login]
        if authorization != wanted:
            return 401, {"WWW-Authenticate": self._challenge()}, b""
        if url.path == "/v2/":
            return 200, {}, b"{}"
        repository, _, reference = url.path.removeprefix("/v2/").partition("/manifests/")
        digest = self.manifests.get(f"{repository}:{reference}")
        return (200, {"Docker-Content-Digest": digest}, b"") if digest else (404, {}, b"")

    def _challenge(self) -> str:
        if self.login == "basic":
            return 'Basic realm="lab"'
        realm = self.realm or f"https://{self.host}/token"
        return f'Bearer realm="{realm}",service="registry",scope="repository:team/app:pull"'


@contextmanager
def serving(folder: Path) -> Iterator[RegistryServer]:
    """A server on a free port."""
    state = RegistryServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.command, self.path))
            state.accepted = self.headers.get("Accept", "")
            status, headers, body = state.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    state.host, state.ca = f"127.0.0.1:{server.server_port}", str(folder / "ca.pem")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def _certificate(folder: Path) -> Path:
    """A certificate for loopback with its key in one file, and by itself as `ca.pem`."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry of a test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(secret + pem)
    return folder / "server.pem"
