"""Examples told as the life of a contract: played as the command line plays a scenario."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cli.play.offline import play_offline
from cli.play.scenario import read_scenario
from tests.unit.examples.computing import example

Made = dict[str, Any]

_CORPORATION = {"corporate": True, "payment_method": "invoice"}
_CLAUSE = re.compile(r"\(([A-Z]+-[^()\s]+)\)$")


@example("played")
def played(
    *,
    service: str,
    events: Sequence[Made],
    through: str,
    customer: Mapping[str, Any] = _CORPORATION,
    contract: Mapping[str, Any] | None = None,
    **more: Any,
) -> Mapping[str, Any]:
    """What comes of a scenario; the fields of `in` are those of a scenario.

    The customer is a corporation that pays by bill unless said. `out` may name by billing month
    `subtotal`, `tax`, `total` and `lines` (code to amount, a code's lines summed) with their `days`,
    months without an invoice left out; `demands` (code to total with tax); `interest` and
    `interest_days`, summed, with `charged` and `waived` of it; `ended` and `reason`; `refused`, the
    clauses that commands were refused with; and what else the result shows beside (`extra`).
    """
    scenario = {
        "service": service,
        "customer": {**_CORPORATION, **customer},
        "contract": contract or {},
        "events": events,
        "through": through,
        **more,
    }
    result = asyncio.run(play_offline(read_scenario(scenario)))
    invoices: list[Made] = result["invoices"]
    entries: list[Made] = result["late_interest"]
    end: Made | None = result["termination"]
    return {
        "subtotal": {each["month"]: each["subtotal"] for each in invoices},
        "tax": {each["month"]: sum(part["tax"] for part in each["tax"]) for each in invoices},
        "total": {each["month"]: each["total"] for each in invoices},
        "lines": {each["month"]: _summed(each["lines"], "amount") for each in invoices},
        "days": {each["month"]: _summed(each["lines"], "days") for each in invoices},
        "demands": _summed(result["penalties"], "total"),
        "interest": sum(each["interest"] for each in entries),
        "interest_days": sum(each["days"] for each in entries),
        "charged": sum(each["interest"] for each in entries if each["charged"]),
        "waived": sum(each["interest"] for each in entries if not each["charged"]),
        **({"ended": end["date"], "reason": end["reason"]} if end else {}),
        "refused": [found[1] for each in result["warnings"] if (found := _CLAUSE.search(each))],
        **result["extra"],
    }


def _summed(found: Sequence[Made], field: str) -> dict[str, int]:
    """A field by code; what has none (days of what is not counted in days) counts nothing."""
    sums: dict[str, int] = {}
    for each in found:
        sums[each["code"]] = sums.get(each["code"], 0) + (each[field] or 0)
    return sums
