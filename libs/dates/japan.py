"""Japan time: every date of the terms is a Japan date."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")


def japan_date(instant: datetime) -> date:
    """The Japan date of an instant with an offset."""
    return instant.astimezone(JAPAN).date()


def japan_instant(on: date, hour: int = 0, minute: int = 0) -> datetime:
    """The instant of a Japan wall-clock time on a day, 00:00 unless said."""
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=JAPAN)


def japan_day_over(on: date) -> datetime:
    """The instant at which a day is over in Japan; the day lies wholly before it."""
    return japan_instant(on + timedelta(days=1))
