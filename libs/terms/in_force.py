"""What is in force on a date: a section of the terms by version, and tables of dated values."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from libs.refusal.refusal import Refusal
from libs.terms.clause import KNOWN
from libs.terms.faults import Fault, WrongTerms, refuse
from libs.terms.files import Entry, TermsFile, read_entry
from libs.terms.numbers import Months, MonthsOrNone, Percent, Permille, Years
from libs.terms.reasons import is_absence, naming_of, place_of, reason_of

V = TypeVar("V")
S = TypeVar("S", bound=BaseModel)


class NotYetInForce(Refusal):
    """Nothing was in force on that date, and nothing is guessed for it."""

    code = "not-yet-in-force"
    title = "No terms were in force on that date"


class InForce(Generic[V]):
    """Values by the day from which each holds, that day included, until the next."""

    def __init__(self, name: str, *, values: Iterable[tuple[date, V]]) -> None:
        self.name = name
        self._values = tuple(sorted(values, key=lambda each: each[0]))
        self._dates = [each[0] for each in self._values]

    @property
    def all(self) -> tuple[tuple[date, V], ...]:
        """Every value with its first day, in order."""
        return self._values

    def at(self, on: date) -> V:
        """Give the value in force on a day. Raises NotYetInForce for a day before the first."""
        return self._values[self._index(on)][1]

    def covers(self, on: date) -> bool:
        """Tell whether anything is in force on a day."""
        return bool(self._dates) and self._dates[0] <= on

    def since(self, on: date) -> date:
        """Give the first day of the value in force on a day."""
        return self._dates[self._index(on)]

    def between(self, from_on: date, to_on: date) -> tuple[date, ...]:
        """Give the days after `from_on` up to `to_on`, that day included, on which a value starts."""
        return tuple(
            self._dates[bisect_right(self._dates, from_on) : bisect_right(self._dates, to_on)]
        )

    def _index(self, on: date) -> int:
        index = bisect_right(self._dates, on) - 1
        if index < 0:
            first = f"; it begins on {self._dates[0]}" if self._dates else ""
            raise NotYetInForce(f"{self.name}: nothing is in force on {on}{first}")
        return index


def section(terms: TermsFile, *, name: str, model: type[S]) -> InForce[S]:
    """Validate a section of every version by the model of the context that owns it.

    Raises WrongTerms with every fault of the section, each with its line, told once though many
    versions keep what is wrong. A version without the section is wrong too: nobody asks for what
    a service has no need of.
    """
    found: list[tuple[date, S]] = []
    faults: dict[tuple[Path, int, str], Fault] = {}
    for version in terms.versions:
        on, entry = version.effective_on, version.entry.at([name])
        if entry is version.entry:
            since = f"a hole: from {on} on, {terms.service}" if found else f"{on}"
            refuse(
                (*faults.values(), Fault(entry.path, entry.line, f"{since} has no section {name}"))
            )
        try:
            found.append((on, validated(entry, model=model, clauses=terms.clauses)))
        except ValidationFaults as wrong:
            for fault, absent in wrong.found:
                key = (fault.path, fault.line, fault.reason)
                told = f"{name}.{fault.reason}" + (f" (in the version of {on})" if absent else "")
                faults.setdefault(key, Fault(fault.path, fault.line, told))
    refuse(faults.values())
    return InForce(terms.service, values=found)


class ValidationFaults(WrongTerms):
    """The faults of one entry, each with whether it is that something is missing."""

    def __init__(self, found: tuple[tuple[Fault, bool], ...]) -> None:
        super().__init__(*(fault for fault, _ in found))
        self.found = found


def validated(entry: Entry, *, model: type[S], clauses: frozenset[str] | None = None) -> S:
    """Read an entry as a model.

    `clauses` are the ids of the catalogue; without them any id is taken. Raises ValidationFaults,
    which is WrongTerms, with the line and the reason of each fault.
    """
    context = None if clauses is None else {KNOWN: clauses}
    try:
        return model.model_validate(entry.plain(), context=context)
    except ValidationError as error:
        raise ValidationFaults(tuple(_faults(error, entry=entry))) from error


def _faults(error: ValidationError, *, entry: Entry) -> Iterator[tuple[Fault, bool]]:
    told: set[tuple[object, ...]] = set()
    for each in error.errors():
        place = place_of(each, entry=entry)
        if place in told:
            continue
        told.add(place)
        wrong = entry.at(place)
        naming = naming_of(each)
        if naming is not None:
            wrong = wrong.naming(naming)
        yield Fault(wrong.path, wrong.line, reason_of(each, place=place)), is_absence(each)


class InvoicesKept(BaseModel):
    """How long copies of invoices are kept, and with them whom they are made out to.

    The law keeps a copy `years`, counted from `from_months` after the end of the business year of
    its day, which is at most `business_year_months` long. A contract's last invoice comes at the
    latest `last_invoice_months` after its end, which is the operator's own practice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    years: Years
    from_months: MonthsOrNone
    business_year_months: Months
    last_invoice_months: MonthsOrNone

    @property
    def months_after_end(self) -> int:
        """Months after a contract's end that have all of it behind them, in any business year."""
        months = self.last_invoice_months + self.business_year_months + self.from_months
        return months + 12 * self.years


class Japan(BaseModel):
    """What the law says of rates and papers, by the day from which each holds.

    `consumption_tax_percent` is the rate of consumption tax in percent,
    `statutory_interest_permille` the statutory interest in thousandths a year, `invoices_kept` how
    long copies of invoices are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    consumption_tax_percent: dict[date, Percent] = Field(min_length=1)
    statutory_interest_permille: dict[date, Permille] = Field(min_length=1)
    invoices_kept: dict[date, InvoicesKept] = Field(min_length=1)


def read_japan(folder: Path) -> Japan:
    """Read `<folder>/japan.yaml`. Raises WrongTerms."""
    return validated(read_entry(folder / "japan.yaml"), model=Japan)
