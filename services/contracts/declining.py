"""The command by which a change that a customer asked for is declined."""

from datetime import date

from libs.events.log import Appended, Log
from services.contracts.domain import declining
from services.contracts.domain.terms import ChangeKind, Terms
from services.contracts.use_cases import Command, on_contract, terms_at


async def decline_change(
    log: Log,
    command: Command,
    *,
    kind: ChangeKind,
    applied_on: date,
    declined_on: date,
    ground: str,
    terms: Terms,
) -> Appended:
    """The operator refuses a change of content on a ground of the terms."""
    return await on_contract(
        log,
        command,
        lambda life: declining.decline_change(
            life,
            kind=kind,
            applied_on=applied_on,
            declined_on=declined_on,
            ground=ground,
            terms=terms_at(life, declined_on, terms=terms),
        ),
        terms=terms,
    )
