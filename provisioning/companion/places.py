"""Names of shares and of files on them, as Windows understands them. Nothing here leaves the share."""

from __future__ import annotations

import re

OURS = "hypercompose"
"""The folder of ours at the root of a share."""
LONGEST_PATH, LONGEST_NAME = 240, 255
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
_SHARE = re.compile(rf"//{_HOST}/(?P<name>[^\x00-\x1f\x7f\"/\\\[\]:|<>+=;,*?%#]{{1,80}})")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE)


def share_problem(share: str) -> str | None:
    """Why it is no `//host/name`; None when it is."""
    found = _SHARE.fullmatch(share)
    if found is None or found["name"] != found["name"].strip(" ."):
        return f"{share!r}, expected //<address or name>/<share>, such as //10.0.0.21/M"
    return None


def is_administrative(share: str) -> bool:
    """Whether it is one of the hidden shares of whole disks, which only administrators may use."""
    return re.fullmatch(r"[A-Za-z]\$|ADMIN\$", share.rpartition("/")[2], re.IGNORECASE) is not None


def relative(path: str) -> str:
    """With slashes, as a host sees it. ValueError for what could be anywhere but below the share's root."""
    parts = path.replace("\\", "/").split("/")
    if reason := _path_problem(path, parts):
        raise ValueError(
            f"{path!r}, {reason}; expected a path below the share's root, such as Billing/appsettings.json"
        )
    return "/".join(parts)


def same_file(path: str) -> str:
    """What two spellings of one file have in common: Windows knows no upper and lower case."""
    return path.casefold()


def _path_problem(path: str, parts: list[str]) -> str:
    if not path or len(path) > LONGEST_PATH:
        return f"which is {'empty' if not path else f'longer than {LONGEST_PATH} characters'}"
    if not parts[0]:
        return "which starts at a root"
    if same_file(parts[0]) == OURS:
        return "which is the link's own folder"
    return next(filter(None, map(_name_problem, parts)), "")


def _name_problem(name: str) -> str:
    if name in ("", ".", ".."):
        return f"which has a part {name!r}"
    if found := _FORBIDDEN.search(name):
        return f"whose part {name!r} has {found[0]!r}, which no name on Windows has"
    if name != name.rstrip(" .") or name != name.lstrip(" "):
        return f"whose part {name!r} begins or ends with what Windows takes away"
    if re.search(r"~\d", name):
        return f"whose part {name!r} may be a short name of something else"
    if _DEVICE.fullmatch(name):
        return f"whose part {name!r} is a device on Windows"
    return "" if len(name.encode("utf-16-le")) // 2 <= LONGEST_NAME else f"whose part {name[:20]!r}… is too long"
