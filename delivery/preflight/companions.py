"""Windows companions: does anybody answer where a link's share is to be, and is there a password for it?"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial

from delivery.preflight.check import LOOK_THERE, About, Check
from delivery.preflight.names import address_of
from delivery.preflight.scope import Scope
from provisioning.at_once import at_once
from provisioning.companion.places import is_administrative
from settings.link_plan import LinkPlan
from settings.secrets import COMPANION_VARIABLE
from settings.stack_file import ENCRYPTED

SMB = 445
PATIENCE_S, DEADLINE_S = 3.0, 5.0
PASSWORDS = "hypercompose:link_passwords"
BY_UP = "login and rights are tried by `up`, from the host"


def check_companions(scope: Scope) -> Iterator[Check]:
    """Lines for each link."""
    links = scope.program.links
    if (because := scope.unusable("links")) and (scope.program.settings.links or "links" in scope.reading.errors):
        yield About(name="companion").unknown(because)
        return
    for link, answer in zip(
        links, at_once([partial(_answers, scope, link) for link in links], DEADLINE_S), strict=True
    ):
        about = _about(scope, link)
        yield about.unknown(str(answer)) if isinstance(answer, Exception) else answer
        yield _password(scope, link)
        if is_administrative(link.share):
            remedy = "share the one folder that is needed, with a user of its own (docs/windows-link.md)"
            yield _about(scope, link, "share").passed(f"{link.share} is for administrators only", remedy)


def _about(scope: Scope, link: LinkPlan, setting: str = "companion") -> About:
    return About(name="companion", subject=link.name, field=scope.of_stack(f"links.{link.name}.{setting}"))


def _answers(scope: Scope, link: LinkPlan) -> Check:
    """This machine may stand in another network than the host, so silence proves nothing."""
    about, companion = _about(scope, link), link.settings.companion
    try:
        with socket.create_connection((address_of(scope, companion) or companion, SMB), PATIENCE_S):
            return about.passed(f"{companion} answers on port {SMB}; {BY_UP}")
    except OSError as error:
        because = f"{companion} does not answer this machine on port {SMB} ({error.strerror or error})"
        return about.unknown(because, LOOK_THERE)


def _password(scope: Scope, link: LinkPlan) -> Check:
    about = About(name="secret", subject=f"password of {link.settings.user} for link {link.name}")
    given = scope.file.values.get(PASSWORDS) or {}
    if given == ENCRYPTED:
        return about.unknown(f"{PASSWORDS} is encrypted as a whole, so its keys cannot be seen")
    if isinstance(given, dict) and link.name in given:
        return about.passed(f"{PASSWORDS}.{link.name} in {scope.file.name}")
    if scope.environ.get(COMPANION_VARIABLE):
        return about.passed(COMPANION_VARIABLE)
    remedy = f"set {COMPANION_VARIABLE}, or `pulumi config set --secret --path {PASSWORDS}.{link.name}`"
    return about.failed(f"neither {PASSWORDS}.{link.name} nor {COMPANION_VARIABLE} is set", remedy)
