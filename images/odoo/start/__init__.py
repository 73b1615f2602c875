"""What happens before Odoo runs: settings read and checked, its configuration written, its database made once."""
