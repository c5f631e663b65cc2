"""What a partition brought is taken in runs that are bounded in bytes and in number."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from libs.events.consumer import in_batches


@dataclass(slots=True)
class Record:
    value: bytes | None
    topic: str = "contracts"
    partition: int = 0
    offset: int = 0
    key: bytes | None = None
    headers: Iterable[tuple[str, bytes]] = ()


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [
        pytest.param([3, 3, 4], [[3, 3, 4]], id="just full"),
        pytest.param([3, 3, 5], [[3, 3], [5]], id="one byte too many"),
        pytest.param([11, 1], [[11], [1]], id="one that is larger stands alone"),
        pytest.param([1, 11], [[1], [11]], id="after a small one too"),
        pytest.param([0], [[0]], id="empty"),
    ],
)
def test_runs_hold_at_most_so_many_bytes(sizes: list[int], runs: list[list[int]]) -> None:
    found = in_batches([Record(bytes(size)) for size in sizes], at_most=9, bytes_at_most=10)
    assert [[len(record.value or b"") for record in run] for run in found] == runs


@pytest.mark.parametrize(
    ("count", "runs"),
    [
        pytest.param(2, [2], id="just full"),
        pytest.param(3, [2, 1], id="one too many"),
        pytest.param(4, [2, 2], id="full twice"),
    ],
)
def test_runs_hold_at_most_so_many_records(count: int, runs: list[int]) -> None:
    found = in_batches([Record(b"x")] * count, at_most=2, bytes_at_most=10)
    assert [len(run) for run in found] == runs
