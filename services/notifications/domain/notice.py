"""A notice: queued, then sent or failed; a failed one may be tried again.

Whether something was said stands in these events alone, so that a rebuild never says it again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import assert_never, cast
from uuid import UUID, uuid5

from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.notifications import (
    NoticeEvent,
    NoticeFailed,
    NoticeQueued,
    NoticeRequeued,
    NoticeSent,
)
from libs.refusal.refusal import NotFound, Refusal

_ADDRESS = re.compile(r"[^\s<>()\[\]:,;\"]+@[^\s<>()\[\]:,;\"]+")

_NOTICES = UUID("5f1c7c5e-58b0-4f0e-8a55-8f2c4b6a9d21")


class NoSuchNotice(NotFound):
    code = "no-such-notice"
    title = "There is no such notice"


class NotFailed(Refusal):
    code = "notice-not-failed"
    title = "Only a notice that failed is tried again"


class NothingLeftToSend(Refusal):
    code = "nothing-left-to-send"
    title = "The recipient was forgotten, and the notice with them"


@dataclass(frozen=True, slots=True)
class Unqueued:
    """Nothing is to be said."""


@dataclass(frozen=True, slots=True)
class Queued:
    """To be said on or after `not_before_on` of the notice."""

    notice: NoticeQueued


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The channel took it at `sent_at`; from then on it counts as said."""

    notice: NoticeQueued
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The channel refused it for good."""

    notice: NoticeQueued
    answer: str


Notice = Unqueued | Queued | Sent | Failed


def notice_id_of(rule: str, *, because_of: UUID, recipient: UUID) -> UUID:
    """The one id of what `rule` says to `recipient` because of an event: so it is said once."""
    return uuid5(_NOTICES, f"{rule}/{because_of}/{recipient}")


def notice_of(history: Sequence[Recorded[Event]]) -> Notice:
    """The notice as its events tell."""
    events = (cast("NoticeEvent", each.event) for each in history)
    return reduce(evolve, events, cast("Notice", Unqueued()))


def evolve(notice: Notice, event: NoticeEvent) -> Notice:
    """The notice after `event`."""
    match event:
        case NoticeQueued():
            return Queued(event)
        case NoticeSent():
            return Sent(notice=queued(notice), sent_at=event.sent_at)
        case NoticeFailed():
            return Failed(notice=queued(notice), answer=event.answer)
        case NoticeRequeued():
            return Queued(queued(notice))
    assert_never(event)


def queued(notice: Notice) -> NoticeQueued:
    """What is to be said; raises `NoSuchNotice` when nothing is."""
    if isinstance(notice, Unqueued):
        raise NoSuchNotice
    return notice.notice


def queue(notice: Notice, *, wanted: NoticeQueued) -> tuple[NoticeEvent, ...]:
    """Say it once: what is queued, sent or failed already is not queued again."""
    return (wanted,) if isinstance(notice, Unqueued) else ()


def record_sent(notice: Notice, *, sent_at: datetime, answer: str) -> tuple[NoticeEvent, ...]:
    """The channel took the notice; `answer` is what it said.

    An e-mail to the registered address is complete when sent, whatever comes back later.

    Clauses: NSEC-23.1.2 (complete when sent), NSEC-8.3 (a bounce does not undo it).
    """
    if not isinstance(notice, Queued):
        return ()
    return (
        NoticeSent(
            notice_id=notice.notice.notice_id, sent_at=sent_at, answer=without_addresses(answer)
        ),
    )


def record_failed(
    notice: Notice, *, failed_at: datetime, attempts: int, answer: str
) -> tuple[NoticeEvent, ...]:
    """The channel refused the notice for good; an operator sees it and may try again."""
    if not isinstance(notice, Queued):
        return ()
    failed = NoticeFailed(
        notice_id=notice.notice.notice_id,
        failed_at=failed_at,
        attempts=attempts,
        answer=without_addresses(answer),
    )
    return (failed,)


def without_addresses(answer: str) -> str:
    """A channel's answer without the addresses it quotes, which no forgetting would reach."""
    return _ADDRESS.sub("…", answer)


def retry(notice: Notice, *, requeued_on: date, reason: str) -> tuple[NoticeEvent, ...]:
    """Try a failed notice again; one that waits already stays as it is.

    Raises `NoSuchNotice`, `NotFailed` for one that was sent, `NothingLeftToSend` when the
    recipient was forgotten since.
    """
    match notice:
        case Unqueued():
            raise NoSuchNotice
        case Queued():
            return ()
        case Sent():
            raise NotFailed(f"it was sent at {notice.sent_at}", clause="NSEC-23.1.2")
        case Failed():
            return _requeued(notice.notice, requeued_on=requeued_on, reason=reason)
    assert_never(notice)


def _requeued(notice: NoticeQueued, *, requeued_on: date, reason: str) -> tuple[NoticeEvent, ...]:
    if notice.address is None or notice.body is None:
        raise NothingLeftToSend
    return (NoticeRequeued(notice_id=notice.notice_id, requeued_on=requeued_on, reason=reason),)
