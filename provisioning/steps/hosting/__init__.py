"""Names with TLS for instances on a host: the router, and its routes."""

from provisioning.steps.hosting.route import Route
from provisioning.steps.hosting.router import Router
from provisioning.steps.kind import Kind

KINDS: tuple[Kind, ...] = (Router(), Route())
