"""What was assessed and what was billed: by contract, month and line, to the yen."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from libs.events.database import Pool
from libs.events.envelope import Event, Recorded
from libs.events.keys import Keys
from libs.events.reconcile import Drift, Looked, Place
from libs.events.snapshot import SnapshotLog, identity_of, snapshot
from libs.events.vocabulary.billing import ChargesAssessed, CreditNoteIssued, InvoiceIssued

_ACCOUNTS = 50

FIND_ACCOUNTS = """
SELECT account_id, contract_ids FROM billing_account WHERE account_id > $1
ORDER BY account_id LIMIT $2
"""
HEAD = "SELECT position FROM log_head"


class _Month(NamedTuple):
    contract_id: UUID
    month: str


_Amounts = Mapping[_Month, Mapping[str, int]]


class Billed:
    """The lines of all documents of a month sum to the last assessment of that month.

    An append issues documents with the assessments they bill, so this holds at any head of the log.
    """

    name = "charges billed"

    def __init__(self, pool: Pool, *, keys: Keys) -> None:
        self._pool = pool
        self._keys = keys

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the months of the next accounts, 50 at most."""
        after = UUID(place.get("account_id", str(UUID(int=0))))
        size = min(limit, _ACCOUNTS)
        async with snapshot(self._pool) as connection:
            accounts = await connection.fetch(FIND_ACCOUNTS, after, size)
            log = SnapshotLog(
                connection,
                identity=await identity_of(connection),
                until=await connection.fetchval(HEAD),
                keys=self._keys,
            )
            streams = [
                stream for row in accounts for stream in (row["account_id"], *row["contract_ids"])
            ]
            events = await log.load_all(streams)
        found = list(self._differences(events))
        more = len(accounts) == size
        follows = {"account_id": str(accounts[-1]["account_id"])} if more else None
        return Looked(found, len(accounts), follows)

    def _differences(self, events: Sequence[Recorded[Event]]) -> Iterator[Drift]:
        assessed, billed = _assessed(events), _billed(events)
        for at in sorted({*assessed, *billed}):
            owed, asked = assessed.get(at, {}), billed.get(at, {})
            for key in sorted({*owed, *asked}):
                if owed.get(key, 0) != asked.get(key, 0):
                    yield Drift(
                        check=self.name,
                        place=f"contract {at.contract_id}, month {at.month}",
                        what=(
                            f"the line {key} is assessed at {owed.get(key, 0)} yen,"
                            f" and {asked.get(key, 0)} yen are billed"
                        ),
                        advice="Compare both with the topic; the next run bills a true difference",
                    )


def _assessed(events: Iterable[Recorded[Event]]) -> _Amounts:
    """Per month the lines of its last revision."""
    return {
        _Month(each.event.contract_id, each.event.month): {
            line.key: line.amount for line in each.event.lines
        }
        for each in events
        if isinstance(each.event, ChargesAssessed)
    }


def _billed(events: Iterable[Recorded[Event]]) -> _Amounts:
    """Per month the sums of the lines of all documents, by key."""
    sums: dict[_Month, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in events:
        document = each.event
        if isinstance(document, InvoiceIssued | CreditNoteIssued):
            for line in document.lines:
                month = line.adjusts or line.month or document.month
                contract_id = line.contract_id or document.contract_ids[0]
                sums[_Month(contract_id, month)][line.key] += line.amount
    return sums
