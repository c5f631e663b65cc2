"""What changed in the terms of a service between two days, entry by entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from cli.terms.reading import Book, Reading, Told

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry that is not what it was.

    `was` and `now` are its sentences, None where there is none; `clauses` are those it rests on
    now, or rested on where it is gone; `clauses_gone` those it rests on no longer; `place` is the
    file and line that say it now, None where nothing does.
    """

    kind: Kind
    heading: str
    was: str | None
    now: str | None
    clauses: tuple[str, ...]
    clauses_gone: tuple[str, ...] = ()
    place: tuple[Path, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """All that differs on two days.

    `took_effect` are the versions that took effect between them, the later day included, each with
    the clauses that put it into force.
    """

    before: Reading
    after: Reading
    took_effect: tuple[tuple[date, tuple[str, ...]], ...]
    changes: tuple[Change, ...]


def amendment(book: Book, *, from_on: date, to_on: date) -> Amendment:
    """Compare what applies on two days. Raises NotYetInForce for a day before the first version."""
    before, after = book.on(from_on), book.on(to_on)
    return Amendment(
        before=before,
        after=after,
        took_effect=tuple(
            (on, book.on(on).version_clauses) for on in book.versions.between(from_on, to_on)
        ),
        changes=(*_rates(before, after=after), *_entries(before, after=after)),
    )


def _rates(before: Reading, *, after: Reading) -> Iterator[Change]:
    for was, now in zip(before.rates, after.rates, strict=True):
        if was.words != now.words:
            yield Change(
                kind="changed",
                heading="Rates of the law",
                was=f"{was.name}: {was.words}",
                now=f"{now.name}: {now.words}",
                clauses=(),
            )


def _entries(before: Reading, *, after: Reading) -> Iterator[Change]:
    old, new = _apart(before, after), _apart(after, before)
    for key, told in new.items():
        was = old.get(key)
        yield _change("changed" if was else "added", told, was=was)
    for key, told in old.items():
        if key not in new:
            yield Change(
                kind="removed",
                heading=told.said.heading,
                was=told.said.words,
                now=None,
                clauses=told.said.clauses,
            )


def _apart(one: Reading, other: Reading) -> dict[tuple[str, str], Told]:
    """Give the entries of one day that are not said, word for word, on the other, by their keys."""
    same = {_content(told) for told in other.told}
    return {told.key: told for told in one.told if _content(told) not in same}


def _content(told: Told) -> tuple[str, str, str, tuple[str, ...]]:
    said = told.said
    return (told.context, said.heading, said.words, said.clauses)


def _change(kind: Kind, now: Told, *, was: Told | None) -> Change:
    gone = (
        () if was is None else (each for each in was.said.clauses if each not in now.said.clauses)
    )
    return Change(
        kind=kind,
        heading=now.said.heading,
        was=was.said.words if was else None,
        now=now.said.words,
        clauses=now.said.clauses,
        clauses_gone=tuple(gone),
        place=(now.path, now.line),
    )
