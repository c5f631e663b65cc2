"""Papers, device claims, tickets, costs and repairs."""

from datetime import date, datetime

import pytest

from libs.dates.japan import JAPAN
from libs.events.vocabulary.contracts import TicketOrdered
from libs.events.vocabulary.monitoring import FaultyDeviceOverdue, FaultyDeviceReturned, RepairMade
from tests.unit.billing.assessed import amounts, lines
from tests.unit.billing.facts import CONTRACT, Facts


def west(service: str = "WUTM", *, applied: str = "2023-01-01", **more: object) -> Facts:
    """A corporation's contract, on any line."""
    facts = Facts(service, content={"licensed": service == "WUTM"}, applied=applied, **more)  # type: ignore[arg-type]
    return facts.started(applied)


def issued(facts: Facts, name: str, on: str, **more: object) -> Facts:
    """A paper requested the day before and issued on a day."""
    certificate = {"month": None} if name == "CertificateIssued" else {}
    return facts.billing(
        name, requested_on="2023-01-01", issued_on=on, **{"copies": 1, **certificate, **more}
    )


@pytest.mark.clause("WUTM-A4.4.2", "WUTM-A4.4.1.1")
def test_certificates_cost_400_each_and_postage_as_spent() -> None:
    facts = issued(west(), "CertificateIssued", "2024-03-31", copies=2, postage=110)
    fee, postage = lines(facts, "2024-03")
    assert (fee.amount, fee.quantity, fee.tax_rate) == (800, 2, 10)
    assert (postage.code, postage.amount, postage.tax_rate) == ("WUTM-CERT-POST", 110, 0)


@pytest.mark.clause("WSRV-A4.5.1", "WSRV-A4.5.2", "WSRV-A4.4.1", "WSRV-A4.4.2")
def test_wsrv_passes_other_costs_on_as_well() -> None:
    facts = issued(west("WSRV"), "CertificateIssued", "2024-03-31", postage=110, other_costs=300)
    issued(facts, "QualifiedInvoiceIssued", "2024-03-31", other_costs=50)
    assert amounts(facts, "2024-03")[1:] == [
        ("CERT", 400),
        ("CERT-POST", 110),
        ("CERT-COST", 300),
        ("QINV", 400),
        ("QINV-COST", 50),
    ]


@pytest.mark.clause("WUTM-A4.1.N")
def test_a_licensed_device_frees_from_the_monthly_fee_only() -> None:
    facts = Facts(
        "WUTM", content={"licensed": True, "line": "collab"}, corporate=False, applied="2023-01-01"
    ).started("2023-01-01")
    issued(facts, "CertificateIssued", "2024-03-31", postage=110)
    assert amounts(facts, "2024-03") == [
        ("CERT", 400),
        ("CERT-POST", 110),
        ("ISSUE", 150),
        ("COLLECT", 50),
    ]


@pytest.mark.clause("WUTM-A4.3.N", "WUTM-A4.3.2")
def test_what_was_spent_on_a_qualified_invoice_bears_no_tax() -> None:
    facts = issued(west(), "QualifiedInvoiceIssued", "2025-07-02", postage=110, other_costs=580)
    assert [line.tax_rate for line in lines(facts, "2025-07")] == [10, 0, 0]


@pytest.mark.clause("WUTM-A4.3.2", "WUTM-A4.3.1", "WUTM-A4.3.N")
def test_a_qualified_invoice_is_charged_in_the_month_of_its_issue() -> None:
    facts = issued(west(), "QualifiedInvoiceIssued", "2025-07-02", postage=110, other_costs=580)
    assert amounts(facts, "2025-06") == []
    assert amounts(facts, "2025-07") == [("QINV", 400), ("QINV-POST", 110), ("QINV-COST", 580)]


