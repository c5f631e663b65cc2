"""Which debt money settles, and late interest."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.debts import (
    Debt,
    Part,
    Payment,
    allocate,
    charged,
    late_interest,
    late_on,
)
from services.billing.domain.terms import FormerInterest, Settings
from tests.unit.billing.assessed import terms_of


def a_debt(due: str, *, total: int = 2750, month: str = "2025-05", number: int = 1) -> Debt:
    """A debt with a due date."""
    due_on = date.fromisoformat(due)
    return Debt(debt_id=UUID(int=number), month=month, due_on=due_on, total=total, arises_on=due_on)


def a_payment(amount: int | None, *, names: str | None = None) -> Payment:
    """Money received."""
    on = date(2025, 7, 1)
    return Payment(
        payment_id=UUID(int=9), received_on=on, settled_on=on, amount=amount, names=names
    )


def interest(
    service: str, amount: int, due: str, paid: str, *, settings: Settings | None = None
) -> tuple[int, int, int]:
    """Days, rate and interest of an amount; zeros where nothing is owed."""
    debt = a_debt(due, total=amount)
    part = Part(payment_id=UUID(int=9), debt=debt, paid_on=date.fromisoformat(paid), amount=amount)
    entry = late_interest(part, terms=terms_of(service, settings))
    return (entry.days, entry.rate_permille, entry.interest) if entry else (0, 0, 0)


@pytest.mark.clause("NSEC-14-2.1a", "NSEC-14-2.1b", "NSEC-14-2.N", "NSEC-14.8a")
@pytest.mark.parametrize(
    ("amount", "due", "paid", "expected"),
    [
        pytest.param(5280, "2023-06-30", "2023-06-30", (0, 0, 0), id="on-the-due-date"),
        pytest.param(5280, "2023-06-30", "2023-07-10", (0, 0, 0), id="last-day-of-grace"),
        pytest.param(5280, "2023-06-30", "2023-07-11", (10, 145, 20), id="first-day-after"),
        pytest.param(88000, "2024-02-20", "2024-03-01", (0, 0, 0), id="leap-year-grace"),
        pytest.param(88000, "2024-02-20", "2024-03-02", (10, 145, 349), id="leap-year-after"),
        pytest.param(88000, "2024-02-20", "2024-03-10", (18, 145, 629), id="leap-day-counts"),
        pytest.param(88000, "2023-06-30", "2024-06-30", (365, 145, 12760), id="365-days"),
        pytest.param(88000, "2023-06-30", "2024-07-01", (366, 145, 12794), id="over-365"),
        pytest.param(960000, "2023-05-31", "2023-06-30", (29, 145, 11059), id="lump-sum"),
        pytest.param(496, "2023-08-31", "2023-09-11", (10, 145, 1), id="cut"),
        pytest.param(200, "2023-08-31", "2023-09-11", (0, 0, 0), id="below-a-yen"),
    ],
)
def test_nsec_interest(amount: int, due: str, paid: str, expected: tuple[int, int, int]) -> None:
    assert interest("MYSEC", amount, due, paid) == expected


@pytest.mark.clause("NSEC-S2019-07-24.1b")
@pytest.mark.parametrize(("due", "owed"), [("2019-08-30", 0), ("2019-08-31", 60)])
def test_nsec_interest_is_for_debts_overdue_from_2019_09_01(due: str, owed: int) -> None:
    assert interest("MYSEC", 88000, due, "2019-10-31")[0] == owed


@pytest.mark.clause(
    "WUTM-27.1.1", "WUTM-27.1.2", "WUTM-27.2", "WUTM-29", "WSRV-27.1a", "WSRV-27.1b", "WSRV-27.2"
)
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("amount", "due", "paid", "expected"),
    [
        pytest.param(2750, "2024-06-30", "2024-07-15", (0, 0, 0), id="last-day-of-grace"),
        pytest.param(2750, "2024-06-30", "2024-07-16", (15, 30, 3), id="first-day-after"),
        pytest.param(100000, "2028-01-31", "2028-03-31", (59, 30, 484), id="leap-day-counts"),
        pytest.param(100000, "2027-12-31", "2029-01-01", (366, 30, 3008), id="over-365"),
        pytest.param(30000, "2025-07-31", "2025-08-31", (30, 30, 73), id="repair"),
    ],
)
def test_west_interest(
    service: str, amount: int, due: str, paid: str, expected: tuple[int, int, int]
) -> None:
    assert interest(service, amount, due, paid) == expected


@pytest.mark.clause("WUTM-27.1.1", "WSRV-27.1a")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(("due", "rate"), [("2026-03-30", 30), ("2026-03-31", 50)])
def test_the_statutory_rate_is_that_of_the_first_day_of_delay(
    service: str, due: str, rate: int
) -> None:
    rates = ((date(2020, 4, 1), 30), (date(2026, 4, 1), 50))
    settings = Settings(statutory_rates=rates)
    assert interest(service, 100000, due, "2026-06-30", settings=settings)[1] == rate


@pytest.mark.clause("WUTM-S2022-08-01.2", "WSRV-S2022-08-01.2")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_debts_due_before_2022_08_01_follow_the_former_terms(service: str) -> None:
    former = Settings(former_interest=FormerInterest(permille=145, grace_days=10))
    assert interest(service, 100000, "2022-07-31", "2022-09-30") == (0, 0, 0)
    assert interest(service, 100000, "2022-08-01", "2022-09-30")[:2] == (59, 30)
    with_numbers = interest(service, 100000, "2022-07-31", "2022-08-11", settings=former)
    assert with_numbers == (10, 145, 397)
    assert interest(service, 100000, "2022-07-31", "2022-08-10", settings=former) == (0, 0, 0)
    assert interest(service, 100000, "2022-08-01", "2022-09-30", settings=former)[1] == 30


def test_no_rate_of_the_law_no_interest() -> None:
    settings = Settings(statutory_rates=((date(2026, 4, 1), 50),))
    assert interest("WUTM", 100000, "2026-03-30", "2026-06-30", settings=settings) == (0, 0, 0)
    assert interest("WUTM", 100000, "2026-03-31", "2026-06-30", settings=settings)[1] == 50


@given(late=st.integers(1, 800), amount=st.integers(1, 2_000_000))
def test_a_later_payment_never_owes_less(late: int, amount: int) -> None:
    def owed(days: int) -> int:
        paid = date.fromordinal(date(2024, 6, 30).toordinal() + days)
        return interest("WUTM", amount, "2024-06-30", paid.isoformat())[2]

    assert owed(late) <= owed(late + 1)


@pytest.mark.clause("WUTM-30.2", "WSRV-30.2")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_the_earliest_due_date_comes_first_whatever_is_named(service: str) -> None:
    june = a_debt("2025-06-30", month="2025-05", number=2)
    may = a_debt("2025-05-31", month="2025-04", number=1)
    found = allocate(
        a_payment(3000, names="2025-05"), open_debts=[june, may], terms=terms_of(service)
    )
    assert [(part.debt, part.amount) for part in found.parts] == [(may, 2750), (june, 250)]
    alone = allocate(
        a_payment(None, names="2025-05"), open_debts=[june, may], terms=terms_of(service)
    )
    assert [(part.debt, part.amount) for part in alone.parts] == [(may, 2750)]


@pytest.mark.clause("NSEC-14-2.1a")
def test_elsewhere_what_is_named_comes_first_and_the_rest_by_due_date() -> None:
    june = a_debt("2025-06-30", month="2025-05", number=2)
    may = a_debt("2025-05-31", month="2025-04", number=1)
    april = a_debt("2025-04-30", month="2025-03", number=3)
    found = allocate(
        a_payment(6000, names="2025-05"), open_debts=[june, may, april], terms=terms_of("MYSEC")
    )
    assert [(part.debt, part.amount) for part in found.parts] == [
        (june, 2750),
        (april, 2750),
        (may, 500),
    ]
    unnamed = allocate(a_payment(None), open_debts=[june, may], terms=terms_of("MYSEC"))
    assert (unnamed.amount, unnamed.unapplied) == (5500, 0)


def test_what_no_debt_takes_is_left_over() -> None:
    found = allocate(a_payment(3000), open_debts=[a_debt("2025-05-31")], terms=terms_of("WUTM"))
    assert (found.amount, found.unapplied) == (3000, 250)


@pytest.mark.clause("WUTM-27.3", "WSRV-27.3")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("last_day", "carried"), [("2024-07-15", False), ("2024-07-16", True), ("2024-08-31", True)]
)
def test_interest_waits_for_an_invoice_of_the_month_of_payment_or_later(
    service: str, last_day: str, *, carried: bool
) -> None:
    part = Part(
        payment_id=UUID(int=9), debt=a_debt("2024-06-30"), paid_on=date(2024, 7, 16), amount=2750
    )
    terms = terms_of(service)
    entry = late_interest(part, terms=terms)
    assert entry is not None
    to_on = date.fromisoformat(last_day)
    months = [(to_on.replace(day=1), to_on)]
    assert charged(entry, invoice_months=months, terms=terms) == carried
    billed_alone = terms_of(service, Settings(lone_interest="bill"))
    assert charged(entry, invoice_months=months, terms=billed_alone)
    assert charged(entry, invoice_months=[], terms=terms_of("MYSEC"))


@pytest.mark.clause("WUTM-30.1", "WSRV-30.1", "NSEC-14-2.1b")
@pytest.mark.parametrize("service", ["MYSEC", "WUTM", "WSRV"])
def test_a_debt_is_late_the_day_after_its_due_date_closed_or_not(service: str) -> None:
    saturday = a_debt("2025-05-31")
    assert late_on(saturday, terms=terms_of(service)) == date(2025, 6, 1)
