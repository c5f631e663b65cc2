"""What may be demanded by itself: the policies and their numbers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.numbers import Flag, Months, Times
from services.billing.domain.rules.policy import Policy


class RevocationCosts(Policy):
    """Costs incurred up to the revocation of the acceptance."""

    policy: Literal["revocation-costs"]
    clause: Clauses
    taxed: Flag = False


class DemandedCost(BaseModel):
    """A cost demanded by itself: its code, whether it is taxed, and its clause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    taxed: Flag = False
    clause: Clauses


class DemandedCosts(Policy):
    """Costs by kind that an operator enters with their due date."""

    policy: Literal["demanded-costs"]
    kinds: dict[str, DemandedCost]


class Evasion(Policy):
    """The evaded amount and a surcharge of `times` it."""

    policy: Literal["evasion"]
    times: Times
    evaded: Clauses
    surcharge: Clauses
    taxed: Flag = True


class Underbilling(Policy):
    """The difference of the correct bill to the one issued."""

    policy: Literal["underbilling"]
    clause: Clauses
    waiver: Clauses


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


class EarlyTermination(Policy):
    """A lump sum of monthly fees for an end inside the minimum term of `months` months.

    The term runs from the month after the start month; `plus` months are added to the remaining.
    """

    policy: Literal["early-termination-sum"]
    price: str
    months: Months
    plus: Months
    taxed: Flag
    clause: Clauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The monthly fee it is counted in."""
        return (self.price,)
