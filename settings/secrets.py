"""Which secrets a program needs, where each may come from, and which are missing. Holds no secret."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from provisioning.tls import belong_together
from settings.link_plan import LinkPlan
from settings.portainer import Secret
from settings.program import Program
from settings.stack_plan import StackPlan

REGISTRY_VARIABLE = "HYPERCOMPOSE_REGISTRY_PASSWORD"
GIT_VARIABLE = "HYPERCOMPOSE_GIT_PASSWORD"
COMPANION_VARIABLE = "HYPERCOMPOSE_COMPANION_PASSWORD"


def registry_user(program: Program) -> str | None:
    """Who needs a password for the registry; None where no host logs in there."""
    registry = program.site.registry if any(h.docker and h.docker.registry for h in program.hosts) else None
    return registry.user if registry else None


def git_user(program: Program) -> str | None:
    """Who needs a password for git; None where no stack comes from there with a login."""
    git = program.site.git if any(map(logs_in_to_git, program.stacks)) else None
    return git.user if git else None


def missing_password(what: str, variable: str, user: str) -> str:
    """A user of the site file who has none, and the remedies."""
    return (
        f"{what}.user: {user} has no password; set {variable}, or "
        f"`pulumi config set --secret hypercompose:{what}_password`"
    )


def logs_in_to_git(stack: StackPlan) -> bool:
    """Whether it is read as the site's git user."""
    return stack.files is not None or bool(stack.git and stack.git.login)


def stack_secret_problems(
    wanted: Mapping[str, Mapping[str, Secret]], given: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Secrets that nobody makes up and nobody gives, and those that no stack has."""
    for stack, secrets in wanted.items():
        for key, secret in secrets.items():
            if secret.generate is None and key not in given.get(stack, {}):
                yield (
                    f"stacks.{stack}.secrets.{key}: has no value; `pulumi config set --secret --path "
                    f"hypercompose:stack_secrets.{stack}.{key}`"
                )
    for stack, own in given.items():
        for key in own:
            if key not in wanted.get(stack, {}):
                yield f"stack_secrets.{stack}.{key}: no stack has such a secret; name it under stacks.{stack}.secrets"


def route_key_problems(certificates: Mapping[str, str], keys: Mapping[str, str]) -> Iterator[str]:
    """Keys of certificates that nobody gives, that are others', or that have no certificate."""
    for host, certificate in certificates.items():
        remedy = f"`pulumi config set --secret --path hypercompose:route_keys.{host}`"
        if host not in keys:
            yield f"hosting.{host}.routes.certificate: its key has no value; {remedy}"
        elif not belong_together(certificate, keys[host]):
            of = f"hosting.{host}.routes.certificate"
            yield f"route_keys.{host}: not the private key (PEM, without a password) of {of}; {remedy}"
    for host in sorted(set(keys) - set(certificates)):
        yield f"route_keys.{host}: no such certificate; name it under hosting.{host}.routes.certificate"


def link_secret_problems(
    links: Sequence[LinkPlan], passwords: Collection[str], given: Mapping[str, Mapping[str, str]], *, shared: bool
) -> Iterator[str]:
    """Passwords and secrets of links that nobody gives. `shared`: one password is there for all of them."""
    for link in links:
        if link.name not in passwords and not shared:
            yield (
                f"links.{link.name}.user: {link.settings.user} has no password; set {COMPANION_VARIABLE}, or "
                f"`pulumi config set --secret --path hypercompose:link_passwords.{link.name}`"
            )
        for key in sorted(link.secrets - set(given.get(link.name, {}))):
            yield (
                f"links.{link.name}: {{secret:{key}}} has no value; `pulumi config set --secret --path "
                f"hypercompose:link_secrets.{link.name}.{key}`"
            )
    known = {link.name: link for link in links}
    for name in sorted({*passwords, *given} - set(known)):
        yield f"link_passwords, link_secrets: {name}: no link has that name; declare it under `links`"
