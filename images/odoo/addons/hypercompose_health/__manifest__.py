# Loaded with every server (server_wide_modules), installed in no database.
{
    "name": "Health",
    "version": "14.0.1.0.0",
    "summary": "GET /web/health, as later releases have it",
    "license": "LGPL-3",
    "depends": ["web"],
    "installable": True,
}
