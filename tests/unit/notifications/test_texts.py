from datetime import date
from pathlib import Path

import pytest

from libs.events.envelope import Event
from libs.events.vocabulary.notifications import NoticeQueued
from services.notifications.composer import notices_for
from services.notifications.reactions import occasion_of
from services.notifications.terms import notice_terms
from services.notifications.views.known import Recipient
from tests.unit.notifications.examples import (
    ABOLISHED,
    APPROVED,
    CHANGE_DECLINED,
    CONTRACT,
    CUSTOMER,
    EVENT,
    ISSUED,
    LATE,
    SUSPENDED,
    SWAPPED,
    an_occasion,
)

TERMS_OF = notice_terms(Path("terms"))


def the_notice(
    event: Event, *, service: str = "WUTM", name: str | None = "株式会社山田商店"
) -> NoticeQueued:
    terms = TERMS_OF(service, date(2025, 6, 9))
    assert terms is not None
    (notice,) = notices_for(
        an_occasion(event, service=service),
        terms=terms,
        to=Recipient(name, "info@yamada.example"),
        sender_name="ヤッカン サポート窓口",
    )
    return notice


@pytest.mark.parametrize(
    ("event", "service", "in_subject", "in_body"),
    [
        pytest.param(
            APPROVED,
            "WUTM",
            ["UTMサポート", "承-0042"],
            ["2025年4月1日", "第9条第1項", str(CONTRACT)],
            id="approved",
            marks=pytest.mark.clause("WUTM-9.1.1"),
        ),
        pytest.param(
            APPROVED,
            "MYSEC",
            ["マイセキュア ビジネス", "承-0042"],
            ["2025年4月1日", "第6条第2項"],
            id="approved under other terms",
            marks=pytest.mark.clause("NSEC-6.2b"),
        ),
        pytest.param(
            SUSPENDED,
            "WUTM",
            ["2025年6月10日"],
            [
                "2025年6月10日から2025年12月10日の前日まで",
                "お支払いを期日までに確認できないため",
                "第18条第2項",
            ],
            id="suspended: reason, day and period",
            marks=pytest.mark.clause("WUTM-18.2"),
        ),
        pytest.param(
            SUSPENDED.model_copy(update={"until_on": None, "ground": "breach"}),
            "MYSEC",
            ["2025年6月10日"],
            ["停止の理由が解消されるまで", "契約者の義務に反する", "第16条第2項"],
            id="suspended without an end",
            marks=pytest.mark.clause("NSEC-16.2"),
        ),
        pytest.param(
            SUSPENDED.model_copy(
                update={"ground": "harm", "urgent_reason": "攻撃が続いているため"}
            ),
            "WUTM",
            ["2025年6月10日"],
            ["WUTM-18.1.1", "攻撃が続いているため"],
            id="suspended at once, on a ground without words of its own",
        ),
        pytest.param(
            SWAPPED,
            "WUTM",
            ["2025年6月9日"],
            ["S-2", "2025年6月6日", "2025年7月8日（当日を含みます）", "88,000円", "注意5"],
            id="swapped",
        ),
        pytest.param(
            SWAPPED.model_copy(update={"due_back_on": None, "replacement_cost": None}),
            "WUTM",
            ["2025年6月9日"],
            ["ご返送くださいますよう"],
            id="swapped without a limit",
        ),
        pytest.param(
            ISSUED,
            "WUTM",
            ["請求書番号 17", "2025年4月ご利用分"],
            ["2,500円", "250円", "2,750円", "3円", "2,753円", "2025年5月31日", "第30条第1項"],
            id="invoice with interest",
        ),
        pytest.param(
            ISSUED.model_copy(update={"payable": 2_750, "due_on": None}),
            "MYSEC",
            ["請求書番号 17"],
            ["2,750円", "第14条第7項"],
            id="invoice without a due date",
        ),
        pytest.param(
            LATE,
            "WUTM",
            ["請求書番号 17", "2025年5月31日"],
            ["2,753円", "1日経過", "第27条第1項"],
            id="late",
        ),
        pytest.param(
            ABOLISHED,
            "MYSEC",
            ["サービス終了", "2025年8月31日"],
            ["2025年8月31日", "機器の製造終了のため", "第20条第4項"],
            id="MYSEC given up: reason and day",
            marks=pytest.mark.clause("NSEC-20.4"),
        ),
        pytest.param(
            ABOLISHED,
            "SSD",
            ["サービス終了", "2025年8月31日"],
            ["2025年8月31日", "機器の製造終了のため", "第20条第4項"],
            id="SSD given up: reason and day",
            marks=pytest.mark.clause("NSEC-20.4"),
        ),
        pytest.param(
            ABOLISHED,
            "WUTM",
            ["サービス終了", "2025年8月31日"],
            ["2025年8月31日", "機器の製造終了のため", "第20条第2項"],
            id="WUTM given up: reason and day",
            marks=pytest.mark.clause("WUTM-20.2.1"),
        ),
        pytest.param(
            ABOLISHED,
            "WSRV",
            ["サービス終了", "2025年8月31日"],
            ["2025年8月31日", "機器の製造終了のため", "第20条第2項"],
            id="WSRV given up: reason and day",
            marks=pytest.mark.clause("WSRV-20.2b"),
        ),
        pytest.param(
            ABOLISHED,
            "RRNS",
            ["サービス終了", "2025年8月31日"],
            ["2025年8月31日", "機器の製造終了のため", "第13条第2項"],
            id="RRNS given up: reason and day",
            marks=pytest.mark.clause("RRNS-13.2"),
        ),
        pytest.param(
            CHANGE_DECLINED,
            "WUTM",
            ["2025年6月2日"],
            ["2025年6月9日", "回線のご契約者さまと異なるため", "第10条第2項", "これまでどおり"],
            id="WUTM a change declined, and why",
            marks=pytest.mark.clause("WUTM-10.2"),
        ),
        pytest.param(
            CHANGE_DECLINED,
            "WSRV",
            ["2025年6月2日"],
            ["2025年6月9日", "回線のご契約者さまと異なるため", "第10条第2項", "これまでどおり"],
            id="WSRV a change declined, and why",
            marks=pytest.mark.clause("WSRV-10.2"),
        ),
    ],
)
def test_a_text_says_what_its_event_says(
    event: Event, service: str, in_subject: list[str], in_body: list[str]
) -> None:
    notice = the_notice(event, service=service)

    assert notice.body is not None
    assert [each for each in in_subject if each not in notice.subject_line] == []
    assert [each for each in in_body if each not in notice.body] == []
    assert "株式会社山田商店 様" in notice.body
    assert "ヤッカン サポート窓口" in notice.body
    assert "None" not in notice.body + notice.subject_line


