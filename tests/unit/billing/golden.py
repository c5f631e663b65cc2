"""From a golden case's scenario straight to facts: ends are worked out here, not decided."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from libs.events.vocabulary import contracts, monitoring
from services.billing.domain.assessment import assess, billing_months
from services.billing.domain.billing_month import ONE_DAY
from services.billing.domain.demands import demands
from services.billing.domain.document import Document, documents
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Timeline
from tests.unit.billing.facts import CONTRACT, CUSTOMER, Facts

YEARS = {"SSB5": 7, "SSB Standard": 7, "SSB Professional": 7}


def facts_of(scenario: Mapping[str, Any]) -> Facts:
    """Take a scenario's events for facts."""
    customer, contract = scenario["customer"], scenario["contract"]
    names = (
        "device",
        "licensed",
        "line",
        "billing_day",
        "monthly_fee",
        "special_prices",
        "initial_fee",
        "plan",
    )
    content = {name: contract[name] for name in names if name in contract}
    content["packs"] = {int(size): n for size, n in contract.get("packs", {}).items()}
    events = sorted(scenario["events"], key=lambda event: event["date"])
    assigned = customer.get("claim_assigned", False)
    facts = Facts(
        scenario["service"],
        content=content,
        corporate=customer["corporate"],
        method=customer["payment_method"],
        applied=events[0]["date"],
        consolidated_claim=customer.get("consolidated_claim", False),
        issue_fee_exempt=customer.get("issue_fee_exempt", False),
        claims_assigned=assigned if isinstance(assigned, bool) else tuple(assigned),
        wants_qualified_invoice=customer.get("wants_qualified_invoice", False),
        qualified_invoice_postage=customer.get("qualified_invoice_postage", 0),
    )
    for event in events:
        _TAKE.get(event["type"], _nothing)(facts, event)
        if event["type"] == "service_started" and scenario["service"] in ("WUTM", "WSRV"):
            years = YEARS.get(contract.get("device", ""), 5)
            day = date.fromisoformat(event["date"])
            _end(facts, day.replace(year=day.year + years).isoformat(), "maximum_period")
    return facts


