"""The terms in sentences: nothing that the files say is left out, and nothing is code."""

import re
from collections.abc import Hashable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from cli.terms.reading import WORDS, Book, Told
from cli.terms.sections import MODELS
from cli.terms.showing import reading_text
from libs.terms.faults import WrongTerms
from libs.terms.files import Entry, read_terms
from libs.terms.in_force import validated
from libs.terms.offered import services_of, speaks_to
from libs.terms.words import a_year, count, listed, plain

ROOT = Path(__file__).parents[3]
TERMS = ROOT / "terms"
SERVICES = services_of(TERMS)
ANOTHER_CLAUSE = "NSEC-1.1"


def changed(value: Hashable) -> Iterator[Hashable]:
    """Give other values of the same kind, of which one may be right in the place."""
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1
        case date():
            yield value + timedelta(days=1)
        case str():
            yield ANOTHER_CLAUSE
            yield from ("former", "credit_card", "certificate", "monday-saturday", "10:00")
            yield from ("named-first", "earliest-due-first", "by-notice", "monday-friday")
            yield "contracts.contract-terminated.v1"
            yield from ("issue", "set-up")
            yield "other"
        case _:
            return


def places(entry: Entry, *, way: tuple[Hashable, ...] = ()) -> Iterator[tuple[Hashable, ...]]:
    if isinstance(entry.value, dict):
        for key, below in entry.value.items():
            yield from places(below, way=(*way, key))
    elif isinstance(entry.value, list):
        for index, below in enumerate(entry.value):
            yield from places(below, way=(*way, index))
    else:
        yield way


def with_value(entry: Entry, *, at: tuple[Hashable, ...], value: Hashable) -> Entry:
    if not at:
        return Entry(value, entry.path, entry.line)
    first, *rest = at
    if isinstance(entry.value, dict):
        below = with_value(entry.value[first], at=tuple(rest), value=value)
        return Entry({**entry.value, first: below}, entry.path, entry.line)
    assert isinstance(entry.value, list)
    assert isinstance(first, int)
    items = list(entry.value)
    items[first] = with_value(items[first], at=tuple(rest), value=value)
    return Entry(items, entry.path, entry.line)


def variants(entry: Entry, *, model: type[BaseModel]) -> Iterator[tuple[str, BaseModel]]:
    """Give the section with one value changed, for every value that can be changed alone."""
    for place in places(entry):
        now = entry.at(place).value
        assert not isinstance(now, dict | list)
        for value in changed(now):
            if value == now:
                continue
            try:
                changed_one = with_value(entry, at=place, value=value)
                yield ".".join(map(str, place)), validated(changed_one, model=model)
            except WrongTerms:
                continue
            break


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", MODELS)
def test_every_value_of_a_section_is_said(service: str, name: str) -> None:
    terms = read_terms(service, folder=TERMS)
    assert speaks_to(name, terms=terms)
    entry = terms.versions[-1].entry.at([name])
    model = MODELS[name]
    before = WORDS[name](validated(entry, model=model))
    unsaid = [
        place for place, section in variants(entry, model=model) if WORDS[name](section) == before
    ]
    assert unsaid == []


@cache
def books() -> tuple[Book, ...]:
    return tuple(Book(service, folder=TERMS) for service in SERVICES)


@cache
def sentences() -> tuple[Told, ...]:
    return tuple(
        told for book in books() for on, _ in book.versions.all for told in book.on(on).told
    )


def test_no_sentence_shows_the_inside_of_the_program() -> None:
    raw = re.compile(r"[a-z]_[a-z]|None|True|False|[{}\[\]]|datetime|'[a-z]+'|\(\)|  ")
    shown = {(told.said.heading, told.said.words) for told in sentences()}
    assert len(shown) > 200
    assert [words for pair in shown for words in pair if raw.search(words)] == []


def test_every_sentence_is_one_and_its_key_is_its_own() -> None:
    for book in books():
        for on, _ in book.versions.all:
            keys = [told.key for told in book.on(on).told]
            assert len(set(keys)) == len(keys)
    assert [told.said.words for told in sentences() if not told.said.words[:1].isupper()] == []


def test_every_sentence_names_the_line_that_says_it() -> None:
    for told in sentences():
        line = told.path.read_text("utf-8").splitlines()[told.line - 1]
        last = told.said.place[-1]
        assert not isinstance(last, str) or last in line, (told, line)


def test_numbers_and_lists_in_words() -> None:
    assert [count(1, "month"), count(6, "month"), count(1200, "day")] == [
        "1 month",
        "6 months",
        "1,200 days",
    ]
    assert [listed(["a"]), listed("ab"), listed("abc", last="or")] == ["a", "a and b", "a, b or c"]
    assert [a_year(145), a_year(30), a_year(146)] == ["14.5% a year", "3% a year", "14.6% a year"]
    assert plain("pack-of-10") == "pack of 10"


def words_of(service: str, on: date, *, heading: str) -> list[str]:
    told = Book(service, folder=TERMS).on(on).told
    return [each.said.words for each in told if each.said.heading == heading]


def test_a_ground_says_what_it_lets_the_operator_do() -> None:
    on = date(2024, 6, 1)
    suspended = words_of("WUTM", on, heading="Suspension")
    assert (
        "On the ground “breach” the operator may suspend the service after a notice." in suspended
    )
    suspended = words_of("RRNS", on, heading="Suspension")
    assert "On the ground “breach” the operator may suspend the service at once." in suspended
    ended = words_of("RRNS", on, heading="End by the operator")
    assert "On the ground “seizure” the operator may end the contract, at once." in ended
    wanted = "may end the contract: only after a demand whose period has passed."
    assert f"On the ground “uncured breach” the operator {wanted}" in ended
    assert not any(words.startswith("A ground") for words in (*suspended, *ended))


def test_a_first_day_that_the_terms_do_not_name_is_said_to_be_taken() -> None:
    shown = list(reading_text(books_of("NQMS").on(date(2020, 1, 1)), catalogue={}, shown=str))
    assert shown[1] == (
        "Version in force to 2023-07-31; the terms name no first day, so they are taken to hold "
        "from 1997-04-01 on"
    )
    assert any("since the first version · " in line for line in shown)
    later = list(reading_text(books_of("NQMS").on(date(2024, 1, 1)), catalogue={}, shown=str))
    assert later[1] == "Version in force from 2023-08-01"
    named = list(reading_text(books_of("MYSEC").on(date(2016, 10, 24)), catalogue={}, shown=str))
    assert named[1] == "Version in force from 2016-10-24 to 2017-01-31"


def books_of(service: str) -> Book:
    return next(book for book in books() if book.service == service)
