"""Clause ids in the terms: one that the catalogue does not have is refused where it stands."""

from collections.abc import Container
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema

KNOWN = "clauses"
"""Under which name the context of a validation holds the ids of the catalogue."""

FORMAT = "clause-id"
"""By which format a schema marks an id; the schema of the terms lists them all in its place."""

_SCHEMA: dict[str, Any] = {"type": "string", "format": FORMAT}


def _known(clause_id: str, told: ValidationInfo) -> str:
    known: Container[str] | None = (told.context or {}).get(KNOWN)
    if known is not None and clause_id not in known:
        raise ValueError(f"{clause_id} is no clause of the catalogue")
    return clause_id


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


ClauseId = Annotated[str, AfterValidator(_known), WithJsonSchema(_SCHEMA)]
"""The id of a clause."""

Clauses = Annotated[
    tuple[ClauseId, ...],
    BeforeValidator(_as_tuple),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "array", "items": _SCHEMA}]}),
]
"""One clause id or several; a line cites them in this order."""
