"""The examples of the terms of WUTM and WSRV about money that a scenario does not tell."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from services.billing import use_cases
from services.billing.domain.arrangement import NotALump
from services.billing.domain.debts import late_on
from services.billing.domain.demands import demands
from services.billing.domain.terms import load_billing_terms
from tests.unit.billing.assessed import TERMS, terms_of
from tests.unit.billing.facts import Facts
from tests.unit.billing.test_debts import a_debt, interest
from tests.unit.billing_service.world import ACCOUNT, CONTRACT, World, a_contract, outage
from tests.unit.examples.computing import example
from tests.unit.examples.played import come_of

PAYMENT = UUID(int=1)


@example("west_late_interest")
def west_late_interest(*, service: str, amount: int, due: str, paid: str) -> Mapping[str, Any]:
    """Days and interest of a debt paid late."""
    days, _, yen = interest(service, amount, due, paid)
    return {"days": days, "interest": yen}


@example("overdue")
def overdue(*, service: str, due: str, date: str) -> Mapping[str, Any]:
    """Whether a debt that nothing was paid of is overdue on a day."""
    return {"overdue": _day(date) >= late_on(a_debt(due), terms=terms_of(service))}


@example("evasion_untaxed")
def evasion_untaxed(*, service: str, evaded: int) -> Mapping[str, Any]:
    """The surcharge for evading a fee to which the price table adds no tax."""
    untaxed = ("            times: 2\n", "            times: 2\n            taxed: false\n")
    facts = Facts(service).started("2024-04-10")
    facts.billing(
        "EvasionFound",
        found_on="2025-05-10",
        evaded=evaded,
        original_on="2025-05-10",
        due_on=None,
    )
    with _terms(service, replacing=untaxed) as folder:
        found = demands(facts.timeline, terms=load_billing_terms(service, folder=folder))
    return {each.code: {"amount": each.amount, "tax": each.tax} for each in found}


@example("played_at_a_new_price")
def played_at_a_new_price(
    *, service: str, monthly: int, effective: str, **scenario: Any
) -> Mapping[str, Any]:
    """What comes of a scenario when a later version of the terms has another monthly fee."""
    clause = {"WUTM": "WUTM-A4.1", "WSRV": "WSRV-A4.1"}[service]
    version = (
        f"\n  {effective}:\n    clause: {clause}\n    billing:\n      prices:\n"
        f"        monthly: {{yen: {monthly}, clause: {clause}}}\n"
    )
    with _terms(service, added=version) as folder:
        return asyncio.run(come_of({"service": service, **scenario}, terms=folder))


@example("lump")
def lump(*, months: Sequence[str]) -> Mapping[str, Any]:
    """Whether so many months make a bill that is paid together."""
    return {"refused": asyncio.run(_refused_lump(months))}


async def _refused_lump(months: Sequence[str]) -> str | None:
    world = World()
    await a_contract(world)
    try:
        await use_cases.lump_months(
            world.billing,
            ACCOUNT,
            contract_id=CONTRACT,
            months=months,
            due_on=date(2025, 7, 31),
            decided_on=date(2025, 5, 1),
            write=world.write("2025-05-01"),
        )
    except NotALump as refused:
        return refused.clause
    return None


@example("credited_later")
def credited_later(*, began: str, over: str, found: str) -> Mapping[str, Any]:
    """The bills of April, paid on 10 May, and of May, when an outage of April is found out later."""
    return {"total": asyncio.run(_billed_twice(began, over, found=found))}


async def _billed_twice(began: str, over: str, *, found: str) -> Mapping[str, int]:
    world = World()
    await a_contract(world, applied="2025-03-20", started="2025-04-01")
    await use_cases.agree_due_date(
        world.billing,
        ACCOUNT,
        contract_id=CONTRACT,
        month="2025-04",
        due_on=date(2025, 5, 31),
        write=world.write("2025-03-20"),
    )
    await world.run("2025-04-30")
    await use_cases.receive_payment(
        world.billing,
        ACCOUNT,
        payment_id=PAYMENT,
        received_on=date(2025, 5, 10),
        amount=None,
        names="2025-04",
        write=world.write("2025-05-10"),
    )
    await world.tell(outage(began, over), on=found)
    await world.run("2025-05-31")
    return {each.month: each.total for each in await world.documents()}


@contextmanager
def _terms(
    service: str, *, replacing: tuple[str, str] | None = None, added: str = ""
) -> Iterator[Path]:
    """A folder with the terms of a service, changed in one place or with a version more."""
    name = f"{service.lower()}.yaml"
    text = (TERMS / name).read_text("utf-8").rstrip("\n")
    if replacing is not None:
        assert replacing[0] in text
        text = text.replace(*replacing)
    with TemporaryDirectory() as path:
        folder = Path(path)
        for shared in ("japan.yaml", "clauses"):
            (folder / shared).symlink_to(TERMS / shared)
        (folder / name).write_text(f"{text}\n{added}", "utf-8")
        yield folder


def _day(text: str) -> date:
    return date.fromisoformat(text)
