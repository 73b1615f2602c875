"""Whether this server can serve: it answers, and its database does."""

from odoo import http
from odoo.http import request


class Health(http.Controller):
    """Without a login, and without a session left behind for every look."""

    @http.route("/web/health", type="http", auth="none", save_session=False)
    def health(self) -> http.Response:
        """200 when the database answers; whatever keeps it from that is a 500 of Odoo's own."""
        request.env.cr.execute("SELECT 1")
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        return request.make_response('{"status": "pass"}', headers=headers)
