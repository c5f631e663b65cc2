"""From an event of another context over Kafka to a mail at a real mail server."""

from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from uuid import UUID

import pytest

from libs.dates.japan import japan_instant
from libs.events.database import Pool
from libs.events.keys import KeyOwner
from libs.events.vocabulary.contracts import (
    ContractApproved,
    CustomerDetailsChanged,
    CustomerRegistered,
    PartyForgotten,
)
from services.notifications.domain.notice import notice_id_of
from services.notifications.use_cases import notice_at, retry_notice
from services.notifications.views.captured import list_captured
from services.notifications.views.notices import NoticeRow, list_notices
from tests.integration.notifications.conftest import Running
from tests.support.contexts import CASE, Surroundings
from tests.support.mail import MailServer, until_mails
from tests.support.way import until
from tests.unit.notifications.examples import (
    APPROVED,
    CONTRACT,
    CUSTOMER,
    INVOICE,
    ISSUED,
    LATE,
    SUSPENDED,
    SWAPPED,
)

REGISTERED = CustomerRegistered(
    customer_id=CUSTOMER,
    registered_on=date(2025, 3, 1),
    corporate=True,
    payment_method="invoice",
    name="株式会社山田商店",
    email="info@yamada.example",
)


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def rows(pool: Pool) -> list[NoticeRow]:
    return await list_notices(pool, after=0, customer_id=None, contract_id=None, limit=100)


async def until_settled(pool: Pool, count: int) -> list[NoticeRow]:
    async def settled() -> bool:
        return len([row for row in await rows(pool) if row.state != "queued"]) >= count

    await until(settled)
    return await rows(pool)


