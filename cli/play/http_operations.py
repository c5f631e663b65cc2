"""The commands of a plan as requests to the services, for play through the running system."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from cli.play.filling import (
    consents,
    customer_ground,
    operator_judgement,
    suspension_ground,
)
from cli.play.http import Answer, Services
from cli.play.operations import NoCommand, content_of
from cli.play.plan import Context, Step
from services.billing.domain.account import account_of
from services.contracts.domain.terms import Terms

FILLED = "from a scenario"


@dataclass(slots=True, kw_only=True)
class HttpCase:
    """One contract's life as a partner sees it: its ids, and where its commands go.

    `details` are what the customer is registered with beside what the scenario says, and
    `document_number` is that of the acceptance.
    """

    service: str
    correlation: UUID
    customer_id: UUID
    contract_id: UUID
    services: Services
    terms: Terms
    details: Mapping[str, Any] = field(default_factory=dict)
    document_number: str = FILLED

    @property
    def account_id(self) -> UUID:
        """The billing account that pays for the contract."""
        return account_of(self.contract_id)

    async def post(self, step: Step, path: str, body: Mapping[str, Any]) -> Answer:
        """Give the command of a step. Raises `Refused`."""
        return await self.write(step.context, "POST", path, body, at=step.at, name=step.operation)

    async def write(
        self,
        context: Context,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        at: datetime,
        name: str,
    ) -> Answer:
        """Give a command at an instant. Raises `Refused`."""
        return await self.services.write(
            context,
            method,
            path,
            body=body,
            operation=name,
            correlation=self.correlation,
            at=at,
        )


Operation = Callable[[HttpCase, Step], Awaitable[tuple[str, ...] | None]]


async def perform(case: HttpCase, step: Step) -> tuple[str, ...]:
    """Give one command; what its answer doubts, in sentences.

    Raises `Refused`; `NoCommand` where there is none.
    """
    operation = _OPERATIONS.get((step.context, step.operation))
    if operation is None:
        raise NoCommand(f"no command yet: {step.operation}")
    return await operation(case, step) or ()


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What is given: no None, and of packs none that count nothing."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if "packs" in given:
        given["packs"] = {size: count for size, count in given["packs"].items() if count}
    return given


def _on_contract(action: str, **fixed: Any) -> Operation:
    """A command on the contract whose body is the step's arguments, as far as they are given."""

    async def operation(case: HttpCase, step: Step) -> None:
        path = f"/contracts/{case.contract_id}/{action}"
        await case.post(step, path, {**fixed, **_given(step.arguments)})

    return operation


def _stated(action: str) -> Operation:
    """A command of billing whose amounts are taken as stated; the answer may doubt them."""

    async def operation(case: HttpCase, step: Step) -> tuple[str, ...]:
        path = f"/contracts/{case.contract_id}/{action}"
        answer = await case.post(step, path, _given(step.arguments))
        return tuple(answer.body["warnings"])

    return operation


def _on_site(action: str) -> Operation:
    async def operation(case: HttpCase, step: Step) -> None:
        await case.post(step, f"/sites/{case.contract_id}/{action}", _given(step.arguments))

    return operation


async def _register_customer(case: HttpCase, step: Step) -> None:
    body = {
        "customer_id": case.customer_id,
        "registered_on": step.on,
        **step.arguments,
        **case.details,
    }
    await case.post(step, "/customers", body)


async def _apply(case: HttpCase, step: Step) -> None:
    content = content_of(case.terms, step)
    body = {
        "contract_id": case.contract_id,
        "service": case.service,
        "customer_id": case.customer_id,
        "applied_on": step.on,
        "content": content.model_dump(mode="json", exclude_defaults=True),
        "consents": consents(case.terms, service=case.service, on=step.on),
    }
    await case.post(step, "/contracts", body)


async def _approve(case: HttpCase, step: Step) -> None:
    path = f"/contracts/{case.contract_id}/approval"
    await case.post(step, path, {"approved_on": step.on, "document_number": case.document_number})


