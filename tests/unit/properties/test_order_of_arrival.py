"""Whatever is heard when, with runs in between: the same sums, and tax within a yen a document."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.play.plan import last_of_calendar_month
from cli.play.scenario import Scenario, read_scenario
from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued
from tests.unit.properties.effort import effort
from tests.unit.properties.hearing import (
    bill_the_rest,
    billed,
    documents_in,
    everything,
    facts_of,
    heard,
    in_order_of_recording,
    played,
)
from tests.unit.properties.lives import SERVICES, lives

CASES = Path(__file__).parents[2] / "cases"
SCENARIOS = {
    path.stem: read_scenario(json.loads(path.read_text(encoding="utf-8")))
    for path in sorted(CASES.glob("*.json"))
}

Documents = Iterable[InvoiceIssued | CreditNoteIssued]


def taxes(documents: Documents) -> Counter[int]:
    """The tax of all documents, by rate."""
    found: Counter[int] = Counter()
    for document in documents:
        for tax in document.tax:
            found[tax.rate] += tax.tax
    return found


def exact_taxes(documents: Documents) -> Mapping[int, Fraction]:
    """The tax of all lines, by rate, cut nowhere."""
    found: dict[int, Fraction] = {}
    for document in documents:
        for line in document.lines:
            tax = Fraction(line.amount * line.tax_rate, 100)
            found[line.tax_rate] = found.get(line.tax_rate, Fraction(0)) + tax
    return found


def rests(documents: Documents) -> Counter[int]:
    """How many documents have cut their tax, by rate."""
    return Counter(tax.rate for document in documents for tax in document.tax)


async def ends_alike(life: Scenario, data: st.DataObject) -> None:
    """Hear the facts of a life in another order, with runs between, and compare what was billed."""
    installation = await played(life)
    await bill_the_rest(life, installation)
    facts = sorted(await facts_of(installation), key=in_order_of_recording)
    last_on = last_of_calendar_month(life.through)
    order = data.draw(st.permutations(facts))
    closing = st.dates(min_value=last_on - timedelta(days=200), max_value=last_on)
    places = st.integers(min_value=0, max_value=len(facts))
    runs = data.draw(st.lists(st.tuples(places, closing), max_size=4))
    hearer = await heard(installation, order, runs=runs, last_on=last_on)

    log, played_log = await everything(hearer.log), await everything(installation.case.billing.log)
    assert billed(log, through=life.through) == billed(played_log, through=life.through)
    for documents in (documents_in(log), documents_in(played_log)):
        cuts, cut = rests(documents), taxes(documents)
        for rate, exact in exact_taxes(documents).items():
            assert abs(exact - cut[rate]) <= cuts[rate]


@pytest.mark.clause("NSEC-14.9b", "WUTM-32.1", "WUTM-28.5", "WSRV-28.5")
@pytest.mark.parametrize("service", SERVICES)
@effort(25)
@given(data=st.data())
async def test_any_order_of_arrival_ends_in_the_same_sums_and_nearly_the_same_tax(
    service: str, data: st.DataObject
) -> None:
    await ends_alike(data.draw(lives(service)), data)


@pytest.mark.parametrize("name", SCENARIOS)
@effort(3)
@given(data=st.data())
async def test_so_do_the_golden_cases(name: str, data: st.DataObject) -> None:
    await ends_alike(SCENARIOS[name], data)
