-- Keys of personal fields, in a database of their own. A destroyed key leaves its row, without the
-- secret, so that no second key is ever made for what was forgotten.
CREATE TABLE data_key (
    key_id uuid CONSTRAINT data_key_id PRIMARY KEY,
    subject uuid NOT NULL,
    retention text NOT NULL,
    wrapped bytea,
    made_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CONSTRAINT data_key_owner UNIQUE (subject, retention),
    CONSTRAINT data_key_destroyed CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
