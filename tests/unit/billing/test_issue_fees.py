"""Issue and collection fees, and who does not pay them."""

from datetime import date
from typing import Any

import pytest

from libs.events.vocabulary.contracts import CustomerDetailsChanged, LineConverted
from tests.unit.billing.assessed import amounts, assessment, bills
from tests.unit.billing.facts import ACCOUNT, CONTRACT, CUSTOMER, Facts

BOTH = [("ISSUE", 150), ("COLLECT", 50)]


def individual(
    start: str = "2024-01-15", *, service: str = "WUTM", line: str = "collab", **more: Any
) -> Facts:
    """An individual's contract on a collaboration line, paid by bill unless said."""
    content = {"line": line, **{k: v for k, v in more.items() if k in ("licensed", "billing_day")}}
    rest = {k: v for k, v in more.items() if k not in content}
    facts = Facts(service, content=content, corporate=False, applied="2023-12-01", **rest)
    return facts.started(start)


def fees(facts: Facts, month: str) -> list[tuple[str, int]]:
    """The fees of a month, without what else is on its bill."""
    return [each for each in amounts(facts, month) if each[0] in ("ISSUE", "COLLECT")]


@pytest.mark.clause(
    "WUTM-A4.2.1.4",
    "WUTM-A4.2.1.5",
    "WUTM-A4.2.2.0",
    "WUTM-A4.2.2.1",
    "WUTM-A4.2.2.2",
    "WSRV-A4.2.1a",
    "WSRV-A4.2.1c",
    "WSRV-A4.2.1d",
    "WSRV-A4.2.2",
)
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("invoice", BOTH),
        ("account_transfer_notice", BOTH[:1]),
        ("account_transfer", []),
        ("credit_card", []),
    ],
)
def test_the_payment_method_decides(
    service: str, method: str, expected: list[tuple[str, int]]
) -> None:
    assert fees(individual(service=service, method=method), "2024-03") == expected


@pytest.mark.clause("WUTM-A4.2.1.1")
def test_lines_off_the_collaboration_model_bear_none() -> None:
    assert fees(individual(line="flets"), "2024-03") == []


@pytest.mark.clause("WSRV-A4.2.1a")
def test_wsrv_asks_for_no_collaboration_line() -> None:
    assert fees(individual(service="WSRV", line="flets"), "2024-03") == BOTH


@pytest.mark.clause("WUTM-A4.2.1.1")
@pytest.mark.parametrize(
    ("converted", "end", "expected"),
    [
        pytest.param("2025-06-20", None, BOTH, id="inside-the-month"),
        pytest.param("2025-06-30", None, BOTH, id="on-its-last-day"),
        pytest.param("2025-07-01", None, [], id="the-day-after"),
        pytest.param("2025-06-20", "2025-06-20", [], id="after-the-last-service-day"),
        pytest.param("2025-06-20", "2025-06-21", BOTH, id="on-the-last-service-day"),
    ],
)
def test_the_line_is_judged_on_the_last_service_day(
    converted: str, end: str | None, expected: list[tuple[str, int]]
) -> None:
    facts = individual(line="flets")
    facts.add(LineConverted(contract_id=CONTRACT, converted_on=date.fromisoformat(converted)))
    if end:
        facts.terminated(end)
    assert fees(facts, "2025-06") == expected


@pytest.mark.clause("WUTM-A4.2.1.3", "WSRV-A4.2.1b")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("start", "day", "free", "first"),
    [
        pytest.param("2025-04-30", 1, ["2025-04", "2025-05"], "2025-06", id="one-day-is-enough"),
        pytest.param("2025-05-01", 1, ["2025-05", "2025-06"], "2025-07", id="first-day"),
        pytest.param("2025-05-05", 11, ["2025-04", "2025-05"], "2025-06", id="by-billing-month"),
    ],
)
def test_the_first_two_billing_months_bear_none(
    service: str, start: str, day: int, free: list[str], first: str
) -> None:
    facts = individual(start, service=service, billing_day=day)
    assert [fees(facts, month) for month in free] == [[], []]
    assert fees(facts, first) == BOTH


@pytest.mark.clause("WSRV-A4.2.1b")
def test_every_conversion_frees_its_month_and_the_next_in_wsrv_only() -> None:
    for service, expected in (("WSRV", []), ("WUTM", BOTH)):
        facts = individual(service=service)
        facts.add(LineConverted(contract_id=CONTRACT, converted_on=date(2025, 3, 15)))
        assert fees(facts, "2025-02") == BOTH
        assert fees(facts, "2025-03") == fees(facts, "2025-04") == expected
        assert fees(facts, "2025-05") == BOTH


@pytest.mark.clause("WUTM-28.4", "WUTM-A4.2.1.3")
def test_a_stub_bears_none_and_is_no_month_of_the_two() -> None:
    facts = individual("2025-05-10").cycle("2025-06-11")
    assert fees(facts, "2025-06") == []
    assert fees(facts, "2025-06-11") == []
    assert fees(facts, "2025-07") == BOTH


