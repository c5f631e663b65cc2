"""A billing month while its lines are being made: what every charging policy looks at."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from services.billing.domain.billing_month import ONE_DAY, BillingMonth
from services.billing.domain.line import Line
from services.billing.domain.timeline import ContentSpan, End, Item, Lump, Timeline

if TYPE_CHECKING:
    from services.billing.domain.terms import BillingTerms, Price


@dataclass(slots=True, kw_only=True)
class Stretch:
    """Days of the month with one monthly fee, both included; `charged` is what is left of it.

    `freed` are the days of use that do not count any more.
    """

    from_on: date
    to_on: date
    yen: int
    charged: int
    freed: set[date] = field(default_factory=set)

    def recharge(self, freed: set[date], *, of: int) -> int:
        """Free some of its days as well; give by how much the fee falls.

        What is charged is cut off once over all days of use left, so that the credit shown is a
        difference.

        Clauses: WUTM-28.2.4, WUTM-28.2.5.
        """
        mine = {on for on in freed if self.from_on <= on <= self.to_on} - self.freed
        if not mine or not self.yen:
            return 0
        self.freed |= mine
        before, self.charged = self.charged, self.yen * self.days_left // of
        return before - self.charged

    @property
    def days_left(self) -> int:
        """The days of use that still count."""
        return (self.to_on - self.from_on).days + 1 - len(self.freed)


@dataclass(slots=True, kw_only=True)
class Draft:
    """One billing month of one contract; policies add lines and read those added before.

    `issued_on` is the day on which the bill is or was issued, where it is known.
    """

    timeline: Timeline
    month: BillingMonth
    terms: "BillingTerms"
    issued_on: date | None = None
    lines: list[Line] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    lumped: tuple["Draft", ...] = ()

    @property
    def bills_its_own(self) -> bool:
        """Whether the month's bill carries its name: not where a later month of its lump does."""
        lump = lump_of(self.timeline, self.month.name)
        return lump is None or lump.months[-1] == self.month.name

    @property
    def on_one_bill(self) -> tuple["Draft", ...]:
        """This month and those lumped together with it, which come before it."""
        return (self, *self.lumped)

    @property
    def due(self) -> int:
        """What the lines so far come to, before tax."""
        return sum(line.amount for line in self.lines)

    @property
    def bill_on(self) -> date:
        """The day of the month's bill: as issued or about to be, else the closing day."""
        return self.issued_on or self.timeline.issued_on(self.month.name) or self.month.to_on

    @property
    def end(self) -> End | None:
        """The contract's end, a revoked acceptance included."""
        return end_of(self.timeline)

    def price(self, name: str, *, on: date) -> "Price":
        """Give a price of the version in force on a day."""
        return self.terms.at(on).prices[name]

    def tax_rate(self, on: date) -> int:
        """Give the percentage of consumption tax of a day."""
        return self.terms.consumption_tax.at(on)

    def contains(self, on: date) -> bool:
        """Tell whether a day lies in the month."""
        return self.month.from_on <= on <= self.month.to_on

    def items(self, *kinds: str) -> list[Item]:
        """Give what happened once in the month, of these kinds, in order."""
        return [
            item for item in self.timeline.items if item.kind in kinds and self.contains(item.on)
        ]

    def one_off(
        self,
        code: str,
        *,
        item: Item,
        yen: int,
        clauses: tuple[str, ...],
        taxed: bool,
        quantity: int = 1,
        key: str | None = None,
    ) -> None:
        """Add a line for something that happened once: `quantity` units at `yen` each.

        Its tax rate is that of its day; its key names its event unless `key` says otherwise.

        Clauses: NSEC-14.10, WUTM-32.1.
        """
        self.add(
            code,
            key=f"{code}:{key or item.event}",
            clauses=clauses,
            amount=yen * quantity,
            arithmetic=times(yen, quantity),
            from_on=item.on,
            to_on=item.on,
            quantity=quantity,
            tax_rate=self.tax_rate(item.on) if taxed else 0,
            events=(item.event,),
        )

    def add(
        self,
        code: str,
        *,
        clauses: tuple[str, ...],
        amount: int,
        arithmetic: str,
        from_on: date,
        to_on: date,
        tax_rate: int,
        key: str | None = None,
        quantity: int = 1,
        days: int | None = None,
        events: tuple[UUID, ...] = (),
        due_on: date | None = None,
    ) -> None:
        """Add a line; one of 0 yen is left out. Its key is its code and first day unless given.

        One that is due on a day of its own, agreed or by the terms, falls due with a ground.
        """
        falls_on = self.timeline.falls_due(due_on, arises_on=from_on) if due_on else None
        if amount:
            self.lines.append(
                Line(
                    key=key or f"{code}:{from_on}",
                    code=code,
                    clauses=clauses,
                    quantity=quantity,
                    days=days,
                    amount=amount,
                    tax_rate=tax_rate,
                    from_on=from_on,
                    to_on=to_on,
                    arithmetic=arithmetic,
                    events=events,
                    due_on=falls_on,
                    agreed_due_on=None if falls_on == due_on else due_on,
                )
            )


def lump_of(timeline: Timeline, month: str) -> Lump | None:
    """Give the lump that a billing month is on; the latest decided holds."""
    return next((each for each in reversed(timeline.lumps) if month in each.months), None)


def end_of(timeline: Timeline) -> End | None:
    """Give the contract's end: the earliest of its termination and a revocation of acceptance."""
    revoked = timeline.revoked
    ended = timeline.ended
    if revoked and (ended is None or revoked.on < ended.on):
        return End(revoked.on, "revoked", "operator", revoked.event)
    return ended


def last_used_on(timeline: Timeline) -> date | None:
    """Give the last charged day: the day before the end, or that day where the start is the same.

    None where the contract has not ended.

    Clauses: WUTM-25.1, WSRV-25.1b, WSRV-25.1c, NSEC-14.1.
    """
    end = end_of(timeline)
    if end is None:
        return None
    started = timeline.started
    return end.on if started and started.on == end.on else end.on - ONE_DAY


def prorated(yen: int, *, days: int, of: int, text: str | None = None) -> tuple[int, str]:
    """Give `yen` x `days` / `of`, multiplied first and cut off once, and the arithmetic in words.

    `text` says how `yen` came about where it is itself a product.

    Clauses: NSEC-14.4, NSEC-14.8a, WUTM-28.2, WUTM-28.3.1, WUTM-29, WSRV-28.3, WSRV-29.
    """
    amount, rest = divmod(yen * days, of)
    shown = f"{text or f'{yen:,}'} × {days}/{of} = {amount:,}"
    if rest:
        shown += f".{rest * 10 // of} → {amount:,}"
    return amount, shown


def lowered(stretches: Iterable[Stretch], *, before: int, by: int, of: int) -> str:
    """Give the arithmetic of a fee that fell because days of use do not count, in words."""
    shown = [prorated(each.yen, days=each.days_left, of=of)[1] for each in stretches if each.freed]
    return "; ".join([*shown, f"{before - by:,} - {before:,} = -{by:,}"])


def times(yen: int, quantity: int) -> str:
    """Give the arithmetic of a price and a quantity in words."""
    return f"{yen:,}" if quantity == 1 else f"{yen:,} × {quantity} = {yen * quantity:,}"


def events_of(span: ContentSpan, *more: UUID | None) -> tuple[UUID, ...]:
    """Give the events behind a content, and others that are known, each once."""
    return tuple(dict.fromkeys((*span.events, *(each for each in more if each))))
