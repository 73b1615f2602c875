"""A small SSH server in this process, for tests of the client: real protocol, scripted commands."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

Answer = Callable[[str, bytes], tuple[int, bytes, bytes]]


class _Server(paramiko.ServerInterface):
    def __init__(self, key: paramiko.PKey, answer: Answer, delays: list[float]) -> None:
        self.key, self.answer, self.delays = key, answer, delays

    def check_channel_request(self, kind: str, chanid: int) -> int:
        time.sleep(self.delays.pop(0) if self.delays else 0)
        return OPEN_SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if key == self.key else AUTH_FAILED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, command: str) -> None:
        stdin = b""
        while chunk := channel.recv(65536):
            stdin += chunk
        code, out, err = self.answer(command, stdin)
        with contextlib.suppress(OSError):  # the client may have gone
            channel.sendall(out)
            channel.sendall_stderr(err)
            channel.send_exit_status(code)
        channel.close()


class Sshd:
    """Listens on loopback; counts connections and remembers commands."""

    def __init__(self, host_key: paramiko.PKey, client_key: paramiko.PKey, answer: Answer) -> None:
        self.host_key, self.client_key = host_key, client_key
        self.commands: list[str] = []
        self.connections = 0
        self.delays: list[float] = []
        """Seconds for which the connection stands still, by session that is opened."""
        self._answer = answer
        self._transports: list[paramiko.Transport] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop every connection, as a network failure would."""
        for transport in self._transports:
            transport.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept would take one more
        self._socket.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                transport = paramiko.Transport(connection)
                transport.add_server_key(self.host_key)
                self._transports.append(transport)
                with contextlib.suppress(paramiko.SSHException, EOFError):
                    transport.start_server(server=_Server(self.client_key, self._remember, self.delays))

    def _remember(self, command: str, stdin: bytes) -> tuple[int, bytes, bytes]:
        self.commands.append(command)
        return self._answer(command, stdin)


@contextlib.contextmanager
def serving(host_key: paramiko.PKey, client_key: paramiko.PKey, answer: Answer) -> Iterator[Sshd]:
    """A server for the length of a `with` block."""
    server = Sshd(host_key, client_key, answer)
    try:
        yield server
    finally:
        server.close()
