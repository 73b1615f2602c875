"""A Windows share, mounted when somebody looks into it: an absent companion keeps no boot waiting."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.companion.places import share_problem
from provisioning.steps.facts import Facts
from provisioning.steps.kind import AS_WANTED, Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.system.mount import PLACE, SYSTEM
from provisioning.steps.words import FILE_NAME, Word, flag_problems, hostile_lines, number_problems

CREDENTIALS = "/etc/hypercompose/links"
MODE = Word(r"0[0-7]{3}", "an octal mode such as 0750")
USER = Word(r"[^\x00-\x1f\x7f/\\\"\[\]:|<>+=;,?*@]{1,104}", "a Windows account name, without its domain")
DOMAIN = Word(r"|[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?", "a Windows domain, or nothing")
LONGEST_PASSWORD = 512
OPTIONS = "vers=3,sec=ntlmsspi,nosuid,nodev,noexec,iocharset=utf8,actimeo=1,echo_interval=10,_netdev"
"""SMB 3 with signing (the `i`). Others change the files, too: what is known of one is old after a second."""
UNIT = """[Unit]
Description=Share {share} of a Windows companion
After=network-online.target
Wants=network-online.target

[Mount]
What={share}
Where={mount}
Type=cifs
Options={options}
TimeoutSec=20
"""
AUTOMOUNT = """[Unit]
Description=Share {share} of a Windows companion, when somebody looks into it
Before=docker.service

[Automount]
Where={mount}

[Install]
WantedBy=multi-user.target
"""


class ShareMount(Kind):
    """`link`, `share` (//host/name), `mount`, `user`, `domain`, `password` (a secret), who owns what is in it (`uid`,
    `gid`, `file_mode`, `dir_mode`), `encrypt`."""

    name: ClassVar[str] = "ShareMount"
    replace_on: ClassVar[frozenset[str]] = frozenset({"link", "mount"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names, places, an account."""
        yield from FILE_NAME.problems("link", args["link"])
        if reason := share_problem(str(args["share"])):
            yield Problem(property="share", reason=reason)
        yield from PLACE.problems("mount", args["mount"])
        if str(args["mount"]).lstrip("/") in SYSTEM:
            yield Problem(property="mount", reason=f"{args['mount']}, which belongs to the system; expected one below")
        yield from USER.problems("user", args["user"])
        yield from DOMAIN.problems("domain", args.get("domain", ""))
        yield from MODE.problems("file_mode", args["file_mode"])
        yield from MODE.problems("dir_mode", args["dir_mode"])
        for name in ("uid", "gid"):
            yield from number_problems(name, args[name], 0, 4294967294)
        yield from flag_problems("encrypt", args.get("encrypt", False))
        password = str(args["password"])
        if not 0 < len(password.encode()) <= LONGEST_PASSWORD or list(hostile_lines("", [password])):
            expected = f"1 to {LONGEST_PASSWORD} bytes without line ends or control characters"
            yield Problem(property="password", reason=f"(hidden), expected {expected}")

    def step(self, name: str, args: Arguments) -> Step:
        """Credentials in a file of root's; a mount unit, and an automount unit that boot starts in its place."""
        link, share, mount = (str(args[key]) for key in ("link", "share", "mount"))
        login = credentials(args)
        units = {"share": escaped(share), "mount": mount}
        return Step(
            name=name,
            script=shell("companion/share_mount.sh"),
            values={
                "share": share,
                "mount": mount,
                "credentials": f"{CREDENTIALS}/{link}",
                "unit_text": UNIT.format(**units, options=options(args)),
                "automount_text": AUTOMOUNT.format(**units),
            },
            secrets={"login": login, "fingerprint": fingerprint(link, login)},
            wanted={
                "share": share,
                "unit": "as written",
                "automount": "as written",
                "at boot": "enabled active",
                "login": fingerprint(link, login),
                "answers": "yes",
            },
            timeout_s=300,
        )

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """What is mounted there; of the login only whether it is ours."""
        told = dict(found)
        wanted = self.step("read", args).wanted
        told["login"] = "ours" if found.get("login") == wanted["login"] else "another one than ours"
        aside = [
            f"{key}: {told.get(key) or 'nothing'} (wanted {'ours' if key == 'login' else want})"
            for key, want in wanted.items()
            if key != "share" and found.get(key) != want
        ]
        return {**args, "share": str(found.get("share") or ""), "state": "; ".join(aside) or AS_WANTED}


def credentials(args: Arguments) -> str:
    """The file that mount.cifs reads: each value is the rest of its line."""
    lines = {"username": args["user"], "password": args["password"], "domain": args.get("domain", "")}
    return "".join(f"{key}={value}\n" for key, value in lines.items() if value)


def options(args: Arguments) -> str:
    """Mount options without anything secret."""
    owner = ",".join(f"{key}={args[key]}" for key in ("uid", "gid", "file_mode", "dir_mode"))
    seal = ",seal" if args.get("encrypt") else ""
    return f"credentials={CREDENTIALS}/{args['link']},{OPTIONS},{owner}{seal}"


def escaped(text: str) -> str:
    """As a unit file spells it: % begins a specifier there."""
    return text.replace("%", "%%")


def fingerprint(link: str, login: str) -> str:
    """A slow hash of the login, salted with the link."""
    salt = f"hypercompose {link}".encode()
    return hashlib.scrypt(login.encode(), salt=salt, n=1 << 12, r=8, p=1, dklen=16).hex()