def play(scenario: Mapping[str, Any], *, terms: BillingTerms) -> dict[str, Any]:
    """Give what the rules make of a scenario, in the shape of the golden results."""
    timeline = facts_of(scenario).timeline
    year, month = (int(part) for part in scenario["through"].split("-"))
    until = date(year + month // 12, month % 12 + 1, 1) - ONE_DAY
    months = billing_months(timeline, until=until, terms=terms)
    assessments = [assess(timeline, month=each, terms=terms) for each in months]
    made = documents(assessments, timeline=timeline)
    show_from = scenario.get("show_from", "")
    return {
        "invoices": [_shown(each) for each in made if each.month >= show_from],
        "penalties": _penalties(timeline, terms=terms),
    }


def agrees(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Tell whether a line or demand has every field expected, clauses by their components."""
    return all(
        _cites(found["clause"], value) if name == "clause" else found[name] == value
        for name, value in expected.items()
    )


def _cites(cited: tuple[str, ...], wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    return all(any(_below(each, name) for each in cited) for name in names)


def _below(cited: str, wanted: str) -> bool:
    rest = cited[len(wanted) :]
    return cited.startswith(wanted) and (not rest or rest[0] == "." or rest[0].isalpha())


def _penalties(timeline: Timeline, *, terms: BillingTerms) -> list[dict[str, Any]]:
    return [
        {
            "code": each.code,
            "clause": each.clauses,
            "quantity": each.quantity,
            "amount": each.amount,
            "tax_rate": each.tax_rate,
            "tax": each.tax,
            "total": each.total,
            "due": each.due_on.isoformat() if each.due_on else None,
        }
        for each in demands(timeline, terms=terms)
    ]


def _shown(document: Document) -> dict[str, Any]:
    return {
        "month": document.month,
        "from": document.from_on.isoformat(),
        "to": document.to_on.isoformat(),
        "lines": [
            {
                "code": line.code,
                "clause": line.clauses,
                "quantity": line.quantity,
                "days": line.days,
                "amount": line.amount,
                "tax_rate": line.tax_rate,
            }
            for line in document.lines
        ],
        "subtotal": document.subtotal,
        "tax": [{"rate": t.rate, "base": t.base, "tax": t.tax} for t in document.tax],
        "total": document.total,
    }


def _end(facts: Facts, on: str, cause: str, due: str | None = None) -> None:
    facts.terminated(on, cause=cause, due=due)


def _nothing(facts: Facts, event: Mapping[str, Any]) -> None:
    """Payments and what is recorded only change no invoice."""


def _packs(event: Mapping[str, Any]) -> dict[int, int]:
    return {int(size): count for size, count in event["packs"].items()}


def _line_terminated(facts: Facts, event: Mapping[str, Any]) -> None:
    if event.get("reason", "termination") == "termination":
        _end(facts, event["date"], "line")


def _suspended(facts: Facts, event: Mapping[str, Any]) -> None:
    facts.add(
        contracts.ContractSuspended(
            contract_id=CONTRACT,
            customer_id=CUSTOMER,
            from_on=event["date"],
            until_on=None,
            ground="unpaid",
            clause="",
        )
    )


def _resumed(facts: Facts, event: Mapping[str, Any]) -> None:
    facts.add(contracts.ContractResumed(contract_id=CONTRACT, resumed_on=event["date"]))


def _outage(facts: Facts, event: Mapping[str, Any]) -> None:
    facts.outage(
        event["from"],
        event["to"],
        known_at=event["known_at"],
        fault=event["fault"],
        complete=event.get("complete", True),
        incident=event.get("incident"),
    )


def _terminated(facts: Facts, event: Mapping[str, Any]) -> None:
    _end(facts, event["date"], event.get("by", "customer"), event.get("penalty_due"))


def _paper(name: str) -> Any:
    def take(facts: Facts, event: Mapping[str, Any]) -> None:
        assigned = facts.timeline.arrangement_on(date.fromisoformat(event["date"])).claims_assigned
        if name == "CertificateIssued" and event.get("assigned", assigned) is True:
            return
        issued = event.get("issued", event["date"])
        more = {"month": event.get("month")} if name == "CertificateIssued" else {}
        if issued is not None:
            facts.billing(
                name,
                requested_on=event["date"],
                issued_on=issued,
                copies=event.get("copies", 1),
                postage=event.get("postage", 0),
                other_costs=event.get("other_costs", 0),
                **more,
            )

    return take


_TAKE: Mapping[str, Any] = {
    "accepted": lambda facts, event: facts.add(
        contracts.WorkAccepted(contract_id=CONTRACT, accepted_on=event["date"])
    ),
    "cancel_requested": lambda facts, event: _end(facts, event["desired"], "customer"),
    "visit": lambda facts, event: facts.add(
        monitoring.VisitMade(
            contract_id=CONTRACT,
            visited_on=event["date"],
            distance_metres=round(event["distance_km"] * 1000),
            minutes=event["minutes"],
            remote_island=event.get("remote_island", False),
            surcharge=event["surcharge"],
        )
    ),
    "applied": _nothing,
    "approved": lambda facts, event: facts.approved(event["date"]),
    "service_started": lambda facts, event: facts.started(event["date"]),
    "licence_added": lambda facts, event: facts.with_packs(event["date"], added=_packs(event)),
    "licence_removed": lambda facts, event: facts.with_packs(
        event["date"], added={size: -count for size, count in _packs(event).items()}
    ),
    "plan_changed": lambda facts, event: facts.changed(
        event["date"], "replacement", packs=_packs(event)
    ),
    "option_added": lambda facts, event: facts.changed(
        event["date"],
        "option-added",
        option=event["option"],
        applied_on=event.get("applied"),
    ),
    "option_removed": lambda facts, event: facts.changed(
        event["date"], "option-removed", option=event["option"]
    ),
    "ticket_bought": lambda facts, event: facts.add(
        contracts.TicketOrdered(
            contract_id=CONTRACT,
            kind=event["ticket"],
            quantity=event.get("quantity", 1),
            ordered_on=event["date"],
        )
    ),
    "discount_changed": lambda facts, event: facts.changed(
        event["date"], "discount", monthly_discount=event["monthly_discount"]
    ),
    "device_changed": lambda facts, event: facts.changed(
        event["date"], "device", licensed=event["licensed"]
    ),
    "billing_day_changed": lambda facts, event: facts.cycle(event["date"]),
    "line_terminated": _line_terminated,
    "line_converted": lambda facts, event: facts.add(
        contracts.LineConverted(contract_id=CONTRACT, converted_on=event["date"])
    ),
    "suspended": _suspended,
    "resumed": _resumed,
    "outage": _outage,
    "device_not_returned": lambda facts, event: facts.add(
        monitoring.FaultyDeviceOverdue(
            contract_id=CONTRACT,
            device_id=None,
            overdue_on=event["date"],
            replacement_cost=event["replacement_cost"],
        )
    ),
    "disaster_relief": lambda facts, event: facts.billing(
        "ReliefGranted",
        granted_on=event["date"],
        full=event.get("full", False),
        percent=event.get("percent"),
        amount=event.get("amount"),
        from_on=event.get("from"),
        to_on=event.get("to"),
    ),
    "evasion_found": lambda facts, event: facts.billing(
        "EvasionFound",
        found_on=event["date"],
        evaded=event["evaded"],
        original_on=event.get("original_date", event["date"]),
        due_on=event.get("due"),
    ),
    "underbilling_found": lambda facts, event: facts.billing(
        "UnderbillingFound",
        found_on=event["date"],
        original_on=event["original_date"],
        billed=event["billed"],
        correct=event["correct"],
        due_on=event.get("due"),
        waived=event.get("waived", False),
    ),
    "certificate_requested": _paper("CertificateIssued"),
    "qualified_invoice_requested": _paper("QualifiedInvoiceIssued"),
    "lump_billed": lambda facts, event: facts.lumped(
        *event["months"], on=event["date"], due=event["due"]
    ),
    "terminated": _terminated,
    "termination_requested": lambda facts, event: _end(
        facts, max(event["desired"], event["confirmed"]), "customer"
    ),
}
