"""The end of a service, announced by one command and carried out contract by contract.

What is announced stands in the stream of the service. From there it is carried out by the worker:
every contract that would outlast the day is ended by an event of its own, decided on its own
stream. Ending one twice changes nothing, so a worker that was killed goes on with what the list of
contracts still shows, two workers do no harm, and a contract formed after the announcement ends
like the others.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from libs.dates.clock import Clock
from libs.dates.japan import japan_date
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.follow import Follower
from libs.events.log import Appended, Log
from libs.events.vocabulary.contracts import AbolitionCarriedOut, ServiceAbolished
from libs.refusal.refusal import Refusal, Stale
from services.contracts.domain import abolishing
from services.contracts.domain.abolishing import abolition_id_of, stream_of
from services.contracts.domain.deadlines import ends_at_latest
from services.contracts.domain.terms import Terms
from services.contracts.use_cases import Command, on_ending, terms_at
from services.contracts.views import abolitions, contracts
from services.contracts.views.abolitions import AbolitionRow
from services.contracts.views.contracts import OpenContract

AT_ONCE = 50


async def announce(
    log: Log,
    command: Command,
    *,
    service: str,
    plan: str | None,
    announced_on: date,
    abolished_on: date,
    reason: str,
    urgent_reason: str | None,
    terms: Terms,
) -> Appended:
    """Announce the end of a service or of a plan of it; `command` is on the service's stream.

    Raises `UnknownService`, and the refusals of the decision.
    """
    in_force = terms.at(service, announced_on)
    wished = ServiceAbolished(
        abolition_id=abolition_id_of(service, plan=plan),
        service=service,
        plan=plan,
        announced_on=announced_on,
        abolished_on=abolished_on,
        reason=reason,
        clause="",
        urgent_reason=urgent_reason,
    )
    return await log.decide(
        command.stream_id,
        lambda history: abolishing.announce(
            abolishing.abolitions_of(recorded.event for recorded in history),
            wished=wished,
            terms=in_force,
        ),
        cause=command.cause,
        expected=command.expected,
        riders=command.riders,
    )


async def end_with_service(
    log: Log, command: Command, *, abolished: ServiceAbolished, terms: Terms
) -> Appended:
    """End one contract with its service, if it would outlast it."""
    return await on_ending(
        log,
        command,
        lambda life: abolishing.end_with_service(
            life,
            abolished=abolished,
            terms=terms_at(life, abolished.abolished_on, terms=terms),
            ends_at_latest=ends_at_latest(life, terms=terms),
        ),
        terms=terms,
    )


class _Left(NamedTuple):
    """A contract left as it is at a version, and why it could not be ended; "" where it need not."""

    version: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Abolisher:
    """Carries abolitions out, by the lists of them and of the contracts, which it brings level.

    `met` is what this process has looked at and left as it is, by abolition and contract: only
    a contract that has moved since is looked at again. The clock dates when all were met; a
    rehearsal stays at the time of the announcement.
    """

    log: Log
    pool: Pool
    terms: Terms
    listed: Follower
    announced: Follower
    clock: Clock
    rehearsal: bool
    met: dict[tuple[UUID, UUID], _Left] = field(default_factory=dict)

    async def carry_out_all(self) -> int:
        """Carry out every abolition there is, the first announced first; how many contracts ended.

        What goes wrong with one contract holds up no other: the first such error is raised when
        everything has been tried.
        """
        await self.announced.catch_up()
        ended = 0
        errors: list[BaseException] = []
        for abolition in await abolitions.find(self.pool, service=None):
            ended += await self._carry_out(abolition, errors=errors)
        if errors:
            raise errors[0]
        return ended

    async def _carry_out(self, abolition: AbolitionRow, *, errors: list[BaseException]) -> int:
        """End what would outlast the day; note it when all contracts were met. How many ended."""
        await self.listed.catch_up()
        found = await contracts.outlasting(self.pool, abolition.announced)
        left = [each for each in found if self._left(abolition, each) is None]
        ended = 0
        failed = False
        for at in range(0, len(left), AT_ONCE):
            batch = left[at : at + AT_ONCE]
            results = await asyncio.gather(
                *(self._end(abolition, each) for each in batch), return_exceptions=True
            )
            for result in results:
                if isinstance(result, BaseException):
                    errors.append(result)
                    failed = True
                else:
                    ended += result
        if not abolition.carried_out and not failed:
            await self._finish(abolition, found=found)
        return ended

    def _left(self, abolition: AbolitionRow, found: OpenContract) -> _Left | None:
        """How it was left, if it has not moved since."""
        left = self.met.get((abolition.abolition_id, found.contract_id))
        return left if left and left.version == found.version else None

    async def _end(self, abolition: AbolitionRow, found: OpenContract) -> bool:
        """Whether the contract was ended; notes why where it is left as it is."""
        history = await self.log.load(found.contract_id)
        first, last = history[0].envelope, history[-1].envelope
        recorded_at = max(abolition.recorded_at, last.recorded_at)
        cause = Cause(
            correlation_id=first.correlation_id,
            causation_id=abolition.event_id,
            actor=abolition.actor,
            traceparent=abolition.traceparent,
            now=recorded_at if self.rehearsal else None,
        )
        try:
            appended = await end_with_service(
                self.log,
                Command(stream_id=found.contract_id, cause=cause),
                abolished=abolition.announced,
                terms=self.terms,
            )
        except Stale:
            raise
        except Refusal as refused:
            why = f"{refused.code}: {refused.detail or refused.title}"
        else:
            if appended.events:
                return True
            why = ""
        self.met[abolition.abolition_id, found.contract_id] = _Left(found.version, why)
        return False

    async def _finish(self, abolition: AbolitionRow, *, found: list[OpenContract]) -> None:
        """Note that all that were found have been met, with what could not be ended of them."""
        await self.listed.catch_up()
        left = {each.contract_id: self._left(abolition, each) for each in found}
        cause = abolition.cause(rehearsal=self.rehearsal)
        announced = abolition.announced
        wished = AbolitionCarriedOut(
            abolition_id=abolition.abolition_id,
            service=announced.service,
            carried_out_on=japan_date(cause.now or self.clock.now()),
            ended=await contracts.count_ended(self.pool, abolition.abolition_id),
            failures={str(each): how.why for each, how in left.items() if how and how.why},
        )
        await self.log.decide(
            stream_of(announced.service),
            lambda history: abolishing.carried_out(
                (recorded.event for recorded in history), wished=wished
            ),
            cause=cause,
        )
