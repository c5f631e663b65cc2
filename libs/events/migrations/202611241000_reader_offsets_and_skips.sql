-- Where in Kafka a reader may go on: a hint, so that it need not read a topic from the start. What
-- it takes is decided by sequence alone.
ALTER TABLE consumer_cursor ADD COLUMN kafka_offset bigint;

-- Parked events that an operator gave up, with the reason; kept, so that it can be seen for ever.
CREATE TABLE skipped_event (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    stream_id uuid NOT NULL,
    event_id uuid NOT NULL,
    parked_because text NOT NULL,
    skipped_because text NOT NULL,
    skipped_by text NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skipped_event_once PRIMARY KEY (consumer, topic, partition, sequence)
);
