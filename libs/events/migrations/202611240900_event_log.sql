-- The log of one context. One row an event; the table is also the outbox that the relay sends from.

CREATE TABLE log_identity (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT log_identity_single CHECK (one),
    context text NOT NULL,
    log_epoch uuid NOT NULL,
    rehearsal boolean NOT NULL DEFAULT false,
    partitions smallint NOT NULL
);

-- The log's head, updated under the append lock: position and recorded time never run backwards.
CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT log_head_single CHECK (one),
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);

-- The last sequence given per partition of the context's topic; without gaps.
CREATE TABLE partition_head (
    partition smallint PRIMARY KEY,
    sequence bigint NOT NULL
);

CREATE TABLE event (
    position bigint NOT NULL CONSTRAINT event_position PRIMARY KEY,
    stream_id uuid NOT NULL,
    version integer NOT NULL CONSTRAINT event_version_from_one CHECK (version > 0),
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL CONSTRAINT event_id_once UNIQUE,
    type text NOT NULL,
    recorded_at timestamptz NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    actor text NOT NULL,
    traceparent text,
    data bytea NOT NULL CONSTRAINT event_data_size CHECK (octet_length(data) <= 524288),
    -- optimistic concurrency: of two writers with one expected version only one can commit
    CONSTRAINT event_stream_version UNIQUE (stream_id, version),
    CONSTRAINT event_partition_sequence UNIQUE (partition, sequence)
);

CREATE INDEX event_correlation ON event (correlation_id);

CREATE TABLE idempotency_key (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    answer bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_key_once PRIMARY KEY (scope, key)
);

CREATE TABLE reservation (
    kind text NOT NULL,
    value text NOT NULL,
    owner uuid NOT NULL,
    from_on date NOT NULL,
    until_on date,
    CONSTRAINT reservation_once PRIMARY KEY (kind, value, from_on)
);

-- How far each reader of other contexts' topics has come, moved only with its effects.
CREATE TABLE consumer_cursor (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    log_epoch uuid NOT NULL,
    CONSTRAINT consumer_cursor_once PRIMARY KEY (consumer, topic, partition)
);

-- How far each view that follows this context's own log has come.
CREATE TABLE view_cursor (
    view text CONSTRAINT view_cursor_once PRIMARY KEY,
    position bigint NOT NULL
);

-- How far the relay has sent, and the epoch of its present leader.
CREATE TABLE relay_cursor (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT relay_cursor_single CHECK (one),
    position bigint NOT NULL,
    leader_epoch bigint NOT NULL
);

-- Events of a stream that could not be taken, from the failing one on, with the reason.
CREATE TABLE parked_event (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    stream_id uuid NOT NULL,
    event_id uuid NOT NULL,
    waiting boolean NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    parked_at timestamptz NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    CONSTRAINT parked_event_once PRIMARY KEY (consumer, topic, partition, sequence)
);

CREATE INDEX parked_event_stream ON parked_event (consumer, stream_id, sequence);
