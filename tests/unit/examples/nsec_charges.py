"""The examples of the terms of MYSEC, CAS and SSD that come out in yen."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from libs.events.vocabulary.contracts import TicketOrdered
from services.billing.domain.billing_month import billing_month_of
from services.billing.domain.document import taxes
from services.billing.domain.line import Line
from tests.unit.billing.assessed import all_demands, assessment, bills, lines, terms_of
from tests.unit.billing.facts import CONTRACT, Facts
from tests.unit.billing.test_debts import interest
from tests.unit.billing.test_documents import a_line
from tests.unit.examples.computing import example

SIZES = {"single": 1, "pack10": 10, "pack100": 100, "pack1000": 1000, "pack10000": 10000}
TICKETS = {
    "config_ticket": "config",
    "question_ticket": "question",
    "emergency_question_ticket": "urgent",
}
LONG_BEFORE = "2016-10-24"
EARLY_START = "2023-01-10"

Items = Mapping[str, int]


@example("licence_month")
def licence_month(
    *,
    service: str,
    month: str,
    items: Items,
    start: str,
    cancel: str | None = None,
    changes: Iterable[Mapping[str, Any]] = (),
    suspended: Iterable[Mapping[str, str]] = (),
    interrupted: Iterable[Mapping[str, str]] = (),
) -> Mapping[str, Any]:
    """What the licences of a month come to, whatever hinders their use."""
    facts = Facts(service, content={"packs": _packs(items)}, applied=LONG_BEFORE).started(start)
    for change in changes:
        facts.changed(change["effective_on"], "replacement", packs=_packs(change["items"]))
    for span in suspended:
        facts.suspended(span["from"], until=str(_day(span["to"]) + timedelta(days=1)))
    for span in interrupted:
        facts.outage(f"{span['from']}T00:00", f"{span['to']}T23:59", fault="provider")
    if cancel:
        facts.terminated(cancel)
    return {"ex_tax": _fee(facts, month)}


@example("licence_month_abolished")
def licence_month_abolished(
    *, service: str, month: str, items: Items, start: str, abolished: str
) -> Mapping[str, Any]:
    """The licences of a month in which the operator abolishes the service."""
    facts = Facts(service, content={"packs": _packs(items)}, applied=LONG_BEFORE).started(start)
    facts.terminated(abolished, cause="abolition")
    return {"ex_tax": _fee(facts, month)}


@example("monthly_fee")
def monthly_fee(*, service: str, items: Items) -> Mapping[str, Any]:
    """A whole month of some licences."""
    return licence_month(service=service, month="2023-06", items=items, start="2023-04-10")


@example("partial_termination_month")
def partial_termination_month(
    *,
    service: str,
    month: str,
    start: str,
    items_before: Items,
    items_after: Items,
    end_day: str,
) -> Mapping[str, Any]:
    """A month in which some of the licences end."""
    before, after = _packs(items_before), _packs(items_after)
    facts = Facts(service, content={"packs": before}, applied=LONG_BEFORE).started(start)
    facts.with_packs(end_day, added={size: after.get(size, 0) - before[size] for size in before})
    return {"ex_tax": _fee(facts, month)}


@example("special_agreement")
def special_agreement(*, clause: str, licences: int, override_price: int) -> Mapping[str, Any]:
    """A month at a price agreed for the row of a clause."""
    size = {"NSEC-A1.T2": 1, "NSEC-A1.T3": 10}[clause]
    content = {"packs": {size: licences}, "special_prices": {size: override_price}}
    facts = Facts("MYSEC", content=content, applied=LONG_BEFORE).started("2023-04-10")
    return {"ex_tax": _fee(facts, "2023-06")}


@example("initial_fee")
def initial_fee(
    *,
    service: str,
    applied_on: str,
    accepted_on: str,
    start: str | None,
    cancel: str | None = None,
) -> Mapping[str, Any]:
    """The initial fee, and the month that bears it."""
    facts = Facts(service, content={"packs": {1: 1}}, applied=applied_on).approved(accepted_on)
    if start:
        facts.started(start)
    if cancel:
        facts.terminated(cancel)
    found = {
        month: sum(line.amount for line in lines(facts, month) if line.code.endswith("-INIT"))
        for month in sorted({applied_on[:7], accepted_on[:7], (start or accepted_on)[:7]})
    }
    owed = {month: yen for month, yen in found.items() if yen}
    assert len(owed) <= 1
    month, yen = next(iter(owed.items()), (accepted_on[:7], 0))
    return {"ex_tax": yen, "month": month}


@example("initial_fee_many")
def initial_fee_many(*, contracts: Sequence[str]) -> Mapping[str, Any]:
    """The initial fees of several contracts of one customer."""
    fees = [
        initial_fee(
            service=service, applied_on="2023-04-01", accepted_on="2023-04-03", start="2023-04-10"
        )["ex_tax"]
        for service in contracts
    ]
    return {"ex_tax": sum(fees)}


@example("ssd_base_month")
def ssd_base_month(
    *,
    month: str,
    start: str,
    cancel: str | None = None,
    suspended: Iterable[Mapping[str, str]] = (),
) -> Mapping[str, Any]:
    """The basic fee of the support desk in a month."""
    facts = _ssd(start)
    for span in suspended:
        facts.suspended(span["from"], until=str(_day(span["to"]) + timedelta(days=1)))
    if cancel:
        facts.terminated(cancel)
    return {"ex_tax": _of_code(facts, month, "SSD-BASE")}


@example("ssd_option_month")
def ssd_option_month(
    *, month: str, option: str, option_start: str, option_end: str | None = None
) -> Mapping[str, Any]:
    """The fee of an option of the support desk in a month."""
    facts = _with_option(_ssd(EARLY_START), option, start=option_start, end=option_end)
    return {"ex_tax": _of_code(facts, month, f"SSD-OPT-{option.upper()}")}


@example("ssd_option_abolished")
def ssd_option_abolished(*, option: str, option_start: str, abolished: str) -> Mapping[str, Any]:
    """The fee of an option in the month in which the service is abolished."""
    facts = _with_option(_ssd(EARLY_START), option, start=option_start, end=None)
    facts.terminated(abolished, cause="abolition")
    return {"ex_tax": _of_code(facts, abolished[:7], f"SSD-OPT-{option.upper()}")}


@example("ssd_month_total")
def ssd_month_total(
    *, month: str, start: str, options: Iterable[Mapping[str, str]]
) -> Mapping[str, Any]:
    """The support desk with its options, each with months of its own."""
    facts = _ssd(start)
    for each in options:
        _with_option(facts, each["option"], start=each["start"], end=each.get("end"))
    return {"ex_tax": _fee(facts, month)}


@example("ssd_penalty")
def ssd_penalty(*, start: str, cancel: str) -> Mapping[str, Any]:
    """The lump sum for an end before the minimum term is over."""
    found = [d for d in all_demands(_ssd(start).terminated(cancel)) if d.code == "SSD-PENALTY"]
    return {
        "penalty": sum(each.amount for each in found),
        "remaining": sum(each.quantity - 1 for each in found),
    }


@example("ssd_penalty_abolished")
def ssd_penalty_abolished(*, start: str, abolished: str) -> Mapping[str, Any]:
    """What an abolition inside the minimum term costs the customer."""
    facts = _ssd(start).terminated(abolished, cause="abolition")
    penalty = sum(each.amount for each in all_demands(facts))
    return {"base": _of_code(facts, abolished[:7], "SSD-BASE"), "penalty": penalty}


@example("tickets")
def tickets(**bought: int) -> Mapping[str, Any]:
    """Tickets bought in the month in which the support desk starts."""
    facts = _ssd("2023-06-10")
    for name, quantity in bought.items():
        _buy(facts, TICKETS[name], quantity=quantity)
    return {"ex_tax": _fee(facts, "2023-06")}


@example("credit_on_abolition")
def credit_on_abolition(*, unused_tickets: int) -> Mapping[str, Any]:
    """What tickets that an abolition leaves unused give back."""
    bought = _ssd(EARLY_START)
    _buy(bought, "question", quantity=unused_tickets)
    before = _tickets_of(bought, "2023-06")
    bought.terminated("2023-09-15", cause="abolition")
    back = [line.amount for line in lines(bought, "2023-09") if line.amount < 0]
    assert before == _tickets_of(bought, "2023-06") > 0
    return {"credit": -sum(back)}


@example("revocation_costs")
def revocation_costs(
    *, operator_entered_cost: int, monthly_fee_current_month: int
) -> Mapping[str, Any]:
    """What is owed for the month in which the acceptance is taken back."""
    single = monthly_fee_current_month // 200
    facts = Facts("MYSEC", content={"packs": {1: single}}, applied="2023-04-01")
    facts.approved("2023-04-03").started("2023-04-10")
    facts.revoked("2023-06-20", costs=operator_entered_cost, due="2023-07-31")
    monthly = _fee(facts, "2023-06")
    return {"debt": monthly + sum(each.total for each in all_demands(facts))}


@example("disclosure_fee")
def disclosure_fee(*, configured_fee: int, outcome: str) -> Mapping[str, Any]:
    """The fee for disclosing personal data, owed when the data or their absence was disclosed."""
    facts = Facts("MYSEC", applied=LONG_BEFORE).started(EARLY_START)
    if outcome != "declined":
        facts.billing(
            "ActualCostRecorded",
            recorded_on="2023-06-15",
            kind="disclosure",
            amount=configured_fee,
            due_on=None,
        )
    return {"fee": _fee(facts, "2023-06")}


@example("late_interest")
def late_interest(*, amount: int, due: str, paid: str) -> Mapping[str, Any]:
    """Days and interest of a debt paid late."""
    days, _, yen = interest("MYSEC", amount, due, paid)
    return {"days": days, "interest": yen}


@example("tax_rate")
def tax_rate(
    *, usage_month: str | None = None, item: str | None = None, accepted_on: str | None = None
) -> Mapping[str, Any]:
    """The rate of a month's licences, or of an initial fee."""
    if usage_month is not None:
        facts = Facts("MYSEC", content={"packs": {1: 1}}, applied=LONG_BEFORE).started("2019-01-10")
        (line,) = lines(facts, usage_month)
        return {"rate": line.tax_rate}
    assert item == "initial_fee"
    assert accepted_on is not None
    facts = Facts("MYSEC", applied="2019-09-01").approved(accepted_on)
    return {"rate": lines(facts, accepted_on[:7])[0].tax_rate}


