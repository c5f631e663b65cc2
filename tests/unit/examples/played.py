"""Examples told as the life of a contract: played as the command line plays a scenario."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from cli.play.offline import TERMS, Installation, read_book
from cli.play.scenario import read_scenario
from libs.events.envelope import Event
from libs.events.vocabulary.billing import (
    ArrearsSettled,
    InvoiceIssued,
    PaymentLate,
    PaymentReceived,
)
from services.contracts.answers import ContractAnswer, contract_answer
from services.contracts.domain.refusals import UnknownContract
from services.contracts.use_cases import load_life
from tests.unit.examples.computing import example

Made = dict[str, Any]

_CORPORATION = {"corporate": True, "payment_method": "invoice"}
_CLAUSE = re.compile(r"\(([A-Z]+-[^()\s]+)\)$")
_PAYMENT_FEES = ("-ISSUE", "-COLLECT")


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
    months without an invoice left out, `periods` (first and last day) and `payable` (with the
    interest); `with_fees`, the months that bear an issue or a collection fee; `demands` (code to
    total with tax) and `demands_due` (code to date); `interest` and `interest_days`, summed, with `charged` and `waived` of it;
    `paid` by month, and `unapplied` money; `late`, what was open of a debt on the first day on
    which it was late, and `cured`, when such a debt was paid; `ended` and `reason`; `refused`, the
    clauses that commands were refused with; of the contract `formed`, `started` and `suspended`
    (first and last days); and what else the result shows beside (`extra`).
    """
    scenario = {
        "service": service,
        "customer": {**_CORPORATION, **customer},
        "contract": contract or {},
        "events": events,
        "through": through,
        **more,
    }
    return asyncio.run(come_of(scenario, terms=TERMS))


async def come_of(scenario: Mapping[str, Any], *, terms: Path) -> Mapping[str, Any]:
    """What comes of a scenario under the terms of a folder."""
    read = read_scenario(scenario)
    installation = Installation(read, read_book(read.service, folder=terms))
    result = await installation.play()
    case = installation.case
    booked = [each.event for each in await case.billing.log.load(case.account_id)]
    try:
        life, version = await load_life(case.contracts, case.contract_id)
    except UnknownContract:
        return {**_result(result), **_booked(booked)}
    answer = contract_answer(life, version=version, terms=case.contract_terms)
    return {**_result(result), **_booked(booked), **_contract(answer)}


def _result(result: Made) -> Made:
    invoices: list[Made] = result["invoices"]
    entries: list[Made] = result["late_interest"]
    end: Made | None = result["termination"]
    return {
        "subtotal": {each["month"]: each["subtotal"] for each in invoices},
        "tax": {each["month"]: sum(part["tax"] for part in each["tax"]) for each in invoices},
        "total": {each["month"]: each["total"] for each in invoices},
        "lines": {each["month"]: _summed(each["lines"], "amount") for each in invoices},
        "days": {each["month"]: _summed(each["lines"], "days") for each in invoices},
        "periods": {each["month"]: [each["from"], each["to"]] for each in invoices},
        "with_fees": [each["month"] for each in invoices if any(map(_is_fee, each["lines"]))],
        "demands": _summed(result["penalties"], "total"),
        "demands_due": {each["code"]: each["due"] for each in result["penalties"]},
        "interest": sum(each["interest"] for each in entries),
        "interest_days": sum(each["days"] for each in entries),
        "charged": sum(each["interest"] for each in entries if each["charged"]),
        "waived": sum(each["interest"] for each in entries if not each["charged"]),
        **({"ended": end["date"], "reason": end["reason"]} if end else {}),
        "refused": [found[1] for each in result["warnings"] if (found := _CLAUSE.search(each))],
        **result["extra"],
    }


def _booked(events: Sequence[Event]) -> Made:
    """What the account's log tells: bills with interest, money, and debts that were late."""
    months = {each.invoice_id: each.month for each in events if isinstance(each, InvoiceIssued)}
    payments = [each for each in events if isinstance(each, PaymentReceived)]
    paid: dict[str, int] = {}
    for part in (part for payment in payments for part in payment.applied):
        name = months.get(part.debt_id, "penalty")
        paid[name] = paid.get(name, 0) + part.amount
    return {
        "payable": {each.month: each.payable for each in events if isinstance(each, InvoiceIssued)},
        "paid": paid,
        "unapplied": sum(payment.unapplied for payment in payments),
        "late": {
            f"{each.noticed_on}": each.open_amount
            for each in events
            if isinstance(each, PaymentLate)
        },
        "cured": [each.settled_on for each in events if isinstance(each, ArrearsSettled)],
    }


def _contract(answer: ContractAnswer) -> Made:
    return {
        "formed": answer.approved_on,
        "started": answer.started_on,
        "suspended": [
            [span.from_on, over_on - timedelta(days=1)]
            for span in answer.suspensions
            if (over_on := span.over_on or span.until_on)
        ],
    }


def _is_fee(line: Made) -> bool:
    code: str = line["code"]
    return code.endswith(_PAYMENT_FEES)


def _summed(found: Sequence[Made], field: str) -> dict[str, int]:
    """A field by code; what has none (days of what is not counted in days) counts nothing."""
    sums: dict[str, int] = {}
    for each in found:
        sums[each["code"]] = sums.get(each["code"], 0) + (each[field] or 0)
    return sums
