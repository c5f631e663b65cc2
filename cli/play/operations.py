"""The commands of a plan as calls of the services' use cases, for play in one process."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from cli.play.filling import (
    UNTOLD,
    consents,
    customer_ground,
    operator_judgement,
    suspension_ground,
)
from cli.play.plan import Step
from libs.events.envelope import Cause
from libs.events.log import Log
from libs.events.vocabulary.contracts import Content
from libs.refusal.refusal import Refusal
from services.billing import stated
from services.billing import use_cases as billing
from services.billing.ports import Billing
from services.contracts import use_cases as contracts
from services.contracts.domain.applications import Costs
from services.contracts.domain.cancelling import CancellationNotice
from services.contracts.domain.changes import Change
from services.contracts.domain.customer import Details
from services.contracts.domain.facts import content_on
from services.contracts.domain.terms import Terms
from services.contracts.domain.use import Notice, Period
from services.monitoring import use_cases as sites
from services.monitoring.domain.devices import Replacement
from services.monitoring.domain.site import Device, opened
from services.monitoring.use_cases import SwapTermsOf


class NoCommand(Refusal):
    """The system has no command yet for what a scenario tells."""

    code = "no-command"
    title = "There is no command for this yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The ids of one contract's life, and what its commands work on."""

    service: str
    customer_id: UUID
    contract_id: UUID
    account_id: UUID
    contracts: Log
    sites: Log
    billing: Billing
    contract_terms: Terms
    swap_terms: SwapTermsOf


Arguments = Mapping[str, Any]
Operation = Callable[[Case, Step, Cause], Awaitable[tuple[str, ...] | None]]


async def perform(case: Case, step: Step, *, cause: Cause) -> tuple[str, ...]:
    """Give one command; what is doubtful about it, in sentences.

    Raises the refusals of its use case; `NoCommand` where there is none.
    """
    operation = _OPERATIONS.get((step.context, step.operation))
    if operation is None:
        raise NoCommand(f"no command yet: {step.operation}")
    return await operation(case, step, cause) or ()


def _on(case: Case, cause: Cause) -> contracts.Command:
    return contracts.Command(stream_id=case.contract_id, cause=cause)


async def _register_customer(case: Case, step: Step, cause: Cause) -> None:
    await contracts.register_customer(
        case.contracts,
        contracts.Command(stream_id=case.customer_id, cause=cause),
        registered_on=step.on,
        details=Details(**step.arguments),
    )


async def _apply(case: Case, step: Step, cause: Cause) -> None:
    await contracts.apply(
        case.contracts,
        _on(case, cause),
        service=case.service,
        customer_id=case.customer_id,
        applied_on=step.on,
        content=content_of(case.contract_terms, step),
        consents=consents(case.contract_terms, service=case.service, on=step.on),
        terms=case.contract_terms,
    )


def content_of(terms: Terms, step: Step) -> Content:
    """The content of an application, as far as the service's terms know its fields."""
    known = terms.at(step.arguments["service"], step.on).application.content
    given = step.arguments["content"]
    return Content(**{name: value for name, value in given.items() if name in known})


async def _approve(case: Case, step: Step, cause: Cause) -> None:
    await contracts.approve(
        case.contracts,
        _on(case, cause),
        approved_on=step.on,
        document_number="from a scenario",
        terms=case.contract_terms,
    )


async def _revoke(case: Case, step: Step, cause: Cause) -> None:
    grounds = case.contract_terms.at(case.service, step.on).declining
    await contracts.revoke_approval(
        case.contracts,
        _on(case, cause),
        revoked_on=step.arguments["revoked_on"],
        ground=next(iter(grounds)),
        costs=Costs(amount=step.arguments["costs"], due_on=step.arguments["costs_due_on"]),
        terms=case.contract_terms,
    )


