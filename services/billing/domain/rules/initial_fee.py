"""The initial fee, owed on acceptance, and the campaigns that waive it."""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator
from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.faults import WrongEntry
from libs.terms.numbers import Day
from libs.terms.words import Prices, Sentence, in_yen, plain
from services.billing.domain.draft import Draft, end_of, times
from services.billing.domain.rules.policy import Policy
from services.billing.domain.timeline import Timeline


class Campaign(BaseModel):
    """No initial fee for those who applied in these days and started by then; all inclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    applied_from: Day
    applied_to: Day
    started_by: Day
    clause: Clauses

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.applied_to < self.applied_from:
            raise WrongEntry("applied_to lies before applied_from", at=("applied_to",))
        if self.started_by < self.applied_from:
            raise WrongEntry("started_by lies before applied_from", at=("started_by",))
        return self


class InitialFee(Policy):
    """Owed once, in the month of acceptance, whole; `campaigns` waive it."""

    policy: Literal["initial-fee-on-acceptance"]
    price: str
    campaigns: tuple[Campaign, ...] = ()
    clause: Clauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The fee."""
        return (self.price,)

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        campaigns = (
            Sentence(
                f"It is waived for who applied from {each.applied_from} to {each.applied_to} and "
                f"started by {each.started_by}.",
                each.clause,
            )
            for each in self.campaigns
        )
        return (
            Sentence(
                f"The initial fee of {in_yen(prices[self.price])} (price “{plain(self.price)}”) is "
                "owed once, in the month of the approval, whole.",
                self.clause,
            ),
            *campaigns,
        )


def initial_fee(draft: Draft, numbers: InitialFee) -> None:
    """Charge the initial fee in the month of acceptance, at the tax rate of that day.

    It is owed even if the service never starts, and the free start month does not cover it. A
    revocation in the same month leaves nothing to charge. A campaign's fee is left off while the
    start may still come in time, as far as the day of the bill tells.

    Clauses: NSEC-14.2, NSEC-14.10, NSEC-A1.T1, NSEC-A2.T1, NSEC-S2017-02-01.2.
    """
    timeline = draft.timeline
    approved = timeline.approved
    if approved is None or not draft.contains(approved.on):
        return
    end = draft.end
    if end and end.cause == "revoked" and draft.contains(end.on):
        return
    if any(_waived(timeline, campaign=each, today=draft.issued_on) for each in numbers.campaigns):
        return
    price = draft.price(numbers.price, on=approved.on)
    draft.add(
        f"{draft.terms.service}-INIT",
        clauses=(*numbers.clause, *price.clause),
        amount=price.yen,
        arithmetic=times(price.yen, 1),
        from_on=approved.on,
        to_on=approved.on,
        tax_rate=draft.tax_rate(approved.on),
        events=(approved.event,),
    )


def _waived(timeline: Timeline, *, campaign: Campaign, today: date | None) -> bool:
    applied = timeline.applied
    if applied is None or not campaign.applied_from <= applied.on <= campaign.applied_to:
        return False
    if timeline.started:
        return timeline.started.on <= campaign.started_by
    pending = today is not None and today <= campaign.started_by
    return pending and end_of(timeline) is None
