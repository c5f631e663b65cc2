"""The kinds of numbers in the terms, each with its unit and bounds; a number in quotes is none.

The upper bounds are no rules of the terms: beyond them a number is a slip of the pen (a zero too
many, yen for percent), and a slip is refused when the file is read, not billed.
"""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

MOST_YEN = 100_000_000
"""A hundred times the dearest price of the terms, which is 1,000,000 yen for 10,000 licences."""


def _no_slip(yen: int) -> int:
    if yen > MOST_YEN:
        raise ValueError(f"{yen:,} yen is taken for a slip: no price is above {MOST_YEN:,} yen")
    return yen


Yen = Annotated[
    int,
    Strict(),
    Field(
        ge=0,
        description=f"Whole yen. More than {MOST_YEN:,}, a hundred times the dearest price of the "
        "terms, is taken for a slip.",
        json_schema_extra={"maximum": MOST_YEN},
    ),
    AfterValidator(_no_slip),
]
Times = Annotated[int, Strict(), Field(ge=0, le=100, description="How many times an amount.")]
Hours = Annotated[int, Strict(), Field(ge=1, le=8784, description="Hours.")]
Days = Annotated[int, Strict(), Field(ge=0, le=36600, description="Calendar days.")]
DayOfMonth = Annotated[
    int, Strict(), Field(ge=1, le=28, description="A day that every calendar month has: 1 to 28.")
]
BusinessDays = Annotated[int, Strict(), Field(ge=0, le=366, description="Business days.")]
Months = Annotated[int, Strict(), Field(ge=1, le=1200, description="Calendar months, one or more.")]
MonthsOrNone = Annotated[
    int, Strict(), Field(ge=0, le=1200, description="Calendar months; 0 is none.")
]
Years = Annotated[int, Strict(), Field(ge=1, le=100, description="Years.")]
Metres = Annotated[int, Strict(), Field(ge=0, le=10_000_000, description="Metres.")]
Minutes = Annotated[int, Strict(), Field(ge=0, le=100_000, description="Minutes.")]
Licences = Annotated[int, Strict(), Field(ge=1, le=10_000_000, description="A number of licences.")]
Percent = Annotated[int, Strict(), Field(ge=0, le=100, description="Percent.")]
Permille = Annotated[int, Strict(), Field(ge=0, le=1000, description="Thousandths a year.")]
Flag = Annotated[bool, Strict()]
Day = Annotated[date, Strict()]
