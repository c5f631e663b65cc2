"""From lines to a document: sums, tax once by rate, several months on one bill, adjustments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from libs.events.vocabulary.billing import TaxSum
from services.billing.domain.assessment import Assessment, Line
from services.billing.domain.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Lines with their sums: `total` = `subtotal` + taxes. `months` are the months it bills."""

    month: str
    months: tuple[str, ...]
    from_on: date
    to_on: date
    lines: tuple[Line, ...]
    subtotal: int
    tax: tuple[TaxSum, ...]
    total: int
    due_on: date | None


def taxes(lines: Iterable[Line]) -> tuple[TaxSum, ...]:
    """Give the tax of each rate, in rising order; rate 0 and sums of 0 are left out."""
    raise NotImplementedError


def documents(assessments: Sequence[Assessment], *, timeline: Timeline) -> tuple[Document, ...]:
    """Give one document for every billing month that has a line, lumped months together."""
    raise NotImplementedError


def adjust(billed: Sequence[Line], *, now: Assessment) -> tuple[Line, ...]:
    """Give what is still to bill of a month: differences by line key, at the old month's tax rate.

    `billed` are all lines of that month ever billed, adjustments included. A month never billed
    gives its lines as they are; one billed rightly gives nothing.
    """
    raise NotImplementedError
