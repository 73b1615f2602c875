"""GET /web/health, as later releases of Odoo have it."""

from . import health as health
