"""The commands on a log in memory, as the offline player uses them."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from libs.dates.clock import FixedClock
from libs.events.envelope import Cause
from libs.events.memory import MemoryLog
from libs.events.refusals import Reserved
from libs.events.vocabulary.contracts import Content
from libs.refusal.refusal import Refusal, Stale
from services.contracts import use_cases
from services.contracts.answers import contract_answer
from services.contracts.domain.changes import Change
from services.contracts.domain.customer import Details
from services.contracts.domain.refusals import (
    ImpossibleTimeline,
    UnknownContract,
    UnknownCustomer,
)
from services.contracts.domain.terms import UnknownService
from services.contracts.use_cases import Command

from .builders import CONTRACT, CUSTOMER, MYSEC_CONSENTS, TERMS, WUTM_CONSENTS

OTHER = UUID("c0000000-0000-4000-8000-000000000003")
ON = date(2024, 1, 10)


def on(stream_id: UUID, *, expected: int | None = None) -> Command:
    return Command(
        stream_id=stream_id,
        cause=Cause(correlation_id=CONTRACT, actor="player"),
        expected=expected,
    )


@pytest.fixture
async def log() -> MemoryLog:
    """A log with a customer."""
    made = MemoryLog("contracts", clock=FixedClock(datetime(2024, 1, 1, tzinfo=UTC)))
    await use_cases.register_customer(
        made,
        on(CUSTOMER),
        registered_on=ON,
        details=Details(corporate=True, payment_method="invoice"),
    )
    return made


async def applied(
    log: MemoryLog, contract_id: UUID = CONTRACT, *, line_id: str | None = None, day: int = 10
) -> None:
    await use_cases.apply(
        log,
        on(contract_id),
        service="WUTM",
        customer_id=CUSTOMER,
        applied_on=date(2024, 1, day),
        content=Content(device="SSB10", line="flets", line_id=line_id),
        consents=WUTM_CONSENTS,
        terms=TERMS,
    )


async def started(log: MemoryLog, contract_id: UUID = CONTRACT) -> None:
    await use_cases.approve(
        log, on(contract_id), approved_on=ON, document_number="A-1", terms=TERMS
    )
    await use_cases.start(log, on(contract_id), started_on=date(2024, 1, 15), terms=TERMS)


async def test_from_application_to_the_end_by_the_maximum_period(log: MemoryLog) -> None:
    await applied(log)
    await started(log)
    (deadline,) = await use_cases.deadlines_of(log, CONTRACT, terms=TERMS)
    await use_cases.run_contract_deadline(log, on(CONTRACT), deadline=deadline, terms=TERMS)
    life, version = await use_cases.load_life(log, CONTRACT)
    answer = contract_answer(life, version=version, terms=TERMS)
    assert answer.end is not None
    assert (answer.end.terminated_on, answer.end.cause) == (date(2029, 1, 15), "maximum_period")
    assert await use_cases.deadlines_of(log, CONTRACT, terms=TERMS) == ()


async def test_an_end_may_be_confirmed_before_the_start(log: MemoryLog) -> None:
    await applied(log, day=7)
    await use_cases.approve(
        log, on(CONTRACT), approved_on=date(2024, 1, 7), document_number="A-1", terms=TERMS
    )
    await use_cases.request_termination(
        log,
        on(CONTRACT),
        requested_on=date(2024, 1, 7),
        desired_on=date(2024, 1, 15),
        terms=TERMS,
    )
    await use_cases.confirm_termination(
        log, on(CONTRACT), confirmed_on=date(2024, 1, 8), terms=TERMS
    )
    await use_cases.start(log, on(CONTRACT), started_on=date(2024, 1, 15), terms=TERMS)
    life, version = await use_cases.load_life(log, CONTRACT)
    answer = contract_answer(life, version=version, terms=TERMS)
    assert answer.started_on == date(2024, 1, 15)
    assert answer.end is not None
    assert answer.end.terminated_on == date(2024, 1, 15)


@pytest.mark.clause("WUTM-6.1")
async def test_a_line_has_one_contract_at_a_time(log: MemoryLog) -> None:
    await applied(log, line_id="L-1")
    with pytest.raises(Reserved):
        await applied(log, OTHER, line_id="L-1", day=20)
    await use_cases.decline(
        log, on(CONTRACT), declined_on=date(2024, 1, 12), ground="technical", terms=TERMS
    )
    with pytest.raises(Reserved):
        await applied(log, OTHER, line_id="L-1", day=11)
    await applied(log, OTHER, line_id="L-1", day=12)


async def test_a_backdated_fact_that_makes_the_timeline_impossible_is_refused(
    log: MemoryLog,
) -> None:
    await applied(log)
    await started(log)
    before = await log.position()
    with pytest.raises(ImpossibleTimeline):
        await use_cases.change_content(
            log,
            on(CONTRACT),
            change=Change(kind="device", effective_on=date(2024, 1, 9), licensed=True),
            terms=TERMS,
        )
    assert await log.position() == before


async def test_what_is_not_known_is_said(log: MemoryLog) -> None:
    refused: list[type[Refusal]] = []
    for service, customer_id in (("MYSEC", OTHER), ("NOPE", CUSTOMER)):
        try:
            await use_cases.apply(
                log,
                on(CONTRACT),
                service=service,
                customer_id=customer_id,
                applied_on=ON,
                content=Content(packs={1: 1}),
                consents=MYSEC_CONSENTS,
                terms=TERMS,
            )
        except Refusal as refusal:
            refused.append(type(refusal))
    assert refused == [UnknownCustomer, UnknownService]
    with pytest.raises(UnknownContract):
        await use_cases.start(log, on(OTHER), started_on=ON, terms=TERMS)


async def test_the_version_the_caller_saw_must_be_the_present_one(log: MemoryLog) -> None:
    await applied(log, line_id="L-1")
    with pytest.raises(Stale):
        await use_cases.decline(
            log, on(CONTRACT, expected=2), declined_on=ON, ground="technical", terms=TERMS
        )
    declined = await use_cases.decline(
        log, on(CONTRACT, expected=1), declined_on=ON, ground="technical", terms=TERMS
    )
    assert declined.versions == {CONTRACT: 2}
