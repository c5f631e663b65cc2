"""Documents: sums, tax, lumps, and what is still to bill of a month."""

from dataclasses import replace
from datetime import date

import pytest

from libs.events.vocabulary.contracts import WorkAccepted
from services.billing.domain.document import adjust, taxes
from services.billing.domain.line import Line
from tests.unit.billing.assessed import assessment, bills, lines
from tests.unit.billing.facts import CONTRACT, Facts


def a_line(amount: int, *, rate: int = 10) -> Line:
    """A line of some amount."""
    day = date(2025, 4, 1)
    return Line(
        key=f"X:{amount}",
        code="X",
        clauses=(),
        quantity=1,
        days=None,
        amount=amount,
        tax_rate=rate,
        from_on=day,
        to_on=day,
        arithmetic="",
    )


def wutm(start: str = "2024-01-01") -> Facts:
    """A corporation's contract in force."""
    return Facts("WUTM", applied="2023-12-01").started(start)


@pytest.mark.clause(
    "NSEC-14.9a",
    "NSEC-14.9b",
    "WUTM-32.1",
    "WUTM-32.2",
    "WUTM-29",
    "WSRV-29",
    "WSRV-32b",
    "NSEC-14.8a",
)
@pytest.mark.parametrize(
    ("amounts", "tax"),
    [
        pytest.param([3000], 300, id="exact"),
        pytest.param([451], 45, id="cut"),
        pytest.param([451, 419], 87, id="once-on-the-sum"),
        pytest.param([1416, 166], 158, id="two-contracts"),
        pytest.param([9], 0, id="below-a-yen"),
        pytest.param([2416], 241, id="not-the-printed-price"),
        pytest.param([-109], -10, id="a-credit-in-its-absolute-value"),
    ],
)
def test_tax_is_cut_off_once_a_document_and_rate(amounts: list[int], tax: int) -> None:
    assert [each.tax for each in taxes(map(a_line, amounts))] == [tax]


def test_rates_stand_in_rising_order_without_those_of_nothing() -> None:
    found = taxes([a_line(100), a_line(50, rate=8), a_line(7, rate=0), a_line(-50, rate=8)])
    assert [(each.rate, each.base) for each in found] == [(10, 100)]


@pytest.mark.clause("NSEC-14.9a")
def test_every_rate_has_a_tax_of_its_own() -> None:
    found = taxes([a_line(119), a_line(19, rate=8), a_line(50), a_line(100, rate=8)])
    assert [(each.rate, each.base, each.tax) for each in found] == [(8, 119, 9), (10, 169, 16)]


@pytest.mark.clause("NSEC-14.9a")
def test_what_is_payable_is_the_charges_and_their_tax() -> None:
    facts = Facts("CAS", content={"packs": {1: 5}}, applied="2024-01-10").started("2024-01-10")
    (february,) = bills(facts, until=date(2024, 2, 29))
    assert february.total - february.subtotal == february.tax[0].tax == february.subtotal // 10


@pytest.mark.clause("NSEC-14.7", "WUTM-A4.2.1.2")
def test_a_month_without_lines_has_no_document() -> None:
    facts = Facts("MYSEC", content={"packs": {1: 5}}, applied="2024-01-10").started("2024-02-10")
    (march,) = bills(facts, until=date(2024, 3, 31))
    assert (march.month, str(march.from_on), str(march.to_on)) == (
        "2024-03",
        "2024-03-01",
        "2024-03-31",
    )


@pytest.mark.clause("WUTM-31", "WSRV-31")
@pytest.mark.parametrize(("service", "subtotal", "tax"), [("WUTM", 4250, 425), ("WSRV", 2516, 251)])
def test_a_lump_keeps_its_months_and_taxes_their_sum(service: str, subtotal: int, tax: int) -> None:
    facts = Facts(service, applied="2025-04-10").started("2025-04-10")
    facts.lumped("2025-04", "2025-05", due="2025-07-31")
    (bill,) = bills(facts, until=date(2025, 5, 31))
    assert (bill.month, bill.months) == ("2025-05", ("2025-04", "2025-05"))
    assert (bill.subtotal, bill.tax[0].tax, str(bill.due_on)) == (subtotal, tax, "2025-07-31")
    assert (str(bill.from_on), str(bill.to_on)) == ("2025-04-01", "2025-05-31")


