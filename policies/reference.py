"""The table of rules in docs/policies.md, from the rules themselves: `python -m policies.reference` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from policies.rule import Level, Rule
from policies.rules import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "policies.md"
BEGIN = "<!-- made by `python -m policies.reference` from policies/rules -->"
END = "<!-- end of what is made -->"


def page(text: str) -> str:
    """The page with its table as the rules are now."""
    table = "\n".join(_table())
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n{table}\n{END}", text, flags=re.DOTALL)


def main() -> None:
    """Write it."""
    PAGE.write_text(page(PAGE.read_text()))


def _table() -> Iterator[str]:
    for level in (Level.MANDATORY, Level.ADVISORY):
        yield f"\n**{level.value.capitalize()}**\n"
        yield "| rule | what must hold | what to do | plain `pulumi up` |\n|---|---|---|---|"
        yield from (_row(rule) for rule in RULES if rule.level is level)
    yield ""


def _row(rule: Rule) -> str:
    doc = rule.doc.removeprefix("docs/")
    cells = (f"[{rule.name}]({doc})", rule.holds, rule.remedy, rule.guard or "not held")
    return f"| {' | '.join(cell.replace('|', '&#124;').replace('<', '&lt;') for cell in cells)} |"


if __name__ == "__main__":
    main()
