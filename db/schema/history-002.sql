-- Where a message came from: the address, without its port.
CREATE TABLE origins_2 (
	id INTEGER PRIMARY KEY,
	day INTEGER NOT NULL,
	user TEXT NOT NULL,
	client TEXT NOT NULL,
	address TEXT NOT NULL,
	UNIQUE (day, user, client, address)
) STRICT;
INSERT INTO origins_2 SELECT id, day, user, client, '' FROM origins;
DROP TABLE origins;
ALTER TABLE origins_2 RENAME TO origins;

-- days is the directory: rows of a topic that it does not name for a day, or that
-- are older than its "first", are there no more, though they take up room until
-- their table goes. Topic 0 stands for what was written that day: in samples the
-- bytes for rows, in first those for averages and indexes.

-- Hours (since 1970 UTC) in which rows came that are not averaged yet.
CREATE TABLE hours (
	hour INTEGER PRIMARY KEY
) STRICT;

-- Numbers on average: each day has a table five_YYYYMMDD of 5 minutes each, each
-- month one hour_YYYYMM, made when their first row comes:
--	id INTEGER PRIMARY KEY	s since 1970 UTC of its start << 24 | topic
--	topic, n, avg		how many numbers
--	min, max		NULL when n is 1
-- and the directory of both, in which a topic's numbers are for a month.
CREATE TABLE averages (
	month INTEGER NOT NULL, -- YYYYMM
	topic INTEGER NOT NULL,
	PRIMARY KEY (month, topic)
) STRICT, WITHOUT ROWID;
