"""The program: reads the settings, declares the components, exports the outputs."""

from __future__ import annotations

import pulumi
from pulumi.runtime.config import CONFIG

from components.hosts import HostAccess, build_host, describe, existing_connection
from components.links import build_links
from components.outputs import export_outputs
from components.secrets import Secrets
from components.site_access import SiteAccess
from components.stacks import Applications, Ground
from components.vms import build_vms
from settings import SettingsError, load_program
from settings.limits import limited
from settings.program_version import program_version


def main() -> None:
    """Declare one stack on its site."""
    try:
        # all keys, not single ones: a misspelt key must be found as well
        program = load_program(pulumi.get_stack(), CONFIG.get())
        keys, secrets = program.site.authorized_keys(), Secrets.of(program)
        private_key = secrets.key_for_commands(program)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    site = SiteAccess("site", program.site, secrets, limited(program))
    vms = {vm.spec.name: vm for vm in build_vms(program, site, keys)}
    access = HostAccess(
        site=site,
        stack=program.stack,
        site_id=program.site.id,
        user=program.site.ssh.user,
        registry_password=secrets.registry_password,
        private_key=private_key,
    )
    places = {
        plan.name: vms[plan.name].connection if plan.existing is None else existing_connection(plan.existing, access)
        for plan in program.hosts
    }
    hosts, built, grounds = {}, {}, []
    for plan in program.hosts:
        place = places[plan.name]
        host = built[plan.name] = build_host(plan, place, access, places.get(plan.served_by or ""))
        hosts[plan.name] = describe(place, vms.get(plan.name))
        if host.docker is not None:
            grounds.append(Ground(host=plan, connection=place, docker=host.docker))
    links = build_links(program, site, secrets, places, built)
    applications = Applications(program=program, site=site, secrets=secrets, places=places, links=links)
    portainers, stacks = applications.on(grounds)
    export_outputs(
        {
            "site": program.site.id,
            "environment": program.stack,
            "program": program_version(),
            "hosts": hosts,
            "portainers": portainers,
            "stacks": stacks,
            "webhooks": applications.webhooks,
            "hosting": applications.hosting,
            "hosting_keys": applications.hosting_keys,
            "links": {name: link.point(applications.stacks) for name, link in links.items()},
        }
    )


main()
