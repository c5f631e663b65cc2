"""Amounts on an invoice that follow from something that happened once."""

from datetime import time
from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.dates.business_days import Week, is_business_day
from libs.dates.japan import JAPAN, japan_date
from libs.terms.clause import Clauses
from libs.terms.numbers import Flag
from libs.terms.words import Prices, Sentence, capital, in_yen, plain, tax_added
from services.billing.domain.draft import Draft
from services.billing.domain.rules.policy import Policy


class DeviceClaims(Policy):
    """The re-procurement price of a broken device not returned, or returned damaged."""

    policy: Literal["device-claims"]
    not_returned: Clauses
    damaged: Clauses
    taxed: Flag = False

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        tax = tax_added(taxed=self.taxed)
        return (
            Sentence(
                "The re-procurement price of a broken device that is not returned in time is "
                f"charged; {tax}.",
                self.not_returned,
            ),
            Sentence(
                "Of a device returned damaged by excess or negligence the damage is charged, at "
                f"most its price; {tax}.",
                self.damaged,
            ),
        )


class Ticket(BaseModel):
    """A ticket: its line code and the name of its price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    price: str


class Tickets(Policy):
    """Tickets by kind, each charged when its order was accepted."""

    policy: Literal["tickets"]
    kinds: dict[str, Ticket]
    clause: Clauses = ()

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The price of every kind."""
        return tuple(each.price for each in self.kinds.values())

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return tuple(
            Sentence(
                f"A ticket “{plain(name)}” costs {in_yen(prices[kind.price])}, charged in the month "
                f"in which its order is accepted (line {kind.code}, price “{plain(kind.price)}”).",
                self.clause,
            )
            for name, kind in self.kinds.items()
        )


class Cost(BaseModel):
    """A cost that goes on the invoice: its line code, whether it is taxed, and its clause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    taxed: Flag = False
    clause: Clauses


class Costs(Policy):
    """Costs by kind that an operator enters; other kinds are demanded by themselves or unknown."""

    policy: Literal["costs"]
    kinds: dict[str, Cost]

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return tuple(
            Sentence(
                f"{capital(plain(name))}: passed on at what it cost; "
                f"{tax_added(taxed=kind.taxed)} (line {kind.code}).",
                kind.clause,
            )
            for name, kind in self.kinds.items()
        )


class OnsiteRepair(Policy):
    """An urgent repair outside these hours of a business day is charged at what it cost."""

    policy: Literal["onsite-repair"]
    free_from: time
    free_to: time
    week: Week
    clause: Clauses
    taxed: Flag = False

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                "An urgent repair on site is charged at what it cost, unless the call came between "
                f"{self.free_from:%H:%M} and {self.free_to:%H:%M} of a business day "
                f"({plain(self.week.replace('-', ' to '))}); {tax_added(taxed=self.taxed)}.",
                self.clause,
            ),
        )


def device_claims(draft: Draft, numbers: DeviceClaims) -> None:
    """Claim the price of a device; of a damaged one only for excess or negligence, up to its price.

    Clauses: WUTM-A1.T3-3.N5.1, WUTM-A1.T3-3.N5.2.
    """
    code = f"{draft.terms.service}-DEVICE"
    for item in draft.items("device_overdue"):
        draft.one_off(
            code, item=item, yen=item.amount, clauses=numbers.not_returned, taxed=numbers.taxed
        )
    for item in draft.items("device_damaged"):
        if item.detail in ("excessive", "negligent"):
            yen = min(item.amount, item.amount_b) if item.amount_b else item.amount
            draft.one_off(code, item=item, yen=yen, clauses=numbers.damaged, taxed=numbers.taxed)


def tickets(draft: Draft, numbers: Tickets) -> None:
    """Charge tickets in the month in which their order was accepted; never free, never refunded.

    Clauses: NSEC-A3.T4, NSEC-A3.T5, NSEC-A3.T6, NSEC-20.3.
    """
    for item in draft.items("ticket"):
        ticket = numbers.kinds.get(item.detail)
        if ticket is not None:
            price = draft.price(ticket.price, on=item.on)
            draft.one_off(
                f"{draft.terms.service}-{ticket.code}",
                item=item,
                yen=price.yen,
                quantity=item.quantity,
                clauses=(*numbers.clause, *price.clause),
                taxed=price.taxed,
            )


def costs(draft: Draft, numbers: Costs) -> None:
    """Pass on what the terms oblige the customer to pay without naming the amount.

    Clauses: NSEC-26.3.
    """
    for item in draft.items("cost"):
        cost = numbers.kinds.get(item.detail)
        if cost is not None:
            draft.one_off(
                f"{draft.terms.service}-{cost.code}",
                item=item,
                yen=item.amount,
                clauses=cost.clause,
                taxed=cost.taxed,
            )


def onsite_repair(draft: Draft, numbers: OnsiteRepair) -> None:
    """Charge an urgent repair whose call came outside the free hours; both ends are inside them.

    Clauses: WSRV-A1.3.1.1.2b.
    """
    for item in draft.items("onsite_repair"):
        if item.at is None or not item.flag:
            continue
        at = item.at.astimezone(JAPAN).time()
        open_then = is_business_day(japan_date(item.at), week=numbers.week)
        if not (open_then and numbers.free_from <= at <= numbers.free_to):
            draft.one_off(
                f"{draft.terms.service}-ONSITE",
                item=item,
                yen=item.amount,
                clauses=numbers.clause,
                taxed=numbers.taxed,
            )
