-- Each day has its own table h_YYYYMMDD (UTC), made when its first row comes:
--	id INTEGER PRIMARY KEY	ms since 1970 UTC << 12 | number within the ms
--	topic, origin		of the tables below
--	payload ANY		TEXT if it is UTF-8, else BLOB
-- Keyed by time a commit writes the last page only; by topic it would write one
-- for each topic. A day gets an index by topic when it is over.
CREATE TABLE topics (
	id INTEGER PRIMARY KEY,
	topic TEXT NOT NULL UNIQUE
) STRICT;

-- By day, to go with its table: client identifiers may be made up each time.
CREATE TABLE origins (
	id INTEGER PRIMARY KEY,
	day INTEGER NOT NULL,
	user TEXT NOT NULL,
	client TEXT NOT NULL,
	UNIQUE (day, user, client)
) STRICT;

-- What each day's table holds of each topic.
CREATE TABLE days (
	day INTEGER NOT NULL, -- YYYYMMDD
	topic INTEGER NOT NULL,
	samples INTEGER NOT NULL,
	first INTEGER NOT NULL, -- ms since 1970 UTC
	last INTEGER NOT NULL,
	PRIMARY KEY (day, topic)
) STRICT, WITHOUT ROWID;