async def _start(case: Case, step: Step, cause: Cause) -> None:
    await contracts.start(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _change(case: Case, cause: Cause, change: Change) -> None:
    await contracts.change_content(
        case.contracts, _on(case, cause), change=change, terms=case.contract_terms
    )


async def _add_licences(case: Case, step: Step, cause: Cause) -> None:
    await _change(case, cause, Change(kind="addition", **step.arguments))


async def _remove_licences(case: Case, step: Step, cause: Cause) -> None:
    await _change(case, cause, Change(kind="partial-termination", **step.arguments))


async def _change_plan(case: Case, step: Step, cause: Cause) -> None:
    given = {name: value for name, value in step.arguments.items() if value is not None}
    await _change(case, cause, Change(kind="replacement", **given))


async def _add_option(case: Case, step: Step, cause: Cause) -> None:
    await _change(case, cause, Change(kind="option-added", **step.arguments))


async def _remove_option(case: Case, step: Step, cause: Cause) -> None:
    await _change(case, cause, Change(kind="option-removed", **step.arguments))


async def _change_discount(case: Case, step: Step, cause: Cause) -> None:
    await _change(case, cause, Change(kind="discount", **step.arguments))


async def _change_device(case: Case, step: Step, cause: Cause) -> None:
    await _change(case, cause, Change(kind="device", **step.arguments))


async def _change_billing_day(case: Case, step: Step, cause: Cause) -> None:
    await contracts.change_billing_day(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _suspend(case: Case, step: Step, cause: Cause) -> None:
    given = step.arguments
    await contracts.suspend(
        case.contracts,
        _on(case, cause),
        period=Period(from_on=given["from_on"], until_on=given["until_on"]),
        ground=suspension_ground(
            case.contract_terms, service=case.service, on=given["from_on"], told=given["ground"]
        ),
        notice=Notice(notified_on=given["notified_on"], urgent_reason=given["urgent_reason"]),
        terms=case.contract_terms,
    )


async def _resume(case: Case, step: Step, cause: Cause) -> None:
    await contracts.resume(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _end_line(case: Case, step: Step, cause: Cause) -> None:
    await contracts.line_ended(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _convert_line(case: Case, step: Step, cause: Cause) -> None:
    await contracts.line_converted(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _request_termination(case: Case, step: Step, cause: Cause) -> None:
    await contracts.request_termination(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _confirm_termination(case: Case, step: Step, cause: Cause) -> None:
    await contracts.confirm_termination(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _terminate(case: Case, step: Step, cause: Cause) -> None:
    on: date = step.arguments["terminated_on"]
    way = case.contract_terms.at(case.service, on).termination_by_customer.way
    by = step.arguments["by"] or ("customer" if way == "by-form" else "provider")
    due_on = step.arguments["penalty_due_on"]
    if step.arguments["cause"] == "abolition":
        await contracts.abolish(
            case.contracts, _on(case, cause), abolished_on=on, terms=case.contract_terms
        )
    elif by == "customer":
        await contracts.terminate_by_customer(
            case.contracts,
            _on(case, cause),
            terminated_on=on,
            received_on=step.on,
            penalty_due_on=due_on,
            ground=customer_ground(case.contract_terms, service=case.service, on=on),
            terms=case.contract_terms,
        )
    else:
        await contracts.terminate_by_operator(
            case.contracts,
            _on(case, cause),
            terminated_on=on,
            judgement=operator_judgement(
                case.contract_terms, service=case.service, on=on, cause=step.arguments["cause"]
            ),
            penalty_due_on=due_on,
            terms=case.contract_terms,
        )


async def _accept_work(case: Case, step: Step, cause: Cause) -> None:
    await contracts.accept_work(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _order_tickets(case: Case, step: Step, cause: Cause) -> None:
    await contracts.order_tickets(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _record_ground(case: Case, step: Step, cause: Cause) -> None:
    await contracts.record_ground(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


async def _request_cancellation(case: Case, step: Step, cause: Cause) -> None:
    given = step.arguments
    notice = CancellationNotice(
        requested_on=given["requested_on"],
        desired_on=given["desired_on"],
        fee=given["cancellation_fee"] or 0,
        damage=given["actual_damage"] or 0,
        loss=given["loss_amount"] or 0,
        option=given["option"],
    )
    await contracts.cancel(
        case.contracts, _on(case, cause), notice=notice, terms=case.contract_terms
    )


async def _abolish(case: Case, step: Step, cause: Cause) -> None:
    await contracts.abolish(
        case.contracts, _on(case, cause), terms=case.contract_terms, **step.arguments
    )


def _at_site(case: Case, cause: Cause) -> sites.Command:
    return sites.Command(contract_id=case.contract_id, cause=cause)


async def _register_device(case: Case, step: Step, cause: Cause) -> None:
    life, _ = await contracts.load_life(case.contracts, case.contract_id)
    content = content_on(life.facts, None)
    if content.device is None:
        return
    device = Device(
        device_id=uuid7(),
        model=content.device,
        serial="from a scenario",
        licensed=content.licensed,
        introduced_on=step.arguments["introduced_on"],
    )
    await sites.register_device(case.sites, _at_site(case, cause), device=device)


async def _record_outage(case: Case, step: Step, cause: Cause) -> None:
    await sites.record_outage(
        case.sites,
        _at_site(case, cause),
        outage_id=uuid7(),
        now=step.at,
        **step.arguments,
    )


async def _swap_device(case: Case, step: Step, cause: Cause) -> None:
    """The device of an order was never told of: it stands there from the contract's first day."""
    on = step.arguments["swapped_on"]
    site, _ = await sites.site_at(case.sites, case.contract_id)
    standing = opened(site).standing
    if not standing:
        old = Device(
            device_id=uuid7(), model=UNTOLD, serial=UNTOLD, licensed=False, introduced_on=on
        )
        await sites.register_device(case.sites, _at_site(case, cause), device=old)
    else:
        old = next(iter(standing.values()))
    await sites.swap_device(
        case.sites,
        _at_site(case, cause),
        old_device_id=old.device_id,
        new=Replacement(
            device_id=uuid7(),
            model=old.model,
            serial="from a scenario",
            shipped_on=on,
            delivered_on=on,
            cost=step.arguments["replacement_cost"],
        ),
        swapped_on=on,
        terms_of=case.swap_terms,
    )


async def _take_back_swapped(case: Case, step: Step, cause: Cause) -> None:
    """The device that was replaced first came back, with no more than normal wear."""
    site, _ = await sites.site_at(case.sites, case.contract_id)
    awaited = next(iter(opened(site).awaited), None)
    if awaited is None:
        raise NoCommand("no device is owed back")
    await sites.take_back_device(
        case.sites,
        _at_site(case, cause),
        device_id=awaited,
        finding="normal",
        **step.arguments,
    )


async def _take_back(case: Case, step: Step, cause: Cause) -> None:
    await sites.take_back_device(
        case.sites, _at_site(case, cause), device_id=None, **step.arguments
    )


async def _claim_overdue(case: Case, step: Step, cause: Cause) -> None:
    await sites.claim_overdue_device(
        case.sites,
        _at_site(case, cause),
        device_id=None,
        overdue_on=step.arguments["overdue_on"],
        replacement_cost=step.arguments["cost"],
    )


async def _record_visit(case: Case, step: Step, cause: Cause) -> None:
    await sites.record_visit(case.sites, _at_site(case, cause), **step.arguments)


async def _record_repair(case: Case, step: Step, cause: Cause) -> None:
    await sites.record_repair(case.sites, _at_site(case, cause), **step.arguments)


async def _arrange(case: Case, step: Step, cause: Cause) -> None:
    await billing.arrange(
        case.billing,
        case.account_id,
        arranged_on=step.on,
        write=billing.Write(cause=cause),
        **step.arguments,
    )


async def _agree_due_date(case: Case, step: Step, cause: Cause) -> None:
    await billing.agree_due_date(
        case.billing,
        case.account_id,
        contract_id=case.contract_id,
        write=billing.Write(cause=cause),
        **step.arguments,
    )


async def _lump_months(case: Case, step: Step, cause: Cause) -> None:
    await billing.lump_months(
        case.billing,
        case.account_id,
        contract_id=case.contract_id,
        write=billing.Write(cause=cause),
        **step.arguments,
    )


async def _receive_payment(case: Case, step: Step, cause: Cause) -> None:
    await billing.receive_payment(
        case.billing,
        case.account_id,
        payment_id=uuid7(),
        write=billing.Write(cause=cause),
        **step.arguments,
    )


def _of_contract(command: Callable[..., Awaitable[object]]) -> Operation:
    """A command of billing on a contract whose arguments are those of the step."""

    async def operation(case: Case, step: Step, cause: Cause) -> None:
        write = billing.Write(cause=cause)
        await command(case.billing, case.contract_id, write=write, **step.arguments)

    return operation


def _stated(
    command: Callable[..., Awaitable[object]], doubts: Callable[..., Awaitable[tuple[str, ...]]]
) -> Operation:
    """A command whose amounts are taken as stated, though own invoices may say otherwise."""
    give = _of_contract(command)

    async def operation(case: Case, step: Step, cause: Cause) -> tuple[str, ...]:
        told = {name: value for name, value in step.arguments.items() if name in _DOUBTED}
        said = await doubts(case.billing, case.contract_id, **told)
        await give(case, step, cause)
        return said

    return operation


_DOUBTED = frozenset({"found_on", "original_on", "billed", "correct", "evaded"})

_OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("contracts", "register_customer"): _register_customer,
    ("contracts", "apply"): _apply,
    ("contracts", "approve"): _approve,
    ("contracts", "revoke_approval"): _revoke,
    ("contracts", "start_service"): _start,
    ("contracts", "add_licences"): _add_licences,
    ("contracts", "remove_licences"): _remove_licences,
    ("contracts", "change_plan"): _change_plan,
    ("contracts", "add_option"): _add_option,
    ("contracts", "remove_option"): _remove_option,
    ("contracts", "change_discount"): _change_discount,
    ("contracts", "change_device"): _change_device,
    ("contracts", "change_billing_day"): _change_billing_day,
    ("contracts", "suspend"): _suspend,
    ("contracts", "resume"): _resume,
    ("contracts", "end_line"): _end_line,
    ("contracts", "convert_line"): _convert_line,
    ("contracts", "request_termination"): _request_termination,
    ("contracts", "confirm_termination"): _confirm_termination,
    ("contracts", "terminate"): _terminate,
    ("contracts", "abolish_service"): _abolish,
    ("contracts", "accept_work"): _accept_work,
    ("contracts", "order_tickets"): _order_tickets,
    ("contracts", "record_ground"): _record_ground,
    ("contracts", "request_cancellation"): _request_cancellation,
    ("monitoring", "register_device"): _register_device,
    ("monitoring", "record_outage"): _record_outage,
    ("monitoring", "swap_device"): _swap_device,
    ("monitoring", "return_swapped_device"): _take_back_swapped,
    ("monitoring", "return_device"): _take_back,
    ("monitoring", "claim_overdue_device"): _claim_overdue,
    ("monitoring", "record_visit"): _record_visit,
    ("monitoring", "record_repair"): _record_repair,
    ("billing", "arrange"): _arrange,
    ("billing", "agree_due_date"): _agree_due_date,
    ("billing", "lump_months"): _lump_months,
    ("billing", "receive_payment"): _receive_payment,
    ("billing", "grant_relief"): _of_contract(billing.grant_relief),
    ("billing", "find_evasion"): _stated(billing.find_evasion, stated.evasion_doubts),
    ("billing", "find_underbilling"): _stated(
        billing.find_underbilling, stated.underbilling_doubts
    ),
    ("billing", "issue_certificate"): _of_contract(billing.issue_certificate),
    ("billing", "issue_qualified_invoice"): _of_contract(billing.issue_qualified_invoice),
    ("billing", "reissue_invoice"): _of_contract(billing.reissue_invoice),
    ("billing", "record_actual_cost"): _of_contract(billing.record_actual_cost),
}
