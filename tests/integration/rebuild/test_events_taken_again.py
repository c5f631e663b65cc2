"""The command by which a reader that decides takes past events again, on services as they run."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from cli.commands.parked import parked_again
from cli.processes import CannotStart
from libs.events.taking_again import Stand
from tests.integration.rebuild.installation import Installation, approved
from tests.support.parked import parked_events
from tests.support.way import until

CAUSES = """
SELECT partition, sequence, event_id FROM event WHERE event_id = ANY($1::uuid[])
"""


async def test_what_was_decided_on_is_not_decided_twice_and_only_a_reader_that_decides_is_asked(
    here: Installation,
) -> None:
    async def asked(reader: str, stands: Sequence[Stand]) -> Sequence[UUID]:
        return await parked_again(
            "billing",
            reader,
            stands,
            environment=here.variables("billing"),
            bootstrap=here.kafka,
        )

    async with here.contracts() as contracts, here.billing() as billing:
        await approved(contracts, line_id="L-1")
        await here.level()
        before = await billing.log.read(0, limit=100)
        rows = await contracts.pool.fetch(CAUSES, [one.envelope.causation_id for one in before])
        stands = [Stand(here.topic("contracts"), row[0], row[1]) for row in rows]
        assert (
            set(await asked("billing-accounts", stands))
            == {row["event_id"] for row in rows}
            != set()
        )

        async def none_parked() -> bool:
            return await parked_events(billing.pool) == []

        await until(none_parked)
        await here.level()
        assert await billing.log.read(0, limit=100) == before

        with pytest.raises(CannotStart, match="rebuild consumer billing billing-facts"):
            await asked("billing-facts", stands)
        with pytest.raises(CannotStart, match="There is no reader billing there"):
            await asked("billing", stands)
        beyond = [stands[0]._replace(sequence=999)]
        with pytest.raises(CannotStart, match="has taken no event at"):
            await asked("billing-accounts", beyond)
