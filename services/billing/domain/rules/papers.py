"""Fees for papers: payment certificates, qualified invoices, invoices issued again."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.terms.clause import ClauseId, Clauses
from libs.terms.numbers import Flag
from libs.terms.words import Prices, Sentence, in_yen, plain, tax_added
from services.billing.domain.draft import Draft
from services.billing.domain.rules.issue_fees import (
    IssueFees,
    bill_bears_fees,
    month_is_free,
)
from services.billing.domain.rules.policy import Policy
from services.billing.domain.timeline import Item

_PAPERS = {"certificate": "payment certificate", "qualified_invoice": "qualified invoice"}


class Refused(BaseModel):
    """The clauses that refuse a paper: for an assigned claim, for what is not fully paid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    assigned: ClauseId
    unpaid: ClauseId


class Paper(Policy):
    """A fee per document issued on request, and what was spent on it, passed on as it was."""

    policy: Literal["paper"]
    item: Literal["certificate", "qualified_invoice"]
    code: str
    price: str
    clause: Clauses
    other_costs: Clauses = ()
    costs_taxed: Flag = False
    standing: Flag = False
    refused: Refused | None = None

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The fee per document."""
        return (self.price,)

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        what = _PAPERS[self.item]
        sentences = [
            Sentence(
                f"Each {what} issued on request costs {in_yen(prices[self.price])} (line {self.code}, "
                f"price “{plain(self.price)}”), and its postage as spent; on postage and other "
                f"costs {tax_added(taxed=self.costs_taxed)}.",
                self.clause,
            )
        ]
        if self.other_costs:
            words = "Other costs of issuing it are passed on as spent."
            sentences.append(Sentence(words, self.other_costs))
        if self.standing:
            words = f"A standing request has a {what} issued, and charged, with every bill."
            sentences.append(Sentence(words))
        if self.refused:
            sentences += [
                Sentence("It is refused for an assigned claim.", (self.refused.assigned,)),
                Sentence("It is refused for what is not fully paid.", (self.refused.unpaid,)),
            ]
        return tuple(sentences)


class Reissue(Policy):
    """The issue fee of an invoice issued again at the customer's wish."""

    policy: Literal["invoice-reissue"]
    price: str
    clause: Clauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The issue fee."""
        return (self.price,)

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                "An invoice issued again at the customer's wish costs "
                f"{in_yen(prices[self.price])} (price “{plain(self.price)}”), where the bill itself "
                "would bear the issue fee.",
                self.clause,
            ),
        )


def paper(draft: Draft, numbers: Paper) -> None:
    """Charge every document issued in the month, on the day of its issue; nothing on a request.

    Postage and other costs are lines of their own, untaxed unless the terms say otherwise. A
    standing request counts as one for every bill that has something on it, issued with it on the
    last day of the billing month. Papers issued before the version that prices them are free.

    Clauses: WUTM-A4.3.1, WUTM-A4.3.2, WUTM-A4.3.N, WUTM-A4.4.1.1, WUTM-A4.4.2, WUTM-32.1,
        WSRV-A4.4.1, WSRV-A4.4.2, WSRV-A4.5.1, WSRV-A4.5.2.
    """
    for item in draft.items(numbers.item):
        _charge(draft, numbers, item=item)
    has_lines = any(each.lines for each in draft.on_one_bill)
    if numbers.standing and has_lines and draft.bills_its_own:
        on = draft.month.to_on
        arrangement = draft.timeline.arrangement_on(on)
        if arrangement.wants_qualified_invoice:
            event = arrangement.events[-1]
            key = f"standing:{draft.month.from_on}"
            postage = arrangement.qualified_invoice_postage
            _charge(draft, numbers, item=Item(numbers.item, on, event, amount=postage), key=key)


def _charge(draft: Draft, numbers: Paper, *, item: Item, key: str | None = None) -> None:
    price = draft.terms.at(item.on).prices.get(numbers.price)
    if price is None:
        return
    code = f"{draft.terms.service}-{numbers.code}"
    clauses = (*numbers.clause, *price.clause)
    draft.one_off(
        code,
        item=item,
        yen=price.yen,
        quantity=item.quantity,
        clauses=clauses,
        taxed=price.taxed,
        key=key,
    )
    draft.one_off(
        f"{code}-POST",
        item=item,
        yen=item.amount,
        clauses=numbers.clause,
        taxed=numbers.costs_taxed,
        key=key,
    )
    draft.one_off(
        f"{code}-COST",
        item=item,
        yen=item.amount_b,
        clauses=numbers.other_costs,
        taxed=numbers.costs_taxed,
        key=key,
    )


def invoice_reissue(draft: Draft, numbers: Reissue) -> None:
    """Charge an invoice issued again at the customer's wish, in the month of the re-issue.

    Nothing for the company's mistake, nor where the issue fee itself would be exempt.

    Clauses: WUTM-A4.2.2.1, WSRV-A4.2.2.
    """
    for item in draft.items("reissue"):
        fees = draft.terms.policy(IssueFees, on=item.on)
        exempt = fees is None or not bill_bears_fees(draft, fees) or month_is_free(draft, fees)
        if item.detail == "customer" and not exempt:
            price = draft.price(numbers.price, on=item.on)
            draft.one_off(
                f"{draft.terms.service}-REISSUE",
                item=item,
                yen=price.yen,
                clauses=(*numbers.clause, *price.clause),
                taxed=price.taxed,
            )
