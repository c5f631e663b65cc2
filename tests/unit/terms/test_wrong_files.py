"""A wrong file is refused with its line and the reason: by the check, by a play, by a service."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cli.commands import play
from cli.commands.terms import check as check_command
from cli.processes import CannotStart
from cli.terms.check import check
from libs.terms.faults import WrongTerms
from services.billing.terms_folder import TermsFolder

ROOT = Path(__file__).parents[3]
INVENTED = Path(__file__).parent / "invented"
EDITS = [
    pytest.param(
        "2024-06-01:", "2023-03-01:", "2023-03-01:", "2023-03-01 overlaps 2023-04-01", id="overlap"
    ),
    pytest.param(
        "2024-06-01:", "2023-04-01: # two", "# two", "2023-04-01 is said twice", id="date-twice"
    ),
    pytest.param("2024-06-01:", "soon:", "soon:", "soon is no effective date", id="no-date"),
    pytest.param("2024-06-01:", "2024-06-31:", "2024-06-31", "is no date", id="no-such-day"),
    pytest.param(
        "- outage-credit:",
        "- outage-debit:",
        "- outage-debit:",
        "billing.charging: outage-debit is no policy, did you mean outage-credit?",
        id="unknown-policy",
    ),
    pytest.param(
        "appliance: {yen: 3100, clause: BKUP-P3}",
        "router: {yen: 3100, clause: BKUP-P3}",
        "price: appliance",
        "needs the price appliance, which is missing (in the version of 2023-04-01)",
        id="missing-price",
    ),
    pytest.param(
        "storage: {yen: 9000, clause: BKUP-P2}",
        "storage: null",
        "price: storage",
        "needs the price storage, which is missing (in the version of 2024-06-01)",
        id="a-price-taken-away",
    ),
    pytest.param(
        "unbroken: BKUP-8.1",
        "unbroken: [BKUP-8.1,\n              BKUP-9.9]",
        "BKUP-9.9",
        "BKUP-9.9 is no clause of the catalogue",
        id="unknown-clause",
    ),
    pytest.param("clause: BKUP-S2", "clause: BKUP-S9", "BKUP-S9", "no clause", id="its-clause"),
    pytest.param("BKUP-11.2}", "WRNG-1}", "WRNG-1", "no clause", id="clause-of-a-ground"),
    pytest.param(
        "2023-04-01:", "1996-04-01:", "1996-04-01:", "a hole: BKUP begins on 1996-04-01", id="hole"
    ),
    pytest.param(
        "clause: BKUP-S2",
        "clause: BKUP-S2\n    notifications: null",
        "2024-06-01:",
        "a hole: from 2024-06-01 on, BKUP has no section notifications",
        id="a-section-ends",
    ),
    pytest.param(
        "permille: 100",
        "due_from: 2020-01-01\n          permille: statutory",
        "permille: statutory",
        "a hole: statutory interest is wanted for debts due from 2020-01-01 on",
        id="hole-in-the-law",
    ),
    pytest.param(
        "clause: BKUP-12",
        "clause: BKUP-12\n        - {permille: 30, clause: BKUP-12}",
        "{permille: 30",
        "due_from is missing",
        id="interest-overlaps",
    ),
    pytest.param(
        "yen: 8000", "yen: '8000'", "yen: '8000'", 'a whole number is wanted, not "8000"', id="text"
    ),
    pytest.param(
        "yen: 8000", "yen: 80.5", "80.5", "a whole number is wanted, not 80.5", id="fraction"
    ),
    pytest.param(
        "yen: 8000", "yen: -1", "yen: -1", "-1 is out of range: at least 0", id="negative"
    ),
    pytest.param(
        "yen: 8000",
        "yen: 1000000000000",
        "yen: 1000000000000",
        "1,000,000,000,000 yen is taken for a slip: no price is above 100,000,000 yen",
        id="a-slip",
    ),
    pytest.param(
        "unit_hours: 24",
        "unit_hours: 12",
        "unit_hours",
        "12 is out of range: at least 24",
        id="unit",
    ),
    pytest.param(
        "start: {clause: BKUP-4}",
        "start: {clause: BKUP-4}\n      suspension: {clause: BKUP-3, grounds: {}, longest_months: 0}",
        "longest_months",
        "contracts.suspension.longest_months: 0 is out of range: at least 1",
        id="no-months",
    ),
    pytest.param(
        "content: [wished_start_on]",
        "content: [wished_start_on]\n        billing_days: {first: 1, last: 29, clause: BKUP-2}",
        "last: 29",
        "29 is out of range: at most 28",
        id="no-day-of-every-month",
    ),
    pytest.param(
        "content: [wished_start_on]",
        "content: [wished_start_on, billing_day]",
        "application:",
        "neither stands without the other",
        id="billing-days",
    ),
    pytest.param(
        "content: [wished_start_on]",
        "content: [billing_day]\n        billing_days: {first: 9, last: 8, clause: BKUP-2}",
        "last: 8",
        "last lies before first",
        id="billing-days-in-order",
    ),
    pytest.param(
        "clause: BKUP-S1",
        "clause: BKUP-S1\n    first_day_named: maybe",
        "first_day_named",
        "first_day_named is true or false",
        id="named-or-not",
    ),
    pytest.param(
        "clause: BKUP-S2",
        "clause: BKUP-S2\n    first_day_named: false",
        "first_day_named",
        "first_day_named is said of the first version only",
        id="named-later",
    ),
    pytest.param(
        "permille: 100", "permille: 1001", "1001", "1001 is out of range: at most 1000", id="usury"
    ),
    pytest.param(
        "grace_days: 5",
        "grace_day: 5",
        "grace_day:",
        "billing.late_interest: grace_day is not known here",
        id="unknown-key",
    ),
    pytest.param(
        "    billing:", "    biling:", "biling:", "biling is not known here", id="unknown-section"
    ),
    pytest.param("{months: 6,", "{months: six,", "six", "a whole number is wanted", id="a-word"),
    pytest.param(
        "collab_only: false", "collab_only: 0", "collab_only", "true or false is wanted", id="flag"
    ),
    pytest.param(
        "way: by-form",
        "way: on-request\n        week: monday-sunday",
        "monday-sunday",
        "termination_by_customer.week: monday-sunday is not one of monday-friday, monday-saturday",
        id="calendar",
    ),
    pytest.param(
        "price: set-up\n            clause: BKUP-5",
        "price: set-up",
        "- initial-fee-on-acceptance",
        "billing.charging.initial-fee-on-acceptance: clause is missing",
        id="missing-entry",
    ),
    pytest.param(
        "urgent: {clause: BKUP-P6}",
        "question: {clause: BKUP-P6}",
        "question: {clause",
        "contracts.tickets: billing has no price of the ticket question",
        id="ticket-without-a-price",
    ),
    pytest.param(
        "      start: {clause: BKUP-4}",
        "      start: {clause: BKUP-4}\n      options:\n        mirror: {clause: BKUP-4}",
        "mirror:",
        "contracts.options: billing has no price of the option mirror",
        id="option-without-a-price",
    ),
    pytest.param(
        "content: [wished_start_on]",
        "content: [packs]\n        pack_sizes: [10]",
        "pack_sizes",
        "contracts.application: billing has no price of packs of 10",
        id="pack-without-a-price",
    ),
    pytest.param(
        "storage: {yen: 8000, clause: BKUP-P2}",
        "storage: &itself {yen: *itself, clause: BKUP-P2}",
        "&itself",
        "it stands within itself, by an alias",
        id="alias-of-itself",
    ),
    pytest.param(
        "service: BKUP",
        "service: BKUP\nextends: bkup",
        "extends",
        "bkup.yaml is of a service and cannot be extended",
        id="extends-itself",
    ),
    pytest.param("service: BKUP", "service: BACKUP", "BACKUP", "service is not BKUP", id="name"),
    pytest.param(
        "service: BKUP",
        "service: BKUP\nextends: common",
        "extends",
        "there is no file common.yaml to extend",
        id="extends",
    ),
    pytest.param(
        "content: [wished_start_on]",
        "content: [wished_start_on]\n        required: [plan]",
        "required: [plan]",
        "plan is required, but no content",
        id="required",
    ),
    pytest.param("versions:", "versions: [", "clause: BKUP-S1", "no YAML", id="no-yaml"),
]


def a_folder(tmp_path: Path, *, old: str, new: str) -> Path:
    folder = tmp_path / "terms"
    shutil.copytree(INVENTED, folder)
    text = (folder / "bkup.yaml").read_text("utf-8")
    assert old in text
    (folder / "bkup.yaml").write_text(text.replace(old, new, 1), "utf-8")
    return folder


def line_of(folder: Path, text: str) -> int:
    lines = (folder / "bkup.yaml").read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize(("old", "new", "where", "reason"), EDITS)
def test_a_fault_is_told_once_with_its_line(
    tmp_path: Path, old: str, new: str, where: str, reason: str
) -> None:
    folder = a_folder(tmp_path, old=old, new=new)
    with pytest.raises(WrongTerms) as refused:
        check(folder)
    found = [(fault.line, fault.reason) for fault in refused.value.faults]
    assert [line for line, told in found if reason in told] == [line_of(folder, where)], found
    assert {fault.path for fault in refused.value.faults} == {folder / "bkup.yaml"}


def test_the_terms_of_the_project_have_no_fault() -> None:
    check(ROOT / "terms")


def test_two_contexts_say_the_same_of_the_first_day_of_an_option(tmp_path: Path) -> None:
    folder = tmp_path / "terms"
    shutil.copytree(ROOT / "terms", folder)
    said = "report: {clause: NSEC-A3.N8, from_next_month: true}"
    text = (folder / "ssd.yaml").read_text("utf-8")
    assert said in text
    (folder / "ssd.yaml").write_text(text.replace(said, "report: {clause: NSEC-A3.N8}"), "utf-8")
    reason = r"contracts\.options: billing says otherwise whether the option report starts the next"
    with pytest.raises(WrongTerms, match=rf"ssd\.yaml:\d+: {reason} month$"):
        check(folder)


def test_all_faults_are_told_in_order_of_their_lines(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: -1")
    text = (folder / "bkup.yaml").read_text("utf-8").replace("BKUP-11.2", "BKUP-99")
    (folder / "bkup.yaml").write_text(text, "utf-8")
    with pytest.raises(WrongTerms) as refused:
        check(folder)
    assert [fault.line for fault in refused.value.faults] == [
        line_of(folder, "yen: -1"),
        line_of(folder, "BKUP-99"),
    ]


def test_a_file_that_nobody_reads_is_told(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: 8000")
    (folder / "lost.yaml").write_text("versions: {}\n", "utf-8")
    with pytest.raises(WrongTerms, match=r"lost\.yaml:1: it names no service"):
        check(folder)


def test_a_file_that_nobody_reads_for_its_ending_is_told(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: 8000")
    shutil.copy(folder / "bkup.yaml", folder / "more.yml")
    with pytest.raises(WrongTerms, match=r"more\.yml:1: nobody reads it"):
        check(folder)


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: 8000")
    (folder / "more.yaml").mkdir()
    with pytest.raises(WrongTerms, match=r"more\.yaml:1: it cannot be read: Is a directory"):
        check(folder)


def test_a_wrong_rate_of_the_law_is_told_with_its_line(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: 8000")
    text = (folder / "japan.yaml").read_text("utf-8").replace("2014-04-01: 8", "2014-04-01: 108")
    (folder / "japan.yaml").write_text(text, "utf-8")
    reason = r"consumption_tax_percent\.2014-04-01: 108 is out of range"
    with pytest.raises(WrongTerms, match=rf"japan\.yaml:5: {reason}"):
        check(folder)


def test_the_command_prints_the_faults_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: -1")
    with pytest.raises(typer.Exit) as ended:
        check_command(folder)
    line = line_of(folder, "yen: -1")
    told = "billing.prices.storage.yen: -1 is out of range: at least 0"
    assert ended.value.exit_code == 1
    assert capsys.readouterr().out == f"{folder}/bkup.yaml:{line}: {told}\n"


def test_nothing_is_played_by_wrong_terms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: -1")
    case = str(ROOT / "tests" / "cases" / "mysec-01.json")
    with pytest.raises(
        CannotStart, match=rf"bkup\.yaml:{line_of(folder, 'yen: -1')}: .* -1 is out"
    ):
        play.run([case], as_json=True, offline=True, terms=folder)
    assert capsys.readouterr().out == ""


def test_other_terms_are_only_played_offline(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="--offline"):
        play.run(["-"], terms=tmp_path)


def test_billing_refuses_the_same_terms_with_the_same_sentence(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, old="yen: 8000", new="yen: -1")
    with pytest.raises(WrongTerms) as by_check:
        check(folder)
    with pytest.raises(WrongTerms) as by_billing:
        TermsFolder(folder)
    assert str(by_billing.value) == str(by_check.value)


@pytest.mark.parametrize(
    ("service", "old", "new", "reason"),
    [
        pytest.param(
            "contracts",
            "way: by-form",
            "way: by-mouth",
            "contracts.termination_by_customer.way: "
            "by-mouth is not one of by-form, on-request, by-notice",
            id="contracts",
        ),
        pytest.param(
            "billing",
            "yen: 8000",
            "yen: -1",
            "billing.prices.storage.yen: -1 is out of range: at least 0",
            id="billing",
        ),
        pytest.param(
            "monitoring",
            "monitoring: {}",
            "monitoring: {send_forth: 1}",
            "monitoring.send_forth is not known here",
            id="monitoring",
        ),
        pytest.param(
            "notifications",
            "service_name: おあずかりバックアップ",
            "service_name: 1",
            "notifications.service_name: a text is wanted, not 1",
            id="notifications",
        ),
    ],
)
def test_a_service_does_not_start_over_wrong_terms(
    tmp_path: Path, service: str, old: str, new: str, reason: str
) -> None:
    """The terms are read first: nothing here listens on any of the addresses."""
    folder = a_folder(tmp_path, old=old, new=new)
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    told = {
        "DATABASE_URL": nowhere,
        "KEYS_URL": nowhere,
        "MASTER_KEY": "AAAA",
        "KAFKA": "127.0.0.1:1",
        "JWKS_URL": "http://127.0.0.1:1/",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "1",
        "TERMS": str(folder),
    }
    started = subprocess.run(
        [sys.executable, "-m", f"services.{service}", "api"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {f"{service.upper()}_{name}": value for name, value in told.items()},
    )
    place = f"{folder}/bkup.yaml:{line_of(folder, new)}"
    assert started.returncode == 1
    assert started.stderr.splitlines()[-1] == f"{place}: {reason}"


def test_a_law_on_invoices_without_its_years_is_refused(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, old="service: BKUP", new="service: BKUP")
    japan = folder / "japan.yaml"
    japan.write_text(japan.read_text("utf-8").replace("years: 7", "years: 0"), "utf-8")
    with pytest.raises(WrongTerms, match="years: 0 is out of range: at least 1"):
        check(folder)
