"""Docker on a host is logged in to a registry."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.docker.registry_trust import REGISTRY
from provisioning.steps.facts import Facts
from provisioning.steps.kind import AS_WANTED, Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word, hostile_lines

USER = Word(r"[^\s:\x00-\x1f\x7f-][^:\x00-\x1f\x7f]*", "a user name without colons and control characters")


class RegistryLogin(Kind):
    """`registry`, `user`, `password` (a secret). The login is root's, its file readable by nobody else."""

    name: ClassVar[str] = "RegistryLogin"
    replace_on: ClassVar[frozenset[str]] = frozenset({"registry"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Words that a login can have; a password is never shown."""
        yield from REGISTRY.problems("registry", args["registry"])
        yield from USER.problems("user", args["user"])
        if not args.get("password"):
            yield Problem(
                property="password", reason="missing; `pulumi config set --secret hypercompose:registry_password`"
            )
        elif any(hostile_lines("password", [str(args["password"])])):
            yield Problem(property="password", reason="holds a line end or control character, which no login can")

    def step(self, name: str, args: Arguments) -> Step:
        """By standard input. What tells a new password from the old one is a slow hash that stays on the host."""
        registry, user, password = (str(args[key]) for key in ("registry", "user", "password"))
        print_ = _fingerprint(registry, user, password)
        return Step(
            name=name,
            script=shell("docker/registry_login.sh"),
            values={"registry": registry, "user": user},
            secrets={"password": password, "fingerprint": print_},
            wanted={"user": user, "mode": "600", "password": print_},
        )

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """Who is logged in; of the password only whether it is the one."""
        wanted = self.step("read", args).wanted
        aside = [] if found.get("password") == wanted["password"] else ["logged in with another password, or not by us"]
        if found.get("mode") not in ("600", "absent"):
            aside.append(f"/root/.docker/config.json has mode {found.get('mode')}, others can read it")
        return {**args, "user": found.get("user", ""), "state": "; ".join(aside) or AS_WANTED}


def _fingerprint(registry: str, user: str, password: str) -> str:
    salt = f"hypercompose {registry} {user}".encode()
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 12, r=8, p=1, dklen=16).hex()
