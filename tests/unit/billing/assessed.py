"""What the terms of a service make of some facts, month by month."""

from datetime import date
from functools import lru_cache
from pathlib import Path

from services.billing.domain.assessment import Assessment, Line, assess, billing_months
from services.billing.domain.demands import Demand, demands
from services.billing.domain.document import Document, documents
from services.billing.domain.terms import BillingTerms, Settings, load_billing_terms
from tests.unit.billing.facts import Facts

TERMS = Path(__file__).parents[3] / "terms"
UNTIL = date(2040, 1, 1)


@lru_cache
def terms_of(service: str, settings: Settings | None = None) -> BillingTerms:
    """The terms in the project's files."""
    return load_billing_terms(service, folder=TERMS, settings=settings)


def assessment(facts: Facts, month: str, *, issued_on: date | None = None) -> Assessment:
    """The assessment of a billing month, by its name."""
    timeline = facts.timeline
    terms = terms_of(timeline.service)
    months = billing_months(timeline, until=UNTIL, terms=terms)
    wanted = next(each for each in months if each.name == month)
    return assess(timeline, month=wanted, terms=terms, issued_on=issued_on)


def lines(facts: Facts, month: str) -> tuple[Line, ...]:
    """The lines of a billing month."""
    return assessment(facts, month).lines


def amounts(facts: Facts, month: str) -> list[tuple[str, int]]:
    """Code and amount of every line of a billing month."""
    return [(line.code.partition("-")[2], line.amount) for line in lines(facts, month)]


def fee(facts: Facts, month: str) -> int:
    """What a billing month comes to, before tax."""
    return sum(line.amount for line in lines(facts, month))


def bills(facts: Facts, *, until: date) -> tuple[Document, ...]:
    """Every document up to a day."""
    timeline = facts.timeline
    terms = terms_of(timeline.service)
    months = billing_months(timeline, until=until, terms=terms)
    return documents(
        [assess(timeline, month=each, terms=terms) for each in months], timeline=timeline
    )


def demanded(facts: Facts) -> list[tuple[str, int, int, int]]:
    """Code, amount, tax rate and tax of everything demanded by itself."""
    return [
        (each.code.partition("-")[2], each.amount, each.tax_rate, each.tax)
        for each in all_demands(facts)
    ]


def all_demands(facts: Facts) -> tuple[Demand, ...]:
    """Everything demanded by itself."""
    timeline = facts.timeline
    return demands(timeline, terms=terms_of(timeline.service))
