"""`./yk terms show` and `diff`: what a lawyer reads of a day, and of an amendment."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.__main__ import main
from cli.commands.terms import app

INVENTED = Path(__file__).parents[1] / "terms" / "invented"


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def as_json(*arguments: str) -> Any:
    return json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)


def test_prices_are_shown_with_the_tax_of_the_day_and_their_place() -> None:
    shown = printed("show", "WUTM", "--on", "2024-06-01")
    assert "Version in force from 2023-12-01 to 2025-03-31 WUTM-S2023-12-01.1 附則" in shown
    assert "Consumption tax: 10% (since 2019-10-01)" in shown
    assert (
        "· Monthly: 2,500 yen before tax; consumption tax is added. With 10%: 2,750 yen. "
        "WUTM-A4.1 別紙4 1 “Monthly fee” since 2019-07-01"
    ) in shown
    assert "With 8%: 2,700 yen." in printed("show", "WUTM", "--on", "2019-09-30")


def test_what_came_from_the_shared_terms_says_so() -> None:
    entries = as_json("show", "MYSEC", "--on", "2024-06-01")["entries"]
    by_words = {entry["words"]: entry for entry in entries}
    interest = by_words[
        "Debts due on 2019-08-31 or later bear interest at 14.5% a year, from the day after the due "
        "date to the day before payment; nothing when they are paid within 10 days of the due date."
    ]
    assert (interest["shared"], interest["since"]) == (True, "2019-07-24")
    assert interest["place"].startswith("terms/nsec.yaml:")
    assert interest["clauses"][0]["id"] == "NSEC-14-2.1a"
    assert interest["clauses"][0]["where"].startswith("第14条の２")
    licence = by_words["Licence: 200 yen before tax; consumption tax is added."]
    assert (licence["shared"], licence["yen_with_tax"]) == (False, 220)


def test_an_amendment_is_told_from_and_to_with_its_clauses() -> None:
    (change,) = as_json("diff", "WUTM", "2021-05-16", "2021-05-17")["changes"]
    assert change["kind"] == "changed"
    assert change["was"].startswith("A desired day before the confirmation becomes the day of the")
    assert change["now"] == (
        "A desired day before the confirmation becomes 5 business days (Monday to Friday) after it."
    )
    assert [clause["id"] for clause in change["clauses"]] == ["WUTM-21.2.2"]
    assert change["clauses_gone"] == ["WUTM-S2021-05-11.2"]


def test_what_a_version_adds_is_told_as_added() -> None:
    changes = as_json("diff", "WUTM", "2023-09-30", "2023-10-01")["changes"]
    assert {change["kind"] for change in changes} == {"added"}
    assert "Qualified invoice: 400 yen before tax; consumption tax is added." in [
        change["now"] for change in changes
    ]


def test_the_days_of_a_difference_may_come_in_any_order() -> None:
    assert as_json("diff", "NQMS", "2023-08-01", "2023-07-31") == as_json(
        "diff", "NQMS", "2023-07-31", "2023-08-01"
    )


def test_a_price_is_told_from_and_to() -> None:
    shown = printed("diff", "BKUP", "2024-05-31", "2024-06-01", "--terms", str(INVENTED))
    assert (
        "CHANGED · Prices - Storage: 8,000 yen before tax; consumption tax is added. "
        "+ Storage: 9,000 yen before tax; consumption tax is added. BKUP-P2 料金表2 “Storage”"
    ) in shown


def test_a_change_of_the_tax_rate_belongs_to_the_difference() -> None:
    shown = printed("diff", "SSD", "2019-09-30", "2019-10-01")
    assert "- Consumption tax: 8% + Consumption tax: 10%" in shown


def test_an_amendment_that_changes_nothing_carried_out_says_so() -> None:
    shown = printed("diff", "WUTM", "2023-11-30", "2023-12-01")
    assert "Version in force from 2023-12-01 on WUTM-S2023-12-01.1" in shown
    assert shown.endswith("Nothing that is carried out from these terms changed.")


def test_nothing_is_printed_for_days_of_one_version() -> None:
    assert printed("diff", "WUTM", "2024-01-01", "2024-12-31") == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ["show", "WUTM", "--on", "2019-06-30"],
            "WUTM: nothing is in force on 2019-06-30; it begins on 2019-07-01",
            id="before-the-first-version",
        ),
        pytest.param(
            ["show", "WUTN"], "there are no terms of WUTN, did you mean WUTM?", id="unknown"
        ),
        pytest.param(
            ["diff", "WUTM", "2019-06-30", "2024-01-01"], "nothing is in force", id="diff-before"
        ),
    ],
)
def test_what_cannot_be_told_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["terms", *arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_a_clause_is_explained_from_its_rule_to_its_tests() -> None:
    told = printed("explain", "WUTM-27.1.1")
    assert told.startswith("WUTM-27.1.1 · Late interest at the statutory rate 第27条第1項本文")
    assert "R11 Which day fixes the statutory rate? The first day of delay" in told
    assert re.search(r"code services/billing/domain/debts\.py:\d+ late_interest", told)
    assert re.search(r"terms/wutm\.yaml:\d+ versions\.2022-08-01\.billing\.late_interest", told)
    assert "tests/unit/billing/test_debts.py" in told


def test_a_clause_is_found_where_the_terms_name_it_for_one_case_only() -> None:
    told = printed("explain", "WUTM-25.2.2.T2")
    assert re.search(r"terms/wutm\.yaml:\d+ versions\.\S+\.outage-credit\.gross", told)
    assert "tests/cases/wutm-19.json" in printed("explain", "WUTM-25.1")


def test_an_unknown_clause_is_refused_with_the_nearest_one() -> None:
    result = CliRunner().invoke(app, ["explain", "WUTM-27.1.9"])
    assert result.exit_code == 1
    assert "no clause WUTM-27.1.9 in terms/clauses, did you mean WUTM-27.1." in result.stderr
