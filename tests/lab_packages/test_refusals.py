"""What somebody changed on its way is not installed: every repository has one case that works, and ways to spoil it."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from setup.process import run_quietly
from tests.lab_packages.guests import Guest

pytestmark = pytest.mark.lab

SERVE = """systemctl is-active -q copies || {
    systemd-run -q --unit=copies --working-directory=/srv python3 -m http.server 8088
    until curl -sfo /dev/null http://localhost:8088/; do sleep 0.05; done
}"""
REPO = """cat > /etc/yum.repos.d/copy.repo <<END
[copy]
name=copy
baseurl=http://localhost:8088/{name}
enabled=0
gpgcheck=1
repo_gpgcheck={signed}
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-rocky
END
"""
DNF_INSTALL = REPO + "rm -rf /var/cache/dnf/copy-*; dnf -y --repo=copy install tree"
APT_INSTALL = """key=/usr/share/keyrings/lab-archive-keyring.asc
echo "deb [signed-by=$key] http://localhost:8088/{name} trixie main" > /srv/list
rm -rf /srv/lists; mkdir -p /srv/lists/partial; apt-get clean
alone='-o Dir::Etc::sourcelist=/srv/list -o Dir::Etc::sourceparts=- -o Dir::State::lists=/srv/lists'
apt-get $alone -q update && apt-get $alone -q -y install tree"""


def as_it_is(folder: Path) -> None:
    """Change nothing."""


def change_package(folder: Path) -> None:
    for file in [*folder.rglob("tree-*.rpm"), *folder.rglob("tree_*.deb")]:
        content = bytearray(file.read_bytes())
        content[-200] ^= 0xFF
        file.write_bytes(content)


def change_package_and_metadata(folder: Path) -> None:
    change_package(folder)
    _index(folder)


def remove_signature(folder: Path) -> None:
    run_quietly(["rpmsign", "--delsign", *map(str, folder.glob("tree-*.rpm"))])
    _index(folder)


def change_index(folder: Path) -> None:
    index = next(folder.glob("dists/trixie/main/binary-*/Packages"))
    index.write_text(index.read_text() + "\n")
    index.with_suffix(".gz").write_bytes(gzip.compress(index.read_bytes()))


def change_release(folder: Path) -> None:
    release = folder / "dists" / "trixie" / "InRelease"
    release.write_text(release.read_text().replace("Label: Debian", "Label: Other"))


@pytest.mark.parametrize(
    ("spoil", "signed", "why"),
    [
        (as_it_is, 1, ""),
        (change_package, 1, "checksum doesn't match"),
        (change_package_and_metadata, 1, "Bad GPG signature"),
        (change_package_and_metadata, 0, "tree"),
        (remove_signature, 0, "not signed"),
    ],
)
def test_dnf_refuses(
    spoil: Callable[[Path], None], signed: int, why: str, both: dict[str, Guest], published: Path, tmp_path: Path
) -> None:
    guest, name = both["rpm"], f"{spoil.__name__}-{signed}"
    copy = shutil.copytree(published / "rpm" / "9" / "base", tmp_path / name)
    spoil(copy)
    guest.put(copy, name)
    guest.run(SERVE)
    said = guest.try_run(DNF_INSTALL.format(name=name, signed=signed))
    _judge(guest, said.code == 0, said.text, why)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (as_it_is, ""),
        (change_package, "Hash Sum mismatch"),
        (change_index, "unexpected size"),
        (change_release, "sign"),
    ],
)
def test_apt_refuses(
    spoil: Callable[[Path], None], why: str, both: dict[str, Guest], published: Path, tmp_path: Path
) -> None:
    guest, name = both["deb"], spoil.__name__
    copy = shutil.copytree(published / "apt" / "debian", tmp_path / name)
    spoil(copy)
    guest.put(copy, name)
    guest.run(SERVE)
    said = guest.try_run(APT_INSTALL.format(name=name))
    _judge(guest, said.code == 0, said.text, why)


def _judge(guest: Guest, worked: bool, said: str, why: str) -> None:
    """It worked if nothing was spoilt; else it was refused for the reason, and nothing is there."""
    there = guest.try_run("tree --version").code == 0
    if there:
        guest.run("rpm -e tree" if guest.family.format == "rpm" else "dpkg --purge tree")
    assert (worked, there) == (not why, not why), said
    assert why in said


def _index(folder: Path) -> None:
    """What one without the key can do: metadata of the changed packages, beside the old signature."""
    signature = (folder / "repodata" / "repomd.xml.asc").read_bytes()
    run_quietly(["createrepo_c", "--quiet", "--no-database", str(folder)])
    (folder / "repodata" / "repomd.xml.asc").write_bytes(signature)
