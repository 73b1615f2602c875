"""Are the settings valid, and are all secrets somewhere?"""

from __future__ import annotations

from collections.abc import Iterator

from delivery.preflight.check import About, Check
from delivery.preflight.scope import Scope
from provisioning.keys import KEY_FILE_VARIABLE
from settings import SettingsError
from settings.secrets import GIT_VARIABLE, REGISTRY_VARIABLE, git_user, registry_user, stack_secret_problems
from settings.stack_file import ENCRYPTED

TOKEN_KEY, TOKEN_VARIABLE = "proxmoxve:apiToken", "PROXMOX_VE_API_TOKEN"
SSH_KEY = "hypercompose:ssh_private_key"
STACK_SECRETS = "hypercompose:stack_secrets"


def invalid(errors: tuple[SettingsError, ...]) -> Iterator[Check]:
    """A line for each problem."""
    for source, line in (place for error in errors for place in error.places):
        detail, _, remedy = line.partition("; ")
        about = About(name="settings", subject=source, field=f"{source}: {line.partition(':')[0]}")
        yield about.failed(detail, remedy or "see docs/settings.md")


def check_settings(scope: Scope) -> Iterator[Check]:
    """Everything that can be said without asking anybody."""
    program, errors = scope.program, tuple(scope.reading.errors.values())
    yield from invalid(errors)
    if not errors:
        servers = sum(host.existing is not None for host in program.hosts)
        found = f"VMs: {len(program.vms)}, servers: {servers}, stacks: {len(program.stacks)}"
        yield About(name="settings", subject=scope.file.name).passed(found)


def check_secrets(scope: Scope) -> Iterator[Check]:
    """Every secret that the program needs: whether it is somewhere, not whether it is right."""
    yield _there(scope, "Proxmox API token", TOKEN_KEY, TOKEN_VARIABLE)
    if scope.program.vms or scope.program.hosts:
        yield _there(scope, "SSH private key", SSH_KEY, KEY_FILE_VARIABLE)
    for what, user, variable in (
        ("registry", registry_user(scope.program), REGISTRY_VARIABLE),
        ("git", git_user(scope.program), GIT_VARIABLE),
    ):
        if user:
            yield _there(scope, f"{what} password of {user}", f"hypercompose:{what}_password", variable)
    yield from _stack_secrets(scope)


def _there(scope: Scope, subject: str, key: str, variable: str) -> Check:
    about, secret = About(name="secret", subject=subject), scope.secret(key, variable)
    if secret.is_missing:
        return about.failed(secret.why_not, secret.remedy)
    where = f"{key} in {scope.file.name}" if scope.file.secret(key) else variable
    return about.passed(f"{where}{', encrypted' if secret.value is None else ''}")


def _stack_secrets(scope: Scope) -> Iterator[Check]:
    wanted = {plan.name: plan.secrets for plan in scope.program.stacks}
    about = About(name="secret", subject="secrets of stacks", field=f"{scope.file.name}: {STACK_SECRETS}")
    given = scope.file.values.get(STACK_SECRETS) or {}
    all_secrets = [secret for secrets in wanted.values() for secret in secrets.values()]
    must = sum(secret.generate is None for secret in all_secrets)
    if given == ENCRYPTED and must:
        yield about.unknown(f"{STACK_SECRETS} is encrypted as a whole, so its keys cannot be seen")
        return
    own = {str(stack): dict(values) for stack, values in given.items()} if isinstance(given, dict) else {}
    problems = list(stack_secret_problems(wanted, own))
    for line in problems:
        detail, _, remedy = line.partition("; ")
        yield about.failed(detail, remedy)
    if wanted and not problems:
        made_up = len(all_secrets) - must
        yield about.passed(f"{must} to be given, all there; {made_up} made up by `pulumi up`")
