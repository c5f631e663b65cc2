"""The examples of the terms of NQMS."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.billing.domain.billing_month import billing_month_of
from tests.unit.billing.facts import Facts
from tests.unit.examples.computing import example


@example("fee_month")
def fee_month(*, anchor: int, date: str) -> Mapping[str, Any]:
    """The billing month around a day, of a contract whose months begin on the anchor day."""
    timeline = Facts("NQMS", content={"billing_day": anchor}, applied=date).timeline
    month = billing_month_of(timeline, _day(date))
    return {"from": month.from_on, "to": month.to_on}


def _day(text: str) -> date:
    return date.fromisoformat(text)
