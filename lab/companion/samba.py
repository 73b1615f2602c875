"""Samba's configuration for one companion: what Windows would let whom do over SMB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

USER = "svc-compose"
"""Of the least rights: it sees what its share holds, and no share of administrators."""
ADMINISTRATOR = "Administrator"
DOMAIN = "CASINO"
_GLOBAL = f"""\
[global]
    workgroup = {DOMAIN}
    netbios name = {{name}}
    server string = Windows Server (stand-in)
    server role = standalone server
    disable netbios = yes
    smb ports = 445
    server min protocol = SMB2_10
    server max protocol = SMB3_11
    server signing = mandatory
    restrict anonymous = 2
    smb3 unix extensions = no
    # tests edit files on the disk itself, which ends no client's lease on a folder
    smb3 directory leases = no
    # an answer that is put off is not signed, and the guests' rclone takes none of that kind
    aio read size = 0
    aio write size = 0
    vfs objects = streams_xattr
    ea support = yes
    store dos attributes = yes
    hide dot files = no
    usershare max shares = 0
    load printers = no
    disable spoolss = yes
    printing = bsd
    printcap name = /dev/null
    log level = 1
"""
_SHARE = """\
[{share}]
    path = /companion/files
    read only = no
    browseable = {shown}
    valid users = {users}
    force user = root
"""
"""As root, so that files which a test makes on the disk itself belong to whoever comes over SMB as well."""


def configuration(name: str, shares: Sequence[str]) -> str:
    """smb.conf; all shares show the same files, those with a dollar sign to administrators only."""
    return "".join([_GLOBAL.format(name=name.upper()), *_shares(shares)])


def _shares(shares: Sequence[str]) -> Iterator[str]:
    for share in shares:
        hidden = share.endswith("$")
        users = ADMINISTRATOR if hidden else f"{USER} {ADMINISTRATOR}"
        yield _SHARE.format(share=share, shown="no" if hidden else "yes", users=users)
