-- The ends of services, as they were announced and carried out; a view over this context's own log.

CREATE TABLE abolition (
    abolition_id uuid CONSTRAINT abolition_once PRIMARY KEY,
    stream_id uuid NOT NULL,
    service text NOT NULL,
    announced bytea NOT NULL,
    carried_out bytea,
    event_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    actor text NOT NULL,
    traceparent text,
    recorded_at timestamptz NOT NULL
);

-- No contract was ended by an abolition of a whole service before this.
ALTER TABLE contract ADD COLUMN abolition_id uuid;

CREATE INDEX contract_outlasting ON contract (service, ended_on);
CREATE INDEX contract_abolition ON contract (abolition_id) WHERE abolition_id IS NOT NULL;
