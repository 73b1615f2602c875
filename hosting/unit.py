"""The unit of systemd that looks after instances."""

from __future__ import annotations

import getpass

from settings.site import CHECKOUT

STOP_S = 300
"""What is under way may end; what does not is taken up again at the next start."""
TEXT = """[Unit]
Description=Hypercompose: deadlines and interrupted work of instances in {stack}
Wants=network-online.target
After=network-online.target

[Service]
User={user}
WorkingDirectory={checkout}
ExecStart=/usr/bin/make -s hosting-ticker STACK={stack} SITE={site}
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec={stop_s}

[Install]
WantedBy=multi-user.target
"""


def unit_text(stack: str, site: str) -> str:
    """For the checkout and the user that ask."""
    folder = str(CHECKOUT).replace("%", "%%").replace("\\", "\\\\")
    return TEXT.format(stack=stack, site=site, user=getpass.getuser(), checkout=folder, stop_s=STOP_S)
