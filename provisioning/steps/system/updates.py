"""Updates that a host installs by itself, and when it may restart for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word, number_problems

WINDOW = Word(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time of day such as 03:30")
NO_WINDOW = "06:00"
"""When updates are installed where nobody has said when."""
DOCKER = "docker-ce* containerd.io docker-buildx-plugin docker-compose-plugin"
"""Whatever repository a host has them from. What it excludes itself stays excluded."""
UPDATERS = "dnf-automatic.service apt-daily.service apt-daily-upgrade.service"
"""A host has those of its family; the others are nothing to systemd."""
_RESTART = """\
[Unit]
Description=Restart where updates ask for it
{wants}After={updaters}

[Service]
Type=oneshot
Environment=LC_ALL=C
ExecStart=/bin/sh -c 'if [ -e /run/reboot-required ] || \
    dnf -q --disablerepo="*" needs-restarting -r 2>/dev/null | grep -q "Reboot is required"; then \
    if systemd-inhibit --list --no-legend | grep -w shutdown | grep -w block; then exit 1; fi; \
    exec flock -w 3600 /run/hypercompose.lock systemctl reboot -i; fi'
"""
"""First the updater, to its end, then the question. dnf answers with words: its exit code is 1 for any error, too.

Whoever blocks a shutdown, a package manager for one, is waited for until the next window. Who is merely logged in is
not: systemctl's own check would take a forgotten session for a reason to never restart.
"""


class Updates(Kind):
    """`policy`: none, security or all; `reboot`: never, or in the `window`; `random_delay_s` spreads both.

    dnf-automatic or unattended-upgrades, the distribution's own. Docker's packages are left alone.
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
        policy, reboot = str(args["policy"]), str(args["reboot"])
        window, delay = str(args.get("window") or NO_WINDOW), int(args.get("random_delay_s", 0))
        facts = {"policy": policy, "reboot": reboot, "files": "as written", "other updaters": "off"}
        return Step(
            name=name,
            script=shell("system/updates.sh"),
            values={
                "policy": policy,
                "reboot": reboot,
                "window": str(args.get("window") or ""),
                "dnf_file": _dnf_file(policy),
                "apt_file": _apt_file(policy),
                "timer_file": _timer(window, delay),
                "restart_timer": f"[Unit]\nDescription=Restart where updates ask for it\n\n{_timer(window, delay)}"
                "\n[Install]\nWantedBy=timers.target\n",
                "restart_service": _RESTART.format(
                    updaters=UPDATERS, wants=f"Wants={UPDATERS}\n" if policy != "none" else ""
                ),
            },
            wanted={**facts, **({"window": args["window"]} if args.get("window") else {})},
            timeout_s=600,
        )


def _timer(window: str, delay_s: int) -> str:
    """A time that was missed is not made up for: the next boot may be in the middle of the day."""
    return f"[Timer]\nOnCalendar=\nOnCalendar=*-*-* {window}\nRandomizedDelaySec={delay_s}\nPersistent=false\n"


def _dnf_file(policy: str) -> str:
    kind = "security" if policy == "security" else "default"
    commands = [f"upgrade_type = {kind}", "random_sleep = 0", "download_updates = yes", "apply_updates = yes"]
    rest = ["reboot = never", "[emitters]", "emit_via = stdio", "[base]", f"excludepkgs = {DOCKER}"]
    return "\n".join(["[commands]", *commands, *rest, ""])


def _apt_file(policy: str) -> str:
    """Sorted after the distribution's own, whose lists are cleared; only the distribution's origins."""
    # Debian tells its parts by codename, Ubuntu, where all parts have one codename, by archive
    names = ("codename=${distro_codename}", "archive=${distro_codename}")
    parts = ("-security", "", "-updates") if policy == "all" else ("-security",)
    # "1" is once a calendar day: after a run that its random delay took past midnight, the next one would do nothing
    on = "0" if policy == "none" else "always"
    return "\n".join(
        [
            "#clear Unattended-Upgrade::Allowed-Origins;",
            "#clear Unattended-Upgrade::Origins-Pattern;",
            "Unattended-Upgrade::Origins-Pattern {",
            *(f'    "origin=${{distro_id}},{name}{part}";' for part in parts for name in names),
            "};",
            'Unattended-Upgrade::Automatic-Reboot "false";',
            f'APT::Periodic::Update-Package-Lists "{on}";',
            f'APT::Periodic::Unattended-Upgrade "{on}";',
            "",
        ]
    )
