-- The facts that charges rest on, as their contexts published them, without personal fields.
CREATE TABLE fact (
    context text NOT NULL,
    log_epoch uuid NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL CONSTRAINT fact_event_once UNIQUE,
    -- the contract, the customer or the account that it concerns
    subject_id uuid NOT NULL,
    type text NOT NULL,
    recorded_at timestamptz NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    actor text NOT NULL,
    traceparent text,
    data bytea NOT NULL,
    CONSTRAINT fact_once PRIMARY KEY (context, log_epoch, position)
);

CREATE INDEX fact_by_subject ON fact (subject_id);

-- Customers and accounts that have facts: locked while the timelines of their contracts are folded.
CREATE TABLE fact_subject (
    subject_id uuid CONSTRAINT fact_subject_once PRIMARY KEY
);

-- One packed timeline a contract, folded from its facts under the lock of its row.
CREATE TABLE contract_timeline (
    contract_id uuid CONSTRAINT contract_timeline_once PRIMARY KEY,
    customer_id uuid,
    account_id uuid NOT NULL,
    service text NOT NULL DEFAULT '',
    packed bytea,
    facts integer NOT NULL DEFAULT 0,
    last_recorded_at timestamptz
);

CREATE INDEX contract_timeline_customer ON contract_timeline (customer_id);
CREATE INDEX contract_timeline_account ON contract_timeline (account_id);