async def _revoke(case: HttpCase, step: Step) -> None:
    grounds = case.terms.at(case.service, step.on).declining
    body = {**_given(step.arguments), "ground": next(iter(grounds))}
    await case.post(step, f"/contracts/{case.contract_id}/revocation", body)


async def _terminate(case: HttpCase, step: Step) -> None:
    on: date = step.arguments["terminated_on"]
    way = case.terms.at(case.service, on).termination_by_customer.way
    by = step.arguments["by"] or ("customer" if way == "by-form" else "provider")
    body: dict[str, Any] = {"terminated_on": on}
    if step.arguments["penalty_due_on"] is not None:
        body["penalty_due_on"] = step.arguments["penalty_due_on"]
    cause = step.arguments["cause"]
    if cause == "abolition":
        body |= {"by": "abolition"}
    elif by == "customer":
        body |= {"by": "customer", "received_on": step.on}
        ground = customer_ground(case.terms, service=case.service, on=on)
        body |= {} if ground is None else {"ground": ground}
    else:
        judgement = operator_judgement(case.terms, service=case.service, on=on, cause=cause)
        body |= {
            "by": "operator",
            "ground": judgement.ground,
            "urgent_reason": judgement.notice.urgent_reason,
        }
    await case.post(step, f"/contracts/{case.contract_id}/termination", body)


async def _abolish(case: HttpCase, step: Step) -> None:
    body = {"by": "abolition", "terminated_on": step.arguments["abolished_on"]}
    await case.post(step, f"/contracts/{case.contract_id}/termination", body)


async def _suspend(case: HttpCase, step: Step) -> None:
    on, told = step.arguments["from_on"], step.arguments["ground"]
    ground = suspension_ground(case.terms, service=case.service, on=on, told=told)
    path = f"/contracts/{case.contract_id}/suspension"
    await case.post(step, path, {**_given(step.arguments), "ground": ground})


async def _register_device(case: HttpCase, step: Step) -> None:
    contract = await case.services.get("contracts", f"/contracts/{case.contract_id}")
    content = contract["content"]
    if content["device"] is None:
        return
    body = {
        "model": content["device"],
        "serial": FILLED,
        "licensed": content["licensed"],
        "introduced_on": step.arguments["introduced_on"],
    }
    await case.post(step, f"/sites/{case.contract_id}/devices", body)


async def _record_outage(case: HttpCase, step: Step) -> None:
    """An outage told before it was over is recorded when it was."""
    at = max(step.at, step.arguments["to_at"])
    path = f"/sites/{case.contract_id}/outages"
    body = _given(step.arguments)
    await case.write(step.context, "POST", path, body, at=at, name=step.operation)


async def _swap_device(case: HttpCase, step: Step) -> None:
    """The device of an order was never told of: it stands there from the contract's first day."""
    path = f"/sites/{case.contract_id}"
    site = await case.services.get("monitoring", path)
    if not site["devices"]:
        body = {
            "model": FILLED,
            "serial": FILLED,
            "licensed": False,
            "introduced_on": step.arguments["swapped_on"],
        }
        at, context = step.at, step.context
        await case.write(context, "POST", f"{path}/devices", body, at=at, name="register_device")
        site = await case.services.get("monitoring", path)
    old = site["devices"][0]
    body = {
        "old_device_id": old["device_id"],
        "model": old["model"],
        "serial": FILLED,
        "swapped_on": step.arguments["swapped_on"],
        "replacement_cost": step.arguments["replacement_cost"],
    }
    await case.post(step, f"/sites/{case.contract_id}/swaps", body)


async def _take_back_swapped(case: HttpCase, step: Step) -> None:
    path = f"/sites/{case.contract_id}"
    site = await case.services.get("monitoring", path)
    if not site["awaited"]:
        raise NoCommand("no device is owed back")
    device_id = site["awaited"][0]["device_id"]
    body = {"device_id": device_id, "finding": "normal", **step.arguments}
    await case.post(step, f"{path}/returns", body)


