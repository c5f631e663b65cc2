CREATE TABLE billing_account (
    account_id uuid CONSTRAINT billing_account_once PRIMARY KEY,
    customer_id uuid NOT NULL,
    contract_ids uuid[] NOT NULL,
    -- the earliest day on which an open claim becomes late that was not said to be; for deadlines
    late_on date
);

CREATE INDEX billing_account_customer ON billing_account (customer_id, account_id);
CREATE INDEX billing_account_late ON billing_account (late_on) WHERE late_on IS NOT NULL;

-- Invoices and credit notes as issued; document holds the event.
CREATE TABLE document (
    document_id uuid CONSTRAINT document_once PRIMARY KEY,
    -- one issuer: numbers without gaps
    number bigint NOT NULL CONSTRAINT document_number_once UNIQUE,
    credit_note boolean NOT NULL,
    account_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    month text NOT NULL,
    issued_on date NOT NULL,
    document bytea NOT NULL
);

CREATE INDEX document_account ON document (account_id, number);
CREATE INDEX document_contract ON document (contract_id, number);
CREATE INDEX document_customer ON document (customer_id, number);

-- What each contract and billing month was assessed at, by revision.
CREATE TABLE assessment (
    contract_id uuid NOT NULL,
    month text NOT NULL,
    revision integer NOT NULL,
    event_id uuid NOT NULL,
    -- a month already billed is never billed again: each revision stands once
    CONSTRAINT assessment_revision_once PRIMARY KEY (contract_id, month, revision)
);

CREATE TABLE payment (
    payment_id uuid CONSTRAINT payment_once PRIMARY KEY,
    account_id uuid NOT NULL
);

CREATE TABLE invoice_run (
    run_id uuid CONSTRAINT invoice_run_once PRIMARY KEY,
    started bytea NOT NULL,
    finished bytea,
    correlation_id uuid NOT NULL,
    actor text NOT NULL,
    traceparent text,
    recorded_at timestamptz NOT NULL
);

CREATE INDEX invoice_run_open ON invoice_run (recorded_at) WHERE finished IS NULL;

-- Drafts of runs: what phase two issues, the same after a crash as before it.
CREATE TABLE run_draft (
    run_id uuid NOT NULL,
    account_id uuid NOT NULL,
    draft bytea NOT NULL,
    contracts integer NOT NULL,
    failures integer NOT NULL,
    issued boolean NOT NULL DEFAULT false,
    CONSTRAINT run_draft_once PRIMARY KEY (run_id, account_id)
);
