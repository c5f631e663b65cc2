"""Comparing a result with a case, as the format of the cases says."""

from typing import Any

import pytest

from cli.play.compare import differences


def a_line(**changes: Any) -> dict[str, Any]:
    line = {"code": "WUTM-MONTHLY", "clause": "WUTM-28.2", "quantity": 1, "days": 4, "amount": 333}
    return {**line, **changes}


def a_result(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    invoice = {"month": "2024-06", "lines": list(lines), "total": 366}
    return {"invoices": [invoice], "penalties": [], "late_interest": [], "extra": {}, **changes}


@pytest.mark.parametrize(
    ("wanted", "cited"),
    [
        pytest.param("WUTM-28.2", ["WUTM-A4.1", "WUTM-28.2.1"], id="a finer id among several"),
        pytest.param("NSEC-14.5", "NSEC-14.5a", id="a rule split off by a letter"),
        pytest.param("NSEC-A3.N6", "NSEC-A3.N6c", id="a lettered note"),
        pytest.param("NSEC-14.2", "NSEC-14.2", id="the same id"),
    ],
)
def test_a_clause_is_met_by_the_same_or_a_finer_one(wanted: str, cited: str | list[str]) -> None:
    assert differences(a_result(a_line(clause=wanted)), a_result(a_line(clause=cited))) == []


@pytest.mark.parametrize(
    ("wanted", "cited"),
    [("NSEC-14.1", "NSEC-14.10"), ("WUTM-28.2.1", "WUTM-28.2"), ("WUTM-25.1", "WUTM-28.1")],
)
def test_a_clause_is_not_met_by_another(wanted: str, cited: str) -> None:
    assert len(differences(a_result(a_line(clause=wanted)), a_result(a_line(clause=cited)))) == 2


def test_the_order_of_lines_does_not_matter_but_their_number_does() -> None:
    one, two = a_line(), a_line(code="WUTM-OUTAGE", amount=-83)
    assert differences(a_result(one, two), a_result(two, one)) == []
    assert differences(a_result(one), a_result(one, one)) != []
    assert differences(a_result(one, one), a_result(one)) != []


def test_a_yen_more_is_a_difference() -> None:
    assert differences(a_result(a_line()), a_result(a_line(amount=334))) != []


def test_named_extras_must_be_there_exactly_when_expected() -> None:
    got = a_result(extra={"maximum_period_last_day": "2028-12-31", "free": 1})
    assert differences(a_result(), got) == [
        "extra.maximum_period_last_day: expected None, got 2028-12-31"
    ]
    wanted = a_result(extra={"maximum_period_last_day": "2028-12-31"})
    assert differences(wanted, got) == []
    assert differences(wanted, a_result()) != []


def test_a_missing_month_is_said() -> None:
    assert differences(a_result(), {**a_result(), "invoices": []}) == [
        "invoices: expected ['2024-06'], got []"
    ]
