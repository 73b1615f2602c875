"""A variable of a compose file that settings may give, with the values that it may have."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from settings.site import Model

LONGEST = 4096
_WHOLE = r"^(?![\s\S]*\u0000)(?:{})(?![\s\S])"
"""All of a text, in JavaScript's and in Python's regular expressions: their `$` differ at a last line end."""
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def _text(value: Any) -> Any:
    """As compose files carry it: 5 is "5", true is "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


class Parameter(Model):
    """A variable of the compose file that settings may give under `env`."""

    type: Literal["text", "integer", "boolean", "choice"] = Field("text", description="what values it has")
    default: Annotated[str, BeforeValidator(_text)] = Field("", description="value where none is given")
    description: str = Field("", description="what it is for")
    required: bool = Field(False, description="whether it must be given; then it has no default")
    platform: bool = Field(False, description="whether only the platform says it, and nobody who orders an instance")
    choices: tuple[Annotated[str, BeforeValidator(_text)], ...] = Field((), description="values of a choice")
    pattern: str | None = Field(None, description="regular expression that the whole of a text meets")
    minimum: int | None = Field(None, description="smallest integer")
    maximum: int | None = Field(None, description="largest integer")

    @model_validator(mode="after")
    def _consistent(self) -> Parameter:
        if bool(self.choices) != (self.type == "choice"):
            raise ValueError("`choices` where type is choice, and nowhere else")
        if self.type != "integer" and (self.minimum, self.maximum) != (None, None):
            raise ValueError("`minimum` and `maximum` where type is integer, and nowhere else")
        self._pattern_compiles()
        if self.required and self.default:
            raise ValueError("either `required` or a `default`")
        if not self.required and (self.default or self.type != "text"):
            self.checked(self.default)
        return self

    def _pattern_compiles(self) -> None:
        if self.pattern is not None and self.type != "text":
            raise ValueError("`pattern` where type is text, and nowhere else")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"a regular expression as `pattern` ({error})") from error

    @property
    def expected(self) -> str:
        """Its values in words, as errors say them."""
        if self.type == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.type == "integer":
            bounds = [f"{word} {n}" for word, n in (("from", self.minimum), ("to", self.maximum)) if n is not None]
            return " ".join(["an integer", *bounds])
        if self.type == "boolean":
            return "true or false"
        return f"text like {self.pattern}" if self.pattern else f"text of up to {LONGEST} characters"

    def checked(self, value: Any) -> str:
        """The value as compose files carry it. Raises ValueError with what is expected."""
        text = _text(value)
        if not isinstance(text, str) or not self._fits(text):
            raise ValueError(self.expected)
        return text

    def _fits(self, text: str) -> bool:
        if self.type == "choice":
            return text in self.choices
        if self.type == "boolean":
            return text in ("true", "false")
        if self.type == "integer":
            return _NUMBER.fullmatch(text) is not None and self._in_bounds(int(text))
        return len(text) <= LONGEST and "\0" not in text and _is_unicode(text) and self._meets_pattern(text)

    def _in_bounds(self, number: int) -> bool:
        return (self.minimum is None or number >= self.minimum) and (self.maximum is None or number <= self.maximum)

    def _meets_pattern(self, text: str) -> bool:
        return self.pattern is None or re.fullmatch(self.pattern, text) is not None

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of its values."""
        kinds: dict[str, dict[str, Any]] = {
            "text": {"type": "string", "maxLength": LONGEST},
            "integer": {"type": "integer"},
            "boolean": {"type": "boolean"},
            "choice": {"type": "string", "enum": list(self.choices)},
        }
        bounds: dict[str, Any] = {"minimum": self.minimum, "maximum": self.maximum}
        if self.type == "text":
            bounds["pattern"] = _WHOLE.format(self.pattern or r"[\s\S]*")
        found = kinds[self.type] | {key: bound for key, bound in bounds.items() if bound is not None}
        if not self.required:
            found["default"] = self._typed_default()
        return found | ({"description": self.description} if self.description else {})

    def _typed_default(self) -> str | int | bool:
        if self.type == "integer":
            return int(self.default)
        return self.default == "true" if self.type == "boolean" else self.default


def _is_unicode(text: str) -> bool:
    """Half of a surrogate pair is no text that a file can hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