async def test_events_of_three_contexts_become_mails(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    async with worker() as built:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        approval = await around.publish("contracts", CONTRACT, APPROVED)
        await around.publish("contracts", CONTRACT, SUSPENDED)
        await around.publish("monitoring", CONTRACT, SWAPPED)
        await around.publish("billing", INVOICE, ISSUED)
        await around.publish("billing", INVOICE, LATE)
        await until_mails(mail.post, 5)
        notices = await until_settled(built.pool, 5)
        approved = notice_id_of(
            "contract-approved", because_of=approval.envelope.event_id, recipient=CUSTOMER
        )
        _, history = await notice_at(built.log, approved)
    await mail.stop()

    mails = {str(each["Subject"]).partition("（")[0]: each for each in mail.post.mails}
    assert sorted(mails) == sorted(
        [
            "【UTMサポート】お申し込みを承諾いたしました",
            "【UTMサポート】ご利用停止のお知らせ",
            "【UTMサポート】機器の交換と故障機器のご返送について",
            "【UTMサポート】ご請求のお知らせ",
            "【UTMサポート】お支払いのお願い",
        ]
    )
    told = mails["【UTMサポート】お申し込みを承諾いたしました"]
    assert told["To"] == "info@yamada.example"
    assert told["Message-ID"] == f"<{approved}@yakkan.invalid>"
    assert told.get_content_type() == "multipart/alternative"
    assert text_of(told).startswith("株式会社山田商店 様\n")
    assert "　承諾日　　　：2025年4月1日\n" in text_of(told)
    assert "2,753円" in text_of(mails["【UTMサポート】ご請求のお知らせ"])
    assert {row.state for row in notices} == {"sent"}
    assert mail.post.connections == 1
    assert [each.envelope.correlation_id for each in history] == [CASE.correlation_id] * 2
    assert history[0].envelope.causation_id == approval.envelope.event_id


async def test_an_event_waits_for_whom_it_is_about(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    async with worker() as built:
        await around.publish("contracts", CONTRACT, APPROVED)

        async def waits() -> bool:
            standing = await built.standing()
            return standing.parked.get("notifications") is not None

        await until(waits)
        assert (await built.standing()).parked["notifications"].waiting == 1
        assert mail.post.mails == []

        await around.publish("contracts", CUSTOMER, REGISTERED)
        await until_mails(mail.post, 1)
    await mail.stop()


async def test_a_mail_server_that_was_away_gets_each_mail_once(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    async with worker() as built:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        await around.publish("contracts", CONTRACT, APPROVED)

        async def queued() -> bool:
            return [row.state for row in await rows(built.pool)] == ["queued"]

        await until(queued)
        await mail.start()
        await until_mails(mail.post, 1)
        await until_settled(built.pool, 1)
        await mail.stop()

        await around.publish("contracts", CONTRACT, SUSPENDED)

        async def both_known() -> bool:
            return len(await rows(built.pool)) == 2

        await until(both_known)
        await mail.start()
        await until_settled(built.pool, 2)
    async with worker() as built:  # begun anew, it knows what was sent
        standing = await built.standing()
        assert standing.parked["sender"].waiting == 0
    await mail.stop()

    assert len(mail.post.mails) == 2


async def test_a_deferred_mail_is_tried_again_and_a_refused_one_fails(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    mail.post.verdicts = ["451 later", "550 never"]
    async with worker() as built:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        await around.publish("contracts", CONTRACT, APPROVED)
        (notice,) = await until_settled(built.pool, 1)
        assert (notice.state, notice.answer) == ("failed", "550 never")

        await retry_notice(
            built.log,
            notice.notice_id,
            requeued_on=date(2025, 6, 2),
            reason="the mailbox is there again",
            cause=CASE,
        )
        await until_mails(mail.post, 1)
        await until_settled(built.pool, 1)
    await mail.stop()


async def test_a_mail_deferred_too_often_fails(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    mail.post.verdicts = ["451 later", "451 later"]
    async with worker() as built:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        await around.publish("contracts", CONTRACT, APPROVED)
        (notice,) = await until_settled(built.pool, 1)
    await mail.stop()

    assert (notice.state, notice.answer) == ("failed", "451 later")
    assert mail.post.mails == []


async def test_a_notice_goes_to_the_address_of_the_day_and_to_no_forgotten_one(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    async with worker() as built:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        await around.publish(
            "contracts",
            CUSTOMER,
            CustomerDetailsChanged(
                customer_id=CUSTOMER,
                changed_on=date(2025, 3, 10),
                notified_on=date(2025, 3, 9),
                email="new@yamada.example",
            ),
        )

        async def changed() -> bool:
            found = await built.pool.fetchval("SELECT email FROM recipient")
            return bool(found == "new@yamada.example")

        await until(changed)
        await around.publish("contracts", CONTRACT, APPROVED)
        await until_mails(mail.post, 1)
        assert mail.post.mails[0]["To"] == "new@yamada.example"

        await around.keys.destroy([KeyOwner(CUSTOMER, "contact")])
        await built.keys.destroy([KeyOwner(CUSTOMER, "contact")])
        await around.publish(
            "contracts",
            CUSTOMER,
            PartyForgotten(
                party_id=CUSTOMER,
                forgotten_on=date(2025, 6, 1),
                retention_classes=("contact",),
            ),
        )

        async def forgotten() -> bool:
            return await built.pool.fetchval("SELECT email FROM recipient") is None

        await until(forgotten)
        await around.publish("contracts", CONTRACT, SUSPENDED)
        notices = await until_settled(built.pool, 2)
    await mail.stop()

    assert [row.state for row in notices] == ["sent", "failed"]
    assert len(mail.post.mails) == 1


@pytest.mark.parametrize("rehearsal", [True])
async def test_a_rehearsal_keeps_its_own_time_and_sends_nothing(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    ahead = replace(CASE, now=japan_instant(date(2040, 4, 1), 10))
    await mail.start()
    async with worker() as built:
        await around.publish("contracts", CUSTOMER, REGISTERED, cause=ahead)
        await around.publish("contracts", CONTRACT, APPROVED, cause=ahead)
        await until_settled(built.pool, 1)
        captured = await list_captured(built.pool, contract_id=CONTRACT, after=None, limit=10)
        others = await list_captured(built.pool, contract_id=UUID(int=77), after=None, limit=10)
    await mail.stop()

    assert [each.address for each in captured] == ["info@yamada.example"]
    assert [each.captured_at for each in captured] == [ahead.now]
    assert others == []
    assert mail.post.mails == []


async def test_a_second_contract_of_a_customer_is_told_of_by_itself(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    second = UUID(int=21)
    await mail.start()
    async with worker():
        await around.publish("contracts", CUSTOMER, REGISTERED)
        await around.publish("contracts", CONTRACT, APPROVED)
        await around.publish(
            "contracts",
            second,
            ContractApproved(
                contract_id=second,
                customer_id=CUSTOMER,
                service="MYSEC",
                approved_on=date(2025, 4, 2),
                document_number="承-0043",
            ),
        )
        await until_mails(mail.post, 2)
    await mail.stop()

    assert {str(each["Subject"])[:4] for each in mail.post.mails} == {"【UTM", "【マイセ"}
