"""The scenario format: the life of one contract as dated facts.

A file holds a scenario, or a case (`{id, title, scenario, expected, …}`), whose scenario is played.
All amounts are whole yen, all dates Japan dates, all times Japan times without an offset. A field
of the wrong kind or an unknown type of event is an error that names the place; a field that the
format does not know is passed over with a warning.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from libs.refusal.refusal import Refusal

Day = Annotated[dt.date, Field(strict=False)]
Yen = Annotated[int, Field(ge=0)]
MonthName = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])(-\d{2})?$")]
CalendarMonth = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Packs = dict[Literal["1", "10", "100", "1000", "10000"], Annotated[int, Field(ge=0)]]


_IN_EVENT = 2


class MalformedScenario(Refusal):
    """The scenario cannot be read; `field` points at the place."""

    code = "malformed-scenario"
    title = "The scenario cannot be read"


def _japan_time(value: object) -> object:
    if isinstance(value, str):
        instant = dt.datetime.fromisoformat(value)
        return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo("Asia/Tokyo"))
    return value


Instant = Annotated[dt.datetime, BeforeValidator(_japan_time), Field(strict=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Customer(_Part):
    """Who pays, and how; all but the first two are WUTM's and WSRV's."""

    corporate: bool = True
    payment_method: Literal[
        "invoice", "account_transfer_notice", "account_transfer", "credit_card"
    ] = "invoice"
    consolidated_claim: bool = False
    issue_fee_exempt: bool = False
    claim_assigned: bool | list[MonthName] = False
    wants_qualified_invoice: bool = False
    qualified_invoice_postage: Yen = 0


class Contract(_Part):
    """What is contracted; each service reads its own fields."""

    packs: Packs = Field(default_factory=dict)
    special_prices: dict[Literal["1", "10", "100", "1000", "10000"], Yen] = Field(
        default_factory=dict
    )
    mac_registered: bool = False
    device: str | None = None
    licensed: bool = False
    line: Literal["collab", "flets"] | None = None
    billing_day: Annotated[int, Field(ge=1, le=28)] = 1
    monthly_fee: Yen | None = None
    initial_fee: Yen | None = None
    contract_start: Day | None = None
    plan: Literal["utm", "router", "wireless"] | None = None


class StatutoryRate(_Part):
    """A rate in 1/1000 a year from a day on."""

    from_on: Annotated[Day, Field(alias="from")]
    permille: Yen


class FormerInterest(_Part):
    """The parameters of terms no longer in the documents."""

    permille: Yen
    grace_days: Yen


class Settings(_Part):
    """What an operator may set otherwise."""

    lone_interest: Literal["hold", "bill"] = "hold"
    statutory_rates: list[StatutoryRate] | None = None
    former_interest: FormerInterest | None = None


class _Dated(_Part):
    date: Day


class Applied(_Dated):
    type: Literal["applied"]


class Approved(_Dated):
    type: Literal["approved"]


class ServiceStarted(_Dated):
    type: Literal["service_started"]


class Accepted(_Dated):
    type: Literal["accepted"]


class ApprovalRevoked(_Dated):
    type: Literal["approval_revoked"]
    costs: Yen = 0
    due: Day | None = None


class LicenceAdded(_Dated):
    type: Literal["licence_added"]
    packs: Packs


class LicenceRemoved(_Dated):
    type: Literal["licence_removed"]
    packs: Packs


class PlanChanged(_Dated):
    type: Literal["plan_changed"]
    packs: Packs | None = None
    monthly: Yen | None = None
    initial: Yen | None = None


class OptionAdded(_Dated):
    type: Literal["option_added"]
    option: str
    applied: Day | None = None
    monthly: Yen | None = None
    initial: Yen | None = None


class OptionRemoved(_Dated):
    type: Literal["option_removed"]
    option: str


class TicketBought(_Dated):
    type: Literal["ticket_bought"]
    ticket: Literal["config", "question", "urgent"]
    quantity: Annotated[int, Field(ge=1)] = 1


class DiscountChanged(_Dated):
    type: Literal["discount_changed"]
    monthly_discount: Yen


class DeviceChanged(_Dated):
    type: Literal["device_changed"]
    licensed: bool = False
    device: str | None = None


class DeviceSwapped(_Dated):
    type: Literal["device_swapped"]
    returned_on: Day | None = None
    replacement_cost: Yen | None = None


class BillingDayChanged(_Dated):
    type: Literal["billing_day_changed"]
    billing_day: Annotated[int, Field(ge=1, le=28)]


class LineTerminated(_Dated):
    type: Literal["line_terminated"]
    reason: Literal["termination", "relocation", "conversion", "provider_change"] = "termination"


class LineConverted(_Dated):
    type: Literal["line_converted"]


class Suspended(_Dated):
    type: Literal["suspended"]
    ground: str | None = None
    notified: Day | None = None
    urgent: bool | str | None = None
    until: Day | None = None


class Resumed(_Dated):
    type: Literal["resumed"]


class Unpaid(_Dated):
    type: Literal["unpaid"]


class Outage(_Dated):
    type: Literal["outage"]
    from_at: Annotated[Instant, Field(alias="from")]
    to_at: Annotated[Instant, Field(alias="to")]
    known_at: Instant
    fault: Literal["customer", "third_party", "provider", "provider_gross"]
    complete: bool = True
    incident: str | None = None


class DeviceNotReturned(_Dated):
    type: Literal["device_not_returned"]
    replacement_cost: Yen


class DeviceReturnedDamaged(_Dated):
    type: Literal["device_returned_damaged"]
    finding: Literal["normal", "excessive", "negligent"]
    claim: Yen | None = None
    replacement_cost: Yen | None = None


class Visit(_Dated):
    type: Literal["visit"]
    distance_km: float | int
    minutes: Yen
    remote_island: bool = False
    surcharge: Yen = 0


class OnsiteRepair(_Dated):
    type: Literal["onsite_repair"]
    time: Annotated[str, Field(pattern=r"^\d{2}:\d{2}$")]
    urgent: bool = False
    actual_cost: Yen = 0


class Payment(_Dated):
    type: Literal["payment"]
    amount: Yen | None = None
    month: MonthName | Literal["penalty"] | None = None
    settled_on: Day | None = None


class LumpBilled(_Dated):
    type: Literal["lump_billed"]
    months: Annotated[list[MonthName], Field(min_length=2)]
    due: Day


class DisasterRelief(_Dated):
    type: Literal["disaster_relief"]
    full: bool = False
    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    amount: Yen | None = None
    from_on: Annotated[Day | None, Field(alias="from")] = None
    to_on: Annotated[Day | None, Field(alias="to")] = None


class EvasionFound(_Dated):
    type: Literal["evasion_found"]
    evaded: Yen
    original_date: Day | None = None
    due: Day | None = None


class UnderbillingFound(_Dated):
    type: Literal["underbilling_found"]
    original_date: Day
    billed: Yen
    correct: Yen
    due: Day | None = None
    waived: bool = False


class CertificateRequested(_Dated):
    type: Literal["certificate_requested"]
    month: MonthName | None = None
    assigned: bool | None = None
    copies: Annotated[int, Field(ge=1)] = 1
    postage: Yen = 0
    other_costs: Yen = 0
    issued: Day | None = None


class QualifiedInvoiceRequested(_Dated):
    type: Literal["qualified_invoice_requested"]
    copies: Annotated[int, Field(ge=1)] = 1
    postage: Yen = 0
    other_costs: Yen = 0
    issued: Day | None = None


class InvoiceReissued(_Dated):
    type: Literal["invoice_reissued"]
    reason: Literal["customer", "company"]


class ActualCost(_Dated):
    type: Literal["actual_cost"]
    kind: Literal[
        "repair",
        "damages",
        "disclosure",
        "attendance",
        "work",
        "delivery",
        "move_repair",
        "defect_repair",
    ]
    amount: Yen
    due: Day | None = None


class GroundArose(_Dated):
    type: Literal["ground_arose"]
    ground: Annotated[int, Field(ge=1, le=10)]


class Terminated(_Dated):
    type: Literal["terminated"]
    by: Literal["customer", "provider"] | None = None
    cause: Literal["breach", "thirty_day", "antisocial", "not_acceptable", "abolition"] | None = (
        None
    )
    penalty_due: Day | None = None


class TerminationRequested(_Dated):
    type: Literal["termination_requested"]
    desired: Day
    confirmed: Day | None = None


class CancelRequested(_Dated):
    type: Literal["cancel_requested"]
    desired: Day
    cancellation_fee: Yen = 0
    actual_damage: Yen | None = None
    loss_amount: Yen | None = None
    option: str | None = None


class ServiceAbolished(_Dated):
    type: Literal["service_abolished"]


ScenarioEvent = Annotated[
    Applied
    | Approved
    | ServiceStarted
    | Accepted
    | ApprovalRevoked
    | LicenceAdded
    | LicenceRemoved
    | PlanChanged
    | OptionAdded
    | OptionRemoved
    | TicketBought
    | DiscountChanged
    | DeviceChanged
    | DeviceSwapped
    | BillingDayChanged
    | LineTerminated
    | LineConverted
    | Suspended
    | Resumed
    | Unpaid
    | Outage
    | DeviceNotReturned
    | DeviceReturnedDamaged
    | Visit
    | OnsiteRepair
    | Payment
    | LumpBilled
    | DisasterRelief
    | EvasionFound
    | UnderbillingFound
    | CertificateRequested
    | QualifiedInvoiceRequested
    | InvoiceReissued
    | ActualCost
    | GroundArose
    | Terminated
    | TerminationRequested
    | CancelRequested
    | ServiceAbolished,
    Field(discriminator="type"),
]


class Scenario(_Part):
    """One contract's life, the last calendar month to bill, and what the operator arranged.

    `service` is the code of a service that has terms.
    """

    service: Annotated[str, Field(pattern="^[A-Z][A-Z0-9]*$")]
    customer: Customer = Customer()
    contract: Contract = Contract()
    events: list[ScenarioEvent]
    due_dates: dict[MonthName, Day] = Field(default_factory=dict)
    settings: Settings = Settings()
    through: CalendarMonth
    show_from: CalendarMonth | None = None


def read_scenario(document: object) -> Scenario:
    """The scenario of a parsed file: a scenario by itself, or a case's.

    Raises `MalformedScenario` with a JSON pointer to the first place that is wrong.
    """
    inner = document.get("scenario", document) if isinstance(document, Mapping) else document
    try:
        return Scenario.model_validate(inner)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        pointer = "/" + "/".join(str(part) for part in _place(first["loc"]))
        raise MalformedScenario(f"{pointer}: {first['msg']}", field=pointer) from error


def _place(found: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """A place in the document; pydantic names the type of an event between its index and field."""
    if found[:1] == ("events",) and len(found) > _IN_EVENT:
        return found[:_IN_EVENT] + found[_IN_EVENT + 1 :]
    return found


def unknown_fields(document: Mapping[str, Any], scenario: Scenario) -> list[str]:
    """A sentence for each field of the document that the format does not know."""
    found = [
        f"field {name} is not known and was passed over" for name in _extra(document, scenario)
    ]
    for index, (raw, event) in enumerate(zip(document["events"], scenario.events, strict=True)):
        found += [
            f"event {index + 1} ({event.type}): field {name} is not known and was passed over"
            for name in _extra(raw, event)
        ]
    return found


def _extra(raw: Mapping[str, Any], model: BaseModel) -> list[str]:
    known = {field.alias or name for name, field in type(model).model_fields.items()}
    return sorted(set(raw) - known)
