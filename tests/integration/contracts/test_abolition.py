"""A service is given up: its contracts end once each, whoever is killed meanwhile."""

import asyncio
import signal
from collections import Counter
from datetime import date
from uuid import UUID

import pytest

from libs.dates.clock import SystemClock
from libs.dates.japan import japan_date
from libs.events.envelope import Event
from libs.events.store import PostgresLog
from libs.events.vocabulary.contracts import AbolitionCarriedOut, ContractTerminated
from services.contracts.abolishing import AT_ONCE, announce
from services.contracts.domain.abolishing import abolition_id_of, stream_of
from services.contracts.main import Service
from services.contracts.use_cases import Command
from tests.conftest import MakeDatabase

from .conftest import MYSEC, WUTM, Caller, MakeCaller
from .given_up import CAUSE, TERMS, abolisher, beginning, contract_id, end, killed, migrated, record

DAY = date(2027, 3, 31)
CONTRACTS = AT_ONCE + 10


async def _given_up(log: PostgresLog, service: str, *, plan: str | None = None) -> None:
    await announce(
        log,
        Command(stream_id=stream_of(service), cause=CAUSE),
        service=service,
        plan=plan,
        announced_on=date(2026, 12, 1),
        abolished_on=DAY,
        reason="事業の終了のため",
        urgent_reason=None,
        terms=TERMS,
    )


async def _ends(log: PostgresLog) -> dict[UUID, list[tuple[date, str]]]:
    """When and why each contract ends, by all its terminations."""
    found: dict[UUID, list[tuple[date, str]]] = {}
    for each in await log.read(0, limit=10_000):
        if isinstance(each.event, ContractTerminated):
            ends = found.setdefault(each.event.contract_id, [])
            ends.append((each.event.terminated_on, each.event.cause))
    return found


async def _finished(log: PostgresLog, service: str) -> list[AbolitionCarriedOut]:
    events = [each.event for each in await log.load(stream_of(service))]
    return [event for event in events if isinstance(event, AbolitionCarriedOut)]


@pytest.mark.clause("NSEC-20.2")
async def test_killed_in_the_middle_it_goes_on_and_ends_each_contract_once(
    database: MakeDatabase,
) -> None:
    dsn = await database()
    await migrated(dsn)
    async with abolisher(dsn) as (_, log, _pool):
        begun = [
            (contract_id("MYSEC", each), beginning("MYSEC", each)) for each in range(CONTRACTS)
        ]
        await asyncio.gather(*(record(log, *each) for each in begun))
        await record(log, contract_id("MYSEC", 0), [end("MYSEC", 0, date(2027, 3, 30))])
        await record(log, contract_id("MYSEC", 1), [end("MYSEC", 1, date(2027, 4, 1))])
        for number in (CONTRACTS, CONTRACTS + 1):
            waiting = beginning("MYSEC", number, in_force=False)
            await record(log, contract_id("MYSEC", number), waiting)
        await record(log, contract_id("WUTM", 0), beginning("WUTM", 0))
        await _given_up(log, "MYSEC")

    assert await killed(dsn, after_ends=4) == -signal.SIGKILL
    async with abolisher(dsn) as (made, log, _pool):
        before = Counter(cause for ends in (await _ends(log)).values() for _, cause in ends)
        assert 4 <= before["abolition"] <= AT_ONCE < CONTRACTS - 1
        assert await _finished(log, "MYSEC") == []
        await made.carry_out_all()
        assert await made.carry_out_all() == 0
        ends = await _ends(log)
        assert ends.pop(contract_id("MYSEC", 0)) == [(date(2027, 3, 30), "customer")]
        assert ends.pop(contract_id("MYSEC", 1)) == [
            (date(2027, 4, 1), "customer"),
            (DAY, "abolition"),
        ]
        others = {contract_id("MYSEC", number) for number in range(2, CONTRACTS)}
        assert ends == {each: [(DAY, "abolition")] for each in others}
        (finished,) = await _finished(log, "MYSEC")
        assert (finished.ended, finished.failures) == (CONTRACTS - 1, {})


