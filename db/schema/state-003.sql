-- Which shared subscription a message came by, as the broker numbers its groups; 0:
-- by none. Where its session ends, another member gets it, after a restart too.
ALTER TABLE queue ADD COLUMN share INTEGER NOT NULL DEFAULT 0;
