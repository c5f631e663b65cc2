"""Declining a change that a customer asked for."""

from datetime import date

from libs.events.vocabulary.contracts import ContentChangeDeclined
from services.contracts.domain.applications import Events, known, living_on
from services.contracts.domain.facts import Life
from services.contracts.domain.refusals import NotAGround, TooEarly
from services.contracts.domain.terms import ChangeKind, ContractTerms


def decline_change(
    life: Life,
    *,
    kind: ChangeKind,
    applied_on: date,
    declined_on: date,
    ground: str,
    terms: ContractTerms,
) -> Events:
    """Refuse a change of content on one of the grounds on which an application is refused.

    The content stays as it is and nothing is charged. Whether the service is sold with such a
    change does not matter: what it does not know may be asked for and declined as well. Nothing is
    asked for before the contract itself. The same again changes nothing.

    Clauses: WUTM-10.2, WSRV-10.2.
    """
    rule = known(terms.declining_changes, what="declining of a change")
    if ground not in terms.declining:
        grounds = ", ".join(sorted(terms.declining))
        raise NotAGround(f"{ground} is not one of {grounds}", clause=rule.clause, field="/ground")
    if declined_on < applied_on:
        raise TooEarly(
            f"it was asked for on {applied_on}", clause=rule.clause, field="/declined_on"
        )
    application = living_on(life, declined_on, clause=rule.clause).application
    if applied_on < application.applied_on:
        raise TooEarly(
            f"the contract was applied for on {application.applied_on}",
            clause=rule.clause,
            field="/applied_on",
        )
    declined = ContentChangeDeclined(
        contract_id=application.contract_id,
        customer_id=application.customer_id,
        applied_on=applied_on,
        declined_on=declined_on,
        kind=kind,
        ground=ground,
        clause=terms.declining[ground].clause,
    )
    return () if any(fact.event == declined for fact in life.facts) else (declined,)
