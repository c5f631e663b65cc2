"""The package eventsourcing on PostgreSQL, in its lossless mode: a table lock an append.

Arguments: folder of the socket, database. Its recorder inserts under LOCK TABLE … IN EXCLUSIVE MODE
(database functions, its quicker mode, take no lock and lose events to followers). Its own
notification log is what the follower reads.
"""

import sys
from typing import Any
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.peers.resident import Follower, callers, serve

_DATA = (
    b'{"contract_id":"%s","customer_id":"%s","service":"MYSEC",'
    b'"approved_on":"2026-04-01","document_number":"2026-%06d"}'
)
_POOL = 16


def main(sockets: str, database: str) -> None:
    """Serve until standard input ends."""
    with PostgresDatastore(
        dbname=database,
        host=sockets,
        port="5432",
        user="postgres",
        password="",
        pool_size=_POOL,
        max_overflow=0,
        connect_timeout=60,
        enable_db_functions=False,
    ) as datastore:
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()

        def append(events: int, _turn: int) -> None:
            stream_id = uuid4()
            text = str(stream_id).encode()
            recorder.insert_events(
                [
                    StoredEvent(
                        originator_id=stream_id,
                        originator_version=number + 1,
                        topic="contracts.contract-approved.v1",
                        state=_DATA % (text, text, number),
                    )
                    for number in range(events)
                ]
            )

        def read(last: int, limit: int) -> list[int]:
            found = recorder.select_notifications(last, limit, inclusive_of_start=False)
            return [notification.id for notification in found]

        def head() -> int:
            return recorder.max_notification_id() or 0

        def append_many(**order: Any) -> dict[str, Any]:
            return callers(append, **order)

        follower = Follower(head=head, read=read)
        serve(append=append_many, begin=follower.begin, end=follower.end)


if __name__ == "__main__":
    main(*sys.argv[1:])