@example("invoice_for_month")
def invoice_for_month(*, ex_tax: int, usage_month: str, paid: str) -> Mapping[str, Any]:
    """The bill of a month; the day of payment has no part in its tax."""
    facts = Facts("MYSEC", content={"packs": {1: ex_tax // 200}}, applied=LONG_BEFORE)
    facts.started("2019-01-10")
    bill = next(each for each in bills(facts, until=_day(paid)) if each.month == usage_month)
    assert bill.subtotal == ex_tax
    return {"tax": sum(each.tax for each in bill.tax), "total": bill.total}


@example("invoice")
def invoice(
    *,
    ex_tax_lines: Sequence[int] | None = None,
    rate: int = 10,
    service: str = "MYSEC",
    month: str = "2023-06",
    licences: int = 0,
) -> Mapping[str, Any]:
    """A bill of lines with these sums, or of a contract's month."""
    if ex_tax_lines is None:
        facts = Facts(service, content={"packs": {1: licences} if licences else {}})
        facts = facts.started("2024-01-10") if month > "2024" else facts
        return _sums(assessment_or_nothing(facts, month))
    return _sums([a_line(amount, rate=rate) for amount in ex_tax_lines])


@example("invoice_mixed")
def invoice_mixed(
    *, taxable: Sequence[int], out_of_scope: Sequence[int], rate: int
) -> Mapping[str, Any]:
    """Taxed charges with a demand beside them that bears no tax."""
    sums = _sums([a_line(amount, rate=rate) for amount in taxable])
    demanded = _sums([a_line(amount, rate=0) for amount in out_of_scope])
    return {"tax": sums["tax"] + demanded["tax"], "total": sums["total"] + demanded["total"]}


@example("invoice_vs_bracket")
def invoice_vs_bracket(*, monthly_fee: int, days: int, days_in_month: int) -> Mapping[str, Any]:
    """A part of a month: tax on what was cut off, not the printed price with tax by days."""
    month = {30: "2023-06", 31: "2023-07"}[days_in_month]
    end = _day(f"{month}-01") + timedelta(days=days)
    facts = Facts("MYSEC", content={"packs": {1: monthly_fee // 200}}, applied=LONG_BEFORE)
    facts.started("2023-04-10").terminated(str(end))
    found = _sums(lines(facts, month))
    return {
        "total": found["total"],
        "from_bracket": monthly_fee * 110 // 100 * days // days_in_month,
    }


@example("closing_day")
def closing_day(*, usage_month: str) -> Mapping[str, Any]:
    """The last day of the billing month."""
    facts = Facts("MYSEC", applied=LONG_BEFORE).started("2022-01-10")
    month = billing_month_of(facts.timeline, _day(f"{usage_month}-01"))
    return {"closing": month.to_on}


@example("rule_precedence")
def rule_precedence(*, service: str, question: str) -> Mapping[str, Any]:
    """The clause that the line of the month of cancellation names."""
    assert question == "proration in the cancellation month"
    content = {"packs": {1: 1}} if service == "CAS" else {}
    facts = Facts(service, content=content, applied=LONG_BEFORE).started(EARLY_START)
    (line,) = lines(facts.terminated("2024-06-15"), "2024-06")
    return {"applies": line.clauses[0]}


@example("terms_in_force")
def terms_in_force(*, date: str) -> Mapping[str, Any]:
    """Whether the terms hold on a day."""
    return {"in_force": _day(date) >= terms_of("MYSEC").first_on}


@example("report_earliest_start")
def report_earliest_start(*, applied_on: str) -> Mapping[str, Any]:
    """The first day of a report option, and the first month that it costs."""
    facts = _ssd(EARLY_START)
    facts.changed(applied_on, "option-added", option="report", applied_on=applied_on)
    months = [_month_after(applied_on, by) for by in range(4)]
    charged = [m for m in months if _of_code(facts, m, "SSD-OPT-REPORT")]
    before = _month_after(charged[0], -1)
    return {"start": f"{before}-01", "first_charged_month": charged[0]}


def assessment_or_nothing(facts: Facts, month: str) -> tuple[Line, ...]:
    """The lines of a month, none for a month before the first fact."""
    return (
        assessment(facts, month).lines
        if month >= facts.facts[0].effective_on.isoformat()[:7]
        else ()
    )


def _sums(found: Iterable[Line]) -> dict[str, int]:
    charged = list(found)
    subtotal = sum(line.amount for line in charged)
    tax = sum(each.tax for each in taxes(charged))
    return {"ex_tax": subtotal, "tax": tax, "total": subtotal + tax}


def _ssd(start: str) -> Facts:
    return Facts("SSD", applied=LONG_BEFORE).started(start)


def _with_option(facts: Facts, option: str, *, start: str, end: str | None) -> Facts:
    applied_on = _day(start).replace(day=1) - timedelta(days=1)
    facts.changed(start, "option-added", option=option, applied_on=applied_on)
    if end is not None:
        facts.changed(end, "option-removed", option=option)
    return facts


def _buy(facts: Facts, kind: str, *, quantity: int) -> None:
    facts.add(
        TicketOrdered(
            contract_id=CONTRACT,
            kind=kind,  # type: ignore[arg-type]
            quantity=quantity,
            ordered_on=_day("2023-06-15"),
        )
    )


def _fee(facts: Facts, month: str) -> int:
    return sum(line.amount for line in lines(facts, month) if not line.code.endswith("-INIT"))


def _of_code(facts: Facts, month: str, code: str) -> int:
    return sum(line.amount for line in lines(facts, month) if line.code == code)


def _tickets_of(facts: Facts, month: str) -> int:
    return sum(line.amount for line in lines(facts, month) if "TICKET" in line.code)


def _packs(items: Items) -> dict[int, int]:
    return {SIZES[name]: count for name, count in items.items()}


def _month_after(month: str, by: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:7]) - 1 + by
    return f"{number // 12:04}-{number % 12 + 1:02}"


def _day(text: str) -> date:
    return date.fromisoformat(text)
