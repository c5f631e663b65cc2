"""Builders of a contract's history, that show only what matters to a case."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

from libs.events.envelope import Envelope, Event, Recorded
from libs.events.vocabulary.contracts import (
    Content,
    ContractApplied,
    ContractApproved,
    ContractEvent,
    ContractResumed,
    ContractSuspended,
    ContractTerminated,
    ServiceStarted,
)
from services.contracts.domain.facts import Life, facts_of, life_of
from services.contracts.domain.terms import ContractTerms, load_terms

CONTRACT = UUID("c0000000-0000-4000-8000-000000000001")
CUSTOMER = UUID("c0000000-0000-4000-8000-000000000002")
TERMS = load_terms(("MYSEC", "WUTM"), folder=Path("terms"))

MYSEC_CONSENTS = ("terms", "third-party-terms", "disclaimers")
WUTM_CONSENTS = (
    "terms",
    "third-persons",
    "log-collection",
    "software-licences",
    "no-antisocial-relations",
    "privacy",
)
ON = date(2024, 1, 10)


def mysec(on: date = ON) -> ContractTerms:
    return TERMS.at("MYSEC", on)


def wutm(on: date = ON) -> ContractTerms:
    return TERMS.at("WUTM", on)


def recorded(*events: Event) -> tuple[Recorded[Event], ...]:
    """The events as a log would hold them; event n has the id `event_id(n)`, from 1."""
    return tuple(
        Recorded(
            Envelope(
                event_id=event_id(number),
                context="contracts",
                log_epoch=CONTRACT,
                stream_id=CONTRACT,
                version=number,
                position=number,
                partition=0,
                sequence=number,
                recorded_at=datetime(2024, 1, 1, tzinfo=UTC),
                correlation_id=CONTRACT,
                causation_id=None,
                actor="someone",
                traceparent=None,
            ),
            event,
        )
        for number, event in enumerate(events, start=1)
    )


def event_id(number: int) -> UUID:
    return UUID(int=number)


def given(*events: ContractEvent) -> Life:
    """The contract after these events."""
    return life_of(facts_of(recorded(*events)))


def applied(
    on: date = ON,
    *,
    service: str = "MYSEC",
    content: Content | None = None,
) -> ContractApplied:
    default = (
        Content(packs={1: 10}) if service == "MYSEC" else Content(device="SSB10", line="flets")
    )
    return ContractApplied(
        contract_id=CONTRACT,
        service=service,
        customer_id=CUSTOMER,
        terms_version=on,
        applied_on=on,
        content=content or default,
    )


def approved(on: date = ON, *, service: str = "MYSEC") -> ContractApproved:
    return ContractApproved(
        contract_id=CONTRACT,
        customer_id=CUSTOMER,
        service=service,
        approved_on=on,
        document_number="A-1",
    )


def started(on: date = ON) -> ServiceStarted:
    return ServiceStarted(contract_id=CONTRACT, started_on=on)


def running(
    on: date = ON, *, service: str = "MYSEC", content: Content | None = None
) -> tuple[ContractEvent, ...]:
    """Applied for, approved and started on one day."""
    return (
        applied(on, service=service, content=content),
        approved(on, service=service),
        started(on),
    )


def suspended(
    from_on: date,
    *,
    until_on: date | None = None,
    ground: str = "unpaid",
    clause: str = "NSEC-16.1.1",
) -> ContractSuspended:
    return ContractSuspended(
        contract_id=CONTRACT,
        customer_id=CUSTOMER,
        from_on=from_on,
        until_on=until_on,
        ground=ground,
        clause=clause,
        urgent_reason="now",
    )


def resumed(on: date) -> ContractResumed:
    return ContractResumed(contract_id=CONTRACT, resumed_on=on)


def terminated(
    on: date, *, cause: str = "customer", by: str = "customer", clause: str = "NSEC-11.1"
) -> ContractTerminated:
    return ContractTerminated.model_validate(
        {
            "contract_id": CONTRACT,
            "customer_id": CUSTOMER,
            "terminated_on": on,
            "by": by,
            "cause": cause,
            "clause": clause,
        }
    )
