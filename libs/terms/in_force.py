"""What is in force on a date: a section of the terms by version, and tables of dated values."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from libs.refusal.refusal import Refusal
from libs.terms.files import Entry, TermsFile, WrongTerms, read_entry

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

    Raises WrongTerms with the line of the entry that is wrong. A version without the section is
    wrong too: nobody asks for what a service has no need of.
    """
    found: list[tuple[date, S]] = []
    for version in terms.versions:
        entry = version.entry.at([name])
        if entry is version.entry:
            raise WrongTerms(
                f"{version.effective_on} has no section {name}",
                path=version.entry.path,
                line=version.entry.line,
            )
        found.append((version.effective_on, validated(entry, model=model)))
    return InForce(terms.service, values=found)


def validated(entry: Entry, *, model: type[S]) -> S:
    """Read an entry as a model. Raises WrongTerms with the line and the reason."""
    try:
        return model.model_validate(entry.plain())
    except ValidationError as error:
        first = error.errors()[0]
        wrong = entry.at(first["loc"])
        place = ".".join(str(step) for step in first["loc"])
        raise WrongTerms(f"{place}: {first['msg']}", path=wrong.path, line=wrong.line) from error


class Japan(BaseModel):
    """Rates of the law, by the day from which each holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consumption_tax_percent: dict[date, int]
    statutory_interest_permille: dict[date, int]


def read_japan(folder: Path) -> Japan:
    """Read `<folder>/japan.yaml`. Raises WrongTerms."""
    return validated(read_entry(folder / "japan.yaml"), model=Japan)
