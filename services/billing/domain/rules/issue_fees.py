"""Issue and collection fee of a bill, and the many who do not pay them."""

from datetime import date
from typing import Literal

from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.numbers import Flag
from libs.terms.words import Prices, Sentence, in_yen, listed, plain
from services.billing.domain.billing_month import billing_month_of, month_after
from services.billing.domain.draft import Draft, last_used_on
from services.billing.domain.rules.policy import Policy

_METHODS = {
    "invoice": "invoice",
    "account_transfer_notice": "account transfer with a notice",
    "account_transfer": "account transfer",
    "credit_card": "credit card",
}


def _method(name: str) -> str:
    return _METHODS.get(name, plain(name))


class IssueFees(Policy):
    """An issue fee for papers, a collection fee for payment by bill; each by payment method.

    `collab_only`: only for lines of the collaboration model; `conversion_frees`: a conversion of
    the line gives two free months of its own.
    """

    policy: Literal["issue-and-collection-fees"]
    issue: str
    collection: str
    issue_methods: tuple[str, ...]
    collection_methods: tuple[str, ...]
    collab_only: Flag
    conversion_frees: Flag
    issue_clause: Clauses
    collection_clause: Clauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """Both fees."""
        return (self.issue, self.collection)

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        only = ", only for a line of the collaboration model" if self.collab_only else ""
        conversion = " and those after a conversion of the line" if self.conversion_frees else ""
        return (
            *(
                Sentence(
                    f"A bill bears the {what} fee of {in_yen(prices[price])} (price "
                    f"“{plain(price)}”) once, where it is paid by "
                    f"{listed(map(_method, methods), last='or')}{only}.",
                    clause,
                )
                for what, price, methods, clause in (
                    ("issue", self.issue, self.issue_methods, self.issue_clause),
                    (
                        "collection",
                        self.collection,
                        self.collection_methods,
                        self.collection_clause,
                    ),
                )
            ),
            Sentence(
                "Bills of corporations, consolidated claims, bills with nothing else to pay and "
                f"the first two billing months{conversion} bear neither fee."
            ),
        )


def issue_and_collection_fees(draft: Draft, numbers: IssueFees) -> None:
    """Add both fees whole, once a bill, if something else is to be paid on it.

    A bill of several months bears them once, when at least one of its months does. The payment
    method is that of the day of the bill.

    Clauses: WUTM-28.2.0, WUTM-31, WUTM-A4.2.1.2, WUTM-A4.2.1.4, WUTM-A4.2.1.5, WUTM-A4.2.2.0,
        WUTM-A4.2.2.1, WUTM-A4.2.2.2, WSRV-31, WSRV-A4.2.1a, WSRV-A4.2.1c, WSRV-A4.2.1d,
        WSRV-A4.2.2.
    """
    if not draft.bills_its_own:
        return
    if not bill_bears_fees(draft, numbers):
        return
    if not any(each.due > 0 and not month_is_free(each, numbers) for each in draft.on_one_bill):
        return
    bill_on = draft.bill_on
    method = draft.timeline.arrangement_on(bill_on).method
    for code, name, methods, clause in (
        ("ISSUE", numbers.issue, numbers.issue_methods, numbers.issue_clause),
        ("COLLECT", numbers.collection, numbers.collection_methods, numbers.collection_clause),
    ):
        if method in methods:
            price = draft.price(name, on=draft.month.to_on)
            full_code = f"{draft.terms.service}-{code}"
            draft.add(
                full_code,
                key=f"{full_code}:{draft.month.from_on}",
                clauses=(*clause, *price.clause),
                amount=price.yen,
                arithmetic=f"{price.yen:,}",
                from_on=draft.month.to_on,
                to_on=draft.month.to_on,
                tax_rate=draft.tax_rate(draft.month.to_on),
                events=draft.timeline.arrangement_on(bill_on).events,
            )


def bill_bears_fees(draft: Draft, numbers: IssueFees) -> bool:
    """Tell whether papers with this month's bill may cost something.

    Not for corporations as of the day of the bill, consolidated claims and other set cases; where
    the terms say so not off the collaboration model, judged on the last service day of the newest
    billing month on the bill.

    Clauses: WUTM-A4.2.1.1, WUTM-A4.2.3.1, WUTM-A4.2.3.2, WUTM-A4.2.3.3, WSRV-A4.2.3.1,
        WSRV-A4.2.3.2, WSRV-A4.2.3.3.
    """
    timeline = draft.timeline
    if timeline.corporate_on(draft.bill_on):
        return False
    arrangement = timeline.arrangement_on(draft.bill_on)
    if arrangement.consolidated_claim or arrangement.issue_fee_exempt:
        return False
    if not numbers.collab_only:
        return True
    used = last_used_on(timeline)
    last = draft.month.to_on if used is None else min(used, draft.month.to_on)
    return timeline.content_on(last).collab


def month_is_free(draft: Draft, numbers: IssueFees) -> bool:
    """Tell whether payments for the month bear no fees, whoever makes them.

    The billing month of the start and the next are free, those of a conversion of the line where
    the terms say so, and a stub, which counts for none of the two.

    Clauses: WUTM-28.4, WUTM-A4.2.1.3, WSRV-A4.2.1b.
    """
    timeline = draft.timeline
    anchors = [timeline.started.on] if timeline.started else []
    if numbers.conversion_frees:
        anchors.extend(each.on for each in timeline.conversions)
    return draft.month.stub or any(_free_after(draft, anchor) for anchor in anchors)


def _free_after(draft: Draft, anchor: date) -> bool:
    """Tell whether the month contains the anchor or is the next one; a stub between is no month."""
    first = billing_month_of(draft.timeline, anchor)
    second = month_after(draft.timeline, first)
    while second.stub:
        second = month_after(draft.timeline, second)
    return draft.month.from_on in (first.from_on, second.from_on)
