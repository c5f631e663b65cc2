"""Folds that go on from the last state: what was folded once is not folded again.

A fold is a pure function of its items, so a state may be taken for all the items that led to it,
and only for them: items are compared, not named by an id or counted. A history read again from the
log in memory is made of the same objects, which costs a look at each; one that was decoded anew is
compared value by value; one that differs anywhere is folded from its first item. So nobody can tell
from a result whether anything was kept.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")

_KEPT = 512
_KEPT_ITEMS = 20_000


class Fold(Generic[T, S]):
    """A left fold of `evolve` from `begin`, which keeps the last state of some sequences.

    `evolve` must be pure, and states must not be changed by those who get them. `of` gives, from a
    first item, what tells sequences apart so that each keeps a state of its own; two that share it
    only take each other's place. At most `kept` states are held, of at most `kept_items` items in sum;
    the oldest goes first.
    """

    def __init__(
        self,
        *,
        begin: S,
        evolve: Callable[[S, T], S],
        of: Callable[[T], Hashable],
        kept: int = _KEPT,
        kept_items: int = _KEPT_ITEMS,
    ) -> None:
        self._begin = begin
        self._evolve = evolve
        self._of = of
        self._kept = kept
        self._kept_items = kept_items
        self._items = 0
        self._states: dict[Hashable, tuple[tuple[T, ...], S]] = {}

    def state(self, items: Iterable[T], *, keep: bool = True) -> S:
        """The state after these items; `keep` False for items that may never come again."""
        items = tuple(items)
        if not items:
            return self._begin
        name = self._of(items[0])
        known, state = self._states.get(name, ((), self._begin))
        if items[: len(known)] != known:
            known, state = (), self._begin
        if len(known) == len(items):
            return state
        for item in items[len(known) :]:
            state = self._evolve(state, item)
        if keep:
            self._drop(name)
            self._states[name] = (items, state)
            self._items += len(items)
            while len(self._states) > self._kept or self._items > self._kept_items:
                self._drop(next(iter(self._states)))
        return state

    def _drop(self, name: Hashable) -> None:
        items, _ = self._states.pop(name, ((), self._begin))
        self._items -= len(items)
