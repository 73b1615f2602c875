"""Go's durations: `5s`, `1h30m`, `-1.5h`, `0`."""

from __future__ import annotations

import re

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")


def seconds(text: str) -> float:
    """Seconds of a duration; ValueError with Go's words when it is none."""
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    if not re.fullmatch(f"({_PART.pattern})+", rest):
        raise ValueError(_complaint(text, rest))
    return sign * sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(rest))


def valid(text: str) -> bool:
    """Whether it is a duration."""
    try:
        seconds(text)
    except ValueError:
        return False
    return True


def _complaint(text: str, rest: str) -> str:
    if re.fullmatch(r"\d+\.?\d*|\.\d+", rest):
        return f'time: missing unit in duration "{text}"'
    unknown = re.match(r"(?:\d+\.?\d*|\.\d+)([^\d.]+)", rest)
    if unknown:
        return f'time: unknown unit "{unknown[1]}" in duration "{text}"'
    return f'time: invalid duration "{text}"'
