"""Terms files: versions, what they extend, and wrong files refused with their line."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from libs.terms.faults import WrongTerms
from libs.terms.files import read_terms
from libs.terms.in_force import InForce, NotYetInForce, read_japan, section

ROOT = Path(__file__).parents[3]


class Fees(BaseModel):
    """A section as a context might have it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    monthly: int
    initial: int | None = None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clauses").mkdir()
    (tmp_path / "clauses" / "a.yaml").write_text("clauses:\n  - id: A-1\n  - id: A-2\n")
    return tmp_path


def written(folder: Path, text: str, *, name: str = "svc") -> Path:
    (folder / f"{name}.yaml").write_text(text)
    return folder


def fees(folder: Path) -> InForce[Fees]:
    return section(read_terms("SVC", folder=folder), name="billing", model=Fees)


PLAIN = """\
service: SVC
versions:
  2020-01-01:
    clause: A-1
    billing: {monthly: 100, initial: 7}
  2021-01-01:
    billing: {monthly: 200}
  2022-01-01:
    billing: {initial: null}
"""


def test_a_version_says_what_changes_and_the_rest_stays(folder: Path) -> None:
    found = fees(written(folder, PLAIN))
    assert found.at(date(2020, 12, 31)) == Fees(monthly=100, initial=7)
    assert found.at(date(2021, 1, 1)) == Fees(monthly=200, initial=7)
    assert found.at(date(2022, 1, 1)) == Fees(monthly=200)
    assert found.since(date(2021, 6, 1)) == date(2021, 1, 1)
    assert found.between(date(2020, 1, 1), date(2022, 1, 1)) == (
        date(2021, 1, 1),
        date(2022, 1, 1),
    )


@pytest.mark.clause("WUTM-2.1.1", "NSEC-3.2b")
def test_a_date_before_the_first_version_is_refused(folder: Path) -> None:
    found = fees(written(folder, PLAIN))
    assert found.at(date(2020, 1, 1)).monthly == 100
    with pytest.raises(NotYetInForce, match="2019-12-31"):
        found.at(date(2019, 12, 31))


def test_what_is_extended_holds_where_the_own_file_says_nothing(folder: Path) -> None:
    written(
        folder,
        "versions:\n  2019-01-01:\n    billing: {monthly: 1, initial: 2}\n"
        "  2021-06-01:\n    billing: {monthly: 3, initial: 4}\n",
        name="shared",
    )
    own = "service: SVC\nextends: shared\nversions:\n  2020-01-01:\n    billing: {monthly: 50}\n"
    found = fees(written(folder, own))
    assert [(on, each.monthly, each.initial) for on, each in found.all] == [
        (date(2020, 1, 1), 50, 2),
        (date(2021, 6, 1), 50, 4),
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("service: SVC\n", 1, "versions are missing", id="no-versions"),
        pytest.param("- a\n", 1, "a mapping is wanted", id="no-mapping"),
        pytest.param("a: [\n", 2, "no YAML", id="no-yaml"),
        pytest.param(PLAIN.replace("SVC", "X"), 1, "service is not SVC", id="another-service"),
        pytest.param(
            "service: SVC\nversions:\n  soon:\n    billing: {}\n",
            3,
            "no effective date",
            id="no-date",
        ),
        pytest.param(PLAIN.replace("2022", "2021"), 8, "said twice", id="the-same-date-twice"),
        pytest.param(PLAIN.replace("2022", "2019"), 8, "overlaps", id="out-of-order"),
        pytest.param(PLAIN.replace("A-1", "A-9"), 4, "A-9 is no clause", id="unknown-clause"),
        pytest.param(PLAIN.replace("monthly: 200", "yearly: 9"), 7, "yearly", id="unknown-entry"),
        pytest.param(PLAIN.replace("monthly: 100, ", ""), 5, "monthly", id="missing-entry"),
        pytest.param(
            PLAIN.replace("billing: {monthly: 100, initial: 7}", "contracts: {}"),
            3,
            "no section billing",
            id="no-section",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason(
    folder: Path, text: str, line: int, reason: str
) -> None:
    with pytest.raises(WrongTerms, match=reason) as refusal:
        fees(written(folder, text))
    assert (refusal.value.line, refusal.value.path.name) == (line, "svc.yaml")


def test_a_hole_before_what_is_extended_is_refused(folder: Path) -> None:
    written(folder, "versions:\n  2021-01-01:\n    billing: {monthly: 1}\n", name="shared")
    own = "service: SVC\nextends: shared\nversions:\n  2020-01-01:\n    billing: {monthly: 50}\n"
    with pytest.raises(WrongTerms, match="hole"):
        fees(written(folder, own))


def test_a_missing_file_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(WrongTerms, match="no such file"):
        read_terms("NOTHING", folder=folder)


@pytest.mark.clause("NSEC-14.10", "WUTM-32.1", "RRNS-35.S2")
@pytest.mark.parametrize(
    ("on", "percent"),
    [
        ("2014-03-31", 5),
        ("2014-04-01", 8),
        ("2019-09-30", 8),
        ("2019-10-01", 10),
    ],
)
def test_the_consumption_tax_of_a_day(on: str, percent: int) -> None:
    table = read_japan(ROOT / "terms").consumption_tax_percent
    assert InForce("tax", values=table.items()).at(date.fromisoformat(on)) == percent
