"""What billing knows of one contract, in order of effect: folded from facts, packed, immutable."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from libs.dates.japan import japan_date
from libs.events.envelope import Event, Recorded

Fault = Literal["customer", "third_party", "provider", "provider_gross"]
ItemKind = Literal[
    "ticket",
    "certificate",
    "qualified_invoice",
    "reissue",
    "device_overdue",
    "device_damaged",
    "onsite_repair",
    "visit",
    "cost",
    "evasion",
    "underbilling",
    "change_accepted",
    "revocation",
    "cancellation_fee",
    "cancellation_excess",
    "cancellation_loss",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event with all that its place in a timeline depends on.

    `effective_on` is the day of effect, or the Japan day of recording where the event has none.
    """

    effective_on: date
    recorded_at: datetime
    context: str
    position: int
    event_id: UUID
    event: Event

    @classmethod
    def of(cls, recorded: Recorded[Event]) -> "Fact":
        """Take an event as the log holds it."""
        envelope = recorded.envelope
        return cls(
            effective_on=recorded.event.takes_effect_on or japan_date(envelope.recorded_at),
            recorded_at=envelope.recorded_at,
            context=envelope.context,
            position=envelope.position,
            event_id=envelope.event_id,
            event=recorded.event,
        )


class Moment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A day on which something happened, with the event that says so."""

    on: date
    event: UUID


class End(msgspec.Struct, frozen=True, array_like=True):
    """The termination date as the terms use the word, why, and by whom."""

    on: date
    cause: str
    by: str
    event: UUID
    penalty_due_on: date | None = None


class ContentSpan(msgspec.Struct, frozen=True, array_like=True):
    """What the contract is for from `from_on` until the next span; `packs` in order of size.

    `fee` is an agreed monthly fee before tax where the application sets it. `events` are those
    that took effect on `from_on`, the application included in the first span.
    """

    from_on: date
    events: tuple[UUID, ...]
    packs: tuple[tuple[int, int], ...] = ()
    special_prices: tuple[tuple[int, int], ...] = ()
    licensed: bool = False
    discount: int = 0
    fee: int | None = None
    collab: bool = False
    plan: str | None = None


class Suspension(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Use is suspended from `from_on` to the day before `until_on`; None while it lasts."""

    from_on: date
    until_on: date | None
    event: UUID


class Outage(msgspec.Struct, frozen=True, array_like=True):
    """The service was unusable from `from_at` until `to_at`, known since `known_at`."""

    from_at: datetime
    to_at: datetime
    known_at: datetime
    fault: str
    complete: bool
    incident: str | None
    event: UUID


class CycleStart(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Billing months start on `day` from `from_on`."""

    from_on: date
    day: int
    event: UUID


class OptionSpan(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An option from its start to the day before its end; fees as agreed where not in a table."""

    option: str
    from_on: date
    until_on: date | None
    event: UUID
    applied_on: date | None = None
    fee: int | None = None
    initial_fee: int | None = None
    end_event: UUID | None = None


class Item(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened once and may cost something; `detail` says what sort it is.

    Amounts are yen before tax; which of them mean something depends on `kind`.
    """

    kind: ItemKind
    on: date
    event: UUID
    detail: str = ""
    quantity: int = 1
    amount: int = 0
    amount_b: int = 0
    due_on: date | None = None
    on_b: date | None = None
    month: str | None = None
    flag: bool = False
    at: datetime | None = None


class Relief(msgspec.Struct, frozen=True, array_like=True):
    """Disaster relief: a share, a sum, or days (both included), as granted."""

    on: date
    event: UUID
    percent: int | None = None
    amount: int | None = None
    from_on: date | None = None
    to_on: date | None = None


class Arrangement(msgspec.Struct, frozen=True, array_like=True):
    """How the customer pays, from `from_on` until the next one."""

    from_on: date
    events: tuple[UUID, ...]
    method: str = "invoice"
    consolidated_claim: bool = False
    issue_fee_exempt: bool = False
    claims_assigned: bool | tuple[str, ...] = False
    wants_qualified_invoice: bool = False
    qualified_invoice_postage: int = 0


class Corporate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whether the customer is a corporation, from `from_on` until the next one."""

    from_on: date
    event: UUID
    corporate: bool


class Lump(msgspec.Struct, frozen=True, array_like=True):
    """Billing months put on one bill, in order."""

    months: tuple[str, ...]
    due_on: date
    event: UUID


class Timeline(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """All that the charges of one contract depend on.

    Equal sets of facts give equal timelines, in whatever order they arrived.
    """

    contract_id: UUID | None = None
    customer_id: UUID | None = None
    service: str = ""
    applied: Moment | None = None
    approved: Moment | None = None
    accepted: Moment | None = None
    started: Moment | None = None
    revoked: Moment | None = None
    ended: End | None = None
    initial_fee: int | None = None
    wished_start_on: date | None = None
    contents: tuple[ContentSpan, ...] = ()
    options: tuple[OptionSpan, ...] = ()
    cycles: tuple[CycleStart, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    outages: tuple[Outage, ...] = ()
    conversions: tuple[Moment, ...] = ()
    items: tuple[Item, ...] = ()
    reliefs: tuple[Relief, ...] = ()
    arrangements: tuple[Arrangement, ...] = ()
    corporate: tuple[Corporate, ...] = ()
    lumps: tuple[Lump, ...] = ()
    due_dates: tuple[tuple[str, date, UUID], ...] = ()
    issued: tuple[tuple[str, date], ...] = ()
    grounds: tuple[Moment, ...] = ()

    def falls_due(self, due_on: date | None, *, arises_on: date) -> date | None:
        """Give when a debt falls due: with the first ground after it arose, if that is earlier.

        Clauses: RRNS-11.3.
        """
        days = [ground.on for ground in self.grounds if ground.on >= arises_on]
        earliest = min(days, default=None)
        if earliest is None or (due_on is not None and due_on <= earliest):
            return due_on
        return earliest

    def content_on(self, on: date) -> ContentSpan:
        """Give the content in force on a day; before the first, the first."""
        found = self.contents[0] if self.contents else ContentSpan(on, ())
        for span in self.contents:
            if span.from_on > on:
                break
            found = span
        return found

    def arrangement_on(self, on: date) -> Arrangement:
        """Give the arrangement to pay in force on a day; before the first, the first."""
        found = self.arrangements[0] if self.arrangements else Arrangement(on, ())
        for each in self.arrangements:
            if each.from_on > on:
                break
            found = each
        return found

    def corporate_on(self, on: date) -> bool:
        """Tell whether the customer is a corporation on a day; before the first, as at first."""
        found = self.corporate[0].corporate if self.corporate else False
        for each in self.corporate:
            if each.from_on > on:
                break
            found = each.corporate
        return found

    def due_on(self, month: str) -> date | None:
        """Give the due date agreed for the invoice of a billing month; the latest agreed holds."""
        return next((on for name, on, _ in reversed(self.due_dates) if name == month), None)

    def issued_on(self, month: str) -> date | None:
        """Give the day on which the invoice of a billing month was first issued."""
        return next((on for name, on in self.issued if name == month), None)


_ENCODER = msgspec.msgpack.Encoder(uuid_format="bytes")
_DECODER = msgspec.msgpack.Decoder(Timeline)


def pack(timeline: Timeline) -> bytes:
    """Give the timeline as compact bytes, equal for equal timelines."""
    return _ENCODER.encode(timeline)


def unpack(packed: bytes) -> Timeline:
    """Read what `pack` gave. Raises msgspec.ValidationError for bytes of another shape."""
    return _DECODER.decode(packed)
