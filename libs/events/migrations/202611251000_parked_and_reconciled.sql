-- What is parked is found by its stream within a topic, and says which clause refused it.
CREATE INDEX parked_event_of_stream ON parked_event (consumer, topic, stream_id, sequence);
DROP INDEX parked_event_stream;
ALTER TABLE parked_event
    ADD COLUMN clause text,
    ADD COLUMN tried_at timestamptz;

-- Answers kept for repeats go by age.
CREATE INDEX idempotency_key_age ON idempotency_key (stored_at);

-- How far each check of the reconciler has come in its present round, and when it last ended one.
CREATE TABLE reconciled (
    name text CONSTRAINT reconciled_once PRIMARY KEY,
    place jsonb,
    looked bigint NOT NULL,
    round_began_at timestamptz NOT NULL,
    finished_at timestamptz,
    finished_looked bigint
);

-- What a check found that does not agree; removed when the same place is found to agree again.
CREATE TABLE drift (
    name text NOT NULL,
    place text NOT NULL,
    what text NOT NULL,
    since text,
    advice text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT drift_once PRIMARY KEY (name, place)
);
