"""What is foreseen, what is billed and what is played come out of one computation."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.play import offline
from cli.play.plan import last_of_calendar_month
from libs.events.envelope import Event
from libs.events.vocabulary.billing import ChargesAssessed
from services.billing.domain.account import Unopened, fold_account
from services.billing.ports import Billing
from services.billing.runs import Outcome, preview, run_invoices
from services.billing.use_cases import account_events
from tests.unit.properties.effort import effort
from tests.unit.properties.hearing import (
    LATER,
    Hearer,
    bill_the_rest,
    billed,
    everything,
    facts_of,
    in_order_of_recording,
    owed,
    played,
)
from tests.unit.properties.lives import SERVICES, lives

NOT_FORESEEN = {"billing.invoice-run-started.v1", "billing.invoice-run-finished.v1",
    "billing.documents-issued.v1", "billing.surplus-applied.v1"}  # fmt: skip
"""What a run says of itself, and of money left over, which concerns the account and no contract."""
OF_THE_RUN = {"invoice_id", "credit_note_id", "penalty_id", "run_id", "number", "hash",
    "previous_hash"}  # fmt: skip


def said(events: list[Event]) -> list[dict[str, Any]]:
    """Events as a run and a preview must both say them: without ids and places of the run's own."""
    return [event.model_dump(mode="json", exclude=OF_THE_RUN) for event in events]


@dataclass(slots=True)
class Foresight:
    """Asks for the preview of every contract in scope before each run, and keeps both."""

    foreseen: list[list[dict[str, Any]]] = field(default_factory=list)
    came: list[list[dict[str, Any]]] = field(default_factory=list)

    async def run(self, billing: Billing, **order: Any) -> Outcome:
        """The run itself, foreseen."""
        foreseen = [event for a in order["scope"] for event in await _foreseen(billing, a, order)]
        before = await billing.log.position()
        outcome = await run_invoices(billing, **order)
        came = await billing.log.read(before, limit=1_000)
        self.foreseen.append(said(_assessments_first(foreseen)))
        new = [fact.event for fact in came if fact.event.type not in NOT_FORESEEN]
        self.came.append(said(_assessments_first(new)))
        return outcome


async def _foreseen(billing: Billing, account_id: Any, order: dict[str, Any]) -> list[Event]:
    state = fold_account(account_events(await billing.log.load(account_id)))
    if isinstance(state, Unopened):
        return []
    found: list[Event] = []
    for contract_id in state.contract_ids:
        draft = await preview(
            billing, contract_id, closing_on=order["closing_on"], issued_on=order["issued_on"]
        )
        found += [*draft.assessed, *draft.account_events]
    return found


def _assessments_first(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: not isinstance(event, ChargesAssessed))


@pytest.mark.parametrize("service", SERVICES)
@effort(25)
@given(data=st.data())
async def test_every_run_of_a_play_issues_what_its_preview_showed(
    service: str, data: st.DataObject
) -> None:
    life, foresight = data.draw(lives(service)), Foresight()
    with pytest.MonkeyPatch.context() as places:
        places.setattr(offline, "run_invoices", foresight.run)
        await played(life)
    assert foresight.came == foresight.foreseen
    assert foresight.came, "a play has a run at its end"


@pytest.mark.parametrize("service", SERVICES)
@effort(25)
@given(data=st.data())
async def test_the_invoices_of_a_play_hold_what_the_rules_alone_make_of_its_facts(
    service: str, data: st.DataObject
) -> None:
    life = data.draw(lives(service))
    installation = await played(life)
    await bill_the_rest(life, installation)
    issued = await everything(installation.case.billing.log)
    assert billed(issued, through=life.through) == await owed(installation, through=life.through)


@pytest.mark.parametrize("service", SERVICES)
@effort(15)
@given(data=st.data())
async def test_a_billing_that_hears_it_all_later_foresees_and_bills_the_same(
    service: str, data: st.DataObject
) -> None:
    life = data.draw(lives(service))
    installation = await played(life)
    await bill_the_rest(life, installation)
    facts = sorted(await facts_of(installation), key=in_order_of_recording)
    last_on = last_of_calendar_month(life.through) + LATER
    hearer, foresight = Hearer(installation, on=last_on), Foresight()
    await hearer.hear(*facts)
    await foresight.run(hearer.billing, **hearer.order(last_on))
    assert foresight.came == foresight.foreseen
    once = billed(await everything(hearer.log), through=life.through)
    bit_by_bit = billed(await everything(installation.case.billing.log), through=life.through)
    assert once == bit_by_bit