@pytest.mark.parametrize("cause", ["customer", "provider", "line", "maximum_period", "antisocial"])
def test_of_another_end_than_that_of_the_service_nobody_is_told_by_this_rule(cause: str) -> None:
    terms = TERMS_OF("WUTM", date(2025, 6, 9))

    assert terms is not None
    assert terms.rules_for(ABOLISHED.model_copy(update={"cause": cause})) == ()


@pytest.mark.clause("WUTM-20.2.1", "WSRV-20.2b", "RRNS-13.2", "NSEC-20.4")
@pytest.mark.parametrize("service", ["MYSEC", "CAS", "SSD", "WUTM", "WSRV", "RRNS"])
def test_only_an_end_that_was_announced_and_has_its_reason_is_told(service: str) -> None:
    terms = TERMS_OF(service, date(2025, 6, 9))

    assert terms is not None
    assert [name for name, _ in terms.rules_for(ABOLISHED)] == ["service-abolished"]
    alone = ABOLISHED.model_copy(update={"abolition_id": None, "reason": None})
    assert terms.rules_for(alone) == ()


def test_a_ground_without_words_is_told_by_its_clause() -> None:
    body = the_notice(CHANGE_DECLINED.model_copy(update={"ground": "other"})).body

    assert body is not None
    assert "（WUTM-9.3.4）" in body


def test_a_subject_names_no_person() -> None:
    for event in (APPROVED, SUSPENDED, ABOLISHED, CHANGE_DECLINED, SWAPPED, ISSUED, LATE):
        assert "山田" not in the_notice(event).subject_line


def test_a_bill_without_interest_says_nothing_of_it() -> None:
    body = the_notice(ISSUED.model_copy(update={"payable": 2_750})).body

    assert body is not None
    assert "遅延利息" not in body


def test_whoever_has_no_name_is_addressed_politely() -> None:
    body = the_notice(APPROVED, name=None).body

    assert body is not None
    assert body.startswith("お客さま\n")


@pytest.mark.clause("NSEC-23.1.2")
def test_a_notice_says_why_and_to_whom_it_goes() -> None:
    notice = the_notice(APPROVED, service="MYSEC")

    assert notice.rule == "contract-approved"
    assert notice.clauses == ("NSEC-6.2b", "NSEC-23.1.2")
    assert notice.because_of == EVENT
    assert notice.customer_id == CUSTOMER
    assert (notice.contract_id, notice.contract_ids) == (CONTRACT, (CONTRACT,))
    assert notice.address == "info@yamada.example"
    assert notice.not_before_on == date(2025, 6, 9)


def test_a_service_is_told_of_what_its_terms_name_only() -> None:
    terms = TERMS_OF("MYSEC", date(2025, 6, 9))

    assert terms is not None
    assert terms.rules_for(SWAPPED) == ()


def test_nobody_is_told_of_other_events() -> None:
    assert occasion_of(the_notice(APPROVED)) is None
