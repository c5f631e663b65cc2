"""Forgetting a party: the event first, then its keys; and again, whatever was killed or restored.

The event is the intention, durable in the log. Keys are destroyed after it, by who was asked and by
the worker, which repeats every destruction of the log when it starts and every ten minutes. So a
process killed between the two leaves a party that is forgotten a moment later, and a database of
keys that was restored from a backup loses again what it had lost.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from libs.dates.clock import Clock
from libs.dates.japan import japan_date
from libs.events.database import Pool
from libs.events.envelope import Event, Recorded
from libs.events.follow import Follower
from libs.events.keys import KeyOwner, Keys
from libs.events.log import Appended, Log
from libs.events.weather import is_weather, pause
from libs.terms.in_force import InForce, InvoicesKept
from services.contracts.domain.forgetting import Reason, Retention, forget
from services.contracts.use_cases import Command, customer_of
from services.contracts.views import forgotten
from services.contracts.views.holdings import held_by

_LOOK_SECONDS = 1.0
_REPEAT_SECONDS = 600.0
_TROUBLE_SECONDS = 5.0
_PARTIES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetter:
    """Forgets when asked; by views of contracts and late debts that it brings level first.

    `invoices_kept` is the law's table of how long copies of invoices are kept.
    """

    log: Log
    pool: Pool
    keys: Keys
    clock: Clock
    views: Sequence[Follower]
    invoices_kept: InForce[InvoicesKept]

    async def forget(
        self, command: Command, *, classes: Collection[Retention], reason: Reason
    ) -> Appended:
        """Forget these classes of a party, today; returns when their keys are destroyed.

        Raises what `forget` of the domain raises. When the keys are out of reach, the event stands
        already: a repeat under the same idempotency key destroys them, and so does the worker.
        """
        for view in self.views:
            await view.catch_up()
        held = await held_by(self.pool, command.stream_id)
        today = japan_date(command.cause.now or self.clock.now())
        kept = self.invoices_kept.at(today)

        def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
            return forget(
                customer_of(history),
                held=held,
                classes=classes,
                forgotten_on=today,
                reason=reason,
                kept=kept,
            )

        appended = await self.log.decide(
            command.stream_id,
            decision,
            cause=command.cause,
            expected=command.expected,
            riders=command.riders,
        )
        await self.keys.destroy([KeyOwner(command.stream_id, retention) for retention in classes])
        return appended


class Repeater:
    """Destroys the keys of every forgotten party, as the log tells; again changes nothing."""

    def __init__(self, *, pool: Pool, keys: Keys, repeat_seconds: float = _REPEAT_SECONDS) -> None:
        self._pool = pool
        self._keys = keys
        self._repeat_seconds = repeat_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Look every second for newly forgotten parties, and now and then repeat all."""
        loop = asyncio.get_running_loop()
        after, repeat_at = 0, loop.time() + self._repeat_seconds
        while not stop.is_set():
            try:
                after = await self.destroy(after=after)
            except Exception as error:
                if not is_weather(error):
                    raise
                structlog.get_logger().warning(
                    "keys of the forgotten wait to be destroyed", error=type(error).__name__
                )
                await pause(_TROUBLE_SECONDS, stop=stop)
                continue
            if loop.time() >= repeat_at:
                after, repeat_at = 0, loop.time() + self._repeat_seconds
            await pause(_LOOK_SECONDS, stop=stop)

    async def destroy(self, *, after: int = 0) -> int:
        """Destroy the keys of all who were forgotten after a position; gives the last position."""
        while found := await forgotten.after(self._pool, position=after, limit=_PARTIES):
            await self._keys.destroy([owner for each in found for owner in each.owners])
            after = found[-1].position
        return after
