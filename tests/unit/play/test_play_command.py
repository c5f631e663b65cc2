import io
import json
from pathlib import Path

import pytest
import typer

from cli.commands import play

_CASES = Path(__file__).parents[2] / "cases"


def lines_of(printed: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in printed.splitlines()]


def test_results_come_a_line_each_in_the_order_given(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["wutm-04", "mysec-01", "wutm-01"]
    play.run([str(_CASES / f"{name}.json") for name in names], as_json=True, offline=True)
    results = lines_of(capsys.readouterr().out)
    assert [result["service"] for result in results] == ["WUTM", "MYSEC", "WUTM"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param('{"a": 1,', "not JSON", id="cut off"),
        pytest.param("[" * 100_000, "too deeply", id="nested"),
        pytest.param("[]", "/: ", id="no object"),
        pytest.param(
            '{"service": "MYSEC", "events": [{"type": "unpaid", "date": "x"}], '
            '"through": "2024-05"}',
            "/events/0/date: ",
            id="a day that is none",
        ),
        pytest.param(
            '{"service": "XYZ", "events": [], "through": "2024-05"}',
            "/service: ",
            id="unknown terms",
        ),
    ],
)
def test_a_file_that_cannot_be_played_gives_an_error_in_its_place(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text)
    with pytest.raises(typer.Exit) as ended:
        play.run([str(wrong), str(_CASES / "mysec-01.json")], as_json=True, offline=True)
    first, second = lines_of(capsys.readouterr().out)
    assert ended.value.exit_code == 1
    assert list(first) == ["error"]
    assert words in str(first["error"])
    assert second["service"] == "MYSEC"


def test_a_missing_file_is_an_error_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "nowhere.json")
    with pytest.raises(typer.Exit):
        play.run([missing], as_json=True, offline=True)
    (only,) = lines_of(capsys.readouterr().out)
    assert only["error"] == f"{missing}: No such file or directory"


def test_a_dash_is_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (_CASES / "mysec-01.json").read_text(encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    play.run(["-"], as_json=True, offline=True)
    (only,) = lines_of(capsys.readouterr().out)
    assert only["service"] == "MYSEC"


def test_a_field_that_is_not_known_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = json.loads((_CASES / "mysec-01.json").read_text(encoding="utf-8"))
    case["scenario"]["colour"] = "blue"
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps(case))
    play.run([str(odd)], as_json=True, offline=True)
    (only,) = lines_of(capsys.readouterr().out)
    warnings = only["warnings"]
    assert isinstance(warnings, list)
    assert "field colour is not known and was passed over" in warnings


def test_a_case_that_disagrees_fails_only_when_it_is_to_be_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = json.loads((_CASES / "mysec-01.json").read_text(encoding="utf-8"))
    case["expected"]["invoices"][0]["total"] += 1
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(case))
    play.run([str(wrong)], as_json=True, offline=True)
    assert "total" in capsys.readouterr().err
    with pytest.raises(typer.Exit):
        play.run([str(wrong)], as_json=True, offline=True, check=True)


def test_people_are_told_line_by_line_whether_a_case_agrees(
    capsys: pytest.CaptureFixture[str],
) -> None:
    play.run([str(_CASES / "wutm-36.json")], offline=True)
    printed = capsys.readouterr().out
    assert "WUTM-MONTHLY" in printed
    assert "2,750" in printed
    assert "agrees with what is expected" in printed
