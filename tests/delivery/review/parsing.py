"""Reads Markdown back with two parsers, and gives what a reader sees as tables."""

from __future__ import annotations

from html.parser import HTMLParser

import markdown
from markdown_it import MarkdownIt

COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable("table")
SEEN = {"h1", "h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "em"}


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._is_in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self.rows[-1][-1] += data


def pages(text: str) -> list[tuple[list[list[str]], set[str]]]:
    """Rows of all tables, and all tags, as each parser renders the text."""
    htmls = [COMMONMARK.render(text), markdown.markdown(text, extensions=["tables"])]
    found = []
    for html in htmls:
        parser = _Tables()
        parser.feed(html)
        found.append((parser.rows, parser.tags))
    return found
