-- Positions that no event has and none will have: those of events that were appended and never sent,
-- before others that were, in a log that was completed from its topic. Both ends are inclusive.
CREATE TABLE known_hole (
    first bigint CONSTRAINT known_hole_once PRIMARY KEY,
    last bigint NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT known_hole_not_empty CHECK (first <= last)
);