def test_an_agreed_due_date_stands_on_its_month() -> None:
    facts = wutm().billing(
        "DueDateAgreed",
        account_id=wutm().timeline.contract_id,
        month="2024-01",
        due_on="2024-03-31",
    )
    january, february = bills(facts, until=date(2024, 2, 29))
    assert (str(january.due_on), february.due_on) == ("2024-03-31", None)


@pytest.mark.clause("WUTM-28.5", "WUTM-25.3.1", "WUTM-28.2.4", "WSRV-28.5", "WSRV-25.2a")
def test_a_late_outage_is_credited_as_a_line_of_its_month() -> None:
    facts = wutm()
    billed = lines(facts, "2025-04")
    assert adjust(billed, now=assessment(facts, "2025-04")) == ()
    facts.outage("2025-04-10T00:00", "2025-04-12T01:00")
    (credit,) = adjust(billed, now=assessment(facts, "2025-04"))
    assert (credit.code, credit.amount, credit.adjusts) == ("WUTM-OUTAGE", -167, "2025-04")
    facts.outage("2025-04-20T00:00", "2025-04-21T01:00")
    (more,) = adjust((*billed, credit), now=assessment(facts, "2025-04"))
    assert more.amount == -83
    assert adjust((*billed, credit, more), now=assessment(facts, "2025-04")) == ()


@pytest.mark.clause("WUTM-25.3.1", "WSRV-25.2a")
def test_a_line_that_became_dearer_is_billed_by_the_difference() -> None:
    facts = wutm("2025-04-10")
    billed = (replace(lines(facts, "2025-04")[0], amount=1000),)
    (difference,) = adjust(billed, now=assessment(facts, "2025-04"))
    assert (difference.amount, difference.arithmetic) == (750, "1,750 - 1,000 = 750")


def test_a_line_that_vanished_is_given_back_at_its_own_rate() -> None:
    facts = Facts("MYSEC", content={"packs": {1: 5}}, applied="2019-07-01").started("2019-07-05")
    billed = lines(facts, "2019-09")
    facts.terminated("2019-08-20")
    (back,) = adjust(billed, now=assessment(facts, "2019-09"))
    assert (back.amount, back.tax_rate) == (-1000, 8)


def test_what_was_adjusted_once_is_not_adjusted_again() -> None:
    facts = wutm()
    billed = lines(facts, "2025-04")
    facts.outage("2025-04-10T00:00", "2025-04-12T01:00")
    now = assessment(facts, "2025-04")
    assert adjust((*billed, *adjust(billed, now=now)), now=now) == ()


def test_a_month_never_billed_gives_its_lines() -> None:
    now = assessment(wutm(), "2025-04")
    assert adjust((), now=now) == now.lines


def test_two_lines_of_one_key_are_put_right_together() -> None:
    facts = Facts("RRNS", content={"monthly_fee": 9_800}, applied="2024-01-10")
    facts.add(WorkAccepted(contract_id=CONTRACT, accepted_on=date(2024, 1, 20)))
    facts.changed("2024-02-05", "option-added", option="vpn", monthly_fee=1_000)
    facts.changed("2024-02-05", "option-added", option="vpn", monthly_fee=1_000)
    now = assessment(facts, "2024-03")
    assert [line.amount for line in now.lines] == [9_800, 1_000, 1_000]
    assert adjust(now.lines, now=now) == ()
    (difference,) = adjust(now.lines[:2], now=now)
    assert (difference.code, difference.amount) == ("RRNS-MONTHLY:vpn", 1_000)
