"""SSH with the host key pinned from the first packet: one pooled connection per host, keepalive, deadlines."""

from __future__ import annotations

import base64
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko
from paramiko.pkey import UnknownKeyType

from provisioning.channel import collect, greeted
from provisioning.errors import ProvisioningError
from provisioning.host import (
    Address,
    CommandTimeout,
    ConnectionLost,
    HostKeyMismatch,
    HostUnreachable,
    KeyRefused,
    Result,
)

CONNECT_TIMEOUT_S = 5.0
KEEPALIVE_S = 5
OPEN_S = 15.0
SILENCE_S = 20
"""A peer that acknowledges nothing for so long is gone: the kernel then ends the connection (RFC 5482)."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 3.0
RUNNING, HELD = 5, 4
"""Sessions at once on one connection, of commands and of locks: sshd allows ten (MaxSessions) and refuses more."""
SESSION_TRIES, SESSION_PAUSE_S = 10, 0.5
PATIENT_TRIES = 4
TRIES = 4
"""Connections tried for one command: sshd drops some of a burst (MaxStartups), and networks have moments."""

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # it logs tracebacks of refused connections to stderr


class Ssh:
    """A pool of connections for one private key. Safe to use from several threads."""

    def __init__(self, load_key: Callable[[], paramiko.PKey]) -> None:
        """Take a loader of the private key, called at the first connection."""
        self._load_key = load_key
        self._clients: dict[Address, paramiko.SSHClient] = {}
        self._locks: dict[Address, threading.Lock] = {}
        self._rooms: dict[tuple[Address, int], threading.BoundedSemaphore] = {}
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self.opened = 0

    def wait(self, address: Address, deadline_s: float) -> None:
        """Wait until the host lets us in. Raises HostUnreachable after `deadline_s`, HostKeyMismatch at once."""
        limit, pause, last = time.monotonic() + deadline_s, FIRST_PAUSE_S, "not tried"
        while True:
            try:
                self._client(address)
                return
            except HostUnreachable as error:
                last = str(error)
            if time.monotonic() + pause > limit:
                raise HostUnreachable(
                    f"{last}; waited {deadline_s:.0f} s. Is the VM running, its address right, its network reachable "
                    "from here? Its console in Proxmox shows how far it booted"
                )
            if self._closed.wait(pause):
                raise HostUnreachable(f"{address.host}: cancelled while waiting for SSH")
            pause = min(pause * 1.5, LONGEST_PAUSE_S)

    def run(self, address: Address, command: str, *, stdin: bytes = b"", timeout_s: float = 60) -> Result:
        """Run a shell command on the host's pooled connection; secrets go in by `stdin`, never in `command`."""
        with self._room(address, RUNNING):
            return self._run(address, command, stdin, timeout_s)

    def _run(self, address: Address, command: str, stdin: bytes, timeout_s: float) -> Result:
        channel = self._channel(address, timeout_s)
        try:
            channel.settimeout(timeout_s)
            channel.exec_command(command)
            channel.sendall(stdin)
            channel.shutdown_write()
            return collect(channel, time.monotonic() + timeout_s)
        except TimeoutError as error:
            raise CommandTimeout(f"{address.host}: a command did not end within {timeout_s:.0f} s") from error
        except (OSError, paramiko.SSHException) as error:
            raise ConnectionLost(f"{address.host}: connection lost during a command ({error})") from error
        finally:
            channel.close()

    @contextmanager
    def open(self, address: Address, command: str, stdin: bytes, greeting: bytes, timeout_s: float) -> Iterator[bool]:
        """A command that runs as long as the block; whether it printed the greeting within the time."""
        with self._room(address, HELD):
            channel = self._channel(address, timeout_s)
            try:
                said = greeted(channel, command, stdin, len(greeting), timeout_s)
            except (OSError, paramiko.SSHException) as error:
                channel.close()
                raise ConnectionLost(f"{address.host}: connection lost during a command ({error})") from error
            try:
                yield said == greeting
            finally:
                channel.close()

    def public_key(self) -> str:
        """The public half of the key that we log in with, `<type> <base64>`."""
        key = self._load_key()
        return f"{key.get_name()} {key.get_base64()}"

    def forget(self, address: Address, client: paramiko.SSHClient | None = None) -> None:
        """Close the pooled connection; the next command opens a new one, with a new check of the host key.

        `client`: only where it is still this one, and no other that somebody works on already.
        """
        with self._lock(address):
            pooled = self._clients.get(address)
            if pooled is not None and client in (None, pooled):
                del self._clients[address]
                pooled.close()

    def close(self) -> None:
        """Close every connection and end every wait."""
        self._closed.set()
        for address in list(self._clients):
            self.forget(address)

    def _channel(self, address: Address, timeout_s: float) -> paramiko.Channel:
        for attempt in range(1, SESSION_TRIES + 1):
            client = self._persistent_client(address)
            transport = client.get_transport()
            try:
                if transport is not None:
                    return transport.open_session(timeout=min(timeout_s, OPEN_S))
            except paramiko.ChannelException as error:  # the connection is well: others use it
                # a session that ended here still counts there until its processes have ended
                if attempt == SESSION_TRIES or self._closed.wait(SESSION_PAUSE_S):
                    raise HostUnreachable(f"{address.host}: sshd refuses another session ({error.text})") from error
                continue
            except (OSError, EOFError, paramiko.SSHException) as error:
                if "Timeout opening channel" in str(error) and attempt < PATIENT_TRIES:
                    continue  # a host that is slow: what others run on the connection must not end with it
                if attempt >= 2:
                    break
            self.forget(address, client)  # a connection that died while idle: once more on a new one
        raise HostUnreachable(f"{address.host}: the connection opens no session")

    def _persistent_client(self, address: Address) -> paramiko.SSHClient:
        """The pooled connection, or a new one after a few tries; a refused key or a wrong host key is never retried."""
        pause = FIRST_PAUSE_S
        for _ in range(TRIES - 1):
            try:
                return self._client(address)
            except KeyRefused:
                raise
            except HostUnreachable:
                if self._closed.wait(pause):
                    raise
            pause = min(pause * 2, LONGEST_PAUSE_S)
        return self._client(address)

    def _room(self, address: Address, sessions: int) -> threading.BoundedSemaphore:
        with self._guard:
            return self._rooms.setdefault((address, sessions), threading.BoundedSemaphore(sessions))

    def _lock(self, address: Address) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(address, threading.Lock())

    def _client(self, address: Address) -> paramiko.SSHClient:
        with self._lock(address):
            client = self._clients.get(address)
            transport = client.get_transport() if client else None
            if client is not None and transport is not None and transport.is_active():
                return client
            client = _connect(address, self._load_key())
            self.opened += 1
            self._clients[address] = client
            return client


