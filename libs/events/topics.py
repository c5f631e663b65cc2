"""The topics on which contexts publish: kept without limit, never with another partition count."""

import asyncio
from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from libs.events.partition import PARTITIONS

_KEPT_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
_DONE = 0
_GONE_SECONDS = 30.0
_LOOK_SECONDS = 0.05


async def create_topics(
    names: Iterable[str], *, bootstrap: str, replication: int = 1
) -> tuple[str, ...]:
    """Create the topics that do not exist; the names of those created.

    A topic that exists is left as it is. Raises aiokafka's KafkaError for anything else.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        present = set(await admin.list_topics())
        missing = [name for name in names if name not in present]
        if not missing:
            return ()
        answer = await admin.create_topics([_topic(name, replication) for name in missing])
    finally:
        await admin.close()
    for topic, code, *_ in answer.topic_errors:
        if code not in {_DONE, TopicAlreadyExistsError.errno}:
            raise for_code(code)(f"topic {topic}")
    return tuple(missing)


async def make_anew(name: str, *, bootstrap: str, replication: int = 1) -> None:
    """Delete a topic with all that it holds, if there is one, and create it empty.

    Nobody may send to it meanwhile. Raises aiokafka's KafkaError, and TimeoutError when the broker
    does not let go of the old one in half a minute.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        answer = await admin.delete_topics([name])
        for topic, code in answer.topic_error_codes:
            if code not in {_DONE, UnknownTopicOrPartitionError.errno}:
                raise for_code(code)(f"topic {topic}")
        async with asyncio.timeout(_GONE_SECONDS):
            while not await _created(admin, name, replication):  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await admin.close()


async def _created(admin: AIOKafkaAdminClient, name: str, replication: int) -> bool:
    """Create a topic; False while the broker still knows the old one."""
    if name in await admin.list_topics():
        return False
    answer = await admin.create_topics([_topic(name, replication)])
    for topic, code, *_ in answer.topic_errors:
        if code == TopicAlreadyExistsError.errno:
            return False
        if code != _DONE:
            raise for_code(code)(f"topic {topic}")
    return True


async def broker_answers(bootstrap: str) -> None:
    """Returns when a broker answers; raises aiokafka's KafkaError when none does."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    try:
        await client.bootstrap()
    finally:
        await client.close()


def _topic(name: str, replication: int) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=PARTITIONS,
        replication_factor=replication,
        topic_configs=_KEPT_FOR_EVER,
    )
