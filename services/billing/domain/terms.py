"""The billing section of the terms: frozen models of what `terms/<service>.yaml` may say."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from libs.terms.clause import Clauses
from libs.terms.faults import Fault, WrongEntry, refuse
from libs.terms.files import TermsFile, read_terms
from libs.terms.in_force import InForce, Japan, read_japan, section
from libs.terms.numbers import Day, Days, Flag, Permille, Yen
from services.billing.domain.rules.claims import Costs, DeviceClaims, OnsiteRepair, Tickets
from services.billing.domain.rules.demanded import (
    CancellationSums,
    DemandedCosts,
    EarlyTermination,
    Evasion,
    RevocationCosts,
    Underbilling,
)
from services.billing.domain.rules.from_acceptance import (
    OrderCosts,
    OrderFees,
    OverdueDevice,
    VisitSurcharge,
)
from services.billing.domain.rules.initial_fee import InitialFee
from services.billing.domain.rules.issue_fees import IssueFees
from services.billing.domain.rules.licences import LicenceRows
from services.billing.domain.rules.monthly_fee import DailyFee
from services.billing.domain.rules.outage_credit import OutageCredit
from services.billing.domain.rules.papers import Paper, Reissue
from services.billing.domain.rules.policy import Policy
from services.billing.domain.rules.relief import DisasterRelief
from services.billing.domain.rules.whole_months import AgreedFee, BasicFee, Options


def _named(value: object) -> object:
    """Take `{name: {numbers}}` for the policy of that name."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, numbers),) = value.items()
        return {"policy": name, **(numbers or {})}
    return value


Charging = Annotated[
    InitialFee
    | LicenceRows
    | BasicFee
    | Options
    | Tickets
    | DailyFee
    | AgreedFee
    | OutageCredit
    | DisasterRelief
    | Paper
    | Reissue
    | DeviceClaims
    | OnsiteRepair
    | Costs
    | IssueFees
    | OrderFees
    | OrderCosts
    | VisitSurcharge
    | OverdueDevice,
    Field(discriminator="policy"),
]
Demanded = Annotated[
    RevocationCosts | DemandedCosts | Evasion | Underbilling | CancellationSums | EarlyTermination,
    Field(discriminator="policy"),
]


class Price(BaseModel):
    """A price in yen before tax, whether tax is added, and where it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    yen: Yen
    taxed: Flag = True
    clause: Clauses


class LateInterest(BaseModel):
    """Interest on debts due on `due_from` or later, until the next entry; 1/1000 a year.

    `permille` is a number, `statutory` for the rate of the law on the first day of delay, or
    `former` for terms that an operator must enter, without which nothing is owed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    due_from: Day | None = None
    permille: Permille | Literal["statutory", "former"]
    grace_days: Days = 0
    counts_payment_day: Flag = False
    clause: Clauses


class BillingSection(BaseModel):
    """What one version of one service's terms says about charges, demands and debts.

    `charging` and `demands` are policies in the order in which they speak. `payments` says which
    debt money settles first; `lone_interest` whether interest may be left out when nothing else is
    billed; `lump_bills` whether months may be put together on one bill.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prices: dict[str, Price] = Field(default_factory=dict)
    charging: tuple[Annotated[Charging, BeforeValidator(_named)], ...]
    demands: tuple[Annotated[Demanded, BeforeValidator(_named)], ...] = ()
    late_interest: tuple[LateInterest, ...] = ()
    payments: Literal["named-first", "earliest-due-first"]
    lone_interest: Clauses | None = None
    lump_bills: Clauses | None = None

    @model_validator(mode="after")
    def _has_every_price(self) -> Self:
        lists: dict[str, tuple[Policy, ...]] = {"charging": self.charging, "demands": self.demands}
        for where, policies in lists.items():
            for index, policy in enumerate(policies):
                for name in policy.prices_named:
                    if name not in self.prices:
                        raise WrongEntry(
                            f"{policy.policy} needs the price {name}, which is missing",
                            at=(where, index),
                            naming=name,
                        )
        return self

    @model_validator(mode="after")
    def _regimes_follow_one_another(self) -> Self:
        before: date | None = None
        for index, regime in enumerate(self.late_interest):
            at = ("late_interest", index, "due_from")
            if index and regime.due_from is None:
                raise WrongEntry("due_from is missing: only the first may do without", at=at)
            if before is not None and regime.due_from is not None and regime.due_from <= before:
                raise WrongEntry(f"{regime.due_from} overlaps {before} of the one before", at=at)
            before = regime.due_from
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerInterest:
    """Interest of former terms on debts due before the present article: 1/1000 a year."""

    permille: int
    grace_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set otherwise; None keeps what the terms or the tables say."""

    lone_interest: Literal["hold", "bill"] = "hold"
    statutory_rates: tuple[tuple[date, int], ...] | None = None
    former_interest: FormerInterest | None = None


