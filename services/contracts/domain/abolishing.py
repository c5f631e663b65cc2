"""The end of a service, or of one of its plans: its announcement, and what it does to contracts."""

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID, uuid5

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import (
    AbolitionCarriedOut,
    Content,
    ServiceAbolished,
    ServiceEvent,
)
from services.contracts.domain.applications import Events, known
from services.contracts.domain.contract import Ended, Formed, InForce
from services.contracts.domain.ending import end
from services.contracts.domain.facts import Life, content_on
from services.contracts.domain.periods import months_later
from services.contracts.domain.refusals import (
    NoticeMissing,
    NotOfThisService,
    OtherwiseAbolished,
    ServiceIsAbolished,
    TooEarly,
)
from services.contracts.domain.terms import Abolition, AbolitionNotice, ContractTerms

_SERVICES = UUID("7d0f6f2e-3f2a-4e53-9a43-0f8f5a3f6c11")

Abolitions = tuple[ServiceAbolished, ...]


def stream_of(service: str) -> UUID:
    """The stream of a service, which holds what the operator decides of it as a whole."""
    return uuid5(_SERVICES, service)


def abolition_id_of(service: str, *, plan: str | None) -> UUID:
    """The id of the end of a service, or of a plan of it: there is one of each."""
    return uuid5(stream_of(service), f"abolition {plan or ''}")


def abolitions_of(events: Iterable[Event]) -> Abolitions:
    """What was announced of a service, after the events of its stream."""
    return tuple(event for event in events if isinstance(event, ServiceAbolished))


def announce(
    abolitions: Abolitions, *, wished: ServiceAbolished, terms: ContractTerms
) -> tuple[ServiceEvent, ...]:
    """Announce the end of a service or of a plan of it; the same again changes nothing.

    The customers are told as long ahead as the terms ask, counted from the day of the announcement
    (months end with the same day number, or with the last day of a month that has none such): a day
    that comes earlier is refused, save for a recorded urgent reason where the terms allow one.
    Announced for one day it is not announced for another.

    Clauses: NSEC-20.1, NSEC-20.4, WUTM-20.1, WUTM-20.2.1, WSRV-20.1, WSRV-20.2b, RRNS-13.1,
    RRNS-13.2, RRNS-13.3 (a part).
    """
    rule = known(terms.abolition, what="abolition")
    if wished.plan is not None and (rule.plans is None or wished.plan not in _plans(terms)):
        raise NotOfThisService(
            f"no plan {wished.plan} can be given up by itself", clause=rule.decision, field="/plan"
        )
    if wished.abolished_on < wished.announced_on:
        raise TooEarly(
            f"it is announced on {wished.announced_on}",
            clause=rule.decision,
            field="/abolished_on",
        )
    for known_one in abolitions:
        if known_one.plan == wished.plan and known_one.abolished_on == wished.abolished_on:
            return ()
        if known_one.plan in (None, wished.plan):
            raise OtherwiseAbolished(
                f"it was announced for {known_one.abolished_on}",
                clause=rule.decision,
                field="/abolished_on",
            )
    earliest = earliest_on(wished.announced_on, notice=rule.notice)
    if wished.abolished_on < earliest and not _urgent(wished, notice=rule.notice):
        raise NoticeMissing(
            f"told on {wished.announced_on}, "
            f"the customers may lose it on {earliest} at the earliest",
            clause=rule.notice.clause,
            field="/abolished_on",
        )
    return (wished.model_copy(update={"clause": rule.decision}),)


def _plans(terms: ContractTerms) -> frozenset[str]:
    return terms.application.plans


def earliest_on(announced_on: date, *, notice: AbolitionNotice) -> date:
    """The earliest day on which a service may end that is announced on a day."""
    by_months = months_later(announced_on, months=notice.months) if notice.months else announced_on
    return max(by_months, announced_on + timedelta(days=notice.days or 0))


def _urgent(abolished: ServiceAbolished, *, notice: AbolitionNotice) -> bool:
    """Whether the notice is waived, for a reason that was recorded."""
    return notice.urgent and bool(abolished.urgent_reason)


def still_offered(
    abolitions: Abolitions, *, content: Content, on: date, terms: ContractTerms
) -> None:
    """Raise `ServiceIsAbolished` where a contract of `on` would find the service gone.

    Where the terms say so, also for one that would begin then by its application; and for one whose
    customer, who is told on `on` at the earliest, could not be told as long ahead as the terms ask.
    Others that come after the announcement end with the service like those before it.

    Clauses: WUTM-20.1, WUTM-20.2.1, NSEC-20.2, NSEC-20.4, WSRV-20.1, WSRV-20.2b, RRNS-13.2,
    RRNS-13.3.
    """
    rule = terms.abolition
    if rule is None:
        return
    for each in abolitions:
        if each.plan is None or each.plan == content.plan:
            _begins_before(each, content=content, on=on, rule=rule)


def _begins_before(
    abolished: ServiceAbolished, *, content: Content, on: date, rule: Abolition
) -> None:
    gone_on = abolished.abolished_on
    if on >= gone_on:
        raise ServiceIsAbolished(f"it ends on {gone_on}", clause=rule.decision)
    earliest = earliest_on(on, notice=rule.notice)
    if earliest > gone_on and not _urgent(abolished, notice=rule.notice):
        raise ServiceIsAbolished(
            f"it ends on {gone_on}; told on {on}, a customer may lose it on {earliest} at the earliest",
            clause=rule.notice.clause,
        )
    begins_on = content.wished_start_on
    if rule.applications and begins_on is not None and begins_on >= gone_on:
        raise ServiceIsAbolished(
            f"it ends on {gone_on}",
            clause=rule.applications.clause,
            field="/content/wished_start_on",
        )


def end_with_service(
    life: Life,
    *,
    abolished: ServiceAbolished,
    terms: ContractTerms,
    ends_at_latest: date | None,
) -> Events:
    """End a contract with its service; nothing where it is over by then, or of another plan.

    Only a contract that exists ends: an application that is not answered yet stays one.

    Clauses: NSEC-20.2, WUTM-20.2.2, WUTM-22.3, WSRV-20.2c, WSRV-22.2b, RRNS-13.3.
    """
    on = abolished.abolished_on
    match life.now:
        case Formed() | InForce():
            pass
        case Ended(end=known_end) if known_end.terminated_on > on:
            pass
        case _:
            return ()
    if ends_at_latest is not None and ends_at_latest <= on:
        return ()
    if abolished.plan is not None and content_on(life.facts, on).plan != abolished.plan:
        return ()
    rule = known(terms.abolition, what="abolition")
    (ended,) = end(life, on=on, by="operator", cause="abolition", clause=rule.clause)
    told = {"abolition_id": abolished.abolition_id, "reason": abolished.reason}
    return (ended.model_copy(update=told),)


def carried_out(
    events: Iterable[Event], *, wished: AbolitionCarriedOut
) -> tuple[ServiceEvent, ...]:
    """Note that an abolition met all contracts there were; once."""
    done = any(
        isinstance(event, AbolitionCarriedOut) and event.abolition_id == wished.abolition_id
        for event in events
    )
    return () if done else (wished,)
