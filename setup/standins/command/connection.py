"""An SSH connection as the `connection` input describes it: retried; key, password or agent; through a proxy."""

from __future__ import annotations

import base64
import io
import itertools
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko

from setup.standins.command.outcome import CommandFailed


@contextmanager
def connected(connection: dict[str, Any]) -> Iterator[paramiko.Transport]:
    """One connection for one command, as the official plugin makes it: no pool, no keepalive."""
    proxy = connection.get("proxy")
    if not proxy:
        with _retried(connection, None) as transport:
            yield transport
        return
    with _retried(proxy, None, "proxy: ") as outer, _retried(connection, outer, "proxy: ") as transport:
        yield transport


@contextmanager
def _retried(
    described: dict[str, Any], via: paramiko.Transport | None, prefix: str = ""
) -> Iterator[paramiko.Transport]:
    """A connection, tried again with growing pauses up to `dialErrorLimit` times (-1: without end)."""
    limit, pause_s, tries = int(described.get("dialErrorLimit", 10)), 0.1, 0
    while True:
        try:
            transport = _dial(described, via)
            break
        except (OSError, paramiko.SSHException, EOFError) as problem:
            tries += 1
            if -1 < limit < tries:
                text = f"{prefix}after {tries - 1} failed attempts: {_wording(described, problem)}"
                raise CommandFailed(text) from problem
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 5)
    with transport:
        yield transport


def _dial(described: dict[str, Any], via: paramiko.Transport | None) -> paramiko.Transport:
    """Connect, compare the host key if one is given, log in."""
    transport = paramiko.Transport(_channel(described, via))
    pinned = _pinned(described.get("hostKey"))
    try:
        if pinned is not None:
            # Ask for the key that can be compared; a server offers its others first otherwise.
            transport.get_security_options().key_types = _algorithms(pinned)
        transport.start_client(timeout=float(described.get("perDialTimeout", 15)) or None)
        if pinned is not None and transport.get_remote_server_key() != pinned:
            raise paramiko.SSHException("ssh: host key mismatch")
        _log_in(transport, described)
    except BaseException:
        transport.close()
        raise
    return transport


def _channel(described: dict[str, Any], via: paramiko.Transport | None) -> Any:
    """A socket, or a channel through the proxy that looks like one."""
    address = (str(described["host"]), int(described.get("port", 22)))
    if via is not None:
        return via.open_channel("direct-tcpip", address, ("127.0.0.1", 0))
    return socket.create_connection(address, timeout=float(described.get("perDialTimeout", 15)) or None)


def _log_in(transport: paramiko.Transport, described: dict[str, Any]) -> None:
    """By private key, then password, then agent; the last refusal is raised."""
    user, refusal = str(described.get("user", "root")), paramiko.SSHException("ssh: no way to log in is given")
    for offer in _offers(described):
        try:
            if isinstance(offer, str):
                transport.auth_password(user, offer)
            else:
                transport.auth_publickey(user, offer)
        except paramiko.SSHException as problem:
            refusal = problem
        if transport.is_authenticated():
            return
    raise refusal


def _offers(described: dict[str, Any]) -> Iterator[str | paramiko.PKey]:
    """What to offer: keys, and the password as text."""
    if described.get("privateKey"):
        yield _key(str(described["privateKey"]), described.get("privateKeyPassword"))
    if described.get("password"):
        yield str(described["password"])
    agent = described.get("agentSocketPath") or os.environ.get("SSH_AUTH_SOCK")
    if agent and os.path.exists(agent):  # noqa: PTH110  (a socket's path as given)
        yield from paramiko.Agent().get_keys()


def _key(text: str, password: str | None) -> paramiko.PKey:
    """A private key of any kind, in OpenSSH or PEM form."""
    refusal: Exception = paramiko.SSHException("ssh: no key found")
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), password)
        except (paramiko.SSHException, ValueError, IndexError) as problem:
            refusal = problem
    raise paramiko.SSHException(f"ssh: {refusal}")


def _pinned(text: str | None) -> paramiko.PKey | None:
    """The expected host key, from `type base64 [comment]`, with or without a host in front."""
    words = (text or "").split()
    for kind, data in itertools.pairwise(words):
        if kind.startswith(("ssh-", "ecdsa-")):
            return paramiko.PKey.from_type_string(kind, base64.b64decode(data))
    return None


def _algorithms(pinned: paramiko.PKey) -> tuple[str, ...]:
    """Signature algorithms for a key: an RSA key signs in several."""
    name = pinned.get_name()
    return ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa") if name == "ssh-rsa" else (name,)


def _wording(described: dict[str, Any], problem: BaseException) -> str:
    """The official plugin's words for the usual failures, which people search for."""
    address = f"{described['host']}:{int(described.get('port', 22))}"
    if isinstance(problem, ConnectionRefusedError):
        return f"dial tcp {address}: connect: connection refused"
    if isinstance(problem, TimeoutError):
        return f"dial tcp {address}: i/o timeout"
    if isinstance(problem, paramiko.AuthenticationException):
        return "ssh: handshake failed: ssh: unable to authenticate, no supported methods remain"
    if isinstance(problem, paramiko.SSHException):
        return f"ssh: handshake failed: {problem}"
    return f"dial tcp {address}: {problem or type(problem).__name__}"
