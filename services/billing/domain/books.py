"""What invoicing works on: what to bill, and a contract's books."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from uuid import UUID

from libs.events.vocabulary.billing import ForeignPosition
from libs.refusal.refusal import Refusal
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Timeline


class NoRules(Refusal):
    """A contract's service has no billing terms here."""

    code = "unknown-service"
    title = "There are no billing terms for this service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to bill: every billing month that ended on or before `closing_on`, issued `issued_on`.

    `due_policy` gives the due date of an invoice that no agreement names one for.
    """

    run_id: UUID
    closing_on: date
    issued_on: date
    due_policy: str = "agreed"
    positions: tuple[ForeignPosition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractBooks:
    """A contract as invoicing sees it: its timeline, its terms, the last revision of each month."""

    contract_id: UUID
    timeline: Timeline
    terms: BillingTerms
    revisions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
