"""One command on an open SSH channel: what it prints first, and what it leaves."""

from __future__ import annotations

import time

import paramiko

from provisioning.host import Result

LAST_OUTPUT_S = 2.0


def greeted(channel: paramiko.Channel, command: str, stdin: bytes, size: int, timeout_s: float) -> bytes:
    """The first `size` bytes that a command prints; it runs on. OSError when it does not within the time."""
    channel.settimeout(timeout_s)
    channel.exec_command(command)
    channel.sendall(stdin)
    said = b""
    while len(said) < size and (more := channel.recv(size - len(said))):
        said += more
    return said


def collect(channel: paramiko.Channel, limit: float) -> Result:
    """What a command leaves. TimeoutError after `limit` of the monotonic clock, SSHException when it was cut off."""
    out, err, ended = bytearray(), bytearray(), None
    while True:
        progressed = False
        if channel.recv_ready():
            out += channel.recv(65536)
            progressed = True
        if channel.recv_stderr_ready():
            err += channel.recv_stderr(65536)
            progressed = True
        if not progressed:
            now = time.monotonic()
            if channel.exit_status_ready():
                ended = ended or now
                # sshd may tell the exit code before the last of the output (measured); what the command has left
                # running may hold its output open for ever
                if channel.eof_received or channel.closed or now - ended > LAST_OUTPUT_S:
                    break
            if now > limit:
                raise TimeoutError
            channel.status_event.wait(0.01) if ended is None else time.sleep(0.005)
    code = channel.recv_exit_status()
    if code < 0:
        raise paramiko.SSHException("it ended without an exit code: cut off, or killed there")
    return Result(code, out.decode(errors="replace"), err.decode(errors="replace"))
