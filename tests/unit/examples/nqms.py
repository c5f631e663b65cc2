"""The examples of the terms of NQMS."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from services.billing.domain.assessment import assess, billing_months
from services.billing.domain.billing_month import billing_month_of
from services.billing.domain.line import Line
from tests.unit.billing.assessed import terms_of
from tests.unit.billing.facts import Facts
from tests.unit.examples.computing import example

FEE = 980
VERSIONS = {"2023-08-01": "v2"}
"""By the first day of their terms; those of before are v1."""


@example("fee_month")
def fee_month(*, anchor: int, date: str) -> Mapping[str, Any]:
    """The billing month around a day, of a contract whose months begin on the anchor day."""
    timeline = Facts("NQMS", content={"billing_day": anchor}, applied=date).timeline
    month = billing_month_of(timeline, _day(date))
    return {"from": month.from_on, "to": month.to_on}


@example("version_on")
def version_on(*, date: str) -> Mapping[str, Any]:
    """The version of the terms in force on a day."""
    return {"version": VERSIONS.get(str(terms_of("NQMS").since(_day(date))), "v1")}


@example("charge_period")
def charge_period(*, anchor: int, start: str, cancel: str) -> Mapping[str, Any]:
    """The months that cost the fee, from the first to the last of them."""
    charged = _charged(anchor=anchor, start=start, cancel=cancel, fee=FEE)
    assert all(line.amount == FEE for line in charged)
    return {
        "from": charged[0].from_on if charged else None,
        "to": charged[-1].to_on if charged else None,
        "months": len(charged),
        "version": version_on(date=start)["version"],
    }


@example("monthly_times")
def monthly_times(*, configured_fee: int, months: int) -> Mapping[str, Any]:
    """So many months at an agreed fee."""
    cancel = f"2023-{8 + months:02}-28"
    charged = _charged(anchor=1, start="2023-08-10", cancel=cancel, fee=configured_fee)
    assert len(charged) == months
    return {"ex_tax": sum(line.amount for line in charged)}


def _charged(*, anchor: int, start: str, cancel: str, fee: int) -> list[Line]:
    content = {"monthly_fee": fee, "billing_day": anchor}
    facts = Facts("NQMS", content=content, applied="2023-01-10").started(start)
    timeline, terms = facts.terminated(cancel).timeline, terms_of("NQMS")
    until = _day(cancel) + timedelta(days=62)
    months = billing_months(timeline, until=until, terms=terms)
    return [line for month in months for line in assess(timeline, month=month, terms=terms).lines]


def _day(text: str) -> date:
    return date.fromisoformat(text)
