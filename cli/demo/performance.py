"""The stories played side by side in one timeline, told as they happen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from cli.demo.story import Story, billing_days
from cli.demo.telling import sentence
from cli.play.http_deadlines import earliest, run_until
from cli.play.http_outcome import Document, documents_of, every
from cli.play.plan import Step
from cli.play.rehearsal import Stage
from cli.play.system import Play
from libs.dates.japan import japan_date, japan_instant
from libs.events.vocabulary.contracts import ContractDeclined

Tell = Callable[[date, str, str], None]
"""Says a day, whom it is about, and what happened."""

Mail = dict[str, Any]

_DECLINED = ContractDeclined.model_fields["type"].default


@dataclass(slots=True, kw_only=True)
class Part:
    """One customer on the stage; what was captured of mail, and issued, until now."""

    story: Story
    play: Play
    mails: list[Mail] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)


class Performance:
    """All customers' stories by date: deadlines first, then invoicing, then commands."""

    def __init__(self, stories: Sequence[Story], *, on: Stage, tell: Tell) -> None:
        self._stage = on
        self._tell = tell
        self.parts = [
            Part(
                story=story,
                play=Play(
                    story.scenario,
                    on=on,
                    details=story.details(),
                    document_number=f"承諾第{number}号",
                ),
            )
            for number, story in enumerate(stories, start=1)
        ]

    async def play(self) -> None:
        """Play to the end. Raises `NeverAtRest`, `Unavailable`, `Unexpected`."""
        told = [
            (step, part)
            for part in self.parts
            for step in part.story.steps(line_id=str(part.play.case.contract_id))
        ]
        through = max(part.story.scenario.through for part in self.parts)
        days = billing_days([step for step, _ in told], through=through)
        told.sort(key=lambda one: one[0].at)
        async with self._stage.rest.playing():
            for step, part in told:
                while days and japan_instant(days[0]) <= step.at:
                    await self._bill(days.pop(0))
                await self._meet_deadlines(step.at)
                await self._give(step, part)
            for day in days:
                await self._bill(day)

    async def _give(self, step: Step, part: Part) -> None:
        said = sentence(step, service=part.story.scenario.service)
        if said:
            self._tell(step.on, part.story.name, said)
        warned = len(part.play.warnings)
        await part.play.give(step)
        for warning in part.play.warnings[warned:]:
            self._tell(step.on, part.story.name, f"refused: {warning}")
        if part.story.declined is not None:
            await self._tell_of_refusal(step.on, part)
        await self._read_mails(part)

    async def _tell_of_refusal(self, on: date, part: Part) -> None:
        case = part.play.case
        history = await case.services.find("contracts", f"/contracts/{case.contract_id}/history")
        for event in history or ():
            if event["type"] == _DECLINED:
                data = event["data"]
                what = f"the application is declined: {data['ground']} ({data['clause']})"
                self._tell(on, part.story.name, what)

    async def _meet_deadlines(self, until: datetime) -> None:
        cases = [part.play.case for part in self.parts]
        while (due := await earliest(*cases, until=until)) is not None:
            for part in self.parts:
                own = await earliest(part.play.case, until=due.at)
                if own is not None:
                    await run_until(part.play.case, own)
                    await self._stage.rest.reached()
                    await self._read_mails(part)

    async def _bill(self, day: date) -> None:
        """Bill every month that ended before `day`; each customer's run belongs to their case."""
        await self._meet_deadlines(japan_instant(day))
        closing_on = day - timedelta(days=1)
        self._tell(day, "operator", f"invoices the months that ended by {closing_on}")
        for part in self.parts:
            if part.story.declined is None:
                await part.play.run_invoices(closing_on=closing_on, at=japan_instant(day))
                await self._read_documents(part, day)
                await self._read_mails(part)

    async def _read_documents(self, part: Part, day: date) -> None:
        found = await documents_of(part.play.case)
        for document in found[len(part.documents) :]:
            what = f"invoice {document.number} for {document.month}: {document.total:,} yen"
            self._tell(day, part.story.name, what)
        part.documents = found

    async def _read_mails(self, part: Part) -> None:
        case = part.play.case
        found = await every(
            case, "notifications", "/captured-mails", contract_id=str(case.contract_id)
        )
        known = {mail["notice_id"] for mail in part.mails}
        for mail in found:
            if mail["notice_id"] not in known:
                day = japan_date(datetime.fromisoformat(mail["captured_at"]))
                self._tell(day, part.story.name, f"✉ {mail['subject_line']}")
        part.mails = found
