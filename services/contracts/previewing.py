"""What a customer's end would come to, asked of a contract as it is; nothing is recorded.

The date and its clauses are decided here by the commands' own functions. What it would cost is
billing's to say: the answer names where.
"""

from datetime import date
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel

from libs.events.log import Log
from services.contracts import use_cases
from services.contracts.domain.changes import facts_with
from services.contracts.domain.contract import application_of
from services.contracts.domain.deadlines import ends_at_latest
from services.contracts.domain.facts import life_of
from services.contracts.domain.foreseeing import AskedInTime, EndWish, ForeseenEnd, foresee_end
from services.contracts.domain.terms import ContractTerms, Terms
from services.contracts.domain.timeline import check


class AskedAnswer(BaseModel):
    """Until when this end could be asked for in time; `missed` requests are not refused.

    `earliest_on` is the first end for which a request of `requested_on` is in time.
    """

    ask_by_on: date
    missed: bool
    earliest_on: date
    clause: str


class TerminationPreview(BaseModel):
    """The end that would result, and where billing says what it would cost.

    `ends_on` is the date as the terms use the word; `postponed` says that it is not the day asked
    for. `waits_for_yen` is what has to be paid by that day, before tax, else nothing ends.
    `charges` is a path of billing's API.
    """

    contract_id: UUID
    service: str
    way: Literal["by-form", "on-request", "by-notice"]
    asked_for_on: date
    requested_on: date
    confirmed_on: date | None
    option: str | None
    ends_on: date
    postponed: bool
    contract_end_on: date | None
    waits_for_yen: int
    clauses: list[str]
    asked_in_time: AskedAnswer | None
    charges: str


async def preview_termination(
    log: Log, contract_id: UUID, *, wish: EndWish, terms: Terms
) -> TerminationPreview:
    """What the commands would record; raises `UnknownContract` and what they would be refused with."""
    life, _ = await use_cases.load_life(log, contract_id)
    application = application_of(life.now)
    assert application is not None  # the contract is known
    service = application.service

    def terms_at(on: date) -> ContractTerms:
        return terms.at(service, on)

    foreseen = foresee_end(
        life,
        wish=wish,
        terms_at=terms_at,
        ends_at_latest=ends_at_latest(life, terms=terms),
    )
    if foreseen.events:
        facts = facts_with(life, foreseen.events)
        check(facts, ends_at_latest=ends_at_latest(life_of(facts), terms=terms))
    way = terms_at(wish.requested_on).termination_by_customer.way
    return TerminationPreview(
        contract_id=contract_id,
        service=service,
        way=way,
        asked_for_on=wish.on,
        requested_on=wish.requested_on,
        confirmed_on=wish.confirmed_on if way == "on-request" else None,
        option=wish.option,
        ends_on=foreseen.ends_on,
        postponed=foreseen.ends_on != wish.on,
        contract_end_on=foreseen.cancellation.contract_end_on if foreseen.cancellation else None,
        waits_for_yen=foreseen.cancellation.loss if foreseen.cancellation else 0,
        clauses=list(foreseen.clauses),
        asked_in_time=_asked(foreseen.asked),
        charges=f"/contracts/{contract_id}/end-preview?{urlencode(_told(foreseen, wish=wish))}",
    )


def _asked(asked: AskedInTime | None) -> AskedAnswer | None:
    if asked is None:
        return None
    return AskedAnswer(
        ask_by_on=asked.ask_by_on,
        missed=asked.missed,
        earliest_on=asked.earliest_on,
        clause=asked.clause,
    )


def _told(foreseen: ForeseenEnd, *, wish: EndWish) -> dict[str, str]:
    """What billing has to be told of the end, as its query takes it."""
    told: dict[str, object] = {
        "terminated_on": foreseen.ends_on,
        "requested_on": wish.requested_on,
        "penalty_due_on": wish.penalty_due_on,
    }
    if foreseen.cancellation is not None:
        sums = foreseen.cancellation
        told |= {"option": sums.option, "fee": sums.fee, "excess": sums.excess, "loss": sums.loss}
    return {name: str(value) for name, value in told.items() if value}