@pytest.mark.clause("WUTM-A4.3.2", "WSRV-A4.4.2")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(("on", "charged"), [("2023-09-30", False), ("2023-10-01", True)])
def test_qualified_invoices_cost_something_from_2023_10_01(
    service: str, on: str, *, charged: bool
) -> None:
    facts = issued(west(service), "QualifiedInvoiceIssued", on)
    assert (("QINV", 400) in amounts(facts, on[:7])) == charged


@pytest.mark.clause("WUTM-A4.3.2", "WSRV-A4.4.2")
def test_a_standing_request_is_one_for_every_bill_that_has_something_on_it() -> None:
    facts = Facts(
        "WUTM",
        applied="2024-01-01",
        wants_qualified_invoice=True,
        qualified_invoice_postage=84,
    ).started("2024-01-01")
    facts.terminated("2024-03-01")
    paper = [("QINV", 400), ("QINV-POST", 84)]
    assert amounts(facts, "2024-01") == [("MONTHLY", 2500), *paper]
    assert amounts(facts, "2024-03") == []


@pytest.mark.clause("WUTM-A4.2.2.1", "WSRV-A4.2.2")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("reason", "on", "corporate", "expected"),
    [
        pytest.param("customer", "2024-06-10", False, True, id="at-the-customers-wish"),
        pytest.param("company", "2024-06-10", False, False, id="the-companys-mistake"),
        pytest.param("customer", "2024-06-10", True, False, id="a-corporation"),
        pytest.param("customer", "2024-02-10", False, False, id="in-the-free-months"),
    ],
)
def test_an_invoice_issued_again(
    service: str, reason: str, on: str, *, corporate: bool, expected: bool
) -> None:
    facts = Facts(
        service, content={"line": "collab"}, corporate=corporate, applied="2024-01-05"
    ).started("2024-01-05")
    facts.billing("InvoiceReissued", reissued_on=on, reason=reason)
    assert (("REISSUE", 150) in amounts(facts, on[:7])) == expected


@pytest.mark.clause("WUTM-A1.T3-3.N5.1")
def test_a_device_not_returned_costs_its_price_untaxed() -> None:
    facts = west()
    facts.add(
        FaultyDeviceOverdue(
            contract_id=CONTRACT,
            device_id=None,
            overdue_on=date(2025, 7, 9),
            replacement_cost=88000,
        )
    )
    (line,) = lines(facts, "2025-07")
    assert (line.code, line.amount, line.tax_rate) == ("WUTM-DEVICE", 88000, 0)


@pytest.mark.clause("WUTM-A1.T3-3.N5.2")
@pytest.mark.parametrize(
    ("finding", "claim", "expected"),
    [
        ("normal", None, []),
        ("excessive", None, [88000]),
        ("negligent", 30000, [30000]),
        ("negligent", 99000, [88000]),
    ],
)
def test_a_damaged_device_costs_up_to_its_price(
    finding: str, claim: int | None, expected: list[int]
) -> None:
    facts = west()
    facts.add(
        FaultyDeviceReturned(
            contract_id=CONTRACT,
            device_id=CONTRACT,
            returned_on=date(2025, 7, 9),
            finding=finding,  # type: ignore[arg-type]
            replacement_cost=88000,
            claim=claim,
        )
    )
    assert [line.amount for line in lines(facts, "2025-07")] == expected


@pytest.mark.clause("NSEC-A3.T4", "NSEC-A3.T5", "NSEC-A3.T6", "NSEC-20.3")
@pytest.mark.parametrize(
    ("kind", "amount"), [("config", 30000), ("question", 20000), ("urgent", 30000)]
)
def test_tickets_are_charged_when_ordered_even_in_the_free_month(kind: str, amount: int) -> None:
    facts = Facts("SSD", applied="2024-04-10").started("2024-04-15")
    facts.add(
        TicketOrdered(
            contract_id=CONTRACT,
            kind=kind,  # type: ignore[arg-type]
            quantity=2,
            ordered_on=date(2024, 4, 20),
        )
    )
    facts.terminated("2024-04-25", cause="abolition")
    (line,) = lines(facts, "2024-04")
    assert (line.amount, line.quantity, line.days) == (amount, 2, None)