def _connect(address: Address, key: paramiko.PKey) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    key_type, pinned = parse_host_key(address.host_key)
    name = address.host if address.port == 22 else f"[{address.host}]:{address.port}"
    client.get_host_keys().add(name, key_type, pinned)
    where = f"{address.user}@{address.host}:{address.port}"
    try:
        client.connect(
            address.host,
            sock=_socket(address),
            port=address.port,
            username=address.user,
            pkey=key,
            allow_agent=False,
            look_for_keys=False,
            timeout=CONNECT_TIMEOUT_S,
            banner_timeout=CONNECT_TIMEOUT_S,
            auth_timeout=2 * CONNECT_TIMEOUT_S,
        )
    except paramiko.BadHostKeyException as error:
        client.close()
        raise HostKeyMismatch(_mismatch(address, error)) from error
    except paramiko.AuthenticationException as error:
        client.close()
        raise KeyRefused(f"{where}: the key is refused (user or authorized key missing there)") from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        client.close()
        if "not found in known_hosts" in str(error):
            raise HostKeyMismatch(_mismatch(address, error)) from error
        raise HostUnreachable(f"{where}: {error or type(error).__name__}") from error
    transport = client.get_transport()
    if transport is not None:
        transport.set_keepalive(KEEPALIVE_S)
    return client


def _socket(address: Address) -> socket.socket:
    """A connection on which a half-open link ends soon: by itself, TCP would wait for a quarter of an hour."""
    connection = socket.create_connection((address.host, address.port), timeout=CONNECT_TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_S * 1000)
    return connection


def _mismatch(address: Address, error: Exception) -> str:
    got = getattr(getattr(error, "key", None), "get_base64", lambda: "another type of key")()
    return (
        f"{address.host}: its host key is not the pinned one (pinned {address.host_key[:48]}…, got {got[:28]}…). "
        "No command was run. Either another machine answers at this address, or the host was reinstalled by hand: "
        "find out which before you replace the VM (`pulumi up --replace` with the URN of its seed)"
    )


def parse_host_key(text: str) -> tuple[str, paramiko.PKey]:
    """`ssh-ed25519 AAAA… comment` as type and key. Raises ProvisioningError when it is none."""
    try:
        key_type, body = text.split()[:2]
        return key_type, paramiko.PKey.from_type_string(key_type, base64.b64decode(body))
    except (ValueError, UnknownKeyType, paramiko.SSHException) as error:
        raise ProvisioningError(f"host key {text[:40]!r}: expected `<type> <base64>` ({error})") from error
