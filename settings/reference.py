"""The reference of all settings in Markdown, from the types themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic.fields import FieldInfo

from settings.errors import inner_model
from settings.site import Model, Site
from settings.stack import StackSettings

HEAD = """# Settings

Made from the types in `settings/` by `python -m settings.schema`; change them there. Editors with a YAML language
server complete and check both kinds of file (`docs/schema/`). Every problem is reported before anything is
registered, all of them at once, for example:

```
Pulumi.dev.yaml: vms[0].memory_mib: -1, expected greater than or equal to 128; memory in MiB (for example 4096)
Pulumi.dev.yaml: vms[0].networks[0].bridge: "vmbr9", expected one of bridge-dev, vmbr0; name one of the site, or …
```
"""


CLASS = """The settings of a stack, by the same names without `hypercompose:`, none of them required; `extends`
names the class below it. A stack names its class: `hypercompose:class: client`. The layers, each over the one before:
the types' own defaults, `defaults` of the site file, the class with those it extends, the stack. Mappings are merged
by name at any depth, everything else is replaced, `null` takes back what a lower layer says. `site`, `stack` and
`class` are a stack's own.
"""


def reference() -> str:
    """The whole page."""
    parts = [HEAD, "## A stack: Pulumi.&lt;stack&gt;.yaml, keys `hypercompose:…`\n", *_sections(StackSettings)]
    parts += ["## An environment class: environments/&lt;class&gt;.yaml\n", CLASS]
    parts += ["## A site: sites/&lt;site&gt;.yaml\n", *_sections(Site)]
    return "\n".join(parts)


def models(model: type[Model]) -> Iterator[type[Model]]:
    """A settings type and those inside it, each once, outermost first."""
    seen: list[type[Model]] = [model]
    for current in seen:
        for info in current.model_fields.values():
            found = inner_model(info.annotation)
            if found is not None and issubclass(found, Model) and found not in seen:
                seen.append(found)
    yield from seen


def _sections(model: type[Model]) -> Iterator[str]:
    for found in models(model):
        yield f"### {found.__name__}\n\n{_escaped(found.__doc__ or '')}\n"
        yield "| setting | default | meaning |\n|---|---|---|"
        yield "\n".join(_row(info.alias or name, info) for name, info in found.model_fields.items()) + "\n"


def _row(name: str, info: FieldInfo) -> str:
    return f"| `{name}` | {_default(info)} | {_meaning(info)} |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    value: Any = info.get_default(call_default_factory=True, validated_data={})
    value = value.value if isinstance(value, Enum) else value
    return "" if value in (None, (), {}, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _escaped(text: str) -> str:
    """Angle brackets outside of code would be taken for HTML."""
    return re.sub(r"(`[^`]*`)|<([^>]*)>", lambda found: found[1] or f"&lt;{found[2]}&gt;", text)


def _meaning(info: FieldInfo) -> str:
    inside = inner_model(info.annotation)
    text = re.sub(r"\|", r"\\|", info.description or "")
    return f"{text}: {inside.__name__}" if inside else text