P = TypeVar("P", bound=Policy)


class BillingTerms:
    """The billing terms of one service: its versions by effective date, and Japan's rates."""

    def __init__(
        self,
        service: str,
        *,
        versions: InForce[BillingSection],
        consumption_tax: InForce[int],
        statutory_interest: InForce[int],
        settings: Settings,
    ) -> None:
        self.service = service
        self.settings = settings
        self.consumption_tax = consumption_tax
        self.statutory_interest = statutory_interest
        self._versions = versions
        self._policies: InForce[dict[type[Policy], Any]] = InForce(
            service,
            values=[
                (on, {type(each): each for each in (*version.charging, *version.demands)})
                for on, version in versions.all
            ],
        )

    def at(self, on: date) -> BillingSection:
        """Give the version in force on a day. Raises NotYetInForce for a day before the first."""
        return self._versions.at(on)

    @property
    def first_on(self) -> date:
        """The first day on which these terms were in force."""
        return self._versions.all[0][0]

    def since(self, on: date) -> date:
        """Give the effective date of the version in force on a day."""
        return self._versions.since(on)

    def changes(self, from_on: date, to_on: date) -> tuple[date, ...]:
        """Give the days after `from_on` up to `to_on` on which another version takes effect."""
        return self._versions.between(from_on, to_on)

    def policy(self, kind: type[P], *, on: date) -> P | None:
        """Give a charging policy of the version in force on a day, where it has one."""
        found: P | None = self._policies.at(on).get(kind)
        return found

    def tax_rate(self, on: date) -> int:
        """Give the percentage of consumption tax of a day."""
        return self.consumption_tax.at(on)


def load_billing_terms(
    service: str, *, folder: Path, settings: Settings | None = None
) -> BillingTerms:
    """Read `<folder>/<service>.yaml` with what it extends, and `<folder>/japan.yaml`.

    Raises WrongTerms with file, line and reason.

    Clauses: WUTM-2.1.1, NSEC-3.2b.
    """
    chosen = settings or Settings()
    japan = read_japan(folder)
    rates = chosen.statutory_rates or tuple(japan.statutory_interest_permille.items())
    file = read_terms(service, folder=folder)
    versions = section(file, name="billing", model=BillingSection)
    refuse(_holes(file, versions=versions, japan=japan))
    return BillingTerms(
        service,
        versions=versions,
        consumption_tax=InForce("consumption tax", values=japan.consumption_tax_percent.items()),
        statutory_interest=InForce("statutory interest", values=rates),
        settings=chosen,
    )


def _holes(file: TermsFile, *, versions: InForce[BillingSection], japan: Japan) -> Iterator[Fault]:
    """Find days for which a rate of the law is wanted and the table has none."""
    taxed_from = min(japan.consumption_tax_percent)
    first = file.versions[0]
    if first.effective_on < taxed_from:
        reason = (
            f"a hole: {file.service} begins on {first.effective_on}, the consumption tax of "
            f"japan.yaml on {taxed_from}"
        )
        yield Fault(first.entry.path, first.entry.line, reason)
    rates_from = min(japan.statutory_interest_permille)
    for version in file.versions:
        for index, regime in enumerate(versions.at(version.effective_on).late_interest):
            from_on = regime.due_from or version.effective_on
            if regime.permille == "statutory" and from_on < rates_from:
                entry = version.entry.at(["billing", "late_interest", index, "permille"])
                reason = (
                    f"a hole: statutory interest is wanted for debts due from {from_on} on, "
                    f"japan.yaml has it from {rates_from} on"
                )
                yield Fault(entry.path, entry.line, reason)
