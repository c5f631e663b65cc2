from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from libs.dates.clock import FixedClock
from libs.events.envelope import Cause, Event, Recorded
from libs.events.keys import KeyOwner, MemoryKeys
from libs.events.log import Decision
from libs.events.memory import MemoryLog
from libs.events.vocabulary.notifications import (
    NoticeFailed,
    NoticeQueued,
    NoticeRequeued,
    NoticeSent,
)
from services.notifications.domain.notice import (
    NoSuchNotice,
    NotFailed,
    NothingLeftToSend,
    notice_id_of,
    notice_of,
    queue,
    record_failed,
    record_sent,
    retry,
    without_addresses,
)
from services.notifications.use_cases import retry_notice

CUSTOMER = UUID(int=2)
EVENT = UUID(int=6)
NOTICE = notice_id_of("invoice-issued", because_of=EVENT, recipient=CUSTOMER)
AT = datetime(2025, 6, 1, 1, tzinfo=UTC)
WANTED = NoticeQueued(
    notice_id=NOTICE,
    rule="invoice-issued",
    customer_id=CUSTOMER,
    contract_id=None,
    channel="mail",
    because_of=EVENT,
    not_before_on=date(2025, 6, 1),
    address="info@yamada.example",
    subject_line="ご請求のお知らせ",
    body="本文",
)
CAUSE = Cause(correlation_id=UUID(int=9), actor="operator-1")


class Story:
    """The notice in a log in memory."""

    def __init__(self) -> None:
        self.keys = MemoryKeys()
        self.log = MemoryLog("notifications", clock=FixedClock(AT), keys=self.keys)

    async def takes(self, decision: Decision) -> list[Event]:
        appended = await self.log.decide(NOTICE, decision, cause=CAUSE)
        return [each.event for each in appended.events]

    async def queued(self) -> list[Event]:
        return await self.takes(lambda found: queue(notice_of(found), wanted=WANTED))

    async def sent(self) -> list[Event]:
        return await self.takes(
            lambda found: record_sent(notice_of(found), sent_at=AT, answer="250 OK")
        )

    async def failed(self) -> list[Event]:
        def fail(found: Sequence[Recorded[Event]]) -> Sequence[Event]:
            return record_failed(notice_of(found), failed_at=AT, attempts=3, answer="550 no")

        return await self.takes(fail)

    async def retried(self) -> list[Event]:
        appended = await retry_notice(
            self.log, NOTICE, requeued_on=date(2025, 6, 2), reason="mended", cause=CAUSE
        )
        return [each.event for each in appended.events]


async def test_a_notice_is_queued_once_whatever_became_of_it() -> None:
    story = Story()

    assert await story.queued() == [WANTED]
    assert await story.queued() == []
    await story.sent()
    assert await story.queued() == []


@pytest.mark.clause("NSEC-23.1.2")
@pytest.mark.clause("NSEC-8.3")
async def test_a_sent_notice_stays_sent() -> None:
    story = Story()
    await story.queued()

    assert await story.sent() == [NoticeSent(notice_id=NOTICE, sent_at=AT, answer="250 OK")]
    assert await story.sent() == []
    assert await story.failed() == []
    with pytest.raises(NotFailed):
        await story.retried()


async def test_a_failed_notice_is_sent_after_it_was_asked_for() -> None:
    story = Story()
    await story.queued()

    assert await story.failed() == [
        NoticeFailed(notice_id=NOTICE, failed_at=AT, attempts=3, answer="550 no")
    ]
    assert await story.sent() == []
    assert await story.retried() == [
        NoticeRequeued(notice_id=NOTICE, requeued_on=date(2025, 6, 2), reason="mended")
    ]
    assert await story.retried() == []
    assert await story.sent() != []


async def test_an_unknown_notice_is_not_found() -> None:
    with pytest.raises(NoSuchNotice):
        await Story().retried()


async def test_nothing_is_left_to_send_to_the_forgotten() -> None:
    story = Story()
    await story.queued()
    await story.failed()
    await story.keys.destroy([KeyOwner(CUSTOMER, "contact")])

    with pytest.raises(NothingLeftToSend):
        await story.retried()


@pytest.mark.parametrize(
    ("rule", "because_of", "recipient"),
    [
        pytest.param("payment-late", EVENT, CUSTOMER, id="another rule"),
        pytest.param("invoice-issued", UUID(int=7), CUSTOMER, id="another event"),
        pytest.param("invoice-issued", EVENT, UUID(int=3), id="another recipient"),
    ],
)
def test_what_is_said_otherwise_is_another_notice(
    rule: str, because_of: UUID, recipient: UUID
) -> None:
    assert notice_id_of(rule, because_of=because_of, recipient=recipient) != NOTICE


async def test_a_decision_on_nothing_records_nothing() -> None:
    story = Story()

    assert await story.sent() == []
    assert await story.failed() == []
    with pytest.raises(NoSuchNotice):
        retry(notice_of(()), requeued_on=date(2025, 6, 2), reason="mended")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("550 5.1.1 <keiri@sakura.example>: unknown", "550 5.1.1 <…>: unknown"),
        ("451 keiri@sakura.example, later", "451 …, later"),
        ("250 2.0.0 Ok: queued as 4B1C2", "250 2.0.0 Ok: queued as 4B1C2"),
    ],
)
def test_an_address_in_the_answer_of_a_channel_is_not_kept(answer: str, kept: str) -> None:
    assert without_addresses(answer) == kept
