"""The one command on a notice, and how a notice is read."""

from datetime import date
from uuid import UUID

from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import NO_RIDERS, Appended, Log, Riders
from services.notifications.domain.notice import Notice, notice_of, retry


async def retry_notice(
    log: Log,
    notice_id: UUID,
    *,
    requeued_on: date,
    reason: str,
    cause: Cause,
    expected: int | None = None,
    riders: Riders = NO_RIDERS,
) -> Appended:
    """A failed notice is tried again; one that waits already stays as it is."""
    return await log.decide(
        notice_id,
        lambda history: retry(notice_of(history), requeued_on=requeued_on, reason=reason),
        cause=cause,
        expected=expected,
        riders=riders,
    )


async def notice_at(log: Log, notice_id: UUID) -> tuple[Notice, tuple[Recorded[Event], ...]]:
    """The notice, and what was recorded of it."""
    history = await log.load(notice_id)
    return notice_of(history), history
