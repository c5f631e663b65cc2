"""The faults of a seed."""

from itertools import pairwise

import pytest

from cli.chaos.schedule import Harm, Victim, schedule


@pytest.mark.parametrize("seed", [0, 1, 1040])
def test_a_seed_gives_the_same_faults_at_the_same_times(seed: int) -> None:
    assert schedule(seed, seconds=600) == schedule(seed, seconds=600)


def test_another_seed_gives_other_faults() -> None:
    assert schedule(1, seconds=60) != schedule(2, seconds=60)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    short = schedule(7, seconds=60)
    assert schedule(7, seconds=600)[: len(short)] == short


@pytest.mark.parametrize("seed", range(20))
def test_six_in_a_row_are_of_six_victims(seed: int) -> None:
    faults = schedule(seed, seconds=600)
    for first in range(0, len(faults) - 5, 6):
        assert {fault.victim for fault in faults[first : first + 6]} == set(Victim)


@pytest.mark.parametrize("seed", range(20))
def test_thirty_have_each_victim_with_each_harm(seed: int) -> None:
    faults = schedule(seed, seconds=600)[:30]
    met = {(fault.victim, fault.harm) for fault in faults}
    assert met == {(victim, harm) for victim in Victim for harm in Harm}


@pytest.mark.parametrize("seed", range(20))
def test_a_pause_outlasts_the_session_of_a_consumer(seed: int) -> None:
    pauses = [fault for fault in schedule(seed, seconds=600) if fault.harm is Harm.PAUSE]
    assert pauses
    assert all(fault.seconds > 10 for fault in pauses)


def test_faults_begin_in_order_and_before_the_end() -> None:
    faults = schedule(3, seconds=120)
    assert all(one.at_seconds < next_one.at_seconds for one, next_one in pairwise(faults))
    assert faults[-1].at_seconds < 120
