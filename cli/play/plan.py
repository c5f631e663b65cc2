"""From a scenario to the commands an operator and a customer would have given, in order.

A step is one command on one service, with the time at which it is given. Steps of one day come in
the order of the scenario; deadlines of a day come before its commands; the invoice run comes before
the first payment or certificate of a day and closes on the day before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, assert_never

from cli.play import scenario as sc
from cli.play.filling import URGENT
from libs.dates.japan import japan_date, japan_instant

Context = Literal["contracts", "monitoring", "billing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command: `operation` of `context` with `arguments`, given at `at`."""

    at: datetime
    context: Context
    operation: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def on(self) -> date:
        """The Japan date on which the command is given."""
        return japan_date(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps by time but for the last invoice run, and what was filled in."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...]


_MEETS_INVOICES = frozenset({"receive_payment", "issue_certificate"})


def plan(scenario: sc.Scenario, *, line_id: str) -> Plan:
    """The commands of a scenario by time, the prelude that it leaves out filled in.

    `line_id` names the line contract under the service, unique to this play.
    """
    first = min((step.on for step in _told(scenario)), default=_first_of(scenario.through))
    prelude, warnings = _prelude(scenario, first, line_id=line_id)
    told = list(_told(scenario))
    ordered = sorted([*prelude, *told], key=lambda step: step.at)
    return Plan(steps=tuple(_with_runs(ordered)), warnings=tuple(warnings))


def _first_of(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def last_of_calendar_month(month: str) -> date:
    """The last day of a calendar month named `YYYY-MM`."""
    first = _first_of(month)
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _with_runs(steps: list[Step]) -> Iterator[Step]:
    ran_on: date | None = None
    for step in steps:
        if step.operation in _MEETS_INVOICES and step.on != ran_on:
            ran_on = step.on
            yield Step(
                at=step.at,
                context="billing",
                operation="run_invoices",
                arguments={"closing_on": step.on - timedelta(days=1)},
            )
        yield step


def _prelude(scenario: sc.Scenario, first: date, *, line_id: str) -> tuple[list[Step], list[str]]:
    """Customer, application, approval and the account's arrangement, where not told."""
    applied = [event.date for event in scenario.events if isinstance(event, sc.Applied)]
    approved = [event.date for event in scenario.events if isinstance(event, sc.Approved)]
    applied_on = applied[0] if applied else min([first, *approved])
    approved_on = approved[0] if approved else applied_on
    warnings = ["customer and consents filled in"]
    if not applied:
        warnings.append(f"application on {applied_on} filled in")
    if not approved:
        warnings.append(f"approval on {approved_on} filled in")
    apply_at, approve_at = japan_instant(applied_on), japan_instant(approved_on)
    steps = [
        _contracts(apply_at, "register_customer", **_customer(scenario.customer)),
        _contracts(
            apply_at,
            "apply",
            service=scenario.service,
            content=_content(scenario.contract, line_id=line_id),
        ),
        _contracts(approve_at, "approve"),
        _billing(approve_at, "arrange", **_arrangement(scenario.customer)),
    ]
    steps += [
        _billing(approve_at, "agree_due_date", month=month, due_on=due_on)
        for month, due_on in sorted(scenario.due_dates.items())
    ]
    return steps, warnings


def _customer(customer: sc.Customer) -> dict[str, Any]:
    return {"corporate": customer.corporate, "payment_method": customer.payment_method}


def _arrangement(customer: sc.Customer) -> dict[str, Any]:
    assigned = customer.claim_assigned
    return {
        "payment_method": customer.payment_method,
        "consolidated_claim": customer.consolidated_claim,
        "issue_fee_exempt": customer.issue_fee_exempt,
        "claims_assigned": tuple(assigned) if isinstance(assigned, list) else assigned,
        "wants_qualified_invoice": customer.wants_qualified_invoice,
        "qualified_invoice_postage": customer.qualified_invoice_postage,
    }


def _content(contract: sc.Contract, *, line_id: str) -> dict[str, Any]:
    return {
        "packs": {int(size): count for size, count in contract.packs.items()},
        "special_prices": {int(size): price for size, price in contract.special_prices.items()},
        "mac_registered": contract.mac_registered,
        "device": contract.device,
        "licensed": contract.licensed,
        "line": contract.line,
        "line_id": line_id,
        "billing_day": contract.billing_day,
        "plan": contract.plan,
        "initial_fee": contract.initial_fee,
        "monthly_fee": contract.monthly_fee,
        "wished_start_on": contract.contract_start,
    }


def _contracts(at: datetime, operation: str, **arguments: Any) -> Step:
    return Step(at=at, context="contracts", operation=operation, arguments=arguments)


def _billing(at: datetime, operation: str, **arguments: Any) -> Step:
    return Step(at=at, context="billing", operation=operation, arguments=arguments)


def _monitoring(at: datetime, operation: str, **arguments: Any) -> Step:
    return Step(at=at, context="monitoring", operation=operation, arguments=arguments)


def _told(scenario: sc.Scenario) -> Iterator[Step]:
    for event in scenario.events:
        match event:
            case sc.Applied() | sc.Approved() | sc.Unpaid():
                continue
            case (
                sc.Payment()
                | sc.LumpBilled()
                | sc.DisasterRelief()
                | sc.EvasionFound()
                | sc.UnderbillingFound()
                | sc.CertificateRequested()
                | sc.QualifiedInvoiceRequested()
                | sc.InvoiceReissued()
                | sc.ActualCost()
            ):
                yield from _money_steps(event, at=japan_instant(event.date))
            case (
                sc.Outage()
                | sc.DeviceNotReturned()
                | sc.DeviceReturnedDamaged()
                | sc.DeviceSwapped()
                | sc.Visit()
                | sc.OnsiteRepair()
            ):
                yield from _site_steps(event, at=japan_instant(event.date))
            case (
                sc.LicenceAdded()
                | sc.LicenceRemoved()
                | sc.PlanChanged()
                | sc.OptionAdded()
                | sc.OptionRemoved()
                | sc.TicketBought()
                | sc.DiscountChanged()
                | sc.DeviceChanged()
                | sc.BillingDayChanged()
            ):
                yield _content_step(event, at=japan_instant(event.date))
            case _:
                yield from _life_steps(event, at=japan_instant(event.date))


_Content = (
    sc.LicenceAdded
    | sc.LicenceRemoved
    | sc.PlanChanged
    | sc.OptionAdded
    | sc.OptionRemoved
    | sc.TicketBought
    | sc.DiscountChanged
    | sc.DeviceChanged
    | sc.BillingDayChanged
)


def _sizes(packs: dict[Any, int]) -> dict[int, int]:
    return {int(size): count for size, count in packs.items()}


def _content_step(event: _Content, *, at: datetime) -> Step:  # noqa: PLR0911 - a closed match
    match event:
        case sc.LicenceAdded():
            return _contracts(
                at, "add_licences", packs=_sizes(event.packs), effective_on=event.date
            )
        case sc.LicenceRemoved():
            return _contracts(
                at, "remove_licences", packs=_sizes(event.packs), effective_on=event.date
            )
        case sc.PlanChanged():
            packs = None if event.packs is None else _sizes(event.packs)
            return _contracts(
                at,
                "change_plan",
                packs=packs,
                monthly_fee=event.monthly,
                initial_fee=event.initial,
                effective_on=event.date,
            )
        case sc.OptionAdded():
            return _contracts(
                at,
                "add_option",
                option=event.option,
                applied_on=event.applied,
                monthly_fee=event.monthly,
                initial_fee=event.initial,
                effective_on=event.date,
            )
        case sc.OptionRemoved():
            return _contracts(at, "remove_option", option=event.option, effective_on=event.date)
        case sc.TicketBought():
            return _contracts(
                at,
                "order_tickets",
                kind=event.ticket,
                quantity=event.quantity,
                ordered_on=event.date,
            )
        case sc.DiscountChanged():
            return _contracts(
                at,
                "change_discount",
                monthly_discount=event.monthly_discount,
                effective_on=event.date,
            )
        case sc.DeviceChanged():
            return _contracts(
                at,
                "change_device",
                device=event.device,
                licensed=event.licensed,
                effective_on=event.date,
            )
        case sc.BillingDayChanged():
            return _contracts(
                at, "change_billing_day", start_day=event.billing_day, from_on=event.date
            )
        case _:
            assert_never(event)


_Site = (
    sc.Outage
    | sc.DeviceNotReturned
    | sc.DeviceReturnedDamaged
    | sc.DeviceSwapped
    | sc.Visit
    | sc.OnsiteRepair
)


def _site_steps(event: _Site, *, at: datetime) -> Iterator[Step]:
    match event:
        case sc.Outage():
            yield _monitoring(
                event.known_at,
                "record_outage",
                from_at=event.from_at,
                to_at=event.to_at,
                known_at=event.known_at,
                fault=event.fault,
                complete=event.complete,
                incident=event.incident,
            )
        case sc.DeviceNotReturned():
            yield _monitoring(
                at, "claim_overdue_device", overdue_on=event.date, cost=event.replacement_cost
            )
        case sc.DeviceReturnedDamaged():
            yield _monitoring(
                at,
                "return_device",
                returned_on=event.date,
                finding=event.finding,
                replacement_cost=event.replacement_cost,
                claim=event.claim,
            )
        case sc.DeviceSwapped():
            yield _monitoring(
                at,
                "swap_device",
                swapped_on=event.date,
                replacement_cost=event.replacement_cost,
            )
            if event.returned_on is not None:
                yield _monitoring(
                    japan_instant(event.returned_on),
                    "return_swapped_device",
                    returned_on=event.returned_on,
                )
        case sc.Visit():
            yield _monitoring(
                at,
                "record_visit",
                visited_on=event.date,
                distance_metres=int(event.distance_km * 1000),
                minutes=event.minutes,
                remote_island=event.remote_island,
                surcharge=event.surcharge,
            )
        case sc.OnsiteRepair():
            hour, minute = (int(part) for part in event.time.split(":"))
            made_at = japan_instant(event.date, hour, minute)
            yield _monitoring(
                made_at,
                "record_repair",
                made_at=made_at,
                urgent=event.urgent,
                actual_cost=event.actual_cost,
            )
        case _:
            assert_never(event)


_Money = (
    sc.Payment
    | sc.LumpBilled
    | sc.DisasterRelief
    | sc.EvasionFound
    | sc.UnderbillingFound
    | sc.CertificateRequested
    | sc.QualifiedInvoiceRequested
    | sc.InvoiceReissued
    | sc.ActualCost
)


def _money_steps(event: _Money, *, at: datetime) -> Iterator[Step]:
    match event:
        case sc.Payment():
            yield _billing(
                at,
                "receive_payment",
                amount=event.amount,
                names=event.month,
                received_on=event.date,
                settled_on=event.settled_on or event.date,
            )
        case sc.LumpBilled():
            yield _billing(
                at,
                "lump_months",
                months=tuple(event.months),
                due_on=event.due,
                decided_on=event.date,
            )
        case sc.DisasterRelief():
            yield _billing(
                at,
                "grant_relief",
                granted_on=event.date,
                full=event.full,
                percent=event.percent,
                amount=event.amount,
                from_on=event.from_on,
                to_on=event.to_on,
            )
        case sc.EvasionFound():
            yield _billing(
                at,
                "find_evasion",
                found_on=event.date,
                evaded=event.evaded,
                original_on=event.original_date or event.date,
                due_on=event.due,
            )
        case sc.UnderbillingFound():
            yield _billing(
                at,
                "find_underbilling",
                found_on=event.date,
                original_on=event.original_date,
                billed=event.billed,
                correct=event.correct,
                due_on=event.due,
                waived=event.waived,
            )
        case sc.CertificateRequested() | sc.QualifiedInvoiceRequested():
            yield from _paper_steps(event)
        case sc.InvoiceReissued():
            yield _billing(at, "reissue_invoice", reissued_on=event.date, reason=event.reason)
        case sc.ActualCost():
            yield _billing(
                at,
                "record_actual_cost",
                recorded_on=event.date,
                kind=event.kind,
                amount=event.amount,
                due_on=event.due,
            )
        case _:
            assert_never(event)


def _paper_steps(event: sc.CertificateRequested | sc.QualifiedInvoiceRequested) -> Iterator[Step]:
    """A paper is charged when it is issued; `issued: null` withdraws the request."""
    if "issued" in event.model_fields_set and event.issued is None:
        return
    issued_on = event.issued or event.date
    arguments: dict[str, Any] = {
        "requested_on": event.date,
        "issued_on": issued_on,
        "copies": event.copies,
        "postage": event.postage,
        "other_costs": event.other_costs,
    }
    if isinstance(event, sc.CertificateRequested):
        arguments |= {"month": event.month, "assigned": event.assigned}
        yield _billing(japan_instant(issued_on), "issue_certificate", **arguments)
    else:
        yield _billing(japan_instant(issued_on), "issue_qualified_invoice", **arguments)


_Life = (
    sc.ServiceStarted
    | sc.Accepted
    | sc.ApprovalRevoked
    | sc.LineTerminated
    | sc.LineConverted
    | sc.Suspended
    | sc.Resumed
    | sc.GroundArose
    | sc.Terminated
    | sc.TerminationRequested
    | sc.CancelRequested
    | sc.ServiceAbolished
)


def _life_steps(  # noqa: C901, PLR0912 - a closed match
    event: _Life, *, at: datetime
) -> Iterator[Step]:
    match event:
        case sc.ServiceStarted():
            yield _contracts(at, "start_service", started_on=event.date)
            yield _monitoring(at, "register_device", introduced_on=event.date)
        case sc.Accepted():
            yield _contracts(at, "accept_work", accepted_on=event.date)
        case sc.ApprovalRevoked():
            yield _contracts(
                at,
                "revoke_approval",
                revoked_on=event.date,
                costs=event.costs,
                costs_due_on=event.due,
            )
        case sc.LineTerminated():
            yield _contracts(at, "end_line", ended_on=event.date, reason=event.reason)
        case sc.LineConverted():
            yield _contracts(at, "convert_line", converted_on=event.date)
        case sc.Suspended():
            yield _contracts(at, "suspend", **_suspension(event))
        case sc.Resumed():
            yield _contracts(at, "resume", resumed_on=event.date)
        case sc.GroundArose():
            yield _contracts(at, "record_ground", arose_on=event.date, ground=event.ground)
        case sc.Terminated():
            yield _contracts(
                at,
                "terminate",
                terminated_on=event.date,
                by=event.by,
                cause=event.cause,
                penalty_due_on=event.penalty_due,
            )
        case sc.TerminationRequested():
            confirmed_on = event.confirmed or event.date
            yield _contracts(
                at, "request_termination", requested_on=event.date, desired_on=event.desired
            )
            yield _contracts(
                japan_instant(confirmed_on), "confirm_termination", confirmed_on=confirmed_on
            )
        case sc.CancelRequested():
            yield _contracts(
                at,
                "request_cancellation",
                requested_on=event.date,
                desired_on=event.desired,
                cancellation_fee=event.cancellation_fee,
                actual_damage=event.actual_damage,
                loss_amount=event.loss_amount,
                option=event.option,
            )
        case sc.ServiceAbolished():
            yield _contracts(at, "abolish_service", abolished_on=event.date)
        case _:
            assert_never(event)


def _suspension(event: sc.Suspended) -> dict[str, Any]:
    """A suspension told without a notice is urgent; without a ground, one is filled in."""
    urgent = event.urgent if isinstance(event.urgent, str) else None
    if urgent is None and event.notified is None:
        urgent = URGENT
    return {
        "from_on": event.date,
        "ground": event.ground,
        "notified_on": event.notified,
        "urgent_reason": urgent,
        "until_on": event.until,
    }
