"""command:remote:Command and command:remote:CopyToRemote: a command, or files, on another machine."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import paramiko

from setup.standins.command.connection import connected
from setup.standins.command.outcome import CommandFailed, Outcome, failed, previous_output
from setup.standins.command.stops import Stops


def run(command: str, inputs: dict[str, Any], state: dict[str, str], stops: Stops) -> Outcome:
    """Run in the user's login shell over there; raises CommandFailed when it does not end with 0."""
    with connected(inputs["connection"]) as transport, stops.during(transport.close):
        channel = transport.open_session()
        for name, value in (inputs.get("environment") or {}).items():
            _set_variable(channel, name, str(value))
        for name, value in previous_output(state, inputs).items():
            channel.set_environment_variable(name, value)  # hoped for: a server may ignore it
        channel.exec_command(command)
        outcome = _outcome(channel, str(inputs.get("stdin") or ""))
        code = channel.recv_exit_status()
    if code:
        raise failed(
            f"Process exited with status {code}" if code > 0 else "wait: remote command exited", command, outcome
        )
    return outcome


def _set_variable(channel: paramiko.Channel, name: str, value: str) -> None:
    """Set a variable and wait for the answer: most servers accept only what their AcceptEnv lists."""
    wire: Any = channel  # paramiko has this request only without waiting for the answer
    message = paramiko.Message()
    message.add_byte(bytes([98]))  # SSH_MSG_CHANNEL_REQUEST (RFC 4254, 6.4)
    message.add_int(channel.remote_chanid)
    message.add_string("env")
    message.add_boolean(True)
    message.add_string(name)
    message.add_string(value)
    wire._event_pending()
    wire.transport._send_user_message(message)
    try:
        wire._wait_for_event()
    except paramiko.SSHException as problem:
        raise CommandFailed(f'could not set environment variable "{name}": ssh: setenv failed') from problem


def _outcome(channel: paramiko.Channel, stdin: str) -> Outcome:
    """Feed the command and read both streams until it ends."""
    said: dict[str, list[bytes]] = {"stdout": [], "stderr": [], "both": []}
    readers = [
        threading.Thread(target=_read, args=(receive, said[name], said["both"]))
        for name, receive in (("stdout", channel.recv), ("stderr", channel.recv_stderr))
    ]
    for reader in readers:
        reader.start()
    try:
        channel.sendall(stdin.encode())
        channel.shutdown_write()
    except OSError:
        pass  # it ended without reading
    for reader in readers:
        reader.join()
    return Outcome(**{name: b"".join(pieces).decode("utf-8", "replace") for name, pieces in said.items()})


def _read(receive: Any, own: list[bytes], both: list[bytes]) -> None:
    """Collect a stream to its end."""
    while piece := receive(65536):
        own.append(piece)
        both.append(piece)


def copy(inputs: dict[str, Any]) -> None:
    """Copy a file or a folder by SFTP, written in place: no rename, no mode, as the official plugin does."""
    source = str(inputs["source"]["path"])
    with connected(inputs["connection"]) as transport:
        sftp = paramiko.SFTPClient.from_transport(transport)
        if sftp is None:
            raise CommandFailed("sftp: the server does not offer it")
        try:
            _copy(sftp, source, str(inputs["remotePath"]))
        except OSError as problem:
            raise CommandFailed(
                f"failed to copy {source} to remote path {inputs['remotePath']}: {problem}"
            ) from problem


def _copy(sftp: paramiko.SFTPClient, source: str, target: str) -> None:
    """A file goes to `target`, or into that folder; a folder into it, or only its content if `source` ends with /."""
    there = _is_folder(sftp, target)
    if not Path(source).is_dir():
        sftp.put(source, f"{target.rstrip('/')}/{Path(source).name}" if there else target)
        return
    _folder(sftp, target)
    if not source.endswith("/"):
        target = f"{target.rstrip('/')}/{Path(source).name}"
        _folder(sftp, target)
    for file in sorted(Path(source).rglob("*")):
        place = f"{target.rstrip('/')}/{file.relative_to(source)}"
        if file.is_dir():
            _folder(sftp, place)
        else:
            sftp.put(str(file), place)


def _folder(sftp: paramiko.SFTPClient, path: str) -> None:
    """Make a folder unless it is there; something else in its place is an error."""
    there = _is_folder(sftp, path)
    if there is None:
        sftp.mkdir(path)
    elif not there:
        raise CommandFailed(f"remote path {path} exists but is not a directory")


def _is_folder(sftp: paramiko.SFTPClient, path: str) -> bool | None:
    """Whether a remote path is a folder; None when there is nothing."""
    try:
        return stat.S_ISDIR(sftp.stat(path).st_mode or 0)
    except FileNotFoundError:
        return None
