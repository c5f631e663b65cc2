-- Where a log that was restored without its end parted from the one before, by partition: up to
-- there both are the same. One row for each time its identity was made anew.
CREATE TABLE log_fork (
    log_epoch uuid CONSTRAINT log_fork_once PRIMARY KEY,
    previous_epoch uuid NOT NULL,
    position bigint NOT NULL,
    sequences bigint[] NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- A sequence is given again by a log that was restored, and an event may be given up again by a
-- reader that is built again; what is parked is one event, whatever its place.
ALTER TABLE parked_event
    DROP CONSTRAINT parked_event_once,
    ADD CONSTRAINT parked_event_once PRIMARY KEY (consumer, topic, event_id);
ALTER TABLE skipped_event
    DROP CONSTRAINT skipped_event_once,
    ADD CONSTRAINT skipped_event_once PRIMARY KEY (consumer, topic, event_id, skipped_at);
