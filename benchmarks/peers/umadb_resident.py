"""The package umadb: its client, against its server. Argument: the server's address.

An append is one event list with the condition that its stream does not exist yet, which is what
our own appends ask for.
"""

import sys
from typing import Any
from uuid import uuid4

from umadb import AppendCondition, Client, Event, Query, QueryItem

from benchmarks.peers.resident import Follower, callers, serve

_DATA = (
    b'{"contract_id":"%s","customer_id":"%s","service":"MYSEC",'
    b'"approved_on":"2026-04-01","document_number":"2026-%06d"}'
)
_TYPE = "contracts.contract-approved.v1"


def main(address: str) -> None:
    """Serve until standard input ends."""
    client = Client(address)

    def append(events: int, _turn: int) -> None:
        stream_id = str(uuid4())
        text = stream_id.encode()
        client.append(
            [
                Event(_TYPE, _DATA % (text, text, number), tags=[stream_id], uuid=uuid4())
                for number in range(events)
            ],
            condition=AppendCondition(Query([QueryItem(tags=[stream_id])])),
        )

    def read(last: int, limit: int) -> list[int]:
        return [event.position for event in client.read(start=last + 1, limit=limit)]

    def head() -> int:
        return client.head() or 0

    def append_many(**order: Any) -> dict[str, Any]:
        return callers(append, **order)

    follower = Follower(head=head, read=read)
    serve(append=append_many, begin=follower.begin, end=follower.end)


if __name__ == "__main__":
    main(*sys.argv[1:])
