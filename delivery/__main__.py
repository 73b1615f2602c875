"""`python -m delivery recover|template|images`: what surrounds `pulumi up` on a site."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable

from delivery.images import publish
from delivery.recover import recover
from delivery.template import Image, import_template
from provisioning.errors import ProvisioningError
from provisioning.proxmox import Proxmox
from settings import SettingsError, Site, load_site
from settings.site import CHECKOUT


def main(arguments: list[str]) -> int:
    """Run a command; 0 when it did all it should."""
    options = _parser().parse_args(arguments)
    try:
        site = load_site(os.environ["HYPERCOMPOSE_SITE"])
        for line in options.run(_api(site), site, options):
            print(line, file=sys.stderr)
    except KeyError as missing:
        print(f"{missing.args[0]} is not set; run this through make: make {options.command}", file=sys.stderr)
        return 2
    except (ProvisioningError, SettingsError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _api(site: Site) -> Proxmox:
    ca = site.proxmox.ca
    return Proxmox(site.proxmox.endpoint, os.environ["PROXMOX_VE_API_TOKEN"], str(CHECKOUT / ca) if ca else None)


def _recover(api: Proxmox, site: Site, options: argparse.Namespace) -> Iterable[str]:
    return recover(api, json.load(sys.stdin))


def _template(api: Proxmox, site: Site, options: argparse.Namespace) -> Iterable[str]:
    image = Image(
        url=options.url,
        checksum=options.checksum,
        vm_id=options.vm_id,
        name=options.name,
        node=options.node or site.proxmox.nodes[0],
        disks=site.proxmox.storages.disks,
        downloads=options.downloads or site.proxmox.storages.iso,
    )
    return import_template(api, image)


def _images(api: Proxmox, site: Site, options: argparse.Namespace) -> Iterable[str]:
    return publish(site, os.environ.get("HYPERCOMPOSE_REGISTRY_PASSWORD", ""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m delivery", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    half_made = commands.add_parser("recover", help="remove what an interrupted run left; reads `pulumi stack export`")
    half_made.set_defaults(run=_recover)
    template = commands.add_parser("template", help="import a cloud image as a template")
    template.set_defaults(run=_template)
    template.add_argument("--url", required=True, help="the qcow2 image, for example Rocky's GenericCloud")
    template.add_argument("--checksum", required=True, help="its checksum; the length tells the algorithm")
    template.add_argument("--vm-id", type=int, required=True, help="VM id of the template")
    template.add_argument("--name", default="rocky-9", help="name of the template")
    template.add_argument("--node", help="node; default: the site's first")
    template.add_argument("--downloads", help="storage with content `import`; default: the site's iso storage")
    images = commands.add_parser("images", help="build, push and lock the project's own images")
    images.set_defaults(run=_images)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
