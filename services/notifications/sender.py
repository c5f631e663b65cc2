"""Sends what is queued, one after the other, and records what the channel said.

Sending is at least once: a process that dies after the server took a mail and before that was
recorded sends it again, under the same Message-ID, by which a repeat is recognised. Whether a
notice was sent stands in the log alone, so a rebuilt view sends nothing again. One sender is at
work per database; others stand by.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog
from opentelemetry.trace import SpanKind

from libs.dates.clock import Clock
from libs.dates.japan import japan_date
from libs.events.database import PATIENCE_SECONDS, Connection, Pool
from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import Decision, Log
from libs.events.vocabulary.notifications import NoticeQueued
from libs.events.weather import is_weather, pause, pauses
from libs.telemetry import tracing
from services.notifications.domain.notice import (
    Queued,
    notice_of,
    record_failed,
    record_sent,
)
from services.notifications.gateways.mail import Mail, MailDeferred, Mailer, MailRefused
from services.notifications.views.known import is_forgotten
from services.notifications.views.notices import unsent

LOCK = 0x59414B4D41494C  # one sender per database; the number is ours alone

_BATCH = 100
_IDLE_SECONDS = 0.1
_STAND_BY_SECONDS = 0.5
_NO_ADDRESS = "no address is registered, or it was forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a mail that the server defers is tried, and seconds to the second attempt.

    Each further pause is twice as long. A server that is away costs no attempt.
    """

    attempts: int
    first_seconds: float


@dataclass(frozen=True, slots=True)
class _Tried:
    attempts: int
    again_at: float


TRY_LOCK = "SELECT pg_try_advisory_lock($1)"


class Sender:
    """Sends queued notices; `trouble` says what keeps it from sending, None while nothing does."""

    def __init__(
        self,
        *,
        dsn: str,
        pool: Pool,
        log: Log,
        mailer: Mailer,
        clock: Clock,
        rehearsal: bool,
        patience: Patience,
    ) -> None:
        self.trouble: str | None = None
        self._dsn = dsn
        self._pool = pool
        self._log = log
        self._mailer = mailer
        self._clock = clock
        self._rehearsal = rehearsal
        self._patience = patience
        self._tried: dict[UUID, _Tried] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Stand by, then send until told to stop; a mail in hand is finished first."""
        waits = pauses()
        try:
            while not stop.is_set():
                try:
                    await self._stand_by(stop)
                except Exception as error:
                    if not is_weather(error):
                        raise
                    self.trouble = type(error).__name__
                    structlog.get_logger().warning("sender tries again", error=self.trouble)
                    await pause(next(waits), stop=stop)
        finally:
            await self._mailer.close()

    async def _stand_by(self, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(self._dsn, command_timeout=PATIENCE_SECONDS)
        try:
            while not stop.is_set():
                if await connection.fetchval(TRY_LOCK, LOCK):
                    await self._lead(connection, stop)
                await pause(_STAND_BY_SECONDS, stop=stop)
        finally:
            connection.terminate()

    async def _lead(self, connection: Connection, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await connection.execute("SELECT 1")  # raises once the lock is gone with it
            sent = await self.send_queued(stop)
            self.trouble = None
            if not sent:
                await pause(_IDLE_SECONDS, stop=stop)

    async def send_queued(self, stop: asyncio.Event) -> int:
        """Send what is queued and due; how many notices were settled.

        A rehearsal's days may lie ahead of the present one: there all that is queued is due.
        """
        today = None if self._rehearsal else japan_date(self._clock.now())
        settled = 0
        for notice_id in await unsent(self._pool, on=today, limit=_BATCH):
            if stop.is_set():
                break
            if self._is_due(notice_id):
                settled += await self._send(notice_id)
        return settled

    def _is_due(self, notice_id: UUID) -> bool:
        tried = self._tried.get(notice_id)
        return tried is None or asyncio.get_running_loop().time() >= tried.again_at

    async def _send(self, notice_id: UUID) -> bool:
        history = await self._log.load(notice_id)
        notice = notice_of(history)
        if not isinstance(notice, Queued):
            return False  # the view has not seen yet what the log says
        envelope = history[-1].envelope
        with tracing.continued(
            "send mail",
            correlation=envelope.correlation_id,
            origin=envelope.traceparent,
            kind=SpanKind.CLIENT,
        ):
            return await self._try(notice.notice, history)

    async def _try(self, notice: NoticeQueued, history: tuple[Recorded[Event], ...]) -> bool:
        at = history[-1].envelope.recorded_at if self._rehearsal else self._clock.now()
        gone = await is_forgotten(self._pool, notice.customer_id)
        if gone or notice.address is None or notice.body is None:
            await self._fail(notice, history, at=at, attempts=0, answer=_NO_ADDRESS)
            return True
        attempts = 1 + (tried.attempts if (tried := self._tried.get(notice.notice_id)) else 0)
        try:
            answer = await self._mailer.send(_mail(notice, notice.address, notice.body, at=at))
        except MailRefused as refused:
            await self._fail(notice, history, at=at, attempts=attempts, answer=str(refused))
            return True
        except MailDeferred as deferred:
            if attempts >= self._patience.attempts:
                await self._fail(notice, history, at=at, attempts=attempts, answer=str(deferred))
                return True
            self._wait(notice.notice_id, attempts=attempts)
            return False
        await self._record(
            notice.notice_id,
            lambda found: record_sent(notice_of(found), sent_at=at, answer=answer),
            history=history,
        )
        self._tried.pop(notice.notice_id, None)
        return True

    def _wait(self, notice_id: UUID, *, attempts: int) -> None:
        pause_seconds = self._patience.first_seconds * 2 ** (attempts - 1)
        again_at = asyncio.get_running_loop().time() + pause_seconds
        self._tried[notice_id] = _Tried(attempts, again_at)

    async def _fail(
        self,
        notice: NoticeQueued,
        history: tuple[Recorded[Event], ...],
        *,
        at: datetime,
        attempts: int,
        answer: str,
    ) -> None:
        await self._record(
            notice.notice_id,
            lambda found: record_failed(
                notice_of(found), failed_at=at, attempts=attempts, answer=answer
            ),
            history=history,
        )
        self._tried.pop(notice.notice_id, None)

    async def _record(
        self, notice_id: UUID, decision: Decision, *, history: tuple[Recorded[Event], ...]
    ) -> None:
        envelope = history[-1].envelope
        await self._log.decide(
            notice_id,
            decision,
            cause=Cause(
                correlation_id=envelope.correlation_id,
                causation_id=envelope.event_id,
                actor=f"system:{self._log.context}",
                traceparent=tracing.traceparent() or envelope.traceparent,
                now=envelope.recorded_at if self._rehearsal else None,
            ),
        )


def _mail(notice: NoticeQueued, address: str, body: str, *, at: datetime) -> Mail:
    return Mail(
        notice_id=notice.notice_id,
        customer_id=notice.customer_id,
        contract_ids=notice.contract_ids,
        address=address,
        subject=notice.subject_line,
        body=body,
        at=at,
    )