@pytest.mark.clause("WUTM-28.4", "WUTM-A4.2.1.3")
def test_a_stub_that_holds_the_start_is_the_first_of_the_two() -> None:
    facts = individual("2025-06-05").cycle("2025-06-11")
    assert fees(facts, "2025-06") == fees(facts, "2025-06-11") == []
    assert fees(facts, "2025-07") == BOTH


@pytest.mark.clause("WUTM-A4.2.3.1", "WUTM-A4.2.3.3", "WSRV-A4.2.3.1", "WSRV-A4.2.3.3")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize("exemption", ["consolidated_claim", "issue_fee_exempt"])
def test_set_cases_bear_none(service: str, exemption: str) -> None:
    facts = individual(service=service, **{exemption: True})  # type: ignore[arg-type]
    assert fees(facts, "2024-03") == []


@pytest.mark.clause("WUTM-A4.2.3.3", "WSRV-A4.2.3.3")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_a_set_case_is_judged_on_the_day_of_the_bill(service: str) -> None:
    facts = individual(service=service)
    facts.billing(
        "AccountArranged",
        account_id=ACCOUNT,
        arranged_on="2024-04-20",
        payment_method="invoice",
        issue_fee_exempt=True,
    )
    assert fees(facts, "2024-03") != []
    assert fees(facts, "2024-04") == []


@pytest.mark.clause("WUTM-A4.2.3.2", "WSRV-A4.2.3.2")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_a_corporation_on_the_day_of_the_bill_bears_none(service: str) -> None:
    facts = individual(service=service)
    facts.add(
        CustomerDetailsChanged(
            customer_id=CUSTOMER,
            changed_on=date(2024, 4, 3),
            notified_on=date(2024, 4, 3),
            corporate=True,
        )
    )
    codes = {
        day: [
            line.amount for line in assessment(facts, "2024-03", issued_on=date(2024, 4, day)).lines
        ]
        for day in (2, 3)
    }
    assert codes[2][1:] == [150, 50]
    assert codes[3][1:] == []


@pytest.mark.clause("WUTM-A4.2.1.2")
def test_nothing_else_to_pay_no_fee() -> None:
    facts = individual(licensed=True)
    assert amounts(facts, "2024-10") == []


@pytest.mark.clause("WUTM-A4.2.1.2")
def test_a_certificate_alone_bears_them() -> None:
    facts = individual(licensed=True).billing(
        "CertificateIssued", requested_on="2024-10-01", issued_on="2024-10-02", month=None, copies=1
    )
    assert amounts(facts, "2024-10") == [("CERT", 400), *BOTH]


@pytest.mark.clause("WUTM-28.2.0", "WSRV-28.2.0")
def test_they_are_never_prorated() -> None:
    facts = individual("2024-01-15").terminated("2025-04-10")
    assert amounts(facts, "2025-04") == [("MONTHLY", 750), *BOTH]


@pytest.mark.clause("WUTM-31", "WUTM-A4.2.1.3", "WSRV-31")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("start", "fees_due"),
    [
        pytest.param("2025-04-10", BOTH, id="june-is-the-third-month"),
        pytest.param("2025-05-10", [], id="june-is-the-second"),
    ],
)
def test_a_lump_bears_them_once_if_one_of_its_months_does(
    service: str, start: str, fees_due: list[tuple[str, int]]
) -> None:
    facts = individual(start, service=service).lumped("2025-04", "2025-05", "2025-06")
    (bill,) = bills(facts, until=date(2025, 6, 30))
    found = [
        (line.code.partition("-")[2], line.amount)
        for line in bill.lines
        if not line.code.endswith("MONTHLY")
    ]
    assert found == fees_due


@pytest.mark.clause("WUTM-31")
def test_a_lump_bears_them_though_its_newest_month_has_nothing() -> None:
    facts = individual("2024-04-10").terminated("2025-06-01")
    facts.lumped("2025-05", "2025-06")
    (bill,) = [each for each in bills(facts, until=date(2025, 6, 30)) if "2025-06" in each.months]
    assert [line.amount for line in bill.lines] == [2500, 150, 50]


@pytest.mark.clause("WUTM-A4.2.1.1", "WUTM-31")
def test_the_line_of_a_lump_is_judged_in_its_newest_month() -> None:
    facts = individual("2024-04-10", line="flets")
    facts.add(LineConverted(contract_id=CONTRACT, converted_on=date(2025, 6, 20)))
    facts.lumped("2025-05", "2025-06").terminated("2025-06-01", cause="line")
    assert not any(
        "ISSUE" in line.code
        for bill in bills(facts, until=date(2025, 6, 30))
        for line in bill.lines
    )
    goes_on = individual("2024-04-10", line="flets")
    goes_on.add(LineConverted(contract_id=CONTRACT, converted_on=date(2025, 6, 20)))
    goes_on.lumped("2025-05", "2025-06")
    (lump,) = [each for each in bills(goes_on, until=date(2025, 6, 30)) if each.month == "2025-06"]
    assert [line.amount for line in lump.lines] == [2500, 2500, 150, 50]
