"""From facts to a timeline, in an order that owes nothing to arrival."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from libs.events.corrections import is_correction, with_values
from libs.events.envelope import Event
from libs.events.vocabulary import billing, contracts, monitoring
from services.billing.domain.timeline import (
    Arrangement,
    ContentSpan,
    Corporate,
    CycleStart,
    End,
    Fact,
    Item,
    Lump,
    Moment,
    OptionSpan,
    Outage,
    Relief,
    Suspension,
    Timeline,
)

Correction = (
    contracts.ContractFactCorrected
    | monitoring.MonitoringFactCorrected
    | billing.BillingFactCorrected
)


def fold(facts: Iterable[Fact]) -> Timeline:
    """Fold all known facts of a contract, its customer and its account into one timeline.

    The order in which facts are given has no influence: they are taken by effective date, recorded
    time, context and position, after corrections. Events that say nothing about money, and those
    of the account's other contracts, are skipped: a swap of devices costs nothing, for each sender
    pays the carriage.

    Clauses: WUTM-A1.T3-3.N2.3, NQMS-5.2b.v1, NQMS-5.3b.v2.
    """
    known = sorted(corrected(facts), key=_in_order_of_effect)
    state = _State()
    for fact in known:
        if isinstance(fact.event, contracts.ContractApplied | contracts.ContractApproved):
            state.contract_id = fact.event.contract_id
            break
    for fact in known:
        step = _STEPS.get(type(fact.event))
        if step is not None and _concerns(fact.event, contract_id=state.contract_id):
            step(state, fact)
    return state.timeline()


def corrected(facts: Iterable[Fact]) -> list[Fact]:
    """Apply corrections: each fact with its latest values, without those withdrawn.

    Corrections of one fact apply in the order of recording; a correction may itself be corrected
    or withdrawn. One that corrects a fact not known changes nothing.
    """
    known = {fact.event_id: fact for fact in facts}
    by_target: dict[UUID, list[Fact]] = {}
    for fact in sorted(known.values(), key=_in_order_of_recording):
        if isinstance(fact.event, Correction):
            by_target.setdefault(fact.event.corrects, []).append(fact)
    if not by_target:
        return list(known.values())
    standing = (_standing(fact, by_target=by_target) for fact in known.values())
    return [fact for fact in standing if fact and not is_correction(fact.event)]


def _standing(fact: Fact, *, by_target: Mapping[UUID, list[Fact]]) -> Fact | None:
    """Give a fact as it stands after what corrects it; None where it is withdrawn."""
    now: Fact | None = fact
    for correction in by_target.get(fact.event_id, ()):
        standing = _standing(correction, by_target=by_target)
        if standing is None or not isinstance(standing.event, Correction):
            continue
        now = None if standing.event.values is None else _with(fact, now, standing.event.values)
    return now


def _with(original: Fact, now: Fact | None, values: Mapping[str, Any]) -> Fact:
    base = now or original
    event = with_values(base.event, values)
    return Fact(
        effective_on=event.takes_effect_on or base.effective_on,
        recorded_at=base.recorded_at,
        context=base.context,
        position=base.position,
        event_id=base.event_id,
        event=event,
    )


def _in_order_of_effect(fact: Fact) -> tuple[Any, ...]:
    return (fact.effective_on, fact.recorded_at, fact.context, fact.position)


def _in_order_of_recording(fact: Fact) -> tuple[Any, ...]:
    return (fact.recorded_at, fact.context, fact.position)


def _concerns(event: Event, *, contract_id: UUID | None) -> bool:
    named = getattr(event, "contract_id", None)
    if named is not None:
        return bool(named == contract_id)
    several = getattr(event, "contract_ids", None)
    return several is None or contract_id in several


S = TypeVar("S", ContentSpan, Arrangement)


@dataclass(slots=True)
class _State:
    contract_id: UUID | None = None
    customer_id: UUID | None = None
    service: str = ""
    moments: dict[str, Moment] = field(default_factory=dict)
    ended: End | None = None
    initial_fee: int | None = None
    wished_start_on: date | None = None
    contents: list[ContentSpan] = field(default_factory=list)
    options: list[OptionSpan] = field(default_factory=list)
    cycles: list[CycleStart] = field(default_factory=list)
    suspensions: list[Suspension] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    conversions: list[Moment] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    reliefs: list[Relief] = field(default_factory=list)
    arrangements: list[Arrangement] = field(default_factory=list)
    corporate: list[Corporate] = field(default_factory=list)
    lumps: list[Lump] = field(default_factory=list)
    due_dates: list[tuple[str, date, UUID]] = field(default_factory=list)
    issued: dict[str, date] = field(default_factory=dict)
    grounds: list[Moment] = field(default_factory=list)

    def timeline(self) -> Timeline:
        return Timeline(
            contract_id=self.contract_id,
            customer_id=self.customer_id,
            service=self.service,
            applied=self.moments.get("applied"),
            approved=self.moments.get("approved"),
            accepted=self.moments.get("accepted"),
            started=self.moments.get("started"),
            revoked=self.moments.get("revoked"),
            ended=self.ended,
            initial_fee=self.initial_fee,
            wished_start_on=self.wished_start_on,
            contents=tuple(self.contents),
            options=tuple(self.options),
            cycles=tuple(self.cycles),
            suspensions=tuple(self.suspensions),
            outages=tuple(sorted(self.outages, key=lambda each: (each.from_at, each.event.bytes))),
            conversions=tuple(self.conversions),
            items=tuple(self.items),
            reliefs=tuple(self.reliefs),
            arrangements=tuple(self.arrangements),
            corporate=tuple(self.corporate),
            lumps=tuple(self.lumps),
            due_dates=tuple(self.due_dates),
            issued=tuple(sorted(self.issued.items())),
            grounds=tuple(self.grounds),
        )

    def content(self, fact: Fact, **changes: Any) -> None:
        _turn(self.contents, fact=fact, first=ContentSpan(fact.effective_on, ()), changes=changes)

    def arrange(self, fact: Fact, **changes: Any) -> None:
        first = Arrangement(fact.effective_on, ())
        _turn(self.arrangements, fact=fact, first=first, changes=changes)

    def item(self, fact: Fact, **fields: Any) -> None:
        self.items.append(Item(on=fact.effective_on, event=fact.event_id, **fields))


def _turn(spans: list[S], *, fact: Fact, first: S, changes: Mapping[str, Any]) -> None:
    """Begin a span with these changes; changes of one day make one span that names them all."""
    before: S = spans[-1] if spans else first
    events: tuple[UUID, ...] = (fact.event_id,)
    if spans and before.from_on == fact.effective_on:
        spans.pop()
        events = (*before.events, fact.event_id)
    spans.append(
        msgspec.structs.replace(before, from_on=fact.effective_on, events=events, **changes)
    )


def _moment(name: str) -> Callable[[_State, Fact], None]:
    def step(state: _State, fact: Fact) -> None:
        state.moments.setdefault(name, Moment(fact.effective_on, fact.event_id))

    return step


def _applied(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.ContractApplied)
    content = event.content
    state.customer_id = event.customer_id
    state.service = event.service
    state.moments.setdefault("applied", Moment(fact.effective_on, fact.event_id))
    state.initial_fee = content.initial_fee
    state.wished_start_on = content.wished_start_on
    state.content(
        fact,
        packs=_pairs(content.packs),
        special_prices=_pairs(content.special_prices),
        licensed=content.licensed,
        fee=content.monthly_fee,
        collab=content.line == "collab",
        plan=content.plan,
    )
    state.cycles.append(CycleStart(fact.effective_on, content.billing_day, fact.event_id))
    for option in content.options:
        state.options.append(OptionSpan(option, fact.effective_on, None, fact.event_id))


def _approved(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.ContractApproved)
    state.customer_id = state.customer_id or event.customer_id
    state.service = state.service or event.service
    state.moments.setdefault("approved", Moment(fact.effective_on, fact.event_id))


def _revoked(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.ApprovalRevoked)
    state.moments.setdefault("revoked", Moment(fact.effective_on, fact.event_id))
    if event.costs:
        state.item(fact, kind="revocation", amount=event.costs, due_on=event.costs_due_on)


def _content_changed(state: _State, fact: Fact) -> None:
    """Take what a change says, not the whole content: one recorded later may be in force earlier.

    Additions and partial terminations add the difference of before and after; the others set what
    they are about.
    """
    event = fact.event
    assert isinstance(event, contracts.ContentChanged)
    after = event.after
    match event.kind:
        case "addition" | "partial-termination":
            state.content(fact, packs=_with_difference(state, event))
        case "replacement":
            changes: dict[str, Any] = {"packs": _pairs(after.packs), "plan": after.plan}
            fee = event.monthly_fee if event.monthly_fee is not None else after.monthly_fee
            state.content(fact, **changes, **({} if fee is None else {"fee": fee}))
            if event.initial_fee is not None:
                state.item(fact, kind="change_accepted", amount=event.initial_fee)
        case "discount":
            state.content(fact, discount=event.monthly_discount or 0)
        case "device":
            state.content(fact, licensed=after.licensed)
        case "price":
            fee = event.monthly_fee if event.monthly_fee is not None else after.monthly_fee
            state.content(fact, special_prices=_pairs(after.special_prices), fee=fee)
        case "option-added":
            state.options.append(
                OptionSpan(
                    event.option or "",
                    fact.effective_on,
                    None,
                    fact.event_id,
                    applied_on=event.applied_on,
                    fee=event.monthly_fee,
                    initial_fee=event.initial_fee,
                )
            )
        case "option-removed":
            _end_option(state, event.option or "", fact=fact)


def _with_difference(state: _State, event: contracts.ContentChanged) -> tuple[tuple[int, int], ...]:
    packs = dict(state.contents[-1].packs) if state.contents else {}
    for size in {*event.before.packs, *event.after.packs}:
        difference = event.after.packs.get(size, 0) - event.before.packs.get(size, 0)
        packs[size] = packs.get(size, 0) + difference
    return _pairs(packs)


def _end_option(state: _State, option: str, *, fact: Fact) -> None:
    for index in range(len(state.options) - 1, -1, -1):
        span = state.options[index]
        if span.option == option and span.until_on is None:
            state.options[index] = msgspec.structs.replace(
                span, until_on=fact.effective_on, end_event=fact.event_id
            )
            return


def _ticket(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.TicketOrdered)
    state.item(fact, kind="ticket", detail=event.kind, quantity=event.quantity)


def _cycle(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.BillingMonthChanged)
    state.cycles.append(CycleStart(fact.effective_on, event.start_day, fact.event_id))


def _suspended(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.ContractSuspended)
    state.suspensions.append(Suspension(fact.effective_on, event.until_on, fact.event_id))


def _resumed(state: _State, fact: Fact) -> None:
    if state.suspensions:
        last = state.suspensions[-1]
        if last.until_on is None or last.until_on > fact.effective_on:
            state.suspensions[-1] = msgspec.structs.replace(last, until_on=fact.effective_on)


def _converted(state: _State, fact: Fact) -> None:
    state.conversions.append(Moment(fact.effective_on, fact.event_id))
    state.content(fact, collab=True)


def _terminated(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.ContractTerminated)
    if state.ended is None:
        state.ended = End(
            fact.effective_on, event.cause, event.by, fact.event_id, event.penalty_due_on
        )


def _termination_requested(state: _State, fact: Fact) -> None:
    """Take what a cancellation costs; `on_b` is the day with whose end it takes effect."""
    event = fact.event
    assert isinstance(event, contracts.TerminationRequested)
    judged = event.cancellation
    if judged is None:
        return
    option, ends_on = judged.option or "", judged.ends_on
    if judged.fee:
        state.item(fact, kind="cancellation_fee", detail=option, amount=judged.fee, on_b=ends_on)
    if judged.excess:
        amount = judged.excess
        state.item(fact, kind="cancellation_excess", detail=option, amount=amount, on_b=ends_on)
    if judged.loss:
        state.item(fact, kind="cancellation_loss", detail=option, amount=judged.loss, on_b=ends_on)


def _termination_lapsed(state: _State, fact: Fact) -> None:
    """A loss that was not paid in time is owed no longer: the contract goes on."""
    del fact
    state.items = [item for item in state.items if item.kind != "cancellation_loss"]


def _ground_arose(state: _State, fact: Fact) -> None:
    state.grounds.append(Moment(fact.effective_on, fact.event_id))


def _outage(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, monitoring.OutageRecorded)
    state.outages.append(
        Outage(
            event.from_at,
            event.to_at,
            event.known_at,
            event.fault,
            event.complete,
            event.incident,
            fact.event_id,
        )
    )


def _device_overdue(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, monitoring.FaultyDeviceOverdue)
    state.item(fact, kind="device_overdue", amount=event.replacement_cost)


def _device_returned(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, monitoring.FaultyDeviceReturned)
    price = event.replacement_cost or 0
    claim = price if event.claim is None else event.claim
    state.item(fact, kind="device_damaged", detail=event.finding, amount=claim, amount_b=price)


def _repaired(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, monitoring.RepairMade)
    state.item(
        fact, kind="onsite_repair", amount=event.actual_cost, flag=event.urgent, at=event.made_at
    )


def _visited(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, monitoring.VisitMade)
    state.item(
        fact,
        kind="visit",
        amount=event.surcharge,
        quantity=event.distance_metres,
        amount_b=event.minutes,
        flag=event.remote_island,
    )


def _relieved(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.ReliefGranted)
    state.reliefs.append(
        Relief(
            fact.effective_on,
            fact.event_id,
            percent=100 if event.full else event.percent,
            amount=event.amount,
            from_on=event.from_on,
            to_on=event.to_on,
        )
    )


def _evasion(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.EvasionFound)
    state.item(
        fact, kind="evasion", amount=event.evaded, on_b=event.original_on, due_on=event.due_on
    )


def _underbilling(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.UnderbillingFound)
    state.item(
        fact,
        kind="underbilling",
        amount=event.correct,
        amount_b=event.billed,
        on_b=event.original_on,
        due_on=event.due_on,
        flag=event.waived,
    )


def _certificate(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.CertificateIssued)
    state.item(
        fact,
        kind="certificate",
        quantity=event.copies,
        amount=event.postage,
        amount_b=event.other_costs,
        month=event.month,
    )


def _qualified_invoice(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.QualifiedInvoiceIssued)
    state.item(
        fact,
        kind="qualified_invoice",
        quantity=event.copies,
        amount=event.postage,
        amount_b=event.other_costs,
    )


def _reissued(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.InvoiceReissued)
    state.item(fact, kind="reissue", detail=event.reason)


def _cost(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.ActualCostRecorded)
    state.item(fact, kind="cost", detail=event.kind, amount=event.amount, due_on=event.due_on)


def _registered(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.CustomerRegistered)
    state.corporate.append(Corporate(fact.effective_on, fact.event_id, event.corporate))
    if not state.arrangements:
        state.arrange(fact, method=event.payment_method)


def _details_changed(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, contracts.CustomerDetailsChanged)
    if event.corporate is not None:
        state.corporate.append(Corporate(fact.effective_on, fact.event_id, event.corporate))
    if event.payment_method is not None:
        state.arrange(fact, method=event.payment_method)


def _account_opened(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.AccountOpened)
    state.arrange(fact, method=event.payment_method)


def _arranged(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.AccountArranged)
    state.arrange(
        fact,
        method=event.payment_method,
        consolidated_claim=event.consolidated_claim,
        issue_fee_exempt=event.issue_fee_exempt,
        claims_assigned=event.claims_assigned,
        wants_qualified_invoice=event.wants_qualified_invoice,
        qualified_invoice_postage=event.qualified_invoice_postage,
    )


def _due_agreed(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.DueDateAgreed)
    state.due_dates.append((event.month, event.due_on, fact.event_id))


def _lumped(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.MonthsLumped)
    state.lumps.append(Lump(tuple(sorted(event.months)), event.due_on, fact.event_id))


def _issued(state: _State, fact: Fact) -> None:
    event = fact.event
    assert isinstance(event, billing.InvoiceIssued)
    if event.refers_to is None:
        state.issued.setdefault(event.month, event.issued_on)


def _pairs(numbers: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((size, count) for size, count in numbers.items() if count))


_STEPS: Mapping[type[Event], Callable[[_State, Fact], None]] = MappingProxyType(
    {
        contracts.CustomerRegistered: _registered,
        contracts.CustomerDetailsChanged: _details_changed,
        contracts.ContractApplied: _applied,
        contracts.ContractApproved: _approved,
        contracts.ContractFormed: _moment("approved"),
        contracts.ApprovalRevoked: _revoked,
        contracts.WorkAccepted: _moment("accepted"),
        contracts.ServiceStarted: _moment("started"),
        contracts.ContentChanged: _content_changed,
        contracts.TicketOrdered: _ticket,
        contracts.BillingMonthChanged: _cycle,
        contracts.ContractSuspended: _suspended,
        contracts.ContractResumed: _resumed,
        contracts.LineConverted: _converted,
        contracts.TerminationRequested: _termination_requested,
        contracts.TerminationLapsed: _termination_lapsed,
        contracts.ContractTerminated: _terminated,
        contracts.TerminationGroundArose: _ground_arose,
        monitoring.OutageRecorded: _outage,
        monitoring.FaultyDeviceOverdue: _device_overdue,
        monitoring.FaultyDeviceReturned: _device_returned,
        monitoring.RepairMade: _repaired,
        monitoring.VisitMade: _visited,
        billing.AccountOpened: _account_opened,
        billing.AccountArranged: _arranged,
        billing.DueDateAgreed: _due_agreed,
        billing.MonthsLumped: _lumped,
        billing.InvoiceIssued: _issued,
        billing.ReliefGranted: _relieved,
        billing.EvasionFound: _evasion,
        billing.UnderbillingFound: _underbilling,
        billing.CertificateIssued: _certificate,
        billing.QualifiedInvoiceIssued: _qualified_invoice,
        billing.InvoiceReissued: _reissued,
        billing.ActualCostRecorded: _cost,
    }
)
