"""A site in a log in memory, and the words in which the tests speak of it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.dates.clock import Clock
from libs.events.envelope import Cause, Event
from libs.events.log import Appended, Log
from libs.events.memory import MemoryLog
from libs.events.vocabulary.contracts import ContractApproved, ContractTerminated
from services.monitoring.domain.devices import Replacement, SwapTerms
from services.monitoring.domain.site import Device
from services.monitoring.reactions import react
from services.monitoring.use_cases import Command, register_device, swap_device

CONTRACT = UUID(int=1)
CUSTOMER = UUID(int=2)
OLD = UUID(int=10)
NEW = UUID(int=11)
CASE = UUID(int=99)
OPENED_ON = date(2025, 4, 1)
THIRTY_DAYS = SwapTerms(return_days=30, clause=("WUTM-A1.T3-3.N5.1",))


def a_command() -> Command:
    return Command(contract_id=CONTRACT, cause=Cause(correlation_id=CASE, actor="an operator"))


def a_device(*, device_id: UUID = OLD, introduced_on: date = OPENED_ON) -> Device:
    return Device(
        device_id=device_id,
        model="SSB5",
        serial="S-1",
        licensed=True,
        introduced_on=introduced_on,
    )


def a_replacement(
    *,
    shipped_on: date = date(2025, 6, 6),
    delivered_on: date = date(2025, 6, 8),
    cost: int | None = None,
) -> Replacement:
    return Replacement(
        device_id=NEW,
        model="SSB5",
        serial="S-2",
        shipped_on=shipped_on,
        delivered_on=delivered_on,
        cost=cost,
    )


@dataclass(slots=True)
class Play:
    """Contracts' events arrive here and are reacted to, as the worker would."""

    log: Log
    contracts: Log

    async def happens(self, event: Event) -> UUID:
        """An event of the contracts context arrives; its id."""
        cause = Cause(correlation_id=CASE, actor="an operator")
        appended = await self.contracts.decide(CONTRACT, lambda _: (event,), cause=cause)
        (recorded,) = appended.events
        for reaction in react(recorded):
            await self.log.decide(
                reaction.stream_id,
                reaction.decision,
                cause=Cause(
                    correlation_id=CASE,
                    actor="monitoring",
                    causation_id=recorded.envelope.event_id,
                ),
            )
        return recorded.envelope.event_id

    async def approved(self) -> UUID:
        return await self.happens(
            ContractApproved(
                contract_id=CONTRACT,
                customer_id=CUSTOMER,
                service="WUTM",
                approved_on=OPENED_ON,
                document_number="A-1",
            )
        )

    async def terminated(self, on: date) -> UUID:
        return await self.happens(
            ContractTerminated(
                contract_id=CONTRACT,
                customer_id=CUSTOMER,
                terminated_on=on,
                by="customer",
                cause="customer",
                clause="WUTM-21.1",
            )
        )

    async def registered(self) -> Appended:
        return await register_device(self.log, a_command(), device=a_device())

    async def swapped(self, *, cost: int | None = None) -> Appended:
        await self.registered()
        return await swap_device(
            self.log,
            a_command(),
            old_device_id=OLD,
            new=a_replacement(cost=cost),
            swapped_on=date(2025, 6, 9),
            terms_of=lambda _service, _on: THIRTY_DAYS,
        )

    async def events(self) -> list[Event]:
        return [each.event for each in await self.log.load(CONTRACT)]


def a_play(*, clock: Clock) -> Play:
    return Play(
        log=MemoryLog("monitoring", clock=clock), contracts=MemoryLog("contracts", clock=clock)
    )
