"""What a scenario leaves out and a command needs: consents, grounds, notices."""

from datetime import date

from services.contracts.domain.ending import Judgement
from services.contracts.domain.refusals import NotAGround
from services.contracts.domain.terms import OperatorGround, Terms
from services.contracts.domain.use import Notice

URGENT = "urgent, from a scenario"
UNPAID = "unpaid"
UNTOLD = "from a scenario"


def consents(terms: Terms, *, service: str, on: date) -> tuple[str, ...]:
    """Every consent that the terms of a service ask for on a day."""
    return tuple(terms.at(service, on).application.consents)


def suspension_ground(terms: Terms, *, service: str, on: date, told: str | None) -> str:
    """The ground told; else an unpaid debt, or the first ground of terms that do not name one."""
    rules = terms.at(service, on).suspension
    grounds = tuple(rules.grounds) if rules else ()
    return told or (UNPAID if UNPAID in grounds or not grounds else grounds[0])


def customer_ground(terms: Terms, *, service: str, on: date) -> str | None:
    """The ground on which a customer ends a contract where its terms ask for one."""
    rule = terms.at(service, on).termination_by_customer
    return None if rule.way == "by-form" else next(iter(rule.at_once), None)


def operator_judgement(
    terms: Terms, *, service: str, on: date, cause: str | None = None
) -> Judgement:
    """A ground of the sort that a scenario names, on which no notice or demand has to go before.

    One that needs no notice, else the first whose notice may be left out as urgent.
    """
    grounds = [
        (name, ground)
        for name, ground in terms.at(service, on).termination_by_operator.items()
        if _sort_of(ground) == (cause or "breach")
        and not (ground.after_suspension or ground.demand)
    ]
    plain = [name for name, ground in grounds if not ground.notice]
    urgent = [name for name, ground in grounds if ground.urgent]
    if not (plain or urgent):
        raise NotAGround(f"the terms know no ground of the sort {cause}")
    return Judgement(ground=[*plain, *urgent][0], notice=Notice(urgent_reason=URGENT))


def _sort_of(ground: OperatorGround) -> str:
    if ground.days_from_formation is not None:
        return "thirty_day"
    if ground.before_acceptance:
        return "not_acceptable"
    return "antisocial" if ground.antisocial else "breach"
