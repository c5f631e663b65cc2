-- What notifications keeps of other contexts' facts, and its views. Made from events alone.

CREATE TABLE recipient (
    customer_id uuid CONSTRAINT recipient_once PRIMARY KEY,
    -- personal; emptied when the party is forgotten
    name text,
    email text
);

CREATE TABLE known_contract (
    contract_id uuid CONSTRAINT known_contract_once PRIMARY KEY,
    customer_id uuid NOT NULL,
    service text NOT NULL
);

CREATE TABLE known_invoice (
    invoice_id uuid CONSTRAINT known_invoice_once PRIMARY KEY,
    number bigint NOT NULL,
    service text NOT NULL
);

-- Events that a customer is to be told of; what is queued of them stands in the log.
CREATE TABLE occasion (
    event_id uuid CONSTRAINT occasion_once PRIMARY KEY,
    type text NOT NULL,
    data text NOT NULL,
    customer_id uuid NOT NULL,
    contract_ids uuid[] NOT NULL,
    service text NOT NULL,
    invoice_number bigint,
    recorded_at timestamptz NOT NULL,
    correlation_id uuid NOT NULL,
    traceparent text,
    queued boolean NOT NULL DEFAULT false,
    -- why its notice could not be made
    trouble text
);

CREATE INDEX occasion_open ON occasion (recorded_at, event_id) WHERE NOT queued;

CREATE TABLE notice (
    notice_id uuid CONSTRAINT notice_once PRIMARY KEY,
    position bigint NOT NULL,
    rule text NOT NULL,
    service text,
    channel text NOT NULL,
    customer_id uuid NOT NULL,
    contract_ids uuid[] NOT NULL,
    because_of uuid NOT NULL,
    not_before_on date NOT NULL,
    subject_line text NOT NULL,
    state text NOT NULL CONSTRAINT notice_state CHECK (state IN ('queued', 'sent', 'failed')),
    settled_at timestamptz,
    answer text
);

CREATE INDEX notice_customer ON notice (customer_id, position);
CREATE INDEX notice_contracts ON notice USING gin (contract_ids);
CREATE INDEX notice_unsent ON notice (position) WHERE state = 'queued';

-- A rehearsal's mails: kept here in place of being sent. Address and text are personal.
CREATE TABLE captured_mail (
    notice_id uuid CONSTRAINT captured_mail_once PRIMARY KEY,
    captured_at timestamptz NOT NULL,
    customer_id uuid NOT NULL,
    contract_ids uuid[] NOT NULL,
    address text,
    subject_line text NOT NULL,
    body text
);

CREATE INDEX captured_mail_contracts ON captured_mail USING gin (contract_ids);
