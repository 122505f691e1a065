"""The schemas of the JSON reports, made from the records that they hold.

`python -m parity.report.programs.schema` prints that of pairs, with the word `check` that of the study's networks.
"""

import json
import sys
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from parity.checks.verdict import Verdict
from parity.report import json_
from parity.report.pair_json import FORMAT, LEFT_OUT, SEVERAL
from parity.report.records import Difference, ReportData

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}]}
"""A number; those that JSON has not are words."""
PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: NUMBER,
    NoneType: {"type": "null"},
    Any: {},
    Verdict: {"enum": [str(verdict) for verdict in Verdict]},
}
EXIT_CODE = {"enum": [0, 1, 3]}
VERSIONS = {"type": "object", "additionalProperties": {"type": "string"}}
TEXT_OR_NONE = {"type": ["string", "null"]}


def schema() -> dict[str, Any]:
    """The schema of a report on one pair (`FORMAT`) or of a list of them (`SEVERAL`), as values that JSON can hold."""
    definitions: dict[str, Any] = {}
    report = record_of(ReportData, definitions)
    head = {
        "format": {"const": FORMAT},
        "exit_code": EXIT_CODE,
        "versions": VERSIONS,
        "hardware": {"type": "object"},
        "commit": {"type": "string"},
        **answered(definitions),
    }
    shown = {name: kind for name, kind in report["properties"].items() if name not in LEFT_OUT}
    definitions["Pair"] = object_of({**head, **shown})
    several = {"format": {"const": SEVERAL}, "exit_code": EXIT_CODE}
    definitions["Pairs"] = object_of({**several, "results": {"type": "array", "items": {"$ref": "#/$defs/Pair"}}})
    either = [{"$ref": "#/$defs/Pair"}, {"$ref": "#/$defs/Pairs"}]
    return {"$schema": DIALECT, "title": "netparity's report on pairs", "oneOf": either, "$defs": definitions}


def check_schema() -> dict[str, Any]:
    """The schema of the reports on the study's networks (`json_.FORMAT`)."""
    definitions: dict[str, Any] = {}
    shown = {name: _kind(get_type_hints(ReportData)[name], definitions) for name in json_.FIELDS}
    definitions["Network"] = object_of({**shown, "seconds": NUMBER, **answered(definitions)})
    document = {
        "format": {"const": json_.FORMAT},
        "verdict": {"type": "array", "items": PLAIN[Verdict]},
        "exit_code": EXIT_CODE,
        "versions": VERSIONS,
        "results": {"type": "array", "items": {"$ref": "#/$defs/Network"}},
    }
    title = "netparity's reports on the study's networks"
    return with_definitions(title, object_of(document), definitions)


def answered(definitions: dict[str, Any]) -> dict[str, Any]:
    """What `answer` gives."""
    place = {"anyOf": [{"type": "null"}, _place(definitions)]}
    return {"place": place, "cause": TEXT_OR_NONE, "mend": TEXT_OR_NONE, "next": {"type": "string"}}


def _place(definitions: dict[str, Any]) -> dict[str, Any]:
    """Where the first difference is; what is not known is null."""
    known = record_of(Difference, definitions)["properties"]
    unknown = dict.fromkeys(("mode", "layer_flax", "layer_torch"), TEXT_OR_NONE)
    return object_of({**{name: known[name] for name in ("rung", "text", "index", "values", "lines")}, **unknown})


def with_definitions(title: str, content: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema of its own, with the records that it names."""
    return {"$schema": DIALECT, "title": title, **content, "$defs": definitions}


def object_of(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these properties and no others."""
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}


def record_of(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """A record of ours; those that it holds are put into the definitions."""
    hints = get_type_hints(kind)
    assert is_dataclass(kind)
    return object_of({field.name: _kind(hints[field.name], definitions) for field in fields(kind)})


def _kind(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type; records are defined once."""
    if kind in PLAIN:
        return PLAIN[kind]
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}
            definitions[kind.__name__] = record_of(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return {"anyOf": [_kind(part, definitions) for part in parts]}
    if kind is bytes:
        return {}
    if issubclass(origin or kind, tuple) or issubclass(origin or kind, list) or (origin and len(parts) == 1):
        return {"type": "array", "items": _kind(parts[0], definitions)}
    return {"type": "object", "additionalProperties": _kind(parts[1], definitions)}


if __name__ == "__main__":
    json.dump(check_schema() if sys.argv[1:] == ["check"] else schema(), sys.stdout, indent=1)
    sys.stdout.write("\n")
