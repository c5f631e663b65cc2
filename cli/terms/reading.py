"""The terms of a service as they are on a day, in sentences, each with where it comes from."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cli.terms.sections import MODELS
from libs.terms.files import FIRST_DAY_NAMED, Version, leaves, read_entry, read_terms
from libs.terms.in_force import InForce, Japan, read_japan, section
from libs.terms.offered import speaks_to
from libs.terms.words import Said, count
from services.billing.domain import terms_in_words as billing
from services.contracts.domain import terms_in_words as contracts
from services.monitoring import terms_in_words as monitoring
from services.notifications.domain import terms_in_words as notifications

WORDS: dict[str, Callable[[Any], tuple[Said, ...]]] = {
    "billing": billing.in_words,
    "contracts": contracts.in_words,
    "monitoring": monitoring.in_words,
    "notifications": notifications.in_words,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence of a day: who owns it, since when it is so, and the line of the file.

    `shared`: it stands in what the service's file extends.
    """

    context: str
    said: Said
    since: date
    path: Path
    line: int
    shared: bool

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same from version to version."""
        return (self.context, self.said.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate of the law on a day, and the day from which it holds."""

    name: str
    words: str
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What applies to a service on a day.

    `version_clauses` are those of the version in force; `unnamed_on` is the day taken for the first
    version where the terms name none; `until` is the last day of it, None where
    no later version is known; `tax_percent` is the consumption tax of the day, None before the
    table begins.
    """

    service: str
    name: str
    on: date
    version: date
    version_clauses: tuple[str, ...]
    unnamed_on: date | None
    until: date | None
    tax_percent: int | None
    rates: tuple[Rate, ...]
    told: tuple[Told, ...]


class Book:
    """The terms of one service, read and validated once, with all their versions in sentences."""

    def __init__(self, service: str, *, folder: Path) -> None:
        self.service = service
        self.terms = read_terms(service, folder=folder)
        self.japan = read_japan(folder)
        self._amendments = _amendments(folder / f"{service.lower()}.yaml")
        self._sections = {
            name: section(self.terms, name=name, model=model)
            for name, model in MODELS.items()
            if speaks_to(name, terms=self.terms)
        }
        first = self.terms.versions[0]
        named = first.entry.at([FIRST_DAY_NAMED])
        self._unnamed_on = first.effective_on if named.value is False else None
        self._said: dict[date, dict[str, tuple[Said, ...]]] = {}
        self.versions: InForce[Version] = InForce(
            service, values=((each.effective_on, each) for each in self.terms.versions)
        )

    def on(self, on: date) -> Reading:
        """Read what applies on a day. Raises NotYetInForce for a day before the first version."""
        version = self.versions.at(on)
        later = [day for day, _ in self.versions.all if day > on]
        name = version.entry.at(["notifications", "service_name"]).value
        return Reading(
            service=self.service,
            name=name if isinstance(name, str) else self.service,
            on=on,
            version=version.effective_on,
            version_clauses=self._amendments.get(version.effective_on, ()),
            unnamed_on=self._unnamed_on,
            until=date.fromordinal(min(later).toordinal() - 1) if later else None,
            tax_percent=_tax(self.japan, on=on),
            rates=tuple(_rates(self.japan, on=on)),
            told=tuple(self._told(version)),
        )

    def _told(self, version: Version) -> Iterator[Told]:
        history = [
            each for each in self.terms.versions if each.effective_on <= version.effective_on
        ]
        for context, words in self._words(version).items():
            before = [self._words(each).get(context, ()) for each in history]
            for said in words:
                entry = version.entry.at([context, *said.place])
                yield Told(
                    context=context,
                    said=said,
                    since=_since(said, history=history, before=before),
                    path=entry.path,
                    line=entry.line,
                    shared=entry.path != self.terms.path,
                )

    def _words(self, version: Version) -> dict[str, tuple[Said, ...]]:
        on = version.effective_on
        if on not in self._said:
            self._said[on] = {
                name: WORDS[name](versions.at(on)) for name, versions in self._sections.items()
            }
        return self._said[on]


def _since(said: Said, *, history: list[Version], before: list[tuple[Said, ...]]) -> date:
    """Give the first day from which a sentence has been said without a break."""
    since = history[-1].effective_on
    for version, words in zip(reversed(history), reversed(before), strict=True):
        same = any(each.words == said.words and each.clauses == said.clauses for each in words)
        if not same:
            break
        since = version.effective_on
    return since


def _amendments(path: Path) -> dict[Hashable, tuple[str, ...]]:
    """Give the clauses that put each version into force, those of the extended file too."""
    top = read_entry(path)
    extended = top.at(["extends"])
    found = {} if extended is top else _amendments(path.with_name(f"{extended.value}.yaml"))
    versions = top.at(["versions"]).value
    for on, version in versions.items() if isinstance(versions, dict) else ():
        stated = version.at(["clause"])
        clauses = () if stated is version else tuple(str(leaf.value) for leaf in leaves(stated))
        found[on] = tuple(dict.fromkeys((*found.get(on, ()), *clauses)))
    return found


def _tax(japan: Japan, *, on: date) -> int | None:
    table = InForce("consumption tax", values=japan.consumption_tax_percent.items())
    return table.at(on) if table.covers(on) else None


def _rates(japan: Japan, *, on: date) -> Iterator[Rate]:
    for name, table, unit in (
        ("Consumption tax", japan.consumption_tax_percent, 1),
        ("Statutory interest", japan.statutory_interest_permille, 10),
    ):
        values = InForce(name, values=table.items())
        if values.covers(on):
            a_year = " a year" if unit > 1 else ""
            words = f"{values.at(on) / unit:g}%{a_year}"
            yield Rate(name=name, words=words, since=values.since(on))
        else:
            yield Rate(name=name, words="not in the table yet", since=on)
    copies = InForce("invoices kept", values=japan.invoices_kept.items())
    if copies.covers(on):
        kept = copies.at(on)
        words = (
            f"for {count(kept.years, 'year')} from {count(kept.from_months, 'month')} after the end "
            f"of their business year of {count(kept.business_year_months, 'month')}; whom they are "
            f"made out to so for {count(kept.months_after_end, 'month')} after the end of the last "
            f"contract, whose last invoice comes within {count(kept.last_invoice_months, 'month')}"
        )
        yield Rate(name="Copies of invoices are kept", words=words, since=copies.since(on))
