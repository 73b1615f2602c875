"""YAML by pointer: the reader's marks tell where a value stands, its quotes and comments stay."""

from __future__ import annotations

import re
from typing import Any

import yaml

from provisioning.config_files import pointer
from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, spelled
from provisioning.config_files.yaml_walk import Walk

problem = pointer.problem

_READER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.SafeLoader("")
_TAG = "tag:yaml.org,2002:"
_EXPECTED = {"int": "a whole number", "float": "a number", "bool": "true or false", "null": "null", "timestamp": "a date"}
_FITS = {"float": ("int", "float")}
# Numbers of YAML 1.2 that PyYAML, which reads 1.1, takes for text; and the words that 1.1 takes for yes and no.
_OTHERWISE = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[yYnN]")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+)+")
_INDICATORS = "-?:,[]{}#&*!|>'\"%@`="
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
