"""From lines to a document: sums, tax once by rate, several months on one bill, adjustments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from libs.events.vocabulary.billing import TaxSum
from services.billing.domain.assessment import Assessment, Line
from services.billing.domain.draft import lump_of
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
    """Give the tax of each rate, in rising order; rate 0 and sums of 0 are left out.

    It is cut off once a document and rate, on the sum of the lines; of a negative sum in its
    absolute value.

    Clauses: NSEC-14.9a, NSEC-14.9b, NSEC-14.8a, WUTM-32.1, WUTM-32.2, WUTM-29, WSRV-29, WSRV-32b,
        RRNS-35.S1.
    """
    sums: dict[int, int] = {}
    for line in lines:
        if line.tax_rate:
            sums[line.tax_rate] = sums.get(line.tax_rate, 0) + line.amount
    return tuple(
        TaxSum.model_construct(rate=rate, base=base, tax=_cut(base * rate))
        for rate, base in sorted(sums.items())
        if base
    )


def documents(assessments: Sequence[Assessment], *, timeline: Timeline) -> tuple[Document, ...]:
    """Give one document for every billing month that has a line, lumped months together.

    A lump carries the name of its newest month and spans all of them; each month keeps its own
    lines, tax is once on the sum. A month without lines has no document.

    Clauses: NSEC-14.7, WUTM-31, WUTM-A4.2.1.2, WSRV-31.
    """
    bills: dict[str, list[Assessment]] = {}
    for assessment in sorted(assessments, key=lambda each: each.month.from_on):
        lump = lump_of(timeline, assessment.month.name)
        name = lump.months[-1] if lump else assessment.month.name
        bills.setdefault(name, []).append(assessment)
    return tuple(
        _document(name, parts, timeline=timeline)
        for name, parts in bills.items()
        if any(part.lines for part in parts)
    )


def adjust(billed: Sequence[Line], *, now: Assessment) -> tuple[Line, ...]:
    """Give what is still to bill of a month: differences by line key, at the old month's tax rate.

    `billed` are all lines of that month ever billed, adjustments included. A month never billed
    gives its lines as they are; one billed rightly gives nothing. What was due stays due: a line
    that vanished is given back as a whole. Lines of one key (an option ordered twice) count together.

    Clauses: WUTM-25.3.1, WUTM-28.5, WSRV-25.2a, WSRV-28.5.
    """
    if not billed:
        return now.lines
    before: dict[tuple[str, int], int] = {}
    after: dict[tuple[str, int], int] = {}
    shown: dict[tuple[str, int], Line] = {}
    for sums, lines in ((before, billed), (after, now.lines)):
        for line in lines:
            key = (line.key, line.tax_rate)
            sums[key] = sums.get(key, 0) + line.amount
            shown[key] = line
    found: list[Line] = []
    for key, line in shown.items():
        was, should_be = before.get(key, 0), after.get(key, 0)
        if should_be != was:
            found.append(
                replace(
                    line,
                    amount=should_be - was,
                    arithmetic=f"{should_be:,} - {was:,} = {should_be - was:,}",
                    adjusts=now.month.name,
                )
            )
    return tuple(found)


def _document(name: str, parts: Sequence[Assessment], *, timeline: Timeline) -> Document:
    lines = tuple(line for part in parts for line in part.lines)
    tax = taxes(lines)
    subtotal = sum(line.amount for line in lines)
    lump = lump_of(timeline, name)
    return Document(
        month=name,
        months=tuple(part.month.name for part in parts),
        from_on=parts[0].month.from_on,
        to_on=parts[-1].month.to_on,
        lines=lines,
        subtotal=subtotal,
        tax=tax,
        total=subtotal + sum(each.tax for each in tax),
        due_on=lump.due_on if lump else timeline.due_on(name),
    )


def _cut(hundredths: int) -> int:
    return hundredths // 100 if hundredths >= 0 else -(-hundredths // 100)
