"""The topics on which contexts publish."""

from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

PARTITIONS = 12
_KEPT_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
_DONE = 0


async def create_topics(
    names: Iterable[str], *, bootstrap: str, partitions: int = PARTITIONS
) -> tuple[str, ...]:
    """Create the topics that do not exist, kept for ever; the names of those created.

    A topic that exists is left as it is. Raises aiokafka's KafkaError for anything else.
    """
    wished = tuple(names)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = [name for name in wished if name not in present]
        if not missing:
            return ()
        answer = await admin.create_topics(
            [
                NewTopic(
                    name,
                    num_partitions=partitions,
                    replication_factor=1,
                    topic_configs=_KEPT_FOR_EVER,
                )
                for name in missing
            ]
        )
    finally:
        await admin.close()
    for topic, code, *_ in answer.topic_errors:
        if code not in {_DONE, TopicAlreadyExistsError.errno}:
            raise for_code(code)(f"topic {topic}")
    return tuple(missing)
