"""What may be demanded by itself: the policies and their numbers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.numbers import Flag, Months, MonthsOrNone, Times
from libs.terms.words import Prices, Sentence, capital, count, in_yen, plain, tax_added
from services.billing.domain.rules.policy import Policy


def _interest(*, bears: bool) -> str:
    return "" if bears else "; it bears no late interest"


class RevocationCosts(Policy):
    """Costs incurred up to the revocation of the acceptance."""

    policy: Literal["revocation-costs"]
    clause: Clauses
    taxed: Flag = False

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                "When the approval is revoked, the costs up to then are demanded; "
                f"{tax_added(taxed=self.taxed)}.",
                self.clause,
            ),
        )


class DemandedCost(BaseModel):
    """A cost demanded by itself: its code, whether it is taxed and bears late interest, its clause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    taxed: Flag = False
    bears_interest: Flag = True
    clause: Clauses


class DemandedCosts(Policy):
    """Costs by kind that an operator enters with their due date."""

    policy: Literal["demanded-costs"]
    kinds: dict[str, DemandedCost]

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return tuple(
            Sentence(
                f"{capital(plain(name))}: demanded at what it cost, with its own due date; "
                f"{tax_added(taxed=kind.taxed)}{_interest(bears=kind.bears_interest)} "
                f"(line {kind.code}).",
                kind.clause,
            )
            for name, kind in self.kinds.items()
        )


class Evasion(Policy):
    """The evaded amount and a surcharge of `times` it."""

    policy: Literal["evasion"]
    times: Times
    evaded: Clauses
    surcharge: Clauses
    taxed: Flag = True

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        tax = tax_added(taxed=self.taxed)
        return (
            Sentence(f"A charge that was evaded is demanded; {tax}.", self.evaded),
            Sentence(
                f"A surcharge of {self.times} times the evaded amount is demanded with it; {tax}.",
                self.surcharge,
            ),
        )


class Underbilling(Policy):
    """The difference of the correct bill to the one issued."""

    policy: Literal["underbilling"]
    clause: Clauses
    waiver: Clauses

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                "Where too little was billed, the difference to the right bill is demanded.",
                self.clause,
            ),
            Sentence("The operator may waive that difference.", self.waiver),
        )


class CancellationSums(Policy):
    """What a cancellation costs: a fee, the damage above it, the loss before acceptance.

    The fee is due at the end of the month after the cancellation, the loss on its day.
    """

    policy: Literal["cancellation-sums"]
    fee: Clauses
    excess: Clauses
    loss: Clauses
    fee_taxed: Flag
    excess_taxed: Flag
    loss_taxed: Flag
    excess_bears_interest: Flag = True
    loss_bears_interest: Flag = True

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                "A cancellation in the first months costs a fee, due at the end of the month after "
                f"it; {tax_added(taxed=self.fee_taxed)}.",
                self.fee,
            ),
            Sentence(
                f"A damage above the fee is demanded too; {tax_added(taxed=self.excess_taxed)}"
                f"{_interest(bears=self.excess_bears_interest)}.",
                self.excess,
            ),
            Sentence(
                "A cancellation before the work is accepted costs the operator's loss, due on its "
                f"day; {tax_added(taxed=self.loss_taxed)}"
                f"{_interest(bears=self.loss_bears_interest)}.",
                self.loss,
            ),
        )


class EarlyTermination(Policy):
    """A lump sum of monthly fees for an end inside the minimum term of `months` months.

    The term runs from the month after the start month; `plus` months are added to the remaining.
    """

    policy: Literal["early-termination-sum"]
    price: str
    months: Months
    plus: MonthsOrNone
    taxed: Flag
    clause: Clauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The monthly fee it is counted in."""
        return (self.price,)

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        more = f", and {count(self.plus, 'month')} more" if self.plus else ""
        return (
            Sentence(
                f"An end inside the first {count(self.months, 'month')} after the start month costs "
                f"the monthly fee “{plain(self.price)}” of {in_yen(prices[self.price])} for each "
                f"month that is left of them{more}, at once; {tax_added(taxed=self.taxed)}.",
                self.clause,
            ),
        )
