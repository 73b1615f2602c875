"""Links of all hosts to their Windows companions."""

from __future__ import annotations

from collections.abc import Mapping

from components.host_steps import HostConnection
from components.hosts import Built
from components.secrets import Secrets
from components.site_access import SiteAccess
from components.windows_companion_link import WindowsCompanionLink, WindowsCompanionLinkArgs
from settings import Program


def build_links(
    program: Program,
    site: SiteAccess,
    secrets: Secrets,
    places: Mapping[str, HostConnection],
    built: Mapping[str, Built],
) -> dict[str, WindowsCompanionLink]:
    """Every link by name, its share mounted after all else of its host."""
    return {
        plan.name: WindowsCompanionLink(
            f"{plan.name}-link",
            WindowsCompanionLinkArgs(
                connection=places[plan.settings.host],
                site=site,
                plan=plan,
                owner=f"{program.site.id}/{program.stack}/{plan.name}",
                password=secrets.link_passwords[plan.name],
                secrets=secrets.links.get(plan.name, {}),
                after=built[plan.settings.host].done,
            ),
        )
        for plan in program.links
    }
