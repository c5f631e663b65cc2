"""Every event of the notifications context: the stream of a notice."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from libs.events.envelope import Event, Personal

Channel = Literal["mail"]


class NoticeQueued(Event):
    """Something must be said to a customer because of an event; not before `not_before_on`.

    `contract_ids` are all contracts it speaks of, `contract_id` the one where it is one only;
    `clauses` are those the rule rests on. The subject line names no person.
    """

    effective: ClassVar[str | None] = "not_before_on"
    subject: ClassVar[str | None] = "customer_id"

    type: Literal["notifications.notice-queued.v1"] = "notifications.notice-queued.v1"
    notice_id: UUID
    rule: str
    customer_id: UUID
    contract_id: UUID | None
    channel: Channel
    because_of: UUID
    not_before_on: date
    address: Annotated[str | None, Personal("contact")]
    subject_line: str
    body: Annotated[str | None, Personal("contact")]
    service: str | None = None
    contract_ids: tuple[UUID, ...] = ()
    clauses: tuple[str, ...] = ()


class NoticeSent(Event):
    """The channel took the notice; `answer` is what it said."""

    effective: ClassVar[str | None] = "sent_at"

    type: Literal["notifications.notice-sent.v1"] = "notifications.notice-sent.v1"
    notice_id: UUID
    sent_at: datetime
    answer: str


class NoticeFailed(Event):
    """The channel refused the notice for good after `attempts` attempts."""

    effective: ClassVar[str | None] = "failed_at"

    type: Literal["notifications.notice-failed.v1"] = "notifications.notice-failed.v1"
    notice_id: UUID
    failed_at: datetime
    attempts: int
    answer: str


class NoticeRequeued(Event):
    """A failed notice is tried again, because an operator asked for it."""

    effective: ClassVar[str | None] = "requeued_on"

    type: Literal["notifications.notice-requeued.v1"] = "notifications.notice-requeued.v1"
    notice_id: UUID
    requeued_on: date
    reason: str


NoticeEvent = NoticeQueued | NoticeSent | NoticeFailed | NoticeRequeued
