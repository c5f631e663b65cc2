"""Play through the running system: HTTP commands, Kafka, all services, as a partner would."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from uuid_utils.compat import uuid7

from cli.play.http import Refused
from cli.play.http_deadlines import earliest, run_until
from cli.play.http_operations import FILLED, HttpCase, perform
from cli.play.http_outcome import last_billing_day, outcome_of
from cli.play.http_runs import run_invoices
from cli.play.offline import TERMS, read_book
from cli.play.operations import NoCommand
from cli.play.plan import Step, plan
from cli.play.rehearsal import Stage
from cli.play.result import render
from cli.play.scenario import Scenario
from libs.dates.japan import japan_instant
from libs.refusal.refusal import Refusal
from services.contracts.domain.terms import UnknownService

_AT_ONCE = 64
_ONE_DAY = timedelta(days=1)


class NotPlayable(Refusal):
    """The running system cannot play a scenario at all."""

    code = "not-playable"
    title = "The running system cannot play this"


class SystemPlayer:
    """Plays scenarios on one stage, many side by side."""

    def __init__(self, on: Stage) -> None:
        self._stage = on
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def play(self, scenario: Scenario) -> dict[str, Any]:
        """Play a scenario to its end; the result as the cases print it.

        Raises `NotPlayable`, `NeverAtRest`, `Unavailable`, `Unexpected`, and what terms refuse.
        """
        async with self._room, self._stage.rest.playing():
            return await Play(scenario, on=self._stage).to_the_end()


class Play:
    """One scenario in the course of being played: `steps` by time, and what was warned of.

    `details` are what the customer is registered with beside what the scenario says, and
    `document_number` is that of the acceptance.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        on: Stage,
        details: Mapping[str, Any] | None = None,
        document_number: str = FILLED,
    ) -> None:
        self.scenario = scenario
        self._rest = on.rest
        contract_id = uuid7()
        self.case = HttpCase(
            service=scenario.service,
            correlation=uuid7(),
            customer_id=uuid7(),
            contract_id=contract_id,
            services=on.services,
            terms=read_book(scenario.service, folder=TERMS).contracts,
            details=details or {},
            document_number=document_number,
        )
        planned = plan(scenario, line_id=str(contract_id))
        self.steps = planned.steps
        self.warnings = list(planned.warnings)

    async def to_the_end(self) -> dict[str, Any]:
        """Give every command in order, bill to the last month, and tell what came of it."""
        last_at = japan_instant(date.min + _ONE_DAY)
        for step in self.steps:
            await self.meet_deadlines(step.at)
            await self.give(step)
            last_at = max(last_at, step.at)
        await self.meet_deadlines(japan_instant(await self.last_day()))
        closing_on = await self.last_day()
        at = max(last_at, japan_instant(closing_on + _ONE_DAY))
        await self.run_invoices(closing_on=closing_on, at=at)
        return await self.result()

    async def give(self, step: Step) -> None:
        """Give one command and wait for rest; a refusal becomes a warning.

        Raises `NotPlayable` when the service is not sold.
        """
        if step.operation == "run_invoices":
            closing_on = min(step.arguments["closing_on"], await self.last_day())
            await self.run_invoices(closing_on=closing_on, at=step.at)
            return
        try:
            said = await perform(self.case, step)
            self.warnings += [f"{step.on} {step.operation}: {each}" for each in said]
        except (Refused, NoCommand) as refused:
            if isinstance(refused, Refused) and refused.said == UnknownService.code:
                service = self.scenario.service
                raise NotPlayable(
                    f"the running system does not sell {service}; --offline plays it"
                ) from refused
            clause = f" ({refused.clause})" if refused.clause else ""
            self.warnings.append(f"{step.on} {step.operation}: {refused.detail}{clause}")
        await self._rest.reached()

    async def meet_deadlines(self, until: datetime) -> None:
        """Run every deadline due at or before `until`, the earliest of all services first."""
        while (due := await earliest(self.case, until=until)) is not None:
            await run_until(self.case, due)
            await self._rest.reached()

    async def run_invoices(self, *, closing_on: date, at: datetime) -> None:
        """Bill this account up to `closing_on`, on the day of `at`; wait for rest."""
        await run_invoices(self.case, closing_on=closing_on, at=at, accounts=[self.case.account_id])
        await self._rest.reached()

    async def last_day(self) -> date:
        """The last day of the last billing month to bill."""
        return await last_billing_day(self.case, through=self.scenario.through)

    async def result(self) -> dict[str, Any]:
        """What came of it, as the cases print it."""
        return render(self.scenario, await outcome_of(self.case, warnings=self.warnings))
