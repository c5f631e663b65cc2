-- A view over this context's own log: whose keys are destroyed, to be repeated after a restore.
CREATE TABLE forgotten_party (
    position bigint CONSTRAINT forgotten_party_once PRIMARY KEY,
    party_id uuid NOT NULL,
    classes text[] NOT NULL
);
