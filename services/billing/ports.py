"""What the use cases of billing need beside the log: timelines, terms, the drafts of runs."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from libs.events.log import Log
from libs.events.vocabulary.billing import AccountEvent, ChargesAssessed, ForeignPosition
from services.billing.domain.explanation import Evidence
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Fact, Timeline


class Timelines(Protocol):
    """What is known of contracts, from the facts of this and other contexts."""

    async def of(
        self, contract_ids: Sequence[UUID], *, known_until: datetime | None = None
    ) -> Mapping[UUID, Timeline]:
        """The timelines of those contracts of which anything is known.

        With `known_until` they rest only on what was recorded before it.
        """
        ...

    async def supposing(self, contract_id: UUID, facts: Sequence[Fact]) -> Timeline | None:
        """The timeline of a contract if these facts were known too; None where nothing is known.

        Nothing is kept.
        """
        ...

    async def accounts(self, scope: Sequence[UUID]) -> Sequence[UUID]:
        """The accounts to bill, in order of id: those in `scope`, all for an empty one."""
        ...

    async def account_of(self, contract_id: UUID) -> UUID | None:
        """The account that pays for a contract; None while it has none."""
        ...

    async def level(self, position: int) -> None:
        """Return when own facts up to this position of the own log are in the timelines."""
        ...

    async def incomplete(self, until: datetime) -> Sequence[str]:
        """Which sources may still tell of what was recorded before `until`, in words.

        Nothing once the timelines rest on all of it.
        """
        ...

    async def positions(self) -> tuple[ForeignPosition, ...]:
        """How far the topics of other contexts have been read."""
        ...

    async def evidence(self, event_ids: Iterable[UUID]) -> Mapping[UUID, Evidence]:
        """The facts with these event ids, as far as they are kept."""
        ...


class Terms(Protocol):
    """The billing terms by service; raise `NoRules` for a service there are none for."""

    def of(self, service: str) -> BillingTerms:
        """Everything the billing section of a service's terms says."""
        ...


class AccountDraft(BaseModel):
    """What a run will issue on one account, and the versions of the streams it rests on.

    `outcomes` says by contract in words what came of it, `failures` why nothing could. The case
    that the account was opened in is `correlation_id`.
    """

    model_config = ConfigDict(frozen=True)

    account_id: UUID
    correlation_id: UUID | None = None
    versions: dict[UUID, int]
    assessed: tuple[ChargesAssessed, ...] = ()
    events: tuple[Annotated[AccountEvent, Field(discriminator="type")], ...] = ()
    outcomes: dict[UUID, str] = Field(default_factory=dict)
    failures: dict[UUID, str] = Field(default_factory=dict)


class Drafts(Protocol):
    """The drafts of runs, kept so that a run that was killed issues the very same documents."""

    def claim(self, run_id: UUID) -> AbstractAsyncContextManager[bool]:
        """Hold a run while carrying it out; gives False while someone else does."""
        ...

    async def save(self, run_id: UUID, drafts: Sequence[AccountDraft]) -> None:
        """Keep some accounts' drafts; of an account already kept the first draft stays."""
        ...

    async def load(self, run_id: UUID) -> Sequence[AccountDraft]:
        """All drafts of a run in order of account id."""
        ...

    async def mark_issued(self, run_id: UUID, drafts: Sequence[AccountDraft]) -> None:
        """Note that these were issued, as they were in the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """Everything a use case works with."""

    log: Log
    timelines: Timelines
    terms: Terms
    drafts: Drafts
