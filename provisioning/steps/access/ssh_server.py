"""Who may log in by SSH, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import text_of
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import ACCOUNT, flag_problems, number_problems

NUMBERS = {
    "max_auth_tries": "MaxAuthTries",
    "login_grace_s": "LoginGraceTime",
    "client_alive_interval_s": "ClientAliveInterval",
    "max_sessions": "MaxSessions",
}


class SshServer(Kind):
    """`permit_root_login`, `password_login`, `max_auth_tries`, `login_grace_s`, and what else is given.

    What is read is what counts for sshd, whoever has said it where.
    """

    name: ClassVar[str] = "SshServer"
    can_lock_out: ClassVar[bool] = True

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Words and numbers."""
        if args["permit_root_login"] not in ("no", "prohibit-password"):
            yield Problem(property="permit_root_login", reason="expected `no` or `prohibit-password`")
        for name in NUMBERS:
            if args.get(name) is not None:
                yield from number_problems(name, args[name], 1, 3600)
        yield from flag_problems("password_login", args.get("password_login", False))
        yield from ACCOUNT.problems("allow_groups", *args.get("allow_groups", ()))

    def step(self, name: str, args: Arguments) -> Step:
        """A drop-in of our own that is read first; sshd proves the whole before it is reloaded."""
        groups = sorted(map(str, args.get("allow_groups", ())))
        numbers = {key: str(args[key]) for key in NUMBERS if args.get(key) is not None}
        yes = "yes" if args.get("password_login") else "no"
        lines = [
            f"PermitRootLogin {args['permit_root_login']}",
            f"PasswordAuthentication {yes}",
            f"KbdInteractiveAuthentication {yes}",
            *(f"{NUMBERS[key]} {number}" for key, number in numbers.items()),
            *([f"AllowGroups {' '.join(groups)}"] if groups else []),
        ]
        wanted: dict[str, Any] = {
            "permit_root_login": str(args["permit_root_login"]),
            "password_login": text_of(bool(args.get("password_login"))),
            "file": "as written",
            **numbers,
            **({"allow_groups": groups} if groups else {}),
        }
        values = {"text": "\n".join(lines) + "\n", "root": str(args["permit_root_login"]), "asked": list(numbers)}
        return Step(
            name=name, script=shell("access/ssh_server.sh"), values={**values, "allow_groups": groups}, wanted=wanted
        )
