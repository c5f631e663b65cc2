"""The golden cases' invoices and demands, by the rules alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.billing.domain.terms import load_billing_terms
from tests.unit.billing.golden import agrees, play

ROOT = Path(__file__).parents[3]
SERVICES = ("mysec", "cas", "ssd", "wutm", "wsrv", "nqms", "rrns")
CANCELLED_FOR_A_FEE = {"rrns-03", "rrns-04", "rrns-47"}
"""What a cancellation costs is decided by contracts: the play of the cases holds these."""
CASES = sorted(
    path
    for service in SERVICES
    for path in (ROOT / "tests/cases").glob(f"{service}-*.json")
    if path.stem not in CANCELLED_FOR_A_FEE
)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_rules_give_the_golden_invoices_and_demands(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    scenario, expected = case["scenario"], case["expected"]
    found = play(scenario, terms=load_billing_terms(scenario["service"], folder=ROOT / "terms"))
    assert [i["month"] for i in found["invoices"]] == [i["month"] for i in expected["invoices"]]
    for invoice, wanted in zip(found["invoices"], expected["invoices"], strict=True):
        _same_set(invoice.pop("lines"), wanted.pop("lines"))
        assert invoice == wanted
    _same_set(found["penalties"], expected["penalties"])


def _same_set(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    left = list(found)
    for wanted in expected:
        match = next((each for each in left if agrees(each, wanted)), None)
        assert match is not None, f"{wanted} is not among {left}"
        left.remove(match)
    assert not left
