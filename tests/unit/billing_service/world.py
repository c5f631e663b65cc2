"""A small world around billing: the other contexts' logs, told by hand, and billing in memory."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from libs.dates.clock import FixedClock
from libs.dates.japan import japan_instant
from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import StreamAppend
from libs.events.memory import MemoryLog
from libs.events.vocabulary import contracts, monitoring
from libs.events.vocabulary.billing import ChargeLine, CreditNoteIssued, InvoiceIssued
from services.billing import reactions
from services.billing.domain.account import Account, account_of
from services.billing.domain.terms import Settings
from services.billing.memory import MemoryDrafts, MemoryTimelines
from services.billing.ports import Billing
from services.billing.runs import Outcome, run_invoices
from services.billing.terms_folder import TermsFolder
from services.billing.use_cases import Write, account_state

TERMS = Path(__file__).parents[3] / "terms"
NAMES = UUID("00000000-0000-0000-0000-0000000000aa")
CONTRACT = uuid5(NAMES, "contract")
CUSTOMER = uuid5(NAMES, "customer")
ACCOUNT = account_of(CONTRACT)
_FOLDER = TermsFolder(TERMS)


def day(text: str) -> date:
    return date.fromisoformat(text)


class World:
    """Everything by date: commands and facts are recorded at noon, Japan time, of a day."""

    def __init__(self, *, settings: Settings | None = None) -> None:
        self.clock = FixedClock(japan_instant(date(2024, 1, 1), 12))
        self.foreign = {
            context: MemoryLog(context, clock=self.clock, rehearsal=True)
            for context in ("contracts", "monitoring")
        }
        self.log = MemoryLog("billing", clock=self.clock, rehearsal=True)
        self.timelines = MemoryTimelines(self.log)
        self.drafts = MemoryDrafts()
        terms = _FOLDER if settings is None else TermsFolder(TERMS, settings=settings)
        self.billing = Billing(
            log=self.log, timelines=self.timelines, terms=terms, drafts=self.drafts
        )
        self.runs = 0
        self._recorded: list[Recorded[Event]] = []

    def cause(self, on: str) -> Cause:
        return Cause(correlation_id=NAMES, actor="test", now=self._at(day(on)))

    def write(self, on: str) -> Write:
        return Write(cause=self.cause(on))

    def _at(self, on: date) -> datetime:
        self.clock.at = max(self.clock.at, japan_instant(on, 12))
        return self.clock.at

    async def tell(self, event: Event, *, on: str | None = None) -> Recorded[Event]:
        """Another context records an event, on its day of effect unless said."""
        recorded = await self.record(event, on=on)
        await self.deliver([recorded])
        return recorded

    async def record(self, event: Event, *, on: str | None = None) -> Recorded[Event]:
        """The same, but billing has not heard of it yet."""
        effective = event.takes_effect_on or date(2024, 1, 1)
        log = self.foreign[event.type.partition(".")[0]]
        stream_id = getattr(event, "contract_id", None) or getattr(event, "customer_id")  # noqa: B009 - one of the two
        at = self._at(day(on) if on else effective)
        appended = await log.append(
            StreamAppend(
                stream_id=stream_id,
                events=(event,),
                expected=len(await log.load(stream_id)),
            ),
            cause=Cause(correlation_id=NAMES, actor="test", now=at),
        )
        return appended.events[0]

    async def tell_account(self, event: Event, *, on: str | None = None) -> Recorded[Event]:
        """The same as `tell`, but what charges rest on has not heard of it yet."""
        recorded = await self.record(event, on=on)
        await self.react([recorded])
        return recorded

    async def deliver(self, events: Sequence[Recorded[Event]]) -> None:
        """Billing hears of events, in this order."""
        self.timelines.take(events)
        await self.react(events)

    async def react(self, events: Sequence[Recorded[Event]]) -> None:
        """What events lead to is decided."""
        for recorded in events:
            for reaction in reactions.react(recorded):
                await self.log.decide(
                    reaction.stream_id, reaction.decision, cause=self.cause("2024-01-01")
                )

    async def run(self, closing_on: str, *, issued_on: str | None = None, **given: Any) -> Outcome:
        """A run of its own, issued on the day after the closing unless said."""
        self.runs += 1
        issued = day(issued_on) if issued_on else day(closing_on) + timedelta(days=1)
        return await run_invoices(
            self.billing,
            run_id=given.pop("run_id", uuid5(NAMES, f"run {self.runs}")),
            closing_on=day(closing_on),
            issued_on=issued,
            cause=self.cause(issued.isoformat()),
            **given,
        )

    async def account(self, account_id: UUID = ACCOUNT) -> Account:
        account, _ = await account_state(self.billing, account_id)
        return account

    async def documents(self) -> list[InvoiceIssued | CreditNoteIssued]:
        """Everything issued, by number."""
        events = await self.log.read(0, limit=100_000)
        issued = [e.event for e in events if isinstance(e.event, InvoiceIssued | CreditNoteIssued)]
        return sorted(issued, key=lambda document: document.number)

    async def of_type(self, kind: type[Event]) -> list[Any]:
        return [e.event for e in await self.log.read(0, limit=100_000) if isinstance(e.event, kind)]


async def a_contract(
    world: World,
    *,
    service: str = "WUTM",
    applied: str = "2024-01-05",
    started: str | None = "2024-01-10",
    contract_id: UUID = CONTRACT,
    customer_id: UUID = CUSTOMER,
    corporate: bool = True,
    **content: Any,
) -> None:
    """A contract in force; WUTM on a collaboration line unless said."""
    given = {"device": "SSB10", "line": "flets"} if service == "WUTM" else {"packs": {10: 1}}
    for event in beginning(
        service=service,
        applied=applied,
        started=started,
        contract_id=contract_id,
        customer_id=customer_id,
        corporate=corporate,
        content={**given, **content},
    ):
        await world.tell(event)


def beginning(
    *,
    service: str = "WUTM",
    applied: str = "2024-01-05",
    started: str | None = "2024-01-10",
    contract_id: UUID = CONTRACT,
    customer_id: UUID = CUSTOMER,
    corporate: bool = True,
    content: dict[str, Any],
) -> list[Event]:
    """The events with which a contract begins."""
    events: list[Event] = [
        contracts.CustomerRegistered(
            customer_id=customer_id,
            registered_on=day(applied),
            corporate=corporate,
            payment_method="invoice",
        ),
        contracts.ContractApplied(
            contract_id=contract_id,
            service=service,
            customer_id=customer_id,
            terms_version=day(applied),
            applied_on=day(applied),
            content=contracts.Content.model_validate(content),
        ),
        contracts.ContractApproved(
            contract_id=contract_id,
            customer_id=customer_id,
            service=service,
            approved_on=day(applied),
            document_number="1",
        ),
    ]
    if started is not None:
        events.append(contracts.ServiceStarted(contract_id=contract_id, started_on=day(started)))
    return events


def terminated(on: str, *, contract_id: UUID = CONTRACT) -> contracts.ContractTerminated:
    return contracts.ContractTerminated(
        contract_id=contract_id,
        customer_id=CUSTOMER,
        terminated_on=day(on),
        by="customer",
        cause="customer",
        clause="WUTM-21.1",
    )


def outage(from_at: str, to_at: str, *, fault: monitoring.Fault = "provider") -> Event:
    return monitoring.OutageRecorded(
        outage_id=uuid5(NAMES, from_at),
        contract_id=CONTRACT,
        customer_id=CUSTOMER,
        from_at=_instant(from_at),
        to_at=_instant(to_at),
        known_at=_instant(from_at),
        fault=fault,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+09:00")


def amounts(lines: Sequence[ChargeLine]) -> list[tuple[str, int]]:
    return [(line.code, line.amount) for line in lines]
