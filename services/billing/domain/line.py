"""A line of an assessment or a document, light enough for a run over a million contracts."""

from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from libs.events.vocabulary.billing import ChargeLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line before it becomes a `ChargeLine`; fields as there, amounts in yen before tax."""

    key: str
    code: str
    clauses: tuple[str, ...]
    quantity: int
    days: int | None
    amount: int
    tax_rate: int
    from_on: date
    to_on: date
    arithmetic: str
    events: tuple[UUID, ...] = ()
    adjusts: str | None = None
    due_on: date | None = None

    def charge_line(self) -> ChargeLine:
        """Give the line as events carry it."""
        return ChargeLine.model_construct(**{name: getattr(self, name) for name in _FIELDS})


_FIELDS = tuple(each.name for each in fields(Line))
