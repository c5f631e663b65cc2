"""Which events billing keeps as facts that charges rest on, and whom each of them concerns."""

from uuid import UUID

from libs.events.envelope import Event
from libs.events.registry import context_of
from libs.events.vocabulary import contracts
from libs.events.vocabulary.billing import (
    AccountArranged,
    ActualCostRecorded,
    BillingFactCorrected,
    CertificateIssued,
    DueDateAgreed,
    EvasionFound,
    InvoiceReissued,
    MonthsLumped,
    QualifiedInvoiceIssued,
    ReliefGranted,
    UnderbillingFound,
)

OWN = (
    AccountArranged,
    DueDateAgreed,
    MonthsLumped,
    ReliefGranted,
    EvasionFound,
    UnderbillingFound,
    CertificateIssued,
    QualifiedInvoiceIssued,
    InvoiceReissued,
    ActualCostRecorded,
    BillingFactCorrected,
)
"""Billing's own facts; what it issues rests on facts and is none."""

_FOREIGN = frozenset({"contracts", "monitoring"})
_NO_FACTS = (
    contracts.PartyForgotten,
    contracts.DunningStarted,
    contracts.SuspensionProposed,
    contracts.DunningEnded,
)


def subject_of(event: Event) -> UUID | None:
    """The contract, account or customer a fact concerns; None for what charges don't rest on."""
    own = isinstance(event, OWN)
    foreign = context_of(event.type) in _FOREIGN and not isinstance(event, _NO_FACTS)
    if not own and not foreign:
        return None
    for name in ("contract_id", "account_id", "customer_id"):
        subject: UUID | None = getattr(event, name, None)
        if subject is not None:
            return subject
    return None


def trace_of(traceparent: str | None) -> str | None:
    """The trace id in a W3C `traceparent`."""
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) == 4 else None  # noqa: PLR2004 - version, trace, span, flags
