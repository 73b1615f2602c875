# ruff: noqa: B018, D100 - Odoo reads this file as one expression
{
    "name": "Health",
    "version": "14.0.1.0.0",
    "summary": "GET /web/health, as later releases have it",
    "license": "LGPL-3",
    "depends": ["web"],
    "installable": True,
}
