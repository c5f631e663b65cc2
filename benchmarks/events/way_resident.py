"""A worker of one context: `relay DSN BROKER TOPIC` or `react DSN BROKER TOPIC`, as services run it.

The reaction makes one event of billing of each approval of contracts, on a stream of its own.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import date

import asyncpg
import uvloop

from benchmarks.resident import Answer, serve
from libs.dates.clock import SystemClock
from libs.events.consumer import Consumer
from libs.events.envelope import Event, Recorded
from libs.events.keys import MemoryKeys
from libs.events.reaction import Reaction
from libs.events.reactor import Reactor
from libs.events.relay import Relay
from libs.events.store import PostgresLog
from libs.events.vocabulary.billing import PaymentReceived
from libs.events.vocabulary.contracts import ContractApproved
from libs.process.running import Run, side_by_side

_LOOK_SECONDS = 0.01
_RECEIVED_ON = date(2026, 4, 1)


def react(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """One event for each approval."""
    approved = recorded.event
    if not isinstance(approved, ContractApproved):
        return ()

    def decide(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        if history:
            return ()
        return [
            PaymentReceived(
                payment_id=approved.contract_id,
                account_id=approved.customer_id,
                amount=1,
                received_on=_RECEIVED_ON,
                settled_on=_RECEIVED_ON,
                names=None,
                applied=(),
                unapplied=1,
            )
        ]

    return [Reaction(stream_id=approved.contract_id, decision=decide)]


async def main(role: str, dsn: str, bootstrap: str, topic: str) -> None:
    """Work until standard input ends."""
    if role == "relay":
        relay = Relay(dsn=dsn, bootstrap=bootstrap, topic=topic)
        await _work(relay.run, ready=lambda: relay.leads)
        return
    async with asyncpg.create_pool(dsn, min_size=2, max_size=8) as pool:
        keys = MemoryKeys()
        opened = await PostgresLog.open(pool, context="billing", keys=keys, clock=SystemClock())
        async with opened as log:
            reactor = Reactor("bench", react=react, log=log, pool=pool, keys=keys)
            consumer = Consumer(
                reactor, topics=[topic], group="bench", bootstrap=bootstrap, pool=pool
            )
            await _work(consumer.run, ready=lambda: bool(consumer.shares))


async def _work(run: Run, *, ready: Callable[[], bool]) -> None:
    async def well() -> Answer:
        while not ready():  # noqa: ASYNC110 - it is another task that makes it ready
            await asyncio.sleep(_LOOK_SECONDS)
        return {}

    async def orders(_: asyncio.Event) -> None:
        await serve(well=well)

    await side_by_side(run, orders, stop=asyncio.Event())


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
