"""Of everything that a customer must be told there is a notice; one that is missing is told."""

from libs.events.reconcile import whole_round
from services.notifications.main import Built
from tests.integration.notifications.conftest import Running
from tests.integration.notifications.test_way_of_a_notice import REGISTERED, until_settled
from tests.support.contexts import Surroundings
from tests.support.mail import MailServer
from tests.support.way import until
from tests.unit.notifications.examples import APPROVED, CONTRACT, CUSTOMER


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
