"""From power-on to a host that answers with a key it made itself."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioning.errors import ProvisioningError
from provisioning.host import Address, CommandTimeout, HostKeyMismatch, HostUnreachable

if TYPE_CHECKING:
    from provisioning.ssh import Ssh

RELOAD_DEADLINE_S = 20.0
RELOAD_PAUSE_S = 0.3
FINAL_KEY = "/etc/ssh/ssh_host_ed25519_key"
ONE_TIME_KEY = "/etc/ssh/ssh_host_ecdsa_key"

# A wrong configuration must never be loaded; the daemon's unit is `sshd` on Rocky and `ssh` on Debian.
_RELOAD_SSHD = "sshd -t\nsystemctl reload sshd.service 2>/dev/null || systemctl reload ssh.service"

MAKE_FINAL_KEY = f"""set -e
sudo -n sh -eu <<'END'
[ -s {FINAL_KEY} ] || ssh-keygen -q -t ed25519 -N '' -C '' -f {FINAL_KEY}
{_RELOAD_SSHD}
END
cut -d' ' -f1,2 {FINAL_KEY}.pub"""

RETIRE_ONE_TIME_KEY = f"""set -e
sudo -n sh -eu <<'END'
rm -f {ONE_TIME_KEY} {ONE_TIME_KEY}.pub
mkdir -p /etc/cloud && touch /etc/cloud/cloud-init.disabled
{_RELOAD_SSHD}
END"""


def finish_first_boot(ssh: Ssh, one_time: Address, deadline_s: float) -> str:
    """Wait for SSH under the one-time key and for cloud-init; return the public key that the host made.

    Safe to repeat until the one-time key is retired. Raises ProvisioningError.
    """
    limit = time.monotonic() + deadline_s
    ssh.wait(one_time, deadline_s)
    _wait_for_cloud_init(ssh, one_time, limit)
    key = _checked(ssh, one_time, MAKE_FINAL_KEY, "make the final host key").strip()
    _wait_until_served(ssh, replace(one_time, host_key=key))
    return key


def retire_one_time_key(ssh: Ssh, final: Address) -> None:
    """Leave only the final key on the host, and keep cloud-init from ever running again. Safe to repeat."""
    _checked(ssh, final, RETIRE_ONE_TIME_KEY, "retire the one-time host key")
    ssh.forget(final)
    ssh.wait(final, 30)


def _wait_until_served(ssh: Ssh, final: Address) -> None:
    """Wait until sshd has loaded the final key: a reload returns before that. No command runs until the key fits."""
    limit = time.monotonic() + RELOAD_DEADLINE_S
    while True:
        try:
            ssh.wait(final, RELOAD_DEADLINE_S)
            return
        except HostKeyMismatch:
            if time.monotonic() > limit:
                raise
        time.sleep(RELOAD_PAUSE_S)


def _wait_for_cloud_init(ssh: Ssh, address: Address, limit: float) -> None:
    # `--wait` alone would hang with a boot that hangs: asked for, and stopped at the deadline
    remaining = max(1.0, limit - time.monotonic())
    command = f"timeout {remaining:.0f} cloud-init status --wait >/dev/null; cloud-init status --format json"
    while True:
        try:
            answer = ssh.run(address, command, timeout_s=remaining + 5)
            break
        except CommandTimeout as error:
            raise ProvisioningError(f"{address.host}: {error}; cloud-init has not finished in time") from error
        except HostUnreachable:  # a first boot may restart the network or the machine
            ssh.wait(address, max(1.0, limit - time.monotonic()))
    status = _status(answer.stdout)
    if status.get("status") not in ("done", "disabled"):
        errors = status.get("errors")
        details = json.dumps(errors) if errors else answer.stderr.strip()[-300:]
        raise ProvisioningError(
            f"{address.host}: cloud-init ended as {status.get('status', 'unknown')!r} ({details or 'no details'}); "
            "see /var/log/cloud-init.log there"
        )


def _status(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _checked(ssh: Ssh, address: Address, command: str, what: str) -> str:
    result = ssh.run(address, command, timeout_s=60)
    if result.exit_code != 0:
        last = (result.stderr.strip() or result.stdout.strip())[-300:]
        raise ProvisioningError(f"{address.host}: could not {what} (exit code {result.exit_code}: {last})")
    return result.stdout
