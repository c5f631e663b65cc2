"""The examples of the terms of WUTM and WSRV about the life of a contract, and its days."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.dates.business_days import Week, business_days_after, is_business_day
from libs.dates.clock import FixedClock
from libs.dates.japan import JAPAN, japan_date
from libs.events.memory import MemoryLog
from libs.events.refusals import Reserved
from libs.events.vocabulary.contracts import (
    Content,
    ContractSuspended,
    ContractTerminated,
    ServiceStarted,
)
from libs.events.vocabulary.monitoring import DeviceSwapped
from libs.refusal.refusal import Refusal
from services.billing.domain.rules.claims import OnsiteRepair
from services.contracts import use_cases
from services.contracts.domain.abolishing import announce
from services.contracts.domain.applications import start
from services.contracts.domain.customer import Details
from services.contracts.domain.ending import Judgement, terminate_by_operator
from services.contracts.domain.foreseeing import asked_in_time
from services.contracts.domain.refusals import NoticeMissing
from services.contracts.domain.use import Notice, Period, suspend
from services.monitoring.use_cases import swap_device
from tests.unit.billing.assessed import terms_of as billing_terms_of
from tests.unit.contracts.builders import CUSTOMER, applied, approved, given, running, suspended
from tests.unit.contracts.test_abolishing import wished
from tests.unit.contracts.test_further_services import TERMS, terms_of
from tests.unit.contracts.test_use_cases import on as command_on
from tests.unit.examples.computing import example
from tests.unit.monitoring.sites import OLD, THIRTY_DAYS, a_command, a_play, a_replacement

DEVICES = {"WUTM": "SSB10", "WSRV": "OS2"}
LONG_BEFORE = date(2024, 1, 10)
_ONE_DAY = timedelta(days=1)


@example("business_days")
def business_days(*, service: str, span: Sequence[str]) -> Mapping[str, Any]:
    """The business days of a service from a day to another, and the days that are 平日."""
    first, last = map(_day, span)
    days = [first + _ONE_DAY * number for number in range((last - first).days + 1)]
    week = _week(service, first)
    return {
        "business_days": [on for on in days if is_business_day(on, week=week)],
        "weekdays": [on for on in days if is_business_day(on, week="monday-friday")],
    }


@example("business_day_after")
def business_day_after(*, service: str, date: str, count: int) -> Mapping[str, Any]:
    """The so many-th business day of a service after a day."""
    on = _day(date)
    return {"date": business_days_after(on, count, week=_week(service, on))}


@example("suspension")
def suspension(
    *,
    service: str,
    first: str,
    last: str | None = None,
    notified: str | None = None,
    urgent: str | None = None,
) -> Mapping[str, Any]:
    """How long a suspension for an unpaid debt holds at the most, or why it is refused."""
    first_on = _day(first)
    until_on = _day(last) + _ONE_DAY if last else None
    try:
        (held,) = suspend(
            given(*running(LONG_BEFORE, service=service)),
            period=Period(from_on=first_on, until_on=until_on),
            ground="unpaid",
            notice=Notice(
                notified_on=_day(notified) if notified else None,
                urgent_reason=urgent,
            ),
            terms=terms_of(service, first_on),
        )
    except Refusal as refused:
        return {"refused": refused.clause}
    assert isinstance(held, ContractSuspended)
    assert held.until_on is not None
    return {"last": held.until_on - _ONE_DAY, "back": held.until_on}


@example("operator_termination")
def operator_termination(
    *,
    service: str,
    ground: str,
    suspended_from: str | None,
    notified: str | None,
    terminated: str,
) -> Mapping[str, Any]:
    """Whether the operator may end a contract on a ground, and under which clause."""
    spans = (suspended(_day(suspended_from)),) if suspended_from else ()
    on = _day(terminated)
    judgement = Judgement(
        ground=ground, notice=Notice(notified_on=_day(notified) if notified else None)
    )
    try:
        (ended,) = terminate_by_operator(
            given(*running(LONG_BEFORE, service=service), *spans),
            terminated_on=on,
            judgement=judgement,
            terms=terms_of(service, on),
        )
    except Refusal as refused:
        return {"refused": refused.clause}
    assert isinstance(ended, ContractTerminated)
    return {"ended": ended.terminated_on, "clause": ended.clause}


@example("latest_request")
def latest_request(*, service: str, desired: str) -> Mapping[str, Any]:
    """The last day on which an end on the desired day is asked for in time."""
    on = _day(desired)
    rule = terms_of(service, on).termination_by_customer
    asked = asked_in_time(on, requested_on=on, rule=rule)
    assert asked is not None
    in_time = asked_in_time(on, requested_on=asked.ask_by_on, rule=rule)
    assert in_time is not None
    assert (in_time.missed, asked.missed) == (False, True)
    return {"latest": asked.ask_by_on}


@example("abolition_told_by")
def abolition_told_by(*, service: str, abolished: str) -> Mapping[str, Any]:
    """The last day on which the end of a service on a day is announced in time."""
    gone_on = _day(abolished)
    told_on = [
        on
        for on in (gone_on - _ONE_DAY * days for days in range(100))
        if _announced(service, on=on, gone_on=gone_on)
    ]
    return {"told_by": max(told_on)}


def _announced(service: str, *, on: date, gone_on: date) -> bool:
    try:
        announce((), wished=wished(service, told=on, on=gone_on), terms=terms_of(service, on))
    except NoticeMissing:
        return False
    return True


@example("started_by_work")
def started_by_work(*, service: str, completed_at: str) -> Mapping[str, Any]:
    """The first day of provision, by the moment (Japan time) at which the work was complete."""
    moment = datetime.fromisoformat(completed_at).replace(tzinfo=JAPAN).astimezone(UTC)
    on = japan_date(moment)
    life = given(applied(LONG_BEFORE, service=service), approved(LONG_BEFORE, service=service))
    (begun,) = start(life, started_on=on, terms=terms_of(service, on))
    assert isinstance(begun, ServiceStarted)
    return {"started": begun.started_on}


@example("on_lines")
def on_lines(
    *, service: str, applications: Sequence[Mapping[str, str]], ended: str | None = None
) -> Mapping[str, Any]:
    """Which applications of one customer, each for a line, are taken in; the first contract ends.

    `ended` is the termination date of the first, None while it is in service.
    """
    return {"accepted": asyncio.run(_taken_in(service, applications, ended=ended))}


async def _taken_in(
    service: str, applications: Sequence[Mapping[str, str]], *, ended: str | None
) -> list[bool]:
    log = MemoryLog("contracts", clock=FixedClock(datetime(2024, 1, 1, tzinfo=UTC)))
    await use_cases.register_customer(
        log,
        command_on(CUSTOMER),
        registered_on=LONG_BEFORE,
        details=Details(corporate=True, payment_method="invoice"),
    )
    accepted = []
    for number, each in enumerate(applications, start=1):
        command = command_on(UUID(int=number))
        applied_on = _day(each["date"])
        try:
            await use_cases.apply(
                log,
                command,
                service=service,
                customer_id=CUSTOMER,
                applied_on=applied_on,
                content=Content(device=DEVICES[service], line="flets", line_id=each["line"]),
                consents=tuple(terms_of(service, applied_on).application.consents),
                terms=TERMS,
            )
        except Reserved:
            accepted.append(False)
            continue
        accepted.append(True)
        if number == 1:
            await _in_service(log, command, from_on=applied_on, ended=ended)
    return accepted


async def _in_service(
    log: MemoryLog, command: use_cases.Command, *, from_on: date, ended: str | None
) -> None:
    await use_cases.approve(log, command, approved_on=from_on, document_number="A-1", terms=TERMS)
    await use_cases.start(log, command, started_on=from_on, terms=TERMS)
    if ended is not None:
        await use_cases.request_termination(
            log, command, requested_on=from_on, desired_on=_day(ended), terms=TERMS
        )
        await use_cases.confirm_termination(log, command, confirmed_on=from_on, terms=TERMS)


@example("swapped")
def swapped(*, shipped: str, delivered: str, exchanged: str) -> Mapping[str, Any]:
    """The day on which both devices of a replacement by send-back change their owner."""
    return {"ownership_moved": asyncio.run(_ownership_moved(shipped, delivered, exchanged))}


async def _ownership_moved(shipped: str, delivered: str, exchanged: str) -> date:
    site = a_play(clock=FixedClock(datetime(2025, 6, 1, tzinfo=UTC)))
    await site.approved()
    await site.registered()
    appended = await swap_device(
        site.log,
        a_command(),
        old_device_id=OLD,
        new=a_replacement(shipped_on=_day(shipped), delivered_on=_day(delivered)),
        swapped_on=_day(exchanged),
        terms_of=lambda _service, _on: THIRTY_DAYS,
    )
    (swap,) = [each.event for each in appended.events]
    assert isinstance(swap, DeviceSwapped)
    return swap.ownership_moved_on


@example("west_version")
def west_version(*, service: str, date: str) -> Mapping[str, Any]:
    """The first day of the version of the terms in force on a day."""
    on = _day(date)
    version = TERMS.version(service, on)
    assert version == billing_terms_of(service).since(on)
    return {"version": version}


def _week(service: str, on: date) -> Week:
    """The days that are business days, as the service's terms say where they use them."""
    repair = billing_terms_of(service).policy(OnsiteRepair, on=on)
    return repair.week if repair else terms_of(service, on).termination_by_customer.week


def _day(text: str) -> date:
    return date.fromisoformat(text)
