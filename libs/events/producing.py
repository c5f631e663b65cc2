"""A producer that ends in bounded time, though the broker be away."""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from typing_extensions import override

FAREWELL_SECONDS = 3.0
"""How long what is told to stop goes on waiting for a broker that does not answer."""

_CANCEL_SECONDS = 0.5


class Producer(AIOKafkaProducer):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's, which when it is idempotent tries to send for ever, and lets nobody stop it.

    Whoever moves a cursor only past what was acknowledged loses nothing by throwing it away. When
    aiokafka lets the batches of an idempotent producer expire, its own `stop` will do.
    """

    @override
    async def stop(self) -> None:
        """Send what is in hand and end; what is not acknowledged in time may arrive or not."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self.flush()
        except TimeoutError:
            await self._let_go()
        await super().stop()

    async def _let_go(self) -> None:
        """Break the connections, end the sending, and fail what was to be sent, in that order."""
        await self.client.close()
        sender = self._sender.sender_task
        while not sender.done():
            # The first time it waits for its requests in flight, the next time for none.
            sender.cancel()
            await asyncio.wait([sender], timeout=_CANCEL_SECONDS)
        self._message_accumulator.fail_all(KafkaTimeoutError())
