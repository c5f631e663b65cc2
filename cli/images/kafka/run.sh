#!/bin/bash
# Kafka's own wrapper for containers turns KAFKA_* variables (or /mnt/shared/config) into the
# settings and formats the storage; then this becomes the broker.
set -euo pipefail

export CLUSTER_ID=${CLUSTER_ID:-yakkanYAKKANyakkanYAKK}
java -cp '/opt/kafka/libs/*' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    -Dlog4j2.configurationFile=/etc/kafka/docker/tools-log4j2.yaml \
    kafka.docker.KafkaDockerWrapper setup \
    --default-configs-dir /etc/kafka/docker \
    --mounted-configs-dir /mnt/shared/config \
    --final-configs-dir /opt/kafka/config

# Word splitting is wanted: each variable holds several options.
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G} ${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC} \
    ${KAFKA_OPTS:-} ${KAFKA_JMX_OPTS:-} \
    ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml} \
    -Dkafka.logs.dir=/opt/kafka/logs -cp '/opt/kafka/libs/*' \
    kafka.Kafka /opt/kafka/config/server.properties
