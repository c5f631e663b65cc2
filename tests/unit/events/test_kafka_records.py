"""A record's headers as text, whatever stands in them."""

from types import SimpleNamespace
from uuid import UUID

from libs.events.kafka import from_record

_HEADERS = {
    "ce_id": str(UUID(int=1)),
    "ce_source": "/yakkan/contracts",
    "ce_type": "contracts.service-started.v1",
    "ce_subject": str(UUID(int=2)),
    "ce_time": "2026-04-01T00:00:00+00:00",
    "ce_version": "1",
    "ce_position": "1",
    "ce_sequence": "1",
    "ce_logepoch": str(UUID(int=3)),
    "ce_correlationid": str(UUID(int=4)),
    "ce_actor": "operator-1",
}


def test_a_header_of_someone_else_that_is_no_text_does_not_keep_the_event_back() -> None:
    ours = [(name, value.encode()) for name, value in _HEADERS.items()]
    record = SimpleNamespace(
        topic="contracts",
        partition=0,
        offset=7,
        key=None,
        value=b"{}",
        headers=[*ours, ("theirs", b"\xff")],
    )
    found = from_record(record)
    assert found.headers == {**_HEADERS, "theirs": "\ufffd"}
    assert found.envelope.log_epoch == UUID(int=3)
