"""A reading of the terms, and the difference of two, as text and as JSON."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.catalogue import Clause, ClauseId
from cli.terms.changes import Amendment, Change
from cli.terms.reading import Reading, Told
from libs.terms.words import in_yen

_WIDTH = 100
_CONTEXTS = {
    "billing": "CHARGES AND DEBTS",
    "contracts": "THE LIFE OF A CONTRACT",
    "monitoring": "DEVICES AND OUTAGES",
    "notifications": "WHAT IS SAID TO THE CUSTOMER",
}
Catalogue = Mapping[ClauseId, Clause]
Shown = Callable[[Path], str]


def reading_text(reading: Reading, *, catalogue: Catalogue, shown: Shown) -> Iterator[str]:
    """Give the lines of a reading: what applies, section by section, each with its clauses."""
    yield f"{reading.service} · {reading.name}, on {reading.on}"
    yield _in_force(reading)
    yield from _clauses(reading.version_clauses, catalogue=catalogue, indent="    ")
    for rate in reading.rates:
        yield from _wrapped(f"{rate.name}: {rate.words} (since {rate.since})", first="", rest="  ")
    context, heading = "", ""
    for told in reading.told:
        if told.context != context:
            context, heading = told.context, ""
            yield f"\n{_CONTEXTS[context]}"
        if told.said.heading != heading:
            heading = told.said.heading
            yield f"\n  {heading}"
        with_tax = taxed_yen(told, percent=reading.tax_percent)
        note = "" if with_tax is None else f" With {reading.tax_percent}%: {in_yen(with_tax)}."
        yield from _wrapped(f"· {told.said.words}{note}", first="    ", rest="      ")
        yield from _rests_on(told, reading=reading, catalogue=catalogue, shown=shown)


def _in_force(reading: Reading) -> str:
    until = f" to {reading.until}" if reading.until else ""
    if reading.version != reading.unnamed_on:
        return f"Version in force from {reading.version}{until}"
    return (
        f"Version in force{until}; the terms name no first day, so they are taken to hold from "
        f"{reading.version} on"
    )


def taxed_yen(told: Told, *, percent: int | None) -> int | None:
    """Give an amount with the consumption tax of the day, cut to whole yen, where tax is added."""
    before = told.said.taxed_yen
    return None if before is None or percent is None else before + before * percent // 100


def _rests_on(told: Told, *, reading: Reading, catalogue: Catalogue, shown: Shown) -> Iterator[str]:
    yield from _clauses(told.said.clauses, catalogue=catalogue, indent="        ")
    shared = " · shared with other services" if told.shared else ""
    since = "the first version" if told.since == reading.unnamed_on else told.since
    yield f"        since {since} · {shown(told.path)}:{told.line}{shared}"


def _clauses(clauses: tuple[str, ...], *, catalogue: Catalogue, indent: str) -> Iterator[str]:
    for clause_id in dict.fromkeys(clauses):
        clause = catalogue.get(ClauseId(clause_id))
        text = f"{clause_id} {clause.where} “{clause.title}”" if clause else clause_id
        yield from _wrapped(text, first=indent, rest=f"{indent}  ")


def _wrapped(text: str, *, first: str, rest: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False
    )


def reading_data(reading: Reading, *, catalogue: Catalogue, shown: Shown) -> dict[str, Any]:
    """Give a reading as JSON has it."""
    return {
        "service": reading.service,
        "name": reading.name,
        "on": str(reading.on),
        "version": str(reading.version),
        "version_clauses": _clause_data(reading.version_clauses, catalogue=catalogue),
        "first_day_named": reading.version != reading.unnamed_on,
        "until": str(reading.until) if reading.until else None,
        "rates": [
            {"name": rate.name, "rate": rate.words, "since": str(rate.since)}
            for rate in reading.rates
        ],
        "entries": [
            _told_data(told, percent=reading.tax_percent, catalogue=catalogue, shown=shown)
            for told in reading.told
        ],
    }


def _told_data(
    told: Told, *, percent: int | None, catalogue: Catalogue, shown: Shown
) -> dict[str, Any]:
    return {
        "context": told.context,
        "heading": told.said.heading,
        "words": told.said.words,
        "yen_with_tax": taxed_yen(told, percent=percent),
        "clauses": _clause_data(told.said.clauses, catalogue=catalogue),
        "since": str(told.since),
        "place": f"{shown(told.path)}:{told.line}",
        "shared": told.shared,
    }


def _clause_data(clauses: tuple[str, ...], *, catalogue: Catalogue) -> list[dict[str, str]]:
    found = []
    for clause_id in dict.fromkeys(clauses):
        clause = catalogue.get(ClauseId(clause_id))
        told = {"where": clause.where, "title": clause.title} if clause else {}
        found.append({"id": clause_id, **told})
    return found


def amendment_text(amendment: Amendment, *, catalogue: Catalogue, shown: Shown) -> Iterator[str]:
    """Give the lines of a difference: the versions that took effect, then what changed."""
    before, after = amendment.before, amendment.after
    yield f"{after.service} · {after.name}, from {before.on} to {after.on}"
    for on, clauses in amendment.took_effect:
        yield f"Version in force from {on} on"
        yield from _clauses(clauses, catalogue=catalogue, indent="    ")
    if not amendment.changes:
        yield "Nothing that is carried out from these terms changed."
    for change in amendment.changes:
        yield ""
        yield f"{change.kind.upper()} · {change.heading}"
        for mark, words in _sides(change):
            yield from _wrapped(f"{mark} {words}", first="    ", rest="      ")
        yield from _clauses(change.clauses, catalogue=catalogue, indent="        ")
        for clause_id in change.clauses_gone:
            yield f"        no longer {clause_id}"
        if change.place is not None:
            yield f"        {shown(change.place[0])}:{change.place[1]}"


def _sides(change: Change) -> Iterator[tuple[str, str]]:
    """Give what was and what is, with their marks; once where only the clauses are others."""
    if change.was == change.now and change.now is not None:
        yield "=", change.now
        return
    if change.was is not None:
        yield "-", change.was
    if change.now is not None:
        yield "+", change.now


def amendment_data(amendment: Amendment, *, catalogue: Catalogue, shown: Shown) -> dict[str, Any]:
    """Give a difference as JSON has it."""
    return {
        "service": amendment.after.service,
        "from": str(amendment.before.on),
        "to": str(amendment.after.on),
        "took_effect": [
            {"on": str(on), "clauses": _clause_data(clauses, catalogue=catalogue)}
            for on, clauses in amendment.took_effect
        ],
        "changes": [
            _change_data(change, catalogue=catalogue, shown=shown) for change in amendment.changes
        ],
    }


def _change_data(change: Change, *, catalogue: Catalogue, shown: Shown) -> dict[str, Any]:
    place = change.place
    return {
        "kind": change.kind,
        "heading": change.heading,
        "was": change.was,
        "now": change.now,
        "clauses": _clause_data(change.clauses, catalogue=catalogue),
        "clauses_gone": list(change.clauses_gone),
        "place": f"{shown(place[0])}:{place[1]}" if place else None,
    }
