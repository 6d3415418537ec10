-- Who is kept out (broker/bans.h). AUTOINCREMENT: a log line that names a ban
-- must not come to mean another.
CREATE TABLE bans (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL CHECK (kind IN ('user', 'client', 'address')),
	what TEXT NOT NULL,
	reason TEXT NOT NULL,
	until INTEGER NOT NULL, -- ms since 1970 UTC; 0: for good
	created INTEGER NOT NULL,
	by TEXT NOT NULL, -- the user who made it
	UNIQUE (kind, what)
) STRICT;
