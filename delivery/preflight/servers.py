"""Servers that are there already: do they answer with the pinned key, let us in, and let us become root?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from delivery.preflight.check import About, Check, told
from delivery.preflight.clocks import clock
from delivery.preflight.declared import SSH_KEY
from delivery.preflight.scope import Scope
from provisioning.at_once import at_once
from provisioning.errors import ProvisioningError
from provisioning.host import Address, HostKeyMismatch, HostUnreachable, KeyRefused
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
    """As far as we get, and why no further."""
    field = scope.of_stack(f"hosts[{scope.program.settings.hosts.index(server)}]")

    def about(what: str, setting: str) -> About:
        return About(name="server", subject=f"{server.name}: {what}", field=f"{field}.{setting}")

    reach, key = about("answers", "address"), about("host key", "host_key")
    login, root = about("login", "user"), about("sudo", "user")
    clock_of = About(name="clock", subject=server.name)
    address = Address(
        host=server.address, port=server.port, user=server.user or scope.site.ssh.user, host_key=server.host_key
    )
    where = f"{address.host} port {address.port}"
    if not answers(address):
        because = f"no SSH server greets at {where}"
        remedy = "is it on, is its address right, is its network reachable from here?"
        return [reach.failed(because, remedy), *(one.unknown(because) for one in (key, login, root, clock_of))]
    found = [reach.passed(f"an SSH server greets at {where}")]
    secret = scope.secret(SSH_KEY, KEY_FILE_VARIABLE)
    if secret.value is None:
        return [*found, *(one.unknown(secret.why_not, secret.remedy) for one in (key, login, root, clock_of))]
    ssh = Ssh(key_loader(scope.file.secret(SSH_KEY)))
    try:
        asked = time.time()
        said = Hosts(ssh).ask(address, WHAT_TIME, PATIENCE_S)
    except HostKeyMismatch as error:
        remedy = "find out which before you correct `host_key`: another machine, or one installed anew"
        because = "its host key is not the pinned one"
        return [*found, key.failed(str(error), remedy), *(one.unknown(because) for one in (login, root, clock_of))]
    except KeyRefused as error:
        remedy = f"put our public key into ~{address.user}/.ssh/authorized_keys there, or correct `user`"
        because = "it does not let us in"
        refused = [key.passed("the pinned one"), login.failed(str(error), remedy)]
        return [*found, *refused, *(one.unknown(because) for one in (root, clock_of))]
    except (HostUnreachable, ProvisioningError) as error:
        detail, _ = told(error)
        return [*found, *(one.unknown(detail) for one in (key, login, root, clock_of))]
    finally:
        ssh.close()
    found += [key.passed("the pinned one"), login.passed(f"as {address.user}")]
    if said.exit_code != 0:
        last = (said.stderr.strip().splitlines() or ["no reason given"])[-1]
        remedy = f"let {address.user} use sudo without a password there (NOPASSWD)"
        return [*found, root.failed(last, remedy), clock_of.unknown("sudo does not work")]
    theirs = said.stdout.strip()
    ahead_s = float(theirs) + 0.5 - (asked + time.time()) / 2 if theirs.isdigit() else None
    return [*found, root.passed("without a password"), clock(clock_of, ahead_s)]
