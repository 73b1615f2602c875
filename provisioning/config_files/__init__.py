"""Config files as bytes: find the one value that a selector names, and change its bytes alone. Opens no file."""

from provisioning.config_files.edit import find, put_back, replace
from provisioning.config_files.errors import EditError
from provisioning.config_files.formats import FORMATS, Found, Selector, format_of, selector_problem

__all__ = [
    "FORMATS",
    "EditError",
    "Found",
    "Selector",
    "find",
    "format_of",
    "put_back",
    "replace",
    "selector_problem",
]
