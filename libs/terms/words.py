"""The terms in sentences: what each entry says to a reader who knows no code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from libs.terms.faults import Place

Prices = Mapping[str, int]
"""Yen before tax by the name of the price."""


class Sentence(NamedTuple):
    """A sentence of a policy, and the clauses it rests on."""

    words: str
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence of a section.

    `heading` is what it belongs to; `key` names it from version to version, so that two days can
    be compared; `place` is the entry below the section that says it; `taxed_yen` is an amount to
    which consumption tax is added, where the sentence is of one.
    """

    heading: str
    key: str
    words: str
    clauses: tuple[str, ...] = ()
    place: Place = ()
    taxed_yen: int | None = None


def in_yen(amount: int) -> str:
    """Give an amount as `2,500 yen`."""
    return f"{amount:,} yen"


def count(number: int, unit: str) -> str:
    """Give `1 month` or `6 months`."""
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def listed(names: Iterable[str], *, last: str = "and") -> str:
    """Give `a, b and c`."""
    *first, final = list(names)
    return f"{', '.join(first)} {last} {final}" if first else final


def plain(name: str) -> str:
    """Give a name of the files as words: `pack-of-10` is `pack of 10`."""
    return name.replace("-", " ").replace("_", " ")


def capital(words: str) -> str:
    """Begin with a capital."""
    return f"{words[:1].upper()}{words[1:]}"


def tax_added(*, taxed: bool) -> str:
    """Say whether consumption tax is added."""
    return "consumption tax is added" if taxed else "no consumption tax is added"


def a_year(permille: int) -> str:
    """Give thousandths a year as percent: 145 is `14.5% a year`."""
    whole, tenth = divmod(permille, 10)
    return f"{whole}.{tenth}% a year" if tenth else f"{whole}% a year"
