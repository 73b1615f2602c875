"""A wrong setting, a trap or a full disk never costs the way in, nor a file that was there."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from provisioning.host import Address
from provisioning.hosts import Hosts, StepFailed
from provisioning.keys import key_loader
from provisioning.ssh import Ssh
from provisioning.steps.kinds import BY_NAME
from provisioning.steps.step import Step
from tests.steps.guests import StepGuests

pytestmark = pytest.mark.lab
SHUT = """
check() { fact way := "$(nft list table inet shut >/dev/null 2>&1 && echo shut || echo open)"; }
apply() {
    nft 'table inet shut { chain in { type filter hook input priority -300; tcp dport 22 ct state new drop; }; }'
}
revert() { nft 'table inet shut {}; delete table inet shut'; }
"""
USER: dict[str, object] = {"name": "trap", "groups": [], "shell": "/bin/bash", "keys": [], "adopt": False}


@pytest.fixture(params=["dnf", "apt"])
def place(request: pytest.FixtureRequest, guests: StepGuests) -> tuple[str, Address]:
    return request.param, guests.addresses[request.param]


def step(kind: str, /, **args: object) -> Step:
    return BY_NAME[kind].step(f"lock-{kind.lower()}", args)


def gets_in(guests: StepGuests, address: Address) -> bool:
    """Whether somebody new could log in now."""
    ssh = Ssh(key_loader(Path(guests.key_file).read_text()))
    try:
        return ssh.run(address, "sudo -n true", timeout_s=10).exit_code == 0
    finally:
        ssh.close()


def shut() -> Step:
    """A step that closes the way in, as no check before it could know."""
    return Step(name="shut", script=SHUT, wanted={"way": "shut"})


def test_ssh_sources_without_us_are_refused(guests: StepGuests, place: tuple[str, Address]) -> None:
    family, address = place
    firewall = step("Firewall", closed=True, ssh_sources=["192.0.2.0/24"], open={}, zones={})
    with pytest.raises(StepFailed, match=r"192.0.2.0/24 do not hold .*, the address that we come from"):
        guests.hosts.converge(address, firewall, can_lock_out=True)
    assert gets_in(guests, address)
    guests.hosts.revert(address, firewall)
    guests.must(family, "! systemctl is-active -q firewalld; test ! -e /etc/firewalld/policies/hypercompose.xml")


def test_what_shuts_us_out_all_the_same_is_taken_back(guests: StepGuests, place: tuple[str, Address]) -> None:
    family, address = place
    with pytest.raises(StepFailed, match="no new SSH connection gets in any more; it was taken back"):
        guests.hosts.converge(address, shut(), can_lock_out=True)
    assert gets_in(guests, address)
    guests.must(family, "! nft list table inet shut 2>/dev/null")
    guests.hosts.revert(address, shut())


@pytest.mark.soak
def test_the_host_lets_us_in_again_by_itself_when_nobody_tells_it_that_all_is_well(
    guests: StepGuests, place: tuple[str, Address]
) -> None:
    _, address = place
    hosts = Hosts(guests.ssh)
    hosts._run(address, shut().converge_program(undo=True), 60)  # and then this machine is gone
    guests.ssh.forget(address)
    started = time.monotonic()
    guests.ssh.wait(address, 90)
    assert 20 < time.monotonic() - started < 80
    hosts.revert(address, shut())


def test_a_wrong_sudoers_file_is_refused_and_sudo_goes_on(guests: StepGuests, place: tuple[str, Address]) -> None:
    family, address = place
    wrong = step("SudoRule", name="wrong", rules=["this is no rule"])
    with pytest.raises(StepFailed, match="the new content is refused, the old file stays"):
        guests.hosts.converge(address, wrong)
    assert gets_in(guests, address)
    guests.must(family, "! ls -A /etc/sudoers.d | grep hypercompose")
    guests.hosts.revert(address, wrong)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["ops ALL=(ALL) ALL"], "with them ops, with whom we log in, would need a password for sudo"),
        (
            ["User_Alias THEIRS = ops", "THEIRS ALL=(ALL) NOPASSWD: ALL"],
            "with them sudo refuses its whole configuration",
        ),
    ],
    ids=["over our own", "alias of somebody else"],
)
def test_rules_that_are_right_alone_and_wrong_with_the_others_are_taken_back(
    guests: StepGuests, place: tuple[str, Address], rules: list[str], words: str
) -> None:
    family, address = place
    guests.must(
        family, "echo 'User_Alias THEIRS = daemon' >/etc/sudoers.d/10-theirs; chmod 0440 /etc/sudoers.d/10-theirs"
    )
    wrong = step("SudoRule", name="wrong", rules=rules)
    with pytest.raises(StepFailed, match=words):
        guests.hosts.converge(address, wrong)
    assert gets_in(guests, address)
    guests.must(family, "! ls -A /etc/sudoers.d | grep hypercompose; rm /etc/sudoers.d/10-theirs")
    guests.hosts.revert(address, wrong)


def test_a_shell_that_is_not_there_or_lets_nobody_in_is_refused(guests: StepGuests, place: tuple[str, Address]) -> None:
    _, address = place
    ours = f"{guests.ssh.public_key()} ours"
    for shell, words in (
        ("/bin/no-such", "there is no /bin/no-such"),
        ("/usr/sbin/nologin", "could not log in any more"),
    ):
        login = step("User", **{**USER, "name": "ops", "keys": [ours], "adopt": True, "shell": shell})
        with pytest.raises(StepFailed, match=words):
            guests.hosts.converge(address, login)
        assert gets_in(guests, address)
        guests.hosts.revert(address, login)


def test_a_link_to_what_root_alone_may_read_shows_nothing(guests: StepGuests, place: tuple[str, Address]) -> None:
    family, address = place
    user = step("User", **USER)
    guests.hosts.converge(address, user)
    guests.must(family, "ln -sf /etc/shadow /home/trap/.ssh/authorized_keys")
    assert guests.hosts.look(address, user)["keys"] == []
    guests.must(family, "rm -r /home/trap/.ssh; mkfifo /home/trap/fifo; ln -s fifo /home/trap/.ssh")
    assert guests.hosts.look(address, user)["keys"] == []
    guests.must(family, "rm /home/trap/fifo /home/trap/.ssh")
    guests.hosts.revert(address, user)


def test_sshd_is_not_reloaded_with_a_configuration_that_somebody_has_broken(
    guests: StepGuests, place: tuple[str, Address]
) -> None:
    family, address = place
    guests.must(family, "echo Nonsense yes > /etc/ssh/sshd_config.d/50-broken.conf")
    server = step("SshServer", permit_root_login="no", max_auth_tries=4, login_grace_s=60)
    with pytest.raises(StepFailed, match="broken already; mend that first, nothing was changed"):
        guests.hosts.converge(address, server, can_lock_out=True)
    guests.must(
        family, "test ! -e /etc/ssh/sshd_config.d/00-hypercompose.conf; rm /etc/ssh/sshd_config.d/50-broken.conf"
    )
    assert gets_in(guests, address)
    guests.hosts.revert(address, server)


def test_keys_that_do_not_hold_ours_are_refused_for_the_account_that_logs_in(
    guests: StepGuests, place: tuple[str, Address]
) -> None:
    _, address = place
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB other"
    login = step("User", **{**USER, "name": "ops", "keys": [other], "adopt": True})
    with pytest.raises(StepFailed, match="do not hold the one that this run logs in with"):
        guests.hosts.converge(address, login)
    assert gets_in(guests, address)
    guests.hosts.revert(address, login)
    ours = f"{guests.ssh.public_key()} ours"
    adopted = step("User", **{**USER, "name": "ops", "keys": [ours, other], "adopt": True})
    guests.hosts.converge(address, adopted)
    assert gets_in(guests, address)
    guests.hosts.revert(address, adopted)
    assert gets_in(guests, address)


def test_a_link_in_a_users_home_leads_nowhere(guests: StepGuests, place: tuple[str, Address]) -> None:
    family, address = place
    user = step("User", **USER)
    guests.hosts.converge(address, user)
    guests.must(family, "mkdir -p /etc/trap; rm -r /home/trap/.ssh; ln -s /etc/trap /home/trap/.ssh")
    changed = step("User", **{**USER, "keys": [f"{guests.ssh.public_key()} x"]})
    with pytest.raises(StepFailed, match=r"Operation not permitted|Permission denied"):
        guests.hosts.converge(address, changed)
    guests.must(family, 'test -z "$(ls -A /etc/trap)"; rmdir /etc/trap; rm /home/trap/.ssh')
    guests.hosts.revert(address, user)
    guests.must(family, "! getent passwd trap")


def test_a_full_disk_leaves_the_old_file_and_no_litter(guests: StepGuests, place: tuple[str, Address]) -> None:
    family, address = place
    folder = "/etc/docker/certs.d/registry.example.com"

    def trust(text: str) -> Step:
        return step("RegistryTrust", registry="registry.example.com", ca=f"-----BEGIN CERTIFICATE-----{text}")

    guests.must(family, f"mkdir -p {folder} && mount -t tmpfs -o size=8k none {folder}")
    try:
        guests.hosts.converge(address, trust("old"))
        guests.must(family, f"dd if=/dev/zero of={folder}/filler bs=4k count=1 status=none")
        with pytest.raises(StepFailed, match="No space left on device"):
            guests.hosts.converge(address, trust("x" * 6000))
        assert guests.must(family, f"cat {folder}/ca.crt") == "-----BEGIN CERTIFICATE-----old"
        assert guests.must(family, f"ls -A {folder}").split() == ["ca.crt", "filler"]
    finally:
        guests.hosts.revert(address, trust("old"))
        guests.must(family, f"umount {folder} && rm -r /etc/docker")
