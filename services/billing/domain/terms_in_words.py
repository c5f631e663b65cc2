"""The billing section of the terms in sentences, in the order in which it works."""

from collections.abc import Iterator

from libs.terms.words import (
    Prices,
    Said,
    Sentence,
    a_year,
    capital,
    count,
    in_yen,
    plain,
    tax_added,
)
from services.billing.domain.rules.policy import Policy
from services.billing.domain.terms import BillingSection, LateInterest

_PAYMENTS = {
    "named-first": "A payment settles the invoice it names, else the debt that is due first.",
    "earliest-due-first": "A payment settles the debt that is due first, whatever it names.",
}


def in_words(section: BillingSection) -> tuple[Said, ...]:
    """Say all that the section says: prices, charges, demands, then what holds of debts."""
    prices = {name: price.yen for name, price in section.prices.items()}
    return (
        *_prices(section),
        *_policies(section.charging, where="charging", prices=prices),
        *_policies(section.demands, where="demands", prices=prices),
        *_debts(section),
    )


def _prices(section: BillingSection) -> Iterator[Said]:
    for name, price in section.prices.items():
        yield Said(
            heading="Prices",
            key=f"price {name}",
            words=f"{capital(plain(name))}: {in_yen(price.yen)} before tax; "
            f"{tax_added(taxed=price.taxed)}.",
            clauses=price.clause,
            place=("prices", name),
            taxed_yen=price.yen if price.taxed else None,
        )


def _policies(policies: tuple[Policy, ...], *, where: str, prices: Prices) -> Iterator[Said]:
    heading = {"charging": "Charges", "demands": "Demands beside the invoices"}[where]
    seen: dict[str, int] = {}
    for index, policy in enumerate(policies):
        seen[policy.policy] = seen.get(policy.policy, 0) + 1
        named = f"{where} {policy.policy} {seen[policy.policy]}"
        for number, sentence in enumerate(policy.in_words(prices)):
            yield _said(
                sentence,
                heading=f"{heading}: {plain(policy.policy)}",
                key=f"{named} {number}",
                place=(where, index, policy.policy),
            )


def _said(sentence: Sentence, *, heading: str, key: str, place: tuple[str | int, ...]) -> Said:
    return Said(
        heading=heading, key=key, words=sentence.words, clauses=sentence.clauses, place=place
    )


def _debts(section: BillingSection) -> Iterator[Said]:
    heading = "Payment and lateness"
    yield Said(
        heading=heading, key="payments", words=_PAYMENTS[section.payments], place=("payments",)
    )
    for index, regime in enumerate(section.late_interest):
        yield Said(
            heading=heading,
            key=f"late interest of {regime.due_from}",
            words=_interest(regime),
            clauses=regime.clause,
            place=("late_interest", index),
        )
    if not section.late_interest:
        words = "No late interest is owed."
        yield Said(heading=heading, key="no late interest", words=words, place=("late_interest",))
    for key, words, clauses in (
        (
            "lone_interest",
            "Late interest alone need not be billed: it may wait for the next bill.",
            section.lone_interest,
        ),
        ("lump_bills", "Several months may be put on one bill.", section.lump_bills),
    ):
        if clauses is not None:
            yield Said(heading=heading, key=key, words=words, clauses=clauses, place=(key,))


def _interest(regime: LateInterest) -> str:
    debts = f"Debts due on {regime.due_from} or later" if regime.due_from else "Debts"
    if regime.permille == "former":
        return (
            f"{debts} follow the former terms: no interest is owed unless the operator has entered "
            "its rate."
        )
    rate = (
        "at the statutory rate of the first day of delay"
        if regime.permille == "statutory"
        else f"at {a_year(regime.permille)}"
    )
    grace = (
        f"; nothing when they are paid within {count(regime.grace_days, 'day')} of the due date"
        if regime.grace_days
        else ""
    )
    last = "the day of payment" if regime.counts_payment_day else "the day before payment"
    return f"{debts} bear interest {rate}, from the day after the due date to {last}{grace}."
