"""A line of an assessment or a document, light enough for a run over a million contracts."""

from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from uuid import UUID

from libs.events.vocabulary.billing import ChargeLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line before it becomes a `ChargeLine`; fields as there, amounts in yen before tax.

    `agreed_due_on` is when it would be due without the ground that let it fall due on `due_on`.
    """

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
    agreed_due_on: date | None = None

    def charge_line(self, *, contract_id: UUID, month: str | None) -> ChargeLine:
        """Give the line as documents carry it: whose charge it is, for which billing month."""
        values = dict(zip(_FIELDS, _VALUES(self), strict=True))
        return ChargeLine(**values, contract_id=contract_id, month=month)


_FIELDS = tuple(each.name for each in fields(Line) if each.name != "agreed_due_on")
_VALUES = attrgetter(*_FIELDS)
