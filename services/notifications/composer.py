"""From an occasion to the notices it leads to: rule of the terms, text, stream."""

import asyncio
from collections.abc import Iterator
from datetime import date

import structlog

from libs.dates.japan import japan_date
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.log import Log
from libs.events.vocabulary.notifications import NoticeQueued
from libs.events.weather import is_weather, pause
from libs.telemetry import tracing
from services.notifications.domain.notice import notice_id_of, notice_of, queue
from services.notifications.domain.rules import NoticeRule, NoticeTerms
from services.notifications.terms import NoticeTermsOf
from services.notifications.texts import facts_of, render
from services.notifications.views.known import Recipient, recipient
from services.notifications.views.occasions import (
    OpenOccasion,
    mark_queued,
    open_occasions,
    set_aside,
    take_up,
)

_BATCH = 100
_IDLE_SECONDS = 0.1
_TROUBLE_SECONDS = 1.0
_NAMELESS = "お客さま"


def told_on(occasion: OpenOccasion) -> date:
    """The day whose terms say what is told: when the event was recorded, in Japan."""
    return japan_date(occasion.recorded_at)


def notices_for(
    occasion: OpenOccasion, *, terms: NoticeTerms, to: Recipient, sender_name: str
) -> Iterator[NoticeQueued]:
    """The notices that the terms ask for; pure.

    Clauses: NSEC-6.2b, WUTM-9.1.1 (the approval is told), NSEC-16.2, WUTM-18.2 (reason,
    day and period of a suspension), NSEC-20.4, WUTM-20.2.1, WSRV-20.2b, RRNS-13.2 (reason and
    day of the end of a service), WUTM-10.2, WSRV-9.3.0 (a declined change), NSEC-23.1.2 (by e-mail to the registered address).
    """
    for name, rule in terms.rules_for(occasion.event):
        yield _notice(occasion, name=name, rule=rule, terms=terms, to=to, sender_name=sender_name)


def _notice(
    occasion: OpenOccasion,
    *,
    name: str,
    rule: NoticeRule,
    terms: NoticeTerms,
    to: Recipient,
    sender_name: str,
) -> NoticeQueued:
    facts = facts_of(occasion.event, terms=terms)
    text = render(
        rule.template,
        facts={
            "number": occasion.invoice_number,
            **facts,
            "salutation": _NAMELESS if to.name is None else f"{to.name} 様",
            "service_name": terms.service_name,
            "article": rule.article,
            "sender_name": sender_name,
        },
    )
    contracts = occasion.contract_ids
    return NoticeQueued(
        notice_id=notice_id_of(name, because_of=occasion.event_id, recipient=occasion.customer_id),
        rule=name,
        customer_id=occasion.customer_id,
        contract_id=contracts[0] if len(contracts) == 1 else None,
        channel=rule.channel,
        because_of=occasion.event_id,
        not_before_on=told_on(occasion),
        address=to.email,
        subject_line=text.subject,
        body=text.body,
        service=occasion.service,
        contract_ids=contracts,
        clauses=rule.clause,
    )


class Composer:
    """Queues what open occasions lead to. Again for one that is queued changes nothing."""

    def __init__(
        self,
        *,
        pool: Pool,
        log: Log,
        terms_of: NoticeTermsOf,
        sender_name: str,
        rehearsal: bool,
    ) -> None:
        self._pool = pool
        self._log = log
        self._terms_of = terms_of
        self._sender_name = sender_name
        self._rehearsal = rehearsal

    async def run(self, stop: asyncio.Event) -> None:
        """Queue until told to stop; what was set aside before is tried once more."""
        taken_up = False
        while not stop.is_set():
            try:
                if not taken_up:
                    await take_up(self._pool)
                    taken_up = True
                found = await self.queue_open()
            except Exception as error:
                if not is_weather(error):
                    raise
                structlog.get_logger().warning("composer tries again", error=type(error).__name__)
                await pause(_TROUBLE_SECONDS, stop=stop)
            else:
                if not found:
                    await pause(_IDLE_SECONDS, stop=stop)

    async def queue_open(self) -> int:
        """Queue the notices of the earliest open occasions; how many occasions they were.

        One whose notice cannot be made is set aside, visibly, and keeps none of the others back.
        """
        found = await open_occasions(self._pool, limit=_BATCH)
        for occasion in found:
            try:
                await self._queue(occasion)
            except Exception as error:
                if is_weather(error):
                    raise
                await set_aside(self._pool, occasion.event_id, trouble=type(error).__name__)
                structlog.get_logger().exception(
                    "an occasion is set aside", event_id=str(occasion.event_id)
                )
        return len(found)

    async def _queue(self, occasion: OpenOccasion) -> None:
        terms = self._terms_of(occasion.service, told_on(occasion))
        if terms is not None:
            to = await recipient(self._pool, occasion.customer_id)
            for wanted in notices_for(occasion, terms=terms, to=to, sender_name=self._sender_name):
                await self._append(occasion, wanted)
        await mark_queued(self._pool, occasion.event_id)

    async def _append(self, occasion: OpenOccasion, wanted: NoticeQueued) -> None:
        with tracing.continued(
            "queue notice",
            correlation=occasion.correlation_id,
            origin=occasion.traceparent,
        ):
            await self._log.decide(
                wanted.notice_id,
                lambda history: queue(notice_of(history), wanted=wanted),
                cause=Cause(
                    correlation_id=occasion.correlation_id,
                    causation_id=occasion.event_id,
                    actor=f"system:{self._log.context}",
                    traceparent=tracing.traceparent() or occasion.traceparent,
                    now=occasion.recorded_at if self._rehearsal else None,
                ),
            )
