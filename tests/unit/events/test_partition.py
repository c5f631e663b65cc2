from uuid import UUID

import pytest
from aiokafka.partitioner import murmur2 as of_the_client

from libs.events.partition import PARTITIONS, key_bytes, murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        pytest.param(b"", 275646681, id="empty"),
        pytest.param(b"21", -973932308, id="two bytes"),
        pytest.param(b"foobar", -790332482, id="six bytes"),
        pytest.param(b"a-little-bit-long-string", -985981536, id="whole words"),
        pytest.param(b"a-little-bit-longer-string", -1486304829, id="words and a rest"),
        pytest.param(b"abc", 479470107, id="three bytes"),
    ],
)
def test_the_hash_is_the_one_of_kafkas_clients(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed & 0xFFFFFFFF


def test_every_stream_goes_where_the_client_would_send_it() -> None:
    for number in range(500):
        stream_id = UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)
        sent_to = (of_the_client(key_bytes(stream_id)) & 0x7FFFFFFF) % PARTITIONS
        assert partition_of(stream_id) == sent_to


def test_streams_spread_over_all_partitions() -> None:
    used = {partition_of(UUID(int=number)) for number in range(500)}
    assert used == set(range(PARTITIONS))
