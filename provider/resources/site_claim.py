"""`hypercompose:site:Claim`: a state belongs to one site, and the API that answers is that site."""

from __future__ import annotations

from collections.abc import Iterator

from provider.resource import Context, Properties, Resource
from provisioning.claim import Problem
from provisioning.proxmox import Proxmox, ProxmoxError, ProxmoxUnreachable


class SiteClaim(Resource):
    """Records the site's id in the state."""

    type = "hypercompose:site:Claim"

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """Refuse another site than the state's; refuse a token that the API refuses, and nodes that it lacks."""
        recorded, wanted = olds.get("siteId"), news["siteId"]
        if recorded is not None and recorded != wanted:
            yield Problem(
                property="siteId",
                reason=f"this state belongs to site {recorded!r}, but this run is for site {wanted!r}; use the state "
                f"backend of site {wanted!r} (`make up SITE={wanted}` does), or SITE={recorded}",
            )
            return
        try:
            yield from _api_problems(context.proxmox, news)
        except ProxmoxUnreachable as error:
            context.warn(urn, f"nothing could be checked against the site: {error}")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Record the site, once its API has answered."""
        context.proxmox.get("/version")
        return str(inputs["siteId"]), {}


def _api_problems(api: Proxmox, news: Properties) -> Iterator[Problem]:
    try:
        there = {str(node["node"]) for node in api.get("/nodes")}
    except ProxmoxError as error:
        if error.status != 401:
            raise
        yield Problem(
            property="siteId",
            reason=f"{api.endpoint} refuses the API token ({error}); check PROXMOX_VE_API_TOKEN or proxmoxve:apiToken",
        )
        return
    for node in news["nodes"]:
        if node not in there:
            names = ", ".join(sorted(there))
            yield Problem(
                property="nodes",
                reason=f"{api.endpoint} has no node {node} (it has {names}); is this the site {news['siteId']!r}?",
            )
