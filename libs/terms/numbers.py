"""The kinds of numbers in the terms, each with its unit; a number in quotes is none."""

from datetime import date
from typing import Annotated

from pydantic import Field, Strict

Yen = Annotated[int, Strict(), Field(ge=0, description="Whole yen.")]
Times = Annotated[int, Strict(), Field(ge=0, description="How many times an amount.")]
Days = Annotated[int, Strict(), Field(ge=0, description="Calendar days.")]
BusinessDays = Annotated[int, Strict(), Field(ge=0, le=366, description="Business days.")]
Months = Annotated[int, Strict(), Field(ge=0, le=1200, description="Calendar months.")]
Years = Annotated[int, Strict(), Field(ge=1, le=100, description="Years.")]
Metres = Annotated[int, Strict(), Field(ge=0, description="Metres.")]
Minutes = Annotated[int, Strict(), Field(ge=0, description="Minutes.")]
Licences = Annotated[int, Strict(), Field(ge=1, description="A number of licences.")]
Percent = Annotated[int, Strict(), Field(ge=0, le=100, description="Percent.")]
Permille = Annotated[int, Strict(), Field(ge=0, le=1000, description="Thousandths a year.")]
Flag = Annotated[bool, Strict()]
Day = Annotated[date, Strict()]
