"""The end of a service, announced by one command and carried out contract by contract.

What is announced stands in the stream of the service. From there it is carried out by the worker:
every contract that would outlast the day is ended by an event of its own, decided on its own
stream. Ending one twice changes nothing, so a worker that was killed goes on with what the list of
contracts still shows, two workers do no harm, and a contract formed after the announcement ends
like the others. No clock is read.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Abolisher:
    """Carries abolitions out, by the lists of them and of the contracts, which it brings level.

    `met` is what this process has looked at and left as it is, by abolition and contract: only
    a contract that has moved since is looked at again.
    """

    log: Log
    pool: Pool
    terms: Terms
    listed: Follower
    announced: Follower
    rehearsal: bool
    met: dict[tuple[UUID, UUID], int] = field(default_factory=dict)

    async def carry_out_all(self) -> int:
        """Carry out every abolition there is, the first announced first; how many contracts ended."""
        await self.announced.catch_up()
        standing = await abolitions.find(self.pool, service=None)
        return sum([await self.carry_out(one) for one in standing])

    async def carry_out(self, abolition: AbolitionRow) -> int:
        """End what would outlast the day; note it when all contracts were met. How many ended."""
        await self.listed.catch_up()
        left = [
            each
            for each in await contracts.outlasting(self.pool, abolition.announced)
            if self.met.get((abolition.abolition_id, each.contract_id)) != each.version
        ]
        failures: dict[str, str] = {}
        ended = 0
        for at in range(0, len(left), AT_ONCE):
            batch = left[at : at + AT_ONCE]
            results = await asyncio.gather(*(self._end(abolition, each) for each in batch))
            for each, said in zip(batch, results, strict=True):
                ended += said is None
                if said:
                    failures[str(each.contract_id)] = said
        if not abolition.carried_out:
            await self._finish(abolition, failures=failures)
        return ended

    async def _end(self, abolition: AbolitionRow, found: OpenContract) -> str | None:
        """None when the contract was ended; why it could not be, or nothing when it need not."""
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
            said = f"{refused.code}: {refused.detail or refused.title}"
        else:
            if appended.versions[found.contract_id] > found.version:
                return None
            said = ""
        self.met[abolition.abolition_id, found.contract_id] = found.version
        return said

    async def _finish(self, abolition: AbolitionRow, *, failures: dict[str, str]) -> None:
        await self.listed.catch_up()
        announced = abolition.announced
        wished = AbolitionCarriedOut(
            abolition_id=abolition.abolition_id,
            service=announced.service,
            carried_out_on=announced.announced_on,
            ended=await contracts.count_ended(self.pool, abolition.abolition_id),
            failures=failures,
        )
        await self.log.decide(
            stream_of(announced.service),
            lambda history: abolishing.carried_out(
                (recorded.event for recorded in history), wished=wished
            ),
            cause=abolition.cause(rehearsal=self.rehearsal),
        )
