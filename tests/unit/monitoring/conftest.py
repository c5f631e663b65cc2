"""A site in a log in memory."""

from datetime import date, datetime

import pytest

from libs.dates.clock import FixedClock
from libs.dates.japan import japan_instant
from tests.unit.monitoring.sites import Play, a_play


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(japan_instant(date(2025, 12, 1)))


@pytest.fixture
def play(clock: FixedClock) -> Play:
    return a_play(clock=clock)


@pytest.fixture
async def site(play: Play) -> Play:
    await play.approved()
    return play


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    return clock.now()
