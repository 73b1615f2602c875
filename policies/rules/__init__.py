"""The rules, by theme."""

from policies.rule import Rule
from policies.rules import containers

RULES: tuple[Rule, ...] = (*containers.RULES,)
