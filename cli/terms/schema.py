"""JSON Schemas of the files of terms, made from the models that validate them, for editors.

A version says only what changes and `null` takes an entry away, so in mappings nothing is required
and everything may be null; lists are replaced as a whole, so what stands in them is complete. What
spans several entries (a price that a policy names, the order of versions) a schema cannot say:
`./yk terms check` does.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from cli.terms.sections import MODELS
from libs.terms.clause import FORMAT
from libs.terms.files import FIRST_DAY_NAMED, clause_ids
from libs.terms.in_force import Japan

_DIALECT = "http://json-schema.org/draft-07/schema#"
_DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_REFERENCE = "#/$defs/"

Schema = dict[str, Any]


def schemas(folder: Path) -> dict[str, str]:
    """Give the schema files by name, for the clauses in the catalogue of `folder`."""
    definitions = _definitions(folder)
    made = {
        "service.json": {
            "$schema": _DIALECT,
            "title": "The terms of a service",
            "description": "One service: what it extends, and its versions by effective date.",
            "type": "object",
            "additionalProperties": False,
            "required": ["service", "versions"],
            "properties": {
                "service": {
                    "type": "string",
                    "pattern": "^[A-Z][A-Z0-9]*$",
                    "description": "The service's code in capitals: the name of the file.",
                },
                "extends": {
                    "type": "string",
                    "description": "The file beside this one, without .yaml, whose terms hold "
                    "where this one says nothing.",
                },
                "versions": {"$ref": f"{_REFERENCE}Versions"},
            },
            "$defs": definitions,
        },
        "shared.json": {
            "$schema": _DIALECT,
            "title": "Terms that several services extend",
            "type": "object",
            "additionalProperties": False,
            "required": ["versions"],
            "properties": {"versions": {"$ref": f"service.json{_REFERENCE}Versions"}},
        },
        "japan.json": {"$schema": _DIALECT, **_plainly(Japan.model_json_schema())},
    }
    return {
        name: json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
        for name, schema in made.items()
    }


def _definitions(folder: Path) -> dict[str, Schema]:
    by_model, whole = models_json_schema(
        [(model, "validation") for model in MODELS.values()], ref_template=f"{_REFERENCE}{{model}}"
    )
    made: dict[str, Schema] = _plainly(_with_short_names(whole["$defs"]))
    sections = {
        name: by_model[model, "validation"]["$ref"].removeprefix(_REFERENCE)
        for name, model in MODELS.items()
    }
    _name_policies(made)
    for name in _laid_over(sections.values(), definitions=made):
        made[name] = _part_of(made[name])
    made["Clause"] = {
        "type": "string",
        "description": "The id of a clause in terms/clauses.",
        "enum": sorted(clause_ids(folder)),
    }
    made["Versions"] = {
        "type": "object",
        "description": "What changes, by the day from which it is in force; the rest stays.",
        "minProperties": 1,
        "propertyNames": _DAY,
        "additionalProperties": {"$ref": f"{_REFERENCE}Version"},
    }
    reference = {"$ref": f"{_REFERENCE}Clause"}
    made["Version"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "clause": {
                "description": "The clauses that put this version into force.",
                "anyOf": [reference, {"type": "array", "items": reference}],
            },
            FIRST_DAY_NAMED: {
                "type": "boolean",
                "description": "False in a first version whose day the terms themselves do not "
                "name: the day of the file is taken then.",
            },
            **{name: {"$ref": f"{_REFERENCE}{kind}"} for name, kind in sections.items()},
        },
    }
    return made


def _with_short_names(definitions: dict[str, Schema]) -> Any:
    """Name what two contexts call the same by its context: `BillingOption`."""
    text = json.dumps(definitions)
    for name in definitions:
        if name.startswith("services__"):
            _, context, *_, model = name.split("__")
            text = text.replace(name, f"{context.capitalize()}{model}")
    return json.loads(text)


def _plainly(value: Any) -> Any:
    """Leave out made-up titles and defaults, and join the lines of docstrings."""
    if isinstance(value, list):
        return [_plainly(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == FORMAT:
        return {"$ref": f"{_REFERENCE}Clause"}
    found = {
        key: _plainly(each)
        for key, each in value.items()
        if not (key in {"title", "default"} and not isinstance(each, dict))
    }
    if isinstance(found.get("description"), str):
        found["description"] = " ".join(found["description"].split())
    return found


def _name_policies(definitions: dict[str, Schema]) -> None:
    """Put each alternative under its policy's name, as the files write it."""
    for schema in list(definitions.values()):
        for items in _discriminated(schema):
            names = items.pop("discriminator")["mapping"]
            for reference in names.values():
                policy = definitions[reference.removeprefix(_REFERENCE)]
                policy["properties"].pop("policy", None)
                policy["required"] = [each for each in policy["required"] if each != "policy"]
            items.pop("oneOf")
            items |= {
                "type": "object",
                "description": "One policy by its name, with its numbers and clauses.",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {name: {"$ref": where} for name, where in sorted(names.items())},
            }


def _discriminated(value: Any) -> Iterator[Schema]:
    if isinstance(value, dict):
        if "discriminator" in value:
            yield value
        for each in list(value.values()):
            yield from _discriminated(each)
    elif isinstance(value, list):
        for each in value:
            yield from _discriminated(each)


def _laid_over(sections: Iterable[str], *, definitions: dict[str, Schema]) -> set[str]:
    """Give the definitions reached from sections without passing through a list."""
    found: set[str] = set()
    open_ones = list(sections)
    while open_ones:
        name = open_ones.pop()
        if name not in found and name in definitions:
            found.add(name)
            open_ones.extend(_references(definitions[name]))
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(_REFERENCE)
        for key, each in value.items():
            if key != "items":
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _part_of(schema: Schema) -> Schema:
    """Require nothing, and let every entry be taken away by null."""
    entries = {
        name: _or_null(_entries_or_null(each)) for name, each in schema["properties"].items()
    }
    rest = {key: each for key, each in schema.items() if key not in {"required", "properties"}}
    return {**rest, "properties": entries}


def _entries_or_null(schema: Schema) -> Schema:
    below = schema.get("additionalProperties")
    return (
        {**schema, "additionalProperties": _or_null(below)} if isinstance(below, dict) else schema
    )


def _or_null(schema: Schema) -> Schema:
    described = {"description": schema["description"]} if "description" in schema else {}
    return {**described, "anyOf": [schema, {"type": "null"}]}
