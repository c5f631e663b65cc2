"""What the sections of one file must agree on: what contracts offer has its price in billing."""

from collections.abc import Iterator
from typing import TypeVar

from libs.terms.faults import Fault, Place, near
from libs.terms.files import TermsFile, Version
from libs.terms.in_force import InForce
from services.billing.domain.rules.claims import Tickets
from services.billing.domain.rules.licences import LicenceRows
from services.billing.domain.rules.policy import Policy
from services.billing.domain.rules.whole_months import Options
from services.billing.domain.terms import BillingSection
from services.contracts.domain.terms import ContractTerms

P = TypeVar("P", bound=Policy)


def disagreements(
    terms: TermsFile, *, contracts: InForce[ContractTerms], billing: InForce[BillingSection]
) -> Iterator[Fault]:
    """Find what a version offers and does not price; one fault comes for every version it is in."""
    for version in terms.versions:
        offered, priced = contracts.at(version.effective_on), billing.at(version.effective_on)
        yield from _unpriced(version, offered=offered, priced=priced)
        yield from _begun_otherwise(version, offered=offered, priced=priced)


def _unpriced(
    version: Version, *, offered: ContractTerms, priced: BillingSection
) -> Iterator[Fault]:
    options = {name for each in _of(priced, Options) for name in each.options}
    tickets = {name for each in _of(priced, Tickets) for name in each.kinds}
    rows = {size for each in _of(priced, LicenceRows) for size in each.rows}
    for name in offered.options or {}:
        if name not in options:
            hint = near(name, options)
            yield _fault(
                version, ("options", name), f"billing has no price of the option {name}{hint}"
            )
    for kind in offered.tickets:
        if kind not in tickets:
            yield _fault(version, ("tickets", kind), f"billing has no price of the ticket {kind}")
    for size in sorted(offered.application.pack_sizes - rows):
        place = ("application", "pack_sizes")
        yield _fault(version, place, f"billing has no price of packs of {size:,}")


def _begun_otherwise(
    version: Version, *, offered: ContractTerms, priced: BillingSection
) -> Iterator[Fault]:
    for each in _of(priced, Options):
        for name, option in (offered.options or {}).items():
            if (
                name in each.options
                and option.from_next_month != each.options[name].from_next_month
            ):
                reason = f"billing says otherwise whether the option {name} starts the next month"
                yield _fault(version, ("options", name), reason)


def _of(section: BillingSection, kind: type[P]) -> list[P]:
    return [each for each in section.charging if isinstance(each, kind)]


def _fault(version: Version, place: Place, reason: str) -> Fault:
    entry = version.entry.at(["contracts", *place])
    return Fault(entry.path, entry.line, f"contracts.{place[0]}: {reason}")
