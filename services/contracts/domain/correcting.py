"""Putting a recorded fact right."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from libs.events.corrections import with_values
from libs.events.vocabulary.contracts import ContractEvent, ContractFactCorrected
from libs.refusal.refusal import Refusal
from services.contracts.domain.changes import rebased, with_changes_rebased
from services.contracts.domain.facts import Facts, Life
from services.contracts.domain.refusals import UnknownFact

_FIXED = frozenset({"type", "contract_id", "customer_id", "service"})


class WrongValues(Refusal):
    """A correction names a field the fact does not have, or a value it cannot take."""

    code = "wrong-values"
    title = "The fact cannot have these values"


def correct(
    life: Life, *, corrects: UUID, values: Mapping[str, Any] | None, reason: str
) -> tuple[tuple[ContractEvent, ...], Facts]:
    """The correction of a fact, and the facts as they stand after it.

    `values` None withdraws the fact. Whose contract it is, and of which service, is no fact that
    can be put right this way. Changes of content that rest on the corrected one are moved with
    it. Whether the whole is still possible is for the caller to check.
    """
    fact = next((each for each in life.facts if each.event_id == corrects), None)
    if fact is None:
        raise UnknownFact(f"{corrects} is no fact of this contract", field="/corrects")
    correction = ContractFactCorrected(
        contract_id=fact.event.contract_id,
        corrects=corrects,
        values=None if values is None else dict(values),
        reason=reason,
    )
    if values is None:
        left = tuple(each for each in life.facts if each is not fact)
    else:
        right = _with_values(fact.event, values)
        if right == fact.event:
            return (), life.facts
        left = tuple(replace(each, event=right) if each is fact else each for each in life.facts)
    return (correction, *rebased(left)), with_changes_rebased(left)


def _with_values(event: ContractEvent, values: Mapping[str, Any]) -> ContractEvent:
    if fixed := sorted(_FIXED & values.keys()):
        raise WrongValues(f"{fixed[0]} is fixed", field=f"/values/{fixed[0]}")
    try:
        return with_values(event, values)
    except ValueError as error:
        raise WrongValues(str(error).splitlines()[0], field="/values") from error