@pytest.mark.clause("NSEC-26.3")
def test_a_disclosure_fee_is_untaxed_on_the_invoice() -> None:
    facts = Facts("MYSEC", applied="2024-01-10").started("2024-01-10")
    facts.billing(
        "ActualCostRecorded", recorded_on="2024-03-05", kind="disclosure", amount=500, due_on=None
    )
    (line,) = lines(facts, "2024-03")
    assert (line.code, line.amount, line.tax_rate) == ("MYSEC-DISCLOSURE", 500, 0)


@pytest.mark.clause("WSRV-A1.3.1.1.2b")
@pytest.mark.parametrize(
    ("at", "urgent", "charged"),
    [
        pytest.param("2025-06-07T09:00", True, False, id="saturday-nine"),
        pytest.param("2025-06-06T17:00", True, False, id="friday-five"),
        pytest.param("2025-06-06T17:01", True, True, id="after-five"),
        pytest.param("2025-06-06T08:59", True, True, id="before-nine"),
        pytest.param("2025-06-08T12:00", True, True, id="sunday"),
        pytest.param("2025-04-29T12:00", True, True, id="holiday"),
        pytest.param("2025-06-08T12:00", False, False, id="not-urgent"),
    ],
)
def test_an_urgent_repair_out_of_hours_costs_what_it_cost(
    at: str, *, urgent: bool, charged: bool
) -> None:
    facts = west("WSRV")
    made_at = datetime.fromisoformat(at).replace(tzinfo=JAPAN)
    facts.add(RepairMade(contract_id=CONTRACT, made_at=made_at, urgent=urgent, actual_cost=12000))
    found = [line for line in lines(facts, at[:7]) if line.code == "WSRV-ONSITE"]
    assert [(line.amount, line.tax_rate) for line in found] == ([(12000, 0)] if charged else [])


@pytest.mark.clause("WUTM-33.1", "WUTM-29", "WSRV-33a")
@pytest.mark.parametrize(
    ("service", "relief", "expected"),
    [
        pytest.param("WUTM", {"full": True}, [1250, -1250], id="waived"),
        pytest.param("WUTM", {"percent": 50}, [1250, -625], id="half"),
        pytest.param("WUTM", {"percent": 33}, [1250, -413], id="what-is-left-is-cut"),
        pytest.param("WUTM", {"amount": 300}, [1250, -300], id="a-sum"),
        pytest.param("WUTM", {"amount": 3000}, [1250, -1250], id="never-below-zero"),
        pytest.param(
            "WUTM", {"from_on": "2025-06-20", "to_on": "2025-06-23"}, [1250, -334], id="days"
        ),
        pytest.param("WSRV", {"percent": 50}, [740, -370], id="wsrv"),
    ],
)
def test_disaster_relief_comes_after_proration(
    service: str, relief: dict[str, object], expected: list[int]
) -> None:
    facts = Facts(service, applied="2025-06-01").started("2025-06-16")
    facts.billing("ReliefGranted", granted_on="2025-06-20", **relief)
    found = lines(facts, "2025-06")
    assert [line.amount for line in found] == expected
    assert len(lines(facts, "2025-07")) == 1


@pytest.mark.clause("WUTM-33.1")
def test_relief_for_days_counts_no_day_twice() -> None:
    facts = Facts("WUTM", applied="2025-06-01").started("2025-06-16")
    facts.outage("2025-06-20T00:00", "2025-06-22T00:00")
    facts.billing(
        "ReliefGranted", granted_on="2025-06-20", from_on="2025-06-21", to_on="2025-07-01"
    )
    june = lines(facts, "2025-06")
    assert [line.days for line in june] == [15, 2, 9]
    assert sum(line.amount for line in june) == 2500 * 4 // 30
    assert lines(facts, "2025-07")[1].days == 1
