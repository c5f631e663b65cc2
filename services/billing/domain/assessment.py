"""What a contract owes for a billing month: a function of its timeline and the terms alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.billing.domain.billing_month import BillingMonth, billing_months_until
from services.billing.domain.draft import Draft, lump_of
from services.billing.domain.line import Line
from services.billing.domain.rules import (
    claims,
    from_acceptance,
    initial_fee,
    issue_fees,
    licences,
    monthly_fee,
    outage_credit,
    papers,
    relief,
    whole_months,
)
from services.billing.domain.rules.policy import Policy
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Timeline

__all__ = ["Assessment", "BillingMonth", "Line", "assess", "billing_months"]

NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All lines of a contract and billing month; lines of 0 yen are left out.

    `terms_versions` are the effective dates of the terms used, as `WUTM 2022-08-01`.
    """

    contract_id: UUID
    service: str
    month: BillingMonth
    lines: tuple[Line, ...]
    terms_versions: tuple[str, ...]


def billing_months(
    timeline: Timeline, *, until: date, terms: BillingTerms
) -> tuple[BillingMonth, ...]:
    """Give every billing month whose first day is on or before `until`, from the first fact on.

    For a run that closes on a day, keep those whose `to_on` is not after it. Raises NotYetInForce
    for a contract whose first fact lies before the first version of its terms.

    Clauses: NSEC-S2016-10-24.1.
    """
    months = tuple(billing_months_until(timeline, until=until))
    if months and timeline.applied:
        terms.at(timeline.applied.on)
    return months


def assess(
    timeline: Timeline, *, month: BillingMonth, terms: BillingTerms, issued_on: date | None = None
) -> Assessment:
    """Compute all lines of a billing month.

    The policies are those of the version in force on its last day, in the order in which the terms
    name them; each looks its prices up by its own day. `issued_on` is the day of the bill where it
    is about to be issued; without it, the day recorded in the timeline, or the month's last day.

    Clauses: NSEC-5.2, NSEC-14.7, NSEC-14.11, NSEC-13.2, NSEC-17.1, WUTM-24, WUTM-28.1.1,
        WUTM-41.2, WSRV-24, WSRV-40.2.
    """
    draft = _draft(timeline, month=month, terms=terms, issued_on=issued_on)
    lines = tuple(draft.lines)
    days = {line.from_on for line in lines} | {month.from_on, month.to_on}
    first = terms.first_on
    versions = dict.fromkeys(terms.since(max(on, first)) for on in sorted(days))
    return Assessment(
        contract_id=timeline.contract_id or NOBODY,
        service=terms.service,
        month=month,
        lines=lines,
        terms_versions=tuple(f"{terms.service} {on}" for on in versions),
    )


def _draft(
    timeline: Timeline, *, month: BillingMonth, terms: BillingTerms, issued_on: date | None
) -> Draft:
    draft = Draft(timeline=timeline, month=month, terms=terms, issued_on=issued_on)
    if timeline.lumps and draft.bills_its_own:
        draft.lumped = _lumped(draft)
    for policy in terms.at(month.to_on).charging:
        _CHARGE[type(policy)](draft, policy)
    return draft


def _lumped(draft: Draft) -> tuple[Draft, ...]:
    lump = lump_of(draft.timeline, draft.month.name)
    if lump is None:
        return ()
    return tuple(
        _draft(draft.timeline, month=month, terms=draft.terms, issued_on=draft.issued_on)
        for month in billing_months_until(draft.timeline, until=draft.month.from_on)
        if month.name in lump.months and month.name != draft.month.name
    )


_CHARGE: Mapping[type[Policy], Callable[[Draft, Any], None]] = MappingProxyType(
    {
        initial_fee.InitialFee: initial_fee.initial_fee,
        licences.LicenceRows: licences.licence_rows,
        whole_months.BasicFee: whole_months.basic_fee,
        whole_months.Options: whole_months.options,
        whole_months.AgreedFee: whole_months.agreed_fee,
        claims.Tickets: claims.tickets,
        claims.DeviceClaims: claims.device_claims,
        claims.OnsiteRepair: claims.onsite_repair,
        claims.Costs: claims.costs,
        monthly_fee.DailyFee: monthly_fee.monthly_fee_by_days,
        outage_credit.OutageCredit: outage_credit.outage_credit,
        relief.DisasterRelief: relief.disaster_relief,
        papers.Paper: papers.paper,
        papers.Reissue: papers.invoice_reissue,
        from_acceptance.OrderFees: from_acceptance.order_fees,
        from_acceptance.OrderCosts: from_acceptance.order_costs,
        from_acceptance.VisitSurcharge: from_acceptance.visit_surcharge,
        from_acceptance.OverdueDevice: from_acceptance.overdue_device,
        issue_fees.IssueFees: issue_fees.issue_and_collection_fees,
    }
)
