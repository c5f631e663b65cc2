"""The billing sections of the project's own terms, and what is wrong with one."""

from datetime import date
from pathlib import Path

import pytest

from libs.terms.faults import WrongTerms
from services.billing.domain.terms import load_billing_terms

TERMS = Path(__file__).parents[3] / "terms"

VERSION_DAYS = [
    "NSEC-S2017-02-01.1",
    "NSEC-S2017-03-24.1",
    "NSEC-S2019-07-24.1a",
    "NSEC-S2019-10-01.1",
    "NSEC-S2020-03-02a.1",
    "NSEC-S2020-03-02b.1",
    "NSEC-S2021-04-01.1",
    "NSEC-S2021-06-18.1",
    "NSEC-S2022-08-01.1",
    "WUTM-S2019-07-01.1",
    "WUTM-S2020-04-01.1",
    "WUTM-S2021-05-11.1",
    "WUTM-S2022-07-01.1",
    "WUTM-S2022-08-01.1",
    "WUTM-S2022-09-01.1",
    "WUTM-S2023-05-08.1",
    "WUTM-S2023-10-01.1",
    "WUTM-S2023-12-01.1",
    "WUTM-S2025-04-01.1",
    "WSRV-S2019-07-01",
    "WSRV-S2020-06-25",
    "WSRV-S2022-07-01",
    "WSRV-S2022-08-01.1",
    "WSRV-S2022-09-01",
    "WSRV-S2023-10-01",
    "WSRV-S2023-12-01",
]


@pytest.mark.clause(*VERSION_DAYS)
@pytest.mark.parametrize("clause", VERSION_DAYS)
def test_every_amendment_begins_a_version_on_its_day(clause: str) -> None:
    service, _, rest = clause.partition("-S")
    on = date.fromisoformat(rest[:10])
    terms = load_billing_terms("MYSEC" if service == "NSEC" else service, folder=TERMS)
    assert terms.since(on) == on
    if on != terms.first_on:
        assert terms.since(date.fromordinal(on.toordinal() - 1)) < on


@pytest.mark.parametrize("service", ["MYSEC", "CAS", "SSD", "WUTM", "WSRV", "NQMS"])
def test_the_projects_terms_can_be_read(service: str) -> None:
    assert load_billing_terms(service, folder=TERMS).first_on < date(2024, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param("outage-credit", "outage-debit", "outage-debit", id="unknown-policy"),
        pytest.param("monthly: {yen: 2500", "weekly: {yen: 2500", "monthly", id="missing-price"),
        pytest.param("yen: 2500", "yen: -1", "yen", id="negative-price"),
    ],
)
def test_a_wrong_section_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    for name in ("japan.yaml", "clauses"):
        (tmp_path / name).symlink_to(TERMS / name)
    text = (TERMS / "wutm.yaml").read_text("utf-8").replace(old, new, 1)
    (tmp_path / "wutm.yaml").write_text(text, "utf-8")
    with pytest.raises(WrongTerms, match=reason) as refusal:
        load_billing_terms("WUTM", folder=tmp_path)
    assert refusal.value.line > 3
