"""The SSH pool against a real SSH server on loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import paramiko
import pytest

from provisioning.errors import ProvisioningError
from provisioning.host import Address, CommandTimeout, HostKeyMismatch, HostUnreachable
from provisioning.ssh import Ssh, parse_host_key
from tests.provisioning import sshd

CLIENT = paramiko.ECDSAKey.generate()
HOST = paramiko.ECDSAKey.generate()


def answer(command: str, stdin: bytes) -> tuple[int, bytes, bytes]:
    if command in ("slow", "briefly"):
        time.sleep(5 if command == "slow" else 1.5)
    if command == "big":
        return 0, b"x" * 3_000_000, b"y" * 300_000
    return (3 if command == "fail" else 0), command.encode() + stdin, b"noise"


@pytest.fixture
def server() -> Iterator[Any]:
    with sshd.serving(HOST, CLIENT, answer) as running:
        yield running


def address(server: Any, host_key: paramiko.PKey = HOST) -> Address:
    text = f"{host_key.get_name()} {host_key.get_base64()}"
    return Address(host="127.0.0.1", port=server.port, user="ops", host_key=text)


def test_commands_share_one_connection(server: Any) -> None:
    ssh = Ssh(lambda: CLIENT)
    threads = [threading.Thread(target=ssh.run, args=(address(server), f"c{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (server.connections, ssh.opened, len(server.commands)) == (1, 1, 8)


def test_a_result_carries_code_output_and_standard_input_reaches_the_command(server: Any) -> None:
    result = Ssh(lambda: CLIENT).run(address(server), "fail", stdin="ü$(reboot)\n".encode())
    assert (result.exit_code, result.stdout, result.stderr) == (3, "failü$(reboot)\n", "noise")


def test_large_output_on_both_streams_does_not_block(server: Any) -> None:
    result = Ssh(lambda: CLIENT).run(address(server), "big", timeout_s=20)
    assert (len(result.stdout), len(result.stderr)) == (3_000_000, 300_000)


def test_another_host_key_ends_it_before_any_command(server: Any) -> None:
    with pytest.raises(HostKeyMismatch, match=r"not the pinned one.*No command was run"):
        Ssh(lambda: CLIENT).wait(address(server, paramiko.ECDSAKey.generate()), 30)
    assert (server.connections, server.commands) == (1, [])


def test_another_type_of_host_key_is_a_mismatch_too(server: Any) -> None:
    pinned = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB"
    with pytest.raises(HostKeyMismatch):
        Ssh(lambda: CLIENT).wait(Address(host="127.0.0.1", port=server.port, user="ops", host_key=pinned), 30)
    assert server.commands == []


def test_a_refused_login_is_retried_until_the_deadline(server: Any) -> None:
    with pytest.raises(HostUnreachable, match=r"the key is refused.*waited 1 s"):
        Ssh(paramiko.ECDSAKey.generate).wait(address(server), 1)
    assert server.connections > 1


def test_a_host_that_never_answers_costs_its_deadline_and_no_more() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    unused = silent.getsockname()[1]
    silent.close()
    key = f"{HOST.get_name()} {HOST.get_base64()}"
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match=r"waited 1 s. Is the VM running"):
        Ssh(lambda: CLIENT).wait(Address(host="127.0.0.1", port=unused, user="ops", host_key=key), 1)
    assert time.monotonic() - started < 3


def test_a_cut_connection_is_opened_again_for_the_next_command(server: Any) -> None:
    ssh = Ssh(lambda: CLIENT)
    ssh.run(address(server), "one")
    server.cut()
    assert ssh.run(address(server), "two").stdout == "two"
    assert server.connections == 2


def test_a_command_that_does_not_end_is_given_up_at_its_time(server: Any) -> None:
    with pytest.raises(CommandTimeout, match="did not end within 1 s"):
        Ssh(lambda: CLIENT).run(address(server), "slow", timeout_s=1)


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 !!!", "nonsense AAAA"])
def test_a_host_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ProvisioningError, match="host key"):
        parse_host_key(text)


def test_a_session_that_opens_slowly_ends_no_command_beside_it(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.ssh.OPEN_S", 0.3)
    ssh, found = Ssh(lambda: CLIENT), dict[str, Any]()
    ssh.run(address(server), "first")
    server.delays += [0.0, 0.5]
    beside = threading.Thread(target=lambda: found.update(beside=ssh.run(address(server), "briefly")))
    beside.start()
    wait_until(lambda: "briefly" in server.commands)
    found["late"] = ssh.run(address(server), "late")
    beside.join(10)
    assert {name: result.stdout for name, result in found.items()} == {"beside": "briefly", "late": "late"}
    assert (server.connections, ssh.opened) == (1, 1)


def test_only_the_connection_that_was_bad_is_given_up(server: Any) -> None:
    ssh = Ssh(lambda: CLIENT)
    ssh.run(address(server), "x")
    bad = ssh._clients[address(server)]
    ssh.forget(address(server))
    ssh.run(address(server), "y")
    good = ssh._clients[address(server)]
    ssh.forget(address(server), bad)
    assert ssh._clients[address(server)] is good is not bad
    ssh.forget(address(server), good)
    assert address(server) not in ssh._clients


def wait_until(is_so: Any) -> None:
    limit = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.01)
