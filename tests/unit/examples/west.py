"""The examples of the terms of WUTM and WSRV that a scenario does not tell."""

from collections.abc import Mapping
from typing import Any

from tests.unit.billing.test_debts import interest
from tests.unit.examples.computing import example


@example("west_late_interest")
def west_late_interest(*, service: str, amount: int, due: str, paid: str) -> Mapping[str, Any]:
    """Days and interest of a debt paid late."""
    days, _, yen = interest(service, amount, due, paid)
    return {"days": days, "interest": yen}
