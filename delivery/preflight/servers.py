"""Servers that are there already: do they answer with the pinned key, let us in, and let us become root?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from delivery.preflight.check import LOOK_THERE, About, Check, Ladder, told
from delivery.preflight.clocks import clock
from delivery.preflight.declared import SSH_KEY
from delivery.preflight.scope import Scope
from provisioning.at_once import at_once
from provisioning.clock import HALF_A_SECOND
from provisioning.errors import ProvisioningError
from provisioning.host import Address, HostKeyMismatch, KeyRefused, Result
from provisioning.hosts import Hosts, answers
from provisioning.keys import KEY_FILE_VARIABLE, key_loader
from provisioning.ssh import Ssh
from settings.host import ExistingHost

DEADLINE_S = 11.0
PATIENCE_S = 5.0
WHAT_TIME = "date +%s"


def check_servers(scope: Scope) -> Iterator[Check]:
    """Lines for each existing server."""
    if because := scope.unusable():
        yield About(name="server").unknown(because)
    servers = scope.program.settings.hosts
    for server, answer in zip(
        servers, at_once([partial(_one, scope, server) for server in servers], DEADLINE_S), strict=True
    ):
        about = About(name="server", subject=server.name)
        yield from [about.unknown(str(answer))] if isinstance(answer, Exception) else answer


def _one(scope: Scope, server: ExistingHost) -> list[Check]:
    field = scope.of_stack(f"hosts[{scope.program.settings.hosts.index(server)}]")
    ladder = Ladder(
        *(
            About(name="server", subject=f"{server.name}: {what}", field=f"{field}.{setting}")
            for what, setting in (("answers", "address"), ("host key", "host_key"), ("login", "user"), ("sudo", "user"))
        ),
        About(name="clock", subject=server.name),
    )
    user = server.user or scope.site.ssh.user
    address = Address(host=server.address, port=server.port, user=user, host_key=server.host_key)
    _climb(scope, address, ladder)
    return ladder.checks


def _climb(scope: Scope, address: Address, ladder: Ladder) -> None:
    """As far as we get, and why no further."""
    where, secret = f"{address.host} port {address.port}", scope.secret(SSH_KEY, KEY_FILE_VARIABLE)
    if not answers(address):
        because = f"no SSH server greets at {where}"
        ladder.failed(because, LOOK_THERE, because)
        return
    ladder.passed(f"an SSH server greets at {where}")
    if secret.value is None:
        ladder.unknown(secret.why_not, secret.remedy)
        return
    ssh = Ssh(key_loader(scope.file.secret(SSH_KEY)))
    try:
        began = time.time()
        said = Hosts(ssh).ask(address, WHAT_TIME, PATIENCE_S)
        _inside(ladder, address, said, (began + time.time()) / 2)
    except HostKeyMismatch as error:
        remedy = "find out which before you correct `host_key`: another machine, or one installed anew"
        ladder.failed(str(error), remedy, "its host key is not the pinned one")
    except KeyRefused as error:
        ladder.passed("the pinned one")
        remedy = f"put our public key into ~{address.user}/.ssh/authorized_keys there, or correct `user`"
        ladder.failed(str(error), remedy, "it does not let us in")
    except ProvisioningError as error:
        ladder.unknown(*told(error))
    finally:
        ssh.close()


def _inside(ladder: Ladder, address: Address, said: Result, now: float) -> None:
    ladder.passed("the pinned one", f"as {address.user}")
    if said.exit_code != 0:
        last = (said.stderr.strip().splitlines() or ["no reason given"])[-1]
        remedy = f"let {address.user} use sudo without a password there (NOPASSWD)"
        ladder.failed(last, remedy, "sudo does not work")
        return
    ladder.passed("without a password")
    theirs = said.stdout.strip()
    ladder.ended(lambda rung: clock(rung, float(theirs) + HALF_A_SECOND - now if theirs.isdigit() else None))
