-- Views over the sites; made from this context's own events alone.

CREATE TABLE site (
    contract_id uuid CONSTRAINT site_once PRIMARY KEY,
    customer_id uuid NOT NULL,
    service text NOT NULL,
    opened_on date NOT NULL,
    closed_on date,
    devices integer NOT NULL,
    awaited integer NOT NULL,
    -- when the next claim falls due; null while none does
    due_at timestamptz
);

CREATE INDEX site_due ON site (due_at, contract_id) WHERE due_at IS NOT NULL;

CREATE TABLE outage (
    outage_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    fault text NOT NULL,
    complete boolean NOT NULL,
    incident text,
    CONSTRAINT outage_once PRIMARY KEY (contract_id, outage_id)
);

CREATE INDEX outage_from ON outage (from_at, contract_id, outage_id);
