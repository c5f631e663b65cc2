-- Generated from the migrations by ./yk schema; change those, never this.

CREATE TABLE public.applied_migration (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.assessment (
    contract_id uuid NOT NULL,
    month text NOT NULL,
    revision integer NOT NULL,
    event_id uuid NOT NULL
);

CREATE TABLE public.billing_account (
    account_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    contract_ids uuid[] NOT NULL,
    late_on date
);

CREATE TABLE public.consumer_cursor (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    log_epoch uuid NOT NULL,
    kafka_offset bigint
);

CREATE TABLE public.contract_timeline (
    contract_id uuid NOT NULL,
    customer_id uuid,
    account_id uuid NOT NULL,
    service text DEFAULT ''::text NOT NULL,
    packed bytea,
    facts integer DEFAULT 0 NOT NULL,
    last_recorded_at timestamp with time zone
);

CREATE TABLE public.document (
    document_id uuid NOT NULL,
    number bigint NOT NULL,
    credit_note boolean NOT NULL,
    account_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    month text NOT NULL,
    issued_on date NOT NULL,
    document bytea NOT NULL
);

CREATE TABLE public.drift (
    name text NOT NULL,
    place text NOT NULL,
    what text NOT NULL,
    since text,
    advice text NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.event (
    "position" bigint NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    actor text NOT NULL,
    traceparent text,
    data bytea NOT NULL,
    CONSTRAINT event_data_size CHECK ((octet_length(data) <= 524288)),
    CONSTRAINT event_version_from_one CHECK ((version > 0))
);

CREATE TABLE public.fact (
    context text NOT NULL,
    log_epoch uuid NOT NULL,
    "position" bigint NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    type text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    actor text NOT NULL,
    traceparent text,
    data bytea NOT NULL
);

CREATE TABLE public.fact_subject (
    subject_id uuid NOT NULL
);

CREATE TABLE public.idempotency_key (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    answer bytea NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.invoice_run (
    run_id uuid NOT NULL,
    started bytea NOT NULL,
    finished bytea,
    correlation_id uuid NOT NULL,
    actor text NOT NULL,
    traceparent text,
    recorded_at timestamp with time zone NOT NULL
);

CREATE TABLE public.known_hole (
    first bigint NOT NULL,
    last bigint NOT NULL,
    noted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT known_hole_not_empty CHECK ((first <= last))
);

CREATE TABLE public.log_fork (
    log_epoch uuid NOT NULL,
    previous_epoch uuid NOT NULL,
    "position" bigint NOT NULL,
    sequences bigint[] NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.log_head (
    one boolean DEFAULT true NOT NULL,
    "position" bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT log_head_single CHECK (one)
);

CREATE TABLE public.log_identity (
    one boolean DEFAULT true NOT NULL,
    context text NOT NULL,
    log_epoch uuid NOT NULL,
    rehearsal boolean DEFAULT false NOT NULL,
    partitions smallint NOT NULL,
    CONSTRAINT log_identity_single CHECK (one)
);

CREATE TABLE public.parked_event (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    stream_id uuid NOT NULL,
    event_id uuid NOT NULL,
    waiting boolean NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    parked_at timestamp with time zone NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    clause text,
    tried_at timestamp with time zone
);

CREATE TABLE public.partition_head (
    partition smallint NOT NULL,
    sequence bigint NOT NULL
);

CREATE TABLE public.payment (
    payment_id uuid NOT NULL,
    account_id uuid NOT NULL
);

CREATE TABLE public.reconciled (
    name text NOT NULL,
    place jsonb,
    looked bigint NOT NULL,
    round_began_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    finished_looked bigint
);

CREATE TABLE public.relay_cursor (
    one boolean DEFAULT true NOT NULL,
    "position" bigint NOT NULL,
    leader_epoch bigint NOT NULL,
    CONSTRAINT relay_cursor_single CHECK (one)
);

CREATE TABLE public.reservation (
    kind text NOT NULL,
    value text NOT NULL,
    owner uuid NOT NULL,
    from_on date NOT NULL,
    until_on date
);

CREATE TABLE public.run_draft (
    run_id uuid NOT NULL,
    account_id uuid NOT NULL,
    draft bytea NOT NULL,
    contracts integer NOT NULL,
    failures integer NOT NULL,
    issued boolean DEFAULT false NOT NULL
);

CREATE TABLE public.skipped_event (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    stream_id uuid NOT NULL,
    event_id uuid NOT NULL,
    parked_because text NOT NULL,
    skipped_because text NOT NULL,
    skipped_by text NOT NULL,
    skipped_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.source_complete (
    consumer text NOT NULL,
    topic text NOT NULL,
    log_epoch uuid NOT NULL,
    complete_until timestamp with time zone NOT NULL
);

CREATE TABLE public.view_cursor (
    view text NOT NULL,
    "position" bigint NOT NULL
);

ALTER TABLE ONLY public.applied_migration
    ADD CONSTRAINT applied_migration_once PRIMARY KEY (name);

ALTER TABLE ONLY public.assessment
    ADD CONSTRAINT assessment_revision_once PRIMARY KEY (contract_id, month, revision);

ALTER TABLE ONLY public.billing_account
    ADD CONSTRAINT billing_account_once PRIMARY KEY (account_id);

ALTER TABLE ONLY public.consumer_cursor
    ADD CONSTRAINT consumer_cursor_once PRIMARY KEY (consumer, topic, partition);

ALTER TABLE ONLY public.contract_timeline
    ADD CONSTRAINT contract_timeline_once PRIMARY KEY (contract_id);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_number_once UNIQUE (number);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_once PRIMARY KEY (document_id);

ALTER TABLE ONLY public.drift
    ADD CONSTRAINT drift_once PRIMARY KEY (name, place);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_id_once UNIQUE (event_id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_partition_sequence UNIQUE (partition, sequence);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_position PRIMARY KEY ("position");

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_stream_version UNIQUE (stream_id, version);

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fact_event_once UNIQUE (event_id);

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fact_once PRIMARY KEY (context, log_epoch, "position");

ALTER TABLE ONLY public.fact_subject
    ADD CONSTRAINT fact_subject_once PRIMARY KEY (subject_id);

ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (scope, key);

ALTER TABLE ONLY public.invoice_run
    ADD CONSTRAINT invoice_run_once PRIMARY KEY (run_id);

ALTER TABLE ONLY public.known_hole
    ADD CONSTRAINT known_hole_once PRIMARY KEY (first);

ALTER TABLE ONLY public.log_fork
    ADD CONSTRAINT log_fork_once PRIMARY KEY (log_epoch);

ALTER TABLE ONLY public.log_head
    ADD CONSTRAINT log_head_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.log_identity
    ADD CONSTRAINT log_identity_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.parked_event
    ADD CONSTRAINT parked_event_once PRIMARY KEY (consumer, topic, event_id);

ALTER TABLE ONLY public.partition_head
    ADD CONSTRAINT partition_head_pkey PRIMARY KEY (partition);

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_once PRIMARY KEY (payment_id);

ALTER TABLE ONLY public.reconciled
    ADD CONSTRAINT reconciled_once PRIMARY KEY (name);

ALTER TABLE ONLY public.relay_cursor
    ADD CONSTRAINT relay_cursor_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_once PRIMARY KEY (kind, value, from_on);

ALTER TABLE ONLY public.run_draft
    ADD CONSTRAINT run_draft_once PRIMARY KEY (run_id, account_id);

ALTER TABLE ONLY public.skipped_event
    ADD CONSTRAINT skipped_event_once PRIMARY KEY (consumer, topic, event_id, skipped_at);

ALTER TABLE ONLY public.source_complete
    ADD CONSTRAINT source_complete_once PRIMARY KEY (consumer, topic);

ALTER TABLE ONLY public.view_cursor
    ADD CONSTRAINT view_cursor_once PRIMARY KEY (view);

CREATE INDEX billing_account_customer ON public.billing_account USING btree (customer_id, account_id);

CREATE INDEX billing_account_late ON public.billing_account USING btree (late_on) WHERE (late_on IS NOT NULL);

CREATE INDEX contract_timeline_account ON public.contract_timeline USING btree (account_id);

CREATE INDEX contract_timeline_customer ON public.contract_timeline USING btree (customer_id);

CREATE INDEX document_account ON public.document USING btree (account_id, number);

CREATE INDEX document_contract ON public.document USING btree (contract_id, number);

CREATE INDEX document_customer ON public.document USING btree (customer_id, number);

CREATE INDEX event_correlation ON public.event USING btree (correlation_id);

CREATE INDEX fact_by_subject ON public.fact USING btree (subject_id);

CREATE INDEX idempotency_key_age ON public.idempotency_key USING btree (stored_at);

CREATE INDEX invoice_run_open ON public.invoice_run USING btree (recorded_at) WHERE (finished IS NULL);

CREATE INDEX parked_event_of_stream ON public.parked_event USING btree (consumer, topic, stream_id, sequence);