@pytest.mark.clause("RRNS-13.3")
async def test_one_of_a_plan_leaves_other_plans_and_what_is_formed_later_ends_too(
    database: MakeDatabase,
) -> None:
    dsn = await database()
    await migrated(dsn)
    async with abolisher(dsn) as (made, log, _pool):
        await record(log, contract_id("RRNS", 0), beginning("RRNS", 0))
        await _given_up(log, "RRNS", plan="wireless")
        assert await made.carry_out_all() == 0
        await _given_up(log, "RRNS", plan="utm")
        assert await made.carry_out_all() == 1
        await record(log, contract_id("RRNS", 1), beginning("RRNS", 1))
        assert await made.carry_out_all() == 1
        assert list((await _ends(log)).values()) == [[(DAY, "abolition")]] * 2
        assert [each.ended for each in await _finished(log, "RRNS")] == [0, 1]


def _approved_after_the_end() -> list[Event]:
    return [
        event.model_copy(update={"approved_on": date(2028, 1, 1)})
        if "approved_on" in type(event).model_fields
        else event
        for event in beginning("MYSEC", 0)[:2]
    ]


async def test_what_cannot_end_is_said_and_looked_at_again_when_it_has_moved(
    database: MakeDatabase,
) -> None:
    dsn = await database()
    await migrated(dsn)
    async with abolisher(dsn) as (made, log, _pool):
        await record(log, contract_id("MYSEC", 0), _approved_after_the_end())
        await record(log, contract_id("MYSEC", 1), beginning("MYSEC", 1))
        await _given_up(log, "MYSEC")
        assert await made.carry_out_all() == 1
        (finished,) = await _finished(log, "MYSEC")
        (why,) = finished.failures.values()
        assert why.startswith("impossible-timeline: ")
        assert list(finished.failures) == [str(contract_id("MYSEC", 0))]
        assert finished.ended == 1
        assert finished.carried_out_on == japan_date(SystemClock().now())
        assert await made.carry_out_all() == 0


_SPOIL = "UPDATE event SET type = 'no-' || type WHERE stream_id = $1"
_MEND = "UPDATE event SET type = substr(type, 4) WHERE stream_id = $1"


async def test_one_that_breaks_holds_up_no_other_and_loses_no_failure(
    database: MakeDatabase,
) -> None:
    dsn = await database()
    await migrated(dsn)
    broken = contract_id("MYSEC", 1)
    async with abolisher(dsn) as (made, log, pool):
        await record(log, contract_id("MYSEC", 0), _approved_after_the_end())
        for number in range(1, AT_ONCE + 2):
            await record(log, contract_id("MYSEC", number), beginning("MYSEC", number))
        await record(log, contract_id("WUTM", 0), beginning("WUTM", 0))
        for service in ("MYSEC", "WUTM"):
            await _given_up(log, service)
        for view in (made.listed, made.announced):
            await view.catch_up()
        await pool.execute(_SPOIL, broken)
        with pytest.raises(ValueError):
            await made.carry_out_all()
        await pool.execute(_MEND, broken)
        others = {contract_id("MYSEC", number) for number in range(2, AT_ONCE + 2)}
        assert (await _ends(log)).keys() == {*others, contract_id("WUTM", 0)}
        assert (await _finished(log, "MYSEC"), len(await _finished(log, "WUTM"))) == ([], 1)
        assert await made.carry_out_all() == 1
        assert (await _ends(log)).keys() == {*others, contract_id("WUTM", 0), broken}
        (finished,) = await _finished(log, "MYSEC")
        assert list(finished.failures) == [str(contract_id("MYSEC", 0))]
        assert finished.ended == AT_ONCE + 1


