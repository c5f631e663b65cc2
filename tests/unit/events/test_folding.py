"""A fold that goes on from its last state gives what the fold from the first item gives."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from libs.events.folding import Fold

SEQUENCES = st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=12)


@dataclass(slots=True)
class Seen:
    """Counts what it was asked to take, and gives all of it."""

    many: int = 0

    def take(self, state: tuple[int, ...], item: int) -> tuple[int, ...]:
        self.many += 1
        return (*state, item)


def a_fold(seen: Seen, *, kept: int = 512, kept_items: int = 1_000) -> Fold[int, tuple[int, ...]]:
    begin: tuple[int, ...] = ()
    return Fold(
        begin=begin,
        evolve=seen.take,
        of=lambda item: item % 2,
        kept=kept,
        kept_items=kept_items,
    )


@given(asked=SEQUENCES, kept=st.integers(0, 2), kept_items=st.integers(0, 20), keep=st.booleans())
def test_whatever_was_asked_before_the_state_is_that_of_all_items(
    asked: list[list[int]], kept: int, kept_items: int, *, keep: bool
) -> None:
    fold = a_fold(Seen(), kept=kept, kept_items=kept_items)
    for items in asked:
        assert fold.state(items, keep=keep) == tuple(items)


@given(items=st.lists(st.integers(0, 3), max_size=12), cuts=st.lists(st.integers(0, 12)))
def test_any_split_of_the_items_ends_in_the_same_state(items: list[int], cuts: list[int]) -> None:
    fold = a_fold(Seen())
    for cut in (*sorted(cuts), len(items)):
        assert fold.state(items[:cut]) == tuple(items[:cut])


def test_what_was_folded_is_not_folded_again() -> None:
    seen = Seen()
    fold = a_fold(seen)
    fold.state([1, 2, 3])
    fold.state([1, 2, 3, 4])
    assert seen.many == 4
    fold.state([1, 2, 3, 4])
    assert seen.many == 4
    fold.state([1, 2, 5])
    assert seen.many == 7


def test_what_may_never_come_again_takes_nobodys_place() -> None:
    seen = Seen()
    fold = a_fold(seen)
    fold.state([1, 2])
    fold.state([1, 2, 7], keep=False)
    fold.state([1, 2, 3])
    assert seen.many == 4


def test_no_more_states_are_held_than_said() -> None:
    seen = Seen()
    fold = a_fold(seen, kept=1)
    fold.state([1])
    fold.state([2])
    fold.state([1])
    assert seen.many == 3
    fold.state([1])
    assert seen.many == 3


def test_no_more_items_are_held_in_sum_than_said_and_the_oldest_go_first() -> None:
    seen = Seen()
    fold = a_fold(seen, kept_items=5)
    fold.state([1, 1, 1])
    fold.state([2, 2])
    fold.state([1, 1, 1])
    fold.state([2, 2])
    assert seen.many == 5
    fold.state([2, 2, 2])
    assert seen.many == 6
    fold.state([2, 2, 2])
    assert seen.many == 6
    fold.state([1, 1, 1])
    assert seen.many == 9


def test_what_is_longer_than_all_that_may_be_held_is_not_held() -> None:
    seen = Seen()
    fold = a_fold(seen, kept_items=2)
    fold.state([1, 1, 1])
    fold.state([1, 1, 1])
    assert seen.many == 6


def test_a_state_that_grows_counts_once() -> None:
    seen = Seen()
    fold = a_fold(seen, kept_items=5)
    for length in range(1, 6):
        fold.state([1] * length)
    assert seen.many == 5
