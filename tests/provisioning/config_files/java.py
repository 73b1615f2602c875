"""Java properties as java.util.Properties.load has them, written from its description, line by line."""

import re


def load(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    lines = iter(re.split(r"\r\n|\r|\n", text))
    for line in lines:
        line = line.lstrip(" \t\f")
        if not line or line[0] in "#!":
            continue
        while (len(line) - len(line.rstrip("\\"))) % 2:
            line = line[:-1] + next(lines, "").lstrip(" \t\f")
        key, rest = _split(line)
        found[_unescaped(key)] = _unescaped(rest)
    return found


def _split(line: str) -> tuple[str, str]:
    end = 0
    while end < len(line) and line[end] not in "=: \t\f":
        end += 2 if line[end] == "\\" else 1
    rest = line[end:].lstrip(" \t\f")
    if rest[:1] in ("=", ":"):
        rest = rest[1:].lstrip(" \t\f")
    return line[:end], rest


def _unescaped(text: str) -> str:
    out, at = [], 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
            char = text[at]
            if char == "u":
                char = chr(int(text[at + 1 : at + 5], 16))
                at += 4
            else:
                char = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}.get(char, char)
        out.append(char)
        at += 1
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16")
