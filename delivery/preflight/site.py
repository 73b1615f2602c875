"""The Proxmox API: does it answer, is it trusted, does it take the token; then what it says of the site."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from delivery.preflight.addresses import check_addresses
from delivery.preflight.check import About, Check, told
from delivery.preflight.clocks import clock
from delivery.preflight.declared import TOKEN_KEY, TOKEN_VARIABLE
from delivery.preflight.ids import check_ids
from delivery.preflight.networks import check_networks
from delivery.preflight.nodes import check_nodes
from delivery.preflight.permissions import check_permissions, permission_questions
from delivery.preflight.scope import Scope, Secret, in_checkout
from delivery.preflight.storages import check_storages
from delivery.preflight.templates import check_templates
from provisioning.errors import ProvisioningError
from provisioning.inventory import (
    NODES,
    VMS,
    Inventory,
    Question,
    config_of,
    devices_of,
    is_free,
    storages_on,
)
from provisioning.proxmox import Proxmox, ProxmoxError, ProxmoxUnreachable, ProxmoxUntrusted
from provisioning.trust import handshake

TIMEOUT_S = (2.5, 3.5)
WAVE_S = 4.0
UNAUTHORIZED = 401
DEPENDENT = ("permission", "node", "storage", "template", "network", "vm id")


@dataclass
class _Door:
    """How far we got."""

    api: Proxmox
    secret: Secret
    stopped_by: str = ""
    checks: list[Check] = field(default_factory=list)


def check_site(scope: Scope) -> Iterator[Check]:
    """From the first packet to the last VM id."""
    door = _knock(scope)
    yield from door.checks
    inventory = None
    if door.stopped_by:
        yield from (About(name=name).unknown(door.stopped_by) for name in DEPENDENT)
    else:
        yield clock(About(name="clock", subject="Proxmox API"), door.api.ahead_s)
        inventory = _inventory(scope, door.api)
        yield from _of_inventory(scope, inventory)
    yield from check_addresses(scope, inventory, door.stopped_by)


def _of_inventory(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    yield from check_permissions(scope, inventory)
    yield from check_nodes(scope, inventory)
    yield from check_storages(scope, inventory)
    yield from check_templates(scope, inventory)
    yield from check_networks(scope, inventory)
    yield from check_ids(scope, inventory)


def _knock(scope: Scope) -> _Door:
    proxmox, secret = scope.site.proxmox, scope.secret(TOKEN_KEY, TOKEN_VARIABLE)
    ca = in_checkout(proxmox.ca)
    door = _Door(Proxmox(proxmox.endpoint, secret.value or "", ca, timeout_s=TIMEOUT_S, tries=1), secret)
    api = About(name="api", subject=proxmox.endpoint, field=scope.of_site("proxmox.endpoint"))
    tls = About(name="tls", subject=proxmox.endpoint, field=scope.of_site("proxmox.ca"))
    if ca and not Path(ca).is_file():
        door.stopped_by = "the CA of the Proxmox API is missing"
        door.checks += [tls.failed(f"{ca} does not exist", "put the CA's certificate there, or correct proxmox.ca")]
        door.checks += [_token(scope).unknown(door.stopped_by)]
        return door
    began = time.monotonic()
    try:
        version = door.api.get("/version").get("version")
        _welcome(door, api, tls, f"Proxmox VE {version}, {1000 * (time.monotonic() - began):.0f} ms")
    except ProxmoxUntrusted as error:
        door.stopped_by = "the certificate of the Proxmox API is not trusted"
        door.checks += [api.passed("answers"), tls.refused(error), _token(scope).unknown(door.stopped_by)]
    except ProxmoxUnreachable as error:
        door.stopped_by = f"{proxmox.endpoint} does not answer"
        remedy = "is its address right, does pveproxy run there, is its network reachable from here?"
        door.checks += [api.failed(str(error), remedy), tls.unknown(door.stopped_by)]
        door.checks += [_token(scope).unknown(door.stopped_by)]
    except ProxmoxError as error:
        _refused(scope, door, api, tls, error)
    except ProvisioningError as error:
        door.stopped_by = "the API token cannot be sent"
        door.checks += [_token(scope).failed(str(error), _token_remedy(scope))]
    return door


def _welcome(door: _Door, api: About, tls: About, detail: str) -> None:
    door.checks += [api.passed(detail), *_trusted(door, tls)]
    door.checks += [About(name="token").passed("accepted")]


def _refused(scope: Scope, door: _Door, api: About, tls: About, error: ProxmoxError) -> None:
    if error.status != UNAUTHORIZED:
        door.stopped_by = "the Proxmox API answers with an error"
        door.checks += [tls.passed("trusted"), api.failed(str(error), "look at pveproxy on the node")]
        door.checks += [_token(scope).unknown(door.stopped_by)]
        return
    door.checks += [api.passed("answers"), *_trusted(door, tls)]
    if door.secret.value is None:
        door.stopped_by = door.secret.why_not
        door.checks += [_token(scope).unknown(door.secret.why_not, door.secret.remedy)]
        return
    door.stopped_by = "the Proxmox API refuses the token"
    door.checks += [_token(scope).failed(f"the API refuses it ({error})", _token_remedy(scope))]


def _trusted(door: _Door, tls: About) -> Iterator[Check]:
    """By us with the site's CA; by the Proxmox provider, which only knows the system's and SSL_CERT_FILE."""
    yield tls.passed("trusted")
    url = urlsplit(door.api.endpoint)
    provider = About(name="tls", subject="for the Proxmox provider", field=tls.field)
    try:
        handshake(url.hostname or "", url.port or 443, TIMEOUT_S[0])
    except ProvisioningError as error:
        detail, remedy = told(error)
        yield provider.failed(detail, remedy)
    else:
        yield provider.passed("trusted, TLS 1.3")


def _token(scope: Scope) -> About:
    return About(name="token", field=scope.of_stack(TOKEN_KEY) if scope.file.secret(TOKEN_KEY) else "")


def _token_remedy(scope: Scope) -> str:
    return f"check {TOKEN_VARIABLE} or {TOKEN_KEY}: user@realm!id=secret, of a token that has not expired"


def _inventory(scope: Scope, api: Proxmox) -> Inventory:
    """Two waves: what can be asked right away, then what the answers lead to."""
    inventory = Inventory(api, WAVE_S)
    inventory.ask(_first_questions(scope))
    inventory.ask([*permission_questions(scope, inventory), *_about_ids(scope, inventory)])
    return inventory


def _first_questions(scope: Scope) -> Iterator[Question]:
    yield from (NODES, VMS)
    for node in scope.used_nodes():
        yield from (storages_on(node), devices_of(node))
    for vm in scope.program.vms:
        yield config_of(vm.node, vm.template_id)


def _about_ids(scope: Scope, inventory: Inventory) -> Iterator[Question]:
    try:
        there = inventory.vms()
    except ProvisioningError:
        return
    for vm in scope.program.vms:
        for vm_id in filter(None, (vm.vm_id, vm.data_vm_id)):
            yield config_of(there[vm_id].node, vm_id) if vm_id in there else is_free(vm_id)
