-- Up to which recorded time a reader has taken everything of a topic, with its effects.
CREATE TABLE source_complete (
    consumer text NOT NULL,
    topic text NOT NULL,
    log_epoch uuid NOT NULL,
    complete_until timestamptz NOT NULL,
    CONSTRAINT source_complete_once PRIMARY KEY (consumer, topic)
);
