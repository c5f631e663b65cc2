"""The demonstration's four months, through the running system."""

from datetime import date

import pytest

from cli.demo import closing
from cli.demo.performance import Performance
from cli.demo.story import read_stories
from cli.play.rehearsal import Stage
from cli.system import Addresses

pytestmark = pytest.mark.timeout(600)


async def test_the_story_plays_without_a_refusal_and_shows_what_it_promises(
    on_stage: Stage, system: Addresses
) -> None:
    told: list[tuple[date, str, str]] = []
    performance = Performance(
        read_stories(), on=on_stage, tell=lambda on, who, what: told.append((on, who, what))
    )
    await performance.play()
    said = [what for _, _, what in told]
    assert [what for what in said if what.startswith("refused")] == []
    assert "the application is declined: not-a-corporation (NSEC-6.3.5)" in said
    assert [on for on, _, _ in told] == sorted(on for on, _, _ in told)
    aoba, kawaguchi, matsuda, minato, ono = performance.parts
    assert [document.total for document in aoba.documents] == [3300, 5960, 6600, 2978]
    assert [document.total for document in kawaguchi.documents] == [1832, 2660, 2970, 2970]
    assert [document.total for document in matsuda.documents] == [2291, 2750, 1832]
    assert [document.total for document in minato.documents] == [3300, 19580, 19030, 18480]
    assert (ono.documents, ono.mails) == ([], [])
    subjects = " ".join(mail["subject_line"] for part in performance.parts for mail in part.mails)
    for words in ("承諾", "利用停止", "機器の交換", "ご請求のお知らせ", "お支払いのお願い"):
        assert words in subjects
    (late,) = closing.interest(performance.parts)
    assert "= 4 yen" in late
    shown = "\n".join(closing.addresses(performance.parts, system))
    assert str(kawaguchi.play.case.correlation) in shown
    assert "/explanation" in shown
