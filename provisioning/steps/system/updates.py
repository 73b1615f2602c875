"""Updates that a host installs by itself, and when it may restart for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word, number_problems

WINDOW = Word(r"([01]\d|2[0-3]):[0-5]\d", "a time of day such as 03:30")
NO_WINDOW = "06:00"
"""When updates are installed where nobody has said when."""


class Updates(Kind):
    """`policy`: none, security or all; `reboot`: never, or in the `window`; `random_delay_s` spreads both.

    dnf-automatic or unattended-upgrades, the distribution's own. Docker and other repositories are left alone.
    """

    name: ClassVar[str] = "Updates"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Words, and a time of day where one is needed."""
        if args["policy"] not in ("none", "security", "all"):
            yield Problem(property="policy", reason=f"{args['policy']!r}, expected none, security or all")
        if args["reboot"] not in ("never", "window"):
            yield Problem(property="reboot", reason=f"{args['reboot']!r}, expected never or window")
        if args.get("window") is not None:
            yield from WINDOW.problems("window", args["window"])
        elif args["reboot"] == "window":
            yield Problem(property="window", reason="missing, expected a time of day such as 03:30")
        yield from number_problems("random_delay_s", args.get("random_delay_s", 0), 0, 86_400)

    def step(self, name: str, args: Arguments) -> Step:
        """Own files for the updater and its timer, and a timer of our own for restarts."""
        policy, restarts = str(args["policy"]), args["reboot"] == "window"
        window = str(args.get("window") or NO_WINDOW)
        delay = int(args.get("random_delay_s", 0))
        return Step(
            name=name,
            script=shell("system/updates.sh"),
            values={
                "policy": policy,
                "restarts": restarts,
                "window": window,
                "dnf_file": _dnf_file(policy),
                "apt_file": _apt_file(policy),
                "timer_file": _timer(window, delay),
                "restart_timer": f"[Unit]\nDescription=Restart where updates ask for it\n\n{_timer(window, delay)}"
                "\n[Install]\nWantedBy=timers.target\n",
            },
            wanted={
                "files": "as written",
                "timer": "enabled active" if policy != "none" else "off",
                "restart timer": "enabled active" if restarts else "off",
            },
            timeout_s=600,
        )


def _timer(window: str, delay_s: int) -> str:
    return f"[Timer]\nOnCalendar=\nOnCalendar=*-*-* {window}\nRandomizedDelaySec={delay_s}\nPersistent=true\n"


def _dnf_file(policy: str) -> str:
    kind = "security" if policy == "security" else "default"
    commands = [f"upgrade_type = {kind}", "random_sleep = 0", "download_updates = yes", "apply_updates = yes"]
    return "\n".join(["[commands]", *commands, "reboot = never", "[emitters]", "emit_via = stdio", "[base]", ""])


def _apt_file(policy: str) -> str:
    """Sorted after the distribution's own, whose lists are cleared; only the distribution's origins."""
    release = "origin=${distro_id},codename=${distro_codename}"
    parts = ("-security", "", "-updates") if policy == "all" else ("-security",)
    on = "0" if policy == "none" else "1"
    return "\n".join(
        [
            "#clear Unattended-Upgrade::Allowed-Origins;",
            "#clear Unattended-Upgrade::Origins-Pattern;",
            "Unattended-Upgrade::Origins-Pattern {",
            *(f'    "{release}{part}";' for part in parts),
            "};",
            'Unattended-Upgrade::Automatic-Reboot "false";',
            f'APT::Periodic::Update-Package-Lists "{on}";',
            f'APT::Periodic::Unattended-Upgrade "{on}";',
            "",
        ]
    )
