"""The servers that tests and `./yk up` run against are the real ones, set up as we need them."""

from collections.abc import Awaitable, Callable

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from libs.events.partition import PARTITIONS
from libs.events.topics import create_topics

LARGEST_EVENT = 512 * 1024


async def test_the_broker_carries_the_largest_event(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}contracts"
    await create_topics([topic], bootstrap=kafka_bootstrap)
    value = bytes(LARGEST_EVENT)
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, enable_idempotence=True, max_request_size=2 * len(value)
    )
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    async with producer, consumer:
        await producer.send_and_wait(topic, value, key=b"stream")
        record = await consumer.getone()
    assert (record.key, record.value) == (b"stream", value)


async def test_creating_topics_twice_changes_nothing(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    topics = [f"{topic_prefix}contracts", f"{topic_prefix}billing"]
    assert await create_topics(topics, bootstrap=kafka_bootstrap) == tuple(topics)
    assert await create_topics(topics, bootstrap=kafka_bootstrap) == ()
    consumer = AIOKafkaConsumer(topics[0], bootstrap_servers=kafka_bootstrap)
    async with consumer:
        assert consumer.partitions_for_topic(topics[0]) == set(range(PARTITIONS))


async def test_every_database_is_new_and_speaks_utf_8(
    database: Callable[[], Awaitable[str]],
) -> None:
    first, second = await database(), await database()
    assert first != second
    connection = await asyncpg.connect(second)
    try:
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetchval("SELECT upper('日本 é')") == "日本 É"
        assert await connection.fetchval("SELECT count(*) FROM pg_stat_user_tables") == 0
    finally:
        await connection.close()
