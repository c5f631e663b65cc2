"""The contracts section of the terms: what `terms/<service>.yaml` may say of a contract's life."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from libs.dates.business_days import Week
from libs.refusal.refusal import Refusal
from libs.terms.clause import ClauseId
from libs.terms.faults import WrongEntry
from libs.terms.files import read_terms
from libs.terms.in_force import InForce, section
from libs.terms.numbers import (
    BusinessDays,
    Day,
    DayOfMonth,
    Days,
    Flag,
    Licences,
    Months,
    MonthsOrNone,
    Years,
)
from libs.terms.offered import services_in

ChangeKind = Literal[
    "addition",
    "replacement",
    "partial-termination",
    "option-added",
    "option-removed",
    "discount",
    "device",
    "price",
]
TicketKind = Literal["config", "question", "urgent"]


class UnknownService(Refusal):
    """No terms are known for the service."""

    code = "service-not-sold"
    title = "This service is not sold here"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Section):
    """A rule that has no number, only a place."""

    clause: ClauseId


class BillingDays(_Section):
    """On which days a billing month may start, both included; every month must have them."""

    clause: ClauseId
    first: DayOfMonth
    last: DayOfMonth

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.last < self.first:
            raise WrongEntry("last lies before first", at=("last",))
        return self


class Application(_Section):
    """What an application must carry to be taken in, and what its content may say.

    `billing_days` stand where the content may name the first day of the billing month.
    """

    clause: ClauseId
    consents: dict[str, Rule] = {}
    content: frozenset[str]
    required: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    pack_sizes: frozenset[Licences] = frozenset()
    billing_days: BillingDays | None = None


class Option(_Section):
    """An option of the price table.

    `from_next_month`: provided at the earliest from the 1st of the month after its application.
    """

    clause: ClauseId
    from_next_month: Flag = False


class Suspension(_Section):
    """On which grounds use may be suspended, and for how long (None: no limit).

    `notice` None: at once. `renewable` False: the same ground does not start a second period after a full one.
    """

    clause: ClauseId
    grounds: dict[str, Rule]
    notice: Rule | None = None
    longest_months: Months | None = None
    renewable: Flag = True


class FirstMonths(_Section):
    """Whole months, from the one after the acceptance on, in which a cancellation costs a fee."""

    clause: ClauseId
    months: Months


class Ahead(_Section):
    """An end is asked for at the latest so many business days before it, that day not counted."""

    clause: ClauseId
    business_days: BusinessDays


class CustomerTermination(_Section):
    """How a customer ends the contract.

    `by-form`: on the stated day, not before the form's receipt. `on-request`: on the desired day
    once confirmed; a desired day before the confirmation becomes the confirmation day plus
    `business_days` (0: the confirmation day itself); `ahead` says how early the customer is to ask,
    though a later request is not refused. `by-notice`: on the desired day, at the
    earliest `notice_months` after the notice; in the `first_months` a fee stands in for the
    notice, and `before_acceptance` the operator's loss is paid first. `at_once`: grounds on which
    the arrival of the customer's notice ends the contract.
    """

    way: Literal["by-form", "on-request", "by-notice"]
    clause: ClauseId
    late_clause: ClauseId
    business_days: BusinessDays = 0
    week: Week = "monday-friday"
    ahead: Ahead | None = None
    notice_months: MonthsOrNone = 0
    first_months: FirstMonths | None = None
    before_acceptance: Rule | None = None
    at_once: dict[str, Rule] = {}


class OperatorGround(_Section):
    """A ground on which the operator may end the contract.

    `notice`: only after a notice, at the earliest on the day after it; `urgent` allows leaving it
    out for a recorded reason; `after_suspension`: only when a suspension was not lifted (one that
    was is resolved, one that ran out is not); `demand`: only after a demand whose period has
    passed; `days_from_formation`: only in these days, the day of formation not counted;
    `before_acceptance`: only while the work is not accepted.
    """

    clause: ClauseId
    notice: Flag = False
    urgent: Flag = False
    after_suspension: Flag = False
    antisocial: Flag = False
    demand: Flag = False
    days_from_formation: Days | None = None
    before_acceptance: Flag = False


class AbolitionNotice(_Section):
    """Every customer is told of the end so long before it, in months and days, at the latest.

    `urgent` allows a later notice for a recorded reason.
    """

    clause: ClauseId
    months: Months | None = None
    days: Days | None = None
    urgent: Flag = False


class Abolition(_Section):
    """The operator may give up the service (`decision`), and its contracts end with it (`clause`).

    `plans`: also a plan by itself. `applications`: none is accepted that would begin on the day of
    the end or later.
    """

    clause: ClauseId
    decision: ClauseId
    notice: AbolitionNotice
    plans: Rule | None = None
    applications: Rule | None = None


class LineRule(_Section):
    """Which ends of the line contract end this contract too; `one_contract`: no other rests on it."""

    clause: ClauseId
    one_contract: Rule | None = None
    goes_on: Rule
    ending: frozenset[str]


class MaximumPeriod(_Section):
    """Years from the start of use, by device."""

    clause: ClauseId
    end_clause: ClauseId
    years: dict[str, Years]


class Insurance(_Section):
    """The telework insurance: for licences first used in the window, in small enough orders.

    It lasts `months` from the 1st of the calendar month after that of first use.
    """

    clause: ClauseId
    months: Months
    first_used_from: Day
    first_used_to: Day
    below_licences: Licences
    pack_sizes: frozenset[Licences]

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.first_used_to < self.first_used_from:
            raise WrongEntry("first_used_to lies before first_used_from", at=("first_used_to",))
        return self


class MinimumTerm(_Section):
    """Calendar months from the one after the start month on."""

    clause: ClauseId
    months: Months


class Maturing(_Section):
    """Grounds that make all open debts due at once, by the number of the terms."""

    clause: ClauseId
    grounds: dict[int, Rule]


class Dunning(_Section):
    """When the chain of an unpaid debt proposes a suspension: days after it was found late."""

    clause: ClauseId
    propose_after_days: Days


class ContractTerms(_Section):
    """The contracts section of one version of a service's terms; what is left out is unknown to it.

    `formation`: a complete application forms the contract by itself, without an approval.
    `declining_changes`: a change that is asked for may be declined on the grounds of `declining`.
    `acceptance`: provision begins with the acceptance of the ordered work, without a start.
    """

    application: Application
    approval: Rule | None = None
    formation: Rule | None = None
    declining: dict[str, Rule] = {}
    revocation: Rule | None = None
    initial_work: Rule | None = None
    start: Rule | None = None
    acceptance: Rule | None = None
    changes: dict[ChangeKind, Rule] = {}
    declining_changes: Rule | None = None
    options: dict[str, Option] | None = None
    tickets: dict[TicketKind, Rule] = {}
    billing_day: Rule | None = None
    suspension: Suspension | None = None
    termination_by_customer: CustomerTermination
    termination_by_operator: dict[str, OperatorGround]
    abolition: Abolition | None = None
    line: LineRule | None = None
    minimum_term: MinimumTerm | None = None
    maximum_period: MaximumPeriod | None = None
    insurance: Insurance | None = None
    maturing: Maturing | None = None
    contract_end: Rule | None = None
    dunning: Dunning | None = None

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if (self.approval is None) == (self.formation is None):
            raise ValueError("a contract is formed either by approval or by itself")
        if (self.start is None) == (self.acceptance is None):
            raise ValueError("provision begins either with a start or with an acceptance")
        return self

    @model_validator(mode="after")
    def _billing_days_go_with_their_content(self) -> Self:
        application = self.application
        if ("billing_day" in application.content) != (application.billing_days is not None):
            raise WrongEntry(
                "billing_days say from which to which day the billing_day of the content may be: "
                "neither stands without the other",
                at=("application",),
            )
        return self

    @model_validator(mode="after")
    def _required_is_known(self) -> Self:
        for name in sorted(self.application.required - self.application.content):
            raise WrongEntry(
                f"{name} is required, but no content of an application",
                at=("application", "required"),
                naming=name,
            )
        return self


class Terms:
    """The contract terms of the services that are sold, by service and day."""

    def __init__(self, services: Mapping[str, InForce[ContractTerms]]) -> None:
        self._services = dict(services)

    @property
    def services(self) -> frozenset[str]:
        """The codes of the services."""
        return frozenset(self._services)

    def at(self, service: str, on: date) -> ContractTerms:
        """What is in force on a day. Raises `UnknownService`, `NotYetInForce`."""
        return self._of(service).at(on)

    def version(self, service: str, on: date) -> date:
        """The first day of the version in force on a day."""
        return self._of(service).since(on)

    def _of(self, service: str) -> InForce[ContractTerms]:
        try:
            return self._services[service]
        except KeyError:
            known = ", ".join(sorted(self._services))
            raise UnknownService(f"{service} is not one of {known}", field="/service") from None


def offered_terms(folder: Path) -> Terms:
    """The terms of every service in `folder` that speaks of contracts. Raises `WrongTerms`."""
    return load_terms(services_in(folder, section="contracts"), folder=folder)


def load_terms(services: tuple[str, ...], *, folder: Path) -> Terms:
    """Read the contracts section of each service's file. Raises `WrongTerms`."""
    return Terms(
        {
            service: section(
                read_terms(service, folder=folder), name="contracts", model=ContractTerms
            )
            for service in services
        }
    )
