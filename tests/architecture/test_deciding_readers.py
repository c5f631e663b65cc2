"""A service has one reader that decides on streams of its own log.

Which events were decided on is seen by their effects: a reactor leaves an event out when the stream
that it would decide on has an event caused by it, and the reconciler looks for just that. With a
second reactor of the same topic the first one's reaction would pass for the second one's, and this
would be left out for ever, in silence.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.architecture.sources import Source, parsed, sources

REASON = (
    "a second reader that decides: the skip by causation in libs/events/reactor.py would take the"
    " reaction of one for that of the other. Decide on both in one `react`, or let each reaction"
    " say which reader made it"
)


def reactors(source: Source) -> Iterator[ast.AST]:
    """Where a file makes a reactor."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="Reactor") | ast.Attribute(attr="Reactor")):
                yield node
            case _:
                pass


def surplus(found: Iterable[Source]) -> list[str]:
    """The reactors of services beyond the first of each."""
    by_service: dict[str, list[str]] = defaultdict(list)
    for source in found:
        _, service, *_ = source.path.parts
        by_service[service] += (source.at(node) for node in reactors(source))
    return [place for places in by_service.values() for place in places[1:]]


def test_no_service_has_two_readers_that_decide() -> None:
    assert surplus(sources(["services"])) == [], REASON
    assert any(True for source in sources(["services"]) for _ in reactors(source))


def test_a_second_one_would_be_found() -> None:
    one = parsed("Reactor(READER, react=react)", path="services/billing/main.py")
    other = parsed("x = reactor.Reactor('else', react=react)", path="services/billing/else.py")
    elsewhere = parsed("Reactor(READER, react=react)", path="services/contracts/main.py")
    assert surplus([one, elsewhere]) == []
    assert surplus([one, elsewhere, other]) == ["services/billing/else.py:1"]
