"""Of everything that a customer must be told there is a notice; one that is missing is told."""

from datetime import date

from libs.events.reconcile import whole_round
from libs.events.vocabulary.contracts import PartyForgotten
from services.notifications.main import Built
from tests.integration.notifications.conftest import Running
from tests.integration.notifications.test_way_of_a_notice import REGISTERED, until_settled
from tests.support.contexts import Surroundings
from tests.support.mail import MailServer
from tests.support.way import until
from tests.unit.notifications.examples import (
    ABOLISHED,
    APPROVED,
    CHANGE_DECLINED,
    CONTRACT,
    CUSTOMER,
)


async def words(built: Built, name: str) -> list[str]:
    (check,) = (each for each in built.checks() if each.name == name)
    return [f"{d.place}: {d.what}" for d in (await whole_round(check, limit=100)).drift]


async def test_notices_agree_and_one_that_is_missing_is_told(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    async with worker() as built:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        approval = await around.publish("contracts", CONTRACT, APPROVED)
        (notice,) = await until_settled(built.pool, 1)

        async def at_rest() -> bool:
            found = await built.standing()
            return found.sent == found.head == found.views["notices"]

        await until(at_rest)
        rounds = [await whole_round(check, limit=10) for check in built.checks()]
        assert [drift for found in rounds for drift in found.drift] == []
        assert {found.check: found.looked for found in rounds}["notices asked for"] == 1

        event_id = approval.envelope.event_id
        await built.pool.execute("UPDATE notice SET state = 'failed'")
        (told,) = await words(built, "view notices")
        assert told.endswith("state is failed, and the events say sent")

        await built.pool.execute("DELETE FROM event WHERE stream_id = $1", notice.notice_id)
        assert await words(built, "notices asked for") == [
            (
                f"contracts.contract-approved.v1 {event_id}: the notice contract-approved was to be"
                f" queued, and the log has none ({notice.notice_id})"
            )
        ]

        await built.pool.execute("DELETE FROM occasion")
        (told,) = await words(built, f"notifications of {around.prefix}contracts")
        assert told.endswith(f"{event_id}: a customer is to be told of it, and it is not kept")
    await mail.stop()


async def test_only_an_occasion_of_which_the_terms_tell_must_be_kept(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    of_mysec = APPROVED.model_copy(update={"service": "MYSEC"})  # whose changes are not declined
    await mail.start()
    async with worker() as built:
        pool, name = built.pool, f"notifications of {around.prefix}contracts"
        await around.publish("contracts", CUSTOMER, REGISTERED)
        approval = await around.publish("contracts", CONTRACT, of_mysec)
        await around.publish("contracts", CONTRACT, CHANGE_DECLINED)
        abolished = await around.publish("contracts", CONTRACT, ABOLISHED)

        async def all_kept() -> bool:
            return bool(await pool.fetchval("SELECT count(*) = 3 FROM occasion WHERE queued"))

        await until(all_kept)
        assert await words(built, name) == []
        await pool.execute("DELETE FROM occasion")
        told = await words(built, name)
        assert [line.split(": ")[1].split()[1] for line in told] == [
            str(approval.envelope.event_id),
            str(abolished.envelope.event_id),
        ]

        await pool.execute("DELETE FROM known_contract")
        assert len(await words(built, name)) == 3, "whose terms say nothing of it is not known"
    await mail.stop()


async def test_what_is_left_of_a_forgotten_party_is_told(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    forgotten = PartyForgotten(
        party_id=CUSTOMER,
        forgotten_on=date(2025, 6, 1),
        retention_classes=("contact",),
        reason="requested",
    )
    await mail.start()
    async with worker() as built:
        pool, name = built.pool, f"notifications of {around.prefix}contracts"
        await around.publish("contracts", CUSTOMER, REGISTERED)
        await around.publish("contracts", CONTRACT, APPROVED)
        (notice,) = await until_settled(pool, 1)
        last = await around.publish("contracts", CUSTOMER, forgotten)

        async def is_forgotten() -> bool:
            return bool(await pool.fetchval("SELECT forgotten FROM recipient"))

        await until(is_forgotten)
        assert await words(built, name) == []
        for doctored, told in (
            (
                "UPDATE recipient SET email = 'info@yamada.example'",
                "its name or address is kept all the same",
            ),
            (
                "UPDATE recipient SET forgotten = false",
                "the recipient is not marked so, that no mail goes out",
            ),
        ):
            await pool.execute(doctored)
            (line,) = await words(built, name)
            assert line.endswith(f"{last.envelope.event_id}: the party was forgotten, and {told}")
            await pool.execute("UPDATE recipient SET email = NULL, forgotten = true")
        assert await words(built, name) == []
        await pool.execute(
            "INSERT INTO captured_mail (notice_id, captured_at, customer_id, contract_ids,"
            " subject_line, body) VALUES ($1, now(), $2, $3, 'x', 'dear Yamada')",
            notice.notice_id,
            CUSTOMER,
            [CONTRACT],
        )
        (line,) = await words(built, name)
        assert line.endswith("a captured mail shows its address or text all the same")
        await pool.execute("DELETE FROM recipient")
        (line,) = await words(built, name)
        assert line.endswith("whom it names is not kept as a recipient")
    await mail.stop()
