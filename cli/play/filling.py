"""What a scenario leaves out and a command needs: consents, grounds, notices."""

from datetime import date

from services.contracts.domain.ending import Judgement
from services.contracts.domain.terms import Terms
from services.contracts.domain.use import Notice

URGENT = "urgent, from a scenario"
MAIN_DEVICE = "played-1"


def consents(terms: Terms, *, service: str, on: date) -> tuple[str, ...]:
    """Every consent that the terms of a service ask for on a day."""
    return tuple(terms.at(service, on).application.consents)


def operator_judgement(terms: Terms, *, service: str, on: date) -> Judgement:
    """A ground on which the operator may end a contract without a notice before.

    One that needs no notice, else the first whose notice may be left out as urgent.
    """
    grounds = terms.at(service, on).termination_by_operator
    plain = [
        name
        for name, ground in grounds.items()
        if not (ground.notice or ground.after_suspension or ground.antisocial)
    ]
    urgent = [
        name
        for name, ground in grounds.items()
        if ground.urgent and not ground.after_suspension and not ground.antisocial
    ]
    return Judgement(ground=[*plain, *urgent][0], notice=Notice(urgent_reason=URGENT))
