"""Reads "as known on a day": the parameter that all services share."""

from datetime import date
from typing import Annotated

from fastapi import Query

KnownOn = Annotated[
    date | None, Query(description="Leave out what was recorded after this day, Japan time")
]
