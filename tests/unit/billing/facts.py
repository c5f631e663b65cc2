"""A direct builder of the facts that billing folds: what happened, without whoever decided it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from libs.dates.japan import JAPAN, japan_instant
from libs.events.envelope import Event
from libs.events.vocabulary import billing, contracts, monitoring
from services.billing.domain.fold import fold
from services.billing.domain.timeline import Fact, Timeline

CONTRACT = UUID("00000000-0000-0000-0000-00000000c001")
CUSTOMER = UUID("00000000-0000-0000-0000-00000000c0de")
ACCOUNT = UUID("00000000-0000-0000-0000-00000000acc0")


class Facts:
    """The facts of one contract in the making, in the order in which they were recorded."""

    def __init__(
        self,
        service: str,
        *,
        content: Mapping[str, Any] | None = None,
        corporate: bool = True,
        method: str = "invoice",
        applied: str = "2024-01-01",
        **arrangement: Any,
    ) -> None:
        self.facts: list[Fact] = []
        self.content = contracts.Content.model_validate(content or {})
        on = _day(applied)
        self.add(
            contracts.CustomerRegistered(
                customer_id=CUSTOMER,
                registered_on=on,
                corporate=corporate,
                payment_method=method,  # type: ignore[arg-type]
            )
        )
        self.add(
            billing.AccountArranged(
                account_id=ACCOUNT,
                arranged_on=on,
                payment_method=method,  # type: ignore[arg-type]
                **arrangement,
            )
        )
        self.add(
            contracts.ContractApplied(
                contract_id=CONTRACT,
                service=service,
                customer_id=CUSTOMER,
                terms_version=on,
                applied_on=on,
                content=self.content,
            )
        )

    def add(self, event: Event, *, recorded_on: date | None = None) -> Fact:
        """Record an event, on the day on which it takes effect unless said."""
        position = len(self.facts) + 1
        on = event.takes_effect_on or recorded_on or date(2024, 1, 1)
        at = japan_instant(recorded_on or on) + timedelta(seconds=position)
        fact = Fact(
            effective_on=on,
            recorded_at=at,
            context=event.type.partition(".")[0],
            position=position,
            event_id=uuid5(CONTRACT, f"{position}"),
            event=event,
        )
        self.facts.append(fact)
        return fact

    @property
    def timeline(self) -> Timeline:
        """What billing knows after all of them."""
        return fold(self.facts)

    def approved(self, on: str) -> "Facts":
        """The acceptance."""
        self.add(
            contracts.ContractApproved(
                contract_id=CONTRACT,
                customer_id=CUSTOMER,
                service="",
                approved_on=_day(on),
                document_number="1",
            )
        )
        return self

    def started(self, on: str) -> "Facts":
        """The first day of provision."""
        self.add(contracts.ServiceStarted(contract_id=CONTRACT, started_on=_day(on)))
        return self

    def terminated(self, on: str, *, cause: str = "customer", due: str | None = None) -> "Facts":
        """The end."""
        self.add(
            contracts.ContractTerminated(
                contract_id=CONTRACT,
                customer_id=CUSTOMER,
                terminated_on=_day(on),
                by="customer" if cause == "customer" else "operator",
                cause=cause,  # type: ignore[arg-type]
                clause="",
                penalty_due_on=_day(due) if due else None,
            )
        )
        return self

    def revoked(self, on: str, *, costs: int = 0, due: str | None = None) -> "Facts":
        """The acceptance taken back."""
        self.add(
            contracts.ApprovalRevoked(
                contract_id=CONTRACT,
                revoked_on=_day(on),
                ground="",
                costs=costs,
                costs_due_on=_day(due) if due else None,
            )
        )
        return self

    def changed(self, on: str, kind: str, **fields: Any) -> "Facts":
        """A change of content; `packs` and other fields of the content make the content after."""
        own = {"option", "applied_on", "initial_fee", "monthly_fee", "monthly_discount"}
        after = self.content.model_copy(
            update={name: value for name, value in fields.items() if name not in own}
        )
        self.add(
            contracts.ContentChanged(
                contract_id=CONTRACT,
                effective_on=_day(on),
                kind=kind,  # type: ignore[arg-type]
                before=self.content,
                after=after,
                **{name: value for name, value in fields.items() if name in own},
            )
        )
        self.content = after
        return self

    def with_packs(self, on: str, *, added: Mapping[int, int]) -> "Facts":
        """Licences added, or removed where the number is negative."""
        packs = {
            size: self.content.packs.get(size, 0) + added.get(size, 0)
            for size in {*self.content.packs, *added}
        }
        kind = "addition" if all(count > 0 for count in added.values()) else "partial-termination"
        return self.changed(on, kind, packs=packs)

    def cycle(self, on: str) -> "Facts":
        """A new start day of the billing month, from that day on."""
        day = _day(on)
        self.add(
            contracts.BillingMonthChanged(contract_id=CONTRACT, start_day=day.day, from_on=day)
        )
        return self

    def suspended(self, on: str, *, until: str) -> "Facts":
        """A suspension, and its end."""
        self.add(
            contracts.ContractSuspended(
                contract_id=CONTRACT,
                customer_id=CUSTOMER,
                from_on=_day(on),
                until_on=None,
                ground="unpaid",
                clause="",
            )
        )
        self.add(contracts.ContractResumed(contract_id=CONTRACT, resumed_on=_day(until)))
        return self

    def outage(
        self,
        from_at: str,
        to_at: str,
        *,
        known_at: str | None = None,
        fault: str = "third_party",
        complete: bool = True,
        incident: str | None = None,
    ) -> "Facts":
        """A time in which the service could not be used."""
        self.add(
            monitoring.OutageRecorded(
                outage_id=uuid5(CONTRACT, from_at),
                contract_id=CONTRACT,
                customer_id=CUSTOMER,
                from_at=_instant(from_at),
                to_at=_instant(to_at),
                known_at=_instant(known_at or from_at),
                fault=fault,  # type: ignore[arg-type]
                complete=complete,
                incident=incident,
            )
        )
        return self

    def billing(self, name: str, **fields: Any) -> "Facts":
        """An event of billing about the contract, by its class name."""
        self.add(getattr(billing, name)(contract_id=CONTRACT, **fields))
        return self

    def lumped(self, *months: str, on: str = "2025-07-05", due: str = "2025-07-31") -> "Facts":
        """Several billing months on one bill."""
        return self.billing(
            "MonthsLumped",
            account_id=ACCOUNT,
            decided_on=_day(on),
            months=months,
            due_on=_day(due),
        )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAPAN)
