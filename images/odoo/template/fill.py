"""A fresh database with `base` in it, and what its pages need made: `fill.py <socket folder> <data folder>`."""

import re
import sys

import odoo
from odoo.service import wsgi_server
from odoo.service.db import _create_empty_database
from odoo.tools import config
from werkzeug.test import Client
from werkzeug.wrappers import BaseResponse

NAME = "template"
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}


def main(socket: str, data: str) -> None:
    """Fill it, and ask for the pages that everybody sees first."""
    options = {"-c": "/usr/local/lib/odoo/odoo.conf", "--db_host": socket, "--data-dir": data, "--workers": "0"}
    more = ["--db_user=odoo", f"-d{NAME}", f"--db-filter=^{NAME}$", "--init=base", "--log-level=warn", "--no-http"]
    config.parse_config(
        [*(f"{key}={value}" for key, value in options.items() if key != "-c"), "-c", options["-c"], *more]
    )
    _create_empty_database(NAME)
    odoo.modules.registry.Registry.new(NAME, update_module=True)
    visitor = Client(wsgi_server.application, BaseResponse)
    page = expect(visitor.get("/web/login", environ_base=LOCAL), 200)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    form = {"login": "admin", "password": "admin", "csrf_token": token}
    expect(visitor.post("/web/login", data=form, environ_base=LOCAL), 303)
    page = expect(visitor.get("/web", environ_base=LOCAL), 200)
    for sheet in re.findall(r'(?:href|src)="(/web/(?:content|assets)/[^"]+)"', page):
        expect(visitor.get(sheet, environ_base=LOCAL), 200)
    odoo.sql_db.close_all()


def expect(answer: BaseResponse, status: int) -> str:
    """The text of an answer that has to be of a status."""
    if answer.status_code != status:
        sys.exit(f"fill: expected {status}, found {answer.status_code}: {answer.get_data(as_text=True)[:500]}")
    return answer.get_data(as_text=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
