"""The lives that callers lead contracts through, again and again, all through the weather."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from cli.chaos.callers import Caller, Calls, Command, Over, Said
from services.billing.domain.account import account_of

CALLERS = 8
_APPLIED_ON = date(2025, 4, 1)
_CLOSING_ON = date(2025, 6, 30)
_ISSUED_ON = date(2025, 7, 1)
_PAID_ON = date(2025, 7, 20)
_RIVALS = 3
_LOOK_SECONDS = 0.1
_LOOKS = 80

Body = dict[str, Any]


async def lead_lives(calls: Calls, *, seed: int) -> None:
    """One life after the other by each of the callers, until the load is over."""
    async with asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            chance = random.Random(seed * 1000 + number)  # noqa: S311 - guards nothing
            group.create_task(_one_after_the_other(calls, chance))


async def _one_after_the_other(calls: Calls, chance: random.Random) -> None:
    try:
        while True:
            await Life(Caller(calls), chance=chance).lead()
    except Over:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ids:
    customer: UUID
    contract: UUID
    account: UUID


class Life:
    """One contract of MYSEC from the customer's registration to the end."""

    def __init__(self, caller: Caller, *, chance: random.Random) -> None:
        contract = uuid4()
        self._caller = caller
        self._chance = chance
        self._ids = _Ids(customer=uuid4(), contract=contract, account=account_of(contract))
        self._on = _APPLIED_ON

    async def lead(self) -> None:
        """Lead it. Raises `Over` where the load ends in the middle."""
        await self._register()
        version = await self._apply()
        if self._chance.random() < 0.1:  # noqa: PLR2004 - one in ten
            await self._rivals("decline", version, self._declined, makes="contract-declined")
            return
        version = await self._rivals("approval", version, self._approved, makes="contract-approved")
        version = await self._rivals("start", version, self._started, makes="service-started")
        middle = [self._change_content, self._suspend, self._move, self._outages]
        for part in self._chance.sample(middle, len(middle)):
            version = await part(version)
        if self._chance.random() < 0.7:  # noqa: PLR2004 - seven in ten
            await self._bill()
        if self._chance.random() < 0.5:  # noqa: PLR2004 - every second
            await self._rivals("termination", version, self._ended, makes="contract-terminated")

    async def _register(self) -> None:
        await self._caller.give(
            Command(
                context="contracts",
                operation="register",
                method="POST",
                path="/customers",
                makes="contracts.customer-registered.v1",
                body={
                    "customer_id": str(self._ids.customer),
                    "registered_on": str(self._on),
                    "corporate": True,
                    "payment_method": "invoice",
                    "name": "株式会社あらし",
                    "email": "storm@example.jp",
                },
            )
        )

    async def _apply(self) -> int | None:
        said = await self._caller.give(
            Command(
                context="contracts",
                operation="apply",
                method="POST",
                path="/contracts",
                makes="contracts.contract-applied.v1",
                body={
                    "contract_id": str(self._ids.contract),
                    "service": "MYSEC",
                    "customer_id": str(self._ids.customer),
                    "applied_on": str(self._on),
                    "content": {"packs": {"1": self._chance.randint(1, 9)}},
                    "consents": ["terms", "third-party-terms", "disclaimers"],
                },
            )
        )
        return said.version

    async def _rivals(
        self, action: str, version: int | None, body: Callable[[int], Body], *, makes: str
    ) -> int | None:
        """Several want the same at once on one version; the version after the one that won."""
        path = f"/contracts/{self._ids.contract}/{action}"
        commands = [
            Command(
                context="contracts",
                operation=action,
                method="POST",
                path=path,
                body=body(number),
                makes=f"contracts.{makes}.v1",
                version=version,
            )
            for number in range(_RIVALS)
        ]
        won = await self._caller.race(*commands)
        return version if won is None else won.version

    async def _change_content(self, version: int | None) -> int | None:
        for _ in range(self._chance.randint(1, 3)):
            self._later()
            version = await self._rivals(
                "content-changes", version, self._changed, makes="content-changed"
            )
        return version

    async def _suspend(self, version: int | None) -> int | None:
        self._later()
        version = await self._rivals(
            "suspension", version, self._suspended, makes="contract-suspended"
        )
        self._later()
        return await self._rivals("resumption", version, self._resumed, makes="contract-resumed")

    async def _move(self, version: int | None) -> int | None:
        """The customer's address changes: another stream, with personal fields."""
        await self._caller.give(
            Command(
                context="contracts",
                operation="move",
                method="PATCH",
                path=f"/customers/{self._ids.customer}",
                makes="contracts.customer-details-changed.v1",
                body={
                    "changed_on": str(self._on),
                    "notified_on": str(self._on),
                    "address": f"大手町 {self._chance.randint(1, 999)}",
                },
            )
        )
        return version

    async def _outages(self, version: int | None) -> int | None:
        """Outages of the site, if monitoring has opened it soon: rivals on one version."""
        site = await self._caller.effect("monitoring", f"/sites/{self._ids.contract}")
        if site is None:
            return version
        day = self._on + timedelta(days=1)
        await self._caller.race(
            *(
                Command(
                    context="monitoring",
                    operation="outage",
                    method="POST",
                    path=f"/sites/{self._ids.contract}/outages",
                    makes="monitoring.outage-recorded.v1",
                    version=site.version,
                    body={
                        "outage_id": str(uuid4()),
                        "from_at": f"{day}T0{number}:00:00+09:00",
                        "to_at": f"{day + timedelta(days=2)}T0{number}:00:00+09:00",
                        "known_at": f"{day}T0{number}:30:00+09:00",
                        "fault": "provider",
                    },
                )
                for number in range(1, _RIVALS)
            )
        )
        return version

    async def _bill(self) -> None:
        """An invoice run over the account if billing has opened it soon, and the payment."""
        account = await self._caller.effect("billing", f"/accounts/{self._ids.account}")
        if account is None:
            return
        await self._caller.give(
            Command(
                context="billing",
                operation="arrange",
                method="PUT",
                path=f"/accounts/{self._ids.account}/arrangement",
                makes="billing.account-arranged.v1",
                version=account.version,
                body={"payment_method": "account_transfer", "arranged_on": str(self._on)},
            )
        )
        asked = await self._caller.give(
            Command(
                context="billing",
                operation="invoice-run",
                method="POST",
                path="/invoice-runs",
                makes="billing.invoice-run-started.v1",
                body={
                    "closing_on": str(_CLOSING_ON),
                    "issued_on": str(_ISSUED_ON),
                    "due_policy": "end-of-next-month",
                    "scope": [str(self._ids.account)],
                },
            )
        )
        run = await self._finished(asked)
        if run is None or not run.body["invoices"]:
            return
        await self._caller.give(
            Command(
                context="billing",
                operation="payment",
                method="POST",
                path=f"/accounts/{self._ids.account}/payments",
                makes="billing.payment-received.v1",
                body={"payment_id": str(uuid4()), "received_on": str(_PAID_ON)},
            )
        )

    async def _finished(self, asked: Said) -> Said | None:
        """The run when it is finished; None where that takes long."""
        path = f"/invoice-runs/{asked.body['run_id']}"
        for _ in range(_LOOKS):
            run = await self._caller.effect("billing", path)
            if run is not None and run.body["state"] == "finished":
                return run
            await asyncio.sleep(_LOOK_SECONDS)
        return None

    def _later(self) -> None:
        self._on += timedelta(days=self._chance.randint(2, 6))

    def _approved(self, number: int) -> Body:
        return {"approved_on": str(self._on), "document_number": f"{number}"}

    def _declined(self, _number: int) -> Body:
        return {"declined_on": str(self._on), "ground": "arrears"}

    def _started(self, number: int) -> Body:
        return {"started_on": str(self._on + timedelta(days=number))}

    def _changed(self, number: int) -> Body:
        return {
            "kind": "addition",
            "effective_on": str(self._on + timedelta(days=4)),
            "packs": {"1": number + 1},
        }

    def _suspended(self, _number: int) -> Body:
        on = self._on + timedelta(days=4)
        return {"from_on": str(on), "ground": "unpaid", "notified_on": str(on - timedelta(days=3))}

    def _resumed(self, _number: int) -> Body:
        return {"resumed_on": str(self._on + timedelta(days=4))}

    def _ended(self, _number: int) -> Body:
        self._later()
        on = self._on + timedelta(days=90)
        return {"by": "customer", "terminated_on": str(on), "received_on": str(self._on)}
