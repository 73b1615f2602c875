"""An account with keys and no password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.access.group import id_problems
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import ACCOUNT, Word, flag_problems, hostile_lines

SHELL = Word(r"/[A-Za-z0-9._/-]+", "the path of a shell")
KEY = Word(
    r"(\S.* )?(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-\S+) [A-Za-z0-9+/]+=*( .*)?",
    "a public key as in authorized_keys",
)
COMMENT = Word(r"[^:\x00-\x1f\x7f]*", "text without colons and control characters")


class User(Kind):
    """`name`, `uid`, `groups`, `shell`, `keys`, `comment`, `adopt`.

    An account that is there already is refused unless `adopt`; then it is given back as it was. One of ours is removed
    at the end; its home stays if there is anything of the user's in it.
    """

    name: ClassVar[str] = "User"
    replace_on: ClassVar[frozenset[str]] = frozenset({"name", "adopt"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names, numbers and keys."""
        yield from ACCOUNT.problems("name", args["name"])
        yield from id_problems("uid", args.get("uid"))
        yield from ACCOUNT.problems("groups", *args.get("groups", ()))
        yield from SHELL.problems("shell", args["shell"])
        keys = list(args.get("keys", ()))
        yield from hostile_lines("keys", keys) if any(hostile_lines("keys", keys)) else KEY.problems("keys", *keys)
        yield from flag_problems("adopt", args.get("adopt", False))
        yield from COMMENT.problems("comment", args.get("comment") or "")

    def step(self, name: str, args: Arguments) -> Step:
        """Make or adopt it, with exactly these keys."""
        uid, comment = args.get("uid"), args.get("comment")
        keys = [str(key) for key in args.get("keys", ())]
        groups = sorted(map(str, args.get("groups", ())))
        optional: dict[str, Any] = {"uid": uid, "comment": comment}
        given = {key: str(value) for key, value in optional.items() if value is not None}
        return Step(
            name=name,
            script=shell("access/user.sh"),
            values={
                "user": str(args["name"]),
                "uid": given.get("uid", ""),
                "comment": given.get("comment", ""),
                "has_comment": "comment" in given,
                "groups": groups,
                "shell": str(args["shell"]),
                "keys": keys,
                "adopt": bool(args.get("adopt", False)),
            },
            wanted={
                "account": "present",
                "groups": groups,
                "keys": keys,
                "password": "none",
                "shell": str(args["shell"]),
                **given,
            },
        )
