-- SCRAM-SHA-256 keys (base/scram_keys.h); '' for none.
ALTER TABLE users ADD COLUMN scram TEXT NOT NULL DEFAULT '';

-- Made once, never shown. scram: what a name that has no keys is answered with.
CREATE TABLE secrets (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT, WITHOUT ROWID;
INSERT INTO secrets VALUES ('scram', randomblob(32));
