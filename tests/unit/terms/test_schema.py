"""The JSON Schemas of the terms: current, kept by every file, and broken by a wrong one."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT7

from cli.terms.schema import schemas
from libs.terms.faults import WrongTerms
from libs.terms.files import read_entry
from tests.unit.terms.test_wrong_files import EDITS, INVENTED, a_folder

TERMS = Path(__file__).parents[3] / "terms"
ACROSS_ENTRIES = {
    "overlap",
    "missing-price",
    "a-price-taken-away",
    "hole",
    "hole-in-the-law",
    "interest-overlaps",
    "name",
    "extends",
    "required",
    "billing-days",
    "billing-days-in-order",
    "named-later",
    "ticket-without-a-price",
    "option-without-a-price",
    "pack-without-a-price",
    "extends-itself",
}
"""Faults that lie between entries or files, which a schema cannot say; the check does."""
NO_SUCH_VALUE = {"date-twice", "no-such-day", "no-yaml", "alias-of-itself"}
"""Faults that stop the file from being read at all."""


def faults(path: Path, *, kind: str, folder: Path) -> list[str]:
    made = {name: json.loads(text) for name, text in schemas(folder).items()}
    for schema in made.values():
        jsonschema.Draft7Validator.check_schema(schema)
    registry: Registry[Any] = Registry().with_resources(
        (name, DRAFT7.create_resource(schema)) for name, schema in made.items()
    )
    validator = jsonschema.Draft7Validator(made[f"{kind}.json"], registry=registry)
    document = as_editors_see_it(read_entry(path).plain())
    return [error.message for error in validator.iter_errors(document)]


def as_editors_see_it(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): as_editors_see_it(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_editors_see_it(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("name", ["service.json", "shared.json", "japan.json"])
def test_the_shipped_schemas_are_those_of_the_models(name: str) -> None:
    shipped = (TERMS / "schema" / name).read_text("utf-8")
    assert shipped == schemas(TERMS)[name], "./yk terms schema writes them anew"


@pytest.mark.parametrize("path", sorted(TERMS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_of_terms_names_its_schema_and_keeps_it(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=schema/(\w+)\.json", first)
    assert named is not None, first
    assert faults(path, kind=named[1], folder=TERMS) == []


def test_the_invented_service_keeps_the_schema_over_its_own_clauses() -> None:
    assert faults(INVENTED / "bkup.yaml", kind="service", folder=INVENTED) == []


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [edit for edit in EDITS if edit.id not in ACROSS_ENTRIES | NO_SUCH_VALUE],
)
def test_a_wrong_entry_breaks_the_schema(
    tmp_path: Path, old: str, new: str, where: str, reason: str
) -> None:
    folder = a_folder(tmp_path, old=old, new=new)
    assert faults(folder / "bkup.yaml", kind="service", folder=folder) != []


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"), [edit for edit in EDITS if edit.id in ACROSS_ENTRIES]
)
def test_what_lies_between_entries_is_left_to_the_check(
    tmp_path: Path, old: str, new: str, where: str, reason: str
) -> None:
    folder = a_folder(tmp_path, old=old, new=new)
    assert faults(folder / "bkup.yaml", kind="service", folder=folder) == []


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"), [edit for edit in EDITS if edit.id in NO_SUCH_VALUE]
)
def test_what_is_no_document_has_no_schema(
    tmp_path: Path, old: str, new: str, where: str, reason: str
) -> None:
    with pytest.raises(WrongTerms):
        read_entry(a_folder(tmp_path, old=old, new=new) / "bkup.yaml")
