-- Nothing is said any more to who was forgotten, even while a cached key could still be read with.
ALTER TABLE recipient ADD COLUMN forgotten boolean NOT NULL DEFAULT false;
