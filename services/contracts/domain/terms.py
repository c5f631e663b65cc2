"""The contracts section of the terms: what `terms/<service>.yaml` may say of a contract's life."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from libs.dates.business_days import Week
from libs.refusal.refusal import Refusal
from libs.terms.files import read_terms
from libs.terms.in_force import InForce, section

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


SOLD = ("MYSEC", "WUTM")
"""The services whose contracts are kept here."""


class UnknownService(Refusal):
    """No terms are known for the service."""

    code = "service-not-sold"
    title = "This service is not sold here"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Section):
    """A rule that has no number, only a place."""

    clause: str


class Application(_Section):
    """What an application must carry to be taken in, and what its content may say."""

    clause: str
    consents: dict[str, Rule] = {}
    content: frozenset[str]
    required: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    pack_sizes: frozenset[int] = frozenset()


class Suspension(_Section):
    """On which grounds use may be suspended, and for how long (None: no limit).

    `renewable` False: the same ground does not start a second period after a full one.
    """

    clause: str
    grounds: dict[str, Rule]
    notice: Rule
    longest_months: int | None = None
    renewable: bool = True


class CustomerTermination(_Section):
    """How a customer ends the contract.

    `by-form`: on the stated day, not before the form's receipt. `on-request`: on the desired day
    once confirmed; a desired day before the confirmation becomes the confirmation day plus
    `business_days` (0: the confirmation day itself).
    """

    way: Literal["by-form", "on-request"]
    clause: str
    late_clause: str
    business_days: int = 0
    week: Week = "monday-friday"


class OperatorGround(_Section):
    """A ground on which the operator may end the contract.

    `notice`: only after a notice, at the earliest on the day after it; `urgent` allows leaving it
    out for a recorded reason; `after_suspension`: only when a suspension is on record.
    """

    clause: str
    notice: bool = False
    urgent: bool = False
    after_suspension: bool = False
    antisocial: bool = False


class LineRule(_Section):
    """Which ends of the line contract end this contract too."""

    clause: str
    goes_on: Rule
    ending: frozenset[str]


class MaximumPeriod(_Section):
    """Years from the start of use, by device."""

    clause: str
    end_clause: str
    years: dict[str, int]


class Insurance(_Section):
    """The telework insurance: for licences first used in the window, in small enough orders."""

    clause: str
    first_used_from: date
    first_used_to: date
    below_licences: int
    pack_sizes: frozenset[int]


class Dunning(_Section):
    """When the chain of an unpaid debt proposes a suspension: days after it was found late."""

    clause: str
    propose_after_days: int


class ContractTerms(_Section):
    """The contracts section of one version of a service's terms."""

    application: Application
    approval: Rule
    declining: dict[str, Rule]
    revocation: Rule
    initial_work: Rule | None = None
    start: Rule
    changes: dict[ChangeKind, Rule]
    billing_day: Rule | None = None
    suspension: Suspension
    termination_by_customer: CustomerTermination
    termination_by_operator: dict[str, OperatorGround]
    abolition: Rule
    line: LineRule | None = None
    maximum_period: MaximumPeriod | None = None
    insurance: Insurance | None = None
    dunning: Dunning


class Terms:
    """The contract terms of the services that are sold, by service and day."""

    def __init__(self, services: Mapping[str, InForce[ContractTerms]]) -> None:
        self._services = dict(services)

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
