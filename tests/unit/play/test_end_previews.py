"""The preview of an end, beside what the same contract comes to when the commands are given."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cli.play.offline import TERMS, Installation, read_book
from cli.play.scenario import read_scenario
from libs.refusal.refusal import Refusal
from services.billing.api.supposing import EndQuery
from services.billing.domain.books import Order
from services.billing.supposing import EndDraft, SupposedEnd, preview_end
from services.contracts.domain.foreseeing import EndWish
from services.contracts.domain.refusals import BeyondMaximumPeriod, TooEarly
from services.contracts.previewing import TerminationPreview, preview_termination

PACKS = {"packs": {"100": 1, "10": 2, "1": 5}}
LIVES: Mapping[str, dict[str, Any]] = {
    "MYSEC": {"contract": PACKS, "events": [("service_started", "2024-04-05")]},
    "CAS": {"contract": PACKS, "events": [("service_started", "2024-04-01")]},
    "SSD": {"contract": {}, "events": [("service_started", "2024-04-15")]},
    "WUTM": {
        "contract": {"device": "SSB10", "line": "collab", "billing_day": 20},
        "events": [("service_started", "2024-04-05")],
    },
    "WSRV": {
        "contract": {"device": "OS2", "billing_day": 1},
        "events": [("service_started", "2024-04-11")],
    },
    "NQMS": {
        "contract": {"monthly_fee": 1000, "billing_day": 5},
        "events": [("service_started", "2024-04-10")],
    },
    "RRNS": {
        "contract": {"initial_fee": 150_000, "monthly_fee": 20_000},
        "events": [("accepted", "2024-04-18")],
    },
}


def a_life(service: str, *events: Mapping[str, Any], through: str) -> Installation:
    told = LIVES[service]
    document = {
        "service": service,
        "customer": {"corporate": True, "payment_method": "invoice"},
        "contract": told["contract"],
        "events": [*({"type": kind, "date": on} for kind, on in told["events"]), *events],
        "through": through,
    }
    return Installation(read_scenario(document), read_book(service, folder=TERMS))


async def foreseen(world: Installation, wish: EndWish) -> tuple[TerminationPreview, EndDraft]:
    """Both previews; billing is asked as the path in the first one says."""
    case = world.case
    preview = await preview_termination(
        case.contracts, case.contract_id, wish=wish, terms=case.contract_terms
    )
    asked = EndQuery.model_validate(dict(parse_qsl(urlsplit(preview.charges).query)))
    assert asked.requested_on is not None
    told = asked.model_dump(exclude={"issued_on", "due_policy"})
    draft = await preview_end(
        case.billing,
        case.contract_id,
        end=SupposedEnd(**told),
        at=datetime(2030, 1, 1, tzinfo=UTC),
        order=Order(
            run_id=case.contract_id,
            closing_on=asked.terminated_on,
            issued_on=asked.terminated_on,
        ),
    )
    return preview, draft


def a_wish(on: str, requested: str, *, confirmed: str | None = None, **more: Any) -> EndWish:
    return EndWish(
        on=date.fromisoformat(on),
        requested_on=date.fromisoformat(requested),
        confirmed_on=date.fromisoformat(confirmed or requested),
        **more,
    )


def a_form(wish: EndWish) -> dict[str, Any]:
    """A form that arrives on the very day: a scenario tells one date only."""
    return {"type": "terminated", "date": str(wish.on), "penalty_due": _text(wish.penalty_due_on)}


def a_request(wish: EndWish) -> dict[str, Any]:
    return {
        "type": "termination_requested",
        "date": str(wish.requested_on),
        "desired": str(wish.on),
        "confirmed": str(wish.confirmed_on),
    }


def a_notice(wish: EndWish) -> dict[str, Any]:
    return {
        "type": "cancel_requested",
        "date": str(wish.requested_on),
        "desired": str(wish.on),
        "cancellation_fee": wish.fee,
        "actual_damage": wish.damage,
        "loss_amount": wish.loss,
        **({"option": wish.option} if wish.option else {}),
    }


def _text(on: date | None) -> str | None:
    return None if on is None else str(on)


COMMANDS = {"WUTM": a_request, "WSRV": a_request, "RRNS": a_notice}

WISHES = [
    ("MYSEC", a_wish("2024-06-13", "2024-06-13")),
    ("MYSEC", a_wish("2024-07-01", "2024-07-01")),
    ("MYSEC", a_wish("2024-06-30", "2024-06-30")),
    ("CAS", a_wish("2024-06-20", "2024-06-20")),
    ("CAS", a_wish("2024-08-02", "2024-08-02")),
    ("SSD", a_wish("2024-06-20", "2024-06-20", penalty_due_on=date(2024, 7, 31))),
    ("SSD", a_wish("2024-10-31", "2024-10-31")),
    ("SSD", a_wish("2025-05-01", "2025-05-01")),
    ("WUTM", a_wish("2024-07-10", "2024-06-20", confirmed="2024-06-24")),
    ("WUTM", a_wish("2024-07-20", "2024-07-19", confirmed="2024-07-19")),
    ("WUTM", a_wish("2024-07-01", "2024-06-28", confirmed="2024-07-12")),
    ("WSRV", a_wish("2024-07-10", "2024-07-01", confirmed="2024-07-02")),
    ("WSRV", a_wish("2024-07-01", "2024-06-28", confirmed="2024-07-12")),
    ("NQMS", a_wish("2024-07-04", "2024-07-04")),
    ("NQMS", a_wish("2024-07-05", "2024-07-05")),
    ("RRNS", a_wish("2024-08-15", "2024-07-10", fee=100_000, damage=130_000)),
    ("RRNS", a_wish("2025-04-30", "2025-04-10", fee=100_000)),
    ("RRNS", a_wish("2025-05-31", "2025-05-20", fee=100_000)),
]


@pytest.mark.parametrize(
    ("service", "wish"), [pytest.param(*each, id=f"{each[0]} {each[1].on}") for each in WISHES]
)
@pytest.mark.clause("NSEC-11.1", "NQMS-20.1b", "WUTM-21.2.1", "WUTM-21.2.2", "WSRV-21.2b")
@pytest.mark.clause("RRNS-10.1.S1", "RRNS-10.3.S1", "RRNS-10.3.S2", "NSEC-A3.N6a", "WUTM-28.2")
async def test_what_was_foreseen_is_what_comes(service: str, wish: EndWish) -> None:
    before = a_life(service, through="2024-05")
    await before.play()
    preview, draft = await foreseen(before, wish)
    command = COMMANDS.get(service, a_form)(wish)
    through = str(draft.closing_on - timedelta(days=27))[:7]
    ended = await a_life(service, command, through=through).play()
    assert ended["termination"]["date"] == str(preview.ends_on)
    new = [each for each in ended["invoices"] if each["month"] > "2024-05"]
    assert [_document(each) for each in new] == [
        _document(each.model_dump(mode="json")) for each in draft.documents
    ]
    assert [_demand(each) for each in ended["penalties"]] == [
        _demand({**each.model_dump(mode="json"), "due": _text(each.due_on)})
        for each in draft.demands
    ]
    assert draft.total == sum(each["total"] for each in (*new, *ended["penalties"]))


def _document(shown: Mapping[str, Any]) -> tuple[Any, ...]:
    return (shown["month"], shown["total"], sorted(_lines(shown["lines"])))


def _lines(lines: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(line["code"], line["quantity"], line["amount"], line["tax_rate"]) for line in lines]


def _demand(shown: Mapping[str, Any]) -> tuple[Any, ...]:
    return (shown["code"], shown["quantity"], shown["amount"], shown["tax"], shown["due"])


async def test_the_end_of_an_option_alone_is_foreseen() -> None:
    option = {
        "type": "option_added",
        "date": "2024-05-10",
        "option": "vpn",
        "monthly": 5000,
        "initial": 0,
    }
    before = a_life("RRNS", option, through="2024-06")
    await before.play()
    wish = a_wish("2024-08-15", "2024-07-10", fee=30_000, option="vpn")
    preview, draft = await foreseen(before, wish)
    ended = await a_life("RRNS", option, a_notice(wish), through="2024-08").play()
    assert (preview.option, str(preview.ends_on)) == ("vpn", "2024-08-15")
    assert ended["termination"] is None
    new = [each for each in ended["invoices"] if each["month"] > "2024-06"]
    assert [_document(each) for each in new] == [
        _document(each.model_dump(mode="json")) for each in draft.documents
    ]
    assert [each.code for each in draft.demands] == ["RRNS-CANCEL:vpn"]


@pytest.mark.clause("RRNS-10.2")
async def test_a_loss_to_be_paid_first_is_said() -> None:
    before = a_life("RRNS", through="2024-03")
    await before.play()
    wish = a_wish("2024-04-17", "2024-04-18", loss=50_000)
    preview, draft = await foreseen(before, wish)
    assert (preview.waits_for_yen, str(preview.ends_on)) == (50_000, "2024-04-18")
    assert [(d.code, d.total, str(d.due_on)) for d in draft.demands] == [
        ("RRNS-LOSS", 55_000, "2024-04-18")
    ]


@pytest.mark.clause("WUTM-21.1")
@pytest.mark.parametrize(
    ("on", "requested", "ask_by", "missed", "earliest"),
    [
        ("2024-07-10", "2024-07-03", "2024-07-03", False, "2024-07-10"),
        ("2024-07-10", "2024-07-04", "2024-07-03", True, "2024-07-11"),
        ("2024-07-13", "2024-07-05", "2024-07-08", False, "2024-07-12"),
        ("2024-07-16", "2024-07-08", "2024-07-08", False, "2024-07-13"),
    ],
)
async def test_a_request_that_misses_its_day_is_told_so(
    on: str, requested: str, ask_by: str, *, missed: bool, earliest: str
) -> None:
    world = a_life("WUTM", through="2024-05")
    await world.play()
    preview, _ = await foreseen(world, a_wish(on, requested))
    asked = preview.asked_in_time
    assert asked is not None
    assert (str(asked.ask_by_on), asked.missed) == (ask_by, missed)
    assert (str(asked.earliest_on), asked.clause) == (earliest, "WUTM-21.1")
    assert str(preview.ends_on) == on  # late, and not refused for it


@pytest.mark.clause("RRNS-10.1.S1")
async def test_a_notice_after_the_first_year_that_comes_late_postpones_the_end() -> None:
    world = a_life("RRNS", through="2024-05")
    await world.play()
    preview, _ = await foreseen(world, a_wish("2025-05-31", "2025-05-20"))
    assert (str(preview.ends_on), preview.postponed) == ("2025-06-20", True)
    assert preview.asked_in_time is not None
    assert str(preview.asked_in_time.ask_by_on) == "2025-04-30"
    assert str(preview.asked_in_time.earliest_on) == "2025-06-20"


async def test_the_first_year_of_an_order_asks_for_no_time() -> None:
    world = a_life("RRNS", through="2024-05")
    await world.play()
    preview, _ = await foreseen(world, a_wish("2024-08-15", "2024-08-14"))
    assert (preview.asked_in_time, preview.clauses) == (None, ["RRNS-10.3.S1"])


@pytest.mark.parametrize(
    ("service", "wish", "refused"),
    [
        ("MYSEC", a_wish("2024-06-12", "2024-06-13"), TooEarly),
        ("WUTM", a_wish("2029-04-06", "2029-03-01"), BeyondMaximumPeriod),
    ],
)
async def test_what_would_be_refused_is_refused_alike(
    service: str, wish: EndWish, refused: type[Refusal]
) -> None:
    world = a_life(service, through="2024-05")
    await world.play()
    with pytest.raises(refused):
        await foreseen(world, wish)


async def test_a_preview_records_nothing() -> None:
    world = a_life("SSD", through="2024-05")
    await world.play()
    heads = [await world.case.contracts.position(), await world.case.billing.log.position()]
    _, draft = await foreseen(world, a_wish("2024-06-20", "2024-06-20"))
    assert [await world.case.contracts.position(), await world.case.billing.log.position()] == heads
    assert draft.total != draft.total_without
