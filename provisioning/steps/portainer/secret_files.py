"""Secret files of one stack on its host, for its containers to mount; nobody else can reach them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import Facts
from provisioning.steps.kind import AS_WANTED, Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import FILE_NAME

FOLDER = "/etc/hypercompose/stacks"


class SecretFiles(Kind):
    """`stack`, `files` (secret: content by name). They lie in `/etc/hypercompose/stacks/<stack>/secrets`."""

    name: ClassVar[str] = "SecretFiles"
    replace_on: ClassVar[frozenset[str]] = frozenset({"stack"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names of files."""
        yield from FILE_NAME.problems("stack", args["stack"])
        yield from FILE_NAME.problems("files", *args["files"])

    def step(self, name: str, args: Arguments) -> Step:
        """What tells new contents from old ones is a slow hash that stays on the host."""
        files = {key: str(value) for key, value in args["files"].items()}
        print_ = fingerprint(str(args["stack"]), files)
        return Step(
            name=name,
            script=shell("portainer/secret_files.sh"),
            values={"stack": str(args["stack"]), "names": sorted(files)},
            secrets={"fingerprint": print_, **{f"content_{i}": files[key] for i, key in enumerate(sorted(files))}},
            wanted={"files": sorted(files), "contents": print_},
        )

    def read(self, args: Arguments, found: Facts) -> dict[str, Any]:
        """Which files are there; of their contents only whether they are ours."""
        wanted = self.step("read", args).wanted
        aside = [] if found.get("contents") == wanted["contents"] else ["other contents than ours"]
        if list(found.get("files") or ()) != wanted["files"]:
            aside = [f"files: {' '.join(found.get('files') or ()) or 'none'}"]
        return {**args, "state": "; ".join(aside) or AS_WANTED}


def fingerprint(stack: str, files: Arguments) -> str:
    """Of names and contents, salted with the stack."""
    content = "\0".join(f"{name}\0{files[name]}" for name in sorted(files)).encode()
    return hashlib.scrypt(content, salt=f"hypercompose {stack}".encode(), n=1 << 12, r=8, p=1, dklen=16).hex()