@pytest.mark.clause("NSEC-20.1", "NSEC-20.4")
async def test_it_is_announced_over_http_as_of_today_and_watched(
    service: Service, clerk: Caller, customer: MakeCaller
) -> None:
    first = await clerk.running()
    today = japan_date(SystemClock().now())
    wish = {"abolished_on": "2099-12-31", "reason": "事業の終了のため"}
    answer = await clerk.post("/services/MYSEC/abolition", wish, key="once")
    assert answer.status_code == 202, answer.text
    (shown,) = answer.json()["abolitions"]
    assert (shown["announced_on"], shown["state"]) == (str(today), "carrying-out")
    assert (shown["clause"], shown["ended"]) == ("NSEC-20.1", 0)
    again = await clerk.post("/services/MYSEC/abolition", wish, key="once")
    assert again.json() == answer.json()

    assert await service.abolisher().carry_out_all() == 1
    (after,) = (await clerk.get("/services/MYSEC/abolitions")).json()["abolitions"]
    assert (after["state"], after["ended"], after["failures"]) == ("carried-out", 1, {})
    contract = (await clerk.get(f"/contracts/{first}")).json()
    assert (contract["state"], contract["end"]["terminated_on"]) == (
        "ended",
        "2099-12-31",
    )
    assert after["abolition_id"] == str(abolition_id_of("MYSEC", plan=None))

    mine = customer(await clerk.registered())
    refused = await mine.post("/services/WUTM/abolition", wish)
    assert refused.status_code == 403


@pytest.mark.clause("NSEC-20.4", "WUTM-20.1")
async def test_too_short_a_notice_and_what_comes_after_the_end_are_refused(
    clerk: Caller,
) -> None:
    today = japan_date(SystemClock().now())
    short = {"abolished_on": str(today), "reason": "事業の終了のため"}
    refused = await clerk.post("/services/MYSEC/abolition", short)
    assert (refused.status_code, refused.json()["clause"]) == (409, "NSEC-20.4")
    gone = {**short, "urgent_reason": "設備の焼失のため"}
    assert (await clerk.post("/services/WUTM/abolition", gone)).status_code == 202
    body = {"customer_id": await clerk.registered(), **WUTM, "applied_on": str(today)}
    late = await clerk.post("/contracts", body)
    assert (late.status_code, late.json()["clause"]) == (409, "WUTM-20.1")
    assert late.json()["type"].endswith("service-is-abolished")
    waiting = await clerk.applied(WUTM)
    approval = {"approved_on": str(today), "document_number": "A-1"}
    refused = await clerk.post(f"/contracts/{waiting}/approval", approval)
    assert (refused.status_code, refused.json()["clause"]) == (409, "WUTM-20.1")
    assert (await clerk.applied(MYSEC)) is not None


async def test_a_service_that_nobody_sells_has_no_end(clerk: Caller) -> None:
    wish = {"abolished_on": "2099-12-31", "reason": "事業の終了のため"}
    for answer in (
        await clerk.get("/services/nonsense/abolitions"),
        await clerk.post("/services/nonsense/abolition", wish),
    ):
        told = answer.json()
        assert (answer.status_code, told["code"]) == (404, "no-such-service")
        assert told["pointer"] == "/code"


@pytest.mark.clause("WUTM-20.2.1")
@pytest.mark.parametrize("blank", [{"urgent_reason": " "}, {"reason": " \u3000"}])
async def test_a_blank_reason_is_none(blank: dict[str, str], clerk: Caller) -> None:
    today = japan_date(SystemClock().now())
    wish = {"abolished_on": str(today), "reason": "事業の終了のため", **blank}
    answer = await clerk.post("/services/WUTM/abolition", wish)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(blank))}"


@pytest.mark.clause("WUTM-10.2")
async def test_a_change_is_declined_over_http_and_costs_nothing(clerk: Caller) -> None:
    contract_id = await clerk.running(WUTM)
    body = {
        "kind": "device",
        "applied_on": "2024-02-01",
        "declined_on": "2024-02-05",
        "ground": "arrears",
    }
    path = f"/contracts/{contract_id}/content-changes/decline"
    before = (await clerk.get(f"/contracts/{contract_id}")).json()
    answer = await clerk.post(path, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["content"] == before["content"]
    history = (await clerk.get(f"/contracts/{contract_id}/history")).json()
    assert "contracts.content-change-declined.v1" in str(history)
    refused = await clerk.post(path, {**body, "ground": "mood"})
    assert (refused.status_code, refused.json()["clause"]) == (409, "WUTM-10.2")