async def _claim_overdue(case: HttpCase, step: Step) -> None:
    body = {
        "overdue_on": step.arguments["overdue_on"],
        "replacement_cost": step.arguments["cost"],
    }
    await case.post(step, f"/sites/{case.contract_id}/overdue", body)


async def _arrange(case: HttpCase, step: Step) -> None:
    body = {"arranged_on": step.on, **step.arguments}
    path = f"/accounts/{case.account_id}/arrangement"
    await case.write("billing", "PUT", path, body, at=step.at, name=step.operation)


async def _agree_due_date(case: HttpCase, step: Step) -> None:
    path = f"/accounts/{case.account_id}/due-dates/{step.arguments['month']}"
    body = {"contract_id": case.contract_id, "due_on": step.arguments["due_on"]}
    await case.write("billing", "PUT", path, body, at=step.at, name=step.operation)


async def _lump_months(case: HttpCase, step: Step) -> None:
    body = {"contract_id": case.contract_id, **step.arguments}
    await case.post(step, f"/accounts/{case.account_id}/lump-bills", body)


async def _receive_payment(case: HttpCase, step: Step) -> None:
    await case.post(step, f"/accounts/{case.account_id}/payments", _given(step.arguments))


_OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("contracts", "register_customer"): _register_customer,
    ("contracts", "apply"): _apply,
    ("contracts", "approve"): _approve,
    ("contracts", "decline"): _on_contract("decline"),
    ("contracts", "revoke_approval"): _revoke,
    ("contracts", "start_service"): _on_contract("start"),
    ("contracts", "add_licences"): _on_contract("content-changes", kind="addition"),
    ("contracts", "remove_licences"): _on_contract("content-changes", kind="partial-termination"),
    ("contracts", "change_plan"): _on_contract("content-changes", kind="replacement"),
    ("contracts", "add_option"): _on_contract("content-changes", kind="option-added"),
    ("contracts", "remove_option"): _on_contract("content-changes", kind="option-removed"),
    ("contracts", "change_discount"): _on_contract("content-changes", kind="discount"),
    ("contracts", "change_device"): _on_contract("content-changes", kind="device"),
    ("contracts", "change_billing_day"): _on_contract("billing-day"),
    ("contracts", "suspend"): _suspend,
    ("contracts", "resume"): _on_contract("resumption"),
    ("contracts", "end_line"): _on_contract("line-end"),
    ("contracts", "convert_line"): _on_contract("line-conversion"),
    ("contracts", "request_termination"): _on_contract("termination-requests"),
    ("contracts", "confirm_termination"): _on_contract("termination-confirmation"),
    ("contracts", "terminate"): _terminate,
    ("contracts", "abolish_service"): _abolish,
    ("contracts", "accept_work"): _on_contract("acceptance"),
    ("contracts", "order_tickets"): _on_contract("tickets"),
    ("contracts", "record_ground"): _on_contract("termination-grounds"),
    ("contracts", "request_cancellation"): _on_contract("cancellation-requests"),
    ("monitoring", "register_device"): _register_device,
    ("monitoring", "record_outage"): _record_outage,
    ("monitoring", "swap_device"): _swap_device,
    ("monitoring", "return_swapped_device"): _take_back_swapped,
    ("monitoring", "return_device"): _on_site("returns"),
    ("monitoring", "claim_overdue_device"): _claim_overdue,
    ("monitoring", "record_visit"): _on_site("visits"),
    ("monitoring", "record_repair"): _on_site("repairs"),
    ("billing", "arrange"): _arrange,
    ("billing", "agree_due_date"): _agree_due_date,
    ("billing", "lump_months"): _lump_months,
    ("billing", "receive_payment"): _receive_payment,
    ("billing", "grant_relief"): _on_contract("relief"),
    ("billing", "find_evasion"): _stated("evasions"),
    ("billing", "find_underbilling"): _stated("underbillings"),
    ("billing", "issue_certificate"): _on_contract("certificates"),
    ("billing", "issue_qualified_invoice"): _on_contract("qualified-invoices"),
    ("billing", "reissue_invoice"): _on_contract("reissues"),
    ("billing", "record_actual_cost"): _on_contract("actual-costs"),
}
