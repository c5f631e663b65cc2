-- Views over this context's own log; each can be made anew from it.

CREATE TABLE contract (
    contract_id uuid CONSTRAINT contract_once PRIMARY KEY,
    customer_id uuid NOT NULL,
    service text NOT NULL,
    state text NOT NULL,
    applied_on date NOT NULL,
    started_on date,
    ended_on date,
    version integer NOT NULL
);

CREATE INDEX contract_customer ON contract (customer_id, contract_id);

-- What follows by itself, and when; of a contract, or of the chain of an unpaid debt.
CREATE TABLE deadline (
    stream_id uuid NOT NULL,
    kind text NOT NULL,
    contract_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT deadline_once PRIMARY KEY (stream_id, kind)
);

CREATE INDEX deadline_due ON deadline (due_at, stream_id);

CREATE TABLE dunning (
    stream_id uuid CONSTRAINT dunning_once PRIMARY KEY,
    contract_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    open_amount integer NOT NULL,
    started_on date NOT NULL,
    proposed_on date,
    ended_on date
);

CREATE INDEX dunning_contract ON dunning (contract_id, stream_id);
