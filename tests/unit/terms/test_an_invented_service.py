"""An eighth service that no code knows: one file of existing policies, and its whole life."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.commands import play
from cli.play.offline import play_offline
from cli.play.scenario import read_scenario

ROOT = Path(__file__).parents[3]
INVENTED = Path(__file__).parent / "invented"
LIFE = {
    "service": "BKUP",
    "customer": {"corporate": False, "payment_method": "invoice"},
    "contract": {},
    "events": [
        {"type": "approved", "date": "2024-03-25"},
        {"type": "service_started", "date": "2024-04-10"},
        {
            "type": "outage",
            "date": "2024-05-10",
            "from": "2024-05-10T08:00",
            "to": "2024-05-11T10:00",
            "known_at": "2024-05-10T08:00",
            "fault": "provider",
        },
        {"type": "ticket_bought", "date": "2024-06-20", "ticket": "urgent"},
        {"type": "terminated", "date": "2024-07-11", "by": "customer", "penalty_due": "2024-08-31"},
    ],
    "through": "2024-08",
}
EXPECTED = {
    # the set-up fee on approval, and the paper bill it comes on: 5,300 + 530
    "2024-03": ({"BKUP-INIT": 5000, "BKUP-ISSUE": 200, "BKUP-COLLECT": 100}, 5830),
    # storage free in the start month; 3,100 x 21 / 30 = 2,170; no fee for papers: + 217
    "2024-04": ({"BKUP-MONTHLY": 2170}, 2387),
    # 26 hours are one unit: 3,100 - 3,100 x 30 / 31 = 100 less; 11,000 + 1,100
    "2024-05": ({"BKUP-STORAGE": 8000, "BKUP-MONTHLY": 3100, "BKUP-OUTAGE": -100}, 12100),
    # the amendment of 2024-06-01: 9,000; 16,400 + 1,640
    "2024-06": (
        {
            "BKUP-STORAGE": 9000,
            "BKUP-MONTHLY": 3100,
            "BKUP-RESTORE": 4000,
            "BKUP-ISSUE": 200,
            "BKUP-COLLECT": 100,
        },
        18040,
    ),
    # storage whole to the end, 3,100 x 10 / 31 = 1,000; 10,300 + 1,030
    "2024-07": (
        {"BKUP-STORAGE": 9000, "BKUP-MONTHLY": 1000, "BKUP-ISSUE": 200, "BKUP-COLLECT": 100},
        11330,
    ),
}


def sums(result: dict[str, Any]) -> dict[str, tuple[dict[str, int], int]]:
    return {
        invoice["month"]: (
            {line["code"]: line["amount"] for line in invoice["lines"]},
            invoice["total"],
        )
        for invoice in result["invoices"]
    }


async def test_its_life_from_application_to_end_is_billed_by_its_file_alone() -> None:
    result = await play_offline(read_scenario(LIFE), terms=INVENTED)
    assert sums(result) == EXPECTED
    # minimum term May to October, ended in July: 3 months left, 3 x 9,000, no tax
    (penalty,) = result["penalties"]
    assert (penalty["code"], penalty["quantity"], penalty["total"]) == ("BKUP-PENALTY", 3, 27000)
    assert result["termination"] == {"date": "2024-07-11", "reason": "customer"}
    assert result["extra"]["minimum_term"] == {"from": "2024-05-01", "to": "2024-10-31"}


async def test_its_lines_cite_its_own_clauses() -> None:
    result = await play_offline(read_scenario(LIFE), terms=INVENTED)
    cited = {line["code"]: line["clause"] for line in result["invoices"][-1]["lines"]}
    assert cited["BKUP-STORAGE"] == ["BKUP-6.2", "BKUP-P2"]
    assert cited["BKUP-MONTHLY"] == ["BKUP-7.2", "BKUP-7.4", "BKUP-P3"]


def test_no_code_names_it() -> None:
    found = subprocess.run(
        ["git", "grep", "-l", "BKUP", "--", "cli", "libs", "services"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.stdout, found.returncode) == ("", 1)


def test_the_play_command_takes_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "life.json"
    told.write_text(json.dumps(LIFE))
    play.run([str(told)], as_json=True, offline=True, terms=INVENTED)
    assert sums(json.loads(capsys.readouterr().out)) == EXPECTED
