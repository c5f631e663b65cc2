"""While the service is provided: suspension and resumption."""

from dataclasses import dataclass
from datetime import date

from libs.events.vocabulary.contracts import ContractResumed, ContractSuspended
from services.contracts.domain.applications import Events, ground_among, known, living_on
from services.contracts.domain.contract import Formed, InForce
from services.contracts.domain.facts import Life
from services.contracts.domain.periods import suspension_limit
from services.contracts.domain.refusals import (
    AlreadySuspended,
    NoticeMissing,
    NotInForce,
    NotSuspended,
    SuspensionNotRenewed,
    SuspensionTooLong,
    TooEarly,
)
from services.contracts.domain.terms import ContractTerms, Suspension


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The notice that went before, or why it was left out as urgent and unavoidable."""

    notified_on: date | None = None
    urgent_reason: str | None = None

    def before(self, on: date, *, clause: str) -> None:
        """Raise `NoticeMissing` when neither holds by that day."""
        if self.urgent_reason:
            return
        if self.notified_on is None:
            raise NoticeMissing(clause=clause, field="/notified_on")
        if self.notified_on > on:
            raise NoticeMissing(
                f"the notice of {self.notified_on} comes after {on}",
                clause=clause,
                field="/notified_on",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From a day, at the latest until the day before another (None: as long as the terms allow)."""

    from_on: date
    until_on: date | None = None


def suspend(
    life: Life, *, period: Period, ground: str, notice: Notice, terms: ContractTerms
) -> Events:
    """Suspend use on one of the grounds of the terms, after a notice; the same again is nothing.

    Where the terms set a longest time it is the end when none is given. The same ground does not
    start another period after one that lasted the longest time, where the terms say so.

    Clauses: NSEC-16.1.1, NSEC-16.1.2, NSEC-16.1.3, NSEC-16.2, WUTM-18.1, WUTM-18.1.1,
    WUTM-18.1.2, WUTM-18.1.3, WUTM-18.1.4, WUTM-18.1.5, WUTM-18.1.6, WUTM-18.1.7, WUTM-18.2,
    WSRV-18.1.0, WSRV-18.1.1, WSRV-18.1.2, WSRV-18.1.3, WSRV-18.1.4, WSRV-18.1.5, WSRV-18.1.6,
    WSRV-18.1.7, WSRV-18.2, RRNS-15.1, RRNS-15.1.1, RRNS-15.1.2, RRNS-15.1.3, RRNS-15.1.4,
    RRNS-15.1.5, RRNS-15.1.6 (RRNS: at once, without a notice).
    """
    rules = known(terms.suspension, what="suspension")
    clause = ground_among(rules.grounds, ground).clause
    living = _in_force(life, period.from_on, clause=clause)
    if rules.notice is not None:
        notice.before(period.from_on, clause=rules.notice.clause)
    until_on = _until(period, rules=rules)
    held = living.suspended
    if held is not None and _still(held.suspended, period.from_on):
        if (held.suspended.from_on, held.suspended.ground) == (period.from_on, ground):
            return ()
        raise AlreadySuspended(f"since {held.suspended.from_on}", clause=clause)
    _not_renewed(living, ground=ground, rules=rules)
    return (
        ContractSuspended(
            contract_id=living.application.contract_id,
            customer_id=living.application.customer_id,
            from_on=period.from_on,
            until_on=until_on,
            ground=ground,
            clause=clause,
            notified_on=notice.notified_on,
            urgent_reason=notice.urgent_reason,
        ),
    )


def resume(life: Life, *, resumed_on: date, terms: ContractTerms) -> Events:
    """End the suspension: `resumed_on` is the first day of use; the same day again is nothing.

    Clauses: NSEC-16.1.1 (cure ends the ground), WUTM-18.1 (may be lifted early).
    """
    clause = known(terms.suspension, what="suspension").clause
    living = _in_force(life, resumed_on, clause=clause)
    held = living.suspended
    if held is None:
        if living.suspensions and living.suspensions[-1].over_on == resumed_on:
            return ()
        raise NotSuspended(clause=clause)
    if resumed_on < held.suspended.from_on:
        raise TooEarly(
            f"the suspension begins on {held.suspended.from_on}",
            clause=clause,
            field="/resumed_on",
        )
    return (ContractResumed(contract_id=living.application.contract_id, resumed_on=resumed_on),)


def _in_force(life: Life, on: date, *, clause: str) -> InForce:
    match living_on(life, on, clause=clause):
        case InForce() as living:
            return living
        case Formed():
            raise NotInForce("the service has not started", clause=clause)


def _until(period: Period, *, rules: Suspension) -> date | None:
    until_on = period.until_on
    if until_on is not None and until_on <= period.from_on:
        raise TooEarly("a suspension ends after it begins", clause=rules.clause, field="/until_on")
    if rules.longest_months is None:
        return until_on
    limit = suspension_limit(period.from_on, longest_months=rules.longest_months)
    if until_on is not None and until_on > limit:
        raise SuspensionTooLong(
            f"it ends at the latest on {limit}", clause=rules.clause, field="/until_on"
        )
    return until_on or limit


def _still(suspended: ContractSuspended, on: date) -> bool:
    return suspended.until_on is None or on < suspended.until_on


def _not_renewed(living: InForce, *, ground: str, rules: Suspension) -> None:
    if rules.renewable or rules.longest_months is None:
        return
    for span in living.suspensions:
        limit = suspension_limit(span.suspended.from_on, longest_months=rules.longest_months)
        over_on = span.over_on or span.suspended.until_on
        if span.suspended.ground == ground and over_on == limit:
            raise SuspensionNotRenewed(
                f"{ground} was the ground until {limit} already", clause=rules.clause
            )
