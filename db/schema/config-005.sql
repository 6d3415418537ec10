-- Who changed what, when, and from where (db/audit.h).
CREATE TABLE audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	time INTEGER NOT NULL, -- ms since 1970 UTC
	user TEXT NOT NULL,
	address TEXT NOT NULL,
	what TEXT NOT NULL
) STRICT;
