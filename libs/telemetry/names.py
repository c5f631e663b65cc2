"""Every metric, span attribute and log field of the project, once."""

from typing import Final

SCOPE: Final = "yakkan"

# Attributes of spans and metrics of our own.
CORRELATION_ID: Final = "yakkan.correlation_id"
EVENT_ID: Final = "yakkan.event_id"
EVENT_TYPE: Final = "yakkan.event_type"
CONSUMER: Final = "yakkan.consumer"
VIEW: Final = "yakkan.view"
WAITING: Final = "yakkan.waiting"

# Attributes with names that others know.
SERVICE_NAME: Final = "service.name"
MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_OPERATION_NAME: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_PARTITION: Final = "messaging.destination.partition.id"
MESSAGING_GROUP: Final = "messaging.consumer.group.name"
MESSAGING_KEY: Final = "messaging.kafka.message.key"
MESSAGING_OFFSET: Final = "messaging.kafka.offset"
MESSAGING_BATCH_COUNT: Final = "messaging.batch.message_count"
HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
URL_PATH: Final = "url.path"
ERROR_TYPE: Final = "error.type"

# Metrics.
RELAY_LAG_RECORDS: Final = "yakkan.relay.lag.records"
RELAY_LAG_SECONDS: Final = "yakkan.relay.lag"
RELAY_SENT: Final = "yakkan.relay.sent"
RELAY_FAILURES: Final = "yakkan.relay.failures"
RELAY_LEADER: Final = "yakkan.relay.leader"
CONSUMER_LAG_RECORDS: Final = "yakkan.consumer.lag.records"
CONSUMER_LAG_SECONDS: Final = "yakkan.consumer.lag"
CONSUMER_TAKEN: Final = "yakkan.consumer.taken"
CONSUMER_REPEATED: Final = "yakkan.consumer.repeated"
CONSUMER_PARKED: Final = "yakkan.consumer.parked"
CONSUMER_STOPPED: Final = "yakkan.consumer.stopped"
CONSUMER_FAILURES: Final = "yakkan.consumer.failures"
VIEW_LAG_RECORDS: Final = "yakkan.view.lag.records"
VIEW_FAILURES: Final = "yakkan.view.failures"
HTTP_DURATION: Final = "http.server.request.duration"
