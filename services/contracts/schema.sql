-- Generated from the migrations by ./yk schema; change those, never this.

CREATE TABLE public.abolition (
    abolition_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    service text NOT NULL,
    announced bytea NOT NULL,
    carried_out bytea,
    event_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    actor text NOT NULL,
    traceparent text,
    recorded_at timestamp with time zone NOT NULL
);

CREATE TABLE public.applied_migration (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.consumer_cursor (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    sequence bigint NOT NULL,
    log_epoch uuid NOT NULL,
    kafka_offset bigint
);

CREATE TABLE public.contract (
    contract_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    service text NOT NULL,
    state text NOT NULL,
    applied_on date NOT NULL,
    started_on date,
    ended_on date,
    version integer NOT NULL,
    abolition_id uuid
);

CREATE TABLE public.deadline (
    stream_id uuid NOT NULL,
    kind text NOT NULL,
    contract_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL
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

CREATE TABLE public.dunning (
    stream_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    open_amount integer NOT NULL,
    started_on date NOT NULL,
    proposed_on date,
    ended_on date
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

CREATE TABLE public.forgotten_party (
    "position" bigint NOT NULL,
    party_id uuid NOT NULL,
    classes text[] NOT NULL
);

CREATE TABLE public.idempotency_key (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    answer bytea NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL
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

ALTER TABLE ONLY public.abolition
    ADD CONSTRAINT abolition_once PRIMARY KEY (abolition_id);

ALTER TABLE ONLY public.applied_migration
    ADD CONSTRAINT applied_migration_once PRIMARY KEY (name);

ALTER TABLE ONLY public.consumer_cursor
    ADD CONSTRAINT consumer_cursor_once PRIMARY KEY (consumer, topic, partition);

ALTER TABLE ONLY public.contract
    ADD CONSTRAINT contract_once PRIMARY KEY (contract_id);

ALTER TABLE ONLY public.deadline
    ADD CONSTRAINT deadline_once PRIMARY KEY (stream_id, kind);

ALTER TABLE ONLY public.drift
    ADD CONSTRAINT drift_once PRIMARY KEY (name, place);

ALTER TABLE ONLY public.dunning
    ADD CONSTRAINT dunning_once PRIMARY KEY (stream_id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_id_once UNIQUE (event_id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_partition_sequence UNIQUE (partition, sequence);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_position PRIMARY KEY ("position");

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_stream_version UNIQUE (stream_id, version);

ALTER TABLE ONLY public.forgotten_party
    ADD CONSTRAINT forgotten_party_once PRIMARY KEY ("position");

ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (scope, key);

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

ALTER TABLE ONLY public.reconciled
    ADD CONSTRAINT reconciled_once PRIMARY KEY (name);

ALTER TABLE ONLY public.relay_cursor
    ADD CONSTRAINT relay_cursor_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_once PRIMARY KEY (kind, value, from_on);

ALTER TABLE ONLY public.skipped_event
    ADD CONSTRAINT skipped_event_once PRIMARY KEY (consumer, topic, event_id, skipped_at);

ALTER TABLE ONLY public.source_complete
    ADD CONSTRAINT source_complete_once PRIMARY KEY (consumer, topic);

ALTER TABLE ONLY public.view_cursor
    ADD CONSTRAINT view_cursor_once PRIMARY KEY (view);

CREATE INDEX contract_abolition ON public.contract USING btree (abolition_id) WHERE (abolition_id IS NOT NULL);

CREATE INDEX contract_customer ON public.contract USING btree (customer_id, contract_id);

CREATE INDEX contract_outlasting ON public.contract USING btree (service, ended_on);

CREATE INDEX deadline_due ON public.deadline USING btree (due_at, stream_id);

CREATE INDEX dunning_contract ON public.dunning USING btree (contract_id, stream_id);

CREATE INDEX event_correlation ON public.event USING btree (correlation_id);

CREATE INDEX idempotency_key_age ON public.idempotency_key USING btree (stored_at);

CREATE INDEX parked_event_of_stream ON public.parked_event USING btree (consumer, topic, stream_id, sequence);
